//! Layers as files describe them, in Keras's terms: before shapes are followed and
//! preprocessing is folded. Readers make these, [`super::Model::assemble`] takes them.

use crate::kernels::Activation;
pub(super) use crate::kernels::Pooling;

/// One layer of a file.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// Its name in the file; errors name it.
    pub(super) name: String,
    /// Its class in the file, e.g. `Conv2D`, for the listing of a model.
    pub(super) class: String,
    /// The values it takes: 0 is the model's input, `n` the output of layer `n - 1`. One value,
    /// two or more for [`Op::Add`].
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
    /// `x * scale + offset`: one value, one a channel (the last axis), or one a value. Rescaling,
    /// Normalization, BatchNormalization, standardised inputs.
    Affine { scale: Vec<f64>, offset: Vec<f64> },
    /// `x W + b` over the last axis, W `[inputs, outputs]`.
    Dense {
        inputs: usize,
        kernel: Vec<f32>,
        bias: Vec<f32>,
    },
    /// Cross-correlation, kernel `[height, width, inputs, outputs]`.
    Conv {
        shape: [usize; 4],
        kernel: Vec<f32>,
        bias: Vec<f32>,
        window: Window,
    },
    /// The same channel by channel, kernel `[height, width, channels, multiplier]`, bias
    /// `[channels * multiplier]`.
    DepthwiseConv {
        shape: [usize; 4],
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
    /// Softmax over the last axis: only at the end, where it is left out.
    Softmax,
    /// The sum of its values, all of one shape.
    Add,
}

/// How a window moves over an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Pixels from one window to the next, rows and columns.
    pub(super) stride: [usize; 2],
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
}
