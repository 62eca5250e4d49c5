//! Random walks: walked, summed up, written, and shown in the report of the run whose landscape was
//! walked on.
//!
//! ```text
//! Walk -> free walk -> exponent, occupation
//!      -> walks to the basins, exact solutions -> passages
//!      -> Walked: facts, moments, fields, figures -> tensors, table, figures, report, manifest
//! ```

mod files;
mod in_run;
mod passage;

pub(super) use in_run::read as read_walk;

use super::folder::{RunFolder, engine_plan};
use super::{Existing, RunError};
use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::job::walk::{Edges, Ground, SurfaceSource, Walk, WalkJob};
use crate::job::{JobError, Observer, Stage};
use crate::landscape::{Exponent, LandscapeFile, exponent};
use crate::pipeline::{
    MeanMoments, WalkPlan, WalkRecord, log_spaced, walk as run_walkers, walk_paths,
};
use crate::plot::Figure;
use files::Results;
use passage::Passages;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// As what the figures of a walk are written; with neither there are no figures and no report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WalkFigures {
    /// As SVG.
    pub svg: bool,
    /// As PNG.
    pub png: bool,
}

/// What a walk came to.
#[derive(Debug)]
pub struct Walked {
    /// Names and values, in reading order.
    pub facts: Vec<(String, String)>,
    /// The exponent of `MSD ~ n^a`; nothing of fewer than three lags with motion.
    pub exponent: Option<Exponent>,
    /// Over the steps, in the walk's unit of length.
    pub moments: Vec<MeanMoments>,
    /// Time of a step; 1 for the lattice walk.
    pub dt: f64,
    /// Potential, occupation, stationary law, committor, passage times where there are such, and
    /// some paths.
    pub fields: Vec<WalkField>,
    /// Its figures, unless they were not asked for.
    pub figures: Vec<Figure>,
    /// Steps of all walkers together.
    pub work: u64,
    /// Time the walkers took.
    pub walk: Duration,
    how: String,
    landscape: Option<LandscapeFile>,
}

/// Some of a walk's values.
#[derive(Debug, Clone)]
pub struct WalkField {
    /// Its name in `walk.safetensors`.
    pub name: &'static str,
    /// `[rows, columns]`; of paths `[paths, points, 2]`.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f32>,
}

/// Walks on a job's surface and writes nothing. `landscape` takes the place of a landscape's
/// folder that the job names.
///
/// # Errors
/// [`RunError`] when the job does not fit together, or the engine fails.
pub fn walk_in_memory(
    job: &WalkJob,
    landscape: Option<LandscapeFile>,
    engine: &dyn Engine,
    observer: &dyn Observer,
) -> Result<Walked, RunError> {
    let walk = load(job, landscape, engine, observer)?;
    walked(walk, true, engine, observer)
}

fn load<'a>(
    job: &'a WalkJob,
    landscape: Option<LandscapeFile>,
    engine: &dyn Engine,
    observer: &dyn Observer,
) -> Result<Walk<'a>, JobError> {
    match landscape {
        Some(file) => job.load_on(file),
        None => job.load(engine, observer),
    }
}

/// Walks and writes what comes of it to `folder`; `landscape` is as in [`walk_in_memory`]. `command`
/// is the command line that asks for it, if one does.
///
/// # Errors
/// [`RunError`] when the job does not fit together, the folder holds something else, a file cannot
/// be written, or the engine fails.
pub fn walk(
    job: &WalkJob,
    landscape: Option<LandscapeFile>,
    figures: WalkFigures,
    engine: &dyn Engine,
    (folder, existing): (&Path, Existing),
    command: &[String],
    observer: &dyn Observer,
) -> Result<Walked, RunError> {
    let started = Instant::now();
    let walk = load(job, landscape, engine, observer)?;
    let mut plan = Map::from_iter([("program".to_owned(), json!(env!("CARGO_PKG_VERSION")))]);
    plan.extend(walk.plan());
    plan.extend(engine_plan(engine.info()));
    let mut folder = RunFolder::prepare(folder, plan, existing, command)?;
    let title = walk.surface.title.clone();
    let (subtitle, plan) = (files::subtitle(&walk), walk.surface.plan.to_string());
    let walked = walked(walk, figures.svg || figures.png, engine, observer)?;
    files::write(&folder, &walked, plan)?;
    files::write_figures(&folder, &walked, [&title, &subtitle], figures)?;
    let facts: Map<String, Value> = walked
        .facts
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    folder.set("results", Value::Object(facts));
    folder.set_engine(engine);
    folder.set(
        "timings",
        json!({"walk_s": walked.walk.as_secs_f64(), "total_s": started.elapsed().as_secs_f64()}),
    );
    folder.finish()?;
    Ok(walked)
}

/// Walks, and sums up.
fn walked(
    walk: Walk<'_>,
    draws: bool,
    engine: &dyn Engine,
    observer: &dyn Observer,
) -> Result<Walked, RunError> {
    let walking = Instant::now();
    let results = execute(&walk, engine, observer)?;
    let took = walking.elapsed();
    Ok(Walked {
        facts: facts(&walk, &results),
        figures: match draws {
            true => files::figures(&walk, &results),
            false => Vec::new(),
        },
        fields: files::fields(&walk, &results),
        how: files::how(&walk),
        exponent: results.exponent,
        moments: results.moments,
        dt: walk.dt,
        work: results.work,
        walk: took,
        landscape: walk.surface.landscape,
    })
}

/// Shows a walk on a landscape of a finished run in the landscape's folder and the run's report,
/// and gives that folder; nothing where it was another surface, drew no figures, or the landscape
/// was copied away from its run.
///
/// # Errors
/// [`RunError`] where the run's files cannot be written. The walk's own folder is whole anyhow.
pub fn show_in_run(job: &WalkJob, walked: &Walked) -> Result<Option<PathBuf>, RunError> {
    let (SurfaceSource::Landscape { folder, .. }, Some(file)) = (&job.surface, &walked.landscape)
    else {
        return Ok(None);
    };
    if walked.figures.is_empty() {
        return Ok(None);
    }
    let how = ("walk".to_owned(), walked.how.clone());
    let facts: Vec<_> = std::iter::once(how)
        .chain(walked.facts.iter().cloned())
        .collect();
    in_run::put(folder, file, &facts, &walked.figures)
}

fn execute(
    plan: &Walk<'_>,
    engine: &dyn Engine,
    observer: &dyn Observer,
) -> Result<Results, RunError> {
    let length = plan.job.length;
    let lags = log_spaced(length, 8);
    let reflecting = plan.job.edges == Edges::Reflecting;
    let (shape, counted) = match &plan.surface.ground {
        Ground::Grid(potential) if reflecting => (potential.shape(), second_half(length)),
        _ => ([0, 0], Vec::new()),
    };
    let walkers = WalkPlan {
        moments_at: &lags,
        occupation_at: &counted,
        shape,
        ..plan.walkers(&plan.motion, &plan.starts, length)
    };
    let total = walkers.walkers as usize * length as usize;
    observer.begin(Stage {
        total,
        unit: "walker-steps",
    });
    let WalkRecord {
        moments,
        occupation,
        ..
    } = run_walkers(engine, &walkers, &|work| observer.advance(work))?;
    observer.end();
    let moments: Vec<MeanMoments> = moments.iter().map(|at| at.scaled(plan.scale)).collect();
    let msd: Vec<f64> = moments.iter().map(|at| at.msd).collect();
    let passages = Passages::walk(plan, engine, observer)?;
    let path_steps = plan.path_steps();
    let shown = WalkPlan {
        steps: path_steps,
        ..walkers.clone()
    };
    // On the CPU whatever the engine: hundreds of tiny commands.
    let few = plan.job.walkers.min(PATHS);
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
fn facts(walk: &Walk<'_>, results: &Results) -> Vec<(String, String)> {
    let mut facts = vec![("surface".to_owned(), walk.surface.subtitle.clone())];
    let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
    fact("exponent", exponent_text(results.exponent));
    if let Some(end) = results.moments.last() {
        fact(
            "at the end",
            format!(
                "MSD {:.4e} +- {:.1e}, mean distance {:.4e} ({}), after {} steps",
                end.msd, end.msd_error, end.distance, walk.unit, end.step
            ),
        );
        if walk.job.edges == Edges::Absorbing {
            fact("not absorbed", format!("{:.4} of the walkers", end.moving));
        }
    }
    if let (Some(law), Some(occupation)) = (walk.law(), &results.occupation) {
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
