//! A finished run that stands in for a model: its landscapes are read, not computed.

use super::super::error::RunError;
use super::super::folder::RunFolder;
use super::is_of_models;
use crate::data::ClassMatch;
use crate::job::{Job, LandscapeId, LoadedModels, Triples, outputs_for};
use crate::landscape::{LandscapeFile, ListedItem, ListedTriple};
use serde_json::{Value, json};
use std::path::Path;

/// A finished run whose landscapes are compared with.
#[derive(Debug)]
pub(super) struct Baseline {
    folder: RunFolder,
    name: String,
    class_match: ClassMatch,
}

/// The job of a finished run, with its triples as a list: what other models are compared on.
///
/// # Errors
/// [`RunError`] where there is no finished run, or none that keeps landscapes.
pub fn baseline_job(path: &Path) -> Result<Job, RunError> {
    let folder = RunFolder::open(path)?;
    if !folder.has_landscapes() || is_of_models(&folder.manifest()["plan"]) {
        return Err(RunError::refused(format!(
            "{}: expected a run that keeps landscapes, such as one of sweep or interpolate, found one that does not",
            path.display()
        )));
    }
    let mut job = folder.job()?;
    let listed = folder.manifest()["plan"]["triples"]
        .as_array()
        .map(|triples| triples.iter().filter_map(listed).collect::<Vec<_>>())
        .filter(|listed| !listed.is_empty());
    let Some(listed) = listed else {
        return Err(RunError::refused(format!(
            "{}: expected a manifest that lists the run's triples, found none; run it again",
            path.display()
        )));
    };
    job.take_items(Triples::Listed(listed));
    Ok(job)
}

/// A triple of a plan.
fn listed(triple: &Value) -> Option<ListedTriple> {
    let items: [usize; 3] = serde_json::from_value(triple["items"].clone()).ok()?;
    Some(ListedTriple {
        name: triple["name"].as_str()?.to_owned(),
        items: items.map(ListedItem::Index),
    })
}

impl Baseline {
    /// Opens the run, which must be of the landscapes of `job`.
    pub(super) fn open(path: &Path, job: &LoadedModels) -> Result<Self, RunError> {
        let folder = RunFolder::open(path)?;
        let refuse = |expected: &str, found: &str| {
            Err(RunError::refused(format!(
                "{}: expected a run on {expected}, found {found}",
                path.display()
            )))
        };
        let ids = job.lead().landscapes();
        let names = folder.landscapes()?;
        if names.len() != ids.len() {
            let [expected, found] = [ids.len(), names.len()].map(|n| format!("{n} landscapes"));
            return refuse(&expected, &found);
        }
        let plan = &folder.manifest()["plan"];
        let now = job.plan();
        if plan["job"] != now["on"] || plan.get("morph") != now.get("morph") {
            return refuse("the same grids", "other ones");
        }
        if plan["job"] == "sweep" && Some(&plan["data_sha256"]) != now.get("data_sha256") {
            return refuse("these data, by their SHA-256", "other ones");
        }
        Ok(Self {
            name: format!(
                "baseline {}",
                path.file_name()
                    .unwrap_or(path.as_os_str())
                    .to_string_lossy()
            ),
            folder,
            class_match: job.job().class_match,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What a plan says of it.
    pub(super) fn plan(&self) -> Value {
        let manifest = self.folder.manifest();
        json!({"model_sha256": manifest["plan"]["model_sha256"], "files": manifest["files"]})
    }

    /// The run's landscape, with its classes in the order of `beside`, which must lie between the
    /// same items.
    pub(super) fn landscape(
        &self,
        id: &LandscapeId,
        beside: &LandscapeFile,
    ) -> Result<LandscapeFile, RunError> {
        let mut file = self.folder.landscape(&id.name)?;
        let place = || format!("{}, landscape {}", self.folder.path().display(), id.name);
        let same = file.about.item_names == beside.about.item_names
            && file.about.permutation == beside.about.permutation
            && file.landscape.steps == beside.landscape.steps
            && file.about.settings == beside.about.settings;
        if !same {
            return Err(RunError::refused(format!(
                "{}: expected {} points a side between {}, found {} between {}",
                place(),
                beside.landscape.steps,
                beside.about.item_names.join(", "),
                file.landscape.steps,
                file.about.item_names.join(", ")
            )));
        }
        let (inputs, now) = (&file.landscape.inputs, &beside.landscape.inputs);
        if file.about.items == beside.about.items && now.is_some() && inputs != now {
            return Err(RunError::refused(format!(
                "{}: expected the rows that lie between its items now, found other ones; the data have changed",
                place()
            )));
        }
        let outputs = outputs_for(
            &beside.about.class_names,
            &file.about.class_names,
            self.class_match,
            place,
        )?;
        let landscape = file.landscape.with_classes_from(&outputs);
        file.about.class_names.clone_from(&beside.about.class_names);
        file.about.item_classes = beside.about.item_classes;
        file.about.finer_measures = None;
        Ok(LandscapeFile { landscape, ..file })
    }
}
