//! Landscapes of image triples: what is prepared on the host, run on the engine in batches.

use super::PipelineError;
use super::answers::{Answers, input_bytes};
use super::batches::{in_batches, in_slots};
use super::classify::classify_by_steps;
use super::grid::{Grid, GridJob, MorphSettings, check_image};
use super::grid_batch::{Batch, Wanted};
use super::host::{HandOn, Part, ask_for_groups};
use super::mode::MorphMode;
use super::places::Points;
use super::prepare::Prepared;
use crate::engine::Engine;
use crate::landscape::{GridKind, GridMeshes, Landscape};
use crate::model::{Classifier, Network, Steps, check_image_shape};
use std::ops::ControlFlow;

/// Whether the frames themselves are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frames {
    /// Only the answers come back.
    Drop,
    /// The frames come back, too: `steps * steps` images a landscape.
    Keep,
}

/// Computes a landscape for each job, in order. `progress` is told the number of frames that
/// have just been finished, now and then none, and may stop the job.
///
/// A network that the host runs ([`Network::Host`]) is asked from the calling thread alone, and
/// that is where `progress` is called then.
///
/// # Errors
/// [`PipelineError`] when images differ in shape, do not fit the model or have no feature points,
/// `steps` is below 2, the engine or the network fails, or `progress` says [`ControlFlow::Break`].
pub fn compute_landscapes(
    engine: &dyn Engine,
    model: &dyn Classifier,
    settings: &MorphSettings,
    jobs: &[GridJob<'_>],
    frames: Frames,
    progress: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
) -> Result<Vec<Landscape>, PipelineError> {
    let Some(first) = jobs.first() else {
        return Ok(Vec::new());
    };
    let shape = first.a.shape();
    check_image_shape(model.input_shape(), shape)?;
    for (number, job) in jobs.iter().enumerate() {
        for (name, image) in job.images() {
            check_image(image, shape, || {
                format!("image {name} of landscape {number}")
            })?;
        }
    }
    let grids = Grids {
        grid: Grid::new(settings, shape)?,
        num_classes: model.num_classes(),
        frames,
    };
    let grid = &grids.grid;
    let landscape_bytes = grid.row_bytes(grid.frame_bytes()) * grid.steps;
    let group = (engine.batch_buffer_bytes() / landscape_bytes).max(1);
    // A first group of one: kernels are compiled and the device wakes up on it while the host
    // prepares the next. From then on one group is prepared, or its answers are put in place, while
    // the device has another.
    let (one, rest) = jobs.split_at(1);
    let groups: Vec<&[GridJob<'_>]> = [one].into_iter().chain(rest.chunks(group)).collect();
    let finished = match model.network() {
        Network::Steps(steps) => {
            let groups = in_slots(&groups, |group| {
                let prepared = grid.prepare(group)?;
                grids.classify(engine, steps, &prepared, progress)
            })?;
            groups.into_iter().flatten().collect()
        }
        Network::Host(network) => {
            let make = |group: &[GridJob<'_>], hand_on: &HandOn<'_>| {
                let prepared = grid.prepare(group)?;
                grids.hand_on(engine, &prepared, hand_on)
            };
            ask_for_groups(network, grid.num_points(), &groups, make, progress)?
        }
    };
    let landscapes = finished.into_iter().map(|(landscape, answers)| Landscape {
        logits: answers.logits,
        probabilities: answers.probabilities,
        ..landscape
    });
    Ok(landscapes.collect())
}

/// The grids of a job, and what is wanted of them.
struct Grids {
    grid: Grid,
    num_classes: usize,
    frames: Frames,
}

impl Grids {
    /// Runs a group's grids, in as many batches of rows as the engine's buffers make of it, and
    /// classifies their inputs by kernels.
    fn classify(
        &self,
        engine: &dyn Engine,
        steps: &Steps,
        group: &[Prepared<'_>],
        progress: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
    ) -> Result<Vec<(Landscape, Answers)>, PipelineError> {
        let mut landscapes = self.unanswered(group);
        let unknown = Answers::unknown(self.grid.num_points() * self.num_classes);
        let mut answers = vec![unknown; group.len()];
        // A network whose values of one row of a grid are too many is given the frames later, in
        // batches of its own: they come back, and a batch's memory is theirs alone.
        let frame_bytes = self.grid.frame_bytes();
        let (rows_a_batch, wanted) =
            match self.rows_a_batch(engine, frame_bytes.max(input_bytes(steps))) {
                0 => (
                    self.rows_a_batch(engine, frame_bytes).max(1),
                    Wanted::Frames,
                ),
                rows if self.keeps_made_frames() => (rows, Wanted::Both(steps)),
                rows => (rows, Wanted::Answers(steps)),
            };
        let rows = group.len() * self.grid.steps;
        in_batches(engine, rows, rows_a_batch, |engine, rows| {
            let batch = Batch::new(&self.grid, group, rows);
            let recorded = batch.record(wanted);
            let downloads = engine.run(&recorded.recording)?;
            let mut put = |points: Points, answer: (&[f32], &[f32])| {
                answers[points.landscape].put(points, answer);
            };
            if let Some([images, frames]) = &recorded.answers {
                let [images, frames] = [images.read(&downloads)?, frames.read(&downloads)?];
                let rows = [&images, &frames].map(|answers| answers.rows(self.num_classes));
                for (points, answer) in batch.points().zip(rows.into_iter().flatten()) {
                    if let Some(points) = points {
                        put(points, answer);
                    }
                }
            } else {
                let (inputs, points): (Vec<&[f32]>, Vec<Points>) =
                    batch.whole_inputs(Some((&recorded, &downloads))).unzip();
                let found = classify_by_steps(engine, steps, &inputs)?;
                for (points, answer) in points.into_iter().zip(found.rows(self.num_classes)) {
                    put(points, answer);
                }
            }
            if self.frames == Frames::Keep {
                keep_inputs(&mut landscapes, batch.inputs(Some((&recorded, &downloads))));
            }
            match progress(batch.num_points()) {
                ControlFlow::Break(()) => Err(PipelineError::Interrupted),
                ControlFlow::Continue(()) => Ok(()),
            }
        })?;
        Ok(landscapes.into_iter().zip(answers).collect())
    }

    /// Makes a group's inputs, in as many batches of rows as the engine's buffers make of it, and
    /// hands them on to a network that the host runs.
    fn hand_on(
        &self,
        engine: &dyn Engine,
        group: &[Prepared<'_>],
        hand_on: &HandOn<'_>,
    ) -> Result<Vec<Landscape>, PipelineError> {
        let mut landscapes = self.unanswered(group);
        let rows_a_batch = self.rows_a_batch(engine, self.grid.frame_bytes()).max(1);
        let rows = group.len() * self.grid.steps;
        in_batches(engine, rows, rows_a_batch, |engine, rows| {
            let batch = Batch::new(&self.grid, group, rows);
            // In other modes than clean all frames are there.
            let back = match self.grid.mode {
                MorphMode::Clean(_) => {
                    let recorded = batch.record(Wanted::Frames);
                    let downloads = engine.run(&recorded.recording)?;
                    Some((recorded, downloads))
                }
                _ => None,
            };
            let back = back
                .as_ref()
                .map(|(recorded, downloads)| (recorded, downloads));
            if self.frames == Frames::Keep {
                keep_inputs(&mut landscapes, batch.inputs(back));
            }
            let (inputs, points): (Vec<&[f32]>, Vec<Points>) = batch.whole_inputs(back).unzip();
            let asked: usize = points.iter().map(|points| points.count).sum();
            hand_on(Part {
                values: inputs.concat(),
                points,
                failed: batch.num_points() - asked,
            })
        })?;
        Ok(landscapes)
    }

    /// Rows of grids a batch, where each frame takes so many bytes of its largest buffer.
    fn rows_a_batch(&self, engine: &dyn Engine, frame_bytes: usize) -> usize {
        engine.batch_buffer_bytes() / self.grid.row_bytes(frame_bytes)
    }

    /// Whether frames are kept that the engine makes.
    fn keeps_made_frames(&self) -> bool {
        self.frames == Frames::Keep && matches!(self.grid.mode, MorphMode::Clean(_))
    }

    /// A group's landscapes without their answers.
    fn unanswered(&self, group: &[Prepared<'_>]) -> Vec<Landscape> {
        let landscape = |prepared: &Prepared<'_>| {
            let mut counts = prepared.counts;
            for row in &prepared.rows {
                counts += row.counts;
            }
            let values = self.grid.num_points() * self.grid.frame_values;
            Landscape {
                kind: GridKind::of_mode(self.grid.mode.name()),
                steps: self.grid.steps,
                num_classes: self.num_classes,
                logits: Vec::new(),
                probabilities: Vec::new(),
                inputs: (self.frames == Frames::Keep).then(|| vec![0.0; values]),
                morph: Some(GridMeshes {
                    counts,
                    a_to_b: prepared.mesh.clone(),
                    mix_to_c: prepared.rows[(self.grid.steps - 1) / 2].mesh.clone(),
                }),
                flat: None,
            }
        };
        group.iter().map(landscape).collect()
    }
}

/// Puts inputs at their points of the landscapes that keep them.
fn keep_inputs<'a>(
    landscapes: &mut [Landscape],
    inputs: impl Iterator<Item = (&'a [f32], Points)>,
) {
    for (levels, points) in inputs {
        if let Some(kept) = &mut landscapes[points.landscape].inputs {
            points.put(levels, kept);
        }
    }
}
