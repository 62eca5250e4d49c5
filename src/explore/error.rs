//! Why a request gets no answer.

use crate::engine::EngineError;
use crate::job::JobError;
use crate::pipeline::PipelineError;
use crate::remedy::{Setting, respelled};
use crate::run::{RunError, remedy_of};
use crate::sections::SectionError;
use std::error::Error;

/// Why the explorer cannot be opened, or a request gets no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExploreError {
    /// The job.
    #[error(transparent)]
    Job(#[from] JobError),
    /// Computing.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
    /// An engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A run, read or saved.
    #[error(transparent)]
    Run(Box<RunError>),
    /// An exact boundary.
    #[error(transparent)]
    Section(#[from] SectionError),
    /// What is asked for does not fit what is explored.
    #[error("{problem}")]
    Refused {
        /// What was expected, what was found, what to do.
        problem: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Listen {
        /// The port that was asked for, 0 for any.
        port: u16,
        /// What the system says.
        source: std::io::Error,
    },
    /// The system gives no random bytes for the token.
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
}

impl From<RunError> for ExploreError {
    fn from(error: RunError) -> Self {
        Self::Run(Box::new(error))
    }
}

/// A setting as the page names it.
fn name(setting: Setting) -> String {
    match setting {
        Setting::Out => "folder".to_owned(),
        Setting::Force => "the command line's force".to_owned(),
        setting => setting.name().replace('_', " "),
    }
}

impl ExploreError {
    pub(super) fn refused(problem: impl Into<String>) -> Self {
        Self::Refused {
            problem: problem.into(),
        }
    }

    /// Whether the work was stopped because nobody wants it any more.
    pub(super) fn is_interrupted(&self) -> bool {
        match self {
            Self::Pipeline(error) => matches!(error, PipelineError::Interrupted),
            Self::Job(error) => error.is_interrupted(),
            Self::Run(error) => error.is_interrupted(),
            _ => false,
        }
    }

    /// The error that this one only passes on.
    fn passed_on(&self) -> &(dyn Error + 'static) {
        match self {
            Self::Job(error) => error,
            Self::Pipeline(error) => error,
            Self::Engine(error) => error,
            Self::Run(error) => error.as_ref(),
            Self::Section(error) => error,
            own => own,
        }
    }

    /// The error, what caused it, and what to do about it, in one line, with settings as the page
    /// names them.
    pub(super) fn sentence(&self) -> String {
        let first = self.passed_on();
        let mut parts: Vec<String> = Vec::new();
        let mut next = Some(first);
        while let Some(error) = next {
            let text = respelled(&error.to_string(), name);
            if !parts.last().is_some_and(|before| before.contains(&text)) {
                parts.push(text);
            }
            next = error.source();
        }
        let mut text = parts.join(": ");
        if let Some(remedy) = remedy_of(first) {
            text.push_str(&format!("; {}", remedy.words(name)));
        }
        text
    }
}
