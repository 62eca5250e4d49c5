//! Trained classifiers: a checked sequence of layers, whatever file they come from.
//!
//! ```text
//! .keras        ─ archive ─> config, HDF5 ─┐
//! .h5           ─ hdf5 ────> config ───────┼─ keras ─┬─> Vec<Layer> ─ assemble ─> Model
//! .safetensors  ─ metadata ─ config ───────┘         │
//!               ─ options, no config ─────── plain ──┘
//! .onnx         ─ onnx ──────────────────────────────────────────> a network that a library runs
//! ```
//!
//! Readers of configs ask `weights` for what a layer holds, whatever the container.
//!
//! Everything that can be wrong with a model is found here, once: each shape, each value, each
//! layer. Past this point a model is steps that fit each other and end in logits, each of them
//! a kernel. Scaling (preprocessing, batch normalisation) is folded into a neighbour's weights in
//! 64-bit floats where that changes nothing; a final softmax is left out, since probabilities
//! are always made from logits by the softmax kernel.

mod archive;
mod assemble;
mod convert;
mod draft;
mod error;
mod file;
mod fold;
mod functions;
mod hdf5;
mod keras;
mod layer;
#[cfg(feature = "onnx")]
mod onnx;
mod plain;
mod shapes;
#[cfg(test)]
mod tests;
mod weights;

use crate::kernels::{
    Buf, ConvLayer, DenseLayer, DepthwiseLayer, ElementwiseLayer, PoolLayer, Recording,
};
use layer::Layer;

pub use convert::{ConvertedModel, convert_model};
pub use error::ModelError;
pub use file::{
    ModelOptions, bundled_fashion_mnist, bundled_table_model, read_model, table_model_names,
};
pub use functions::{activation_by_name, activation_names};
#[cfg(feature = "onnx")]
pub use onnx::OnnxNetwork;

/// One step of a model.
#[derive(Debug, Clone)]
pub struct Step {
    /// The values it takes: 0 is the model's input, `n` what step `n - 1` gives.
    pub takes: Vec<usize>,
    /// What it computes of them.
    pub operation: Operation,
}

/// What a step computes; each is a kernel.
#[derive(Debug, Clone)]
pub enum Operation {
    /// A dense layer.
    Dense(DenseLayer),
    /// A convolution.
    Conv(ConvLayer),
    /// A convolution of each channel by itself.
    Depthwise(DepthwiseLayer),
    /// The largest or the mean value of windows.
    Pool(PoolLayer),
    /// Scaling and an activation of one value, or of the sum of two.
    Elementwise(ElementwiseLayer),
}

impl Operation {
    /// Name of its kernel.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Dense(_) => "dense",
            Self::Conv(_) => "conv",
            Self::Depthwise(_) => "depthwise",
            Self::Pool(_) => "pool",
            Self::Elementwise(_) => "elementwise",
        }
    }

    /// Values a row it gives.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Dense(layer) => layer.outputs(),
            Self::Conv(layer) => layer.outputs(),
            Self::Depthwise(layer) => layer.outputs(),
            Self::Pool(layer) => layer.outputs(),
            Self::Elementwise(layer) => layer.outputs(),
        }
    }
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

/// What gives the logits.
#[derive(Debug, Clone)]
pub enum Network {
    /// Kernels, in order; the last step gives the logits.
    Steps(Vec<Step>),
    /// A network that a library runs on the host.
    #[cfg(feature = "onnx")]
    Onnx(OnnxNetwork),
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Steps(steps) => {
                let kernels: Vec<&str> = steps.iter().map(|step| step.operation.name()).collect();
                write!(f, "kernels {}", kernels.join(", "))
            }
            #[cfg(feature = "onnx")]
            Self::Onnx(_) => f.write_str("an ONNX network, by rten on the CPU"),
        }
    }
}

/// A classifier that has been checked: from an input to logits.
#[derive(Debug, Clone)]
pub struct Model {
    network: Network,
    layers: Vec<LayerSummary>,
    input_shape: Vec<usize>,
    classes: Option<Vec<String>>,
    features: Option<Vec<String>>,
    scaled: bool,
    sha256: String,
    notes: Vec<String>,
}

impl Model {
    /// Puts the layers of a file together, see [`assemble`], and checks them and the names of
    /// classes against each other.
    fn assemble(
        layers: Vec<Layer>,
        input_shape: Option<Vec<usize>>,
        classes: Option<Vec<String>>,
        sha256: String,
    ) -> Result<Self, ModelError> {
        let assembled = assemble::assemble(layers, input_shape)?;
        let model = Self {
            network: Network::Steps(assembled.steps),
            layers: assembled.layers,
            input_shape: assembled.input_shape,
            classes,
            features: None,
            scaled: assembled.scaled,
            sha256,
            notes: Vec::new(),
        };
        model.checked()
    }

    /// Checks the names of the classes against the outputs.
    fn checked(self) -> Result<Self, ModelError> {
        let outputs = self.num_classes();
        match &self.classes {
            Some(names) if names.len() != outputs => Err(ModelError::ClassNames {
                outputs,
                found: names.len(),
            }),
            _ => Ok(self),
        }
    }

    /// What is computed, in order, the last step giving the logits; nothing where a library runs
    /// the model.
    pub fn steps(&self) -> &[Step] {
        match &self.network {
            Network::Steps(steps) => steps,
            #[cfg(feature = "onnx")]
            Network::Onnx(_) => &[],
        }
    }

    /// Whether a library runs the model on the host, not an engine.
    pub fn runs_on_host(&self) -> bool {
        !matches!(self.network, Network::Steps(_))
    }

    /// What gives the logits.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Appends the steps to a recording: `x` is `[rows, row_stride(inputs)]`, the logits are
    /// `[rows, row_stride(classes)]`.
    pub fn record(&self, recording: &mut Recording, x: Buf<f32>, rows: usize) -> Buf<f32> {
        let mut values = vec![x];
        for step in self.steps() {
            let x = values[step.takes[0]];
            values.push(match &step.operation {
                Operation::Dense(layer) => recording.dense(x, rows, layer),
                Operation::Conv(layer) => recording.conv(x, rows, layer),
                Operation::Depthwise(layer) => recording.depthwise(x, rows, layer),
                Operation::Pool(layer) => recording.pool(x, rows, layer),
                Operation::Elementwise(layer) => {
                    let other = step.takes.get(1).map(|&value| values[value]);
                    recording.elementwise(x, other, rows, layer)
                }
            });
        }
        values[self.steps().len()]
    }

    /// The layers of the file, for the eye.
    pub fn layers(&self) -> &[LayerSummary] {
        &self.layers
    }

    /// Shape of one input as the file says it, e.g. `[28, 28]`, or `[784]` where it says only
    /// how many values.
    pub fn input_shape(&self) -> &[usize] {
        &self.input_shape
    }

    /// Number of classes.
    pub fn num_classes(&self) -> usize {
        match &self.network {
            Network::Steps(steps) => steps.last().map_or(0, |step| step.operation.outputs()),
            #[cfg(feature = "onnx")]
            Network::Onnx(network) => network.num_classes(),
        }
    }

    /// Values in the widest row that classifying one input makes, the input's own included.
    pub fn widest_row(&self) -> usize {
        self.row_widths().max().unwrap_or(0)
    }

    /// Values in all rows that classifying one input makes, the input's own included.
    pub fn total_width(&self) -> usize {
        self.row_widths().sum()
    }

    fn row_widths(&self) -> impl Iterator<Item = usize> {
        let steps = self.steps().iter().map(|step| step.operation.outputs());
        [self.input_shape.iter().product()].into_iter().chain(steps)
    }

    /// Class names, by output, if the file has them.
    pub fn classes(&self) -> Option<&[String]> {
        self.classes.as_deref()
    }

    /// Names of the features it was trained on, by input, if the file has them.
    pub fn features(&self) -> Option<&[String]> {
        self.features.as_deref()
    }

    /// Whether the model scales its input itself.
    pub fn scales_input(&self) -> bool {
        self.scaled
    }

    /// SHA-256 of the file's bytes, and of the config's behind them if one was given,
    /// hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// How the file was understood where it does not say it itself, one line each, for the user.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Checks that images `[height, width, channels]` are what the model takes. A model that
    /// says only how many values it takes is given any image of as many.
    ///
    /// # Errors
    /// [`ModelError::Input`] with both shapes.
    pub fn check_image_shape(&self, shape: [usize; 3]) -> Result<(), ModelError> {
        let [height, width, channels] = shape;
        let fits = match self.input_shape[..] {
            [values] => values == height * width * channels,
            [h, w] => channels == 1 && [h, w] == [height, width],
            [h, w, c] => [h, w, c] == shape,
            _ => false,
        };
        if fits {
            return Ok(());
        }
        let text = |sizes: &[usize]| {
            sizes
                .iter()
                .map(usize::to_string)
                .collect::<Vec<_>>()
                .join(" x ")
        };
        let expected = match self.input_shape[..] {
            [values] => format!("{values} values"),
            _ => format!("inputs of {}", text(&self.input_shape)),
        };
        let found = if channels == 1 {
            text(&shape[..2])
        } else {
            text(&shape)
        };
        Err(ModelError::Input { expected, found })
    }
}
