//! An ONNX graph as layers, where every node is one that has kernels: images `[C, H, W]` become
//! `[H, W, C]` on the way in, and what depends on the order of axes is put in ours.
//!
//! A graph with any other node is the library's, and the node that decided is named.

use super::limits::whole_numbers;
use super::rewrite::{attribute, floats_of};
use super::tail::Tail;
use super::trees::{self, Ensemble};
use crate::kernels::Activation;
use crate::model::grouped::{dilated as dilated_kernel, grouped};
use crate::model::layer::{
    Arrangement, Combining, Divisor, Groups, Layer, Op, Padding, Pooling, STATED_SCALING, Window,
};
use rten_onnx::onnx::{GraphProto, NodeProto, TensorProto};
use std::collections::BTreeMap;

/// Why the library runs a graph: the node that has no kernel, and what of it.
pub(super) struct Unknown(pub(super) String);

/// A value of the graph.
#[derive(Clone)]
struct Value {
    /// Its number among the layers.
    number: usize,
    /// Its sizes behind the batch, as ONNX has them.
    sizes: Vec<usize>,
    /// Whether ONNX has the channels first and the layers have them last.
    swapped: bool,
}

/// Reads a graph of one input and one output.
pub(super) struct Reader<'g> {
    tensors: &'g BTreeMap<&'g str, &'g TensorProto>,
    data: &'g BTreeMap<&'g str, &'g [u8]>,
    opset: i64,
    layers: Vec<Layer>,
    values: BTreeMap<String, Value>,
    /// Sizes that the graph takes from its own values, the batch's as [`BATCH`].
    shapes: BTreeMap<String, Vec<i64>>,
}

/// Values of one input in any layer, as many as all of them may have together.
const MAX_VALUES: usize = 1 << 28;

/// The size of a batch, which is not known here.
const BATCH: i64 = i64::MIN;

type Read<T> = Result<T, String>;

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
    fn shape(&self, node: &NodeProto, operator: &str) -> Option<Vec<i64>> {
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

    fn push(&mut self, node: &NodeProto, takes: Vec<usize>, op: Op) -> usize {
        let parameters = match &op {
            Op::Dense { kernel, bias, .. }
            | Op::Conv { kernel, bias, .. }
            | Op::DepthwiseConv { kernel, bias, .. } => kernel.len() + bias.len(),
            Op::Affine { scale, offset } if scale.len() > 1 => scale.len() + offset.len(),
            Op::Normalise { scale, offset, .. } => scale.len() + offset.len(),
            _ => 0,
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
    fn same(&mut self, node: &NodeProto, from: &Value, op: Op) -> Value {
        let number = self.push(node, vec![from.number], op);
        Value {
            number,
            ..from.clone()
        }
    }

    fn floats(&self, name: &str) -> Read<(Vec<usize>, Vec<f32>)> {
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

    fn constant(&self, node: &NodeProto, number: usize) -> Option<&'g str> {
        let name = node.input.get(number)?;
        self.tensors
            .get_key_value(name.as_str())
            .map(|(name, _)| *name)
    }

    fn value(&self, node: &NodeProto, number: usize) -> Read<Value> {
        let name = node.input.get(number).ok_or("too few inputs")?;
        let value = self.values.get(name).cloned();
        value.ok_or_else(|| "an input that is no value of the network".into())
    }

    /// Whole numbers of an input, or of an attribute in older versions.
    fn whole(&self, node: &NodeProto, number: usize, name: &str) -> Option<Vec<i64>> {
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

    fn node(&mut self, node: &NodeProto, operator: &str) -> Read<Value> {
        let float = |name: &str, default: f32| {
            attribute(node, name)
                .and_then(|attribute| attribute.f)
                .unwrap_or(default)
        };
        let int = |name: &str, default: i64| {
            attribute(node, name)
                .and_then(|attribute| attribute.i)
                .unwrap_or(default)
        };
        match operator {
            "Identity" | "Dropout" => self.value(node, 0),
            "Cast" if [1, 10, 11].contains(&int("to", 1)) => self.value(node, 0),
            "Conv" => self.conv(node),
            "Gemm" => {
                let (from, name) = (
                    self.value(node, 0)?,
                    self.constant(node, 1).ok_or("a product of two values")?,
                );
                if int("transA", 0) != 0 || from.sizes.len() != 1 {
                    return Err("a matrix turned around".into());
                }
                let (shape, kernel) = self.floats(name)?;
                let (alpha, beta) = (float("alpha", 1.0), float("beta", 1.0));
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
                    int("transB", 0) != 0,
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
            "BatchNormalization" => {
                let from = self.value(node, 0)?;
                let mut entries = Vec::new();
                for number in 1..5 {
                    let name = self
                        .constant(node, number)
                        .ok_or("statistics that are computed")?;
                    entries.push(self.floats(name)?.1);
                }
                let channels = self.channels(&from)?;
                if int("training_mode", 0) != 0 || entries.iter().any(|e| e.len() != channels) {
                    return Err("statistics of other channels".into());
                }
                let epsilon = f64::from(float("epsilon", 1e-5));
                let [gamma, beta, mean, variance] = &entries[..] else {
                    return Err("too few inputs".into());
                };
                let scale: Vec<f64> = (gamma.iter().zip(variance))
                    .map(|(&g, &v)| f64::from(g) / (f64::from(v) + epsilon).sqrt())
                    .collect();
                let offset = (beta.iter().zip(mean).zip(&scale))
                    .map(|((&b, &m), s)| f64::from(b) - f64::from(m) * s)
                    .collect();
                Ok(self.same(node, &from, Op::Affine { scale, offset }))
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
                        int("keepdims", 1) != 0,
                    ),
                    false => Err("other axes than an image's".into()),
                }
            }
            "Flatten" if int("axis", 1) == 1 => {
                let from = self.value(node, 0)?;
                self.flat(node, &from)
            }
            "Reshape" => {
                let from = self.value(node, 0)?;
                let shape = self
                    .whole(node, 1, "shape")
                    .ok_or("a shape that is computed")?;
                let values: usize = from.sizes.iter().product();
                match shape[..] {
                    [0 | 1 | BATCH, -1] => self.flat(node, &from),
                    [0 | 1 | -1 | BATCH, size] if usize::try_from(size) == Ok(values) => {
                        self.flat(node, &from)
                    }
                    _ => Err(format!("the shape {shape:?}")),
                }
            }
            "Squeeze" => {
                let from = self.value(node, 0)?;
                let rest = from.sizes.iter().skip(1).all(|&size| size == 1);
                match rest && from.sizes.len() == 3 {
                    true => self.flat(node, &from),
                    false => Err("other axes than an image's sides of one".into()),
                }
            }
            "Transpose" => {
                let from = self.value(node, 0)?;
                let order = attribute(node, "perm")
                    .map(|perm| perm.ints.clone())
                    .unwrap_or_default();
                // Axes are renamed, and nothing moves.
                let (sizes, swapped) = match (&order[..], &from.sizes[..]) {
                    ([0, 3, 1, 2], &[h, w, c]) if !from.swapped => (vec![c, h, w], true),
                    ([0, 2, 3, 1], &[c, h, w]) if from.swapped => (vec![h, w, c], false),
                    _ => return Err(format!("the order {order:?}")),
                };
                Ok(Value {
                    sizes,
                    swapped,
                    ..from
                })
            }
            "Concat" => {
                let taken: Vec<Value> = (0..node.input.len())
                    .map(|number| self.value(node, number))
                    .collect::<Read<_>>()?;
                let first = taken.first().ok_or("too few inputs")?.clone();
                let rank = first.sizes.len() as i64 + 1;
                let axis = int("axis", 1);
                let axis = if axis < 0 { axis + rank } else { axis };
                let at = usize::try_from(axis - 1)
                    .ok()
                    .filter(|&at| at < first.sizes.len())
                    .ok_or("the batch's axis")?;
                let fits = |value: &Value| {
                    value.swapped == first.swapped
                        && value.sizes.len() == first.sizes.len()
                        && (0..first.sizes.len())
                            .all(|k| k == at || value.sizes[k] == first.sizes[k])
                };
                if !taken.iter().all(fits) {
                    return Err("values of other shapes".into());
                }
                let mut sizes = first.sizes.clone();
                sizes[at] = taken.iter().map(|value| value.sizes[at]).sum();
                let axis = if first.swapped {
                    [2, 0, 1][at]
                } else {
                    at as i64
                };
                let numbers = taken.iter().map(|value| value.number).collect();
                let number = self.push(node, numbers, Op::Arrange(Arrangement::Concat { axis }));
                Ok(Value {
                    number,
                    sizes,
                    swapped: first.swapped,
                })
            }
            "Pad" => {
                let from = self.value(node, 0)?;
                let mode = attribute(node, "mode").and_then(|mode| mode.s.as_deref());
                let pads = self
                    .whole(node, 1, "pads")
                    .ok_or("padding that is computed")?;
                let zero = match node.input.get(2).filter(|name| !name.is_empty()) {
                    Some(_) => {
                        let name = self.constant(node, 2).ok_or("a value that is computed")?;
                        self.floats(name)?.1 == [0.0]
                    }
                    None => float("value", 0.0) == 0.0,
                };
                let plain =
                    mode.is_none_or(|mode| mode == "constant") && zero && node.input.len() <= 3;
                let sizes: Option<Vec<usize>> =
                    pads.iter().map(|&n| usize::try_from(n).ok()).collect();
                let (true, true, Some(&[0, 0, above, left, 0, 0, below, right])) =
                    (plain, from.swapped, sizes.as_deref())
                else {
                    return Err("other padding than zeros around an image".into());
                };
                let (rows, columns) = ([above, below], [left, right]);
                let number = self.push(
                    node,
                    vec![from.number],
                    Op::Arrange(Arrangement::Pad { rows, columns }),
                );
                let sizes = vec![
                    from.sizes[0],
                    from.sizes[1] + above + below,
                    from.sizes[2] + left + right,
                ];
                Ok(Value {
                    number,
                    sizes,
                    ..from
                })
            }
            "InstanceNormalization" | "GroupNormalization" | "LayerNormalization" => {
                let from = self.value(node, 0)?;
                let channels = self.channels(&from)?;
                let entry = |number| {
                    let name = self
                        .constant(node, number)
                        .ok_or("weights that are computed")?;
                    Ok::<_, String>(self.floats(name)?.1)
                };
                let scale = entry(1)?;
                let offset = match node.input.len() {
                    2 => vec![0.0; scale.len()],
                    _ => entry(2)?,
                };
                let groups = match operator {
                    "LayerNormalization" => {
                        let axis = int("axis", -1);
                        let last = axis == -1 || axis == from.sizes.len() as i64;
                        if !last || from.swapped {
                            return Err("another axis than the last".into());
                        }
                        Groups::Pixels
                    }
                    "InstanceNormalization" => Groups::Channels(channels),
                    _ => Groups::Channels(usize::try_from(int("num_groups", 0)).unwrap_or(0)),
                };
                // Up to version 20 they are one a group.
                let each = |entries: Vec<f32>| match groups {
                    Groups::Channels(groups)
                        if operator == "GroupNormalization"
                            && entries.len() == groups
                            && groups > 0
                            && channels.is_multiple_of(groups) =>
                    {
                        let repeat = channels / groups;
                        let repeated = |&entry| std::iter::repeat_n(entry, repeat);
                        entries.iter().flat_map(repeated).collect()
                    }
                    _ => entries,
                };
                let (scale, offset) = (each(scale), each(offset));
                if scale.len() != channels
                    || offset.len() != channels
                    || (groups != Groups::Pixels && !from.swapped)
                {
                    return Err("weights of other channels".into());
                }
                let divisor = Divisor::Deviation {
                    epsilon: float("epsilon", 1e-5),
                };
                Ok(self.same(
                    node,
                    &from,
                    Op::Normalise {
                        groups,
                        divisor,
                        scale,
                        offset,
                    },
                ))
            }
            "Softmax" | "LogSoftmax" => {
                let from = self.value(node, 0)?;
                let axis = int("axis", if self.opset < 13 { 1 } else { -1 });
                match from.sizes.len() == 1 && [-1, 1].contains(&axis) {
                    true => Ok(self.same(node, &from, Op::Softmax)),
                    false => Err("another axis than the classes'".into()),
                }
            }
            "Scaler" => {
                let from = self.value(node, 0)?;
                let list = |name: &str| attribute(node, name).map(|list| list.floats.clone());
                let scale = list("scale").unwrap_or_else(|| vec![1.0]);
                let offset = list("offset").unwrap_or_else(|| vec![0.0]);
                let values = self.channels(&from)?;
                let fits = |list: &[f32]| [1, values].contains(&list.len());
                if from.swapped || !fits(&scale) || !fits(&offset) {
                    return Err("other features".into());
                }
                let at = |list: &[f32], k: usize| f64::from(list[k % list.len()]);
                let scales: Vec<f64> = (0..values).map(|k| at(&scale, k)).collect();
                let offset = (0..values).map(|k| -at(&offset, k) * scales[k]).collect();
                Ok(self.same(
                    node,
                    &from,
                    Op::Affine {
                        scale: scales,
                        offset,
                    },
                ))
            }
            "LinearClassifier" => {
                let from = self.value(node, 0)?;
                let list = |name: &str| attribute(node, name).map(|list| list.floats.clone());
                let coefficients = list("coefficients").unwrap_or_default();
                let intercepts = list("intercepts").unwrap_or_default();
                let labels = ["classlabels_ints", "classlabels_strings"]
                    .iter()
                    .filter_map(|name| attribute(node, name))
                    .map(|list| list.ints.len().max(list.strings.len()))
                    .max();
                let classes = intercepts.len();
                if classes < 2 || labels != Some(classes) || from.sizes.len() != 1 {
                    return Err("scores that are not one a class".into());
                }
                let shape = vec![classes, from.sizes[0]];
                if coefficients.len() != classes * from.sizes[0] {
                    return Err("coefficients of other features".into());
                }
                let weights = (shape, coefficients);
                let value = self.dense(node, &from, weights, true, Some(intercepts), [1.0, 1.0])?;
                match attribute(node, "post_transform").and_then(|kind| kind.s.as_deref()) {
                    None | Some("NONE") => Ok(value),
                    Some("SOFTMAX") => Ok(self.same(node, &value, Op::Softmax)),
                    Some("LOGISTIC") => {
                        Ok(self.same(node, &value, Op::Activation(Activation::Sigmoid)))
                    }
                    Some(other) => Err(format!("post_transform {other}")),
                }
            }
            "TreeEnsembleClassifier" => {
                let from = self.value(node, 0)?;
                if from.sizes.len() != 1 {
                    return Err("what is no row".into());
                }
                let Ensemble {
                    layer,
                    probabilities,
                } = trees::read(node, from.sizes[0])?;
                let sizes = vec![layer.outputs()];
                let op = Op::Trees {
                    trees: layer,
                    probabilities,
                };
                let number = self.push(node, vec![from.number], op);
                let value = Value {
                    number,
                    sizes,
                    swapped: false,
                };
                match attribute(node, "post_transform").and_then(|kind| kind.s.as_deref()) {
                    None | Some("NONE") => Ok(value),
                    Some("SOFTMAX") => Ok(self.same(node, &value, Op::Softmax)),
                    Some(other) => Err(format!("post_transform {other}")),
                }
            }
            // The sum of a softmax is 1 already.
            "Normalizer"
                if attribute(node, "norm").and_then(|kind| kind.s.as_deref()) == Some("L1")
                    && matches!(self.layers.last().map(|layer| &layer.op), Some(Op::Softmax)) =>
            {
                let from = self.value(node, 0)?;
                match from.number == self.layers.len() {
                    true => Ok(from),
                    false => Err(String::new()),
                }
            }
            "PRelu" => {
                let from = self.value(node, 0)?;
                let name = self.constant(node, 1).ok_or("slopes that are computed")?;
                let slopes = self.per_channel(&from, name)?;
                let relu = Op::Activation(Activation::Relu);
                let above = self.same(node, &from, relu.clone());
                let times = |by: Vec<f64>| Op::Affine {
                    scale: by,
                    offset: vec![0.0],
                };
                let below = self.same(node, &from, times(vec![-1.0]));
                let below = self.same(node, &below, relu);
                let below = self.same(
                    node,
                    &below,
                    times(slopes.iter().map(|slope| -slope).collect()),
                );
                let number = self.push(node, vec![above.number, below.number], Op::Add);
                Ok(Value { number, ..from })
            }
            "HardSigmoid" => {
                let from = self.value(node, 0)?;
                // clip(alpha x + beta, 0, 1), by the one whose slope is a sixth.
                let (alpha, beta) = (float("alpha", 0.2), float("beta", 0.5));
                let scale = vec![6.0 * f64::from(alpha)];
                let offset = vec![6.0 * (f64::from(beta) - 0.5)];
                let from = match (scale[0] - 1.0).abs() < 1e-6 && offset[0] == 0.0 {
                    true => from,
                    false => self.same(node, &from, Op::Affine { scale, offset }),
                };
                Ok(self.same(node, &from, Op::Activation(Activation::HardSigmoid)))
            }
            _ => {
                let activation = self.activation(node, operator, &float)?;
                let from = self.value(node, 0)?;
                Ok(self.same(node, &from, Op::Activation(activation)))
            }
        }
    }

    fn activation(
        &self,
        node: &NodeProto,
        operator: &str,
        float: &dyn Fn(&str, f32) -> f32,
    ) -> Read<Activation> {
        let relu_with = |slope, ceiling| Activation::ReluWith {
            slope,
            threshold: 0.0,
            ceiling,
        };
        Ok(match operator {
            "Relu" => Activation::Relu,
            "LeakyRelu" => relu_with(float("alpha", 0.01), f32::MAX),
            "Clip" => {
                let bound = |number: usize, name: &str, default: f32| -> Read<f32> {
                    match node.input.get(number).filter(|name| !name.is_empty()) {
                        Some(_) => {
                            let name = self
                                .constant(node, number)
                                .ok_or("a bound that is computed")?;
                            self.floats(name)?
                                .1
                                .first()
                                .copied()
                                .ok_or_else(|| "no bound".into())
                        }
                        None => Ok(float(name, default)),
                    }
                };
                let (least, most) = (bound(1, "min", f32::MIN)?, bound(2, "max", f32::MAX)?);
                match least == 0.0 && most > 0.0 {
                    true => relu_with(0.0, most),
                    false => return Err(format!("bounds {least} and {most}")),
                }
            }
            "Sigmoid" => Activation::Sigmoid,
            "Tanh" => Activation::Tanh,
            "Elu" => Activation::Elu {
                alpha: float("alpha", 1.0),
            },
            "Selu" if attribute(node, "alpha").is_none() && attribute(node, "gamma").is_none() => {
                Activation::Selu
            }
            "Softplus" => Activation::Softplus,
            "Softsign" => Activation::Softsign,
            "Exp" => Activation::Exponential,
            "HardSwish" => Activation::HardSilu,
            "Mish" => Activation::Mish,
            "Gelu" => match attribute(node, "approximate").and_then(|kind| kind.s.as_deref()) {
                Some("tanh") => Activation::GeluTanh,
                _ => Activation::Gelu,
            },
            _ => return Err(String::new()),
        })
    }

    /// Channels of an image, or values of a row.
    fn channels(&self, value: &Value) -> Read<usize> {
        let channels = match value.swapped {
            true => value.sizes.first(),
            false => value.sizes.last(),
        };
        channels.copied().ok_or_else(|| "no channels".into())
    }

    /// A constant that is one number or one a channel, as ONNX repeats it.
    fn per_channel(&self, from: &Value, name: &str) -> Read<Vec<f64>> {
        let (shape, values) = self.floats(name)?;
        let wide = || values.iter().map(|&v| f64::from(v)).collect();
        if values.len() == 1 {
            return Ok(wide());
        }
        let channels = self.channels(from)?;
        // Where the constant's own axis comes to lie among the value's.
        let at = shape
            .iter()
            .position(|&size| size > 1)
            .map(|at| shape.len() - at);
        let wanted = if from.swapped { from.sizes.len() } else { 1 };
        match values.len() == channels && at == Some(wanted) {
            true => Ok(wide()),
            false => Err(format!("a constant of shape {shape:?}")),
        }
    }

    fn arithmetic(&mut self, node: &NodeProto, operator: &str) -> Read<Value> {
        if node.input.len() != 2 {
            return Err("another number of inputs than two".into());
        }
        let (first, second) = (self.constant(node, 0), self.constant(node, 1));
        let constant = match (first, second) {
            (None, Some(name)) => Some((self.value(node, 0)?, name, true)),
            (Some(name), None) => Some((self.value(node, 1)?, name, false)),
            (Some(_), Some(_)) => return Err("two constants".into()),
            (None, None) => None,
        };
        if let Some((from, name, ahead)) = constant {
            let numbers = self.per_channel(&from, name)?;
            let (scale, offset) = match (operator, ahead) {
                ("Add", _) => (vec![1.0], numbers),
                ("Mul", _) => (numbers, vec![0.0]),
                ("Sub", true) => (vec![1.0], numbers.iter().map(|n| -n).collect()),
                ("Sub", false) => (vec![-1.0], numbers),
                ("Div", true) if numbers.iter().all(|&n| n != 0.0) => {
                    (numbers.iter().map(|n| 1.0 / n).collect(), vec![0.0])
                }
                _ => return Err("of a constant".into()),
            };
            return Ok(self.same(node, &from, Op::Affine { scale, offset }));
        }
        let (a, b) = (self.value(node, 0)?, self.value(node, 1)?);
        // Repetition follows ONNX's order of axes, which is ours turned alike for both.
        let alike = a.swapped == b.swapped && a.sizes.len() == b.sizes.len();
        let sizes: Option<Vec<usize>> = (a.sizes.iter().zip(&b.sizes))
            .map(|(&a, &b)| match (a, b) {
                (a, b) if a == b || b == 1 => Some(a),
                (1, b) => Some(b),
                _ => None,
            })
            .collect();
        let Some(sizes) = sizes.filter(|_| alike) else {
            return Err(format!("values of shapes {:?} and {:?}", a.sizes, b.sizes));
        };
        let (b, op) = match operator {
            "Add" => (b, Op::Add),
            "Sub" => {
                let (scale, offset) = (vec![-1.0], vec![0.0]);
                (self.same(node, &b, Op::Affine { scale, offset }), Op::Add)
            }
            "Mul" => (b, Op::Combine(Combining::Product)),
            "Max" => (b, Op::Combine(Combining::Larger)),
            _ => return Err("a quotient of two values".into()),
        };
        let number = self.push(node, vec![a.number, b.number], op);
        Ok(Value {
            number,
            sizes,
            swapped: a.swapped,
        })
    }

    fn dense(
        &mut self,
        node: &NodeProto,
        from: &Value,
        (shape, weights): (Vec<usize>, Vec<f32>),
        turned: bool,
        bias: Option<Vec<f32>>,
        [alpha, beta]: [f32; 2],
    ) -> Read<Value> {
        let &[rows, columns] = &shape[..] else {
            return Err(format!("weights of shape {shape:?}"));
        };
        let (inputs, outputs) = if turned {
            (columns, rows)
        } else {
            (rows, columns)
        };
        if from.swapped || from.sizes.last() != Some(&inputs) {
            return Err(format!(
                "weights of shape {shape:?} for values {:?}",
                from.sizes
            ));
        }
        let mut kernel = Vec::with_capacity(weights.len());
        for input in 0..inputs {
            for output in 0..outputs {
                let at = if turned {
                    output * columns + input
                } else {
                    input * columns + output
                };
                kernel.push(alpha * weights[at]);
            }
        }
        let bias = match bias {
            None => vec![0.0; outputs],
            Some(bias) if bias.len() == outputs => bias.iter().map(|b| beta * b).collect(),
            Some(bias) if bias.len() == 1 => vec![beta * bias[0]; outputs],
            Some(_) => return Err("a bias of another length".into()),
        };
        let number = self.push(
            node,
            vec![from.number],
            Op::Dense {
                inputs,
                kernel,
                bias,
            },
        );
        let mut sizes = from.sizes.clone();
        *sizes.last_mut().ok_or("no values")? = outputs;
        Ok(Value {
            number,
            sizes,
            swapped: false,
        })
    }

    /// Strides, and the margins of windows of this size over an image; the sizes that come out.
    fn window(
        &self,
        node: &NodeProto,
        from: &Value,
        size: [usize; 2],
    ) -> Read<(Window, [usize; 2])> {
        let pair = |name: &str, default: usize| -> Read<[usize; 2]> {
            match attribute(node, name).map(|attribute| &attribute.ints[..]) {
                None | Some([]) => Ok([default; 2]),
                Some(&[a, b]) => match (usize::try_from(a), usize::try_from(b)) {
                    (Ok(a), Ok(b)) => Ok([a, b]),
                    _ => Err(format!("{name} below 0")),
                },
                Some(other) => Err(format!("{name} {other:?}")),
            }
        };
        let stride = pair("strides", 1)?;
        let (true, &[_, height, width]) = (from.swapped, &from.sizes[..]) else {
            return Err("what is no image".into());
        };
        if stride.contains(&0) || size.contains(&0) {
            return Err("windows or strides of 0".into());
        }
        let pads = attribute(node, "pads")
            .map(|pads| pads.ints.clone())
            .unwrap_or_else(|| vec![0; 4]);
        let sides: Option<Vec<usize>> = pads.iter().map(|&n| usize::try_from(n).ok()).collect();
        let auto = attribute(node, "auto_pad")
            .and_then(|pad| pad.s.as_deref())
            .unwrap_or("NOTSET");
        let (before, after) = match (auto, sides.as_deref()) {
            ("NOTSET", Some(&[above, left, below, right])) => ([above, left], [below, right]),
            ("VALID", _) => ([0; 2], [0; 2]),
            ("SAME_UPPER" | "SAME_LOWER", _) => {
                let all = |pixels: usize, axis: usize| {
                    let count = pixels.div_ceil(stride[axis]);
                    ((count - 1) * stride[axis] + size[axis]).saturating_sub(pixels)
                };
                let all = [all(height, 0), all(width, 1)];
                // The larger half comes last, or first.
                let small = all.map(|all| all / 2);
                let large = [all[0] - small[0], all[1] - small[1]];
                if auto == "SAME_UPPER" {
                    (small, large)
                } else {
                    (large, small)
                }
            }
            _ => return Err(format!("padding {auto} {pads:?}")),
        };
        let out = |pixels: usize, axis: usize| {
            let padded = pixels.checked_add(before[axis])?.checked_add(after[axis])?;
            Some(padded.checked_sub(size[axis])? / stride[axis] + 1)
        };
        let out = out(height, 0)
            .zip(out(width, 1))
            .ok_or("an image smaller than its window")?;
        let padding = match (before, after) {
            ([0, 0], [0, 0]) => Padding::Valid,
            _ => Padding::Stated { before, after },
        };
        Ok((Window { stride, padding }, [out.0, out.1]))
    }

    fn conv(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let (shape, weights) =
            self.floats(self.constant(node, 1).ok_or("a kernel that is computed")?)?;
        let &[filters, inputs, height, width] = &shape[..] else {
            return Err(format!("a kernel of shape {shape:?}"));
        };
        let bias = match node.input.get(2).filter(|name| !name.is_empty()) {
            Some(_) => {
                self.floats(self.constant(node, 2).ok_or("a bias that is computed")?)?
                    .1
            }
            None => vec![0.0; filters],
        };
        let groups = attribute(node, "group")
            .and_then(|group| group.i)
            .unwrap_or(1);
        let groups = usize::try_from(groups)
            .ok()
            .filter(|&groups| groups > 0)
            .ok_or("groups below 1")?;
        let dilation = match attribute(node, "dilations").map(|dilations| &dilations.ints[..]) {
            None | Some([]) => [1, 1],
            Some(&[a, b]) if a > 0 && b > 0 => [a as usize, b as usize],
            Some(other) => return Err(format!("dilations {other:?}")),
        };
        let channels = self.channels(&from)?;
        if inputs.checked_mul(groups) != Some(channels)
            || filters % groups != 0
            || bias.len() != filters
        {
            return Err(format!(
                "a kernel of shape {shape:?} for {channels} channels"
            ));
        }
        // [filters, inputs, h, w] as [h, w, inputs, filters].
        let mut kernel = Vec::with_capacity(weights.len());
        for tap in 0..height * width {
            for input in 0..inputs {
                for filter in 0..filters {
                    kernel.push(weights[(filter * inputs + input) * height * width + tap]);
                }
            }
        }
        let wide = [
            (height - 1) * dilation[0] + 1,
            (width - 1) * dilation[1] + 1,
        ];
        let (window, out) = self.window(node, &from, wide)?;
        let name = node.name.as_deref().unwrap_or_default();
        let shape = [height, width, inputs, filters];
        let op = grouped(name, shape, kernel, bias, window, groups, dilation)
            .map_err(|error| error.to_string())?;
        let number = self.push(node, vec![from.number], op);
        Ok(Value {
            number,
            sizes: vec![filters, out[0], out[1]],
            swapped: true,
        })
    }

    fn pool(&mut self, node: &NodeProto, operator: &str) -> Read<Value> {
        let from = self.value(node, 0)?;
        let int = |name: &str| {
            attribute(node, name)
                .and_then(|attribute| attribute.i)
                .unwrap_or(0)
        };
        let size = match attribute(node, "kernel_shape").map(|size| &size.ints[..]) {
            Some(&[a, b]) if a > 0 && b > 0 => [a as usize, b as usize],
            _ => return Err("windows of another rank".into()),
        };
        let dilated =
            attribute(node, "dilations").is_some_and(|list| list.ints.iter().any(|&n| n != 1));
        if int("ceil_mode") != 0 || (dilated && operator == "MaxPool") {
            return Err("windows that are dilated or cut".into());
        }
        // A mean of values apart is a convolution whose weights are all alike.
        if dilated {
            let dilation = match attribute(node, "dilations").map(|list| &list.ints[..]) {
                Some(&[a, b]) if a > 0 && b > 0 => [a as usize, b as usize],
                _ => return Err("dilations of another rank".into()),
            };
            let channels = self.channels(&from)?;
            let taps = size[0].checked_mul(size[1]).filter(|&taps| taps <= 1 << 16);
            let taps = taps.ok_or("windows that are too large")?;
            let kernel = vec![1.0 / taps as f32; taps * channels];
            let shape = [size[0], size[1], channels, 1];
            let name = node.name.as_deref().unwrap_or_default();
            let (shape, kernel) =
                dilated_kernel(name, shape, kernel, dilation).map_err(|error| error.to_string())?;
            let (window, out) = self.window(node, &from, [shape[0], shape[1]])?;
            if window.padding != Padding::Valid {
                return Err("a dilated mean with padding".into());
            }
            let bias = vec![0.0; channels];
            let op = Op::DepthwiseConv {
                shape,
                kernel,
                bias,
                window,
            };
            let number = self.push(node, vec![from.number], op);
            return Ok(Value {
                number,
                sizes: vec![channels, out[0], out[1]],
                swapped: true,
            });
        }
        let (window, out) = self.window(node, &from, size)?;
        let padded = window.padding != Padding::Valid;
        if operator == "AveragePool" && int("count_include_pad") != 0 && padded {
            return Err("a mean that counts padding".into());
        }
        let pooling = if operator == "MaxPool" {
            Pooling::Max
        } else {
            Pooling::Average
        };
        let number = self.push(
            node,
            vec![from.number],
            Op::Pool {
                pooling,
                size,
                window,
            },
        );
        Ok(Value {
            number,
            sizes: vec![from.sizes[0], out[0], out[1]],
            swapped: true,
        })
    }

    fn global_pool(
        &mut self,
        node: &NodeProto,
        from: &Value,
        max: bool,
        kept: bool,
    ) -> Read<Value> {
        if !from.swapped {
            return Err("what is no image".into());
        }
        let channels = self.channels(from)?;
        let pooling = if max { Pooling::Max } else { Pooling::Average };
        let mut number = self.push(node, vec![from.number], Op::GlobalPool(pooling));
        if !kept {
            return Ok(Value {
                number,
                sizes: vec![channels],
                swapped: false,
            });
        }
        for _ in 0..2 {
            number = self.push(node, vec![number], Op::Axis { at: 0, added: true });
        }
        Ok(Value {
            number,
            sizes: vec![channels, 1, 1],
            swapped: true,
        })
    }

    /// All values of an input in ONNX's order.
    fn flat(&mut self, node: &NodeProto, from: &Value) -> Read<Value> {
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
    matches!(
        (tail, end.map(|layer| &layer.op)),
        (
            Tail::Softmax { changed_by: None } | Tail::LogSoftmax,
            Some(Op::Softmax)
        ) | (
            Tail::Sigmoid {
                changed_by: None,
                ..
            },
            Some(Op::Activation(
                Activation::Sigmoid | Activation::HardSigmoid
            )),
        ) | (
            Tail::Trees,
            Some(Op::Trees {
                probabilities: true,
                ..
            }),
        ) | (
            Tail::Open,
            Some(
                Op::Dense { .. }
                    | Op::Conv { .. }
                    | Op::DepthwiseConv { .. }
                    | Op::GlobalPool(_)
                    | Op::Add
                    | Op::Affine { .. },
            ),
        )
    )
}
