//! What a run says of its landscapes: the rows of `summary.csv`, of the table that a face shows
//! at the end, and of the report's ranking.

use crate::landscape::{COLUMNS, Format, LandscapeFile, Measures, measure, measure_triple};
use crate::mesh::MeshCounts;
use rayon::prelude::*;

/// A landscape in words and numbers.
#[derive(Debug, Clone)]
pub struct SummaryRow {
    /// Its name, e.g. `1A.3`.
    pub name: String,
    /// Names of the items A, B, C.
    pub items: [String; 3],
    /// Their classes.
    pub item_classes: [usize; 3],
    /// Names of their classes.
    pub classes: [String; 3],
    /// Names of the classes outside the triple that are predicted somewhere, the most frequent
    /// first.
    pub intruders: Vec<String>,
    /// Those of them that are predicted with confidence.
    pub confident_intruders: Vec<String>,
    /// What is measured.
    pub measures: Measures,
    /// Triangles that were folded or degenerate, and frames that failed; nothing where the items
    /// are rows.
    pub counts: Option<MeshCounts>,
}

impl SummaryRow {
    /// A landscape and its measures.
    pub fn new(file: &LandscapeFile, measures: Measures) -> Self {
        let names = |classes: &[usize]| -> Vec<String> {
            let name = |&class: &usize| file.about.class_names[class].clone();
            classes.iter().map(name).collect()
        };
        Self {
            name: file.about.name.clone(),
            items: file.about.item_names.clone(),
            item_classes: file.about.item_classes,
            classes: file.item_class_names().map(str::to_owned),
            intruders: names(&measures.intruders),
            confident_intruders: names(&measures.confident_intruders),
            measures,
            counts: file.landscape.morph.as_ref().map(|morph| morph.counts),
        }
    }

    /// The measures as columns have them, in the order of [`COLUMNS`].
    pub fn values(&self) -> Vec<Option<f64>> {
        COLUMNS
            .iter()
            .map(|column| (column.value)(&self.measures))
            .collect()
    }
}

/// Measures the landscapes of files, those of each triple together in the order of its
/// permutations.
pub(super) fn measure_files(files: &[LandscapeFile]) -> Vec<Measures> {
    let kind = files.first().map(|file| file.landscape.kind);
    let siblings = kind.map_or(1, |kind| kind.siblings().len());
    files
        .par_chunks_exact(siblings)
        .flat_map(|triple| measure_siblings(&triple.iter().collect::<Vec<_>>()))
        .collect()
}

/// Measures the landscapes of one triple, in the order of its permutations.
pub(super) fn measure_siblings(files: &[&LandscapeFile]) -> Vec<Measures> {
    match files {
        // What compares the permutations of a triple needs all three.
        [a, b, c] => {
            measure_triple([a, b, c].map(|file| (&file.landscape, file.about.item_classes)))
                .to_vec()
        }
        others => others
            .iter()
            .map(|file| measure(&file.landscape, file.about.item_classes))
            .collect(),
    }
}

/// The content of `summary.csv`.
pub(super) fn summary_csv(rows: &[SummaryRow]) -> Vec<u8> {
    let morphed = rows.iter().any(|row| row.counts.is_some());
    let mut summary = SummaryWriter::headed(morphed);
    for row in rows {
        summary.add(row);
    }
    summary.finish()
}

/// Why a table cannot fail to be written: it goes to memory, and all its rows are equally long.
pub(super) const IN_MEMORY: &str = "a table in memory takes rows of one length";

/// Makes `summary.csv`, or rows of it.
pub(super) struct SummaryWriter(csv::Writer<Vec<u8>>);

impl SummaryWriter {
    /// Rows alone.
    pub(super) fn rows() -> Self {
        Self(csv::Writer::from_writer(Vec::new()))
    }

    /// Begins with the heading; landscapes that were `morphed` have counts of their meshes.
    pub(super) fn headed(morphed: bool) -> Self {
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
        heading.extend(COLUMNS.iter().map(|column| column.key));
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
        csv.write_record(heading).expect(IN_MEMORY);
        Self(csv)
    }

    /// A row.
    pub(super) fn add(&mut self, row: &SummaryRow) {
        let mut record = vec![row.name.clone()];
        record.extend(row.items.clone());
        record.extend(row.classes.clone());
        let values = COLUMNS.iter().zip(row.values());
        record.extend(values.map(|(column, value)| match (column.format, value) {
            (Format::Integer, Some(count)) => format!("{count:.0}"),
            (_, value) => csv_number(value),
        }));
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
        self.0.write_record(record).expect(IN_MEMORY);
    }

    /// The bytes.
    pub(super) fn finish(self) -> Vec<u8> {
        self.0.into_inner().expect(IN_MEMORY)
    }
}

/// A measure in a CSV file: empty where it could not be taken.
pub(super) fn csv_number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.6}"))
}
