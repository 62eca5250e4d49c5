//! How much happens along the paths of a grid, its rows: of a morph from a mix of A and B into C, of
//! a plane along beta.

use super::blocks::Blocks;
use crate::landscape::Landscape;
use pulp::{Arch, Simd, WithSimd};
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

impl PathMeasures {
    /// [`PathMeasures::curvature`], the mean of the three classes.
    pub fn mean_curvature(&self) -> Option<f64> {
        let [a, b, c] = self.curvature?;
        Some((a + b + c) / 3.0)
    }

    /// Means over the paths of several landscapes of one size; nothing without any.
    pub fn over_landscapes(landscapes: &[Self]) -> Option<Self> {
        let num_paths = landscapes.iter().map(|measures| measures.num_paths).sum();
        let mean = |value: &dyn Fn(&Self) -> f64| {
            let weighted = |measures: &Self| value(measures) * measures.num_paths as f64;
            landscapes.iter().map(weighted).sum::<f64>() / num_paths as f64
        };
        let bends = landscapes
            .iter()
            .all(|measures| measures.curvature.is_some());
        let curvature = |class: usize| mean(&|of| of.curvature.map_or(0.0, |bend| bend[class]));
        (num_paths > 0).then(|| Self {
            num_paths,
            total_variation: mean(&|of| of.total_variation),
            curvature: bends.then(|| [0, 1, 2].map(curvature)),
            label_changes: mean(&|of| of.label_changes),
        })
    }
}

/// Measures the paths of a landscape between items of `classes`. Nothing where no path is whole.
///
/// # Panics
/// When a class is not below the landscape's number of classes.
pub fn measure_paths(landscape: &Landscape, classes: [usize; 3]) -> Option<PathMeasures> {
    let tops = Blocks::new(&landscape.probabilities, landscape.num_classes).tops();
    let answered: Vec<bool> = (0..landscape.num_frames())
        .map(|k| !landscape.is_failed(k))
        .collect();
    path_measures(landscape, classes, &tops.labels, &answered)
}

/// The same with the predicted classes of its points and whether there is one at each.
pub(super) fn path_measures(
    landscape: &Landscape,
    classes: [usize; 3],
    labels: &[u32],
    answered: &[bool],
) -> Option<PathMeasures> {
    let (steps, num_classes) = (landscape.steps, landscape.num_classes);
    let (mut num_paths, mut variation, mut bend, mut changes) = (0usize, 0.0, [0.0; 3], 0usize);
    let mut bends = 0usize;
    let paths = landscape.probabilities.chunks_exact(steps * num_classes);
    for (i, path) in paths.enumerate() {
        // A row of a triangle is shorter than the one before it; a single point is no path.
        let length = (i * steps..(i + 1) * steps).take_while(|&k| landscape.has_point(k));
        let length = length.count();
        let points = i * steps..i * steps + length;
        let path = &path[..length * num_classes];
        if (length < 2 && steps > 1) || !answered[points.clone()].iter().all(|&is_there| is_there) {
            continue;
        }
        num_paths += 1;
        changes += labels[points]
            .windows(2)
            .filter(|pair| pair[0] != pair[1])
            .count();
        // A point and the next are `num_classes` values apart.
        let next = &path[num_classes..];
        variation += Arch::new().dispatch(Distance([&path[..next.len()], next]));
        bends += length.saturating_sub(2);
        for t in 1..length.saturating_sub(1) {
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
        curvature: (bends > 0).then(|| bend.map(|sum| sum / bends as f64)),
        label_changes: changes as f64 / paths,
    })
}

/// The sum of `|next - p|` over the values of two lists.
struct Distance<'a>([&'a [f32]; 2]);

impl WithSimd for Distance<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) -> f64 {
        let [from, to] = self.0;
        let ((from, from_rest), (to, to_rest)) = (from.as_chunks::<8>(), to.as_chunks::<8>());
        let mut sums = [0.0; 8];
        for (from, to) in from.iter().zip(to) {
            for k in 0..8 {
                sums[k] += (f64::from(to[k]) - f64::from(from[k])).abs();
            }
        }
        for (from, to) in from_rest.iter().zip(to_rest) {
            sums[0] += (f64::from(*to) - f64::from(*from)).abs();
        }
        sums.iter().sum()
    }
}
