//! Which table of measurements.

use super::ClassOrderName;
use crate::data::{Delimiter, Header, MAX_TABLE_BYTES};
use crate::job::TableSource;
use anyhow::Context;
use clap::Args;
use std::io::Read;
use std::path::PathBuf;

/// Which table.
#[derive(Debug, Args)]
pub(in crate::cli) struct TableArgs {
    /// iris, hawks or seeds, or a table: a file whose name ends in .csv, .tsv, .tab, .data or .txt,
    /// each also with .gz, or - for standard input
    #[arg(long, value_name = "NAME|FILE.csv", default_value = "iris")]
    data: String,
    #[command(flatten)]
    columns: ColumnArgs,
    /// The order of the classes, and so of the outputs of a model that does not name them [default:
    /// number if all labels are numbers, else text, as scikit-learn sorts them]
    #[arg(long, value_enum, value_name = "ORDER")]
    class_order: Option<ClassOrderName>,
    /// A folder laid out like the project's data/, used instead of the bundled data
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// What the columns of a table are.
#[derive(Debug, Args)]
pub(in crate::cli) struct ColumnArgs {
    /// The column of a table that holds the class
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// The columns of a table to take; put a name with a comma in double quotation marks. They are
    /// matched to the model's features by name if it names them; otherwise give them in the order
    /// the model takes them [default: those that the model names, or all but the label]
    #[arg(long, value_name = "A,B,...")]
    features: Vec<String>,
    /// Columns of a table to leave out, where they are neither the label nor features: an id, a date
    #[arg(long, value_name = "A,B,...", conflicts_with = "features")]
    without: Vec<String>,
    /// What separates the cells of a table: comma, semicolon, tab, bar, blanks or a character; if
    /// it is not a comma, numbers may have decimal commas [default: detected from the first line]
    #[arg(long, value_name = "NAME", value_parser = parse_delimiter)]
    delimiter: Option<Delimiter>,
    /// The first line of the table is already a row; its columns are named 1, 2 and so on
    #[arg(long)]
    no_header: bool,
}

fn parse_delimiter(text: &str) -> Result<Delimiter, String> {
    Delimiter::try_from(text.to_owned())
}

impl TableArgs {
    /// The table that they stand for.
    pub(in crate::cli) fn source(&self) -> anyhow::Result<TableSource> {
        Ok(TableSource {
            class_order: self.class_order.map(ClassOrderName::order),
            ..self.columns.source(&self.data, self.data_dir.as_ref())?
        })
    }
}

impl ColumnArgs {
    /// Whether any of them is given.
    pub(in crate::cli) fn is_given(&self) -> bool {
        self.label.is_some()
            || !self.features.is_empty()
            || !self.without.is_empty()
            || self.delimiter.is_some()
            || self.no_header
    }

    /// The table at a place; what comes on standard input is read.
    pub(in crate::cli) fn source(
        &self,
        place: &str,
        root: Option<&PathBuf>,
    ) -> anyhow::Result<TableSource> {
        let content = match place {
            "-" => {
                let mut content = Vec::new();
                (std::io::stdin().lock())
                    .take(MAX_TABLE_BYTES + 1)
                    .read_to_end(&mut content)
                    .context("standard input")?;
                Some(content)
            }
            _ => None,
        };
        Ok(TableSource {
            place: place.to_owned(),
            root: root.cloned(),
            content,
            label: self.label.clone(),
            features: self.features.clone(),
            without: self.without.clone(),
            delimiter: self.delimiter,
            header: match self.no_header {
                true => Header::Missing,
                false => Header::Names,
            },
            ..TableSource::default()
        })
    }
}
