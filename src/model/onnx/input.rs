//! What a graph is given: its input's sizes, how images lie in it, and how it is scaled first.

use super::layers::Input;
use super::library::Arrangement;
use super::rewrite;
use crate::model::ModelError;
use crate::model::options::Layout;
use crate::model::scaling::{InputScaling, Scaling};
use rten::Dimension;
use rten_onnx::onnx::{DataType, GraphProto, NodeProto, TensorProto, ValueInfoProto};
use std::collections::BTreeMap;

/// Values of one input at most: an image of 4096 x 4096 pixels in colour and a third more.
pub(super) const MAX_INPUT: usize = 1 << 26;

/// The input of a graph, or why no kernel takes it.
pub(super) fn input_of(
    graph: &GraphProto,
    tensors: &BTreeMap<&str, &TensorProto>,
    layout: Option<Layout>,
) -> Result<Input, &'static str> {
    let name = |input: &ValueInfoProto| input.name.clone().unwrap_or_default();
    let mut inputs = (graph.input.iter()).filter(|input| !tensors.contains_key(&*name(input)));
    let (Some(input), None) = (inputs.next(), inputs.next()) else {
        return Err("it has another number of inputs than one");
    };
    let tensor = (input.r#type.as_ref()).and_then(|kind| kind.tensor_type.as_ref());
    // Grey levels that the file wants as bytes may lie between two of them.
    let floats = [
        DataType::FLOAT,
        DataType::FLOAT16,
        DataType::DOUBLE,
        DataType::UINT8,
    ];
    let kind = tensor.and_then(|tensor| tensor.elem_type);
    if !kind.is_some_and(|kind| floats.contains(&kind)) {
        return Err("its input is no tensor of floats or bytes");
    }
    let shape = tensor.and_then(|tensor| tensor.shape.as_ref());
    let size = |size: Option<i64>| usize::try_from(size?).ok().filter(|&size| size > 0);
    let sizes: Option<Vec<usize>> = shape.and_then(|shape| {
        let sizes = shape.dim.iter().skip(1);
        sizes.map(|sizes| size(sizes.dim_value)).collect()
    });
    let sizes = sizes.ok_or("its input has open sizes")?;
    let values = (sizes.iter()).try_fold(1usize, |all, &size| all.checked_mul(size));
    if values.is_none_or(|values| values > MAX_INPUT) {
        return Err("its input is too large");
    }
    let (channels_first, own) = match (&sizes[..], layout) {
        (&[channels @ (1 | 3), height, width], None | Some(Layout::ChannelsFirst)) => {
            (true, vec![height, width, channels])
        }
        (&[_, _, 1 | 3] | &[_, _] | &[_], _) => (false, sizes.clone()),
        _ => return Err("its input is neither an image nor a row"),
    };
    Ok(Input {
        name: name(input),
        sizes,
        channels_first,
        shape: own,
        batch: shape.and_then(|shape| size(shape.dim.first()?.dim_value)),
    })
}

/// How rows of images become an input of these sizes, and the shape of one row.
///
/// # Errors
/// [`ModelError::Config`] where it is neither an image nor a row.
pub(super) fn arrangement(
    sizes: &[usize],
    layout: Option<Layout>,
) -> Result<(Arrangement, Vec<usize>), ModelError> {
    match (sizes, layout) {
        (&[channels @ (1 | 3), height, width], None | Some(Layout::ChannelsFirst)) => {
            Ok((Arrangement::ChannelsFirst, vec![height, width, channels]))
        }
        (&[_, _, 1 | 3] | &[_, _] | &[_], _) => Ok((Arrangement::Rows, sizes.to_vec())),
        _ => {
            let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
            Err(ModelError::Config {
                place: "the graph's input".into(),
                expected: "[batch, C, H, W] or [batch, H, W, C] with C 1 or 3, [batch, H, W] or [batch, values]".into(),
                found: format!("[batch, {}]", sizes.join(", ")),
            })
        }
    }
}

/// The batch, if it is fixed, and the sizes behind it.
pub(super) fn input_sizes(model: &rten::Model) -> Result<(Option<usize>, Vec<usize>), ModelError> {
    let wrong = |found: String| ModelError::Config {
        place: "the graph's input".into(),
        expected: "a batch and fixed sizes; export the model with the size of its images".into(),
        found,
    };
    let shape = model
        .input_shape(0)
        .ok_or_else(|| wrong("no sizes at all".into()))?;
    let Some((batch, sizes)) = shape.split_first() else {
        return Err(wrong("a single number".into()));
    };
    let sizes = sizes
        .iter()
        .map(|size| match size {
            Dimension::Fixed(size) if *size > 0 => Ok(*size),
            Dimension::Fixed(size) => Err(wrong(format!("a size of {size}"))),
            Dimension::Symbolic(name) => Err(wrong(format!("an open size \"{name}\""))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let values = sizes
        .iter()
        .try_fold(1usize, |all, &size| all.checked_mul(size));
    let batch = match batch {
        Dimension::Fixed(size) => Some((*size).max(1)),
        Dimension::Symbolic(_) => None,
    };
    let fits = |values: usize| {
        let all = values.checked_mul(batch.unwrap_or(1));
        values <= MAX_INPUT && all.is_some_and(|all| all <= 1 << 28)
    };
    if !values.is_some_and(fits) {
        return Err(wrong(format!("a batch of {batch:?}, sizes {sizes:?}")));
    }
    Ok((batch, sizes))
}

/// What happens to the input first, apart from changes of its shape or type: a scaling by
/// constants, of grey levels or not. Batch normalisation is none.
pub(super) fn input_scaling(graph: &GraphProto) -> InputScaling {
    let mut found = InputScaling::None;
    let constants = rewrite::constants(graph);
    let Some(mut value) = graph
        .input
        .iter()
        .filter_map(|input| input.name.as_deref())
        .find(|name| !constants.contains_key(name))
    else {
        return found;
    };
    let takes = |node: &&NodeProto, value: &str| node.input.iter().any(|input| input == value);
    for _ in 0..graph.node.len() {
        let Some(node) = graph.node.iter().find(|node| takes(node, value)) else {
            return found;
        };
        let Some(output) = node.output.first() else {
            return found;
        };
        let operator = node.op_type.as_deref().unwrap_or_default();
        let constant = (node.input.iter().find(|input| *input != value))
            .and_then(|name| constants.get(name.as_str()))
            .and_then(|tensor| rewrite::floats(tensor));
        let first = node.input.first().is_some_and(|input| input == value);
        let scaling = match (operator, constant, first) {
            ("Mul", Some(scale), _) => Scaling {
                scale,
                offset: vec![0.0],
            },
            ("Div", Some(by), true) => Scaling {
                scale: by.iter().map(|by| 1.0 / by).collect(),
                offset: vec![0.0],
            },
            ("Add", Some(offset), _) | ("Sub", Some(offset), true) => Scaling {
                scale: vec![1.0],
                offset,
            },
            (
                "Cast" | "Identity" | "Transpose" | "Reshape" | "Flatten" | "Unsqueeze" | "Squeeze",
                _,
                true,
            ) => {
                value = output;
                continue;
            }
            _ => return found,
        };
        if scaling.takes_grey_levels() {
            return InputScaling::GreyLevels;
        }
        found = InputScaling::Other;
        value = output;
    }
    found
}
