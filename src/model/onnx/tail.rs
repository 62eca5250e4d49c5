//! What a graph's answers are, from its last operators back.

use super::ModelError;
use super::rewrite::{attribute, constants};
use rten_onnx::onnx::{GraphProto, NodeProto};
use std::collections::BTreeMap;

/// What a graph ends in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tail {
    /// A softmax, and what changes its values behind it: rounding, clipping, a factor.
    Softmax { changed_by: Option<String> },
    /// The logarithm of one, which is a logit up to a constant.
    LogSoftmax,
    /// Sigmoids, by this operator, and what changes their values behind it.
    Sigmoid {
        operator: &'static str,
        changed_by: Option<String>,
    },
    /// Decision trees or support vectors; whether they give probabilities or scores they say themselves.
    Table,
    /// Another operator.
    Open,
}

/// Operators that change no value.
const SAME: [&str; 9] = [
    "Identity",
    "Cast",
    "Reshape",
    "Flatten",
    "Squeeze",
    "Unsqueeze",
    "Dropout",
    "Transpose",
    "CastLike",
];

/// Operators that round or clip, or scale by a constant.
const CHANGING: [&str; 12] = [
    "QuantizeLinear",
    "DequantizeLinear",
    "Clip",
    "Min",
    "Max",
    "Round",
    "Floor",
    "Ceil",
    "Mul",
    "Div",
    "Add",
    "Sub",
];

impl Tail {
    /// What the graph's only output comes from.
    pub(super) fn of(graph: &GraphProto, opset: i64) -> Result<Self, ModelError> {
        let makers: BTreeMap<&str, &NodeProto> = (graph.node.iter())
            .flat_map(|node| {
                node.output
                    .iter()
                    .map(move |output| (output.as_str(), node))
            })
            .collect();
        let constants = constants(graph);
        let mut changed_by: Option<String> = None;
        let mut value = match graph
            .output
            .first()
            .and_then(|output| output.name.as_deref())
        {
            Some(name) => name,
            None => return Ok(Self::Open),
        };
        // A circle is the library's to refuse.
        for _ in 0..graph.node.len() {
            let Some(node) = makers.get(value) else {
                return Ok(Self::Open);
            };
            let operator = node.op_type.as_deref().unwrap_or_default();
            let variable: Vec<&str> = (node.input.iter())
                .map(String::as_str)
                .filter(|name| !name.is_empty() && !constants.contains_key(name))
                .collect();
            match operator {
                "Softmax" => {
                    check_axis(node, opset)?;
                    return Ok(Self::Softmax { changed_by });
                }
                "LogSoftmax" => {
                    check_axis(node, opset)?;
                    return Ok(Self::LogSoftmax);
                }
                "LinearClassifier" => {
                    let transform = attribute(node, "post_transform");
                    return Ok(match transform.and_then(|kind| kind.s.as_deref()) {
                        Some("SOFTMAX") => Self::Softmax { changed_by },
                        Some("LOGISTIC") => Self::Sigmoid {
                            operator: "sigmoid",
                            changed_by,
                        },
                        _ => Self::Open,
                    });
                }
                "TreeEnsembleClassifier" | "SVMClassifier" => {
                    let transform = attribute(node, "post_transform");
                    return Ok(match transform.and_then(|kind| kind.s.as_deref()) {
                        Some("SOFTMAX") => Self::Softmax { changed_by },
                        Some("LOGISTIC") => Self::Sigmoid {
                            operator: "sigmoid",
                            changed_by,
                        },
                        None | Some("NONE") if changed_by.is_none() => Self::Table,
                        _ => Self::Open,
                    });
                }
                // Shares of a softmax are the softmax itself.
                "Normalizer" if divides_softmax(node, &makers) => {}
                // exp(log softmax)
                "Exp"
                    if node
                        .input
                        .first()
                        .and_then(|input| makers.get(input.as_str()))
                        .is_some_and(|before| before.op_type.as_deref() == Some("LogSoftmax")) =>
                {
                    return Ok(Self::Softmax { changed_by });
                }
                "Sigmoid" | "HardSigmoid" => {
                    let operator = match operator {
                        "Sigmoid" => "sigmoid",
                        _ => "hard sigmoid",
                    };
                    return Ok(Self::Sigmoid {
                        operator,
                        changed_by,
                    });
                }
                // exp(x) / sum(exp(x)), a softmax written out.
                "Div" if is_share(node, &makers) => return Ok(Self::Softmax { changed_by }),
                "Log" => {
                    let inner = node
                        .input
                        .first()
                        .and_then(|input| makers.get(input.as_str()));
                    let softmax =
                        inner.is_some_and(|node| node.op_type.as_deref() == Some("Softmax"));
                    return Ok(if softmax {
                        Self::LogSoftmax
                    } else {
                        Self::Open
                    });
                }
                name if SAME.contains(&name) => {}
                name if CHANGING.contains(&name) && variable.len() == 1 => {
                    changed_by.get_or_insert_with(|| name.to_owned());
                }
                _ => return Ok(Self::Open),
            }
            let same = SAME.contains(&operator) || operator == "Normalizer";
            let from = match (same, &variable[..]) {
                (true, _) => node.input.first().map(String::as_str),
                (false, [only]) => Some(*only),
                _ => None,
            };
            match from {
                Some(from) => value = from,
                None => return Ok(Self::Open),
            }
        }
        Ok(Self::Open)
    }
}

/// Refuses a softmax over the batch, whose answers depend on what else is asked.
fn check_axis(node: &NodeProto, opset: i64) -> Result<(), ModelError> {
    let default = if opset < 13 { 1 } else { -1 };
    let axis = attribute(node, "axis")
        .and_then(|axis| axis.i)
        .unwrap_or(default);
    if axis != 0 {
        return Ok(());
    }
    Err(ModelError::Config {
        place: format!(
            "operator {}, axis",
            node.op_type.as_deref().unwrap_or_default()
        ),
        expected: "the axis of the classes".into(),
        found: "0, the batch's".into(),
    })
}

/// Whether values that are divided by their sum are a softmax's already.
fn divides_softmax(node: &NodeProto, makers: &BTreeMap<&str, &NodeProto>) -> bool {
    let text = |node: &NodeProto, name: &str| {
        attribute(node, name).and_then(|attribute| attribute.s.clone())
    };
    let before = node
        .input
        .first()
        .and_then(|input| makers.get(input.as_str()));
    let softmax = before.is_some_and(|before| {
        before.op_type.as_deref() == Some("Softmax")
            || text(before, "post_transform").as_deref() == Some("SOFTMAX")
    });
    softmax && text(node, "norm").as_deref() == Some("L1")
}

/// Whether a quotient is each value's share of the sum of all.
fn is_share(node: &NodeProto, makers: &BTreeMap<&str, &NodeProto>) -> bool {
    let [part, whole] = &node.input[..] else {
        return false;
    };
    makers.get(whole.as_str()).is_some_and(|sum| {
        sum.op_type.as_deref() == Some("ReduceSum") && sum.input.first() == Some(part)
    }) && makers
        .get(part.as_str())
        .is_some_and(|exp| exp.op_type.as_deref() == Some("Exp"))
}
