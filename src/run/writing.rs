//! A run while it is written: its job, engine and open folder, what it has taken so far, and what it
//! came to. `waves.rs` writes tensors and figures, `rows.rs` rows alone; both stand on this.

use super::Keep;
use super::error::RunError;
use super::figures::FigurePlan;
use super::folder::RunFolder;
use super::resolution::Resolution;
use super::summary::SummaryRow;
use crate::engine::Engine;
use crate::job::{AsLabelled, LandscapeId, LoadedJob, Observer};
use crate::landscape::{DataPoints, Items, Landscape};
use crate::pipeline::Frames;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

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
    /// What the class maps of all landscapes say, in sentences; of planes and triangles alone.
    pub findings: Vec<String>,
    /// Triangulations of published mode that are not certainly the paper's tool's.
    pub stand_in: u64,
    /// Where the time went.
    pub timings: Timings,
    /// Time since the run's start.
    pub total: Duration,
}

/// A run whose folder is open.
pub(super) struct Writing<'a> {
    pub(super) job: &'a LoadedJob,
    pub(super) engine: &'a dyn Engine,
    pub(super) observer: &'a dyn Observer,
    pub(super) keep: Keep,
    /// Whether measures are taken on finer grids as well.
    pub(super) resolution: bool,
    pub(super) figures: Option<FigurePlan>,
    pub(super) started: Instant,
    pub(super) timings: Timings,
    pub(super) folder: RunFolder,
    /// The data to show with landscapes of rows.
    pub(super) data_points: Option<DataPoints>,
    /// How the model answers labelled items; nothing where it was not asked.
    pub(super) as_labelled: Option<AsLabelled>,
}

impl Writing<'_> {
    /// Inputs of a landscape.
    pub(super) fn frames_each(&self) -> usize {
        self.job.kind().num_points(self.job.steps())
    }

    /// Whether the inputs of landscapes of images are written.
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

    /// Whether the observer has stopped the run.
    pub(super) fn is_interrupted(&self) -> bool {
        self.observer.advance(0).is_break()
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

    /// Says in the manifest where and what of the run was computed.
    pub(super) fn describe(&mut self) {
        self.folder.set_engine(self.engine);
        let mut model = self.job.model_json();
        if let Some(as_labelled) = &self.as_labelled {
            model["as_labelled"] = json!(as_labelled);
        }
        self.folder.set("model", model);
        self.folder.set("data", self.job.data_json());
    }

    /// Records the seconds of a start that ends with an error, in which `computed` landscapes were
    /// computed, and gives the error to report; the folder holds `done` of `all` landscapes.
    pub(super) fn stopped(
        &mut self,
        error: RunError,
        computed: usize,
        [done, all]: [usize; 2],
    ) -> RunError {
        let timings = self.timings.json(self.started.elapsed());
        self.folder.set_timings_so_far(timings, [computed, all]);
        error.or_stopped(self.folder.path(), "landscapes", [done, all])
    }

    /// An outcome of which the landscapes are still to be said.
    pub(super) fn outcome(&self) -> Outcome {
        Outcome {
            landscapes: 0,
            kept: 0,
            inputs_each: self.frames_each(),
            rows: Vec::new(),
            resolution: None,
            findings: Vec::new(),
            stand_in: 0,
            timings: self.timings,
            total: self.started.elapsed(),
        }
    }
}
