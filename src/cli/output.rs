//! The folder of a run: whether it may be written, and its manifest.

use super::resolution::RESOLUTION_FILE;
use crate::data::{MAX_JSON_BYTES, read_text, write_file};
use crate::landscape::{DataPoints, Permutation};
use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// A run's folder and what its manifest says.
pub(super) struct OutputFolder {
    path: PathBuf,
    manifest: Map<String, Value>,
}

impl OutputFolder {
    /// Makes the folder ready for `plan`, which says all that decides the run's numbers.
    ///
    /// A folder that holds the same plan is written over, with the same bytes; one that holds
    /// another plan, or anything else, is refused unless `force`. The manifest is written at
    /// once, unfinished, so that a folder that cannot be written is found out before the work.
    pub(super) fn prepare(path: &Path, plan: Value, force: bool) -> anyhow::Result<Self> {
        let file = path.join("manifest.json");
        if !force {
            match read_text(&file, MAX_JSON_BYTES) {
                Ok(text) => {
                    let found: Value = serde_json::from_str(&text).with_context(|| {
                        format!(
                            "{}: not a manifest; use another --out or --force",
                            file.display()
                        )
                    })?;
                    if let Some(difference) = difference(&found["plan"], &plan) {
                        bail!(
                            "{}: the folder holds another run: {difference}; use another --out, or --force to write over it",
                            path.display()
                        );
                    }
                }
                Err(_) => {
                    let holds_files =
                        std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
                    if holds_files {
                        bail!(
                            "{}: the folder is not empty and holds no run; use another --out, or --force to write into it",
                            path.display()
                        );
                    }
                }
            }
        }
        if force {
            remove_old_run(path, &file)?;
        }
        let mut manifest = Map::new();
        manifest.insert(
            "program".into(),
            json!(concat!("morphscape ", env!("CARGO_PKG_VERSION"))),
        );
        manifest.insert(
            "command".into(),
            json!(std::env::args().collect::<Vec<_>>()),
        );
        manifest.insert("finished".into(), json!(false));
        manifest.insert("plan".into(), plan);
        let folder = Self {
            path: path.to_owned(),
            manifest,
        };
        folder.write_manifest()?;
        Ok(folder)
    }

    /// Opens the folder of a finished run to draw in it; gives its landscapes' names, too.
    pub(super) fn open_finished(path: &Path) -> anyhow::Result<(Self, Vec<String>)> {
        let file = path.join("manifest.json");
        let text = read_text(&file, MAX_JSON_BYTES).with_context(|| {
            format!(
                "{}: expected the folder of a run, with its manifest.json",
                path.display()
            )
        })?;
        let manifest: Map<String, Value> = serde_json::from_str(&text)
            .with_context(|| format!("{}: not a manifest", file.display()))?;
        let names: Option<Vec<String>> = manifest
            .get("landscapes")
            .and_then(|names| serde_json::from_value(names.clone()).ok());
        let finished = manifest.get("finished") == Some(&json!(true));
        let Some(names) = names.filter(|names| finished && !names.is_empty()) else {
            bail!(
                "{}: expected a finished run with landscapes; run its command again first",
                path.display()
            );
        };
        // A manifest is a file anyone may have written.
        if let Some(name) = names.iter().find(|name| !is_plain(name)) {
            bail!("{}: \"{name}\" is no landscape's name", file.display());
        }
        let path = path.to_owned();
        Ok((Self { path, manifest }, names))
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

    /// Where `name` stands in the folder.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes the manifest of a finished run.
    pub(super) fn finish(mut self) -> anyhow::Result<()> {
        self.manifest.insert("finished".into(), json!(true));
        self.write_manifest()
    }

    fn write_manifest(&self) -> anyhow::Result<()> {
        let mut text = serde_json::to_string_pretty(&self.manifest)?;
        text.push('\n');
        Ok(write_file(&self.file("manifest.json"), text.as_bytes())?)
    }
}

/// The answers to the rows of the data set.
pub(super) const DATA_FILE: &str = "data.safetensors";

/// What a walk writes besides its report and manifest.
const WALK_FILES: &[&str] = &[
    "walk.csv",
    "walk.safetensors",
    "spread.svg",
    "spread.png",
    "walkers.svg",
    "walkers.png",
    "occupation.svg",
    "occupation.png",
    "committor.svg",
    "committor.png",
];

/// Whether a landscape's name is that of a folder inside the run's and of nothing else.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Starting over: what the old run in the folder wrote goes, finished or not, so that none of
/// it stands beside the new run's. Nothing else is touched.
fn remove_old_run(path: &Path, manifest: &Path) -> anyhow::Result<()> {
    let Ok(text) = read_text(manifest, MAX_JSON_BYTES) else {
        return Ok(());
    };
    let manifest: Value = serde_json::from_str(&text).unwrap_or_default();
    let plan = &manifest["plan"];
    let triples = plan["triples"].as_array().into_iter().flatten();
    let landscapes = triples
        .filter_map(|triple| triple["name"].as_str())
        .flat_map(|name| {
            let permutations = Permutation::ALL.map(|p| format!("{name}.{}", p.number()));
            // A triple of rows has a folder of its own, too.
            let own = (plan["job"] == "interpolate").then(|| name.to_owned());
            permutations.into_iter().chain(own)
        });
    for name in landscapes {
        let folder = path.join(&name);
        // A manifest is a file anyone may have written.
        if is_plain(&name) && folder.is_dir() && !folder.is_symlink() {
            std::fs::remove_dir_all(&folder)
                .with_context(|| format!("cannot remove {}", folder.display()))?;
        }
    }
    let walk = match plan["job"] == "walk" {
        true => WALK_FILES,
        false => &[],
    };
    let run = [
        "report.html",
        "summary.csv",
        RESOLUTION_FILE,
        "triples.csv",
        "tool_share.csv",
        "compare.svg",
        DATA_FILE,
    ];
    for name in run.iter().chain(walk) {
        let file = path.join(name);
        if file.is_file() {
            std::fs::remove_file(&file)
                .with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    if plan["job"] == "morph" {
        for entry in std::fs::read_dir(path)?.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if (name.starts_with("frame-") && name.ends_with(".png"))
                || name == "frames.safetensors"
            {
                std::fs::remove_file(entry.path())
                    .with_context(|| format!("cannot remove {}", entry.path().display()))?;
            }
        }
    }
    Ok(())
}

/// The first entry in which two plans differ, in words.
fn difference(found: &Value, wanted: &Value) -> Option<String> {
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
