//! Sampling images between their pixels, some pixels at a time. Shaders:
//! `shaders/shared/sample_linear.wgsl` and `shaders/shared/sample_cubic.wgsl`, part of the warp
//! kernel.
//!
//! A sample needs values of several rows. They come stacked (kernel stack), so that what a sample
//! needs lies side by side: one look at the bounds and whole vectors instead of one for every row.

#![allow(
    clippy::needless_range_loop,
    reason = "a loop over lanes is one vector, which the compiler sees less well in iterators"
)]

use super::source_map::{Cells, LANES, Lanes};
use pulp::Simd;
use wide::f32x4;

/// A way to sample a plane of values, rows of one channel.
pub(super) trait Sample {
    /// How many more values a side has than the image has pixels.
    const MARGIN: usize;

    /// Floating-point operations a sample.
    const FLOP: u64;

    /// Where the other three values of a stack lie, from the first one on, in rows of `row` values.
    fn reach(row: usize) -> [usize; 3];

    /// Levels at the pixels of some cells; `stacks` of the whole plane.
    fn levels<V: Simd>(simd: V, stacks: &[[f32; 4]], cells: &Cells) -> Lanes<f32>;
}

/// Bilinear, of images `[H, W, C]`: a stack holds a cell's four pixels.
pub(super) struct Linear;

/// Of a spline with coefficients `[C, H + 2, W + 2]`: a stack holds a column of four
/// coefficients, and a cell has four of them.
pub(super) struct Cubic;

impl Sample for Linear {
    const MARGIN: usize = 0;
    // Three times from one value towards another.
    const FLOP: u64 = 9;

    fn reach(row: usize) -> [usize; 3] {
        [1, row, row + 1]
    }

    #[inline(always)]
    fn levels<V: Simd>(_: V, stacks: &[[f32; 4]], cells: &Cells) -> Lanes<f32> {
        let mut corners = [[0.0; 4]; LANES];
        for (corners, &at) in corners.iter_mut().zip(&cells.at.0) {
            *corners = stacks[at as usize];
        }
        let mut levels = Lanes::default();
        for k in 0..LANES {
            let [a, b, c, d] = corners[k];
            let (u, v) = (cells.u.0[k], cells.v.0[k]);
            let (above, under) = (a + u * (b - a), c + u * (d - c));
            levels.0[k] = above + v * (under - above);
        }
        levels
    }
}

impl Sample for Cubic {
    const MARGIN: usize = 2;
    // Eight weights of six, and twenty products that are summed in fives.
    const FLOP: u64 = 8 * 6 + 20 + 15;

    fn reach(row: usize) -> [usize; 3] {
        [row, 2 * row, 3 * row]
    }

    #[inline(always)]
    fn levels<V: Simd>(simd: V, stacks: &[[f32; 4]], cells: &Cells) -> Lanes<f32> {
        let across = cubic_weights(simd, &cells.u);
        let down = cubic_weights(simd, &cells.v);
        // Coefficients of each pixel's cell, summed along x.
        let mut columns = [[0.0; 4]; LANES];
        for n in 0..LANES {
            let cell = &stacks[cells.at.0[n] as usize..][..4];
            let weighted = |k: usize| f32x4::new(cell[k]) * f32x4::splat(across[k].0[n]);
            columns[n] = ((weighted(0) + weighted(1)) + (weighted(2) + weighted(3))).to_array();
        }
        let mut levels = Lanes::default();
        for n in 0..LANES {
            let [a, b, c, d] = columns[n];
            levels.0[n] =
                (a * down[0].0[n] + b * down[1].0[n]) + (c * down[2].0[n] + d * down[3].0[n]);
        }
        levels
    }
}

/// Uniform cubic B-spline weights of the four coefficients around each place in 0..1, as
/// polynomials in Horner's form. The vectors are written out, for the compiler would put the
/// four weights of one place into one.
#[inline(always)]
fn cubic_weights<V: Simd>(simd: V, places: &Lanes<f32>) -> [Lanes<f32>; 4] {
    const SIXTH: f32 = 1.0 / 6.0;
    /// Coefficients of 1, u, u^2, u^3 of each weight.
    const POWERS: [[f32; 4]; 4] = [
        [SIXTH, -0.5, 0.5, -SIXTH],
        [4.0 * SIXTH, 0.0, -1.0, 0.5],
        [SIXTH, 0.5, 0.5, -0.5],
        [0.0, 0.0, 0.0, SIXTH],
    ];
    let mut weights = [Lanes::default(); 4];
    for (weights, powers) in weights.iter_mut().zip(POWERS) {
        let [a, b, c, d] = powers.map(|power| simd.splat_f32s(power));
        let weights: &mut [V::f32s] = bytemuck::cast_slice_mut(&mut weights.0);
        for (weight, &u) in weights.iter_mut().zip(places.vectors::<V>()) {
            let square = simd.mul_add_e_f32s(simd.mul_add_e_f32s(d, u, c), u, b);
            *weight = simd.mul_add_e_f32s(square, u, a);
        }
    }
    weights
}
