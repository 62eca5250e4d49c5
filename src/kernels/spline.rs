//! The spline prefilter. Shader: `shaders/spline.wgsl`.
//!
//! The spline is written in the uniform B-spline basis with one coefficient beyond each end,
//! so that sampling uses one weight formula everywhere and never looks at the image's edge.
//! Rejected: the basis of FITPACK's knots, the same function with a table of weights for
//! every interval near an end.

use super::{
    Access, Binding, Buf, Element, Kernel, KernelSpec, Recording, case, row_stride, shader_struct,
};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;
/// Lines the twin solves side by side, so that the compiler fills vector registers.
const LANES: usize = 16;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "spline",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/spline.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: SplineParams::SPEC,
    compiled_for: &[],
    constants: &[],
    bindings: &[
        Binding {
            name: "values",
            access: Access::Load,
            element: Element::F32,
        },
        Binding {
            name: "pivots",
            access: Access::Load,
            element: Element::F32,
        },
        Binding {
            name: "coefficients",
            access: Access::ReadWrite,
            element: Element::F32,
        },
    ],
    // Forwards six, backwards two, and two from bends to coefficients.
    flop: |_| 10,
    twin,
    case,
};

shader_struct! {
    /// Parameters of the spline kernel.
    struct SplineParams {
        /// Planes in all: images * channels.
        planes: u32,
        /// Channels an image.
        channels: u32,
        /// Lines a plane.
        lines: u32,
        /// Values a line, at least 4.
        length: u32,
        /// Words between images of the values.
        image_stride: u32,
        /// Words between channels of the values.
        channel_stride: u32,
        /// Words between lines of the values.
        line_stride: u32,
        /// Words between values along a line.
        step: u32,
        /// Words between planes of the coefficients.
        out_plane_stride: u32,
        /// Words between lines of the coefficients.
        out_line_stride: u32,
        /// Words between coefficients along a line.
        out_step: u32,
    }
}

impl Recording {
    /// Spline coefficients, planar `[count, C, H + 2, W + 2]`, of `count` images `[H, W, C]`
    /// that lie `row_stride(H * W * C)` apart.
    ///
    /// # Panics
    /// When a side is below 4 pixels.
    pub fn spline(
        &mut self,
        images: Buf<f32>,
        count: usize,
        [height, width, channels]: [usize; 3],
    ) -> Buf<f32> {
        assert!(
            height >= 4 && width >= 4,
            "a cubic spline needs four values a line"
        );
        let image_stride = row_stride(height * width * channels);
        assert_eq!(
            images.len(),
            count * image_stride,
            "spline: images are [count, row_stride(H W C)]"
        );
        let out_width = width + 2;
        let along_x = SplineParams {
            planes: (count * channels) as u32,
            channels: channels as u32,
            lines: height as u32,
            length: width as u32,
            image_stride: image_stride as u32,
            channel_stride: 1,
            line_stride: (width * channels) as u32,
            step: channels as u32,
            out_plane_stride: (height * out_width) as u32,
            out_line_stride: out_width as u32,
            out_step: 1,
        };
        let along_y = SplineParams {
            lines: out_width as u32,
            length: height as u32,
            image_stride: (channels * height * out_width) as u32,
            channel_stride: (height * out_width) as u32,
            line_stride: 1,
            step: out_width as u32,
            out_plane_stride: ((height + 2) * out_width) as u32,
            out_line_stride: 1,
            out_step: out_width as u32,
            ..along_x
        };
        let rows = self.spline_lines(images, along_x, "spline.rows");
        self.spline_lines(rows, along_y, "spline.coefficients")
    }

    fn spline_lines(
        &mut self,
        values: Buf<f32>,
        params: SplineParams,
        label: &'static str,
    ) -> Buf<f32> {
        let pivots = self.upload("spline.pivots", &pivots(params.length as usize));
        let inputs = [self.id(values), self.id(pivots)];
        let lines = (params.planes * params.lines) as usize;
        let len = params.planes as usize * params.out_plane_stride as usize;
        self.command(
            Kernel::Spline,
            params,
            &inputs,
            (label, len),
            lines.div_ceil(WORKGROUP_SIZE as usize),
        )
    }
}

/// The pivots of eliminating `m_{i-1} + 4 m_i + m_{i+1}`, from i = 2 on; those before are unused.
fn pivots(length: usize) -> Vec<f32> {
    let mut pivots = vec![0.0f32; length];
    for i in 2..length.saturating_sub(2) {
        pivots[i] = 1.0 / (4.0 - pivots[i - 1]);
    }
    pivots
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = SplineParams::of(params);
    let values: &[f32] = bytemuck::cast_slice(inputs[0]);
    let pivots: &[f32] = bytemuck::cast_slice(inputs[1]);
    let coefficients: &mut [f32] = bytemuck::cast_slice_mut(output);
    let [channels, lines, length] =
        [params.channels, params.lines, params.length].map(|n| n as usize);
    let [step, out_step] = [params.step, params.out_step].map(|n| n as usize);
    coefficients
        .par_chunks_exact_mut(params.out_plane_stride as usize)
        .enumerate()
        .with_min_len(4)
        .for_each_init(
            || (vec![[0.0; LANES]; length], vec![[0.0; LANES]; length + 2]),
            |(y, c), (plane, out)| {
                let from = plane / channels * params.image_stride as usize
                    + plane % channels * params.channel_stride as usize;
                for first in (0..lines).step_by(LANES) {
                    let lanes = LANES.min(lines - first);
                    for (i, y) in y.iter_mut().enumerate() {
                        for (lane, y) in y[..lanes].iter_mut().enumerate() {
                            *y = values
                                [from + (first + lane) * params.line_stride as usize + i * step];
                        }
                    }
                    solve_lines(y, pivots, c);
                    for (i, c) in c.iter().enumerate() {
                        for (lane, &c) in c[..lanes].iter().enumerate() {
                            out[(first + lane) * params.out_line_stride as usize + i * out_step] =
                                c;
                        }
                    }
                }
            },
        );
}

/// Solves [`LANES`] lines at once: `y` is `[n][LANES]`, `c` is `[n + 2][LANES]`, `c[i + 1]`
/// belonging to knot `i`.
fn solve_lines(y: &[[f32; LANES]], pivots: &[f32], c: &mut [[f32; LANES]]) {
    let n = y.len();
    let mut previous = [0.0; LANES];
    for i in 1..n - 1 {
        let known = i == 1 || i == n - 2;
        for lane in 0..LANES {
            let bend = y[i - 1][lane] - 2.0 * y[i][lane] + y[i + 1][lane];
            previous[lane] = if known {
                bend
            } else {
                (6.0 * bend - previous[lane]) * pivots[i]
            };
        }
        c[i + 1] = previous;
    }
    for i in (2..n - 2).rev() {
        for lane in 0..LANES {
            previous[lane] = c[i + 1][lane] - pivots[i] * previous[lane];
        }
        c[i + 1] = previous;
    }
    for lane in 0..LANES {
        let first = 2.0 * c[2][lane] - c[3][lane];
        let last = 2.0 * c[n - 1][lane] - c[n - 2][lane];
        c[1][lane] = first;
        c[n][lane] = last;
        for i in 0..n {
            c[i + 1][lane] = y[i][lane] - c[i + 1][lane] / 6.0;
        }
        c[0][lane] = first + 2.0 * c[1][lane] - c[2][lane];
        c[n + 1][lane] = last + 2.0 * c[n][lane] - c[n - 1][lane];
    }
}

/// Coefficients `[n + 2]` of the not-a-knot cubic B-spline through `values`, `[n]`, n >= 4.
///
/// # Panics
/// When there are fewer than four values.
pub fn spline_coefficients(values: &[f32]) -> Vec<f32> {
    assert!(values.len() >= 4, "a cubic spline needs four values");
    let y: Vec<[f32; LANES]> = values.iter().map(|&value| [value; LANES]).collect();
    let mut c = vec![[0.0; LANES]; values.len() + 2];
    solve_lines(&y, &pivots(values.len()), &mut c);
    c.iter().map(|lanes| lanes[0]).collect()
}

/// Coefficients of two images.
fn case(recording: &mut Recording) -> &'static [bool] {
    let images = case::images(recording);
    case::kept(recording, case::FLOATS, |r| {
        r.spline(images, 2, case::SHAPE)
    })
}
