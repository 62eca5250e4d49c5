//! The mesh of a pair of images, and the lattice its intermediate meshes lie on.

use super::{Point, triangulate};
use pulp::{Arch, Simd, WithSimd};
use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Matching points of a left and a right image and the triangles over both.
///
/// The intermediate mesh of an alpha has the same triangles over `(1-alpha)*left +
/// alpha*right`. The corners of the image are points of both sides, so the intermediate mesh
/// always covers the whole image; where it folds, a pixel lies in several triangles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairMesh {
    /// Points of the left image.
    pub points_left: Vec<Point>,
    /// Points of the right image, as many.
    pub points_right: Vec<Point>,
    /// Triangles: indices into the points.
    pub triangles: Vec<[u32; 3]>,
}

/// How many triangles of a morph are degenerate (without area) or folded (turned over against
/// the left mesh, where none is).
///
/// In clean mode neither stops anything: a triangle without area owns no pixel, and of several
/// triangles over a pixel the last owns it. They say how far a mesh is from a smooth
/// deformation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeshCounts {
    /// Folded triangles of right meshes.
    pub folded_right: u64,
    /// Degenerate triangles of right meshes; these stop the paper's tool ("singular matrix").
    pub degenerate_right: u64,
    /// Folded triangles of intermediate meshes, over all frames.
    pub folded: u64,
    /// Degenerate triangles of intermediate meshes, over all frames.
    pub degenerate: u64,
    /// Frames that have no levels, since their mesh stops the paper's tool; 0 but in published
    /// mode. The pipeline counts them, not [`PairMesh::counts`].
    pub failed: u64,
    /// Meshes of published mode that have not the tool's triangles, since
    /// [`triangulate_as_qhull`](super::triangulate_as_qhull) does not know them; counted by the
    /// pipeline, too.
    #[serde(default)]
    pub stand_in: u64,
}

impl AddAssign for MeshCounts {
    fn add_assign(&mut self, other: Self) {
        self.folded_right += other.folded_right;
        self.degenerate_right += other.degenerate_right;
        self.folded += other.folded;
        self.degenerate += other.degenerate;
        self.failed += other.failed;
        self.stand_in += other.stand_in;
    }
}

impl PairMesh {
    /// The mesh of two point lists of equal length: the Delaunay triangles of the left ones.
    ///
    /// # Panics
    /// When the lengths differ or two left points are equal.
    pub fn new(points_left: Vec<Point>, points_right: Vec<Point>) -> Self {
        let triangles = triangulate(&points_left);
        Self::with_triangles(points_left, points_right, triangles)
    }

    /// The mesh of two point lists and triangles that are already known.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn with_triangles(
        points_left: Vec<Point>,
        points_right: Vec<Point>,
        triangles: Vec<[u32; 3]>,
    ) -> Self {
        assert_eq!(
            points_left.len(),
            points_right.len(),
            "a pair has matching points"
        );
        Self {
            points_left,
            points_right,
            triangles,
        }
    }

    /// Counts folded and degenerate triangles of the right mesh and of the intermediate meshes
    /// at `alphas`, as [`fixed_alpha`] gives them, on a lattice of `scale` points a pixel.
    pub fn counts(&self, alphas: &[i32], scale: i32) -> MeshCounts {
        let mut counts = MeshCounts::default();
        let mut triangles = Vec::with_capacity(self.triangles.len());
        for triangle in &self.triangles {
            let left = triangle.map(|corner| self.points_left[corner as usize]);
            let right = triangle.map(|corner| self.points_right[corner as usize]);
            let sign = double_area(left).signum();
            let area = double_area(right);
            counts.folded_right += u64::from(sign * area < 0);
            counts.degenerate_right += u64::from(area == 0);
            triangles.push(MovingTriangle {
                left,
                right,
                sign: sign as i32,
            });
        }
        [counts.folded, counts.degenerate] = Arch::new().dispatch(CountFolds {
            triangles: &triangles,
            alphas,
            scale,
        });
        counts
    }
}

/// A triangle on its way from left to right.
struct MovingTriangle {
    left: [Point; 3],
    right: [Point; 3],
    /// Of the left triangle's area.
    sign: i32,
}

/// Looks at triangles between left and right with the vector instructions the machine has.
struct CountFolds<'a> {
    triangles: &'a [MovingTriangle],
    alphas: &'a [i32],
    scale: i32,
}

/// Alphas at a time.
const BLOCK: usize = 8;

impl WithSimd for CountFolds<'_> {
    /// Folded and degenerate triangles, summed over the alphas.
    type Output = [u64; 2];

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) -> [u64; 2] {
        let (mut folded, mut degenerate) = (0, 0);
        for alphas in self.alphas.chunks(BLOCK) {
            // The last block is filled up with alphas that are left out again.
            let mut block = [0; BLOCK];
            block[..alphas.len()].copy_from_slice(alphas);
            let (mut negative, mut zero) = ([0u32; BLOCK], [0u32; BLOCK]);
            for triangle in self.triangles {
                for k in 0..BLOCK {
                    let corner = |n: usize| {
                        lattice_point(triangle.left[n], triangle.right[n], block[k], self.scale)
                    };
                    let (a, b, c) = (corner(0), corner(1), corner(2));
                    // On the lattice an area fits: each product is below 2^30.
                    let area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
                    negative[k] += u32::from(area * triangle.sign < 0);
                    zero[k] += u32::from(area == 0);
                }
            }
            let sum = |counts: &[u32]| counts.iter().map(|&count| u64::from(count)).sum::<u64>();
            folded += sum(&negative[..alphas.len()]);
            degenerate += sum(&zero[..alphas.len()]);
        }
        [folded, degenerate]
    }
}

/// Twice the signed area of a triangle, positive when its corners turn clockwise on a screen
/// (y down).
fn double_area([a, b, c]: [Point; 3]) -> i64 {
    let side = |from: Point, to: Point| [i64::from(to[0] - from[0]), i64::from(to[1] - from[1])];
    let (ab, ac) = (side(a, b), side(a, c));
    ab[0] * ac[1] - ab[1] * ac[0]
}

/// Largest lattice coordinate: the product of two differences then stays inside an `i32`.
const MAX_LATTICE: i32 = (1 << 15) - 1;

/// Lattice points a pixel for images of `width_px x height_px` and blends at `alphas`: the
/// most for which coordinates stay below 2^15, so that areas fit 32-bit integers, and, where
/// there is such a number, all alphas are whole multiples of `1/scale`; every vertex of every
/// intermediate mesh then lies exactly on the lattice.
///
/// 28 x 28 images get 1200 for alphas in steps of 1/20. Where no number fits (steps of 1/80 on an
/// image 1024 pixels wide), vertices are rounded to the lattice, here of 1/32 pixel.
pub fn lattice_scale(width_px: usize, height_px: usize, alphas: &[f64]) -> i32 {
    let largest_side = width_px.max(height_px).max(2) as i32 - 1;
    let limit = (MAX_LATTICE / largest_side).max(1);
    let exact = |scale: i32| {
        let is_whole = |value: f64| (value.round() - value).abs() < 1e-9 * f64::from(scale);
        alphas
            .iter()
            .all(|alpha| is_whole(alpha * f64::from(scale)))
    };
    (1..=limit)
        .rev()
        .find(|&scale| exact(scale))
        .unwrap_or(limit)
}

/// Binary digits of a [`fixed_alpha`]. A lattice coordinate is below 2^15 too, so that their
/// product fits an `i32` and errs by less than half a lattice unit: what should be whole is
/// rounded to that very number.
const ALPHA_BITS: u32 = 15;

/// An alpha of 0..1 in whole numbers of 2^-15.
pub fn fixed_alpha(alpha: f64) -> i32 {
    (alpha * f64::from(1 << ALPHA_BITS)).round() as i32
}

/// Where a vertex of the intermediate mesh lies: `(1-alpha)*left + alpha*right` in lattice
/// units, rounded to the nearest. `alpha` is a [`fixed_alpha`]. Shader: `shaders/warp.wgsl`.
#[inline(always)]
pub fn lattice_point(left: Point, right: Point, alpha: i32, scale: i32) -> Point {
    let half = 1 << (ALPHA_BITS - 1);
    let [way_x, way_y] = [scale * (right[0] - left[0]), scale * (right[1] - left[1])];
    [
        scale * left[0] + ((way_x * alpha + half) >> ALPHA_BITS),
        scale * left[1] + ((way_y * alpha + half) >> ALPHA_BITS),
    ]
}
