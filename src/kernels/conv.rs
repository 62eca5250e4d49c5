//! A convolutional layer, and the largest values of squares of its pixels where they are all that is
//! asked for. Shader: `shaders/conv.wgsl`; of windows of 3 x 3 `shaders/conv3x3.wgsl`.
//!
//! The twin is in `convolution.rs`. What lies between a convolution and its pool, four times as much as
//! what is left, is never written.

use super::activation::{ACTIVATION, ActivationParams};
use super::convolution::{Convolution, arranged};
use super::windows::WindowParams;
use super::{
    Access, Activation, Binding, Buf, Constant, Element, Kernel, KernelLayer, KernelSpec,
    Recording, Windows, case, row_stride, shader_struct,
};
use std::mem::offset_of;

const WORKGROUP_SIZE: u32 = 64;
/// Pixels and channels that one invocation of the shaders computes.
const BLOCK: usize = 8;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "conv",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/activation.wgsl"),
        include_str!("../../shaders/shared/windows.wgsl"),
        include_str!("../../shaders/shared/convolution.wgsl"),
        include_str!("../../shaders/conv.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: ConvParams::SPEC,
    compiled_for: &[
        (
            ACTIVATION,
            offset_of!(ConvParams, activation) / size_of::<u32>(),
        ),
        (ENDING, offset_of!(ConvParams, ending) / size_of::<u32>()),
    ],
    constants: &[&[
        ("SUMS", Ending::Sums as i64),
        ("ADDED", Ending::Added as i64),
        ("LARGEST", Ending::Largest as i64),
    ]],
    bindings: &[
        Binding {
            name: "x",
            access: Access::Load,
            element: Element::F32,
        },
        Binding {
            name: "w",
            access: Access::Load,
            element: Element::Vec4F32,
        },
        Binding {
            name: "bias",
            access: Access::Read,
            element: Element::Vec4F32,
        },
        Binding {
            name: "other",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "y",
            access: Access::ReadWrite,
            element: Element::F32,
        },
    ],
    flop: |params| {
        let params = ConvParams::of(params);
        // Of each value of y.
        let sums = if params.ending == Ending::Largest as u32 {
            4
        } else {
            1
        };
        sums * 2 * params.windows.area() * u64::from(params.windows.channels)
    },
    twin,
    case,
};

shader_struct! {
    /// Parameters of the conv kernels.
    struct ConvParams {
        /// How windows move; its image of y is that before pooling, `y_stride` below that behind it.
        windows: WindowParams,
        /// What comes behind the sums.
        activation: ActivationParams,
        /// Of y before squares are taken together, of all images.
        pixels: u32,
        /// Four pixels each: of neighbours, or of squares of 2 x 2.
        fours: u32,
        /// Of an image.
        squares: u32,
        /// In a row of them.
        squares_across: u32,
        /// Vec4s between rows of w, even.
        w_stride: u32,
        /// Words between images of y.
        y_stride: u32,
        /// An [`Ending`].
        ending: u32,
    }
}

/// The shaders' constant that holds the [`Ending`] they are compiled for.
pub(super) const ENDING: &str = "ENDING";

/// What becomes of the sums of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Ending {
    /// No more than an activation.
    Sums = 0,
    /// Another value is added first.
    Added = 1,
    /// The largest of each square stays.
    Largest = 2,
}

impl Ending {
    /// All of them, in the order of their numbers.
    pub const EACH: [Self; 3] = [Self::Sums, Self::Added, Self::Largest];
}

/// The weights of a convolution, padded with zeros as the shader wants them.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvLayer {
    windows: Windows,
    /// `[window rows, window columns, input channels, padded output channels]`, row-major.
    kernel: Constant,
    /// `[padded output channels]`
    bias: Constant,
    activation: Activation,
    /// See [`Self::pooled`].
    pooled: bool,
}

impl ConvLayer {
    /// A layer from its kernel `[window rows, window columns, input channels, output channels]`,
    /// row-major, and bias `[output channels]`. The kernel is not turned round: these are
    /// cross-correlations, as in Keras.
    ///
    /// # Panics
    /// When the kernel or the bias do not have the shape that `windows` needs.
    pub fn new(windows: Windows, kernel: &[f32], bias: &[f32], activation: Activation) -> Self {
        let outputs = bias.len();
        let [height, width] = windows.size;
        assert_eq!(outputs, windows.output[2], "a bias is [output channels]");
        assert_eq!(
            kernel.len(),
            height * width * windows.input[2] * outputs,
            "a kernel is [rows, columns, input channels, output channels]"
        );
        let stride = outputs.next_multiple_of(BLOCK);
        let pad = |row: &[f32]| {
            let zeros = std::iter::repeat_n(0.0, stride - outputs);
            row.iter().copied().chain(zeros).collect::<Vec<_>>()
        };
        Self {
            windows,
            kernel: Constant::arranged(
                kernel.chunks_exact(outputs).flat_map(pad).collect(),
                move |weights| arranged(&windows.params(1), weights, stride),
            ),
            bias: Constant::new(pad(bias)),
            activation,
            pooled: false,
        }
    }

    /// The same with a pool of squares of 2 x 2 pixels behind it, of which the largest value stays; a last
    /// row or column that is half a square is left out.
    ///
    /// # Panics
    /// When there is no whole square.
    pub fn pooled(self) -> Self {
        let [height, width, _] = self.windows.output;
        assert!(
            height > 1 && width > 1,
            "a pool of 2 x 2 has a whole square"
        );
        Self {
            pooled: true,
            ..self
        }
    }

    /// Squares in a row and in a column of y: whole ones where they are taken together, else all that hold
    /// a pixel.
    fn squares(&self) -> [usize; 2] {
        let [height, width, _] = self.windows.output;
        [height, width].map(|pixels| match self.pooled {
            true => pixels / 2,
            false => pixels.div_ceil(2),
        })
    }

    /// Whether all pixels are computed in squares.
    fn is_3x3(&self) -> bool {
        let windows = &self.windows;
        let [down, across] = self.squares();
        let pixels = windows.output[0] * windows.output[1];
        windows.size == [3, 3]
            && windows.stride == [1, 1]
            && windows.dilation == [1, 1]
            // Half as many again may be computed in vain: each pixel is read once for all of a square.
            && 4 * down * across <= 3 * pixels / 2
    }
}

impl KernelLayer for ConvLayer {
    fn kernel(&self) -> Kernel {
        match self.is_3x3() {
            true => Kernel::Conv3x3,
            false => Kernel::Conv,
        }
    }

    fn outputs(&self) -> usize {
        let [down, across] = self.squares();
        match self.pooled {
            true => down * across * self.windows.output[2],
            false => self.windows.outputs(),
        }
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.conv(takes[0], takes.get(1).copied(), rows, self)
    }
}

impl Recording {
    /// `activation(x * W + b + other)` of `images`: `x` is `[images, row_stride(inputs)]`, the
    /// result and what is added, if anything is, `[images, row_stride(outputs)]`.
    ///
    /// # Panics
    /// When a length does not fit, or another value is added to a layer that is pooled.
    pub fn conv(
        &mut self,
        x: Buf<f32>,
        other: Option<Buf<f32>>,
        images: usize,
        layer: &ConvLayer,
    ) -> Buf<f32> {
        let windows = &layer.windows;
        windows.check_len("conv", x, images);
        let y_stride = row_stride(layer.outputs());
        assert!(
            other.is_none_or(|other| other.len() == images * y_stride && !layer.pooled),
            "conv: other is [images, row_stride(outputs)], of a layer that is not pooled"
        );
        let kernel = self.constant("conv.kernel", &layer.kernel);
        let bias = self.constant("conv.bias", &layer.bias);
        let by_squares = layer.pooled || layer.is_3x3();
        let pixels = images * windows.output[0] * windows.output[1];
        let [down, across] = layer.squares();
        let fours = match by_squares {
            true => images * down * across,
            false => pixels.div_ceil(4),
        };
        let ending = match (layer.pooled, other) {
            (true, _) => Ending::Largest,
            (false, Some(_)) => Ending::Added,
            (false, None) => Ending::Sums,
        };
        let params = ConvParams {
            windows: windows.params(1),
            activation: layer.activation.params(),
            pixels: pixels as u32,
            fours: fours as u32,
            squares: (down * across) as u32,
            squares_across: across as u32,
            w_stride: layer.bias.len() as u32 / 4,
            y_stride: y_stride as u32,
            ending: ending as u32,
        };
        let inputs = [x, kernel, bias, other.unwrap_or(bias)].map(|buf| self.id(buf));
        let invocations = fours.div_ceil(2) * (layer.bias.len() / BLOCK);
        self.command(
            layer.kernel(),
            params,
            &inputs,
            ("conv.y", images * y_stride),
            invocations.div_ceil(WORKGROUP_SIZE as usize),
        )
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = ConvParams::of(params);
    let [x, weights, bias, other] = [0, 1, 2, 3].map(|i| bytemuck::cast_slice(inputs[i]));
    let layer = Convolution {
        windows: &params.windows,
        weights,
        bias,
        activation: Activation::of(params.activation),
        pooled: params.ending == Ending::Largest as u32,
        y_stride: params.y_stride as usize,
    };
    let other = (params.ending == Ending::Added as u32).then_some(other);
    layer.run(x, other, bytemuck::cast_slice_mut(output));
}

/// Windows that leave pixels out.
fn case(recording: &mut Recording) -> &'static [bool] {
    let [_, strided] = case::windows(CASE_CHANNELS);
    case_of(recording, case_layer(strided))
}

pub(super) const CASE_CHANNELS: usize = 5;

/// A small layer.
pub(super) fn case_layer(windows: Windows) -> ConvLayer {
    let channels = windows.output[2];
    let taps = windows.size[0] * windows.size[1] * windows.input[2];
    let kernel = case::values(1, taps * channels);
    ConvLayer::new(
        windows,
        &kernel,
        &case::values(2, channels),
        Activation::Relu,
    )
}

/// What a layer gives with each ending.
pub(super) fn case_of(recording: &mut Recording, layer: ConvLayer) -> &'static [bool] {
    let x = case::rows(recording, case::NUM_IMAGES, layer.windows.inputs(), 1.0);
    let y = recording.conv(x, None, case::NUM_IMAGES, &layer);
    recording.download(y);
    let sum = recording.conv(x, Some(y), case::NUM_IMAGES, &layer);
    recording.download(sum);
    case::kept(recording, case::FLOATS, |r| {
        r.conv(x, None, case::NUM_IMAGES, &layer.pooled())
    })
}
