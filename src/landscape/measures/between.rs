//! Two classifiers on the same grid: how alike their answers are, and how far their decision
//! boundaries lie apart.
//!
//! A point that failed in either landscape counts in neither, and an edge of the grid that ends in
//! such a point has no midpoint.

use super::agreement::{agreement, kappa};
use crate::landscape::Landscape;
use serde::Serialize;

/// What two classifiers' landscapes of the same inputs have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct Between {
    /// Points that were compared.
    pub points: usize,
    /// Share of points with equal labels, 0..1.
    pub agreement: Option<f64>,
    /// Cohen's kappa; nothing where both predict one and the same class everywhere.
    pub kappa: Option<f64>,
    /// For each class the points that both label so, and those that either does: their ratio is the
    /// Jaccard index.
    pub shared: Vec<[usize; 2]>,
    /// How far the boundaries lie apart, in sides of the grid; nothing where one has none.
    pub boundaries: Option<BoundaryDistances>,
    /// Mean over points of the total-variation distance of the probabilities,
    /// `sum_k |p_k - q_k| / 2`, 0..1.
    pub variation_distance: Option<f64>,
}

impl Between {
    /// Jaccard index of a class; nothing where neither predicts it, or for a class that there is
    /// not.
    pub fn jaccard(&self, class: usize) -> Option<f64> {
        let [both, either] = *self.shared.get(class)?;
        (either > 0).then(|| both as f64 / either as f64)
    }

    /// Mean Jaccard index of the classes that either predicts.
    pub fn mean_jaccard(&self) -> Option<f64> {
        let indices: Vec<f64> = (0..self.shared.len())
            .filter_map(|class| self.jaccard(class))
            .collect();
        (!indices.is_empty()).then(|| indices.iter().sum::<f64>() / indices.len() as f64)
    }
}

/// Compares the answers of two classifiers whose classes stand in one order.
///
/// # Panics
/// When the landscapes differ in steps or in the number of classes.
pub fn between(one: &Landscape, other: &Landscape) -> Between {
    assert_eq!(
        (one.steps, one.num_classes),
        (other.steps, other.num_classes),
        "landscapes of the same inputs and classes"
    );
    let labels: Vec<Option<[usize; 2]>> = (0..one.num_frames())
        .map(|k| Some([one.label(k)?, other.label(k)?]))
        .collect();
    let whole = || labels.iter().flatten();
    let [of_one, of_other] = [0, 1].map(|n| whole().map(|pair| pair[n]).collect::<Vec<_>>());
    let mut shared = vec![[0; 2]; one.num_classes];
    for &[a, b] in whole() {
        shared[a][1] += 1;
        match a == b {
            true => shared[a][0] += 1,
            false => shared[b][1] += 1,
        }
    }
    let side: Vec<f64> = (0..one.steps)
        .map(|i| i as f64 / (one.steps - 1).max(1) as f64)
        .collect();
    let [p, q] = [0, 1].map(|n| {
        let differ = |k: usize, l: usize| match (labels[k], labels[l]) {
            (Some(here), Some(there)) => here[n] != there[n],
            _ => false,
        };
        midpoints(differ, &side, &side)
    });
    let distances = (0..one.num_frames())
        .filter(|&k| labels[k].is_some())
        .map(|k| {
            let both = one
                .probabilities_of(k)
                .iter()
                .zip(other.probabilities_of(k));
            both.map(|(p, q)| f64::from((p - q).abs())).sum::<f64>() / 2.0
        });
    let points = of_one.len();
    Between {
        points,
        agreement: agreement(&of_one, &of_other),
        kappa: kappa(&of_one, &of_other),
        shared,
        boundaries: boundary_distances(&p, &q),
        variation_distance: (points > 0).then(|| distances.sum::<f64>() / points as f64),
    }
}

/// Distances between two sets of boundary points; nothing where a set is empty.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BoundaryDistances {
    /// Largest distance of a point of either from the other.
    pub hausdorff: f64,
    /// The larger of both 95th percentiles, interpolated linearly.
    pub hausdorff_95: f64,
    /// Mean over both sets together.
    pub mean_distance: f64,
}

/// Midpoints of grid edges whose ends differ in label, `[i, j]` along alpha and beta: first those
/// along alpha, then those along beta.
///
/// # Panics
/// When there are not `alpha.len() * beta.len()` labels.
pub fn boundary_midpoints(labels: &[usize], alpha: &[f64], beta: &[f64]) -> Vec<[f64; 2]> {
    assert_eq!(labels.len(), alpha.len() * beta.len(), "a label a point");
    midpoints(|k, l| labels[k] != labels[l], alpha, beta)
}

fn midpoints(differ: impl Fn(usize, usize) -> bool, alpha: &[f64], beta: &[f64]) -> Vec<[f64; 2]> {
    let m = beta.len();
    let mut points = Vec::new();
    for i in 1..alpha.len() {
        for (j, &b) in beta.iter().enumerate() {
            if differ((i - 1) * m + j, i * m + j) {
                points.push([(alpha[i - 1] + alpha[i]) / 2.0, b]);
            }
        }
    }
    for (i, &a) in alpha.iter().enumerate() {
        for j in 1..m {
            if differ(i * m + j - 1, i * m + j) {
                points.push([a, (beta[j - 1] + beta[j]) / 2.0]);
            }
        }
    }
    points
}

/// Distances between two sets of points.
pub fn boundary_distances(p: &[[f64; 2]], q: &[[f64; 2]]) -> Option<BoundaryDistances> {
    if p.is_empty() || q.is_empty() {
        return None;
    }
    let nearest = |from: &[[f64; 2]], to: &[[f64; 2]]| -> Vec<f64> {
        let least = |a: &[f64; 2]| {
            let squares = to
                .iter()
                .map(|b| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
            squares.fold(f64::INFINITY, f64::min).sqrt()
        };
        let mut all: Vec<f64> = from.iter().map(least).collect();
        all.sort_by(f64::total_cmp);
        all
    };
    let (there, back) = (nearest(p, q), nearest(q, p));
    let percentile = |sorted: &[f64]| {
        let at = 0.95 * (sorted.len() - 1) as f64;
        let (low, high) = (at.floor() as usize, at.ceil() as usize);
        sorted[low] + (sorted[high] - sorted[low]) * (at - at.floor())
    };
    Some(BoundaryDistances {
        hausdorff: there[there.len() - 1].max(back[back.len() - 1]),
        hausdorff_95: percentile(&there).max(percentile(&back)),
        mean_distance: (there.iter().sum::<f64>() + back.iter().sum::<f64>())
            / (there.len() + back.len()) as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::GridKind;

    /// Two classes, the first where `is_first` says so, with probability `p`.
    fn landscape(steps: usize, p: f32, is_first: impl Fn(usize, usize) -> bool) -> Landscape {
        let probabilities: Vec<f32> = (0..steps * steps)
            .flat_map(|k| match is_first(k / steps, k % steps) {
                true => [p, 1.0 - p],
                false => [1.0 - p, p],
            })
            .collect();
        Landscape {
            kind: GridKind::Rows,
            steps,
            num_classes: 2,
            logits: probabilities.clone(),
            probabilities,
            inputs: None,
            morph: None,
            flat: None,
        }
    }

    #[test]
    fn half_planes_that_are_shifted_have_closed_forms() {
        // Columns 0..30 and 0..40 of 100: delta is 0.1, and at the middle kappa would be 1 - 2 delta.
        let one = landscape(100, 0.9, |_, j| j < 45);
        let other = landscape(100, 0.8, |_, j| j < 55);
        let found = between(&one, &other);
        assert_eq!(found.points, 10_000);
        assert!((found.agreement.expect("points") - 0.9).abs() < 1e-12);
        // A_0 = 2 * 0.45 * 0.55.
        assert!((found.kappa.expect("points") - (0.9 - 0.495) / 0.505).abs() < 1e-12);
        assert!((found.jaccard(0).expect("points") - 45.0 / 55.0).abs() < 1e-12);
        assert_eq!(found.jaccard(2), None);
        // Ten columns of 99 steps a side.
        let distances = found.boundaries.expect("both have boundaries");
        assert!((distances.hausdorff - 10.0 / 99.0).abs() < 1e-12);
        assert!((distances.mean_distance - 10.0 / 99.0).abs() < 1e-12);
        // 0.1 where labels agree, 0.7 where they do not.
        let expected = 0.9 * 0.1 + 0.1 * 0.7;
        assert!((found.variation_distance.expect("points") - expected).abs() < 1e-6);
    }

    #[test]
    fn a_landscape_is_like_itself() {
        let one = landscape(5, 0.9, |i, j| i + j < 4);
        let found = between(&one, &one);
        assert_eq!((found.agreement, found.kappa), (Some(1.0), Some(1.0)));
        assert_eq!(found.mean_jaccard(), Some(1.0));
        assert_eq!(found.boundaries.map(|found| found.hausdorff), Some(0.0));
        assert_eq!(found.variation_distance, Some(0.0));
    }

    #[test]
    fn what_failed_in_one_counts_in_neither() {
        let one = landscape(3, 0.9, |_, j| j < 2);
        let mut other = landscape(3, 0.9, |_, j| j < 1);
        other.logits[2..4].fill(f32::NAN);
        let found = between(&one, &other);
        // Column 1 differs, in two rows of the three.
        assert_eq!(found.points, 8);
        assert!((found.agreement.expect("points") - 0.75).abs() < 1e-12);
        assert_eq!(found.shared, [[3, 5], [3, 5]]);
        let nothing = Landscape {
            logits: vec![f32::NAN; 18],
            ..landscape(3, 0.9, |_, _| true)
        };
        let found = between(&nothing, &one);
        assert_eq!((found.agreement, found.kappa), (None, None));
        assert_eq!((found.variation_distance, found.boundaries), (None, None));
    }
}
