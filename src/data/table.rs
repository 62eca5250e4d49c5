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

use super::sha256_hex;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;

/// The largest file accepted, bytes: tables of measurements are a thousand times smaller.
const MAX_BYTES: u64 = 256 << 20;

/// Most classes accepted: past it the label column most likely holds measurements.
const MAX_CLASSES: usize = 1000;

/// Most features accepted.
const MAX_FEATURES: usize = 1000;

/// Fewest classes that make a triple.
const MIN_CLASSES: usize = 3;

/// Cells that mean "not measured": nothing, R's and Python's words, and UCI's question mark.
const MISSING: [&str; 5] = ["", "NA", "NaN", "nan", "?"];

/// Why a table was refused, or an item of it. Text from the file is shortened, with control
/// characters escaped.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be opened or read.
    #[error("cannot read the file")]
    Read(#[source] std::io::Error),
    /// Too large.
    #[error(
        "expected a table of at most {MAX_BYTES} bytes, found more; keep fewer rows or columns"
    )]
    TooLarge,
    /// Bytes that are not UTF-8.
    #[error("line {line}: expected UTF-8 text, found other bytes; save the table as CSV in UTF-8")]
    NotUtf8 {
        /// Line of the first such byte, from 1.
        line: usize,
    },
    /// Nothing in the file.
    #[error("expected a header line with column names, found an empty file")]
    Empty,
    /// Numbers where the column names should be.
    #[error(
        "line {line}: expected a header line with column names, found only numbers; put the names above them"
    )]
    NoHeader {
        /// Line of the first row.
        line: usize,
    },
    /// A header and nothing below it.
    #[error("expected rows below the header, found none")]
    NoRows,
    /// A column that is not there.
    #[error("expected a column \"{column}\", found {columns}; check --label and --features")]
    MissingColumn {
        /// The name looked for.
        column: String,
        /// The columns there are, quoted, and a hint where commas are not what separates them.
        columns: String,
    },
    /// Two columns of one name.
    #[error(
        "column \"{column}\" stands in the header twice, as columns {first} and {second}; rename one"
    )]
    DuplicateColumn {
        /// The name.
        column: String,
        /// Place of the first, from 1.
        first: usize,
        /// Place of the second.
        second: usize,
    },
    /// Every column was asked for, and one has no name.
    #[error("column {place} has no name; name it, or choose columns with --features")]
    UnnamedColumn {
        /// Place in the header, from 1.
        place: usize,
    },
    /// The label among the features.
    #[error(
        "column \"{column}\" is the label and cannot be a feature too; take it out of --features"
    )]
    LabelIsFeature {
        /// The column.
        column: String,
    },
    /// A feature chosen twice.
    #[error("feature \"{column}\" is chosen twice; name it once")]
    RepeatedFeature {
        /// The feature.
        column: String,
    },
    /// No column beside the label.
    #[error("expected at least one column beside the label \"{label}\", found none")]
    NoFeature {
        /// The label column.
        label: String,
    },
    /// Too many features.
    #[error(
        "expected at most {MAX_FEATURES} features, found {found}; choose fewer with --features"
    )]
    TooManyFeatures {
        /// Number chosen.
        found: usize,
    },
    /// A row longer or shorter than the header.
    #[error("line {line}: expected {expected} cells as in the header, found {found}")]
    RowLength {
        /// Line on which the row begins, from 1.
        line: usize,
        /// Cells of the header.
        expected: usize,
        /// Cells of the row.
        found: usize,
    },
    /// A line break inside a cell that should be a number, a class or a name, or a quotation
    /// mark that is never closed.
    #[error(
        "line {line}: expected every cell to end on its line, found a line break inside quotation marks; is one left open?"
    )]
    OpenQuote {
        /// Line on which the row begins, from 1.
        line: usize,
    },
    /// A feature that is no number.
    #[error(
        "line {line}, column \"{column}\": expected a number, found \"{found}\"; correct it, leave the cell empty, or choose other columns with --features"
    )]
    NotANumber {
        /// Line on which the row begins, from 1.
        line: usize,
        /// The column.
        column: String,
        /// What the cell holds.
        found: String,
    },
    /// A number beyond 32-bit floats.
    #[error(
        "line {line}, column \"{column}\": expected a number between -3.4e38 and 3.4e38, found \"{found}\"; use larger units"
    )]
    Overflow {
        /// Line on which the row begins, from 1.
        line: usize,
        /// The column.
        column: String,
        /// What the cell holds.
        found: String,
    },
    /// Fewer classes than a triple needs.
    #[error(
        "column \"{label}\": expected {MIN_CLASSES} or more classes, found {found} in {rows} rows; is it the label?"
    )]
    TooFewClasses {
        /// The label column.
        label: String,
        /// Number of classes.
        found: usize,
        /// Rows without a missing value.
        rows: usize,
    },
    /// More classes than can be told apart.
    #[error(
        "line {line}, column \"{label}\": expected at most {MAX_CLASSES} classes, found one more; is it the label?"
    )]
    TooManyClasses {
        /// Line of the first class too many.
        line: usize,
        /// The label column.
        label: String,
    },
    /// A class that lost all its rows.
    #[error(
        "class \"{class}\": expected a row without a missing value, found none in {left_out}; choose other columns with --features, or take the class out"
    )]
    ClassWithoutRow {
        /// The class.
        class: String,
        /// Its rows, all left out.
        left_out: usize,
    },
    /// A class that a list of classes, a model's for instance, does not have.
    #[error("class \"{class}\" of the table is none of the {count} expected: {expected}")]
    UnknownClass {
        /// The class.
        class: String,
        /// Length of the list.
        count: usize,
        /// The list, quoted.
        expected: String,
    },
    /// A list of classes that names one twice.
    #[error("class \"{class}\" stands in the list of classes twice")]
    RepeatedClass {
        /// The class.
        class: String,
    },
    /// A draw of no rows.
    #[error("expected to draw 1 or more rows a class, found 0")]
    EmptyDraw,
    /// An item name of another table.
    #[error("unknown item \"{item}\": expected {table}#INDEX with INDEX in 0..={last}")]
    UnknownItem {
        /// The name given.
        item: String,
        /// Name of the table.
        table: String,
        /// Largest index.
        last: usize,
    },
    /// An index past the end.
    #[error("item {table}#{index} is out of range: the last row is {table}#{last}")]
    OutOfRange {
        /// Name of the table.
        table: String,
        /// The index given.
        index: usize,
        /// Largest index.
        last: usize,
    },
    /// A row of the file that a draw did not take.
    #[error(
        "item {table}#{index} is not among the {drawn} rows drawn; draw more rows a class, or use another seed"
    )]
    NotDrawn {
        /// Name of the table.
        table: String,
        /// The index given.
        index: usize,
        /// Rows that were drawn.
        drawn: usize,
    },
}

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

/// Reads a table from the bytes of a CSV file: commas, a header line, UTF-8 with or without a
/// byte order mark, any line ends, quoted cells, blanks around cells.
///
/// `label` is the column that holds the class, as text. `features` are the columns to read as
/// numbers, in this order; when empty, every column but the label, in the header's order.
/// Classes are sorted by name (by code point); [`Table::with_classes`] gives another order.
/// A row with a missing value (an empty cell, `NA`, `NaN`, `nan` or `?`) in the label or a
/// chosen column is left out and counted. Other columns may hold anything. Lines without any
/// text are passed over.
///
/// # Errors
/// [`TableError`] with line and column; the caller adds the path.
pub fn read_table(
    name: &str,
    content: &[u8],
    label: &str,
    features: &[String],
) -> Result<Table, TableError> {
    if content.len() as u64 > MAX_BYTES {
        return Err(TableError::TooLarge);
    }
    let text = std::str::from_utf8(content).map_err(|error| TableError::NotUtf8 {
        line: 1 + line_ends(&content[..error.valid_up_to()]),
    })?;
    let mut records = Records::new(text);
    let Some(header_line) = records.advance() else {
        return Err(TableError::Empty);
    };
    let header = records.record.clone();
    check_closed(header_line, header.iter())?;
    let header: Vec<&str> = header.iter().map(str::trim).collect();
    let columns = choose_columns(header_line, &header, label, features)?;
    let chosen = || columns.features.iter().map(|&at| header[at]);

    let mut rows = Rows::default();
    while let Some(line) = records.advance() {
        let record = &records.record;
        if record.len() != header.len() {
            return Err(TableError::RowLength {
                line,
                expected: header.len(),
                found: record.len(),
            });
        }
        let cells = columns.features.iter().map(|&at| &record[at]);
        check_closed(line, cells.clone().chain([&record[columns.label]]))?;
        rows.push(line, cells.zip(chosen()), &record[columns.label], label)?;
    }
    if records.ends_inside_quotes() {
        return Err(TableError::OpenQuote { line: records.line });
    }
    rows.into_table(name, label, chosen(), sha256_hex([content]))
}

/// Reads a table from a CSV file as [`read_table`] does; the file's name without its extension
/// names the table.
///
/// # Errors
/// [`TableError`]; the size is checked before the file is read, and the caller adds the path.
pub fn read_table_file(path: &Path, label: &str, features: &[String]) -> Result<Table, TableError> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    read_table(&name, &read_limited(path)?, label, features)
}

/// A file's content, unless it is larger than a table may be.
pub(super) fn read_limited(path: &Path) -> Result<Vec<u8>, TableError> {
    let file = std::fs::File::open(path).map_err(TableError::Read)?;
    let size = file.metadata().map_err(TableError::Read)?.len();
    if size > MAX_BYTES {
        return Err(TableError::TooLarge);
    }
    let mut content = Vec::new();
    // A pipe or a file that still grows has no size to check beforehand; one byte past the
    // limit is enough for `read_table` to refuse it.
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut content)
        .map_err(TableError::Read)?;
    Ok(content)
}

/// Where the chosen columns stand in the header.
struct Columns {
    label: usize,
    features: Vec<usize>,
}

fn choose_columns(
    line: usize,
    header: &[&str],
    label: &str,
    features: &[String],
) -> Result<Columns, TableError> {
    let find = |name: &str| {
        let name = name.trim();
        let mut places = (0..header.len()).filter(|&at| header[at] == name);
        match (places.next(), places.next()) {
            (Some(at), None) => Ok(at),
            (Some(first), Some(second)) => Err(TableError::DuplicateColumn {
                column: shown(name),
                first: first + 1,
                second: second + 1,
            }),
            (None, _) if header.iter().all(|cell| cell.parse::<f64>().is_ok()) => {
                Err(TableError::NoHeader { line })
            }
            (None, _) => {
                let hint = match header {
                    [_] => " alone (are they separated by commas?)",
                    _ => "",
                };
                Err(TableError::MissingColumn {
                    column: shown(name),
                    columns: quoted_list(header) + hint,
                })
            }
        }
    };
    let label_at = find(label)?;
    let features = if features.is_empty() {
        let others: Vec<usize> = (0..header.len()).filter(|&at| at != label_at).collect();
        check_count(others.len())?;
        if let Some(&at) = others.iter().find(|&&at| header[at].is_empty()) {
            return Err(TableError::UnnamedColumn { place: at + 1 });
        }
        others
            .into_iter()
            .map(|at| find(header[at]))
            .collect::<Result<Vec<_>, _>>()?
    } else {
        check_count(features.len())?;
        let mut chosen = Vec::with_capacity(features.len());
        for feature in features {
            let at = find(feature)?;
            if at == label_at {
                return Err(TableError::LabelIsFeature {
                    column: shown(feature),
                });
            }
            if chosen.contains(&at) {
                return Err(TableError::RepeatedFeature {
                    column: shown(feature),
                });
            }
            chosen.push(at);
        }
        chosen
    };
    if features.is_empty() {
        return Err(TableError::NoFeature {
            label: shown(label),
        });
    }
    Ok(Columns {
        label: label_at,
        features,
    })
}

fn check_count(found: usize) -> Result<(), TableError> {
    if found > MAX_FEATURES {
        return Err(TableError::TooManyFeatures { found });
    }
    Ok(())
}

/// Rows as they are read; classes by their first appearance.
#[derive(Default)]
struct Rows {
    classes: HashMap<String, usize>,
    values: Vec<f32>,
    labels: Vec<usize>,
    lines: Vec<usize>,
    /// Rows of each class that were left out.
    left_out_of: Vec<usize>,
    /// Rows left out for want of a label.
    unlabelled: usize,
    read: usize,
}

impl Rows {
    /// Adds a row, or counts it as left out. `cells` are the chosen ones with their columns.
    fn push<'cell, 'column>(
        &mut self,
        line: usize,
        cells: impl Iterator<Item = (&'cell str, &'column str)>,
        class: &str,
        label: &str,
    ) -> Result<(), TableError> {
        self.read += 1;
        let start = self.values.len();
        let mut missing = false;
        // A row that is left out anyway must hold numbers all the same.
        for (cell, column) in cells {
            match parse_number(line, column, cell.trim())? {
                Some(value) => self.values.push(value),
                None => missing = true,
            }
        }
        let class = class.trim();
        let class = if MISSING.contains(&class) {
            None
        } else {
            Some(self.class_of(line, class, label)?)
        };
        match class {
            Some(class) if !missing => {
                self.labels.push(class);
                self.lines.push(line);
                return Ok(());
            }
            Some(class) => self.left_out_of[class] += 1,
            None => self.unlabelled += 1,
        }
        self.values.truncate(start);
        Ok(())
    }

    fn class_of(&mut self, line: usize, class: &str, label: &str) -> Result<usize, TableError> {
        if let Some(&number) = self.classes.get(class) {
            return Ok(number);
        }
        let number = self.classes.len();
        if number == MAX_CLASSES {
            return Err(TableError::TooManyClasses {
                line,
                label: shown(label),
            });
        }
        self.classes.insert(class.to_owned(), number);
        self.left_out_of.push(0);
        Ok(number)
    }

    fn into_table<'a>(
        self,
        name: &str,
        label: &str,
        features: impl Iterator<Item = &'a str>,
        sha256: String,
    ) -> Result<Table, TableError> {
        if self.read == 0 {
            return Err(TableError::NoRows);
        }
        let mut with_rows = vec![false; self.classes.len()];
        for &class in &self.labels {
            with_rows[class] = true;
        }
        let sorted: BTreeMap<String, usize> = self.classes.into_iter().collect();
        if let Some((class, &number)) = sorted.iter().find(|(_, number)| !with_rows[**number]) {
            return Err(TableError::ClassWithoutRow {
                class: shown(class),
                left_out: self.left_out_of[number],
            });
        }
        let kept = self.labels.len();
        if sorted.len() < MIN_CLASSES {
            return Err(TableError::TooFewClasses {
                label: shown(label),
                found: sorted.len(),
                rows: kept,
            });
        }
        let mut place = vec![0; sorted.len()];
        for (at, &number) in sorted.values().enumerate() {
            place[number] = at;
        }
        Ok(Table {
            name: name.to_owned(),
            label_column: label.trim().to_owned(),
            features: features.map(str::to_owned).collect(),
            classes: sorted.into_keys().collect(),
            values: self.values,
            labels: self.labels.iter().map(|&class| place[class]).collect(),
            indices: (0..kept).collect(),
            lines: self.lines,
            kept,
            left_out: self.left_out_of.iter().sum::<usize>() + self.unlabelled,
            sha256,
        })
    }
}

/// The number in a trimmed cell; nothing when it is missing.
fn parse_number(line: usize, column: &str, cell: &str) -> Result<Option<f32>, TableError> {
    if MISSING.contains(&cell) {
        return Ok(None);
    }
    match cell.parse::<f32>() {
        Ok(value) if value.is_finite() => Ok(Some(value)),
        // Rust reads `inf` and `NAN`, too, which no one measured; `1e39` becomes infinite.
        Ok(_) if cell.contains(|c: char| c.is_ascii_digit()) => Err(TableError::Overflow {
            line,
            column: shown(column),
            found: shown(cell),
        }),
        _ => Err(TableError::NotANumber {
            line,
            column: shown(column),
            found: shown(cell),
        }),
    }
}

/// Refuses cells with a line break inside: a quotation mark left open swallows whole rows.
fn check_closed<'a>(
    line: usize,
    mut cells: impl Iterator<Item = &'a str>,
) -> Result<(), TableError> {
    if cells.any(|cell| cell.trim().contains(['\n', '\r'])) {
        return Err(TableError::OpenQuote { line });
    }
    Ok(())
}

/// The records of a CSV text with the lines they begin on.
struct Records<'a> {
    text: &'a str,
    reader: csv::Reader<&'a [u8]>,
    record: csv::StringRecord,
    /// Where the last record begins, bytes.
    start: usize,
    /// The line on which it begins, from 1.
    line: usize,
    /// Whether its last cell holds a line break.
    breaks: bool,
}

impl<'a> Records<'a> {
    fn new(text: &'a str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        Self {
            text,
            reader,
            record: csv::StringRecord::new(),
            start: 0,
            line: 1,
            breaks: false,
        }
    }

    /// Goes to the next record that is more than blanks. Gives its line.
    fn advance(&mut self) -> Option<usize> {
        loop {
            let more = self
                .reader
                .read_record(&mut self.record)
                .expect("text in memory, of any number of cells a row, is always CSV");
            if !more {
                return None;
            }
            let at = self.record.position().map_or(0, csv::Position::byte) as usize;
            // The reader's position stands before the blank lines that it passes over.
            let rest = &self.text[at..];
            let start = at + rest.len() - rest.trim_start_matches(['\n', '\r']).len();
            self.line += line_ends(&self.text.as_bytes()[self.start..start]);
            self.start = start;
            let last = self.record.iter().next_back().unwrap_or_default();
            self.breaks = last.contains(['\n', '\r']);
            if self.record.len() > 1 || !last.trim().is_empty() {
                return Some(self.line);
            }
        }
    }

    /// Whether the text ends inside a quoted cell of the last record.
    fn ends_inside_quotes(&self) -> bool {
        self.breaks && !self.text.trim_end().ends_with('"')
    }
}

/// Line ends in `bytes`: `\n`, `\r\n` and a lone `\r` are one each.
fn line_ends(bytes: &[u8]) -> usize {
    let newlines = bytes.iter().filter(|&&byte| byte == b'\n').count();
    let returns = bytes.iter().filter(|&&byte| byte == b'\r').count();
    let pairs = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
    newlines + returns - pairs
}

/// Text of a file as a message shows it.
fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown = String::new();
    for (at, character) in text.chars().enumerate() {
        if at == LONGEST {
            shown.push_str("...");
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Names as a message lists them.
fn quoted_list<T: AsRef<str>>(names: &[T]) -> String {
    const MOST: usize = 20;
    let mut list: Vec<String> = names
        .iter()
        .take(MOST)
        .map(|name| format!("\"{}\"", shown(name.as_ref())))
        .collect();
    if names.len() > MOST {
        list.push(format!("and {} more", names.len() - MOST));
    }
    list.join(", ")
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
