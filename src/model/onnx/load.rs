//! A graph in the hands of the library.

use super::library::{Made, OnnxNetwork, guarded, rows_and_batches, sizes_inside};
use super::{data_name, input, limits, rewrite};
use crate::model::options::Layout;
use crate::model::{AnswerKind, ModelError};
use rten::{ModelOptions, ThreadPool};
use rten_onnx::onnx::ModelProto;
use std::sync::Arc;

/// How a graph is to be run.
pub(super) struct Asked {
    /// Values whose padding depends on their sizes, which the library is asked for.
    pub(super) sized: Vec<String>,
    /// Whether each input goes through it alone.
    pub(super) alone: bool,
    /// How images lie, where the user says it.
    pub(super) layout: Option<Layout>,
    /// How a row of values was made of an image.
    pub(super) flat: Layout,
    /// Why no engine runs it.
    pub(super) reason: String,
}

/// The network of `proto` with the data files beside it; what it answers it is not asked yet.
///
/// # Errors
/// [`ModelError`] where the library does not take the graph, or [`limits`] are passed.
pub(super) fn load(
    proto: &mut ModelProto,
    data: &[Vec<u8>],
    asked: Asked,
) -> Result<OnnxNetwork, ModelError> {
    let Asked {
        sized,
        alone,
        layout,
        flat,
        reason,
    } = asked;
    let load = |proto: &ModelProto, is_optimised| {
        let mut options = ModelOptions::with_all_ops();
        for (number, bytes) in data.iter().enumerate() {
            options.external_data(&data_name(number), bytes.clone());
        }
        options.enable_optimization(is_optimised);
        let not_onnx = |reason| ModelError::Onnx { reason };
        let content = (proto.write_buf()).map_err(|error| not_onnx(error.to_string()))?;
        guarded(|| options.load(content))
            .map_err(not_onnx)?
            .map_err(|error| not_onnx(format!("{error}; it has no kernels either: {reason}")))
    };
    let mut model = load(proto, true)?;
    let [mut input, mut output] = ends(&model)?;
    let (batch, sizes) = input::input_sizes(&model)?;
    let largest = match &proto.graph {
        Some(graph) => limits::check_shapes(&model, graph, batch)?,
        None => 1,
    };
    let (arrangement, input_shape) = input::arrangement(&sizes, layout)?;
    let threads = Arc::new(ThreadPool::with_num_threads(rayon::current_num_threads()));
    // Padding that depends on the size of an image is known once the library has seen one.
    if !sized.is_empty() {
        let plain = load(proto, false)?;
        let shapes = sizes_inside(&plain, &sized, batch.unwrap_or(1), &sizes, &threads)?;
        drop(plain);
        if let Some(graph) = &mut proto.graph {
            rewrite::pad_lower(graph, &sized, &shapes);
        }
        model = load(proto, true)?;
        [input, output] = ends(&model)?;
    }
    let [rows, batches] = rows_and_batches(largest);
    Ok(OnnxNetwork {
        model: Arc::new(model),
        threads,
        input,
        output,
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
    })
}

/// The input and the output.
fn ends(model: &rten::Model) -> Result<[rten::NodeId; 2], ModelError> {
    match (model.input_ids(), model.output_ids()) {
        (&[input], &[output]) => Ok([input, output]),
        (inputs, _) => Err(ModelError::Config {
            place: "the graph".into(),
            expected: "one input".into(),
            found: inputs.len().to_string(),
        }),
    }
}
