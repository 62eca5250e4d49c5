//! Reading a model file: what it is, by its first bytes, and who reads it.
//!
//! The name of a file says little: TensorFlow 2.12 wrote HDF5 under `.keras`. Sizes are limited
//! before room is made for them; a file that is refused is refused at little cost.

use super::archive;
use super::functions::activation_name;
use super::hdf5::{self, Hdf5};
use super::keras::{self, Description, MAX_CONFIG_BYTES};
use super::layer::{Layer, Op};
use super::weights::Weights;
#[cfg(feature = "onnx")]
use super::{AnswerKind, Held, HostNetwork, onnx};
use super::{Model, ModelError, plain};
use crate::data::{MAX_TENSOR_BYTES, parse_safetensors, read_bytes, sha256_hex};
use crate::kernels::Activation;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
#[cfg(feature = "onnx")]
use std::sync::Arc;

const FASHION_MNIST: &[u8] = include_bytes!("../../models/fashion-mnist.safetensors");

/// The bundled tabular models by name; each is a few kB.
const TABLE_MODELS: [(&str, &[u8]); 4] = [
    ("iris", include_bytes!("../../models/iris.safetensors")),
    (
        "iris-paper",
        include_bytes!("../../models/iris-paper.safetensors"),
    ),
    ("hawks", include_bytes!("../../models/hawks.safetensors")),
    ("seeds", include_bytes!("../../models/seeds.safetensors")),
];

/// What a model file cannot say itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelOptions {
    /// What stands between the dense layers of a file of weights; the last one ends in logits.
    #[serde(with = "activation_name")]
    pub activation: Option<Activation>,
    /// The layers of a file of weights, from input to output, where names and shapes leave it
    /// open.
    pub layers: Vec<String>,
    /// The Keras config, as JSON, of a file of weights.
    pub config: Option<PathBuf>,
    /// Inputs are multiplied by this first.
    pub scale: Option<f64>,
    /// Then this is taken away, one number or one a channel.
    pub mean: Vec<f64>,
    /// Then they are divided by this, one number or one a channel.
    pub std: Vec<f64>,
    /// Names of the classes, by output.
    pub class_names: Option<Vec<String>>,
}

/// `x * scale + offset`, of inputs.
pub(super) struct Scaling {
    pub(super) scale: Vec<f64>,
    pub(super) offset: Vec<f64>,
}

impl ModelOptions {
    /// The scaling that they ask for.
    fn scaling(&self) -> Result<Option<Scaling>, ModelError> {
        if self.scale.is_none() && self.mean.is_empty() && self.std.is_empty() {
            return Ok(None);
        }
        let (means, stds) = (self.mean.len().max(1), self.std.len().max(1));
        let count = means.max(stds);
        if ![1, count].contains(&means) || ![1, count].contains(&stds) {
            return Err(ModelError::Config {
                place: "--mean and --std".into(),
                expected: "as many numbers in both".into(),
                found: format!("{means} and {stds}"),
            });
        }
        let at = |numbers: &[f64], k: usize, without: f64| match numbers {
            [] => without,
            [all] => *all,
            each => each[k],
        };
        let scale = self.scale.unwrap_or(1.0);
        let std = |k| at(&self.std, k, 1.0);
        Ok(Some(Scaling {
            scale: (0..count).map(|k| scale / std(k)).collect(),
            offset: (0..count)
                .map(|k| -at(&self.mean, k, 0.0) / std(k))
                .collect(),
        }))
    }
}

/// Reads a model file: `.keras`, the `.h5` of Keras 2 (a whole model, or weights with
/// [`ModelOptions::config`]), `.safetensors` or `.onnx`, whatever its name. Options that say what
/// the file says itself are refused. A file takes [`MAX_TENSOR_BYTES`] at most, a config 1 MiB;
/// what is made of a file takes a small multiple of its size, but for ONNX.
///
/// # Errors
/// [`ModelError`]; the caller adds the path.
pub fn read_model(path: &Path, options: &ModelOptions) -> Result<Model, ModelError> {
    let (content, config) = read_files(path, options)?;
    if is_onnx(&content) {
        return onnx_model(path, &content, config, options);
    }
    describe(content.into(), config, options)?.assemble()
}

/// The layers of a model file.
///
/// # Errors
/// [`ModelError`], for an ONNX model, too, whose layers are its library's.
pub(super) fn describe_file(path: &Path, options: &ModelOptions) -> Result<Described, ModelError> {
    let (content, config) = read_files(path, options)?;
    if is_onnx(&content) {
        return Err(ModelError::OnnxLayers);
    }
    describe(content.into(), config, options)
}

/// The model file and the config beside it.
fn read_files(
    path: &Path,
    options: &ModelOptions,
) -> Result<(Vec<u8>, Option<Vec<u8>>), ModelError> {
    let content = read_bytes(path, MAX_TENSOR_BYTES)?;
    let config = match &options.config {
        None => None,
        Some(path) => Some(
            read_bytes(path, MAX_CONFIG_BYTES)
                .map_err(|source| ModelError::ConfigFile { source })?,
        ),
    };
    Ok((content, config))
}

fn is_onnx(content: &[u8]) -> bool {
    content.first() == Some(&ONNX_FIRST_BYTE) && content.get(8) != Some(&b'{')
}

/// An ONNX file has no magic number: it is a message whose first field is nearly always the
/// first, `ir_version`, a number.
const ONNX_FIRST_BYTE: u8 = 0x08;

#[cfg(feature = "onnx")]
fn onnx_model(
    path: &Path,
    content: &[u8],
    config: Option<Vec<u8>>,
    options: &ModelOptions,
) -> Result<Model, ModelError> {
    let given = Given {
        config: config.map(|_| String::new()),
        options,
    };
    given.config_not_needed()?;
    let mut file = onnx::read(path, content)?;
    if let Some(scaling) = options.scaling()? {
        if file.scaled {
            return Err(ModelError::OptionsNotNeeded);
        }
        file.network.scale_input(&scaling)?;
        file.scaled = true;
    }
    let parts = [content]
        .into_iter()
        .chain(file.data.iter().map(Vec::as_slice));
    let sha256 = sha256_hex(parts);
    let classes = file
        .classes
        .map(|text| names("classes", &text))
        .transpose()?;
    let mut notes = Vec::new();
    if file.network.answer_kind() == AnswerKind::Probabilities {
        notes.push("it answers probabilities; their logarithms are taken for its logits".into());
    }
    Model {
        input_shape: file.network.input_shape().map(<[usize]>::to_vec),
        held: Held::Host(Arc::new(file.network)),
        layers: file.layers,
        classes: named(classes, options)?,
        features: None,
        scaled: file.scaled,
        sha256,
        notes,
    }
    .checked()
}

#[cfg(not(feature = "onnx"))]
fn onnx_model(
    _: &Path,
    _: &[u8],
    _: Option<Vec<u8>>,
    _: &ModelOptions,
) -> Result<Model, ModelError> {
    Err(ModelError::OnnxLeftOut)
}

/// The names of the classes that a file gives, or else the options.
fn named(
    file: Option<Vec<String>>,
    options: &ModelOptions,
) -> Result<Option<Vec<String>>, ModelError> {
    match (file, &options.class_names) {
        (Some(names), Some(_)) => Err(ModelError::ClassNamesNotNeeded { names }),
        (Some(names), None) => Ok(Some(names)),
        (None, names) => Ok(names.clone()),
    }
}

/// The bundled Fashion-MNIST model, 784-128-10; `models/README.md` says how it was made.
pub fn bundled_fashion_mnist() -> Model {
    bundled(FASHION_MNIST)
}

/// The bundled 4-16-3 model of this name: `iris`, `iris-paper` (under-trained, as the paper's
/// seems to be), `hawks` or `seeds`; `models/README.md` says how each was made. Nothing when
/// there is none of this name.
pub fn bundled_table_model(name: &str) -> Option<Model> {
    let (_, content) = TABLE_MODELS.iter().find(|(known, _)| *known == name)?;
    Some(bundled(content))
}

/// Names that [`bundled_table_model`] knows.
pub fn table_model_names() -> impl Iterator<Item = &'static str> {
    TABLE_MODELS.iter().map(|(name, _)| *name)
}

fn bundled(content: &'static [u8]) -> Model {
    let options = ModelOptions::default();
    describe(content.into(), None, &options)
        .and_then(Described::assemble)
        .expect("the bundled model is valid")
}

/// What a file holds, whatever its format.
struct Found {
    description: Description,
    classes: Option<Vec<String>>,
    features: Option<Vec<String>>,
}

/// A file's layers with all that was given beside it.
pub(super) struct Described {
    pub(super) description: Description,
    classes: Option<Vec<String>>,
    features: Option<Vec<String>>,
    sha256: String,
}

impl Described {
    pub(super) fn assemble(self) -> Result<Model, ModelError> {
        let Description {
            layers,
            input_shape,
            notes,
        } = self.description;
        let mut model = Model::assemble(layers, input_shape, self.classes, self.sha256)?;
        model.features = self.features;
        model.notes = notes;
        Ok(model)
    }
}

fn describe(
    content: Cow<'_, [u8]>,
    config: Option<Vec<u8>>,
    options: &ModelOptions,
) -> Result<Described, ModelError> {
    let parts: Vec<&[u8]> = [&*content].into_iter().chain(config.as_deref()).collect();
    let sha256 = sha256_hex(parts);
    let config = config.map(|config| {
        String::from_utf8(config).map_err(|_| ModelError::Config {
            place: "--config".into(),
            expected: "JSON in UTF-8".into(),
            found: "other bytes".into(),
        })
    });
    let given = Given {
        config: config.transpose()?,
        options,
    };
    let found = if content.starts_with(archive::MAGIC) {
        let (config, weights) = archive::unpack(&content)?;
        drop(content);
        given.config_not_needed()?;
        let weights = Hdf5::open(weights)?.weights()?;
        keras::describe(&config, "config.json", weights)?.into()
    } else if content.starts_with(hdf5::MAGIC) {
        from_hdf5(content.into_owned(), given)?
    } else if content.get(8) == Some(&b'{') {
        from_safetensors(&content, given)?
    } else {
        return Err(ModelError::UnknownFormat {
            found: match &content[..content.len().min(8)] {
                [] => "an empty file".into(),
                start => format!(
                    "one that starts with {:?}",
                    start.escape_ascii().to_string()
                ),
            },
        });
    };
    let Found {
        mut description,
        classes,
        features,
    } = found;
    if let Some(scaling) = options.scaling()? {
        scale_first(&mut description.layers, scaling)?;
    }
    Ok(Described {
        description,
        classes: named(classes, options)?,
        features,
        sha256,
    })
}

impl From<Description> for Found {
    fn from(description: Description) -> Self {
        Self {
            description,
            classes: None,
            features: None,
        }
    }
}

/// What was given besides the file.
struct Given<'a> {
    config: Option<String>,
    options: &'a ModelOptions,
}

impl Given<'_> {
    /// Refuses a config, and what belongs to a file without one.
    fn config_not_needed(&self) -> Result<(), ModelError> {
        match self.config {
            Some(_) => Err(ModelError::OptionsNotNeeded),
            None => self.layers_not_needed(),
        }
    }

    /// Refuses what belongs to a file without a config.
    fn layers_not_needed(&self) -> Result<(), ModelError> {
        if self.options.activation.is_some() || !self.options.layers.is_empty() {
            return Err(ModelError::OptionsNotNeeded);
        }
        Ok(())
    }
}

fn from_hdf5(content: Vec<u8>, given: Given<'_>) -> Result<Found, ModelError> {
    let file = Hdf5::open(content)?;
    let (config, place) = match file.config()? {
        Some(config) => {
            given.config_not_needed()?;
            (config, "attribute model_config")
        }
        None => {
            given.layers_not_needed()?;
            (given.config.ok_or(ModelError::ConfigNeeded)?, "--config")
        }
    };
    Ok(keras::describe(&config, place, file.weights()?)?.into())
}

fn from_safetensors(content: &[u8], given: Given<'_>) -> Result<Found, ModelError> {
    let (tensors, header) = parse_safetensors(content).map_err(ModelError::NotSafetensors)?;
    let no_metadata = HashMap::new();
    let metadata = header.metadata().as_ref().unwrap_or(&no_metadata);
    let weights = Weights::from_safetensors(&tensors);
    let description = match (metadata.get("keras_config"), &given.config) {
        (Some(config), _) => {
            given.config_not_needed()?;
            let place = "metadata \"keras_config\"";
            keras::describe(config, place, weights)?
        }
        (None, Some(config)) => {
            given.layers_not_needed()?;
            keras::describe(config, "--config", weights)?
        }
        (None, None) => plain::describe(given.options, weights)?,
    };
    let names = |key: &str| metadata.get(key).map(|text| names(key, text)).transpose();
    Ok(Found {
        description,
        classes: names("classes")?,
        features: names("features")?,
    })
}

fn names(key: &str, text: &str) -> Result<Vec<String>, ModelError> {
    serde_json::from_str(text).map_err(|error| ModelError::Config {
        place: format!("metadata \"{key}\""),
        expected: "a JSON list of strings".into(),
        found: error.to_string(),
    })
}

/// Puts a scaling before all layers, unless they begin with one.
fn scale_first(layers: &mut Vec<Layer>, scaling: Scaling) -> Result<(), ModelError> {
    let begins = layers
        .iter()
        .find(|layer| !matches!(layer.op, Op::Reshape(_)));
    if begins.is_some_and(|layer| matches!(layer.op, Op::Affine { .. })) {
        return Err(ModelError::OptionsNotNeeded);
    }
    for layer in layers.iter_mut() {
        for value in &mut layer.takes {
            *value += 1;
        }
    }
    let scaling = Layer {
        name: "scaling".into(),
        class: "Rescaling".into(),
        takes: vec![0],
        op: Op::Affine {
            scale: scaling.scale,
            offset: scaling.offset,
        },
        parameters: 0,
    };
    layers.insert(0, scaling);
    Ok(())
}
