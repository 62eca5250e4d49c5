//! Two classifiers on one plane: how far their decision boundaries lie apart, from labels on a grid
//! and exactly, and how much of the plane they agree on.

use super::SectionError;
use super::network::SectionNetwork;
use super::plane::ItemPlane;
use super::section::{CutPlane, PlaneOptions, PlaneSection, check_plane, region_of, shoelace};
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

/// How exactly a Hausdorff distance is found, in units of the space.
const DISTANCE_TOLERANCE: f64 = 1e-9;

/// Largest distance of a point on segments `from`, `[x, y, x, y]`, from segments `to`, to 1e-9;
/// nothing where either is empty.
///
/// Branch and bound. Between two points of a segment no distance is above
/// `(d_a + d_b + |ab|) / 2`; nor, since the distance from one segment is convex, above the larger of
/// the two distances from any one of `to`. Without the second bound two parallel lines, whose
/// distance is the same all along, would be halved down to the tolerance everywhere.
pub fn directed_hausdorff(from: &[[f64; 4]], to: &[[f64; 4]]) -> Option<f64> {
    if from.is_empty() || to.is_empty() {
        return None;
    }
    let distance = |p: [f64; 2]| {
        let squares = to.iter().map(|s| square_distance(p, s));
        squares.fold(f64::INFINITY, f64::min).sqrt()
    };
    let piece = |ends: [[f64; 2]; 2], distances: [f64; 2]| {
        let length = (ends[0][0] - ends[1][0]).hypot(ends[0][1] - ends[1][1]);
        let of_one = to.iter().map(|s| {
            let [a, b] = ends.map(|p| square_distance(p, s));
            a.max(b)
        });
        let convex = of_one.fold(f64::INFINITY, f64::min).sqrt();
        Piece {
            bound: convex.min((distances[0] + distances[1] + length) / 2.0),
            ends,
            distances,
        }
    };
    let mut best = 0f64;
    let mut heap: BinaryHeap<Piece> = BinaryHeap::new();
    for s in from {
        let ends = [[s[0], s[1]], [s[2], s[3]]];
        let distances = ends.map(distance);
        best = best.max(distances[0]).max(distances[1]);
        heap.push(piece(ends, distances));
    }
    while let Some(top) = heap
        .pop()
        .filter(|top| top.bound > best + DISTANCE_TOLERANCE)
    {
        let middle = [0, 1].map(|k| (top.ends[0][k] + top.ends[1][k]) / 2.0);
        let d = distance(middle);
        best = best.max(d);
        heap.push(piece([top.ends[0], middle], [top.distances[0], d]));
        heap.push(piece([middle, top.ends[1]], [d, top.distances[1]]));
    }
    Some(best)
}

/// A part of a segment, its ends' distances, and what no distance on it exceeds.
struct Piece {
    bound: f64,
    ends: [[f64; 2]; 2],
    distances: [f64; 2],
}

impl PartialEq for Piece {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Piece {}

impl PartialOrd for Piece {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Piece {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bound.total_cmp(&other.bound)
    }
}

fn square_distance(p: [f64; 2], s: &[f64; 4]) -> f64 {
    let d = [s[2] - s[0], s[3] - s[1]];
    let size = d[0] * d[0] + d[1] * d[1];
    let along = (p[0] - s[0]) * d[0] + (p[1] - s[1]) * d[1];
    let t = if size > 0.0 {
        (along / size).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (p[0] - s[0] - t * d[0]).powi(2) + (p[1] - s[1] - t * d[1]).powi(2)
}

/// Two networks on one polygon of a plane, exactly.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExactComparison {
    /// Share of the area on which both predict one class.
    pub agreement: f64,
    /// `(A - A0) / (1 - A0)`, A0 by chance; nothing where A0 is 1.
    pub kappa: Option<f64>,
    /// Jaccard index of each class that either predicts.
    pub jaccard: BTreeMap<usize, f64>,
    /// Directed Hausdorff distances of the boundaries, the first's from the second's and back, in
    /// units of the space; nothing where one has no boundary.
    pub directed_hausdorff: Option<[f64; 2]>,
    /// The larger of both.
    pub hausdorff: Option<f64>,
}

/// Compares two networks exactly on a convex polygon of a plane, by overlaying their faces.
///
/// # Errors
/// As [`super::exact_plane`].
pub fn compare_exactly(
    networks: [&SectionNetwork; 2],
    plane: &ItemPlane,
    polygon: &[[f64; 2]],
    options: &PlaneOptions,
) -> Result<ExactComparison, SectionError> {
    for network in networks {
        check_plane(network, plane)?;
    }
    let regions = [
        region_of(networks[0], plane, polygon)?,
        region_of(networks[1], plane, polygon)?,
    ];
    // One mesh, cut by one network and then by the other.
    let area = shoelace(polygon);
    let cut = CutPlane::new(&regions[0], polygon, options)?;
    let sections: [PlaneSection; 2] = [
        cut.section()?,
        CutPlane::new(&regions[1], polygon, options)?.section()?,
    ];
    let mut mesh = cut.mesh;
    mesh.mark_winners();
    let mesh = CutPlane::over(mesh, &regions[1])?;
    let mut shares: BTreeMap<usize, [f64; 2]> = BTreeMap::new();
    let mut both: BTreeMap<usize, f64> = BTreeMap::new();
    for face in mesh.faces() {
        let share = mesh.area(face) / area;
        let classes = [mesh.mark[face], mesh.winner[face]].map(|class| class as usize);
        shares.entry(classes[0]).or_default()[0] += share;
        shares.entry(classes[1]).or_default()[1] += share;
        if classes[0] == classes[1] {
            *both.entry(classes[0]).or_default() += share;
        }
    }
    let agreement: f64 = both.values().sum();
    let chance: f64 = shares.values().map(|[p, q]| p * q).sum();
    let of = |class: &usize| both.get(class).copied().unwrap_or(0.0);
    let segments = |k: usize| &sections[k].segments[..];
    let there = directed_hausdorff(segments(0), segments(1));
    let back = directed_hausdorff(segments(1), segments(0));
    let directed = there.zip(back).map(|(there, back)| [there, back]);
    Ok(ExactComparison {
        agreement,
        kappa: (chance < 1.0).then(|| (agreement - chance) / (1.0 - chance)),
        jaccard: shares
            .iter()
            .map(|(class, [p, q])| (*class, of(class) / (p + q - of(class))))
            .collect(),
        directed_hausdorff: directed,
        hausdorff: directed.map(|[a, b]| a.max(b)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concentric_squares_are_apart_by_their_corners() {
        let square = |a: f64| {
            let corners = [[-a, -a], [a, -a], [a, a], [-a, a]];
            (0..4)
                .map(|k| {
                    let [p, q] = [corners[k], corners[(k + 1) % 4]];
                    [p[0], p[1], q[0], q[1]]
                })
                .collect::<Vec<_>>()
        };
        let (inner, outer) = (square(1.0), square(1.75));
        let found = directed_hausdorff(&outer, &inner).expect("both have segments");
        assert!((found - 0.75 * 2f64.sqrt()).abs() < 1e-9, "{found}");
        let found = directed_hausdorff(&inner, &outer).expect("both have segments");
        assert!((found - 0.75).abs() < 1e-9, "{found}");
        assert_eq!(directed_hausdorff(&inner, &[]), None);
    }
}
