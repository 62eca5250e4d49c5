//! Several classifiers on the same landscapes: compared pair by pair, and held to a limit.
//!
//! ```text
//! ids ─┬─ kept from an earlier start? ──────────────┐
//!      └─ computed: one morph, a network a model ───┼─> measured ─> tables, figures, report
//! a kept run's landscapes (baseline) ───────────────┘
//! ```
//!
//! The folder of a landscape holds a file a model, each an ordinary landscape whose classes stand in
//! the order of the first model's. All tables are functions of these files, so that `verify` makes
//! them again. Where rows alone are kept there are no files, and a run that was stopped begins anew.

mod answers;
mod baseline;
mod figures;
mod gate;
mod table;
mod tables;
mod verify;

pub use answers::{Answered, Compared, ModelsResult, PairSummary};
pub use baseline::baseline_job;
pub use figures::DrawnModels;
pub use gate::{Gate, Shortfall};
pub use table::{Cell, Table};
pub(super) use verify::{check_landscapes, check_tables, load_again};

use super::error::{Placed, RunError};
use super::folder::layout::{REPORT_FILE, SERIES_FIGURE_FILE, model_landscape_file};
use super::folder::{Earlier, RunFolder, engine_plan};
use super::summary::measure_siblings;
use super::{Existing, Keep};
use crate::data::write_file;
use crate::engine::Engine;
use crate::job::{LandscapeId, LoadedModels, Note, Observer};
use crate::kernels::BUDGET;
use crate::landscape::{About, LandscapeFile};
use crate::pipeline::PipelineError;
use crate::remedy::error_chain;
use baseline::Baseline;
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How classifiers are compared, beyond what decides the numbers.
#[derive(Debug, Clone)]
pub struct ModelsOptions {
    /// What is kept of each landscape: tensors, or rows alone.
    pub keep: Keep,
    /// A finished run whose landscapes stand in for a first classifier.
    pub baseline: Option<PathBuf>,
    /// Whether the classifiers are a series, such as the checkpoints of a training.
    pub series: bool,
    /// Whether dbViz's margins of the first items are taken, of models that have exact lines.
    pub margins: bool,
    /// Whether figures and the report are drawn.
    pub figures: bool,
}

impl ModelsResult {
    /// Every table of the comparison, with `series.csv` where the classifiers are a series.
    pub fn tables(&self, series: bool) -> Vec<Table> {
        tables::tables(self, series)
    }

    /// Its figures and the report.
    pub fn draw(&self, series: bool) -> DrawnModels {
        figures::draw(self, series)
    }
}

impl Default for ModelsOptions {
    fn default() -> Self {
        Self {
            keep: Keep::Tensors,
            baseline: None,
            series: false,
            margins: false,
            figures: true,
        }
    }
}

/// Compares classifiers on a job's landscapes, of which nothing is kept but what is measured.
///
/// # Errors
/// [`RunError`] when there are fewer than two classifiers, the baseline is of other landscapes, or the
/// job fails.
pub fn measure_models(
    job: &LoadedModels,
    options: &ModelsOptions,
    engine: &dyn Engine,
    observer: &dyn Observer,
) -> Result<ModelsResult, RunError> {
    let (baseline, mut result) = begin(job, options)?;
    let mut writer = Writer {
        job,
        baseline: baseline.as_ref(),
        folder: None,
        engine,
        observer,
        kept: 0,
    };
    fill(&mut result, &mut writer, options)?;
    Ok(result)
}

/// [`measure_models`], written to `folder`; `command` is the command line that asks for it, if one
/// does.
///
/// # Errors
/// As [`measure_models`], and when the folder holds something else or a file cannot be written.
pub fn compare_models(
    job: &LoadedModels,
    options: &ModelsOptions,
    engine: &dyn Engine,
    (folder, existing): (&Path, Existing),
    command: &[String],
    observer: &dyn Observer,
) -> Result<ModelsResult, RunError> {
    let started = Instant::now();
    if options.keep == Keep::TensorsAndFrames {
        return Err(RunError::refused(
            "models are compared without frames; expected tensors or rows alone",
        ));
    }
    let (baseline, mut result) = begin(job, options)?;
    let lead = job.lead();
    let mut plan = Map::from_iter([("program".to_owned(), json!(env!("CARGO_PKG_VERSION")))]);
    plan.extend(job.plan());
    plan.insert("keep".to_owned(), json!(options.keep));
    plan.insert("margins".to_owned(), json!(options.margins));
    if let Some(baseline) = &baseline {
        plan.insert("baseline".to_owned(), baseline.plan());
    }
    plan.extend(engine_plan(engine.info()));
    let mut folder = RunFolder::prepare(folder, plan, existing, command)?;
    job.ask_for_labels(engine, observer)?;
    let mut writer = Writer {
        job,
        baseline: baseline.as_ref(),
        folder: (options.keep == Keep::Tensors).then_some(&folder),
        engine,
        observer,
        kept: 0,
    };
    let filled = fill(&mut result, &mut writer, options);
    let (kept, all) = (writer.kept, lead.landscapes().len());
    let taken = |result: &ModelsResult| {
        json!({
            "compute_s": result.compute.as_secs_f64(),
            "total_s": started.elapsed().as_secs_f64(),
        })
    };
    if let Err(error) = filled {
        let done = result.landscapes.len();
        folder.set_timings_so_far(taken(&result), [done - kept.min(done), all]);
        // Rows alone are written at the end.
        return Err(match options.keep {
            Keep::Tensors => error.or_stopped(folder.path(), "landscapes", [done, all]),
            _ => error,
        });
    }

    for table in result.tables(options.series) {
        write_file(&folder.file(table.file), &table.csv())?;
    }
    if options.figures {
        let drawn = result.draw(options.series);
        for (name, svg) in &drawn.files {
            write_file(&folder.file(name), svg.as_bytes())?;
        }
        write_file(&folder.file(REPORT_FILE), drawn.report.as_bytes())?;
        if options.series {
            write_file(
                &folder.file(SERIES_FIGURE_FILE),
                &figures::animation(&result),
            )?;
        }
    }
    folder.set_engine(engine);
    folder.set("models", job.models_json());
    folder.set("names", json!(result.names));
    folder.set("series", json!(options.series));
    folder.set("data", lead.data_json());
    if options.keep == Keep::Tensors {
        let names = lead.landscapes().into_iter().map(|id| id.name);
        folder.set("landscapes", names.collect());
    }
    folder.set_timings(taken(&result), [all - kept, all]);
    folder.finish()?;
    Ok(result)
}

/// The run that stands in for a first classifier, if one does, and a result without landscapes.
fn begin(
    job: &LoadedModels,
    options: &ModelsOptions,
) -> Result<(Option<Baseline>, ModelsResult), RunError> {
    let baseline = options.baseline.as_deref();
    let baseline = baseline.map(|path| Baseline::open(path, job)).transpose()?;
    let lead = job.lead();
    let first = baseline.iter().map(|baseline| baseline.name().to_owned());
    let mut result = ModelsResult::new(
        first.chain(job.names()).collect(),
        lead.class_names(),
        lead.kind(),
        lead.steps(),
        job.job().resample_seed,
    );
    let data = lead.data_json();
    data["path"]
        .as_str()
        .unwrap_or_default()
        .clone_into(&mut result.data_path);
    match result.names.len() {
        0 | 1 => Err(RunError::refused(
            "expected at least two models to compare, or one and the folder of a kept run, found one",
        )),
        _ => Ok((baseline, result)),
    }
}

/// Brings all landscapes and the items, and measures them.
fn fill(
    result: &mut ModelsResult,
    writer: &mut Writer<'_>,
    options: &ModelsOptions,
) -> Result<(), RunError> {
    let started = Instant::now();
    let job = writer.job;
    let ids = job.lead().landscapes();
    let wave = result.siblings * triples_a_wave(job, result.models(), result.siblings);
    writer.observer.begin(job.stage(ids.len()));
    for ids in ids.chunks(wave) {
        let files = writer.landscapes(ids)?;
        let compared = files.par_iter().map(|files| Compared::new(files));
        result.landscapes.par_extend(compared);
        result.compute = started.elapsed();
        if writer.observer.advance(0).is_break() {
            return Err(PipelineError::Interrupted.into());
        }
    }
    writer.observer.end();
    result.items = job.item_answers(writer.engine, &ids, options.margins, writer.observer)?;
    if writer.baseline.is_some() {
        result.first_from_corners();
    }
    result.kept = writer.kept;
    result.compute = started.elapsed();
    Ok(())
}

/// Triples that are computed at once, and held until they are measured.
fn triples_a_wave(job: &LoadedModels, models: usize, siblings: usize) -> usize {
    let lead = job.lead();
    let point = job.kept_values() + 2 * models * lead.class_names().len();
    let triple = 4 * siblings * lead.steps().pow(2) * point;
    (BUDGET.results / triple).clamp(1, BUDGET.triples_compared)
}

/// Brings the landscapes of every model, from files or computed.
struct Writer<'a> {
    job: &'a LoadedModels,
    baseline: Option<&'a Baseline>,
    /// Where files are kept; nothing where none are.
    folder: Option<&'a RunFolder>,
    engine: &'a dyn Engine,
    observer: &'a dyn Observer,
    kept: usize,
}

impl Writer<'_> {
    /// For each landscape the files of all models, written where they are kept.
    fn landscapes(&mut self, ids: &[LandscapeId]) -> Result<Vec<Vec<LandscapeFile>>, RunError> {
        let first = usize::from(self.baseline.is_some());
        let mut found: Vec<Option<Vec<LandscapeFile>>> =
            ids.par_iter().map(|id| self.kept(id, first)).collect();
        let missing: Vec<LandscapeId> = (ids.iter().zip(&found))
            .filter(|(_, found)| found.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        let here = ids.len() - missing.len();
        if here > 0 {
            self.kept += here;
            let each = self.job.stage(1).total;
            self.observer.keep(here * each, self.kept);
        }
        let mut computed: Vec<_> = (self.job.compute(self.engine, &missing, self.observer)?)
            .into_iter()
            .map(Vec::into_iter)
            .collect();
        for found in found.iter_mut().filter(|found| found.is_none()) {
            *found = Some(computed.iter_mut().filter_map(Iterator::next).collect());
        }
        let mut all = Vec::with_capacity(ids.len());
        for (id, files) in ids.iter().zip(found) {
            let mut files = files.expect("each that was missing was computed");
            if let Some(baseline) = self.baseline {
                files.insert(0, baseline.landscape(id, &files[0])?);
            }
            all.push(files);
        }
        if let Some(folder) = self.folder {
            let siblings = self.job.lead().kind().siblings().len();
            let triples = ids.chunks(siblings).zip(all.chunks(siblings));
            for (ids, files) in triples.filter(|(ids, _)| ids.iter().any(|id| missing.contains(id)))
            {
                write(folder, ids, files)?;
            }
        }
        Ok(all)
    }

    /// The landscapes of one id as an earlier start of this run finished them; of a baseline, the
    /// file that stands first, nothing is said: it is read from where it lies.
    fn kept(&self, id: &LandscapeId, first: usize) -> Option<Vec<LandscapeFile>> {
        let folder = self.folder?;
        if folder.earlier() == Earlier::Nothing {
            return None;
        }
        let folder = folder.file(&id.name);
        if !folder.join(model_landscape_file(0)).exists() {
            return None;
        }
        let read = |(model, about): (usize, About)| -> Result<LandscapeFile, RunError> {
            let path = folder.join(model_landscape_file(first + model));
            let file = LandscapeFile::read_whole(&path).placed(path.display())?;
            let steps = self.job.lead().steps();
            match file.about == about && file.landscape.steps == steps {
                true => Ok(file),
                false => Err(RunError::refused(format!(
                    "{}: expected landscape {} of this run, found another",
                    path.display(),
                    id.name
                ))),
            }
        };
        let abouts = self.job.abouts(id).into_iter().enumerate();
        match abouts.map(read).collect() {
            Ok(files) => Some(files),
            Err(error) => {
                let chain = error_chain(&error);
                self.observer
                    .note(&Note::new(format!("{chain}; it is computed again")));
                None
            }
        }
    }
}

/// Writes the landscapes of a triple, each a list of models; the first model's file last: from
/// then on all are there.
fn write(
    folder: &RunFolder,
    ids: &[LandscapeId],
    files: &[Vec<LandscapeFile>],
) -> Result<(), RunError> {
    for model in (0..files[0].len()).rev() {
        let own: Vec<&LandscapeFile> = files.iter().map(|files| &files[model]).collect();
        let measures = measure_siblings(&own);
        for ((id, file), measures) in ids.iter().zip(own).zip(&measures) {
            let folder = folder.folder(&id.name)?;
            file.write(&folder.join(model_landscape_file(model)), measures)?;
        }
    }
    Ok(())
}

/// The value of a manifest's plan under which a comparison of models stands.
pub(super) fn is_of_models(plan: &Value) -> bool {
    plan["job"] == "models"
}
