//! Delaunay triangles as Qhull gives them, and in its order (`qhull d Qbb Qc Qz Q12 Qt`, which is
//! what `scipy.spatial.Delaunay` runs).
//!
//! ```text
//! points ─ lifted to a paraboloid, and one above it ─> first simplex
//! ┌─> furthest point outside the next facet ─> facets it sees ─> cone over their horizon ─┐
//! └── the seen facets' points move to the cone <─ coplanar ones joined to the horizon <───┘
//! facets that face down; joined ones cut into fans ─> triangles
//! ```
//!
//! Where four points lie on one circle either diagonal is right. Published mode needs the one
//! that the paper's tool takes, and its triangles in order, since of two folded triangles over a
//! pixel the last one owns it. Both follow from the course of Quickhull: from the order of its
//! facet, neighbour and ridge lists and from comparisons of rounded distances. So this module
//! takes the same steps in the same order on the same floats, and has nothing of a general hull:
//! three dimensions, and of Qhull's ways to join facets the one that points on one circle need.
//! An input that would need another is answered by nothing, and the caller triangulates as
//! usual.
//!
//! Sources: Barber, Dobkin and Huhdanpaa, *The Quickhull Algorithm for Convex Hulls*, 1996; for
//! the order of steps, Qhull 2020.2.
//!
//! Rejected: Qhull itself by a binding crate, which needs libclang to build.

mod cone;
mod hull;
mod join;

use super::Point;
use hull::{Hull, determinant};

/// The Delaunay triangles of `points`, as indices into them, in the order and with the order of
/// corners of `scipy.spatial.Delaunay`. Nothing where Qhull goes a way that is not followed here:
/// with equal points, and where many lie on one line or so close to one that rounding decides, as
/// in an image ten times as wide as high.
pub fn triangulate_as_qhull(points: &[Point]) -> Option<Vec<[u32; 3]>> {
    let mut hull = Hull::new(Simplex::new(points)?)?;
    while let Some((apex, facet)) = hull.next_furthest() {
        hull.add(apex, facet)?;
    }
    Some(hull.lower_triangles())
}

/// Below this share of what a cube would span, Qhull looks for other points.
const LEAST_SPAN: f64 = 1e-3;

/// Four lifted points that span much, to start from.
struct Simplex {
    /// All points on the paraboloid, scaled, and the one at infinity last.
    points: Vec<[f64; 3]>,
    /// The four of them.
    corners: Vec<usize>,
    limits: Limits,
}

/// Distances that Qhull tells apart, from the largest coordinates.
struct Limits {
    /// Error of a distance from a plane.
    round: f64,
    /// A point nearer than this to a horizon facet is coplanar; one further off sees it.
    coplanar: f64,
    /// A point at least this far off is outside.
    outside: f64,
}

impl Simplex {
    /// Nothing where the points span too little for four to be told apart.
    fn new(points: &[Point]) -> Option<Self> {
        if points.len() < 3 {
            return None;
        }
        let mut lifted: Vec<[f64; 3]> = points
            .iter()
            .map(|point| point.map(f64::from))
            .map(|[x, y]| [x, y, x * x + y * y])
            .collect();
        let mean = [0, 1]
            .map(|axis| lifted.iter().map(|point| point[axis]).sum::<f64>() / lifted.len() as f64);
        let highest = lifted.iter().map(|point| point[2]).fold(0.0, f64::max);
        lifted.push([mean[0], mean[1], highest * 1.1]);

        let ends = [0, 1, 2].map(|axis| extremes(&lifted, axis));
        let end = |axis: usize, side: usize| lifted[ends[axis][side]][axis];
        let reach = [0, 1].map(|axis| end(axis, 1).max(-end(axis, 0)));
        let largest = reach[0].max(reach[1]);
        let width = (end(0, 1) - end(0, 0)).max(end(1, 1) - end(1, 0));
        let sum = reach[0] + reach[1] + largest;
        let (low, high) = (end(2, 0), end(2, 1));
        if !(largest > 0.0 && high > low) {
            return None;
        }
        let scale = largest / (high - low);
        let shift = 0.0 - low * scale;
        for point in &mut lifted {
            point[2] = point[2] * scale + shift;
        }
        let round = f64::EPSILON * (3.0 * (3f64.sqrt() * largest).min(sum) * 1.01 + largest);
        let near_zero = [reach[0] + reach[1], sum].map(|sum| 10.0 * (80.0 * sum * f64::EPSILON));

        // The two ends of x, then twice the extreme point that spans most with them.
        let mut chosen = ends[0].to_vec();
        if chosen[0] == chosen[1] {
            return None;
        }
        let mut before = lifted[chosen[1]][0] - lifted[chosen[0]][0];
        for near_zero in near_zero {
            let mut best = None;
            let mut span = -1.0;
            for candidate in ends.into_iter().flatten() {
                if chosen.contains(&candidate) || best == Some(candidate) {
                    continue;
                }
                let size = spanned(&lifted, &chosen, candidate).abs();
                if size > span {
                    (span, best) = (size, Some(candidate));
                }
            }
            if span < near_zero || span / (before * width) < LEAST_SPAN {
                return None;
            }
            before = span;
            chosen.push(best?);
        }

        Some(Self {
            points: lifted,
            corners: chosen,
            limits: Limits {
                round,
                coplanar: 2.0 * round,
                outside: 2.0 * (2.0 * round),
            },
        })
    }
}

/// The first point with the least coordinate on an axis and the first with the greatest.
fn extremes(points: &[[f64; 3]], axis: usize) -> [usize; 2] {
    let (mut least, mut greatest) = (0, 0);
    for (k, point) in points.iter().enumerate() {
        if points[greatest][axis] < point[axis] {
            greatest = k;
        } else if points[least][axis] > point[axis] {
            least = k;
        }
    }
    [least, greatest]
}

/// Twice the area, or six times the volume, that chosen points and a candidate span.
fn spanned(points: &[[f64; 3]], chosen: &[usize], candidate: usize) -> f64 {
    let apex = points[candidate];
    let side = |k: usize, axis: usize| points[chosen[k]][axis] - apex[axis];
    if chosen.len() == 2 {
        return determinant([side(0, 0), side(0, 1)], [side(1, 0), side(1, 1)]);
    }
    let minor =
        |a: usize, b: usize| determinant([side(a, 1), side(a, 2)], [side(b, 1), side(b, 2)]);
    side(0, 0) * minor(1, 2) - side(1, 0) * minor(0, 2) + side(2, 0) * minor(0, 1)
}
