//! What a node says of itself.

use super::rewrite::attribute;
use rten_onnx::onnx::NodeProto;

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

/// A text of a node's.
pub(super) fn text<'n>(node: &'n NodeProto, name: &str) -> Option<&'n str> {
    attribute(node, name).and_then(|attribute| attribute.s.as_deref())
}

pub(super) fn operator_of(node: &NodeProto) -> &str {
    node.op_type.as_deref().unwrap_or_default()
}

/// Whether a node has this input.
pub(super) fn has(node: &NodeProto, number: usize) -> bool {
    node.input.get(number).is_some_and(|name| !name.is_empty())
}
