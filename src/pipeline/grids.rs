//! Landscapes of image triples: what is prepared on the host, run on the engine in batches.

use super::classify::{AnswerBufs, record_classify, upload_rows};
use super::prepare::Prepared;
use super::{MorphMode, PipelineError};
use crate::data::Image;
use crate::engine::Engine;
use crate::kernels::{
    Buf, Downloads, FrameJob, PairJob, Recording, Sampling, WarpGeometry, row_stride,
};
use crate::landscape::{GridMeshes, Landscape};
use crate::mesh::lattice_scale;
use crate::model::Model;
use std::ops::{ControlFlow, Range};

/// How images are morphed into grids.
#[derive(Debug, Clone, Copy)]
pub struct MorphSettings {
    /// Points a side of a landscape, at least 2.
    pub steps: usize,
    /// Feature cells a side.
    pub grid: usize,
    /// How they are morphed.
    pub mode: MorphMode,
}

/// The three images of a landscape, all of one shape.
#[derive(Debug, Clone, Copy)]
pub struct GridJob<'a> {
    /// A and B are mixed.
    pub a: &'a Image,
    /// A and B are mixed.
    pub b: &'a Image,
    /// The mixes go into C.
    pub c: &'a Image,
}

/// Whether the frames themselves are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frames {
    /// Only the answers come back.
    Drop,
    /// The frames come back, too: `steps * steps` images a landscape.
    Keep,
}

/// Computes a landscape for each job, in order. `progress` is told the number of frames that
/// have just been finished and may stop the job.
///
/// # Errors
/// [`PipelineError`] when an image has no feature points, the engine fails, or `progress` says
/// [`ControlFlow::Break`].
///
/// # Panics
/// When images differ in shape, do not fit the model, or `steps` is below 2.
pub fn compute_landscapes(
    engine: &dyn Engine,
    model: &Model,
    settings: &MorphSettings,
    jobs: &[GridJob<'_>],
    frames: Frames,
    progress: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
) -> Result<Vec<Landscape>, PipelineError> {
    let Some(first) = jobs.first() else {
        return Ok(Vec::new());
    };
    let grids = Grids::new(model, settings, first.a.shape(), frames);
    let group = (engine.batch_buffer_bytes() / grids.landscape_bytes()).max(1);
    // A first group of one: kernels are compiled and the device wakes up on it while the host
    // prepares the next.
    let (one, rest) = jobs.split_at(1);
    let groups: Vec<&[GridJob<'_>]> = [one].into_iter().chain(rest.chunks(group)).collect();
    let mut landscapes = Vec::with_capacity(jobs.len());
    let mut prepared = Some(grids.prepare(groups[0])?);
    for n in 0..groups.len() {
        let current = prepared.take().expect("prepared in the round before");
        // The host prepares the next group while the engine runs this one.
        let (done, next) = rayon::join(
            || grids.run(engine, &current, progress),
            || {
                groups
                    .get(n + 1)
                    .map(|group| grids.prepare(group))
                    .transpose()
            },
        );
        landscapes.extend(done?);
        prepared = next?;
    }
    Ok(landscapes)
}

/// What all landscapes of a job share.
pub(super) struct Grids<'a> {
    model: &'a Model,
    pub(super) steps: usize,
    pub(super) grid: usize,
    pub(super) mode: MorphMode,
    pub(super) shape: [usize; 3],
    pub(super) scale: i32,
    /// Values a frame.
    pub(super) frame_values: usize,
    /// The alphas strictly inside a path.
    pub(super) alphas: Vec<f64>,
    /// The same as frame jobs of pair 0.
    pub(super) inner: Vec<FrameJob>,
    frames: Frames,
    /// What the engine classifies in the place of a frame that failed.
    blank: Vec<f32>,
}

/// Rows `rows` of landscape `landscape` of a group.
struct Segment {
    landscape: usize,
    rows: Range<usize>,
}

impl<'a> Grids<'a> {
    fn new(model: &'a Model, settings: &MorphSettings, shape: [usize; 3], frames: Frames) -> Self {
        let steps = settings.steps;
        assert!(steps >= 2, "a grid has its two ends");
        let alphas: Vec<f64> = (1..steps - 1)
            .map(|i| i as f64 / (steps - 1) as f64)
            .collect();
        let scale = lattice_scale(shape[1], shape[0], &alphas);
        Self {
            model,
            steps,
            grid: settings.grid,
            mode: settings.mode,
            shape,
            scale,
            frame_values: shape.iter().product(),
            blank: vec![0.0; shape.iter().product()],
            inner: alphas
                .iter()
                .map(|&alpha| FrameJob::new(0, alpha))
                .collect(),
            alphas,
            frames,
        }
    }

    /// The largest buffer that one row of a grid needs: its frames, or a layer's values of them.
    fn row_bytes(&self) -> usize {
        let widest = self.frame_values.max(self.model.widest_row());
        4 * row_stride(widest) * self.inner.len().max(1)
    }

    fn landscape_bytes(&self) -> usize {
        self.row_bytes() * self.steps
    }

    /// Frame jobs for pairs `0..pairs`, pair by pair.
    pub(super) fn frame_jobs(&self, pairs: usize) -> Vec<FrameJob> {
        (0..pairs as u32)
            .flat_map(|pair| self.inner.iter().map(move |job| FrameJob { pair, ..*job }))
            .collect()
    }

    pub(super) fn geometry(&self, sampling: Sampling) -> WarpGeometry {
        WarpGeometry {
            shape: self.shape,
            scale: self.scale,
            sampling,
        }
    }

    /// Runs a group's grids, in as many batches of rows as the engine's buffers make of it.
    fn run(
        &self,
        engine: &dyn Engine,
        group: &[Prepared<'_>],
        progress: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
    ) -> Result<Vec<Landscape>, PipelineError> {
        let mut landscapes: Vec<Landscape> = group
            .iter()
            .map(|prepared| self.empty_landscape(prepared))
            .collect();
        let rows_a_batch = (engine.batch_buffer_bytes() / self.row_bytes()).max(1);
        for batch in cut_into_batches(group.len(), self.steps, rows_a_batch) {
            let recorded = self.record(group, &batch);
            let downloads = engine.run(&recorded.recording)?;
            recorded.image_answers.check(&downloads)?;
            recorded.frame_answers.check(&downloads)?;
            self.collect(&batch, &recorded, &downloads, group, &mut landscapes);
            let rows: usize = batch.iter().map(|segment| segment.rows.len()).sum();
            if progress(rows * self.steps).is_break() {
                return Err(PipelineError::Interrupted);
            }
        }
        Ok(landscapes)
    }

    fn empty_landscape(&self, prepared: &Prepared<'_>) -> Landscape {
        let (frames, classes) = (self.steps * self.steps, self.model.num_classes());
        let mut counts = prepared.counts;
        for row in &prepared.rows {
            counts += row.counts;
        }
        Landscape {
            steps: self.steps,
            num_classes: classes,
            logits: vec![0.0; frames * classes],
            probabilities: vec![0.0; frames * classes],
            inputs: (self.frames == Frames::Keep).then(|| vec![0.0; frames * self.frame_values]),
            morph: Some(GridMeshes {
                counts,
                a_to_b: prepared.mesh.clone(),
                mix_to_c: prepared.rows[(self.steps - 1) / 2].mesh.clone(),
            }),
        }
    }

    /// Records a batch. Its images are, segment by segment, the target and then the mixes.
    fn record<'p>(&'p self, group: &'p [Prepared<'_>], batch: &[Segment]) -> RecordedBatch {
        let mut recording = Recording::new();
        let mut images: Vec<&[f32]> = Vec::new();
        let mut pairs = Vec::new();
        let mut host_frames: Vec<&[f32]> = Vec::new();
        for segment in batch {
            let prepared = &group[segment.landscape];
            let target = images.len();
            images.push(&prepared.target.levels);
            for row in &prepared.rows[segment.rows.clone()] {
                pairs.push(PairJob {
                    left: images.len(),
                    right: target,
                    mesh: &row.mesh,
                });
                images.push(self.classified(&row.mix));
                let frames = row.frames.iter().flatten();
                host_frames.extend(frames.map(|frame| self.classified(frame)));
            }
        }
        let count = images.len();
        let images = upload_rows(
            &mut recording,
            "grid.images",
            images.into_iter(),
            self.frame_values,
        );
        let jobs = self.frame_jobs(pairs.len());
        let frames = match self.mode {
            MorphMode::Clean(sampling) => {
                recording.warp(images, count, &self.geometry(sampling), &pairs, &jobs)
            }
            _ => upload_rows(
                &mut recording,
                "grid.frames",
                host_frames.into_iter(),
                self.frame_values,
            ),
        };
        if self.frames == Frames::Keep && matches!(self.mode, MorphMode::Clean(_)) {
            recording.download(frames);
        }
        let image_answers = record_classify(&mut recording, images, count, self.model);
        let frame_answers = record_classify(&mut recording, frames, jobs.len(), self.model);
        RecordedBatch {
            recording,
            frames,
            image_answers,
            frame_answers,
        }
    }

    /// The levels of an image, or of a blank one where it failed.
    fn classified<'i>(&'i self, image: &'i Image) -> &'i [f32] {
        if image.is_failed() {
            &self.blank
        } else {
            &image.levels
        }
    }

    /// Puts a batch's answers where they belong; where a frame failed, NaN.
    fn collect(
        &self,
        batch: &[Segment],
        recorded: &RecordedBatch,
        downloads: &Downloads,
        group: &[Prepared<'_>],
        landscapes: &mut [Landscape],
    ) {
        let mut image = 0;
        let mut frame = 0;
        let classes = self.model.num_classes();
        for segment in batch {
            let target = image;
            let prepared = &group[segment.landscape];
            let landscape = &mut landscapes[segment.landscape];
            for i in segment.rows.clone() {
                image += 1;
                for j in 0..self.steps {
                    let k = i * self.steps + j;
                    let inner = j > 0 && j + 1 < self.steps;
                    let (answers, row) = match j {
                        0 => (&recorded.image_answers, image),
                        _ if inner => (&recorded.frame_answers, frame),
                        _ => (&recorded.image_answers, target),
                    };
                    landscape.logits[k * classes..][..classes]
                        .copy_from_slice(answers.logits(downloads, row));
                    landscape.probabilities[k * classes..][..classes]
                        .copy_from_slice(answers.probabilities(downloads, row));
                    let row = &prepared.rows[i];
                    if row.has_failed(j) {
                        landscape.logits[k * classes..][..classes].fill(f32::NAN);
                        landscape.probabilities[k * classes..][..classes].fill(f32::NAN);
                    }
                    if let Some(kept) = &mut landscape.inputs {
                        let levels = match (j, &row.frames) {
                            (0, _) => &row.mix.levels,
                            (_, Some(frames)) if inner => &frames[j - 1].levels,
                            (_, None) if inner => &downloads.values(recorded.frames)
                                [frame * row_stride(self.frame_values)..][..self.frame_values],
                            _ => &prepared.target.levels[..],
                        };
                        kept[k * self.frame_values..][..self.frame_values].copy_from_slice(levels);
                    }
                    frame += usize::from(inner);
                }
            }
            image += 1;
        }
    }
}

struct RecordedBatch {
    recording: Recording,
    frames: Buf<f32>,
    image_answers: AnswerBufs,
    frame_answers: AnswerBufs,
}

/// Cuts the rows of `landscapes` grids into batches of at most `rows_a_batch`, in order.
fn cut_into_batches(landscapes: usize, steps: usize, rows_a_batch: usize) -> Vec<Vec<Segment>> {
    let total = landscapes * steps;
    (0..total)
        .step_by(rows_a_batch)
        .map(|start| {
            let end = (start + rows_a_batch).min(total);
            (start / steps..=(end - 1) / steps)
                .map(|landscape| {
                    let offset = landscape * steps;
                    Segment {
                        landscape,
                        rows: start.max(offset) - offset..end.min(offset + steps) - offset,
                    }
                })
                .collect()
        })
        .collect()
}
