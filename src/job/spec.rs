//! The jobs that compute landscapes, as plain data.
//!
//! **A job is its own plan**: what it serialises to is what a run's manifest keeps, what a resumed
//! run must agree with, and what `verify` reads to compute it again. An option exists once, as a
//! field here. A field that is missing in an older manifest has its default.

use super::images::ImageSource;
use super::model::ModelSource;
use super::tables::TableSource;
use super::triples::Triples;
use crate::landscape::GridKind;
use crate::pipeline::{FlatSettings, MorphSettings};
use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// The plane or triangle through the items, in the place of morphs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flat: Option<FlatSettings>,
}

impl Default for SweepJob {
    /// The paper's job.
    fn default() -> Self {
        Self {
            model: ModelSource::default(),
            data: ImageSource::default(),
            triples: Triples::default(),
            morph: MorphSettings::default(),
            flat: None,
        }
    }
}

/// The tabular job: mix triples of rows and classify every mix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InterpolateJob {
    /// Which classifier.
    pub model: ModelSource,
    /// Which table.
    pub data: TableSource,
    /// Which triples of its rows.
    #[serde(rename = "choice")]
    pub triples: Triples,
    /// Random rows a class that groups are drawn from, 0 for all; without a number 50 of the
    /// paper's tables, as in the paper, and all of a file or for a list of triples.
    pub per_class: Option<usize>,
    /// Points a side of a grid.
    pub steps: usize,
    /// The plane or triangle through the rows, in the place of mixes of two with the third.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flat: Option<FlatSettings>,
}

impl Default for InterpolateJob {
    /// The paper's job on iris.
    fn default() -> Self {
        Self {
            model: ModelSource::default(),
            data: TableSource::default(),
            triples: Triples::default(),
            per_class: None,
            steps: 11,
            flat: None,
        }
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

    /// Name and root of the data it takes, to be changed.
    pub fn data_mut(&mut self) -> (&mut String, &mut Option<std::path::PathBuf>) {
        match self {
            Self::Sweep(job) => (&mut job.data.place, &mut job.data.root),
            Self::Interpolate(job) => (&mut job.data.place, &mut job.data.root),
        }
    }
}
