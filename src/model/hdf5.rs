//! HDF5 files as Keras writes them: the config of a whole model, and the weights by layer.
//!
//! HDF5 is a file system in a file, and a hostile one can send a reader in circles: groups that
//! hold themselves, index trees whose branches meet again, datasets that claim what the file
//! cannot hold. The crate bounds the depth of its walks and no read's extent passes the end of
//! the file; what it cannot bound is how often the same bytes are read. So it reads through
//! [`Budget`], which counts, and gives up on a file that is read many times over. Rejected: a
//! limit on seconds, which would depend on the machine.

use super::ModelError;
use super::weights::{Content, LayerId, Naming, Number, PROJECTIONS, Stored, WRAPPED, Weights};
use hdf5_pure::{
    AttrValue, Datatype, DatatypeByteOrder, File, FloatingPointLayout, FormatError, Group,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What every HDF5 file without a user block starts with.
pub(super) const MAGIC: &[u8] = b"\x89HDF\r\n\x1a\n";

/// Where Keras 3 and Keras 2.12 to 2.15 keep the layers of a model.
const CONTAINERS: [&str; 2] = ["layers", "_layer_checkpoint_dependencies"];
/// Groups in groups; models in models are four groups a level.
const MAX_DEPTH: usize = 32;

/// An open file.
pub(super) struct Hdf5 {
    file: File,
    left: Arc<AtomicU64>,
}

/// The bytes of a file, and how many more may be read.
struct Budget {
    bytes: Vec<u8>,
    left: Arc<AtomicU64>,
}

/// A read costs this much besides its bytes: about what it takes.
const READ_COST: u64 = 256;

impl hdf5_pure::Source for Budget {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FormatError> {
        spend(&self.left, buffer.len() as u64 + READ_COST)
            .map_err(|()| FormatError::Source("the same parts are read over and over".into()))?;
        let range = usize::try_from(offset)
            .ok()
            .and_then(|start| Some(start..start.checked_add(buffer.len())?));
        let bytes =
            range
                .and_then(|range| self.bytes.get(range))
                .ok_or(FormatError::UnexpectedEof {
                    expected: usize::try_from(offset)
                        .unwrap_or(usize::MAX)
                        .saturating_add(buffer.len()),
                    available: self.bytes.len(),
                })?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

/// Takes `amount` from what is left.
fn spend(left: &AtomicU64, amount: u64) -> Result<(), ()> {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
        left.checked_sub(amount)
    })
    .map(drop)
    .map_err(drop)
}

fn failed(place: &str) -> impl Fn(hdf5_pure::Error) -> ModelError {
    move |error| ModelError::Hdf5 {
        place: place.to_owned(),
        // The crate's own words say the same as their cause.
        source: match error {
            hdf5_pure::Error::Format(cause) => Box::new(cause),
            other => Box::new(other),
        },
    }
}

impl Hdf5 {
    pub(super) fn open(bytes: Vec<u8>) -> Result<Self, ModelError> {
        let size = bytes.len() as u64;
        let left = |times, more| Arc::new(AtomicU64::new(size.saturating_mul(times) + more));
        let source = Budget {
            bytes,
            left: left(32, 64 << 20),
        };
        let file = File::from_source(source).map_err(failed("the file"))?;
        // Weights come before an optimizer's state, so a cut file might be read all the same.
        let whole = file.superblock().eof_address;
        if whole > size {
            return Err(ModelError::Config {
                place: "HDF5".into(),
                expected: format!("{whole} bytes, as the file says"),
                found: size.to_string(),
            });
        }
        Ok(Self {
            file,
            left: left(16, 1 << 20),
        })
    }

    /// The config of a whole-model file.
    pub(super) fn config(&self) -> Result<Option<String>, ModelError> {
        let attributes = self.file.root().attrs().map_err(failed("attributes"))?;
        let config = attributes.get("model_config");
        Ok(config.and_then(|value| value.as_str()).map(str::to_owned))
    }

    /// The version of Keras that wrote the file, where it says it.
    pub(super) fn keras_version(&self) -> Result<Option<String>, ModelError> {
        let root = self.file.root();
        let version = |group: &Group| -> Result<Option<String>, ModelError> {
            let attributes = group.attrs().map_err(failed("attributes"))?;
            let version = attributes.get("keras_version");
            Ok(version.and_then(|value| value.as_str()).map(str::to_owned))
        };
        match version(&root)? {
            Some(found) => Ok(Some(found)),
            None => match root.group("model_weights") {
                Ok(weights) => version(&weights),
                Err(_) => Ok(None),
            },
        }
    }

    /// The weights of a model, whichever Keras wrote them.
    pub(super) fn weights(&self) -> Result<Weights<'static>, ModelError> {
        let root = self.file.root();
        let groups = root.groups().map_err(failed("/"))?;
        let has = |name: &str| groups.iter().any(|group| group == name);
        if has("model_weights") {
            let group = root
                .group("model_weights")
                .map_err(failed("model_weights"))?;
            return self.legacy_weights("model_weights", &group);
        }
        if CONTAINERS.iter().any(|name| has(name)) {
            return self.keras_weights(&root);
        }
        let attributes = root.attrs().map_err(failed("attributes"))?;
        if attributes.contains_key("layer_names") || attributes.contains_key("layer_names0") {
            return self.legacy_weights("", &root);
        }
        Err(ModelError::Config {
            place: "HDF5 groups".into(),
            expected: "layers (Keras 3) or model_weights (a whole-model .h5)".into(),
            found: match groups.len() {
                0 => "none".into(),
                _ => groups[..groups.len().min(20)].join(", "),
            },
        })
    }

    fn keras_weights(&self, root: &Group) -> Result<Weights<'static>, ModelError> {
        let mut found = Vec::new();
        self.walk_layers(root, &LayerId::top(), "", 0, &mut found)?;
        // Keras files layers by class and count, and from 3.2 on notes each layer's name.
        let named = !found.is_empty() && found.iter().all(|variable| variable.named);
        let mut weights = Weights::new(if named {
            Naming::Position
        } else {
            Naming::CountPosition
        });
        for variable in found {
            let layer = match named {
                true => variable.layer.path,
                false => variable.layer.counts,
            };
            weights.insert(&layer, &variable.position, variable.stored)?;
        }
        Ok(weights)
    }

    /// Collects the variables of the layers in `group`, and of the models among them.
    fn walk_layers(
        &self,
        group: &Group,
        outer: &LayerId,
        path: &str,
        depth: usize,
        found: &mut Vec<Variable>,
    ) -> Result<(), ModelError> {
        check_depth(path, depth)?;
        let groups = group.groups().map_err(failed(path))?;
        for container in CONTAINERS
            .iter()
            .filter(|name| groups.iter().any(|g| g == *name))
        {
            let path = format!("{path}{container}");
            let container = group.group(container).map_err(failed(&path))?;
            let groups: Vec<_> = container.iter_groups().map_err(failed(&path))?.collect();
            // The second of a class is dense_1 or, to Keras 2.12, dense_2.
            let from_two = !groups.iter().any(|(count, _)| count.ends_with("_1"));
            for (count, layer) in groups {
                let path = format!("{path}/{count}/");
                let counted = count.rsplit_once('_').filter(|_| from_two);
                let count = counted
                    .and_then(|(class, n)| {
                        Some(format!(
                            "{class}_{}",
                            n.parse::<u32>().ok()?.checked_sub(1)?
                        ))
                    })
                    .unwrap_or(count);
                let mut name = None;
                if layer
                    .groups()
                    .map_err(failed(&path))?
                    .iter()
                    .any(|name| name == "vars")
                {
                    let path = format!("{path}vars");
                    let variables = layer.group("vars").map_err(failed(&path))?;
                    let attributes = variables.attrs().map_err(failed(&path))?;
                    let noted = attributes.get("name").and_then(|name| name.as_str());
                    name = noted.map(str::to_owned);
                    let id = outer.inside(name.as_deref().unwrap_or(&count), &count);
                    for (position, dataset) in variables.iter_datasets().map_err(failed(&path))? {
                        let stored = self.stored(format!("{path}/{position}"), dataset)?;
                        found.push(Variable {
                            layer: id.clone(),
                            named: name.is_some(),
                            position,
                            stored,
                        });
                    }
                }
                let id = outer.inside(name.as_deref().unwrap_or(&count), &count);
                // Layers in a wrapper, such as SpectralNormalization, and those of an attention.
                for held in [WRAPPED].into_iter().chain(PROJECTIONS) {
                    let Ok(wrapped) = layer.group(held).and_then(|group| group.group("vars"))
                    else {
                        continue;
                    };
                    let path = format!("{path}{held}/vars");
                    let attributes = wrapped.attrs().map_err(failed(&path))?;
                    let noted = attributes.get("name").and_then(|name| name.as_str());
                    let id = id.inside(noted.unwrap_or(held), held);
                    for (position, dataset) in wrapped.iter_datasets().map_err(failed(&path))? {
                        let stored = self.stored(format!("{path}/{position}"), dataset)?;
                        found.push(Variable {
                            layer: id.clone(),
                            named: noted.is_some(),
                            position,
                            stored,
                        });
                    }
                }
                self.walk_layers(&layer, &id, &path, depth + 1, found)?;
            }
        }
        Ok(())
    }

    fn legacy_weights(&self, path: &str, group: &Group) -> Result<Weights<'static>, ModelError> {
        let mut weights = Weights::new(Naming::Path);
        let attributes = group.attrs().map_err(failed(path))?;
        // A name with slashes is a group in groups, so the file's own list says what the layers are.
        if let Some(layers) = strings(&attributes, "layer_names") {
            for layer in layers {
                let place = format!("{path}/{layer}");
                let group = self.descend(group, &layer, &place)?;
                let key = [layer.clone()];
                let listed = strings(&group.attrs().map_err(failed(&place))?, "weight_names");
                for name in listed.unwrap_or_default() {
                    let place = format!("{layer}/{name}");
                    let (folders, last) = name.rsplit_once('/').unwrap_or(("", &name));
                    let dataset = self
                        .descend(&group, folders, &place)?
                        .dataset(last)
                        .map_err(failed(&place))?;
                    weights.insert(&key, &name, self.stored(place, dataset)?)?;
                }
            }
            return Ok(weights);
        }
        for (layer, group) in group.iter_groups().map_err(failed(path))? {
            if layer != "optimizer_weights" {
                self.walk_datasets(&group, &layer, "", 0, &mut weights)?;
            }
        }
        Ok(weights)
    }

    /// The group at `path` below `group`, one name at a time.
    fn descend(&self, group: &Group, path: &str, place: &str) -> Result<Group, ModelError> {
        check_depth(place, path.split('/').count())?;
        (path.split('/').filter(|name| !name.is_empty()))
            .try_fold(group.clone(), |group, name| group.group(name))
            .map_err(failed(place))
    }

    /// Adds every dataset below `group` to the layer, by its path below it.
    fn walk_datasets(
        &self,
        group: &Group,
        layer: &str,
        path: &str,
        depth: usize,
        weights: &mut Weights<'static>,
    ) -> Result<(), ModelError> {
        check_depth(path, depth)?;
        for (name, dataset) in group.iter_datasets().map_err(failed(path))? {
            let path = format!("{path}{name}");
            let stored = self.stored(format!("{layer}/{path}"), dataset)?;
            weights.insert(&[layer.to_owned()], &path, stored)?;
        }
        for (name, group) in group.iter_groups().map_err(failed(path))? {
            self.walk_datasets(&group, layer, &format!("{path}{name}/"), depth + 1, weights)?;
        }
        Ok(())
    }

    fn stored(
        &self,
        name: String,
        dataset: hdf5_pure::Dataset,
    ) -> Result<Stored<'static>, ModelError> {
        let shape = dataset.shape().map_err(failed(&name))?;
        let shape = shape
            .into_iter()
            .map(|size| usize::try_from(size).unwrap_or(usize::MAX))
            .collect();
        let left = Arc::clone(&self.left);
        let dataset = Dataset { dataset, left };
        Ok(Stored {
            name,
            shape,
            content: Content::Unread(Box::new(move |name, shape| dataset.values(name, shape))),
        })
    }
}

/// A variable of a Keras 3 file, with its layer by name and by count.
struct Variable {
    layer: LayerId,
    /// Whether the file says the layer's name.
    named: bool,
    position: String,
    stored: Stored<'static>,
}

fn check_depth(path: &str, depth: usize) -> Result<(), ModelError> {
    if depth < MAX_DEPTH {
        return Ok(());
    }
    Err(ModelError::Config {
        place: "HDF5 groups".into(),
        expected: format!("at most {MAX_DEPTH} inside each other"),
        found: path.chars().take(60).chain("...".chars()).collect(),
    })
}

/// A list of texts among attributes. Lists that are too long for one attribute are several,
/// `layer_names0`, `layer_names1`, ...
fn strings(attributes: &HashMap<String, AttrValue>, name: &str) -> Option<Vec<String>> {
    let list = |name: &str| {
        let value = attributes.get(name)?;
        // An empty list is one of numbers.
        Some(
            value
                .as_strings()
                .map(<[String]>::to_vec)
                .unwrap_or_default(),
        )
    };
    list(name).or_else(|| {
        let parts = (0..).map_while(|part| list(&format!("{name}{part}")));
        let parts: Vec<Vec<String>> = parts.collect();
        (!parts.is_empty()).then(|| parts.concat())
    })
}

/// A dataset that has not been read, and how many bytes of values the file may still give.
struct Dataset {
    dataset: hdf5_pure::Dataset,
    left: Arc<AtomicU64>,
}

impl Dataset {
    /// Reads the values of a dataset of this shape.
    fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let failed = failed(name);
        let count = |shape: &[u64]| shape.iter().try_fold(8u64, |n, &size| n.checked_mul(size));
        let sizes: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
        let chunk = self.dataset.chunk_shape().map_err(&failed)?;
        // In bytes of the widest type. Small ones may lie in a chunk that is larger than they.
        let bytes = count(&sizes);
        let fits = bytes.is_some_and(|bytes| spend(&self.left, bytes).is_ok())
            && chunk.is_none_or(|chunk| {
                count(&chunk).is_some_and(|chunk| Some(chunk) <= bytes.map(|b| b.max(1 << 20)))
            });
        if !fits {
            return Err(ModelError::FileTooLarge {
                what: format!("dataset \"{name}\" of shape {shape:?}"),
                limit: "what the file can hold".into(),
            });
        }
        // Raw bytes, decoded here: the crate is compiled without optimising it.
        let number = self.number(name)?;
        let bytes = match number {
            Number::Other(_) => Vec::new(),
            _ => self.dataset.read_raw().map_err(&failed)?,
        };
        let values = number.decode(name, &bytes)?;
        let expected: usize = shape.iter().product();
        if values.len() != expected {
            return Err(ModelError::Config {
                place: format!("dataset \"{name}\""),
                expected: format!("{expected} values"),
                found: values.len().to_string(),
            });
        }
        Ok(values)
    }

    /// How values are stored, from the type in the file.
    fn number(&self, name: &str) -> Result<Number, ModelError> {
        const HALF: FloatingPointLayout = FloatingPointLayout {
            bit_offset: 0,
            bit_precision: 16,
            exponent_location: 10,
            exponent_size: 5,
            mantissa_location: 0,
            mantissa_size: 10,
            exponent_bias: 15,
        };
        let datatype = self.dataset.datatype().map_err(failed(name))?;
        let number = match &datatype {
            Datatype::FloatingPoint {
                size,
                byte_order: DatatypeByteOrder::LittleEndian,
                layout,
            } => match (size, *layout) {
                (4, FloatingPointLayout::IEEE754_BINARY32) => Some(Number::F32),
                (8, FloatingPointLayout::IEEE754_BINARY64) => Some(Number::F64),
                (2, HALF) => Some(Number::F16),
                _ => None,
            },
            Datatype::FloatingPoint { .. } => Some(Number::Other("big-endian floats".to_owned())),
            // HDF5 has no bfloat16: Keras stores its bytes as they are and notes what they are.
            Datatype::Opaque { size: 2, .. } => {
                let attributes = self.dataset.attrs().map_err(failed(name))?;
                let noted = attributes.get("dtype").and_then(|noted| noted.as_str());
                (noted == Some("bfloat16")).then_some(Number::Bf16)
            }
            _ => None,
        };
        Ok(number.unwrap_or_else(|| {
            let dtype = self.dataset.dtype();
            Number::Other(dtype.map_or("another type".into(), |dtype| dtype.to_string()))
        }))
    }
}
