//! Scaling ahead of a network: what the user asks for, and what a network does itself.

use super::ModelError;

/// `x * scale + offset`, of inputs: one number, one a channel, or one a value.
#[derive(Debug, Clone)]
pub(super) struct Scaling {
    pub(super) scale: Vec<f64>,
    pub(super) offset: Vec<f64>,
}

/// What a network does to its input first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InputScaling {
    /// No scaling.
    None,
    /// One that does not say that it takes grey levels of 0..255.
    Other,
    /// One of grey levels of 0..255, or one that was stated.
    GreyLevels,
}

impl Scaling {
    /// `(x * scale - mean) / std`; each of `mean` and `std` is empty, one number, or one a channel.
    pub(super) fn new(scale: f64, mean: &[f64], std: &[f64]) -> Result<Self, ModelError> {
        let (means, stds) = (mean.len().max(1), std.len().max(1));
        let count = means.max(stds);
        if ![1, count].contains(&means) || ![1, count].contains(&stds) {
            return Err(ModelError::Config {
                place: "`mean` and `std`".into(),
                expected: "as many numbers in both".into(),
                found: format!("{means} and {stds}"),
            });
        }
        let at = |numbers: &[f64], k: usize, without: f64| match numbers {
            [] => without,
            [all] => *all,
            each => each[k],
        };
        let std = |k| at(std, k, 1.0);
        Ok(Self {
            scale: (0..count).map(|k| scale / std(k)).collect(),
            offset: (0..count).map(|k| -at(mean, k, 0.0) / std(k)).collect(),
        })
    }

    /// Whether it expects grey levels of 0..255: it brings them to a few units, or its centre lies
    /// far inside them. An affine step alone says nothing, since it may as well take 0..1 to -1..1.
    pub(super) fn takes_grey_levels(&self) -> bool {
        /// What 0..255 may become: 32 is four standard deviations of 32 levels each, and half a
        /// standard deviation of images in 0..1 would make it 500.
        const MOST: f64 = 32.0;
        const CENTRE: f64 = 8.0;
        let middle = |mut values: Vec<f64>| {
            // Pixels that never change have a deviation of 0 and any scale.
            values.sort_unstable_by(f64::total_cmp);
            values[values.len() / 2]
        };
        if self.scale.is_empty() || self.offset.is_empty() {
            return false;
        }
        let scale = middle(self.scale.iter().map(|scale| scale.abs()).collect());
        let offset = middle(self.offset.iter().map(|offset| offset.abs()).collect());
        let shrinks = scale > 0.0 && 255.0 * scale <= MOST;
        shrinks || offset > CENTRE * scale.max(f64::MIN_POSITIVE)
    }
}
