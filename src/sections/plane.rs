//! Planes, triangles and lines through inputs: the conventions of dbViz (Somepalli et al., CVPR
//! 2022, `get_plane` and `plane_dataset`) and of SyReNN, in 64-bit floats, pure functions.
//!
//! ```text
//!      v                 u = (z2 - z1) / |z2 - z1|
//!      ^    z3           v = what of z3 - z1 is at right angles to u, of length 1
//!      |   /             point (alpha, beta) = z1 + alpha u + beta v
//!   z1 +------ z2 --> u
//! ```

use super::SectionError;
use serde::{Deserialize, Serialize};

/// How much wider than the anchors a plane's box is, on each side, as a share of that side.
pub const BOX_MARGIN: f64 = 0.1;

/// How much wider than its three items the box of a plane is: `[[left, right], [below, above]]`, of
/// alpha and of beta, as shares of the items' own side. A share below 0 makes the box narrower: so
/// a box is moved and made smaller, down to a thousandth of what it lies away from the items.
///
/// As JSON, and in the mind of a user, one pair where both are alike: dbViz's `range_l` and `range_r`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "WrittenRange", into = "WrittenRange")]
pub struct BoxRange(pub [[f64; 2]; 2]);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum WrittenRange {
    Both([f64; 2]),
    Each([[f64; 2]; 2]),
}

impl From<WrittenRange> for BoxRange {
    fn from(written: WrittenRange) -> Self {
        match written {
            WrittenRange::Both(pair) => Self::from(pair),
            WrittenRange::Each(pairs) => Self(pairs),
        }
    }
}

impl From<BoxRange> for WrittenRange {
    fn from(BoxRange([along, up]): BoxRange) -> Self {
        match along == up {
            true => Self::Both(along),
            false => Self::Each([along, up]),
        }
    }
}

impl From<[f64; 2]> for BoxRange {
    /// The same below and above of alpha and of beta.
    fn from(pair: [f64; 2]) -> Self {
        Self([pair; 2])
    }
}

impl std::fmt::Display for BoxRange {
    /// As the command line takes it: two numbers, or four.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self([[left, right], [below, above]]) = self;
        match self.0[0] == self.0[1] {
            true => write!(f, "{left},{right}"),
            false => write!(f, "{left},{right},{below},{above}"),
        }
    }
}

impl BoxRange {
    /// Shares of a side that a box may reach beyond its items.
    pub const FARTHEST: f64 = 100.0;
    /// Sides of a box at least, as shares of how far the box reaches: 32-bit coordinates still tell
    /// its points apart.
    pub const NARROWEST: f64 = 1e-3;

    /// What is wrong with it, if anything: what was expected and what was found.
    pub fn problem(&self) -> Option<String> {
        let farthest = Self::FARTHEST;
        if !self
            .0
            .as_flattened()
            .iter()
            .all(|share| share.abs() <= farthest)
        {
            return Some(format!(
                "expected shares of the box's sides from -{farthest} to {farthest}, found {self}"
            ));
        }
        let is_narrow = |&[below, above]: &[f64; 2]| {
            let [lo, hi] = [-below, 1.0 + above];
            hi - lo < Self::NARROWEST * lo.abs().max(hi.abs()).max(1.0)
        };
        self.0.iter().any(is_narrow).then(|| {
            format!(
                "expected a box whose sides are a thousandth of its reach or more, found {self}; a share of -0.5 on both sides leaves nothing"
            )
        })
    }
}

/// Least distance of the third item from the line through the others, relative to the longer of
/// the two differences.
const MIN_HEIGHT: f64 = 1e-7;

/// The plane through three points of the space, with its box.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ItemPlane {
    /// The first point, `[d]`.
    #[serde(skip)]
    pub origin: Vec<f64>,
    /// Unit vector from the first point to the second, `[d]`.
    #[serde(skip)]
    pub u: Vec<f64>,
    /// Unit vector at right angles to it, towards the third, `[d]`.
    #[serde(skip)]
    pub v: Vec<f64>,
    /// Coordinates (alpha, beta) of the three points, in units of the space.
    pub anchors: [[f64; 2]; 3],
    /// Least alpha and beta of the box.
    pub lo: [f64; 2],
    /// Largest alpha and beta of the box.
    pub hi: [f64; 2],
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `b - a`
pub(super) fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| b - a).collect()
}

/// Distance of two points.
pub(super) fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (b - a) * (b - a))
        .sum::<f64>()
        .sqrt()
}

impl ItemPlane {
    /// The plane of `z1, z2, z3`, each `[d]`, with a box around them.
    ///
    /// # Errors
    /// [`SectionError::SamePoint`] where the first two are one point, [`SectionError::OnALine`]
    /// where the three lie on a line (dbViz gives NaN), [`SectionError::Lengths`].
    pub fn new(points: [&[f64]; 3], range: impl Into<BoxRange>) -> Result<Self, SectionError> {
        let BoxRange(margins) = range.into();
        let [z1, z2, z3] = points;
        check_lengths(&points)?;
        let (a, b) = (difference(z1, z2), difference(z1, z3));
        let along = dot(&a, &a).sqrt();
        if along.is_nan() || along <= 0.0 {
            return Err(SectionError::SamePoint { items: [0, 1] });
        }
        let u: Vec<f64> = a.iter().map(|a| a / along).collect();
        let place = dot(&b, &u);
        let mut w: Vec<f64> = b.iter().zip(&u).map(|(b, u)| b - place * u).collect();
        // A second time: what rounding left of u in it is as large as a thin triangle's height.
        let left = dot(&w, &u);
        w.iter_mut().zip(&u).for_each(|(w, u)| *w -= left * u);
        let height = dot(&w, &w).sqrt();
        if height.is_nan() || height <= MIN_HEIGHT * along.max(dot(&b, &b).sqrt()) {
            return Err(SectionError::OnALine);
        }
        let anchors = [[0.0, 0.0], [along, 0.0], [place, height]];
        let ends = [0, 1].map(|axis| {
            let of = anchors.map(|anchor| anchor[axis]);
            let least = of.into_iter().fold(f64::INFINITY, f64::min);
            let most = of.into_iter().fold(f64::NEG_INFINITY, f64::max);
            let side = most - least;
            [
                least - margins[axis][0] * side,
                most + margins[axis][1] * side,
            ]
        });
        Ok(Self {
            origin: z1.to_vec(),
            u,
            v: w.into_iter().map(|w| w / height).collect(),
            anchors,
            lo: ends.map(|[lo, _]| lo),
            hi: ends.map(|[_, hi]| hi),
        })
    }

    /// The point of the space at (alpha, beta), not clipped.
    pub fn point(&self, [alpha, beta]: [f64; 2]) -> Vec<f64> {
        let parts = self.origin.iter().zip(&self.u).zip(&self.v);
        parts.map(|((z, u), v)| z + alpha * u + beta * v).collect()
    }

    /// `steps` values of alpha and of beta, from edge to edge of the box; one step is its lower edge.
    pub fn axes(&self, steps: usize) -> [Vec<f64>; 2] {
        [0, 1].map(|axis| {
            let (lo, side) = (self.lo[axis], self.hi[axis] - self.lo[axis]);
            let last = steps.saturating_sub(1).max(1) as f64;
            (0..steps).map(|i| lo + side * i as f64 / last).collect()
        })
    }

    /// Coordinates of the `steps x steps` grid, index `[i, j]`, `i` along alpha and slowest.
    pub fn grid(&self, steps: usize) -> Vec<[f64; 2]> {
        let [alpha, beta] = self.axes(steps);
        let columns = |a: f64| beta.iter().map(move |&b| [a, b]);
        alpha.iter().flat_map(|&a| columns(a)).collect()
    }

    /// Whether a place lies in the box.
    pub fn holds(&self, place: [f64; 2]) -> bool {
        [0, 1]
            .into_iter()
            .all(|axis| (self.lo[axis]..=self.hi[axis]).contains(&place[axis]))
    }

    /// Corners of the box, counter-clockwise.
    pub fn corners(&self) -> Vec<[f64; 2]> {
        corners(self.lo, self.hi)
    }

    /// Area of the box, in square units of the space.
    pub fn box_area(&self) -> f64 {
        (self.hi[0] - self.lo[0]) * (self.hi[1] - self.lo[1])
    }
}

/// Places of three points in their plane, as [`ItemPlane::anchors`] has them; three that lie on a
/// line are allowed and have no height.
///
/// # Errors
/// [`SectionError::SamePoint`] where the first two are one point, [`SectionError::Lengths`].
pub fn triangle_anchors(points: [&[f64]; 3]) -> Result<[[f64; 2]; 3], SectionError> {
    check_lengths(&points)?;
    match ItemPlane::new(points, [0.0; 2]) {
        Ok(plane) => Ok(plane.anchors),
        Err(SectionError::OnALine) => {
            let [z1, z2, z3] = points;
            let (a, b) = (difference(z1, z2), difference(z1, z3));
            let along = dot(&a, &a).sqrt();
            Ok([[0.0; 2], [along, 0.0], [dot(&a, &b) / along, 0.0]])
        }
        Err(error) => Err(error),
    }
}

/// Corners of a box, counter-clockwise.
pub(super) fn corners([x0, y0]: [f64; 2], [x1, y1]: [f64; 2]) -> Vec<[f64; 2]> {
    vec![[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
}

fn check_lengths(points: &[&[f64]]) -> Result<(), SectionError> {
    let expected = points[0].len();
    match points.iter().find(|point| point.len() != expected) {
        Some(point) => Err(SectionError::Lengths {
            expected,
            found: point.len(),
        }),
        None => Ok(()),
    }
}

/// Clamps a point to [0, 1] in each value and gives how many values that moved: the clipped
/// variant of an image plane, which is not affine and so has no exact sections.
pub fn clip(point: &mut [f64]) -> usize {
    let outside = point.iter_mut().filter(|z| !(0.0..=1.0).contains(*z));
    outside.map(|z| *z = z.clamp(0.0, 1.0)).count()
}

/// Weights of three items over the barycentric triangle: `((N-1-i-j), i, j) / (N-1)`, `i` outer,
/// `j` inner, `N (N + 1) / 2` points. With one step the first item alone.
pub fn triangle_weights(steps: usize) -> Vec<[f64; 3]> {
    let Some(last) = steps.checked_sub(1) else {
        return Vec::new();
    };
    if last == 0 {
        return vec![[1.0, 0.0, 0.0]];
    }
    let row = |i: usize| (0..steps - i).map(move |j| [last - i - j, i, j]);
    let counts = (0..steps).flat_map(row);
    counts.map(|w| w.map(|w| w as f64 / last as f64)).collect()
}

/// The mixture of three points of one length.
///
/// # Errors
/// [`SectionError::Lengths`].
pub fn mixture(points: [&[f64]; 3], weights: [f64; 3]) -> Result<Vec<f64>, SectionError> {
    check_lengths(&points)?;
    let values = 0..points[0].len();
    Ok(values
        .map(|k| (0..3).map(|p| weights[p] * points[p][k]).sum())
        .collect())
}

/// `t = lo + (hi - lo) k / (N - 1)`, the samples of a line; one step is its beginning.
pub fn line_parameters(steps: usize, [lo, hi]: [f64; 2]) -> Vec<f64> {
    let last = steps.saturating_sub(1).max(1) as f64;
    (0..steps)
        .map(|k| lo + (hi - lo) * k as f64 / last)
        .collect()
}

/// The point of a line, `z1 + t (z2 - z1)`.
pub fn line_point(z1: &[f64], z2: &[f64], t: f64) -> Vec<f64> {
    z1.iter().zip(z2).map(|(a, b)| a + t * (b - a)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_on_a_line_or_at_one_place_are_refused() {
        let [a, b] = [[0.0, 1.0, 2.0], [1.0, 3.0, 5.0]];
        let middle = [0.5, 2.0, 3.5];
        let plane = |points: [&[f64]; 3]| ItemPlane::new(points, [BOX_MARGIN; 2]);
        assert!(matches!(
            plane([&a, &a, &b]),
            Err(SectionError::SamePoint { .. })
        ));
        assert!(matches!(
            plane([&a, &b, &middle]),
            Err(SectionError::OnALine)
        ));
        assert!(matches!(plane([&a, &b, &a]), Err(SectionError::OnALine)));
        assert!(matches!(
            plane([&a, &b, &a[..2]]),
            Err(SectionError::Lengths { .. })
        ));
        assert!(plane([&a, &b, &[0.0; 3]]).is_ok());
    }

    #[test]
    fn anchors_are_the_items_and_the_basis_is_orthonormal() {
        let [a, b, c] = [
            [0.1, 0.9, 0.3, 0.0],
            [0.7, 0.2, 0.4, 1.0],
            [0.5, 0.5, 0.9, 0.2],
        ];
        let plane = ItemPlane::new([&a, &b, &c], [BOX_MARGIN; 2]).expect("a plane");
        for (anchor, item) in plane.anchors.into_iter().zip([a, b, c]) {
            assert!(distance(&plane.point(anchor), &item) < 1e-15);
        }
        assert!(dot(&plane.u, &plane.v).abs() < 1e-15);
        assert!((dot(&plane.v, &plane.v) - 1.0).abs() < 1e-15);
        let mut point = [-0.5, 0.25, 1.5];
        assert_eq!((clip(&mut point), point), (2, [0.0, 0.25, 1.0]));
    }

    #[test]
    fn triangle_weights_are_mixtures_in_order() {
        let weights = triangle_weights(3);
        assert_eq!(weights.len(), 6);
        assert_eq!(weights[1], [0.5, 0.0, 0.5]);
        assert_eq!(weights[5], [0.0, 1.0, 0.0]);
        assert!(
            triangle_weights(51)
                .iter()
                .all(|w| (w.iter().sum::<f64>() - 1.0).abs() < 1e-15)
        );
    }
}
