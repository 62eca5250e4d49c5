//! A convolutional layer. Shader: `shaders/conv.wgsl`.

use super::windows::WindowParams;
use super::{
    Access, Activation, Binding, Buf, Element, Kernel, KernelSpec, Recording, Windows, row_stride,
    shader_struct,
};
use ndarray::{ArrayView2, ArrayViewMut2, Axis, linalg::general_mat_mul};
use rayon::prelude::*;
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
    bindings: &[
        Binding {
            name: "x",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "w",
            access: Access::Read,
            element: Element::Vec4F32,
        },
        Binding {
            name: "bias",
            access: Access::Read,
            element: Element::Vec4F32,
        },
        Binding {
            name: "y",
            access: Access::ReadWrite,
            element: Element::F32,
        },
    ],
    twin,
};

shader_struct! {
    /// Parameters of the conv kernel.
    struct ConvParams {
        /// How windows move.
        windows: WindowParams,
        /// Output pixels of all images.
        pixels: u32,
        /// Vec4s between rows of w, even.
        w_stride: u32,
        /// An [`Activation`]'s number.
        activation: u32,
        /// Its parameters.
        slope: f32,
        /// See [`Activation`].
        threshold: f32,
        /// See [`Activation`].
        ceiling: f32,
    }
}

/// The weights of a convolution, padded with zeros as the shader wants them.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvLayer {
    windows: Windows,
    /// `[window rows, window columns, input channels, padded output channels]`, row-major.
    kernel: Vec<f32>,
    /// `[padded output channels]`
    bias: Vec<f32>,
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
            kernel: kernel.chunks_exact(outputs).flat_map(pad).collect(),
            bias: pad(bias),
            activation,
        }
    }

    /// Values an image it gives.
    pub fn outputs(&self) -> usize {
        self.windows.outputs()
    }
}

impl Recording {
    /// `activation(x * W + b)` of `images`: `x` is `[images, row_stride(inputs)]`, the result
    /// `[images, row_stride(outputs)]`.
    pub fn conv(&mut self, x: Buf<f32>, images: usize, layer: &ConvLayer) -> Buf<f32> {
        let windows = &layer.windows;
        let x_stride = row_stride(windows.inputs());
        let y_stride = row_stride(windows.outputs());
        assert_eq!(
            x.len(),
            images * x_stride,
            "conv: x is [images, row_stride(inputs)]"
        );
        let kernel = self.upload("conv.kernel", &layer.kernel);
        let bias = self.upload("conv.bias", &layer.bias);
        let (activation, [slope, threshold, ceiling]) = layer.activation.coded();
        let pixels = images * windows.output[0] * windows.output[1];
        let params = ConvParams {
            windows: windows.params(),
            pixels: pixels as u32,
            w_stride: layer.bias.len() as u32 / 4,
            activation,
            slope,
            threshold,
            ceiling,
        };
        let inputs = [self.id(x), self.id(kernel), self.id(bias)];
        let invocations = pixels.div_ceil(BLOCK) * (layer.bias.len() / BLOCK);
        self.command(
            Kernel::Conv,
            params,
            &inputs,
            ("conv.y", images * y_stride),
            invocations.div_ceil(WORKGROUP_SIZE as usize),
        )
    }
}

/// Pixels that the twin multiplies at a time: their windows stay in the second-level cache.
const PANEL: usize = 256;

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params: ConvParams = *bytemuck::from_bytes(bytemuck::cast_slice(params));
    let [x, w, bias] = [0, 1, 2].map(|i| bytemuck::cast_slice::<u32, f32>(inputs[i]));
    let y: &mut [f32] = bytemuck::cast_slice_mut(output);
    let windows = params.windows;
    let outputs = windows.outputs as usize;
    let taps = windows.size_y as usize * windows.size_x as usize * windows.channels as usize;
    let activation = Activation::decoded((
        params.activation,
        [params.slope, params.threshold, params.ceiling],
    ));
    let shaped = "buffers have the shapes their command gave them";
    let w = ArrayView2::from_shape((taps, 4 * params.w_stride as usize), w).expect(shaped);
    let (w, _) = w.split_at(Axis(1), outputs);
    y.par_chunks_exact_mut(windows.y_stride as usize)
        .zip(x.par_chunks_exact(windows.x_stride as usize))
        .for_each_init(
            || vec![0.0; PANEL * taps],
            |panel, (y, x)| {
                let panels = y[..windows.values as usize].chunks_mut(PANEL * outputs);
                for (n, y) in panels.enumerate() {
                    let pixels = y.len() / outputs;
                    for (k, to) in panel.chunks_exact_mut(taps).take(pixels).enumerate() {
                        gather(&windows, x, n * PANEL + k, to);
                    }
                    for row in y.chunks_exact_mut(outputs) {
                        row.copy_from_slice(&bias[..outputs]);
                    }
                    let x = ArrayView2::from_shape((pixels, taps), &panel[..pixels * taps])
                        .expect(shaped);
                    let mut sums =
                        ArrayViewMut2::from_shape((pixels, outputs), &mut *y).expect(shaped);
                    general_mat_mul(1.0, &x, &w, 1.0, &mut sums);
                    activation.apply_to(y);
                }
            },
        );
}

/// The window of an output pixel, `[window rows, window columns, channels]`.
fn gather(windows: &WindowParams, x: &[f32], pixel: usize, to: &mut [f32]) {
    let channels = windows.channels as usize;
    let inside = windows.inside(pixel);
    let rows = to.chunks_exact_mut(windows.size_x as usize * channels);
    for (row, to) in (0..).zip(rows) {
        if inside.rows.contains(&row) && !inside.columns.is_empty() {
            let from = windows.word(&inside, row, inside.columns.start);
            let start = inside.columns.start as usize * channels;
            let end = inside.columns.end as usize * channels;
            to[..start].fill(0.0);
            to[start..end].copy_from_slice(&x[from..][..end - start]);
            to[end..].fill(0.0);
        } else {
            to.fill(0.0);
        }
    }
}
