//! Why a job cannot be loaded, or its inputs cannot be read.

use crate::data::{ImageError, ImageSetError, TableError};
use crate::landscape::{TripleError, TriplesFileError, WalkError};
use crate::mesh::FeatureError;
use crate::model::ModelError;
use crate::pipeline::PipelineError;
use crate::remedy::{Remedy, Setting};
use std::error::Error;
use std::fmt::Display;

/// Any error of a room below.
pub(crate) type Cause = Box<dyn Error + Send + Sync>;

/// Why a job cannot be loaded, or its inputs cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// Something is wrong in a file, an item or a triple.
    #[error("{place}")]
    At {
        /// Where.
        place: String,
        /// What.
        source: Cause,
    },
    /// Something is wrong with what a setting says.
    #[error("{}", format!("{} {value}", setting.name()).trim_end())]
    In {
        /// The setting.
        setting: Setting,
        /// Its value; empty where there is nothing to quote.
        value: String,
        /// What.
        source: Cause,
    },
    /// What is asked for does not fit together.
    #[error("{problem}")]
    Unfit {
        /// Place, what was expected, what was found.
        problem: String,
        /// What to do about it.
        remedy: Option<Remedy>,
    },
    /// An image set.
    #[error(transparent)]
    Images(#[from] ImageSetError),
    /// An image.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// A table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Triples of items.
    #[error(transparent)]
    Triple(#[from] TripleError),
    /// A list of triples.
    #[error(transparent)]
    TriplesFile(#[from] TriplesFileError),
    /// A grid of feature cells.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// A walk.
    #[error(transparent)]
    Walk(#[from] WalkError),
    /// Computing.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

impl JobError {
    /// What is asked for does not fit together, with nothing more to say about it.
    pub(crate) fn unfit(problem: impl Into<String>) -> Self {
        Self::Unfit {
            problem: problem.into(),
            remedy: None,
        }
    }

    /// The same, and what to do: `text` with `{}` for each of `settings`.
    pub(crate) fn unfit_but(
        problem: impl Into<String>,
        text: impl Into<String>,
        settings: &[Setting],
    ) -> Self {
        Self::Unfit {
            problem: problem.into(),
            remedy: Some(Remedy::new(text, settings)),
        }
    }

    /// What a setting says is refused.
    pub(crate) fn setting(setting: Setting, value: impl Display, source: Self) -> Self {
        Self::In {
            setting,
            value: value.to_string(),
            source: source.into(),
        }
    }

    /// What to do about it, where this error itself says it.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Unfit { remedy, .. } => remedy.clone(),
            Self::Feature(error) => error.remedy(),
            Self::Walk(error) => error.remedy(),
            Self::Triple(error) => Some(error.remedy()),
            Self::Pipeline(error) => error.remedy(),
            _ => None,
        }
    }

    /// The setting that is refused, and its value, where this error itself is about one.
    pub fn refused_setting(&self) -> Option<(Setting, &str)> {
        match self {
            Self::In { setting, value, .. } => Some((*setting, value)),
            _ => None,
        }
    }

    /// Whether an observer stopped the job.
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Self::Pipeline(PipelineError::Interrupted))
    }
}

/// Says where an error came from.
pub(crate) trait Located<T> {
    /// In a file, an item, a triple.
    fn at(self, place: impl Display) -> Result<T, JobError>;

    /// In what a setting says.
    fn in_setting(self, setting: Setting, value: impl Display) -> Result<T, JobError>;
}

impl<T, E: Into<Cause>> Located<T> for Result<T, E> {
    fn at(self, place: impl Display) -> Result<T, JobError> {
        self.map_err(|source| JobError::At {
            place: place.to_string(),
            source: source.into(),
        })
    }

    fn in_setting(self, setting: Setting, value: impl Display) -> Result<T, JobError> {
        self.map_err(|source| JobError::In {
            setting,
            value: value.to_string(),
            source: source.into(),
        })
    }
}
