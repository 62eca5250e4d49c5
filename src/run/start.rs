//! A run that is ready to start: what is kept, drawn and said of it, and where it goes.

use super::error::RunError;
use super::figures::FigurePlan;
use super::folder::layout::DATA_FILE;
use super::folder::{RunFolder, engine_plan};
use super::resolution::check_finer;
use super::writing::{Outcome, Timings, Writing};
use super::{Existing, Keep};
use crate::engine::Engine;
use crate::job::{ListOf, LoadedJob, Observer};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::Instant;

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
        let as_labelled = self.job.ask_for_labels(self.engine, observer)?;
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
            as_labelled,
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
