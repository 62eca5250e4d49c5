//! Text to a table: the header, the chosen columns, and each row's numbers and class.

use super::cells::{Numbers, is_missing_label};
use super::error::{quoted_list, shown};
use super::limits::{MAX_CLASSES, MAX_FEATURES, MAX_LINE_BYTES, MAX_ROWS, MAX_TABLE_BYTES};
use super::text::{Delimiter, decode, line_ends, sniff};
use super::{Table, TableError, column_of_feature};
use crate::data::class_order::{ClassOrder, Number};
use crate::data::{InputError, read_bytes, sha256_hex};
use crate::remedy::did_you_mean;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// How a table is read.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    /// The columns to read as numbers, in this order; an entry that is no column is a list of
    /// them as a row of CSV is, so that names with commas can stand in quotation marks. When
    /// empty, every column but the label and those of `without`, in the header's order.
    pub features: Vec<String>,
    /// Columns that are not features: an id, a date. Entries are read as those of `features` are.
    pub without: Vec<String>,
    /// The columns to read instead of every one, in this order, if the header has all of them: the
    /// features by which a model was trained.
    pub preferred: Vec<String>,
    /// What separates cells; without it that is found out.
    pub delimiter: Option<Delimiter>,
    /// The order of classes; without it that of scikit-learn: of numbers if all labels are
    /// numbers, else of text.
    pub class_order: Option<ClassOrder>,
    /// Whether the first line has names.
    pub header: Header,
    /// What rows are counted by.
    pub numbering: Numbering,
}

/// What the first line of a table is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Header {
    /// The names of the columns.
    #[default]
    Names,
    /// A row like the others; the columns are named `1`, `2` and so on.
    Missing,
}

/// What `NAME#index` counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Numbering {
    /// The rows of the file, as pandas numbers them, those left out included.
    #[default]
    File,
    /// The rows that are kept, as the paper's tables number them.
    Kept,
}

/// Reads a table as [`read_table_with`] does: `features`, or every column but the label.
///
/// # Errors
/// [`TableError`] with line and column; the caller adds the path.
pub fn read_table(
    name: &str,
    content: &[u8],
    label: &str,
    features: &[String],
) -> Result<Table, TableError> {
    let options = TableOptions {
        features: features.to_vec(),
        ..TableOptions::default()
    };
    read_table_with(name, content, label, &options)
}

/// Reads a table from the bytes of a file: cells separated by commas, semicolons, tabs, bars or
/// blanks, a header line, UTF-8 with or without a byte order mark or UTF-16 with one, gzipped or
/// not, any line ends, quoted cells, blanks around cells.
///
/// `label` is the column that holds the class, as text. Labels that are all numbers are classes by
/// their values, `1` and `1.0` the same, unless an order of text is asked for;
/// [`Table::with_classes`] gives any other order. Where cells are not separated by commas, numbers
/// may have decimal commas. `True` and `False` are 1 and 0.
/// A row with a missing value (an empty cell, `NA`, `null`, `?` or another of the usual words) in
/// the label or a chosen column is left out and counted. Other columns may hold anything. Lines
/// without any text are passed over. What was assumed, [`Table::notes`] says.
///
/// It takes 256 MiB of at most 16,777,216 rows, in lines of at most 1 MiB, 1000 features and 1000
/// classes; a table in memory takes up to 10 times as much as its file.
///
/// # Errors
/// [`TableError`] with line and column; the caller adds the path.
pub fn read_table_with(
    name: &str,
    content: &[u8],
    label: &str,
    options: &TableOptions,
) -> Result<Table, TableError> {
    let text = decode(content)?;
    check_lines(&text)?;
    let has_header = options.header == Header::Names;
    let (delimiter, text) = match options.delimiter {
        Some(delimiter) => (delimiter, text),
        None => sniff(text, label, has_header),
    };
    let text = delimiter.prepare(text);
    let mut records = Records::new(&text, delimiter.byte());
    let Some(header_line) = records.advance() else {
        return Err(TableError::Empty);
    };
    let header: Vec<String> = if has_header {
        let cells = records.record.iter();
        check_closed(header_line, cells.clone())?;
        cells.map(|cell| cell.trim().to_owned()).collect()
    } else {
        let cells = 1..=records.record.len();
        // The line is read again, as a row.
        records = Records::new(&text, delimiter.byte());
        cells.map(|place| place.to_string()).collect()
    };
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let columns = choose_columns(header_line, &header, label, options)?;
    let chosen = || columns.features.iter().map(|&at| header[at]);

    let mut rows = Rows::default();
    rows.numbers.commas_allowed = delimiter != Delimiter::COMMA;
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
    let mut table = rows.into_table(name, label, options)?;
    table.features = chosen().map(str::to_owned).collect();
    table.delimiter = delimiter;
    table.sha256 = sha256_hex([content]);
    if options.delimiter.is_none() && delimiter != Delimiter::COMMA {
        let names = match delimiter {
            Delimiter::Blanks => "runs of blanks".to_owned(),
            other => format!("{}s", other.name()),
        };
        table.notes.insert(
            0,
            format!("cells are separated by {names}; if not, give `delimiter`"),
        );
    }
    if columns.by_model {
        table.notes.push(format!(
            "takes the columns {}, by the names of the model's features",
            table.features.join(", ")
        ));
    }
    Ok(table)
}

/// Reads a table from a file as [`read_table_with`] does; the file's name without its extension
/// names the table.
///
/// # Errors
/// [`TableError`]; the size is checked before the file is read, and the caller adds the path.
pub fn read_table_file(
    path: &Path,
    label: &str,
    options: &TableOptions,
) -> Result<Table, TableError> {
    let mut stem = Path::new(path.file_stem().unwrap_or_default());
    if path
        .extension()
        .is_some_and(|last| last.eq_ignore_ascii_case("gz"))
    {
        stem = Path::new(stem.file_stem().unwrap_or_default());
    }
    read_table_with(
        &stem.to_string_lossy(),
        &read_limited(path)?,
        label,
        options,
    )
}

/// A file's content, unless it is larger than a table may be.
pub(in crate::data) fn read_limited(path: &Path) -> Result<Vec<u8>, TableError> {
    read_bytes(path, MAX_TABLE_BYTES).map_err(|error| match error {
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
    /// Whether a model's names chose them, and others or another order stood there.
    by_model: bool,
}

fn choose_columns(
    line: usize,
    header: &[&str],
    label: &str,
    options: &TableOptions,
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
            (None, _)
                if options.header == Header::Names
                    && header.iter().all(|cell| cell.parse::<f64>().is_ok()) =>
            {
                Err(TableError::NoHeader { line })
            }
            (None, _) => Err(TableError::MissingColumn {
                column: shown(name),
                columns: quoted_list(header),
                remedy: remedy_for(name, header, options.header),
            }),
        }
    };
    let label_at = find(label)?;
    let mut left_out = Vec::new();
    for name in column_names(&options.without, header) {
        let at = find(&name)?;
        if at == label_at {
            return Err(TableError::LabelLeftOut {
                column: shown(&name),
            });
        }
        left_out.push(at);
    }
    let is_other = |at: usize| at != label_at && !left_out.contains(&at);
    let preferred: Option<Vec<usize>> = (options.preferred.iter())
        .map(|name| column_of_feature(header.iter().copied(), name).filter(|&at| is_other(at)))
        .collect();
    let others = (0..header.len()).filter(|&at| is_other(at));
    let (features, by_model) = match preferred {
        Some(preferred) if options.features.is_empty() && !preferred.is_empty() => {
            let by_model = !others.eq(preferred.iter().copied());
            (preferred, by_model)
        }
        _ if options.features.is_empty() => {
            let others: Vec<usize> = others.collect();
            check_count(others.len())?;
            if let Some(&at) = others.iter().find(|&&at| header[at].is_empty()) {
                return Err(TableError::UnnamedColumn { place: at + 1 });
            }
            let features: Result<_, _> = others.into_iter().map(|at| find(header[at])).collect();
            (features?, false)
        }
        _ => {
            let names = column_names(&options.features, header);
            check_count(names.len())?;
            let mut chosen = Vec::with_capacity(names.len());
            for feature in names {
                let at = find(&feature)?;
                if at == label_at {
                    return Err(TableError::LabelIsFeature {
                        column: shown(&feature),
                    });
                }
                if left_out.contains(&at) {
                    return Err(TableError::ChosenAndLeftOut {
                        column: shown(&feature),
                    });
                }
                if chosen.contains(&at) {
                    return Err(TableError::RepeatedFeature {
                        column: shown(&feature),
                    });
                }
                chosen.push(at);
            }
            (chosen, false)
        }
    };
    check_count(features.len())?;
    if features.is_empty() {
        return Err(TableError::NoFeature {
            label: shown(label),
        });
    }
    Ok(Columns {
        label: label_at,
        features,
        by_model,
    })
}

/// What to do about a column that a header does not have.
fn remedy_for(name: &str, header: &[&str], first_line: Header) -> String {
    let numbers = header.iter().filter(|cell| cell.parse::<f64>().is_ok());
    let meant = did_you_mean(name, header.iter().copied());
    match (header, first_line) {
        _ if !meant.is_empty() => meant.trim_start_matches("; ").to_owned(),
        ([_], _) => "if another character separates the columns, give `delimiter`".to_owned(),
        // A row of measurements and its class.
        (_, Header::Names) if 2 * numbers.count() >= header.len() => {
            "if the first line is a row already, give `no_header`, which names the columns 1, 2 and so on"
                .to_owned()
        }
        _ => "check `label` and `features`".to_owned(),
    }
}

/// The columns that `entries` name: each one, or a list separated by commas.
fn column_names(entries: &[String], header: &[&str]) -> Vec<String> {
    let mut names = Vec::with_capacity(entries.len());
    for entry in entries {
        if header.contains(&entry.trim()) {
            names.push(entry.clone());
            continue;
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(entry.as_bytes());
        let before = names.len();
        for record in reader.records().map_while(Result::ok) {
            names.extend(record.iter().map(str::to_owned));
        }
        if names.len() == before {
            names.push(entry.clone());
        }
    }
    names
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
    indices: Vec<usize>,
    lines: Vec<usize>,
    numbers: Numbers,
    /// Rows of each class that were left out.
    left_out_of: Vec<usize>,
    /// Index and line of each row that was left out.
    left_out: Vec<(usize, usize)>,
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
        let index = self.read;
        self.read += 1;
        let start = self.values.len();
        let mut missing = false;
        // A row that is left out anyway must hold numbers all the same.
        for (cell, column) in cells {
            match self.numbers.parse(line, column, cell.trim())? {
                Some(value) => self.values.push(value),
                None => missing = true,
            }
        }
        let class = class.trim();
        let class = if is_missing_label(class) {
            None
        } else {
            Some(self.class_of(line, class, label)?)
        };
        match class {
            Some(class) if !missing => {
                self.labels.push(class);
                self.indices.push(index);
                self.lines.push(line);
                return Ok(());
            }
            Some(class) => self.left_out_of[class] += 1,
            None => {}
        }
        self.left_out.push((index, line));
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

    /// The table of these rows, but for its features and what the file says as a whole.
    fn into_table(
        self,
        name: &str,
        label: &str,
        options: &TableOptions,
    ) -> Result<Table, TableError> {
        if self.read == 0 {
            return Err(TableError::NoRows);
        }
        let mut notes = Vec::new();
        if let Some((line, comma)) = &self.numbers.comma {
            notes.push(format!(
                "numbers have decimal commas, such as {} on line {line}, read as {}",
                shown(comma),
                shown(&comma.replacen(',', ".", 1))
            ));
        }
        if self.numbers.truths {
            notes.push("True and False are read as 1 and 0".into());
        }
        let ordered = order_classes(&self.classes, options.class_order, label, &mut notes)?;
        let mut left_out_of = vec![0; ordered.names.len()];
        let mut with_rows = vec![false; ordered.names.len()];
        for (class, &place) in ordered.places.iter().enumerate() {
            left_out_of[place] += self.left_out_of[class];
        }
        let labels: Vec<usize> = (self.labels.iter())
            .map(|&class| ordered.places[class])
            .collect();
        for &class in &labels {
            with_rows[class] = true;
        }
        if let Some(class) = with_rows.iter().position(|with_rows| !with_rows) {
            return Err(TableError::ClassWithoutRow {
                class: shown(&ordered.names[class]),
                left_out: left_out_of[class],
            });
        }
        let kept = labels.len();
        if ordered.names.is_empty() {
            return Err(TableError::NoClass {
                label: shown(label),
                rows: self.read,
            });
        }
        let (indices, rows) = match options.numbering {
            Numbering::File => (self.indices, self.read),
            Numbering::Kept => ((0..kept).collect(), kept),
        };
        Ok(Table {
            name: name.to_owned(),
            label_column: label.trim().to_owned(),
            features: Vec::new(),
            classes: ordered.names,
            class_order: ordered.order,
            values: self.values,
            labels,
            indices,
            lines: self.lines,
            rows,
            left_out: self.left_out,
            numbering: options.numbering,
            delimiter: Delimiter::COMMA,
            notes,
            sha256: String::new(),
        })
    }
}

/// Classes in their order.
struct Ordered {
    names: Vec<String>,
    /// Place of each class, by its number in the order of appearance.
    places: Vec<usize>,
    order: ClassOrder,
}

/// Puts classes, numbered as they appeared, into the order asked for, or that of scikit-learn.
fn order_classes(
    classes: &HashMap<String, usize>,
    order: Option<ClassOrder>,
    label: &str,
    notes: &mut Vec<String>,
) -> Result<Ordered, TableError> {
    let mut by_appearance: Vec<&str> = vec![""; classes.len()];
    for (class, &number) in classes {
        by_appearance[number] = class;
    }
    let numbers: Vec<Option<Number>> = (by_appearance.iter())
        .map(|class| Number::parse(class))
        .collect();
    let text_at = numbers.iter().position(Option::is_none);
    let order = order.unwrap_or(match text_at {
        None => ClassOrder::Number,
        Some(_) => ClassOrder::Text,
    });
    if let (ClassOrder::Number, Some(at)) = (order, text_at) {
        return Err(TableError::NotNumbers {
            label: shown(label),
            class: shown(by_appearance[at]),
        });
    }
    // The numbers of classes that are one, in order.
    let groups: Vec<Vec<usize>> = match order {
        ClassOrder::Appearance => (0..by_appearance.len())
            .map(|number| vec![number])
            .collect(),
        ClassOrder::Text => {
            let sorted: BTreeMap<&str, usize> = by_appearance.iter().copied().zip(0..).collect();
            sorted.into_values().map(|number| vec![number]).collect()
        }
        ClassOrder::Number => {
            let mut groups: BTreeMap<Option<Number>, Vec<usize>> = BTreeMap::new();
            for (number, value) in numbers.iter().enumerate() {
                groups.entry(*value).or_default().push(number);
            }
            groups.into_values().collect()
        }
    };
    let mut places = vec![0; by_appearance.len()];
    for (place, group) in groups.iter().enumerate() {
        for &number in group {
            places[number] = place;
        }
        if let [first, second, ..] = group[..] {
            notes.push(format!(
                "labels {} and {} are the same number, and one class",
                shown(by_appearance[first]),
                shown(by_appearance[second])
            ));
        }
    }
    let name = |group: &Vec<usize>| by_appearance[group[0]].to_owned();
    Ok(Ordered {
        names: groups.iter().map(name).collect(),
        places,
        order,
    })
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
    fn new(text: &'a str, delimiter: u8) -> Self {
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
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
