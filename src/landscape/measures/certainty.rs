//! How sure the classifier is over the grid.

/// Mean entropy `-sum_k p_k ln p_k` of the points, in nats (natural logarithm, `0 ln 0 = 0`):
/// 0 where every answer is certain, `ln num_classes` where every one is even.
///
/// `probabilities` are `[points, num_classes]`.
///
/// # Panics
/// When there are no points, or values do not divide into classes.
pub fn mean_entropy(probabilities: &[f32], num_classes: usize) -> f64 {
    mean_over_points(probabilities, num_classes, |p| {
        p.iter()
            .map(|&p| f64::from(p))
            .filter(|&p| p > 0.0)
            .map(|p| -p * p.ln())
            .sum()
    })
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
    mean_over_points(probabilities, num_classes, |p| {
        let (mut first, mut second) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
        for &p in p {
            second = second.max(p.min(first));
            first = first.max(p);
        }
        f64::from(first) - f64::from(second)
    })
}

/// Mean of `value` over the points.
fn mean_over_points(values: &[f32], num_classes: usize, value: impl Fn(&[f32]) -> f64) -> f64 {
    let points = values.chunks_exact(num_classes);
    assert!(
        points.remainder().is_empty() && !values.is_empty(),
        "expected points of {num_classes} values, found {} values",
        values.len()
    );
    let count = points.len() as f64;
    points.map(value).sum::<f64>() / count
}
