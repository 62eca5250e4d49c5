//! The weights of a file, by layer: one view of `.safetensors` tensors and HDF5 datasets.
//!
//! Containers name a layer's variables in three ways, and a layer asks for a variable by all of
//! them at once ([`Variable`]), so the layers know nothing of containers:
//!
//! ```text
//! .safetensors     LAYER.kernel                            by role
//! Keras 3 HDF5     layers/dense_1/vars/0, name "LAYER"     by position
//! legacy HDF5      model_weights/LAYER/.../kernel:0        by the end of the path
//! ```
//!
//! What is stored is checked when it is taken: shape first, then the type, then each value.
//! Nothing is read before the shape it claims has been compared with the layer's and with what
//! the file can hold.

use super::ModelError;
use super::hdf5::Dataset;
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;

/// A layer's variable, in the ways containers name it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variable {
    /// What it is called, e.g. `kernel`; the first is the name in messages.
    pub(super) roles: &'static [&'static str],
    /// Its place among the layer's variables, in Keras's order.
    pub(super) position: usize,
}

/// A layer as containers name it. Layers of a model inside a model are `outer/inner`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LayerId {
    /// By name.
    pub(super) name: String,
    /// By class and count, e.g. `dense_1` for the second Dense: how Keras before 3.2 files them.
    pub(super) count: String,
}

impl LayerId {
    /// A layer that is known by its name alone.
    pub(super) fn named(name: &str) -> Self {
        let [name, count] = [name, name].map(str::to_owned);
        Self { name, count }
    }
}

/// How a container names layers and their variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// By the layer's name and the variable's role.
    Role,
    /// By the layer's name and the variable's position.
    Position,
    /// By the layer's count and the variable's position.
    CountPosition,
    /// By the outermost layer's name and a path that ends in the variable's role.
    PathEnd,
}

/// A variable in the file.
pub(super) struct Stored<'a> {
    /// Its full name in the file.
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) content: Content<'a>,
}

pub(super) enum Content<'a> {
    /// Little-endian values.
    Bytes(Number, &'a [u8]),
    Dataset(Dataset),
}

/// How a value is stored. Narrower types widen exactly, 64-bit floats are rounded to the nearest
/// 32-bit float, and what else there is (whole numbers, strings) is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Number {
    F32,
    F64,
    F16,
    Bf16,
    /// A type that weights cannot have, by its name.
    Other(String),
}

impl Number {
    /// Values from the little-endian bytes of tensor `name`.
    pub(super) fn decode(&self, name: &str, bytes: &[u8]) -> Result<Vec<f32>, ModelError> {
        fn values<const N: usize>(bytes: &[u8], value: fn([u8; N]) -> f32) -> Vec<f32> {
            let (whole, _) = bytes.as_chunks();
            whole.iter().map(|&bytes| value(bytes)).collect()
        }
        Ok(match self {
            Self::F32 => values(bytes, f32::from_le_bytes),
            Self::F64 => values(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
            Self::F16 => values(bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Self::Bf16 => values(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
            Self::Other(found) => {
                return Err(ModelError::DataType {
                    name: name.to_owned(),
                    found: found.clone(),
                });
            }
        })
    }
}

/// The variables of a file that no layer has taken yet, by layer.
pub(super) struct Weights<'a> {
    naming: Naming,
    layers: BTreeMap<String, BTreeMap<String, Stored<'a>>>,
}

impl<'a> Weights<'a> {
    pub(super) fn new(naming: Naming) -> Self {
        Self {
            naming,
            layers: BTreeMap::new(),
        }
    }

    /// Adds a variable under its layer.
    pub(super) fn insert(&mut self, layer: &str, variable: &str, stored: Stored<'a>) {
        let variables = self.layers.entry(layer.to_owned()).or_default();
        variables.insert(variable.to_owned(), stored);
    }

    /// The tensors of a `.safetensors` file: `LAYER.role`, the layer being all up to the last
    /// full stop.
    pub(super) fn from_safetensors(tensors: &SafeTensors<'a>) -> Self {
        let mut weights = Self::new(Naming::Role);
        for (name, tensor) in tensors.iter() {
            let number = match tensor.dtype() {
                Dtype::F32 => Number::F32,
                Dtype::F64 => Number::F64,
                Dtype::F16 => Number::F16,
                Dtype::BF16 => Number::Bf16,
                other => Number::Other(format!("{other:?}")),
            };
            let (layer, role) = name.rsplit_once('.').unwrap_or(("", name));
            let stored = Stored {
                name: name.to_owned(),
                shape: tensor.shape().to_vec(),
                content: Content::Bytes(number, tensor.data()),
            };
            weights.insert(layer, role, stored);
        }
        weights
    }

    /// Layers that have a variable of this role, with its shape.
    pub(super) fn with_role(&self, role: &str) -> Vec<(String, Vec<usize>)> {
        let layers = self.layers.iter();
        layers
            .filter_map(|(layer, variables)| {
                let stored = variables.get(role)?;
                Some((layer.clone(), stored.shape.clone()))
            })
            .collect()
    }

    /// Whether the variable is there.
    pub(super) fn has(&self, layer: &LayerId, variable: Variable) -> bool {
        self.find(layer, variable).is_some()
    }

    /// The keys of a variable.
    fn find(&self, layer: &LayerId, variable: Variable) -> Option<(String, String)> {
        let key = match self.naming {
            Naming::Role | Naming::Position => layer.name.as_str(),
            Naming::CountPosition => layer.count.as_str(),
            Naming::PathEnd => layer.name.split('/').next().unwrap_or_default(),
        };
        let variables = self.layers.get(key)?;
        let inner = layer.name.rsplit_once('/').map(|(_, inner)| inner);
        let fits = |path: &str| match self.naming {
            Naming::Role => variable.roles.contains(&path),
            Naming::Position | Naming::CountPosition => {
                path.parse::<usize>() == Ok(variable.position)
            }
            Naming::PathEnd => {
                let mut parts = path.rsplit('/');
                let role = parts.next().unwrap_or_default();
                let role = role.split(':').next().unwrap_or_default();
                variable.roles.contains(&role)
                    && inner.is_none_or(|inner| parts.next() == Some(inner))
            }
        };
        let path = variables.keys().find(|path| fits(path))?;
        Some((key.to_owned(), path.clone()))
    }

    /// Takes a variable of `shape`, where `None` fits any size. Gives its shape and values,
    /// row-major.
    pub(super) fn take(
        &mut self,
        layer: &LayerId,
        variable: Variable,
        shape: &[Option<usize>],
    ) -> Result<(Vec<usize>, Vec<f32>), ModelError> {
        let found = self.find(layer, variable);
        let stored = found.and_then(|(layer, variable)| {
            let variables = self.layers.get_mut(&layer)?;
            let stored = variables.remove(&variable);
            if variables.is_empty() {
                self.layers.remove(&layer);
            }
            stored
        });
        match stored {
            Some(stored) => stored.values(shape),
            None => Err(ModelError::MissingTensor {
                name: format!("{}.{}", layer.name, variable.roles[0]),
                shape: expected_shape(shape),
                found: self.listing(),
            }),
        }
    }

    /// Leaves out what the file holds for this layer: random states and counts.
    pub(super) fn ignore(&mut self, layer: &LayerId) {
        let key = match self.naming {
            Naming::CountPosition => &layer.count,
            _ => &layer.name,
        };
        self.layers.remove(key);
    }

    /// Variables that no layer has taken are an error.
    pub(super) fn finish(self, expected: &str) -> Result<(), ModelError> {
        let mut left = self.layers.values().flat_map(BTreeMap::values);
        match left.next() {
            None => Ok(()),
            Some(stored) => Err(ModelError::UnusedTensor {
                name: stored.name.clone(),
                expected: expected.to_owned(),
            }),
        }
    }

    /// Names of what is there, a few of them.
    fn listing(&self) -> String {
        const SHOWN: usize = 20;
        let all = || self.layers.values().flat_map(BTreeMap::values);
        let shown: Vec<&str> = all()
            .take(SHOWN)
            .map(|stored| stored.name.as_str())
            .collect();
        match all().count() {
            0 => "no tensor".into(),
            count if count > SHOWN => format!("{} and {} more", shown.join(", "), count - SHOWN),
            _ => shown.join(", "),
        }
    }
}

impl Stored<'_> {
    fn values(&self, shape: &[Option<usize>]) -> Result<(Vec<usize>, Vec<f32>), ModelError> {
        let fits =
            self.shape.len() == shape.len()
                && self.shape.iter().zip(shape).all(|(&found, wanted)| {
                    found > 0 && wanted.is_none_or(|wanted| wanted == found)
                });
        if !fits {
            return Err(ModelError::Shape {
                name: self.name.clone(),
                expected: expected_shape(shape),
                found: self.shape.clone(),
            });
        }
        let values = match &self.content {
            Content::Bytes(number, bytes) => number.decode(&self.name, bytes)?,
            Content::Dataset(dataset) => dataset.values(&self.name, &self.shape)?,
        };
        check_finite(&self.name, &values)?;
        Ok((self.shape.clone(), values))
    }
}

fn expected_shape(shape: &[Option<usize>]) -> String {
    let sizes: Vec<String> = shape
        .iter()
        .map(|size| size.map_or("any".to_owned(), |size| size.to_string()))
        .collect();
    format!("[{}]", sizes.join(", "))
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
