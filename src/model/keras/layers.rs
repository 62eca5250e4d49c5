//! Keras's layers, one by one: options checked, weights taken, what they compute as an [`Op`].

use super::graph::{Argument, Graph, Node, is_tensor};
use super::options::{Function, Options, function, numbers, short};
use super::{Description, Version};
use crate::kernels::Activation;
use crate::model::ModelError;
use crate::model::arrange::Key;
use crate::model::layer::{Arrangement, Combining, Layer, Op};
use crate::model::options::Layout;
use crate::model::weights::{LayerId, Variable, Weights};
use std::collections::BTreeSet;

/// The layers that are read, for messages.
const SUPPORTED: &str = "InputLayer, Flatten, Reshape, Permute, Rescaling, Normalization, Dense, Conv1D, Conv2D, DepthwiseConv2D, SeparableConv2D, Conv2DTranspose, MaxPooling1D, MaxPooling2D, AveragePooling1D, AveragePooling2D, GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalAveragePooling1D, GlobalAveragePooling2D, ZeroPadding2D, Cropping2D, CenterCrop, UpSampling2D, BatchNormalization, LayerNormalization, GroupNormalization, UnitNormalization, SpectralNormalization, Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Activation, ReLU, LeakyReLU, PReLU, ELU, Softmax, and dropout, noise and random image layers, which do nothing after training";

/// Layers that hand on what they take once training is over.
const INACTIVE: [&str; 9] = [
    "Identity",
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "ActivityRegularization",
];

/// The layers that change images at random while a model is trained, all `Random...`, and those
/// of the same kind with other names. RandomCrop is none of them: it takes the middle afterwards.
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

/// Operations of Keras 3 that no layer shares its name with.
const OPERATIONS: [&str; 4] = ["TrueDivide", "Divide", "GetItem", "Stack"];

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
    };
    for (number, node) in graph.nodes.iter().enumerate() {
        let value = reader.add(number, node)?;
        if let Some(wrapper) = &node.wrapper {
            reader.weights.ignore(wrapper);
        }
        reader.values.push(value);
    }
    let expected = "only weights of the layers in the config";
    reader.weights.finish(expected)?;
    Ok(Description {
        layers: reader.layers,
        input_shape: graph.input_shape,
        layout: Layout::ChannelsLast,
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
        // Keras calls it as in training, which changes nothing of it.
        if class != "CenterCrop" {
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
            "Permute" | "ZeroPadding2D" | "Cropping2D" | "CenterCrop" | "UpSampling2D" => {
                let arrangement = arrangement(class, &options)?;
                self.push(node, vec![from.number], Op::Arrange(arrangement), 0);
                Ok(self.last(from.rank))
            }
            "LayerNormalization" | "GroupNormalization" | "UnitNormalization" => {
                self.own_statistics(node, &options, from)
            }
            "PReLU" => self.prelu(node, from),
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

    /// An operation of Keras 3 or TensorFlow on a tensor and a constant, such as `x / 255`; nothing
    /// where the node is a layer.
    fn operation(&mut self, node: &Node<'_>, takes: &[Value]) -> Result<Option<Value>, ModelError> {
        let wrong = |expected: &str, found: String| ModelError::Config {
            place: format!("layer \"{}\"", node.id.name),
            expected: expected.to_owned(),
            found,
        };
        let module = node.entry["module"].as_str().unwrap_or_default();
        let constant = |argument: &Argument<'_>| matches!(argument, Argument::Constant(_));
        let takes_constants = node.call.arguments.iter().any(constant);
        let function = match node.class {
            // TensorFlow's, by the name of its function.
            "TFOpLambda" => {
                let name = node.entry["config"]["function"]
                    .as_str()
                    .unwrap_or_default();
                name.rsplit('.').next().unwrap_or_default()
            }
            class if module.contains(".ops.") => class,
            // HDF5 leaves modules out. Some operations are called as layers are; constants, which
            // layers do not take, tell them apart.
            class if module.is_empty() && (takes_constants || OPERATIONS.contains(&class)) => class,
            _ => return Ok(None),
        };
        if let Some(value) = self.function_of_tensors(node, function, takes)? {
            return Ok(Some(value));
        }
        let sum = match function {
            "TrueDivide" | "Divide" | "truediv" | "divide" | "Multiply" | "multiply" | "mul" => {
                false
            }
            "Add" | "add" | "Subtract" | "subtract" | "sub" => true,
            other => {
                let expected = "an operation that is known: sums, products, quotients, maxima, activations, indices, stacks";
                return Err(wrong(expected, other.chars().take(80).collect()));
            }
        };
        let divides = ["TrueDivide", "Divide", "truediv", "divide"].contains(&function);
        let subtracts = ["Subtract", "subtract", "sub"].contains(&function);
        // What stands beside the tensor: the other argument, or `y` by name.
        let options = node.call.options;
        let named = options.and_then(|options| {
            ["y", "x2"]
                .iter()
                .find_map(|key| options.get(*key))
                .filter(|value| !is_tensor(value))
        });
        let constants: Vec<&serde_json::Value> = (node.call.arguments.iter())
            .filter_map(|argument| match argument {
                Argument::Constant(value) => Some(*value),
                Argument::Tensor(..) => None,
            })
            .chain(named)
            .collect();
        let first = !matches!(node.call.arguments.first(), Some(Argument::Constant(_)));
        let ([from], [constant]) = (takes, &constants[..]) else {
            let found = format!("{} tensors and {} constants", takes.len(), constants.len());
            return Err(wrong("a tensor and a constant", found));
        };
        let numbers = last_axis(constant)
            .and_then(numbers)
            .filter(|numbers| !numbers.is_empty() && numbers.iter().all(|n| n.is_finite()))
            .ok_or_else(|| wrong("a tensor and a number, or one a channel", short(constant)))?;
        if !first && (divides || subtracts) {
            if divides {
                return Err(wrong(
                    "a tensor divided by a number",
                    "a number divided by a tensor".into(),
                ));
            }
            // c - x
            let op = Op::Affine {
                scale: vec![-1.0],
                offset: numbers,
            };
            self.push(node, vec![from.number], op, 0);
            return Ok(Some(self.last(from.rank)));
        }
        let (scale, offset) = match (sum, divides, subtracts) {
            (true, _, true) => (vec![1.0], numbers.iter().map(|n| -n).collect()),
            (true, _, false) => (vec![1.0], numbers),
            (false, true, _) => (numbers.iter().map(|n| 1.0 / n).collect(), vec![0.0]),
            (false, false, _) => (numbers, vec![0.0]),
        };
        if !scale.iter().all(|scale| scale.is_finite()) {
            return Err(wrong("a divisor that is not 0", short(constant)));
        }
        self.push(node, vec![from.number], Op::Affine { scale, offset }, 0);
        Ok(Some(self.last(from.rank)))
    }

    /// An operation on tensors alone.
    fn function_of_tensors(
        &mut self,
        node: &Node<'_>,
        function: &str,
        takes: &[Value],
    ) -> Result<Option<Value>, ModelError> {
        let tensors = (node.call.arguments.iter())
            .filter(|argument| matches!(argument, Argument::Tensor(..)))
            .count();
        let numbers: Vec<usize> = takes.iter().map(|value| value.number).collect();
        let options = Options {
            layer: &node.id.name,
            config: &node.entry["config"],
        };
        let all_tensors = tensors == node.call.arguments.len();
        let (op, rank) = match (function, takes) {
            ("Add" | "add", [a, _]) => (Op::Add, a.rank),
            ("Multiply" | "multiply", [a, _]) => (Op::Combine(Combining::Product), a.rank),
            ("Maximum" | "maximum", [a, _]) => (Op::Combine(Combining::Larger), a.rank),
            ("Subtract" | "subtract" | "sub", &[a, b]) => {
                let b = self.scaled(node, b, -1.0);
                self.push(node, vec![a.number, b.number], Op::Add, 0);
                return Ok(Some(self.last(a.rank)));
            }
            ("Stack" | "Concatenate", [a, ..]) if all_tensors => {
                let axis = behind_batch(&options, a.rank)?;
                let stacks = function == "Stack";
                let op = match stacks {
                    true => Arrangement::Stack { axis },
                    false => Arrangement::Concat { axis },
                };
                (
                    Op::Arrange(op),
                    a.rank.map(|rank| rank + usize::from(stacks)),
                )
            }
            ("GetItem", [a]) => {
                let keys = keys(node)?;
                let dropped = keys.iter().filter(|key| matches!(key, Key::At(_))).count();
                let rank = a.rank.and_then(|rank| rank.checked_sub(dropped));
                (Op::Arrange(Arrangement::Index(keys)), rank)
            }
            (name, [a]) if all_tensors => match activation_operation(name) {
                Some(function) => return Ok(Some(self.function(node, *a, function))),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        self.push(node, numbers, op, 0);
        Ok(Some(self.last(rank)))
    }

    /// Layers of several inputs; nothing for others.
    fn merge(
        &mut self,
        node: &Node<'_>,
        options: &Options<'_>,
        takes: &[Value],
    ) -> Result<Option<Value>, ModelError> {
        let class = node.class;
        let known = [
            "Add",
            "Subtract",
            "Multiply",
            "Average",
            "Maximum",
            "Minimum",
            "Concatenate",
        ];
        if !known.contains(&class) {
            return Ok(None);
        }
        let Some(&first) = takes.first().filter(|_| takes.len() >= 2) else {
            return Err(ModelError::Config {
                place: format!("layer \"{}\", a {class}", node.id.name),
                expected: "two or more inputs".into(),
                found: takes.len().to_string(),
            });
        };
        let rank = takes.iter().filter_map(|value| value.rank).max();
        let numbers = || {
            takes
                .iter()
                .map(|value| value.number)
                .collect::<Vec<usize>>()
        };
        match class {
            "Add" => self.push(node, numbers(), Op::Add, 0),
            "Average" => {
                self.push(node, numbers(), Op::Add, 0);
                let sum = self.last(rank);
                self.scaled(node, sum, 1.0 / takes.len() as f64);
            }
            "Subtract" => {
                let other = self.scaled(node, takes[1], -1.0);
                self.push(node, vec![first.number, other.number], Op::Add, 0);
            }
            "Concatenate" => {
                let axis = behind_batch(options, first.rank)?;
                let arrangement = Arrangement::Concat { axis };
                self.push(node, numbers(), Op::Arrange(arrangement), 0);
            }
            // The smaller of two is the larger of their negatives, negated.
            "Minimum" => {
                let mut so_far = self.scaled(node, first, -1.0);
                for &other in &takes[1..] {
                    let other = self.scaled(node, other, -1.0);
                    let op = Op::Combine(Combining::Larger);
                    self.push(node, vec![so_far.number, other.number], op, 0);
                    so_far = self.last(rank);
                }
                self.scaled(node, so_far, -1.0);
            }
            _ => {
                let combining = match class {
                    "Maximum" => Combining::Larger,
                    _ => Combining::Product,
                };
                let mut so_far = first;
                for &other in &takes[1..] {
                    let op = Op::Combine(combining);
                    self.push(node, vec![so_far.number, other.number], op, 0);
                    so_far = self.last(rank);
                }
            }
        }
        Ok(Some(self.last(rank)))
    }

    /// A value times a number.
    fn scaled(&mut self, node: &Node<'_>, from: Value, by: f64) -> Value {
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

    fn function(&mut self, node: &Node<'_>, from: Value, function: Function) -> Value {
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

/// The axis of an option `axis`, counted behind the batch's.
fn behind_batch(options: &Options<'_>, rank: Option<usize>) -> Result<i64, ModelError> {
    let axis = options
        .get("axis")
        .map_or(Some(-1), serde_json::Value::as_i64);
    match axis {
        Some(axis) if axis > 0 => Ok(axis - 1),
        Some(axis) if axis < 0 && rank.is_none_or(|rank| axis >= -(rank as i64)) => Ok(axis),
        _ => Err(options.wrong("axis", "an axis behind the batch's")),
    }
}

/// The index of an operation that takes parts of a tensor, behind the batch's axis.
fn keys(node: &Node<'_>) -> Result<Vec<Key>, ModelError> {
    let wrong = |found: String| ModelError::Config {
        place: format!("layer \"{}\", index", node.id.name),
        expected: "whole numbers, slices and an ellipsis, all of the batch".into(),
        found,
    };
    let mut keys = Vec::new();
    for argument in &node.call.arguments {
        let Argument::Constant(value) = argument else {
            continue;
        };
        keys.push(match value["class_name"].as_str() {
            Some("__ellipsis__") => Key::Ellipsis,
            Some("__slice__") => {
                let part = |key: &str| match &value["config"][key] {
                    serde_json::Value::Null => Ok(None),
                    number => number.as_i64().map(Some).ok_or_else(|| wrong(short(value))),
                };
                Key::Range {
                    start: part("start")?,
                    stop: part("stop")?,
                    step: part("step")?.unwrap_or(1),
                }
            }
            _ => Key::At(value.as_i64().ok_or_else(|| wrong(short(value)))?),
        });
    }
    const ALL: Key = Key::Range {
        start: None,
        stop: None,
        step: 1,
    };
    match keys.first() {
        Some(Key::Ellipsis) => Ok(keys),
        Some(first) if *first == ALL => Ok(keys.split_off(1)),
        _ => Err(wrong("another part of the batch".into())),
    }
}

/// The activation of an operation of Keras 3's or a function of TensorFlow's.
fn activation_operation(name: &str) -> Option<Function> {
    let name = match name {
        "LeakyRelu" | "LogSoftmax" | "HardSigmoid" | "HardSilu" => {
            let mut snake = String::new();
            for letter in name.chars() {
                if letter.is_uppercase() && !snake.is_empty() {
                    snake.push('_');
                }
                snake.extend(letter.to_lowercase());
            }
            snake
        }
        "Exp" | "exp" => "exponential".into(),
        name => name.to_lowercase(),
    };
    // Slopes and approximations are options of their own; these have none.
    let plain = [
        "relu",
        "relu6",
        "sigmoid",
        "tanh",
        "selu",
        "silu",
        "softplus",
        "softsign",
        "exponential",
        "hard_sigmoid",
        "hard_silu",
    ];
    plain
        .contains(&name.as_str())
        .then(|| function(&name))
        .flatten()
}

/// How a layer that moves values does it.
fn arrangement(class: &str, options: &Options<'_>) -> Result<Arrangement, ModelError> {
    if class != "Permute" {
        options.channels_last()?;
    }
    Ok(match class {
        "Permute" => {
            let dims = options.get("dims").and_then(numbers).unwrap_or_default();
            let axes = dims
                .iter()
                .map(|&axis| (axis >= 1.0).then(|| axis as usize - 1));
            let axes: Option<Vec<usize>> = axes.collect();
            let axes = axes.filter(|axes| !axes.is_empty());
            Arrangement::Permute(axes.ok_or_else(|| options.wrong("dims", "axes from 1 on"))?)
        }
        "CenterCrop" => Arrangement::Centre([options.size("height")?, options.size("width")?]),
        "UpSampling2D" => {
            options.only("interpolation", "nearest", |value| value == "nearest")?;
            Arrangement::Repeat(options.pair("size")?)
        }
        _ => {
            let key = if class == "Cropping2D" {
                "cropping"
            } else {
                "padding"
            };
            let sizes = options.get(key).and_then(numbers).unwrap_or_default();
            let whole =
                |n: f64| (n >= 0.0 && n.fract() == 0.0 && n < 65_536.0).then_some(n as usize);
            let sizes: Option<Vec<usize>> = sizes.into_iter().map(whole).collect();
            let (rows, columns) = match sizes.as_deref() {
                Some(&[all]) => ([all; 2], [all; 2]),
                Some(&[rows, columns]) => ([rows; 2], [columns; 2]),
                Some(&[above, below, left, right]) => ([above, below], [left, right]),
                _ => return Err(options.wrong(key, "one, two or four whole numbers")),
            };
            match class {
                "Cropping2D" => Arrangement::Crop { rows, columns },
                _ => Arrangement::Pad { rows, columns },
            }
        }
    })
}

/// A constant without its leading axes of one, so that it is a number or one a channel.
fn last_axis(constant: &serde_json::Value) -> Option<&serde_json::Value> {
    if ["__numpy__", "__tensor__"]
        .iter()
        .any(|class| constant["class_name"] == *class)
    {
        return last_axis(&constant["config"]["value"]);
    }
    match constant.as_array().map(Vec::as_slice) {
        Some([inner]) => last_axis(inner),
        Some(list) if list.iter().any(serde_json::Value::is_array) => None,
        _ => Some(constant),
    }
}

/// The shape a Reshape gives; -1, what the other sizes leave, as 0.
fn target_shape(options: &Options<'_>) -> Result<Vec<usize>, ModelError> {
    let size = |value: &serde_json::Value| match value.as_i64() {
        Some(-1) => Some(0),
        Some(0) | None => None,
        Some(size) => usize::try_from(size).ok(),
    };
    let sizes = options.get("target_shape").and_then(|list| list.as_array());
    let sizes: Option<Vec<usize>> = sizes.and_then(|list| list.iter().map(size).collect());
    sizes
        .filter(|sizes| sizes.iter().filter(|&&size| size == 0).count() <= 1)
        .ok_or_else(|| {
            let expected = "a list of whole numbers above 0, or one of them -1";
            options.wrong("target_shape", expected)
        })
}
