//! Which names in a run's folder are the run's: what each kind of run writes, what starting over
//! removes and what is never touched.
//!
//! A run owns the folders of its landscapes with all that is in them, and a few names beside
//! them. Whatever else lies there is the user's. Every file name of a run stands here and nowhere
//! else.

use crate::data::{FileError, is_part};
use crate::landscape::GridKind;
use crate::remedy::Setting;
use crate::run::error::{Placed, RunError};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A run's manifest.
pub(in crate::run) const MANIFEST_FILE: &str = "manifest.json";

/// Whose name is locked while a process writes to the folder.
pub(in crate::run) const LOCK_FILE: &str = ".morphscape.lock";

/// The whole run on one page.
pub(crate) const REPORT_FILE: &str = "report.html";

/// A row a landscape.
pub(in crate::run) const SUMMARY_FILE: &str = "summary.csv";

/// The rows of a summary that is not finished.
pub(in crate::run) const ROWS_FILE: &str = "summary.rows.csv";

/// The measures on finer grids.
pub(in crate::run) const RESOLUTION_FILE: &str = "resolution.csv";

/// The answers to the rows of the data set.
pub(in crate::run) const DATA_FILE: &str = "data.safetensors";

/// The tensors of a landscape, in its folder.
pub(in crate::run) const LANDSCAPE_FILE: &str = "landscape.safetensors";

/// All frames of a landscape in one picture, in its folder, from which a finished run is drawn
/// again.
pub(in crate::run) const FRAMES_FILE: &str = "frames.png";

/// A landscape as a figure of plotly, in its folder.
pub(in crate::run) const PLOTLY_FILE: &str = "figure.plotly.json";

/// What a walk on a landscape came to, in the landscape's folder.
pub(in crate::run) const WALK_FACTS_FILE: &str = "walk.json";

/// What a comparison finds of each triple, over all of them, and as a figure.
pub(in crate::run) const COMPARE_TRIPLES_FILE: &str = "triples.csv";
pub(in crate::run) const COMPARE_SHARES_FILE: &str = "tool_share.csv";
pub(in crate::run) const COMPARE_FIGURE_FILE: &str = "compare.svg";

/// What a comparison of models finds of each model, pair, class of a pair, and landscape; of a
/// series from model to model; and its figures.
pub(in crate::run) const MODELS_FILE: &str = "models.csv";
pub(in crate::run) const PAIRS_FILE: &str = "pairs.csv";
pub(in crate::run) const CLASSES_FILE: &str = "classes.csv";
pub(in crate::run) const LANDSCAPES_FILE: &str = "landscapes.csv";
pub(in crate::run) const ITEMS_FILE: &str = "items.csv";
pub(in crate::run) const SERIES_FILE: &str = "series.csv";
pub(in crate::run) const MAPS_FIGURE_FILE: &str = "maps.svg";
pub(in crate::run) const SERIES_FIGURE_FILE: &str = "series.png";
pub(in crate::run) const MATRIX_FIGURE_FILE: &str = "matrix.svg";
pub(in crate::run) const AGREEMENT_FIGURE_FILE: &str = "agreement.svg";

/// A morph's first pair with points and triangles, all its frames side by side, what is said of
/// it, and its frames as tensors.
pub(in crate::run) const MORPH_MESH_FILE: &str = "mesh.png";
pub(in crate::run) const MORPH_SHEET_FILE: &str = "sheet.png";
pub(in crate::run) const MORPH_FACTS_FILE: &str = "morph.json";
pub(in crate::run) const MORPH_FRAMES_FILE: &str = "frames.safetensors";

/// What is measured of sections, and their tensors.
pub(in crate::run) const SECTIONS_FILE: &str = "sections.json";
pub(in crate::run) const SECTIONS_TENSORS_FILE: &str = "sections.safetensors";

/// Moments and tensors of a walk.
pub(in crate::run) const WALK_TABLE_FILE: &str = "walk.csv";
pub(in crate::run) const WALK_TENSORS_FILE: &str = "walk.safetensors";

const LANDSCAPE_RUN_FILES: &[&str] = &[
    REPORT_FILE,
    SUMMARY_FILE,
    ROWS_FILE,
    RESOLUTION_FILE,
    DATA_FILE,
    MAPS_FILE,
];
const COMPARE_FILES: &[&str] = &[
    COMPARE_TRIPLES_FILE,
    COMPARE_SHARES_FILE,
    COMPARE_FIGURE_FILE,
];
const MODELS_FILES: &[&str] = &[
    REPORT_FILE,
    MODELS_FILE,
    PAIRS_FILE,
    CLASSES_FILE,
    LANDSCAPES_FILE,
    ITEMS_FILE,
    SERIES_FILE,
    MAPS_FIGURE_FILE,
    SERIES_FIGURE_FILE,
    MATRIX_FIGURE_FILE,
    AGREEMENT_FIGURE_FILE,
];
const MORPH_FILES: &[&str] = &[
    MORPH_MESH_FILE,
    MORPH_SHEET_FILE,
    MORPH_FACTS_FILE,
    MORPH_FRAMES_FILE,
];
/// A row a line of many, and their objects while they are not all there.
pub(in crate::run) const LINES_FILE: &str = "lines.csv";
pub(in crate::run) const LINES_ROWS_FILE: &str = "sections.rows.jsonl";
/// A row an item from which many lines begin.
pub(in crate::run) const MARGINS_FILE: &str = "margins.csv";

/// A row a class map of a run.
pub(in crate::run) const MAPS_FILE: &str = "maps.csv";

/// The section of a line as a figure.
pub(in crate::run) const LINE_FIGURE_FILE: &str = "line.svg";

const SECTION_FILES: &[&str] = &[SECTIONS_FILE, SECTIONS_TENSORS_FILE, LINE_FIGURE_FILE];
const LINES_FILES: &[&str] = &[
    SECTIONS_FILE,
    SECTIONS_TENSORS_FILE,
    LINES_FILE,
    LINES_ROWS_FILE,
    MARGINS_FILE,
];
const WALK_FILES: &[&str] = &[
    REPORT_FILE,
    WALK_TABLE_FILE,
    WALK_TENSORS_FILE,
    "spread.svg",
    "spread.png",
    "walkers.svg",
    "walkers.png",
    "occupation.svg",
    "occupation.png",
    "committor.svg",
    "committor.png",
];

/// The file of frame `k` of a morph of `num_frames` frames, `columns` of them in a row of its grid.
pub(in crate::run) fn frame_file(k: usize, columns: usize, num_frames: usize) -> String {
    if columns == num_frames {
        let digits = (num_frames - 1).to_string().len().max(3);
        format!("frame-{k:0digits$}.png")
    } else {
        format!("frame-{:03}-{:03}.png", k / columns, k % columns)
    }
}

/// The tensors of a landscape of the n-th of several models, in the landscape's folder; of the first
/// those of any run.
pub(in crate::run) fn model_landscape_file(model: usize) -> String {
    match model {
        0 => LANDSCAPE_FILE.to_owned(),
        _ => format!("landscape.{}.safetensors", model + 1),
    }
}

/// Whether a landscape's name is that of a folder inside the run's and of nothing else.
pub(in crate::run) fn is_plain(name: &str) -> bool {
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
        Some("models") => MODELS_FILES.contains(&name),
        Some("line") => SECTION_FILES.contains(&name),
        Some("lines") => LINES_FILES.contains(&name),
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
    let siblings = GridKind::of_plan(plan).siblings();
    triples
        .filter_map(|triple| triple["name"].as_str())
        .flat_map(move |name| {
            let own = siblings
                .iter()
                .map(move |sibling| format!("{name}.{}", sibling.number()));
            let drawn_together = plan["job"] == "interpolate" && siblings.len() > 1;
            own.chain(drawn_together.then(|| name.to_owned()))
        })
        // A manifest is a file anyone may have written.
        .filter(|name| is_plain(name))
}

/// Whether a folder holds anything but what a process leaves that was killed before its manifest
/// stood.
pub(in crate::run) fn holds_files(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name != LOCK_FILE && !is_part(&name)
    })
}

/// Refuses a folder in which a run of `plan` would write through a link to somewhere else, or
/// where a file stands in the place of a landscape's folder.
pub(in crate::run) fn check_places(folder: &Path, plan: &Value) -> Result<(), RunError> {
    for name in own_folders(plan) {
        check_folder(&folder.join(name))?;
    }
    let lock = folder.join(LOCK_FILE);
    if lock.is_symlink() {
        refuse_link(&lock, "file")?;
    }
    Ok(())
}

/// Refuses to start over where files of the user's stand in the places of the run's: what neither the
/// plan of the run before (null where there is none) nor tensors of landscapes say that a run wrote.
pub(in crate::run) fn check_foreign(
    folder: &Path,
    old: &Value,
    new: &Value,
) -> Result<(), RunError> {
    let owned: BTreeSet<String> = own_folders(old).collect();
    let has_tensors = |name: &str| folder.join(name).join(LANDSCAPE_FILE).exists();
    let siblings = GridKind::of_plan(new).siblings();
    let is_run_s = |name: &str| {
        let mut drawn_together = siblings.iter().map(|s| format!("{name}.{}", s.number()));
        owned.contains(name) || has_tensors(name) || drawn_together.any(|name| has_tensors(&name))
    };
    let mut ours = own_folders(new).filter(|name| folder.join(name).exists());
    if let Some(name) = ours.find(|name| !is_run_s(name) && holds_files(&folder.join(name))) {
        return refuse_foreign(&folder.join(name));
    }
    let holds_run = old.is_object() || own_folders(new).any(|name| has_tensors(&name));
    let mut files = file_names(folder).filter(|name| is_own_file(new, name));
    match files.find(|name| !holds_run || (old.is_object() && !is_own_file(old, name))) {
        Some(name) => refuse_foreign(&folder.join(name)),
        None => Ok(()),
    }
}

fn refuse_foreign(place: &Path) -> Result<(), RunError> {
    Err(RunError::refused_but(
        format!(
            "{}: expected nothing there or what a run wrote, found other files",
            place.display()
        ),
        "move them away, or use another {}",
        &[Setting::Out],
    ))
}

/// Refuses a place for a run's folder where a file stands, or above which one does.
pub(crate) fn check_is_folder(path: &Path) -> Result<(), RunError> {
    match path.ancestors().find(|above| above.exists()) {
        Some(there) if !there.is_dir() => Err(RunError::refused_but(
            format!("{}: expected a folder, found a file", there.display()),
            "give the name of a folder with {}",
            &[Setting::Out],
        )),
        _ => Ok(()),
    }
}

/// Refuses a place for a landscape's folder that holds a link or a file.
pub(in crate::run) fn check_folder(path: &Path) -> Result<(), RunError> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => refuse_link(path, "folder"),
        Ok(found) if !found.is_dir() => Err(RunError::refused_but(
            format!(
                "{}: expected a folder or nothing, found a file",
                path.display()
            ),
            "move it away, or use another {}",
            &[Setting::Out],
        )),
        _ => Ok(()),
    }
}

fn refuse_link(path: &Path, what: &str) -> Result<(), RunError> {
    Err(RunError::refused_but(
        format!(
            "{}: expected a {what} or nothing, found a symbolic link, and a run writes nothing outside its folder",
            path.display()
        ),
        "remove it, or use another {}",
        &[Setting::Out],
    ))
}

/// The names of all files of a run of `plan`, sorted, those of a landscape as `1A.3/line.svg`.
pub(in crate::run) fn own_files(folder: &Path, plan: &Value) -> Vec<String> {
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
pub(in crate::run) fn remove_parts(folder: &Path, plan: &Value) -> Result<(), RunError> {
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
pub(in crate::run) fn remove_old_run(
    folder: &Path,
    old: &Value,
    new: &Value,
) -> Result<(), RunError> {
    for name in own_folders(old) {
        let own = folder.join(&name);
        if own.is_dir() && !own.is_symlink() {
            std::fs::remove_dir_all(&own).placed(format!("cannot remove {}", own.display()))?;
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

fn remove(path: &Path) -> Result<(), RunError> {
    std::fs::remove_file(path).placed(format!("cannot remove {}", path.display()))
}

/// Makes the folder of a landscape or triple; that of the run itself must be there, so that one
/// which is removed in the middle of a run is not made anew, with half of the run in it.
pub(in crate::run) fn make_folder(path: PathBuf) -> Result<PathBuf, RunError> {
    check_folder(&path)?;
    match std::fs::create_dir(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(FileError { path, source }.into())
        }
        _ => Ok(path),
    }
}
