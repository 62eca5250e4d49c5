//! Smooth activations in 64-bit floats, each with the largest absolute value of its second
//! derivative: what the chord over an interval can be wrong by is `bend * r^2 / 2`, `r` the
//! half-width.

use crate::kernels::Activation;
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// An activation with a bounded second derivative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Smooth {
    Tanh,
    Sigmoid,
    Softplus,
    Gelu,
    Silu,
    Softsign,
}

impl Smooth {
    /// Their names, for messages.
    pub(super) const NAMES: &'static str = "tanh, sigmoid, softplus, gelu, silu and softsign";

    pub(super) fn of(activation: Activation) -> Option<Self> {
        Some(match activation {
            Activation::Tanh => Self::Tanh,
            Activation::Sigmoid => Self::Sigmoid,
            Activation::Softplus => Self::Softplus,
            Activation::Gelu => Self::Gelu,
            Activation::Silu => Self::Silu,
            Activation::Softsign => Self::Softsign,
            _ => return None,
        })
    }

    pub(super) fn at(self, x: f64) -> f64 {
        match self {
            Self::Tanh => x.tanh(),
            Self::Sigmoid => sigmoid(x),
            // ln(1 + e^x) without overflow.
            Self::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
            Self::Gelu => 0.5 * x * erfc(-x * FRAC_1_SQRT_2),
            Self::Silu => x * sigmoid(x),
            Self::Softsign => x / (1.0 + x.abs()),
        }
    }

    /// The first derivative.
    pub(super) fn slope(self, x: f64) -> f64 {
        match self {
            Self::Tanh => 1.0 - x.tanh().powi(2),
            Self::Sigmoid => sigmoid(x) * sigmoid(-x),
            Self::Softplus => sigmoid(x),
            Self::Gelu => {
                0.5 * erfc(-x * FRAC_1_SQRT_2) + x * (-x * x / 2.0).exp() / (2.0 * PI).sqrt()
            }
            Self::Silu => sigmoid(x) * (1.0 + x * sigmoid(-x)),
            Self::Softsign => (1.0 + x.abs()).powi(-2),
        }
    }

    /// Largest `|f''|`, rounded up; of softsign, whose second derivative jumps at 0, the Lipschitz
    /// constant of its first, which bounds the chord alike.
    pub(super) fn bend(self) -> f64 {
        const ROUNDED_UP: f64 = 1.0 + 1e-12;
        let bend = match self {
            // At tanh x = 1 / sqrt 3.
            Self::Tanh => 4.0 / 27f64.sqrt(),
            Self::Sigmoid => 1.0 / 108f64.sqrt(),
            Self::Softplus => 0.25,
            // At 0: f'' = phi(x) (2 - x^2).
            Self::Gelu => 2.0 / (2.0 * PI).sqrt(),
            // At 0: f'' = s'(x) (2 + x (1 - 2 s(x))).
            Self::Silu => 0.5,
            Self::Softsign => 2.0,
        };
        bend * ROUNDED_UP
    }
}

fn sigmoid(x: f64) -> f64 {
    let e = (-x.abs()).exp();
    if x >= 0.0 {
        1.0 / (1.0 + e)
    } else {
        e / (1.0 + e)
    }
}

/// `1 - erf(x)`, to about 1e-15 of itself: a series without cancellation up to 2, a continued
/// fraction beyond (Abramowitz and Stegun 7.1.6 and 7.1.14).
fn erfc(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 - erfc(-x);
    }
    if x < 2.0 {
        let mut term = x;
        let mut sum = x;
        for n in 1..80 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
            if term < 1e-18 * sum {
                break;
            }
        }
        return 1.0 - 2.0 / PI.sqrt() * (-x * x).exp() * sum;
    }
    // e^(-x^2) / sqrt(pi) / (x + (1/2)/(x + 1/(x + (3/2)/(x + ...)))), from the inside out.
    let mut below = x;
    for n in (1..=120).rev() {
        below = x + f64::from(n) / 2.0 / below;
    }
    (-x * x).exp() / PI.sqrt() / below
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1: `scipy.special.erfc`.
    #[test]
    fn erfc_matches_scipy() {
        for (x, expected) in [
            (0.0, 1.0),
            (0.5, 0.4795001221869535),
            (1.0, 0.15729920705028513),
            (1.9, 0.0072095707647425325),
            (2.0, 0.004677734981047266),
            (3.0, 2.2090496998585438e-05),
            (-1.5, 1.9661051464753108),
        ] {
            let found = erfc(x);
            let difference = (found - expected).abs();
            assert!(
                difference <= 4e-15 * expected.max(0.1),
                "{x}: {found} and {expected}"
            );
        }
    }

    #[test]
    fn slopes_and_bends_hold_against_differences() {
        let all = [
            Smooth::Tanh,
            Smooth::Sigmoid,
            Smooth::Softplus,
            Smooth::Gelu,
            Smooth::Silu,
            Smooth::Softsign,
        ];
        for f in all {
            let (mut steepest, h) = (0f64, 1e-4);
            for k in -8000..=8000 {
                let x = f64::from(k) / 1000.0;
                let slope = (f.at(x + h) - f.at(x - h)) / (2.0 * h);
                assert!((slope - f.slope(x)).abs() < 2e-4, "{f:?} at {x}");
                steepest = steepest.max(((f.slope(x + h) - f.slope(x - h)) / (2.0 * h)).abs());
            }
            assert!(steepest <= f.bend() + 1e-6, "{f:?}: {steepest}");
            assert!(steepest >= 0.99 * f.bend(), "{f:?}: {steepest}");
        }
    }
}
