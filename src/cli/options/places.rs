//! Where the model and the data of a finished run lie now.

use crate::run::Moved;
use clap::Args;
use std::path::PathBuf;

/// Where model and data lie now.
#[derive(Debug, Args)]
pub(in crate::cli) struct Places {
    /// Where the run's model is now [default: the path in its manifest, from this folder]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Where the run's data are now [default: the path in its manifest, from this folder]
    #[arg(long, value_name = "NAME|PATH")]
    data: Option<String>,
    /// A folder laid out like the project's data/, used instead of the bundled data
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Places {
    /// What is given.
    pub(in crate::cli) fn moved(&self) -> Moved {
        Moved {
            model: self.model.clone(),
            data: self.data.clone(),
            root: self.data_dir.clone(),
        }
    }
}
