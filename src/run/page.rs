//! The report of a run, from its rows and details.

use super::error::RunError;
use super::folder::RunFolder;
use super::folder::layout::REPORT_FILE;
use super::resolution::Resolution;
use super::summary::SummaryRow;
use crate::landscape::{COLUMNS, GridKind, Items, OVERVIEW, RANK_BY};
use crate::report::{Detail, Report, ReportRow, write_report};
use serde_json::Value;

/// Writes a run's report.
pub(super) fn report(
    folder: &RunFolder,
    class_names: &[String],
    (kind, steps): (GridKind, usize),
    items: &Items,
    rows: &[SummaryRow],
    details: &[Detail],
    resolution: Option<&Resolution>,
) -> Result<(), RunError> {
    let report_rows: Vec<ReportRow> = rows
        .iter()
        .map(|row| ReportRow {
            name: row.name.clone(),
            items: row.items.clone(),
            classes: row.item_classes,
            intruders: row.measures.intruders.clone(),
            values: row.values(),
        })
        .collect();
    let features = match items {
        Items::Rows { features } => Some(features.as_slice()),
        Items::Images { .. } => None,
    };
    Ok(write_report(
        &folder.file(REPORT_FILE),
        &Report {
            manifest: &folder.manifest(),
            class_names,
            kind,
            steps,
            features,
            columns: &COLUMNS,
            overview: &OVERVIEW,
            rank_by: RANK_BY,
            resolution: resolution.map_or(Value::Null, Resolution::json),
            rows: &report_rows,
            details,
        },
    )?)
}
