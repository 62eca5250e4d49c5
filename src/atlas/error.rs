//! Why an atlas cannot be planned, computed or summed up.

use crate::data::FileError;
use crate::job::JobError;
use crate::pipeline::PipelineError;
use crate::remedy::{Remedy, Setting};
use crate::run::{RunError, remedy_of};
use parquet::errors::ParquetError;
use std::path::{Path, PathBuf};

/// Why an atlas cannot be planned, computed or summed up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AtlasError {
    /// The plan, the model or the data are not what they were, or not what a plan can be made of:
    /// trying again does not help.
    #[error("{problem}")]
    Refused {
        /// Place, what was expected, what was found.
        problem: String,
        /// What to do about it.
        remedy: Option<Remedy>,
    },
    /// Shards are missing.
    #[error("{problem}")]
    Unfinished {
        /// Which.
        problem: String,
    },
    /// A file that is no shard.
    #[error("{}", .path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ParquetError,
    },
    /// Loading, computing or writing.
    #[error("{0}")]
    Run(#[source] Box<RunError>),
}

impl AtlasError {
    pub(super) fn refused(problem: impl Into<String>) -> Self {
        Self::Refused {
            problem: problem.into(),
            remedy: None,
        }
    }

    pub(super) fn refused_but(
        problem: impl Into<String>,
        text: &'static str,
        settings: &[Setting],
    ) -> Self {
        Self::Refused {
            problem: problem.into(),
            remedy: Some(Remedy::new(text, settings)),
        }
    }

    pub(super) fn table(path: &Path, source: ParquetError) -> Self {
        Self::Table {
            path: path.to_owned(),
            source,
        }
    }

    /// Whether trying again cannot help: the plan, the model or the data are others.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::Run(error) => {
                matches!(&**error, RunError::Job(error) if !error.is_interrupted())
            }
            _ => false,
        }
    }

    /// Whether an observer stopped the work.
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Self::Run(error) if error.is_interrupted())
    }

    /// What to do about it, where this error itself says it.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Refused { remedy, .. } => remedy.clone(),
            Self::Unfinished { .. } => Some(Remedy::new(
                "`morphscape atlas run` computes what is missing; {} sums up without it",
                &[Setting::AllowMissing],
            )),
            // In the chain of causes stands the box, which is not downcast to what is in it.
            Self::Run(error) => remedy_of(&**error),
            Self::Table { .. } => None,
        }
    }
}

impl From<RunError> for AtlasError {
    fn from(error: RunError) -> Self {
        Self::Run(Box::new(error))
    }
}

impl From<JobError> for AtlasError {
    fn from(error: JobError) -> Self {
        RunError::from(error).into()
    }
}

impl From<PipelineError> for AtlasError {
    fn from(error: PipelineError) -> Self {
        RunError::from(error).into()
    }
}

impl From<FileError> for AtlasError {
    fn from(error: FileError) -> Self {
        RunError::from(error).into()
    }
}
