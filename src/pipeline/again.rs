//! The inputs of landscapes given to another model: they are morphed once, whoever is asked.

use super::{PipelineError, classify};
use crate::engine::Engine;
use crate::landscape::Landscape;
use crate::model::Classifier;

/// The answers of `model` to the inputs that `landscapes` keep. A point that failed there has no
/// input, and so no answer here. The new landscapes keep no inputs.
///
/// # Errors
/// As [`classify`].
///
/// # Panics
/// When a landscape keeps no inputs.
pub(super) fn classify_again(
    engine: &dyn Engine,
    model: &dyn Classifier,
    landscapes: &[Landscape],
) -> Result<Vec<Landscape>, PipelineError> {
    let classes = model.num_classes();
    let mut points = Vec::new();
    let mut inputs = Vec::new();
    for (n, landscape) in landscapes.iter().enumerate() {
        let kept = landscape.inputs.as_ref().expect("inputs were kept");
        let width = kept.len() / landscape.num_frames();
        for (k, input) in kept.chunks_exact(width).enumerate() {
            // The input of a point that failed is NaN.
            if !input.first().is_some_and(|value| value.is_nan()) {
                points.push((n, k));
                inputs.push(input);
            }
        }
    }
    let answers = classify(engine, model, &inputs)?;
    let mut again: Vec<Landscape> = landscapes
        .iter()
        .map(|landscape| {
            let unknown = vec![f32::NAN; landscape.num_frames() * classes];
            Landscape {
                kind: landscape.kind,
                steps: landscape.steps,
                num_classes: classes,
                logits: unknown.clone(),
                probabilities: unknown,
                inputs: None,
                morph: landscape.morph.clone(),
                flat: landscape.flat.clone(),
            }
        })
        .collect();
    for ((n, k), (logits, probabilities)) in points.into_iter().zip(answers.rows(classes)) {
        let own = k * classes..(k + 1) * classes;
        again[n].logits[own.clone()].copy_from_slice(logits);
        again[n].probabilities[own].copy_from_slice(probabilities);
    }
    Ok(again)
}
