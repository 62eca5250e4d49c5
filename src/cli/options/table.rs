//! Which table of measurements.

use crate::job::TableSource;
use clap::Args;
use std::path::PathBuf;

/// Which table.
#[derive(Debug, Args)]
pub(in crate::cli) struct TableArgs {
    /// iris, hawks or seeds, or a CSV file
    #[arg(long, value_name = "NAME|FILE.csv", default_value = "iris")]
    data: String,
    /// The column of a CSV file that holds the class
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// The columns of a CSV file to take, in the order the model takes them [default: every one
    /// but the label]
    #[arg(long, value_name = "A,B,...", value_delimiter = ',')]
    features: Vec<String>,
    /// A folder laid out like the project's data/, used instead of the bundled data
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl TableArgs {
    /// The table that they stand for.
    pub(in crate::cli) fn source(&self) -> TableSource {
        TableSource {
            place: self.data.clone(),
            root: self.data_dir.clone(),
            label: self.label.clone(),
            features: self.features.clone(),
        }
    }
}
