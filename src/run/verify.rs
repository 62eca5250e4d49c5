//! Whether a finished run is what the program wrote, and what it computes.
//!
//! ```text
//! manifest ─ files ───> SHA-256 of each, as it stands
//!          ─ tensors ─> measures ─> summary.csv
//!          ─ plan ────> the job ──> the plan again ─> a sample computed on another engine
//! ```
//!
//! The job is read from the plan in the manifest, whoever began the run, and loaded anew; the plan
//! that it comes to must be the one in the manifest. So what the names of model and data stand for
//! now is never taken for what they stood for then.

use super::Keep;
use super::check::{Difference, FileCheck, LandscapeCheck, Sample, SummaryCheck, add, spread};
use super::error::{Placed, RunError};
use super::folder::layout::SUMMARY_FILE;
use super::folder::{RunFolder, difference, hash_files};
use super::models::{self, is_of_models};
use super::section;
use super::start::plan;
use super::summary::summary_csv;
use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::job::{Job, LoadedJob, LoadedModels, Note, Observer, Silent, Stage};
use crate::kernels::BUDGET;
use crate::remedy::{Remedy, Setting, error_chain};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Where the model and the data of a finished run lie now; what is not said is where the run found
/// it.
#[derive(Debug, Clone, Default)]
pub struct Moved {
    /// The model's file.
    pub model: Option<PathBuf>,
    /// The data's name or path.
    pub data: Option<String>,
    /// A folder laid out like the project's `data/`.
    pub root: Option<PathBuf>,
}

/// The job of a finished run, loaded anew.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of it a run")]
pub enum Again {
    /// Of one model.
    One(LoadedJob),
    /// Of several models.
    Several(LoadedModels),
}

/// What came of checking a run.
#[derive(Debug, Clone)]
pub struct Verification {
    /// Its files.
    pub files: FileCheck,
    /// Its table; nothing where there are no landscapes to hold it against.
    pub summary: Option<SummaryCheck>,
    /// Its landscapes; nothing where none was computed again.
    pub landscapes: Option<LandscapeCheck>,
}

impl Verification {
    /// Whether nothing differs.
    pub fn holds(&self) -> bool {
        let of = |differences: Option<&Vec<Difference>>| differences.is_none_or(Vec::is_empty);
        self.files.differences.is_empty()
            && of(self.summary.as_ref().map(|check| &check.differences))
            && of(self.landscapes.as_ref().map(|check| &check.differences))
    }
}

fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

impl RunFolder {
    /// Checks a finished run: its files, its table, and a sample of its landscapes, computed again
    /// on `engine`.
    ///
    /// # Errors
    /// [`RunError`] where the run cannot be checked; what differs is no error.
    pub fn verify(
        &self,
        sample: Sample,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<Verification, RunError> {
        let files = self.check_files(observer)?;
        let (mut summary, mut landscapes) = (None, None);
        if self.has_landscapes() {
            summary = Some(self.check_summary()?);
            if sample != Sample::Of(0) {
                let again = self.load_again(&Moved::default(), observer)?;
                landscapes = Some(self.check_landscapes(&again, sample, engine, observer)?);
            }
        }
        Ok(Verification {
            files,
            summary,
            landscapes,
        })
    }

    /// Whether there is something in the folder that can be computed again: of a summary alone
    /// there is nothing to hold it against, and walks, morphs and comparisons are none.
    pub fn has_landscapes(&self) -> bool {
        let plan = &self.manifest()["plan"];
        matches!(
            plan["job"].as_str(),
            Some("sweep" | "interpolate" | "models")
        ) && plan["keep"] != json!(Keep::RowsAlone)
            && plan["summary_only"] != json!(true)
    }

    /// Holds every file against its hash. A file that the manifest does not name is noted and no
    /// difference.
    ///
    /// # Errors
    /// [`RunError`] where a file cannot be read, or the manifest has no hashes.
    pub fn check_files(&self, observer: &dyn Observer) -> Result<FileCheck, RunError> {
        let manifest = self.manifest();
        let Some(files) = manifest["files"].as_object() else {
            return Err(RunError::refused_but(
                format!(
                    "{}: expected a manifest with the hashes of the run's files, found none; an older version made it",
                    self.path().display()
                ),
                "run its command again with {}",
                &[Setting::Force],
            ));
        };
        let mut found = hash_files(self.path(), &manifest["plan"])?;
        let mut differences = Vec::new();
        for (name, hash) in files {
            match (found.remove(name), hash.as_str()) {
                (None, _) => add(&mut differences, name, "missing"),
                (Some(now), Some(then)) if now == then => {}
                (Some(now), _) => add(
                    &mut differences,
                    name,
                    format!(
                        "changed: SHA-256 {}, expected {}",
                        short(&now),
                        short(hash.as_str().unwrap_or("none"))
                    ),
                ),
            }
        }
        for name in found.keys() {
            observer.note(&Note::new(format!("{name} does not belong to this run")));
        }
        Ok(FileCheck {
            files: files.len(),
            differences,
        })
    }

    /// Measures all landscapes again from their files, and holds the table against it.
    ///
    /// # Errors
    /// [`RunError`] where the manifest names no landscapes.
    pub fn check_summary(&self) -> Result<SummaryCheck, RunError> {
        if is_of_models(&self.manifest()["plan"]) {
            return models::check_tables(self);
        }
        let names = self.landscapes()?;
        let mut differences = Vec::new();
        let rows = match self.rows() {
            Ok(rows) => rows,
            Err(error) => {
                let chain = error_chain(&error);
                add(
                    &mut differences,
                    SUMMARY_FILE,
                    format!("not held against them: {chain}"),
                );
                return Ok(SummaryCheck {
                    rows: None,
                    differences,
                });
            }
        };
        let expected = summary_csv(&rows);
        let found = std::fs::read(self.file(SUMMARY_FILE)).unwrap_or_default();
        let lines =
            |text: &[u8]| -> Vec<Vec<u8>> { text.split(|&b| b == b'\n').map(Vec::from).collect() };
        let (expected, found) = (lines(&expected), lines(&found));
        let other = expected
            .iter()
            .enumerate()
            .filter(|(n, line)| found.get(*n) != Some(*line));
        for (n, line) in other {
            let text = String::from_utf8_lossy(line).into_owned();
            let name = text.split(',').next().unwrap_or_default();
            let start: String = text.chars().take(60).collect();
            add(
                &mut differences,
                SUMMARY_FILE,
                format!("line {}: not what {name} measures, {start}", n + 1),
            );
        }
        if found.len() > expected.len() {
            add(&mut differences, SUMMARY_FILE, "more lines than landscapes");
        }
        Ok(SummaryCheck {
            rows: Some(names.len()),
            differences,
        })
    }

    /// The job that the run's plan says.
    ///
    /// # Errors
    /// [`RunError`] where this version cannot read it.
    pub fn job(&self) -> Result<Job, RunError> {
        let run = self.path().display();
        serde_json::from_value(self.manifest()["plan"].clone()).placed(format!(
            "{run}: the plan in its manifest is none of this version; run it again"
        ))
    }

    /// The job of the run, loaded anew, which must come to the run's plan.
    ///
    /// # Errors
    /// [`RunError`] where its model or data are not found, or are others by now.
    pub fn load_again(&self, moved: &Moved, observer: &dyn Observer) -> Result<Again, RunError> {
        if is_of_models(&self.manifest()["plan"]) {
            if moved.model.is_some() || moved.data.is_some() || moved.root.is_some() {
                return Err(RunError::refused_but(
                    format!(
                        "{}: expected the run's models and data where its plan says they lie",
                        self.path().display()
                    ),
                    "leave out {} and {}, of which it has several",
                    &[Setting::Model, Setting::Data],
                ));
            }
            return Ok(Again::Several(models::load_again(self)?));
        }
        Ok(Again::One(self.load_one_again(moved, observer)?))
    }

    fn load_one_again(
        &self,
        moved: &Moved,
        observer: &dyn Observer,
    ) -> Result<LoadedJob, RunError> {
        let run = self.path().display();
        let mut then = self.manifest()["plan"].clone();
        let mut job = self.job()?;
        if let Some(model) = &moved.model {
            job.model_mut().file = Some(model.clone());
        }
        let (place, root) = job.data_mut();
        if let Some(data) = &moved.data {
            place.clone_from(data);
        }
        if let Some(folder) = &moved.root {
            *root = Some(folder.clone());
        }
        // What there was to note, the run itself noted.
        let loaded = job.load(&Silent).map_err(|error| RunError::Refused {
            problem: format!("{run}: cannot compute it again: {}", error_chain(&error)),
            remedy: Some(elsewhere(
                ", or run this in the folder that the run was started from",
            )),
        })?;
        let keep = match then["keep"].as_str() {
            Some("tensors_and_frames") => Keep::TensorsAndFrames,
            _ => Keep::Tensors,
        };
        let mut now = Value::Object(plan(&loaded, &CpuEngine::new(), keep));
        if then["program"] != now["program"] {
            observer.note(&Note::new(format!(
                "the run is of program version {}, and this is {}",
                then["program"], now["program"]
            )));
        }
        // Another engine and another version are what this is about.
        for plan in [&mut then, &mut now] {
            for key in ["program", "engine", "adapter"] {
                plan.as_object_mut().map(|plan| plan.remove(key));
            }
        }
        match difference(&then, &now) {
            None => Ok(loaded),
            Some(difference) => Err(RunError::Refused {
                problem: format!(
                    "{run}: cannot compute it again: its job comes to another plan, {difference}"
                ),
                remedy: Some(elsewhere("")),
            }),
        }
    }

    /// Computes landscapes again and holds them against the files. `again` is the run's own job,
    /// from [`RunFolder::load_again`].
    ///
    /// # Errors
    /// [`RunError`] where the engine fails, or the observer stops it.
    pub fn check_landscapes(
        &self,
        again: &Again,
        sample: Sample,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<LandscapeCheck, RunError> {
        let again = match again {
            Again::One(again) => again,
            Again::Several(again) => {
                return models::check_landscapes(self, again, sample, engine, observer);
            }
        };
        let all = again.landscapes();
        let ids = spread(&all, sample);
        let steps = again.steps();
        let mut check = LandscapeCheck::of([ids.len(), all.len()]);
        observer.begin(Stage {
            total: ids.len() * again.kind().num_points(steps),
            unit: "points",
        });
        let values = steps * steps * again.class_names().len().max(1);
        for ids in ids.chunks((BUDGET.verified_values() / values).max(1)) {
            let computed = again.compute(engine, ids, observer)?;
            for (id, now) in ids.iter().zip(&computed) {
                check.hold(&id.name, self.landscape(&id.name), now);
                if let Some(difference) = section::difference(self, again, id)? {
                    check.add(&id.name, difference);
                }
            }
        }
        observer.end();
        Ok(check)
    }
}

/// What to do where model or data are not those of the run.
fn elsewhere(or: &str) -> Remedy {
    Remedy::new(
        format!("give its model and data with {{}} and {{}}{or}"),
        &[Setting::Model, Setting::Data],
    )
}
