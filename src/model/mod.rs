//! Trained classifiers: a checked sequence of layers, whatever file they come from.
//!
//! ```text
//! .keras        ─ archive ─> config, HDF5 ─┐
//! .h5           ─ hdf5 ────> config ───────┤
//! model.json    ─ tfjs ────> config ───────┼─ keras ─┬─> Vec<Layer> ─ lower ─> drafts ─ passes ─> steps ─> Model
//! .safetensors  ─ metadata ─ config ───────┘         │
//!               ─ options, no config ─────── plain ──┤
//! .onnx         ─ onnx: every node has kernels ──────┘
//!               ─ onnx: others ──────────────────────────────> HostNetwork ─> Model
//! a function of the host program ────────────────────────────> HostNetwork (─> Model)
//! ```
//!
//! The pipeline knows a [`Classifier`] alone: steps that an engine records, or a [`HostNetwork`],
//! which is asked for the answers to a batch.
//!
//! Readers of configs ask `weights` for what a layer holds, whatever the container.
//!
//! Everything that can be wrong with a model is found here, once: each shape, each value, each
//! layer. Past this point a model is steps that fit each other and end in logits, each of them
//! a kernel. Scaling (preprocessing, batch normalisation) is folded into a neighbour's weights in
//! 64-bit floats where that changes nothing; a final softmax is left out, since probabilities
//! are always made from logits by the softmax kernel.

mod archive;
mod arrange;
mod assemble;
mod classifier;
mod convert;
mod draft;
mod error;
mod file;
mod fold;
mod functions;
mod grouped;
mod hdf5;
mod host;
mod keras;
mod layer;
mod lower;
mod one_kernel;
#[cfg(feature = "onnx")]
mod onnx;
mod options;
mod output;
mod passes;
mod plain;
mod scaling;
mod shapes;
mod sizes;
mod steps;
#[cfg(test)]
mod tests;
mod tfjs;
mod unfolded;
mod weights;

use crate::kernels::Activation;
use assemble::Assembled;
use keras::Description;
use layer::{Arrangement, Layer, Op};
use scaling::InputScaling;
use std::sync::Arc;

pub use classifier::{Classifier, Network, check_image_shape};
pub use convert::{ConvertedModel, convert_model};
pub use error::{ForeignKind, ModelError};
pub use file::{bundled_fashion_mnist, bundled_table_model, read_model, table_model_names};
pub use functions::{activation_by_name, activation_names};
pub use host::{AnswerKind, Function, FunctionSpec, HostError, HostNetwork, Inputs};
pub use options::{Layout, ModelOptions};
pub use output::{Link, Output};
pub use steps::{Step, Steps};
pub use unfolded::{UnfoldedLayer, UnfoldedOp};

/// The ONNX operators that have kernels: each one's domain (none for the standard's own), its name, and
/// what of it the library runs all the same, in words.
#[cfg(feature = "onnx")]
pub fn onnx_operators() -> impl Iterator<Item = [&'static str; 3]> {
    onnx::operators::names()
}

/// A layer as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSummary {
    /// Its name.
    pub name: String,
    /// Its class, e.g. `Conv2D`.
    pub class: String,
    /// Shape of what it gives, without the batch.
    pub shape: Vec<usize>,
    /// Weights that it holds, trained or not.
    pub parameters: usize,
}

/// What a model is made of.
#[derive(Clone)]
enum Held {
    Steps(Steps),
    Host(Arc<dyn HostNetwork + Send + Sync>),
}

/// A classifier that has been checked: from an input to logits.
#[derive(Clone)]
pub struct Model {
    held: Held,
    layers: Vec<LayerSummary>,
    input_shape: Option<Vec<usize>>,
    classes: Option<Vec<String>>,
    features: Option<Vec<String>>,
    scaling: InputScaling,
    /// The layers of a file whose first layer takes the values of images channel by channel:
    /// their number of channels is known once there are images.
    channels_first: Option<ChannelsFirst>,
    sha256: String,
    notes: Vec<String>,
    /// The layers as the file has them, before folding; none where a library runs the model.
    /// Exact sections need weights that no folding has rounded.
    unfolded: Arc<[Layer]>,
}

/// What takes images flattened channel by channel, to be put together anew for them.
#[derive(Clone)]
enum ChannelsFirst {
    /// Layers, and what their last values were said to be.
    Layers(Vec<Layer>, Option<Output>),
    /// A graph of a library.
    #[cfg(feature = "onnx")]
    Onnx(onnx::OnnxNetwork),
}

/// A file's layers without the sigmoids that make answers of its logits.
fn up_to_logits(mut layers: Vec<Layer>, assembled: &Assembled) -> Arc<[Layer]> {
    if let Some(at) = assembled.sigmoids {
        layers[at].op = Op::Activation(Activation::Linear);
    }
    layers.into()
}

impl Model {
    /// Puts the layers of a file together, see [`assemble`], and checks them and the names of
    /// classes against each other.
    fn assemble(
        description: Description,
        classes: Option<Vec<String>>,
        output: Option<Output>,
        sha256: String,
    ) -> Result<Self, ModelError> {
        let (layers, input_shape) = (description.layers.clone(), description.input_shape.clone());
        let assembled = assemble::assemble(layers, input_shape, output)?;
        Self::of(description, assembled, classes, output, sha256)
    }

    /// The same of layers that are put together already.
    fn of(
        description: Description,
        assembled: Assembled,
        classes: Option<Vec<String>>,
        output: Option<Output>,
        sha256: String,
    ) -> Result<Self, ModelError> {
        let Description {
            layers,
            layout,
            mut notes,
            ..
        } = description;
        let flat = assembled.input_shape.len() == 1;
        let kept = (layout == Layout::ChannelsFirst && flat).then(|| layers.clone());
        let unfolded = up_to_logits(layers, &assembled);
        notes.extend(assembled.notes);
        let model = Self {
            held: Held::Steps(Steps::new(
                assembled.input_shape.iter().product(),
                assembled.steps,
                assembled.link,
            )),
            layers: assembled.layers,
            input_shape: Some(assembled.input_shape),
            classes,
            features: None,
            scaling: assembled.scaling,
            channels_first: kept.map(|layers| ChannelsFirst::Layers(layers, output)),
            sha256,
            notes,
            unfolded,
        };
        model.checked()
    }

    /// Makes the model take images `[height, width, channels]`, each a row of values in this
    /// order. A network that takes rows and was given images channel by channel takes them in
    /// its own order then; gives a note for the user where that was so.
    ///
    /// # Errors
    /// [`ModelError::Input`] with both shapes.
    pub fn fit_images(&mut self, shape: [usize; 3]) -> Result<Option<String>, ModelError> {
        self.check_image_shape(shape)?;
        let [_, _, channels] = shape;
        let flat = self.input_shape().filter(|sizes| sizes.len() == 1);
        let Some(flat) = flat.filter(|_| channels > 1).map(<[usize]>::to_vec) else {
            return Ok(None);
        };
        match self.channels_first.take() {
            None => Ok(None),
            #[cfg(feature = "onnx")]
            Some(ChannelsFirst::Onnx(mut network)) => {
                let note = network.fit_images(shape);
                self.held = Held::Host(Arc::new(network));
                Ok(note)
            }
            Some(ChannelsFirst::Layers(mut layers, output)) => {
                channels_last(&mut layers, channels);
                let unfolded = layers.clone();
                let values = flat.iter().product();
                let assembled = assemble::assemble(layers, Some(flat), output)?;
                self.unfolded = up_to_logits(unfolded, &assembled);
                self.held = Held::Steps(Steps::new(values, assembled.steps, assembled.link));
                Ok(Some(output::CHANNELS_FIRST.into()))
            }
        }
    }

    /// Checks the names of the classes against the outputs.
    fn checked(self) -> Result<Self, ModelError> {
        let outputs = self.num_classes();
        match &self.classes {
            Some(names) if names.len() != outputs => Err(ModelError::ClassNames {
                outputs,
                found: names.clone(),
            }),
            _ => Ok(self),
        }
    }

    /// A network that the host runs as a model, such as a [`Function`] that may be shared between
    /// threads; it is still called from one thread alone, the one that calls the pipeline.
    /// `identity` tells it from another network where a file's SHA-256 does that of a file: say
    /// something that changes when its answers do, a digest of its weights for one.
    ///
    /// # Errors
    /// [`ModelError::ClassNames`] when there is another number of names than of classes.
    pub fn from_host(
        network: Arc<dyn HostNetwork + Send + Sync>,
        classes: Option<Vec<String>>,
        identity: &str,
    ) -> Result<Self, ModelError> {
        let model = Self {
            input_shape: network.input_shape().map(<[usize]>::to_vec),
            held: Held::Host(network),
            layers: Vec::new(),
            classes,
            features: None,
            scaling: InputScaling::GreyLevels,
            channels_first: None,
            sha256: identity.to_owned(),
            notes: Vec::new(),
            unfolded: [].into(),
        };
        model.checked()
    }

    /// What is computed, in order, the last step giving the logits; nothing where the host runs
    /// the model.
    pub fn steps(&self) -> &[Step] {
        match &self.held {
            Held::Steps(steps) => steps.all(),
            Held::Host(_) => &[],
        }
    }

    /// Whether the host runs the model, not an engine.
    pub fn runs_on_host(&self) -> bool {
        matches!(self.held, Held::Host(_))
    }

    /// Who computes the logits.
    pub fn network(&self) -> Network<'_> {
        match &self.held {
            Held::Steps(steps) => Network::Steps(steps),
            Held::Host(network) => Network::Host(network.as_ref()),
        }
    }

    /// The layers of the file, for the eye.
    pub fn layers(&self) -> &[LayerSummary] {
        &self.layers
    }

    /// Shape of one input as the file says it, e.g. `[28, 28]`, or `[784]` where it says only
    /// how many values; nothing where a function takes any.
    pub fn input_shape(&self) -> Option<&[usize]> {
        self.input_shape.as_deref()
    }

    /// Number of classes.
    pub fn num_classes(&self) -> usize {
        self.network().num_classes()
    }

    /// Class names, by output, if the file has them.
    pub fn classes(&self) -> Option<&[String]> {
        self.classes.as_deref()
    }

    /// Names of the features it was trained on, by input, if the file has them.
    pub fn features(&self) -> Option<&[String]> {
        self.features.as_deref()
    }

    /// Whether the model scales or standardises its input itself.
    pub fn scales_input(&self) -> bool {
        self.scaling != InputScaling::None
    }

    /// Whether the model's own scaling is one of grey levels of 0..255, or was stated. An affine
    /// step alone is no proof of it.
    pub fn scales_grey_levels(&self) -> bool {
        self.scaling == InputScaling::GreyLevels
    }

    /// SHA-256 of the file's bytes, and of the config's behind them if one was given,
    /// hexadecimal; of a network that is from no file what [`Model::from_host`] was told.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// How the file was understood where it does not say it itself, one line each, for the user.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Checks that images `[height, width, channels]` are what the model takes, as
    /// [`check_image_shape`] says.
    ///
    /// # Errors
    /// [`ModelError::Input`] with both shapes.
    pub fn check_image_shape(&self, shape: [usize; 3]) -> Result<(), ModelError> {
        check_image_shape(self.input_shape(), shape)
    }
}

impl Classifier for Model {
    fn network(&self) -> Network<'_> {
        self.network()
    }

    fn input_shape(&self) -> Option<&[usize]> {
        self.input_shape()
    }
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model")
            .field("network", &self.network().to_string())
            .field("input_shape", &self.input_shape)
            .field("classes", &self.classes)
            .finish_non_exhaustive()
    }
}

/// Makes layers take images as `[pixels, channels]` that took them as `[channels, pixels]`: the first
/// weights reordered where a dense layer alone meets the input, values moved ahead of all elsewhere.
fn channels_last(layers: &mut Vec<Layer>, channels: usize) {
    // Value `[p, c]` of an image is what stood at `[c, p]`.
    fn reorder<T: Copy>(rows: &mut [T], row: usize, channels: usize) {
        let before = rows.to_vec();
        let pixels = rows.len() / row / channels;
        for (to, k) in rows.chunks_exact_mut(row).zip(0..) {
            let from = (k % channels * pixels + k / channels) * row;
            to.copy_from_slice(&before[from..from + row]);
        }
    }
    let by_value = |op: &Op| {
        matches!(
            op,
            Op::Affine { .. } | Op::Activation(_) | Op::Reshape(None)
        )
    };
    let first = layers.iter().position(|layer| !by_value(&layer.op));
    let first = first.filter(|&first| {
        let alone = |value| layers.iter().filter(|l| l.takes.contains(&value)).count() == 1;
        matches!(layers[first].op, Op::Dense { .. }) && (0..=first).all(alone)
    });
    let Some(first) = first else {
        moved_ahead(layers, channels);
        return;
    };
    for layer in &mut layers[..=first] {
        match &mut layer.op {
            Op::Affine { scale, offset } => {
                for entries in [scale, offset]
                    .into_iter()
                    .filter(|entries| entries.len() > 1)
                {
                    reorder(entries, 1, channels);
                }
            }
            Op::Dense { kernel, bias, .. } => reorder(kernel, bias.len(), channels),
            _ => {}
        }
    }
}

/// Puts layers ahead of all that turn `[pixels, channels]` into `[channels, pixels]`.
fn moved_ahead(layers: &mut Vec<Layer>, channels: usize) {
    let ahead = [
        Op::Reshape(Some(vec![0, channels])),
        Op::Arrange(Arrangement::Permute(vec![1, 0])),
        Op::Reshape(None),
    ];
    for value in layers.iter_mut().flat_map(|layer| &mut layer.takes) {
        *value += ahead.len();
    }
    let ahead = ahead.into_iter().enumerate().map(|(number, op)| Layer {
        name: "the channels".into(),
        class: "Permute".into(),
        takes: vec![number],
        op,
        parameters: 0,
    });
    layers.splice(..0, ahead);
}
