//! A graph that takes each column of a table as an input of its own, as exports of DataFrames do.

use super::ModelError;
use super::rewrite::{attribute, set_ints};
use rten_onnx::onnx::{
    AttributeProto, AttributeType, DataType, Dimension, GraphProto, NodeProto, TensorProto,
    TensorShapeProto, TypeProto, TypeProtoTensor, ValueInfoProto,
};
use std::collections::{BTreeMap, BTreeSet};

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
    split.attribute.push(axis_of_columns());
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
    side_by_side(
        graph,
        &names,
        split.input.first().map_or("", String::as_str),
    );
    graph.node.insert(0, split);
    Ok(Some(names))
}

/// Columns that are put side by side again, in their order, are the rows as they are; others are joined by
/// the standard's own operator, which everyone knows. A cast to floats changes no column, and one like
/// another value only where that one is floats.
fn side_by_side(graph: &mut GraphProto, names: &[String], rows: &str) {
    let of_floats = (graph.initializer.iter())
        .filter(|tensor| tensor.data_type == Some(DataType::FLOAT))
        .filter_map(|tensor| tensor.name.as_ref());
    let floats: BTreeSet<&String> = of_floats.chain(names).collect();
    let is_cast = |node: &NodeProto| {
        let to = |attribute: &AttributeProto| attribute.i == Some(DataType::FLOAT.0.into());
        match node.op_type.as_deref() {
            Some("Cast") => node.attribute.iter().any(to),
            Some("CastLike") => node.input.get(1).is_some_and(|like| floats.contains(like)),
            Some("Identity") => true,
            _ => false,
        }
    };
    let casts: BTreeMap<String, String> = (graph.node.iter())
        .filter(|node| is_cast(node))
        .filter_map(|node| Some((node.output.first()?.clone(), node.input.first()?.clone())))
        .collect();
    let column = |name: &String| {
        let mut name = name;
        // No longer than there are casts.
        for _ in 0..=casts.len() {
            match casts.get(name) {
                Some(before) => name = before,
                None => break,
            }
        }
        name.clone()
    };
    for node in &mut graph.node {
        let operator = node.op_type.as_deref().unwrap_or_default();
        let axis = node
            .attribute
            .iter()
            .find(|a| a.name.as_deref() == Some("axis"));
        let joins = match operator {
            "FeatureVectorizer" => true,
            "Concat" => axis.is_some_and(|axis| matches!(axis.i, Some(1 | -1))),
            _ => false,
        };
        let in_order = node.input.iter().map(column).eq(names.iter().cloned());
        // A vectorizer of other widths than a column's is left to who reads it, and refuses it.
        let are_columns = attribute(node, "inputdimensions")
            .is_none_or(|widths| widths.ints.iter().all(|&width| width == 1));
        if joins && in_order && are_columns {
            node.op_type = Some("Identity".into());
            node.input = vec![rows.to_owned()];
        } else if operator == "FeatureVectorizer" && !in_order {
            node.op_type = Some("Concat".into());
        } else {
            continue;
        }
        node.domain = None;
        node.attribute.clear();
        if node.op_type.as_deref() == Some("Concat") {
            node.attribute.push(axis_of_columns());
        }
    }
}

fn axis_of_columns() -> AttributeProto {
    AttributeProto {
        name: Some("axis".into()),
        i: Some(1),
        r#type: Some(AttributeType::INT),
        ..AttributeProto::default()
    }
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
