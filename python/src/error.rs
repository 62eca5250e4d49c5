//! Errors of the library as Python exceptions.
//!
//! An exception of a callable lies at the end of a chain of our errors: it is taken out again and
//! raised as it was, with a note of where the callable was asked.

#[cfg(feature = "atlas")]
use morphscape::atlas::AtlasError;
use morphscape::engine::EngineError as FailedEngine;
use morphscape::model::ModelError as UnfitModel;
use morphscape::pipeline::{InputPlace, PipelineError};
use morphscape::run::remedy_of;
use morphscape::{JobError, RunError};
use pyo3::exceptions::{PyKeyboardInterrupt, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use std::error::Error;

pyo3::create_exception!(
    morphscape,
    InputError,
    PyValueError,
    "Items, labels, settings or files that do not fit together."
);
pyo3::create_exception!(
    morphscape,
    ModelError,
    PyValueError,
    "A model that cannot be read, or answers that cannot be used."
);
pyo3::create_exception!(
    morphscape,
    EngineError,
    PyRuntimeError,
    "An engine that cannot be had, or that failed."
);

pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("InputError", py.get_type::<InputError>())?;
    module.add("ModelError", py.get_type::<ModelError>())?;
    module.add("EngineError", py.get_type::<EngineError>())
}

/// What landscapes a pipeline's numbers stand for: a line for each, `1A.3 (items#9, items#2, items#1)`.
pub(crate) type Places<'a> = &'a [String];

/// `error` as an exception; `places` are the landscapes that were computed, where there are any.
pub(crate) fn exception(
    py: Python<'_>,
    error: &(dyn Error + 'static),
    places: Places<'_>,
) -> PyErr {
    let mut asked = None;
    let mut cause = Some(error);
    while let Some(inner) = cause {
        if let Some(PipelineError::Network { from, to, .. }) = inner.downcast_ref() {
            asked = Some(asked_for(from, to, places));
        }
        if let Some(raised) = inner.downcast_ref::<PyErr>() {
            let raised = raised.clone_ref(py);
            if let Some(asked) = asked {
                // Python 3.10 has no notes.
                let _ = raised.value(py).call_method1("add_note", (asked,));
            }
            return raised;
        }
        cause = inner.source();
    }
    let text = text(error, places);
    match kind(error) {
        Kind::Interrupted => PyKeyboardInterrupt::new_err(()),
        Kind::Engine => EngineError::new_err(text),
        Kind::Model => ModelError::new_err(text),
        Kind::Input => InputError::new_err(text),
    }
}

enum Kind {
    Interrupted,
    Engine,
    Model,
    Input,
}

/// Whose fault an error is, by the first of its chain that says so.
fn kind(error: &(dyn Error + 'static)) -> Kind {
    let mut cause = Some(error);
    while let Some(inner) = cause {
        let interrupted = inner
            .downcast_ref::<RunError>()
            .is_some_and(RunError::is_interrupted)
            || inner
                .downcast_ref::<JobError>()
                .is_some_and(JobError::is_interrupted);
        match inner.downcast_ref::<PipelineError>() {
            _ if interrupted => return Kind::Interrupted,
            Some(PipelineError::Interrupted) => return Kind::Interrupted,
            Some(PipelineError::Engine(_) | PipelineError::Thread { .. }) => return Kind::Engine,
            Some(
                PipelineError::Network { .. }
                | PipelineError::AnswerShape { .. }
                | PipelineError::Answer { .. }
                | PipelineError::NotFinite { .. },
            ) => return Kind::Model,
            _ => {}
        }
        if inner.is::<UnfitModel>() {
            return Kind::Model;
        }
        if inner.is::<FailedEngine>() {
            return Kind::Engine;
        }
        cause = inner.source();
    }
    Kind::Input
}

/// An error, what caused it, and what to do about it, in one line.
fn text(error: &(dyn Error + 'static), places: Places<'_>) -> String {
    let mut text = match error.downcast_ref() {
        Some(PipelineError::Answer { place, found }) => {
            format!("the model answers {} with {found}", one(place, places))
        }
        _ => error.to_string(),
    };
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        // An error that only passes another on says the same.
        if !text.ends_with(&more) {
            text.push_str(&format!(": {more}"));
        }
        cause = inner.source();
    }
    let remedy = remedy_of(error);
    #[cfg(feature = "atlas")]
    let remedy = remedy.or_else(|| error.downcast_ref().and_then(AtlasError::remedy));
    if let Some(remedy) = remedy {
        let words = remedy.words(|setting| format!("{}=", setting.name()));
        text.push_str(&format!("; {words}"));
    }
    with_keywords(&text)
}

/// Some errors of the library still name an option of the command line: `--grid` is `grid=` here.
fn with_keywords(text: &str) -> String {
    let mut parts = text.split(" --");
    let mut words = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '-';
        let end = part.find(|letter| !is_name(letter)).unwrap_or(part.len());
        let (name, rest) = part.split_at(end);
        match name.is_empty() {
            true => words.push_str(" --"),
            false => words.push_str(&format!(" {}=", name.replace('-', "_"))),
        }
        words.push_str(rest);
    }
    // `grid=2`, as it is written in Python.
    for digit in '0'..='9' {
        words = words.replace(&format!("= {digit}"), &format!("={digit}"));
    }
    words
}

fn one(place: &InputPlace, places: Places<'_>) -> String {
    match *place {
        InputPlace::Point { landscape, point } if landscape < places.len() => {
            format!("frame {point} of landscape {}", places[landscape])
        }
        place => place.to_string(),
    }
}

/// `while the model was asked for frames 256 to 441 of landscape 1A.3 (items#9, ...)`.
fn asked_for(from: &InputPlace, to: &InputPlace, places: Places<'_>) -> String {
    let frames = match (from, to) {
        (
            InputPlace::Point { landscape, point },
            InputPlace::Point {
                landscape: same,
                point: last,
            },
        ) if landscape == same && *landscape < places.len() => {
            format!(
                "frames {point} to {last} of landscape {}",
                places[*landscape]
            )
        }
        _ => format!("{} to {}", one(from, places), one(to, places)),
    };
    format!("while the model was asked for {frames}")
}
