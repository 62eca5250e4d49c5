//! Layers as files describe them, in Keras's terms: before shapes are followed and
//! preprocessing is folded. Readers make these, [`super::Model::assemble`] takes them.

pub(super) use super::arrange::Arrangement;
use super::one_kernel::OneKernel;
use super::scaling::{InputScaling, Scaling};
use crate::kernels::Activation;
pub(super) use crate::kernels::{Combining, Pooling};
use std::sync::Arc;

/// One layer of a file.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// Its name in the file; errors name it.
    pub(super) name: String,
    /// Its class in the file, e.g. `Conv2D`, for the listing of a model.
    pub(super) class: String,
    /// The values it takes: 0 is the model's input, `n` the output of layer `n - 1`. One value,
    /// two or more for [`Op::Add`], [`Op::Combine`] and some [`Arrangement`]s.
    pub(super) takes: Vec<usize>,
    /// What it computes.
    pub(super) op: Op,
    /// Weights that it holds in the file, trained or not, for the listing.
    pub(super) parameters: usize,
}

/// What a layer computes. Images are `[height, width, channels]`.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// The same values, shaped anew: Flatten (`None`) and Reshape, where one size may be 0: what
    /// the others leave.
    Reshape(Option<Vec<usize>>),
    /// The same values with an axis of one more, or less, in front of axis `at`.
    Axis { at: usize, added: bool },
    /// `x * scale + offset`: one value, one a channel (the last axis), or one a value. Rescaling,
    /// Normalization, BatchNormalization, standardised inputs.
    Affine { scale: Vec<f64>, offset: Vec<f64> },
    /// `x W + b` over the last axis, W `[inputs, outputs]`.
    Dense {
        inputs: usize,
        kernel: Vec<f32>,
        bias: Vec<f32>,
    },
    /// Cross-correlation of groups of channels, kernel `[height, width, inputs a group, outputs]`; of
    /// one channel each it is depthwise.
    Conv {
        shape: [usize; 4],
        groups: usize,
        kernel: Vec<f32>,
        bias: Vec<f32>,
        window: Window,
    },
    /// The largest or the mean value of a window; padding takes no part in either.
    Pool {
        pooling: Pooling,
        size: [usize; 2],
        window: Window,
    },
    /// The largest or the mean value of each channel: `[channels]`.
    GlobalPool(Pooling),
    /// A function of each value.
    Activation(Activation),
    /// Softmax over the last axis, which holds all values: only at the end, where it is left out.
    Softmax,
    /// The sum of its values, repeated along axes of one where shapes differ.
    Add,
    /// The product of two values, the larger of them or the first by the other, repeated in the same way.
    Combine(Combining),
    /// Values that change places.
    Arrange(Arrangement),
    /// A kernel of its own.
    Kernel(Arc<dyn OneKernel>),
}

impl Op {
    /// Whether it renames axes and no more.
    pub(super) fn is_shape(&self) -> bool {
        matches!(self, Self::Reshape(_) | Self::Axis { .. })
    }

    /// Weights that it holds.
    pub(super) fn parameters(&self) -> usize {
        match self {
            Self::Dense { kernel, bias, .. } | Self::Conv { kernel, bias, .. } => {
                kernel.len() + bias.len()
            }
            Self::Kernel(kernel) => kernel.parameters(),
            _ => 0,
        }
    }
}

/// How a window moves over an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Pixels from one window to the next, rows and columns.
    pub(super) stride: [usize; 2],
    /// Pixels from one of a window's to the next.
    pub(super) dilation: [usize; 2],
    pub(super) padding: Padding,
}

/// What happens at the edge of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    /// Windows lie inside the image.
    Valid,
    /// `ceil(size / stride)` windows; of an odd number of padding pixels the larger half comes
    /// last, as in TensorFlow.
    Same,
    /// So many pixels above and to the left, and below and to the right.
    Stated {
        before: [usize; 2],
        after: [usize; 2],
    },
}

/// Class of a scaling that the file or the user states for the input as such.
pub(super) const STATED_SCALING: &str = "Scaling";

/// Its name.
pub(super) const STATED_SCALING_NAME: &str = "scaling";

/// What the layers begin with. Batch normalisation is no scaling, whatever its numbers: it follows
/// what it was trained on, which was scaled already as often as not.
pub(super) fn input_scaling(layers: &[Layer]) -> InputScaling {
    let mut value = 0;
    let mut found = InputScaling::None;
    for (number, layer) in layers.iter().enumerate() {
        if layer.takes != [value] {
            return found;
        }
        match &layer.op {
            Op::Reshape(_) | Op::Axis { .. } | Op::Activation(Activation::Linear) => {}
            Op::Affine { .. } if layer.class == STATED_SCALING => return InputScaling::GreyLevels,
            Op::Affine { scale, offset } if layer.class != "BatchNormalization" => {
                let (scale, offset) = (scale.clone(), offset.clone());
                if (Scaling { scale, offset }).takes_grey_levels() {
                    return InputScaling::GreyLevels;
                }
                found = InputScaling::Other;
            }
            _ => return found,
        }
        value = number + 1;
    }
    found
}
