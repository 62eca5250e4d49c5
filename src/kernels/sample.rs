//! Sampling images between their pixels. Shaders: `shaders/shared/sample_linear.wgsl` and
//! `shaders/shared/sample_cubic.wgsl`, part of the warp kernel.

use wide::f32x4;

/// A point inside an image: the cell of four pixels that holds it and its place there, 0..1.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) column: u32,
    pub(super) row: u32,
    pub(super) u: f32,
    pub(super) v: f32,
}

/// A level between the pixels of an image `[H, W, channels]` that starts with the channel.
#[inline(always)]
pub(super) fn sample_linear(image: &[f32], width: usize, channels: usize, place: Place) -> f32 {
    let at = (place.row as usize * width + place.column as usize) * channels;
    let lerp = |a: f32, b: f32, t: f32| a + t * (b - a);
    let across = |at: usize| lerp(image[at], image[at + channels], place.u);
    lerp(across(at), across(at + width * channels), place.v)
}

/// A level of the spline with coefficients `[H + 2, W + 2]`.
#[inline(always)]
pub(super) fn sample_cubic(coefficients: &[f32], width: usize, place: Place) -> f32 {
    let stride = width + 2;
    let at = place.row as usize * stride + place.column as usize;
    let row = |r: usize| {
        let four: [f32; 4] = coefficients[at + r * stride..][..4]
            .try_into()
            .expect("a slice of four");
        f32x4::from(four)
    };
    let [a, b, c, d] = cubic_weights(place.v).to_array();
    let columns = row(0) * f32x4::splat(a)
        + row(1) * f32x4::splat(b)
        + (row(2) * f32x4::splat(c) + row(3) * f32x4::splat(d));
    let [a, b, c, d] = (columns * cubic_weights(place.u)).to_array();
    (a + b) + (c + d)
}

/// Uniform cubic B-spline weights of the four coefficients around `u` in 0..1, as polynomials
/// in Horner's form, four side by side. Shader: `shaders/shared/sample_cubic.wgsl`.
#[inline(always)]
fn cubic_weights(u: f32) -> f32x4 {
    const SIXTH: f32 = 1.0 / 6.0;
    const POWERS: [f32x4; 4] = [
        f32x4::new([SIXTH, 4.0 * SIXTH, SIXTH, 0.0]),
        f32x4::new([-0.5, 0.0, 0.5, 0.0]),
        f32x4::new([0.5, -1.0, 0.5, 0.0]),
        f32x4::new([-SIXTH, 0.5, -0.5, SIXTH]),
    ];
    let u = f32x4::splat(u);
    ((POWERS[3] * u + POWERS[2]) * u + POWERS[1]) * u + POWERS[0]
}
