//! A labelled table of measurements, read from CSV, and the names of its items.
//!
//! ```text
//! CSV bytes ── UTF-8, header, chosen columns ──> rows as f32 + classes ── draw_per_class ──> fewer rows
//! ```
//!
//! A row is an item as an image is: `iris#12` is row 12 (from 0) of those kept from the file,
//! and keeps that name in a table drawn from the whole. A missing value leaves its row out and
//! is counted; anything else that is no number is refused with line and column, since a table
//! that lost rows by a typing slip would still look like a table.

mod error;
mod read;

use error::{quoted_list, shown};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap};

pub use error::TableError;
pub(super) use read::read_limited;
pub use read::{read_table, read_table_file};

/// Rows of numbers with their classes; row `index` of those kept from the file is named
/// `NAME#index`.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    name: String,
    label_column: String,
    features: Vec<String>,
    classes: Vec<String>,
    /// `[len, features]`, row-major.
    values: Vec<f32>,
    labels: Vec<usize>,
    /// Index of each row among those kept from the file, ascending: what its name says.
    indices: Vec<usize>,
    /// Line of each row in the file, from 1.
    lines: Vec<usize>,
    /// Rows kept from the file, whether drawn or not.
    kept: usize,
    left_out: usize,
    sha256: String,
}

impl Table {
    /// Name of the table, the part of an item's name before `#`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The column that holds the class.
    pub fn label_column(&self) -> &str {
        &self.label_column
    }

    /// The columns of the features, in the order of a row's values.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// False: a table without rows is refused when it is read.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Class names, by label.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The values of all rows, `[len, features]`, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values of the row at `position`, one a feature.
    ///
    /// # Panics
    /// When `position` is not below [`Table::len`].
    pub fn row(&self, position: usize) -> &[f32] {
        let width = self.features.len();
        &self.values[position * width..][..width]
    }

    /// Labels of all rows, positions in [`Table::classes`].
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// Label of the row at `position`.
    ///
    /// # Panics
    /// When `position` is not below [`Table::len`].
    pub fn label(&self, position: usize) -> usize {
        self.labels[position]
    }

    /// Line of the file on which the row at `position` begins, from 1.
    ///
    /// # Panics
    /// When `position` is not below [`Table::len`].
    pub fn line(&self, position: usize) -> usize {
        self.lines[position]
    }

    /// What the name of the row at `position` says after `#`: its index among the rows kept
    /// from the file.
    ///
    /// # Panics
    /// When `position` is not below [`Table::len`].
    pub fn index(&self, position: usize) -> usize {
        self.indices[position]
    }

    /// Rows of the file left out because a value was missing.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Name of the row at `position`, e.g. `iris#12`: the index among the rows kept from the
    /// file, which is the position unless rows were drawn.
    ///
    /// # Panics
    /// When `position` is not below [`Table::len`].
    pub fn item_name(&self, position: usize) -> String {
        format!("{}#{}", self.name, self.indices[position])
    }

    /// The position that an item's name means.
    ///
    /// # Errors
    /// When the name is not of this table, its index not in the file, or the row not drawn.
    pub fn index_of(&self, item: &str) -> Result<usize, TableError> {
        let unknown = || TableError::UnknownItem {
            item: shown(item),
            table: self.name.clone(),
            last: self.kept - 1,
        };
        // The last one: a file's name may hold the sign itself.
        let (table, index) = item.rsplit_once('#').ok_or_else(unknown)?;
        if table != self.name
            || index.is_empty()
            || !index.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(unknown());
        }
        self.checked_index(index.parse().unwrap_or(usize::MAX))
    }

    /// The position of the row that is named `NAME#index`.
    ///
    /// # Errors
    /// [`TableError::OutOfRange`] or [`TableError::NotDrawn`].
    pub fn checked_index(&self, index: usize) -> Result<usize, TableError> {
        if index >= self.kept {
            return Err(TableError::OutOfRange {
                table: self.name.clone(),
                index,
                last: self.kept - 1,
            });
        }
        self.indices
            .binary_search(&index)
            .map_err(|_| TableError::NotDrawn {
                table: self.name.clone(),
                index,
                drawn: self.len(),
            })
    }

    /// SHA-256 of the file's bytes, the same for a table drawn from it.
    pub fn sha256_hex(&self) -> &str {
        &self.sha256
    }

    /// The same rows with `classes` for the classes, in that order, so that labels agree with
    /// the outputs of a model that lists them so. A class of the list may have no row.
    ///
    /// # Errors
    /// When the list lacks a class of the table or names one twice.
    pub fn with_classes(mut self, classes: &[String]) -> Result<Self, TableError> {
        let mut place = HashMap::new();
        for (at, class) in classes.iter().enumerate() {
            if place.insert(class, at).is_some() {
                return Err(TableError::RepeatedClass {
                    class: shown(class),
                });
            }
        }
        let mut label_from_old = Vec::with_capacity(self.classes.len());
        let mut used = vec![false; self.classes.len()];
        for &label in &self.labels {
            used[label] = true;
        }
        for (class, used) in self.classes.iter().zip(used) {
            match place.get(class) {
                Some(&at) => label_from_old.push(at),
                // Only an earlier list can have brought in a class without rows.
                None if !used => label_from_old.push(usize::MAX),
                None => {
                    return Err(TableError::UnknownClass {
                        class: shown(class),
                        count: classes.len(),
                        expected: quoted_list(classes),
                    });
                }
            }
        }
        for label in &mut self.labels {
            *label = label_from_old[*label];
        }
        self.classes = classes.to_vec();
        Ok(self)
    }

    /// `per_class` random rows of each class, chosen by `seed` without replacement (the paper
    /// takes 50); a class that has no more rows than that keeps them all. Rows stay in the
    /// order of the file and keep their names. The same seed gives the same rows on every
    /// machine, whatever the order of the classes.
    ///
    /// # Errors
    /// [`TableError::EmptyDraw`] when `per_class` is 0.
    pub fn draw_per_class(&self, per_class: usize, seed: u64) -> Result<Self, TableError> {
        if per_class == 0 {
            return Err(TableError::EmptyDraw);
        }
        let mut positions_of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (position, &label) in self.labels.iter().enumerate() {
            let class = self.classes[label].as_str();
            positions_of.entry(class).or_default().push(position);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        // A stream of its own: groups are chosen from the drawn rows by the same seed.
        rng.set_stream(1);
        let mut drawn = Vec::new();
        for mut positions in positions_of.into_values() {
            let wanted = per_class.min(positions.len());
            for at in 0..wanted {
                let other = rng.random_range(at..positions.len());
                positions.swap(at, other);
            }
            drawn.extend_from_slice(&positions[..wanted]);
        }
        drawn.sort_unstable();
        let taken = |all: &[usize]| drawn.iter().map(|&position| all[position]).collect();
        Ok(Self {
            values: drawn
                .iter()
                .flat_map(|&position| self.row(position))
                .copied()
                .collect(),
            labels: taken(&self.labels),
            indices: taken(&self.indices),
            lines: taken(&self.lines),
            name: self.name.clone(),
            label_column: self.label_column.clone(),
            features: self.features.clone(),
            classes: self.classes.clone(),
            sha256: self.sha256.clone(),
            ..*self
        })
    }
}
