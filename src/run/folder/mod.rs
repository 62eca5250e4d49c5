//! The folder of a run: whether it may be written, what of an earlier start is in it, and its
//! manifest.
//!
//! ```text
//! look at the folder ─> lock ─> look again ─> (--force: remove the old run) ─> manifest, unfinished
//!   ─> landscapes, each with its figures first and its tensors last ─> tables, report
//!   ─> manifest, finished ─> the lock goes
//! ```
//!
//! The plan in the manifest says all that decides a run's numbers: the job as it serialises, what its
//! names stand for, and the program's version. A folder with the same plan is resumed;
//! `resume.rs` decides which landscapes are kept. Where the job's files lie is in the plan too, so
//! that `verify` finds them, but decides nothing: their hashes do.

mod difference;
mod hashes;
pub(super) mod layout;
mod lock;
mod timings;

pub(crate) use difference::difference;
pub(super) use hashes::hash_files;

use super::Existing;
use super::error::{Placed, RunError};
use crate::data::{FileError, read_text, write_file};
use crate::engine::{Engine, EngineInfo, EngineRecord};
use crate::landscape::DataPoints;
use crate::remedy::{Setting, did_you_mean_file};
use layout::{DATA_FILE, LANDSCAPE_FILE, MANIFEST_FILE};
use lock::Lock;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use timings::TIMINGS;

/// The largest manifest that is read: it lists every triple of a run and the hashes of its files.
const MAX_MANIFEST_BYTES: u64 = 256 << 20;

/// A run's folder and what its manifest says.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    manifest: Map<String, Value>,
    earlier: Earlier,
    /// What earlier starts of the run say that they took.
    earlier_timings: Option<Map<String, Value>>,
    /// How figures are all drawn once the run is finished.
    figures: Option<Value>,
    lock: Option<Lock>,
}

/// What of this plan the folder held before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Earlier {
    /// Nothing to go on with.
    Nothing,
    /// A run of the same plan, finished or not.
    SamePlan,
}

impl RunFolder {
    /// Makes the folder ready for `plan`, which says all that decides the run's numbers.
    ///
    /// A folder that holds the same plan is resumed; one that holds another plan, or anything
    /// else, is refused, unless [`Existing::Replace`] starts over. The manifest is written at
    /// once, unfinished, so that a folder that cannot be written is found out before the work.
    /// `command` is the command line that asks for the run, if one does.
    pub(super) fn prepare(
        path: &Path,
        plan: Map<String, Value>,
        existing: Existing,
        command: &[String],
    ) -> Result<Self, RunError> {
        let plan = Value::Object(plan);
        let force = existing == Existing::Replace;
        layout::check_is_folder(path)?;
        // Once before anything is touched, and again when nobody else can change it.
        look(path, &plan, force)?;
        std::fs::create_dir_all(path).map_err(|source| FileError {
            path: path.to_owned(),
            source,
        })?;
        let lock = Lock::take(path)?;
        let found = look(path, &plan, force)?;
        let plan = match &found {
            Some(old) if !force => as_begun(old, plan),
            _ => plan,
        };
        let mut manifest = Map::from_iter([
            (
                "program".to_owned(),
                json!(concat!("morphscape ", env!("CARGO_PKG_VERSION"))),
            ),
            ("command".to_owned(), json!(command)),
            ("finished".to_owned(), json!(false)),
            ("plan".to_owned(), plan.clone()),
        ]);
        let mut earlier_timings = None;
        let earlier = match found {
            Some(old) if force => {
                start_over(path, old, &plan)?;
                Earlier::Nothing
            }
            None if force => {
                layout::remove_old_run(path, &Value::Null, &plan)?;
                Earlier::Nothing
            }
            Some(old) => {
                if let Some(figures) = old.get("figures") {
                    manifest.insert("figures".to_owned(), figures.clone());
                }
                if let (Some(engine), true) = (old.get("engine"), fell_back(&old)) {
                    manifest.insert("engine".to_owned(), engine.clone());
                }
                if let Some(timings) = old.get(TIMINGS) {
                    manifest.insert(TIMINGS.to_owned(), timings.clone());
                    earlier_timings = timings.as_object().cloned();
                }
                Earlier::SamePlan
            }
            None => Earlier::Nothing,
        };
        layout::remove_parts(path, &plan)?;
        let folder = Self {
            path: path.to_owned(),
            manifest,
            earlier,
            earlier_timings,
            figures: None,
            lock: Some(lock),
        };
        folder.write_manifest()?;
        Ok(folder)
    }

    /// What of this plan was there before.
    pub(super) fn earlier(&self) -> Earlier {
        self.earlier
    }

    /// Says how figures are going to be drawn; whether those of landscapes that are finished are
    /// drawn otherwise and have to be drawn again.
    ///
    /// How figures are drawn decides no numbers and is not in the plan, so a run may go on with
    /// other ones. From then until it is finished the manifest says `null`: a mixture.
    pub(super) fn begin_figures(&mut self, how: Value) -> Result<Drawn, RunError> {
        let drawn = match (self.earlier, self.manifest.get("figures")) {
            (Earlier::SamePlan, Some(old)) if *old != how => Drawn::Otherwise,
            _ => Drawn::Alike,
        };
        let said = match drawn {
            Drawn::Alike => how.clone(),
            Drawn::Otherwise => Value::Null,
        };
        self.set("figures", said);
        self.figures = Some(how);
        self.write_manifest()?;
        Ok(drawn)
    }

    /// Opens the folder of a finished run of any job, as it stands; it is not locked.
    ///
    /// # Errors
    /// [`RunError`] where there is no finished run.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RunError> {
        let path = path.as_ref();
        let file = path.join(MANIFEST_FILE);
        if !file.exists() {
            return Err(no_run(path));
        }
        let text = read_text(&file, MAX_MANIFEST_BYTES).placed(format!(
            "{}: expected the folder of a run, with its {MANIFEST_FILE}",
            path.display()
        ))?;
        let manifest: Map<String, Value> =
            serde_json::from_str(&text).placed(format!("{}: not a manifest", file.display()))?;
        if manifest.get("finished") != Some(&json!(true)) {
            return Err(RunError::refused(format!(
                "{}: expected a finished run, found one that is not; run its command again first",
                path.display()
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            manifest,
            earlier: Earlier::SamePlan,
            earlier_timings: None,
            figures: None,
            lock: None,
        })
    }

    /// The names of a finished run's landscapes, at least one.
    ///
    /// # Errors
    /// [`RunError`] where its manifest names none, or something that cannot be a folder.
    pub fn landscapes(&self) -> Result<Vec<String>, RunError> {
        let named = self.manifest.get("landscapes");
        let names: Vec<String> = named
            .and_then(|names| serde_json::from_value(names.clone()).ok())
            .unwrap_or_default();
        if names.is_empty() {
            return Err(RunError::refused(format!(
                "{}: expected a finished run with landscapes, found none in its manifest",
                self.path.display()
            )));
        }
        // A manifest is a file anyone may have written.
        if let Some(name) = names.iter().find(|name| !layout::is_plain(name)) {
            let file = self.file(MANIFEST_FILE);
            return Err(RunError::refused(format!(
                "{}: \"{name}\" is not the name of a landscape",
                file.display()
            )));
        }
        Ok(names)
    }

    /// Keeps other processes from writing to the folder.
    pub(super) fn lock(&mut self) -> Result<(), RunError> {
        layout::check_places(
            &self.path,
            &self.manifest().get("plan").cloned().unwrap_or_default(),
        )?;
        self.lock = Some(Lock::take(&self.path)?);
        Ok(())
    }

    /// Says that figures are about to be drawn in a way that is not the run's.
    pub(super) fn begin_drawing(&mut self) -> Result<(), RunError> {
        self.set("figures", Value::Null);
        self.write_manifest()
    }

    /// Says the hashes of figures and report as they are now.
    pub(super) fn finish_drawing(&mut self) -> Result<(), RunError> {
        hashes::refresh_drawn(&self.path, &mut self.manifest)?;
        self.write_manifest()
    }

    /// The manifest as it stands.
    pub fn manifest(&self) -> Value {
        Value::Object(self.manifest.clone())
    }

    /// The answers to the data themselves, if the run wrote them.
    pub(super) fn read_data_points(&self) -> Result<Option<DataPoints>, RunError> {
        let path = self.file(DATA_FILE);
        if !path.exists() {
            return Ok(None);
        }
        let points = DataPoints::read(&path).placed(path.display())?;
        Ok(Some(points))
    }

    /// Sets an entry of the manifest; it is written by [`RunFolder::finish`].
    pub(super) fn set(&mut self, key: &str, value: Value) {
        if key == TIMINGS {
            // Those of an earlier start stand further up; here they stand in a run of one start.
            self.manifest.shift_remove(key);
        }
        self.manifest.insert(key.into(), value);
    }

    /// Says where the run is computed. An engine that an earlier start had to leave stays said: a
    /// part of the run is from it, and a part from the one that went on.
    pub(super) fn set_engine(&mut self, engine: &dyn Engine) {
        if engine.fallback().is_some() || !fell_back(&self.manifest) {
            self.set("engine", engine_json(engine));
        }
    }

    /// Says at once that an engine was left, if it was, so that the run can be gone on with where
    /// there is no such engine any more.
    pub(super) fn note_fallback(&mut self, engine: &dyn Engine) -> Result<(), RunError> {
        if engine.fallback().is_none() || fell_back(&self.manifest) {
            return Ok(());
        }
        self.set_engine(engine);
        self.write_manifest()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where `name` stands in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder of a landscape or triple, made if it is missing.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, RunError> {
        layout::make_folder(self.path.join(name))
    }

    /// Writes the manifest of a finished run, with the hashes of its files.
    ///
    /// # Errors
    /// When the tensors of a landscape that it names are gone by now, too.
    pub(super) fn finish(mut self) -> Result<(), RunError> {
        let plan = self.manifest.get("plan").cloned().unwrap_or_default();
        let files = hash_files(&self.path, &plan)?;
        let named = self.manifest.get("landscapes").and_then(Value::as_array);
        for name in named.into_iter().flatten().filter_map(Value::as_str) {
            if !files.contains_key(&format!("{name}/{LANDSCAPE_FILE}")) {
                return Err(RunError::refused(format!(
                    "{}: the landscape was there and is gone; run the command again",
                    self.file(name).display()
                )));
            }
        }
        self.set("files", json!(files));
        if let Some(figures) = self.figures.take() {
            self.set("figures", figures);
        }
        self.set("finished", json!(true));
        self.write_manifest()
    }

    fn write_manifest(&self) -> Result<(), RunError> {
        write_manifest(&self.path, &self.manifest)
    }
}

/// Why a path is not the folder of a run.
fn no_run(path: &Path) -> RunError {
    let above = path
        .parent()
        .filter(|above| above.join(MANIFEST_FILE).exists());
    let found = match (path.exists(), above) {
        (false, _) => format!("found nothing there{}", did_you_mean_file(path, &[])),
        (true, Some(above)) => format!(
            "found a part of one; give the run itself, {}",
            above.display()
        ),
        (true, None) if !path.is_dir() => "found a file".to_owned(),
        (true, None) => format!("found no {MANIFEST_FILE} in it"),
    };
    RunError::refused(format!(
        "{}: expected the folder of a run, {found}",
        path.display()
    ))
}

/// What a plan says of the engine that runs it.
pub(super) fn engine_plan(info: &EngineInfo) -> Map<String, Value> {
    let identity = info.identity();
    Map::from_iter([
        ("engine".to_owned(), json!(identity.engine)),
        ("adapter".to_owned(), json!(identity.adapter)),
    ])
}

/// What a manifest says of an engine.
fn engine_json(engine: &dyn Engine) -> Value {
    json!(EngineRecord::of(engine))
}

/// Whether a manifest says that an engine was left for the CPU engine.
fn fell_back(manifest: &Map<String, Value>) -> bool {
    let engine = manifest.get("engine");
    engine.is_some_and(|engine| engine["fallback"].is_object())
}

/// The plan with the engine that an earlier start began on, where that was left for the CPU engine
/// and this start is on the CPU engine: the same run.
fn as_begun(found: &Map<String, Value>, mut plan: Value) -> Value {
    if let (Some(begun), true, Some("cpu")) =
        (found.get("plan"), fell_back(found), plan["engine"].as_str())
    {
        for key in ["engine", "adapter"] {
            plan[key] = begun[key].clone();
        }
    }
    plan
}

/// How the figures of finished landscapes were drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawn {
    /// As they are wanted now, or there are none.
    Alike,
    /// In another way, or in several.
    Otherwise,
}

fn write_manifest(folder: &Path, manifest: &Map<String, Value>) -> Result<(), RunError> {
    let mut text = serde_json::to_string_pretty(manifest).expect("a manifest is plain data");
    text.push('\n');
    Ok(write_file(&folder.join(MANIFEST_FILE), text.as_bytes())?)
}

/// Whether a run of `plan` may write to the folder; the manifest that is there, if one is.
fn look(path: &Path, plan: &Value, force: bool) -> Result<Option<Map<String, Value>>, RunError> {
    let file = path.join(MANIFEST_FILE);
    let found = match read_text(&file, MAX_MANIFEST_BYTES) {
        Ok(text) => match serde_json::from_str::<Map<String, Value>>(&text) {
            Ok(manifest) => Some(manifest),
            Err(_) if force => None,
            Err(error) => {
                return Err(RunError::refused_but(
                    format!("{}: not a manifest: {error}", file.display()),
                    "use another {} or {}",
                    &[Setting::Out, Setting::Force],
                ));
            }
        },
        Err(_) if !force && layout::holds_files(path) => {
            return Err(RunError::refused_but(
                format!(
                    "{}: the folder is not empty and holds no run",
                    path.display()
                ),
                "use another {}, or {} to write into it",
                &[Setting::Out, Setting::Force],
            ));
        }
        Err(_) => None,
    };
    if let (Some(found), false) = (&found, force)
        && let Some(difference) = difference(
            &found.get("plan").cloned().unwrap_or_default(),
            &as_begun(found, plan.clone()),
        )
    {
        return Err(RunError::refused_but(
            format!(
                "{}: the folder holds another run: {difference}",
                path.display()
            ),
            "use another {}, or {} to write over it",
            &[Setting::Out, Setting::Force],
        ));
    }
    // A manifest that cannot be read says at least that a run was here.
    if force && (found.is_some() || !file.exists()) {
        let old = found.as_ref().and_then(|found| found.get("plan"));
        layout::check_foreign(path, old.unwrap_or(&Value::Null), plan)?;
    }
    layout::check_places(path, plan)?;
    Ok(found)
}

/// Removes the old run. Its manifest goes on to say what is left to remove, as unfinished, until
/// the new one takes its place: if this is killed half way, neither run takes what is left for
/// its own.
fn start_over(path: &Path, mut old: Map<String, Value>, new: &Value) -> Result<(), RunError> {
    old.insert("finished".to_owned(), json!(false));
    write_manifest(path, &old)?;
    layout::remove_old_run(path, &old.remove("plan").unwrap_or_default(), new)
}
