//! Landscapes of image triples: what is prepared on the host, run on the engine in batches.

use super::PipelineError;
use super::again::classify_again;
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
    let mut all = compute_landscapes_of(engine, &[model], settings, jobs, frames, progress)?;
    Ok(all.pop().unwrap_or_default())
}

/// The same for several models, a list of landscapes each. What stands between three images is
/// morphed once, whoever is asked: kernels are given it where it was made, and only where the host
/// runs a network beside another does it come back to be asked again. The first model's landscapes
/// alone keep frames. `progress` is told of each frame once a model.
///
/// # Errors
/// As [`compute_landscapes`].
pub fn compute_landscapes_of(
    engine: &dyn Engine,
    models: &[&dyn Classifier],
    settings: &MorphSettings,
    jobs: &[GridJob<'_>],
    frames: Frames,
    progress: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
) -> Result<Vec<Vec<Landscape>>, PipelineError> {
    let Some(first) = jobs.first() else {
        return Ok(vec![Vec::new(); models.len()]);
    };
    let shape = first.a.shape();
    for model in models {
        check_image_shape(model.input_shape(), shape)?;
    }
    for (number, job) in jobs.iter().enumerate() {
        for (name, image) in job.images() {
            check_image(image, shape, || {
                format!("image {name} of landscape {number}")
            })?;
        }
    }
    let by_kernels: Vec<(usize, &Steps)> = (models.iter().enumerate())
        .filter_map(|(n, model)| match model.network() {
            Network::Steps(steps) => Some((n, steps)),
            Network::Host(_) => None,
        })
        .collect();
    // Of networks that the host runs, one is asked as its frames are made if nobody else is.
    let asked: Vec<usize> = match by_kernels.is_empty() {
        true => vec![0],
        false => by_kernels.iter().map(|&(n, _)| n).collect(),
    };
    let again = asked.len() < models.len();
    let grids = Grids {
        grid: Grid::new(settings, shape)?,
        frames: if again { Frames::Keep } else { frames },
    };
    let grid = &grids.grid;
    let landscape_bytes = grid.row_bytes(grid.frame_bytes()) * grid.steps;
    let group = (engine.batch_buffer_bytes() / landscape_bytes).max(1);
    // A first group of one: kernels are compiled and the device wakes up on it while the host
    // prepares the next. From then on one group is prepared, or its answers are put in place, while
    // the device has another.
    let (one, rest) = jobs.split_at(1);
    let groups: Vec<&[GridJob<'_>]> = [one].into_iter().chain(rest.chunks(group)).collect();
    let finished: Vec<(Landscape, Vec<Answers>)> = match models[asked[0]].network() {
        Network::Steps(_) => {
            let networks: Vec<&Steps> = by_kernels.iter().map(|&(_, steps)| steps).collect();
            let groups = in_slots(&groups, |group| {
                let prepared = grid.prepare(group)?;
                grids.classify(engine, &networks, &prepared, progress)
            })?;
            groups.into_iter().flatten().collect()
        }
        Network::Host(network) => {
            let make = |group: &[GridJob<'_>], hand_on: &HandOn<'_>| {
                let prepared = grid.prepare(group)?;
                grids.hand_on(engine, &prepared, hand_on)
            };
            let found = ask_for_groups(network, grid.num_points(), &groups, make, progress)?;
            let one = found
                .into_iter()
                .map(|(made, answers)| (made, vec![answers]));
            one.collect()
        }
    };
    let (made, mut answers): (Vec<Landscape>, Vec<_>) = finished
        .into_iter()
        .map(|(made, answers)| (made, answers.into_iter()))
        .unzip();
    let mut all: Vec<Vec<Landscape>> = Vec::with_capacity(models.len());
    for (n, model) in models.iter().enumerate() {
        all.push(match asked.contains(&n) {
            true => (made.iter().zip(&mut answers))
                .map(|(made, answers)| {
                    let answers = answers.next().expect("each network that is asked answers");
                    answered(made, model.num_classes(), answers)
                })
                .collect(),
            false => {
                let again = classify_again(engine, *model, &made)?;
                if progress(made.len() * grid.num_points()).is_break() {
                    return Err(PipelineError::Interrupted);
                }
                again
            }
        });
    }
    if let (Frames::Keep, Some(first)) = (frames, all.first_mut()) {
        for (landscape, made) in first.iter_mut().zip(made) {
            landscape.inputs = made.inputs;
        }
    }
    Ok(all)
}

/// A landscape with a model's answers and without inputs.
fn answered(made: &Landscape, num_classes: usize, answers: Answers) -> Landscape {
    Landscape {
        kind: made.kind,
        steps: made.steps,
        num_classes,
        logits: answers.logits,
        probabilities: answers.probabilities,
        inputs: None,
        morph: made.morph.clone(),
        flat: made.flat.clone(),
    }
}

/// The grids of a job, and what is wanted of them.
struct Grids {
    grid: Grid,
    frames: Frames,
}

impl Grids {
    /// Runs a group's grids, in as many batches of rows as the engine's buffers make of it, and
    /// classifies their inputs by the kernels of each network: a list of its answers a landscape.
    fn classify(
        &self,
        engine: &dyn Engine,
        networks: &[&Steps],
        group: &[Prepared<'_>],
        progress: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
    ) -> Result<Vec<(Landscape, Vec<Answers>)>, PipelineError> {
        let mut landscapes = self.unanswered(group);
        let points = self.grid.num_points();
        let unknown = networks
            .iter()
            .map(|steps| Answers::unknown(points * steps.num_classes()));
        let mut answers = vec![unknown.collect::<Vec<_>>(); group.len()];
        // Networks whose values of one row of a grid are too many are given the frames later, in
        // batches of their own: they come back, and a batch's memory is theirs alone.
        let frame_bytes = self.grid.frame_bytes();
        let (rows_a_batch, wanted) =
            match self.rows_a_batch(engine, frame_bytes.max(input_bytes(networks))) {
                0 => (
                    self.rows_a_batch(engine, frame_bytes).max(1),
                    Wanted::Frames,
                ),
                rows if self.keeps_made_frames() => (rows, Wanted::Both(networks)),
                rows => (rows, Wanted::Answers(networks)),
            };
        let rows = group.len() * self.grid.steps;
        in_batches(engine, rows, rows_a_batch, |engine, rows| {
            let batch = Batch::new(&self.grid, group, rows);
            let recorded = batch.record(wanted);
            let downloads = engine.run(&recorded.recording)?;
            for (n, steps) in networks.iter().enumerate() {
                let mut put = |points: Points, answer: (&[f32], &[f32])| {
                    answers[points.landscape][n].put(points, answer);
                };
                if let Some([images, frames]) = recorded.answers.get(n) {
                    let [images, frames] = [images.read(&downloads)?, frames.read(&downloads)?];
                    let rows = [&images, &frames].map(|answers| answers.rows(steps.num_classes()));
                    for (points, answer) in batch.points().zip(rows.into_iter().flatten()) {
                        if let Some(points) = points {
                            put(points, answer);
                        }
                    }
                } else {
                    let (inputs, points): (Vec<&[f32]>, Vec<Points>) =
                        batch.whole_inputs(Some((&recorded, &downloads))).unzip();
                    let found = classify_by_steps(engine, steps, &inputs)?;
                    let found = found.rows(steps.num_classes());
                    for (points, answer) in points.into_iter().zip(found) {
                        put(points, answer);
                    }
                }
            }
            if self.frames == Frames::Keep {
                keep_inputs(&mut landscapes, batch.inputs(Some((&recorded, &downloads))));
            }
            match progress(batch.num_points() * networks.len()) {
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

    /// A group's landscapes without any answers.
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
                num_classes: 0,
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
