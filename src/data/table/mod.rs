//! A labelled table of measurements, read from CSV, and the names of its items.
//!
//! ```text
//! bytes ── text, header, chosen columns ──> rows as f32 + classes ── draw_per_class ──> fewer rows
//! ```
//!
//! A row is an item as an image is: `rows#12` is row 12 (from 0) of the file, whether rows before
//! it were left out or not, and keeps that name in a table drawn from the whole; so it is the row
//! that pandas calls 12. A missing value leaves its row out, is counted and can be named; anything else that is no number is refused with line and column, since a table
//! that lost rows by a typing slip would still look like a table.

mod cells;
mod error;
mod limits;
mod memory;
mod read;
mod text;

use super::class_order::ClassOrder;
use crate::remedy::did_you_mean;
use error::{quoted_list, shown};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap};

pub use error::TableError;
pub use limits::MAX_TABLE_BYTES;
pub(super) use read::read_limited;
pub use read::{Header, Numbering, TableOptions, read_table, read_table_file, read_table_with};
pub use text::Delimiter;

/// Rows of numbers with their classes; row `index` of the file is named `NAME#index`.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    name: String,
    label_column: String,
    features: Vec<String>,
    classes: Vec<String>,
    /// What put the classes in order.
    class_order: ClassOrder,
    /// `[len, features]`, row-major.
    values: Vec<f32>,
    labels: Vec<usize>,
    /// Index of each row, ascending: what its name says.
    indices: Vec<usize>,
    /// Line of each row in the file, from 1.
    lines: Vec<usize>,
    /// Rows that indices count, whether drawn or not.
    rows: usize,
    /// Index in the file and line of each row with a missing value.
    left_out: Vec<(usize, usize)>,
    numbering: Numbering,
    delimiter: Delimiter,
    notes: Vec<String>,
    sha256: String,
}

/// The column that a model means by a feature: the one of its name, else the only one whose name is
/// written so with an underscore for each sign that is no letter or digit, as exporters do.
fn column_of_feature<'c>(
    columns: impl Iterator<Item = &'c str> + Clone,
    feature: &str,
) -> Option<usize> {
    let plain = |name: &str| name.replace(|sign: char| !sign.is_alphanumeric(), "_");
    let only = |is_it: &dyn Fn(&str) -> bool| {
        let mut places = columns.clone().enumerate().filter(|(_, name)| is_it(name));
        let first = places.next().map(|(at, _)| at);
        first.filter(|_| places.next().is_none())
    };
    match columns.clone().any(|name| name == feature) {
        true => only(&|name| name == feature),
        false => only(&|name| plain(name) == feature),
    }
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

    /// What the name of the row at `position` says after `#`: its index among the rows of the
    /// file, from 0; of a table of the paper among those that are kept.
    ///
    /// # Panics
    /// When `position` is not below [`Table::len`].
    pub fn index(&self, position: usize) -> usize {
        self.indices[position]
    }

    /// Rows of the file left out because a value was missing.
    pub fn left_out(&self) -> usize {
        self.left_out.len()
    }

    /// The rows left out as a message lists them, the first ten: `rows#3 (line 5)`.
    pub fn left_out_text(&self) -> String {
        const MOST: usize = 10;
        let mut list: Vec<String> = (self.left_out.iter().take(MOST))
            .map(|(index, line)| match self.numbering {
                Numbering::File => format!("{}#{index} (line {line})", self.name),
                // Their indices are other rows' here.
                Numbering::Kept => format!("line {line}"),
            })
            .collect();
        if self.left_out.len() > MOST {
            list.push(format!("and {} more", self.left_out.len() - MOST));
        }
        list.join(", ")
    }

    /// What was assumed when the file was read, a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What separated the cells.
    pub fn delimiter(&self) -> Delimiter {
        self.delimiter
    }

    /// What put the classes in order when the file was read.
    pub fn class_order(&self) -> ClassOrder {
        self.class_order
    }

    /// Name of the row at `position`, e.g. `iris#12`, see [`Table::index`].
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
            last: self.rows - 1,
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
    /// [`TableError::OutOfRange`], [`TableError::LeftOut`] or [`TableError::NotDrawn`].
    pub fn checked_index(&self, index: usize) -> Result<usize, TableError> {
        if index >= self.rows {
            return Err(TableError::OutOfRange {
                table: self.name.clone(),
                index,
                last: self.rows - 1,
            });
        }
        let left_out = match self.numbering {
            Numbering::File => self.left_out.iter().find(|row| row.0 == index),
            Numbering::Kept => None,
        };
        if let Some(&(_, line)) = left_out {
            return Err(TableError::LeftOut {
                table: self.name.clone(),
                index,
                line,
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

    /// The same rows with their columns in the order of `features`, which are the table's by name, or by the
    /// name that exporters make of it, with an underscore for each sign that is no letter or digit.
    ///
    /// # Errors
    /// [`TableError::Features`] when they are others.
    pub fn with_features(mut self, features: &[String]) -> Result<Self, TableError> {
        let places: Option<Vec<usize>> = (features.iter())
            .map(|name| column_of_feature(self.features.iter().map(String::as_str), name.trim()))
            .collect();
        let mut sorted = places.clone().unwrap_or_default();
        sorted.sort_unstable();
        let (Some(places), true) = (places, sorted.iter().copied().eq(0..self.features.len()))
        else {
            return Err(TableError::Features {
                expected: quoted_list(features),
                found: quoted_list(&self.features),
            });
        };
        self.values = (self.values.chunks_exact(places.len()))
            .flat_map(|row| places.iter().map(|&at| row[at]))
            .collect();
        self.features = (places.iter())
            .map(|&at| self.features[at].clone())
            .collect();
        Ok(self)
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
                        label: shown(&self.label_column),
                        class: shown(class),
                        count: classes.len(),
                        expected: quoted_list(classes),
                        hint: did_you_mean(class, classes.iter().map(String::as_str)),
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
            left_out: self.left_out.clone(),
            notes: self.notes.clone(),
            ..*self
        })
    }
}
