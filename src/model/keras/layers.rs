//! Keras's layers, one by one: options checked, weights taken, what they compute as an [`Op`].

use super::Description;
use super::graph::{Graph, Node};
use super::options::{Function, Options};
use crate::model::ModelError;
use crate::model::layer::{Layer, Op};
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
                self.weighted(node, &options, from, op, IMAGE)
            }
            "DepthwiseConv2D" => {
                let op = self.depthwise_conv(&node.id, &options)?;
                self.weighted(node, &options, from, op, IMAGE)
            }
            "SeparableConv2D" => {
                let [depthwise, pointwise] = self.separable_conv(&node.id, &options)?;
                let parameters = parameters(&depthwise) - bias_len(&depthwise);
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
            }),
        }
    }

    /// Adds a layer.
    pub(super) fn push(&mut self, node: &Node<'_>, takes: Vec<usize>, op: Op, parameters: usize) {
        self.layers.push(Layer {
            name: node.id.name.clone(),
            class: node.class.to_owned(),
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
