//! Rows that a host program holds, as a table.

use super::{Delimiter, Numbering, Table, TableError};
use crate::data::{ClassOrder, sha256_hex};

impl Table {
    /// A table of rows `[labels, features]`, row-major, that no file holds. Row `index` is
    /// `NAME#index`.
    ///
    /// # Errors
    /// [`TableError::Memory`] when the counts differ, nothing is there, a value is not finite, or a
    /// label has no class.
    pub fn from_rows(
        name: &str,
        features: Vec<String>,
        values: Vec<f32>,
        labels: Vec<usize>,
        classes: Vec<String>,
    ) -> Result<Self, TableError> {
        let rows = labels.len();
        let refuse = |found: String| {
            Err(TableError::Memory {
                rows,
                features: features.len(),
                classes: classes.len(),
                found,
            })
        };
        if values.is_empty() || rows.checked_mul(features.len()) != Some(values.len()) {
            return refuse(format!("{} numbers", values.len()));
        }
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return refuse(format!("{value} among them"));
        }
        if let Some(label) = labels.iter().find(|&&label| label >= classes.len()) {
            return refuse(format!("label {label}"));
        }
        // Values and labels decide what is computed; where they came from does not.
        let numbers: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let classified: Vec<u8> = (labels.iter())
            .flat_map(|&label| (label as u64).to_le_bytes())
            .collect();
        Ok(Self {
            name: name.to_owned(),
            label_column: "labels".to_owned(),
            sha256: sha256_hex([&numbers[..], &classified[..]]),
            features,
            classes,
            class_order: ClassOrder::Appearance,
            values,
            labels,
            indices: (0..rows).collect(),
            lines: (1..=rows).collect(),
            rows,
            left_out: Vec::new(),
            numbering: Numbering::File,
            delimiter: Delimiter::COMMA,
            notes: Vec::new(),
        })
    }
}
