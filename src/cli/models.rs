//! `morphscape models`: several classifiers on the same landscapes, and a gate for CI.

use super::options::{
    ColumnArgs, DataArgs, EngineArgs, FlatArgs, MorphArgs, TripleArgs, existing, grids, image_kind,
    line_data, named_model, row_grids,
};
use super::terminal::Terminal;
use super::text::{counted, key_name, table, written_to};
use crate::job::{InterpolateJob, Job, LineData, ModelSource, ModelsJob, SweepJob};
use crate::landscape::GridKind;
use crate::run::{Gate, Keep, ModelsOptions, ModelsResult, baseline_job, compare_models};
use anyhow::ensure;
use clap::ValueEnum;
use std::io::Write;
use std::path::PathBuf;

/// What to compare.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Models, two or more, or one with --baseline; `bundled` for the data's own
    ///
    /// Models, two or more, or one with --baseline: files as --model of sweep takes them, `bundled`
    /// for the data's own, or a .json file with a model and what its file does not say, such as
    /// {"file":"b.onnx","scale":"1/255","mean":[0.5],"std":[0.5]}
    #[arg(value_name = "MODEL", required = true)]
    models: Vec<String>,
    /// Compare with the kept landscapes of this finished run, on its data, triples and grids
    #[arg(long, value_name = "DIR", conflicts_with_all = SAID_BY_A_BASELINE)]
    baseline: Option<PathBuf>,
    /// The models are checkpoints of one training, in order
    ///
    /// The models are checkpoints of one training, in order: also write series.csv and series.png
    #[arg(long)]
    series: bool,
    /// Also take dbViz's margins of the first 100 items, for models that have exact lines: this
    /// takes milliseconds an item for dense networks, tenths of a second for convolutional ones
    #[arg(long)]
    margins: bool,
    /// End with exit code 3 if two models agree on less, 0 to 1
    ///
    /// End with exit code 3 if the mean agreement of two models is below this, 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    min_agreement: Option<f64>,
    /// With class: the Jaccard index of every class must reach --min-agreement as well
    #[arg(long, value_enum, value_name = "WHAT", requires = "min_agreement")]
    per: Option<Per>,
    /// What lies between three items; for rows, morph means their mixes
    #[arg(long, value_name = "KIND", value_parser = image_kind(), default_value = "morph")]
    kind: GridKind,
    #[command(flatten)]
    flat: FlatArgs,
    #[command(flatten)]
    triples: TripleArgs,
    /// Random rows of each class to draw groups of rows from, chosen by --seed; 0 for all
    #[arg(long, value_name = "N")]
    per_class: Option<u32>,
    #[command(flatten)]
    morph: MorphArgs,
    #[command(flatten)]
    columns: ColumnArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to; if it holds part of the same run, that part is kept and the rest is
    /// computed
    #[arg(long, value_name = "DIR", default_value = "morphscape-models")]
    out: PathBuf,
    /// Start over, even in a folder that holds another run or other files; what the old run wrote
    /// is removed, and nothing else
    #[arg(long)]
    force: bool,
    /// Write tables and figures but no tensors
    #[arg(long)]
    summary_only: bool,
    /// Draw figures and the report, or none
    #[arg(long, value_enum, default_value = "all")]
    figures: FiguresName,
}

/// What a kept run has decided, so that it cannot be said again.
const SAID_BY_A_BASELINE: [&str; 25] = [
    "kind",
    "range",
    "clipped",
    "groups",
    "classes",
    "triples",
    "seed",
    "per_class",
    "steps",
    "grid",
    "mode",
    "sampling",
    "label",
    "features",
    "without",
    "delimiter",
    "no_header",
    "data",
    "data_dir",
    "resize",
    "white",
    "images_key",
    "labels_key",
    "skip_unreadable",
    "class_order",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Per {
    Class,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FiguresName {
    None,
    All,
}

/// Models that agree less than they were to.
#[derive(Debug, thiserror::Error)]
#[error("{number} of the comparisons above fall short of --min-agreement {wanted}")]
pub(super) struct FellShort {
    number: usize,
    wanted: f64,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    let terminal = &terminal.spelling(key_name);
    let job = args.job()?.load(terminal)?;
    let engine = args.engine.open(terminal)?;
    let options = ModelsOptions {
        keep: match args.summary_only {
            true => Keep::RowsAlone,
            false => Keep::Tensors,
        },
        baseline: args.baseline.clone(),
        series: args.series,
        margins: args.margins,
        figures: args.figures == FiguresName::All,
    };
    let result = compare_models(
        &job,
        &options,
        engine.as_ref(),
        (&args.out, existing(args.force)),
        &super::command_words(),
        terminal,
    )?;
    if terminal.shows_results() {
        write!(std::io::stdout().lock(), "{}", pairs_table(&result))?;
    }
    let compute_s = result.compute.as_secs_f64();
    terminal.say(format!(
        "{} of {}{}; {}",
        counted(result.landscapes.len(), "landscape"),
        counted(result.models(), "model"),
        match result.kept {
            0 => format!(" in {compute_s:.3} s"),
            kept if kept == result.landscapes.len() => ", all kept from before".to_owned(),
            kept => format!(", {kept} kept from before, the others in {compute_s:.3} s"),
        },
        written_to(&args.out)
    ));
    args.check(&result)
}

impl Args {
    /// The job that they stand for.
    fn job(&self) -> anyhow::Result<ModelsJob> {
        let sources: Vec<ModelSource> = self
            .models
            .iter()
            .map(|model| named_model(model))
            .collect::<anyhow::Result<_>>()?;
        let on = match &self.baseline {
            Some(run) => baseline_job(run)?,
            None => match line_data(&self.data, &self.columns)? {
                LineData::Rows(data) => {
                    let (steps, flat) =
                        row_grids(self.data.name(), self.kind, &self.flat, &self.morph)?;
                    Job::Interpolate(InterpolateJob {
                        data,
                        triples: self.triples.triples(),
                        per_class: self.per_class.map(|rows| rows as usize),
                        steps,
                        flat,
                        ..InterpolateJob::default()
                    })
                }
                LineData::Images(data) => {
                    ensure!(
                        self.per_class.is_none(),
                        "--per-class belongs to a table, and --data {} has images; leave it out",
                        self.data.name()
                    );
                    let (morph, flat) = grids(self.kind, &self.flat, &self.morph)?;
                    Job::Sweep(SweepJob {
                        data,
                        triples: self.triples.triples(),
                        morph,
                        flat,
                        ..SweepJob::default()
                    })
                }
            },
        };
        Ok(ModelsJob {
            on,
            models: sources,
            class_match: self.data.class_match(),
            ..ModelsJob::default()
        })
    }

    /// Whether the models agree as they were to; the table of those that do not goes to stderr's
    /// place for results, since it is one.
    fn check(&self, result: &ModelsResult) -> anyhow::Result<()> {
        let Some(min_agreement) = self.min_agreement else {
            return Ok(());
        };
        let gate = Gate {
            min_agreement,
            per_class: self.per == Some(Per::Class),
        };
        let short = gate.check(result);
        if short.is_empty() {
            return Ok(());
        }
        let mut rows = vec![
            ["models", "of", ">found", ">wanted"]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(short.iter().map(|short| {
            vec![
                short.models.join(" and "),
                match &short.class {
                    Some(class) => format!("Jaccard index of {class}"),
                    None => "agreement".to_owned(),
                },
                format!("{:.4}", short.found),
                format!("{:.4}", short.wanted),
            ]
        }));
        write!(std::io::stdout().lock(), "\n{}", table(&rows))?;
        Err(FellShort {
            number: short.len(),
            wanted: min_agreement,
        }
        .into())
    }
}

/// Agreement and its neighbours of each two models.
fn pairs_table(result: &ModelsResult) -> String {
    let heading = [
        "models",
        ">agreement",
        ">95 %",
        ">kappa",
        ">variation",
        ">boundary",
        "lowest class",
        ">Jaccard",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    rows.extend(result.pairs().into_iter().map(|pair| {
        let number =
            |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.4}"));
        let (class, jaccard) = pair
            .lowest
            .map_or(("-".to_owned(), None), |(class, index)| {
                (class, Some(index))
            });
        vec![
            pair.models.join(" and "),
            number(pair.agreement.map(|found| found.mean)),
            pair.agreement.map_or("-".to_owned(), |found| {
                let [low, high] = found.interval;
                format!("{low:.4}..{high:.4}")
            }),
            number(pair.kappa),
            number(pair.variation_distance),
            number(pair.boundary_distance),
            class,
            number(jaccard),
        ]
    }));
    table(&rows)
}

/// A share, 0 to 1.
fn parse_share(text: &str) -> Result<f64, String> {
    let share = text
        .parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("expected a share from 0 to 1 such as 0.95, found \"{text}\""))
}
