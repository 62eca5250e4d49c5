//! `morphscape verify`: whether a finished run is what the program wrote, and what it computes.
//!
//! ```text
//! manifest ─ files ───> SHA-256 of each, as it stands
//!          ─ tensors ─> measures ─> summary.csv
//!          ─ command ─> arguments ─> the plan again ─> a sample computed on another engine
//! ```
//!
//! The job is resolved from the command in the manifest, as the run itself was, and the plan it
//! comes to must be the one in the manifest: so nothing of model, data and options is trusted or
//! rebuilt here. Rejected: to rebuild the job from the plan, which would be a second reading of
//! every option, right until the next option is added.

use super::options::{OtherEngineArgs, Places};
use super::output::{OutputFolder, difference, hash_files};
use super::plot::read_landscape;
use super::progress::Progress;
use super::run::{Again, Job};
use super::summary::{SUMMARY_FILE, SummaryRow, measure_files, summary_csv};
use super::text::{counted, engine_name, said_engine_name};
use super::{Cli, Command, Verbosity};
use crate::landscape::{Deviation, Furthest, LandscapeFile, triple_of};
use anyhow::{Context, bail, ensure};
use clap::Parser;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What to check.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a finished run
    #[arg(value_name = "DIR")]
    run: PathBuf,
    /// Landscapes to compute again, evenly spread over the run; 0 for none
    #[arg(long, value_name = "N", default_value_t = 6, conflicts_with = "all")]
    sample: usize,
    /// Compute all landscapes again
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    engine: OtherEngineArgs,
    #[command(flatten)]
    places: Places,
}

/// Probabilities of two engines lie at most so far apart.
const TOLERANCE: f32 = 1e-4;

/// Values of landscapes computed at a time.
const VALUES_A_BATCH: usize = 1 << 23;

/// What does not hold, file by file.
struct Problems {
    found: Vec<(String, String)>,
}

impl Problems {
    fn add(&mut self, what: &str, problem: impl Into<String>) {
        self.found.push((what.to_owned(), problem.into()));
    }

    /// Ends a stage that began with `before` problems: a line, and the problems below it.
    fn say(&self, before: usize, line: &str) -> std::io::Result<()> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{line}")?;
        let new = &self.found[before..];
        let width = new.iter().map(|(what, _)| what.len()).max().unwrap_or(0);
        for (what, problem) in new {
            writeln!(out, "    {what:<width$}  {problem}")?;
        }
        Ok(())
    }
}

pub(super) fn run(args: Args, verbosity: Verbosity) -> anyhow::Result<()> {
    let run = args.run.clone();
    let folder = OutputFolder::open_finished(&run)?;
    let manifest = folder.manifest();
    let mut problems = Problems { found: Vec::new() };
    check_files(&run, &manifest, &mut problems, verbosity)?;
    let plan = &manifest["plan"];
    match plan["job"].as_str() {
        // Of a summary alone there is nothing to hold what is computed again against.
        Some("sweep" | "interpolate") if plan["summary_only"] != json!(true) => {
            check_summary(&folder, &mut problems)?;
            if args.all || args.sample > 0 {
                check_landscapes(args, &folder, &mut problems, verbosity)?;
            }
        }
        job => verbosity.say(
            Verbosity::Normal,
            format!(
                "note: of a {} the files are checked, and nothing is computed again",
                job.unwrap_or("run")
            ),
        ),
    }
    let number = problems.found.len();
    ensure!(
        number == 0,
        "{}: expected the run as it was written and as it is computed again, found {} (above)",
        run.display(),
        counted(number, "difference")
    );
    Ok(())
}

/// Holds every file against its hash. A file the manifest does not name is none of the run's
/// and said, but no difference.
fn check_files(
    run: &Path,
    manifest: &Value,
    problems: &mut Problems,
    verbosity: Verbosity,
) -> anyhow::Result<()> {
    let files = manifest["files"].as_object().with_context(|| {
        format!(
            "{}: expected a manifest with the hashes of the run's files, found none; an older version made it, run its command again with --force",
            run.display()
        )
    })?;
    let mut found = hash_files(run, &manifest["plan"])?;
    for (name, hash) in files {
        match (found.remove(name), hash.as_str()) {
            (None, _) => problems.add(name, "missing"),
            (Some(now), Some(then)) if now == then => {}
            (Some(now), _) => problems.add(
                name,
                format!(
                    "changed: SHA-256 {}, expected {}",
                    short(&now),
                    short(hash.as_str().unwrap_or("none"))
                ),
            ),
        }
    }
    for name in found.keys() {
        verbosity.say(
            Verbosity::Normal,
            format!("note: {name} is no file of the run"),
        );
    }
    let same = files.len() - problems.found.len();
    let line = format!("files: {same} of {} as they were written", files.len());
    Ok(problems.say(0, &line)?)
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// Measures all landscapes once more from their files, and holds the table against it.
fn check_summary(folder: &OutputFolder, problems: &mut Problems) -> anyhow::Result<()> {
    let before = problems.found.len();
    let names = folder.landscapes()?;
    let triples: Vec<&[String]> = names
        .chunk_by(|a, b| triple_of(a) == triple_of(b))
        .collect();
    let rows = triples
        .par_iter()
        .map(|triple| {
            let files = triple
                .iter()
                .map(|name| read_landscape(folder, name))
                .collect::<anyhow::Result<Vec<_>>>()?;
            ensure!(
                files.len() == 3,
                "{}: expected three landscapes of the triple, found {}",
                triple[0],
                files.len()
            );
            let measured = files.iter().zip(measure_files(&files));
            let rows = measured.map(|(file, measures)| SummaryRow::new(file, measures));
            Ok(rows.collect::<Vec<_>>())
        })
        .collect::<anyhow::Result<Vec<_>>>();
    let line = match rows {
        Err(error) => {
            // Most often their hashes have said so.
            if before == 0 {
                problems.add(SUMMARY_FILE, format!("not held against them: {error:#}"));
            }
            "summary: not held against the landscapes, of which not all can be read".to_owned()
        }
        Ok(rows) => {
            let (expected, found) = (
                summary_csv(&rows.concat())?,
                std::fs::read(folder.file(SUMMARY_FILE)).unwrap_or_default(),
            );
            let lines = |text: &[u8]| -> Vec<Vec<u8>> {
                text.split(|&b| b == b'\n').map(Vec::from).collect()
            };
            let (expected, found) = (lines(&expected), lines(&found));
            let other = expected
                .iter()
                .enumerate()
                .filter(|(n, line)| found.get(*n) != Some(*line));
            for (n, line) in other {
                let text = String::from_utf8_lossy(line).into_owned();
                let name = text.split(',').next().unwrap_or_default();
                problems.add(
                    SUMMARY_FILE,
                    format!(
                        "line {}: not what {name} measures, {}",
                        n + 1,
                        text.chars().take(60).collect::<String>()
                    ),
                );
            }
            if found.len() > expected.len() {
                problems.add(SUMMARY_FILE, "more lines than landscapes");
            }
            match problems.found.len() - before {
                0 => format!("summary: {} rows as the landscapes measure", names.len()),
                _ => "summary: not as the landscapes measure".to_owned(),
            }
        }
    };
    Ok(problems.say(before, &line)?)
}

/// Computes landscapes once more and holds them against the files.
fn check_landscapes(
    args: Args,
    folder: &OutputFolder,
    problems: &mut Problems,
    verbosity: Verbosity,
) -> anyhow::Result<()> {
    let manifest = folder.manifest();
    let before = problems.found.len();
    let again = resolve(&args.run, &manifest, &args.places, verbosity)?;
    let jobs = sample(&again.jobs, if args.all { usize::MAX } else { args.sample });
    let ran_on = &manifest["engine"];
    let engine = args
        .engine
        .open(ran_on["engine"].as_str().unwrap_or_default(), verbosity)?;
    let mut worst: BTreeMap<&str, (String, Furthest)> = BTreeMap::new();
    let (mut labels, mut frames) = (0, 0);
    let each = |job: &Job| read_landscape(folder, &job.name);
    let steps = again.plan["steps"].as_u64().unwrap_or(2) as usize;
    let progress = Progress::new(jobs.len() * steps * steps, verbosity);
    let classes = manifest["model"]["classes"].as_array().map_or(1, Vec::len);
    let batch = (VALUES_A_BATCH / (steps * steps * classes.max(1))).max(1);
    for jobs in jobs.chunks(batch) {
        let computed = (again.compute)(engine.as_ref(), jobs, &progress)?;
        for (job, now) in jobs.iter().zip(&computed) {
            let file = match each(job) {
                Ok(file) => file,
                Err(error) => {
                    problems.add(&job.name, format!("cannot be read: {error:#}"));
                    continue;
                }
            };
            let Some(deviation) = Deviation::between(&file.landscape, now) else {
                problems.add(&job.name, "has other steps or classes");
                continue;
            };
            frames += now.num_frames();
            labels += deviation.labels;
            hold(&job.name, &file, &deviation, problems);
            let both = [
                ("logits", deviation.logits),
                ("probabilities", deviation.probabilities),
            ];
            for (what, furthest) in both {
                let Some(furthest) = furthest else { continue };
                let further = worst
                    .get(what)
                    .is_none_or(|(_, worst)| furthest.by > worst.by);
                if further {
                    worst.insert(what, (place(&job.name, &file, &furthest), furthest));
                }
            }
        }
    }
    progress.finish();
    let mut line = format!(
        "computed again: {} of {}, {frames} points, on {}; the run was on {}",
        jobs.len(),
        counted(again.jobs.len(), "landscape"),
        engine_name(engine.as_ref()),
        said_engine_name(ran_on),
    );
    for (what, (place, furthest)) in &worst {
        let text = match furthest.by {
            0.0 => format!("\n    {what} equal to the bit"),
            by => format!("\n    {what} at most {by:.1e} apart: {place}"),
        };
        line.push_str(&text);
    }
    line.push_str(&format!("\n    labels that differ: {labels}"));
    Ok(problems.say(before, &line)?)
}

/// Says where a landscape does not hold.
fn hold(name: &str, file: &LandscapeFile, deviation: &Deviation, problems: &mut Problems) {
    if let Some(furthest) = deviation
        .probabilities
        .filter(|furthest| furthest.by > TOLERANCE)
    {
        problems.add(
            name,
            format!(
                "probabilities {:.1e} apart, expected at most {TOLERANCE:.0e}: {}",
                furthest.by,
                place(name, file, &furthest)
            ),
        );
    }
    if deviation.clear_labels > 0 {
        problems.add(
            name,
            format!(
                "{} of clear margin differ",
                counted(deviation.clear_labels, "label")
            ),
        );
    }
    if deviation.failed > 0 {
        problems.add(
            name,
            format!(
                "{} failed in one and not in the other",
                counted(deviation.failed, "point")
            ),
        );
    }
}

fn place(name: &str, file: &LandscapeFile, furthest: &Furthest) -> String {
    let steps = file.landscape.steps;
    let [there, now] = furthest.values;
    format!(
        "{name}, row {}, column {}, {}: {there} there and {now} now",
        furthest.frame / steps,
        furthest.frame % steps,
        file.class_names[furthest.class]
    )
}

/// So many of the landscapes, evenly spread.
fn sample(jobs: &[Job], number: usize) -> Vec<Job> {
    let number = number.min(jobs.len());
    (0..number)
        .map(|n| jobs[n * jobs.len() / number].clone())
        .collect()
}

/// The job of a run's command, which must come to the run's plan.
fn resolve(
    run: &Path,
    manifest: &Value,
    places: &Places,
    verbosity: Verbosity,
) -> anyhow::Result<Again> {
    let run = run.display();
    let words: Option<Vec<String>> = serde_json::from_value(manifest["command"].clone()).ok();
    let words = words
        .with_context(|| format!("{run}: expected the command in manifest.json, found none"))?;
    let command = match Cli::try_parse_from(&words) {
        Ok(cli) => cli.command,
        Err(_) => bail!(
            "{run}: the command in manifest.json is none of this version: {}",
            words.join(" ")
        ),
    };
    let again = match command {
        Command::Sweep(args) => args.again(places),
        Command::Interpolate(args) => args.again(places),
        _ => bail!(
            "{run}: the command in manifest.json is none that computes landscapes: {}",
            words.join(" ")
        ),
    };
    let mut again = again.with_context(|| {
        format!(
            "{run}: cannot compute it again; say where its model and data lie now with --model and --data, or go to the folder that its command was given in"
        )
    })?;
    let mut then = manifest["plan"].clone();
    let versions = [&then, &again.plan].map(|plan| plan["program"].clone());
    if versions[0] != versions[1] {
        let [then, now] = versions;
        verbosity.say(
            Verbosity::Normal,
            format!("note: the run is of program version {then}, and this is {now}"),
        );
    }
    // Another engine and another version are what this is about.
    for plan in [&mut then, &mut again.plan] {
        for key in ["program", "engine", "adapter"] {
            plan.as_object_mut().map(|plan| plan.remove(key));
        }
    }
    if let Some(difference) = difference(&then, &again.plan) {
        bail!(
            "{run}: cannot compute it again: its command comes to another plan, {difference}; if its model or data lie elsewhere now, say where with --model and --data"
        );
    }
    Ok(again)
}
