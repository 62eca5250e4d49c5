//! A network that the library runs, on the CPU: how rows become its input, and its output answers.

use super::tail::Tail;
use crate::kernels::{Activation, BUDGET};
use crate::model::options::Layout;
use crate::model::output::{self, End, Finish, Output};
use crate::model::scaling::Scaling;
use crate::model::{AnswerKind, HostError, HostNetwork, Inputs, ModelError};
use rayon::prelude::*;
use rten::{NodeId, RunOptions, ThreadPool, Value, ValueOrView};
use rten_tensor::{AsView as _, Layout as _};
use rten_tensor::{Tensor, TensorView};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// Rows that go through the network at once where the file leaves the batch open, at most.
const BATCH_ROWS: usize = 64;

/// Rows that go through a network together, and how many such batches at once, where its largest value has
/// so many numbers for a row.
pub(super) fn rows_and_batches(largest: usize) -> [usize; 2] {
    let rows = (BUDGET.results / (4 * largest)).clamp(1, BATCH_ROWS);
    let batches =
        (2 * BUDGET.results / (4 * largest * rows)).clamp(1, rayon::current_num_threads());
    [rows, batches]
}

/// How far a probability may lie outside 0..1, and a row's sum from 1: a softmax that was quantised
/// to 8 bits is off by half a step, 1/512, a class.
const OUTSIDE: f32 = 0.02;

/// How a row of values, `[H, W, C]`, becomes the network's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrangement {
    /// As it is.
    Rows,
    /// `[C, H, W]`.
    ChannelsFirst,
    /// The same in one row, of so many channels and pixels.
    Flattened([usize; 2]),
}

/// What is made of a graph's values before they are answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    AsTheyAre,
    /// The sigmoid of each.
    Sigmoids,
    /// Of one probability p two, `[1 - p, p]`.
    TwoProbabilities,
    /// Of one logit z two, `[0, z]`.
    TwoLogits,
}

/// A network that the library runs.
#[derive(Clone)]
pub(in crate::model) struct OnnxNetwork {
    pub(super) model: Arc<rten::Model>,
    pub(super) threads: Arc<ThreadPool>,
    pub(super) input: NodeId,
    pub(super) output: NodeId,
    /// Sizes of the input behind the batch, as the file has them.
    pub(super) sizes: Vec<usize>,
    /// `[H, W]`, `[H, W, C]` or `[values]`.
    pub(super) input_shape: Vec<usize>,
    pub(super) arrangement: Arrangement,
    /// How a row of values was made of an image.
    pub(super) flat: Layout,
    /// The batch, where the file fixes it.
    pub(super) batch: Option<usize>,
    /// Rows that go together where the file leaves the batch open: 1 where answers to one depend on the
    /// others it goes with.
    pub(super) rows: usize,
    /// Batches that are computed at once.
    pub(super) batches: usize,
    pub(super) answer: AnswerKind,
    /// What is made of its values before they are answers.
    pub(super) made_of: Made,
    pub(super) num_classes: usize,
    /// Why no engine runs it.
    pub(super) reason: String,
    /// `x * scale + offset` of each value, one a channel, ahead of the network.
    pub(super) scaling: Option<(Vec<f32>, Vec<f32>)>,
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
        let batch = self.batch.unwrap_or(self.rows);
        let batches = (BUDGET.results / (4 * values * batch)).min(self.batches);
        batch * batches.max(1)
    }

    fn answer(&self, inputs: Inputs) -> Result<Vec<f32>, HostError> {
        let values = self.run(&inputs.values)?;
        Ok(match self.made_of {
            Made::AsTheyAre => values,
            Made::Sigmoids => {
                let sigmoid = |z: f32| Activation::Sigmoid.apply(z);
                values.into_iter().map(sigmoid).collect()
            }
            Made::TwoProbabilities => values.into_iter().flat_map(|p| [1.0 - p, p]).collect(),
            Made::TwoLogits => values.into_iter().flat_map(|z| [0.0, z]).collect(),
        })
    }

    fn describe(&self) -> String {
        format!("an ONNX network, by rten on the CPU ({})", self.reason)
    }
}

impl OnnxNetwork {
    /// Takes a row of values as the network was given images of this shape; gives what the user
    /// should know.
    pub(in crate::model) fn fit_images(
        &mut self,
        [height, width, channels]: [usize; 3],
    ) -> Option<String> {
        if self.sizes.len() != 1 || self.flat != Layout::ChannelsFirst {
            return None;
        }
        self.arrangement = Arrangement::Flattened([channels, height * width]);
        Some(output::CHANNELS_FIRST.into())
    }

    /// Scales inputs ahead of the network.
    pub(in crate::model) fn scale_input(&mut self, scaling: &Scaling) -> Result<(), ModelError> {
        let values: usize = self.sizes.iter().product();
        let channels = match (self.arrangement, &self.sizes[..]) {
            (Arrangement::ChannelsFirst, sizes) => sizes[0],
            (Arrangement::Rows, &[_, _, channels]) => channels,
            (Arrangement::Rows | Arrangement::Flattened(_), _) => 1,
        };
        let each = |numbers: &[f64]| match numbers.len() {
            count if [1, channels, values].contains(&count) => {
                Ok((0..values).map(|k| numbers[k % count] as f32).collect())
            }
            count => Err(ModelError::Config {
                place: "`mean` and `std`".into(),
                expected: format!("1 number or {channels}, one a channel"),
                found: format!("{count} numbers"),
            }),
        };
        self.scaling = Some((each(&scaling.scale)?, each(&scaling.offset)?));
        Ok(())
    }

    /// Asks the network for its answers to a few inputs of grey levels: their number, and whether
    /// they are what its tail says. Gives what the user should know.
    pub(super) fn ask_what_it_answers(
        &mut self,
        tail: &Tail,
        told: Option<Output>,
    ) -> Result<Vec<String>, ModelError> {
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
        let outputs = answers.len() / 4;
        if outputs == 0 {
            return Err(ModelError::TooFewClasses { outputs });
        }
        // Levels may be far from what a graph was made for: an overflow tells nothing.
        let bounded = answers
            .iter()
            .filter(|answer| answer.is_finite())
            .all(|p| (-OUTSIDE..=1.0 + OUTSIDE).contains(p));
        let sums_to_one = |within: f32| {
            bounded
                && answers
                    .chunks_exact(outputs)
                    .all(|row| (row.iter().sum::<f32>() - 1.0).abs() <= within)
        };
        let mut notes = Vec::new();
        let probabilities = match (told, tail) {
            (Some(told), _) => told == Output::Probabilities,
            (None, Tail::Softmax { changed_by: None }) => true,
            (
                None,
                Tail::Softmax {
                    changed_by: Some(operator),
                },
            ) => {
                // What lies behind the softmax may round or clip, but not make something else of it.
                if outputs > 1 && !sums_to_one(OUTSIDE * outputs as f32) {
                    return Err(ModelError::Config {
                        place: "the graph's output".into(),
                        expected: format!(
                            "probabilities behind its softmax and {operator}; say what they are with `output` logits, probabilities or sigmoid"
                        ),
                        found: "values whose sum is not 1".into(),
                    });
                }
                true
            }
            (
                None,
                Tail::Sigmoid {
                    operator,
                    changed_by: Some(by),
                },
            ) if !bounded => {
                return Err(ModelError::Config {
                    place: "the graph's output".into(),
                    expected: format!(
                        "values from 0 to 1 behind its {operator} and {by}; say what they are with `output` logits, probabilities or sigmoid"
                    ),
                    found: "others".into(),
                });
            }
            (None, Tail::Open) if outputs > 1 && sums_to_one(1e-4) => {
                notes.push("its last operators do not say what it answers; since its answers lie in 0..1 and add up to 1, they are used as probabilities; `output` says otherwise".into());
                true
            }
            (None, _) => false,
        };
        if probabilities && !bounded {
            return Err(ModelError::Config {
                place: "`output` probabilities".into(),
                expected: "answers from 0 to 1".into(),
                found: "others".into(),
            });
        }
        let (end, told) = match (tail, probabilities) {
            (_, true) => (End::Open, Some(Output::Probabilities)),
            (Tail::Sigmoid { operator, .. }, _) => (End::SigmoidLike(operator), told),
            (Tail::Softmax { .. } | Tail::LogSoftmax, _) => (End::Open, told),
            (Tail::Open | Tail::Table, _) => (End::Open, told),
        };
        let (finish, note) = Finish::of(end, outputs, told, &|_| String::new())?;
        notes.extend(note);
        let done = matches!(end, End::SigmoidLike(_)) || finish == Finish::Probabilities;
        let rounded = matches!(
            tail,
            Tail::Softmax {
                changed_by: Some(_)
            }
        );
        (self.answer, self.made_of) = match (finish, outputs, done) {
            (Finish::Logits, 1, _) | (Finish::Sigmoids, 1, false) => {
                (AnswerKind::Logits, Made::TwoLogits)
            }
            (Finish::Logits, ..) => (AnswerKind::Logits, Made::AsTheyAre),
            (_, 1, _) => (AnswerKind::Probabilities, Made::TwoProbabilities),
            (Finish::Sigmoids, _, false) => (AnswerKind::Separate, Made::Sigmoids),
            (Finish::Probabilities, ..)
                if !rounded && !matches!(end, End::SigmoidLike(_)) && sums_to_one(1e-3) =>
            {
                (AnswerKind::Probabilities, Made::AsTheyAre)
            }
            _ => (AnswerKind::Separate, Made::AsTheyAre),
        };
        if probabilities && outputs > 1 {
            notes
                .push("it answers probabilities; their logarithms are taken for its logits".into());
        }
        self.num_classes = outputs.max(2);
        Ok(notes)
    }

    fn run(&self, inputs: &[f32]) -> Result<Vec<f32>, ModelError> {
        let values: usize = self.sizes.iter().product();
        let rows = inputs.len() / values;
        let batch = self.batch.unwrap_or(self.rows.min(rows.max(1)));
        let mut answers = Vec::with_capacity(rows);
        for inputs in inputs.chunks(batch * values * self.batches) {
            let batches = inputs.par_chunks(batch * values);
            let found = batches.map(|rows| self.run_batch(rows, batch));
            answers.extend(found.collect::<Result<Vec<Vec<f32>>, _>>()?);
        }
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
        // Answers of convolutions have sides of 1 behind the classes.
        let classes: usize = view.shape().iter().skip(1).product();
        let row = view.ndim() == 1 || view.shape()[1..].contains(&classes);
        if view.shape().first() != Some(&given) || !row {
            return Err(fail(format!(
                "expected answers [{given}, classes], found {:?}",
                view.shape()
            )));
        }
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
            Arrangement::ChannelsFirst | Arrangement::Flattened(_) => {
                let (channels, pixels) = match self.arrangement {
                    Arrangement::Flattened([channels, pixels]) => (channels, pixels),
                    _ => (self.sizes[0], self.sizes[1] * self.sizes[2]),
                };
                for channel in 0..channels {
                    for pixel in 0..pixels {
                        to[channel * pixels + pixel] = scaled(pixel * channels + channel);
                    }
                }
            }
        }
    }
}

/// Shapes of values inside the graph, of a batch of zeros.
pub(super) fn sizes_inside(
    model: &rten::Model,
    names: &[String],
    batch: usize,
    sizes: &[usize],
    threads: &Arc<ThreadPool>,
) -> Result<Vec<Vec<usize>>, ModelError> {
    let fail = |reason: String| ModelError::OnnxRun { reason };
    let shape: Vec<usize> = [batch].iter().chain(sizes).copied().collect();
    names
        .iter()
        .map(|name| {
            let id = model
                .node_id(name)
                .map_err(|error| fail(error.to_string()))?;
            let input = model.input_ids()[0];
            if id == input {
                return Ok(shape.clone());
            }
            let mut options = RunOptions::default();
            options.thread_pool = Some(threads.clone());
            let zeros = Tensor::<f32>::zeros(&shape);
            let outputs = guarded(|| model.run(vec![(input, zeros.into())], &[id], Some(options)))
                .map_err(fail)?
                .map_err(|error| fail(error.to_string()))?;
            Ok(outputs
                .first()
                .map(|value| value.shape().to_vec())
                .unwrap_or_default())
        })
        .collect()
}

/// What the library does with a file; a panic of its own is an error that says so. Nothing is
/// looked at afterwards that the panic could have left half done.
pub(super) fn guarded<T>(task: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(AssertUnwindSafe(task)).map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        format!(
            "its library gave up, {}",
            said.unwrap_or("for no reason it names")
        )
    })
}
