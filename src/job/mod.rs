//! What is asked: jobs as plain data, and what they name, loaded.
//!
//! ```text
//! SweepJob, InterpolateJob ─ load ─> LoadedJob ─ compute ─> landscapes
//! CompareJob, ModelsJob, MorphJob, LineJob, WalkJob ─> what `run` works through with them
//! ```
//!
//! A job is serde data that any face makes: arguments of a command line, keywords in Python, a
//! request of a browser, the manifest of a finished run. Loading reads the files it names and
//! checks that everything fits together, so that what can be wrong is found before the work; an
//! [`Observer`] hears what had to be assumed. Nothing here knows of folders of results.

mod compare;
mod data;
mod error;
mod images;
mod landscapes;
mod line;
mod lines;
mod loaded;
mod model;
mod models;
mod morph;
mod observer;
mod order;
mod own;
mod spec;
mod tables;
mod triples;
pub mod walk;

pub use crate::sections::Exactness;
pub use compare::CompareJob;
pub use data::LoadedData;
pub use error::JobError;
pub(crate) use error::{Cause, Located};
pub use images::{ImageSource, LoadedImages, find_image, find_image_for};
pub use landscapes::{LandscapeId, landscapes_of};
pub use line::{LineData, LineJob, LoadedLine};
pub use lines::{LinesJob, LoadedLines, Pairs, drawn_pairs};
pub use loaded::LoadedJob;
pub(crate) use loaded::{AsLabelled, ListOf};
pub use model::{FEW_LABELLED, LoadedModel, ModelSource, labels_warning};
#[cfg(feature = "explore")]
pub(crate) use models::Once;
pub(crate) use models::outputs_for;
pub use models::{ItemAnswer, LoadedModels, MARGIN_ITEMS, ModelsJob};
pub use morph::{LoadedMorph, MorphJob};
pub use observer::{Note, Observer, Silent, Stage, Weight};
#[cfg(feature = "explore")]
pub(crate) use own::own_name;
pub use spec::{InterpolateJob, Job, SweepJob};
pub use tables::{LoadedTable, TableSource, is_table};
pub use triples::{Groups, Triples, class_number};
