//! Networks that the host runs, not an engine: a graph in a library, or a function of the program
//! around this one.
//!
//! The pipeline asks them for whole batches, always from the thread that called the pipeline: a
//! function may hold what belongs to that thread (an interpreter's lock, a gradient mode, a
//! `RefCell`), so nothing here needs to be `Send` or `Sync`. What else is at work meanwhile runs
//! on threads of its own (`pipeline/host.rs`).

use super::{Link, ModelError};

/// An error of a function's or a library's own; the pipeline passes it on as it is.
pub type HostError = Box<dyn std::error::Error + Send + Sync>;

/// What a network's answers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerKind {
    /// Any finite numbers, of which the softmax is taken.
    Logits,
    /// Of each input 0..1, 1 together. Their logarithms are logits up to a constant, so the
    /// softmax of these gives them back.
    Probabilities,
    /// Of each input 0..1, each class for itself: sigmoids, or probabilities that were rounded.
    /// They are kept as they are.
    Separate,
}

impl AnswerKind {
    /// How probabilities follow from the logits that are made of the answers.
    pub fn link(self) -> Link {
        match self {
            Self::Logits | Self::Probabilities => Link::Softmax,
            Self::Separate => Link::Sigmoid,
        }
    }
}

/// Inputs that a network is asked for together.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    /// How many there are, at least 1.
    pub rows: usize,
    /// Their values, `[rows, ...]`: images `[H, W, C]` in grey levels 0..255, or features.
    pub values: Vec<f32>,
}

impl Inputs {
    /// The values of each input.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        let width = self.values.len() / self.rows.max(1);
        self.values.chunks_exact(width.max(1))
    }
}

/// A network that the host runs.
pub trait HostNetwork {
    /// Classes of the answers, at least 2.
    fn num_classes(&self) -> usize;

    /// Shape of one input: `[H, W]`, `[H, W, C]` or `[values]`; nothing where it takes any.
    fn input_shape(&self) -> Option<&[usize]>;

    /// What its answers are.
    fn answer_kind(&self) -> AnswerKind;

    /// Inputs it is asked for at once, at least 1. Each batch but a job's last has as many.
    fn batch_size(&self) -> usize;

    /// The answers `[rows, num_classes]`. They are checked by who asks: how many they are, and
    /// that each is finite.
    ///
    /// # Errors
    /// Whatever is wrong, in an error of its own.
    fn answer(&self, inputs: Inputs) -> Result<Vec<f32>, HostError>;

    /// What it is, for the eye: `an ONNX network, by rten on the CPU`.
    fn describe(&self) -> String;
}

/// What a function says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionSpec {
    /// Classes of its answers, at least 2.
    pub num_classes: usize,
    /// Shape of one input: `[H, W]`, `[H, W, C]` or `[values]`; nothing where it takes any.
    pub input_shape: Option<Vec<usize>>,
    /// What it answers. It is not found out: probabilities may look like logits.
    pub answers: AnswerKind,
    /// Inputs it is called with at once, at least 1; the last call of a job may have fewer.
    pub batch_size: usize,
}

/// A function of the host program as a classifier.
///
/// ```
/// use morphscape::model::{AnswerKind, Function, FunctionSpec, Inputs};
/// use morphscape::{engine::cpu::CpuEngine, pipeline};
///
/// let spec = FunctionSpec {
///     num_classes: 2,
///     input_shape: Some(vec![2]),
///     answers: AnswerKind::Logits,
///     batch_size: 64,
/// };
/// // Which of two numbers is the larger?
/// let larger = Function::new(spec, |inputs: Inputs| Ok::<_, std::fmt::Error>(inputs.values))?;
/// let answers = pipeline::classify(&CpuEngine::new(), &larger, &[&[1.0, 0.0], &[0.0, 3.0]])?;
/// assert!(answers.probabilities[0] > 0.5 && answers.probabilities[3] > 0.5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Function<F> {
    spec: FunctionSpec,
    call: F,
}

impl<F> Function<F> {
    /// `call` gets a batch of inputs and gives `[rows, num_classes]` answers, or an error of its
    /// own. It is called from the thread that called the pipeline, one call at a time.
    ///
    /// # Errors
    /// [`ModelError`] when `spec` has fewer than two classes, or no inputs in a batch or a shape.
    pub fn new(spec: FunctionSpec, call: F) -> Result<Self, ModelError> {
        if spec.num_classes < 2 {
            return Err(ModelError::TooFewClasses {
                outputs: spec.num_classes,
            });
        }
        let wrong = |place: &str, found: String| ModelError::Config {
            place: format!("the function's {place}"),
            expected: "at least 1".into(),
            found,
        };
        if spec.batch_size == 0 {
            return Err(wrong("batch size", "0".into()));
        }
        let shape = spec.input_shape.as_deref();
        let values = shape.map(|shape| shape.iter().try_fold(1usize, |n, &s| n.checked_mul(s)));
        match values {
            Some(Some(0) | None) => Err(wrong("input shape", format!("{shape:?}"))),
            _ => Ok(Self { spec, call }),
        }
    }
}

impl<F> std::fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

impl<F, E> HostNetwork for Function<F>
where
    F: Fn(Inputs) -> Result<Vec<f32>, E>,
    E: Into<HostError>,
{
    fn num_classes(&self) -> usize {
        self.spec.num_classes
    }

    fn input_shape(&self) -> Option<&[usize]> {
        self.spec.input_shape.as_deref()
    }

    fn answer_kind(&self) -> AnswerKind {
        self.spec.answers
    }

    fn batch_size(&self) -> usize {
        self.spec.batch_size
    }

    fn answer(&self, inputs: Inputs) -> Result<Vec<f32>, HostError> {
        (self.call)(inputs).map_err(E::into)
    }

    fn describe(&self) -> String {
        "a function of the program".into()
    }
}
