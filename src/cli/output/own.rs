//! Which names in a run's folder are the run's: what starting over removes and what is never
//! touched.
//!
//! A run owns the folders of its landscapes with all that is in them, and a few names beside
//! them. Whatever else lies there is the user's.

use super::lock::LOCK_FILE;
use crate::cli::resolution::RESOLUTION_FILE;
use crate::data::{FileError, is_part};
use crate::landscape::Permutation;
use anyhow::{Context, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The answers to the rows of the data set.
pub(in crate::cli) const DATA_FILE: &str = "data.safetensors";

/// A run's manifest.
pub(super) const MANIFEST_FILE: &str = "manifest.json";

/// The tensors of a landscape, in its folder.
pub(in crate::cli) const LANDSCAPE_FILE: &str = "landscape.safetensors";

/// The rows of a summary that is not finished.
pub(in crate::cli) const ROWS_FILE: &str = "summary.rows.csv";

const LANDSCAPE_RUN_FILES: &[&str] = &[
    "report.html",
    "summary.csv",
    ROWS_FILE,
    RESOLUTION_FILE,
    DATA_FILE,
];
const COMPARE_FILES: &[&str] = &["triples.csv", "tool_share.csv", "compare.svg"];
const MORPH_FILES: &[&str] = &["mesh.png", "sheet.png", "morph.json", "frames.safetensors"];
const WALK_FILES: &[&str] = &[
    "report.html",
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
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Whether a file beside the manifest belongs to a run of that plan.
fn is_own_file(plan: &Value, name: &str) -> bool {
    match plan["job"].as_str() {
        Some("compare") => COMPARE_FILES.contains(&name),
        Some("walk") => WALK_FILES.contains(&name),
        Some("morph") => {
            MORPH_FILES.contains(&name) || (name.starts_with("frame-") && name.ends_with(".png"))
        }
        _ => LANDSCAPE_RUN_FILES.contains(&name),
    }
}

/// The folders of a plan's landscapes, and of triples of rows.
fn own_folders(plan: &Value) -> impl Iterator<Item = String> {
    let triples = plan["triples"].as_array().into_iter().flatten();
    // The comparison's triples leave nothing but numbers.
    let triples = triples.filter(|_| plan["job"] != "compare");
    triples
        .filter_map(|triple| triple["name"].as_str())
        .flat_map(|name| {
            let permutations = Permutation::ALL.map(|p| format!("{name}.{}", p.number()));
            let own = (plan["job"] == "interpolate").then(|| name.to_owned());
            permutations.into_iter().chain(own)
        })
        // A manifest is a file anyone may have written.
        .filter(|name| is_plain(name))
}

/// Whether a folder holds anything but what a process leaves that was killed before its manifest
/// stood.
pub(super) fn holds_files(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name != LOCK_FILE && !is_part(&name)
    })
}

/// Refuses a folder in which a run of `plan` would write through a link to somewhere else, or
/// where a file stands in the place of a landscape's folder.
pub(super) fn check_places(folder: &Path, plan: &Value) -> anyhow::Result<()> {
    for name in own_folders(plan) {
        check_folder(&folder.join(name))?;
    }
    let lock = folder.join(LOCK_FILE);
    if lock.is_symlink() {
        refuse_link(&lock, "file")?;
    }
    Ok(())
}

/// Refuses a place for a landscape's folder that holds a link or a file.
pub(super) fn check_folder(path: &Path) -> anyhow::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => refuse_link(path, "folder"),
        Ok(found) if !found.is_dir() => bail!(
            "{}: expected a folder or nothing, found a file; move it away, or use another --out",
            path.display()
        ),
        _ => Ok(()),
    }
}

fn refuse_link(path: &Path, what: &str) -> anyhow::Result<()> {
    bail!(
        "{}: expected a {what} or nothing, found a symbolic link, and a run writes nothing outside its folder; remove it, or use another --out",
        path.display()
    )
}

/// The names of all files of a run of `plan`, sorted, those of a landscape as `1A.3/line.svg`.
pub(super) fn own_files(folder: &Path, plan: &Value) -> Vec<String> {
    let mut names: Vec<String> = file_names(folder)
        .filter(|name| is_own_file(plan, name) || name == MANIFEST_FILE)
        .collect();
    for own in own_folders(plan) {
        let inside = file_names(&folder.join(&own)).filter(|name| !is_part(name));
        names.extend(inside.map(|name| format!("{own}/{name}")));
    }
    names.sort();
    names
}

/// The files of a folder; one that is not there has none.
fn file_names(folder: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.path().is_file())
        // The run's own names are Unicode.
        .filter_map(|entry| entry.file_name().into_string().ok())
}

/// Removes what a killed process had not yet renamed.
pub(super) fn remove_parts(folder: &Path, plan: &Value) -> anyhow::Result<()> {
    let folders = own_folders(plan).map(|name| folder.join(name));
    for folder in std::iter::once(folder.to_owned()).chain(folders) {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if is_part(&entry.file_name().to_string_lossy()) {
                remove(&entry.path())?;
            }
        }
    }
    Ok(())
}

/// Starting over: what the old run in the folder wrote goes, finished or not, so that none of it
/// stands beside the new run's, and every landscape of the new plan, whoever wrote it, so that
/// none is taken for one of the new run. Nothing else is touched.
pub(super) fn remove_old_run(folder: &Path, old: &Value, new: &Value) -> anyhow::Result<()> {
    for name in own_folders(old) {
        let own = folder.join(&name);
        if own.is_dir() && !own.is_symlink() {
            std::fs::remove_dir_all(&own)
                .with_context(|| format!("cannot remove {}", own.display()))?;
        }
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_old = old.is_object() && is_own_file(old, &entry.file_name().to_string_lossy());
        if is_old && entry.path().is_file() {
            remove(&entry.path())?;
        }
    }
    for name in own_folders(new) {
        let tensors = folder.join(name).join(LANDSCAPE_FILE);
        if tensors.exists() {
            remove(&tensors)?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> anyhow::Result<()> {
    std::fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))
}

/// Makes the folder of a landscape or triple; that of the run itself must be there, so that one
/// which is removed in the middle of a run is not made anew, with half of the run in it.
pub(super) fn make_folder(path: PathBuf) -> anyhow::Result<PathBuf> {
    check_folder(&path)?;
    match std::fs::create_dir(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(FileError { path, source }.into())
        }
        _ => Ok(path),
    }
}
