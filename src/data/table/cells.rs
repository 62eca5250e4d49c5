//! What a cell says: a number, nothing, or something else.

use super::error::{TableError, shown};

/// Cells that mean "not measured": nothing, the words of pandas, R and SQL, Excel's errors of
/// that kind, UCI's question mark and a dash.
const MISSING: [&str; 26] = [
    "", "NA", "N/A", "n/a", "na", "NaN", "nan", "-NaN", "-nan", "null", "Null", "NULL", "None",
    "none", "<NA>", "#N/A", "#NA", "#N/A N/A", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "?",
    "-", "--", "\u{2013}",
];

/// Those of them that a class is likely called: a strand, a charge, a shop without a name.
const CLASS_NAMES: [&str; 5] = ["na", "none", "-", "--", "\u{2013}"];

/// Whether a trimmed cell says that a number is missing.
pub(super) fn is_missing(cell: &str) -> bool {
    MISSING.contains(&cell)
}

/// Whether a trimmed cell says that the label is missing, as pandas has it, or UCI.
pub(super) fn is_missing_label(cell: &str) -> bool {
    is_missing(cell) && !CLASS_NAMES.contains(&cell)
}

/// How the numbers of a table are written, found out cell by cell.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Whether a comma may stand for the decimal point: not where it separates cells.
    pub(super) commas_allowed: bool,
    /// Line and text of the first number with a decimal comma.
    pub(super) comma: Option<(usize, String)>,
    /// Line and text of the first one with a decimal point.
    point: Option<(usize, String)>,
    /// Whether a cell was True or False.
    pub(super) truths: bool,
}

impl Numbers {
    /// The number in a trimmed cell; nothing when it is missing.
    pub(super) fn parse(
        &mut self,
        line: usize,
        column: &str,
        cell: &str,
    ) -> Result<Option<f32>, TableError> {
        if is_missing(cell) {
            return Ok(None);
        }
        if self.commas_allowed && is_decimal_comma(cell) {
            if self.comma.is_none() {
                self.comma = Some((line, cell.to_owned()));
            }
            self.check_one_kind()?;
            return finite(line, column, cell, &cell.replacen(',', ".", 1)).map(Some);
        }
        if self.commas_allowed && self.point.is_none() && cell.contains('.') {
            self.point = Some((line, cell.to_owned()));
            self.check_one_kind()?;
        }
        match cell {
            // As pandas reads a column of them, and as Python counts them.
            "True" | "TRUE" | "true" => {
                self.truths = true;
                Ok(Some(1.0))
            }
            "False" | "FALSE" | "false" => {
                self.truths = true;
                Ok(Some(0.0))
            }
            _ => finite(line, column, cell, cell).map(Some),
        }
    }

    /// Refuses a table in which `1,234` may be a thousand and more.
    fn check_one_kind(&self) -> Result<(), TableError> {
        match (&self.comma, &self.point) {
            (Some((comma_line, comma)), Some((point_line, point))) => {
                Err(TableError::MixedDecimals {
                    comma: shown(comma),
                    comma_line: *comma_line,
                    point: shown(point),
                    point_line: *point_line,
                })
            }
            _ => Ok(()),
        }
    }
}

/// A number whose decimal point is a comma: `5,1`, `-0,3e2`.
fn is_decimal_comma(cell: &str) -> bool {
    let Some((before, after)) = cell.split_once(',') else {
        return false;
    };
    let digits = before.trim_start_matches(['+', '-']);
    before.len() <= digits.len() + 1
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && after.starts_with(|c: char| c.is_ascii_digit())
        && after.parse::<f64>().is_ok()
        && !after.contains('.')
}

/// What `text` is as a number; `cell` is what the file has.
fn finite(line: usize, column: &str, cell: &str, text: &str) -> Result<f32, TableError> {
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() => Ok(value),
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
