//! An ONNX graph as its library takes it: pruned to one output, defaults written out, and operators
//! that the library computes otherwise than the standard put in other words or refused by name.

use super::ModelError;
use half::f16;
use rten_onnx::onnx::{
    AttributeProto, AttributeType, DataLocation, DataType, GraphProto, ModelProto, NodeProto,
    TensorProto, TypeProto, TypeProtoTensor,
};
use std::collections::{BTreeMap, BTreeSet};

/// Operators whose windows slide.
const SLIDING: [&str; 5] = ["Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool"];

/// The version of the standard's own operators.
pub(super) fn opset(proto: &ModelProto) -> i64 {
    let own = proto.opset_import.iter().find(|import| {
        import
            .domain
            .as_deref()
            .is_none_or(|domain| domain.is_empty() || domain == "ai.onnx")
    });
    own.and_then(|import| import.version).unwrap_or(1)
}

/// Keeps one output, the one of this name or the first that can be answers, and the nodes, weights
/// and inputs that it needs. Gives a note where there was a choice.
pub(super) fn keep_one_output(
    graph: &mut GraphProto,
    wanted: Option<&str>,
) -> Result<Option<String>, ModelError> {
    let names: Vec<String> = (graph.output.iter())
        .map(|output| output.name.clone().unwrap_or_default())
        .collect();
    // A map from labels to probabilities is made of a tensor of probabilities.
    for output in &mut graph.output {
        let zip = graph.node.iter().find(|node| {
            node.op_type.as_deref() == Some("ZipMap") && node.output.first() == output.name.as_ref()
        });
        if let Some(tensor) = zip.and_then(|node| node.input.first()) {
            output.name = Some(tensor.clone());
            output.r#type = Some(TypeProto {
                tensor_type: Some(TypeProtoTensor {
                    elem_type: Some(DataType::FLOAT),
                    shape: None,
                }),
                ..TypeProto::default()
            });
        }
    }
    let tensors: Vec<String> = (graph.output.iter())
        .map(|output| output.name.clone().unwrap_or_default())
        .collect();
    let made_by: BTreeMap<&str, &str> = (graph.node.iter())
        .flat_map(|node| {
            let operator = node.op_type.as_deref().unwrap_or_default();
            node.output
                .iter()
                .map(move |output| (output.as_str(), operator))
        })
        .collect();
    // Labels and maps of labels are no answers; nor is what keeps more than one axis a row.
    let answers = |number: &usize| {
        let labels = ["ArgMax", "ZipMap", "LabelEncoder", "TopK"];
        let output = &graph.output[*number];
        let tensor = output
            .r#type
            .as_ref()
            .and_then(|value| value.tensor_type.as_ref());
        let kind = tensor.and_then(|tensor| tensor.elem_type);
        let floats = [DataType::FLOAT, DataType::DOUBLE, DataType::FLOAT16];
        let axes = tensor
            .and_then(|tensor| tensor.shape.as_ref())
            .map(|shape| shape.dim.len());
        !made_by
            .get(tensors[*number].as_str())
            .is_some_and(|operator| labels.contains(operator))
            && kind.is_none_or(|kind| floats.contains(&kind))
            && tensor.is_some()
            && axes.is_none_or(|axes| axes == 2)
    };
    let kept = match wanted.and_then(|wanted| names.iter().position(|name| name == wanted)) {
        Some(number) => number,
        None if names.len() == 1 => 0,
        None => (0..names.len())
            .find(answers)
            .ok_or_else(|| ModelError::Config {
                place: "the graph's outputs".into(),
                expected: "one of [batch, classes]; choose one with `output` NAME".into(),
                found: names.join(", "),
            })?,
    };
    let note = (names.len() > 1 && wanted != Some(&names[kept])).then(|| {
        format!("using output {}, the first of shape [batch, classes], of {}; `output` NAME chooses another", names[kept], names.join(", "))
    });
    graph.output = vec![graph.output.swap_remove(kept)];
    prune(graph, &tensors[kept]);
    Ok(note)
}

/// The value that a node hands on as it is: times or by 1, plus or minus 0, as LightGBM's export ends.
fn handed_on<'n>(
    node: &'n NodeProto,
    tensors: &BTreeMap<&str, &TensorProto>,
) -> Option<&'n String> {
    let (neutral, either) = match node.op_type.as_deref()? {
        "Mul" => (1.0, true),
        "Div" => (1.0, false),
        "Add" => (0.0, true),
        "Sub" => (0.0, false),
        _ => return None,
    };
    let [a, b] = &node.input[..] else { return None };
    let is_neutral = |name: &String| {
        // One number that gives no value an axis more.
        let tensor = tensors.get(name.as_str());
        let tensor = tensor.filter(|tensor| matches!(tensor.dims[..], [] | [1]));
        tensor.and_then(|tensor| floats(tensor)) == Some(vec![neutral])
    };
    match (is_neutral(a), is_neutral(b)) {
        (false, true) => Some(a),
        (true, false) if either => Some(b),
        _ => None,
    }
}

/// Puts the images' height and width where an input `[batch, C, H, W]` or `[batch, H, W, C]` of 1 or
/// 3 channels leaves them open; whether it did anywhere.
pub(super) fn fill_open_sizes(graph: &mut GraphProto, size: [usize; 2]) -> bool {
    let stored: BTreeSet<Option<String>> = (graph.initializer.iter())
        .map(|tensor| tensor.name.clone())
        .collect();
    let mut filled = false;
    for input in &mut graph.input {
        let shape = (input.r#type.as_mut())
            .and_then(|kind| kind.tensor_type.as_mut())
            .and_then(|tensor| tensor.shape.as_mut());
        let Some([_, sizes @ ..]) = shape.map(|shape| &mut shape.dim[..]) else {
            continue;
        };
        let channels = |size: Option<i64>| size == Some(1) || size == Some(3);
        let sides = match sizes {
            [c, sides @ ..] if channels(c.dim_value) => sides,
            [sides @ .., c] if channels(c.dim_value) => sides,
            _ => continue,
        };
        if sides.len() != 2 || stored.contains(&input.name) {
            continue;
        }
        for (side, own) in sides.iter_mut().zip(size) {
            if side.dim_value.is_none_or(|size| size < 1) {
                side.dim_value = i64::try_from(own).ok();
                filled = true;
            }
        }
    }
    filled
}

/// Leaves out what `output` does not need.
fn prune(graph: &mut GraphProto, output: &str) {
    let mut needed: BTreeSet<String> = [output.to_owned()].into();
    // Nodes are in an order in which they can run; where they are not, again until nothing is new.
    let mut used = vec![false; graph.node.len()];
    loop {
        let before = used.iter().filter(|used| **used).count();
        for (node, used) in graph.node.iter().zip(&mut used).rev() {
            if !*used && node.output.iter().any(|output| needed.contains(output)) {
                *used = true;
                names_in(node, &mut needed);
            }
        }
        if used.iter().filter(|used| **used).count() == before {
            break;
        }
    }
    let mut used = used.into_iter();
    graph.node.retain(|_| used.next().unwrap_or(false));
    let is_needed = |name: &Option<String>| name.as_ref().is_some_and(|name| needed.contains(name));
    graph.initializer.retain(|tensor| is_needed(&tensor.name));
    graph.input.retain(|input| is_needed(&input.name));
    graph.value_info.retain(|value| is_needed(&value.name));
}

/// The names that a node takes, in graphs inside it, too.
fn names_in(node: &NodeProto, names: &mut BTreeSet<String>) {
    let mut nodes = vec![node];
    while let Some(node) = nodes.pop() {
        names.extend(node.input.iter().cloned());
        for graph in node
            .attribute
            .iter()
            .filter_map(|attribute| attribute.g.as_ref())
        {
            names.extend(graph.output.iter().filter_map(|output| output.name.clone()));
            nodes.extend(&graph.node);
        }
    }
}

/// Constants by name: initialisers and what `Constant` nodes give.
pub(super) fn constants(graph: &GraphProto) -> BTreeMap<&str, &TensorProto> {
    let stored =
        (graph.initializer.iter()).filter_map(|tensor| Some((tensor.name.as_deref()?, tensor)));
    let given = graph.node.iter().filter_map(|node| {
        let tensor = node
            .attribute
            .iter()
            .find_map(|attribute| attribute.t.as_ref())?;
        (node.op_type.as_deref() == Some("Constant"))
            .then_some((node.output.first()?.as_str(), tensor))
    });
    stored.chain(given).collect()
}

/// The floats of a small constant that stands in the file itself.
pub(super) fn floats(tensor: &TensorProto) -> Option<Vec<f64>> {
    const MOST: usize = 1 << 20;
    let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
    let values = match (tensor.data_type, &tensor.raw_data) {
        (_, Some(bytes)) if bytes.borrow().len() > MOST => return None,
        (Some(DataType::FLOAT), Some(bytes)) => {
            let bytes = bytes.borrow();
            bytes
                .as_chunks()
                .0
                .iter()
                .map(|&b| f64::from(f32::from_le_bytes(b)))
                .collect()
        }
        (Some(DataType::DOUBLE), Some(bytes)) => {
            let bytes = bytes.borrow();
            bytes
                .as_chunks()
                .0
                .iter()
                .map(|&b| f64::from_le_bytes(b))
                .collect()
        }
        (Some(DataType::FLOAT), None) => wide(&tensor.float_data),
        (Some(DataType::DOUBLE), None) => tensor.double_data.clone(),
        _ => return None,
    };
    (!values.is_empty() && values.iter().all(|v| v.is_finite())).then_some(values)
}

/// The floats of a constant, which may stand in one of the files in `data`.
pub(super) fn floats_of(tensor: &TensorProto, data: &BTreeMap<&str, &[u8]>) -> Option<Vec<f32>> {
    let decode = |bytes: &[u8]| -> Option<Vec<f32>> {
        Some(match tensor.data_type? {
            DataType::FLOAT => {
                let (words, rest) = bytes.as_chunks();
                let values = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
                rest.is_empty().then_some(values)?
            }
            DataType::DOUBLE => {
                let (words, rest) = bytes.as_chunks();
                let values = words.iter().map(|&word| f64::from_le_bytes(word) as f32);
                rest.is_empty().then(|| values.collect())?
            }
            DataType::FLOAT16 => {
                let (words, rest) = bytes.as_chunks();
                let values = words.iter().map(|&word| f16::from_le_bytes(word).to_f32());
                rest.is_empty().then(|| values.collect())?
            }
            _ => return None,
        })
    };
    if tensor.data_location == Some(DataLocation::EXTERNAL) {
        let entry = |name: &str| {
            let mut entries = tensor.external_data.iter();
            let entry = entries.find(|entry| entry.key.as_deref() == Some(name))?;
            entry.value.as_deref()
        };
        let bytes = data.get(entry("location")?)?;
        let start: usize = entry("offset").map_or(Some(0), |text| text.parse().ok())?;
        let length: usize = match entry("length") {
            Some(text) => text.parse().ok()?,
            None => bytes.len().checked_sub(start)?,
        };
        return decode(bytes.get(start..start.checked_add(length)?)?);
    }
    match (&tensor.raw_data, tensor.data_type?) {
        (Some(bytes), _) => decode(&bytes.borrow()),
        (None, DataType::FLOAT) => Some(tensor.float_data.clone()),
        (None, DataType::DOUBLE) => Some(
            tensor
                .double_data
                .iter()
                .map(|&value| value as f32)
                .collect(),
        ),
        _ => None,
    }
}

/// Weights in the file `from` are looked for in `to`.
pub(super) fn rename_data(graph: &mut GraphProto, from: &str, to: &str) {
    let external = (graph.initializer.iter_mut())
        .filter(|tensor| tensor.data_location == Some(DataLocation::EXTERNAL));
    for entry in external.flat_map(|tensor| &mut tensor.external_data) {
        if entry.key.as_deref() == Some("location") && entry.value.as_deref() == Some(from) {
            entry.value = Some(to.to_owned());
        }
    }
}

pub(super) fn attribute<'n>(node: &'n NodeProto, name: &str) -> Option<&'n AttributeProto> {
    node.attribute
        .iter()
        .find(|attribute| attribute.name.as_deref() == Some(name))
}

pub(super) fn set_ints(node: &mut NodeProto, name: &str, ints: Vec<i64>) {
    node.attribute
        .retain(|attribute| attribute.name.as_deref() != Some(name));
    node.attribute.push(AttributeProto {
        name: Some(name.to_owned()),
        ints,
        r#type: Some(AttributeType::INTS),
        ..AttributeProto::default()
    });
}

/// Writes out defaults that the library does not know, and puts SAME_LOWER, which it takes for
/// SAME_UPPER, as margins. Where these depend on the size of the image, gives the names of the
/// values whose sizes are needed, for [`pad_lower`].
pub(super) fn to_the_standard(graph: &mut GraphProto) -> Result<Vec<String>, ModelError> {
    let ranks: BTreeMap<String, usize> = (graph.initializer.iter())
        .filter_map(|tensor| Some((tensor.name.clone()?, tensor.dims.len())))
        .collect();
    let kernels: BTreeMap<String, Vec<i64>> = (graph.initializer.iter())
        .filter_map(|tensor| Some((tensor.name.clone()?, tensor.dims.get(2..)?.to_vec())))
        .collect();
    let handed_on: Vec<Option<String>> = {
        let tensors = constants(graph);
        let handed_on = |node| handed_on(node, &tensors).cloned();
        graph.node.iter().map(handed_on).collect()
    };
    let mut sized = Vec::new();
    for (node, handed_on) in graph.node.iter_mut().zip(handed_on) {
        if let Some(value) = handed_on {
            node.op_type = Some("Identity".into());
            node.input = vec![value];
            node.attribute.clear();
        }
        let operator = node.op_type.clone().unwrap_or_default();
        // After training it hands on what it takes, and so it does without its mask.
        if operator == "Dropout" && node.output.len() <= 1 {
            node.op_type = Some("Identity".into());
            node.input.truncate(1);
            node.attribute.clear();
            continue;
        }
        if !SLIDING.contains(&operator.as_str()) {
            continue;
        }
        let weight = node.input.get(1);
        let kernel = attribute(node, "kernel_shape").map(|attribute| attribute.ints.clone());
        let kernel = kernel.or_else(|| kernels.get(weight?).cloned());
        let rank = kernel
            .as_ref()
            .map(Vec::len)
            .or_else(|| ranks.get(weight?)?.checked_sub(2));
        let Some((kernel, rank)) = kernel.zip(rank) else {
            continue;
        };
        set_ints(node, "kernel_shape", kernel.clone());
        for name in ["strides", "dilations"] {
            let pool = name == "dilations" && operator.ends_with("Pool") && operator != "MaxPool";
            if attribute(node, name).is_none() && !pool {
                set_ints(node, name, vec![1; rank]);
            }
        }
        let lower =
            attribute(node, "auto_pad").and_then(|pad| pad.s.as_deref()) == Some("SAME_LOWER");
        if !lower {
            continue;
        }
        if operator == "ConvTranspose" {
            return Err(ModelError::Config {
                place: "operator ConvTranspose, auto_pad".into(),
                expected: "pads, which stand for themselves".into(),
                found: "SAME_LOWER".into(),
            });
        }
        let strides = attribute(node, "strides").map(|strides| strides.ints.clone());
        if strides.is_some_and(|strides| strides.iter().all(|&stride| stride == 1)) {
            // Without strides the margin is the same for every size.
            let sizes: Vec<usize> = vec![1 << 16; rank];
            set_lower(node, &sizes);
        } else if let Some(input) = node.input.first() {
            sized.push(input.clone());
        }
    }
    Ok(sized)
}

/// Puts SAME_LOWER of the nodes that take `values`, of these `shapes`, as margins.
pub(super) fn pad_lower(graph: &mut GraphProto, values: &[String], shapes: &[Vec<usize>]) {
    for node in &mut graph.node {
        let lower =
            attribute(node, "auto_pad").and_then(|pad| pad.s.as_deref()) == Some("SAME_LOWER");
        let shape =
            (values.iter().zip(shapes)).find(|(value, _)| node.input.first() == Some(value));
        if let (true, Some((_, shape))) = (lower, shape) {
            let sizes = shape.get(2..).unwrap_or_default().to_vec();
            set_lower(node, &sizes);
        }
    }
}

/// `ceil(size / stride)` windows; of an odd margin the larger half comes first.
fn set_lower(node: &mut NodeProto, sizes: &[usize]) {
    let ints = |name: &str| attribute(node, name).map(|ints| ints.ints.clone());
    let kernel = ints("kernel_shape").unwrap_or_default();
    let strides = ints("strides").unwrap_or_else(|| vec![1; kernel.len()]);
    let dilations = ints("dilations").unwrap_or_else(|| vec![1; kernel.len()]);
    let margin = |axis: usize| {
        let size = i64::try_from(sizes.get(axis).copied().unwrap_or(1)).unwrap_or(i64::MAX);
        let one = |list: &[i64]| list.get(axis).copied().unwrap_or(1).clamp(1, 1 << 16);
        let (kernel, stride, dilation) = (one(&kernel), one(&strides), one(&dilations));
        let windows = size.saturating_sub(1) / stride + 1;
        let all = (windows - 1)
            .saturating_mul(stride)
            .saturating_add((kernel - 1) * dilation + 1)
            .saturating_sub(size)
            .max(0);
        (all - all / 2, all / 2)
    };
    let (begin, end): (Vec<i64>, Vec<i64>) = (0..kernel.len()).map(margin).unzip();
    node.attribute
        .retain(|attribute| attribute.name.as_deref() != Some("auto_pad"));
    set_ints(node, "pads", [begin, end].concat());
}

/// What the library (rten 0.27.0) computes otherwise than the standard's own node tests (onnx
/// 1.23.2) and onnxruntime 1.32.0 say, all operators compared once: 896 tests agreed, these did
/// not.
fn off(node: &NodeProto, constants: &BTreeMap<&str, &TensorProto>) -> Option<&'static str> {
    let text = |name: &str| attribute(node, name).and_then(|attribute| attribute.s.as_deref());
    match node.op_type.as_deref().unwrap_or_default() {
        // Its answers are 0.64 off on models of onnxruntime's quantize_dynamic.
        "ConvInteger" => Some("the model before it was quantised, or one quantised as QDQ"),
        // Of equal values it takes the last.
        "ArgMax" | "ArgMin" => Some("an output that does not depend on it, by `output`"),
        "NonMaxSuppression" => Some("a classifier"),
        // The sign of 0 is 0.
        "Sign" => Some("the model written without it"),
        "Resize" => match (text("mode"), text("coordinate_transformation_mode")) {
            (Some("cubic"), _) => Some("mode linear or nearest"),
            (Some("linear"), Some("align_corners")) => Some("half_pixel in place of align_corners"),
            _ => None,
        },
        // By a vector it leaves an axis of one.
        "MatMul" => {
            let second = node
                .input
                .get(1)
                .and_then(|name| constants.get(name.as_str()));
            let vector = second.is_some_and(|tensor| tensor.dims.len() == 1);
            vector.then_some("a matrix of one column")
        }
        _ => None,
    }
}

/// Refuses operators that the library computes otherwise than the standard.
pub(super) fn refuse_what_is_off(graph: &GraphProto) -> Result<(), ModelError> {
    let mut graphs = vec![graph];
    while let Some(graph) = graphs.pop() {
        let constants = constants(graph);
        for node in &graph.node {
            if let Some(remedy) = off(node, &constants) {
                return Err(ModelError::OnnxOff {
                    operator: node.op_type.clone().unwrap_or_default(),
                    node: node.name.clone().unwrap_or_default(),
                    remedy,
                });
            }
            graphs.extend(
                node.attribute
                    .iter()
                    .filter_map(|attribute| attribute.g.as_ref()),
            );
        }
    }
    Ok(())
}
