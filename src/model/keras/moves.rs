//! Options of layers that move values, shape them anew or bring images to another size.

use super::options::{Options, numbers};
use crate::model::ModelError;
use crate::model::layer::Arrangement;
use crate::model::one_kernel::{Resize, Size};

/// To which size a Resizing layer brings images.
pub(super) fn resizing(options: &Options<'_>) -> Result<Resize, ModelError> {
    options.channels_last()?;
    for key in ["crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias"] {
        options.only(key, "false", |value| value == false)?;
    }
    let linear = match options.get("interpolation").map(|kind| kind.as_str()) {
        None | Some(Some("bilinear")) => true,
        Some(Some("nearest")) => false,
        _ => return Err(options.wrong("interpolation", "bilinear or nearest")),
    };
    Ok(Resize {
        to: Size::Of([options.size("height")?, options.size("width")?]),
        linear,
    })
}

/// How a layer that moves values does it.
pub(super) fn arrangement(class: &str, options: &Options<'_>) -> Result<Arrangement, ModelError> {
    if class != "Permute" {
        options.channels_last()?;
    }
    Ok(match class {
        "Permute" => {
            let dims = options.get("dims").and_then(numbers).unwrap_or_default();
            let axes = dims
                .iter()
                .map(|&axis| (axis >= 1.0).then(|| axis as usize - 1));
            let axes: Option<Vec<usize>> = axes.collect();
            let axes = axes.filter(|axes| !axes.is_empty());
            Arrangement::Permute(axes.ok_or_else(|| options.wrong("dims", "axes from 1 on"))?)
        }
        "CenterCrop" => Arrangement::Centre([options.size("height")?, options.size("width")?]),
        "UpSampling2D" => {
            options.only("interpolation", "nearest or bilinear", |value| {
                value == "nearest"
            })?;
            Arrangement::Repeat(options.pair("size")?)
        }
        _ => {
            let key = if class == "Cropping2D" {
                "cropping"
            } else {
                "padding"
            };
            let sizes = options.get(key).and_then(numbers).unwrap_or_default();
            let whole =
                |n: f64| (n >= 0.0 && n.fract() == 0.0 && n < 65_536.0).then_some(n as usize);
            let sizes: Option<Vec<usize>> = sizes.into_iter().map(whole).collect();
            let (rows, columns) = match sizes.as_deref() {
                Some(&[all]) => ([all; 2], [all; 2]),
                Some(&[rows, columns]) => ([rows; 2], [columns; 2]),
                Some(&[above, below, left, right]) => ([above, below], [left, right]),
                _ => return Err(options.wrong(key, "one, two or four whole numbers")),
            };
            match class {
                "Cropping2D" => Arrangement::Crop { rows, columns },
                _ => Arrangement::Pad { rows, columns },
            }
        }
    })
}

/// The shape a Reshape gives; -1, what the other sizes leave, as 0.
pub(super) fn target_shape(options: &Options<'_>) -> Result<Vec<usize>, ModelError> {
    let size = |value: &serde_json::Value| match value.as_i64() {
        Some(-1) => Some(0),
        Some(0) | None => None,
        Some(size) => usize::try_from(size).ok(),
    };
    let sizes = options.get("target_shape").and_then(|list| list.as_array());
    let sizes: Option<Vec<usize>> = sizes.and_then(|list| list.iter().map(size).collect());
    sizes
        .filter(|sizes| sizes.iter().filter(|&&size| size == 0).count() <= 1)
        .ok_or_else(|| {
            let expected = "a list of whole numbers above 0, or one of them -1";
            options.wrong("target_shape", expected)
        })
}
