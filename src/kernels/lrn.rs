//! Local response normalisation: each value by those of the channels around it. Shader:
//! `shaders/lrn.wgsl`.

use super::{
    Access, Binding, Buf, Element, Kernel, KernelLayer, KernelSpec, Recording, case, row_stride,
    shader_struct,
};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "lrn",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/lrn.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: LrnParams::SPEC,
    compiled_for: &[],
    constants: &[],
    bindings: &[
        Binding {
            name: "x",
            access: Access::Load,
            element: Element::F32,
        },
        Binding {
            name: "y",
            access: Access::ReadWrite,
            element: Element::Vec4F32,
        },
    ],
    // A product and a sum a channel, and five at the end.
    flop: |params| {
        let params = LrnParams::of(params);
        u64::from(2 * (params.before + 1 + params.after) + 5)
    },
    twin,
    case,
};

shader_struct! {
    /// Parameters of the lrn kernel.
    struct LrnParams {
        /// Vec4s of y.
        fours: u32,
        /// Values between rows.
        stride: u32,
        /// Values of a row, without its padding.
        values: u32,
        /// Neighbouring values of a pixel.
        channels: u32,
        /// Channels of a window ahead of its own.
        before: u32,
        /// Channels of a window behind its own.
        after: u32,
        /// `alpha / size`
        factor: f32,
        /// The power.
        beta: f32,
        /// `k`
        bias: f32,
    }
}

/// `x / (bias + alpha / size * sum of squares)^beta` over `size` channels around each value's own;
/// of an even number the larger half comes behind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LrnLayer {
    /// Pixels a row.
    pub pixels: usize,
    /// Channels a pixel.
    pub channels: usize,
    /// Channels of a window.
    pub size: usize,
    /// Weight of the mean of squares.
    pub alpha: f32,
    /// The power.
    pub beta: f32,
    /// What is added to the mean of squares.
    pub bias: f32,
}

impl KernelLayer for LrnLayer {
    fn kernel(&self) -> Kernel {
        Kernel::Lrn
    }

    fn outputs(&self) -> usize {
        self.pixels * self.channels
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.lrn(takes[0], rows, self)
    }
}

impl Recording {
    /// Normalises each value by the channels around it: `x` and the result are
    /// `[rows, row_stride(outputs)]`.
    pub fn lrn(&mut self, x: Buf<f32>, rows: usize, layer: &LrnLayer) -> Buf<f32> {
        let stride = row_stride(layer.outputs());
        assert_eq!(
            x.len(),
            rows * stride,
            "lrn: x is [rows, row_stride(values)]"
        );
        let params = LrnParams {
            fours: (rows * stride / 4) as u32,
            stride: stride as u32,
            values: layer.outputs() as u32,
            channels: layer.channels as u32,
            before: (layer.size as u32 - 1) / 2,
            after: layer.size as u32 / 2,
            factor: layer.alpha / layer.size as f32,
            beta: layer.beta,
            bias: layer.bias,
        };
        let inputs = [self.id(x)];
        let workgroups = params.fours.div_ceil(WORKGROUP_SIZE) as usize;
        let y = ("lrn.y", rows * stride);
        self.command(Kernel::Lrn, params, &inputs, y, workgroups)
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = LrnParams::of(params);
    let x: &[f32] = bytemuck::cast_slice(inputs[0]);
    let y: &mut [f32] = bytemuck::cast_slice_mut(output);
    let [stride, values, channels, before, after] = [
        params.stride,
        params.values,
        params.channels,
        params.before,
        params.after,
    ]
    .map(|n| n as usize);
    y.par_chunks_exact_mut(stride)
        .zip(x.par_chunks_exact(stride))
        .for_each(|(y, x)| {
            let (own, padding) = y.split_at_mut(values);
            padding.fill(0.0);
            let pixels = own.chunks_exact_mut(channels);
            for (y, x) in pixels.zip(x.chunks_exact(channels)) {
                for (channel, (y, level)) in y.iter_mut().zip(x).enumerate() {
                    let around = channel.saturating_sub(before)..channels.min(channel + after + 1);
                    let squares: f32 = x[around].iter().map(|level| level * level).sum();
                    *y = level * (params.bias + params.factor * squares).powf(-params.beta);
                }
            }
        });
}

/// Windows of an odd and of an even number of channels.
fn case(recording: &mut Recording) -> &'static [bool] {
    let x = case::rows(recording, case::NUM_IMAGES, 7 * 6, 3.0);
    for size in [3, 4] {
        let layer = LrnLayer {
            pixels: 7,
            channels: 6,
            size,
            alpha: 0.5,
            beta: 0.75,
            bias: 1.5,
        };
        let y = recording.lrn(x, case::NUM_IMAGES, &layer);
        recording.download(y);
    }
    case::FLOATS
}
