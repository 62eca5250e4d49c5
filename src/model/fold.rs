//! Scaling and shifting folded into the weights of a neighbour, in 64-bit floats.

use super::ModelError;
use super::weights::check_finite;
use crate::kernels::Windows;

/// `x * scale + offset`; value `i` of a row takes entry `i % len`, so that one entry stands for
/// all values and one a channel for each channel.
#[derive(Debug, Clone)]
pub(super) struct Affine {
    pub(super) scale: Vec<f64>,
    pub(super) offset: Vec<f64>,
}

impl Affine {
    pub(super) fn identity() -> Self {
        Self {
            scale: vec![1.0],
            offset: vec![0.0],
        }
    }

    pub(super) fn is_identity(&self) -> bool {
        !self.shifts() && self.scale.iter().all(|&scale| scale == 1.0)
    }

    /// Entries after which both repeat; they are one or equally many.
    fn period(&self) -> usize {
        self.scale.len().max(self.offset.len())
    }

    /// Whether a row of `channels` (or of whole pixels of so many) meets whole periods.
    pub(super) fn fits(&self, channels: usize) -> bool {
        channels.is_multiple_of(self.period())
    }

    fn shifts(&self) -> bool {
        self.offset.iter().any(|&offset| offset != 0.0)
    }

    fn at(&self, i: usize) -> (f64, f64) {
        (
            self.scale[i % self.scale.len()],
            self.offset[i % self.offset.len()],
        )
    }

    /// This one, then `next`: `(x s + o) s' + o'`. Their periods are one, or the same.
    pub(super) fn then(&self, next: &Self) -> Option<Self> {
        let period = self.period().max(next.period());
        (self.fits_in(period) && next.fits_in(period)).then(|| {
            let both = (0..period).map(|i| (self.at(i), next.at(i)));
            let (scale, offset) = both.map(|((s, o), (s2, o2))| (s * s2, o * s2 + o2)).unzip();
            Self { scale, offset }
        })
    }

    fn fits_in(&self, period: usize) -> bool {
        period.is_multiple_of(self.period())
    }
}

/// Sums of products: a dense layer or a convolution.
#[derive(Debug)]
pub(super) struct Linear {
    pub(super) kind: Kind,
    /// Input channels; for a dense layer all inputs.
    pub(super) inputs: usize,
    /// `[taps, inputs a group, outputs]`
    pub(super) kernel: Vec<f32>,
    /// `[outputs]`
    pub(super) bias: Vec<f32>,
}

/// What moves over the input.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Dense,
    /// In so many groups.
    Conv(Windows, usize),
}

impl Linear {
    /// Whether `affine` may be folded in ahead: a shift must not meet padding, which stays 0.
    pub(super) fn takes_ahead(&self, affine: &Affine) -> bool {
        let padded = match self.kind {
            Kind::Dense => false,
            Kind::Conv(windows, _) => windows.padded(),
        };
        affine.fits(self.inputs) && !(padded && affine.shifts())
    }

    /// `(x s + o) W + b = x (s W) + (b + o W)`
    pub(super) fn fold_ahead(&mut self, name: &str, affine: &Affine) -> Result<(), ModelError> {
        let groups = match self.kind {
            Kind::Dense => 1,
            Kind::Conv(_, groups) => groups,
        };
        let (inputs, outputs) = (self.inputs / groups, self.bias.len());
        let mut bias: Vec<f64> = self.bias.iter().map(|&bias| f64::from(bias)).collect();
        for (k, weight) in self.kernel.iter_mut().enumerate() {
            let output = k % outputs;
            // Outputs of a group are neighbours, and so are its inputs.
            let group = output / (outputs / groups);
            let (scale, offset) = affine.at(group * inputs + k / outputs % inputs);
            bias[output] += offset * f64::from(*weight);
            *weight = (scale * f64::from(*weight)) as f32;
        }
        self.bias = bias.into_iter().map(|bias| bias as f32).collect();
        self.check(name)
    }

    /// `(x W + b) s + o = x (W s) + (b s + o)`
    pub(super) fn fold_behind(&mut self, name: &str, affine: &Affine) -> Result<(), ModelError> {
        let outputs = self.bias.len();
        for (k, weight) in self.kernel.iter_mut().enumerate() {
            *weight = (affine.at(k % outputs).0 * f64::from(*weight)) as f32;
        }
        for (k, bias) in self.bias.iter_mut().enumerate() {
            let (scale, offset) = affine.at(k);
            *bias = (scale * f64::from(*bias) + offset) as f32;
        }
        self.check(name)
    }

    fn check(&self, name: &str) -> Result<(), ModelError> {
        let folded = format!("{name} with its scaling");
        check_finite(&folded, &self.kernel)?;
        check_finite(&folded, &self.bias)
    }
}
