//! An ONNX graph as layers, where every node is one that has kernels: images `[C, H, W]` become
//! `[H, W, C]` on the way in, and what depends on the order of axes is put in ours.
//!
//! A graph with any other node is the library's, and the node that decided is named.

use super::limits::whole_numbers;
use super::rewrite::{attribute, floats_of};
use super::tail::Tail;
use crate::kernels::Activation;
use crate::model::layer::{Arrangement, Layer, Op, STATED_SCALING};
use rten_onnx::onnx::{GraphProto, NodeProto, TensorProto};
use std::collections::BTreeMap;

/// Why the library runs a graph: the node that has no kernel, and what of it.
pub(super) struct Unknown(pub(super) String);

/// A value of the graph.
#[derive(Clone)]
pub(super) struct Value {
    /// Its number among the layers.
    pub(super) number: usize,
    /// Its sizes behind the batch, as ONNX has them.
    pub(super) sizes: Vec<usize>,
    /// Whether ONNX has the channels first and the layers have them last.
    pub(super) swapped: bool,
}

/// Reads a graph of one input and one output.
pub(super) struct Reader<'g> {
    tensors: &'g BTreeMap<&'g str, &'g TensorProto>,
    data: &'g BTreeMap<&'g str, &'g [u8]>,
    opset: i64,
    pub(super) layers: Vec<Layer>,
    values: BTreeMap<String, Value>,
    /// Sizes that the graph takes from its own values, the batch's as [`BATCH`].
    shapes: BTreeMap<String, Vec<i64>>,
}

/// Values of one input in any layer, as many as all of them may have together.
const MAX_VALUES: usize = 1 << 28;

/// The size of a batch, which is not known here.
pub(super) const BATCH: i64 = i64::MIN;

pub(super) type Read<T> = Result<T, String>;

/// A number of a node's, or what it is where the file leaves it out.
pub(super) fn float(node: &NodeProto, name: &str, default: f32) -> f32 {
    let own = attribute(node, name).and_then(|attribute| attribute.f);
    own.unwrap_or(default)
}

/// The same of whole numbers.
pub(super) fn int(node: &NodeProto, name: &str, default: i64) -> i64 {
    let own = attribute(node, name).and_then(|attribute| attribute.i);
    own.unwrap_or(default)
}

impl<'g> Reader<'g> {
    pub(super) fn new(
        tensors: &'g BTreeMap<&'g str, &'g TensorProto>,
        data: &'g BTreeMap<&'g str, &'g [u8]>,
        opset: i64,
    ) -> Self {
        Self {
            tensors,
            data,
            opset,
            layers: Vec::new(),
            values: BTreeMap::new(),
            shapes: BTreeMap::new(),
        }
    }

    /// The layers of `graph`, whose input `name` has these sizes behind the batch; `channels_first`
    /// where they are an image's in ONNX's order.
    pub(super) fn layers(
        mut self,
        graph: &GraphProto,
        (name, sizes, channels_first): (&str, &[usize], bool),
        tail: &Tail,
    ) -> Result<Vec<Layer>, Unknown> {
        let input = Value {
            number: 0,
            sizes: sizes.to_vec(),
            swapped: channels_first,
        };
        self.values.insert(name.to_owned(), input);
        for node in &graph.node {
            let operator = node.op_type.as_deref().unwrap_or_default();
            if operator == "Constant" {
                continue;
            }
            let unknown = |why: String| {
                let name = node.name.as_deref().unwrap_or_default();
                Unknown(format!("node \"{name}\", a {operator}{why}"))
            };
            let domain = node.domain.as_deref().unwrap_or_default();
            // Classifiers of tables give labels first and their scores behind.
            let (answers, others) = match (domain, operator) {
                ("ai.onnx.ml", "LinearClassifier" | "TreeEnsembleClassifier") => {
                    (1, &node.output[..0])
                }
                ("ai.onnx.ml", "Scaler" | "Normalizer") | ("" | "ai.onnx", _) => {
                    (0, node.output.get(1..).unwrap_or_default())
                }
                _ => return Err(unknown(format!(" of {domain}"))),
            };
            if let Some(shape) = self.shape(node, operator) {
                self.shapes.insert(node.output[0].clone(), shape);
                continue;
            }
            let value = self.node(node, operator).map_err(|why| {
                unknown(match why.as_str() {
                    "" => String::new(),
                    why => format!(": {why}"),
                })
            })?;
            let count = (value.sizes.iter()).try_fold(1usize, |all, &size| all.checked_mul(size));
            if !count.is_some_and(|count| (1..=MAX_VALUES).contains(&count)) {
                return Err(unknown(format!(" that gives sizes {:?}", value.sizes)));
            }
            let output = node.output.get(answers).cloned().unwrap_or_default();
            if others.iter().any(|output| !output.is_empty()) {
                return Err(unknown(" of several outputs".into()));
            }
            self.values.insert(output, value);
        }
        let output = graph
            .output
            .first()
            .and_then(|output| output.name.as_deref());
        let end = output.and_then(|name| self.values.get(name));
        let last = end.is_some_and(|end| end.number == self.layers.len());
        if !last {
            return Err(Unknown("the output is not what the last node gives".into()));
        }
        if !ends_as(tail, &self.layers) {
            return Err(Unknown(
                "its last operators do not say what it answers".into(),
            ));
        }
        Ok(self.layers)
    }

    /// What a node gives that computes with sizes: the shape of a value, parts of it, joined.
    pub(super) fn shape(&self, node: &NodeProto, operator: &str) -> Option<Vec<i64>> {
        node.output.first()?;
        let known = |number: usize| -> Option<Vec<i64>> {
            let name = node.input.get(number)?;
            self.shapes.get(name).cloned().or_else(|| {
                let numbers = whole_numbers(self.tensors.get(name.as_str())?);
                (!numbers.is_empty()).then_some(numbers)
            })
        };
        let computed = |number: usize| {
            self.shapes
                .contains_key(node.input.get(number)?.as_str())
                .then_some(())
        };
        match operator {
            "Shape" if attribute(node, "start").is_none() && attribute(node, "end").is_none() => {
                let value = self.values.get(node.input.first()?)?;
                let sizes = value.sizes.iter().map(|&size| i64::try_from(size).ok());
                [Some(BATCH)].into_iter().chain(sizes).collect()
            }
            "Gather" => {
                computed(0)?;
                let (shape, at) = (known(0)?, known(1)?);
                let size = i64::try_from(shape.len()).ok()?;
                let pick =
                    |at: i64| shape.get(usize::try_from(if at < 0 { at + size } else { at }).ok()?);
                at.into_iter().map(|at| pick(at).copied()).collect()
            }
            "Unsqueeze" | "Squeeze" | "Cast" | "Identity" => {
                computed(0)?;
                known(0)
            }
            "Concat" => {
                (0..node.input.len()).find_map(computed)?;
                let parts: Option<Vec<Vec<i64>>> = (0..node.input.len()).map(known).collect();
                Some(parts?.concat())
            }
            _ => None,
        }
    }

    pub(super) fn push(&mut self, node: &NodeProto, takes: Vec<usize>, op: Op) -> usize {
        let parameters = match &op {
            Op::Affine { scale, offset } if scale.len() > 1 => scale.len() + offset.len(),
            op => op.parameters(),
        };
        let name = node.name.clone().filter(|name| !name.is_empty());
        let class = match (&op, node.op_type.as_deref()) {
            // Scaling ahead of all is told from batch normalisation by its class.
            (Op::Affine { .. }, Some("BatchNormalization")) => "BatchNormalization".to_owned(),
            (_, class) => class.unwrap_or_default().to_owned(),
        };
        debug_assert_ne!(class, STATED_SCALING);
        self.layers.push(Layer {
            name: name
                .or_else(|| node.output.first().cloned())
                .unwrap_or_default(),
            class,
            takes,
            op,
            parameters,
        });
        self.layers.len()
    }

    /// A layer that keeps the shape of what it takes.
    pub(super) fn same(&mut self, node: &NodeProto, from: &Value, op: Op) -> Value {
        let number = self.push(node, vec![from.number], op);
        Value {
            number,
            ..from.clone()
        }
    }

    pub(super) fn floats(&self, name: &str) -> Read<(Vec<usize>, Vec<f32>)> {
        let tensor = self.tensors.get(name).ok_or("a weight that is computed")?;
        let shape: Option<Vec<usize>> = tensor
            .dims
            .iter()
            .map(|&size| usize::try_from(size).ok())
            .collect();
        let shape = shape.ok_or("sizes below 0")?;
        let count = shape
            .iter()
            .try_fold(1usize, |all, &size| all.checked_mul(size));
        let values = floats_of(tensor, self.data).ok_or("weights of another type")?;
        let counted = count == Some(values.len()) && !values.is_empty();
        match counted && values.iter().all(|v| v.is_finite()) {
            true => Ok((shape, values)),
            false => Err("weights that do not fit their shape".into()),
        }
    }

    pub(super) fn constant(&self, node: &NodeProto, number: usize) -> Option<&'g str> {
        let name = node.input.get(number)?;
        self.tensors
            .get_key_value(name.as_str())
            .map(|(name, _)| *name)
    }

    pub(super) fn value(&self, node: &NodeProto, number: usize) -> Read<Value> {
        let name = node.input.get(number).ok_or("too few inputs")?;
        let value = self.values.get(name).cloned();
        value.ok_or_else(|| "an input that is no value of the network".into())
    }

    /// Whole numbers of an input, or of an attribute in older versions.
    pub(super) fn whole(&self, node: &NodeProto, number: usize, name: &str) -> Option<Vec<i64>> {
        if let Some(attribute) = attribute(node, name) {
            return Some(attribute.ints.clone());
        }
        if let Some(shape) = node
            .input
            .get(number)
            .and_then(|name| self.shapes.get(name))
        {
            return Some(shape.clone());
        }
        let numbers = whole_numbers(self.tensors.get(self.constant(node, number)?)?);
        (!numbers.is_empty()).then_some(numbers)
    }

    pub(super) fn node(&mut self, node: &NodeProto, operator: &str) -> Read<Value> {
        match operator {
            "Identity" | "Dropout" => self.value(node, 0),
            "Cast" if [1, 10, 11].contains(&int(node, "to", 1)) => self.value(node, 0),
            "Conv" => self.conv(node),
            "Gemm" => {
                let (from, name) = (
                    self.value(node, 0)?,
                    self.constant(node, 1).ok_or("a product of two values")?,
                );
                if int(node, "transA", 0) != 0 || from.sizes.len() != 1 {
                    return Err("a matrix turned around".into());
                }
                let (shape, kernel) = self.floats(name)?;
                let (alpha, beta) = (float(node, "alpha", 1.0), float(node, "beta", 1.0));
                let bias = match node.input.get(2).filter(|name| !name.is_empty()) {
                    Some(_) => Some(
                        self.floats(self.constant(node, 2).ok_or("a bias that is computed")?)?
                            .1,
                    ),
                    None => None,
                };
                self.dense(
                    node,
                    &from,
                    (shape, kernel),
                    int(node, "transB", 0) != 0,
                    bias,
                    [alpha, beta],
                )
            }
            "MatMul" => {
                let (from, name) = (
                    self.value(node, 0)?,
                    self.constant(node, 1).ok_or("a product of two values")?,
                );
                let weights = self.floats(name)?;
                self.dense(node, &from, weights, false, None, [1.0, 1.0])
            }
            "Add" | "Sub" | "Mul" | "Div" | "Max" => self.arithmetic(node, operator),
            "MaxPool" | "AveragePool" => self.pool(node, operator),
            "GlobalAveragePool" | "GlobalMaxPool" => {
                let from = self.value(node, 0)?;
                self.global_pool(node, &from, operator.contains("Max"), true)
            }
            "ReduceMean" | "ReduceMax" => {
                let from = self.value(node, 0)?;
                let mut axes = self
                    .whole(node, 1, "axes")
                    .ok_or("axes that are computed")?;
                axes.iter_mut()
                    .filter(|axis| **axis < 0)
                    .for_each(|axis| *axis += 4);
                axes.sort_unstable();
                match from.swapped && axes == [2, 3] {
                    true => self.global_pool(
                        node,
                        &from,
                        operator == "ReduceMax",
                        int(node, "keepdims", 1) != 0,
                    ),
                    false => Err("other axes than an image's".into()),
                }
            }
            "Flatten" if int(node, "axis", 1) == 1 => {
                let from = self.value(node, 0)?;
                self.flat(node, &from)
            }
            "Softmax" | "LogSoftmax" => {
                let from = self.value(node, 0)?;
                let axis = int(node, "axis", if self.opset < 13 { 1 } else { -1 });
                match from.sizes.len() == 1 && [-1, 1].contains(&axis) {
                    true => Ok(self.same(node, &from, Op::Softmax)),
                    false => Err("another axis than the classes'".into()),
                }
            }
            "BatchNormalization" => self.batch_normalization(node),
            "InstanceNormalization" | "GroupNormalization" | "LayerNormalization" => {
                self.own_statistics(node, operator)
            }
            "LRN" => self.lrn(node),
            "Reshape" => self.reshape(node),
            "Squeeze" => self.squeeze(node),
            "Transpose" => self.transpose(node),
            "Concat" => self.concat(node),
            "Pad" => self.pad(node),
            "Scaler" => self.scaler(node),
            "LinearClassifier" => self.linear_classifier(node),
            "TreeEnsembleClassifier" => self.tree_ensemble(node),
            "Normalizer" => self.normalizer(node),
            "PRelu" => self.prelu(node),
            "HardSigmoid" => self.hard_sigmoid(node),
            _ => {
                let activation = self.activation(node, operator)?;
                let from = self.value(node, 0)?;
                Ok(self.same(node, &from, Op::Activation(activation)))
            }
        }
    }

    /// Channels of an image, or values of a row.
    pub(super) fn channels(&self, value: &Value) -> Read<usize> {
        let channels = match value.swapped {
            true => value.sizes.first(),
            false => value.sizes.last(),
        };
        channels.copied().ok_or_else(|| "no channels".into())
    }

    /// All values of an input in ONNX's order.
    pub(super) fn flat(&mut self, node: &NodeProto, from: &Value) -> Read<Value> {
        let values = from.sizes.iter().product();
        let mut number = from.number;
        if from.swapped {
            let order = Arrangement::Permute(vec![2, 0, 1]);
            number = self.push(node, vec![number], Op::Arrange(order));
        }
        let number = self.push(node, vec![number], Op::Reshape(None));
        Ok(Value {
            number,
            sizes: vec![values],
            swapped: false,
        })
    }
}

/// Whether the last layer is what the graph's tail was found to be: nothing between the two
/// changes what the values are.
fn ends_as(tail: &Tail, layers: &[Layer]) -> bool {
    let mut ends = layers.iter().rev();
    let end = ends.find(|layer| !matches!(layer.op, Op::Reshape(_) | Op::Axis { .. }));
    let Some(end) = end.map(|layer| &layer.op) else {
        return false;
    };
    match (tail, end) {
        (Tail::Softmax { changed_by: None } | Tail::LogSoftmax, Op::Softmax) => true,
        (
            Tail::Sigmoid {
                changed_by: None, ..
            },
            Op::Activation(Activation::Sigmoid | Activation::HardSigmoid),
        ) => true,
        (Tail::Trees, Op::Kernel(kernel)) => kernel.gives_probabilities(),
        (
            Tail::Open,
            Op::Dense { .. } | Op::Conv { .. } | Op::GlobalPool(_) | Op::Add | Op::Affine { .. },
        ) => true,
        _ => false,
    }
}
