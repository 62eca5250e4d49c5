//! Reading a model file: what it is, by its first bytes, and who reads it.
//!
//! The name of a file says little: TensorFlow 2.12 wrote HDF5 under `.keras`. Sizes are limited
//! before room is made for them; a file that is refused is refused at little cost.

use super::archive;
use super::hdf5::{self, Hdf5};
use super::keras::{self, Description, MAX_CONFIG_BYTES};
use super::layer::{Layer, Op};
use super::weights::Weights;
use super::{Model, ModelError, plain};
use crate::data::sha256_hex;
use crate::kernels::Activation;
use safetensors::SafeTensors;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

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

/// Size of a model file at most.
const MAX_FILE_BYTES: u64 = 4 << 30;

/// What a model file cannot say itself.
#[derive(Debug, Clone, Default)]
pub struct ModelOptions {
    /// What stands between the dense layers of a file of weights; the last one ends in logits.
    pub activation: Option<Activation>,
    /// The layers of a file of weights, from input to output, where names and shapes leave it
    /// open.
    pub layers: Vec<String>,
    /// The Keras config, as JSON, of a file of weights.
    pub config: Option<PathBuf>,
    /// Inputs are multiplied by this first.
    pub scale: Option<f64>,
}

/// Reads a model file: `.keras`, the `.h5` of Keras 2 (a whole model, or weights with
/// [`ModelOptions::config`]), or `.safetensors`, whatever its name. Options that say what the
/// file says itself are refused.
///
/// # Errors
/// [`ModelError`]; the caller adds the path.
pub fn read_model(path: &Path, options: &ModelOptions) -> Result<Model, ModelError> {
    let content = read(path, MAX_FILE_BYTES, "the model file")?;
    let config = match &options.config {
        None => None,
        Some(path) => Some(read(path, MAX_CONFIG_BYTES, "the config")?),
    };
    parse_model(content.into(), config, options)
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
    parse_model(content.into(), None, &options).expect("the bundled model is valid")
}

/// A file that is no larger than `limit`.
fn read(path: &Path, limit: u64, what: &str) -> Result<Vec<u8>, ModelError> {
    let file = std::fs::File::open(path).map_err(ModelError::Read)?;
    let mut content = Vec::new();
    let all = file.metadata().map_err(ModelError::Read)?.len();
    if all <= limit {
        let mut file = file.take(limit + 1);
        file.read_to_end(&mut content).map_err(ModelError::Read)?;
    }
    if all.max(content.len() as u64) > limit {
        return Err(ModelError::FileTooLarge {
            what: what.to_owned(),
            limit: format!("{limit} bytes"),
        });
    }
    Ok(content)
}

/// What a file holds, whatever its format.
struct Found {
    description: Description,
    classes: Option<Vec<String>>,
    features: Option<Vec<String>>,
}

fn parse_model(
    content: Cow<'_, [u8]>,
    config: Option<Vec<u8>>,
    options: &ModelOptions,
) -> Result<Model, ModelError> {
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
    if let Some(scale) = options.scale {
        scale_first(&mut description.layers, scale)?;
    }
    let Description {
        layers,
        input_shape,
        notes,
    } = description;
    let mut model = Model::assemble(layers, input_shape, classes, sha256)?;
    model.features = features;
    model.notes = notes;
    Ok(model)
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
    let tensors = SafeTensors::deserialize(content).map_err(ModelError::NotSafetensors)?;
    let (_, header) = SafeTensors::read_metadata(content).map_err(ModelError::NotSafetensors)?;
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
fn scale_first(layers: &mut Vec<Layer>, scale: f64) -> Result<(), ModelError> {
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
        name: "--scale".into(),
        class: "Rescaling".into(),
        takes: vec![0],
        op: Op::Affine {
            scale: vec![scale],
            offset: vec![0.0],
        },
        parameters: 0,
    };
    layers.insert(0, scaling);
    Ok(())
}
