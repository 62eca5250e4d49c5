//! `morphscape compare`: how much of a published landscape's roughness is the morph tool's.

use super::options::{DataArgs, EngineArgs, GridArgs, ModelArgs, TripleArgs, existing};
use super::terminal::Terminal;
use super::text::{counted, shares_table};
use crate::job::CompareJob;
use crate::run::compare;
use std::io::Write;
use std::path::PathBuf;

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
    /// Start over, even in a folder that holds another run or other files; what the old run wrote
    /// is removed, and nothing else
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    let asked = args.job()?;
    let job = asked.load(terminal)?;
    let engine = args.engine.open(terminal)?;
    let compared = compare(
        &asked,
        &job,
        engine.as_ref(),
        (&args.out, existing(args.force)),
        &super::command_words(),
        terminal,
    )?;
    if terminal.shows_results() {
        write!(
            std::io::stdout().lock(),
            "{}\n{}\n",
            shares_table(&compared.rows),
            compared.finding
        )?;
    }
    terminal.say(format!(
        "{} in 3 modes in {:.3} s; written to {}",
        counted(3 * compared.triples.len(), "landscape"),
        compared.compute.as_secs_f64(),
        args.out.display()
    ));
    Ok(())
}

impl Args {
    /// The job that they stand for.
    pub(super) fn job(&self) -> anyhow::Result<CompareJob> {
        Ok(CompareJob {
            model: self.model.source()?,
            data: self.data.source(),
            triples: self.triples.triples(),
            steps: self.size.steps(),
            grid: self.size.grid(),
            resample_seed: self.triples.seed(),
        })
    }
}
