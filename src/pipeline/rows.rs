//! Landscapes of rows of measurements: every point of the grid is a mix of three rows.

use super::PipelineError;
use super::answers::Answers;
use super::batches::in_slots;
use super::classify::{check_width, classify_by_steps, input_width};
use super::grid::check_steps;
use super::host::{HandOn, Part, ask_for_groups};
use super::places::Points;
use crate::engine::Engine;
use crate::kernels::BUDGET;
use crate::landscape::{GridKind, Landscape};
use crate::model::{Classifier, Network};
use rayon::prelude::*;
use std::ops::ControlFlow;

/// The three rows of a landscape, each one value a feature.
#[derive(Debug, Clone, Copy)]
pub struct RowJob<'a> {
    /// A and B are mixed.
    pub a: &'a [f32],
    /// A and B are mixed.
    pub b: &'a [f32],
    /// The mixes go into C.
    pub c: &'a [f32],
}

/// Computes a landscape for each job, in order: `row(i, j) = (1-t)*((1-s)*a + s*b) + t*c` with
/// `s = i/(steps-1)` and `t = j/(steps-1)`, mixed in 64-bit floats and rounded once. The rows
/// are kept as the landscape's inputs, `[steps, steps, features]`. `progress` is told the number
/// of rows that have just been finished, now and then none, and may stop the job. A network that
/// the host runs ([`Network::Host`]) is asked from the calling thread alone.
///
/// ```
/// use morphscape::{data, engine::cpu::CpuEngine, model, pipeline};
/// use std::ops::ControlFlow;
///
/// let table = data::iris();
/// let model = model::bundled_table_model("iris").expect("a bundled model");
/// let job = pipeline::RowJob { a: table.row(0), b: table.row(50), c: table.row(100) };
/// let go_on = |_rows: usize| ControlFlow::Continue(());
/// let landscapes =
///     pipeline::interpolate_rows(&CpuEngine::new(), &model, 11, &[job], &go_on)?;
/// assert_eq!(landscapes[0].num_frames(), 121);
/// let label = landscapes[0].label(0).expect("rows never fail");
/// assert_eq!(table.classes()[label], "setosa");
/// # Ok::<(), pipeline::PipelineError>(())
/// ```
///
/// # Errors
/// [`PipelineError`] when a row has not as many values as the model takes, `steps` is below 2, the
/// engine or the network fails, a logit is not finite, or `progress` says [`ControlFlow::Break`].
pub fn interpolate_rows(
    engine: &dyn Engine,
    model: &dyn Classifier,
    steps: usize,
    jobs: &[RowJob<'_>],
    progress: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
) -> Result<Vec<Landscape>, PipelineError> {
    let Some(first) = jobs.first() else {
        return Ok(Vec::new());
    };
    let width = input_width(model).unwrap_or(first.a.len());
    // An input is something: rows of no values would be no rows.
    let width = width.max(1);
    check_steps(steps, width)?;
    for (number, job) in jobs.iter().enumerate() {
        for (name, row) in [('A', job.a), ('B', job.b), ('C', job.c)] {
            check_width(row, width, || format!("row {name} of landscape {number}"))?;
        }
    }
    let frames = steps * steps;
    let groups: Vec<&[RowJob<'_>]> = jobs
        .chunks((BUDGET.rows_a_group() / frames).max(1))
        .collect();
    let classes = model.num_classes();
    let mix = |group: &[RowJob<'_>]| -> Vec<Vec<f32>> {
        group.par_iter().map(|job| mixed(job, steps)).collect()
    };
    let finished: Vec<(Vec<f32>, Answers)> = match model.network() {
        Network::Steps(network) => {
            let groups = in_slots(&groups, |group| {
                let grids = mix(group);
                let rows = grids.iter().zip(*group);
                let rows = rows.flat_map(|(grid, job)| grid.chunks_exact(job.a.len()));
                let answers = classify_by_steps(engine, network, &rows.collect::<Vec<_>>())?;
                if progress(group.len() * frames).is_break() {
                    return Err(PipelineError::Interrupted);
                }
                let answers = answers.chunks(frames * classes);
                Ok(grids.into_iter().zip(answers).collect::<Vec<_>>())
            })?;
            groups.into_iter().flatten().collect()
        }
        Network::Host(network) => {
            let make = |group: &[RowJob<'_>], hand_on: &HandOn<'_>| {
                let grids = mix(group);
                let points = (0..group.len() * frames)
                    .map(|n| Points::one(n / frames, n % frames))
                    .collect();
                hand_on(Part {
                    values: grids.concat(),
                    points,
                    failed: 0,
                })?;
                Ok(grids)
            };
            ask_for_groups(network, frames, &groups, make, progress)?
        }
    };
    let landscapes = finished.into_iter().map(|(grid, answers)| Landscape {
        kind: GridKind::Rows,
        steps,
        num_classes: classes,
        logits: answers.logits,
        probabilities: answers.probabilities,
        inputs: Some(grid),
        morph: None,
        flat: None,
    });
    Ok(landscapes.collect())
}

/// The rows of a grid, `[steps, steps, features]`.
fn mixed(job: &RowJob<'_>, steps: usize) -> Vec<f32> {
    let unit = |index: usize| index as f64 / (steps - 1) as f64;
    let mut grid = Vec::with_capacity(steps * steps * job.a.len());
    for k in 0..steps * steps {
        let (s, t) = (unit(k / steps), unit(k % steps));
        for ((&a, &b), &c) in job.a.iter().zip(job.b).zip(job.c) {
            let mix = (1.0 - s) * f64::from(a) + s * f64::from(b);
            grid.push(((1.0 - t) * mix + t * f64::from(c)) as f32);
        }
    }
    grid
}
