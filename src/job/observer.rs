//! Who watches a job: a terminal with a progress bar, a notebook, nobody.
//!
//! Nothing below the command line prints, and nothing there knows of Ctrl-C: a job tells its
//! observer what it has done and what a user should know, and asks it whether to go on.

use crate::remedy::Remedy;
use std::fmt;
use std::ops::ControlFlow;

/// Hears of a job while it runs. Calls may come from several threads at once.
pub trait Observer: Sync {
    /// A stage begins; [`Observer::advance`] counts towards its total from here on.
    fn begin(&self, _stage: Stage) {}

    /// So many more are done, 0 where the job only asks whether to stop. On
    /// [`ControlFlow::Break`] the job ends as interrupted; what is finished is kept.
    fn advance(&self, _done: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// So many more were there already, from an earlier start; they are those of `landscapes`
    /// landscapes in all.
    fn keep(&self, _done: usize, _landscapes: usize) {}

    /// The stage is over.
    fn end(&self) {}

    /// Something a user should know.
    fn note(&self, _note: &Note) {}
}

/// Hears nothing and stops nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}

/// What is counted while a stage runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// How many there are.
    pub total: usize,
    /// What is counted, in the plural: `frames`.
    pub unit: &'static str,
}

/// How much a note matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// What the program assumed, or left out.
    Note,
    /// What is most often a mistake.
    Warning,
}

/// A line for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How much it matters.
    pub weight: Weight,
    /// What there is to say.
    pub text: String,
    /// What can be done about it.
    pub remedy: Option<Remedy>,
}

impl Note {
    /// Something the program assumed, or left out.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            weight: Weight::Note,
            text: text.into(),
            remedy: None,
        }
    }

    /// Something the program assumed, and what to do where that is wrong.
    pub fn but(text: impl Into<String>, remedy: Remedy) -> Self {
        Self {
            remedy: Some(remedy),
            ..Self::new(text)
        }
    }

    /// Something that is most often a mistake, and what can be done about it.
    pub fn warning(text: impl Into<String>, remedy: Remedy) -> Self {
        Self {
            weight: Weight::Warning,
            ..Self::but(text, remedy)
        }
    }
}

impl fmt::Display for Note {
    /// With settings by their names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Note => "note",
            Weight::Warning => "warning",
        };
        write!(f, "{weight}: {}", self.text)?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {}", remedy.words(|setting| setting.name().to_owned())),
            None => Ok(()),
        }
    }
}
