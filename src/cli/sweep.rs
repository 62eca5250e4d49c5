//! `morphscape sweep`: the image job.

use super::figures::{FigureArgs, Figures};
use super::options::{EngineArgs, FlatArgs, SweepArgs, existing, image_kind};
use super::outcome::say_outcome;
use super::terminal::Terminal;
use crate::job::SweepJob;
use crate::landscape::GridKind;
use crate::run::{Keep, Run, Timings};
use std::path::PathBuf;
use std::time::Instant;

/// What to sweep.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What lies between three images
    #[arg(long, value_name = "KIND", value_parser = image_kind(), default_value = "morph")]
    kind: GridKind,
    #[command(flatten)]
    flat: FlatArgs,
    #[command(flatten)]
    job: SweepArgs,
    /// Feature points of the items instead of detected ones: {"points":{"t10k#1":[[x,y],...],...}},
    /// in pixels from the middle of the top-left one; point n of one item is point n of every
    /// other, and the corners are always points
    #[arg(long, value_name = "FILE.json")]
    points: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to; if it holds part of the same run, that part is kept and the rest is
    /// computed
    #[arg(long, value_name = "DIR", default_value = "morphscape-sweep")]
    out: PathBuf,
    /// Start over, even in a folder that holds another run or other files; what the old run wrote
    /// is removed, and nothing else
    #[arg(long)]
    force: bool,
    /// Keep the frames as well: f32 [steps, steps, H, W] in each landscape.safetensors
    #[arg(long)]
    save_frames: bool,
    /// Write only a row of measures for each landscape
    ///
    /// Write only a row of measures for each landscape: no tensors, no figures and no report;
    /// memory hardly grows with the number of landscapes. Until the run is finished the rows are in
    /// summary.rows.csv
    #[arg(long, conflicts_with_all = ["save_frames", "resolution", "figures"])]
    summary_only: bool,
    /// Also take the measures on grids of 2N-1 and 4N-3 steps, and say in the report and in
    /// resolution.csv which have settled; about 16 times the computing
    #[arg(long)]
    resolution: bool,
    /// Which figures to draw
    #[arg(long, value_enum, default_value = "all")]
    figures: Figures,
    #[command(flatten)]
    style: FigureArgs,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    let started = Instant::now();
    let figures = args.style.plan(args.figures)?;
    let mut asked = args.job()?;
    asked.points.clone_from(&args.points);
    let job = asked.load(terminal)?;
    let load = started.elapsed();
    let engine = args.engine.open(terminal)?;
    let timings = Timings {
        load,
        engine: started.elapsed() - load,
        ..Timings::default()
    };
    let mut run = Run::new(&job, engine.as_ref())
        .keep(args.keep())
        .command(super::command_words())
        .begun(started, timings);
    if args.resolution {
        run = run.on_finer_grids();
    }
    if let (Some(figures), false) = (figures, args.summary_only) {
        run = run.figures(figures);
    }
    let outcome = run.write_to(&args.out, existing(args.force), terminal)?;
    say_outcome(&outcome, &job, engine.as_ref(), &args.out, terminal)
}

impl Args {
    /// The job that they stand for.
    pub(super) fn job(&self) -> anyhow::Result<SweepJob> {
        self.job.job_of(self.kind, &self.flat)
    }

    fn keep(&self) -> Keep {
        match (self.summary_only, self.save_frames) {
            (true, _) => Keep::RowsAlone,
            (false, true) => Keep::TensorsAndFrames,
            (false, false) => Keep::Tensors,
        }
    }
}
