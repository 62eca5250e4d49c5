//! The folder of a run: whether it may be written, what of an earlier start is in it, and its
//! manifest.
//!
//! ```text
//! look at the folder ─> lock ─> look again ─> (--force: remove the old run) ─> manifest, unfinished
//!   ─> landscapes, each with its figures first and its tensors last ─> tables, report
//!   ─> manifest, finished ─> the lock goes
//! ```
//!
//! The plan in the manifest says all that decides a run's numbers, the program's version among
//! it. A folder of the same plan is gone on with; what of its landscapes is kept, `finished.rs`
//! says.

mod hashes;
mod lock;
mod own;

pub(super) use hashes::hash_files;
pub(super) use own::{DATA_FILE, LANDSCAPE_FILE, ROWS_FILE};

use crate::data::{FileError, read_text, write_file};
use crate::engine::{Engine, EngineInfo};
use crate::landscape::DataPoints;
use anyhow::{Context, bail};
use lock::Lock;
use own::MANIFEST_FILE;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// The largest manifest that is read: it lists every triple of a run and the hashes of its files.
const MAX_MANIFEST_BYTES: u64 = 256 << 20;

/// A run's folder and what its manifest says.
pub(super) struct OutputFolder {
    path: PathBuf,
    manifest: Map<String, Value>,
    earlier: Earlier,
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

impl OutputFolder {
    /// Makes the folder ready for `plan`, which says all that decides the run's numbers.
    ///
    /// A folder that holds the same plan is gone on with; one that holds another plan, or
    /// anything else, is refused unless `force`, which starts over. The manifest is written at
    /// once, unfinished, so that a folder that cannot be written is found out before the work.
    pub(super) fn prepare(path: &Path, plan: Value, force: bool) -> anyhow::Result<Self> {
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
            ("command".to_owned(), json!(command())),
            ("finished".to_owned(), json!(false)),
            ("plan".to_owned(), plan.clone()),
        ]);
        let earlier = match found {
            Some(old) if force => {
                start_over(path, old, &plan)?;
                Earlier::Nothing
            }
            None if force => {
                own::remove_old_run(path, &Value::Null, &plan)?;
                Earlier::Nothing
            }
            Some(old) => {
                if let Some(figures) = old.get("figures") {
                    manifest.insert("figures".to_owned(), figures.clone());
                }
                if let (Some(engine), true) = (old.get("engine"), fell_back(&old)) {
                    manifest.insert("engine".to_owned(), engine.clone());
                }
                Earlier::SamePlan
            }
            None => Earlier::Nothing,
        };
        own::remove_parts(path, &plan)?;
        let folder = Self {
            path: path.to_owned(),
            manifest,
            earlier,
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
    pub(super) fn begin_figures(&mut self, how: Value) -> anyhow::Result<Drawn> {
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
    pub(super) fn open_finished(path: &Path) -> anyhow::Result<Self> {
        let file = path.join(MANIFEST_FILE);
        let text = read_text(&file, MAX_MANIFEST_BYTES).with_context(|| {
            format!(
                "{}: expected the folder of a run, with its manifest.json",
                path.display()
            )
        })?;
        let manifest: Map<String, Value> = serde_json::from_str(&text)
            .with_context(|| format!("{}: not a manifest", file.display()))?;
        if manifest.get("finished") != Some(&json!(true)) {
            bail!(
                "{}: expected a finished run, found one that is not; run its command again first",
                path.display()
            );
        }
        Ok(Self {
            path: path.to_owned(),
            manifest,
            earlier: Earlier::SamePlan,
            figures: None,
            lock: None,
        })
    }

    /// The names of a finished run's landscapes, at least one.
    pub(super) fn landscapes(&self) -> anyhow::Result<Vec<String>> {
        let named = self.manifest.get("landscapes");
        let names: Vec<String> = named
            .and_then(|names| serde_json::from_value(names.clone()).ok())
            .unwrap_or_default();
        if names.is_empty() {
            bail!(
                "{}: expected a finished run with landscapes, found none in its manifest",
                self.path.display()
            );
        }
        // A manifest is a file anyone may have written.
        if let Some(name) = names.iter().find(|name| !own::is_plain(name)) {
            let file = self.file(MANIFEST_FILE);
            bail!("{}: \"{name}\" is no landscape's name", file.display());
        }
        Ok(names)
    }

    /// Keeps other processes from writing to the folder.
    pub(super) fn lock(&mut self) -> anyhow::Result<()> {
        own::check_places(
            &self.path,
            &self.manifest().get("plan").cloned().unwrap_or_default(),
        )?;
        self.lock = Some(Lock::take(&self.path)?);
        Ok(())
    }

    /// Says that figures are about to be drawn in a way that is not the run's.
    pub(super) fn begin_drawing(&mut self) -> anyhow::Result<()> {
        self.set("figures", Value::Null);
        self.write_manifest()
    }

    /// Says the hashes of figures and report as they are now.
    pub(super) fn finish_drawing(&mut self) -> anyhow::Result<()> {
        hashes::refresh_drawn(&self.path, &mut self.manifest)?;
        self.write_manifest()
    }

    /// The manifest as it stands.
    pub(super) fn manifest(&self) -> Value {
        Value::Object(self.manifest.clone())
    }

    /// The answers to the data themselves, if the run wrote them.
    pub(super) fn read_data_points(&self) -> anyhow::Result<Option<DataPoints>> {
        let path = self.file(DATA_FILE);
        if !path.exists() {
            return Ok(None);
        }
        let points = DataPoints::read(&path).with_context(|| path.display().to_string())?;
        Ok(Some(points))
    }

    /// Sets an entry of the manifest; it is written by [`OutputFolder::finish`].
    pub(super) fn set(&mut self, key: &str, value: Value) {
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
    pub(super) fn note_fallback(&mut self, engine: &dyn Engine) -> anyhow::Result<()> {
        if engine.fallback().is_none() || fell_back(&self.manifest) {
            return Ok(());
        }
        self.set_engine(engine);
        self.write_manifest()
    }

    /// Where `name` stands in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The folder of a landscape or triple, made if it is missing.
    pub(super) fn folder(&self, name: &str) -> anyhow::Result<PathBuf> {
        own::make_folder(self.path.join(name))
    }

    /// Writes the manifest of a finished run, with the hashes of its files.
    ///
    /// # Errors
    /// When the tensors of a landscape that it names are gone by now, too.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        let plan = self.manifest.get("plan").cloned().unwrap_or_default();
        let files = hash_files(&self.path, &plan)?;
        let named = self.manifest.get("landscapes").and_then(Value::as_array);
        for name in named.into_iter().flatten().filter_map(Value::as_str) {
            if !files.contains_key(&format!("{name}/{LANDSCAPE_FILE}")) {
                bail!(
                    "{}: the landscape was there and is gone; run the command again",
                    self.file(name).display()
                );
            }
        }
        self.set("files", json!(files));
        if let Some(figures) = self.figures.take() {
            self.set("figures", figures);
        }
        self.set("finished", json!(true));
        self.write_manifest()
    }

    fn write_manifest(&self) -> anyhow::Result<()> {
        write_manifest(&self.path, &self.manifest)
    }
}

/// What a manifest says of an engine.
fn engine_json(engine: &dyn Engine) -> Value {
    let of = |info: &EngineInfo| json!({"engine": info.engine, "adapter": info.adapter, "driver": info.driver});
    let mut said = of(engine.info());
    if let Some(fallback) = engine.fallback() {
        said["fallback"] = of(&fallback.to);
        said["fallback"]["reason"] = json!(fallback.reason);
    }
    said
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

/// The command line; what of it is no Unicode is replaced.
fn command() -> Vec<String> {
    let words = std::env::args_os();
    words
        .map(|word| word.to_string_lossy().into_owned())
        .collect()
}

fn write_manifest(folder: &Path, manifest: &Map<String, Value>) -> anyhow::Result<()> {
    let mut text = serde_json::to_string_pretty(manifest)?;
    text.push('\n');
    Ok(write_file(&folder.join(MANIFEST_FILE), text.as_bytes())?)
}

/// Whether a run of `plan` may write to the folder; the manifest that is there, if one is.
fn look(path: &Path, plan: &Value, force: bool) -> anyhow::Result<Option<Map<String, Value>>> {
    let file = path.join(MANIFEST_FILE);
    let found = match read_text(&file, MAX_MANIFEST_BYTES) {
        Ok(text) => match serde_json::from_str::<Map<String, Value>>(&text) {
            Ok(manifest) => Some(manifest),
            Err(_) if force => None,
            Err(error) => {
                return Err(error).with_context(|| {
                    format!(
                        "{}: not a manifest; use another --out or --force",
                        file.display()
                    )
                });
            }
        },
        Err(_) if !force && own::holds_files(path) => bail!(
            "{}: the folder is not empty and holds no run; use another --out, or --force to write into it",
            path.display()
        ),
        Err(_) => None,
    };
    if let (Some(found), false) = (&found, force)
        && let Some(difference) = difference(
            &found.get("plan").cloned().unwrap_or_default(),
            &as_begun(found, plan.clone()),
        )
    {
        bail!(
            "{}: the folder holds another run: {difference}; use another --out, or --force to write over it",
            path.display()
        );
    }
    own::check_places(path, plan)?;
    Ok(found)
}

/// Removes the old run. Its manifest goes on to say what is left to remove, as unfinished, until
/// the new one takes its place: if this is killed half way, neither run takes what is left for
/// its own.
fn start_over(path: &Path, mut old: Map<String, Value>, new: &Value) -> anyhow::Result<()> {
    old.insert("finished".to_owned(), json!(false));
    write_manifest(path, &old)?;
    own::remove_old_run(path, &old.remove("plan").unwrap_or_default(), new)
}

/// The first entry in which two plans differ, in words.
pub(super) fn difference(found: &Value, wanted: &Value) -> Option<String> {
    let (Some(found), Some(wanted)) = (found.as_object(), wanted.as_object()) else {
        return Some("its manifest has no plan".into());
    };
    let short = |value: Option<&Value>| {
        let text = value.map_or("nothing".into(), Value::to_string);
        if text.chars().count() > 60 {
            format!("{}...", text.chars().take(60).collect::<String>())
        } else {
            text
        }
    };
    let keys = wanted
        .keys()
        .chain(found.keys().filter(|key| !wanted.contains_key(*key)));
    keys.into_iter()
        .find(|key| found.get(*key) != wanted.get(*key))
        .map(|key| {
            format!(
                "{key} is {} there and {} now",
                short(found.get(key)),
                short(wanted.get(key))
            )
        })
}
