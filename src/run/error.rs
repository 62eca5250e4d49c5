//! Why a folder of results cannot be written, read or checked.

use crate::data::FileError;
use crate::engine::EngineError;
use crate::job::{Cause, JobError};
use crate::landscape::{TripleError, WalkError};
use crate::mesh::FeatureError;
use crate::pipeline::PipelineError;
use crate::remedy::{Remedy, Setting};
use crate::report::AddWalkError;
use std::fmt::Display;
use std::path::Path;

/// Why a folder of results cannot be written, read or checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Something is wrong with a file, or cannot be done to it.
    #[error("{place}")]
    At {
        /// Which.
        place: String,
        /// What.
        source: Cause,
    },
    /// What is found is not what is expected.
    #[error("{problem}")]
    Refused {
        /// Place, what was expected, what was found.
        problem: String,
        /// What to do about it.
        remedy: Option<Remedy>,
    },
    /// An observer stopped a run that resumes when it is started again.
    #[error("interrupted: {folder} holds {done} of {all} {what}")]
    Stopped {
        /// The run's folder.
        folder: String,
        /// How many are there.
        done: usize,
        /// How many there will be.
        all: usize,
        /// Of what: `landscapes`, `lines`.
        what: &'static str,
    },
    /// The job.
    #[error(transparent)]
    Job(#[from] JobError),
    /// Computing.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// A report that cannot show a walk.
    #[error(transparent)]
    Report(#[from] AddWalkError),
    /// A file that cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl RunError {
    /// What is found is not what is expected; nothing more can be said about it.
    pub(crate) fn refused(problem: impl Into<String>) -> Self {
        Self::Refused {
            problem: problem.into(),
            remedy: None,
        }
    }

    /// The same, and what to do: `text` with `{}` for each of `settings`.
    pub(crate) fn refused_but(
        problem: impl Into<String>,
        text: &'static str,
        settings: &[Setting],
    ) -> Self {
        Self::Refused {
            problem: problem.into(),
            remedy: Some(Remedy::new(text, settings)),
        }
    }

    /// If an observer stopped a run that resumes when it is started again, says how much of it
    /// `folder` holds; any other error stays as it is.
    pub(crate) fn or_stopped(
        self,
        folder: &Path,
        what: &'static str,
        [done, all]: [usize; 2],
    ) -> Self {
        match self.is_interrupted() {
            true => Self::Stopped {
                folder: folder.display().to_string(),
                done,
                all,
                what,
            },
            false => self,
        }
    }

    /// What to do about it, where this error itself says it.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Refused { remedy, .. } => remedy.clone(),
            Self::Stopped { .. } => Some(Remedy::new("give the same command again to resume", &[])),
            Self::Job(error) => error.remedy(),
            Self::Pipeline(error) => error.remedy(),
            _ => None,
        }
    }

    /// The setting that is refused, and its value, where this error itself is about one.
    pub fn refused_setting(&self) -> Option<(Setting, &str)> {
        match self {
            Self::Job(error) => error.refused_setting(),
            _ => None,
        }
    }

    /// Whether an observer stopped the run.
    pub fn is_interrupted(&self) -> bool {
        match self {
            Self::Pipeline(PipelineError::Interrupted) | Self::Stopped { .. } => true,
            Self::Job(error) => error.is_interrupted(),
            _ => false,
        }
    }
}

/// Says where an error came from.
pub(crate) trait Placed<T> {
    /// At a file, or in what is done to it.
    fn placed(self, place: impl Display) -> Result<T, RunError>;
}

impl<T, E: Into<Cause>> Placed<T> for Result<T, E> {
    fn placed(self, place: impl Display) -> Result<T, RunError> {
        self.map_err(|source| RunError::At {
            place: place.to_string(),
            source: source.into(),
        })
    }
}

/// What an error itself says can be done about it, of whatever room it is.
fn own_remedy(error: &(dyn std::error::Error + 'static)) -> Option<Remedy> {
    fn of<E: std::error::Error + 'static>(
        error: &(dyn std::error::Error + 'static),
        remedy: impl FnOnce(&E) -> Option<Remedy>,
    ) -> Option<Remedy> {
        error.downcast_ref().and_then(remedy)
    }
    of(error, RunError::remedy)
        .or_else(|| of(error, JobError::remedy))
        .or_else(|| of(error, PipelineError::remedy))
        .or_else(|| of(error, |error: &EngineError| Some(error.remedy())))
        .or_else(|| of(error, FeatureError::remedy))
        .or_else(|| of(error, WalkError::remedy))
        .or_else(|| of(error, |error: &TripleError| Some(error.remedy())))
}

/// What an error or one that it was caused by says can be done about it, the innermost first.
pub fn remedy_of(error: &(dyn std::error::Error + 'static)) -> Option<Remedy> {
    let inner = error.source().and_then(remedy_of);
    inner.or_else(|| own_remedy(error))
}
