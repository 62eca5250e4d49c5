//! What an ONNX file may ask of its library.
//!
//! The library descends into the file as deeply as its messages nest, and makes room for whatever
//! a graph computes. Messages are checked here before the library sees the file, and so are sizes
//! that stand in it: constants that say how large an operator's output is, the attributes of
//! windows, and what makes many values of one: padding, scales and strides. Sizes that a graph computes
//! of constants are known once these are folded (`layers.rs`), and most others once the library
//! has inferred shapes ([`check_shapes`]). What is left, sizes that depend on a network's inputs and
//! operators whose shapes the library does not infer, only the system can bound. Rejected: a list of
//! allowed operators, which would refuse good models and still not bound a sum of a column and a row.

use super::ModelError;
use rten::Dimension;
use rten_onnx::onnx::{DataType, GraphProto, NodeProto, TensorProto};
use std::collections::BTreeMap;

/// Graphs inside graphs, each of three messages.
const MAX_MESSAGES: usize = 100;

/// Values that a constant size may ask for: 256 MiB of floats.
const MAX_VALUES: u64 = 1 << 26;

/// Values that an operator of a kernel may give for one row: 1 GiB of floats.
pub(super) const MAX_IN_A_ROW: usize = 1 << 28;

/// Sides, strides and margins of a window.
const MAX_WINDOW: u64 = 1 << 16;

/// Values that padding may make of one: 1,023 pixels around an image.
const MAX_GROWTH: u64 = 1 << 22;

/// Values that scales and strides may make of an input, of which the library does not infer what they come
/// to, and of one value in any case: 32 x 32 pixels.
const MAX_SCALED: u64 = 1 << 24;
const SCALE: u64 = 1 << 10;

/// Values that scales and strides may make of one in a graph whose input has so many.
pub(super) fn most_scaled(inputs: usize) -> u64 {
    (MAX_SCALED / inputs.max(1) as u64).max(SCALE)
}

/// Values of a graph's largest input, the batch left out.
fn values_of_inputs(graph: &GraphProto) -> usize {
    let values = graph.input.iter().filter_map(|input| {
        let tensor = input.r#type.as_ref()?.tensor_type.as_ref()?;
        let sizes = tensor.shape.as_ref()?.dim.iter().skip(1);
        let size = |size: Option<i64>| usize::try_from(size.unwrap_or(1)).unwrap_or(1).max(1);
        Some(
            sizes
                .map(|sizes| size(sizes.dim_value))
                .fold(1, usize::saturating_mul),
        )
    });
    values.max().unwrap_or(1)
}

/// The inputs of an operator that say how large its output is, in numbers that often stand in the file.
pub(super) fn says_sizes(operator: &str) -> &'static [usize] {
    match operator {
        "ConstantOfShape" => &[0],
        "Expand" | "Tile" | "Upsample" | "OneHot" => &[1],
        "Range" => &[0, 1, 2],
        "Resize" => &[1, 2, 3],
        _ => &[],
    }
}

/// Attributes that say how large an output is.
const WINDOWS: [&str; 6] = [
    "kernel_shape",
    "strides",
    "dilations",
    "pads",
    "output_padding",
    "output_shape",
];

/// The messages that the library reads, by ONNX's own definition (`onnx.proto`).
#[derive(Clone, Copy)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    ValueInfo,
    Type,
    Sequence,
    TensorType,
    Shape,
    /// Numbers and texts alone.
    Plain,
    /// Numbers one after the other, without fields.
    Numbers,
}

impl Message {
    /// What stands in this field; nothing for a text, bytes or floats.
    fn inside(self, field: u64) -> Option<Self> {
        match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6) => Some(Self::Graph),
            (Self::Model, 8 | 14) | (Self::Tensor, 13) | (Self::Shape, 1) => Some(Self::Plain),
            (Self::Graph, 1) => Some(Self::Node),
            (Self::Graph, 5) | (Self::Attribute, 5) => Some(Self::Tensor),
            (Self::Graph, 11..=13) => Some(Self::ValueInfo),
            (Self::Node, 5) => Some(Self::Attribute),
            (Self::Attribute, 8) | (Self::Tensor, 1 | 5 | 7) => Some(Self::Numbers),
            (Self::ValueInfo, 2) | (Self::Sequence, 1) => Some(Self::Type),
            (Self::Type, 1) => Some(Self::TensorType),
            (Self::Type, 4) => Some(Self::Sequence),
            (Self::TensorType, 2) => Some(Self::Shape),
            _ => None,
        }
    }
}

/// Refuses what the library does not survive, in one pass and no recursion: messages inside each
/// other beyond any model's, a field that is longer than its message, after which it goes back in
/// the file, and a number of more than ten bytes, at which it waits for ever (rten-onnx 0.27.0).
pub(super) fn check_messages(content: &[u8]) -> Result<(), ModelError> {
    let damaged = |at: usize| ModelError::Onnx {
        reason: format!("the message at byte {at} is damaged"),
    };
    let mut open = vec![(Message::Model, content.len())];
    let mut at = 0;
    while let Some(&(message, end)) = open.last() {
        if at >= end {
            open.pop();
            continue;
        }
        let number = |at| varint(&content[..end], at).ok_or_else(|| damaged(at));
        let (tag, next) = number(at)?;
        at = match (message, tag & 7) {
            (Message::Numbers, _) => next,
            (_, 0) => number(next)?.1,
            (_, 1) => next.saturating_add(8),
            (_, 5) => next.saturating_add(4),
            (_, 2) => {
                let (length, next) = number(next)?;
                let after = next.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
                match message.inside(tag >> 3) {
                    Some(inside) if after <= end => {
                        open.push((inside, after));
                        next
                    }
                    _ => after,
                }
            }
            _ => return Err(damaged(at)),
        };
        if at > end {
            return Err(damaged(end));
        }
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
        value |= u64::from(byte & 0x7f) << (7 * n);
        if byte < 0x80 {
            return Some((value, at + n + 1));
        }
    }
    None
}

/// Refuses sizes in the file that no classifier's operators have, in graphs inside the graph, too.
pub(super) fn check_sizes(graph: &GraphProto) -> Result<(), ModelError> {
    let most_scaled = most_scaled(values_of_inputs(graph));
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
                let operator = node.op_type.as_deref().unwrap_or_default();
                return Err(too_large(operator, name, &attribute.ints));
            }
        }
        check_growth(node, &constants, most_scaled)?;
        let operator = node.op_type.as_deref().unwrap_or_default();
        for &number in says_sizes(operator) {
            let name = node.input.get(number).map_or("", String::as_str);
            for tensor in constants.get(name).into_iter().flatten() {
                check_output(operator, name, &whole_numbers(tensor))?;
            }
        }
    }
    Ok(())
}

/// Refuses sizes below 0, which the library takes for huge ones, and sizes of too many values.
pub(super) fn check_output(operator: &str, what: &str, sizes: &[i64]) -> Result<(), ModelError> {
    let are_sizes = ["ConstantOfShape", "Expand", "Tile"].contains(&operator);
    if are_sizes && sizes.iter().any(|&size| size < 0) {
        return Err(ModelError::Config {
            place: format!("operator {operator}, {what}"),
            expected: "sizes of 0 or more".into(),
            found: format!("{:?}", &sizes[..sizes.len().min(8)]),
        });
    }
    let values = sizes.iter().try_fold(1u64, |values, size| {
        values
            .checked_mul(size.unsigned_abs().max(1))
            .filter(|&values| values <= MAX_VALUES)
    });
    match values {
        None => Err(too_large(operator, what, sizes)),
        Some(_) => Ok(()),
    }
}

/// Refuses scales that make too much of one value.
pub(super) fn check_scales(
    operator: &str,
    what: &str,
    scales: impl Iterator<Item = f64>,
    most: u64,
) -> Result<(), ModelError> {
    let grown = times(scales);
    match grown > most as f64 {
        true => Err(too_much_growth(operator, what, grown, most)),
        false => Ok(()),
    }
}

fn too_much_growth(operator: &str, what: &str, grown: f64, most: u64) -> ModelError {
    ModelError::Config {
        place: format!("operator {operator}, {what}"),
        expected: format!("at most {most} values for one"),
        found: format!("{grown:.0}"),
    }
}

/// Refuses padding, scales and strides that make too much of one value.
fn check_growth(
    node: &NodeProto,
    constants: &BTreeMap<&str, Vec<&TensorProto>>,
    most_scaled: u64,
) -> Result<(), ModelError> {
    let operator = node.op_type.as_deref().unwrap_or_default();
    let most = match operator {
        "Resize" | "Upsample" | "ConvTranspose" => most_scaled,
        _ => MAX_GROWTH,
    };
    let mut grows: Vec<(&str, f64)> = Vec::new();
    for attribute in &node.attribute {
        let name = attribute.name.as_deref().unwrap_or_default();
        match name {
            "pads" => grows.push((name, padded(&attribute.ints))),
            "output_padding" => {
                grows.push((name, times(attribute.ints.iter().map(|&p| 1.0 + p as f64))))
            }
            "strides" if operator == "ConvTranspose" => {
                grows.push((
                    name,
                    times(attribute.ints.iter().map(|&stride| stride as f64)),
                ));
            }
            "scales" => grows.push((name, times(attribute.floats.iter().copied().map(f64::from)))),
            _ => {}
        }
    }
    for input in node.input.iter().skip(1) {
        for tensor in constants.get(input.as_str()).into_iter().flatten() {
            match operator {
                "Pad" => grows.push((input, padded(&whole_numbers(tensor)))),
                "Resize" | "Upsample" => {
                    grows.push((input, times(floats(tensor).into_iter().map(f64::from))));
                }
                _ => {}
            }
        }
    }
    match grows.iter().find(|(_, grown)| *grown > most as f64) {
        Some((what, grown)) => Err(too_much_growth(operator, what, *grown, most)),
        None => Ok(()),
    }
}

/// The product of factors, those below 1 left out.
fn times(factors: impl Iterator<Item = f64>) -> f64 {
    factors.map(|factor| factor.max(1.0)).product()
}

/// What padding before and behind each axis makes of one value.
fn padded(pads: &[i64]) -> f64 {
    let (before, behind) = pads.split_at(pads.len() / 2);
    let sides = before.iter().zip(behind);
    times(sides.map(|(&before, &behind)| 1.0 + before as f64 + behind as f64))
}

/// The most values that an operator gives for one row, as far as the library has inferred shapes; a
/// batch that the file fixes is `batch`. Refuses more than [`MAX_VALUES`].
pub(super) fn check_shapes(
    model: &rten::Model,
    graph: &GraphProto,
    batch: Option<usize>,
) -> Result<usize, ModelError> {
    let mut largest = 1;
    for node in &graph.node {
        for name in &node.output {
            let value = model.find_node(name).and_then(|id| model.node_info(id));
            let Some(shape) = value.and_then(|value| value.shape()) else {
                continue;
            };
            let sizes = shape.iter().map(|size| match size {
                Dimension::Fixed(size) => *size,
                Dimension::Symbolic(_) => 1,
            });
            let values = sizes.fold(1, usize::saturating_mul);
            let in_a_row = values.div_ceil(batch.unwrap_or(1));
            if in_a_row as u64 > MAX_VALUES {
                let operator = node.op_type.as_deref().unwrap_or_default();
                return Err(too_many(operator, in_a_row, MAX_VALUES as usize));
            }
            largest = largest.max(in_a_row);
        }
    }
    Ok(largest)
}

/// An operator that gives too much for one row.
pub(super) fn too_many(operator: &str, values: usize, most: usize) -> ModelError {
    ModelError::Config {
        place: format!("operator {operator}, its output"),
        expected: format!("at most {most} values for one input"),
        found: values.to_string(),
    }
}

fn too_large(operator: &str, what: &str, sizes: &[i64]) -> ModelError {
    ModelError::Config {
        place: format!("operator {operator}, {what}"),
        expected: format!("at most {MAX_VALUES} values and windows of at most {MAX_WINDOW}"),
        found: format!("sizes {:?}", &sizes[..sizes.len().min(8)]),
    }
}

/// Numbers of a constant that are looked at.
const MOST_SIZES: usize = 64;

/// The numbers of a constant that can be a size: 64-bit, and few.
pub(super) fn whole_numbers(tensor: &TensorProto) -> Vec<i64> {
    if tensor.data_type != Some(DataType::INT64) {
        return Vec::new();
    }
    match &tensor.raw_data {
        Some(bytes) => {
            let bytes = bytes.borrow();
            let (words, _) = bytes.as_chunks();
            words
                .iter()
                .take(MOST_SIZES)
                .map(|&word| i64::from_le_bytes(word))
                .collect()
        }
        None => tensor.int64_data.iter().take(MOST_SIZES).copied().collect(),
    }
}

/// The numbers of a constant that can be scales: 32-bit floats, and few.
fn floats(tensor: &TensorProto) -> Vec<f32> {
    if tensor.data_type != Some(DataType::FLOAT) {
        return Vec::new();
    }
    match &tensor.raw_data {
        Some(bytes) => {
            let bytes = bytes.borrow();
            let (words, _) = bytes.as_chunks();
            let words = words.iter().take(MOST_SIZES);
            words.map(|&word| f32::from_le_bytes(word)).collect()
        }
        None => tensor.float_data.iter().take(MOST_SIZES).copied().collect(),
    }
}
