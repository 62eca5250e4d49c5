//! Arrays to the levels of images and the labels of classes: what each type and shape means.
//!
//! Whole numbers are grey levels 0..255 unless they say otherwise: truths, and nothing but 0 and 1,
//! are black and white, and levels above 255 need a word about which of them is white. That floats
//! up to 1 are not taken for 0..1 in silence has a reason: the same array may be nearly black.

use super::{ImageSetError, ImageSetOptions, Images, Labels};
use crate::data::array::{Array, Values};
use crate::data::class_order::{ClassOrder, Number};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// The levels of images `[n, H, W, C]`, and what was assumed.
pub(super) struct Levels {
    pub(super) count: usize,
    /// `[height, width, channels]`.
    pub(super) shape: [usize; 3],
    pub(super) images: Images,
    pub(super) notes: Vec<String>,
}

fn wrong(array: &str, expected: impl Into<String>, found: impl Into<String>) -> ImageSetError {
    ImageSetError::Array {
        array: array.to_owned(),
        expected: expected.into(),
        found: found.into(),
    }
}

/// Makes images of an array `[n, H, W]`, `[n, H, W, C]` or `[n, C, H, W]`.
pub(super) fn levels(
    name: &str,
    array: Array,
    white: Option<f64>,
) -> Result<Levels, ImageSetError> {
    let mut notes = Vec::new();
    let array = channels_last(name, array, &mut notes)?;
    let [count, height, width, channels] = array.shape[..] else {
        unreachable!("four axes were made of it");
    };
    let images = match array.values {
        Values::Bytes(bytes) => bytes_levels(name, bytes, white, &mut notes)?,
        Values::Truths(truths) => {
            if white.is_none() {
                notes.push(format!("\"{name}\" holds True and False; True is white"));
            }
            let white = white.unwrap_or(1.0);
            scaled(name, truths.iter().copied().map(f64::from), white)?
        }
        Values::Floats(floats) => {
            let white = white_of_floats(name, &floats, white, &mut notes)?;
            scaled(name, floats.iter().copied().map(f64::from), white)?
        }
        Values::Whole(whole) => {
            let largest = whole.iter().copied().max().unwrap_or(0);
            match (
                white,
                whole.iter().map(|&level| u8::try_from(level)).collect(),
            ) {
                (_, Ok(bytes)) => bytes_levels(name, bytes, white, &mut notes)?,
                (None, Err(_)) if largest > 255 => {
                    let likely = [1023, 4095, 16383]
                        .into_iter()
                        .find(|&white| largest <= white)
                        .unwrap_or(65535);
                    return Err(wrong(
                        name,
                        "grey levels 0..255, or `white` with the level that is white",
                        format!(
                            "whole numbers up to {largest}; if {likely} is white in them, give `white` {likely}"
                        ),
                    ));
                }
                _ => scaled(
                    name,
                    whole.iter().map(|&level| level as f64),
                    white.unwrap_or(255.0),
                )?,
            }
        }
        Values::Text(_) => return Err(wrong(name, "numbers", "texts")),
    };
    let largest = match &images {
        Images::Bytes(levels) => levels.iter().copied().max().map_or(0.0, f32::from),
        Images::Floats(levels) => levels.iter().copied().fold(0.0, f32::max),
        Images::Idx(_) | Images::Folder(_) => 255.0,
    };
    if white.is_none() && is_dark(largest) {
        notes.push(format!(
            "\"{name}\" holds levels up to {largest}, taken as of 0..255; if {largest} is white, give `white` {largest}: levels are 0..255 then, for the model's scaling, too"
        ));
    }
    Ok(Levels {
        count,
        shape: [height, width, channels],
        images,
        notes,
    })
}

/// The array with axes `[n, H, W, C]`, C 1 or 3.
fn channels_last(
    name: &str,
    array: Array,
    notes: &mut Vec<String>,
) -> Result<Array, ImageSetError> {
    let shape = array.shape.clone();
    let array = match shape[..] {
        [n, height, width] => Array {
            shape: vec![n, height, width, 1],
            ..array
        },
        // Where both ends could be channels, the usual ones win, and behind rather than ahead.
        [_, first, _, last] => {
            let (ahead, behind) = (matches!(first, 1 | 3 | 4), matches!(last, 1..=4));
            let is_last = match (ahead, behind) {
                (true, true) => matches!(last, 1 | 3),
                (false, false) => return Err(not_images(name, &shape)),
                _ => behind,
            };
            if ahead && behind || !is_last {
                let axes = if is_last {
                    "[n, H, W, C]"
                } else {
                    "[n, C, H, W]"
                };
                notes.push(format!("\"{name}\" {shape:?} is read as {axes}"));
            }
            match is_last {
                true => array,
                false => array.permuted([0, 2, 3, 1]),
            }
        }
        _ => return Err(not_images(name, &shape)),
    };
    let channels = array.shape[3];
    if !matches!(channels, 2 | 4) {
        return Ok(array);
    }
    notes.push(format!(
        "skipping the last channel of \"{name}\", assuming it is alpha"
    ));
    let [n, height, width] = [array.shape[0], array.shape[1], array.shape[2]];
    Ok(array.without_last_channel([n, height, width, channels]))
}

fn not_images(name: &str, shape: &[usize]) -> ImageSetError {
    let hint = match shape {
        [_, values] => {
            let side = values.isqrt();
            match side * side == *values {
                true => format!("; give its rows their shape with .reshape(-1, {side}, {side})"),
                false => "; give its rows the shape of images with .reshape(-1, H, W)".into(),
            }
        }
        _ => String::new(),
    };
    wrong(
        name,
        "a shape [n, H, W], [n, H, W, C] or [n, C, H, W], C 1 or 3 (or with alpha 2 or 4)",
        format!("{shape:?}{hint}"),
    )
}

/// Whole numbers 0..255 as levels.
pub(super) fn bytes_levels(
    name: &str,
    mut bytes: Vec<u8>,
    white: Option<f64>,
    notes: &mut Vec<String>,
) -> Result<Images, ImageSetError> {
    match white {
        Some(255.0) => {}
        Some(white) => return scaled(name, bytes.iter().copied().map(f64::from), white),
        None if is_black_and_white(&bytes) => {
            notes.push(black_and_white_note(name));
            for level in &mut bytes {
                *level *= 255;
            }
        }
        None => {}
    }
    Ok(Images::Bytes(bytes.into()))
}

/// Whether the lightest level of many images is so low that white may be lower than 255 in them.
pub(super) fn is_dark(largest: f32) -> bool {
    0.0 < largest && largest < 128.0
}

/// Whether levels are 0 and 1 alone.
fn is_black_and_white(bytes: &[u8]) -> bool {
    bytes.iter().all(|&level| level <= 1) && bytes.contains(&1)
}

fn black_and_white_note(name: &str) -> String {
    format!("\"{name}\" holds only 0 and 1; assuming 1 is white; if it is not, give `white` 255")
}

/// The level of white in an array of floats.
fn white_of_floats(
    name: &str,
    floats: &[f32],
    white: Option<f64>,
    notes: &mut Vec<String>,
) -> Result<f64, ImageSetError> {
    if let Some(white) = white {
        return Ok(white);
    }
    let largest = floats.iter().copied().fold(0.0, f32::max);
    if largest == 1.0 && floats.iter().all(|&level| level == 0.0 || level == 1.0) {
        notes.push(black_and_white_note(name));
        return Ok(1.0);
    }
    if let Some(index) = floats.iter().position(|&level| level < 0.0) {
        return Err(wrong(
            name,
            "grey levels 0..255",
            format!(
                "{} at position {index}; save the levels before they are standardised, and give `scale`, `mean` and `std` for the model",
                floats[index]
            ),
        ));
    }
    if largest <= 1.0 {
        return Err(wrong(
            name,
            "grey levels 0..255",
            format!("floats up to {largest}; if 1 is white in them, give `white` 1"),
        ));
    }
    Ok(255.0)
}

/// Levels of which `white` is the largest, as levels 0..255.
fn scaled(
    name: &str,
    values: impl ExactSizeIterator<Item = f64>,
    white: f64,
) -> Result<Images, ImageSetError> {
    let factor = 255.0 / white;
    let levels = values.enumerate().map(|(index, found)| {
        let level = (found * factor) as f32;
        match (0.0..=255.0).contains(&level) {
            true => Ok(level),
            false => Err(wrong(
                name,
                format!("grey levels 0..{white}"),
                format!("{found} at position {index}"),
            )),
        }
    });
    Ok(Images::Floats(Arc::new(levels.collect::<Result<_, _>>()?)))
}

/// Labels as positions among classes: `[n]` or `[n, 1]` numbers or texts, or `[n, k]` of which one
/// a row is 1. Texts are sorted by `options.class_order`, as `numpy.unique` does without one;
/// numbers are the outputs' own.
pub(super) fn labels(
    name: &str,
    array: Array,
    options: &ImageSetOptions,
) -> Result<Labels, ImageSetError> {
    let one_hot = match array.shape[..] {
        [_] | [_, 1] => None,
        [_, classes] if classes > 1 => Some(classes),
        _ => {
            return Err(wrong(
                name,
                "a shape [n] or [n, 1], one label an image, or one-hot rows [n, classes]",
                format!("{:?}", array.shape),
            ));
        }
    };
    let texts = matches!(array.values, Values::Text(_));
    if let (Some(order), false) = (options.class_order, texts) {
        return Err(wrong(
            name,
            format!("names of classes for `class_order` {}", order.name()),
            "numbers, which are the numbers of the model's outputs; leave `class_order` out",
        ));
    }
    let numbers: Vec<usize> = match array.values {
        Values::Bytes(values) | Values::Truths(values) => {
            values.into_iter().map(usize::from).collect()
        }
        Values::Whole(values) => (values.into_iter())
            .map(|label| {
                usize::try_from(label)
                    .map_err(|_| wrong(name, "class numbers from 0 on", label.to_string()))
            })
            .collect::<Result<_, _>>()?,
        Values::Floats(values) => (values.into_iter().enumerate())
            .map(|(index, label)| {
                let whole = label as usize;
                // Above this not every whole number is a 32-bit float.
                match whole as f32 == label && (0.0..16_777_216.0).contains(&label) {
                    true => Ok(whole),
                    false => Err(wrong(
                        name,
                        "whole class numbers from 0 on",
                        format!("{label} at position {index}"),
                    )),
                }
            })
            .collect::<Result<_, _>>()?,
        Values::Text(texts) => {
            if one_hot.is_some() {
                return Err(wrong(
                    name,
                    "one text an image",
                    format!("{:?}", array.shape),
                ));
            }
            let order = options.class_order.unwrap_or(ClassOrder::Text);
            return named(name, &texts, order);
        }
    };
    let Some(classes) = one_hot else {
        return Ok(Labels::numbers(numbers));
    };
    let labels = (numbers.chunks_exact(classes).enumerate())
        .map(|(row, values)| {
            let ones = values.iter().filter(|&&value| value == 1).count();
            let zeros = values.iter().filter(|&&value| value == 0).count();
            match (ones, zeros + 1 == classes) {
                (1, true) => Ok(values.iter().position(|&value| value == 1).unwrap_or(0)),
                _ => Err(wrong(
                    name,
                    format!("one-hot rows of {classes} values, a 1 and zeros"),
                    format!("{ones} ones and {zeros} zeros in row {row}"),
                )),
            }
        })
        .collect::<Result<_, _>>()?;
    Ok(Labels {
        classes: Some((0..classes).map(|class| class.to_string()).collect()),
        named: false,
        order: None,
        labels,
    })
}

/// Labels that are names.
fn named(name: &str, texts: &[String], order: ClassOrder) -> Result<Labels, ImageSetError> {
    let texts: Vec<&str> = texts.iter().map(|text| text.trim()).collect();
    let classes = sorted_classes(&texts, order).map_err(|text| {
        wrong(
            name,
            "numbers for `class_order` number",
            format!("\"{text}\""),
        )
    })?;
    let place: HashMap<&str, usize> = classes.iter().copied().zip(0..).collect();
    Ok(Labels {
        labels: texts.iter().map(|text| place[text]).collect(),
        classes: Some(classes.into_iter().map(str::to_owned).collect()),
        named: true,
        order: Some(order),
    })
}

/// The different ones of `texts` in an order; the error is a text that is no number.
pub(super) fn sorted_classes<'a>(
    texts: &[&'a str],
    order: ClassOrder,
) -> Result<Vec<&'a str>, &'a str> {
    Ok(match order {
        ClassOrder::Text => {
            let sorted: BTreeSet<&str> = texts.iter().copied().collect();
            sorted.into_iter().collect()
        }
        ClassOrder::Number => {
            // Two spellings of one number stay two classes, in the order of text.
            let mut sorted: BTreeMap<(Number, &str), ()> = BTreeMap::new();
            for &text in texts {
                sorted.insert((Number::parse(text).ok_or(text)?, text), ());
            }
            sorted.into_keys().map(|(_, text)| text).collect()
        }
        ClassOrder::Appearance => {
            let mut seen = BTreeSet::new();
            (texts.iter().copied())
                .filter(|text| seen.insert(*text))
                .collect()
        }
    })
}
