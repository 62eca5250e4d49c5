//! Rows of values through a model.

use super::PipelineError;
use crate::engine::Engine;
use crate::kernels::{Buf, Downloads, Recording, row_stride};
use crate::model::{Model, Operation};

/// A model's answers to some inputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    /// Logits `[rows, classes]`.
    pub logits: Vec<f32>,
    /// Probabilities `[rows, classes]`.
    pub probabilities: Vec<f32>,
}

/// Where a recording leaves a model's answers.
#[derive(Clone, Copy)]
pub(super) struct AnswerBufs {
    logits: Buf<f32>,
    probabilities: Buf<f32>,
    classes: usize,
}

/// Appends the model to a recording: `x` is `[rows, row_stride(inputs)]`.
pub(super) fn record_classify(
    recording: &mut Recording,
    x: Buf<f32>,
    rows: usize,
    model: &Model,
) -> AnswerBufs {
    let mut values = vec![x];
    for step in model.steps() {
        let x = values[step.takes[0]];
        values.push(match &step.operation {
            Operation::Dense(layer) => recording.dense(x, rows, layer),
            Operation::Conv(layer) => recording.conv(x, rows, layer),
            Operation::Depthwise(layer) => recording.depthwise(x, rows, layer),
            Operation::Pool(layer) => recording.pool(x, rows, layer),
            Operation::Elementwise(layer) => {
                let other = step.takes.get(1).map(|&value| values[value]);
                recording.elementwise(x, other, rows, layer)
            }
        });
    }
    let logits = values[model.steps().len()];
    let classes = model.num_classes();
    let probabilities = recording.softmax(logits, rows, classes);
    recording.download(logits);
    recording.download(probabilities);
    AnswerBufs {
        logits,
        probabilities,
        classes,
    }
}

impl AnswerBufs {
    /// Refuses answers that are no numbers.
    pub(super) fn check(&self, downloads: &Downloads) -> Result<(), PipelineError> {
        match downloads
            .values(self.logits)
            .iter()
            .find(|logit| !logit.is_finite())
        {
            Some(&value) => Err(PipelineError::NotFinite { value }),
            None => Ok(()),
        }
    }

    /// Logits of a row, without its padding.
    pub(super) fn logits<'a>(&self, downloads: &'a Downloads, row: usize) -> &'a [f32] {
        &downloads.values(self.logits)[row * row_stride(self.classes)..][..self.classes]
    }

    /// Probabilities of a row.
    pub(super) fn probabilities<'a>(&self, downloads: &'a Downloads, row: usize) -> &'a [f32] {
        &downloads.values(self.probabilities)[row * self.classes..][..self.classes]
    }
}

/// Classifies inputs, each as many values as the model takes, in batches the engine likes.
///
/// # Errors
/// [`PipelineError`] when the engine fails or a logit is not finite.
///
/// # Panics
/// When an input has another number of values than the model takes.
pub fn classify(
    engine: &dyn Engine,
    model: &Model,
    inputs: &[&[f32]],
) -> Result<Answers, PipelineError> {
    let width = model.input_shape().iter().product();
    let batch_rows = (engine.batch_buffer_bytes() / (4 * row_stride(model.widest_row()))).max(1);
    let mut answers = Answers::default();
    for batch in inputs.chunks(batch_rows) {
        let mut recording = Recording::new();
        let x = upload_rows(
            &mut recording,
            "classify.inputs",
            batch.iter().copied(),
            width,
        );
        let bufs = record_classify(&mut recording, x, batch.len(), model);
        let downloads = engine.run(&recording)?;
        bufs.check(&downloads)?;
        for row in 0..batch.len() {
            answers.logits.extend(bufs.logits(&downloads, row));
            answers
                .probabilities
                .extend(bufs.probabilities(&downloads, row));
        }
    }
    Ok(answers)
}

/// Uploads rows of `width` values, padded to [`row_stride`].
pub(super) fn upload_rows<'a>(
    recording: &mut Recording,
    label: &'static str,
    rows: impl ExactSizeIterator<Item = &'a [f32]>,
    width: usize,
) -> Buf<f32> {
    let stride = row_stride(width);
    let mut padded = Vec::with_capacity(rows.len() * stride);
    for row in rows {
        assert_eq!(row.len(), width, "every row has the width of the batch");
        padded.extend_from_slice(row);
        padded.resize(padded.len().next_multiple_of(stride.max(1)), 0.0);
    }
    recording.upload(label, &padded)
}
