//! Normalisation by the mean and variance of groups of values, which each input has of its own:
//! layer and group normalisation, and division by a group's length. Shader:
//! `shaders/normalise.wgsl`.

use super::{
    Access, Binding, Buf, Constant, Element, Kernel, KernelLayer, KernelSpec, Recording, case,
    row_stride, shader_struct,
};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "normalise",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/normalise.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: NormaliseParams::SPEC,
    compiled_for: &[],
    constants: &[],
    bindings: &[
        Binding {
            name: "x",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "scale",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "offset",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "y",
            access: Access::ReadWrite,
            element: Element::F32,
        },
    ],
    // A difference, a square and a sum, and four at the end.
    flop: |_| 8,
    twin,
    case,
};

shader_struct! {
    /// Parameters of the normalise kernel.
    struct NormaliseParams {
        /// Groups of all rows.
        groups: u32,
        /// Groups a row.
        row_groups: u32,
        /// Values between rows.
        stride: u32,
        /// Groups side by side, before the pixels begin again.
        across: u32,
        /// Neighbouring values of a group.
        channels: u32,
        /// Times that a group's channels come again.
        pixels: u32,
        /// Values between them.
        pixel_stride: u32,
        /// Values between groups that are not side by side.
        block: u32,
        /// Values after which scale and offset begin again.
        period: u32,
        /// 1, or 0 where the length alone is divided by.
        centred: u32,
        /// Keeps the divisor above 0.
        epsilon: f32,
    }
}

/// Which values make a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Groups {
    /// The channels of each pixel: layer normalisation of the last axis.
    Pixels,
    /// All pixels of so many groups of neighbouring channels.
    Channels(usize),
}

/// What a group is divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Divisor {
    /// `sqrt(variance + epsilon)`, once the mean is taken away.
    Deviation {
        /// Above 0.
        epsilon: f32,
    },
    /// `sqrt(max(sum of squares, epsilon))`.
    Length {
        /// Above 0.
        epsilon: f32,
    },
}

/// A normalisation of rows of pixels of channels.
#[derive(Debug, Clone, PartialEq)]
pub struct NormaliseLayer {
    pixels: usize,
    channels: usize,
    groups: Groups,
    divisor: Divisor,
    /// `[channels]`
    scale: Constant,
    offset: Constant,
}

impl NormaliseLayer {
    /// A layer on rows of `pixels` pixels of as many channels as `scale` and `offset` have.
    ///
    /// # Panics
    /// When scale and offset are not equally many, or groups do not divide them.
    pub fn new(
        pixels: usize,
        groups: Groups,
        divisor: Divisor,
        scale: Vec<f32>,
        offset: Vec<f32>,
    ) -> Self {
        let channels = scale.len();
        assert_eq!(channels, offset.len(), "scale and offset are one a channel");
        if let Groups::Channels(groups) = groups {
            assert!(
                groups > 0 && channels.is_multiple_of(groups),
                "groups divide the channels"
            );
        }
        Self {
            pixels,
            channels,
            groups,
            divisor,
            scale: Constant::new(scale),
            offset: Constant::new(offset),
        }
    }
}

impl KernelLayer for NormaliseLayer {
    fn kernel(&self) -> Kernel {
        Kernel::Normalise
    }

    fn outputs(&self) -> usize {
        self.pixels * self.channels
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.normalise(takes[0], rows, self)
    }
}

impl Recording {
    /// Normalises groups of each row: `x` and the result are `[rows, row_stride(outputs)]`.
    pub fn normalise(&mut self, x: Buf<f32>, rows: usize, layer: &NormaliseLayer) -> Buf<f32> {
        let values = layer.outputs();
        let stride = row_stride(values);
        assert_eq!(
            x.len(),
            rows * stride,
            "normalise: x is [rows, row_stride(values)]"
        );
        let scale = self.constant("normalise.scale", &layer.scale);
        let offset = self.constant("normalise.offset", &layer.offset);
        let (centred, epsilon) = match layer.divisor {
            Divisor::Deviation { epsilon } => (1, epsilon),
            Divisor::Length { epsilon } => (0, epsilon),
        };
        let [row_groups, across, channels, pixels] = match layer.groups {
            Groups::Pixels => [layer.pixels, 1, layer.channels, 1],
            Groups::Channels(groups) => [groups, groups, layer.channels / groups, layer.pixels],
        };
        let params = NormaliseParams {
            groups: (rows * row_groups) as u32,
            row_groups: row_groups as u32,
            stride: stride as u32,
            across: across as u32,
            channels: channels as u32,
            pixels: pixels as u32,
            pixel_stride: layer.channels as u32,
            block: layer.channels as u32,
            period: layer.channels as u32,
            centred,
            epsilon,
        };
        let inputs = [x, scale, offset].map(|buf| self.id(buf));
        let workgroups = params.groups.div_ceil(WORKGROUP_SIZE) as usize;
        let y = ("normalise.y", rows * stride);
        self.command(Kernel::Normalise, params, &inputs, y, workgroups)
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = NormaliseParams::of(params);
    let [x, scale, offset] = [0, 1, 2].map(|i| bytemuck::cast_slice::<u32, f32>(inputs[i]));
    let y: &mut [f32] = bytemuck::cast_slice_mut(output);
    let stride = params.stride as usize;
    let [across, channels, pixels, pixel_stride, block, period] = [
        params.across,
        params.channels,
        params.pixels,
        params.pixel_stride,
        params.block,
        params.period,
    ]
    .map(|n| n as usize);
    y.par_chunks_exact_mut(stride)
        .zip(x.par_chunks_exact(stride))
        .for_each(|(y, x)| {
            y[params.row_groups as usize * channels * pixels..].fill(0.0);
            for group in 0..params.row_groups as usize {
                let start = group / across * block + group % across * channels;
                let parts = || (0..pixels).map(|pixel| start + pixel * pixel_stride);
                // In 64-bit floats: a group may be a whole image.
                let sum = |f: &dyn Fn(f64) -> f64| -> f64 {
                    parts()
                        .flat_map(|at| &x[at..at + channels])
                        .map(|&v| f(f64::from(v)))
                        .sum()
                };
                let count = (channels * pixels) as f64;
                let mean = match params.centred {
                    1 => sum(&|v| v) / count,
                    _ => 0.0,
                };
                let squares = sum(&|v| (v - mean) * (v - mean));
                let epsilon = f64::from(params.epsilon);
                let divisor = match params.centred {
                    1 => (squares / count + epsilon).sqrt(),
                    _ => squares.max(epsilon).sqrt(),
                };
                let (mean, factor) = (mean as f32, (1.0 / divisor) as f32);
                for at in parts() {
                    for k in at..at + channels {
                        let entry = k % period;
                        y[k] = scale[entry] * ((x[k] - mean) * factor) + offset[entry];
                    }
                }
            }
        });
}

/// Every kind of group and of divisor.
fn case(recording: &mut Recording) -> &'static [bool] {
    let x = case::rows(recording, case::NUM_IMAGES, 7 * 6, 3.0);
    let (scale, offset) = (case::values(1, 6), case::values(2, 6));
    for (groups, divisor) in [
        (Groups::Pixels, Divisor::Deviation { epsilon: 1e-3 }),
        (Groups::Channels(3), Divisor::Deviation { epsilon: 1e-3 }),
        (Groups::Pixels, Divisor::Length { epsilon: 1e-12 }),
    ] {
        let layer = NormaliseLayer::new(7, groups, divisor, scale.clone(), offset.clone());
        let y = recording.normalise(x, case::NUM_IMAGES, &layer);
        recording.download(y);
    }
    case::FLOATS
}
