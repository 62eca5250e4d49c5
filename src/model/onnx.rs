//! ONNX models, run on the CPU by the crate `rten`: for every layer that has no kernel here.
//!
//! Frames are morphed by the engine as ever; their logits come from the library. What the file
//! does not say in so many words is found out when it is read, by asking it: how many classes it
//! has, and whether its answers are probabilities already ([`AnswerKind`]).

mod limits;

use super::file::Scaling;
use super::{AnswerKind, HostError, HostNetwork, Inputs, LayerSummary, ModelError};
use crate::data::{MAX_TENSOR_BYTES, read_bytes};
use crate::kernels::BUDGET;
use rayon::prelude::*;
use rten::{Dimension, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView};
use rten_onnx::onnx::{DataLocation, GraphProto, ModelProto, NodeProto, TensorProto};
use rten_tensor::{AsView as _, Layout as _};
use rten_tensor::{Tensor, TensorView};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

/// Rows that go through the network at once where the file leaves the batch open.
const BATCH_ROWS: usize = 64;

/// Values of one input at most: an image of 4096 x 4096 pixels in colour and a third more.
const MAX_INPUT: usize = 1 << 26;

/// How a row of values, `[H, W, C]`, becomes the network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrangement {
    /// As it is.
    Rows,
    /// `[C, H, W]`.
    ChannelsFirst,
}

/// A network that the library runs.
#[derive(Clone)]
pub(super) struct OnnxNetwork {
    model: Arc<rten::Model>,
    threads: Arc<ThreadPool>,
    input: NodeId,
    output: NodeId,
    /// Sizes of the input behind the batch, as the file has them.
    sizes: Vec<usize>,
    /// `[H, W]`, `[H, W, C]` or `[values]`.
    input_shape: Vec<usize>,
    arrangement: Arrangement,
    /// The batch, where the file fixes it.
    batch: Option<usize>,
    answer: AnswerKind,
    num_classes: usize,
    /// `x * scale + offset` of each value, one a channel, ahead of the network.
    scaling: Option<(Vec<f32>, Vec<f32>)>,
}

impl std::fmt::Debug for OnnxNetwork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnnxNetwork")
            .field("sizes", &self.sizes)
            .field("arrangement", &self.arrangement)
            .field("batch", &self.batch)
            .field("answer", &self.answer)
            .field("num_classes", &self.num_classes)
            .finish_non_exhaustive()
    }
}

/// A network and what its file says of it.
pub(super) struct OnnxFile {
    pub(super) network: OnnxNetwork,
    pub(super) layers: Vec<LayerSummary>,
    /// Metadata `classes`, a JSON list of strings.
    pub(super) classes: Option<String>,
    /// Whether the first thing it does to its input is to scale it.
    pub(super) scaled: bool,
    /// The bytes of the data files beside it, in the order of their names.
    pub(super) data: Vec<Vec<u8>>,
}

/// Reads an ONNX file from its `content`; weights that it keeps in files beside itself are read
/// from the folder of `path`, [`MAX_TENSOR_BYTES`] together. What its graph may ask of the library
/// is in [`limits`].
pub(super) fn read(path: &Path, content: &[u8]) -> Result<OnnxFile, ModelError> {
    let not_onnx = |reason: String| ModelError::Onnx { reason };
    limits::check_messages(content)?;
    let proto = ModelProto::parse_buf(content).map_err(|error| not_onnx(error.to_string()))?;
    let graph = proto
        .graph
        .as_ref()
        .filter(|graph| !graph.node.is_empty())
        .ok_or_else(|| not_onnx("there is no graph in it".into()))?;
    limits::check_sizes(graph)?;
    let mut options = ModelOptions::with_all_ops();
    let mut data = Vec::new();
    let mut total = content.len() as u64;
    for name in data_files(graph)? {
        let place = path.with_file_name(&name);
        let fail = |source| ModelError::OnnxData {
            name: name.clone(),
            source,
        };
        let bytes = read_bytes(&place, MAX_TENSOR_BYTES.saturating_sub(total)).map_err(fail)?;
        total += bytes.len() as u64;
        options.external_data(&name, bytes.clone());
        data.push(bytes);
    }
    let model = guarded(|| options.load(content.to_vec()))
        .map_err(not_onnx)?
        .map_err(|error| not_onnx(error.to_string()))?;
    let (&[input], &[output]) = (model.input_ids(), model.output_ids()) else {
        return Err(ModelError::Config {
            place: "the graph".into(),
            expected: "one input and one output".into(),
            found: format!(
                "{} and {}",
                model.input_ids().len(),
                model.output_ids().len()
            ),
        });
    };
    let (batch, sizes) = input_sizes(&model)?;
    let (arrangement, input_shape) = match sizes[..] {
        [channels @ (1 | 3), height, width] => {
            (Arrangement::ChannelsFirst, vec![height, width, channels])
        }
        [height, width, channels @ (1 | 3)] => (Arrangement::Rows, vec![height, width, channels]),
        [_, _] | [_] => (Arrangement::Rows, sizes.clone()),
        _ => {
            return Err(ModelError::Config {
                place: "the graph's input".into(),
                expected: "[batch, C, H, W] or [batch, H, W, C] with C 1 or 3, [batch, H, W] or [batch, values]".into(),
                found: format!("[batch, {}]", sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
            });
        }
    };
    let threads = ThreadPool::with_num_threads(rayon::current_num_threads());
    let mut network = OnnxNetwork {
        model: Arc::new(model),
        threads: Arc::new(threads),
        input,
        output,
        sizes,
        input_shape,
        arrangement,
        batch,
        answer: AnswerKind::Logits,
        num_classes: 0,
        scaling: None,
    };
    network.ask_what_it_answers()?;
    let classes = proto.metadata_props.into_iter().find_map(|entry| {
        (entry.key.as_deref() == Some("classes"))
            .then_some(entry.value)
            .flatten()
    });
    Ok(OnnxFile {
        layers: layers(graph),
        scaled: scales_input(graph),
        network,
        classes,
        data,
    })
}

/// What the library does with a file; a panic of its own is an error that says so. Nothing is
/// looked at afterwards that the panic could have left half done.
fn guarded<T>(task: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(AssertUnwindSafe(task)).map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        format!(
            "its library gave up, {}",
            said.unwrap_or("for no reason it names")
        )
    })
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
fn layers(graph: &GraphProto) -> Vec<LayerSummary> {
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

/// Whether the first thing that happens to the input, apart from changes of its shape or type,
/// is an operation by constants.
fn scales_input(graph: &GraphProto) -> bool {
    let weights: BTreeSet<&str> = (graph.initializer.iter())
        .filter_map(|tensor| tensor.name.as_deref())
        .collect();
    let Some(mut value) = graph
        .input
        .iter()
        .filter_map(|input| input.name.as_deref())
        .find(|name| !weights.contains(name))
    else {
        return false;
    };
    let takes = |node: &&NodeProto, value: &str| node.input.iter().any(|input| input == value);
    for _ in 0..graph.node.len() {
        let Some(node) = graph.node.iter().find(|node| takes(node, value)) else {
            return false;
        };
        match (node.op_type.as_deref(), node.output.first()) {
            (Some("Mul" | "Div" | "Sub" | "Add" | "BatchNormalization"), _) => return true,
            (
                Some(
                    "Cast" | "Identity" | "Transpose" | "Reshape" | "Flatten" | "Unsqueeze"
                    | "Squeeze",
                ),
                Some(output),
            ) => value = output,
            _ => return false,
        }
    }
    false
}

impl HostNetwork for OnnxNetwork {
    fn num_classes(&self) -> usize {
        self.num_classes
    }

    fn input_shape(&self) -> Option<&[usize]> {
        Some(&self.input_shape)
    }

    fn answer_kind(&self) -> AnswerKind {
        self.answer
    }

    /// Enough for all threads, as far as memory allows.
    fn batch_size(&self) -> usize {
        let values: usize = self.sizes.iter().product();
        let batch = self.batch.unwrap_or(BATCH_ROWS);
        let batches = (BUDGET.results / (4 * values * batch)).min(rayon::current_num_threads());
        batch * batches.max(1)
    }

    fn answer(&self, inputs: Inputs) -> Result<Vec<f32>, HostError> {
        Ok(self.run(&inputs.values)?)
    }

    fn describe(&self) -> String {
        "an ONNX network, by rten on the CPU".into()
    }
}

impl OnnxNetwork {
    /// Scales inputs ahead of the network.
    pub(super) fn scale_input(&mut self, scaling: &Scaling) -> Result<(), ModelError> {
        let values: usize = self.sizes.iter().product();
        let channels = match (self.arrangement, &self.sizes[..]) {
            (Arrangement::ChannelsFirst, sizes) => sizes[0],
            (Arrangement::Rows, &[_, _, channels]) => channels,
            (Arrangement::Rows, _) => 1,
        };
        let each = |numbers: &[f64]| match numbers.len() {
            count if [1, channels, values].contains(&count) => {
                Ok((0..values).map(|k| numbers[k % count] as f32).collect())
            }
            count => Err(ModelError::Config {
                place: "--mean and --std".into(),
                expected: format!("1 number or {channels}, one a channel"),
                found: format!("{count} numbers"),
            }),
        };
        self.scaling = Some((each(&scaling.scale)?, each(&scaling.offset)?));
        Ok(())
    }

    /// Asks the network for its answers to a few inputs of grey levels: their number, and what
    /// they are.
    fn ask_what_it_answers(&mut self) -> Result<(), ModelError> {
        let values: usize = self.sizes.iter().product();
        // Black, grey, and two textures.
        let probes: Vec<f32> = (0..4)
            .flat_map(|n: usize| {
                (0..values).map(move |k| match n {
                    0 => 0.0,
                    1 => 128.0,
                    _ => ((k * (7 + 6 * n) + 31 * n) % 256) as f32,
                })
            })
            .collect();
        let answers = self.run(&probes)?;
        let classes = answers.len() / 4;
        if classes < 2 {
            return Err(ModelError::TooFewClasses { outputs: classes });
        }
        self.num_classes = classes;
        let are_probabilities = answers.chunks_exact(classes).all(|row| {
            let sum: f32 = row.iter().sum();
            row.iter().all(|p| (0.0..=1.0).contains(p)) && (sum - 1.0).abs() < 1e-4
        });
        if are_probabilities {
            self.answer = AnswerKind::Probabilities;
        }
        Ok(())
    }

    fn run(&self, inputs: &[f32]) -> Result<Vec<f32>, ModelError> {
        let values: usize = self.sizes.iter().product();
        let rows = inputs.len() / values;
        let batch = self.batch.unwrap_or(BATCH_ROWS.min(rows.max(1)));
        let answers = inputs
            .par_chunks(batch * values)
            .map(|rows| self.run_batch(rows, batch))
            .collect::<Result<Vec<Vec<f32>>, _>>()?;
        Ok(answers.concat())
    }

    /// Runs up to `batch` rows; a fixed batch is filled with zeros.
    fn run_batch(&self, inputs: &[f32], batch: usize) -> Result<Vec<f32>, ModelError> {
        let values: usize = self.sizes.iter().product();
        let rows = inputs.len() / values;
        let given = if self.batch.is_some() { batch } else { rows };
        let mut input = vec![0.0; given * values];
        for (to, row) in input
            .chunks_exact_mut(values)
            .zip(inputs.chunks_exact(values))
        {
            self.arrange(row, to);
        }
        let shape: Vec<usize> = [given].iter().chain(&self.sizes).copied().collect();
        let input = Tensor::from_data(&shape, input);
        let fail = |reason: String| ModelError::OnnxRun { reason };
        let mut options = RunOptions::default();
        options.thread_pool = Some(self.threads.clone());
        let input: ValueOrView<'_> = input.into();
        let run = || {
            self.model
                .run(vec![(self.input, input)], &[self.output], Some(options))
        };
        let outputs = guarded(run)
            .map_err(fail)?
            .map_err(|error| fail(error.to_string()))?;
        let Some(answers @ Value::FloatTensor(_)) = outputs.first() else {
            return Err(fail("its output is no tensor of floats".into()));
        };
        let view: TensorView<'_, f32> = answers
            .try_into()
            .map_err(|error: rten::TryFromValueError| fail(error.to_string()))?;
        if view.shape().first() != Some(&given) || view.ndim() != 2 {
            return Err(fail(format!(
                "expected answers [{given}, classes], found {:?}",
                view.shape()
            )));
        }
        let classes = view.size(1);
        let mut answers = view.to_vec();
        answers.truncate(rows * classes);
        Ok(answers)
    }

    /// A row `[H, W, C]` as the network takes it.
    fn arrange(&self, row: &[f32], to: &mut [f32]) {
        let scaled = |k: usize| match &self.scaling {
            Some((scale, offset)) => row[k] * scale[k] + offset[k],
            None => row[k],
        };
        match self.arrangement {
            Arrangement::Rows => {
                (to.iter_mut().enumerate()).for_each(|(k, value)| *value = scaled(k))
            }
            Arrangement::ChannelsFirst => {
                let (channels, pixels) = (self.sizes[0], self.sizes[1] * self.sizes[2]);
                for channel in 0..channels {
                    for pixel in 0..pixels {
                        to[channel * pixels + pixel] = scaled(pixel * channels + channel);
                    }
                }
            }
        }
    }
}
