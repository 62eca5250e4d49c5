//! The weights of a file, by layer: one view of `.safetensors` tensors and HDF5 datasets.
//!
//! Containers name a layer's variables in four ways, and a layer asks for a variable by all of
//! them at once ([`Variable`]), so the layers know nothing of containers:
//!
//! ```text
//! .safetensors     LAYER.kernel                            by role
//! Keras 3 HDF5     layers/dense_1/vars/0, name "LAYER"     by position
//! legacy HDF5      model_weights/LAYER/OUTER/INNER/kernel:0  by the whole path
//! TensorFlow.js    LAYER/kernel                            by role, whatever models LAYER is in
//! ```
//!
//! Layer names may hold slashes, and models inside models may hold layers of the same name, so a
//! layer is known by the names of all models around it and never by a part of its path.
//!
//! What is stored is checked when it is taken: shape first, then the type, then each value.
//! Nothing is read before the shape it claims has been compared with the layer's and with what
//! the file can hold.

use super::ModelError;
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// A layer's variable, in the ways containers name it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variable {
    /// What it is called, e.g. `kernel`; the first is the name in messages.
    pub(super) roles: &'static [&'static str],
    /// Its place among the layer's variables, in Keras's order.
    pub(super) position: usize,
}

/// A layer as containers name it: its own name behind those of the models it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LayerId {
    /// All names joined by slashes, `outer/inner`, for messages.
    pub(super) name: String,
    /// The names, outermost first; one of them may hold a slash itself.
    pub(super) path: Vec<String>,
    /// The same by class and count, e.g. `dense_1` for the second Dense: how Keras before 3.2
    /// files them.
    pub(super) counts: Vec<String>,
    /// Whether it is called more than once, each time with the same weights.
    pub(super) shared: bool,
}

impl LayerId {
    /// A layer that is known by its name alone.
    pub(super) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            path: vec![name.to_owned()],
            counts: vec![name.to_owned()],
            shared: false,
        }
    }

    /// The model that holds all layers and has no name among them.
    pub(super) fn top() -> Self {
        Self {
            name: String::new(),
            path: Vec::new(),
            counts: Vec::new(),
            shared: false,
        }
    }

    /// A layer of the model that has this id.
    pub(super) fn inside(&self, name: &str, count: &str) -> Self {
        let joined = |path: &[String], last: &str| {
            let mut path = path.to_vec();
            path.push(last.to_owned());
            path
        };
        let path = joined(&self.path, name);
        Self {
            name: path.join("/"),
            path,
            counts: joined(&self.counts, count),
            shared: false,
        }
    }
}

/// The count under which Keras files the layer in a wrapper.
pub(super) const WRAPPED: &str = "layer";

/// The same of an attention's dense layers.
pub(super) const PROJECTIONS: [&str; 4] =
    ["query_dense", "key_dense", "value_dense", "output_dense"];

/// How a container names layers and their variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// By the layer's name and the variable's role.
    Role,
    /// By the layer's own name, without those of the models it is in, and the variable's role.
    Own,
    /// By the layer's name and the variable's position.
    Position,
    /// By the layer's count and the variable's position.
    CountPosition,
    /// By the outermost layer's name and a path of the names inside it, which ends in the
    /// variable's role.
    Path,
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
    /// Values that are read when they are asked for, by the tensor's name and shape.
    Unread(Box<Reading<'a>>),
}

/// Reads the values of a tensor of this name and shape.
pub(super) type Reading<'a> = dyn Fn(&str, &[usize]) -> Result<Vec<f32>, ModelError> + 'a;

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
    layers: BTreeMap<Vec<String>, BTreeMap<String, Stored<'a>>>,
    /// What a shared layer has taken, which stays for its next call.
    read_again: BTreeSet<(Vec<String>, String)>,
}

impl<'a> Weights<'a> {
    pub(super) fn new(naming: Naming) -> Self {
        Self {
            naming,
            layers: BTreeMap::new(),
            read_again: BTreeSet::new(),
        }
    }

    /// Adds a variable under its layer, refused where there is one already.
    pub(super) fn insert(
        &mut self,
        layer: &[String],
        variable: &str,
        stored: Stored<'a>,
    ) -> Result<(), ModelError> {
        let variables = self.layers.entry(layer.to_vec()).or_default();
        match variables.entry(variable.to_owned()) {
            Entry::Vacant(place) => {
                place.insert(stored);
                Ok(())
            }
            Entry::Occupied(place) => Err(ModelError::Config {
                place: format!("tensor \"{}\"", stored.name),
                expected: "one tensor for each variable of a layer".into(),
                found: format!("\"{}\" for the same", place.get().name),
            }),
        }
    }

    /// The tensors of a `.safetensors` file: `LAYER.role`, the layer being all up to the last
    /// full stop.
    pub(super) fn from_safetensors(tensors: &SafeTensors<'a>) -> Result<Self, ModelError> {
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
            weights.insert(&[layer.to_owned()], role, stored)?;
        }
        Ok(weights)
    }

    /// Layers that have a variable of this role, with its shape.
    pub(super) fn with_role(&self, role: &str) -> Vec<(String, Vec<usize>)> {
        let layers = self.layers.iter();
        layers
            .filter_map(|(layer, variables)| {
                let stored = variables.get(role)?;
                Some((layer.join("/"), stored.shape.clone()))
            })
            .collect()
    }

    /// Whether the variable is there.
    pub(super) fn has(&self, layer: &LayerId, variable: Variable) -> bool {
        !matches!(self.find(layer, variable), Ok(None))
    }

    /// How the container names a layer.
    fn key(&self, layer: &LayerId) -> Vec<String> {
        match self.naming {
            Naming::Role => vec![layer.name.clone()],
            Naming::Own => layer.path.last().cloned().into_iter().collect(),
            Naming::Position => layer.path.clone(),
            Naming::CountPosition => layer.counts.clone(),
            Naming::Path => layer.path[..1].to_vec(),
        }
    }

    /// The keys of a variable.
    fn find(
        &self,
        layer: &LayerId,
        variable: Variable,
    ) -> Result<Option<(Vec<String>, String)>, ModelError> {
        let key = self.key(layer);
        let Some(variables) = self.layers.get(&key) else {
            return Ok(None);
        };
        let found = match self.naming {
            Naming::Role | Naming::Own => variables
                .keys()
                .find(|role| variable.roles.contains(&role.as_str())),
            Naming::Position | Naming::CountPosition => variables
                .keys()
                .find(|position| position.parse::<usize>() == Ok(variable.position)),
            Naming::Path => by_path(layer, variable, variables)?,
        };
        Ok(found.map(|variable| (key, variable.clone())))
    }

    /// Takes a variable of `shape`, where `None` fits any size. Gives its shape and values,
    /// row-major.
    pub(super) fn take(
        &mut self,
        layer: &LayerId,
        variable: Variable,
        shape: &[Option<usize>],
    ) -> Result<(Vec<usize>, Vec<f32>), ModelError> {
        let Some(keys) = self.find(layer, variable)? else {
            return Err(ModelError::MissingTensor {
                name: format!("{}.{}", layer.name, variable.roles[0]),
                shape: expected_shape(shape),
                found: self.listing(),
            });
        };
        let (key, name) = &keys;
        let variables = self.layers.get_mut(key).expect("it was found there");
        if layer.shared {
            let values = variables[name].values(shape)?;
            self.read_again.insert(keys);
            return Ok(values);
        }
        let stored = variables.remove(name).expect("it was found there");
        if variables.is_empty() {
            self.layers.remove(key);
        }
        stored.values(shape)
    }

    /// Leaves out what the file holds for this layer: random states and counts.
    pub(super) fn ignore(&mut self, layer: &LayerId) {
        match self.naming {
            // What else stands in the outermost layer's group belongs to other layers.
            Naming::Path if layer.path.len() > 1 => {
                if let Some(variables) = self.layers.get_mut(&self.key(layer)) {
                    variables.retain(|path, _| agreement(layer, path).is_none());
                }
            }
            _ => {
                self.layers.remove(&self.key(layer));
            }
        }
    }

    /// Variables that no layer has taken are an error.
    pub(super) fn finish(mut self, expected: &str) -> Result<(), ModelError> {
        for (layer, variable) in std::mem::take(&mut self.read_again) {
            if let Some(variables) = self.layers.get_mut(&layer) {
                variables.remove(&variable);
            }
        }
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

/// The variable of a layer among those of the outermost layer it is in: the one whose path
/// agrees with the layer's in most names. A path may be shorter than the layer's, since Keras 2
/// left out the models around a layer, or longer; where the shorter one ends they must agree.
fn by_path<'w>(
    layer: &LayerId,
    variable: Variable,
    variables: &'w BTreeMap<String, Stored<'_>>,
) -> Result<Option<&'w String>, ModelError> {
    let of_role = |path: &&String| {
        let role = path.rsplit('/').next().unwrap_or_default();
        variable
            .roles
            .contains(&role.split(':').next().unwrap_or_default())
    };
    let mut best: Option<(Agreement, Vec<&String>)> = None;
    for path in variables.keys().filter(of_role) {
        let Some(agreement) = agreement(layer, path) else {
            continue;
        };
        match &mut best {
            Some((most, paths)) if *most == agreement => paths.push(path),
            Some((most, _)) if *most > agreement => {}
            _ => best = Some((agreement, vec![path])),
        }
    }
    match best {
        None => Ok(None),
        Some((_, paths)) => match paths[..] {
            [path] => Ok(Some(path)),
            _ => Err(ModelError::Config {
                place: format!("weights of layer \"{}\"", layer.name),
                expected: format!("one tensor \"{}\"", variable.roles[0]),
                found: paths
                    .iter()
                    .map(|path| path.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            }),
        },
    }
}

/// Whether two paths are the same, and how many names from the end they share.
type Agreement = (bool, usize);

/// How well the path of a variable agrees with its layer's; nothing where it does not.
fn agreement(layer: &LayerId, path: &str) -> Option<Agreement> {
    let mut found: Vec<&str> = path.split('/').collect();
    found.pop();
    let whole: Vec<&str> = layer.path.iter().flat_map(|name| name.split('/')).collect();
    // A layer of its own has its group to itself, whatever it was called when it was built.
    if layer.path.len() == 1 {
        return Some((found == whole, 0));
    }
    let outermost = layer.path[0].split('/').count();
    let shared = (found.iter().rev().zip(whole.iter().rev()))
        .take_while(|(a, b)| a == b)
        .count();
    let same = found == whole || found == whole[outermost..];
    (shared == found.len().min(whole.len()) && shared > 0).then_some((same, shared))
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
            Content::Unread(read) => read(&self.name, &self.shape)?,
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
