//! `morphscape walk`: random walks.
//!
//! ```text
//! arguments -> Surface (plane or grid) -> Motion -> free walk -> exponent, occupation
//!                                      -> walks to the basins, exact solutions -> passages
//!                                      -> tensors, table, figures, report, manifest
//!                                      -> the run's report, where a run's landscape is walked on
//! ```

mod args;
mod files;
mod in_run;
mod passage;
mod plan;
mod surface;

pub(super) use args::Args;
pub(super) use in_run::read as read_walk;

use super::Verbosity;
use super::output::OutputFolder;
use super::progress::Progress;
use super::text::engine_name;
use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::landscape::{Exponent, exponent};
use crate::pipeline::{MeanMoments, WalkJob, WalkRecord, log_spaced, walk, walk_paths};
use args::{Edges, FiguresName};
use files::Results;
use passage::Passages;
use plan::Walk;
use serde_json::{Value, json};
use std::io::Write;
use std::time::Instant;
use surface::Ground;

pub(super) fn run(args: &Args, verbosity: Verbosity) -> anyhow::Result<()> {
    let started = Instant::now();
    // The classifier runs on the engine, too.
    let engine = args.engine.open(verbosity)?;
    let surface = args.surface.resolve(args, engine.as_ref(), verbosity)?;
    let walk = Walk::resolve(args, surface)?;
    let pair = passage::pair(&args.basins)?;
    let plan = walk.plan(engine.as_ref(), pair);
    let mut folder = OutputFolder::prepare(&args.out, plan, args.force)?;
    let walking = Instant::now();
    let results = walk.execute(engine.as_ref(), pair, verbosity)?;
    let walk_s = walking.elapsed().as_secs_f64();
    let facts = walk.facts(&results);
    files::write(&walk, &folder, &results)?;
    let figures = match args.figures {
        FiguresName::All => files::figures(&walk, &results),
        FiguresName::None => Vec::new(),
    };
    files::write_figures(&walk, &folder, &facts, &figures)?;
    let facts_json: serde_json::Map<String, Value> = facts
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    folder.set("results", Value::Object(facts_json));
    folder.set_engine(engine.as_ref());
    let total_s = started.elapsed().as_secs_f64();
    folder.set("timings", json!({"walk_s": walk_s, "total_s": total_s}));
    folder.finish()?;
    if verbosity > Verbosity::Quiet {
        let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let mut out = std::io::stdout().lock();
        for (name, value) in &facts {
            writeln!(out, "{name:<width$}  {value}")?;
        }
    }
    let work = results.work as f64;
    verbosity.say(
        Verbosity::Normal,
        format!(
            "{work:.3e} walker-steps in {walk_s:.2} s ({:.3e} a second) on {}; {total_s:.2} s in all; written to {}",
            work / walk_s,
            engine_name(engine.as_ref()),
            args.out.display()
        ),
    );
    if let (Some(path), Some(file)) = (args.surface.landscape(), &walk.surface.landscape)
        && !figures.is_empty()
    {
        let how = ("walk".to_owned(), walk.how());
        let facts: Vec<_> = std::iter::once(how).chain(facts).collect();
        in_run::put(path, file, &facts, &figures, verbosity);
    }
    Ok(())
}

impl Walk<'_> {
    fn execute(
        &self,
        engine: &dyn Engine,
        pair: [usize; 2],
        verbosity: Verbosity,
    ) -> anyhow::Result<Results> {
        let length = self.args.length;
        let lags = log_spaced(length, 8);
        let reflecting = self.args.edges == Edges::Reflecting;
        let (shape, counted) = match &self.surface.ground {
            Ground::Grid(potential) if reflecting => (potential.shape(), second_half(length)),
            _ => ([0, 0], Vec::new()),
        };
        let job = WalkJob {
            moments_at: &lags,
            occupation_at: &counted,
            shape,
            ..self.job(&self.motion, &self.starts, length)
        };
        let total = job.walkers as usize * length as usize;
        let progress = Progress::counting(total, "walker-steps", verbosity);
        let WalkRecord {
            moments,
            occupation,
            ..
        } = walk(engine, &job, &|work| progress.advance(work))?;
        progress.finish();
        let moments: Vec<MeanMoments> = moments.iter().map(|at| at.scaled(self.scale)).collect();
        let msd: Vec<f64> = moments.iter().map(|at| at.msd).collect();
        let passages = Passages::walk(self, engine, pair, verbosity)?;
        let path_steps = self.path_steps();
        let shown = WalkJob {
            steps: path_steps,
            ..job.clone()
        };
        // On the CPU whatever the engine: hundreds of tiny commands.
        let few = self.args.walkers.min(PATHS);
        let stride = path_steps.div_ceil(PATH_POINTS);
        let paths = walk_paths(&CpuEngine::new(), &shown, few, stride)?;
        Ok(Results {
            exponent: exponent(&lags, &msd, length),
            moments,
            occupation: shares(&occupation),
            work: total as u64 + passages.as_ref().map_or(0, |passages| passages.work),
            passages,
            paths,
        })
    }

    /// What the walk came to, in words and numbers.
    fn facts(&self, results: &Results) -> Vec<(String, String)> {
        let mut facts = vec![("surface".to_owned(), self.surface.subtitle.clone())];
        let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
        fact("exponent", exponent_text(results.exponent));
        if let Some(end) = results.moments.last() {
            fact(
                "at the end",
                format!(
                    "MSD {:.4e} +- {:.1e}, mean distance {:.4e} ({}), after {} steps",
                    end.msd, end.msd_error, end.distance, self.unit, end.step
                ),
            );
            if self.args.edges == Edges::Absorbing {
                fact("not absorbed", format!("{:.4} of the walkers", end.moving));
            }
        }
        if let (Some(law), Some(occupation)) = (self.law(), &results.occupation) {
            let miss = law
                .iter()
                .zip(occupation)
                .map(|(p, share)| (p - share).abs());
            fact(
                "occupation",
                format!(
                    "total variation {:.4} from e^(-U/T), in the second half of the walk",
                    0.5 * miss.sum::<f64>()
                ),
            );
        }
        if let Some(passages) = &results.passages {
            facts.extend(passages.facts());
        }
        facts
    }
}

/// Paths drawn, and points of each.
const PATHS: u32 = 4;
const PATH_POINTS: u32 = 400;

/// Steps at which the occupation is taken: 21 over the second half.
fn second_half(length: u32) -> Vec<u32> {
    let mut steps: Vec<u32> = (20..=40)
        .map(|n| (u64::from(length) * n / 40) as u32)
        .filter(|&step| step > 0)
        .collect();
    steps.dedup();
    steps
}

fn shares(counts: &[u64]) -> Option<Vec<f64>> {
    let total = counts.iter().sum::<u64>() as f64;
    (total > 0.0).then(|| counts.iter().map(|&count| count as f64 / total).collect())
}

fn exponent_text(fit: Option<Exponent>) -> String {
    match fit {
        Some(fit) => format!(
            "{:.4} +- {:.4} (MSD over lags {} to {}, {} of them)",
            fit.alpha, fit.standard_error, fit.lags[0], fit.lags[1], fit.points
        ),
        None => "none: fewer than three lags with motion".to_owned(),
    }
}
