//! Models that Keras describes: the JSON of a config and the weights beside it, whatever file
//! they come from, as the layers of [`super::layer`].
//!
//! ```text
//! config ─ graph ─> layers in order ─ layers, each with its options and weights ─> Vec<Layer>
//! ```
//!
//! Configs of Keras 2 and 3 are read. A layer is either understood to the last option or refused
//! with its name; nothing that changes an answer is passed over.

mod convolutions;
mod graph;
mod layers;
mod normalisations;
mod options;

use super::ModelError;
use super::layer::Layer;
use super::weights::Weights;
use graph::Graph;
use serde_json::Value;

pub(super) use layers::SUPPORTED;

/// Size of a config at most; what is parsed takes up to 40 times as much.
pub(super) const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// What a config and its weights describe.
pub(super) struct Description {
    pub(super) layers: Vec<Layer>,
    /// Shape of one input, where the config says it.
    pub(super) input_shape: Option<Vec<usize>>,
    /// What differs from Keras without changing the answers much.
    pub(super) notes: Vec<String>,
}

/// The layers of the model in `config`, which stands at `place`, with their weights.
pub(super) fn describe(
    config: &str,
    place: &str,
    weights: Weights<'_>,
) -> Result<Description, ModelError> {
    if config.len() as u64 > MAX_CONFIG_BYTES {
        return Err(ModelError::FileTooLarge {
            what: place.to_owned(),
            limit: format!("{MAX_CONFIG_BYTES} bytes"),
        });
    }
    let config: Value = serde_json::from_str(config).map_err(|error| ModelError::Config {
        place: place.to_owned(),
        expected: "JSON".into(),
        found: error.to_string(),
    })?;
    let graph = Graph::new(&config, place)?;
    layers::layers(graph, weights)
}
