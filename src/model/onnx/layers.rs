//! An ONNX graph as layers, where every node is one that has kernels.
//!
//! ```text
//! nodes, in order ─ views (value.rs), constants (constants.rs) ─> what depends on an input ─ laid out as its kernel wants it ─> layers
//! ```
//!
//! What an operator does is in the file of its kind, which operators there are in `operators.rs`.
//! A graph with any other node, or with an option of a node that is not known, is the library's,
//! and the node that decided is named.

use super::fused::{Function, Fused};
use super::limits::{MAX_IN_A_ROW, too_many};
use super::node::operator_of;
use super::operators::operator;
use super::reader::{Read, Reader};
use super::tail::Tail;
use super::value::{Value, contiguous};
use crate::kernels::{Activation, Groups};
use crate::model::ModelError;
use crate::model::layer::{Layer, Op};
use crate::model::one_kernel::Weighing;
use rten_onnx::onnx::{GraphProto, NodeProto};
use std::sync::Arc;

/// Why a graph has no layers.
pub(super) enum Refused {
    /// A node has no kernel, and what of it: the library's.
    Unknown(String),
    /// A node gives more than anyone may make.
    TooLarge(ModelError),
}

impl Reader<'_> {
    /// The layers of `graph`, whose input `name` has these sizes behind the batch; `channels_first`
    /// where they are an image's in ONNX's order.
    pub(super) fn layers(
        mut self,
        graph: &GraphProto,
        (name, sizes, channels_first): (&str, &[usize], bool),
        tail: &Tail,
    ) -> Result<Vec<Layer>, Refused> {
        let order: Vec<usize> = match channels_first {
            true => vec![1, 2, 0],
            false => (0..sizes.len()).collect(),
        };
        self.shapes = vec![order.iter().map(|&axis| sizes[axis]).collect()];
        let input = Value::of_layer(0, self.behind(contiguous(sizes, &order)));
        self.values.insert(name.to_owned(), input);
        let fused = Fused::of(graph, self.tensors);
        // Behind a node without kernels constants are folded on, since the library would make them at once.
        let mut unknown = None;
        for (number, node) in graph.node.iter().enumerate() {
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
                return Err(Refused::TooLarge(too_many(operator_of(node), values)));
            }
        }
        match unknown {
            Some(node) => Err(Refused::Unknown(node)),
            None => self.finish(graph, tail).map_err(Refused::Unknown),
        }
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
