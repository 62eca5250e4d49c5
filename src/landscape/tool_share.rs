//! How much of the roughness of published landscapes is the morph tool's.
//!
//! ```text
//! share = (R_published - R_clean) / R_published
//! ```
//!
//! with `R` the mean over triples of a measure of paths. A ratio of means, not a mean of ratios,
//! which a triple that is hardly rough at all would dominate. Its interval is a bootstrap over triples
//! (`bootstrap.rs`).
//!
//! Both modes are measured on the same paths: [`Landscape::with_gaps_of`] takes the frames that
//! failed in published mode out of the other, and with them their paths.

use super::Landscape;
use super::bootstrap::interval_95;

impl Landscape {
    /// The landscape with the frames taken out that failed in `other`, one of the same size.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn with_gaps_of(mut self, other: &Self) -> Self {
        assert_eq!(self.steps, other.steps, "landscapes of one size");
        for k in (0..other.num_frames()).filter(|&k| other.is_failed(k)) {
            let answer = k * self.num_classes..(k + 1) * self.num_classes;
            self.logits[answer.clone()].fill(f32::NAN);
            self.probabilities[answer].fill(f32::NAN);
        }
        self
    }
}

/// The tool's share of a measure, with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ToolShare {
    /// Mean over triples in published mode.
    pub published: f64,
    /// Mean over triples in the other mode.
    pub other: f64,
    /// `(published - other) / published`, at most 1; below 0 where the other mode is rougher.
    pub share: f64,
    /// The 2.5th and the 97.5th percentile of the share over resampled triples.
    pub interval: [f64; 2],
}

/// The share of `pairs`, the values `[published, other]` of each triple; nothing without triples.
/// The same seed gives the same interval on every machine.
pub fn tool_share(pairs: &[[f64; 2]], seed: u64) -> Option<ToolShare> {
    if pairs.is_empty() {
        return None;
    }
    let share = |[published, other]: [f64; 2]| (published - other) / published;
    let sum = |sums: [f64; 2], pair: &[f64; 2]| [sums[0] + pair[0], sums[1] + pair[1]];
    let sums = pairs.iter().fold([0.0; 2], sum);
    let [published, other] = sums.map(|sum| sum / pairs.len() as f64);
    Some(ToolShare {
        published,
        other,
        share: share(sums),
        interval: interval_95(pairs, seed, |drawn| share(drawn.fold([0.0; 2], sum))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::measure_paths;

    #[test]
    fn a_constant_share_has_no_width() {
        let pairs: Vec<[f64; 2]> = (1..20)
            .map(|n| [f64::from(n), 0.75 * f64::from(n)])
            .collect();
        let found = tool_share(&pairs, 3).expect("triples");
        assert_eq!((found.published, found.other), (10.0, 7.5));
        assert!((found.share - 0.25).abs() < 1e-12);
        assert!(found.interval.iter().all(|end| (end - 0.25).abs() < 1e-12));
        assert_eq!(tool_share(&[], 3), None);
    }

    #[test]
    fn the_interval_is_the_normal_one_where_the_mean_is() {
        // Published 1 throughout, so the share is the mean of 1 - other: 400 values spread evenly
        // over 0..1, of standard deviation 1/sqrt(12). 95 % lie within 1.96 standard errors.
        let pairs: Vec<[f64; 2]> = (0..400)
            .map(|n| [1.0, (f64::from(n) + 0.5) / 400.0])
            .collect();
        let found = tool_share(&pairs, 1).expect("triples");
        assert!((found.share - 0.5).abs() < 1e-12);
        let half_width = 1.96 / 12f64.sqrt() / 20.0;
        for (end, expected) in found
            .interval
            .into_iter()
            .zip([0.5 - half_width, 0.5 + half_width])
        {
            assert!((end - expected).abs() < 0.0015, "{end} for {expected}");
        }
        assert_eq!(tool_share(&pairs, 1), Some(found));
        assert_ne!(tool_share(&pairs, 2), Some(found));
    }

    #[test]
    fn gaps_take_paths_out_of_another_landscape() {
        let landscape = |probabilities: Vec<f32>| Landscape {
            steps: 2,
            num_classes: 2,
            logits: probabilities.clone(),
            probabilities,
            inputs: None,
            kind: crate::landscape::GridKind::Rows,
            morph: None,
            flat: None,
        };
        let mut gap = vec![0.5; 8];
        gap[2..4].fill(f32::NAN);
        let left = landscape(vec![0.5; 8]).with_gaps_of(&landscape(gap));
        let failed: Vec<bool> = (0..4).map(|k| left.is_failed(k)).collect();
        assert_eq!(failed, [false, true, false, false]);
        assert!(left.logits[2].is_nan());
        let paths = measure_paths(&left, [0, 1, 0]).expect("a whole path");
        assert_eq!(paths.num_paths, 1);
    }
}
