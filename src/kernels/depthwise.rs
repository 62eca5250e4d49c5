//! A convolution whose channels stay apart in groups; of one channel each it is depthwise. Shader:
//! `shaders/depthwise.wgsl`.
//!
//! The twin of larger groups is in `convolution.rs`.

use super::activation::{ACTIVATION, ActivationParams};
use super::convolution::{Convolution, arranged};
use super::vectors::{bounded, bounded_value, bounds, registers};
use super::windows::WindowParams;
use super::{
    Access, Activation, Binding, Buf, Constant, Element, Kernel, KernelLayer, KernelSpec,
    Recording, Windows, case, shader_struct,
};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::mem::offset_of;
use std::ops::Range;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "depthwise",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/activation.wgsl"),
        include_str!("../../shaders/shared/windows.wgsl"),
        include_str!("../../shaders/shared/window_values.wgsl"),
        include_str!("../../shaders/depthwise.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: DepthwiseParams::SPEC,
    compiled_for: &[(
        ACTIVATION,
        offset_of!(DepthwiseParams, activation) / size_of::<u32>(),
    )],
    constants: &[],
    bindings: &[
        Binding {
            name: "x",
            access: Access::Load,
            element: Element::F32,
        },
        Binding {
            name: "w",
            access: Access::Load,
            element: Element::F32,
        },
        Binding {
            name: "bias",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "y",
            access: Access::ReadWrite,
            element: Element::Vec4F32,
        },
    ],
    flop: |params| 2 * DepthwiseParams::of(params).windows.taps() as u64,
    twin,
    case,
};

shader_struct! {
    /// Parameters of the depthwise kernel.
    struct DepthwiseParams {
        /// How windows move.
        windows: WindowParams,
        /// What comes last.
        activation: ActivationParams,
        /// Vec4s of y.
        fours: u32,
    }
}

/// The weights of a convolution in groups.
#[derive(Debug, Clone, PartialEq)]
pub struct DepthwiseLayer {
    windows: Windows,
    groups: usize,
    kernel: Constant,
    bias: Constant,
    activation: Activation,
}

impl DepthwiseLayer {
    /// A layer of `groups` groups of channels, as many as there are input channels where it is
    /// depthwise, from its kernel `[window rows, window columns, inputs a group, output
    /// channels]`, row-major, and bias `[output channels]`. The outputs of a group are neighbours.
    ///
    /// # Panics
    /// When the kernel or the bias do not have the shape that `windows` and `groups` need.
    pub fn new(
        windows: Windows,
        groups: usize,
        kernel: &[f32],
        bias: &[f32],
        activation: Activation,
    ) -> Self {
        let ([height, width], [_, _, inputs]) = (windows.size, windows.input);
        let outputs = windows.output[2];
        assert!(
            inputs.is_multiple_of(groups) && outputs.is_multiple_of(groups),
            "groups divide the channels"
        );
        assert_eq!(bias.len(), outputs, "a bias is [output channels]");
        assert_eq!(
            kernel.len(),
            height * width * (inputs / groups) * outputs,
            "a kernel is [rows, columns, inputs a group, output channels]"
        );
        let kernel = kernel.to_vec();
        Self {
            windows,
            groups,
            kernel: match inputs / groups {
                1 => Constant::new(kernel),
                _ => Constant::arranged(kernel, move |weights| {
                    arranged(&windows.params(groups), weights, outputs)
                }),
            },
            bias: Constant::new(bias.to_vec()),
            activation,
        }
    }
}

impl KernelLayer for DepthwiseLayer {
    fn kernel(&self) -> Kernel {
        Kernel::Depthwise
    }

    fn outputs(&self) -> usize {
        self.windows.outputs()
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.depthwise(takes[0], rows, self)
    }
}

impl Recording {
    /// `activation(x * W + b)` of `images`, channel by channel: `x` is
    /// `[images, row_stride(inputs)]`, the result `[images, row_stride(outputs)]`.
    pub fn depthwise(&mut self, x: Buf<f32>, images: usize, layer: &DepthwiseLayer) -> Buf<f32> {
        let windows = &layer.windows;
        let y_len = windows.result_len("depthwise", x, images);
        let kernel = self.constant("depthwise.kernel", &layer.kernel);
        let bias = self.constant("depthwise.bias", &layer.bias);
        let params = DepthwiseParams {
            windows: windows.params(layer.groups),
            fours: (y_len / 4) as u32,
            activation: layer.activation.params(),
        };
        let inputs = [self.id(x), self.id(kernel), self.id(bias)];
        let workgroups = params.fours.div_ceil(WORKGROUP_SIZE) as usize;
        let y = ("depthwise.y", y_len);
        self.command(Kernel::Depthwise, params, &inputs, y, workgroups)
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = DepthwiseParams::of(params);
    let [x, w, bias] = [0, 1, 2].map(|i| bytemuck::cast_slice::<u32, f32>(inputs[i]));
    let y: &mut [f32] = bytemuck::cast_slice_mut(output);
    let windows = params.windows;
    let activation = Activation::of(params.activation);
    if windows.group_inputs > 1 {
        let layer = Convolution {
            windows: &windows,
            weights: w,
            bias,
            activation,
            pooled: false,
            y_stride: windows.y_stride as usize,
        };
        return layer.run(x, None, y);
    }
    let row_values = (windows.out_width * windows.outputs) as usize;
    let rows_a_task = (TASK_VALUES / row_values).max(1);
    let arch = Arch::new();
    y.par_chunks_exact_mut(windows.y_stride as usize)
        .zip(x.par_chunks_exact(windows.x_stride as usize))
        .for_each(|(y, x)| {
            let (own, padding) = y.split_at_mut(windows.values as usize);
            padding.fill(0.0);
            own.par_chunks_mut(rows_a_task * row_values)
                .enumerate()
                .for_each(|(task, y)| {
                    for (row, y) in y.chunks_exact_mut(row_values).enumerate() {
                        let row = Row {
                            windows: &windows,
                            x,
                            w,
                            bias,
                            activation,
                            row: task * rows_a_task + row,
                            y,
                        };
                        arch.dispatch(row);
                    }
                });
        });
}

/// Values that are worth a task of their own.
const TASK_VALUES: usize = 1 << 14;
/// Pixels side by side for which a weight is loaded once.
const PIXELS: usize = 4;

/// A row of output pixels.
struct Row<'a> {
    windows: &'a WindowParams,
    x: &'a [f32],
    /// `[size_y, size_x, outputs]`
    w: &'a [f32],
    bias: &'a [f32],
    activation: Activation,
    row: usize,
    y: &'a mut [f32],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let windows = self.windows;
        if windows.fan > 1 {
            return self.fans();
        }
        let out_width = windows.out_width as usize;
        // Columns whose windows lie inside the image, and those to either side.
        let whole = |column: usize| windows.columns(column).taps.len() == windows.size_x as usize;
        let first = (0..out_width).position(whole).unwrap_or(out_width);
        let end = (first..out_width)
            .rposition(whole)
            .map_or(first, |k| first + k + 1);
        for column in (0..first).chain(end..out_width) {
            self.pixels::<S, 1>(simd, column);
        }
        let tiled = first + (end - first) / PIXELS * PIXELS;
        for column in (first..tiled).step_by(PIXELS) {
            self.pixels::<S, PIXELS>(simd, column);
        }
        for column in tiled..end {
            self.pixels::<S, 1>(simd, column);
        }
        if bounds(self.activation).is_none() {
            self.activation.apply_to(self.y);
        }
    }
}

impl Row<'_> {
    /// `COUNT` pixels from a column on, whose windows have the same columns inside the image.
    #[inline(always)]
    fn pixels<S: Simd, const COUNT: usize>(&mut self, simd: S, column: usize) {
        let channels = self.windows.channels as usize;
        let mut first = 0;
        while first + 4 * S::F32_LANES <= channels {
            self.channels::<S, COUNT, 4>(simd, column, first);
            first += 4 * S::F32_LANES;
        }
        while first + S::F32_LANES <= channels {
            self.channels::<S, COUNT, 1>(simd, column, first);
            first += S::F32_LANES;
        }
        if first < channels {
            self.rest(column..column + COUNT, first);
        }
    }

    /// The pixels' channels from `first` on that `REGISTERS` vectors hold.
    #[inline(always)]
    fn channels<S: Simd, const COUNT: usize, const REGISTERS: usize>(
        &mut self,
        simd: S,
        column: usize,
        first: usize,
    ) {
        let windows = self.windows;
        let channels = windows.channels as usize;
        let held = REGISTERS * S::F32_LANES;
        let (rows, columns) = (windows.rows(self.row), windows.columns(column));
        let x_row = windows.width as usize * channels;
        let tap_row = windows.size_x as usize * channels;
        let [dilation_y, dilation_x, stride] = [
            windows.dilation_y as usize,
            windows.dilation_x as usize * channels,
            windows.stride_x as usize * channels,
        ];
        let bounds = bounds(self.activation).map(|bounds| bounds.map(|v| simd.splat_f32s(v)));
        let bias: [S::f32s; REGISTERS] = registers::<S, REGISTERS>(&self.bias[first..]);
        let mut sums = [bias; COUNT];
        for (n, tap_y) in rows.taps.enumerate() {
            let x = (rows.first + n * dilation_y) * x_row + columns.first * channels + first;
            let w = tap_y * tap_row + first;
            for (m, tap_x) in columns.taps.clone().enumerate() {
                let weights = registers::<S, REGISTERS>(&self.w[w + tap_x * channels..]);
                for (k, sums) in sums.iter_mut().enumerate() {
                    let levels = &self.x[x + m * dilation_x + k * stride..];
                    let levels = registers::<S, REGISTERS>(levels);
                    for (k, sum) in sums.iter_mut().enumerate() {
                        *sum = simd.mul_add_e_f32s(weights[k], levels[k], *sum);
                    }
                }
            }
        }
        for (k, sums) in sums.iter().enumerate() {
            let y = &mut self.y[(column + k) * channels + first..][..held];
            let y: &mut [S::f32s] = bytemuck::cast_slice_mut(y);
            for (k, sum) in sums.iter().enumerate() {
                y[k] = match bounds {
                    Some(bounds) => bounded(simd, bounds, *sum),
                    None => *sum,
                };
            }
        }
    }

    /// The pixels' last channels, one by one.
    #[inline(always)]
    fn rest(&mut self, pixels: Range<usize>, first: usize) {
        let windows = self.windows;
        let channels = windows.channels as usize;
        let rows = windows.rows(self.row);
        for column in pixels {
            let columns = windows.columns(column);
            let sums = &mut self.y[column * channels + first..][..channels - first];
            sums.copy_from_slice(&self.bias[first..]);
            for (n, tap_y) in rows.taps.clone().enumerate() {
                let row = rows.first + n * windows.dilation_y as usize;
                for (m, tap_x) in columns.taps.clone().enumerate() {
                    let pixel = row * windows.width as usize
                        + columns.first
                        + m * windows.dilation_x as usize;
                    let tap = tap_y * windows.size_x as usize + tap_x;
                    let levels = &self.x[pixel * channels + first..][..channels - first];
                    let weights = &self.w[tap * channels + first..][..channels - first];
                    for ((sum, level), weight) in sums.iter_mut().zip(levels).zip(weights) {
                        *sum += weight * level;
                    }
                }
            }
            if let Some(bounds) = bounds(self.activation) {
                (sums.iter_mut()).for_each(|sum| *sum = bounded_value(bounds, *sum));
            }
        }
    }

    /// The row where a channel of x has several of y.
    fn fans(self) {
        let windows = self.windows;
        let [channels, outputs, fan] =
            [windows.channels, windows.outputs, windows.fan].map(|n| n as usize);
        let rows = windows.rows(self.row);
        for (column, sums) in self.y.chunks_exact_mut(outputs).enumerate() {
            sums.copy_from_slice(self.bias);
            let columns = windows.columns(column);
            for (n, tap_y) in rows.taps.clone().enumerate() {
                let row = rows.first + n * windows.dilation_y as usize;
                for (m, tap_x) in columns.taps.clone().enumerate() {
                    let at = row * windows.width as usize
                        + columns.first
                        + m * windows.dilation_x as usize;
                    let levels = &self.x[at * channels..][..channels];
                    let tap = tap_y * windows.size_x as usize + tap_x;
                    let weights = self.w[tap * outputs..][..outputs].chunks_exact(fan);
                    let fans = sums.chunks_exact_mut(fan).zip(weights);
                    for ((sums, weights), level) in fans.zip(levels) {
                        for (sum, weight) in sums.iter_mut().zip(weights) {
                            *sum += level * weight;
                        }
                    }
                }
            }
        }
        self.activation.apply_to(self.y);
    }
}

/// Windows with padding, and windows that leave pixels out.
fn case(recording: &mut Recording) -> &'static [bool] {
    let channels = 6;
    let x = case::rows(recording, case::NUM_IMAGES, 7 * 6 * 3, 1.0);
    for windows in case::windows(channels) {
        let kernel = case::values(1, windows.size[0] * windows.size[1] * channels);
        let bias = case::values(2, channels);
        let layer = DepthwiseLayer::new(windows, 3, &kernel, &bias, Activation::Relu);
        let y = recording.depthwise(x, case::NUM_IMAGES, &layer);
        recording.download(y);
    }
    case::FLOATS
}
