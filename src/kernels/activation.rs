//! What a layer applies to each of its values. Shader: `shaders/shared/activation.wgsl`, part of
//! every kernel that ends in one.
//!
//! A shader is written and compiled once for each activation it meets ([`KernelSpec::compiled_for`]), since
//! software adapters lay out all cases of a `switch`. The formulas are those of Keras 3, none of
//! which overflows before its result does.
//!
//! [`KernelSpec::compiled_for`]: super::KernelSpec::compiled_for

use super::shader_struct;
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
    /// `ln(v)`, of values below the smallest normal float that of this float: -87.3 is the least.
    Log,
}

shader_struct! {
    /// An activation as parameters of a kernel.
    pub(super) struct ActivationParams {
        /// The shader's number, the ACTIVATION it is compiled for.
        number: u32,
        /// Below the threshold, or of an ELU.
        slope: f32,
        /// Where a ReLU begins.
        threshold: f32,
        /// Where a ReLU ends.
        ceiling: f32,
    }
}

/// By what name the number of the activation that a shader is written for stands among its constants.
pub(super) const ACTIVATION: &str = "ACTIVATION";

/// The shader's `activate(v)`: the function of that number.
pub(super) fn activate(number: u32) -> String {
    let kind = Activation::EACH[number as usize].kind();
    format!("fn activate(v: vec4<f32>) -> vec4<f32> {{ return activate_{kind}(v); }}\n")
}

/// Names each function's number, and lists the names in the order of their numbers.
macro_rules! numbers {
    ($($name:ident = $number:literal,)*) => {
        $(const $name: u32 = $number;)*

        const NAMES: &[&str] = &[$(stringify!($name),)*];
    };
}

numbers! {
    LINEAR = 0,
    RELU = 1,
    SIGMOID = 2,
    TANH = 3,
    RELU_WITH = 4,
    ELU = 5,
    SELU = 6,
    GELU = 7,
    GELU_TANH = 8,
    SILU = 9,
    SOFTPLUS = 10,
    SOFTSIGN = 11,
    EXPONENTIAL = 12,
    HARD_SIGMOID = 13,
    HARD_SILU = 14,
    MISH = 15,
    LOG = 16,
}

impl Activation {
    /// Whether a larger value never gives a smaller one.
    pub(crate) fn never_falls(self) -> bool {
        match self {
            Self::Linear
            | Self::Relu
            | Self::Sigmoid
            | Self::Tanh
            | Self::Selu
            | Self::Softplus
            | Self::Softsign
            | Self::Exponential
            | Self::HardSigmoid
            | Self::Log => true,
            Self::ReluWith {
                slope,
                threshold,
                ceiling,
            } => slope >= 0.0 && threshold >= 0.0 && ceiling >= 0.0,
            Self::Elu { alpha } => alpha >= 0.0,
            Self::Gelu | Self::GeluTanh | Self::Silu | Self::HardSilu | Self::Mish => false,
        }
    }

    /// One activation of every kind, in the order of their numbers.
    pub const EACH: [Self; 17] = [
        Self::Linear,
        Self::Relu,
        Self::Sigmoid,
        Self::Tanh,
        Self::ReluWith {
            slope: 0.25,
            threshold: 0.5,
            ceiling: 3.0,
        },
        Self::Elu { alpha: 1.5 },
        Self::Selu,
        Self::Gelu,
        Self::GeluTanh,
        Self::Silu,
        Self::Softplus,
        Self::Softsign,
        Self::Exponential,
        Self::HardSigmoid,
        Self::HardSilu,
        Self::Mish,
        Self::Log,
    ];

    /// The number that shaders know it by: what [`ACTIVATION`] stands for.
    pub(super) fn number(self) -> u32 {
        self.params().number
    }

    /// The name of its kind, e.g. `relu_with`.
    pub fn kind(self) -> String {
        let name = NAMES[self.number() as usize];
        name.to_lowercase()
    }

    pub(super) fn params(self) -> ActivationParams {
        let of = |number, [slope, threshold, ceiling]: [f32; 3]| ActivationParams {
            number,
            slope,
            threshold,
            ceiling,
        };
        let alone = |number| of(number, [0.0; 3]);
        match self {
            Self::Linear => alone(LINEAR),
            Self::Relu => alone(RELU),
            Self::Sigmoid => alone(SIGMOID),
            Self::Tanh => alone(TANH),
            Self::ReluWith {
                slope,
                threshold,
                ceiling,
            } => of(RELU_WITH, [slope, threshold, ceiling]),
            Self::Elu { alpha } => of(ELU, [alpha, 0.0, 0.0]),
            Self::Selu => alone(SELU),
            Self::Gelu => alone(GELU),
            Self::GeluTanh => alone(GELU_TANH),
            Self::Silu => alone(SILU),
            Self::Softplus => alone(SOFTPLUS),
            Self::Softsign => alone(SOFTSIGN),
            Self::Exponential => alone(EXPONENTIAL),
            Self::HardSigmoid => alone(HARD_SIGMOID),
            Self::HardSilu => alone(HARD_SILU),
            Self::Mish => alone(MISH),
            Self::Log => alone(LOG),
        }
    }

    pub(super) fn of(params: ActivationParams) -> Self {
        let ActivationParams {
            number,
            slope,
            threshold,
            ceiling,
        } = params;
        match number {
            LINEAR => Self::Linear,
            RELU => Self::Relu,
            SIGMOID => Self::Sigmoid,
            TANH => Self::Tanh,
            RELU_WITH => Self::ReluWith {
                slope,
                threshold,
                ceiling,
            },
            ELU => Self::Elu { alpha: slope },
            SELU => Self::Selu,
            GELU => Self::Gelu,
            GELU_TANH => Self::GeluTanh,
            SILU => Self::Silu,
            SOFTPLUS => Self::Softplus,
            SOFTSIGN => Self::Softsign,
            EXPONENTIAL => Self::Exponential,
            HARD_SIGMOID => Self::HardSigmoid,
            HARD_SILU => Self::HardSilu,
            MISH => Self::Mish,
            LOG => Self::Log,
            number => unreachable!("no activation has number {number}"),
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
            Self::Log => v.max(f32::MIN_POSITIVE).ln(),
        }
    }

    /// Applies it to each value.
    #[inline(always)]
    pub(super) fn apply_to(self, values: &mut [f32]) {
        match self {
            Self::Linear => {}
            // On their own, so that the compiler vectorises them.
            Self::Relu => values.iter_mut().for_each(|value| *value = value.max(0.0)),
            Self::ReluWith { .. } | Self::HardSigmoid | Self::HardSilu => values
                .iter_mut()
                .for_each(|value| *value = self.apply(*value)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_its_activation() {
        let each = Activation::EACH.map(Activation::number);
        assert_eq!(each, std::array::from_fn(|number| number as u32));
        assert_eq!(Activation::GeluTanh.kind(), "gelu_tanh");
    }

    #[test]
    fn what_never_falls_gives_no_smaller_value_for_a_larger_one() {
        let relu = |slope, threshold, ceiling| Activation::ReluWith {
            slope,
            threshold,
            ceiling,
        };
        let falling = [
            relu(-0.5, 0.0, 6.0),
            relu(0.0, -1.0, 6.0),
            relu(0.0, 1.0, -1.0),
            Activation::Elu { alpha: -1.0 },
        ];
        let all = Activation::EACH.into_iter().chain(falling);
        for activation in all {
            let values = (-400..400).map(|k| activation.apply(k as f32 / 40.0));
            let values: Vec<f32> = values.collect();
            let never = values.windows(2).all(|pair| pair[1] >= pair[0] - 1e-6);
            assert_eq!(activation.never_falls(), never, "{activation:?}");
        }
    }
}
