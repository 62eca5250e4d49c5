//! A convolutional layer. Shader: `shaders/conv.wgsl`.
//!
//! The twin works on the images themselves, with zeros around them: sums of 16 channels of a few
//! pixels stay in registers while all weights pass by. Rejected: windows copied side by side and
//! one matrix product (im2col), less than half as fast where measured; the copies and the
//! product's own packing cost as much as the products.

use super::activation::ActivationParams;
use super::windows::WindowParams;
use super::{
    Access, Activation, Binding, Buf, Constant, Element, Kernel, KernelLayer, KernelSpec,
    Recording, Windows, case, shader_struct,
};
use pulp::{Arch, Simd, WithSimd};
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
                move |weights| in_blocks(weights, stride),
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
        recording.conv(takes[0], rows, self)
    }
}

impl Recording {
    /// `activation(x * W + b)` of `images`: `x` is `[images, row_stride(inputs)]`, the result
    /// `[images, row_stride(outputs)]`.
    pub fn conv(&mut self, x: Buf<f32>, images: usize, layer: &ConvLayer) -> Buf<f32> {
        let windows = &layer.windows;
        let y_len = windows.result_len("conv", x, images);
        let kernel = self.constant("conv.kernel", &layer.kernel);
        let bias = self.constant("conv.bias", &layer.bias);
        let pixels = images * windows.output[0] * windows.output[1];
        let params = ConvParams {
            windows: windows.params(),
            pixels: pixels as u32,
            w_stride: layer.bias.len() as u32 / 4,
            activation: layer.activation.params(),
        };
        let inputs = [self.id(x), self.id(kernel), self.id(bias)];
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

/// Output channels whose sums the twin keeps in registers, for some pixels of a row at a time.
const TWIN_CHANNELS: usize = 16;
/// Products that are worth a task of their own.
const TASK_PRODUCTS: usize = 1 << 20;

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = ConvParams::of(params);
    let [x, w, bias] = [0, 1, 2].map(|i| bytemuck::cast_slice::<u32, f32>(inputs[i]));
    let y: &mut [f32] = bytemuck::cast_slice_mut(output);
    let windows = &params.windows;
    let activation = Activation::of(params.activation);
    let row_values = (windows.out_width * windows.outputs) as usize;
    let taps = (windows.size_y * windows.size_x) as usize * windows.channels as usize;
    let rows_a_task = (TASK_PRODUCTS / (row_values * taps)).max(1);
    // As `in_blocks` has left them.
    let weights: &[[f32; TWIN_CHANNELS]] = bytemuck::cast_slice(w);
    let arch = Arch::new();
    y.par_chunks_exact_mut(windows.y_stride as usize)
        .zip(x.par_chunks_exact(windows.x_stride as usize))
        .for_each_init(Vec::new, |padded, (y, x)| {
            pad(windows, x, padded);
            let x = padded.as_slice();
            y[..windows.values as usize]
                .par_chunks_mut(rows_a_task * row_values)
                .enumerate()
                .for_each(|(task, y)| {
                    arch.dispatch(Rows {
                        windows,
                        x,
                        weights,
                        taps,
                        bias,
                        activation,
                        first: task * rows_a_task,
                        y,
                    });
                });
        });
}

/// Weights `[taps, padded outputs]` as the twin reads them: `[blocks, taps, TWIN_CHANNELS]`, those
/// of a block of channels side by side, zeros behind the last channel. Done once a layer: done in
/// every batch it cost as much as a row of small images.
fn in_blocks(weights: &[f32], outputs: usize) -> Vec<f32> {
    let taps = weights.len() / outputs;
    let mut arranged = vec![0.0; outputs.div_ceil(TWIN_CHANNELS) * taps * TWIN_CHANNELS];
    for (block, arranged) in arranged.chunks_exact_mut(taps * TWIN_CHANNELS).enumerate() {
        let channels = block * TWIN_CHANNELS..outputs.min((block + 1) * TWIN_CHANNELS);
        let rows = weights.chunks_exact(outputs);
        for (to, row) in arranged.chunks_exact_mut(TWIN_CHANNELS).zip(rows) {
            to[..channels.len()].copy_from_slice(&row[channels.clone()]);
        }
    }
    arranged
}

/// Values a row of an image with its padding, as far as windows cover it.
fn padded_row(windows: &WindowParams) -> usize {
    let width = (windows.out_width as i32 - 1) * windows.stride_x + windows.size_x;
    width as usize * windows.channels as usize
}

/// What the windows of an image cover, with zeros for padding.
fn pad(windows: &WindowParams, x: &[f32], padded: &mut Vec<f32>) {
    let out_height = (windows.out_pixels / windows.out_width) as i32;
    let height = (out_height - 1) * windows.stride_y + windows.size_y;
    let row_values = padded_row(windows);
    padded.clear();
    padded.resize(height as usize * row_values, 0.0);
    let channels = windows.channels as usize;
    let left = windows.before_x as usize * channels;
    let columns = (windows.width as usize * channels).min(row_values - left);
    let rows = padded
        .chunks_exact_mut(row_values)
        .skip(windows.before_y as usize);
    for (to, from) in rows.zip(x.chunks_exact(windows.width as usize * channels)) {
        to[left..left + columns].copy_from_slice(&from[..columns]);
    }
}

/// Some rows of output pixels of a padded image.
struct Rows<'a> {
    windows: &'a WindowParams,
    x: &'a [f32],
    /// `[blocks, taps]`
    weights: &'a [[f32; TWIN_CHANNELS]],
    taps: usize,
    /// `[padded outputs]`
    bias: &'a [f32],
    activation: Activation,
    /// The first row's number.
    first: usize,
    y: &'a mut [f32],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Registers a block of channels takes, and as many pixels as fill the machine's: 16 of
        // 8 values, 32 of 4 or of 16, of which 7 pixels hide an addition's latency and cut the
        // usual widths (28, 56, 224) evenly.
        match S::F32_LANES {
            16 => self.compute::<S, 1, 7>(simd),
            8 => self.compute::<S, 2, 4>(simd),
            4 => self.compute::<S, 4, 4>(simd),
            _ => self.compute::<S, TWIN_CHANNELS, 1>(simd),
        }
    }
}

impl Rows<'_> {
    #[inline(always)]
    fn compute<S: Simd, const REGISTERS: usize, const PIXELS: usize>(self, simd: S) {
        let windows = self.windows;
        let [outputs, out_width] = [windows.outputs, windows.out_width].map(|n| n as usize);
        let run = windows.size_x as usize * windows.channels as usize;
        let step = windows.stride_x as usize * windows.channels as usize;
        let x_row = padded_row(windows);
        let biases = self.bias.chunks(TWIN_CHANNELS);
        let blocks = self.weights.chunks_exact(self.taps).zip(biases);
        for (n, (block, bias)) in blocks.enumerate() {
            let channels = n * TWIN_CHANNELS..outputs.min((n + 1) * TWIN_CHANNELS);
            let mut padded_bias = [0.0; TWIN_CHANNELS];
            padded_bias[..bias.len()].copy_from_slice(bias);
            let bias = registers::<S, REGISTERS>(&padded_bias);
            let rows = self.y.chunks_exact_mut(out_width * outputs);
            for (y, row) in rows.zip(self.first..) {
                let x = &self.x[row * windows.stride_y as usize * x_row..];
                for pixel in (0..out_width).step_by(PIXELS) {
                    let mut sums = [bias; PIXELS];
                    for (weights, x) in block.chunks_exact(run).zip(x.chunks(x_row)) {
                        // Pixels past the row's end are its last one; their sums are not stored.
                        let levels: [&[f32]; PIXELS] = std::array::from_fn(|k| {
                            &x[(pixel + k).min(out_width - 1) * step..][..run]
                        });
                        for (t, weights) in weights.iter().enumerate() {
                            let weights = registers::<S, REGISTERS>(weights);
                            for (sums, levels) in sums.iter_mut().zip(levels) {
                                let level = simd.splat_f32s(levels[t]);
                                for (sum, weight) in sums.iter_mut().zip(weights) {
                                    *sum = simd.mul_add_e_f32s(weight, level, *sum);
                                }
                            }
                        }
                    }
                    let pixels = y[pixel * outputs..].chunks_exact_mut(outputs);
                    for (y, sums) in pixels.zip(&sums) {
                        let values: &[f32] = bytemuck::cast_slice(sums);
                        let y = &mut y[channels.clone()];
                        // The usual length is known to the compiler.
                        match <&mut [f32; TWIN_CHANNELS]>::try_from(&mut *y) {
                            Ok(y) => y.copy_from_slice(values),
                            Err(_) => y.copy_from_slice(&values[..y.len()]),
                        }
                    }
                }
            }
        }
        self.activation.apply_to(self.y);
    }
}

/// The values of a block of channels as vectors.
#[inline(always)]
fn registers<S: Simd, const REGISTERS: usize>(
    values: &[f32; TWIN_CHANNELS],
) -> [S::f32s; REGISTERS] {
    let vectors: &[S::f32s] = bytemuck::cast_slice(values);
    std::array::from_fn(|k| vectors[k])
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
        let y = recording.conv(x, case::NUM_IMAGES, &layer);
        recording.download(y);
    }
    case::FLOATS
}
