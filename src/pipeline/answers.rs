//! A model's answers: recorded, read back, checked.

use super::PipelineError;
use super::places::Points;
use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::kernels::{BUDGET, Buf, Downloads, Recording, row_stride};
use crate::model::{Link, Steps};

/// A model's answers to some inputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answers {
    /// Logits `[rows, classes]`.
    pub logits: Vec<f32>,
    /// Probabilities `[rows, classes]`.
    pub probabilities: Vec<f32>,
}

impl Answers {
    /// So many logits and probabilities that are not known yet, or never will be: NaN.
    pub(super) fn unknown(values: usize) -> Self {
        Self {
            logits: vec![f32::NAN; values],
            probabilities: vec![f32::NAN; values],
        }
    }

    /// Logits and probabilities of each input.
    pub(super) fn rows(&self, classes: usize) -> impl Iterator<Item = (&[f32], &[f32])> {
        let probabilities = self.probabilities.chunks_exact(classes);
        self.logits.chunks_exact(classes).zip(probabilities)
    }

    /// The answers of grids that follow each other, each so many logits and probabilities.
    pub(super) fn chunks(&self, values: usize) -> impl Iterator<Item = Self> {
        self.rows(values).map(|(logits, probabilities)| Self {
            logits: logits.to_vec(),
            probabilities: probabilities.to_vec(),
        })
    }

    /// Puts the answers to one input at all its points.
    pub(super) fn put(&mut self, points: Points, (logits, probabilities): (&[f32], &[f32])) {
        points.put(logits, &mut self.logits);
        points.put(probabilities, &mut self.probabilities);
    }
}

/// Where a recording leaves a model's answers.
#[derive(Clone, Copy)]
pub(super) struct AnswerBufs {
    logits: Buf<f32>,
    probabilities: Buf<f32>,
    /// Values between the starts of two rows of probabilities.
    stride: usize,
    classes: usize,
}

/// Appends the steps of a model to a recording: `x` is `[rows, row_stride(inputs)]`.
pub(super) fn record_classify(
    recording: &mut Recording,
    x: Buf<f32>,
    rows: usize,
    steps: &Steps,
) -> AnswerBufs {
    let logits = steps.record(recording, x, rows);
    record_probabilities(recording, logits, rows, steps.num_classes(), steps.link())
}

/// Appends probabilities of logits `[rows, row_stride(classes)]`.
fn record_probabilities(
    recording: &mut Recording,
    logits: Buf<f32>,
    rows: usize,
    classes: usize,
    link: Link,
) -> AnswerBufs {
    let (probabilities, stride) = link.record(recording, logits, rows, classes);
    recording.download(logits);
    recording.download(probabilities);
    AnswerBufs {
        logits,
        probabilities,
        stride,
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
        let unpadded = |values: &[f32], stride: usize| -> Vec<f32> {
            let rows = values.chunks_exact(stride);
            let mut unpadded = Vec::with_capacity(rows.len() * self.classes);
            rows.for_each(|row| unpadded.extend_from_slice(&row[..self.classes]));
            unpadded
        };
        Ok(Answers {
            logits: unpadded(logits, row_stride(self.classes)),
            probabilities: unpadded(downloads.values(self.probabilities), self.stride),
        })
    }
}

/// Bytes to count for each input of a recording that classifies by some networks: of the largest
/// buffer, or of all of them by [`BUDGET`], since the GPU engine holds all at once.
pub(super) fn input_bytes(networks: &[&Steps]) -> usize {
    let total: usize = networks.iter().map(|steps| steps.total_width()).sum();
    let share = total.div_ceil(BUDGET.buffers_a_recording);
    let widest = networks.iter().map(|steps| steps.widest_row()).max();
    4 * row_stride(widest.unwrap_or(0).max(share))
}

/// Logits `[rows, classes]` with their probabilities, which are the kernels' twins' whoever gave
/// them.
pub(super) fn with_probabilities(
    logits: &[f32],
    classes: usize,
    link: Link,
) -> Result<Answers, PipelineError> {
    let mut recording = Recording::new();
    let rows = logits.chunks_exact(classes);
    let count = rows.len();
    let padded = upload_rows(&mut recording, "classify.logits", rows, classes);
    let bufs = record_probabilities(&mut recording, padded, count, classes, link);
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
