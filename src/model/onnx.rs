//! ONNX models: as layers where every node has kernels ([`layers`]), else run on the CPU by the crate
//! `rten`.
//!
//! Frames are morphed by the engine as ever; their logits come from the library. The graph is
//! pruned to one output and rewritten where the library differs from the standard ([`rewrite`]);
//! what its answers are, its last operators say ([`tail`]). Of probabilities the logarithm is
//! taken, of sigmoids their logits.

mod columns;
mod constants;
mod fused;
mod layers;
mod library;
mod limits;
mod moves;
mod node;
mod normalisations;
pub(super) mod operators;
mod products;
mod reader;
mod rewrite;
mod support_vectors;
mod tables;
mod tail;
mod trees;
mod value;
mod values;
mod windows;

use super::assemble::{Assembled, assemble};
use super::keras::Description;
use super::layer::Layer;
use super::options::{Layout, ModelOptions as Options};
use super::output::Output;
use super::scaling::{InputScaling, Scaling};
use super::{AnswerKind, LayerSummary, ModelError};
use crate::data::{MAX_TENSOR_BYTES, read_bytes};
use layers::{Input, Refused};
pub(super) use library::OnnxNetwork;
use library::{Arrangement, Made, guarded, sizes_inside};
use rewrite::attribute;
use rten::{Dimension, ModelOptions, ThreadPool};
use rten_onnx::onnx::{
    DataLocation, DataType, GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use tail::Tail;

/// Values of one input at most: an image of 4096 x 4096 pixels in colour and a third more.
const MAX_INPUT: usize = 1 << 26;

/// Who runs a graph.
pub(super) enum Runs {
    /// An engine: each node has kernels.
    Layers(Description, Box<Assembled>),
    /// The library.
    Library {
        network: Box<OnnxNetwork>,
        layers: Vec<LayerSummary>,
        /// Whether the first thing it does to its input is to scale it.
        scaling: InputScaling,
    },
}

/// A network and what its file says of it.
pub(super) struct OnnxFile {
    pub(super) runs: Runs,
    /// Metadata `classes`, or the labels of a table's classifier where they are texts: a JSON list of
    /// strings.
    pub(super) classes: Option<String>,
    /// Names of its features, where each is an input of its own.
    pub(super) features: Option<Vec<String>>,
    /// What its values were said to be.
    pub(super) output: Option<Output>,
    /// The bytes of the data files beside it, in the order of their names.
    pub(super) data: Vec<Vec<u8>>,
    /// What the user should know of how it was understood.
    pub(super) notes: Vec<String>,
}

/// Reads an ONNX file from its `content`; weights that it keeps in files beside itself are read
/// from the folder of `path`, [`MAX_TENSOR_BYTES`] together. What its graph may ask of the library
/// is in [`limits`].
pub(super) fn read(path: &Path, content: &[u8], told: &Options) -> Result<OnnxFile, ModelError> {
    let not_onnx = |reason: String| ModelError::Onnx { reason };
    limits::check_messages(content)?;
    let mut proto = ModelProto::parse_buf(content).map_err(|error| not_onnx(error.to_string()))?;
    let mut graph = proto
        .graph
        .take()
        .filter(|graph| !graph.node.is_empty())
        .ok_or_else(|| not_onnx("there is no graph in it".into()))?;
    limits::check_sizes(&graph)?;
    let labels = class_labels(&graph);
    let mut notes = Vec::new();
    let names: Vec<String> = (graph.output.iter())
        .filter_map(|output| output.name.clone())
        .collect();
    let output = told.output(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
    notes.extend(rewrite::keep_one_output(
        &mut graph,
        told.output.as_deref(),
    )?);
    if let Some(size) = told.open_size
        && rewrite::fill_open_sizes(&mut graph, size)
    {
        let [height, width] = size;
        notes.push(format!(
            "it leaves the size of its images open; it is given {height} x {width}, the images' own"
        ));
    }
    let opset = rewrite::opset(&proto);
    let features = columns::as_rows(&mut graph, opset)?;
    let sized = rewrite::to_the_standard(&mut graph)?;
    let mut options = ModelOptions::with_all_ops();
    let mut data = Vec::new();
    let mut total = content.len() as u64;
    for (number, name) in data_files(&graph)?.into_iter().enumerate() {
        let place = path.with_file_name(&name);
        let fail = |source| ModelError::OnnxData {
            name: name.clone(),
            source,
        };
        let bytes = read_bytes(&place, MAX_TENSOR_BYTES.saturating_sub(total)).map_err(fail)?;
        total += bytes.len() as u64;
        // The library takes only names that end in .data.
        let renamed = format!("{number}.data");
        rewrite::rename_data(&mut graph, &name, &renamed);
        options.external_data(&renamed, bytes.clone());
        data.push(bytes);
    }
    let listing = listing(&graph);
    let scaling = input_scaling(&graph);
    let tail = Tail::of(&graph, opset)?;
    let classes = (proto.metadata_props.iter())
        .find(|entry| entry.key.as_deref() == Some("classes"))
        .and_then(|entry| entry.value.clone())
        .or(labels.filter(|_| told.class_names.is_none()));
    let flat = match (told.layout, proto.producer_name.as_deref()) {
        (Some(layout), _) => layout,
        (None, Some("pytorch")) => Layout::ChannelsFirst,
        (None, _) => Layout::ChannelsLast,
    };
    let reason = match by_kernels(&graph, &data, opset, &tail, told.layout, output) {
        Ok((layers, input_shape, assembled)) => {
            let description = Description {
                layers,
                input_shape: Some(input_shape),
                layout: flat,
                notes: Vec::new(),
                outputs: Vec::new(),
            };
            return Ok(OnnxFile {
                runs: Runs::Layers(description, Box::new(assembled)),
                classes,
                features,
                output,
                data,
                notes,
            });
        }
        Err(Refused::Unknown(reason)) => reason,
        Err(Refused::TooLarge(error)) => return Err(error),
    };
    rewrite::refuse_what_is_off(&graph)?;
    // Its steps are those of the largest value of all rows that go together.
    let alone =
        (graph.node.iter()).any(|node| node.op_type.as_deref() == Some("DynamicQuantizeLinear"));
    if alone {
        notes.push("it is quantised as it runs, by the values of a batch; each input goes alone, so that no answer depends on the others".into());
    }
    let load = |proto: &ModelProto, options: &ModelOptions| {
        let content = proto
            .write_buf()
            .map_err(|error| not_onnx(error.to_string()))?;
        guarded(|| options.load(content))
            .map_err(not_onnx)?
            .map_err(|error| not_onnx(format!("{error}; it has no kernels either: {reason}")))
    };
    proto.graph = Some(graph);
    let mut model = load(&proto, &options)?;
    let (&[input], &[answers]) = (model.input_ids(), model.output_ids()) else {
        return Err(ModelError::Config {
            place: "the graph".into(),
            expected: "one input".into(),
            found: model.input_ids().len().to_string(),
        });
    };
    let (batch, sizes) = input_sizes(&model)?;
    let largest = match &proto.graph {
        Some(graph) => limits::check_shapes(&model, graph, batch)?,
        None => 1,
    };
    let (arrangement, input_shape) = match (&sizes[..], told.layout) {
        (&[channels @ (1 | 3), height, width], None | Some(Layout::ChannelsFirst)) => {
            (Arrangement::ChannelsFirst, vec![height, width, channels])
        }
        (&[height, width, channels @ (1 | 3)], _) => {
            (Arrangement::Rows, vec![height, width, channels])
        }
        (&[_, _] | &[_], _) => (Arrangement::Rows, sizes.clone()),
        _ => {
            return Err(ModelError::Config {
                place: "the graph's input".into(),
                expected: "[batch, C, H, W] or [batch, H, W, C] with C 1 or 3, [batch, H, W] or [batch, values]".into(),
                found: format!("[batch, {}]", sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
            });
        }
    };
    let threads = Arc::new(ThreadPool::with_num_threads(rayon::current_num_threads()));
    // Padding that depends on the size of an image is known once the library has seen one.
    if !sized.is_empty() {
        let shapes = {
            let mut plain = ModelOptions::with_all_ops();
            for (number, bytes) in data.iter().enumerate() {
                plain.external_data(&format!("{number}.data"), bytes.clone());
            }
            plain.enable_optimization(false);
            sizes_inside(
                &load(&proto, &plain)?,
                &sized,
                batch.unwrap_or(1),
                &sizes,
                &threads,
            )?
        };
        if let Some(graph) = &mut proto.graph {
            rewrite::pad_lower(graph, &sized, &shapes);
        }
        model = load(&proto, &options)?;
    }
    let (input, answers) = match (model.input_ids(), model.output_ids()) {
        (&[input], &[answers]) => (input, answers),
        _ => (input, answers),
    };
    let [rows, batches] = library::rows_and_batches(largest);
    let mut network = OnnxNetwork {
        model: Arc::new(model),
        threads,
        input,
        output: answers,
        sizes,
        input_shape,
        arrangement,
        flat,
        batch,
        rows: if alone { 1 } else { rows },
        batches,
        answer: AnswerKind::Logits,
        made_of: Made::AsTheyAre,
        num_classes: 0,
        reason,
        scaling: None,
    };
    notes.extend(network.ask_what_it_answers(&tail, output)?);
    Ok(OnnxFile {
        runs: Runs::Library {
            network: Box::new(network),
            layers: listing,
            scaling,
        },
        classes,
        features,
        output,
        data,
        notes,
    })
}

/// The graph as layers, the shape of one input and the layers put together, where every node has
/// kernels; else why the library runs it.
fn by_kernels(
    graph: &GraphProto,
    data: &[Vec<u8>],
    opset: i64,
    tail: &Tail,
    layout: Option<Layout>,
    output: Option<Output>,
) -> Result<(Vec<Layer>, Vec<usize>, Assembled), Refused> {
    let tensors = rewrite::constants(graph);
    let names: Vec<String> = (0..data.len())
        .map(|number| format!("{number}.data"))
        .collect();
    let files: BTreeMap<&str, &[u8]> = (names.iter().zip(data))
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let input = input_of(graph, &tensors, layout);
    let batch = input.as_ref().ok().and_then(|input| input.batch);
    let batch = batch.unwrap_or(value::OPEN);
    let reader = reader::Reader::new(&tensors, &files, opset, batch);
    let layers = reader.layers(graph, input.as_ref().map_err(|&why| why), tail)?;
    let input = input.map_err(|why| Refused::Unknown(why.to_owned()))?;
    // What cannot be put together is the library's.
    match assemble(layers.clone(), Some(input.shape.clone()), output) {
        Ok(assembled) => Ok((layers, input.shape, assembled)),
        Err(error) => Err(Refused::Unknown(error.to_string())),
    }
}

/// The input of a graph, or why no kernel takes it.
fn input_of(
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

/// The labels that a table's classifier, or the map of labels behind it, gives in the order of its
/// scores. Labels that are numbers name nothing.
fn class_labels(graph: &GraphProto) -> Option<String> {
    let texts = |node: &NodeProto| {
        let labels = attribute(node, "classlabels_strings")?.strings.as_slice();
        (!labels.is_empty()).then(|| serde_json::json!(labels).to_string())
    };
    graph.node.iter().rev().find_map(texts)
}

/// Names of the files that hold weights.
fn data_files(graph: &GraphProto) -> Result<BTreeSet<String>, ModelError> {
    graph
        .initializer
        .iter()
        .filter(|tensor| tensor.data_location == Some(DataLocation::EXTERNAL))
        .flat_map(|tensor| &tensor.external_data)
        .filter(|entry| entry.key.as_deref() == Some("location"))
        .filter_map(|entry| entry.value.clone())
        .map(|name| {
            let plain = Path::new(&name)
                .file_name()
                .is_some_and(|file| *file == *name);
            match plain {
                true => Ok(name),
                false => Err(ModelError::Config {
                    place: "the graph's weights".into(),
                    expected: "data files beside the model".into(),
                    found: name,
                }),
            }
        })
        .collect()
}

/// The batch, if it is fixed, and the sizes behind it.
fn input_sizes(model: &rten::Model) -> Result<(Option<usize>, Vec<usize>), ModelError> {
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

/// The nodes with weights, and the shapes of those weights' outputs are not in the file: the
/// listing gives operators, in order, with what they hold.
fn listing(graph: &GraphProto) -> Vec<LayerSummary> {
    let tensors: BTreeMap<&str, &TensorProto> = (graph.initializer.iter())
        .filter_map(|tensor| Some((tensor.name.as_deref()?, tensor)))
        .collect();
    let size_of = |name: &String| {
        tensors
            .get(name.as_str())?
            .dims
            .iter()
            .try_fold(1usize, |all, &size| {
                all.checked_mul(usize::try_from(size).ok()?)
            })
    };
    graph
        .node
        .iter()
        .map(|node| LayerSummary {
            name: node
                .name
                .clone()
                .filter(|name| !name.is_empty())
                .or_else(|| node.output.first().cloned())
                .unwrap_or_default(),
            class: node.op_type.clone().unwrap_or_default(),
            shape: Vec::new(),
            parameters: (node.input.iter().filter_map(size_of)).fold(0, usize::saturating_add),
        })
        .collect()
}

/// What happens to the input first, apart from changes of its shape or type: a scaling by
/// constants, of grey levels or not. Batch normalisation is none.
fn input_scaling(graph: &GraphProto) -> InputScaling {
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
