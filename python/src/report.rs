//! The report of landscapes in memory: the page that a run has, without a run.

use crate::error::{InputError, exception};
use crate::landscape::LandscapeFile;
use morphscape::landscape::{COLUMNS, Items, Measures, OVERVIEW, RANK_BY};
use morphscape::plot::{FigureOptions, FigureSet, MapOverlay, Tiles, landscape_figures};
use morphscape::report::{Report, ReportRow, pack_detail};
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::path::PathBuf;

/// Writes the report of `landscapes`, of one size and of one model's classes, to `path`.
#[pyfunction]
pub(crate) fn write_report(
    py: Python<'_>,
    path: PathBuf,
    landscapes: Vec<PyRef<'_, LandscapeFile>>,
) -> PyResult<()> {
    let files: Vec<(morphscape::LandscapeFile, Measures, Option<MapOverlay>)> = landscapes
        .iter()
        .map(|each| Ok((each.whole(py)?, each.measured().clone(), each.overlay())))
        .collect::<PyResult<_>>()?;
    let [(first, ..), ..] = &files[..] else {
        return Err(InputError::new_err(
            "expected at least one landscape to report on, found none",
        ));
    };
    let mut names = HashSet::new();
    for (file, ..) in &files {
        if file.landscape.steps != first.landscape.steps
            || file.landscape.kind != first.landscape.kind
            || file.about.class_names != first.about.class_names
            || file.about.items != first.about.items
        {
            return Err(InputError::new_err(format!(
                "landscapes {} and {}: expected one kind of grid, one number of points a side, and the same classes and items in a report, found different ones",
                first.about.name, file.about.name
            )));
        }
        if !names.insert(file.about.name.as_str()) {
            return Err(InputError::new_err(format!(
                "expected landscapes of different names in a report, found two called {}",
                file.about.name
            )));
        }
    }
    let written = py.detach(|| {
        let details: Vec<_> = files
            .iter()
            .map(|(file, _, overlay)| {
                let (frames, overlay) = (Tiles::of(file), overlay.as_ref());
                let (frames, options) = (frames.as_ref(), FigureOptions::default());
                let figures = landscape_figures(file, frames, overlay, FigureSet::All, &options);
                pack_detail(file, frames, overlay, &figures)
            })
            .collect();
        let rows: Vec<ReportRow> = files
            .iter()
            .map(|(file, measures, _)| ReportRow {
                name: file.about.name.clone(),
                items: file.about.item_names.clone(),
                classes: file.about.item_classes,
                intruders: measures.intruders.clone(),
                values: COLUMNS
                    .iter()
                    .map(|column| (column.value)(measures))
                    .collect(),
            })
            .collect();
        let features = match &first.about.items {
            Items::Rows { features } => Some(features.as_slice()),
            Items::Images { .. } => None,
        };
        let report = Report {
            manifest: &manifest(first),
            class_names: &first.about.class_names,
            steps: first.landscape.steps,
            kind: first.landscape.kind,
            features,
            columns: &COLUMNS,
            overview: &OVERVIEW,
            rank_by: RANK_BY,
            resolution: Value::Null,
            rows: &rows,
            details: &details,
        };
        morphscape::report::write_report(&path, &report)
    });
    written.map_err(|error| exception(py, &error, &[]))
}

/// What the page says of how its landscapes were computed, as a run's manifest does.
fn manifest(file: &morphscape::LandscapeFile) -> Value {
    let about = &file.about;
    let how = match file.landscape.kind.is_flat() {
        true => "flat",
        false => "morph",
    };
    json!({
        "program": format!("morphscape {} in Python", env!("CARGO_PKG_VERSION")),
        "plan": {"job": "landscapes", how: about.settings},
        "model": {"path": about.model, "sha256": about.model_sha256},
        "timings": {},
    })
}
