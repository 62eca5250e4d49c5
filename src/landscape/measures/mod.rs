//! Measures of a landscape's paths and of its grid.
//!
//! A path is a row of the grid, from a mix of A and B into C; measures of paths are means over
//! the rows. Measures of a grid are plain functions, one module a family, from values
//! (row-major, of a shape `[rows, columns]`) to a number or a list; [`measure`] asks all of them
//! of a landscape. Most numbers depend on `steps`: compare landscapes of equal size.
//!
//! Fields are `f64`, so that a potential or a difference loses nothing; logits and
//! probabilities are `f32`, as a [`Landscape`] holds them.

mod agreement;
mod barrier;
mod basins;
mod between;
mod blocks;
mod boundary;
mod calibration;
mod certainty;
mod columns;
mod critical;
mod exponential;
mod grid;
mod intrusion;
mod order;
mod path;
mod persistence;
mod regions;
mod roughness;
mod union_find;

pub use agreement::{agreement, jaccard, kappa};
pub use barrier::{barrier, best_path, pair_potentials, pass};
pub use between::{Between, BoundaryDistances, between, boundary_distances, boundary_midpoints};
pub use boundary::boundary_length;
pub use calibration::calibration_error;
pub use certainty::{mean_entropy, mean_margin};
pub use columns::{COLUMNS, Column, Format, OVERVIEW, RANK_BY, overview};
pub use critical::{CriticalPoints, critical_points};
pub use grid::Connectivity;
pub use intrusion::{CONFIDENT, confident_intrusion};
pub use order::{LatticeWeights, OrderAsymmetry, order_asymmetry};
pub use path::{PathMeasures, measure_paths};
pub use persistence::{Bar, num_bars_above, persistence};
pub use regions::{num_regions, region_of};
pub use roughness::{laplacian_roughness, surface_roughness};

use super::{GridPath, Landscape};
use barrier::potentials_of;
use blocks::{Blocks, Tops};
use boundary::boundary_length_of;
use critical::critical_points_of;
use grid::Rimmed;
use intrusion::intrudes;
use path::path_measures;
use persistence::persistence_of;
use roughness::{laplacian_roughness_of, surface_roughness_of};
use serde::Serialize;

/// Everything that is measured of a landscape between items of three classes.
///
/// **Frames that failed** have no answer. A path with such a frame is left out of the means over
/// paths, since the part before the gap and the part after it make no path; measures of points
/// are over the points with an answer; and measures of the grid as a whole, which no part of it
/// stands for, are left out where a single one is missing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measures {
    /// Along the paths; nothing where none is whole.
    pub paths: Option<PathMeasures>,
    /// Over the points; nothing where none has an answer.
    pub points: Option<PointMeasures>,
    /// Over the grid as a whole; nothing where a point has no answer.
    pub grid: Option<GridMeasures>,
    /// [`calibration_error`] along the edges A to B, A to C, B to C; nothing where a point of the
    /// edge has no answer.
    pub calibration: [Option<f64>; 3],
    /// Of the triple, the same in its three landscapes: order asymmetry where all three items
    /// are mixed. Only [`measure_triple`] knows it.
    pub order: Option<OrderAsymmetry>,
    /// The classes outside the triple that are predicted somewhere, the most frequent first.
    pub intruders: Vec<usize>,
    /// Those of them that are predicted with a probability of at least [`CONFIDENT`].
    pub confident_intruders: Vec<usize>,
}

/// Means and shares over the points that have an answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PointMeasures {
    /// Points that were measured.
    pub num_points: usize,
    /// Share of the points, 0..1, whose label is none of the triple's classes.
    pub intrusion: f64,
    /// The same with a probability of at least [`CONFIDENT`].
    pub confident_intrusion: f64,
    /// [`mean_entropy`], nats.
    pub entropy: f64,
    /// [`mean_margin`] of the probabilities, 0..1.
    pub margin: f64,
}

/// Measures of the grid as a whole. Where there are three values, they are those of the classes
/// of A, B and C, whose probability is the surface that is measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GridMeasures {
    /// [`num_regions`], 4- and 8-connected.
    pub regions: [usize; 2],
    /// [`boundary_length`] in path units: a side of the grid is 1.
    pub boundary_length: f64,
    /// [`surface_roughness`], in probability; nothing below 2 x 2 points.
    pub roughness: Option<[f64; 3]>,
    /// [`laplacian_roughness`], in probability; nothing below 3 x 3 points.
    pub laplacian: Option<[f64; 3]>,
    /// Minima, saddles (with multiplicity) and maxima of [`critical_points`].
    pub critical_points: [[usize; 3]; 3],
    /// Basins deeper than [`PERSISTENT`]: 4-connected [`persistence`] of `p`.
    pub basins: [usize; 3],
    /// Peaks higher than [`PERSISTENT`]: 4-connected [`persistence`] of `-p`.
    pub peaks: [usize; 3],
    /// [`barrier()`] in `-ln(p_a + p_b)`, nats, between A and B, A and C, B and C
    /// ([`pair_potentials`]); nothing where the grid leaves an item out.
    pub barriers: [Option<f64>; 3],
}

/// How deep a basin and how high a peak of a probability must be to be counted.
pub const PERSISTENT: f64 = 0.1;

/// Measures a landscape between items of `classes`; everything but the order, which takes a
/// triple.
///
/// # Panics
/// When a class is not below the landscape's number of classes.
pub fn measure(landscape: &Landscape, classes: [usize; 3]) -> Measures {
    let num_classes = landscape.num_classes;
    let probabilities = Blocks::new(&landscape.probabilities, num_classes);
    let logits = Blocks::new(&landscape.logits, num_classes);
    let (tops, tops_of_logits) = (probabilities.tops(), logits.tops());
    let answered: Vec<bool> = (0..landscape.num_frames())
        .map(|k| tops.is_finite(k) && tops_of_logits.is_finite(k))
        .collect();
    let mut frequency = vec![0usize; num_classes];
    let mut confident = vec![false; num_classes];
    for k in (0..landscape.num_frames()).filter(|&k| answered[k]) {
        if intrudes(&tops, k, classes, 0.0) {
            let label = tops.labels[k] as usize;
            frequency[label] += 1;
            confident[label] |= tops.first[k] >= CONFIDENT;
        }
    }
    let mut intruders: Vec<usize> = (0..num_classes).filter(|&c| frequency[c] > 0).collect();
    intruders.sort_by_key(|&class| std::cmp::Reverse(frequency[class]));
    let is_whole = landscape.points().all(|k| answered[k]);
    Measures {
        paths: path_measures(landscape, classes, &tops.labels, &answered),
        points: point_measures(&probabilities, &tops, classes, &answered),
        grid: (is_whole && !answered.is_empty())
            .then(|| grid_measures(landscape, classes, &tops.labels, (&logits, &tops_of_logits))),
        calibration: edge_calibration(landscape, classes, &answered),
        order: None,
        confident_intruders: intruders
            .iter()
            .copied()
            .filter(|&class| confident[class])
            .collect(),
        intruders,
    }
}

/// Measures the landscapes of a triple, those of [`super::Permutation::ALL`], each with the
/// classes of its A, B and C.
///
/// # Panics
/// When a class is out of range, or landscapes differ in size.
pub fn measure_triple(landscapes: [(&Landscape, [usize; 3]); 3]) -> [Measures; 3] {
    let [(first, _), ..] = landscapes;
    let order = order_asymmetry(
        landscapes.map(|(landscape, _)| landscape.probabilities.as_slice()),
        first.steps,
        first.num_classes,
        LatticeWeights::Inside,
    );
    landscapes.map(|(landscape, classes)| Measures {
        order,
        ..measure(landscape, classes)
    })
}

/// Calibration along the three edges of the grid that lead from item to item.
fn edge_calibration(
    landscape: &Landscape,
    [a, b, c]: [usize; 3],
    answered: &[bool],
) -> [Option<f64>; 3] {
    let num_classes = landscape.num_classes;
    let Some(edges) = landscape.kind.edges(landscape.steps) else {
        return [None; 3];
    };
    let along = |path: GridPath, [one, other]: [usize; 2]| {
        // Between items of one class there is nothing to share.
        let edge = (0..path.count)
            .filter(|_| one != other)
            .map(|t| path.point(t));
        let shares: Option<Vec<[f64; 2]>> = edge
            .map(|k| {
                let f = &landscape.logits[k * num_classes..(k + 1) * num_classes];
                // From logits a share is defined where both probabilities round to 0, too.
                let lead = f64::from(f[one]) - f64::from(f[other]);
                answered[k].then(|| [1.0 / (1.0 + (-lead).exp()), 1.0 / (1.0 + lead.exp())])
            })
            .collect();
        calibration_error(&shares?)
    };
    let [ab, ac, bc] = edges;
    [along(ab, [a, b]), along(ac, [a, c]), along(bc, [b, c])]
}

/// Means over the points that have an answer.
fn point_measures(
    probabilities: &Blocks,
    tops: &Tops,
    classes: [usize; 3],
    answered: &[bool],
) -> Option<PointMeasures> {
    let there = || (0..answered.len()).filter(|&k| answered[k]);
    let num_points = there().count();
    let count = num_points as f64;
    let intrusion = |tau| {
        let intruders = there().filter(|&k| intrudes(tops, k, classes, tau));
        intruders.count() as f64 / count
    };
    let entropies = probabilities.entropies();
    (num_points > 0).then(|| PointMeasures {
        num_points,
        intrusion: intrusion(0.0),
        confident_intrusion: intrusion(CONFIDENT),
        entropy: there().map(|k| entropies[k]).sum::<f64>() / count,
        margin: there().map(|k| tops.margin(k)).sum::<f64>() / count,
    })
}

fn grid_measures(
    landscape: &Landscape,
    classes: [usize; 3],
    labels: &[u32],
    (logits, tops_of_logits): (&Blocks, &Tops),
) -> GridMeasures {
    let (steps, num_classes) = (landscape.steps, landscape.num_classes);
    let shape = [steps, steps];
    let surfaces = classes.map(|class| Rimmed::new(&landscape.surface(class), shape));
    // Where the grid has no point the field is higher than anywhere: nothing leads there.
    let raised = |z: f64| if z.is_nan() { f64::INFINITY } else { z };
    // All places without a point are one region.
    let empty = usize::from(landscape.num_points() < labels.len());
    let mut marked: Vec<usize> = labels.iter().map(|&label| label as usize).collect();
    for (k, label) in marked.iter_mut().enumerate() {
        if !landscape.has_point(k) {
            *label = num_classes;
        }
    }
    let of_each = |measure: fn(&Rimmed) -> Option<f64>| {
        let [a, b, c] = surfaces.each_ref().map(measure);
        Some([a?, b?, c?])
    };
    let bars = |z: &Rimmed| num_bars_above(&persistence_of(z, Connectivity::Four), PERSISTENT);
    let upright = surfaces.each_ref().map(|z| z.map(raised));
    let potentials = potentials_of(logits, classes);
    let mut pairs = landscape.item_pairs().into_iter();
    GridMeasures {
        regions: [Connectivity::Four, Connectivity::Eight]
            .map(|connectivity| num_regions(&marked, shape, connectivity) - empty),
        boundary_length: boundary_length_of(
            logits,
            tops_of_logits,
            shape,
            1.0 / steps.saturating_sub(1).max(1) as f64,
        ),
        roughness: of_each(surface_roughness_of),
        laplacian: of_each(laplacian_roughness_of),
        critical_points: upright.each_ref().map(|z| {
            let mut found = critical_points_of(z);
            found.retain(|k| landscape.has_point(k));
            assert_eq!(
                found.index_sum(),
                1,
                "critical points obey Euler's relation"
            );
            [found.minima.len(), found.num_saddles(), found.maxima.len()]
        }),
        basins: upright.each_ref().map(bars),
        peaks: surfaces.each_ref().map(|z| bars(&z.map(|p| raised(-p)))),
        barriers: potentials.map(|u| {
            let [from, to] = pairs.next().expect("three pairs of items")?;
            Some(barrier(&u, shape, from, to))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A landscape of 3 + 1 classes whose rows all follow `path`.
    fn rows_of(path: &[[f32; 4]]) -> Landscape {
        let steps = path.len();
        let probabilities: Vec<f32> = (0..steps)
            .flat_map(|_| path.iter().flatten().copied())
            .collect();
        Landscape {
            steps,
            num_classes: 4,
            logits: probabilities.clone(),
            probabilities,
            inputs: None,
            kind: crate::landscape::GridKind::Rows,
            morph: None,
            flat: None,
        }
    }

    #[test]
    fn two_classes_that_exchange_monotonically_vary_by_one() {
        let path: Vec<[f32; 4]> = (0..11)
            .map(|t| [1.0 - t as f32 / 10.0, 0.0, t as f32 / 10.0, 0.0])
            .collect();
        let measures = measure(&rows_of(&path), [0, 1, 2]);
        let paths = measures.paths.expect("whole paths");
        assert!((paths.total_variation - 1.0).abs() < 1e-6, "{paths:?}");
        let curvature = paths.curvature.expect("eleven steps");
        assert!(
            curvature.iter().all(|&bend| bend < 1e-6),
            "a straight path does not bend: {paths:?}"
        );
        assert_eq!(paths.label_changes, 1.0);
        assert_eq!(measures.points.expect("points").intrusion, 0.0);
    }

    #[test]
    fn a_spike_of_an_intruder_is_seen_by_every_measure() {
        let mut path = [[1.0, 0.0, 0.0, 0.0]; 5];
        path[2] = [0.0, 0.0, 0.0, 1.0];
        let measures = measure(&rows_of(&path), [0, 1, 2]);
        let paths = measures.paths.expect("whole paths");
        assert_eq!((paths.total_variation, paths.label_changes), (2.0, 2.0));
        // Second differences of class 0 over t = 1, 2, 3: 1, 2, 1.
        assert_eq!(paths.curvature, Some([4.0 / 3.0, 0.0, 0.0]));
        let points = measures.points.expect("points");
        assert_eq!((points.intrusion, points.confident_intrusion), (0.2, 0.2));
        assert_eq!(
            (measures.intruders, measures.confident_intruders),
            (vec![3], vec![3])
        );
    }

    /// However many values come before it.
    #[test]
    fn the_last_step_of_a_path_counts_as_any_other() {
        for steps in 2..9 {
            let mut path = vec![[1.0, 0.0, 0.0, 0.0]; steps];
            path[steps - 1] = [0.0, 0.0, 1.0, 0.0];
            let paths = measure(&rows_of(&path), [0, 1, 2]).paths;
            assert_eq!(paths.expect("whole paths").total_variation, 1.0, "{steps}");
        }
    }

    #[test]
    fn a_failed_frame_takes_its_path_out_and_no_other() {
        let mut path = [[1.0, 0.0, 0.0, 0.0]; 5];
        path[2] = [0.0, 0.0, 0.0, 1.0];
        let mut landscape = rows_of(&path);
        let whole = measure(&landscape, [0, 1, 2]).paths.expect("whole paths");
        assert_eq!(whole.num_paths, 5);
        // Row 1 loses its spike and the frame after it; row 3 its first frame.
        for k in [7, 8, 15] {
            landscape.probabilities[4 * k..4 * k + 4].fill(f32::NAN);
        }
        let left = measure(&landscape, [0, 1, 2]);
        let paths = PathMeasures {
            num_paths: 3,
            ..whole
        };
        assert_eq!(left.paths, Some(paths));
        assert_eq!(left.points.expect("points").intrusion, 4.0 / 22.0);
        assert_eq!(left.grid, None);
        assert_eq!(landscape.num_failed(), 3);
        landscape.probabilities.fill(f32::NAN);
        let nothing = measure(&landscape, [0, 1, 2]);
        assert_eq!((nothing.paths, nothing.points), (None, None));
        assert!(nothing.intruders.is_empty());
    }

    #[test]
    fn means_over_landscapes_are_over_their_paths() {
        let of = |total_variation: f64, num_paths| PathMeasures {
            num_paths,
            total_variation,
            curvature: Some([2.0 * total_variation, 0.0, total_variation]),
            label_changes: 3.0 * total_variation,
        };
        let mean = PathMeasures::over_landscapes(&[of(1.0, 3), of(5.0, 1)]);
        assert_eq!(mean, Some(of(2.0, 4)));
        assert_eq!(of(2.0, 4).mean_curvature(), Some(2.0));
        assert_eq!(PathMeasures::over_landscapes(&[]), None);
    }
}
