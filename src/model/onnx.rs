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
mod input;
mod layers;
mod library;
mod limits;
mod load;
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
use super::scaling::InputScaling;
use super::{LayerSummary, ModelError};
use crate::data::{MAX_TENSOR_BYTES, read_bytes};
use layers::Refused;
pub(super) use library::OnnxNetwork;
use rewrite::attribute;
use rten_onnx::onnx::{DataLocation, GraphProto, ModelProto, NodeProto, TensorProto};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tail::Tail;

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
    let data = data_beside(path, &mut graph, content.len() as u64)?;
    let listing = listing(&graph);
    let scaling = input::input_scaling(&graph);
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
    proto.graph = Some(graph);
    let asked = load::Asked {
        sized,
        alone,
        layout: told.layout,
        flat,
        reason,
    };
    let mut network = load::load(&mut proto, &data, asked)?;
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

/// What a data file is called inside the graph: the library takes only names that end in .data.
fn data_name(number: usize) -> String {
    format!("{number}.data")
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
    let names: Vec<String> = (0..data.len()).map(data_name).collect();
    let files: BTreeMap<&str, &[u8]> = (names.iter().zip(data))
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
        .collect();
    let input = input::input_of(graph, &tensors, layout);
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

/// The labels that a table's classifier, or the map of labels behind it, gives in the order of its
/// scores. Labels that are numbers name nothing.
fn class_labels(graph: &GraphProto) -> Option<String> {
    let texts = |node: &NodeProto| {
        let labels = attribute(node, "classlabels_strings")?.strings.as_slice();
        (!labels.is_empty()).then(|| serde_json::json!(labels).to_string())
    };
    graph.node.iter().rev().find_map(texts)
}

/// The data files of `path`'s folder that hold weights, renamed in the graph; with the file itself, of so
/// many bytes, they take [`MAX_TENSOR_BYTES`] at most.
fn data_beside(
    path: &Path,
    graph: &mut GraphProto,
    taken: u64,
) -> Result<Vec<Vec<u8>>, ModelError> {
    let mut data = Vec::new();
    let mut left = MAX_TENSOR_BYTES.saturating_sub(taken);
    for (number, name) in data_files(graph)?.into_iter().enumerate() {
        let fail = |source| ModelError::OnnxData {
            name: name.clone(),
            source,
        };
        let bytes = read_bytes(&path.with_file_name(&name), left).map_err(fail)?;
        left = left.saturating_sub(bytes.len() as u64);
        rewrite::rename_data(graph, &name, &data_name(number));
        data.push(bytes);
    }
    Ok(data)
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
