//! Whether the answer follows the mix on the way between two items.

/// Between-class calibration of a segment from a to b:
/// `MCE = integral over 0..1 of |p_a / (p_a + p_b) - lambda| d lambda`, with `lambda` the
/// weight of a; 0 where the share of a is its weight, 1/4 both where it stays at a half and
/// where it jumps in the middle. By the trapezoidal rule, so a jump is placed to half a step
/// only. A measure of our own.
///
/// `pairs` are `[p_a, p_b]` at evenly spaced points from `lambda = 1` (a itself) to
/// `lambda = 0` (b). Nothing with fewer than two points, or where both probabilities of a point
/// are 0, which has no share.
pub fn calibration_error(pairs: &[[f64; 2]]) -> Option<f64> {
    let last = pairs.len().checked_sub(1).filter(|&last| last > 0)?;
    let mut sum = 0.0;
    for (k, [p_a, p_b]) in pairs.iter().enumerate() {
        if p_a + p_b == 0.0 {
            return None;
        }
        let lambda = 1.0 - k as f64 / last as f64;
        let weight = if k == 0 || k == last { 0.5 } else { 1.0 };
        sum += weight * (p_a / (p_a + p_b) - lambda).abs();
    }
    Some(sum / last as f64)
}
