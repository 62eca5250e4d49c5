//! `morphscape verify`: whether a finished run is what the program wrote, and what it computes.

use super::options::{OtherEngineArgs, Places};
use super::terminal::Terminal;
use super::text::{counted, differences_text, engine_name, said_engine_name};
use crate::engine::Engine;
use crate::run::{Difference, FileCheck, LandscapeCheck, RunFolder, Sample, SummaryCheck};
use anyhow::ensure;
use std::io::Write;
use std::path::PathBuf;

/// What to check.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a finished run
    #[arg(value_name = "DIR")]
    run: PathBuf,
    /// Landscapes or lines to compute again, evenly spread over the run; 0 for none
    #[arg(long, value_name = "N", default_value_t = 6, conflicts_with = "all")]
    sample: usize,
    /// Compute all landscapes or lines again
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    engine: OtherEngineArgs,
    #[command(flatten)]
    places: Places,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    let folder = RunFolder::open(&args.run)?;
    let manifest = folder.manifest();
    let files = folder.check_files(terminal)?;
    say(&files_line(&files), &files.differences)?;
    let mut number = files.differences.len();
    if folder.has_lines() && (args.all || args.sample > 0) {
        let engine = args.engine.open("cpu", terminal)?;
        let sample = if args.all { usize::MAX } else { args.sample };
        let (cut, differences) = folder.check_lines(sample, engine.as_ref())?;
        say(
            &format!("cut again: {}", counted(cut, "line")),
            &differences,
        )?;
        number += differences.len();
    } else if !folder.has_landscapes() {
        terminal.say(format!(
            "note: of a {} the files are checked, and nothing is computed again",
            manifest["plan"]["job"].as_str().unwrap_or("run")
        ));
    } else {
        let mut summary = folder.check_summary()?;
        if summary.rows.is_none() && number > 0 {
            // The files' hashes have said so.
            summary.differences.clear();
        }
        say(&summary_line(&summary), &summary.differences)?;
        number += summary.differences.len();
        if args.all || args.sample > 0 {
            let again = folder.load_again(&args.places.moved(), terminal)?;
            let ran_on = &manifest["engine"];
            let engine = args
                .engine
                .open(ran_on["engine"].as_str().unwrap_or_default(), terminal)?;
            let sample = match args.all {
                true => Sample::All,
                false => Sample::Of(args.sample),
            };
            let check = folder.check_landscapes(&again, sample, engine.as_ref(), terminal)?;
            let line = landscapes_line(&check, engine.as_ref(), &said_engine_name(ran_on));
            say(&line, &check.differences)?;
            number += check.differences.len();
        }
    }
    ensure!(
        number == 0,
        "{}: expected the run as it was written and as it is computed again, found {} (above)",
        args.run.display(),
        counted(number, "difference")
    );
    Ok(())
}

/// Ends a stage: a line, and what differs below it.
fn say(line: &str, differences: &[Difference]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    write!(out, "{line}\n{}", differences_text(differences))
}

fn files_line(check: &FileCheck) -> String {
    let same = check.files - check.differences.len();
    format!("files: {same} of {} as they were written", check.files)
}

fn summary_line(check: &SummaryCheck) -> String {
    match (check.rows, check.differences.is_empty()) {
        (None, _) => {
            "summary: not held against the landscapes, of which not all can be read".to_owned()
        }
        (Some(rows), true) => format!("summary: {rows} rows as the landscapes measure"),
        (Some(_), false) => "summary: not as the landscapes measure".to_owned(),
    }
}

fn landscapes_line(check: &LandscapeCheck, engine: &dyn Engine, ran_on: &str) -> String {
    let [again, all] = check.landscapes;
    let mut line = format!(
        "computed again: {again} of {}, {} points, on {}; the run was on {ran_on}",
        counted(all, "landscape"),
        check.points,
        engine_name(engine),
    );
    for (what, furthest) in ["logits", "probabilities"].iter().zip(&check.furthest) {
        match furthest {
            None => {}
            Some((0.0, _)) => line.push_str(&format!("\n    {what} equal to the bit")),
            Some((by, place)) => {
                line.push_str(&format!("\n    {what} at most {by:.1e} apart: {place}"));
            }
        }
    }
    line.push_str(&format!("\n    labels that differ: {}", check.labels));
    line
}
