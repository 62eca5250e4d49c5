//! Where the model and the data of a finished run lie now.

use super::ModelArgs;
use clap::Args;
use std::path::PathBuf;

/// Where model and data lie now.
#[derive(Debug, Args)]
pub(in crate::cli) struct Places {
    /// Where the run's model is now [default: where its command says, seen from here]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Where the run's data are now [default: where its command says, seen from here]
    #[arg(long, value_name = "NAME|PATH")]
    data: Option<String>,
    /// A folder laid out like the project's data/, used instead of the bundled data
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// What says which data a job takes.
pub(in crate::cli) struct DataPlace<'a> {
    /// The value of `--data`.
    pub(in crate::cli) name: &'a mut String,
    /// That of `--data-dir`.
    pub(in crate::cli) root: &'a mut Option<PathBuf>,
}

impl Places {
    /// Puts what is given in the place of what a job's arguments say.
    pub(in crate::cli) fn put(&self, model: &mut ModelArgs, data: DataPlace<'_>) {
        if let Some(path) = &self.model {
            model.take(path.clone());
        }
        if let Some(name) = &self.data {
            data.name.clone_from(name);
        }
        if let Some(folder) = &self.data_dir {
            *data.root = Some(folder.clone());
        }
    }
}
