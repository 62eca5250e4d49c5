//! Whether a comparison of models is what the program wrote, and what it computes.

use super::super::check::{LandscapeCheck, Sample, SummaryCheck, spread};
use super::super::error::RunError;
use super::super::folder::layout::{ITEMS_FILE, model_landscape_file};
use super::super::folder::{RunFolder, difference};
use super::super::redraw::read_landscape;

use super::answers::{Compared, ModelsResult};
use super::{is_of_models, tables};
use crate::engine::Engine;
use crate::job::{LoadedModels, ModelSource, ModelsJob, Observer, Silent};
use crate::kernels::BUDGET;
use crate::remedy::error_chain;
use serde_json::{Value, json};

/// The comparison of models that a finished run's plan says, loaded anew; it must come to that plan.
pub(in crate::run) fn load_again(folder: &RunFolder) -> Result<LoadedModels, RunError> {
    let run = folder.path().display();
    let mut then = folder.manifest()["plan"].clone();
    let refuse =
        |problem: String| RunError::refused(format!("{run}: cannot compute it again: {problem}"));
    let job = job_of(&then).ok_or_else(|| {
        refuse("the plan in its manifest is none of this version; run it again".to_owned())
    })?;
    let loaded = (job.load(&Silent)).map_err(|error| refuse(error_chain(&error)))?;
    let mut now = Value::Object(loaded.plan());
    for plan in [&mut then, &mut now] {
        for key in [
            "program", "engine", "adapter", "keep", "margins", "baseline",
        ] {
            plan.as_object_mut().map(|plan| plan.remove(key));
        }
    }
    match difference(&then, &now) {
        None => Ok(loaded),
        Some(other) => Err(refuse(format!("its job comes to another plan, {other}"))),
    }
}

/// The job that a plan states.
fn job_of(plan: &Value) -> Option<ModelsJob> {
    let mut on = plan.clone();
    on["job"] = plan["on"].clone();
    let first: ModelSource = serde_json::from_value(plan["model"].clone()).ok()?;
    let others: Vec<ModelSource> = serde_json::from_value(plan["others"].clone()).ok()?;
    Some(ModelsJob {
        on: serde_json::from_value(on).ok()?,
        models: std::iter::once(first).chain(others).collect(),
        class_match: serde_json::from_value(plan["class_match"].clone()).ok()?,
        resample_seed: plan["resample_seed"].as_u64()?,
    })
}

/// Makes the tables again from the landscapes, and holds the files against them.
pub(in crate::run) fn check_tables(folder: &RunFolder) -> Result<SummaryCheck, RunError> {
    let result = match read(folder)? {
        Ok(result) => result,
        Err(Unread { place, problem }) => {
            let mut check = SummaryCheck::unread();
            check.add(&place, problem);
            return Ok(check);
        }
    };
    let mut check = SummaryCheck {
        rows: Some(result.landscapes.len()),
        differences: Vec::new(),
    };
    let series = folder.manifest()["series"] == json!(true);
    for table in result.tables(series) {
        if std::fs::read(folder.file(table.file)).ok() != Some(table.csv()) {
            check.add(table.file, "not what the landscapes measure");
        }
    }
    Ok(check)
}

/// A file that is not what it should be.
struct Unread {
    place: String,
    problem: String,
}

impl RunFolder {
    /// What a finished comparison of models came to, measured again from its files; it must have kept
    /// them.
    ///
    /// # Errors
    /// [`RunError`] where there is no such comparison, or a file cannot be read.
    pub fn models(&self) -> Result<ModelsResult, RunError> {
        let read = match is_of_models(&self.manifest()["plan"]) && self.has_landscapes() {
            true => read(self)?,
            false => Err(Unread {
                place: "manifest.json".to_owned(),
                problem:
                    "expected a comparison of models that keeps its landscapes, found another run"
                        .to_owned(),
            }),
        };
        read.map_err(|Unread { place, problem }| {
            RunError::refused(format!("{}, {place}: {problem}", self.path().display()))
        })
    }
}

/// What the landscapes and the table of items come to.
fn read(folder: &RunFolder) -> Result<Result<ModelsResult, Unread>, RunError> {
    let manifest = folder.manifest();
    let names: Vec<String> = serde_json::from_value(manifest["names"].clone()).unwrap_or_default();
    let unread = |place: &str, problem: &str| {
        Ok(Err(Unread {
            place: place.to_owned(),
            problem: problem.to_owned(),
        }))
    };
    let mut result: Option<ModelsResult> = None;
    for name in folder.landscapes()? {
        let files = (0..names.len())
            .map(|model| read_landscape(folder, &name, &model_landscape_file(model)))
            .collect::<Result<Vec<_>, _>>();
        let files = match files {
            Ok(files) if !files.is_empty() => files,
            Ok(_) => {
                return Err(RunError::refused(
                    "expected the names of models in the manifest, found none",
                ));
            }
            Err(error) => {
                let problem = format!("not held against the tables: {}", error_chain(&error));
                return unread(&name, &problem);
            }
        };
        let about = &files[0].about;
        let landscape = &files[0].landscape;
        let result = result.get_or_insert_with(|| {
            let (kind, steps) = (landscape.kind, landscape.steps);
            let seed = manifest["plan"]["resample_seed"].as_u64().unwrap_or(1);
            ModelsResult::new(names.clone(), &about.class_names, kind, steps, seed)
        });
        let alike = files.iter().all(|file| {
            file.about.class_names == result.class_names && file.landscape.steps == result.steps
        });
        if !alike {
            return unread(&name, "has other steps or classes than the run");
        }
        result.landscapes.push(Compared::new(&files));
    }
    let mut result = result.expect("a run names at least one landscape");
    // What the models answer to the items is in no landscape: it is taken from its table, whose
    // hash was checked.
    let items = std::fs::read(folder.file(ITEMS_FILE)).unwrap_or_default();
    let items = tables::read_items(&items, &result.class_names, result.models());
    let Some(items) = items else {
        let problem = "not a table of items and what the models answer to them";
        return unread(ITEMS_FILE, problem);
    };
    result.items = items;
    let path = manifest["data"]["path"].as_str().unwrap_or_default();
    path.clone_into(&mut result.data_path);
    Ok(Ok(result))
}

/// Computes landscapes of every model again and holds them against the files; a baseline's are not
/// computed.
pub(in crate::run) fn check_landscapes(
    folder: &RunFolder,
    again: &LoadedModels,
    sample: Sample,
    engine: &dyn Engine,
    observer: &dyn Observer,
) -> Result<LandscapeCheck, RunError> {
    let all = again.lead().landscapes();
    let ids = spread(&all, sample);
    let models = again.names().len();
    let first = usize::from(folder.manifest()["plan"]["baseline"].is_object());
    let mut check = LandscapeCheck::of([models * ids.len(), models * all.len()]);
    observer.begin(again.stage(ids.len()));
    let values = again.stage(1).total * again.lead().class_names().len().max(1);
    for ids in ids.chunks((BUDGET.verified_values() / values).max(1)) {
        let computed = again.compute(engine, ids, observer)?;
        for (model, files) in computed.iter().enumerate() {
            let name = model_landscape_file(first + model);
            for (id, now) in ids.iter().zip(files) {
                let file = read_landscape(folder, &id.name, &name);
                check.hold(&format!("{}/{name}", id.name), file, now);
            }
        }
    }
    observer.end();
    Ok(check)
}
