//! A run: landscapes computed in waves, drawn, written and summed up. What the sweep and the
//! interpolation share, which is everything but their items and how two of them are mixed.

use super::Verbosity;
use super::columns::{OVERVIEW, RANK_BY, columns};
use super::figures::{FigurePlan, MAX_DETAILS, Wanted};
use super::options::LoadedModel;
use super::output::{Drawn, Earlier, LANDSCAPE_FILE, OutputFolder};
use super::progress::{Progress, interrupted};
use super::resolution::{Resolution, finer};
use super::summary::{
    MAX_LISTED, SummaryRow, measure_all, measure_files, summary_table, write_summary,
};
use super::text::{counted, stand_in_note};
use crate::data::{Image, write_file};
use crate::engine::{Engine, EngineInfo};
use crate::landscape::{
    DataPoints, Items, Landscape, LandscapeFile, Measures, Permutation, Triple,
};
use crate::pipeline::PipelineError;
use crate::plot::Tiles;
use crate::report::{Detail, Report, ReportRow, write_report};
use anyhow::{Context, ensure};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// A wave of landscapes is computed, then drawn and written: results kept between writes, bytes,
/// and how long a wave is to take, which is what a run loses when it is killed. The first is one
/// triple, from which the next ones are estimated.
const WAVE_BYTES: usize = 64 << 20;
const WAVE_S: f64 = 5.0;

/// One landscape to compute: a permutation of a triple, its items as [A, B, C].
#[derive(Clone)]
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

/// A run's job to be computed once more.
pub(super) struct Again {
    /// The plan of a run of it, on whatever engine.
    pub(super) plan: Value,
    /// All its landscapes.
    pub(super) jobs: Vec<Job>,
    /// Computes some of them on an engine.
    pub(super) compute: Box<ComputeOn>,
}

/// Computes landscapes on an engine.
pub(super) type ComputeOn =
    dyn Fn(&dyn Engine, &[Job], &Progress) -> anyhow::Result<Vec<Landscape>>;

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

    /// Runs `jobs` to the end: every file of the run is written. Landscapes that an earlier start
    /// finished are kept.
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
        let figures = self.figures.as_ref();
        let how = figures.map_or_else(|| json!("none"), FigurePlan::json);
        let drawn = self.folder.begin_figures(how)?;
        let mut num_kept = 0;
        // The landscapes of a triple stay together.
        let most_triples = (WAVE_BYTES / (3 * self.landscape_bytes())).max(1);
        let mut triples = 1;
        let mut rest = jobs;
        while !rest.is_empty() {
            let started = Instant::now();
            let wave;
            (wave, rest) = rest.split_at(rest.len().min(3 * triples));
            let kept: Vec<Option<Landscape>> = wave
                .par_iter()
                .map(|job| self.kept(job, verbosity))
                .collect();
            let is_kept: Vec<bool> = kept.iter().map(Option::is_some).collect();
            let missing = wave.iter().zip(&is_kept).filter(|(_, is_kept)| !**is_kept);
            let missing: Vec<Job> = missing.map(|(job, _)| job.clone()).collect();
            let kept_here = wave.len() - missing.len();
            num_kept += kept_here;
            if kept_here > 0 {
                progress.keep(kept_here * frames_each, num_kept);
            }
            let mut computed =
                compute(&missing, self.steps, &progress, &mut self.timings)?.into_iter();

            let measuring = Instant::now();
            let files: Vec<LandscapeFile> = wave
                .iter()
                .zip(kept)
                .map(|(job, kept)| {
                    let landscape = kept.or_else(|| computed.next());
                    self.named(job, landscape.expect("one for each that is missing"))
                })
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
            let first = rows.len();
            let done = (0..wave.len() / 3).into_par_iter().map(|n| {
                let own = 3 * n..3 * n + 3;
                let triple = TripleFiles {
                    first: first + 3 * n,
                    jobs: &wave[own.clone()],
                    files: &files[own.clone()],
                    measures: &measures[own.clone()],
                    is_kept: &is_kept[own],
                };
                self.finish_triple(&triple, drawn)
            });
            details.extend(
                done.collect::<anyhow::Result<Vec<_>>>()?
                    .into_iter()
                    .flatten(),
            );
            match self.figures {
                Some(_) => self.timings.figures += writing.elapsed(),
                None => self.timings.write += writing.elapsed(),
            }
            let measured = files.iter().zip(measures);
            rows.extend(measured.map(|(file, measures)| SummaryRow::new(file, measures)));
            if interrupted() {
                return Err(PipelineError::Interrupted.into());
            }
            let estimate = triples as f64 * WAVE_S / started.elapsed().as_secs_f64();
            triples = (estimate as usize).clamp(1, most_triples);
        }
        progress.finish();
        let results = Results {
            jobs,
            rows: &rows,
            details: &details,
            resolution: resolution.as_ref(),
            num_kept,
        };
        self.finish(&results, verbosity)
    }

    /// The landscape of a job as an earlier start of this run finished it: its tensors are there,
    /// whole, and are those of this job. What is there and is not that is said, and computed
    /// again.
    fn kept(&self, job: &Job, verbosity: Verbosity) -> Option<Landscape> {
        if self.folder.earlier() == Earlier::Nothing {
            return None;
        }
        let path = self.folder.file(&job.name).join(LANDSCAPE_FILE);
        if !path.exists() {
            return None;
        }
        let found = LandscapeFile::read(&path)
            .with_context(|| path.display().to_string())
            .and_then(|mut file| {
                let wanted = self.named(job, Landscape::nothing());
                let landscape = std::mem::replace(&mut file.landscape, Landscape::nothing());
                let keeps_inputs = self.save_frames || matches!(self.items, Items::Rows { .. });
                ensure!(
                    file == wanted
                        && landscape.steps == self.steps
                        && landscape.inputs.is_some() == keeps_inputs,
                    "{}: expected landscape {} of this run, found another",
                    path.display(),
                    job.name
                );
                Ok(landscape)
            });
        match found {
            Ok(landscape) => Some(landscape),
            Err(error) => {
                verbosity.say(
                    Verbosity::Normal,
                    format!("note: {error:#}; it is computed again"),
                );
                None
            }
        }
    }

    /// Draws what is to be drawn of a triple, then writes the tensors of the landscapes that are
    /// new: from then on they are finished.
    fn finish_triple(&self, triple: &TripleFiles<'_>, drawn: Drawn) -> anyhow::Result<Vec<Detail>> {
        let details = match &self.figures {
            Some(plan) => self.draw(plan, triple, drawn)?,
            None => Vec::new(),
        };
        for (n, file) in triple.files.iter().enumerate() {
            if !triple.is_kept[n] {
                let path = self.folder.folder(&file.name)?.join(LANDSCAPE_FILE);
                file.write(&path, &triple.measures[n])?;
            }
        }
        Ok(details)
    }

    /// Draws and writes the figures of a triple.
    fn draw(
        &self,
        plan: &FigurePlan,
        triple: &TripleFiles<'_>,
        drawn: Drawn,
    ) -> anyhow::Result<Vec<Detail>> {
        let TripleFiles { first, jobs, .. } = *triple;
        let place = |file: &LandscapeFile| jobs.iter().position(|job| job.name == file.name);
        let wanted = |file: &LandscapeFile| match place(file) {
            Some(n) if first + n < MAX_DETAILS && plan.report => Wanted::Detail,
            Some(n) if triple.is_kept[n] && drawn == Drawn::Alike => Wanted::No,
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
                let path = self.folder.folder(&file.name)?.join(FRAMES_FILE);
                write_file(&path, &tiles.atlas().to_png())?;
            }
            Ok(tiles)
        };
        let data = self.data_points.as_ref();
        plan.draw_triple(&self.folder, triple.files, data, &wanted, &frames)
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
    fn finish(mut self, results: &Results<'_>, verbosity: Verbosity) -> anyhow::Result<()> {
        let Results {
            jobs,
            rows,
            details,
            resolution,
            num_kept,
        } = *results;
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
        let adapter = if info.engine == "cpu" {
            format!("the CPU engine, {}", info.adapter)
        } else {
            info.adapter.clone()
        };
        let counts = rows.iter().filter_map(|row| row.counts);
        if let Some(note) = stand_in_note(counts.map(|counts| counts.stand_in).sum()) {
            verbosity.say(Verbosity::Normal, note);
        }
        let inputs = format!("{}s", self.items.input_name());
        let frames = |landscapes: usize| landscapes * self.steps * self.steps;
        let (all, new) = (frames(jobs.len()), frames(jobs.len() - num_kept));
        let landscapes = counted(jobs.len(), "landscape");
        let compute_s = self.timings.compute.as_secs_f64();
        let speed = format!(
            "in {compute_s:.3} s ({:.0} {inputs} a second) on {adapter}",
            new as f64 / compute_s
        );
        let what = match num_kept {
            0 => format!("{landscapes}, {all} {inputs} {speed}"),
            _ if new == 0 => format!("{landscapes}, {all} {inputs}, all kept from before"),
            kept => format!(
                "{landscapes}, {all} {inputs}: {kept} landscapes kept from before, {new} {inputs} {speed}"
            ),
        };
        verbosity.say(
            Verbosity::Normal,
            format!(
                "{what}; {:.3} s in all; written to {}",
                self.started.elapsed().as_secs_f64(),
                self.out.display()
            ),
        );
        verbosity.say(Verbosity::Verbose, format!("seconds: {timings}"));
        Ok(())
    }
}

/// The landscapes of a triple on the way to their files.
struct TripleFiles<'a> {
    /// The place of the first in the run.
    first: usize,
    jobs: &'a [Job],
    files: &'a [LandscapeFile],
    measures: &'a [Measures],
    /// Whether their tensors are in their files already.
    is_kept: &'a [bool],
}

/// What a run came to.
struct Results<'a> {
    jobs: &'a [Job],
    rows: &'a [SummaryRow],
    details: &'a [Detail],
    resolution: Option<&'a Resolution>,
    /// Landscapes of an earlier start.
    num_kept: usize,
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
