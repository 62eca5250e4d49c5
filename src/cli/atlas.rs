//! `morphscape atlas`: every triple of a data set, planned, computed in shards, and summed up.

use super::options::{
    ColumnArgs, DataArgs, EngineArgs, FlatArgs, ModelArgs, MorphArgs, grids, image_kind, line_data,
    named_model, row_grids,
};
use super::slurm::{INDEX_VARIABLES, SlurmJob, submit_to_slurm};
use super::terminal::Terminal;
use super::text::{counted, table, written_to};
use crate::atlas::{Atlas, Design, Ending, Plan, Score};
use crate::job::{InterpolateJob, Job, LineData, SweepJob, Triples};
use crate::landscape::GridKind;
use anyhow::{Context, ensure};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What to do.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Classify every item, survey the triples, and write what is to be searched to plan.json
    Plan(Box<PlanArgs>),
    /// Compute shards: one, several, or all that are missing
    Run(RunArgs),
    /// Rank the triples, compute the worst again, and write ranking.parquet, summary.json and
    /// report.html
    Finish(FinishArgs),
    /// Write the script of an array job, and print the command that submits what is missing
    Submit(SubmitArgs),
}

/// What is looked at, and how.
#[derive(Debug, clap::Args)]
#[command(mut_arg("steps", |steps| steps.hide(true)))]
struct PlanArgs {
    /// What lies between three items; for rows, morph means their mixes
    #[arg(long, value_name = "KIND", value_parser = image_kind(), default_value = "morph")]
    kind: GridKind,
    #[command(flatten)]
    flat: FlatArgs,
    #[command(flatten)]
    morph: MorphArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    columns: ColumnArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Triples to search at most; if the items have no more, all are searched
    #[arg(long, value_name = "N", default_value_t = Design::default().search)]
    search: u64,
    /// Triples of the survey, drawn at random; the means over all triples come from it
    #[arg(long, value_name = "N", default_value_t = Design::default().survey)]
    survey: usize,
    /// Most items to take of a class, drawn at random [default: all]
    #[arg(long, value_name = "N")]
    per_class: Option<usize>,
    /// Include items that the model classifies wrongly; a search then finds test errors
    #[arg(long)]
    any_items: bool,
    /// The score that triples are searched and ranked by
    #[arg(long, value_name = "SCORE", value_parser = score(), default_value = "confident_intrusion")]
    score: Score,
    /// Points a side of the grids of the search, coarsest first; each grid is every n-th point of
    /// the next
    #[arg(
        long,
        value_name = "N,N,...",
        value_delimiter = ',',
        default_value = "6,11,21,41"
    )]
    rungs: Vec<usize>,
    /// Shares of the triples that move on to the second grid, the third and so on
    #[arg(
        long,
        value_name = "SHARE,...",
        value_delimiter = ',',
        default_value = "0.1,0.05,0.01"
    )]
    keep: Vec<f64>,
    /// Share of the triples left behind by each grid that move on all the same, by lot
    #[arg(long, value_name = "SHARE", default_value_t = Design::default().audit)]
    audit: f64,
    /// Points a side of the survey's grids
    #[arg(long, value_name = "N", default_value_t = Design::default().survey_steps)]
    survey_steps: usize,
    /// Triples in the list of the worst
    #[arg(long, value_name = "N", default_value_t = Design::default().top)]
    top: usize,
    /// Parts that the search is cut into [default: one for each 5,000 triples]
    #[arg(long, value_name = "N")]
    shards: Option<usize>,
    /// Seed of all draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Folder of the atlas
    #[arg(long, value_name = "DIR", default_value = "morphscape-atlas")]
    out: PathBuf,
}

/// Which shards are computed.
#[derive(Debug, clap::Args)]
struct RunArgs {
    /// Folder of the atlas
    #[arg(value_name = "DIR")]
    atlas: PathBuf,
    /// A shard (7), a range (7-19), or missing [default: the task of an array job, else missing]
    ///
    /// A shard (7), a range (7-19), or missing. Without it, the task of an array job that the
    /// environment names: SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX (Kubernetes), PBS_ARRAY_INDEX,
    /// SGE_TASK_ID (counted from 1 there), AWS_BATCH_JOB_ARRAY_INDEX; else all that are missing
    #[arg(long, value_name = "SHARD")]
    shard: Option<String>,
    #[command(flatten)]
    engine: EngineArgs,
}

/// What the end takes.
#[derive(Debug, clap::Args)]
struct FinishArgs {
    /// Folder of the atlas
    #[arg(value_name = "DIR")]
    atlas: PathBuf,
    /// Another model, with which the survey and the worst triples are computed as well
    #[arg(long, value_name = "MODEL")]
    second: Option<String>,
    /// How many of the worst triples to draw as landscapes, in top/
    #[arg(long, value_name = "N", default_value_t = 12)]
    shown: usize,
    /// Sum up what is there and say what is missing
    #[arg(long)]
    allow_missing: bool,
    #[command(flatten)]
    engine: EngineArgs,
}

/// What a scheduler is asked for.
#[derive(Debug, clap::Args)]
struct SubmitArgs {
    /// Folder of the atlas
    #[arg(value_name = "DIR")]
    atlas: PathBuf,
    /// The scheduler: Slurm
    #[arg(long, required = true)]
    slurm: bool,
    /// Time limit of a task
    #[arg(long, value_name = "TIME", default_value = "01:00:00")]
    time: String,
    /// Cores for each task
    #[arg(long, value_name = "N", default_value_t = 4)]
    cpus: u32,
    /// Generic resources for each task, such as gpu:1
    #[arg(long, value_name = "GRES")]
    gres: Option<String>,
    /// Partition to submit to
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// Most tasks to run at once
    #[arg(long, value_name = "N")]
    at_once: Option<usize>,
    /// Shards for each task
    #[arg(long, value_name = "N", default_value_t = 1)]
    shards_per_task: usize,
}

fn score() -> impl TypedValueParser<Value = Score> {
    PossibleValuesParser::new(Score::ALL.map(Score::name)).map(|name| {
        let found = Score::ALL.into_iter().find(|score| score.name() == name);
        found.expect("one of them")
    })
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    match &args.what {
        What::Plan(args) => args.run(terminal),
        What::Run(args) => args.run(terminal),
        What::Finish(args) => args.run(terminal),
        What::Submit(args) => args.run(terminal),
    }
}

impl PlanArgs {
    fn run(&self, terminal: &Terminal) -> anyhow::Result<()> {
        let design = Design {
            seed: self.seed,
            score: self.score,
            rungs: self.rungs.clone(),
            keep: self.keep.clone(),
            audit: self.audit,
            per_class: self.per_class,
            any_items: self.any_items,
            survey: self.survey,
            survey_steps: self.survey_steps,
            search: self.search,
            top: self.top,
        };
        let job = self.job()?.load(terminal)?;
        let engine = self.engine.open(terminal)?;
        let started = Instant::now();
        let (engine, out) = (engine.as_ref(), &self.out);
        let plan = Plan::make(&job, &design, self.shards, engine, out, terminal)?;
        terminal.say(format!(
            "{} of {} to search{}, in {}; survey of {} in {:.1} s; written to {}",
            plan.num_candidates(),
            counted(plan.num_triples() as usize, "triple"),
            match plan.is_exhaustive() {
                true => ": all of them".to_owned(),
                false => format!(
                    ": those of {} that stood out in the survey, and {} at random",
                    counted(plan.searched.iter().map(Vec::len).sum(), "item"),
                    plan.sampled
                ),
            },
            counted(plan.shards, "shard"),
            counted(design.survey, "triple"),
            started.elapsed().as_secs_f64(),
            out.display()
        ));
        Ok(())
    }

    /// Model, data and grids.
    fn job(&self) -> anyhow::Result<Job> {
        ensure!(
            !self.morph.steps_are_given(),
            "--steps: an atlas has several grids; give --rungs"
        );
        ensure!(
            self.data.name() != "-",
            "--data -: shards read the data again, which standard input cannot give; give a file"
        );
        let triples = Triples::Listed(Vec::new());
        let mut job = match line_data(&self.data, &self.columns)? {
            LineData::Rows(data) => {
                let (_, flat) = row_grids(self.data.name(), self.kind, &self.flat, &self.morph)?;
                Job::Interpolate(InterpolateJob {
                    model: self.model.source()?,
                    data,
                    triples,
                    per_class: Some(0),
                    flat,
                    ..InterpolateJob::default()
                })
            }
            LineData::Images(data) => {
                let (morph, flat) = grids(self.kind, &self.flat, &self.morph)?;
                Job::Sweep(SweepJob {
                    model: self.model.source()?,
                    data,
                    triples,
                    morph,
                    points: None,
                    flat,
                })
            }
        };
        // Shards are computed from any folder.
        job.make_absolute();
        Ok(job)
    }
}

impl RunArgs {
    fn run(&self, terminal: &Terminal) -> anyhow::Result<()> {
        let atlas = Atlas::open(&self.atlas, terminal)?;
        let shards = self.shards(&atlas, terminal)?;
        let engine = self.engine.open(terminal)?;
        let started = Instant::now();
        let rows = atlas.run(&shards, engine.as_ref(), terminal)?;
        terminal.say(format!(
            "{}, {} in {:.1} s",
            counted(shards.len(), "shard"),
            counted(rows as usize, "landscape"),
            started.elapsed().as_secs_f64()
        ));
        Ok(())
    }

    fn shards(&self, atlas: &Atlas, terminal: &Terminal) -> anyhow::Result<Vec<usize>> {
        let all = atlas.plan().shards;
        let of_array = || {
            INDEX_VARIABLES.into_iter().find_map(|(name, of)| {
                let value = std::env::var(name).ok()?;
                // Grid Engine counts from 1, and says "undefined" outside of arrays.
                let number: usize = value.parse().ok()?;
                let shard = match name {
                    "SGE_TASK_ID" => number.checked_sub(1)?,
                    _ => number,
                };
                terminal.say(format!("note: shard {shard}, by {name} of {of}"));
                Some(shard)
            })
        };
        match self.shard.as_deref() {
            None => {
                if let Some(shard) = of_array() {
                    return Ok(vec![shard]);
                }
            }
            Some("missing") => {}
            Some(text) => return shards_of(text, all),
        }
        let (missing, failed) = atlas.missing()?;
        for (shard, error) in &failed {
            terminal.say(format!(
                "note: shard {shard} failed twice alike and is left alone: {error}; --shard {shard} tries again"
            ));
        }
        if missing.is_empty() {
            terminal.say(format!("note: none of {all} shards is missing"));
        }
        Ok(missing)
    }
}

/// `7` or `7-19`; what lies behind the last is cut off a range.
fn shards_of(text: &str, all: usize) -> anyhow::Result<Vec<usize>> {
    let number = |text: &str| {
        text.trim().parse::<usize>().with_context(|| {
            format!("--shard {text}: expected a number, a range such as 7-19, or missing")
        })
    };
    Ok(match text.split_once('-') {
        None => vec![number(text)?],
        Some((first, last)) => {
            let (first, last) = (number(first)?, number(last)?);
            ensure!(
                first <= last && first < all,
                "--shard {text}: expected a range below {all}, the smaller number first"
            );
            (first..=last.min(all - 1)).collect()
        }
    })
}

impl FinishArgs {
    fn run(&self, terminal: &Terminal) -> anyhow::Result<()> {
        let atlas = Atlas::open(&self.atlas, terminal)?;
        let engine = self.engine.open(terminal)?;
        let ending = Ending {
            allow_missing: self.allow_missing,
            second: self.second.as_deref().map(named_model).transpose()?,
            shown: self.shown,
        };
        let summary = atlas.finish(&ending, engine.as_ref(), terminal)?;
        if terminal.shows_results() {
            let mut out = std::io::stdout().lock();
            for finding in &summary.findings {
                writeln!(out, "{finding}")?;
            }
            let mut rows = vec![["classes", ">mean", ">95 %"].map(str::to_owned).to_vec()];
            for one in summary.pairs.iter().take(10) {
                let interval = one.mean.interval.map_or_else(
                    || "-".to_owned(),
                    |[low, high]| format!("{low:.4} to {high:.4}"),
                );
                let mean = format!("{:.4}", one.mean.mean);
                rows.push(vec![one.classes.join(", "), mean, interval]);
            }
            if !summary.pairs.is_empty() {
                write!(out, "\n{}", table(&rows))?;
            }
        }
        terminal.say(written_to(&self.atlas));
        Ok(())
    }
}

impl SubmitArgs {
    fn run(&self, terminal: &Terminal) -> anyhow::Result<()> {
        let plan = Plan::read(&self.atlas)?;
        let (missing, failed) = plan.missing(&self.atlas)?;
        for (shard, error) in &failed {
            terminal.say(format!(
                "note: shard {shard} failed twice alike and is left alone: {error}"
            ));
        }
        ensure!(
            !missing.is_empty(),
            "{}: none of {} shards is missing",
            self.atlas.display(),
            plan.shards
        );
        let folder = std::path::absolute(&self.atlas).unwrap_or_else(|_| self.atlas.clone());
        let job = SlurmJob {
            time: self.time.clone(),
            cpus: self.cpus,
            gres: self.gres.clone(),
            partition: self.partition.clone(),
            at_once: self.at_once,
            shards_a_task: self.shards_per_task,
            arguments: Vec::new(),
            program: std::env::current_exe().unwrap_or_else(|_| Path::new("morphscape").into()),
        };
        let mut out = std::io::stdout().lock();
        for command in submit_to_slurm(&folder, &missing, &job)? {
            writeln!(out, "{command}")?;
        }
        Ok(())
    }
}
