//! What the last values of a network mean, and how class probabilities follow from them.
//!
//! A softmax at the end is left out and done by its kernel, so that logits stay logits. Sigmoids
//! are left out the same way, since softmax over them would be another model: one output is two
//! classes, several answer each for itself. What the last function of the file is decides, or the
//! user; the numbers that come out decide nothing.

use super::ModelError;
use crate::kernels::{Activation, Buf, ElementwiseLayer, Recording, row_stride};

/// What is said where rows of values are images channel by channel.
pub(super) const CHANNELS_FIRST: &str = "it takes a row of values; colour images are given to it channel by channel, [C, H, W], as PyTorch flattens them; `layout` hwc says otherwise";

/// What the last values of a network are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// Logits, whose softmax gives the probabilities; one alone is the logit of the second of
    /// two classes.
    Logits,
    /// Probabilities as they are; one alone is that of the second of two classes.
    Probabilities,
    /// Sigmoids, or their logits where the file does not end in sigmoids: each class for itself;
    /// one alone is that of the second of two classes.
    Sigmoid,
}

impl Output {
    /// All of them by name.
    pub const NAMED: [(&'static str, Self); 3] = [
        ("logits", Self::Logits),
        ("probabilities", Self::Probabilities),
        ("sigmoid", Self::Sigmoid),
    ];

    /// The one of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        let named = Self::NAMED.iter().find(|(known, _)| *known == name);
        named.map(|(_, output)| *output)
    }
}

/// What a network ends in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum End {
    /// A softmax, left out.
    Softmax,
    /// Probabilities as they are, by what computes them.
    Probabilities,
    /// Sums of products, or what has no bounds at all.
    Open,
    /// A sigmoid.
    Sigmoid,
    /// A function from 0 to 1 that is taken for a sigmoid, by its name.
    SigmoidLike(&'static str),
    /// Another function of each value.
    Function(Activation),
}

/// What is made of the last values so that they are logits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    /// They are logits, with no sigmoid behind them.
    Logits,
    /// They are logits once the sigmoid behind them is left out; each class for itself.
    Sigmoids,
    /// They are probabilities, of which logarithms are taken.
    Probabilities,
}

/// How probabilities follow from logits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// By the softmax of a row.
    Softmax,
    /// Each by its own sigmoid: they need not add up to 1.
    Sigmoid,
    /// Each is the exponential of its logit, a logarithm of what the network answered: they add
    /// up to what the network's answers do.
    Exponential,
}

impl Finish {
    /// What is made of a network that ends in `end`, and what the user is told.
    pub(super) fn of(
        end: End,
        outputs: usize,
        told: Option<Output>,
        name: &dyn Fn(Activation) -> String,
    ) -> Result<(Self, Option<String>), ModelError> {
        let few = || ModelError::TooFewClasses { outputs };
        if end == End::Softmax {
            if told == Some(Output::Sigmoid) {
                return Err(ModelError::Config {
                    place: "`output`".into(),
                    expected: "logits or probabilities, since the model ends in a softmax".into(),
                    found: "sigmoid".into(),
                });
            }
            // The softmax of a single value is 1 whatever it is.
            return if outputs < 2 {
                Err(few())
            } else {
                Ok((Self::Logits, None))
            };
        }
        let alone = outputs == 1;
        let finish = match (told, end) {
            (None, End::Open) | (Some(Output::Logits), _) => Self::Logits,
            (None | Some(Output::Probabilities | Output::Sigmoid), End::Sigmoid)
            | (Some(Output::Sigmoid), End::Open) => Self::Sigmoids,
            (None | Some(Output::Sigmoid), End::SigmoidLike(_))
            | (Some(Output::Probabilities), _)
            | (Some(Output::Sigmoid), End::Function(_))
            | (_, End::Probabilities) => Self::Probabilities,
            (None, End::Function(_)) if alone => return Err(few()),
            (None, End::Function(_)) => Self::Logits,
            (_, End::Softmax) => unreachable!("returned above"),
        };
        let what = match end {
            End::Sigmoid => "sigmoid".to_owned(),
            End::SigmoidLike(name) => name.to_owned(),
            End::Function(activation) => name(activation),
            End::Open | End::Softmax | End::Probabilities => String::new(),
        };
        let note = match (finish, end) {
            (Self::Logits, _) if alone => Some(
                "its one output is a logit: the two classes are 1 - s and s, s its sigmoid; `output` says otherwise".into(),
            ),
            (Self::Logits, End::Function(_)) if told.is_none() => Some(format!(
                "it ends in {what}, whose values are used as logits; `output` says otherwise"
            )),
            (Self::Logits, _) => None,
            (_, End::Open) if alone => Some("its one output is taken as the second of two classes".into()),
            (Self::Sigmoids, End::Open) => Some(
                "each output is the logit of a sigmoid of its own: the probabilities of a row need not add up to 1".into(),
            ),
            (_, End::Open | End::Probabilities) => None,
            _ if alone => Some(format!(
                "its one output is a {what}, s: the two classes are 1 - s and s"
            )),
            _ => Some(format!(
                "it ends in {outputs} values of {what}, which are kept as they are: the probabilities of a row need not add up to 1; `output` says otherwise"
            )),
        };
        Ok((finish, note))
    }
}

impl Link {
    /// Appends probabilities of logits `[rows, row_stride(classes)]` to a recording; gives them
    /// and how many values lie between the starts of two rows.
    pub fn record(
        self,
        recording: &mut Recording,
        logits: Buf<f32>,
        rows: usize,
        classes: usize,
    ) -> (Buf<f32>, usize) {
        let function = match self {
            Self::Softmax => return (recording.softmax(logits, rows, classes), classes),
            Self::Sigmoid => Activation::Sigmoid,
            Self::Exponential => Activation::Exponential,
        };
        let layer = ElementwiseLayer::new(classes, &[1.0], &[0.0], function);
        let probabilities = recording.elementwise(logits, None, rows, &layer);
        (probabilities, row_stride(classes))
    }
}
