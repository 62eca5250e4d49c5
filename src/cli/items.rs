//! Items by name: `t10k#1565` of the data set, or an image file.

use crate::data::{Image, ImageSet, read_image_file};
use anyhow::Context;
use std::path::Path;

/// The image that `item` names: a file where there is one of that name, else an item of `set`.
pub(super) fn find_image(item: &str, set: &ImageSet) -> anyhow::Result<Image> {
    let path = Path::new(item);
    if path.is_file() {
        return read_image_file(path).with_context(|| item.to_owned());
    }
    let index = set.index_of(item).map_err(|error| match item.contains('#') {
        true => error.into(),
        false => anyhow::anyhow!(
            "item \"{item}\": expected a PNG or JPEG file, or an item such as {}; found neither",
            set.item_name(0)
        ),
    })?;
    Ok(set.image(index)?)
}
