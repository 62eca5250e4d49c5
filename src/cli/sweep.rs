//! `morphscape sweep`: the image job.
//!
//! ```text
//! arguments -> ImageJob (data, model, triples) -> waves of landscapes -> tensors, plots, summary, manifest
//! ```

use super::Verbosity;
use super::figures::{FigureArgs, Figures};
use super::image_job::{ImageJob, TripleArgs};
use super::options::{DataArgs, EngineArgs, ModelArgs, MorphArgs, Places};
use super::output::OutputFolder;
use super::progress::Progress;
use super::resolution::ResolutionArgs;
use super::run::{Again, Job, Run, Timings, jobs};
use super::summary_only::triples_digest;
use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine, EngineInfo};
use crate::landscape::{Items, Landscape};
use crate::pipeline::{Frames, GridJob, MorphSettings, compute_landscapes, morph_grid};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

/// What to sweep.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    triples: TripleArgs,
    #[command(flatten)]
    morph: MorphArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to; where it holds a part of the same run, that is kept and the rest is
    /// computed
    #[arg(long, value_name = "DIR", default_value = "morphscape-sweep")]
    out: PathBuf,
    /// Start over, in a folder that holds another run or other files, too: what the old run wrote
    /// is removed
    #[arg(long)]
    force: bool,
    /// Keep the frames, too: f32 [steps, steps, H, W] in each landscape.safetensors
    #[arg(long)]
    save_frames: bool,
    /// Write a row of measures for each landscape and nothing else of it: neither tensors nor
    /// figures nor a report; memory hardly grows with the number of landscapes. Until it is finished
    /// the rows are in summary.rows.csv
    #[arg(long, conflicts_with_all = ["save_frames", "resolution", "figures"])]
    summary_only: bool,
    #[command(flatten)]
    resolution: ResolutionArgs,
    /// Which figures to draw
    #[arg(long, value_enum, default_value = "all")]
    figures: Figures,
    #[command(flatten)]
    style: FigureArgs,
}

pub(super) fn run(args: &Args, verbosity: Verbosity) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut timings = Timings::default();
    let figures = args.style.plan(args.figures)?;
    let mode = args.morph.mode()?;
    let sweep = ImageJob::resolve(
        &args.triples,
        &args.model,
        &args.data,
        args.morph.grid(),
        verbosity,
    )?;
    let resolution = args.resolution.wanted(args.morph.steps())?;
    sweep.model.say_notes(verbosity);
    sweep.model.warn_unscaled(verbosity);
    timings.load = started.elapsed();

    let opening = Instant::now();
    let engine = args.engine.open(verbosity)?;
    let folder = OutputFolder::prepare(&args.out, plan(args, &sweep, engine.info()), args.force)?;
    timings.engine = opening.elapsed();

    let settings = MorphSettings {
        steps: args.morph.steps(),
        grid: args.morph.grid(),
        mode,
    };
    let images = &sweep.data.images;
    let alphas: Vec<f64> = (0..settings.steps)
        .map(|i| i as f64 / (settings.steps - 1) as f64)
        .collect();
    let frames_of = |job: &Job| {
        let [a, b, c] = job.items.map(|item| images.image(item));
        let morphed = morph_grid(
            &CpuEngine::new(),
            [&a?, &b?, &c?],
            settings.grid,
            &alphas,
            settings.mode,
            &|| ControlFlow::Continue(()),
        )?;
        Ok(morphed.frames)
    };
    let run = Run {
        started,
        timings,
        folder,
        out: &args.out,
        engine: engine.as_ref(),
        model: &sweep.model,
        class_names: &sweep.class_names,
        items: Items::Images {
            shape: images.image_shape(),
        },
        item_name: &|item| images.item_name(item),
        settings: args.morph.settings(),
        data: sweep.data_json(),
        steps: settings.steps,
        resolution,
        save_frames: args.save_frames,
        figures,
        frames: Some(&frames_of),
        data_points: None,
    };
    let frames = if args.save_frames {
        Frames::Keep
    } else {
        Frames::Drop
    };
    let mut compute = |jobs: &[Job],
                       steps: usize,
                       progress: &Progress,
                       timings: &mut Timings|
     -> anyhow::Result<Vec<Landscape>> {
        // Those of finer grids are measured only.
        let frames = if steps == settings.steps {
            frames
        } else {
            Frames::Drop
        };
        let settings = MorphSettings { steps, ..settings };
        compute_jobs(
            &sweep,
            engine.as_ref(),
            (&settings, frames),
            jobs,
            progress,
            timings,
        )
    };
    match args.summary_only {
        true => run.summarise(&sweep.triples, &mut compute, verbosity),
        false => run.execute(&jobs(&sweep.triples), &mut compute, verbosity),
    }
}

/// Computes the landscapes of some jobs.
fn compute_jobs(
    sweep: &ImageJob,
    engine: &dyn Engine,
    (settings, frames): (&MorphSettings, Frames),
    jobs: &[Job],
    progress: &Progress,
    timings: &mut Timings,
) -> anyhow::Result<Vec<Landscape>> {
    let loading = Instant::now();
    let images = sweep.load_images(jobs)?;
    let grid_jobs: Vec<GridJob<'_>> = jobs
        .iter()
        .map(|job| {
            let [a, b, c] = job.items.map(|item| &images[&item]);
            GridJob { a, b, c }
        })
        .collect();
    timings.load += loading.elapsed();
    let computing = Instant::now();
    let landscapes = compute_landscapes(
        engine,
        &sweep.model.model,
        settings,
        &grid_jobs,
        frames,
        &|done| progress.advance(done),
    );
    timings.compute += computing.elapsed();
    Ok(landscapes?)
}

impl Args {
    /// The sweep of these arguments to be computed once more, with model and data where they lie
    /// now.
    pub(super) fn again(mut self, places: &Places) -> anyhow::Result<Again> {
        places.put(&mut self.model, self.data.place());
        let mode = self.morph.mode()?;
        let settings = MorphSettings {
            steps: self.morph.steps(),
            grid: self.morph.grid(),
            mode,
        };
        let sweep = ImageJob::resolve(
            &self.triples,
            &self.model,
            &self.data,
            settings.grid,
            Verbosity::Quiet,
        )?;
        Ok(Again {
            plan: plan(&self, &sweep, CpuEngine::new().info()),
            jobs: jobs(&sweep.triples),
            compute: Box::new(move |engine, jobs, progress| {
                let how = (&settings, Frames::Drop);
                compute_jobs(&sweep, engine, how, jobs, progress, &mut Timings::default())
            }),
        })
    }
}

/// Everything that decides the numbers of the run, for the manifest.
fn plan(args: &Args, sweep: &ImageJob, info: &EngineInfo) -> Value {
    let morph = &args.morph;
    let mut plan = json!({
        "job": "sweep",
        "program": env!("CARGO_PKG_VERSION"),
        "steps": morph.steps(),
        "grid": morph.grid(),
        "mode": morph.mode_name(),
        "sampling": morph.sampling_name(),
    });
    let triples = match args.summary_only {
        true => triples_digest(&sweep.triples),
        false => sweep.triples_json(),
    };
    for (key, value) in sweep.plan(info, triples).as_object().into_iter().flatten() {
        plan[key] = value.clone();
    }
    plan["save_frames"] = json!(args.save_frames);
    if args.summary_only {
        plan["summary_only"] = json!(true);
    }
    plan
}
