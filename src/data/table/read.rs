//! CSV to a table: the header, the chosen columns, and each row's numbers and class.

use super::error::{quoted_list, shown};
use super::{Table, TableError};
use crate::data::{InputError, read_bytes, sha256_hex};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The largest file accepted, bytes: tables of measurements are a thousand times smaller.
pub(super) const MAX_BYTES: u64 = 256 << 20;

/// Most rows accepted: 100,000 times as many as a figure shows.
pub(super) const MAX_ROWS: usize = 1 << 24;

/// The longest line accepted, bytes. A cell of a line takes up to 24 bytes where it is split,
/// however short it is.
pub(super) const MAX_LINE_BYTES: usize = 1 << 20;

/// Most classes accepted: past it the label column most likely holds measurements.
pub(super) const MAX_CLASSES: usize = 1000;

/// Most features accepted.
pub(super) const MAX_FEATURES: usize = 1000;

/// Fewest classes that make a triple.
pub(super) const MIN_CLASSES: usize = 3;

/// Cells that mean "not measured": nothing, R's and Python's words, and UCI's question mark.
const MISSING: [&str; 5] = ["", "NA", "NaN", "nan", "?"];

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
/// It takes 256 MiB of at most 16,777,216 rows, in lines of at most 1 MiB, 1000 features and 1000
/// classes; a table in memory takes up to 10 times as much as its file.
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
    check_lines(text)?;
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
        if rows.read > MAX_ROWS {
            return Err(TableError::TooManyRows { line });
        }
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
pub(in crate::data) fn read_limited(path: &Path) -> Result<Vec<u8>, TableError> {
    read_bytes(path, MAX_BYTES).map_err(|error| match error {
        InputError::TooLarge { .. } => TableError::TooLarge,
        other => TableError::Input(other),
    })
}

/// Refuses lines that no table has.
fn check_lines(text: &str) -> Result<(), TableError> {
    let mut rest = text.as_bytes();
    while rest.len() > MAX_LINE_BYTES {
        let ahead = &rest[..=MAX_LINE_BYTES];
        // From the last line end that is near enough.
        let Some(end) = ahead.iter().rposition(|byte| b"\n\r".contains(byte)) else {
            let before = &text.as_bytes()[..text.len() - rest.len()];
            return Err(TableError::LongLine {
                line: 1 + line_ends(before),
            });
        };
        rest = &rest[end + 1..];
    }
    Ok(())
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
