//! What a layer applies to each of its values. Shader: `shaders/shared/activation.wgsl`, part of
//! every kernel that ends in one.
//!
//! A shader is compiled once for each activation it meets ([`KernelSpec::compiled_for`]), since
//! software adapters run all cases of a `switch`. The formulas are those of Keras 3, none of
//! which overflows before its result does.
//!
//! [`KernelSpec::compiled_for`]: super::KernelSpec::compiled_for

use std::f32::consts::{FRAC_1_SQRT_2, PI};

/// The function a layer applies to its sums.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// `v`
    Linear,
    /// `max(v, 0)`
    Relu,
    /// `1 / (1 + exp(-v))`
    Sigmoid,
    /// `tanh(v)`
    Tanh,
    /// `min(v, ceiling)` above the threshold, `slope (v - threshold)` up to it: Keras's `ReLU`
    /// with its options, leaky relu (a slope), relu6 (a ceiling of 6). Without a ceiling it is
    /// `f32::MAX`.
    ReluWith {
        /// Slope up to the threshold.
        slope: f32,
        /// Where it bends.
        threshold: f32,
        /// The largest result.
        ceiling: f32,
    },
    /// `v` above 0, `alpha (exp(v) - 1)` up to it.
    Elu {
        /// Minus the limit at minus infinity.
        alpha: f32,
    },
    /// ELU scaled to keep mean 0 and variance 1 (Klambauer et al. 2017).
    Selu,
    /// `v (1 + erf(v / sqrt 2)) / 2` (Hendrycks and Gimpel 2016)
    Gelu,
    /// GELU by its approximation, `v (1 + tanh(sqrt(2 / pi) (v + 0.044715 v^3))) / 2`
    GeluTanh,
    /// `v sigmoid(v)`, also called swish.
    Silu,
    /// `ln(1 + exp(v))`
    Softplus,
    /// `v / (1 + |v|)`
    Softsign,
    /// `exp(v)`
    Exponential,
    /// `clamp(v + 3, 0, 6) / 6`
    HardSigmoid,
    /// `v clamp(v + 3, 0, 6) / 6`
    HardSilu,
    /// `v tanh(ln(1 + exp(v)))` (Misra 2019)
    Mish,
}

/// An activation as parameters of a kernel: the shader's number, slope, threshold and ceiling.
pub(super) type Coded = (u32, [f32; 3]);

impl Activation {
    pub(super) fn coded(self) -> Coded {
        let alone = |code| (code, [0.0; 3]);
        match self {
            Self::Linear => alone(0),
            Self::Relu => alone(1),
            Self::Sigmoid => alone(2),
            Self::Tanh => alone(3),
            Self::ReluWith {
                slope,
                threshold,
                ceiling,
            } => (4, [slope, threshold, ceiling]),
            Self::Elu { alpha } => (5, [alpha, 0.0, 0.0]),
            Self::Selu => alone(6),
            Self::Gelu => alone(7),
            Self::GeluTanh => alone(8),
            Self::Silu => alone(9),
            Self::Softplus => alone(10),
            Self::Softsign => alone(11),
            Self::Exponential => alone(12),
            Self::HardSigmoid => alone(13),
            Self::HardSilu => alone(14),
            Self::Mish => alone(15),
        }
    }

    pub(super) fn decoded((code, [slope, threshold, ceiling]): Coded) -> Self {
        match code {
            0 => Self::Linear,
            1 => Self::Relu,
            2 => Self::Sigmoid,
            3 => Self::Tanh,
            4 => Self::ReluWith {
                slope,
                threshold,
                ceiling,
            },
            5 => Self::Elu { alpha: slope },
            6 => Self::Selu,
            7 => Self::Gelu,
            8 => Self::GeluTanh,
            9 => Self::Silu,
            10 => Self::Softplus,
            11 => Self::Softsign,
            12 => Self::Exponential,
            13 => Self::HardSigmoid,
            14 => Self::HardSilu,
            15 => Self::Mish,
            code => unreachable!("no activation has number {code}"),
        }
    }

    /// The function's value.
    #[inline(always)]
    pub fn apply(self, v: f32) -> f32 {
        match self {
            Self::Linear => v,
            Self::Relu => v.max(0.0),
            Self::Sigmoid => sigmoid(v),
            Self::Tanh => v.tanh(),
            Self::ReluWith {
                slope,
                threshold,
                ceiling,
            } => {
                if v > threshold {
                    v.min(ceiling)
                } else {
                    slope * (v - threshold)
                }
            }
            Self::Elu { alpha } => elu(v, alpha),
            // The constants of the paper's equation 14, as Keras writes them.
            Self::Selu => 1.050_701 * elu(v, 1.673_263_2),
            Self::Gelu => {
                // v times the normal distribution's tail beyond |v|, which is exact to more
                // digits than 1 + erf.
                let tail = 0.5 * v * erfc(v.abs() * FRAC_1_SQRT_2);
                if v > 0.0 { v - tail } else { tail }
            }
            Self::GeluTanh => {
                let inner = (2.0 / PI).sqrt() * (v + 0.044715 * v * v * v);
                0.5 * v * (1.0 + inner.tanh())
            }
            Self::Silu => v * sigmoid(v),
            Self::Softplus => v.max(0.0) + (-v.abs()).exp().ln_1p(),
            Self::Softsign => v / (1.0 + v.abs()),
            Self::Exponential => v.exp(),
            Self::HardSigmoid => hard_sigmoid(v),
            Self::HardSilu => v * hard_sigmoid(v),
            Self::Mish => {
                // tanh(ln(1 + n)) = (n^2 + 2n) / (n^2 + 2n + 2), for n = exp(v) or its inverse.
                let e = (-v.abs()).exp();
                if v > 0.0 {
                    v * (1.0 + 2.0 * e) / (1.0 + 2.0 * e + 2.0 * e * e)
                } else {
                    v * (e * e + 2.0 * e) / (e * e + 2.0 * e + 2.0)
                }
            }
        }
    }

    /// Applies it to each value.
    #[inline(always)]
    pub(super) fn apply_to(self, values: &mut [f32]) {
        match self {
            Self::Linear => {}
            // On its own, so that the compiler vectorises it.
            Self::Relu => values.iter_mut().for_each(|value| *value = value.max(0.0)),
            _ => values
                .iter_mut()
                .for_each(|value| *value = self.apply(*value)),
        }
    }
}

#[inline(always)]
fn sigmoid(v: f32) -> f32 {
    1.0 / (1.0 + (-v).exp())
}

#[inline(always)]
fn elu(v: f32, alpha: f32) -> f32 {
    if v > 0.0 { v } else { alpha * v.exp_m1() }
}

#[inline(always)]
fn hard_sigmoid(v: f32) -> f32 {
    (v + 3.0).clamp(0.0, 6.0) / 6.0
}

/// `1 - erf(x)` for x >= 0, to 1.5e-7 (Abramowitz and Stegun, Handbook of Mathematical
/// Functions, 7.1.26).
#[inline(always)]
fn erfc(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let sum = 1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4);
    t * (0.254_829_6 + t * (-0.284_496_74 + t * sum)) * (-x * x).exp()
}
