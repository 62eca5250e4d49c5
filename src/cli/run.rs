//! A run: landscapes computed in waves, drawn, written and summed up. What the sweep and the
//! interpolation share, which is everything but their items and how two of them are mixed.

use super::Verbosity;
use super::columns::{OVERVIEW, RANK_BY, columns};
use super::figures::FigurePlan;
use super::finished::TripleFiles;
use super::options::LoadedModel;
use super::output::OutputFolder;
use super::progress::{Progress, interrupted};
use super::resolution::{Resolution, finer, finer_json};
use super::summary::{MAX_LISTED, SummaryRow, measure_files, summary_table, write_summary};
use super::text::{counted, engine_name, stand_in_note};
use crate::data::Image;
use crate::engine::Engine;
use crate::landscape::{DataPoints, Items, Landscape, LandscapeFile, Permutation, Triple, measure};
use crate::pipeline::PipelineError;
use crate::report::{Detail, Report, ReportRow, write_report};
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
/// Values of the inputs of the first wave, before it is known how long a landscape takes: 16
/// triples of the paper's size, a fraction of a second.
const FIRST_WAVE_VALUES: usize = 16 << 20;

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
    pub(super) measures: Duration,
    resolution: Duration,
    figures: Duration,
    pub(super) write: Duration,
    report: Duration,
}

impl Timings {
    /// Seconds to the microsecond, for the manifest.
    pub(super) fn json(&self, total: Duration) -> Value {
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
    pub(super) engine: &'a dyn Engine,
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
    /// Values of an input of the model.
    fn input_values(&self) -> usize {
        match &self.items {
            Items::Images { shape } => shape.iter().product(),
            Items::Rows { features } => features.len(),
        }
    }

    /// What a finished landscape takes until it is written, bytes.
    fn landscape_bytes(&self) -> usize {
        let inputs = match &self.items {
            Items::Images { .. } if !self.save_frames => 0,
            _ => self.input_values(),
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
        let mut triples =
            (FIRST_WAVE_VALUES / (3 * frames_each * self.input_values())).clamp(1, most_triples);
        let mut rest = jobs;
        while !rest.is_empty() {
            let started = Instant::now();
            let wave;
            (wave, rest) = rest.split_at(rest.len().min(3 * triples));
            let mut kept: Vec<Option<LandscapeFile>> = wave
                .par_iter()
                .map(|job| self.kept(job, verbosity))
                .collect();
            let is_kept: Vec<bool> = kept.iter().map(Option::is_some).collect();
            let missing = wave.iter().zip(&is_kept).filter(|(_, is_kept)| !**is_kept);
            let missing: Vec<Job> = missing.map(|(job, _)| job.clone()).collect();
            let kept_here = wave.len() - missing.len();
            if kept_here > 0 {
                num_kept += kept_here;
                progress.keep(kept_here * (frames_each + finer_each), num_kept);
            }
            let computed = compute(&missing, self.steps, &progress, &mut self.timings)?;
            let refining = Instant::now();
            let finer = match self.resolution {
                true => finer_measures(
                    &missing,
                    &compute(&missing, fine, &progress, &mut Timings::default())?,
                ),
                false => vec![None; missing.len()],
            };
            self.timings.resolution += refining.elapsed();
            self.folder.note_fallback(self.engine)?;

            let measuring = Instant::now();
            let mut new = missing.iter().zip(computed).zip(finer);
            let mut new = || {
                new.next()
                    .map(|((job, landscape), finer)| self.named(job, landscape, finer))
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

    /// A landscape with everything its file says.
    pub(super) fn named(
        &self,
        job: &Job,
        landscape: Landscape,
        finer_measures: Option<Value>,
    ) -> LandscapeFile {
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
            finer_measures,
            landscape,
        }
    }

    /// Says in the manifest where and what of the run was computed.
    pub(super) fn describe(&mut self) {
        let model = &self.model;
        self.folder.set_engine(self.engine);
        self.folder.set(
            "model",
            json!({"path": model.path, "sha256": model.model.sha256(), "classes": self.class_names}),
        );
        self.folder.set("data", self.data.clone());
    }

    /// How fast so many inputs were computed, and where.
    pub(super) fn speed(&self, inputs: usize) -> String {
        let adapter = engine_name(self.engine);
        let compute_s = self.timings.compute.as_secs_f64();
        format!(
            "in {compute_s:.3} s ({:.0} {}s a second) on {adapter}",
            inputs as f64 / compute_s,
            self.items.input_name()
        )
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
        self.describe();
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
        let frames = |landscapes: usize| landscapes * self.steps * self.steps;
        let (all, new) = (frames(jobs.len()), frames(jobs.len() - num_kept));
        let speed = self.speed(new);
        self.folder.finish()?;
        if verbosity > Verbosity::Quiet && rows.len() <= MAX_LISTED {
            write!(std::io::stdout().lock(), "{}", summary_table(rows))?;
        }
        if let (Some(resolution), true) = (resolution, verbosity > Verbosity::Quiet) {
            let text = resolution.table();
            write!(std::io::stdout().lock(), "\nmeans on finer grids\n{text}")?;
        }
        let counts = rows.iter().filter_map(|row| row.counts);
        if let Some(note) = stand_in_note(counts.map(|counts| counts.stand_in).sum()) {
            verbosity.say(Verbosity::Normal, note);
        }
        let inputs = format!("{}s", self.items.input_name());
        let landscapes = counted(jobs.len(), "landscape");
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

/// What a run came to.
struct Results<'a> {
    jobs: &'a [Job],
    rows: &'a [SummaryRow],
    details: &'a [Detail],
    resolution: Option<&'a Resolution>,
    /// Landscapes of an earlier start.
    num_kept: usize,
}

/// What landscapes on their finest grids measure, on those and on every second point of them.
fn finer_measures(jobs: &[Job], landscapes: &[Landscape]) -> Vec<Option<Value>> {
    let both = landscapes.par_iter().zip(jobs).map(|(finest, job)| {
        let of = |landscape: &Landscape| measure(landscape, job.classes);
        Some(finer_json([&of(&finest.every(2)), &of(finest)]))
    });
    both.collect()
}

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
