//! A table: a file of comma-separated values, and rows for a host program.

use super::super::summary::{IN_MEMORY, csv_number};

/// A table of what a run came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The file it is kept in, e.g. `pairs.csv`.
    pub file: &'static str,
    /// Names of its columns.
    pub columns: Vec<String>,
    /// Its rows, a cell a column.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A text, empty where there is nothing to say.
    Text(String),
    /// A number of things.
    Count(usize),
    /// A measure, if it could be taken; six decimals in a file.
    Number(Option<f64>),
    /// The same with as many digits in a file as give the number back.
    Exact(Option<f64>),
}

impl Table {
    /// A table of columns and rows.
    pub(super) fn new(
        file: &'static str,
        columns: Vec<String>,
        rows: impl Iterator<Item = Vec<Cell>>,
    ) -> Self {
        let rows = rows.collect();
        Self {
            file,
            columns,
            rows,
        }
    }

    /// What its file holds.
    pub(super) fn csv(&self) -> Vec<u8> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(&self.columns).expect(IN_MEMORY);
        for row in &self.rows {
            csv.write_record(row.iter().map(Cell::text))
                .expect(IN_MEMORY);
        }
        csv.into_inner().expect(IN_MEMORY)
    }
}

impl Cell {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.to_string(),
            Self::Number(value) => csv_number(*value),
            Self::Exact(value) => value.map_or_else(String::new, |value| value.to_string()),
        }
    }
}
