//! A run: landscapes computed in waves, drawn, written and summed up. What the sweep and the
//! interpolation share, which is everything but their items and how two of them are mixed.

use super::Verbosity;
use super::columns::{OVERVIEW, RANK_BY, columns};
use super::figures::{FigurePlan, MAX_DETAILS, Wanted};
use super::options::LoadedModel;
use super::output::OutputFolder;
use super::progress::{Progress, interrupted};
use super::resolution::{Resolution, finer};
use super::summary::{
    MAX_LISTED, SummaryRow, measure_all, measure_files, summary_table, write_summary,
};
use super::text::{counted, stand_in_note};
use crate::data::{Image, write_file};
use crate::engine::EngineInfo;
use crate::landscape::{
    DataPoints, Items, Landscape, LandscapeFile, Measures, Permutation, Triple,
};
use crate::pipeline::PipelineError;
use crate::plot::Tiles;
use crate::report::{Detail, Report, ReportRow, write_report};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// Results kept between writes, bytes: a wave of landscapes is computed, then written.
const WAVE_BYTES: usize = 64 << 20;

/// One landscape to compute: a permutation of a triple, its items as [A, B, C].
pub(super) struct Job {
    pub(super) name: String,
    pub(super) permutation: Permutation,
    pub(super) items: [usize; 3],
    pub(super) classes: [usize; 3],
}

/// The landscapes of `triples`: three permutations a triple, in the order of their names.
pub(super) fn jobs(triples: &[Triple]) -> Vec<Job> {
    triples
        .iter()
        .flat_map(|triple| {
            Permutation::ALL.map(|permutation| Job {
                name: format!("{}.{}", triple.name, permutation.number()),
                permutation,
                items: permutation.arrange(triple.items),
                classes: permutation.arrange(triple.classes),
            })
        })
        .collect()
}

/// Triples as a plan states them; `index` is what an item's name says of its position.
pub(super) fn triples_json(triples: &[Triple], index: &dyn Fn(usize) -> usize) -> Value {
    triples
        .iter()
        .map(|triple| {
            let items = triple.items.map(index);
            json!({"name": triple.name, "items": items, "classes": triple.classes})
        })
        .collect()
}

/// Where the time went.
#[derive(Default)]
pub(super) struct Timings {
    pub(super) load: Duration,
    pub(super) engine: Duration,
    pub(super) compute: Duration,
    measures: Duration,
    resolution: Duration,
    figures: Duration,
    write: Duration,
    report: Duration,
}

impl Timings {
    /// Seconds to the microsecond, for the manifest.
    fn json(&self, total: Duration) -> Value {
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

/// The frames of a landscape, `steps * steps` images.
pub(super) type FramesOf<'a> = dyn Fn(&Job) -> anyhow::Result<Vec<Image>> + Sync + 'a;

/// A run that is ready to start.
pub(super) struct Run<'a> {
    pub(super) started: Instant,
    pub(super) timings: Timings,
    pub(super) folder: OutputFolder,
    pub(super) out: &'a Path,
    pub(super) engine: EngineInfo,
    pub(super) model: &'a LoadedModel,
    pub(super) class_names: &'a [String],
    pub(super) items: Items,
    pub(super) item_name: &'a (dyn Fn(usize) -> String + Sync),
    /// How grids are made, for captions and files.
    pub(super) settings: Map<String, Value>,
    /// What the manifest says of the data.
    pub(super) data: Value,
    pub(super) steps: usize,
    /// Whether measures are taken on finer grids, too.
    pub(super) resolution: bool,
    pub(super) save_frames: bool,
    pub(super) figures: Option<FigurePlan>,
    /// Frames to show with a landscape of images. They are morphed again where they are drawn,
    /// on the CPU, so that computing brings back answers alone, whatever figures are wanted.
    pub(super) frames: Option<&'a FramesOf<'a>>,
    /// The data to show with landscapes of rows.
    pub(super) data_points: Option<DataPoints>,
}

/// Computes the landscapes of some jobs on grids of so many steps, in order, tells a progress of
/// frames done, and says how long it took to load the items and to compute.
pub(super) type Compute<'a> =
    &'a mut dyn FnMut(&[Job], usize, &Progress, &mut Timings) -> anyhow::Result<Vec<Landscape>>;

impl Run<'_> {
    /// What a finished landscape takes until it is written, bytes.
    fn landscape_bytes(&self) -> usize {
        let inputs = match &self.items {
            Items::Images { shape } if self.save_frames => shape.iter().product(),
            Items::Images { .. } => 0,
            Items::Rows { features } => features.len(),
        };
        let answers = 2 * self.class_names.len();
        let [_, fine] = finer(self.steps);
        let finer = if self.resolution { fine * fine } else { 0 };
        4 * (self.steps * self.steps * (answers + inputs) + finer * answers)
    }

    /// Runs `jobs` to the end: every file of the run is written.
    pub(super) fn execute(
        mut self,
        jobs: &[Job],
        compute: Compute<'_>,
        verbosity: Verbosity,
    ) -> anyhow::Result<()> {
        let frames_each = self.steps * self.steps;
        let [_, fine] = finer(self.steps);
        let finer_each = if self.resolution { fine * fine } else { 0 };
        let progress = Progress::new(jobs.len() * (frames_each + finer_each), verbosity);
        let mut resolution = self.resolution.then(|| Resolution::new(self.steps));
        let mut rows: Vec<SummaryRow> = Vec::with_capacity(jobs.len());
        let mut details: Vec<Detail> = Vec::new();
        // The landscapes of a triple stay together.
        let triples_a_wave = (WAVE_BYTES / (3 * self.landscape_bytes())).max(1);
        for wave in jobs.chunks(3 * triples_a_wave) {
            let landscapes = compute(wave, self.steps, &progress, &mut self.timings)?;

            let measuring = Instant::now();
            let files: Vec<LandscapeFile> = wave
                .iter()
                .zip(landscapes)
                .map(|(job, landscape)| self.named(job, landscape))
                .collect();
            let measures = measure_files(&files);
            self.timings.measures += measuring.elapsed();
            if let Some(resolution) = &mut resolution {
                let refining = Instant::now();
                let landscapes = compute(wave, fine, &progress, &mut Timings::default())?;
                add_finer(resolution, wave, &measures, &landscapes);
                self.timings.resolution += refining.elapsed();
            }

            let writing = Instant::now();
            files
                .par_iter()
                .zip(&measures)
                .try_for_each(|(file, measures)| {
                    let path = self.folder.file(&file.name).join("landscape.safetensors");
                    file.write(&path, measures)
                })?;
            self.timings.write += writing.elapsed();

            let drawing = Instant::now();
            if let Some(plan) = &self.figures {
                let first = rows.len();
                let drawn = wave
                    .par_chunks(3)
                    .zip(files.par_chunks(3))
                    .enumerate()
                    .map(|(n, (jobs, files))| self.draw(plan, jobs, files, first + 3 * n))
                    .collect::<anyhow::Result<Vec<_>>>()?;
                details.extend(drawn.into_iter().flatten());
            }
            self.timings.figures += drawing.elapsed();
            let measured = files.iter().zip(measures);
            rows.extend(measured.map(|(file, measures)| SummaryRow::new(file, measures)));
            if interrupted() {
                return Err(PipelineError::Interrupted.into());
            }
        }
        progress.finish();
        self.finish(jobs, &rows, &details, resolution.as_ref(), verbosity)
    }

    /// Draws and writes the figures of a triple, whose landscapes are the run's from `first` on.
    fn draw(
        &self,
        plan: &FigurePlan,
        jobs: &[Job],
        files: &[LandscapeFile],
        first: usize,
    ) -> anyhow::Result<Vec<Detail>> {
        let place = |file: &LandscapeFile| jobs.iter().position(|job| job.name == file.name);
        let wanted = |file: &LandscapeFile| match place(file) {
            Some(n) if first + n < MAX_DETAILS => Wanted::Detail,
            _ => Wanted::Figures,
        };
        let frames = |file: &LandscapeFile| {
            let tiles = match (Tiles::of(file), self.frames, place(file)) {
                (None, Some(frames_of), Some(n)) => {
                    Some(Tiles::of_images(&frames_of(&jobs[n])?, self.steps))
                }
                (kept, _, _) => kept,
            };
            if let Some(tiles) = &tiles {
                let path = self.folder.file(&file.name).join(FRAMES_FILE);
                write_file(&path, &tiles.atlas().to_png())?;
            }
            Ok(tiles)
        };
        let data = self.data_points.as_ref();
        plan.draw_triple(&self.folder, files, data, &wanted, &frames)
    }

    fn named(&self, job: &Job, landscape: Landscape) -> LandscapeFile {
        LandscapeFile {
            name: job.name.clone(),
            permutation: job.permutation,
            item_names: job.items.map(self.item_name),
            item_classes: job.classes,
            class_names: self.class_names.to_vec(),
            model: self.model.path.clone(),
            model_sha256: self.model.model.sha256().to_owned(),
            items: self.items.clone(),
            settings: self.settings.clone(),
            landscape,
        }
    }

    /// Writes what sums the run up, and says it.
    fn finish(
        mut self,
        jobs: &[Job],
        rows: &[SummaryRow],
        details: &[Detail],
        resolution: Option<&Resolution>,
        verbosity: Verbosity,
    ) -> anyhow::Result<()> {
        let writing = Instant::now();
        write_summary(&self.folder, rows)?;
        if let Some(resolution) = resolution {
            resolution.write(&self.folder)?;
        }
        self.timings.write += writing.elapsed();
        let info = &self.engine;
        let model = &self.model;
        self.folder.set(
            "engine",
            json!({"engine": info.engine, "adapter": info.adapter, "driver": info.driver}),
        );
        self.folder.set(
            "model",
            json!({"path": model.path, "sha256": model.model.sha256(), "classes": self.class_names}),
        );
        self.folder.set("data", self.data.clone());
        self.folder.set(
            "landscapes",
            json!(jobs.iter().map(|job| &job.name).collect::<Vec<_>>()),
        );
        let reporting = Instant::now();
        if self.figures.as_ref().is_some_and(|plan| plan.report) {
            let timings = self.timings.json(self.started.elapsed());
            self.folder.set("timings", timings);
            report(
                &self.folder,
                self.class_names,
                self.steps,
                &self.items,
                rows,
                details,
                resolution,
            )?;
        }
        self.timings.report = reporting.elapsed();
        let timings = self.timings.json(self.started.elapsed());
        self.folder.set("timings", timings.clone());
        self.folder.finish()?;
        if verbosity > Verbosity::Quiet && rows.len() <= MAX_LISTED {
            write!(std::io::stdout().lock(), "{}", summary_table(rows))?;
        }
        if let (Some(resolution), true) = (resolution, verbosity > Verbosity::Quiet) {
            let text = resolution.table();
            write!(std::io::stdout().lock(), "\nmeans on finer grids\n{text}")?;
        }
        let frames = jobs.len() * self.steps * self.steps;
        let (adapter, compute_s) = (
            if info.engine == "cpu" {
                format!("the CPU engine, {}", info.adapter)
            } else {
                info.adapter.clone()
            },
            self.timings.compute.as_secs_f64(),
        );
        let counts = rows.iter().filter_map(|row| row.counts);
        if let Some(note) = stand_in_note(counts.map(|counts| counts.stand_in).sum()) {
            verbosity.say(Verbosity::Normal, note);
        }
        let inputs = format!("{}s", self.items.input_name());
        verbosity.say(
            Verbosity::Normal,
            format!(
                "{}, {frames} {inputs} in {compute_s:.3} s ({:.0} {inputs} a second) on {adapter}; {:.3} s in all; written to {}",
                counted(jobs.len(), "landscape"),
                frames as f64 / compute_s,
                self.started.elapsed().as_secs_f64(),
                self.out.display()
            ),
        );
        verbosity.say(Verbosity::Verbose, format!("seconds: {timings}"));
        Ok(())
    }
}

/// Measures the landscapes of a wave on their finest grids and on every second point of them.
fn add_finer(
    resolution: &mut Resolution,
    wave: &[Job],
    measures: &[Measures],
    landscapes: &[Landscape],
) {
    let of = |landscapes: &[Landscape]| {
        let with_classes = landscapes.iter().zip(wave);
        let with_classes: Vec<_> = with_classes.map(|(l, job)| (l, job.classes)).collect();
        measure_all(&with_classes)
    };
    let finest = of(landscapes);
    let second: Vec<Landscape> = landscapes.par_iter().map(|l| l.every(2)).collect();
    let middle = of(&second);
    for (n, job) in wave.iter().enumerate() {
        resolution.add(&job.name, [&measures[n], &middle[n], &finest[n]]);
    }
}

/// All frames of a landscape in one picture, from which a finished run is drawn again.
pub(super) const FRAMES_FILE: &str = "frames.png";

/// Writes a run's report.
pub(super) fn report(
    folder: &OutputFolder,
    class_names: &[String],
    steps: usize,
    items: &Items,
    rows: &[SummaryRow],
    details: &[Detail],
    resolution: Option<&Resolution>,
) -> anyhow::Result<()> {
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
        &folder.file("report.html"),
        &Report {
            manifest: &folder.manifest(),
            class_names,
            steps,
            features,
            columns: &columns(),
            overview: &OVERVIEW,
            rank_by: RANK_BY,
            resolution: resolution.map_or(Value::Null, Resolution::json),
            rows: &report_rows,
            details,
        },
    )?)
}
