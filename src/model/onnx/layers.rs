//! An ONNX graph as layers, where every node is one that has kernels.
//!
//! ```text
//! nodes, in order ─ views (value.rs), constants (constants.rs) ─> what depends on an input ─ laid out as its kernel wants it ─> layers
//! ```
//!
//! What an operator does is in the file of its kind, which operators there are in `operators.rs`.
//! A graph with any other node, or with an option of a node that is not known, is the library's,
//! and the node that decided is named.

use super::constants::Numbers;
use super::fused::{Function, Fused};
use super::limits::{self, MAX_IN_A_ROW, too_many};
use super::node::operator_of;
use super::operators::operator;
use super::reader::{Read, Reader};
use super::tail::Tail;
use super::value::{OPEN, Value, contiguous};
use crate::kernels::{Activation, Groups};
use crate::model::ModelError;
use crate::model::layer::{Layer, Op};
use crate::model::one_kernel::Weighing;
use rten_onnx::onnx::{GraphProto, NodeProto};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The one input of a graph.
pub(super) struct Input {
    pub(super) name: String,
    /// Sizes behind the batch's.
    pub(super) sizes: Vec<usize>,
    /// Whether they are an image's in ONNX's order.
    pub(super) channels_first: bool,
    /// `[height, width, channels]`, or the sizes as they are.
    pub(super) shape: Vec<usize>,
    /// The size of the batch, where the file fixes it.
    pub(super) batch: Option<usize>,
}

/// Why a graph has no layers.
pub(super) enum Refused {
    /// A node has no kernel, and what of it: the library's.
    Unknown(String),
    /// A node gives more than anyone may make, or nobody can say how much.
    TooLarge(ModelError),
}

impl Reader<'_> {
    /// The layers of `graph`; where its `input` is none that a kernel takes, and why, its constants are
    /// checked all the same.
    pub(super) fn layers(
        mut self,
        graph: &GraphProto,
        input: Result<&Input, &str>,
        tail: &Tail,
    ) -> Result<Vec<Layer>, Refused> {
        // Behind a node without kernels constants are folded on, since the library would make them at once.
        let mut unknown = None;
        match input {
            Ok(input) => {
                let order: Vec<usize> = match input.channels_first {
                    true => vec![1, 2, 0],
                    false => (0..input.sizes.len()).collect(),
                };
                self.shapes = vec![order.iter().map(|&axis| input.sizes[axis]).collect()];
                let value = Value::of_layer(0, self.behind(contiguous(&input.sizes, &order)));
                self.values.insert(input.name.clone(), value);
            }
            Err(why) => unknown = Some(why.to_owned()),
        }
        let fused = Fused::of(graph, self.tensors);
        let mut constants: BTreeSet<&str> = self.tensors.keys().copied().collect();
        for (number, node) in graph.node.iter().enumerate() {
            self.check_sizes(node, &constants)
                .map_err(Refused::TooLarge)?;
            let is_constant = |name: &String| name.is_empty() || constants.contains(name.as_str());
            if node.input.iter().all(is_constant) {
                constants.extend(node.output.iter().map(String::as_str));
            }
            if fused.is_done(number) || (unknown.is_some() && !self.takes_constants(node)) {
                continue;
            }
            if let Err(why) = self.add(node, &fused) {
                let (name, operator) = (node.name.as_deref(), operator_of(node));
                let name = name.unwrap_or_default();
                unknown.get_or_insert(format!("node \"{name}\", a {operator}{why}"));
                continue;
            }
            let given = node.output.iter().filter_map(|name| self.values.get(name));
            let largest = given.map(|value| self.size_in_a_row(value)).max();
            if let Some(values) = largest.filter(|&values| values > MAX_IN_A_ROW) {
                return Err(Refused::TooLarge(too_many(
                    operator_of(node),
                    values,
                    MAX_IN_A_ROW,
                )));
            }
        }
        match unknown {
            Some(node) => Err(Refused::Unknown(node)),
            None => self.finish(graph, tail).map_err(Refused::Unknown),
        }
    }

    /// Checks the numbers that say how large a node's output is, where they are known; those that follow
    /// from `constants` alone must be, since the library takes what they come to on trust.
    fn check_sizes(
        &mut self,
        node: &NodeProto,
        constants: &BTreeSet<&str>,
    ) -> Result<(), ModelError> {
        let operator = operator_of(node);
        let inputs = self
            .shapes
            .first()
            .map_or(1, |shape| shape.iter().product());
        let most_scaled = limits::most_scaled(inputs);
        for &number in limits::says_sizes(operator) {
            let Some(name) = node.input.get(number).filter(|name| !name.is_empty()) else {
                continue;
            };
            let value = self.named(name).ok().filter(Value::is_constant);
            let numbers = value.map(|value| self.numbers(&value));
            match numbers {
                Some(Ok(Numbers::Whole(sizes))) => {
                    let of_batch = |&size: &i64| match size % OPEN as i64 {
                        0 if self.batch == OPEN => size / OPEN as i64,
                        _ => size,
                    };
                    let sizes: Vec<i64> = sizes.iter().map(of_batch).collect();
                    limits::check_output(operator, name, &sizes)?;
                }
                Some(Ok(Numbers::Floats(scales))) => {
                    let scales = scales.into_iter().map(f64::from);
                    limits::check_scales(operator, name, scales, most_scaled)?;
                }
                _ if constants.contains(name.as_str()) => {
                    return Err(ModelError::Config {
                        place: format!("operator {operator}, {name}"),
                        expected: "sizes that can be worked out".into(),
                        found: "constants that do not go together, or operators without a rule"
                            .into(),
                    });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether nothing that a node takes depends on the network's input.
    fn takes_constants(&self, node: &NodeProto) -> bool {
        let is_constant = |name: &String| match self.values.get(name) {
            Some(value) => value.is_constant(),
            None => name.is_empty() || self.tensors.contains_key(name.as_str()),
        };
        node.input.iter().all(is_constant)
    }

    fn add(&mut self, node: &NodeProto, fused: &Fused<'_>) -> Read<()> {
        let domain = match node.domain.as_deref() {
            None | Some("" | "ai.onnx") => "",
            Some(other) => other,
        };
        let Some(operator) = operator(domain, operator_of(node)) else {
            return Err(match domain {
                "" => String::new(),
                domain => format!(" of {domain}"),
            });
        };
        let because = |why: String| match why.as_str() {
            "" => String::new(),
            why => format!(": {why}"),
        };
        if let Some(name) = operator.unknown_attribute(node) {
            return Err(format!(": its attribute {name}"));
        }
        let given = match fused.function(node) {
            Some((name, function)) => {
                let value = self.function_of(node, name, function);
                vec![value.map_err(because)?]
            }
            None => operator.read(self, node).map_err(because)?,
        };
        for (value, name) in given.into_iter().zip(operator.outputs(node)) {
            self.values.insert(name.clone(), value);
        }
        Ok(())
    }

    /// What several nodes make of a value together.
    fn function_of(&mut self, node: &NodeProto, name: &str, function: Function) -> Read<Value> {
        let from = self.named(name)?;
        match function {
            Function::Gelu => self.same(node, &from, Op::Activation(Activation::Gelu)),
            Function::LayerNormalization { epsilon } => {
                let last = from.rank().checked_sub(1).ok_or("a single number")?;
                let (number, from, [_, columns]) = self.innermost(node, &from, &[last])?;
                let weights = [vec![1.0; columns], vec![0.0; columns]];
                self.normalised(node, (number, from), Groups::Pixels, epsilon, weights)
            }
        }
    }

    /// Lays the graph's output out and leaves out what it does not need.
    fn finish(mut self, graph: &GraphProto, tail: &Tail) -> Read<Vec<Layer>> {
        let output = graph.output.first();
        let output = output.and_then(|output| output.name.as_deref());
        let end = output.and_then(|name| self.values.get(name)).cloned();
        let end = end.ok_or("no node gives the output")?;
        let node = graph.node.last().ok_or("there is no node")?;
        if !self.is_behind_batch(&end) {
            return Err("the output is not one row for each input".into());
        }
        let order = end.order_of(1..end.rank());
        let count = vec![end.count()];
        let (end, _) = self.laid(node, &end, &order, Some(count))?;
        let mut layers = live(self.layers, end);
        // A softmax at the end is left out; one inside weighs.
        let last = layers.iter().rposition(|layer| !layer.op.is_shape());
        for (number, layer) in layers.iter_mut().enumerate() {
            if matches!(layer.op, Op::Softmax) && Some(number) != last {
                if layer.class != "Softmax" {
                    return Err(format!("node \"{}\", a {} inside", layer.name, layer.class));
                }
                layer.op = Op::Kernel(Arc::new(Weighing));
            }
        }
        match ends_as(tail, &layers) {
            true => Ok(layers),
            false => Err("its last operators do not say what it answers".into()),
        }
    }
}

/// The layers that value `end` needs, of which it is the last.
fn live(layers: Vec<Layer>, end: usize) -> Vec<Layer> {
    let mut needed = vec![false; layers.len() + 1];
    needed[end] = true;
    for (number, layer) in layers.iter().enumerate().rev() {
        if needed[number + 1] {
            layer.takes.iter().for_each(|&value| needed[value] = true);
        }
    }
    let mut numbers = vec![0; layers.len() + 1];
    let mut live: Vec<Layer> = Vec::new();
    for (number, mut layer) in layers.into_iter().enumerate() {
        if needed[number + 1] {
            (layer.takes.iter_mut()).for_each(|value| *value = numbers[*value]);
            live.push(layer);
        }
        numbers[number + 1] = live.len();
    }
    live
}

/// Whether the last layer is what the graph's tail was found to be: nothing between the two
/// changes what the values are.
fn ends_as(tail: &Tail, layers: &[Layer]) -> bool {
    let mut ends = layers.iter().rev();
    let Some(end) = ends.find(|layer| !layer.op.is_shape()) else {
        return false;
    };
    match (tail, &end.op) {
        (Tail::Softmax { changed_by: None } | Tail::LogSoftmax, Op::Softmax) => true,
        (
            Tail::Sigmoid {
                changed_by: None, ..
            },
            Op::Activation(Activation::Sigmoid | Activation::HardSigmoid),
        ) => true,
        (Tail::Table, Op::Kernel(kernel)) => kernel.gives_probabilities(),
        (
            Tail::Open,
            Op::Dense { .. } | Op::Conv { .. } | Op::GlobalPool(_) | Op::Add | Op::Affine { .. },
        ) => true,
        _ => false,
    }
}
