//! Keras's layers, one by one: options checked, weights taken, what they compute as an [`Op`].

use super::graph::{Graph, Node};
use super::moves::{arrangement, resizing, target_shape};
use super::options::{Function, Options};
use super::{Description, Version};
use crate::kernels::Activation;
use crate::model::ModelError;
use crate::model::layer::{Layer, Op};
use crate::model::one_kernel::{Resize, Size, Weighing};
use crate::model::options::Layout;
use crate::model::weights::{LayerId, Variable, Weights};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The layers that are read, for messages.
const SUPPORTED: &str = "InputLayer, Flatten, Reshape, Permute, Rescaling, Normalization, Dense, Conv1D, Conv2D, DepthwiseConv2D, SeparableConv2D, Conv2DTranspose, MaxPooling1D, MaxPooling2D, AveragePooling1D, AveragePooling2D, GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalAveragePooling1D, GlobalAveragePooling2D, ZeroPadding2D, Cropping2D, CenterCrop, UpSampling2D, Resizing, BatchNormalization, LayerNormalization, GroupNormalization, UnitNormalization, SpectralNormalization, MultiHeadAttention, Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Activation, ReLU, LeakyReLU, PReLU, ELU, Softmax, and dropout, noise and random image layers, which do nothing after training";

/// Layers that hand on what they take once training is over.
const INACTIVE: [&str; 10] = [
    "Identity",
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "ActivityRegularization",
    // Of keras.applications' ConvNeXt.
    "StochasticDepth",
];

/// The layers that change images at random while a model is trained, all `Random...`, and those
/// of the same kind with other names. RandomCrop is none of them: afterwards Keras 2 takes the middle
/// and Keras 3.15 the whole image, which no longer has the size that the layers behind it expect.
const AUGMENTATIONS: [&str; 24] = [
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "RandomHeight",
    "RandomWidth",
    "RandomContrast",
    "RandomBrightness",
    "RandomHue",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomErasing",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomElasticTransform",
    "AugMix",
    "CutMix",
    "MixUp",
];

/// Rank of `[height, width, channels]`.
pub(super) const IMAGE: Option<usize> = Some(3);

pub(super) const fn variable(roles: &'static [&'static str], position: usize) -> Variable {
    Variable { roles, position }
}

/// A value of the graph: what it is among the layers made, and its rank if that is known.
#[derive(Clone, Copy)]
pub(super) struct Value {
    pub(super) number: usize,
    pub(super) rank: Option<usize>,
}

/// The layers made so far.
pub(super) struct Reader<'a> {
    pub(super) weights: Weights<'a>,
    version: Version,
    layers: Vec<Layer>,
    values: Vec<Value>,
    notes: BTreeSet<String>,
    /// Layers that are a softmax and no more, by their numbers: inside a network they weigh.
    softmaxes: BTreeSet<usize>,
}

/// The layers of a graph with their weights.
pub(super) fn layers(
    graph: Graph<'_>,
    version: Version,
    weights: Weights<'_>,
) -> Result<Description, ModelError> {
    let input = Value {
        number: 0,
        rank: graph.input_shape.as_ref().map(Vec::len),
    };
    let mut reader = Reader {
        weights,
        version,
        layers: Vec::new(),
        values: vec![input],
        notes: BTreeSet::new(),
        softmaxes: BTreeSet::new(),
    };
    for (number, node) in graph.nodes.iter().enumerate() {
        let value = reader.add(number, node)?;
        if let Some(wrapper) = &node.wrapper {
            reader.weights.ignore(wrapper);
        }
        reader.values.push(value);
    }
    for id in &graph.unused {
        reader.weights.ignore(id);
    }
    let expected = "only weights of the layers in the config";
    reader.weights.finish(expected)?;
    let renames = |layer: &Layer| matches!(layer.op, Op::Reshape(_));
    let last = reader.layers.iter().rposition(|layer| !renames(layer));
    for &number in reader.softmaxes.iter().filter(|&&n| Some(n) != last) {
        reader.layers[number].op = Op::Kernel(Arc::new(Weighing));
    }
    Ok(Description {
        layers: reader.layers,
        input_shape: graph.input_shape,
        layout: Layout::ChannelsLast,
        outputs: graph.outputs,
        notes: reader.notes.into_iter().collect(),
    })
}

impl Reader<'_> {
    /// Adds what a layer computes; gives its value.
    fn add(&mut self, number: usize, node: &Node<'_>) -> Result<Value, ModelError> {
        let takes: Vec<Value> = node.takes.iter().map(|&value| self.values[value]).collect();
        let options = Options {
            layer: &node.id.name,
            config: &node.entry["config"],
        };
        let class = node.class;
        if class == "Lambda" {
            return Err(ModelError::Custom {
                name: node.id.name.clone(),
                class: class.to_owned(),
            });
        }
        self.check_precision(&options)?;
        if let Some(value) = self.operation(node, &takes)? {
            return Ok(value);
        }
        if class == "MultiHeadAttention" {
            return self.attention(node, &options, &takes);
        }
        // Keras calls them as in training, which changes nothing of them.
        if !["CenterCrop", "Resizing"].contains(&class) {
            node.call.tensors_only(&node.id)?;
        }
        if let Some(value) = self.merge(node, &options, &takes)? {
            return Ok(value);
        }
        let [from] = takes[..] else {
            return Err(ModelError::Config {
                place: format!("layer \"{}\", a {class}", node.id.name),
                expected: "one input".into(),
                found: takes.len().to_string(),
            });
        };
        if INACTIVE.contains(&class) || AUGMENTATIONS.contains(&class) {
            self.weights.ignore(&node.id);
            return Ok(from);
        }
        if let Some(function) = options.activation_layer(class)? {
            if class == "Softmax" {
                options.last_axis(from.rank)?;
                return Ok(self.softmax(node, from));
            }
            return Ok(self.function(node, from, function));
        }
        match class {
            "Flatten" => {
                options.channels_last()?;
                self.push(node, vec![from.number], Op::Reshape(None), 0);
                Ok(self.last(Some(1)))
            }
            "Reshape" => {
                let shape = target_shape(&options)?;
                let rank = Some(shape.len());
                self.push(node, vec![from.number], Op::Reshape(Some(shape)), 0);
                Ok(self.last(rank))
            }
            "Rescaling" => {
                let scale = options.numbers("scale", 1.0)?;
                let offset = options.numbers("offset", 0.0)?;
                self.push(node, vec![from.number], Op::Affine { scale, offset }, 0);
                Ok(self.last(from.rank))
            }
            "Normalization" => self.normalization(node, &options, from),
            "BatchNormalization" => self.batch_normalization(node, &options, from),
            "Dense" => {
                options.only("quantization_config", "none", |_| false)?;
                let op = self.dense(&node.id, &options)?;
                self.weighted(node, &options, from, op, from.rank)
            }
            "Resizing" => {
                let resize = resizing(&options)?;
                let op = Op::Kernel(Arc::new(resize));
                self.push(node, vec![from.number], op, 0);
                Ok(self.last(IMAGE))
            }
            "UpSampling2D"
                if options
                    .get("interpolation")
                    .is_some_and(|kind| kind == "bilinear") =>
            {
                options.channels_last()?;
                let resize = Resize {
                    to: Size::Times(options.pair("size")?),
                    linear: true,
                };
                self.push(node, vec![from.number], Op::Kernel(Arc::new(resize)), 0);
                Ok(self.last(IMAGE))
            }
            "Permute" | "ZeroPadding2D" | "Cropping2D" | "CenterCrop" | "UpSampling2D" => {
                let arrangement = arrangement(class, &options)?;
                self.push(node, vec![from.number], Op::Arrange(arrangement), 0);
                Ok(self.last(from.rank))
            }
            "LayerNormalization" | "GroupNormalization" | "UnitNormalization" => {
                self.own_statistics(node, &options, from)
            }
            "PReLU" => self.prelu(node, from),
            // Of keras.applications' ConvNeXt: a factor for each channel.
            "LayerScale" => {
                let gamma = variable(&["gamma", "variable"], 0);
                let channels = options.size("projection_dim")?;
                let gamma = self.values(&node.id, gamma, &[Some(channels)])?;
                let scale = gamma.iter().map(|&factor| f64::from(factor)).collect();
                let offset = vec![0.0];
                self.push(
                    node,
                    vec![from.number],
                    Op::Affine { scale, offset },
                    channels,
                );
                Ok(self.last(from.rank))
            }
            "Conv1D" => {
                let image = self.axis(node, from, 1, true);
                let op = self.conv_1d(&node.id, &options)?;
                let value = self.weighted(node, &options, image, op, IMAGE)?;
                Ok(self.axis(node, value, 1, false))
            }
            "Conv2DTranspose" => {
                let (spread, pad, op) = self.conv_transpose(&node.id, &options)?;
                self.push(node, vec![from.number], Op::Arrange(spread), 0);
                let spread = self.last(IMAGE);
                self.push(node, vec![spread.number], Op::Arrange(pad), 0);
                let padded = self.last(IMAGE);
                self.weighted(node, &options, padded, op, IMAGE)
            }
            "MaxPooling1D" | "AveragePooling1D" => {
                let image = self.axis(node, from, 1, true);
                let value = self.pool(node, &options, image)?;
                Ok(self.axis(node, value, 1, false))
            }
            "GlobalMaxPooling1D" | "GlobalAveragePooling1D" => {
                let image = self.axis(node, from, 1, true);
                let value = self.global_pool(node, &options, image)?;
                // Of the sides of one, a row has only its length.
                Ok(match value.rank {
                    Some(3) => self.axis(node, value, 0, false),
                    _ => value,
                })
            }
            "Conv2D" => {
                let op = self.conv(&node.id, &options)?;
                self.weighted(node, &options, from, op, IMAGE)
            }
            "DepthwiseConv2D" => {
                let op = self.depthwise_conv(&node.id, &options)?;
                self.weighted(node, &options, from, op, IMAGE)
            }
            "SeparableConv2D" => {
                let [depthwise, pointwise] = self.separable_conv(&node.id, &options)?;
                let parameters = depthwise.parameters() - bias_len(&depthwise);
                self.push(node, vec![from.number], depthwise, parameters);
                let between = self.last(IMAGE);
                self.weighted(node, &options, between, pointwise, IMAGE)
            }
            "MaxPooling2D" | "AveragePooling2D" => self.pool(node, &options, from),
            "GlobalMaxPooling2D" | "GlobalAveragePooling2D" => {
                self.global_pool(node, &options, from)
            }
            _ => Err(ModelError::UnknownLayer {
                number,
                name: node.id.name.clone(),
                class: class.chars().take(80).collect(),
                supported: SUPPORTED,
            }),
        }
    }

    /// A softmax over the last axis.
    pub(super) fn softmax(&mut self, node: &Node<'_>, from: Value) -> Value {
        self.softmaxes.insert(self.layers.len());
        self.function(node, from, Function::Softmax)
    }

    /// A value times a number.
    pub(super) fn scaled(&mut self, node: &Node<'_>, from: Value, by: f64) -> Value {
        let (scale, offset) = (vec![by], vec![0.0]);
        self.push(node, vec![from.number], Op::Affine { scale, offset }, 0);
        self.last(from.rank)
    }

    /// A value with an axis of one more or less.
    pub(super) fn axis(&mut self, node: &Node<'_>, from: Value, at: usize, added: bool) -> Value {
        self.push(node, vec![from.number], Op::Axis { at, added }, 0);
        let change = |rank: usize| {
            if added {
                Some(rank + 1)
            } else {
                rank.checked_sub(1)
            }
        };
        self.last(from.rank.and_then(change))
    }

    /// `max(x, 0) + alpha min(x, 0)`
    fn prelu(&mut self, node: &Node<'_>, from: Value) -> Result<Value, ModelError> {
        let shape: Vec<Option<usize>> = vec![None; from.rank.unwrap_or(1)];
        let alpha = variable(&["alpha"], 0);
        let (shape, alpha) = self.weights.take(&node.id, alpha, &shape)?;
        if shape.last() == Some(&1) && alpha.len() > 1 {
            return Err(ModelError::Config {
                place: format!("layer \"{}\", shared_axes", node.id.name),
                expected: "slopes of channels, of values, or one".into(),
                found: format!("slopes {shape:?}"),
            });
        }
        let parameters = alpha.len();
        let relu = Op::Activation(Activation::Relu);
        self.push(node, vec![from.number], relu.clone(), parameters);
        let above = self.last(from.rank);
        let negative = self.scaled(node, from, -1.0);
        self.push(node, vec![negative.number], relu, 0);
        let below = self.last(from.rank);
        let scale = alpha.iter().map(|&alpha| -f64::from(alpha)).collect();
        let offset = vec![0.0];
        self.push(node, vec![below.number], Op::Affine { scale, offset }, 0);
        let below = self.last(from.rank);
        self.push(node, vec![above.number, below.number], Op::Add, 0);
        Ok(self.last(from.rank))
    }

    /// Adds a layer.
    pub(super) fn push(&mut self, node: &Node<'_>, takes: Vec<usize>, op: Op, parameters: usize) {
        // Converted files have batch normalisation as the scaling it was.
        let class = match (node.class, node.entry["from"].as_str()) {
            ("Rescaling", Some("BatchNormalization")) => "BatchNormalization",
            (class, _) => class,
        };
        self.layers.push(Layer {
            name: node.id.name.clone(),
            class: class.to_owned(),
            takes,
            op,
            parameters,
        });
    }

    /// The value of the last layer.
    pub(super) fn last(&self, rank: Option<usize>) -> Value {
        let number = self.layers.len();
        Value { number, rank }
    }

    pub(super) fn function(&mut self, node: &Node<'_>, from: Value, function: Function) -> Value {
        let op = match function {
            // Keras 2: clip(0.2 x + 0.5, 0, 1), and Keras 3: clip(x / 6 + 0.5, 0, 1).
            Function::Each(Activation::HardSigmoid) if self.version == Version::Two => {
                let (scale, offset) = (vec![1.2], vec![0.0]);
                self.push(node, vec![from.number], Op::Affine { scale, offset }, 0);
                let scaled = self.last(from.rank);
                self.push(
                    node,
                    vec![scaled.number],
                    Op::Activation(Activation::HardSigmoid),
                    0,
                );
                return self.last(from.rank);
            }
            Function::Each(activation) => Op::Activation(activation),
            Function::Softmax => Op::Softmax,
        };
        self.push(node, vec![from.number], op, 0);
        self.last(from.rank)
    }

    /// Adds a layer with weights, and its activation behind it.
    fn weighted(
        &mut self,
        node: &Node<'_>,
        options: &Options<'_>,
        from: Value,
        op: Op,
        rank: Option<usize>,
    ) -> Result<Value, ModelError> {
        let mut parameters = op.parameters();
        if !options.flag("use_bias", true)? {
            parameters -= bias_len(&op);
        }
        self.push(node, vec![from.number], op, parameters);
        let value = self.last(rank);
        Ok(self.function(node, value, options.activation()?))
    }

    /// Values of a variable of this shape.
    pub(super) fn values(
        &mut self,
        id: &LayerId,
        variable: Variable,
        shape: &[Option<usize>],
    ) -> Result<Vec<f32>, ModelError> {
        Ok(self.weights.take(id, variable, shape)?.1)
    }

    /// The bias, which comes after `position` other variables; zeros where the layer has none.
    pub(super) fn bias(
        &mut self,
        id: &LayerId,
        options: &Options<'_>,
        position: usize,
        outputs: usize,
    ) -> Result<Vec<f32>, ModelError> {
        if !options.flag("use_bias", true)? {
            return Ok(vec![0.0; outputs]);
        }
        self.values(id, variable(&["bias"], position), &[Some(outputs)])
    }

    fn dense(&mut self, id: &LayerId, options: &Options<'_>) -> Result<Op, ModelError> {
        let units = options.size("units")?;
        let kernel = variable(&["kernel"], 0);
        let (shape, kernel) = self.weights.take(id, kernel, &[None, Some(units)])?;
        Ok(Op::Dense {
            inputs: shape[0],
            kernel,
            bias: self.bias(id, options, 1, units)?,
        })
    }

    /// Refuses quantised layers; notes those that Keras computes in other floats.
    fn check_precision(&mut self, options: &Options<'_>) -> Result<(), ModelError> {
        let policy = &options.config["dtype"];
        let policy = policy["config"]["name"].as_str().or(policy.as_str());
        match policy {
            None | Some("float32") => Ok(()),
            Some(
                policy @ ("float16" | "bfloat16" | "float64" | "mixed_float16" | "mixed_bfloat16"),
            ) => {
                self.notes.insert(format!(
                    "Keras computes in {policy}, morphscape in 32-bit floats"
                ));
                Ok(())
            }
            Some(_) => Err(options.wrong("dtype", "a type of floats")),
        }
    }
}

fn bias_len(op: &Op) -> usize {
    match op {
        Op::Dense { bias, .. } | Op::Conv { bias, .. } => bias.len(),
        _ => 0,
    }
}
