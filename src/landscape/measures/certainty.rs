//! How sure the classifier is over the grid.

use super::blocks::Blocks;

/// Mean entropy `-sum_k p_k ln p_k` of the points, in nats (natural logarithm, `0 ln 0 = 0`):
/// 0 where every answer is certain, `ln num_classes` where every one is even.
///
/// `probabilities` are `[points, num_classes]`.
///
/// # Panics
/// When there are no points, or values do not divide into classes.
pub fn mean_entropy(probabilities: &[f32], num_classes: usize) -> f64 {
    mean(&Blocks::new(probabilities, num_classes).entropies())
}

/// Mean margin of the points, the largest probability less the next largest, 0..1. On logits
/// the same formula is the mean logit margin.
///
/// `probabilities` are `[points, num_classes]`.
///
/// # Panics
/// When there are no points or fewer than two classes, or values do not divide into classes.
pub fn mean_margin(probabilities: &[f32], num_classes: usize) -> f64 {
    assert!(num_classes >= 2, "a margin needs two classes");
    let tops = Blocks::new(probabilities, num_classes).tops();
    let margins = (0..tops.labels.len()).map(|point| tops.margin(point));
    mean(&margins.collect::<Vec<f64>>())
}

/// Mean of the points' values.
fn mean(values: &[f64]) -> f64 {
    assert!(!values.is_empty(), "expected points, found none");
    values.iter().sum::<f64>() / values.len() as f64
}
