//! Trained classifiers: a checked sequence of layers, whatever file they come from.
//!
//! ```text
//! .safetensors with a Keras config in its metadata ─ keras_config ─┐
//! .safetensors with kernel/bias pairs and options  ─ plain ────────┴─> Vec<Layer> ─ assemble ─> Model
//! ```
//!
//! Everything that can be wrong with a model is found here, once: each shape, each value, each
//! layer. Past this point a model is dense layers that fit each other and end in logits.
//! Preprocessing (a `Rescaling` layer, `input.mean` and `input.std`) is folded into the first
//! dense layer in 64-bit floats; a final softmax is left out, since probabilities are always
//! made from logits by the softmax kernel.

mod file;
mod keras_config;
mod plain;

use crate::kernels::{Activation, DenseLayer};

pub use file::{
    PlainOptions, bundled_fashion_mnist, bundled_table_model, read_model, table_model_names,
};

/// Why a model was refused.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read.
    #[error("cannot read the file")]
    Read(#[source] std::io::Error),
    /// Not a safetensors file.
    #[error("expected a .safetensors file")]
    NotSafetensors(#[source] safetensors::SafeTensorError),
    /// A tensor that the layers need is not there.
    #[error("expected a tensor \"{name}\" of shape {shape}, found none; the file holds {found}")]
    MissingTensor {
        /// Name looked for.
        name: String,
        /// Shape it should have.
        shape: String,
        /// Names that are there.
        found: String,
    },
    /// A tensor that no layer uses.
    #[error("tensor \"{name}\" belongs to no layer; expected {expected}")]
    UnusedTensor {
        /// Its name.
        name: String,
        /// What would have been understood.
        expected: String,
    },
    /// A tensor of another shape.
    #[error("tensor \"{name}\": expected shape {expected}, found {found:?}")]
    Shape {
        /// Name of the tensor.
        name: String,
        /// Shape it should have.
        expected: String,
        /// Shape it has.
        found: Vec<usize>,
    },
    /// A tensor that does not hold 32-bit floats.
    #[error(
        "tensor \"{name}\": expected 32-bit floats (F32), found {found}; convert it before saving"
    )]
    DataType {
        /// Name of the tensor.
        name: String,
        /// Type found.
        found: String,
    },
    /// A weight that is not a number.
    #[error(
        "tensor \"{name}\": value {index} is {value}; expected finite weights, did the training diverge?"
    )]
    NotFinite {
        /// Name of the tensor.
        name: String,
        /// Position in the tensor, row-major.
        index: usize,
        /// The value.
        value: f32,
    },
    /// Metadata or config that is not what it should be.
    #[error("{place}: expected {expected}, found {found}")]
    Config {
        /// Where in the file.
        place: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A layer that is not known.
    #[error(
        "layer {number} \"{name}\" is a {class}; supported are InputLayer, Flatten, Dropout, Rescaling, Dense, Activation, ReLU and Softmax"
    )]
    UnknownLayer {
        /// Position in the model, from 0.
        number: usize,
        /// Name of the layer.
        name: String,
        /// Its Keras class.
        class: String,
    },
    /// Layers that are known, in an order that is not.
    #[error("layer \"{name}\" cannot stand there: {reason}")]
    Order {
        /// Name of the layer.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// No dense layer at all.
    #[error("expected at least one dense layer, found none")]
    NoLayers,
    /// A network with a single output.
    #[error("expected a classifier with two or more classes, found {outputs} output(s)")]
    TooFewClasses {
        /// Number of outputs.
        outputs: usize,
    },
    /// Class names that do not fit the outputs.
    #[error("expected {outputs} class names, one an output, found {found}")]
    ClassNames {
        /// Number of outputs.
        outputs: usize,
        /// Number of names.
        found: usize,
    },
    /// A plain file needs to be told its activation.
    #[error(
        "the file holds weights without a Keras config; say what stands between its layers with --activation relu (or linear, sigmoid, tanh)"
    )]
    ActivationNeeded,
    /// A file with a config says itself what the options would say.
    #[error("the file carries its own layers and scaling; leave out --activation and --scale")]
    OptionsNotNeeded,
    /// The images are not what the model takes.
    #[error(
        "the model takes {expected}, the images are {found}; choose images of that size and number of channels, or another model"
    )]
    Input {
        /// Input shape of the model.
        expected: String,
        /// Shape of the images.
        found: String,
    },
}

/// A layer as a file describes it, before preprocessing is folded.
#[derive(Debug, Clone)]
enum Layer {
    /// `x * scale + offset`, one value for all inputs or one an input.
    Affine {
        name: String,
        scale: Vec<f64>,
        offset: Vec<f64>,
    },
    /// `x W + b`, W `[inputs, outputs]` row-major.
    Dense {
        name: String,
        inputs: usize,
        kernel: Vec<f32>,
        bias: Vec<f32>,
        activation: Head,
    },
    /// A function on its own.
    Activation { name: String, activation: Head },
}

/// An activation as files name it: softmax, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    Plain(Activation),
    Softmax,
}

impl Head {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "linear" => Self::Plain(Activation::Linear),
            "relu" => Self::Plain(Activation::Relu),
            "sigmoid" => Self::Plain(Activation::Sigmoid),
            "tanh" => Self::Plain(Activation::Tanh),
            "softmax" => Self::Softmax,
            _ => return None,
        })
    }
}

/// A classifier that has been checked: dense layers from an input to logits.
#[derive(Debug, Clone)]
pub struct Model {
    layers: Vec<DenseLayer>,
    input_shape: Vec<usize>,
    classes: Option<Vec<String>>,
    features: Option<Vec<String>>,
    scaled: bool,
    sha256: String,
}

impl Model {
    /// Puts layers together: folds preprocessing, drops a final softmax, checks that each
    /// layer takes what the one before gives.
    fn assemble(
        layers: Vec<Layer>,
        input_shape: Option<Vec<usize>>,
        classes: Option<Vec<String>>,
        sha256: String,
    ) -> Result<Self, ModelError> {
        let order = |name: &str, reason| ModelError::Order {
            name: name.to_owned(),
            reason,
        };
        let mut dense: Vec<DenseLayer> = Vec::new();
        let mut scaling: Option<(String, Vec<f64>, Vec<f64>)> = None;
        let mut scaled = false;
        let mut ended = false;
        for layer in layers {
            let activation = match layer {
                Layer::Affine { ref name, .. }
                | Layer::Dense { ref name, .. }
                | Layer::Activation { ref name, .. }
                    if ended =>
                {
                    return Err(order(name, "a softmax must be the last layer"));
                }
                Layer::Affine {
                    name,
                    scale,
                    offset,
                } => {
                    if scaling.is_some() {
                        return Err(order(
                            &name,
                            "two scalings follow each other; merge them into one",
                        ));
                    }
                    scaled |= dense.is_empty();
                    scaling = Some((name, scale, offset));
                    continue;
                }
                Layer::Dense {
                    name,
                    inputs,
                    mut kernel,
                    mut bias,
                    activation,
                } => {
                    if let Some(before) = dense.last().filter(|before| before.outputs() != inputs) {
                        return Err(ModelError::Shape {
                            name: format!("{name}.kernel"),
                            expected: format!(
                                "[{}, {}] after a layer of {} outputs",
                                before.outputs(),
                                bias.len(),
                                before.outputs()
                            ),
                            found: vec![inputs, bias.len()],
                        });
                    }
                    if let Some((_, scale, offset)) = scaling.take() {
                        fold_affine(&name, &scale, &offset, inputs, &mut kernel, &mut bias)?;
                    }
                    dense.push(DenseLayer::new(inputs, &kernel, &bias, Activation::Linear));
                    activation
                }
                Layer::Activation { name, activation } => {
                    if scaling.is_some() {
                        return Err(order(&name, "it applies an activation to a scaling"));
                    }
                    match dense.last() {
                        None => {
                            return Err(order(
                                &name,
                                "an activation needs a dense layer before it",
                            ));
                        }
                        Some(layer) if layer.activation() != Activation::Linear => {
                            return Err(order(
                                &name,
                                "the dense layer before it has an activation already",
                            ));
                        }
                        Some(_) => activation,
                    }
                }
            };
            match activation {
                Head::Softmax => ended = true,
                Head::Plain(activation) => {
                    if let Some(layer) = dense.last_mut() {
                        layer.set_activation(activation);
                    }
                }
            }
        }
        if let Some((name, ..)) = scaling {
            return Err(order(&name, "a scaling needs a dense layer after it"));
        }
        let (first, last) = dense
            .first()
            .zip(dense.last())
            .ok_or(ModelError::NoLayers)?;
        if last.outputs() < 2 {
            return Err(ModelError::TooFewClasses {
                outputs: last.outputs(),
            });
        }
        if let Some(names) = classes
            .as_ref()
            .filter(|names| names.len() != last.outputs())
        {
            return Err(ModelError::ClassNames {
                outputs: last.outputs(),
                found: names.len(),
            });
        }
        let input_shape = input_shape.unwrap_or_else(|| vec![first.inputs()]);
        let input_values = input_shape
            .iter()
            .try_fold(1usize, |product, &size| product.checked_mul(size));
        if input_values != Some(first.inputs()) {
            return Err(ModelError::Config {
                place: "input layer".into(),
                expected: format!(
                    "a shape of {} values, which the first dense layer takes",
                    first.inputs()
                ),
                found: format!("{input_shape:?}"),
            });
        }
        Ok(Self {
            input_shape,
            classes,
            features: None,
            scaled,
            sha256,
            layers: dense,
        })
    }

    /// The dense layers, from input to logits.
    pub fn layers(&self) -> &[DenseLayer] {
        &self.layers
    }

    /// Shape of one input as the file says it, e.g. `[28, 28]`, or `[784]` where it says only
    /// how many values.
    pub fn input_shape(&self) -> &[usize] {
        &self.input_shape
    }

    /// Number of classes.
    pub fn num_classes(&self) -> usize {
        self.layers.last().map_or(0, DenseLayer::outputs)
    }

    /// Values in the widest row that classifying one input makes, the input's own included.
    pub fn widest_row(&self) -> usize {
        let widths = self
            .layers
            .iter()
            .flat_map(|layer| [layer.inputs(), layer.outputs()]);
        widths.max().unwrap_or(0)
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

    /// SHA-256 of the file's bytes, hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
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

/// `(x * scale + offset) W + b = x (scale W) + (b + offset W)`, in 64-bit floats.
fn fold_affine(
    name: &str,
    scale: &[f64],
    offset: &[f64],
    inputs: usize,
    kernel: &mut [f32],
    bias: &mut [f32],
) -> Result<(), ModelError> {
    for (values, what) in [(scale, "scale"), (offset, "offset")] {
        if values.len() != 1 && values.len() != inputs {
            return Err(ModelError::Shape {
                name: format!("{what} before {name}"),
                expected: format!("[{inputs}]"),
                found: vec![values.len()],
            });
        }
    }
    let at = |values: &[f64], i: usize| {
        if values.len() == 1 {
            values[0]
        } else {
            values[i]
        }
    };
    let mut shifted: Vec<f64> = bias.iter().map(|&value| f64::from(value)).collect();
    for (i, row) in kernel.chunks_exact_mut(bias.len()).enumerate() {
        for (weight, bias) in row.iter_mut().zip(&mut shifted) {
            *bias += at(offset, i) * f64::from(*weight);
            *weight = (at(scale, i) * f64::from(*weight)) as f32;
        }
    }
    for (to, from) in bias.iter_mut().zip(shifted) {
        *to = from as f32;
    }
    let folded = format!("{name} with its scaling");
    file::check_finite(&folded, kernel)?;
    file::check_finite(&folded, bias)
}
