//! How many values a shape has, and whether it is an image's: what every layer is checked by.

use super::ModelError;
use super::error::wrong_input;

/// Values that one input becomes in all steps together: 1 GiB.
const MAX_VALUES: usize = 1 << 28;

/// Values of a `shape` on top of `total`, refused when they are too many.
pub(super) fn count(name: &str, shape: &[usize], total: usize) -> Result<usize, ModelError> {
    let values = shape
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size))
        .filter(|&values| values > 0)
        .ok_or_else(|| {
            let expected = "a shape of at least one value that can be counted".into();
            wrong_input(name, expected, shape)
        })?;
    total
        .checked_add(values)
        .filter(|&total| total <= MAX_VALUES)
        .ok_or_else(|| ModelError::TooLarge {
            name: name.to_owned(),
            shape: shape.to_vec(),
            limit: MAX_VALUES,
        })
}

/// A shape as an image's.
pub(super) fn image(name: &str, shape: &[usize]) -> Result<[usize; 3], ModelError> {
    shape
        .try_into()
        .map_err(|_| wrong_input(name, "an image [height, width, channels]".into(), shape))
}
