//! Keras's layers, one by one: options checked, weights taken, what they compute as an [`Op`].

use super::Description;
use super::graph::{Graph, Node};
use super::options::{Function, Options};
use crate::model::ModelError;
use crate::model::layer::{Layer, Op, Padding, Pooling, Window};
use crate::model::weights::{LayerId, Variable, Weights};
use std::collections::BTreeSet;

/// The layers that are read, for messages.
pub(in crate::model) const SUPPORTED: &str = "InputLayer, Flatten, Reshape, Rescaling, Normalization, Dense, Conv2D, DepthwiseConv2D, SeparableConv2D, MaxPooling2D, AveragePooling2D, GlobalMaxPooling2D, GlobalAveragePooling2D, BatchNormalization, Add, Activation, ReLU, LeakyReLU, ELU, Softmax, and dropout, noise and random image layers, which do nothing after training";

/// Layers that hand on what they take once training is over.
const INACTIVE: [&str; 14] = [
    "Identity",
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "ActivityRegularization",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "RandomContrast",
    "RandomBrightness",
];

const fn variable(roles: &'static [&'static str], position: usize) -> Variable {
    Variable { roles, position }
}

/// A value of the graph: what it is among the layers made, and its rank if that is known.
#[derive(Clone, Copy)]
struct Value {
    number: usize,
    rank: Option<usize>,
}

/// The layers made so far.
struct Reader<'a> {
    weights: Weights<'a>,
    layers: Vec<Layer>,
    values: Vec<Value>,
    notes: BTreeSet<String>,
}

/// The layers of a graph with their weights.
pub(super) fn layers(graph: Graph<'_>, weights: Weights<'_>) -> Result<Description, ModelError> {
    let input = Value {
        number: 0,
        rank: graph.input_shape.as_ref().map(Vec::len),
    };
    let mut reader = Reader {
        weights,
        layers: Vec::new(),
        values: vec![input],
        notes: BTreeSet::new(),
    };
    for (number, node) in graph.nodes.iter().enumerate() {
        let value = reader.add(number, node)?;
        reader.values.push(value);
    }
    let expected = "only weights of the layers in the config";
    reader.weights.finish(expected)?;
    Ok(Description {
        layers: reader.layers,
        input_shape: graph.input_shape,
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
        if class == "Add" {
            let rank = takes.first().and_then(|value| value.rank);
            let numbers = takes.iter().map(|value| value.number).collect();
            self.push(node, numbers, Op::Add, 0);
            return Ok(self.last(rank));
        }
        let [from] = takes[..] else {
            return Err(ModelError::Config {
                place: format!("layer \"{}\"", node.id.name),
                expected: "one input".into(),
                found: takes.len().to_string(),
            });
        };
        if INACTIVE.contains(&class) {
            self.weights.ignore(&node.id);
            return Ok(from);
        }
        if let Some(function) = options.activation_layer(class)? {
            if class == "Softmax" {
                options.last_axis(from.rank)?;
            }
            return Ok(self.function(node, from, function));
        }
        let image = Some(3);
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
            "Conv2D" => {
                let op = self.conv(&node.id, &options)?;
                self.weighted(node, &options, from, op, image)
            }
            "DepthwiseConv2D" => {
                let op = self.depthwise_conv(&node.id, &options)?;
                self.weighted(node, &options, from, op, image)
            }
            "SeparableConv2D" => {
                let [depthwise, pointwise] = self.separable_conv(&node.id, &options)?;
                let parameters = parameters(&depthwise) - bias_len(&depthwise);
                self.push(node, vec![from.number], depthwise, parameters);
                let between = self.last(image);
                self.weighted(node, &options, between, pointwise, image)
            }
            "MaxPooling2D" | "AveragePooling2D" => {
                let pooling = pooling(class);
                options.channels_last()?;
                let size = options.pair("pool_size")?;
                let stride = match options.get("strides") {
                    Some(_) => options.pair("strides")?,
                    None => size,
                };
                let window = Window {
                    stride,
                    padding: padding(&options)?,
                };
                let op = Op::Pool {
                    pooling,
                    size,
                    window,
                };
                self.push(node, vec![from.number], op, 0);
                Ok(self.last(image))
            }
            "GlobalMaxPooling2D" | "GlobalAveragePooling2D" => {
                options.channels_last()?;
                options.only("keepdims", "false", |value| value == false)?;
                self.push(node, vec![from.number], Op::GlobalPool(pooling(class)), 0);
                Ok(self.last(Some(1)))
            }
            _ => Err(ModelError::UnknownLayer {
                number,
                name: node.id.name.clone(),
                class: class.chars().take(80).collect(),
            }),
        }
    }

    /// Adds a layer.
    fn push(&mut self, node: &Node<'_>, takes: Vec<usize>, op: Op, parameters: usize) {
        self.layers.push(Layer {
            name: node.id.name.clone(),
            class: node.class.to_owned(),
            takes,
            op,
            parameters,
        });
    }

    /// The value of the last layer.
    fn last(&self, rank: Option<usize>) -> Value {
        let number = self.layers.len();
        Value { number, rank }
    }

    fn function(&mut self, node: &Node<'_>, from: Value, function: Function) -> Value {
        let op = match function {
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
        let mut parameters = parameters(&op);
        if !options.flag("use_bias", true)? {
            parameters -= bias_len(&op);
        }
        self.push(node, vec![from.number], op, parameters);
        let value = self.last(rank);
        Ok(self.function(node, value, options.activation()?))
    }

    /// Values of a variable of this shape.
    fn values(
        &mut self,
        id: &LayerId,
        variable: Variable,
        shape: &[Option<usize>],
    ) -> Result<Vec<f32>, ModelError> {
        Ok(self.weights.take(id, variable, shape)?.1)
    }

    /// The bias, which comes after `position` other variables; zeros where the layer has none.
    fn bias(
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

    fn conv(&mut self, id: &LayerId, options: &Options<'_>) -> Result<Op, ModelError> {
        options.only("groups", "1, all channels together", |value| value == 1)?;
        let window = window(options)?;
        let [height, width] = options.pair("kernel_size")?;
        let filters = options.size("filters")?;
        let shape = [Some(height), Some(width), None, Some(filters)];
        let (shape, kernel) = self.weights.take(id, variable(&["kernel"], 0), &shape)?;
        Ok(Op::Conv {
            shape: [height, width, shape[2], filters],
            kernel,
            bias: self.bias(id, options, 1, filters)?,
            window,
        })
    }

    fn depthwise_conv(&mut self, id: &LayerId, options: &Options<'_>) -> Result<Op, ModelError> {
        let window = window(options)?;
        let (shape, kernel) = self.depthwise_kernel(id, options)?;
        Ok(Op::DepthwiseConv {
            bias: self.bias(id, options, 1, shape[2].saturating_mul(shape[3]))?,
            shape,
            kernel,
            window,
        })
    }

    fn depthwise_kernel(
        &mut self,
        id: &LayerId,
        options: &Options<'_>,
    ) -> Result<([usize; 4], Vec<f32>), ModelError> {
        let [height, width] = options.pair("kernel_size")?;
        let multiplier = match options.get("depth_multiplier") {
            Some(_) => options.size("depth_multiplier")?,
            None => 1,
        };
        let shape = [Some(height), Some(width), None, Some(multiplier)];
        // Keras 3 calls a DepthwiseConv2D's kernel just that.
        let kernel = variable(&["depthwise_kernel", "kernel"], 0);
        let (shape, kernel) = self.weights.take(id, kernel, &shape)?;
        Ok(([height, width, shape[2], multiplier], kernel))
    }

    /// A depthwise convolution without a bias and one of single pixels over all channels.
    fn separable_conv(
        &mut self,
        id: &LayerId,
        options: &Options<'_>,
    ) -> Result<[Op; 2], ModelError> {
        let window = window(options)?;
        let filters = options.size("filters")?;
        let (shape, kernel) = self.depthwise_kernel(id, options)?;
        let between = shape[2].saturating_mul(shape[3]);
        let pointwise = [Some(1), Some(1), Some(between), Some(filters)];
        let pointwise = self.values(id, variable(&["pointwise_kernel"], 1), &pointwise)?;
        Ok([
            Op::DepthwiseConv {
                shape,
                kernel,
                bias: vec![0.0; between],
                window,
            },
            Op::Conv {
                shape: [1, 1, between, filters],
                kernel: pointwise,
                bias: self.bias(id, options, 2, filters)?,
                window: Window {
                    stride: [1, 1],
                    padding: Padding::Valid,
                },
            },
        ])
    }

    /// `gamma (x - mean) / sqrt(variance + epsilon) + beta`, of each channel.
    fn batch_normalization(
        &mut self,
        node: &Node<'_>,
        options: &Options<'_>,
        from: Value,
    ) -> Result<Value, ModelError> {
        options.last_axis(from.rank)?;
        let epsilon = options.number("epsilon", 1e-3)?;
        let mut position = 0;
        let mut channels = None;
        let mut parameters = 0;
        let mut take = |role: &'static [&'static str]| -> Result<Vec<f64>, ModelError> {
            let variable = variable(role, position);
            let (shape, values) = self.weights.take(&node.id, variable, &[channels])?;
            position += 1;
            parameters += values.len();
            channels = Some(shape[0]);
            Ok(values.into_iter().map(f64::from).collect())
        };
        let gamma = match options.flag("scale", true)? {
            true => Some(take(&["gamma"])?),
            false => None,
        };
        let beta = match options.flag("center", true)? {
            true => Some(take(&["beta"])?),
            false => None,
        };
        let mean = take(&["moving_mean"])?;
        let variance = take(&["moving_variance"])?;
        let scale: Vec<f64> = variance
            .iter()
            .enumerate()
            .map(|(i, variance)| gamma.as_ref().map_or(1.0, |g| g[i]) / (variance + epsilon).sqrt())
            .collect();
        let offset = mean.iter().zip(&scale).enumerate();
        let offset = offset
            .map(|(i, (mean, scale))| beta.as_ref().map_or(0.0, |b| b[i]) - mean * scale)
            .collect();
        self.affine(node, from, scale, offset, parameters)
    }

    /// `(x - mean) / max(sqrt(variance), epsilon)`, or the inverse of it.
    fn normalization(
        &mut self,
        node: &Node<'_>,
        options: &Options<'_>,
        from: Value,
    ) -> Result<Value, ModelError> {
        // Keras's own, so that a variance of 0 divides by something.
        const EPSILON: f64 = 1e-7;
        let axes = normalized_axes(options, from.rank)?;
        let (mean, variance, parameters) = match options.get("mean") {
            Some(_) => {
                let [mean, variance] = ["mean", "variance"].map(|key| options.numbers(key, 1.0));
                (mean?, variance?, 0)
            }
            None => {
                let shape = vec![None; axes];
                let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
                let mean = self.values(&node.id, variable(&["mean"], 0), &shape)?;
                let variance = self.values(&node.id, variable(&["variance"], 1), &shape)?;
                let count = variable(&["count"], 2);
                let counted = usize::from(self.weights.has(&node.id, count));
                let parameters = mean.len() + variance.len() + counted;
                self.weights.ignore(&node.id);
                (wide(mean), wide(variance), parameters)
            }
        };
        if mean.len() != variance.len() {
            let expected = format!("{} values, as many as of the mean", mean.len());
            return Err(options.wrong("variance", &expected));
        }
        if variance.iter().any(|&variance| variance < 0.0) {
            return Err(options.wrong("variance", "values of 0 or more"));
        }
        let deviations = variance.iter().map(|variance| variance.sqrt().max(EPSILON));
        let (scale, offset) = match options.flag("invert", false)? {
            true => (deviations.collect(), mean),
            false => mean
                .iter()
                .zip(deviations)
                .map(|(mean, deviation)| (1.0 / deviation, -mean / deviation))
                .unzip(),
        };
        self.affine(node, from, scale, offset, parameters)
    }

    fn affine(
        &mut self,
        node: &Node<'_>,
        from: Value,
        scale: Vec<f64>,
        offset: Vec<f64>,
        parameters: usize,
    ) -> Result<Value, ModelError> {
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        if !finite(&scale) || !finite(&offset) {
            return Err(ModelError::Config {
                place: format!("layer \"{}\"", node.id.name),
                expected: "variances of 0 or more".into(),
                found: "others".into(),
            });
        }
        self.push(
            node,
            vec![from.number],
            Op::Affine { scale, offset },
            parameters,
        );
        Ok(self.last(from.rank))
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

fn parameters(op: &Op) -> usize {
    match op {
        Op::Dense { kernel, bias, .. }
        | Op::Conv { kernel, bias, .. }
        | Op::DepthwiseConv { kernel, bias, .. } => kernel.len() + bias.len(),
        _ => 0,
    }
}

fn bias_len(op: &Op) -> usize {
    match op {
        Op::Dense { bias, .. } | Op::Conv { bias, .. } | Op::DepthwiseConv { bias, .. } => {
            bias.len()
        }
        _ => 0,
    }
}

fn pooling(class: &str) -> Pooling {
    if class.contains("Max") {
        Pooling::Max
    } else {
        Pooling::Average
    }
}

/// Strides and padding of a convolution that is not dilated.
fn window(options: &Options<'_>) -> Result<Window, ModelError> {
    options.channels_last()?;
    if options.get("dilation_rate").is_some() && options.pair("dilation_rate")? != [1, 1] {
        return Err(options.wrong("dilation_rate", "1, the only one supported"));
    }
    let stride = match options.get("strides") {
        Some(_) => options.pair("strides")?,
        None => [1, 1],
    };
    Ok(Window {
        stride,
        padding: padding(options)?,
    })
}

fn padding(options: &Options<'_>) -> Result<Padding, ModelError> {
    match options.get("padding").map(|value| value.as_str()) {
        None | Some(Some("valid")) => Ok(Padding::Valid),
        Some(Some("same")) => Ok(Padding::Same),
        _ => Err(options.wrong("padding", "valid or same")),
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

/// How many axes a Normalization keeps apart: none, the last one, or all.
fn normalized_axes(options: &Options<'_>, rank: Option<usize>) -> Result<usize, ModelError> {
    let expected = "no axis, the last one, or all but the batch's";
    let axis = options.get("axis");
    let axes: Option<Vec<i64>> = match axis.map(|axis| (axis, axis.as_array())) {
        None => Some(Vec::new()),
        Some((_, Some(list))) => list.iter().map(serde_json::Value::as_i64).collect(),
        Some((axis, None)) => axis.as_i64().map(|axis| vec![axis]),
    };
    let axes = axes.ok_or_else(|| options.wrong("axis", expected))?;
    let rank = rank.and_then(|rank| i64::try_from(rank).ok());
    // Counted from the batch's axis, 0.
    let from_front = |axis: i64| match axis {
        0.. => Some(axis),
        _ => rank.map(|rank| rank + 1 + axis),
    };
    let fits = match axes[..] {
        [] | [-1] => true,
        [axis] => from_front(axis) == rank && rank.is_some(),
        _ => {
            let mut axes: Vec<Option<i64>> = axes.iter().map(|&axis| from_front(axis)).collect();
            axes.sort_unstable();
            rank.is_some_and(|rank| axes.into_iter().eq((1..=rank).map(Some)))
        }
    };
    if fits {
        Ok(axes.len())
    } else {
        Err(options.wrong("axis", expected))
    }
}
