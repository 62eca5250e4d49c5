//! Measures of a landscape's paths and of its grid.
//!
//! A path is a row of the grid, from a mix of A and B into C; measures of paths are means over
//! the `steps` rows. Measures of a grid are plain functions, one module a family, from values
//! (row-major, of a shape `[rows, columns]`) to a number or a list. Most numbers depend on
//! `steps`: compare landscapes of equal size.
//!
//! Fields are `f64`, so that a potential or a difference loses nothing; logits and
//! probabilities are `f32`, as a [`Landscape`] holds them.

mod barrier;
mod boundary;
mod calibration;
mod certainty;
mod critical;
mod grid;
mod intrusion;
mod order;
mod persistence;
mod regions;
mod roughness;
mod union_find;

pub use barrier::barrier;
pub use boundary::boundary_length;
pub use calibration::calibration_error;
pub use certainty::{mean_entropy, mean_margin};
pub use critical::{CriticalPoints, critical_points};
pub use grid::Connectivity;
pub use intrusion::{CONFIDENT, confident_intrusion};
pub use order::{LatticeWeights, OrderAsymmetry, order_asymmetry};
pub use persistence::{Bar, num_bars_above, persistence};
pub use regions::{num_regions, region_of};
pub use roughness::{laplacian_roughness, surface_roughness};

use super::Landscape;

/// What `summary.csv` says of a landscape.
#[derive(Debug, Clone, PartialEq)]
pub struct Measures {
    /// Total variation of a path, `1/2 sum_t |p_{t+1} - p_t|_1`: 1 where two confident classes
    /// exchange monotonically.
    pub total_variation: f64,
    /// Curvature roughness of a path, `mean_t |p_{t+1} - 2 p_t + p_{t-1}|`, averaged over the
    /// triple's three classes; 0 with fewer than three steps.
    pub curvature: f64,
    /// Label changes along a path, `#{t : label_t != label_{t+1}}`.
    pub label_changes: f64,
    /// Share of the grid, 0..1, whose label is none of the triple's classes.
    pub intrusion: f64,
    /// The classes outside the triple that are predicted somewhere, the most frequent first.
    pub intruders: Vec<usize>,
}

/// Measures a landscape between items of `classes`.
///
/// # Panics
/// When a class is not below the landscape's number of classes.
pub fn measure(landscape: &Landscape, classes: [usize; 3]) -> Measures {
    let steps = landscape.steps;
    let labels: Vec<usize> = (0..landscape.num_frames())
        .map(|k| landscape.label(k))
        .collect();
    let p = |k: usize, class: usize| f64::from(landscape.probabilities_of(k)[class]);
    let (mut variation, mut bend, mut changes) = (0.0, 0.0, 0usize);
    for i in 0..steps {
        for k in i * steps..(i + 1) * steps - 1 {
            variation += 0.5
                * (0..landscape.num_classes)
                    .map(|class| (p(k + 1, class) - p(k, class)).abs())
                    .sum::<f64>();
            changes += usize::from(labels[k] != labels[k + 1]);
        }
        for k in i * steps + 1..((i + 1) * steps).saturating_sub(1) {
            bend += classes
                .iter()
                .map(|&class| (p(k + 1, class) - 2.0 * p(k, class) + p(k - 1, class)).abs())
                .sum::<f64>()
                / 3.0;
        }
    }
    let mut frequency = vec![0usize; landscape.num_classes];
    for &label in labels.iter().filter(|label| !classes.contains(label)) {
        frequency[label] += 1;
    }
    let mut intruders: Vec<usize> = (0..landscape.num_classes)
        .filter(|&class| frequency[class] > 0)
        .collect();
    intruders.sort_by_key(|&class| std::cmp::Reverse(frequency[class]));
    let paths = steps as f64;
    Measures {
        total_variation: variation / paths,
        curvature: if steps > 2 {
            bend / (paths * (paths - 2.0))
        } else {
            0.0
        },
        label_changes: changes as f64 / paths,
        intrusion: frequency.iter().sum::<usize>() as f64 / landscape.num_frames() as f64,
        intruders,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::argmax;

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
            morph: None,
        }
    }

    #[test]
    fn two_classes_that_exchange_monotonically_vary_by_one() {
        let path: Vec<[f32; 4]> = (0..11)
            .map(|t| [1.0 - t as f32 / 10.0, 0.0, t as f32 / 10.0, 0.0])
            .collect();
        let measures = measure(&rows_of(&path), [0, 1, 2]);
        assert!(
            (measures.total_variation - 1.0).abs() < 1e-6,
            "{measures:?}"
        );
        assert!(
            measures.curvature < 1e-6,
            "a straight path does not bend: {measures:?}"
        );
        assert_eq!((measures.label_changes, measures.intrusion), (1.0, 0.0));
    }

    #[test]
    fn a_spike_of_an_intruder_is_seen_by_every_measure() {
        let mut path = [[1.0, 0.0, 0.0, 0.0]; 5];
        path[2] = [0.0, 0.0, 0.0, 1.0];
        let measures = measure(&rows_of(&path), [0, 1, 2]);
        assert_eq!(measures.total_variation, 2.0);
        assert_eq!(measures.label_changes, 2.0);
        assert_eq!(measures.intrusion, 0.2);
        assert_eq!(measures.intruders, [3]);
        // Second differences of class 0 over t = 1, 2, 3: 1, 2, 1; a third of each, over three points.
        assert!((measures.curvature - 4.0 / 9.0).abs() < 1e-12);
    }

    #[test]
    fn of_equal_probabilities_the_first_class_is_the_label() {
        assert_eq!(argmax(&[0.2, 0.4, 0.4]), 1);
        assert_eq!(argmax(&[0.5, 0.5]), 0);
    }
}
