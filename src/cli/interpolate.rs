//! `morphscape interpolate`: the tabular job.
//!
//! ```text
//! arguments -> Plan (table, model, triples) -> waves of landscapes -> files, as the sweep
//! ```

use super::Verbosity;
use super::figures::{FigureArgs, FigurePlan, Figures};
use super::options::{EngineArgs, LoadedModel, ModelArgs, Places};
use super::output::{DATA_FILE, OutputFolder};
use super::progress::Progress;
use super::resolution::ResolutionArgs;
use super::run::{Again, Job, Run, Timings, jobs, triples_json};
use super::tables::{LoadedTable, TableArgs, data_points, table_model};
use super::triples::{fixed_classes, group_count, read_triples};
use crate::data::Table;
use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine, EngineInfo};
use crate::landscape::{Items, Landscape, ListedItem, Triple, choose_lettered_triples};
use crate::model::Model;
use crate::pipeline::{RowJob, interpolate_rows};
use anyhow::{Context, ensure};
use serde_json::{Map, json};
use std::path::PathBuf;
use std::time::Instant;

/// What to interpolate.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    table: TableArgs,
    /// Random rows a class that groups are drawn from, chosen by --seed; 0 for all [default: 50
    /// of iris, hawks and seeds, as in the paper; all of a CSV file or with --triples]
    #[arg(long, value_name = "N")]
    per_class: Option<u32>,
    /// Groups, each one random row of three classes [default: 5, or the number of --classes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    groups: Option<u32>,
    /// Three classes of a group, by number or name. The first fixes group A, the next group B,
    /// and so on; the groups beyond are chosen by --seed
    #[arg(long, value_name = "X,Y,Z")]
    classes: Vec<String>,
    /// A fixed list instead of groups: {"triples":[{"name":"A","items":[i,j,k]},...]}, the items
    /// by their indices among the rows kept from the file
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["groups", "classes", "seed"])]
    triples: Option<PathBuf>,
    /// Seed of the choice of rows and classes
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Points a side of a grid, the ends included
    #[arg(long, value_name = "N", default_value_t = 11, value_parser = clap::value_parser!(u16).range(2..=1001))]
    steps: u16,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to; where it holds a part of the same run, that is kept and the rest is
    /// computed
    #[arg(long, value_name = "DIR", default_value = "morphscape-interpolate")]
    out: PathBuf,
    /// Start over, in a folder that holds another run or other files, too: what the old run wrote
    /// is removed
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    resolution: ResolutionArgs,
    /// Which figures to draw
    #[arg(long, value_enum, default_value = "all")]
    figures: Figures,
    #[command(flatten)]
    style: FigureArgs,
}

struct Interpolation<'a> {
    args: &'a Args,
    model: LoadedModel,
    /// All rows, and those that groups are drawn from.
    whole: LoadedTable,
    drawn: Table,
    class_names: Vec<String>,
    triples: Vec<Triple>,
}

pub(super) fn run(args: &Args, verbosity: Verbosity) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut timings = Timings::default();
    let figures = args.style.plan(args.figures)?;
    let steps = usize::from(args.steps);
    let resolution = args.resolution.wanted(steps)?;
    ensure!(
        !figures.as_ref().is_some_and(FigurePlan::shows_mesh),
        "--mesh: rows of measurements have no meshes; leave it out"
    );
    let job = Interpolation::resolve(args)?;
    timings.load = started.elapsed();
    job.warn(verbosity);

    let opening = Instant::now();
    let engine = args.engine.open(verbosity)?;
    let folder = OutputFolder::prepare(&args.out, job.plan(engine.info()), args.force)?;
    timings.engine = opening.elapsed();

    let table = &job.drawn;
    let model = &job.model.model;
    let data_points = data_points(&job.whole.table, &job.class_names, model, engine.as_ref())?;
    data_points.write(&folder.file(DATA_FILE))?;
    let run = Run {
        started,
        timings,
        folder,
        out: &args.out,
        engine: engine.as_ref(),
        model: &job.model,
        class_names: &job.class_names,
        items: Items::Rows {
            features: table.features().to_vec(),
        },
        item_name: &|position| table.item_name(position),
        settings: Map::new(),
        data: json!({
            "path": job.whole.path,
            "sha256": table.sha256_hex(),
            "items": job.whole.table.len(),
            "drawn": table.len(),
            "left_out": table.left_out(),
        }),
        steps,
        resolution,
        save_frames: false,
        figures,
        frames: None,
        data_points: Some(data_points),
    };
    let mut compute = |jobs: &[Job], steps: usize, progress: &Progress, timings: &mut Timings| {
        let computing = Instant::now();
        let landscapes = compute_jobs(table, model, engine.as_ref(), steps, jobs, progress);
        timings.compute += computing.elapsed();
        landscapes
    };
    run.execute(&jobs(&job.triples), &mut compute, verbosity)
}

/// Computes the landscapes of some jobs.
fn compute_jobs(
    table: &Table,
    model: &Model,
    engine: &dyn Engine,
    steps: usize,
    jobs: &[Job],
    progress: &Progress,
) -> anyhow::Result<Vec<Landscape>> {
    let rows: Vec<RowJob<'_>> = jobs
        .iter()
        .map(|job| {
            let [a, b, c] = job.items.map(|position| table.row(position));
            RowJob { a, b, c }
        })
        .collect();
    let go_on = |done| progress.advance(done);
    Ok(interpolate_rows(engine, model, steps, &rows, &go_on)?)
}

impl Args {
    /// The job of these arguments to be computed once more, with model and data where they lie
    /// now.
    pub(super) fn again(mut self, places: &Places) -> anyhow::Result<Again> {
        places.put(&mut self.model, self.table.place());
        let job = Interpolation::resolve(&self)?;
        let plan = job.plan(CpuEngine::new().info());
        let jobs = jobs(&job.triples);
        let steps = usize::from(self.steps);
        let (table, model) = (job.drawn, job.model.model);
        Ok(Again {
            plan,
            jobs,
            compute: Box::new(move |engine, jobs, progress| {
                compute_jobs(&table, &model, engine, steps, jobs, progress)
            }),
        })
    }
}

impl<'a> Interpolation<'a> {
    /// Loads what the arguments name and checks that it fits together.
    fn resolve(args: &'a Args) -> anyhow::Result<Self> {
        let mut whole = args.table.load()?;
        let model = table_model(&args.model, &whole)?;
        let class_names = whole.fit(&model.model, &model.path)?;
        let per_class = match (args.per_class, whole.paper, &args.triples) {
            (Some(0), _, _) | (None, None, _) | (None, _, Some(_)) => None,
            (Some(number), _, _) => Some(number as usize),
            (None, Some(_), None) => Some(50),
        };
        let drawn = match per_class {
            Some(number) => whole.table.draw_per_class(number, args.seed)?,
            None => whole.table.clone(),
        };
        let triples = match &args.triples {
            Some(path) => read_triples(path, &|item| {
                let position = match item {
                    ListedItem::Index(index) => drawn.checked_index(*index)?,
                    ListedItem::Name(name) => drawn.index_of(name)?,
                };
                Ok((position, drawn.label(position)))
            })
            .with_context(|| format!("--triples {}", path.display()))?,
            None => {
                let fixed = fixed_classes(&args.classes, &class_names)?;
                let groups = group_count(args.groups, &fixed)?;
                choose_lettered_triples(
                    drawn.labels(),
                    class_names.len(),
                    groups,
                    &fixed,
                    args.seed,
                )
                .with_context(|| whole.path.clone())?
            }
        };
        Ok(Self {
            args,
            model,
            whole,
            drawn,
            class_names,
            triples,
        })
    }

    fn warn(&self, verbosity: Verbosity) {
        self.model.say_notes(verbosity);
        let table = &self.drawn;
        if self.model.model.classes().is_none() {
            verbosity.say(
                Verbosity::Normal,
                format!(
                    "note: {} does not name its classes; its outputs are taken for {}, in this order",
                    self.model.path,
                    self.class_names.join(", ")
                ),
            );
        }
        if table.left_out() > 0 {
            verbosity.say(
                Verbosity::Normal,
                format!(
                    "note: {} rows of {} with a missing value are left out, {} are kept",
                    table.left_out(),
                    self.whole.path,
                    self.whole.table.len()
                ),
            );
        }
        if let Some(features) = self.model.model.features()
            && features != table.features()
        {
            verbosity.say(
                Verbosity::Normal,
                format!(
                    "warning: {} was trained on {}, and gets {} in this order; if that is another order, give --features",
                    self.model.path,
                    features.join(", "),
                    table.features().join(", ")
                ),
            );
        }
    }

    /// Everything that decides the numbers of the run, for the manifest.
    fn plan(&self, info: &EngineInfo) -> serde_json::Value {
        let table = &self.drawn;
        json!({
            "job": "interpolate",
            "program": env!("CARGO_PKG_VERSION"),
            "steps": self.args.steps,
            "seed": self.args.triples.is_none().then_some(self.args.seed),
            "features": table.features(),
            "label": table.label_column(),
            "triples": triples_json(&self.triples, &|position| table.index(position)),
            "model_sha256": self.model.model.sha256(),
            "model_options": self.model.options,
            "data_sha256": table.sha256_hex(),
            "engine": info.engine,
            "adapter": if info.engine == "gpu" { info.adapter.as_str() } else { "" },
        })
    }
}
