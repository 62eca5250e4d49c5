//! `morphscape interpolate`: the tabular job.

use super::figures::{FigureArgs, Figures};
use super::options::{
    EngineArgs, FlatArgs, ModelArgs, RowTripleArgs, TableArgs, existing, row_kind,
};
use super::outcome::say_outcome;
use super::terminal::Terminal;
use crate::job::InterpolateJob;
use crate::landscape::GridKind;
use crate::run::{FigurePlan, Run, Timings};
use anyhow::ensure;
use std::path::PathBuf;
use std::time::Instant;

/// What to interpolate.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What lies between three rows
    #[arg(long, value_name = "KIND", value_parser = row_kind(), default_value = "rows")]
    kind: GridKind,
    #[command(flatten)]
    flat: FlatArgs,
    #[command(flatten)]
    table: TableArgs,
    /// Random rows of each class to draw groups from, chosen by --seed; 0 for all [default: 50 for
    /// iris, hawks and seeds, as in the paper; all for a CSV file or with --triples]
    #[arg(long, value_name = "N")]
    per_class: Option<u32>,
    #[command(flatten)]
    triples: RowTripleArgs,
    /// Points a side of a grid, the ends included [default: 11]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=1001))]
    steps: Option<u16>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to; if it holds part of the same run, that part is kept and the rest is
    /// computed
    #[arg(long, value_name = "DIR", default_value = "morphscape-interpolate")]
    out: PathBuf,
    /// Start over, even in a folder that holds another run or other files; what the old run wrote
    /// is removed, and nothing else
    #[arg(long)]
    force: bool,
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
    ensure!(
        !figures.as_ref().is_some_and(FigurePlan::shows_mesh),
        "--mesh: rows of measurements have no meshes; leave it out"
    );
    let job = args.job()?.load(terminal)?;
    let load = started.elapsed();
    let engine = args.engine.open(terminal)?;
    let timings = Timings {
        load,
        engine: started.elapsed() - load,
        ..Timings::default()
    };
    let mut run = Run::new(&job, engine.as_ref())
        .command(super::command_words())
        .begun(started, timings);
    if args.resolution {
        run = run.on_finer_grids();
    }
    if let Some(figures) = figures {
        run = run.figures(figures);
    }
    let outcome = run.write_to(&args.out, existing(args.force), terminal)?;
    say_outcome(&outcome, &job, engine.as_ref(), &args.out, terminal)
}

impl Args {
    /// The job that they stand for.
    pub(super) fn job(&self) -> anyhow::Result<InterpolateJob> {
        let flat = self.flat.settings(self.kind)?;
        let default = flat.map_or(InterpolateJob::default().steps, |(_, steps)| steps);
        Ok(InterpolateJob {
            model: self.model.source()?,
            data: self.table.source()?,
            triples: self.triples.triples(),
            per_class: self.per_class.map(|rows| rows as usize),
            steps: self.steps.map_or(default, usize::from),
            flat: flat.map(|(flat, _)| flat),
        })
    }
}
