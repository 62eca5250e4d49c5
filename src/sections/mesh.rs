//! A subdivision of a convex polygon into convex faces, cut by functions that are affine on each
//! face.
//!
//! Half-edges: edge `e` is the half-edges `2e` and `2e + 1`, which run opposite ways; each knows its
//! origin, its face, and its neighbours around that face. A corner belongs to all faces around it,
//! with one row of values, and a cut decides its sign once: so both sides of an edge always agree
//! where it is cut, and no face can lose or gain area against its neighbours. Cutting faces one by
//! one, each with corners of its own (as the numpy reference does), needs to match corners
//! afterwards; this does not.

mod cut;
mod dissolve;
#[cfg(test)]
mod tests;

pub(super) use cut::Cut;

/// The face outside the polygon.
const OUTSIDE: u32 = u32::MAX;
/// A half-edge or face that is no more.
const NONE: u32 = u32::MAX - 1;

#[derive(Clone)]
pub(super) struct Mesh {
    /// Place of each corner in the plane.
    pub(super) xy: Vec<[f64; 2]>,
    /// Values at the corners, `[corners, width]`.
    pub(super) values: Vec<f64>,
    pub(super) width: usize,
    /// Columns of `values` that hold something; new corners get the mixture of these.
    pub(super) used: usize,
    /// A half-edge from each corner.
    leaving: Vec<u32>,
    origin: Vec<u32>,
    next: Vec<u32>,
    before: Vec<u32>,
    face: Vec<u32>,
    /// A half-edge of each face, `NONE` for one that is no more.
    pub(super) side: Vec<u32>,
    /// What a face came from; faces of one tag may be joined again.
    pub(super) tag: Vec<u32>,
    /// Which of several functions is largest on a face.
    pub(super) winner: Vec<u32>,
    /// A number that faces keep through all later cuts.
    pub(super) mark: Vec<u32>,
    num_faces: usize,
    max_faces: usize,
    /// Corners of the polygon.
    num_outline: usize,
    // Scratch of a cut: value and sign of each corner, and when each face was last looked at.
    g: Vec<f64>,
    sign: Vec<i8>,
    looked_at: Vec<u32>,
    cut_number: u32,
}

impl Mesh {
    /// A convex polygon, corners counter-clockwise, with `width` columns of values.
    pub(super) fn new(polygon: &[[f64; 2]], width: usize, max_faces: usize) -> Self {
        let n = polygon.len() as u32;
        let around = |step: u32| (0..n).map(move |k| (k + step) % n);
        let mut mesh = Self {
            xy: polygon.to_vec(),
            values: vec![0.0; polygon.len() * width],
            width,
            used: width,
            leaving: (0..n).map(|k| 2 * k).collect(),
            origin: Vec::new(),
            next: Vec::new(),
            before: Vec::new(),
            face: Vec::new(),
            side: vec![0],
            tag: vec![0],
            winner: vec![0],
            mark: vec![0],
            num_faces: 1,
            max_faces,
            num_outline: polygon.len(),
            g: Vec::new(),
            sign: Vec::new(),
            looked_at: vec![0],
            cut_number: 0,
        };
        // Inner half-edges 2k run from corner k on, outer ones 2k + 1 back.
        for (next, previous) in around(1).zip(around(n - 1)) {
            let k = mesh.origin.len() as u32 / 2;
            mesh.origin.extend([k, next]);
            mesh.face.extend([0, OUTSIDE]);
            mesh.next.extend([2 * next, 2 * previous + 1]);
            mesh.before.extend([2 * previous, 2 * next + 1]);
        }
        mesh
    }

    pub(super) fn num_corners(&self) -> usize {
        self.xy.len()
    }

    pub(super) fn num_faces(&self) -> usize {
        self.num_faces
    }

    /// Faces that there are.
    pub(super) fn faces(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.side.len()).filter(|&f| self.side[f] != NONE)
    }

    pub(super) fn is_face(&self, face: usize) -> bool {
        self.side[face] != NONE
    }

    /// Corners of the polygon itself; they come first.
    pub(super) fn num_outline(&self) -> usize {
        self.num_outline
    }

    /// Edges that there are: ends, and the faces on the left and on the right, if any.
    pub(super) fn edges(&self) -> impl Iterator<Item = ([usize; 2], [Option<usize>; 2])> + '_ {
        let face = |h: usize| (self.face[h] != OUTSIDE).then_some(self.face[h] as usize);
        (0..self.origin.len())
            .step_by(2)
            .filter(|&h| self.origin[h] != NONE)
            .map(move |h| {
                let ends = [self.origin[h] as usize, self.origin[h + 1] as usize];
                (ends, [face(h), face(h + 1)])
            })
    }

    /// Corners of a face, counter-clockwise.
    pub(super) fn corners(&self, face: usize) -> impl Iterator<Item = usize> + '_ {
        let first = self.side[face];
        let mut h = Some(first);
        std::iter::from_fn(move || {
            let at = h?;
            h = Some(self.next[at as usize]).filter(|&next| next != first);
            Some(self.origin[at as usize] as usize)
        })
    }

    pub(super) fn row(&self, corner: usize) -> &[f64] {
        &self.values[corner * self.width..][..self.width]
    }

    pub(super) fn row_mut(&mut self, corner: usize) -> &mut [f64] {
        &mut self.values[corner * self.width..][..self.width]
    }

    pub(super) fn length(&self, [a, b]: [usize; 2]) -> f64 {
        let (a, b) = (self.xy[a], self.xy[b]);
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    /// Area of a face, from its first corner, so that a far-away thin face keeps its digits.
    pub(super) fn area(&self, face: usize) -> f64 {
        let mut corners = self.corners(face).map(|c| self.xy[c]);
        let Some(first) = corners.next() else {
            return 0.0;
        };
        let from_first = |p: [f64; 2]| [p[0] - first[0], p[1] - first[1]];
        let (mut twice, mut last) = (0.0, [0.0; 2]);
        for corner in corners {
            let here = from_first(corner);
            twice += last[0] * here[1] - here[0] * last[1];
            last = here;
        }
        twice / 2.0
    }

    /// Marks each face with its winner.
    pub(super) fn mark_winners(&mut self) {
        self.mark.clone_from(&self.winner);
    }

    /// The same faces without values, for `width` columns of others.
    pub(super) fn with_width(mut self, width: usize) -> Self {
        self.width = width;
        self.values = vec![0.0; self.num_corners() * width];
        self.used = width;
        self
    }

    /// Gives every face its own tag and winner 0, before a series of cuts that may be undone.
    pub(super) fn retag(&mut self) {
        for f in 0..self.side.len() {
            self.tag[f] = f as u32;
            self.winner[f] = 0;
        }
    }
}
