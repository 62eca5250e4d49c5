//! What can be wrong with a table, and how its text is shown.

use super::limits::{MAX_CLASSES, MAX_FEATURES, MAX_LINE_BYTES, MAX_ROWS, MAX_TABLE_BYTES};
use crate::data::InputError;

/// Why a table was refused, or an item of it. Text from the file is shortened, with control
/// characters escaped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Rows of a host program that are none.
    #[error(
        "expected {rows} rows of {features} finite numbers with labels below {classes}, found {found}"
    )]
    Memory {
        /// Rows, as there are labels.
        rows: usize,
        /// Numbers a row.
        features: usize,
        /// Classes.
        classes: usize,
        /// What is there instead.
        found: String,
    },
    /// Too large.
    #[error(
        "expected a table of at most {MAX_TABLE_BYTES} bytes, found more; keep fewer rows or columns"
    )]
    TooLarge,
    /// More rows than can be of use.
    #[error("line {line}: expected a table of at most {MAX_ROWS} rows, found more; keep fewer")]
    TooManyRows {
        /// Line of the first row too many.
        line: usize,
    },
    /// A line that is too long.
    #[error(
        "line {line}: expected lines of at most {MAX_LINE_BYTES} bytes, found a longer one; is it CSV?"
    )]
    LongLine {
        /// The line, from 1.
        line: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("line {line}: expected UTF-8 text, found other bytes; save the table as CSV in UTF-8")]
    NotUtf8 {
        /// Line of the first such byte, from 1.
        line: usize,
    },
    /// UTF-16 that is none.
    #[error(
        "expected UTF-16 text, as its first two bytes say, found other bytes; save the table as CSV in UTF-8"
    )]
    NotUtf16,
    /// The gzip stream is damaged.
    #[error("the gzip stream is damaged; fetch the file again")]
    Gzip(#[source] std::io::Error),
    /// Nothing in the file.
    #[error("expected a header line with column names, found an empty file")]
    Empty,
    /// Numbers where the column names should be.
    #[error(
        "line {line}: expected a header line with column names, found only numbers; put the names above them, or give `no_header`, which names the columns 1, 2 and so on"
    )]
    NoHeader {
        /// Line of the first row.
        line: usize,
    },
    /// A header and nothing below it.
    #[error("expected rows below the header, found none")]
    NoRows,
    /// A column that is not there.
    #[error("expected a column \"{column}\", found {columns}; {remedy}")]
    MissingColumn {
        /// The name looked for.
        column: String,
        /// The columns there are, quoted.
        columns: String,
        /// What was meant, most likely.
        remedy: String,
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
    #[error("column {place} has no name; name it, or choose columns with `features`")]
    UnnamedColumn {
        /// Place in the header, from 1.
        place: usize,
    },
    /// The label among the features.
    #[error(
        "column \"{column}\" is the label and cannot be a feature too; take it out of `features`"
    )]
    LabelIsFeature {
        /// The column.
        column: String,
    },
    /// The label among the columns that are left out.
    #[error("column \"{column}\" is the label and cannot be left out; take it out of `without`")]
    LabelLeftOut {
        /// The column.
        column: String,
    },
    /// A column that is a feature and is left out.
    #[error("column \"{column}\" is in `features` and in `without`; name it in one of them")]
    ChosenAndLeftOut {
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
        "expected at most {MAX_FEATURES} features, found {found}; choose fewer with `features`"
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
        "line {line}, column \"{column}\": expected a number, found \"{found}\"; correct it, leave the cell empty, or choose other columns with `features`"
    )]
    NotANumber {
        /// Line on which the row begins, from 1.
        line: usize,
        /// The column.
        column: String,
        /// What the cell holds.
        found: String,
    },
    /// Decimal commas and decimal points in one table.
    #[error(
        "expected decimal points or decimal commas, found both: {comma} on line {comma_line} and {point} on line {point_line}; write all numbers alike"
    )]
    MixedDecimals {
        /// A number with a comma.
        comma: String,
        /// Its line, from 1.
        comma_line: usize,
        /// A number with a point.
        point: String,
        /// Its line.
        point_line: usize,
    },
    /// Classes that should be numbers.
    #[error(
        "column \"{label}\": expected numbers for `class_order` number, found \"{class}\"; give `class_order` text or appearance"
    )]
    NotNumbers {
        /// The label column.
        label: String,
        /// A class that is no number.
        class: String,
    },
    /// Features that are not those of the table.
    #[error("expected columns {expected}, found {found}")]
    Features {
        /// The names wanted, quoted.
        expected: String,
        /// The table's.
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
    /// No row has a class.
    #[error(
        "column \"{label}\": expected classes, found no value in {rows} row{}; is it the column of the classes?",
        if *.rows == 1 { "" } else { "s" }
    )]
    NoClass {
        /// The label column.
        label: String,
        /// Rows of the file.
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
        "class \"{class}\": expected a row without a missing value, found none in {left_out}; choose other columns with `features`, or take the class out"
    )]
    ClassWithoutRow {
        /// The class.
        class: String,
        /// Its rows, all left out.
        left_out: usize,
    },
    /// A class that a list of classes, a model's for instance, does not have.
    #[error(
        "column \"{label}\": expected one of the {count} classes {expected}, found \"{class}\"{hint}; if its classes are called otherwise in the list, `class_names` gives theirs; if it is not the column of the classes, `label` names another"
    )]
    UnknownClass {
        /// The label column.
        label: String,
        /// The class.
        class: String,
        /// Length of the list.
        count: usize,
        /// The list, quoted.
        expected: String,
        /// Which of the list may be meant.
        hint: String,
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
    #[error(
        "unknown item \"{item}\": expected {table}#INDEX with INDEX from 0 to {last}{}",
        match .item.parse::<usize>() {
            Ok(index) if index <= *.last => format!("; did you mean {table}#{index}?"),
            _ => String::new(),
        }
    )]
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
    /// A row that was left out.
    #[error(
        "item {table}#{index} was left out: on line {line} a value is missing; fill it in, or choose other columns with `features`"
    )]
    LeftOut {
        /// Name of the table.
        table: String,
        /// The index given.
        index: usize,
        /// Line of the row, from 1.
        line: usize,
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

/// Text of a file as a message shows it.
pub(super) fn shown(text: &str) -> String {
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
pub(super) fn quoted_list<T: AsRef<str>>(names: &[T]) -> String {
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
