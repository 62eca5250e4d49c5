//! What an ONNX file may ask of its library.
//!
//! The library descends into the file as deeply as its messages nest, and makes room for whatever
//! a graph computes. The depth is bounded here before the library sees the file, and so are sizes
//! that stand in the file: constants that say how large an operator's output is, and the
//! attributes of windows. Sizes that a graph computes, by broadcasting or from its own shapes,
//! are not known before it runs: those only the system can bound. Rejected: a list of allowed
//! operators, which would refuse good models and still not bound a sum of a column and a row.

use super::ModelError;
use rten_onnx::onnx::{DataType, GraphProto, NodeProto, TensorProto};
use std::collections::BTreeMap;

/// Graphs inside graphs, each of three messages.
const MAX_MESSAGES: usize = 100;

/// Values that a constant size may ask for: 1 GiB of floats.
const MAX_VALUES: u64 = 1 << 28;

/// Sides, strides and margins of a window.
const MAX_WINDOW: u64 = 1 << 16;

/// Operators whose output is as large as an input says, in numbers that often stand in the file.
const SIZED: [&str; 8] = [
    "ConstantOfShape",
    "Expand",
    "Tile",
    "Pad",
    "Range",
    "Resize",
    "Upsample",
    "OneHot",
];

/// Attributes that say how large an output is.
const WINDOWS: [&str; 6] = [
    "kernel_shape",
    "strides",
    "dilations",
    "pads",
    "output_padding",
    "output_shape",
];

/// A message in which messages of its own kind can stand further down.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    ValueInfo,
    Type,
    Sequence,
}

impl Message {
    /// The message in this field, by the numbers of ONNX's own definition (`onnx.proto`).
    fn inside(self, field: u64) -> Option<Self> {
        match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6) => Some(Self::Graph),
            (Self::Graph, 1) => Some(Self::Node),
            (Self::Graph, 11..=13) => Some(Self::ValueInfo),
            (Self::Node, 5) => Some(Self::Attribute),
            (Self::ValueInfo, 2) | (Self::Sequence, 1) => Some(Self::Type),
            (Self::Type, 4) => Some(Self::Sequence),
            _ => None,
        }
    }
}

/// Refuses messages inside each other beyond any model's, in one pass and no recursion. Bytes that
/// are no messages are left to the library to name.
pub(super) fn check_nesting(content: &[u8]) -> Result<(), ModelError> {
    let mut open = vec![(Message::Model, content.len())];
    let mut at = 0;
    while let Some(&(message, end)) = open.last() {
        if at >= end {
            open.pop();
            continue;
        }
        let Some((tag, next)) = varint(content, at) else {
            return Ok(());
        };
        at = match tag & 7 {
            0 => varint(content, next).map_or(end, |(_, next)| next),
            1 => next + 8,
            5 => next + 4,
            2 => {
                let Some((length, next)) = varint(content, next) else {
                    return Ok(());
                };
                let after = next.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
                match message.inside(tag >> 3) {
                    Some(inside) => {
                        open.push((inside, after.min(end)));
                        next
                    }
                    None => after,
                }
            }
            _ => return Ok(()),
        };
        if open.len() > MAX_MESSAGES {
            return Err(ModelError::Config {
                place: "the graph".into(),
                expected: format!("at most {} graphs inside each other", MAX_MESSAGES / 3),
                found: "more".into(),
            });
        }
    }
    Ok(())
}

/// A number of 7 bits a byte, the lowest first, and where it ends.
fn varint(content: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for (n, &byte) in content.get(at..)?.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * n as u32)?;
        if byte < 0x80 {
            return Some((value, at + n + 1));
        }
    }
    None
}

/// Refuses sizes in the file that no classifier's operators have, in graphs inside the graph, too.
pub(super) fn check_sizes(graph: &GraphProto) -> Result<(), ModelError> {
    let mut graphs = vec![graph];
    // A graph inside may use a name again.
    let mut constants: BTreeMap<&str, Vec<&TensorProto>> = BTreeMap::new();
    let mut nodes: Vec<&NodeProto> = Vec::new();
    while let Some(graph) = graphs.pop() {
        for tensor in &graph.initializer {
            let name = tensor.name.as_deref().unwrap_or_default();
            constants.entry(name).or_default().push(tensor);
        }
        for node in &graph.node {
            nodes.push(node);
            for attribute in &node.attribute {
                graphs.extend(&attribute.g);
                if let (Some(tensor), Some(name)) = (&attribute.t, node.output.first()) {
                    constants.entry(name).or_default().push(tensor);
                }
            }
        }
    }
    for node in nodes {
        for attribute in &node.attribute {
            let name = attribute.name.as_deref().unwrap_or_default();
            let largest = attribute.ints.iter().map(|size| size.unsigned_abs()).max();
            if WINDOWS.contains(&name) && largest > Some(MAX_WINDOW) {
                return Err(too_large(node, name, &attribute.ints));
            }
        }
        if !SIZED.contains(&node.op_type.as_deref().unwrap_or_default()) {
            continue;
        }
        for input in &node.input {
            for tensor in constants.get(input.as_str()).into_iter().flatten() {
                let sizes = whole_numbers(tensor);
                let values = sizes.iter().try_fold(1u64, |values, size| {
                    values
                        .checked_mul(size.unsigned_abs().max(1))
                        .filter(|&values| values <= MAX_VALUES)
                });
                if values.is_none() {
                    return Err(too_large(node, input, &sizes));
                }
            }
        }
    }
    Ok(())
}

fn too_large(node: &NodeProto, what: &str, sizes: &[i64]) -> ModelError {
    let operator = node.op_type.as_deref().unwrap_or_default();
    ModelError::Config {
        place: format!("operator {operator}, {what}"),
        expected: format!("at most {MAX_VALUES} values and windows of at most {MAX_WINDOW}"),
        found: format!("sizes {:?}", &sizes[..sizes.len().min(8)]),
    }
}

/// The numbers of a constant that can be a size: 64-bit, and few.
fn whole_numbers(tensor: &TensorProto) -> Vec<i64> {
    const MOST: usize = 64;
    if tensor.data_type != Some(DataType::INT64) {
        return Vec::new();
    }
    match &tensor.raw_data {
        Some(bytes) => {
            let bytes = bytes.borrow();
            let (words, _) = bytes.as_chunks();
            words
                .iter()
                .take(MOST)
                .map(|&word| i64::from_le_bytes(word))
                .collect()
        }
        None => tensor.int64_data.iter().take(MOST).copied().collect(),
    }
}
