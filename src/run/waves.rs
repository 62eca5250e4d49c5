//! A run: landscapes computed in waves, drawn, written and summed up.
//!
//! ```text
//! LoadedJob ─ Run ─ write_to ─> Writing: wave by wave
//!     kept from an earlier start? ─┬─ no ─> fetch, compute, finer grids ─┐
//!                                  └─ yes ───────────────────────────────┴─> measures ─> figures,
//!                                                           tensors ─> rows ─> report, manifest
//! ```
//!
//! A wave bounds what a killed run loses (a few seconds) and what is held at once. Nothing here
//! depends on what the items are: images and rows differ below, in `job`.

use super::error::RunError;
use super::figures::FigurePlan;
use super::folder::layout::{DATA_FILE, REPORT_FILE, RESOLUTION_FILE, SUMMARY_FILE};
use super::folder::{RunFolder, engine_plan};
use super::resolution::{Resolution, check_finer, finer, finer_json};
use super::resume::TripleFiles;
use super::summary::{SummaryRow, measure_files, summary_csv};
use super::{Existing, Keep};
use crate::data::write_file;
use crate::engine::Engine;
use crate::job::{LandscapeId, ListOf, LoadedJob, Observer, Stage};
use crate::landscape::{
    COLUMNS, DataPoints, Items, Landscape, LandscapeFile, OVERVIEW, RANK_BY, measure,
};
use crate::pipeline::{Frames, PipelineError};
use crate::report::{Detail, Report, ReportRow, write_report};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// A wave of landscapes is computed, then drawn and written: results kept between writes, bytes,
/// and how long a wave is to take, which is what a run loses when it is killed. The first is one
/// triple, from which the next ones are estimated.
const WAVE_BYTES: usize = 64 << 20;
const WAVE_S: f64 = 5.0;
/// Values of the inputs of the first wave, before it is known how long a landscape takes: 16
/// triples of the paper's size, a fraction of a second.
const FIRST_WAVE_VALUES: usize = 16 << 20;

/// Where the time went.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timings {
    /// Reading models, data and the inputs of landscapes.
    pub load: Duration,
    /// Opening the engine and the folder.
    pub engine: Duration,
    /// Computing landscapes.
    pub compute: Duration,
    /// Measuring them.
    pub measures: Duration,
    /// Computing and measuring them on finer grids.
    pub resolution: Duration,
    /// Drawing figures, and writing tensors beside it.
    pub figures: Duration,
    /// Writing tensors and tables.
    pub write: Duration,
    /// Writing the report.
    pub report: Duration,
}

impl Timings {
    /// Seconds to the microsecond, for the manifest.
    pub fn json(&self, total: Duration) -> Value {
        let seconds = |duration: Duration| (duration.as_secs_f64() * 1e6).round() / 1e6;
        json!({
            "load_s": seconds(self.load),
            "engine_s": seconds(self.engine),
            "compute_s": seconds(self.compute),
            "measures_s": seconds(self.measures),
            "resolution_s": seconds(self.resolution),
            "figures_s": seconds(self.figures),
            "write_s": seconds(self.write),
            "report_s": seconds(self.report),
            "total_s": seconds(total),
        })
    }
}

/// A run that is ready to start: a job, an engine, and what is kept of it.
///
/// ```no_run
/// use morphscape::{Existing, Job, Run, Silent, SweepJob, engine::cpu::CpuEngine};
///
/// let engine = CpuEngine::new();
/// let job = Job::Sweep(SweepJob::default()).load(&Silent)?;
/// let outcome = Run::new(&job, &engine).write_to("out".as_ref(), Existing::Continue, &Silent)?;
/// assert_eq!(outcome.landscapes, 30);
/// # Ok::<(), morphscape::RunError>(())
/// ```
pub struct Run<'a> {
    job: &'a LoadedJob,
    engine: &'a dyn Engine,
    keep: Keep,
    resolution: bool,
    figures: Option<FigurePlan>,
    command: Vec<String>,
    started: Instant,
    timings: Timings,
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// How many landscapes it has.
    pub landscapes: usize,
    /// How many of them an earlier start had finished.
    pub kept: usize,
    /// Inputs of a landscape.
    pub inputs_each: usize,
    /// The landscapes with their measures; none where rows alone were kept, in `summary.csv`.
    pub rows: Vec<SummaryRow>,
    /// The measures on finer grids, where they were asked for.
    pub resolution: Option<Resolution>,
    /// Triangulations of published mode that are not certainly the paper's tool's.
    pub stand_in: u64,
    /// Where the time went.
    pub timings: Timings,
    /// Time since the run's start.
    pub total: Duration,
}

impl<'a> Run<'a> {
    /// A run that keeps tensors, without figures and report.
    pub fn new(job: &'a LoadedJob, engine: &'a dyn Engine) -> Self {
        Self {
            job,
            engine,
            keep: Keep::Tensors,
            resolution: false,
            figures: None,
            command: Vec::new(),
            started: Instant::now(),
            timings: Timings::default(),
        }
    }

    /// What is kept of each landscape.
    pub fn keep(self, keep: Keep) -> Self {
        Self { keep, ..self }
    }

    /// Takes measures on finer grids as well, and says which have settled: about 16 times the
    /// computing.
    pub fn on_finer_grids(self) -> Self {
        Self {
            resolution: true,
            ..self
        }
    }

    /// Draws figures, and writes the report where the plan says so.
    pub fn figures(self, figures: FigurePlan) -> Self {
        Self {
            figures: Some(figures),
            ..self
        }
    }

    /// The command line that asks for the run, for the manifest.
    pub fn command(self, words: Vec<String>) -> Self {
        Self {
            command: words,
            ..self
        }
    }

    /// When work began, and what it has taken so far, for the manifest.
    pub fn begun(self, started: Instant, timings: Timings) -> Self {
        Self {
            started,
            timings,
            ..self
        }
    }

    /// Runs to the end: every file of the run is written to `folder`. Landscapes that an earlier
    /// start finished are kept. A run that is stopped, by `observer` or by force, goes on from
    /// there when it is started again.
    ///
    /// # Errors
    /// [`RunError`] when the folder holds something else, a file cannot be written, or the job
    /// fails.
    pub fn write_to(
        self,
        folder: &Path,
        existing: Existing,
        observer: &dyn Observer,
    ) -> Result<Outcome, RunError> {
        let rows_alone = self.keep == Keep::RowsAlone;
        if self.resolution {
            check_finer(self.job.steps())?;
        }
        if rows_alone && (self.resolution || self.figures.is_some()) {
            return Err(RunError::refused(
                "a run that keeps rows alone has neither figures nor finer grids; expected one or the other",
            ));
        }
        let opening = Instant::now();
        let plan = plan(self.job, self.engine, self.keep);
        let folder = RunFolder::prepare(folder, plan, existing, &self.command)?;
        let mut timings = self.timings;
        timings.engine += opening.elapsed();
        let data_points = match rows_alone {
            true => None,
            false => self.job.data_points(self.engine)?,
        };
        if let Some(points) = &data_points {
            points.write(&folder.file(DATA_FILE))?;
        }
        let writing = Writing {
            job: self.job,
            engine: self.engine,
            observer,
            keep: self.keep,
            resolution: self.resolution,
            figures: self.figures,
            started: self.started,
            timings,
            folder,
            data_points,
        };
        match rows_alone {
            true => writing.summarise(),
            false => writing.execute(),
        }
    }
}

/// Everything that decides the numbers of a run of `job`, as its manifest keeps it.
pub(super) fn plan(job: &LoadedJob, engine: &dyn Engine, keep: Keep) -> Map<String, Value> {
    let triples = match keep {
        Keep::RowsAlone => ListOf::Digest,
        _ => ListOf::All,
    };
    let mut plan = Map::from_iter([("program".to_owned(), json!(env!("CARGO_PKG_VERSION")))]);
    plan.extend(job.plan(triples));
    plan.insert("keep".to_owned(), json!(keep));
    plan.extend(engine_plan(engine.info()));
    plan
}

/// A run whose folder is open.
pub(super) struct Writing<'a> {
    pub(super) job: &'a LoadedJob,
    pub(super) engine: &'a dyn Engine,
    pub(super) observer: &'a dyn Observer,
    keep: Keep,
    /// Whether measures are taken on finer grids as well.
    pub(super) resolution: bool,
    pub(super) figures: Option<FigurePlan>,
    pub(super) started: Instant,
    pub(super) timings: Timings,
    pub(super) folder: RunFolder,
    /// The data to show with landscapes of rows.
    pub(super) data_points: Option<DataPoints>,
}

impl Writing<'_> {
    pub(super) fn frames_each(&self) -> usize {
        self.job.steps().pow(2)
    }

    /// Points of the finest of the finer grids, 0 where there are none.
    fn finer_each(&self) -> usize {
        let [_, fine] = finer(self.job.steps());
        if self.resolution { fine * fine } else { 0 }
    }

    pub(super) fn keeps_frames(&self) -> bool {
        self.keep == Keep::TensorsAndFrames
    }

    /// What is counted while the run goes on.
    pub(super) fn unit(&self) -> &'static str {
        match self.job.items() {
            Items::Images { .. } => "frames",
            Items::Rows { .. } => "rows",
        }
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.observer.advance(0).is_break()
    }

    /// What a finished landscape takes until it is written, bytes.
    fn landscape_bytes(&self) -> usize {
        let inputs = match self.job.items() {
            Items::Images { .. } if !self.keeps_frames() => 0,
            _ => self.job.input_values(),
        };
        let answers = 2 * self.job.class_names().len();
        4 * (self.frames_each() * (answers + inputs) + self.finer_each() * answers)
    }

    /// Fetches and computes landscapes on grids of `steps` points a side.
    pub(super) fn compute(
        &mut self,
        ids: &[LandscapeId],
        steps: usize,
        frames: Frames,
    ) -> Result<Vec<Landscape>, RunError> {
        let loading = Instant::now();
        let fetched = self.job.fetch(ids)?;
        self.timings.load += loading.elapsed();
        let computing = Instant::now();
        let computed =
            self.job
                .compute_fetched(self.engine, ids, &fetched, steps, frames, self.observer);
        self.timings.compute += computing.elapsed();
        Ok(computed?)
    }

    /// What the landscapes measure on their finer grids; nothing where that is not asked for.
    fn finer_measures(&mut self, ids: &[LandscapeId]) -> Result<Vec<Option<Value>>, RunError> {
        if !self.resolution {
            return Ok(vec![None; ids.len()]);
        }
        let [_, fine] = finer(self.job.steps());
        let refining = Instant::now();
        let compute_s = self.timings.compute;
        let landscapes = self.compute(ids, fine, Frames::Drop)?;
        // Stated apart: compute_s is the run's own grid.
        self.timings.compute = compute_s;
        // The finest holds the points of the middle one, every second.
        let both = landscapes.par_iter().zip(ids).map(|(finest, id)| {
            let of = |landscape: &Landscape| measure(landscape, id.classes);
            Some(finer_json([&of(&finest.every(2)), &of(finest)]))
        });
        let measures = both.collect();
        self.timings.resolution += refining.elapsed();
        Ok(measures)
    }

    /// Runs all landscapes to the end.
    fn execute(mut self) -> Result<Outcome, RunError> {
        let ids = self.job.landscapes();
        let all_each = self.frames_each() + self.finer_each();
        self.observer.begin(Stage {
            total: ids.len() * all_each,
            unit: self.unit(),
        });
        let mut resolution = self.resolution.then(|| Resolution::new(self.job.steps()));
        let mut rows: Vec<SummaryRow> = Vec::with_capacity(ids.len());
        let mut details: Vec<Detail> = Vec::new();
        let how = (self.figures.as_ref()).map_or_else(|| json!("none"), FigurePlan::json);
        let drawn = self.folder.begin_figures(how)?;
        let frames = match self.keep {
            Keep::TensorsAndFrames => Frames::Keep,
            _ => Frames::Drop,
        };
        let mut num_kept = 0;
        // The landscapes of a triple stay together.
        let most_triples = (WAVE_BYTES / (3 * self.landscape_bytes())).max(1);
        let first_values = 3 * self.frames_each() * self.job.input_values();
        let mut triples = (FIRST_WAVE_VALUES / first_values).clamp(1, most_triples);
        let mut rest = &ids[..];
        while !rest.is_empty() {
            let started = Instant::now();
            let wave;
            (wave, rest) = rest.split_at(rest.len().min(3 * triples));
            let mut kept: Vec<Option<LandscapeFile>> =
                wave.par_iter().map(|id| self.kept(id)).collect();
            let is_kept: Vec<bool> = kept.iter().map(Option::is_some).collect();
            let missing = wave.iter().zip(&is_kept).filter(|(_, is_kept)| !**is_kept);
            let missing: Vec<LandscapeId> = missing.map(|(id, _)| id.clone()).collect();
            let kept_here = wave.len() - missing.len();
            if kept_here > 0 {
                num_kept += kept_here;
                self.observer.keep(kept_here * all_each, num_kept);
            }
            let computed = self.compute(&missing, self.job.steps(), frames)?;
            let finer = self.finer_measures(&missing)?;
            self.folder.note_fallback(self.engine)?;

            let measuring = Instant::now();
            let mut new = missing.iter().zip(computed).zip(finer);
            let mut new = || {
                let ((id, landscape), finer_measures) = new.next()?;
                Some(LandscapeFile {
                    finer_measures,
                    ..self.job.named(id, landscape)
                })
            };
            let files: Vec<LandscapeFile> = kept
                .iter_mut()
                .map(|kept| {
                    kept.take()
                        .or_else(&mut new)
                        .expect("one for each that is missing")
                })
                .collect();
            let measures = measure_files(&files);
            self.timings.measures += measuring.elapsed();
            if let Some(resolution) = &mut resolution {
                for (file, measures) in files.iter().zip(&measures) {
                    let finer = file.finer_measures.as_ref();
                    resolution.add(&file.name, measures, finer.unwrap_or(&Value::Null));
                }
            }

            let writing = Instant::now();
            let first = rows.len();
            let done = (0..wave.len() / 3).into_par_iter().map(|n| {
                let own = 3 * n..3 * n + 3;
                let triple = TripleFiles {
                    first: first + 3 * n,
                    ids: &wave[own.clone()],
                    files: &files[own.clone()],
                    measures: &measures[own.clone()],
                    is_kept: &is_kept[own],
                };
                self.finish_triple(&triple, drawn)
            });
            details.extend(
                done.collect::<Result<Vec<_>, RunError>>()?
                    .into_iter()
                    .flatten(),
            );
            match self.figures {
                Some(_) => self.timings.figures += writing.elapsed(),
                None => self.timings.write += writing.elapsed(),
            }
            let measured = files.iter().zip(measures);
            rows.extend(measured.map(|(file, measures)| SummaryRow::new(file, measures)));
            if self.is_interrupted() {
                return Err(PipelineError::Interrupted.into());
            }
            let estimate = triples as f64 * WAVE_S / started.elapsed().as_secs_f64();
            triples = (estimate as usize).clamp(1, most_triples);
        }
        self.observer.end();
        self.finish(&ids, rows, &details, resolution, num_kept)
    }

    /// Says in the manifest where and what of the run was computed.
    pub(super) fn describe(&mut self) {
        self.folder.set_engine(self.engine);
        self.folder.set("model", self.job.model_json());
        self.folder.set("data", self.job.data_json());
    }

    /// An outcome of which the landscapes are still to be said.
    pub(super) fn outcome(&self) -> Outcome {
        Outcome {
            landscapes: 0,
            kept: 0,
            inputs_each: self.frames_each(),
            rows: Vec::new(),
            resolution: None,
            stand_in: 0,
            timings: self.timings,
            total: self.started.elapsed(),
        }
    }

    /// Writes what sums the run up.
    fn finish(
        mut self,
        ids: &[LandscapeId],
        rows: Vec<SummaryRow>,
        details: &[Detail],
        resolution: Option<Resolution>,
        kept: usize,
    ) -> Result<Outcome, RunError> {
        let writing = Instant::now();
        write_file(&self.folder.file(SUMMARY_FILE), &summary_csv(&rows))?;
        if let Some(resolution) = &resolution {
            write_file(&self.folder.file(RESOLUTION_FILE), &resolution.csv())?;
        }
        self.timings.write += writing.elapsed();
        self.describe();
        let names: Vec<&String> = ids.iter().map(|id| &id.name).collect();
        self.folder.set("landscapes", json!(names));
        let reporting = Instant::now();
        if self.figures.as_ref().is_some_and(|plan| plan.report) {
            let timings = self.timings.json(self.started.elapsed());
            self.folder.set("timings", timings);
            report(
                &self.folder,
                self.job.class_names(),
                self.job.steps(),
                &self.job.items(),
                &rows,
                details,
                resolution.as_ref(),
            )?;
        }
        self.timings.report = reporting.elapsed();
        self.folder
            .set("timings", self.timings.json(self.started.elapsed()));
        let counts = rows.iter().filter_map(|row| row.counts);
        let outcome = Outcome {
            landscapes: ids.len(),
            kept,
            stand_in: counts.map(|counts| counts.stand_in).sum(),
            ..self.outcome()
        };
        self.folder.finish()?;
        Ok(Outcome {
            rows,
            resolution,
            total: self.started.elapsed(),
            ..outcome
        })
    }
}

/// Writes a run's report.
pub(super) fn report(
    folder: &RunFolder,
    class_names: &[String],
    steps: usize,
    items: &Items,
    rows: &[SummaryRow],
    details: &[Detail],
    resolution: Option<&Resolution>,
) -> Result<(), RunError> {
    let report_rows: Vec<ReportRow> = rows
        .iter()
        .map(|row| ReportRow {
            name: row.name.clone(),
            items: row.items.clone(),
            classes: row.item_classes,
            intruders: row.measures.intruders.clone(),
            values: row.values(),
        })
        .collect();
    let features = match items {
        Items::Rows { features } => Some(features.as_slice()),
        Items::Images { .. } => None,
    };
    Ok(write_report(
        &folder.file(REPORT_FILE),
        &Report {
            manifest: &folder.manifest(),
            class_names,
            steps,
            features,
            columns: &COLUMNS,
            overview: &OVERVIEW,
            rank_by: RANK_BY,
            resolution: resolution.map_or(Value::Null, Resolution::json),
            rows: &report_rows,
            details,
        },
    )?)
}
