//! What a run says of its landscapes: `summary.csv`, the table at the end, and the report's
//! ranking.

use super::output::OutputFolder;
use super::text::table;
use crate::data::write_file;
use crate::landscape::{LandscapeFile, Measures, measure};
use crate::mesh::MeshCounts;
use crate::report::{Column, Format};

/// A landscape in words and numbers.
#[derive(Clone)]
pub(super) struct SummaryRow {
    pub(super) name: String,
    pub(super) items: [String; 3],
    pub(super) item_classes: [usize; 3],
    pub(super) classes: [String; 3],
    pub(super) intruders: Vec<String>,
    pub(super) measures: Measures,
    /// Nothing where the items are rows.
    pub(super) counts: Option<MeshCounts>,
}

/// A measure as it is shown: what it is called, and how it is read off.
struct Shown {
    column: Column,
    value: fn(&Measures) -> f64,
}

const SHOWN: [Shown; 4] = [
    Shown {
        column: Column {
            key: "total_variation",
            label: "variation",
            help: "total variation: half the summed change of all probabilities along a path from a mix into C, mean of the paths; 1 where two classes change over smoothly",
            format: Format::Hundredths,
        },
        value: |measures| measures.total_variation,
    },
    Shown {
        column: Column {
            key: "curvature",
            label: "curvature",
            help: "curvature roughness: mean second difference of the three classes' probabilities along a path",
            format: Format::TenThousandths,
        },
        value: |measures| measures.curvature,
    },
    Shown {
        column: Column {
            key: "label_changes",
            label: "changes",
            help: "label changes: how often the predicted class changes along a path, mean of the paths",
            format: Format::Hundredths,
        },
        value: |measures| measures.label_changes,
    },
    Shown {
        column: Column {
            key: "intrusion",
            label: "intrusion",
            help: "intrusion: share of the grid whose predicted class is none of the three items'",
            format: Format::Percent,
        },
        value: |measures| measures.intrusion,
    },
];

/// The report ranks landscapes by this column first.
pub(super) const RANK_BY: &str = "total_variation";

/// The columns of the report's ranking.
pub(super) fn columns() -> Vec<Column> {
    SHOWN.iter().map(|shown| shown.column).collect()
}

impl SummaryRow {
    /// Measures a landscape.
    pub(super) fn new(file: &LandscapeFile) -> Self {
        let measures = measure(&file.landscape, file.item_classes);
        Self {
            name: file.name.clone(),
            items: file.item_names.clone(),
            item_classes: file.item_classes,
            classes: file.item_class_names().map(str::to_owned),
            intruders: measures
                .intruders
                .iter()
                .map(|&class| file.class_names[class].clone())
                .collect(),
            measures,
            counts: file.landscape.morph.as_ref().map(|morph| morph.counts),
        }
    }

    /// The values of [`columns`].
    pub(super) fn values(&self) -> Vec<f64> {
        SHOWN
            .iter()
            .map(|shown| (shown.value)(&self.measures))
            .collect()
    }
}

/// Writes `summary.csv`, a row a landscape.
pub(super) fn write_summary(folder: &OutputFolder, rows: &[SummaryRow]) -> anyhow::Result<()> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let morphed = rows.iter().any(|row| row.counts.is_some());
    let mut heading = vec![
        "landscape",
        "item_a",
        "item_b",
        "item_c",
        "class_a",
        "class_b",
        "class_c",
    ];
    heading.extend(SHOWN.iter().map(|shown| shown.column.key));
    heading.push("intruders");
    if morphed {
        heading.extend([
            "folded",
            "degenerate",
            "folded_right",
            "degenerate_right",
            "failed",
        ]);
    }
    csv.write_record(heading)?;
    for row in rows {
        let mut record = vec![row.name.clone()];
        record.extend(row.items.clone());
        record.extend(row.classes.clone());
        // A measure that failed frames leave nothing for is an empty field.
        record.extend(row.values().iter().map(|value| match value.is_nan() {
            true => String::new(),
            false => format!("{value:.6}"),
        }));
        record.push(row.intruders.join("; "));
        if let Some(counts) = row.counts {
            let counts = [
                counts.folded,
                counts.degenerate,
                counts.folded_right,
                counts.degenerate_right,
                counts.failed,
            ];
            record.extend(counts.map(|count| count.to_string()));
        }
        csv.write_record(record)?;
    }
    Ok(write_file(&folder.file("summary.csv"), &csv.into_inner()?)?)
}

/// Landscapes up to this many are listed at the end; a longer list is left to `summary.csv`.
pub(super) const MAX_LISTED: usize = 60;

/// The landscapes as a table for the terminal.
pub(super) fn summary_table(rows: &[SummaryRow]) -> String {
    let mut heading = ["landscape", "A", "B", "into C"]
        .map(str::to_owned)
        .to_vec();
    heading.extend(SHOWN.iter().map(|shown| format!(">{}", shown.column.label)));
    heading.push("intruders".into());
    let mut lines = vec![heading];
    lines.extend(rows.iter().map(|row| {
        let mut line = vec![row.name.clone()];
        line.extend(row.classes.clone());
        let values = SHOWN.iter().zip(row.values());
        line.extend(values.map(|(shown, value)| shown.column.format.text(value)));
        line.push(row.intruders.join(", "));
        line
    }));
    table(&lines)
}
