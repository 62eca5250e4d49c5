//! Rows of values through a model.

use super::answers::{Answers, input_bytes, record_classify, upload_rows};
use super::batches::in_batches;
use super::{PipelineError, host};
use crate::engine::Engine;
use crate::kernels::Recording;
use crate::model::{Classifier, Network, Steps};

/// Classifies inputs, each as many values as the model takes, in batches the engine likes, or of
/// the size that a network of the host names.
///
/// # Errors
/// [`PipelineError`] when an input has another number of values than the model takes, the engine
/// or the network fails, or a logit is not finite.
pub fn classify(
    engine: &dyn Engine,
    model: &dyn Classifier,
    inputs: &[&[f32]],
) -> Result<Answers, PipelineError> {
    if let Some(first) = inputs.first() {
        let width = input_width(model).unwrap_or(first.len());
        for (number, input) in inputs.iter().enumerate() {
            check_width(input, width, || format!("input {number}"))?;
        }
    }
    match model.network() {
        Network::Steps(steps) => classify_by_steps(engine, steps, inputs),
        Network::Host(network) => host::classify(network, inputs),
    }
}

/// Values of an input, where a model takes no others.
pub(super) fn input_width(model: &dyn Classifier) -> Option<usize> {
    model.input_shape().map(|shape| shape.iter().product())
}

/// Checks that an input has so many values; `name` says which it is.
pub(super) fn check_width(
    input: &[f32],
    expected: usize,
    name: impl FnOnce() -> String,
) -> Result<(), PipelineError> {
    match input.len() == expected {
        true => Ok(()),
        false => Err(PipelineError::InputSize {
            input: name(),
            expected,
            found: input.len(),
        }),
    }
}

/// Classifies inputs by kernels.
pub(super) fn classify_by_steps(
    engine: &dyn Engine,
    steps: &Steps,
    inputs: &[&[f32]],
) -> Result<Answers, PipelineError> {
    let batch_rows = (engine.batch_buffer_bytes() / input_bytes(&[steps])).max(1);
    let mut answers = Answers::default();
    in_batches(engine, inputs.len(), batch_rows, |engine, batch| {
        let mut recording = Recording::new();
        let rows = inputs[batch].iter().copied();
        let count = rows.len();
        let x = upload_rows(&mut recording, "classify.inputs", rows, steps.inputs());
        let bufs = record_classify(&mut recording, x, count, steps);
        let downloads = engine.run(&recording)?;
        let read = bufs.read(&downloads)?;
        answers.logits.extend(read.logits);
        answers.probabilities.extend(read.probabilities);
        Ok(())
    })?;
    Ok(answers)
}
