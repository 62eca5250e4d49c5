//! A job whose model, data and triples are loaded and fit together: ready to compute.
//!
//! ```text
//! Job ─ load ─> LoadedJob ─ landscapes() ─> LandscapeId ─ compute ─> LandscapeFile
//!                  └─ plan() ─> what a run's manifest keeps
//! ```
//!
//! Images and rows differ in how inputs are fetched and computed, and in nothing that is above
//! this file.

mod computing;
mod loading;
mod told;

pub(crate) use computing::AsLabelled;
pub(crate) use told::ListOf;

use super::error::JobError;
use super::images::LoadedImages;
use super::landscapes::{LandscapeId, landscapes_of};
use super::model::LoadedModel;
use super::own::{OwnInput, OwnItems};
use super::spec::Job;
use super::tables::LoadedTable;
use crate::data::{Image, PointLists, Table};
use crate::landscape::{GridKind, Items, ListedItem, Triple};
use crate::pipeline::{FlatSettings, MapNetwork, MorphSettings};
use crate::sections::{Space, SpaceKind};

/// A job that is ready to compute.
#[derive(Debug)]
pub struct LoadedJob {
    job: Job,
    model: LoadedModel,
    class_names: Vec<String>,
    triples: Vec<Triple>,
    items: LoadedItems,
    /// Those of the triples that are not among the data's.
    own: OwnItems,
    /// Where items lie of which planes or triangles are wanted.
    space: Option<Space>,
    /// The network that cuts them, or why there is none.
    sections: Option<MapNetwork>,
}

/// What landscapes lie between.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of it a job")]
enum LoadedItems {
    Images {
        loaded: LoadedImages,
        sha256: String,
        settings: MorphSettings,
        /// Feature points that a user has set.
        points: Option<PointLists>,
    },
    Rows {
        /// All rows.
        whole: LoadedTable,
        /// Those that groups are drawn from.
        drawn: Table,
        steps: usize,
    },
}

impl LoadedJob {
    /// What was asked for.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// The classifier.
    pub fn model(&self) -> &LoadedModel {
        &self.model
    }

    /// The name of every class of the model.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The triples that landscapes lie between.
    pub fn triples(&self) -> &[Triple] {
        &self.triples
    }

    /// All landscapes, in the order of their names: those of a triple stay together.
    pub fn landscapes(&self) -> Vec<LandscapeId> {
        landscapes_of(self.kind(), &self.triples)
    }

    /// How the inputs of its landscapes come from their items.
    pub fn kind(&self) -> GridKind {
        self.job.kind()
    }

    /// Planes or triangles as they are laid, and the space they lie in; nothing where landscapes are
    /// others.
    pub(crate) fn flat(&self) -> Option<(&FlatSettings, &Space)> {
        self.job.flat().zip(self.space.as_ref())
    }

    /// Points a side of a landscape.
    pub fn steps(&self) -> usize {
        match &self.items {
            LoadedItems::Images { settings, .. } => settings.steps,
            LoadedItems::Rows { steps, .. } => *steps,
        }
    }

    /// Its images, as they were loaded; nothing where the items are rows.
    #[cfg(feature = "atlas")]
    pub(super) fn loaded_images(&self) -> Option<&LoadedImages> {
        match &self.items {
            LoadedItems::Images { loaded, .. } => Some(loaded),
            LoadedItems::Rows { .. } => None,
        }
    }

    /// Its whole table; nothing where the items are images.
    #[cfg(feature = "atlas")]
    pub(super) fn loaded_table(&self) -> Option<&LoadedTable> {
        match &self.items {
            LoadedItems::Images { .. } => None,
            LoadedItems::Rows { whole, .. } => Some(whole),
        }
    }

    /// What the items are.
    pub fn items(&self) -> Items {
        match &self.items {
            LoadedItems::Images { loaded, .. } => Items::Images {
                shape: loaded.images.image_shape(),
            },
            LoadedItems::Rows { drawn, .. } => Items::Rows {
                features: drawn.features().to_vec(),
            },
        }
    }

    /// Values of an input of the model.
    pub(crate) fn input_values(&self) -> usize {
        self.items().len()
    }

    /// The name of the item at a position, e.g. `t10k#9`.
    pub fn item_name(&self, position: usize) -> String {
        if let Some(own) = self.own.get(position) {
            return own.name.clone();
        }
        match &self.items {
            LoadedItems::Images { loaded, .. } => loaded.images.item_name(position),
            LoadedItems::Rows { drawn, .. } => drawn.item_name(position),
        }
    }

    /// The item at a position as a list of triples has it.
    pub(crate) fn listed_item(&self, position: usize) -> ListedItem {
        match self.own.get(position) {
            Some(own) => own.listed.clone(),
            None => ListedItem::Name(self.item_name(position)),
        }
    }

    /// How many items groups are drawn from and lists may name.
    pub fn num_items(&self) -> usize {
        match &self.items {
            LoadedItems::Images { loaded, .. } => loaded.images.len(),
            LoadedItems::Rows { drawn, .. } => drawn.len(),
        }
    }

    /// The class of the item at a position.
    ///
    /// # Panics
    /// Where there is none, as in what follows.
    pub fn item_class(&self, position: usize) -> usize {
        if let Some(own) = self.own.get(position) {
            return own.class;
        }
        match &self.items {
            LoadedItems::Images { loaded, .. } => loaded.images.label(position),
            LoadedItems::Rows { drawn, .. } => drawn.label(position),
        }
    }

    /// The position of the item of this name.
    ///
    /// # Errors
    /// [`JobError`] where there is none.
    pub fn item_named(&self, name: &str) -> Result<usize, JobError> {
        Ok(match &self.items {
            LoadedItems::Images { loaded, .. } => loaded.images.index_of(name)?,
            LoadedItems::Rows { drawn, .. } => drawn.index_of(name)?,
        })
    }

    /// The image at a position; nothing where the items are rows.
    ///
    /// # Errors
    /// [`JobError`] where its file cannot be read any more.
    pub fn image(&self, position: usize) -> Result<Option<Image>, JobError> {
        match (&self.items, self.own.get(position).map(|own| &own.input)) {
            (LoadedItems::Images { .. }, Some(OwnInput::Image(image))) => Ok(Some(image.clone())),
            (LoadedItems::Images { loaded, .. }, _) => Ok(Some(loaded.images.image(position)?)),
            (LoadedItems::Rows { .. }, _) => Ok(None),
        }
    }

    /// The row at a position; nothing where the items are images.
    pub fn row(&self, position: usize) -> Option<&[f32]> {
        match &self.items {
            LoadedItems::Images { .. } => None,
            LoadedItems::Rows { .. } => Some(self.row_at(position)),
        }
    }

    /// The row at a position, of items that are rows.
    fn row_at(&self, position: usize) -> &[f32] {
        match (&self.items, self.own.get(position).map(|own| &own.input)) {
            (_, Some(OwnInput::Row(row))) => row,
            (LoadedItems::Rows { drawn, .. }, _) => drawn.row(position),
            (LoadedItems::Images { .. }, _) => unreachable!("asked of rows alone"),
        }
    }

    /// The space that sections of the model are cut in.
    pub(super) fn space_kind(&self) -> SpaceKind {
        match &self.items {
            LoadedItems::Images { .. } => SpaceKind::Images,
            LoadedItems::Rows { .. } => SpaceKind::Rows,
        }
    }
}
