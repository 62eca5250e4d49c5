//! Items that a list of triples holds itself: pictures and rows that are in no data set.
//!
//! They stand behind the items of the data: the first has the position that comes after the last of
//! these. So all that knows an item by its position knows them too. The list is a part of the job,
//! and so of a run's plan: the run can be computed again without any other file.

use super::error::{JobError, Located};
use crate::data::{Image, decode_image, sha256_hex};
use crate::landscape::{ListedItem, OwnImage, OwnRow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Text of a picture in a list at most: 16 MiB of PNG.
const MAX_PNG_TEXT: usize = (16 << 20) / 3 * 4;

/// The items of one list, in its order.
#[derive(Debug)]
pub(super) struct OwnItems {
    /// The position of the first.
    first: usize,
    kept: Vec<OwnItem>,
}

#[derive(Debug)]
pub(super) struct OwnItem {
    pub(super) name: String,
    pub(super) class: usize,
    pub(super) input: OwnInput,
    /// As the list has it.
    pub(super) listed: ListedItem,
}

#[derive(Debug)]
pub(super) enum OwnInput {
    Image(Image),
    Row(Vec<f32>),
}

/// The name of an item of these values, which is the same wherever they come from: `own#` and
/// twelve digits of their SHA-256.
pub(crate) fn own_name(values: &[f32]) -> String {
    let sha256 = sha256_hex([bytemuck::cast_slice(values)]);
    format!("own#{}", &sha256[..12])
}

/// The picture that an item holds.
pub(super) fn own_image(own: &OwnImage) -> Result<Image, JobError> {
    if own.png.len() > MAX_PNG_TEXT {
        return Err(JobError::unfit(format!(
            "an own picture: expected at most {MAX_PNG_TEXT} letters of base64, found {}",
            own.png.len()
        )));
    }
    let png = STANDARD.decode(&own.png).map_err(|error| {
        JobError::unfit(format!("an own picture: expected a PNG as base64: {error}"))
    })?;
    decode_image(&png).at("an own picture")
}

impl OwnItems {
    /// None, behind so many items of the data.
    pub(super) fn behind(items: usize) -> Self {
        Self {
            first: items,
            kept: Vec::new(),
        }
    }

    /// The item at a position, if it is one of these.
    pub(super) fn get(&self, position: usize) -> Option<&OwnItem> {
        self.kept.get(position.checked_sub(self.first)?)
    }

    /// Their names, which hold their values' digests.
    pub(super) fn names(&self) -> Vec<&str> {
        self.kept.iter().map(|item| item.name.as_str()).collect()
    }

    /// Takes a picture of the shape of the data's; its position and class.
    pub(super) fn add_image(
        &mut self,
        own: &OwnImage,
        shape: [usize; 3],
        num_classes: usize,
    ) -> Result<(usize, usize), JobError> {
        let image = own_image(own)?;
        if image.shape() != shape {
            let [height, width, channels] = shape;
            return Err(JobError::unfit(format!(
                "an own picture: expected {height} x {width} x {channels} as the data are, found {}",
                image.shape_text()
            )));
        }
        let name = own_name(&image.levels);
        let listed = ListedItem::Image(own.clone());
        self.add(name, own.class, num_classes, OwnInput::Image(image), listed)
    }

    /// Takes a row of so many features; its position and class.
    pub(super) fn add_row(
        &mut self,
        own: &OwnRow,
        features: &[String],
        num_classes: usize,
    ) -> Result<(usize, usize), JobError> {
        own.check(features).map_err(JobError::unfit)?;
        let name = own_name(&own.row);
        let listed = ListedItem::Row(own.clone());
        let input = OwnInput::Row(own.row.clone());
        self.add(name, own.class, num_classes, input, listed)
    }

    fn add(
        &mut self,
        name: String,
        class: usize,
        num_classes: usize,
        input: OwnInput,
        listed: ListedItem,
    ) -> Result<(usize, usize), JobError> {
        if class >= num_classes {
            return Err(JobError::unfit(format!(
                "{name}: expected a class from 0 to {}, found {class}",
                num_classes - 1
            )));
        }
        let item = OwnItem {
            name,
            class,
            input,
            listed,
        };
        // One that is listed again is the same item.
        let known =
            (self.kept.iter()).position(|kept| kept.name == item.name && kept.class == class);
        let at = known.unwrap_or_else(|| {
            self.kept.push(item);
            self.kept.len() - 1
        });
        Ok((self.first + at, class))
    }
}
