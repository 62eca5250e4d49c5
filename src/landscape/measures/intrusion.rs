//! Classes outside the triple that the classifier is sure of.
//!
//! Which classes intrude is in [`super::Measures`].

use super::blocks::{Blocks, Tops};

/// From which probability on an intruder counts as confident, where nothing else is asked for.
pub const CONFIDENT: f32 = 0.9;

/// Confident intrusion `I_tau`: the share of the points, 0..1, whose label is none of `classes`
/// and has a probability of at least `tau`. With `tau = 0` the plain intrusion. A
/// measure of our own.
///
/// `probabilities` are `[points, num_classes]`. `tau` is `f32` as they are: in `f64`, a
/// probability of 0.9 lies below 0.9.
///
/// # Panics
/// When there are no points, or values do not divide into classes.
pub fn confident_intrusion(
    probabilities: &[f32],
    num_classes: usize,
    classes: [usize; 3],
    tau: f32,
) -> f64 {
    assert!(!probabilities.is_empty(), "expected points, found none");
    let tops = Blocks::new(probabilities, num_classes).tops();
    let points = tops.labels.len();
    let intruders = (0..points).filter(|&point| intrudes(&tops, point, classes, tau));
    intruders.count() as f64 / points as f64
}

/// Whether a point counts.
pub(super) fn intrudes(tops: &Tops, point: usize, classes: [usize; 3], tau: f32) -> bool {
    !classes.contains(&(tops.labels[point] as usize)) && tops.first[point] >= tau
}
