//! A subdivision of a convex polygon into convex faces, cut by functions that are affine on each
//! face.
//!
//! Half-edges: edge `e` is the half-edges `2e` and `2e + 1`, which run opposite ways; each knows its
//! origin, its face, and its neighbours around that face. A corner belongs to all faces around it,
//! with one row of values, and a cut decides its sign once: so both sides of an edge always agree
//! where it is cut, and no face can lose or gain area against its neighbours. Cutting faces one by
//! one, each with corners of its own (as the numpy reference does), needs to match corners
//! afterwards; this does not.

use super::{EPS, SectionError, TOL_XY};

/// The face outside the polygon.
const OUTSIDE: u32 = u32::MAX;
/// A half-edge or face that is no more.
const NONE: u32 = u32::MAX - 1;
/// Bytes that the values at all corners may take: 2 GiB.
const MAX_BYTES: usize = 1 << 31;

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

/// A function whose zero line cuts faces.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cut {
    /// Column `0`.
    Zero(usize),
    /// Column `0` less column `1`.
    Difference(usize, usize),
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

    /// Cuts all faces along the zero line of a function that is affine on each; says whether there
    /// was anything to cut. The function is exactly 0 at new corners.
    ///
    /// # Errors
    /// [`SectionError::TooManyRegions`].
    pub(super) fn cut(&mut self, function: Cut) -> Result<bool, SectionError> {
        let corners = self.num_corners();
        let (width, values) = (self.width, &self.values);
        self.g.clear();
        let mut largest = 1.0f64;
        match function {
            Cut::Zero(a) => {
                self.g.extend((0..corners).map(|c| values[c * width + a]));
                largest = self.g.iter().fold(largest, |most, g| most.max(g.abs()));
            }
            Cut::Difference(a, b) => {
                for row in values.chunks_exact(width).take(corners) {
                    largest = largest.max(row[a].abs()).max(row[b].abs());
                    self.g.push(row[a] - row[b]);
                }
            }
        }
        let band = EPS * largest;
        self.sign.clear();
        self.sign.extend(
            self.g
                .iter()
                .map(|&g| i8::from(g > band) - i8::from(g < -band)),
        );
        let (mut above, mut below) = (false, false);
        for &sign in &self.sign {
            above |= sign > 0;
            below |= sign < 0;
        }
        if !(above && below) {
            return Ok(false);
        }
        let crossed = self.crossed_edges();
        if self.num_corners() + crossed.len() > (MAX_BYTES / 8 / self.width).min(4 * self.max_faces)
        {
            return Err(SectionError::TooManyRegions {
                limit: self.max_faces,
            });
        }
        self.cut_number += 1;
        let mut touched: Vec<u32> = Vec::with_capacity(2 * crossed.len());
        for &h in &crossed {
            self.split_edge(h, function);
            touched.extend([self.face[h as usize], self.face[h as usize ^ 1]]);
        }
        // Faces that are cut through an old corner.
        for corner in (0..corners)
            .filter(|&c| self.sign[c] == 0 && self.leaving[c] != NONE)
            .collect::<Vec<_>>()
        {
            self.faces_around(corner, &mut touched);
        }
        for face in touched {
            if face != OUTSIDE && self.looked_at[face as usize] != self.cut_number {
                self.looked_at[face as usize] = self.cut_number;
                self.split_face(face);
            }
        }
        if self.num_faces > self.max_faces {
            return Err(SectionError::TooManyRegions {
                limit: self.max_faces,
            });
        }
        Ok(true)
    }

    /// Whether some corner of the face is above 0 in the last cut; then none is below.
    pub(super) fn is_above(&self, face: usize) -> bool {
        self.corners(face).any(|c| self.sign[c] > 0)
    }

    /// Half-edges, one an edge, between corners of opposite sign. Corners that the zero line passes
    /// within [`TOL_XY`] are put on it first, and so is the nearest corner of a face that rounding
    /// gave more than two changes of sign.
    fn crossed_edges(&mut self) -> Vec<u32> {
        loop {
            let mut crossed = Vec::new();
            let mut moved = false;
            for h in (0..self.origin.len()).step_by(2) {
                if self.origin[h] == NONE {
                    continue;
                }
                let [a, b] = [self.origin[h] as usize, self.origin[h + 1] as usize];
                if self.sign[a] * self.sign[b] >= 0 {
                    continue;
                }
                let (ga, gb) = (self.g[a].abs(), self.g[b].abs());
                let share = ga.min(gb) / (ga + gb);
                if share * self.length([a, b]) <= TOL_XY {
                    self.sign[if ga < gb { a } else { b }] = 0;
                    moved = true;
                } else {
                    crossed.push(h as u32);
                }
            }
            if !moved {
                for &h in &crossed {
                    for h in [h, h ^ 1] {
                        let face = self.face[h as usize];
                        if face != OUTSIDE && self.sign_changes(face as usize) > 2 {
                            let off = |&c: &usize| self.sign[c] != 0;
                            let nearest = self
                                .corners(face as usize)
                                .filter(off)
                                .min_by(|&a, &b| self.g[a].abs().total_cmp(&self.g[b].abs()));
                            if let Some(corner) = nearest {
                                self.sign[corner] = 0;
                                moved = true;
                            }
                        }
                    }
                }
            }
            if !moved {
                return crossed;
            }
        }
    }

    fn sign_changes(&self, face: usize) -> usize {
        let mut signs = self.corners(face).map(|c| self.sign[c]).filter(|&s| s != 0);
        let Some(first) = signs.next() else {
            return 0;
        };
        let (mut last, mut changes) = (first, 0);
        for sign in signs {
            changes += usize::from(sign != last);
            last = sign;
        }
        changes + usize::from(last != first)
    }

    /// Puts a corner on an edge where the function is 0.
    fn split_edge(&mut self, h: u32, function: Cut) {
        let t = h ^ 1;
        let [a, b] = [self.origin[h as usize], self.origin[t as usize]];
        // From the positive end, whichever way the edge runs.
        let (p, q) = match self.sign[a as usize] > 0 {
            true => (a as usize, b as usize),
            false => (b as usize, a as usize),
        };
        let w = self.g[p] / (self.g[p] - self.g[q]);
        let v = self.xy.len() as u32;
        self.xy
            .push([0, 1].map(|k| self.xy[p][k] * (1.0 - w) + self.xy[q][k] * w));
        let start = self.values.len();
        self.values.resize(start + self.width, 0.0);
        let (old, new) = self.values.split_at_mut(start);
        let [from, to] = [p, q].map(|c| &old[c * self.width..][..self.used]);
        for ((new, from), to) in new.iter_mut().zip(from).zip(to) {
            *new = from * (1.0 - w) + to * w;
        }
        match function {
            Cut::Zero(a) => new[a] = 0.0,
            Cut::Difference(a, b) => new[a] = new[b],
        }
        self.g.push(0.0);
        self.sign.push(0);
        // h: a -> v, h2: v -> b; back t2: b -> v, t: v -> a.
        let h2 = self.origin.len() as u32;
        let t2 = h2 + 1;
        let (after_h, before_t) = (self.next[h as usize], self.before[t as usize]);
        self.origin.extend([v, b]);
        self.face
            .extend([self.face[h as usize], self.face[t as usize]]);
        self.next.extend([after_h, t]);
        self.before.extend([h, before_t]);
        self.origin[t as usize] = v;
        self.next[h as usize] = h2;
        self.before[after_h as usize] = h2;
        self.before[t as usize] = t2;
        self.next[before_t as usize] = t2;
        self.leaving.push(h2);
        if self.leaving[b as usize] == t {
            self.leaving[b as usize] = t2;
        }
    }

    fn faces_around(&self, corner: usize, faces: &mut Vec<u32>) {
        let first = self.leaving[corner];
        let mut h = first;
        loop {
            faces.push(self.face[h as usize]);
            h = self.next[h as usize ^ 1];
            if h == first {
                break;
            }
        }
    }

    /// Splits a face that has corners on both sides between the two corners on the zero line.
    fn split_face(&mut self, face: u32) {
        let first = self.side[face as usize];
        // Where the sign last seen was + and - was found, and the other way round.
        let (mut down, mut up) = (None, None);
        let mut start = first;
        loop {
            if self.sign[self.origin[start as usize] as usize] != 0 {
                break;
            }
            start = self.next[start as usize];
            if start == first {
                return;
            }
        }
        let mut last = self.sign[self.origin[start as usize] as usize];
        let mut zero = None;
        let mut h = self.next[start as usize];
        loop {
            let sign = self.sign[self.origin[h as usize] as usize];
            if sign == 0 {
                zero = zero.or(Some(h));
            } else {
                if sign != last {
                    *(if last > 0 { &mut down } else { &mut up }) = zero;
                }
                (last, zero) = (sign, None);
            }
            if h == start {
                break;
            }
            h = self.next[h as usize];
        }
        let (Some(e1), Some(e2)) = (down, up) else {
            return;
        };
        // The face keeps the part above 0, from `up` to `down`; the part below is new.
        let (v1, v2) = (self.origin[e1 as usize], self.origin[e2 as usize]);
        let new = self.side.len() as u32;
        let n = self.origin.len() as u32;
        let m = n + 1;
        let (before1, before2) = (self.before[e1 as usize], self.before[e2 as usize]);
        // n: v1 -> v2 closes the part above, m: v2 -> v1 the part below.
        self.origin.extend([v1, v2]);
        self.face.extend([face, new]);
        self.next.extend([e2, e1]);
        self.before.extend([before1, before2]);
        self.next[before1 as usize] = n;
        self.before[e2 as usize] = n;
        self.next[before2 as usize] = m;
        self.before[e1 as usize] = m;
        self.side[face as usize] = n;
        self.side.push(m);
        self.tag.push(self.tag[face as usize]);
        self.winner.push(self.winner[face as usize]);
        self.mark.push(self.mark[face as usize]);
        self.looked_at.push(self.cut_number);
        let mut h = self.next[m as usize];
        while h != m {
            self.face[h as usize] = new;
            h = self.next[h as usize];
        }
        self.num_faces += 1;
    }

    /// Joins neighbours of one tag and one winner: undoes cuts that turned out not to bend
    /// anything.
    pub(super) fn dissolve(&mut self) {
        let mut left: Vec<u32> = (0..self.origin.len() as u32).step_by(2).collect();
        let mut loose: Vec<u32> = Vec::new();
        left.retain(|&h| {
            let [f, g] = [self.face[h as usize], self.face[h as usize ^ 1]];
            self.origin[h as usize] != NONE
                && f != OUTSIDE
                && g != OUTSIDE
                && self.tag[f as usize] == self.tag[g as usize]
                && self.winner[f as usize] == self.winner[g as usize]
        });
        // An edge inside one face can only go once one of its ends is free.
        while !left.is_empty() {
            let before = left.len();
            left.retain(|&h| !self.remove_edge(h, &mut loose));
            if left.len() == before {
                break;
            }
        }
        for corner in loose {
            self.straighten(corner);
        }
    }

    fn remove_edge(&mut self, h: u32, ends: &mut Vec<u32>) -> bool {
        let t = h ^ 1;
        let [a, b] = [self.origin[h as usize], self.origin[t as usize]];
        let [keep, gone] = [self.face[h as usize], self.face[t as usize]];
        let (after_h, after_t) = (self.next[h as usize], self.next[t as usize]);
        let (before_h, before_t) = (self.before[h as usize], self.before[t as usize]);
        if keep == gone && after_h != t && after_t != h {
            return false;
        }
        if keep != gone {
            let mut at = after_t;
            while at != t {
                self.face[at as usize] = keep;
                at = self.next[at as usize];
            }
            self.side[gone as usize] = NONE;
            self.num_faces -= 1;
        }
        // Around a: what came before h goes on with what came after t; around b the other way.
        if after_t != h {
            self.next[before_h as usize] = after_t;
            self.before[after_t as usize] = before_h;
            self.leaving[a as usize] = after_t;
            self.side[keep as usize] = after_t;
            ends.push(a);
        } else {
            self.leaving[a as usize] = NONE;
        }
        if after_h != t {
            self.next[before_t as usize] = after_h;
            self.before[after_h as usize] = before_t;
            self.leaving[b as usize] = after_h;
            self.side[keep as usize] = after_h;
            ends.push(b);
        } else {
            self.leaving[b as usize] = NONE;
        }
        for h in [h, t] {
            self.origin[h as usize] = NONE;
        }
        true
    }

    /// Takes a corner out that has two edges left: between convex faces they are one straight line.
    fn straighten(&mut self, corner: u32) {
        let h2 = self.leaving[corner as usize];
        if h2 == NONE || (corner as usize) < self.num_outline {
            return;
        }
        let h1 = self.before[h2 as usize];
        let (t1, t2) = (h1 ^ 1, h2 ^ 1);
        // Two edges: turning around the corner comes back after two steps.
        if self.origin[h2 as usize] != corner || h1 == t2 || self.next[t2 as usize] != t1 {
            return;
        }
        let b = self.origin[t2 as usize];
        let (after, previous) = (self.next[h2 as usize], self.before[t2 as usize]);
        self.next[h1 as usize] = after;
        self.before[after as usize] = h1;
        self.origin[t1 as usize] = b;
        self.before[t1 as usize] = previous;
        self.next[previous as usize] = t1;
        if self.leaving[b as usize] == t2 {
            self.leaving[b as usize] = t1;
        }
        for (gone, kept) in [(h2, h1), (t2, t1)] {
            let face = self.face[gone as usize];
            if face != OUTSIDE && self.side[face as usize] == gone {
                self.side[face as usize] = kept;
            }
            self.origin[gone as usize] = NONE;
        }
        self.leaving[corner as usize] = NONE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: [[f64; 2]; 4] = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]];

    /// A unit square whose columns are the given functions `(c, a, b)` of the place, `c + ax + by`.
    fn square(functions: &[[f64; 3]]) -> Mesh {
        let mut mesh = Mesh::new(&SQUARE, functions.len(), 1000);
        for c in 0..4 {
            let [x, y] = mesh.xy[c];
            for (k, [f, a, b]) in functions.iter().enumerate() {
                mesh.row_mut(c)[k] = f + a * x + b * y;
            }
        }
        mesh
    }

    /// Every link leads back, faces cover the square, Euler's formula holds.
    fn check(mesh: &Mesh) {
        let live: Vec<usize> = (0..mesh.origin.len())
            .filter(|&h| mesh.origin[h] != NONE)
            .collect();
        for &h in &live {
            assert_eq!(
                mesh.before[mesh.next[h] as usize], h as u32,
                "half-edge {h}"
            );
            assert_eq!(mesh.face[mesh.next[h] as usize], mesh.face[h]);
            assert_eq!(mesh.origin[mesh.next[h] as usize], mesh.origin[h ^ 1]);
        }
        let corners = (0..mesh.xy.len()).filter(|&c| mesh.leaving[c] != NONE);
        for corner in corners.clone() {
            assert_eq!(mesh.origin[mesh.leaving[corner] as usize], corner as u32);
        }
        assert_eq!(mesh.faces().count(), mesh.num_faces());
        assert_eq!(
            corners.count() + mesh.num_faces() - live.len() / 2,
            1,
            "Euler"
        );
        let area: f64 = mesh.faces().map(|f| mesh.area(f)).sum();
        assert!((area - 1.0).abs() < 1e-14, "{area}");
    }

    #[test]
    fn lines_through_one_corner_make_no_slivers() {
        // Three lines through the middle, which two of them make a corner; a diagonal.
        let mut mesh = square(&[
            [-0.5, 1.0, 0.0],
            [-0.5, 0.0, 1.0],
            [-1.0, 1.0, 1.0],
            [0.0, 1.0, -1.0],
        ]);
        for (column, faces) in [(0, 2), (1, 4), (2, 6), (3, 8)] {
            assert!(mesh.cut(Cut::Zero(column)).expect("few faces"));
            check(&mesh);
            assert_eq!(mesh.num_faces(), faces);
        }
        assert!(!mesh.cut(Cut::Difference(0, 0)).expect("no cut"));
    }

    #[test]
    fn dissolving_leaves_the_envelope_alone() {
        // The largest of three functions; the border of the first two goes on under the third.
        let mut mesh = square(&[[0.0; 3], [-0.5, 1.0, 0.0], [-0.5, 0.0, 2.0]]);
        mesh.retag();
        for (winner, column) in [(1, 1), (2, 2)] {
            mesh.cut(Cut::Difference(column, 0)).expect("few faces");
            for f in mesh.faces().collect::<Vec<_>>() {
                if mesh.is_above(f) {
                    mesh.winner[f] = winner;
                }
            }
            for c in 0..mesh.num_corners() {
                let largest = mesh.row(c)[0].max(mesh.row(c)[column]);
                mesh.row_mut(c)[0] = largest;
            }
        }
        check(&mesh);
        assert_eq!(mesh.num_faces(), 4);
        mesh.dissolve();
        check(&mesh);
        assert_eq!(mesh.num_faces(), 3);
        let mut winners: Vec<u32> = mesh.faces().map(|f| mesh.winner[f]).collect();
        winners.sort_unstable();
        assert_eq!(winners, [0, 1, 2]);
    }

    #[test]
    fn corners_that_dissolved_stay_out_of_later_cuts() {
        // The border of the first two dissolves under the third; then a cut passes where its end was.
        let mut mesh = square(&[
            [0.0; 3],
            [-0.5, 1.0, 0.0],
            [1.0, 0.0, 0.0],
            [-0.5, 1.0, 0.0],
        ]);
        mesh.retag();
        mesh.cut(Cut::Difference(1, 0)).expect("few faces");
        for f in 0..mesh.side.len() {
            mesh.winner[f] = 2;
            mesh.tag[f] = 0;
        }
        mesh.dissolve();
        check(&mesh);
        assert_eq!(mesh.num_faces(), 1);
        mesh.cut(Cut::Zero(3)).expect("few faces");
        check(&mesh);
        assert_eq!(mesh.num_faces(), 2);
    }

    #[test]
    fn random_lines_keep_the_cover() {
        let mut seed = 1u64;
        let mut random = || {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (seed >> 33) as f64 / (1u64 << 31) as f64 - 0.5
        };
        for _ in 0..50 {
            let lines: Vec<[f64; 3]> = (0..12)
                .map(|_| {
                    let (a, b) = (random(), random());
                    // Every other line through a corner or a rounded place, to meet ties.
                    let [x, y] = [(random() * 4.0).round() / 4.0 + 0.5, random() + 0.5];
                    [-(a * x + b * y), a, b]
                })
                .collect();
            let mut mesh = square(&lines);
            for column in 0..lines.len() {
                mesh.cut(Cut::Zero(column)).expect("few faces");
            }
            check(&mesh);
        }
    }

    #[test]
    fn the_limit_is_an_error() {
        let mut mesh = square(&[[-0.5, 1.0, 0.0], [-0.4, 1.0, 0.0]]);
        mesh.max_faces = 2;
        assert!(mesh.cut(Cut::Zero(0)).is_ok());
        assert!(matches!(
            mesh.cut(Cut::Zero(1)),
            Err(SectionError::TooManyRegions { limit: 2 })
        ));
    }
}
