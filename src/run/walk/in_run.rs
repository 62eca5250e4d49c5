//! The walk of a run's landscape where the run's report finds it: in the landscape's folder.
//!
//! ```text
//! walk --landscape RUN/1A.3 ─> RUN/1A.3/walk-*.svg, walk.json ─> a line of RUN/report.html
//! plot RUN                  ─> reads them again ─────────────> the whole RUN/report.html
//! ```
//!
//! The walk adds its part to the page that is there. Drawing the run again was rejected: its other
//! figures would lose the view, marks and classes they were drawn with. `walk.json` is written last
//! and names the figures, so that what an interrupted walk left is not taken for a walk.

use super::{RunError, RunFolder};
use crate::data::{MAX_JSON_BYTES, MAX_PAGE_BYTES, read_text, write_file};
use crate::landscape::LandscapeFile;
use crate::plot::Figure;
use crate::report::{add_walk, pack_walk};
use crate::run::error::Placed;
use crate::run::folder::layout::{REPORT_FILE, WALK_FACTS_FILE};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What `walk.json` says.
#[derive(Serialize, Deserialize)]
struct WalkFacts {
    /// Names and values, in reading order.
    facts: Vec<(String, String)>,
    /// Names of the figures beside it.
    figures: Vec<String>,
}

/// The figures of a walk: their names in its own folder, and in that of a landscape.
const FIGURES: [(&str, &str); 4] = [
    ("spread", "walk-spread"),
    ("walkers", "walk-walkers"),
    ("occupation", "walk-occupation"),
    ("committor", "walk-committor"),
];

/// Puts a walk into the folder and the report of the finished run that `landscape` is of, and gives
/// the folder; nothing where the landscape was copied elsewhere.
pub(super) fn put(
    landscape: &Path,
    file: &LandscapeFile,
    facts: &[(String, String)],
    figures: &[Figure],
) -> Result<Option<PathBuf>, RunError> {
    let Some(mut run) = run_of(landscape, &file.about.name) else {
        return Ok(None);
    };
    run.lock()?;
    write(&run, &file.about.name, facts, figures)?;
    let folder = run.file(&file.about.name);
    run.finish_drawing()?;
    Ok(Some(folder))
}

/// The finished run whose landscape this is; a landscape that was copied elsewhere has none.
fn run_of(landscape: &Path, name: &str) -> Option<RunFolder> {
    let path = landscape.canonicalize().ok()?;
    let folder = if path.is_dir() { &path } else { path.parent()? };
    let run = RunFolder::open(folder.parent()?).ok()?;
    let names = run.landscapes().ok()?;
    let is_its_own = folder.file_name()? == name && names.iter().any(|known| known == name);
    is_its_own.then_some(run)
}

fn write(
    run: &RunFolder,
    name: &str,
    facts: &[(String, String)],
    figures: &[Figure],
) -> Result<(), RunError> {
    let folder = run.file(name);
    let old = FIGURES.map(|(_, name)| format!("{name}.svg"));
    for file in old
        .iter()
        .map(String::as_str)
        .chain([WALK_FACTS_FILE])
        .rev()
    {
        let path = folder.join(file);
        if path.exists() {
            std::fs::remove_file(&path).placed(format!("cannot remove {}", path.display()))?;
        }
    }
    let figures: Vec<Figure> = figures
        .iter()
        .filter_map(|figure| {
            let (_, name) = FIGURES.into_iter().find(|(own, _)| *own == figure.name)?;
            let svg = figure.svg.clone();
            Some(Figure { name, svg })
        })
        .collect();
    for figure in &figures {
        let path = folder.join(format!("{}.svg", figure.name));
        write_file(&path, figure.svg.as_bytes())?;
    }
    let shown = WalkFacts {
        facts: facts.to_vec(),
        figures: figures.iter().map(|figure| figure.name.into()).collect(),
    };
    let text = serde_json::to_vec_pretty(&shown).expect("facts are plain data");
    write_file(&folder.join(WALK_FACTS_FILE), &text)?;
    let packed = pack_walk(name, facts, &figures);
    Ok(add_walk(&run.file(REPORT_FILE), name, &packed)?)
}

/// What the report shows of the walk in a landscape's folder, packed; nothing where there is none.
pub(in crate::run) fn read(run: &RunFolder, name: &str) -> Result<Option<String>, RunError> {
    let folder = run.file(name);
    let path = folder.join(WALK_FACTS_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let text = read_text(&path, MAX_JSON_BYTES).placed(path.display())?;
    let shown: WalkFacts = serde_json::from_str(&text).placed(format!(
        "{}: not what a walk wrote; remove it",
        path.display()
    ))?;
    let figures = FIGURES
        .into_iter()
        .filter(|(_, name)| shown.figures.iter().any(|figure| figure == name))
        .map(|(_, name)| {
            let path = folder.join(format!("{name}.svg"));
            let svg = read_text(&path, MAX_PAGE_BYTES).placed(format!(
                "{}: walk again, or remove {WALK_FACTS_FILE}",
                path.display()
            ))?;
            Ok(Figure { name, svg })
        })
        .collect::<Result<Vec<_>, RunError>>()?;
    Ok(Some(pack_walk(name, &shown.facts, &figures)))
}
