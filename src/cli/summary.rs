//! What a sweep says of its landscapes: `summary.csv` and the table at the end.

use super::output::OutputFolder;
use super::text::table;
use crate::data::write_file;
use crate::landscape::Measures;
use crate::mesh::MeshCounts;

/// A landscape in words and numbers.
pub(super) struct SummaryRow {
    pub(super) name: String,
    pub(super) items: [String; 3],
    pub(super) classes: [String; 3],
    pub(super) intruders: Vec<String>,
    pub(super) measures: Measures,
    pub(super) counts: MeshCounts,
}

/// Writes `summary.csv`, a row a landscape.
pub(super) fn write_summary(folder: &OutputFolder, rows: &[SummaryRow]) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "landscape",
        "item_a",
        "item_b",
        "item_c",
        "class_a",
        "class_b",
        "class_c",
        "total_variation",
        "curvature",
        "label_changes",
        "intrusion",
        "intruders",
        "folded",
        "degenerate",
        "folded_right",
        "degenerate_right",
        "failed",
    ])?;
    for row in rows {
        let SummaryRow {
            name,
            items: [a, b, c],
            classes: [class_a, class_b, class_c],
            intruders,
            measures,
            counts,
        } = row;
        let number = |value: f64| format!("{value:.6}");
        csv.write_record([
            name,
            a,
            b,
            c,
            class_a,
            class_b,
            class_c,
            &number(measures.total_variation),
            &number(measures.curvature),
            &number(measures.label_changes),
            &number(measures.intrusion),
            &intruders.join("; "),
            &counts.folded.to_string(),
            &counts.degenerate.to_string(),
            &counts.folded_right.to_string(),
            &counts.degenerate_right.to_string(),
            "0", // no frame fails in clean mode
        ])?;
    }
    Ok(write_file(&folder.file("summary.csv"), &csv.into_inner()?)?)
}

/// Landscapes up to this many are listed at the end; a longer list is left to `summary.csv`.
pub(super) const MAX_LISTED: usize = 60;

/// The landscapes as a table for the terminal.
pub(super) fn summary_table(rows: &[SummaryRow]) -> String {
    let heading = [
        "landscape",
        "A",
        "B",
        "into C",
        ">variation",
        ">curvature",
        ">changes",
        ">intrusion",
        "intruders",
    ];
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(|row| {
        let [a, b, c] = row.classes.clone();
        let m = &row.measures;
        vec![
            row.name.clone(),
            a,
            b,
            c,
            format!("{:.2}", m.total_variation),
            format!("{:.4}", m.curvature),
            format!("{:.2}", m.label_changes),
            format!("{:.1}%", 100.0 * m.intrusion),
            row.intruders.join(", "),
        ]
    }));
    table(&lines)
}
