//! Layers models of TensorFlow.js: `model.json`, a Keras config with a list of weights, and the shards
//! beside it that hold them.
//!
//! ```text
//! model.json   modelTopology     the config, by itself or under "model_config"
//!              weightsManifest   groups: paths of shards, and each weight's name, shape and type
//! shards       the bytes of a group, one weight behind the other, cut anywhere
//! ```
//!
//! Weights are named `LAYER/role` by their own layer alone, whatever models it is in.

use super::ModelError;
use super::keras::MAX_CONFIG_BYTES;
use super::weights::{Content, Naming, Number, Stored, Weights};
use crate::data::{MAX_TENSOR_BYTES, read_bytes};
use serde::Deserialize;
use serde_json::Value;
use std::path::Path;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Json {
    format: Option<String>,
    model_topology: Value,
    weights_manifest: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    paths: Vec<String>,
    weights: Vec<Weight>,
}

#[derive(Deserialize)]
struct Weight {
    name: String,
    shape: Vec<usize>,
    dtype: String,
    quantization: Option<Quantization>,
}

/// How a weight is stored in fewer bits: `value = stored * scale + min`, or as 16-bit floats.
#[derive(Deserialize)]
struct Quantization {
    dtype: String,
    #[serde(default = "one")]
    scale: f64,
    #[serde(default)]
    min: f64,
}

fn one() -> f64 {
    1.0
}

/// A model of TensorFlow.js as its files have it.
pub(super) struct SavedForBrowsers {
    /// The Keras config.
    pub(super) config: String,
    pub(super) version: Option<String>,
    /// The bytes of the shards, in the order of the list.
    pub(super) shards: Vec<Vec<u8>>,
    /// What the user should know of its weights.
    pub(super) note: Option<String>,
    weights: Vec<Decoded>,
}

/// A weight as 32-bit floats, little-endian.
struct Decoded {
    name: String,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

fn wrong(place: &str, expected: impl Into<String>, found: impl Into<String>) -> ModelError {
    ModelError::Config {
        place: place.to_owned(),
        expected: expected.into(),
        found: found.into(),
    }
}

/// Whether a file of JSON is one of TensorFlow.js's models.
pub(super) fn is_tfjs(content: &[u8]) -> bool {
    let text = content.trim_ascii_start();
    let has = |name: &[u8]| text.windows(name.len()).any(|found| found == name);
    text.starts_with(b"{") && has(b"\"modelTopology\"") && has(b"\"weightsManifest\"")
}

/// Reads a `model.json` of at most 1 MiB, and the shards beside it, [`MAX_TENSOR_BYTES`] together.
///
/// # Errors
/// [`ModelError`] where it is no layers model, a shard cannot be read, or weights do not fill the shards.
pub(super) fn read(path: &Path, content: &[u8]) -> Result<SavedForBrowsers, ModelError> {
    if content.len() as u64 > MAX_CONFIG_BYTES {
        return Err(wrong(
            "model.json",
            format!("at most {MAX_CONFIG_BYTES} bytes"),
            content.len().to_string(),
        ));
    }
    let json: Json = serde_json::from_slice(content)
        .map_err(|error| wrong("model.json", "a model of TensorFlow.js", error.to_string()))?;
    if let Some(format) = json.format.filter(|format| format != "layers-model") {
        return Err(wrong(
            "model.json, \"format\"",
            "layers-model; convert a graph model from its Keras file, or give that file",
            format,
        ));
    }
    let topology = &json.model_topology;
    let config = topology.get("model_config").unwrap_or(topology);
    let version = topology.get("keras_version").and_then(Value::as_str);
    let mut left = MAX_TENSOR_BYTES;
    let (mut shards, mut weights) = (Vec::new(), Vec::new());
    let mut narrow: Option<String> = None;
    for group in json.weights_manifest {
        let mut bytes = Vec::new();
        for name in group.paths {
            let file = Path::new(&name).file_name();
            if file.is_none_or(|file| *file != *name) {
                return Err(wrong("the shards", "files beside model.json", name));
            }
            let shard = read_bytes(&path.with_file_name(&name), left);
            let shard = shard.map_err(|source| ModelError::Shard { name, source })?;
            left -= shard.len() as u64;
            bytes.extend_from_slice(&shard);
            shards.push(shard);
        }
        let mut rest = bytes.as_slice();
        for weight in group.weights {
            if let Some(stored) = &weight.quantization {
                narrow = Some(stored.dtype.clone());
            }
            let (decoded, behind) = decode(weight, rest)?;
            weights.push(decoded);
            rest = behind;
        }
        if !rest.is_empty() {
            return Err(wrong(
                "the shards",
                "as many bytes as the weights take",
                format!("{} more", rest.len()),
            ));
        }
    }
    Ok(SavedForBrowsers {
        config: config.to_string(),
        version: version.map(str::to_owned),
        shards,
        note: narrow.map(|kind| format!("its weights are stored as {kind}, which rounds them")),
        weights,
    })
}

/// A weight from the start of `bytes`, and what lies behind it.
fn decode(weight: Weight, bytes: &[u8]) -> Result<(Decoded, &[u8]), ModelError> {
    let Weight {
        name,
        shape,
        dtype,
        quantization,
    } = weight;
    let place = format!("weight \"{name}\"");
    if dtype != "float32" {
        return Err(ModelError::DataType { name, found: dtype });
    }
    let (stored, scale, min) = match quantization {
        Some(stored) => (stored.dtype, stored.scale, stored.min),
        None => (dtype, 1.0, 0.0),
    };
    let width = match stored.as_str() {
        "float32" => 4,
        "float16" | "uint16" => 2,
        "uint8" => 1,
        other => {
            return Err(ModelError::DataType {
                name,
                found: other.to_owned(),
            });
        }
    };
    let size = (shape.iter()).try_fold(width, |all: usize, &size| all.checked_mul(size));
    let own = size.and_then(|size| bytes.split_at_checked(size));
    let (own, behind) = own.ok_or_else(|| {
        wrong(
            &place,
            format!("{stored} of shape {shape:?}"),
            format!("{} bytes left in the shards", bytes.len()),
        )
    })?;
    let value = |whole: u32| ((f64::from(whole) * scale + min) as f32).to_le_bytes();
    let bytes = match (stored.as_str(), width) {
        ("float16", _) => (Number::F16.decode(&name, own)?.iter())
            .flat_map(|value| value.to_le_bytes())
            .collect(),
        (_, 1) => own.iter().flat_map(|&byte| value(byte.into())).collect(),
        (_, 2) => {
            let (words, _) = own.as_chunks();
            let words = words.iter().map(|&word| u16::from_le_bytes(word));
            words.flat_map(|word| value(word.into())).collect()
        }
        _ => own.to_vec(),
    };
    Ok((Decoded { name, shape, bytes }, behind))
}

impl SavedForBrowsers {
    /// The weights by layer.
    ///
    /// # Errors
    /// [`ModelError::Config`] where two weights have one name.
    pub(super) fn weights(&self) -> Result<Weights<'_>, ModelError> {
        let mut weights = Weights::new(Naming::Own);
        for weight in &self.weights {
            let (layer, role) = weight.name.rsplit_once('/').unwrap_or(("", &weight.name));
            let stored = Stored {
                name: weight.name.clone(),
                shape: weight.shape.clone(),
                content: Content::Bytes(Number::F32, &weight.bytes),
            };
            weights.insert(&[layer.to_owned()], role, stored)?;
        }
        Ok(weights)
    }
}
