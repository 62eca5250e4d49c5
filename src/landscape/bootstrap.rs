//! Percentile bootstrap over triples (Efron, Tibshirani, *An Introduction to the Bootstrap*, 1993,
//! chapter 13): a triple, with everything that was measured on it, is drawn or is not.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How often triples are drawn anew.
pub const RESAMPLES: usize = 10_000;

/// The 2.5th and the 97.5th percentile of `statistic` over resamples of `values`, at least one.
/// The same seed gives the same interval on every machine.
pub(super) fn interval_95<T>(
    values: &[T],
    seed: u64,
    statistic: impl Fn(&mut dyn Iterator<Item = &T>) -> f64,
) -> [f64; 2] {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut found: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let mut drawn = (0..values.len()).map(|_| &values[rng.random_range(0..values.len())]);
            statistic(&mut drawn)
        })
        .collect();
    found.sort_by(f64::total_cmp);
    let percentile =
        |percent: f64| found[(percent / 100.0 * (RESAMPLES - 1) as f64).round() as usize];
    [percentile(2.5), percentile(97.5)]
}

/// A mean over triples with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanOverTriples {
    /// The mean.
    pub mean: f64,
    /// The 2.5th and the 97.5th percentile of the mean over resampled triples.
    pub interval: [f64; 2],
    /// How many triples it is taken over.
    pub triples: usize,
}

/// The mean of a value a triple; nothing without triples.
pub fn mean_over_triples(values: &[f64], seed: u64) -> Option<MeanOverTriples> {
    if values.is_empty() {
        return None;
    }
    let number = values.len() as f64;
    Some(MeanOverTriples {
        mean: values.iter().sum::<f64>() / number,
        interval: interval_95(values, seed, |drawn| drawn.sum::<f64>() / number),
        triples: values.len(),
    })
}
