//! Reading a `.safetensors` model: tensors by name, each checked as it is taken.

use super::layer::Layer;
use super::{Model, ModelError, keras_config, plain};
use crate::data::sha256_hex;
use crate::kernels::Activation;
use safetensors::{Dtype, SafeTensors};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

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

/// What a file without a Keras config cannot say itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainOptions {
    /// What stands between the dense layers; the last one ends in logits.
    pub activation: Option<Activation>,
    /// Inputs are multiplied by this first.
    pub scale: Option<f64>,
}

/// Reads a model file. `options` belong to plain files and are refused for others.
///
/// # Errors
/// [`ModelError`]; the caller adds the path.
pub fn read_model(path: &Path, options: PlainOptions) -> Result<Model, ModelError> {
    let content = std::fs::read(path).map_err(ModelError::Read)?;
    parse_model(&content, options)
}

/// The bundled Fashion-MNIST model, 784-128-10; `models/README.md` says how it was made.
pub fn bundled_fashion_mnist() -> Model {
    parse_model(FASHION_MNIST, PlainOptions::default()).expect("the bundled model is valid")
}

/// The bundled 4-16-3 model of this name: `iris`, `iris-paper` (under-trained, as the paper's
/// seems to be), `hawks` or `seeds`; `models/README.md` says how each was made. Nothing when
/// there is none of this name.
pub fn bundled_table_model(name: &str) -> Option<Model> {
    let (_, content) = TABLE_MODELS.iter().find(|(known, _)| *known == name)?;
    Some(parse_model(content, PlainOptions::default()).expect("the bundled model is valid"))
}

/// Names that [`bundled_table_model`] knows.
pub fn table_model_names() -> impl Iterator<Item = &'static str> {
    TABLE_MODELS.iter().map(|(name, _)| *name)
}

fn parse_model(content: &[u8], options: PlainOptions) -> Result<Model, ModelError> {
    let tensors = SafeTensors::deserialize(content).map_err(ModelError::NotSafetensors)?;
    let (_, header) = SafeTensors::read_metadata(content).map_err(ModelError::NotSafetensors)?;
    let no_metadata = HashMap::new();
    let metadata = header.metadata().as_ref().unwrap_or(&no_metadata);
    let mut source = TensorSource {
        tensors,
        unused: header.tensors().into_keys().collect(),
    };
    let (layers, input_shape): (Vec<Layer>, _) = match metadata.get("keras_config") {
        Some(_) if options.activation.is_some() || options.scale.is_some() => {
            return Err(ModelError::OptionsNotNeeded);
        }
        Some(config) => keras_config::layers(config, &mut source)?,
        None => (plain::layers(options, &mut source)?, None),
    };
    if let Some(name) = source.unused.first() {
        return Err(ModelError::UnusedTensor {
            name: name.clone(),
            expected: "NAME.kernel and NAME.bias of the model's dense layers".into(),
        });
    }
    let names = |key: &str| metadata.get(key).map(|text| names(key, text)).transpose();
    let mut model = Model::assemble(
        layers,
        input_shape,
        names("classes")?,
        sha256_hex([content]),
    )?;
    model.features = names("features")?;
    Ok(model)
}

fn names(key: &str, text: &str) -> Result<Vec<String>, ModelError> {
    serde_json::from_str(text).map_err(|error| ModelError::Config {
        place: format!("metadata \"{key}\""),
        expected: "a JSON list of strings".into(),
        found: error.to_string(),
    })
}

/// The tensors of a file, and which of them no layer has taken yet.
pub(super) struct TensorSource<'a> {
    tensors: SafeTensors<'a>,
    unused: BTreeSet<String>,
}

impl TensorSource<'_> {
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.unused
    }

    /// Takes a tensor of `shape`, where `None` fits any size. Gives its shape and values.
    pub(super) fn take(
        &mut self,
        name: &str,
        shape: &[Option<usize>],
    ) -> Result<(Vec<usize>, Vec<f32>), ModelError> {
        let expected = || {
            let sizes: Vec<_> = shape
                .iter()
                .map(|size| size.map_or(Cow::Borrowed("any"), |size| Cow::Owned(size.to_string())))
                .collect();
            format!("[{}]", sizes.join(", "))
        };
        let Ok(tensor) = self.tensors.tensor(name) else {
            let mut found = self.tensors.names();
            found.sort_unstable();
            let found = if found.is_empty() {
                "no tensor".into()
            } else {
                found.join(", ")
            };
            return Err(ModelError::MissingTensor {
                name: name.into(),
                shape: expected(),
                found,
            });
        };
        if tensor.dtype() != Dtype::F32 {
            return Err(ModelError::DataType {
                name: name.into(),
                found: format!("{:?}", tensor.dtype()),
            });
        }
        let fits =
            tensor.shape().len() == shape.len()
                && tensor.shape().iter().zip(shape).all(|(&found, wanted)| {
                    found > 0 && wanted.is_none_or(|wanted| wanted == found)
                });
        if !fits {
            return Err(ModelError::Shape {
                name: name.into(),
                expected: expected(),
                found: tensor.shape().to_vec(),
            });
        }
        let values: Vec<f32> = tensor
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        check_finite(name, &values)?;
        self.unused.remove(name);
        Ok((tensor.shape().to_vec(), values))
    }
}

pub(super) fn check_finite(name: &str, values: &[f32]) -> Result<(), ModelError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(ModelError::NotFinite {
            name: name.into(),
            index,
            value: values[index],
        }),
        None => Ok(()),
    }
}
