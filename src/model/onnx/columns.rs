//! A graph that takes each column of a table as an input of its own, as exports of DataFrames do.

use super::ModelError;
use super::rewrite::set_ints;
use rten_onnx::onnx::{
    AttributeProto, AttributeType, DataType, Dimension, GraphProto, NodeProto, TensorProto,
    TensorShapeProto, TypeProto, TypeProtoTensor, ValueInfoProto,
};
use std::collections::BTreeSet;

/// Columns as models take them: whole numbers, too, which a table's values are given as floats.
const NUMBERS: [DataType; 5] = [
    DataType::FLOAT,
    DataType::DOUBLE,
    DataType::FLOAT16,
    DataType::INT64,
    DataType::INT32,
];

/// From this version on the sizes of a Split are an input.
const SIZES_AS_INPUT: i64 = 13;

/// Puts several inputs `[batch, 1]` together as one of rows, and splits it where they were: their
/// names, which are the features', in their order. Nothing where there is one input.
///
/// # Errors
/// [`ModelError::Config`] where there are several of another kind.
pub(super) fn as_rows(
    graph: &mut GraphProto,
    opset: i64,
) -> Result<Option<Vec<String>>, ModelError> {
    let stored: BTreeSet<&str> = (graph.initializer.iter())
        .filter_map(|tensor| tensor.name.as_deref())
        .collect();
    let (inputs, constants): (Vec<&ValueInfoProto>, Vec<&ValueInfoProto>) = (graph.input.iter())
        .partition(|input| {
            !input
                .name
                .as_deref()
                .is_some_and(|name| stored.contains(name))
        });
    if inputs.len() < 2 {
        return Ok(None);
    }
    let names: Vec<String> = (inputs.iter())
        .map(|input| input.name.clone().unwrap_or_default())
        .collect();
    if let Some(other) = inputs.iter().find(|input| !is_column(input)) {
        return Err(ModelError::Config {
            place: format!(
                "the graph's input \"{}\"",
                other.name.as_deref().unwrap_or_default()
            ),
            expected: "one input for all, or numbers [batch, 1] for each column of a table".into(),
            found: format!("another one, of {}: {}", names.len(), names.join(", ")),
        });
    }
    let constants: Vec<ValueInfoProto> = constants.into_iter().cloned().collect();
    let taken: BTreeSet<&str> = (graph.node.iter().flat_map(|node| &node.output))
        .chain(&names)
        .map(String::as_str)
        .chain(stored)
        .collect();
    let free = |wanted: &str| {
        let mut name = wanted.to_owned();
        while taken.contains(name.as_str()) {
            name.push('_');
        }
        name
    };
    let (rows, sizes) = (free("rows"), free("rows_sizes"));
    let mut split = NodeProto {
        name: Some(rows.clone()),
        op_type: Some("Split".into()),
        input: vec![rows.clone()],
        output: names.clone(),
        ..NodeProto::default()
    };
    split.attribute.push(AttributeProto {
        name: Some("axis".into()),
        i: Some(1),
        r#type: Some(AttributeType::INT),
        ..AttributeProto::default()
    });
    let ones = vec![1; names.len()];
    if opset >= SIZES_AS_INPUT {
        split.input.push(sizes.clone());
        graph.initializer.push(TensorProto {
            name: Some(sizes),
            dims: vec![ones.len() as i64],
            data_type: Some(DataType::INT64),
            int64_data: ones,
            ..TensorProto::default()
        });
    } else {
        set_ints(&mut split, "split", ones);
    }
    let size = |dim_value: Option<i64>, name: Option<&str>| Dimension {
        dim_value,
        dim_param: name.map(str::to_owned),
    };
    let shape = TensorShapeProto {
        dim: vec![size(None, Some("n")), size(Some(names.len() as i64), None)],
    };
    let input = ValueInfoProto {
        name: Some(rows),
        r#type: Some(TypeProto {
            tensor_type: Some(TypeProtoTensor {
                elem_type: Some(DataType::FLOAT),
                shape: Some(shape),
            }),
            ..TypeProto::default()
        }),
    };
    graph.input = std::iter::once(input).chain(constants).collect();
    graph.node.insert(0, split);
    Ok(Some(names))
}

/// Whether an input is numbers `[batch, 1]`.
fn is_column(input: &ValueInfoProto) -> bool {
    let tensor = (input.r#type.as_ref()).and_then(|kind| kind.tensor_type.as_ref());
    tensor.is_some_and(|tensor| {
        let sizes = tensor.shape.as_ref().map(|shape| &shape.dim[..]);
        tensor.elem_type.is_some_and(|kind| NUMBERS.contains(&kind))
            && matches!(sizes, Some([batch, one])
                if one.dim_value == Some(1) && batch.dim_value.is_none_or(|size| size < 1))
    })
}
