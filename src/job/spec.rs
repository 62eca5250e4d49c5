//! The jobs that compute landscapes, as plain data.
//!
//! **A job is its own plan**: what it serialises to is what a run's manifest keeps, what a resumed
//! run must agree with, and what `verify` reads to compute it again. An option exists once, as a
//! field here. A field that is missing in an older manifest has its default.

use super::images::{FASHION_MNIST, ImageSource};
use super::model::ModelSource;
use super::tables::TableSource;
use super::triples::Triples;
use crate::data::PaperTable;
use crate::defaults::with_defaults;
use crate::landscape::GridKind;
use crate::model::table_model_names;
use crate::pipeline::{FlatSettings, MorphSettings};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A job that computes landscapes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Job {
    /// Images, morphed into each other.
    Sweep(SweepJob),
    /// Rows of measurements, mixed linearly.
    Interpolate(InterpolateJob),
}

/// The image job: morph triples of images into grids and classify every frame.
///
/// Its default is the paper's job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SweepJob {
    /// Which classifier.
    pub model: ModelSource,
    /// Which images.
    pub data: ImageSource,
    /// Which triples of them.
    #[serde(rename = "choice")]
    pub triples: Triples,
    /// How they are morphed, and how many points a side a grid has.
    pub morph: MorphSettings,
    /// A file with the feature points of the items, in the place of those that are found
    /// ([`crate::data::read_points_file`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub points: Option<PathBuf>,
    /// The plane or triangle through the items, in the place of morphs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flat: Option<FlatSettings>,
}

with_defaults! {
    /// The tabular job: mix triples of rows and classify every mix.
    ///
    /// Its default is the paper's job on iris.
    #[derive(Debug, Clone, PartialEq)]
    pub struct InterpolateJob {
        /// Which classifier.
        pub model: ModelSource = ModelSource::default(),
        /// Which table.
        pub data: TableSource = TableSource::default(),
        /// Which triples of its rows.
        #[serde(rename = "choice")]
        pub triples: Triples = Triples::default(),
        /// Random rows a class that groups are drawn from, 0 for all; without a number 50 of the
        /// paper's tables, as in the paper, and all of a file or for a list of triples.
        pub per_class: Option<usize> = None,
        /// Points a side of a grid.
        pub steps: usize = 11,
        /// The plane or triangle through the rows, in the place of mixes of two with the third.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub flat: Option<FlatSettings> = None,
    }
}

impl Job {
    /// The kind of its landscapes.
    pub fn kind(&self) -> GridKind {
        match self {
            Self::Sweep(job) => job.flat.map_or_else(
                || GridKind::of_mode(job.morph.mode.name()),
                |flat| flat.kind(),
            ),
            Self::Interpolate(job) => job.flat.map_or(GridKind::Rows, |flat| flat.kind()),
        }
    }

    /// How points are laid through items, where they are not morphed or mixed two by two.
    pub fn flat(&self) -> Option<&FlatSettings> {
        match self {
            Self::Sweep(job) => job.flat.as_ref(),
            Self::Interpolate(job) => job.flat.as_ref(),
        }
    }

    /// The model it asks, to be changed: a run may be verified where its model lies elsewhere now.
    pub fn model_mut(&mut self) -> &mut ModelSource {
        match self {
            Self::Sweep(job) => &mut job.model,
            Self::Interpolate(job) => &mut job.model,
        }
    }

    /// The same job of another model.
    pub(crate) fn with_model(&self, model: &ModelSource) -> Self {
        let mut job = self.clone();
        job.model_mut().clone_from(model);
        job
    }

    /// Takes a list of triples of any of the data's items in the place of its own choice.
    pub(crate) fn take_items(&mut self, triples: Triples) {
        match self {
            Self::Sweep(job) => job.triples = triples,
            Self::Interpolate(job) => {
                job.triples = triples;
                job.per_class = Some(0);
            }
        }
    }

    /// Names its files and folders from the root of the file system, so that it means the same
    /// wherever it is computed. Names of what is bundled stay.
    pub fn make_absolute(&mut self) {
        if let Some(file) = &mut self.model_mut().file
            && !table_model_names().any(|name| file.as_os_str() == name)
        {
            make_absolute(file);
        }
        let (place, root) = self.data_mut();
        *place = absolute_place(place);
        if let Some(root) = root {
            make_absolute(root);
        }
    }

    /// Name and root of the data it takes, to be changed.
    pub fn data_mut(&mut self) -> (&mut String, &mut Option<std::path::PathBuf>) {
        match self {
            Self::Sweep(job) => (&mut job.data.place, &mut job.data.root),
            Self::Interpolate(job) => (&mut job.data.place, &mut job.data.root),
        }
    }
}

/// A place of data named from the root of the file system, where it is a file or folder that is
/// there. What is bundled stays so beside a folder of the same name.
fn absolute_place(place: &str) -> String {
    let mut path = PathBuf::from(place);
    if place != FASHION_MNIST && PaperTable::named(place).is_none() {
        make_absolute(&mut path);
    }
    path.to_str().unwrap_or(place).to_owned()
}

fn make_absolute(path: &mut PathBuf) {
    if path.exists()
        && let Ok(absolute) = std::path::absolute(&*path)
    {
        *path = absolute;
    }
}
