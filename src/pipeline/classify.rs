//! Rows of values through a model.

use super::PipelineError;
use super::batches::in_batches;
use crate::engine::Engine;
#[cfg(feature = "onnx")]
use crate::engine::cpu::CpuEngine;
use crate::kernels::{Buf, Downloads, Recording, row_stride};
use crate::model::Model;
#[cfg(feature = "onnx")]
use crate::model::{Network, OnnxNetwork};

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

/// Appends the steps of a model to a recording: `x` is `[rows, row_stride(inputs)]`.
pub(super) fn record_classify(
    recording: &mut Recording,
    x: Buf<f32>,
    rows: usize,
    model: &Model,
) -> AnswerBufs {
    let logits = model.record(recording, x, rows);
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
    /// The answers themselves, refused when they are no numbers.
    pub(super) fn read(&self, downloads: &Downloads) -> Result<Answers, PipelineError> {
        let logits = downloads.values(self.logits);
        if let Some(&value) = logits.iter().find(|logit| !logit.is_finite()) {
            return Err(PipelineError::NotFinite { value });
        }
        let rows = logits.chunks_exact(row_stride(self.classes));
        Ok(Answers {
            logits: rows.flat_map(|row| &row[..self.classes]).copied().collect(),
            probabilities: downloads.values(self.probabilities).to_vec(),
        })
    }
}

/// All buffers of a recording together hold at most as many times the largest.
const BUFFERS_A_RECORDING: usize = 4;

/// Bytes to count for each input of a recording that classifies: of the largest buffer, or of
/// all of them by [`BUFFERS_A_RECORDING`], since the GPU engine holds all at once.
pub(super) fn input_bytes(model: &Model) -> usize {
    let share = model.total_width().div_ceil(BUFFERS_A_RECORDING);
    4 * row_stride(model.widest_row().max(share))
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
    #[cfg(feature = "onnx")]
    if let Network::Onnx(network) = model.network() {
        return classify_on_host(network, inputs);
    }
    let width = model.input_shape().iter().product();
    let batch_rows = (engine.batch_buffer_bytes() / input_bytes(model)).max(1);
    let mut answers = Answers::default();
    in_batches(engine, inputs.len(), batch_rows, |engine, batch| {
        let mut recording = Recording::new();
        let rows = inputs[batch].iter().copied();
        let count = rows.len();
        let x = upload_rows(&mut recording, "classify.inputs", rows, width);
        let bufs = record_classify(&mut recording, x, count, model);
        let downloads = engine.run(&recording)?;
        let read = bufs.read(&downloads)?;
        answers.logits.extend(read.logits);
        answers.probabilities.extend(read.probabilities);
        Ok(())
    })?;
    Ok(answers)
}

/// The answers of a network that a library runs; their softmax is the kernel's.
#[cfg(feature = "onnx")]
fn classify_on_host(network: &OnnxNetwork, inputs: &[&[f32]]) -> Result<Answers, PipelineError> {
    let classes = network.num_classes();
    let logits = network.logits(&inputs.concat())?;
    let mut recording = Recording::new();
    let rows = logits.chunks_exact(classes);
    let padded = upload_rows(&mut recording, "classify.logits", rows, classes);
    let probabilities = recording.softmax(padded, inputs.len(), classes);
    recording.download(padded);
    recording.download(probabilities);
    let bufs = AnswerBufs {
        logits: padded,
        probabilities,
        classes,
    };
    bufs.read(&CpuEngine::new().run(&recording)?)
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
