//! Which items there are: lists of positions, and a few items at a time with their pictures.

use super::error::ExploreError;
use super::item::Input;
use super::subject::Subject;
use crate::data::{Image, Picture, whole};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

/// Items that one answer shows at most.
const MAX_SHOWN: usize = 128;
/// Pictures of items are at most so large, pixels a side.
const MAX_PICTURE_PX: usize = 64;

/// Which items to list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Members {
    /// Those of a class; without it all.
    class: Option<usize>,
    /// Those whose name holds this text, or whose position it is; empty for all.
    #[serde(default)]
    search: String,
}

/// Which items to show.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    positions: Vec<usize>,
}

impl Subject {
    /// Positions of items, in their order, as little-endian 32-bit numbers.
    pub(super) fn members(&self, members: &Members) -> Vec<u8> {
        let search = members.search.trim().to_lowercase();
        let position: Option<usize> = search.parse().ok();
        let is_wanted = |&item: &usize| {
            members
                .class
                .is_none_or(|class| self.job.item_class(item) == class)
                && (search.is_empty()
                    || position == Some(item)
                    || self.job.item_name(item).to_lowercase().contains(&search))
        };
        (0..self.job.num_items())
            .filter(is_wanted)
            .flat_map(|item| (item as u32).to_le_bytes())
            .collect()
    }

    /// Names, classes and pictures of items, the pictures one under another; or their values.
    pub(super) fn shown(&self, shown: &Shown) -> Result<Value, ExploreError> {
        if shown.positions.len() > MAX_SHOWN {
            return Err(ExploreError::refused(format!(
                "expected at most {MAX_SHOWN} items, found {}",
                shown.positions.len()
            )));
        }
        let inputs = shown.positions.iter().map(|&item| self.item(item));
        let inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let items: Vec<Value> = (shown.positions.iter().zip(&inputs))
            .map(|(&item, input)| {
                let row = match input {
                    Input::Row(row) => Some(row),
                    Input::Image(_) => None,
                };
                json!({
                    "position": item,
                    "name": self.job.item_name(item),
                    "class": self.job.item_class(item),
                    "row": row,
                })
            })
            .collect();
        Ok(json!({"items": items, "pictures": pictures(&inputs)}))
    }
}

/// An image of whole levels as the text of a PNG.
pub(super) fn png_text(image: &Image) -> String {
    STANDARD.encode(Picture::from(image).to_png())
}

/// Images one under another as the address of a PNG, and the size of one.
pub(super) fn pictures(inputs: &[Input]) -> Value {
    let images: Vec<Picture> = (inputs.iter())
        .filter_map(|input| match input {
            Input::Image(image) => {
                let [height, width, channels] = image.shape();
                let shrink = height.max(width).div_ceil(MAX_PICTURE_PX).max(1);
                let small = [height.div_ceil(shrink), width.div_ceil(shrink), channels];
                let image = image.clone().fitted(small);
                Some(Picture {
                    width_px: image.width_px,
                    height_px: image.height_px,
                    channels,
                    levels: image.levels.iter().map(|&level| whole(level)).collect(),
                })
            }
            Input::Row(_) => None,
        })
        .collect();
    let Some(first) = images.first() else {
        return Value::Null;
    };
    let [width, height] = [first.width_px, first.height_px];
    let mut sheet = Picture::filled(width, height * images.len(), first.channels, 255);
    for (n, image) in images.iter().enumerate() {
        sheet.put(image, 0, n * height);
    }
    let png = STANDARD.encode(sheet.to_png());
    json!({"width_px": width, "height_px": height, "address": format!("data:image/png;base64,{png}")})
}
