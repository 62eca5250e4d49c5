//! Reading a model file: what it is, by its first bytes, and who reads it.
//!
//! The name of a file says little: TensorFlow 2.12 wrote HDF5 under `.keras`. Sizes are limited
//! before room is made for them; a file that is refused is refused at little cost.

use super::archive;
use super::error::ForeignKind;
use super::hdf5::{self, Hdf5};
use super::keras::{self, Description, MAX_CONFIG_BYTES};
use super::layer::{Layer, Op, STATED_SCALING, STATED_SCALING_NAME, input_scaling};
use super::options::{Layout, ModelOptions};
use super::output::Output;
use super::scaling::{InputScaling, Scaling};
use super::weights::Weights;
#[cfg(feature = "onnx")]
use super::{ChannelsFirst, Held, HostNetwork, onnx};
use super::{Model, ModelError, plain, tfjs};
use crate::data::{MAX_TENSOR_BYTES, parse_safetensors, read_bytes, sha256_hex};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
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

/// Reads a model file: `.keras`, the `.h5` of Keras 2 (a whole model, or weights with
/// [`ModelOptions::config`]), `.safetensors`, `.onnx`, or TensorFlow.js's `model.json` with the shards
/// beside it, whatever its name. Options that say what the file says itself are refused. A file takes
/// [`MAX_TENSOR_BYTES`] at most, a config 1 MiB; what is made of a file takes a small multiple of its
/// size, but for ONNX.
///
/// # Errors
/// [`ModelError`]; the caller adds the path.
pub fn read_model(path: &Path, options: &ModelOptions) -> Result<Model, ModelError> {
    let (content, config) = read_files(path, options)?;
    let mut model = match is_onnx(&content) {
        true => onnx_model(path, &content, config, options),
        false => describe(path, content, config, options)?.assemble(),
    }?;
    if let Some(factor) = options.scale.filter(|&factor| factor > 1.0) {
        model.notes.push(format!(
            "multiplying its inputs by {factor}; where it was trained on levels divided by that, the scale is 1/{factor}"
        ));
    }
    Ok(model)
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
    describe(path, content, config, options)
}

/// The model file and the config beside it.
fn read_files(
    path: &Path,
    options: &ModelOptions,
) -> Result<(Vec<u8>, Option<Vec<u8>>), ModelError> {
    if path.is_dir() {
        let found = match path.join("saved_model.pb").is_file() {
            true => {
                "TensorFlow's SavedModel; save the model as one file: model.save(\"model.keras\")"
            }
            false => "a folder; give a file in it",
        };
        return Err(ModelError::UnknownFormat {
            found: found.to_owned(),
        });
    }
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
    describes_itself(config.is_some(), options)?;
    let onnx::OnnxFile {
        runs,
        classes,
        features,
        output,
        data,
        notes,
    } = onnx::read(path, content, options)?;
    let parts = [content].into_iter().chain(data.iter().map(Vec::as_slice));
    let sha256 = sha256_hex(parts);
    let classes = classes.map(|text| names("classes", &text)).transpose()?;
    let classes = named(classes, options)?;
    let stated = options.scaling()?;
    let (mut network, layers, mut scaling) = match runs {
        onnx::Runs::Layers(mut description, assembled) => {
            description.notes.extend(notes);
            let mut model = match stated {
                Some(stated) => {
                    scale_first(&mut description.layers, stated)?;
                    Model::assemble(description, classes, output, sha256)?
                }
                None => Model::of(description, *assembled, classes, output, sha256)?,
            };
            model.features = features;
            return Ok(model);
        }
        onnx::Runs::Library {
            network,
            layers,
            scaling,
        } => (network, layers, scaling),
    };
    if let Some(stated) = stated {
        if scaling == InputScaling::GreyLevels {
            return Err(ModelError::ScalesItself);
        }
        network.scale_input(&stated)?;
        scaling = InputScaling::GreyLevels;
    }
    let channels_first = Some(ChannelsFirst::Onnx((*network).clone()));
    Model {
        input_shape: network.input_shape().map(<[usize]>::to_vec),
        held: Held::Host(Arc::new(*network)),
        layers,
        classes,
        features,
        scaling,
        channels_first,
        sha256,
        notes,
        unfolded: [].into(),
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
    describe_one(content.into(), None, &options)
        .and_then(Described::assemble)
        .expect("the bundled model is valid")
}

/// What a file holds, whatever its format.
struct Found {
    description: Description,
    classes: Option<Vec<String>>,
    features: Option<Vec<String>>,
    /// Metadata `output`, which converted files have where it was said.
    output: Option<String>,
}

/// A file's layers with all that was given beside it.
pub(super) struct Described {
    pub(super) description: Description,
    classes: Option<Vec<String>>,
    features: Option<Vec<String>>,
    /// What the last values are, where the file or the user says it.
    pub(super) output: Option<Output>,
    sha256: String,
}

impl Described {
    pub(super) fn assemble(self) -> Result<Model, ModelError> {
        let mut model = Model::assemble(self.description, self.classes, self.output, self.sha256)?;
        model.features = self.features;
        Ok(model)
    }
}

fn describe(
    path: &Path,
    content: Vec<u8>,
    config: Option<Vec<u8>>,
    options: &ModelOptions,
) -> Result<Described, ModelError> {
    if tfjs::is_tfjs(&content) {
        return for_browsers(path, &content, config, options);
    }
    describe_one(content.into(), config, options)
}

/// A model of TensorFlow.js, whose shards lie beside `path`.
fn for_browsers(
    path: &Path,
    content: &[u8],
    config: Option<Vec<u8>>,
    options: &ModelOptions,
) -> Result<Described, ModelError> {
    describes_itself(config.is_some(), options)?;
    let saved = tfjs::read(path, content)?;
    let parts = [content]
        .into_iter()
        .chain(saved.shards.iter().map(Vec::as_slice));
    let sha256 = sha256_hex(parts);
    let place = "model.json, \"modelTopology\"";
    let (version, weights) = (saved.version.as_deref(), saved.weights()?);
    let mut description = keras::describe(&saved.config, place, version, weights, options)?;
    description.notes.extend(saved.note.clone());
    finished(description.into(), sha256, options)
}

fn describe_one(
    content: Cow<'_, [u8]>,
    config: Option<Vec<u8>>,
    options: &ModelOptions,
) -> Result<Described, ModelError> {
    let parts: Vec<&[u8]> = [&*content].into_iter().chain(config.as_deref()).collect();
    let sha256 = sha256_hex(parts);
    let config = config.map(|config| {
        String::from_utf8(config).map_err(|_| ModelError::Config {
            place: "`config`".into(),
            expected: "JSON in UTF-8".into(),
            found: "other bytes".into(),
        })
    });
    let config = config.transpose()?;
    let found = if let Some(kind) = foreign(&content) {
        return Err(ModelError::Foreign { kind });
    } else if content.starts_with(archive::MAGIC) {
        describes_itself(config.is_some(), options)?;
        let archive::Unpacked {
            config,
            version,
            weights,
        } = archive::unpack(&content)?;
        drop(content);
        let weights = Hdf5::open(weights)?.weights()?;
        keras::describe(&config, "config.json", version.as_deref(), weights, options)?.into()
    } else if content.starts_with(hdf5::MAGIC) {
        from_hdf5(content.into_owned(), config, options)?
    } else if content.get(8) == Some(&b'{') {
        from_safetensors(&content, config, options)?
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
    finished(found, sha256, options)
}

/// What a file's layers are with the options that say more.
fn finished(found: Found, sha256: String, options: &ModelOptions) -> Result<Described, ModelError> {
    let Found {
        mut description,
        classes,
        features,
        output,
    } = found;
    let outputs: Vec<&str> = description.outputs.iter().map(String::as_str).collect();
    let told = options.output(&outputs)?;
    let output = match output.map(|name| (Output::by_name(&name), name)) {
        Some((None, name)) => {
            return Err(ModelError::Config {
                place: "metadata \"output\"".into(),
                expected: Output::NAMED.map(|(name, _)| name).join(", "),
                found: name,
            });
        }
        Some((noted, _)) => told.or(noted),
        None => told,
    };
    if let Some(layout) = options.layout {
        description.layout = layout;
    }
    if let Some(scaling) = options.scaling()? {
        scale_first(&mut description.layers, scaling)?;
    }
    Ok(Described {
        description,
        classes: named(classes, options)?,
        features,
        output,
        sha256,
    })
}

impl From<Description> for Found {
    fn from(description: Description) -> Self {
        Self {
            description,
            classes: None,
            features: None,
            output: None,
        }
    }
}

/// Kinds of model files that other programs read, by what they start with.
fn foreign(content: &[u8]) -> Option<ForeignKind> {
    let zipped = |name: &[u8]| {
        // Names stand in the first local header and, all of them, at the end of a zip.
        let (start, end) = (
            content.len().min(1 << 10),
            content.len().saturating_sub(1 << 16),
        );
        [&content[..start], &content[end..]]
            .iter()
            .any(|part| part.windows(name.len()).any(|found| found == name))
    };
    if content.get(8) == Some(&b'{') {
        return None;
    }
    // Pickles of protocols 2 to 5, and torch.save's before 1.6, which are pickles, too.
    if matches!(content, [0x80, 2..=5, ..]) {
        return Some(ForeignKind::Pickle);
    }
    if content.starts_with(archive::MAGIC) && zipped(b"data.pkl") {
        return Some(ForeignKind::PyTorch);
    }
    if content.get(4..8) == Some(b"TFL3") {
        return Some(ForeignKind::TfLite);
    }
    if content.starts_with(b"GGUF") {
        return Some(ForeignKind::Gguf);
    }
    let text = content.trim_ascii_start();
    text.starts_with(b"{").then_some(ForeignKind::Json)
}

/// Refuses a config beside a file that holds one, and what belongs to a file without any.
fn describes_itself(has_config: bool, options: &ModelOptions) -> Result<(), ModelError> {
    match has_config {
        true => Err(ModelError::OptionsNotNeeded),
        false => has_layers(options),
    }
}

/// Refuses what belongs to a file without a config.
fn has_layers(options: &ModelOptions) -> Result<(), ModelError> {
    match options.activation.is_some() || !options.layers.is_empty() {
        true => Err(ModelError::OptionsNotNeeded),
        false => Ok(()),
    }
}

fn from_hdf5(
    content: Vec<u8>,
    beside: Option<String>,
    options: &ModelOptions,
) -> Result<Found, ModelError> {
    let file = Hdf5::open(content)?;
    let (config, place) = match file.config()? {
        Some(config) => {
            describes_itself(beside.is_some(), options)?;
            (config, "attribute model_config")
        }
        None => {
            has_layers(options)?;
            (beside.ok_or(ModelError::ConfigNeeded)?, "`config`")
        }
    };
    let version = file.keras_version()?;
    let weights = file.weights()?;
    Ok(keras::describe(&config, place, version.as_deref(), weights, options)?.into())
}

fn from_safetensors(
    content: &[u8],
    beside: Option<String>,
    options: &ModelOptions,
) -> Result<Found, ModelError> {
    let (tensors, header) = parse_safetensors(content).map_err(ModelError::NotSafetensors)?;
    let no_metadata = HashMap::new();
    let metadata = header.metadata().as_ref().unwrap_or(&no_metadata);
    let weights = Weights::from_safetensors(&tensors)?;
    let mut description = match (metadata.get("keras_config"), &beside) {
        (Some(config), _) => {
            describes_itself(beside.is_some(), options)?;
            let place = "metadata \"keras_config\"";
            let version = metadata.get("keras_version").map(String::as_str);
            keras::describe(config, place, version, weights, options)?
        }
        (None, Some(config)) => {
            has_layers(options)?;
            keras::describe(config, "`config`", None, weights, options)?
        }
        (None, None) => plain::describe(options, weights)?,
    };
    // A converted file says how its first layer takes images.
    if metadata.get("layout").is_some_and(|layout| layout == "chw") {
        description.layout = Layout::ChannelsFirst;
    }
    let names = |key: &str| metadata.get(key).map(|text| names(key, text)).transpose();
    Ok(Found {
        description,
        classes: names("classes")?,
        features: names("features")?,
        output: metadata.get("output").cloned(),
    })
}

fn names(key: &str, text: &str) -> Result<Vec<String>, ModelError> {
    serde_json::from_str(text).map_err(|error| ModelError::Config {
        place: format!("metadata \"{key}\""),
        expected: "a JSON list of strings".into(),
        found: error.to_string(),
    })
}

/// Puts a scaling before all layers, unless they begin with one of grey levels.
fn scale_first(layers: &mut Vec<Layer>, scaling: Scaling) -> Result<(), ModelError> {
    if input_scaling(layers) == InputScaling::GreyLevels {
        return Err(ModelError::ScalesItself);
    }
    for layer in layers.iter_mut() {
        for value in &mut layer.takes {
            *value += 1;
        }
    }
    let scaling = Layer {
        name: STATED_SCALING_NAME.into(),
        class: STATED_SCALING.into(),
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
