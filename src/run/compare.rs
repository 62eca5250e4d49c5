//! How much of a published landscape's roughness is the morph tool's.
//!
//! ```text
//! triples ─┬─ published  ─┐
//!          ├─ clean      ─┼─ the paths whole in all three ─> means a triple ─> shares, intervals
//!          └─ cross-fade ─┘
//! ```
//!
//! Landscapes are measured and dropped, wave by wave; what stays is a few numbers a triple.

use super::Existing;
use super::error::RunError;
use super::folder::layout::{COMPARE_FIGURE_FILE, COMPARE_SHARES_FILE, COMPARE_TRIPLES_FILE};
use super::folder::{RunFolder, engine_plan};
use super::shares::{
    COMPARED_MODES, ComparedTriple, ShareRow, figure, sentence, shares, shares_csv, triples_csv,
};
use crate::data::write_file;
use crate::engine::Engine;
use crate::job::{CompareJob, LandscapeId, ListOf, LoadedJob, Observer, Stage, landscapes_of};
use crate::kernels::BUDGET;
use crate::landscape::{Landscape, PathMeasures, RESAMPLES, measure_paths};
use crate::pipeline::{Frames, MorphSettings, PipelineError};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// What a comparison came to.
#[derive(Debug)]
pub struct Comparison {
    /// A measure each: its shares with their intervals.
    pub rows: Vec<ShareRow>,
    /// What was found, for a reader who knows none of the terms.
    pub finding: String,
    /// A triple each.
    pub triples: Vec<ComparedTriple>,
    /// Time it took to compute and measure all landscapes.
    pub compute: Duration,
}

impl Comparison {
    /// The comparison as a figure: one panel a measure, one point a triple.
    pub fn figure(&self, asked: &CompareJob, job: &LoadedJob) -> String {
        figure(job, &self.triples, &self.rows, asked.steps)
    }
}

/// Compares the triples of a job in three modes. `job` is what `asked` loads to.
///
/// # Errors
/// [`RunError`] when the job fails, or no path is without a failed frame in published mode.
pub fn compare_modes(
    asked: &CompareJob,
    job: &LoadedJob,
    engine: &dyn Engine,
    observer: &dyn Observer,
) -> Result<Comparison, RunError> {
    let computing = Instant::now();
    let triples = compute(asked, job, engine, observer)?;
    let compute = computing.elapsed();
    let rows = shares(&triples, asked.resample_seed);
    let Some(first) = rows.first() else {
        return Err(RunError::refused(format!(
            "none of the paths of {} triples is without a failed frame in published mode; compare more or other triples",
            triples.len()
        )));
    };
    Ok(Comparison {
        finding: sentence(first, &triples, asked.steps),
        rows,
        triples,
        compute,
    })
}

/// [`compare_modes`], written to `folder`. `command` is the command line that asks for it, if one
/// does.
///
/// # Errors
/// As [`compare_modes`], and when the folder holds something else or a file cannot be written.
pub fn compare(
    asked: &CompareJob,
    job: &LoadedJob,
    engine: &dyn Engine,
    (folder, existing): (&Path, Existing),
    command: &[String],
    observer: &dyn Observer,
) -> Result<Comparison, RunError> {
    let started = Instant::now();
    let mut folder = RunFolder::prepare(folder, plan(asked, job, engine), existing, command)?;
    let compared = compare_modes(asked, job, engine, observer)?;
    write_file(
        &folder.file(COMPARE_TRIPLES_FILE),
        &triples_csv(job, &compared.triples),
    )?;
    write_file(
        &folder.file(COMPARE_SHARES_FILE),
        &shares_csv(&compared.rows),
    )?;
    let figure = compared.figure(asked, job);
    write_file(&folder.file(COMPARE_FIGURE_FILE), figure.as_bytes())?;
    folder.set_engine(engine);
    folder.set("model", job.model_json());
    folder.set("data", job.data_json());
    folder.set("finding", json!(compared.finding));
    folder.set(
        "timings",
        json!({"compute_s": compared.compute.as_secs_f64(), "total_s": started.elapsed().as_secs_f64()}),
    );
    folder.finish()?;
    Ok(compared)
}

/// Everything that decides the numbers.
fn plan(asked: &CompareJob, job: &LoadedJob, engine: &dyn Engine) -> Map<String, Value> {
    let spec = serde_json::to_value(asked).expect("a job is plain data");
    let mut plan = Map::from_iter([("program".to_owned(), json!(env!("CARGO_PKG_VERSION")))]);
    plan.extend(job.plan(ListOf::All));
    // The sweep that the triples were loaded as is none of the plan.
    plan.remove("morph");
    plan.extend(spec.as_object().cloned().unwrap_or_default());
    plan.insert("job".to_owned(), json!("compare"));
    plan.insert(
        "modes".to_owned(),
        json!(COMPARED_MODES.map(|(_, name)| name)),
    );
    plan.insert("resamples".to_owned(), json!(RESAMPLES));
    plan.extend(engine_plan(engine.info()));
    plan
}

/// Computes and measures all landscapes in all modes.
fn compute(
    asked: &CompareJob,
    job: &LoadedJob,
    engine: &dyn Engine,
    observer: &dyn Observer,
) -> Result<Vec<ComparedTriple>, RunError> {
    let CompareJob { steps, grid, .. } = *asked;
    let siblings = job.kind().siblings().len();
    observer.begin(Stage {
        total: COMPARED_MODES.len() * siblings * job.triples().len() * steps * steps,
        unit: "frames",
    });
    let mut compared = Vec::with_capacity(job.triples().len());
    for triples in job.triples().chunks(BUDGET.triples_compared) {
        let ids = landscapes_of(job.kind(), triples);
        let fetched = job.fetch(&ids)?;
        let landscapes_in = |mode| -> Result<Vec<Landscape>, PipelineError> {
            let settings = MorphSettings::new(steps, grid, mode);
            job.compute_images(engine, &ids, &fetched, &settings, Frames::Drop, observer)
        };
        let published = landscapes_in(COMPARED_MODES[0].0)?;
        let mut modes = vec![published];
        for (mode, _) in &COMPARED_MODES[1..] {
            // Paths count where no frame failed in any of the modes.
            let landscapes = landscapes_in(*mode)?.into_iter().zip(&modes[0]);
            let same_paths = landscapes.map(|(landscape, other)| landscape.with_gaps_of(other));
            let same_paths = same_paths.collect();
            modes.push(same_paths);
        }
        for (n, triple) in triples.iter().enumerate() {
            let own = siblings * n..siblings * (n + 1);
            let measures = [0, 1, 2].map(|mode| mean(&modes[mode][own.clone()], &ids[own.clone()]));
            let published = &modes[0][own];
            compared.push(ComparedTriple {
                triple: triple.clone(),
                failed: published.iter().map(Landscape::num_failed).sum(),
                whole_paths: measures[0]
                    .as_ref()
                    .map_or(0, |measures| measures.num_paths),
                measures: match measures {
                    [Some(published), Some(clean), Some(cross_fade)] => {
                        Some([published, clean, cross_fade])
                    }
                    _ => None,
                },
            });
        }
    }
    observer.end();
    Ok(compared)
}

/// Means over the whole paths of a triple's landscapes.
fn mean(landscapes: &[Landscape], ids: &[LandscapeId]) -> Option<PathMeasures> {
    let measured: Vec<PathMeasures> = landscapes
        .iter()
        .zip(ids)
        .filter_map(|(landscape, id)| measure_paths(landscape, id.classes))
        .collect();
    PathMeasures::over_landscapes(&measured)
}
