//! What twins that compute with vectors of the machine's own length share.

use super::Activation;
use pulp::Simd;

/// The first values as vectors.
#[inline(always)]
pub(super) fn registers<S: Simd, const REGISTERS: usize>(values: &[f32]) -> [S::f32s; REGISTERS] {
    let vectors: &[S::f32s] = bytemuck::cast_slice(&values[..REGISTERS * S::F32_LANES]);
    std::array::from_fn(|k| vectors[k])
}

/// The two bounds that are all an activation does, if it is no more than that.
#[inline(always)]
pub(super) fn bounds(activation: Activation) -> Option<[f32; 2]> {
    match activation {
        Activation::Linear => Some([f32::NEG_INFINITY, f32::INFINITY]),
        Activation::Relu => Some([0.0, f32::INFINITY]),
        Activation::ReluWith {
            slope: 0.0,
            threshold: 0.0,
            ceiling,
        } => Some([0.0, ceiling]),
        _ => None,
    }
}

/// Bounds of values that [`bounds`] gave. What is no number stays none: a vector's minimum and
/// maximum give their second argument then.
#[inline(always)]
pub(super) fn bounded<S: Simd>(
    simd: S,
    [floor, ceiling]: [S::f32s; 2],
    values: S::f32s,
) -> S::f32s {
    simd.min_f32s(ceiling, simd.max_f32s(floor, values))
}

/// The same of one value.
#[inline(always)]
pub(super) fn bounded_value([floor, ceiling]: [f32; 2], value: f32) -> f32 {
    if value < floor {
        floor
    } else if value > ceiling {
        ceiling
    } else {
        value
    }
}

/// The largest of four.
#[inline(always)]
pub(super) fn largest<S: Simd>(simd: S, [a, b, c, d]: &[S::f32s; 4]) -> S::f32s {
    simd.max_f32s(simd.max_f32s(*a, *b), simd.max_f32s(*c, *d))
}

/// What comes behind sums: another value, and bounds or else the activation.
#[inline(always)]
pub(super) fn finish(
    values: &mut [f32],
    other: Option<&[f32]>,
    limits: Option<[f32; 2]>,
    activation: Activation,
) {
    if let Some(other) = other {
        values.iter_mut().zip(other).for_each(|(v, o)| *v += o);
    }
    match limits {
        Some(limits) => {
            let bound = |v: &mut f32| *v = bounded_value(limits, *v);
            values.iter_mut().for_each(bound);
        }
        None => activation.apply_to(values),
    }
}

/// Puts values in their place; where they join those that are there, the larger of each two.
#[inline(always)]
pub(super) fn put(joins: bool, values: &[f32], y: &mut [f32]) {
    if !joins {
        return y.copy_from_slice(values);
    }
    for (y, value) in y.iter_mut().zip(values) {
        // Not `f32::max`, whose care for NaN costs more than the rest.
        *y = if *value > *y { *value } else { *y };
    }
}
