//! What a run says of its landscapes: `summary.csv`, the table at the end, and the report's
//! ranking.

use super::columns::{SHOWN, overview};
use super::output::OutputFolder;
use super::text::table;
use crate::data::write_file;
use crate::landscape::{LandscapeFile, Measures, measure_triple};
use crate::mesh::MeshCounts;
use crate::report::Format;
use anyhow::anyhow;
use rayon::prelude::*;

/// A landscape in words and numbers.
#[derive(Clone)]
pub(super) struct SummaryRow {
    pub(super) name: String,
    pub(super) items: [String; 3],
    pub(super) item_classes: [usize; 3],
    pub(super) classes: [String; 3],
    intruders: Vec<String>,
    confident_intruders: Vec<String>,
    pub(super) measures: Measures,
    /// Nothing where the items are rows.
    pub(super) counts: Option<MeshCounts>,
}

impl SummaryRow {
    /// A landscape and its measures.
    pub(super) fn new(file: &LandscapeFile, measures: Measures) -> Self {
        let names = |classes: &[usize]| -> Vec<String> {
            let name = |&class: &usize| file.class_names[class].clone();
            classes.iter().map(name).collect()
        };
        Self {
            name: file.name.clone(),
            items: file.item_names.clone(),
            item_classes: file.item_classes,
            classes: file.item_class_names().map(str::to_owned),
            intruders: names(&measures.intruders),
            confident_intruders: names(&measures.confident_intruders),
            measures,
            counts: file.landscape.morph.as_ref().map(|morph| morph.counts),
        }
    }

    /// The measures as columns have them, in the order of [`SHOWN`].
    pub(super) fn values(&self) -> Vec<Option<f64>> {
        SHOWN
            .iter()
            .map(|shown| (shown.value)(&self.measures))
            .collect()
    }
}

/// Measures the landscapes of files, those of each triple together in the order of its
/// permutations.
pub(super) fn measure_files(files: &[LandscapeFile]) -> Vec<Measures> {
    files
        .par_chunks_exact(3)
        .flat_map(|triple| {
            measure_triple([0, 1, 2].map(|n| (&triple[n].landscape, triple[n].item_classes)))
        })
        .collect()
}

/// A row a landscape.
pub(super) const SUMMARY_FILE: &str = "summary.csv";

/// Writes `summary.csv`.
pub(super) fn write_summary(folder: &OutputFolder, rows: &[SummaryRow]) -> anyhow::Result<()> {
    Ok(write_file(&folder.file(SUMMARY_FILE), &summary_csv(rows)?)?)
}

/// The content of `summary.csv`.
pub(super) fn summary_csv(rows: &[SummaryRow]) -> anyhow::Result<Vec<u8>> {
    let morphed = rows.iter().any(|row| row.counts.is_some());
    let mut summary = SummaryWriter::headed(morphed)?;
    for row in rows {
        summary.add(row)?;
    }
    summary.finish()
}

/// Makes `summary.csv`, or rows of it.
pub(super) struct SummaryWriter(csv::Writer<Vec<u8>>);

impl SummaryWriter {
    /// Rows alone.
    pub(super) fn rows() -> Self {
        Self(csv::Writer::from_writer(Vec::new()))
    }

    /// Begins with the heading; landscapes that were `morphed` have counts of their meshes.
    pub(super) fn headed(morphed: bool) -> anyhow::Result<Self> {
        let Self(mut csv) = Self::rows();
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
        heading.extend(["intruders", "confident_intruders"]);
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
        Ok(Self(csv))
    }

    /// A row.
    pub(super) fn add(&mut self, row: &SummaryRow) -> anyhow::Result<()> {
        let mut record = vec![row.name.clone()];
        record.extend(row.items.clone());
        record.extend(row.classes.clone());
        let values = SHOWN.iter().zip(row.values());
        record.extend(
            values.map(|(shown, value)| match (shown.column.format, value) {
                (Format::Integer, Some(count)) => format!("{count:.0}"),
                (_, value) => csv_number(value),
            }),
        );
        record.push(row.intruders.join("; "));
        record.push(row.confident_intruders.join("; "));
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
        Ok(self.0.write_record(record)?)
    }

    /// The bytes.
    pub(super) fn finish(self) -> anyhow::Result<Vec<u8>> {
        self.0
            .into_inner()
            .map_err(|error| anyhow!(error.into_error()))
    }
}

/// A measure in a CSV file: empty where it could not be taken.
pub(super) fn csv_number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.6}"))
}

/// Landscapes up to this many are listed at the end; a longer list is left to `summary.csv`.
pub(super) const MAX_LISTED: usize = 60;

/// The landscapes as a table for the terminal, which shows a few of the measures.
pub(super) fn summary_table(rows: &[SummaryRow]) -> String {
    let mut heading = ["landscape", "A", "B", "into C"]
        .map(str::to_owned)
        .to_vec();
    heading.extend(overview().map(|shown| format!(">{}", shown.column.label)));
    heading.push("intruders".into());
    let mut lines = vec![heading];
    lines.extend(rows.iter().map(|row| {
        let mut line = vec![row.name.clone()];
        line.extend(row.classes.clone());
        line.extend(overview().map(|shown| {
            let value = (shown.value)(&row.measures);
            value.map_or("-".into(), |value| shown.column.format.text(value))
        }));
        line.push(row.intruders.join(", "));
        line
    }));
    table(&lines)
}
