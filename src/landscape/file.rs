//! A landscape with its names, and the `landscape.safetensors` it is kept in.
//!
//! Everything that figures, tables and the report say of a landscape is in this file, so that
//! a finished run can be drawn again without the model, the data or an engine.

use super::{
    FlatGrid, GridKind, GridMeshes, Landscape, Measures, OrderAsymmetry, Permutation, measure,
};
use crate::data::{
    FileError, Tensor, TensorData, TensorFile, TensorFileError, safetensors_bytes, write_file,
};
use crate::mesh::PairMesh;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// What the items of a landscape are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Items {
    /// Images, morphed into each other.
    Images {
        /// `[height, width, channels]`.
        shape: [usize; 3],
    },
    /// Rows of features, mixed linearly.
    Rows {
        /// Name of each feature.
        features: Vec<String>,
    },
}

/// What a landscape is called, and what it is of: all that its file says beside the values.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// Name, e.g. `1A.3`.
    pub name: String,
    /// Which item of its triple is C.
    pub permutation: Permutation,
    /// Names of the items A, B, C.
    pub item_names: [String; 3],
    /// Classes of the items A, B, C.
    pub item_classes: [usize; 3],
    /// Name of every class of the model.
    pub class_names: Vec<String>,
    /// Where the model came from.
    pub model: String,
    /// SHA-256 of the model's file.
    pub model_sha256: String,
    /// What the items are.
    pub items: Items,
    /// How the grid was made: mode, sampling and the like, as the manifest says them.
    pub settings: Map<String, Value>,
    /// Its measures on two finer grids, where a run took them, as JSON for whoever took them.
    pub finer_measures: Option<Value>,
}

/// A landscape and what it is of: all that its file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct LandscapeFile {
    /// What it is of.
    pub about: About,
    /// The values.
    pub landscape: Landscape,
}

/// Why a landscape's file was refused; the caller adds the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LandscapeFileError {
    /// The file, a tensor or an entry of the metadata.
    #[error(transparent)]
    File(#[from] TensorFileError),
    /// Entries that do not belong together.
    #[error(
        "{what}: expected {expected}, found {found}; the file is not one that morphscape wrote"
    )]
    Inconsistent {
        /// What is wrong.
        what: &'static str,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
}

/// What metadata says of NaN in the tensors.
const FAILED_NOTE: &str = "where logits and probabilities (and frames, if kept) are NaN, the frame failed: the paper's tool stops there with a singular matrix";

/// The largest grid and the most classes taken from a file, so that their product is a size.
const MAX_STEPS: usize = 1001;
const MAX_SIDE_PX: usize = 4096;
const MAX_CLASSES: usize = 100_000;

impl Items {
    /// What a point of the grid is called: `frame` or `row`.
    pub fn input_name(&self) -> &'static str {
        match self {
            Self::Images { .. } => "frame",
            Self::Rows { .. } => "row",
        }
    }

    /// Values an item.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Images { shape } => shape.iter().product(),
            Self::Rows { features } => features.len(),
        }
    }

    /// Name of the tensor of kept inputs, and the shape of each of them.
    fn tensor(&self) -> (&'static str, Vec<usize>) {
        match self {
            Self::Images {
                shape: [height, width, channels],
            } => {
                let mut shape = vec![*height, *width];
                shape.extend((*channels > 1).then_some(*channels));
                ("frames", shape)
            }
            Self::Rows { features } => ("rows", vec![features.len()]),
        }
    }
}

/// The shape of a tensor with so many values a point: `[steps, steps, ...]`, or
/// `[points, ...]` where places are empty.
fn tensor_shape(kind: GridKind, steps: usize, of_point: &[usize]) -> Vec<usize> {
    let mut shape = match kind.has_gaps() {
        true => vec![kind.num_points(steps)],
        false => vec![steps, steps],
    };
    shape.extend(of_point);
    shape
}

/// The values of the points that a grid has, out of those of all its places.
fn packed(kind: GridKind, steps: usize, values: &[f32]) -> Cow<'_, [f32]> {
    let each = values.len() / (steps * steps);
    match kind.has_gaps() {
        false => Cow::Borrowed(values),
        true => Cow::Owned(
            kind.points(steps)
                .flat_map(|k| values[k * each..(k + 1) * each].iter().copied())
                .collect(),
        ),
    }
}

/// The other way around: NaN where the grid has no point.
fn unpacked(kind: GridKind, steps: usize, values: Vec<f32>) -> Vec<f32> {
    let points = kind.num_points(steps);
    if points == steps * steps {
        return values;
    }
    let each = values.len() / points;
    let mut all = vec![f32::NAN; steps * steps * each];
    for (k, values) in kind.points(steps).zip(values.chunks_exact(each)) {
        all[k * each..(k + 1) * each].copy_from_slice(values);
    }
    all
}

/// The triple's part of a landscape's name: `1A` of `1A.3`.
pub fn triple_of(landscape: &str) -> &str {
    landscape
        .rsplit_once('.')
        .map_or(landscape, |(triple, _)| triple)
}

impl LandscapeFile {
    /// Name of the triple, e.g. `1A`: the landscape's without its permutation.
    pub fn triple_name(&self) -> &str {
        triple_of(&self.about.name)
    }

    /// Names of the classes of A, B, C.
    pub fn item_class_names(&self) -> [&str; 3] {
        self.about
            .item_classes
            .map(|class| self.about.class_names[class].as_str())
    }

    /// The classes whose surfaces are drawn: those of A, B, C, then the intruders that reach a
    /// probability of 0.5 somewhere.
    pub fn surface_classes(&self) -> Vec<usize> {
        let mut classes = self.predicted_classes();
        classes.retain(|class| {
            self.about.item_classes.contains(class) || self.landscape.peak(*class) >= 0.5
        });
        classes
    }

    /// The classes of A, B, C, then the intruders, which are predicted somewhere without being
    /// an item's class, the most frequent first.
    pub fn predicted_classes(&self) -> Vec<usize> {
        let mut frames = vec![0usize; self.landscape.num_classes];
        for k in 0..self.landscape.num_frames() {
            if let Some(label) = self.landscape.label(k) {
                frames[label] += 1;
            }
        }
        let mut others: Vec<usize> = (0..frames.len())
            .filter(|class| frames[*class] > 0 && !self.about.item_classes.contains(class))
            .collect();
        others.sort_by_key(|&class| std::cmp::Reverse(frames[class]));
        self.about.item_classes.into_iter().chain(others).collect()
    }

    /// What is measured of it by itself; the order, which takes its triple, is left out.
    pub fn measures(&self) -> Measures {
        measure(&self.landscape, self.about.item_classes)
    }

    /// The kept input of frame `k`, if inputs were kept.
    ///
    /// # Panics
    /// When `k` is not a frame of the landscape.
    pub fn input(&self, k: usize) -> Option<&[f32]> {
        let length = self.about.items.len();
        let inputs = self.landscape.inputs.as_ref()?;
        Some(&inputs[k * length..(k + 1) * length])
    }

    /// Writes the file, with the inputs if they were kept and its measures in the metadata; the
    /// same landscape gives the same bytes. The measures are for other readers: [`Self::read`]
    /// leaves them, since the values give them again, and [`Self::read_measured`] takes one.
    ///
    /// # Errors
    /// [`FileError`] with the path.
    pub fn write(&self, path: &Path, measures: &Measures) -> Result<(), FileError> {
        write_file(path, &self.to_bytes(measures))
    }

    /// What [`LandscapeFile::write`] writes.
    pub fn to_bytes(&self, measures: &Measures) -> Vec<u8> {
        let landscape = &self.landscape;
        let (kind, steps) = (landscape.kind, landscape.steps);
        let (inputs_name, of_input) = self.about.items.tensor();
        let answers: &[usize] = &[landscape.num_classes];
        let held = [
            ("logits", answers, Some(&landscape.logits)),
            ("probabilities", answers, Some(&landscape.probabilities)),
            (inputs_name, &of_input, landscape.inputs.as_ref()),
        ];
        let held: Vec<_> = held
            .into_iter()
            .filter_map(|(name, of_point, values)| {
                let values = packed(kind, steps, values?);
                Some((name, tensor_shape(kind, steps, of_point), values))
            })
            .collect();
        let mut tensors: Vec<Tensor<'_>> = held
            .iter()
            .map(|(name, shape, values)| Tensor {
                name,
                shape: shape.clone(),
                data: TensorData::F32(values),
            })
            .collect();
        let places = landscape
            .flat
            .as_ref()
            .map(|flat| flat.coordinates(kind, steps));
        if let Some(places) = &places {
            for (name, values) in ["alpha", "beta"].into_iter().zip(places) {
                tensors.push(Tensor {
                    name,
                    shape: vec![values.len()],
                    data: TensorData::F64(values),
                });
            }
        }
        let mut settings = Map::from_iter([("steps".to_owned(), json!(steps))]);
        settings.extend(self.about.settings.clone());
        let mut metadata = BTreeMap::from([
            ("name", self.about.name.clone()),
            ("permutation", self.about.permutation.number().to_string()),
            ("items", json!(self.about.item_names).to_string()),
            ("item_classes", json!(self.about.item_classes).to_string()),
            ("item_kind", json!(self.about.items).to_string()),
            ("classes", json!(self.about.class_names).to_string()),
            ("model", self.about.model.clone()),
            ("model_sha256", self.about.model_sha256.clone()),
            ("measures", json!(measures).to_string()),
            ("settings", Value::Object(settings).to_string()),
            (
                "program",
                concat!("morphscape ", env!("CARGO_PKG_VERSION")).to_owned(),
            ),
        ]);
        if let Some(finer) = &self.about.finer_measures {
            metadata.insert("finer_measures", finer.to_string());
        }
        if let Some(flat) = &landscape.flat {
            metadata.insert("flat", json!(flat).to_string());
        }
        if let Some(morph) = &landscape.morph {
            metadata.insert("counts", json!(morph.counts).to_string());
            if morph.counts.failed > 0 {
                metadata.insert("failed", FAILED_NOTE.to_owned());
            }
            let meshes = json!({"a_to_b": morph.a_to_b, "mix_to_c": morph.mix_to_c});
            metadata.insert("meshes", meshes.to_string());
        }
        safetensors_bytes(&tensors, &metadata)
    }

    /// Reads a file that [`LandscapeFile::write`] wrote.
    ///
    /// # Errors
    /// [`LandscapeFileError`] when something is missing or does not fit together, or the content
    /// is not that of the digest in the file, if it has one.
    pub fn read(path: &Path) -> Result<Self, LandscapeFileError> {
        Self::parse(TensorFile::read(path)?)
    }

    /// The same of a file's content.
    ///
    /// # Errors
    /// As [`LandscapeFile::read`].
    pub fn from_bytes(content: &[u8]) -> Result<Self, LandscapeFileError> {
        Self::parse(TensorFile::parse(content)?)
    }

    /// The same of a file or its content, with its measures: the values give them again but for the
    /// order, which takes the whole triple and is what the file says it is.
    ///
    /// # Errors
    /// As [`LandscapeFile::read`].
    pub fn read_measured(path: &Path) -> Result<(Self, Measures), LandscapeFileError> {
        Self::measured(TensorFile::read(path)?)
    }

    /// See [`LandscapeFile::read_measured`].
    ///
    /// # Errors
    /// As [`LandscapeFile::read`].
    pub fn measured_from_bytes(content: &[u8]) -> Result<(Self, Measures), LandscapeFileError> {
        Self::measured(TensorFile::parse(content)?)
    }

    fn measured(file: TensorFile) -> Result<(Self, Measures), LandscapeFileError> {
        #[derive(Deserialize)]
        struct OfTriple {
            order: Option<OrderAsymmetry>,
        }
        let OfTriple { order } = file.json("measures")?;
        let read = Self::parse(file)?;
        let measures = Measures {
            order,
            ..read.measures()
        };
        Ok((read, measures))
    }

    /// Reads a file that is to be taken for what was written, to the bit.
    ///
    /// # Errors
    /// As [`LandscapeFile::read`]; and when the file has no digest.
    pub fn read_whole(path: &Path) -> Result<Self, LandscapeFileError> {
        let file = TensorFile::read(path)?;
        file.require_digest()?;
        Self::parse(file)
    }

    fn parse(mut file: TensorFile) -> Result<Self, LandscapeFileError> {
        let mut settings: Map<String, Value> = file.json("settings")?;
        let class_names: Vec<String> = file.json("classes")?;
        let item_classes: [usize; 3] = file.json("item_classes")?;
        let items: Items = file.json("item_kind")?;
        let number: usize = file.json("permutation")?;
        let inconsistent = |what, expected: &str, found: String| {
            Err(LandscapeFileError::Inconsistent {
                what,
                expected: expected.to_owned(),
                found,
            })
        };
        let stated = settings.remove("steps").unwrap_or_default();
        let steps = match stated.as_u64() {
            Some(steps) if (2..=MAX_STEPS as u64).contains(&steps) => steps as usize,
            _ => return inconsistent("settings.steps", "2 to 1001", stated.to_string()),
        };
        let classes = class_names.len();
        if !(1..=MAX_CLASSES).contains(&classes) {
            return inconsistent("classes", "1 to 100000 names", classes.to_string());
        }
        if item_classes.iter().any(|&class| class >= classes) {
            return inconsistent(
                "item_classes",
                "numbers of classes",
                format!("{item_classes:?}"),
            );
        }
        let Some(permutation) = Permutation::ALL.into_iter().find(|p| p.number() == number) else {
            return inconsistent("permutation", "1, 2 or 3", number.to_string());
        };
        let stated = settings.get("kind").cloned();
        let kind = match (stated, &items) {
            (Some(kind), _) => match serde_json::from_value(kind.clone()) {
                Ok(kind) => kind,
                Err(_) => return inconsistent("settings.kind", "a kind of grid", kind.to_string()),
            },
            (None, Items::Rows { .. }) => GridKind::Rows,
            (None, Items::Images { .. }) => {
                let mode = settings.get("mode").and_then(Value::as_str);
                GridKind::of_mode(mode.unwrap_or_default())
            }
        };
        let shape = tensor_shape(kind, steps, &[classes]);
        let logits = unpacked(kind, steps, file.take("logits", &shape)?);
        let probabilities = file.take("probabilities", &shape)?;
        // A frame has all its probabilities, or has failed.
        let probable = |p: &f32| (0.0..=1.0 + 1e-5).contains(p);
        if !probabilities.chunks_exact(classes).all(|frame| {
            frame.iter().all(probable) || frame.iter().all(|probability| probability.is_nan())
        }) {
            return inconsistent("probabilities", "0 to 1", "another value".into());
        }
        let probabilities = unpacked(kind, steps, probabilities);
        let (name, of_input) = items.tensor();
        let shape = tensor_shape(kind, steps, &of_input);
        let fits = match &items {
            Items::Images {
                shape: [height, width, channels],
            } => {
                let side = 1..=MAX_SIDE_PX;
                side.contains(height) && side.contains(width) && [1, 3].contains(channels)
            }
            Items::Rows { features } => !features.is_empty(),
        };
        if !fits {
            let expected =
                "images of 1 to 4096 pixels a side and 1 or 3 channels, or rows of features";
            return inconsistent("item_kind", expected, format!("{items:?}"));
        }
        let inputs = match items {
            Items::Images { .. } => file.take_optional(name, &shape)?,
            Items::Rows { .. } => Some(file.take(name, &shape)?),
        };
        let inputs = inputs.map(|inputs| unpacked(kind, steps, inputs));
        let flat = match kind.is_flat() {
            true => {
                let mut flat: FlatGrid = file.json("flat")?;
                let values = match kind.has_gaps() {
                    true => kind.num_points(steps),
                    false => steps,
                };
                let places = [
                    file.take_f64("alpha", &[values])?,
                    file.take_f64("beta", &[values])?,
                ];
                let rises = |axis: &Vec<f64>| axis.windows(2).all(|pair| pair[0] < pair[1]);
                let known = flat.anchors.iter().flatten().all(|at| at.is_finite());
                if !known || (!kind.has_gaps() && !places.iter().all(rises)) {
                    let expected = "finite places of the items, and rising coordinates of a plane";
                    return inconsistent("flat", expected, "others".into());
                }
                if !kind.has_gaps() {
                    flat.axes = places;
                }
                Some(flat)
            }
            false => None,
        };
        let morph = match items {
            _ if kind.is_flat() => None,
            Items::Rows { .. } => None,
            Items::Images { .. } => {
                #[derive(Deserialize)]
                struct Meshes {
                    a_to_b: PairMesh,
                    mix_to_c: PairMesh,
                }
                let Meshes { a_to_b, mix_to_c } = file.json("meshes")?;
                for mesh in [&a_to_b, &mix_to_c] {
                    let points = mesh.points_left.len();
                    let known =
                        |triangle: &[u32; 3]| triangle.iter().all(|&p| (p as usize) < points);
                    if points != mesh.points_right.len() || !mesh.triangles.iter().all(known) {
                        return inconsistent(
                            "meshes",
                            "as many left as right points and triangles over them",
                            format!("{points} left points"),
                        );
                    }
                }
                Some(GridMeshes {
                    counts: file.json("counts")?,
                    a_to_b,
                    mix_to_c,
                })
            }
        };
        let about = About {
            name: file.text("name")?.to_owned(),
            permutation,
            item_names: file.json("items")?,
            item_classes,
            model: file.text("model")?.to_owned(),
            model_sha256: file.text("model_sha256")?.to_owned(),
            finer_measures: match file.text("finer_measures") {
                Ok(_) => Some(file.json("finer_measures")?),
                Err(_) => None,
            },
            class_names,
            items,
            settings,
        };
        let landscape = Landscape {
            kind,
            steps,
            num_classes: classes,
            logits,
            probabilities,
            inputs,
            morph,
            flat,
        };
        Ok(Self { about, landscape })
    }
}
