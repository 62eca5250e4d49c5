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

use crate::cli::Verbosity;
use crate::cli::output::OutputFolder;
use crate::data::{MAX_JSON_BYTES, MAX_PAGE_BYTES, read_text, write_file};
use crate::landscape::LandscapeFile;
use crate::plot::Figure;
use crate::report::{add_walk, pack_walk};
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What `walk.json` says.
#[derive(Serialize, Deserialize)]
struct Shown {
    /// Names and values, in reading order.
    facts: Vec<(String, String)>,
    /// Names of the figures beside it.
    figures: Vec<String>,
}

const WALK_FILE: &str = "walk.json";

/// The figures of a walk: their names in its own folder, and in that of a landscape.
const FIGURES: [(&str, &str); 4] = [
    ("spread", "walk-spread"),
    ("walkers", "walk-walkers"),
    ("occupation", "walk-occupation"),
    ("committor", "walk-committor"),
];

/// Puts a walk into the folder and the report of the run that `landscape` is of; the walk itself is
/// written elsewhere, so what does not work out is a note.
pub(super) fn put(
    landscape: &Path,
    file: &LandscapeFile,
    facts: &[(String, String)],
    figures: &[Figure],
    verbosity: Verbosity,
) {
    let Some(mut run) = run_of(landscape, &file.name) else {
        return;
    };
    let written = run
        .lock()
        .and_then(|()| write(&run, &file.name, facts, figures))
        .and_then(|()| run.finish_drawing());
    let text = match written {
        Ok(()) => format!(
            "the walk is in {}, too, and in the run's report",
            run.file(&file.name).display()
        ),
        Err(error) => format!("note: the run's report does not show the walk: {error:#}"),
    };
    verbosity.say(Verbosity::Normal, text);
}

/// The finished run whose landscape this is; a landscape that was copied elsewhere has none.
fn run_of(landscape: &Path, name: &str) -> Option<OutputFolder> {
    let path = landscape.canonicalize().ok()?;
    let folder = if path.is_dir() { &path } else { path.parent()? };
    let run = OutputFolder::open_finished(folder.parent()?).ok()?;
    let names = run.landscapes().ok()?;
    let is_its_own = folder.file_name()? == name && names.iter().any(|known| known == name);
    is_its_own.then_some(run)
}

fn write(
    run: &OutputFolder,
    name: &str,
    facts: &[(String, String)],
    figures: &[Figure],
) -> anyhow::Result<()> {
    let folder = run.file(name);
    let old = FIGURES.map(|(_, name)| format!("{name}.svg"));
    for file in old.iter().map(String::as_str).chain([WALK_FILE]).rev() {
        let path = folder.join(file);
        if path.exists() {
            std::fs::remove_file(&path)
                .with_context(|| format!("cannot remove {}", path.display()))?;
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
    let shown = Shown {
        facts: facts.to_vec(),
        figures: figures.iter().map(|figure| figure.name.into()).collect(),
    };
    let text = serde_json::to_vec_pretty(&shown)?;
    write_file(&folder.join(WALK_FILE), &text)?;
    let packed = pack_walk(name, facts, &figures);
    Ok(add_walk(&run.file("report.html"), name, &packed)?)
}

/// What the report shows of the walk in a landscape's folder, packed; nothing where there is none.
pub(in crate::cli) fn read(run: &OutputFolder, name: &str) -> anyhow::Result<Option<String>> {
    let folder = run.file(name);
    let path = folder.join(WALK_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let text = read_text(&path, MAX_JSON_BYTES).with_context(|| path.display().to_string())?;
    let shown: Shown = serde_json::from_str(&text)
        .with_context(|| format!("{}: not what a walk wrote; remove it", path.display()))?;
    let figures = FIGURES
        .into_iter()
        .filter(|(_, name)| shown.figures.iter().any(|figure| figure == name))
        .map(|(_, name)| {
            let path = folder.join(format!("{name}.svg"));
            let svg = read_text(&path, MAX_PAGE_BYTES).with_context(|| {
                format!("{}: walk again, or remove {WALK_FILE}", path.display())
            })?;
            Ok(Figure { name, svg })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(Some(pack_walk(name, &shown.facts, &figures)))
}
