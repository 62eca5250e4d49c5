//! Landscapes of image triples: what is prepared on the host, run on the engine in batches.

use super::batches::{Segment, in_batches, in_slots, segments};
use super::classify::{AnswerBufs, Answers, classify, input_bytes, record_classify, upload_rows};
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
use serde::{Deserialize, Serialize};
use std::ops::ControlFlow;

/// How images are morphed into grids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MorphSettings {
    /// Points a side of a landscape, at least 2.
    pub steps: usize,
    /// Feature cells a side.
    pub grid: usize,
    /// How they are morphed.
    #[serde(flatten)]
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
    let landscape_bytes = grids.row_bytes(grids.frame_bytes()) * grids.steps;
    let group = (engine.batch_buffer_bytes() / landscape_bytes).max(1);
    // A first group of one: kernels are compiled and the device wakes up on it while the host
    // prepares the next. From then on one group is prepared, or its answers are put in place, while
    // the device has another.
    let (one, rest) = jobs.split_at(1);
    let groups: Vec<&[GridJob<'_>]> = [one].into_iter().chain(rest.chunks(group)).collect();
    let landscapes = in_slots(&groups, |group| {
        let prepared = grids.prepare(group)?;
        grids.run(engine, &prepared, progress)
    })?;
    Ok(landscapes.into_iter().flatten().collect())
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

    /// Bytes to count for the frames of one row of a grid.
    fn row_bytes(&self, frame_bytes: usize) -> usize {
        frame_bytes * self.inner.len().max(1)
    }

    fn frame_bytes(&self) -> usize {
        4 * row_stride(self.frame_values)
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
        let room = engine.batch_buffer_bytes();
        let [frames_alone, classified] = [
            self.frame_bytes(),
            self.frame_bytes().max(input_bytes(self.model)),
        ]
        .map(|frame_bytes| room / self.row_bytes(frame_bytes));
        // A network whose values of one row of a grid are too many, or that the engine does not
        // run, is given the frames later, in batches of its own.
        let (rows_a_batch, when) = match classified {
            _ if self.model.runs_on_host() => (frames_alone.max(1), Classify::Apart),
            0 => (frames_alone.max(1), Classify::Apart),
            rows => (rows, Classify::Recorded),
        };
        let rows = group.len() * self.steps;
        in_batches(engine, rows, rows_a_batch, |engine, rows| {
            let batch = segments(rows.clone(), self.steps);
            let recorded = self.record(group, &batch, when);
            let downloads = engine.run(&recorded.recording)?;
            let answers = self.answers(engine, group, &batch, &recorded, &downloads)?;
            self.collect(
                &batch,
                &recorded,
                &downloads,
                &answers,
                group,
                &mut landscapes,
            );
            match progress(rows.len() * self.steps) {
                ControlFlow::Break(()) => Err(PipelineError::Interrupted),
                ControlFlow::Continue(()) => Ok(()),
            }
        })?;
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

    /// Records a batch.
    fn record<'p>(
        &'p self,
        group: &'p [Prepared<'_>],
        batch: &[Segment],
        when: Classify,
    ) -> RecordedBatch {
        let mut recording = Recording::new();
        let mut pairs = Vec::new();
        let mut host_frames: Vec<&[f32]> = Vec::new();
        let mut target = 0;
        for segment in batch {
            let rows = &group[segment.landscape].rows[segment.rows.clone()];
            pairs.extend(rows.iter().zip(target + 1..).map(|(row, left)| PairJob {
                left,
                right: target,
                mesh: &row.mesh,
            }));
            let frames = rows.iter().flat_map(|row| row.frames.iter().flatten());
            host_frames.extend(frames.map(|frame| self.classified(frame)));
            target += 1 + rows.len();
        }
        let images = self.batch_images(group, batch);
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
        let kept = self.frames == Frames::Keep && matches!(self.mode, MorphMode::Clean(_));
        if kept || when == Classify::Apart {
            recording.download(frames);
        }
        let answers = (when == Classify::Recorded).then(|| {
            [(images, count), (frames, jobs.len())]
                .map(|(x, rows)| record_classify(&mut recording, x, rows, self.model))
        });
        RecordedBatch {
            recording,
            frames,
            answers,
        }
    }

    /// The images of a batch: segment by segment, the target and then the mixes.
    fn batch_images<'p>(&'p self, group: &'p [Prepared<'_>], batch: &[Segment]) -> Vec<&'p [f32]> {
        batch
            .iter()
            .flat_map(|segment| {
                let prepared = &group[segment.landscape];
                let mixes = &prepared.rows[segment.rows.clone()];
                let mixes = mixes.iter().map(|row| self.classified(&row.mix));
                [prepared.target.levels.as_slice()].into_iter().chain(mixes)
            })
            .collect()
    }

    /// The levels of an image, or of a blank one where it failed.
    fn classified<'i>(&'i self, image: &'i Image) -> &'i [f32] {
        if image.is_failed() {
            &self.blank
        } else {
            &image.levels
        }
    }

    /// The answers to a batch's images and to its frames.
    fn answers(
        &self,
        engine: &dyn Engine,
        group: &[Prepared<'_>],
        batch: &[Segment],
        recorded: &RecordedBatch,
        downloads: &Downloads,
    ) -> Result<[Answers; 2], PipelineError> {
        if let Some([images, frames]) = &recorded.answers {
            return Ok([images.read(downloads)?, frames.read(downloads)?]);
        }
        let frames: Vec<&[f32]> = downloads
            .values(recorded.frames)
            .chunks_exact(row_stride(self.frame_values))
            .map(|row| &row[..self.frame_values])
            .collect();
        Ok([
            classify(engine, self.model, &self.batch_images(group, batch))?,
            classify(engine, self.model, &frames)?,
        ])
    }

    /// Puts a batch's answers where they belong; where a frame failed, NaN.
    fn collect(
        &self,
        batch: &[Segment],
        recorded: &RecordedBatch,
        downloads: &Downloads,
        [image_answers, frame_answers]: &[Answers; 2],
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
                        0 => (image_answers, image),
                        _ if inner => (frame_answers, frame),
                        _ => (image_answers, target),
                    };
                    landscape.logits[k * classes..][..classes]
                        .copy_from_slice(&answers.logits[row * classes..][..classes]);
                    landscape.probabilities[k * classes..][..classes]
                        .copy_from_slice(&answers.probabilities[row * classes..][..classes]);
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
    /// Of the images and of the frames, if they are classified in the recording.
    answers: Option<[AnswerBufs; 2]>,
}

/// When frames are classified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Classify {
    /// Where they are made: they need not come back.
    Recorded,
    /// By themselves, in batches of the model's own.
    Apart,
}
