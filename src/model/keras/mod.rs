//! Models that Keras describes: the JSON of a config and the weights beside it, whatever file
//! they come from, as the layers of [`super::layer`].
//!
//! ```text
//! config ─ graph ─> layers in order ─ layers, each with its options and weights ─> Vec<Layer>
//! ```
//!
//! Configs of Keras 2 and 3 are read. A layer is either understood to the last option or refused
//! with its name; nothing that changes an answer is passed over.

mod attention;
mod convolutions;
mod graph;
mod layers;
mod moves;
mod normalisations;
mod operations;
mod options;

use super::ModelError;
use super::layer::Layer;
use super::options::{Layout, ModelOptions};
use super::weights::Weights;
use graph::Graph;
use serde_json::Value;
use std::borrow::Cow;

/// Size of a config at most; what is parsed takes up to 40 times as much.
pub(super) const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// What a config and its weights describe.
pub(super) struct Description {
    pub(super) layers: Vec<Layer>,
    /// Shape of one input, where the config says it.
    pub(super) input_shape: Option<Vec<usize>>,
    /// How a first layer that takes rows of values was given images.
    pub(super) layout: Layout,
    /// What differs from Keras without changing the answers much.
    pub(super) notes: Vec<String>,
    /// The outputs among which one was chosen by its name.
    pub(super) outputs: Vec<String>,
}

/// The layers of the model in `config`, which stands at `place`, with their weights.
pub(super) fn describe(
    config: &str,
    place: &str,
    version: Option<&str>,
    weights: Weights<'_>,
    told: &ModelOptions,
) -> Result<Description, ModelError> {
    if config.len() as u64 > MAX_CONFIG_BYTES {
        return Err(ModelError::FileTooLarge {
            what: place.to_owned(),
            limit: format!("{MAX_CONFIG_BYTES} bytes"),
        });
    }
    let config = python_numbers(config);
    let mut config: Value = serde_json::from_str(&config).map_err(|error| ModelError::Config {
        place: place.to_owned(),
        expected: "JSON".into(),
        found: error.to_string(),
    })?;
    let filled = told
        .open_size
        .filter(|&size| fill_open_sizes(&mut config, size));
    let graph = Graph::new(&config, place, told.output.as_deref())?;
    let mut description = layers::layers(graph, Version::of(&config, version), weights)?;
    if let Some([height, width]) = filled {
        description.notes.push(format!(
            "it leaves the size of its images open; it is given {height} x {width}, the images' own"
        ));
    }
    Ok(description)
}

/// Puts the images' height and width where the model's own input leaves them open, `[null, null,
/// null, 3]`; whether it did anywhere. Inputs of models inside it follow from what they are given.
fn fill_open_sizes(config: &mut Value, size: [usize; 2]) -> bool {
    let mut filled = false;
    let mut fill = |shape: &mut Value| {
        let Some([_, height, width, _]) = shape.as_array_mut().map(Vec::as_mut_slice) else {
            return;
        };
        for (side, own) in [height, width].into_iter().zip(size) {
            if side.is_null() {
                *side = own.into();
                filled = true;
            }
        }
    };
    let inside = &mut config["config"];
    if let Some(shape) = inside.get_mut("build_input_shape") {
        fill(shape);
    }
    // Keras 1 has the layers of a Sequential for its config.
    let layers = match inside.is_array() {
        true => Some(inside),
        false => inside.get_mut("layers"),
    };
    for layer in layers.and_then(Value::as_array_mut).into_iter().flatten() {
        for key in ["batch_shape", "batch_input_shape"] {
            if let Some(shape) = layer.get_mut("config").and_then(|own| own.get_mut(key)) {
                fill(shape);
            }
        }
    }
    filled
}

/// Whose definitions of functions hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// Keras 1 and 2, `tf.keras` up to TensorFlow 2.15, `tf_keras`.
    Two,
    /// Keras 3.
    Three,
}

impl Version {
    /// By what the file says of its writer, else by how its config is written.
    fn of(config: &Value, told: Option<&str>) -> Self {
        match told.or(config["keras_version"].as_str()) {
            Some(version) => match version.starts_with("2.") || version.starts_with("1.") {
                true => Self::Two,
                false => Self::Three,
            },
            None => match has_key(config, "batch_input_shape") {
                true => Self::Two,
                false => Self::Three,
            },
        }
    }
}

/// Whether an object anywhere in the value has the key. The depth is that of the JSON, which its
/// parser bounds.
fn has_key(value: &Value, key: &str) -> bool {
    match value {
        Value::Object(object) => {
            object.contains_key(key) || object.values().any(|value| has_key(value, key))
        }
        Value::Array(list) => list.iter().any(|value| has_key(value, key)),
        _ => false,
    }
}

/// The config with Python's numbers that JSON does not have, `NaN`, `Infinity` and `-Infinity`, as
/// texts of the same words.
fn python_numbers(config: &str) -> Cow<'_, str> {
    const WORDS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];
    if !WORDS.iter().any(|word| config.contains(word)) {
        return config.into();
    }
    let mut text = String::with_capacity(config.len() + 64);
    let (mut rest, mut inside) = (config, false);
    while let Some(first) = rest.chars().next() {
        let word = WORDS
            .iter()
            .find(|word| !inside && rest.starts_with(**word));
        let taken = match (word, first) {
            (Some(word), _) => {
                text.extend(["\"", word, "\""]);
                rest = &rest[word.len()..];
                continue;
            }
            // A character behind a backslash ends no text.
            (None, '\\') => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            (None, '"') => {
                inside = !inside;
                1
            }
            (None, other) => other.len_utf8(),
        };
        text.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    text.into()
}
