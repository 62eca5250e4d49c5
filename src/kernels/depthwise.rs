//! A depthwise convolution. Shader: `shaders/depthwise.wgsl`.

use super::activation::ActivationParams;
use super::windows::WindowParams;
use super::{
    Access, Activation, Binding, Buf, Constant, Element, Kernel, KernelLayer, KernelSpec,
    Recording, Windows, case, shader_struct,
};
use rayon::prelude::*;
use std::mem::offset_of;

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
    compiled_for: Some(offset_of!(DepthwiseParams, activation) / size_of::<u32>()),
    constants: &[super::activation::NUMBERS],
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
    flop: |params| 2 * DepthwiseParams::of(params).windows.area(),
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

/// The weights of a depthwise convolution.
#[derive(Debug, Clone, PartialEq)]
pub struct DepthwiseLayer {
    windows: Windows,
    kernel: Constant,
    bias: Constant,
    activation: Activation,
}

impl DepthwiseLayer {
    /// A layer from its kernel `[window rows, window columns, input channels, multiplier]`,
    /// row-major, and bias `[input channels * multiplier]`.
    ///
    /// # Panics
    /// When the kernel or the bias do not have the shape that `windows` needs.
    pub fn new(windows: Windows, kernel: &[f32], bias: &[f32], activation: Activation) -> Self {
        let [height, width] = windows.size;
        assert!(
            bias.len() == windows.output[2] && bias.len().is_multiple_of(windows.input[2]),
            "a depthwise bias is [input channels * multiplier]"
        );
        assert_eq!(
            kernel.len(),
            height * width * bias.len(),
            "a depthwise kernel is [rows, columns, input channels, multiplier]"
        );
        Self {
            windows,
            kernel: Constant::new(kernel.to_vec()),
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
            windows: windows.params(),
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
    let [channels, outputs, fan] =
        [windows.channels, windows.outputs, windows.fan].map(|n| n as usize);
    let activation = Activation::of(params.activation);
    y.par_chunks_exact_mut(windows.y_stride as usize)
        .zip(x.par_chunks_exact(windows.x_stride as usize))
        .for_each(|(y, x)| {
            let values = &mut y[..windows.values as usize];
            for (pixel, sums) in values.chunks_exact_mut(outputs).enumerate() {
                sums.copy_from_slice(bias);
                let inside = windows.inside(pixel);
                for (row, tap_y) in inside.rows.zip(inside.first_row..) {
                    for (column, tap_x) in inside.columns.clone().zip(inside.first_column..) {
                        let at = (row * windows.width as usize + column) * channels;
                        let tap = tap_y * windows.size_x as usize + tap_x;
                        let levels = &x[at..][..channels];
                        add_products(sums, levels, &w[tap * outputs..][..outputs], fan);
                    }
                }
                activation.apply_to(sums);
            }
        });
}

/// Adds each level times its `fan` weights.
fn add_products(sums: &mut [f32], levels: &[f32], weights: &[f32], fan: usize) {
    if fan == 1 {
        // On its own, so that the compiler vectorises it.
        for ((sum, level), weight) in sums.iter_mut().zip(levels).zip(weights) {
            *sum += level * weight;
        }
        return;
    }
    let fans = sums.chunks_exact_mut(fan).zip(weights.chunks_exact(fan));
    for ((sums, weights), level) in fans.zip(levels) {
        for (sum, weight) in sums.iter_mut().zip(weights) {
            *sum += level * weight;
        }
    }
}

/// Windows with padding, and windows that leave pixels out.
fn case(recording: &mut Recording) -> &'static [bool] {
    let channels = 6;
    let x = case::rows(recording, case::NUM_IMAGES, 7 * 6 * 3, 1.0);
    for windows in case::windows(channels) {
        let kernel = case::values(1, windows.size[0] * windows.size[1] * channels);
        let bias = case::values(2, channels);
        let layer = DepthwiseLayer::new(windows, &kernel, &bias, Activation::Relu);
        let y = recording.depthwise(x, case::NUM_IMAGES, &layer);
        recording.download(y);
    }
    case::FLOATS
}
