//! Images as polynomials, one for each cell between four neighbouring pixels, as the warp samples
//! them. Shaders: `shaders/pieces.wgsl` with `shaders/shared/pieces_linear.wgsl` or
//! `shaders/shared/pieces_cubic.wgsl`.
//!
//! The pieces of a spline are sixteen times as much memory as its coefficients. But there are few
//! sources and many samples of each, and a sample by weights takes three times the operations.

use super::{
    Access, Binding, Buf, Element, Kernel, KernelSpec, Recording, Sampling, case, row_stride,
    shader_struct,
};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const CUBIC: KernelSpec = KernelSpec {
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/pieces_cubic.wgsl"),
        include_str!("../../shaders/pieces.wgsl"),
    ],
    // Of a cell's sixteen values four rows of 13 operations, three of them made for the cell above.
    flop: |_| 4,
    twin: twin_cubic,
    case: |recording| case(recording, Sampling::Cubic),
    ..LINEAR
};

pub(super) const LINEAR: KernelSpec = KernelSpec {
    name: "pieces",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/pieces_linear.wgsl"),
        include_str!("../../shaders/pieces.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: PiecesParams::SPEC,
    compiled_for: &[],
    constants: &[],
    bindings: &[
        Binding {
            name: "values",
            access: Access::Load,
            element: Element::F32,
        },
        Binding {
            name: "pieces",
            access: Access::ReadWrite,
            element: Element::Vec4F32,
        },
    ],
    flop: |_| 1,
    twin: twin_linear,
    case: |recording| case(recording, Sampling::Linear),
};

shader_struct! {
    /// Parameters of the pieces kernel.
    struct PiecesParams {
        /// Planes in all: images * channels.
        planes: u32,
        /// Channels an image.
        channels: u32,
        /// Width, pixels.
        width: u32,
        /// Height, pixels.
        height: u32,
        /// Words between images, where the values are pixels.
        image_stride: u32,
    }
}

impl Sampling {
    /// Vectors of four values that a piece has: one for each power of v.
    pub(super) const fn vectors_a_piece(self) -> usize {
        match self {
            // The powers of u of both powers of v are one vector.
            Self::Linear => 1,
            Self::Cubic => 4,
        }
    }

    /// Bytes of an image's pieces.
    pub const fn source_bytes(self, [height, width, channels]: [usize; 3]) -> usize {
        16 * self.vectors_a_piece() * channels * (height - 1) * (width - 1)
    }
}

impl Recording {
    /// The pieces `[count, C, H - 1, W - 1, vectors_a_piece, 4]` of `count` images `[H, W, C]` that
    /// lie `row_stride(H * W * C)` apart. With u and v, 0..1, the place in a cell along x and y, its
    /// level is `(p0 + u p1) + v (p2 + u p3)`, or for the cubic spline the sum over k of
    /// `v^k (p_k0 + p_k1 u + p_k2 u^2 + p_k3 u^3)`.
    pub fn pieces(
        &mut self,
        images: Buf<f32>,
        count: usize,
        shape: [usize; 3],
        sampling: Sampling,
    ) -> Buf<[f32; 4]> {
        let [height, width, channels] = shape;
        let values = match sampling {
            Sampling::Linear => images,
            Sampling::Cubic => self.spline(images, count, shape),
        };
        let params = PiecesParams {
            planes: (count * channels) as u32,
            channels: channels as u32,
            width: width as u32,
            height: height as u32,
            image_stride: row_stride(height * width * channels) as u32,
        };
        let inputs = [self.id(values)];
        let columns = count * channels * (width - 1);
        self.command(
            Kernel::Pieces(sampling),
            params,
            &inputs,
            ("pieces.pieces", count * sampling.source_bytes(shape) / 16),
            columns.div_ceil(WORKGROUP_SIZE as usize),
        )
    }
}

fn twin_linear(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = PiecesParams::of(params);
    let values: &[f32] = bytemuck::cast_slice(inputs[0]);
    let pieces: &mut [[f32; 4]] = bytemuck::cast_slice_mut(output);
    let [channels, width, height, image_stride] = [
        params.channels,
        params.width,
        params.height,
        params.image_stride,
    ]
    .map(|n| n as usize);
    let planes = pieces.par_chunks_exact_mut((width - 1) * (height - 1));
    planes.enumerate().for_each(|(number, pieces)| {
        let first = number / channels * image_stride + number % channels;
        let value = |x: usize, y: usize| values[first + (y * width + x) * channels];
        for (y, row) in pieces.chunks_exact_mut(width - 1).enumerate() {
            for (x, piece) in row.iter_mut().enumerate() {
                let [a, b] = [value(x, y), value(x + 1, y)];
                let [c, d] = [value(x, y + 1), value(x + 1, y + 1)];
                *piece = [a, b - a, c - a, (d - c) - (b - a)];
            }
        }
    });
}

fn twin_cubic(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = PiecesParams::of(params);
    let coefficients: &[f32] = bytemuck::cast_slice(inputs[0]);
    let pieces: &mut [[[f32; 4]; 4]] = bytemuck::cast_slice_mut(output);
    let [width, height] = [params.width, params.height].map(|n| n as usize);
    let cells = width - 1;
    let planes = pieces
        .par_chunks_exact_mut(cells * (height - 1))
        .zip(coefficients.par_chunks_exact((width + 2) * (height + 2)));
    planes.for_each_init(Vec::new, |across: &mut Vec<[f32; 4]>, (pieces, plane)| {
        across.clear();
        for row in plane.chunks_exact(width + 2) {
            across.extend(
                row.windows(4)
                    .map(|four| powers(four[0], four[1], four[2], four[3])),
            );
        }
        for (y, row) in pieces.chunks_exact_mut(cells).enumerate() {
            let rows = |k: usize| &across[(y + k) * cells..][..cells];
            let [a, b, c, d] = [rows(0), rows(1), rows(2), rows(3)];
            for (x, piece) in row.iter_mut().enumerate() {
                for k in 0..4 {
                    let down = powers(a[x][k], b[x][k], c[x][k], d[x][k]);
                    for (power, value) in piece.iter_mut().zip(down) {
                        power[k] = value;
                    }
                }
            }
        }
    });
}

/// The polynomial, by its powers, between the middle two of four coefficients of a uniform cubic
/// B-spline.
#[inline(always)]
fn powers(a: f32, b: f32, c: f32, d: f32) -> [f32; 4] {
    const SIXTH: f32 = 1.0 / 6.0;
    [
        (a + 4.0 * b + c) * SIXTH,
        (c - a) * 0.5,
        (a - 2.0 * b + c) * 0.5,
        (3.0 * (b - c) + (d - a)) * SIXTH,
    ]
}

/// The pieces of two images.
fn case(recording: &mut Recording, sampling: Sampling) -> &'static [bool] {
    let images = case::images(recording);
    case::kept(recording, case::FLOATS, |r| {
        r.pieces(images, 2, case::SHAPE, sampling)
    })
}
