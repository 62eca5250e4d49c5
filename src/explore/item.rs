//! An item of a view: as a request names it, and as it is looked up.

use crate::data::Image;
use crate::landscape::Items;
use crate::sections::SpaceKind;
use serde::{Deserialize, Serialize};

/// One input.
#[derive(Debug, Clone)]
pub(super) enum Input {
    Image(Image),
    Row(Vec<f32>),
}

impl Input {
    pub(super) fn values(&self) -> &[f32] {
        match self {
            Self::Image(image) => &image.levels,
            Self::Row(row) => row,
        }
    }
}

/// An item as a request names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Pick {
    /// An item of the data, by its position.
    Item(usize),
    /// An item that the user brought, by its number.
    Own(u64),
    /// Any point of the space of features.
    Row(Vec<f32>),
}

/// An item with its class and name.
#[derive(Debug, Clone)]
pub(super) struct Picked {
    pub(super) input: Input,
    /// Of the data, or where there is none, the model's answer.
    pub(super) class: usize,
    pub(super) name: String,
}

/// What the coordinates of items are.
pub(super) fn space_kind(items: &Items) -> SpaceKind {
    match items {
        Items::Rows { .. } => SpaceKind::Rows,
        Items::Images { .. } => SpaceKind::Images,
    }
}
