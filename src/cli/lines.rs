//! `morphscape lines`: the class intervals on the straight lines between many pairs of inputs.

use super::options::{ColumnArgs, DataArgs, EngineArgs, ExactName, ModelArgs, existing, line_data};
use super::terminal::Terminal;
use super::text::counted;
use crate::job::{LinesJob, Pairs};
use crate::run::lines;
use std::io::Write;
use std::path::PathBuf;

/// Which pairs, and how the lines between them are cut.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The pairs: {"pairs":[["t10k#1",7],...]}, items by name or number
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["count", "directions", "seed"])]
    pairs: Option<PathBuf>,
    /// Items to draw at random; --directions lines run from each
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// Lines from each drawn item, to other items drawn at random; dbViz's margins need 20
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    directions: u32,
    /// Seed of the draw
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// auto: exactly for networks of ReLU and the like, in certified brackets for smooth ones,
    /// else sampled; off: sampled
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    exact: ExactName,
    /// Samples, both ends included; for an exact line the certificate says what so many would miss
    #[arg(long, value_name = "N", default_value_t = 21)]
    steps: usize,
    /// Stop if a line has more pieces than this
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    max_regions: usize,
    /// Also seek a path from input to input that meets only their two classes, bent around other
    /// classes if the straight line meets any, and certify it leg by leg; only for exact lines
    #[arg(long)]
    connect: bool,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    columns: ColumnArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to; if it holds part of the same lines, that part is kept and the rest is
    /// cut
    #[arg(long, value_name = "DIR", default_value = "morphscape-lines")]
    out: PathBuf,
    /// Start over, even in a folder that holds another run or other files; what the old run wrote
    /// is removed, and nothing else
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    let asked = LinesJob {
        pairs: match &args.pairs {
            Some(path) => Pairs::File(path.clone()),
            None => Pairs::Drawn {
                count: args.count as usize,
                directions: args.directions as usize,
                seed: args.seed,
            },
        },
        data: line_data(&args.data, &args.columns)?,
        model: args.model.source()?,
        steps: args.steps,
        exact: args.exact.exactness(),
        max_pieces: args.max_regions,
        connect: args.connect,
    };
    let job = asked.load(terminal)?;
    // Exact sections run in 64-bit floats on the CPU; only samples are for an engine.
    let engine = match job.is_sampled() {
        true => Some(args.engine.open(terminal)?),
        false => None,
    };
    let found = lines(
        &job,
        engine.as_deref(),
        (&args.out, existing(args.force)),
        &super::command_words(),
        terminal,
    )?;
    if terminal.shows_results() {
        let mut out = std::io::stdout().lock();
        for finding in &found.findings {
            writeln!(out, "{finding}")?;
        }
    }
    let compute_s = found.compute.as_secs_f64();
    let taken = match found.kept {
        0 => format!(" in {compute_s:.3} s"),
        kept if kept == found.sections.len() => ", all kept from before".to_owned(),
        kept => format!(", {kept} kept from before, the others in {compute_s:.3} s"),
    };
    terminal.say(format!(
        "{}{taken}; written to {}",
        counted(found.sections.len(), "line"),
        args.out.display()
    ));
    Ok(())
}
