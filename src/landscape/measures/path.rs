//! How much happens along the paths of a grid, its rows: from a mix of A and B into C.

use crate::landscape::Landscape;
use serde::Serialize;

/// Measures of a path, each the mean over the paths that have an answer at every point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PathMeasures {
    /// Paths that were measured.
    pub num_paths: usize,
    /// Total variation `1/2 sum_t |p_{t+1} - p_t|_1`: 1 where two confident classes exchange
    /// monotonically.
    pub total_variation: f64,
    /// Curvature roughness `mean_t |p_{t+1} - 2 p_t + p_{t-1}|` of the classes of A, B and C
    /// each, in probability (not divided by the step); nothing with fewer than three steps.
    pub curvature: Option<[f64; 3]>,
    /// Label changes `#{t : label_t != label_{t+1}}`.
    pub label_changes: f64,
}

/// Measures the paths of a landscape between items of `classes`; `labels` are the predicted
/// classes of its points and `answered` whether there is one. Nothing where no path is whole.
pub(super) fn path_measures(
    landscape: &Landscape,
    classes: [usize; 3],
    labels: &[usize],
    answered: &[bool],
) -> Option<PathMeasures> {
    let (steps, num_classes) = (landscape.steps, landscape.num_classes);
    let (mut num_paths, mut variation, mut bend, mut changes) = (0usize, 0.0, [0.0; 3], 0usize);
    let paths = landscape.probabilities.chunks_exact(steps * num_classes);
    for (i, path) in paths.enumerate() {
        let points = i * steps..(i + 1) * steps;
        if !answered[points.clone()].iter().all(|&is_there| is_there) {
            continue;
        }
        num_paths += 1;
        changes += labels[points]
            .windows(2)
            .filter(|pair| pair[0] != pair[1])
            .count();
        // A point and the next are `num_classes` values apart.
        variation += path
            .iter()
            .zip(&path[num_classes..])
            .map(|(&p, &next)| (f64::from(next) - f64::from(p)).abs())
            .sum::<f64>();
        for t in 1..steps.saturating_sub(1) {
            let p = |t: usize, class: usize| f64::from(path[t * num_classes + class]);
            for (sum, class) in bend.iter_mut().zip(classes) {
                *sum += (p(t + 1, class) - 2.0 * p(t, class) + p(t - 1, class)).abs();
            }
        }
    }
    let paths = num_paths as f64;
    (num_paths > 0).then(|| PathMeasures {
        num_paths,
        total_variation: 0.5 * variation / paths,
        curvature: (steps > 2).then(|| bend.map(|sum| sum / (paths * (steps - 2) as f64))),
        label_changes: changes as f64 / paths,
    })
}
