//! `morphscape compare`: how much of a published landscape's roughness is the morph tool's.
//!
//! ```text
//! triples ─┬─ published  ─┐
//!          ├─ clean      ─┼─ the paths whole in all three ─> means a triple ─> shares, intervals
//!          └─ cross-fade ─┘
//! ```
//!
//! Landscapes are measured and dropped, wave by wave; what stays is a few numbers a triple.

use super::Verbosity;
use super::image_job::{ImageJob, TripleArgs};
use super::options::{DataArgs, EngineArgs, GridArgs, ModelArgs};
use super::output::OutputFolder;
use super::progress::Progress;
use super::run::{Job, jobs};
use super::shares::{
    Compared, MODES, figure, sentence, shares, shares_csv, shares_table, triples_csv,
};
use super::text::counted;
use crate::data::write_file;
use crate::engine::Engine;
use crate::landscape::{Landscape, PathMeasures, RESAMPLES, measure_paths};
use crate::pipeline::{Frames, GridJob, MorphSettings, compute_landscapes};
use anyhow::ensure;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

/// What to compare.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    triples: TripleArgs,
    #[command(flatten)]
    size: GridArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "morphscape-compare")]
    out: PathBuf,
    /// Start over, in a folder that holds another run or other files, too: what the old run wrote
    /// is removed
    #[arg(long)]
    force: bool,
}

/// Triples computed before they are measured.
const TRIPLES_A_WAVE: usize = 30;

pub(super) fn run(args: &Args, verbosity: Verbosity) -> anyhow::Result<()> {
    let started = Instant::now();
    let (steps, grid) = (args.size.steps(), args.size.grid());
    ensure!(
        steps >= 3,
        "--steps {steps}: expected at least 3, as a path of fewer points has no curvature"
    );
    let job = ImageJob::resolve(&args.triples, &args.model, &args.data, grid, verbosity)?;
    job.model.say_notes(verbosity);
    job.model.warn_unscaled(verbosity);
    let engine = args.engine.open(verbosity)?;
    let mut plan = json!({
        "job": "compare",
        "program": env!("CARGO_PKG_VERSION"),
        "steps": steps,
        "grid": grid,
        "modes": MODES.map(|(_, name)| name),
        "bootstrap": {"resamples": RESAMPLES, "seed": args.triples.seed()},
    });
    for (key, value) in job
        .plan(engine.info(), job.triples_json())
        .as_object()
        .into_iter()
        .flatten()
    {
        plan[key] = value.clone();
    }
    let mut folder = OutputFolder::prepare(&args.out, plan, args.force)?;

    let computing = Instant::now();
    let compared = compute(&job, engine.as_ref(), [steps, grid], verbosity)?;
    let compute_s = computing.elapsed().as_secs_f64();
    let rows = shares(&compared, args.triples.seed());
    ensure!(
        !rows.is_empty(),
        "no path of {} is without a failed frame in published mode; compare more or other triples",
        counted(compared.len(), "triple")
    );
    let sentence = sentence(&rows[0], &compared, steps);

    write_file(&folder.file("triples.csv"), &triples_csv(&job, &compared)?)?;
    write_file(&folder.file("tool_share.csv"), &shares_csv(&rows)?)?;
    write_file(
        &folder.file("compare.svg"),
        figure(&job, &compared, &rows, steps).as_bytes(),
    )?;
    folder.set_engine(engine.as_ref());
    let model = &job.model;
    folder.set(
        "model",
        json!({"path": model.path, "sha256": model.model.sha256(), "classes": job.class_names}),
    );
    folder.set("data", job.data_json());
    folder.set("finding", json!(sentence));
    folder.set(
        "timings",
        json!({"compute_s": compute_s, "total_s": started.elapsed().as_secs_f64()}),
    );
    folder.finish()?;
    if verbosity > Verbosity::Quiet {
        write!(
            std::io::stdout().lock(),
            "{}\n{sentence}\n",
            shares_table(&rows)
        )?;
    }
    verbosity.say(
        Verbosity::Normal,
        format!(
            "{} in 3 modes in {compute_s:.3} s; written to {}",
            counted(3 * compared.len(), "landscape"),
            args.out.display()
        ),
    );
    Ok(())
}

/// Computes and measures all landscapes in all modes.
fn compute<'a>(
    job: &'a ImageJob,
    engine: &dyn Engine,
    [steps, grid]: [usize; 2],
    verbosity: Verbosity,
) -> anyhow::Result<Vec<Compared<'a>>> {
    let jobs = jobs(&job.triples);
    let progress = Progress::new(MODES.len() * jobs.len() * steps * steps, verbosity);
    let mut compared = Vec::with_capacity(job.triples.len());
    let waves = job.triples.chunks(TRIPLES_A_WAVE);
    for (triples, jobs) in waves.zip(jobs.chunks(3 * TRIPLES_A_WAVE)) {
        let images = job.load_images(jobs)?;
        let grid_jobs: Vec<GridJob<'_>> = jobs
            .iter()
            .map(|job| {
                let [a, b, c] = job.items.map(|item| &images[&item]);
                GridJob { a, b, c }
            })
            .collect();
        let landscapes_in = |mode| {
            compute_landscapes(
                engine,
                &job.model.model,
                &MorphSettings { steps, grid, mode },
                &grid_jobs,
                Frames::Drop,
                &|done| progress.advance(done),
            )
        };
        let published = landscapes_in(MODES[0].0)?;
        let mut modes = vec![published];
        for (mode, _) in &MODES[1..] {
            let landscapes = landscapes_in(*mode)?.into_iter().zip(&modes[0]);
            let same_paths = landscapes.map(|(landscape, other)| landscape.with_gaps_of(other));
            let same_paths = same_paths.collect();
            modes.push(same_paths);
        }
        for (n, triple) in triples.iter().enumerate() {
            let own = 3 * n..3 * n + 3;
            let measures =
                [0, 1, 2].map(|mode| mean(&modes[mode][own.clone()], &jobs[own.clone()]));
            let published = &modes[0][own];
            compared.push(Compared {
                triple,
                failed: published.iter().map(Landscape::num_failed).sum(),
                whole_paths: measures[0]
                    .as_ref()
                    .map_or(0, |measures| measures.num_paths),
                measures: match measures {
                    [Some(published), Some(clean), Some(cross_fade)] => {
                        Some([published, clean, cross_fade])
                    }
                    _ => None,
                },
            });
        }
    }
    progress.finish();
    Ok(compared)
}

/// Means over the whole paths of a triple's landscapes.
fn mean(landscapes: &[Landscape], jobs: &[Job]) -> Option<PathMeasures> {
    let measured: Vec<PathMeasures> = landscapes
        .iter()
        .zip(jobs)
        .filter_map(|(landscape, job)| measure_paths(landscape, job.classes))
        .collect();
    PathMeasures::over_landscapes(&measured)
}
