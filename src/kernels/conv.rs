//! A convolutional layer. Shader: `shaders/conv.wgsl`.
//!
//! The twin is in `convolution.rs`.

use super::activation::ActivationParams;
use super::convolution::{Convolution, arranged};
use super::windows::WindowParams;
use super::{
    Access, Activation, Binding, Buf, Constant, Element, Kernel, KernelLayer, KernelSpec,
    Recording, Windows, case, shader_struct,
};
use std::mem::offset_of;

const WORKGROUP_SIZE: u32 = 64;
/// Pixels and channels that one invocation of the shader computes.
const BLOCK: usize = 8;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "conv",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/activation.wgsl"),
        include_str!("../../shaders/shared/windows.wgsl"),
        include_str!("../../shaders/conv.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: ConvParams::SPEC,
    compiled_for: Some(offset_of!(ConvParams, activation) / size_of::<u32>()),
    constants: &[
        &[("BLOCK_PIXELS", BLOCK as i64)],
        super::activation::NUMBERS,
    ],
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
        let windows = &ConvParams::of(params).windows;
        2 * windows.area() * u64::from(windows.channels)
    },
    twin,
    case,
};

shader_struct! {
    /// Parameters of the conv kernel.
    struct ConvParams {
        /// How windows move.
        windows: WindowParams,
        /// What comes last.
        activation: ActivationParams,
        /// Output pixels of all images.
        pixels: u32,
        /// Vec4s between rows of w, even.
        w_stride: u32,
        /// 1 where another value is added, 0 where bias is bound in its place.
        is_sum: u32,
    }
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
        }
    }
}

impl KernelLayer for ConvLayer {
    fn kernel(&self) -> Kernel {
        Kernel::Conv
    }

    fn outputs(&self) -> usize {
        self.windows.outputs()
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.conv(takes[0], takes.get(1).copied(), rows, self)
    }
}

impl Recording {
    /// `activation(x * W + b + other)` of `images`: `x` is `[images, row_stride(inputs)]`, the
    /// result and what is added, if anything is, `[images, row_stride(outputs)]`.
    pub fn conv(
        &mut self,
        x: Buf<f32>,
        other: Option<Buf<f32>>,
        images: usize,
        layer: &ConvLayer,
    ) -> Buf<f32> {
        let windows = &layer.windows;
        let y_len = windows.result_len("conv", x, images);
        assert!(
            other.is_none_or(|other| other.len() == y_len),
            "conv: other is [images, row_stride(outputs)]"
        );
        let kernel = self.constant("conv.kernel", &layer.kernel);
        let bias = self.constant("conv.bias", &layer.bias);
        let pixels = images * windows.output[0] * windows.output[1];
        let params = ConvParams {
            windows: windows.params(1),
            pixels: pixels as u32,
            w_stride: layer.bias.len() as u32 / 4,
            is_sum: u32::from(other.is_some()),
            activation: layer.activation.params(),
        };
        let inputs = [x, kernel, bias, other.unwrap_or(bias)].map(|buf| self.id(buf));
        let invocations = pixels.div_ceil(BLOCK) * (layer.bias.len() / BLOCK);
        self.command(
            Kernel::Conv,
            params,
            &inputs,
            ("conv.y", y_len),
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
    };
    let other = (params.is_sum == 1).then_some(other);
    layer.run(x, other, bytemuck::cast_slice_mut(output));
}

/// Windows with padding, and windows that leave pixels out.
fn case(recording: &mut Recording) -> &'static [bool] {
    let channels = 5;
    let x = case::rows(recording, case::NUM_IMAGES, 7 * 6 * 3, 1.0);
    for windows in case::windows(channels) {
        let kernel = case::values(1, windows.size[0] * windows.size[1] * 3 * channels);
        let layer = ConvLayer::new(
            windows,
            &kernel,
            &case::values(2, channels),
            Activation::Relu,
        );
        let y = recording.conv(x, None, case::NUM_IMAGES, &layer);
        recording.download(y);
        let sum = recording.conv(x, Some(y), case::NUM_IMAGES, &layer);
        recording.download(sum);
    }
    case::FLOATS
}
