//! One step of the network on one row of values, in three readings: as it is, its linear part
//! alone (for directions), and its linear part with the weights' absolute values (for remainders).

use super::SectionError;
use super::network::{Op, SectionNetwork};
use crate::kernels::Windows;
use pulp::Arch;

/// What of an affine step is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// `x W + b`
    Whole,
    /// `x W`
    Linear,
    /// `x |W|`
    Absolute,
}

/// Input pixels that a window sees: `(tap, pixel)`, padding left out.
pub(super) fn taps(windows: &Windows, y: usize, x: usize) -> impl Iterator<Item = (usize, usize)> {
    let [height, width, _] = windows.input;
    let [rows, columns] = windows.size;
    let (top, left) = (y * windows.stride[0], x * windows.stride[1]);
    let before = windows.before;
    (0..rows).flat_map(move |dy| {
        (0..columns).filter_map(move |dx| {
            let row = (top + dy)
                .checked_sub(before[0])
                .filter(|&row| row < height)?;
            let column = (left + dx).checked_sub(before[1]).filter(|&c| c < width)?;
            Some((dy * columns + dx, row * width + column))
        })
    })
}

/// Output pixels `(tap, pixel)` whose windows see an input pixel.
pub(super) fn seen_by(
    windows: &Windows,
    pixel: usize,
) -> impl Iterator<Item = (usize, usize)> + use<> {
    let w = *windows;
    let [y, x] = [pixel / w.input[1], pixel % w.input[1]];
    let along = move |at: usize, axis: usize| {
        (0..w.size[axis]).filter_map(move |tap| {
            let start = (at + w.before[axis]).checked_sub(tap)?;
            let out = start / w.stride[axis];
            (start.is_multiple_of(w.stride[axis]) && out < w.output[axis]).then_some((tap, out))
        })
    };
    along(y, 0).flat_map(move |(dy, row)| {
        along(x, 1).map(move |(dx, column)| (dy * w.size[1] + dx, row * w.output[1] + column))
    })
}

#[inline(always)]
fn axpy<const ABSOLUTE: bool>(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y += a * if ABSOLUTE { x.abs() } else { x };
    }
}

fn dense(x: &[f64], weight: &[f64], y: &mut [f64], part: Part) {
    Arch::new().dispatch(|| {
        let rows = x.iter().zip(weight.chunks_exact(y.len()));
        // Black pixels and dead units are common: half of the work is not there.
        for (&a, row) in rows.filter(|(a, _)| **a != 0.0) {
            match part {
                Part::Absolute => axpy::<true>(a, row, y),
                _ => axpy::<false>(a, row, y),
            }
        }
    });
}

fn conv(x: &[f64], windows: &Windows, weight: &[f64], y: &mut [f64], part: Part) {
    let (channels, outputs) = (windows.input[2], windows.output[2]);
    let width = windows.output[1];
    Arch::new().dispatch(|| {
        for (pixel, y) in y.chunks_exact_mut(outputs).enumerate() {
            for (tap, from) in taps(windows, pixel / width, pixel % width) {
                let x = &x[from * channels..][..channels];
                let rows = &weight[tap * channels * outputs..][..channels * outputs];
                let rows = x.iter().zip(rows.chunks_exact(outputs));
                for (&a, row) in rows.filter(|(a, _)| **a != 0.0) {
                    match part {
                        Part::Absolute => axpy::<true>(a, row, y),
                        _ => axpy::<false>(a, row, y),
                    }
                }
            }
        }
    });
}

/// Applies the part of an affine step to one row; nothing for another step.
pub(super) fn affine(op: &Op, takes: &[&[f64]], outputs: usize, part: Part) -> Option<Vec<f64>> {
    let x = takes[0];
    let with_bias = |bias: &[f64]| -> Vec<f64> {
        match part {
            Part::Whole => bias.iter().copied().cycle().take(outputs).collect(),
            _ => vec![0.0; outputs],
        }
    };
    Some(match op {
        Op::Dense { weight, bias } => {
            let mut y = with_bias(bias);
            dense(x, weight, &mut y, part);
            y
        }
        Op::Conv {
            windows,
            weight,
            bias,
        } => {
            let mut y = with_bias(bias);
            conv(x, windows, weight, &mut y, part);
            y
        }
        Op::Average(windows) => {
            let channels = windows.input[2];
            let mut y = vec![0.0; outputs];
            for (pixel, y) in y.chunks_exact_mut(channels).enumerate() {
                let place = [pixel / windows.output[1], pixel % windows.output[1]];
                let mut count = 0.0;
                for (_, from) in taps(windows, place[0], place[1]) {
                    count += 1.0;
                    axpy::<false>(1.0, &x[from * channels..][..channels], y);
                }
                y.iter_mut().for_each(|y| *y /= count);
            }
            y
        }
        Op::Scale { scale, offset } => {
            let entries = x.iter().zip(scale).zip(offset);
            entries
                .map(|((x, s), o)| match part {
                    Part::Whole => x * s + o,
                    Part::Linear => x * s,
                    Part::Absolute => x * s.abs(),
                })
                .collect()
        }
        Op::Add => {
            let mut y = x.to_vec();
            for other in &takes[1..] {
                axpy::<false>(1.0, other, &mut y);
            }
            y
        }
        Op::Largest { .. } | Op::Smooth(_) => return None,
    })
}

/// The values that a "largest of" step chooses from for output `unit`.
pub(super) fn window_units(windows: Option<&Windows>, unit: usize) -> Vec<usize> {
    let Some(windows) = windows else {
        return vec![unit];
    };
    let channels = windows.input[2];
    let (pixel, channel) = (unit / channels, unit % channels);
    let [y, x] = [pixel / windows.output[1], pixel % windows.output[1]];
    taps(windows, y, x)
        .map(|(_, from)| from * channels + channel)
        .collect()
}

fn largest(x: &[f64], slope: f64, windows: Option<&Windows>, outputs: usize) -> Vec<f64> {
    let rectified = |u: f64| if u > 0.0 { u } else { slope * u };
    match windows {
        None => x.iter().map(|&u| rectified(u)).collect(),
        Some(windows) => {
            let channels = windows.input[2];
            let mut y = vec![f64::NEG_INFINITY; outputs];
            for (pixel, y) in y.chunks_exact_mut(channels).enumerate() {
                for (_, from) in taps(
                    windows,
                    pixel / windows.output[1],
                    pixel % windows.output[1],
                ) {
                    for (y, &u) in y.iter_mut().zip(&x[from * channels..]) {
                        // Not `f64::max`, which would hide a value that is not a number.
                        if u > *y || u.is_nan() {
                            *y = u;
                        }
                    }
                }
                y.iter_mut().for_each(|y| *y = rectified(*y));
            }
            y
        }
    }
}

impl SectionNetwork {
    /// All values from a point to its logits, the point itself first.
    pub(super) fn values(&self, z: &[f64]) -> Vec<Vec<f64>> {
        self.values_from(z, None)
    }

    /// Step `i` on one row.
    pub(super) fn step_on(&self, i: usize, takes: &[&[f64]]) -> Vec<f64> {
        let outputs = self.sizes[i + 1];
        match &self.steps[i].op {
            Op::Largest { slope, windows } => largest(takes[0], *slope, windows.as_ref(), outputs),
            Op::Smooth(smooth) => takes[0].iter().map(|&x| smooth.at(x)).collect(),
            op => affine(op, takes, outputs, Part::Whole).expect("the other steps are affine"),
        }
    }

    fn values_from(&self, z: &[f64], first: Option<&[f64]>) -> Vec<Vec<f64>> {
        let mut values = vec![z.to_vec()];
        values.extend(first.map(<[f64]>::to_vec));
        for (i, step) in self.steps.iter().enumerate().skip(values.len() - 1) {
            let takes: Vec<&[f64]> = step.takes.iter().map(|&v| &values[v][..]).collect();
            let value = self.step_on(i, &takes);
            values.push(value);
        }
        values
    }

    /// Logits at a point whose first step may be known already, and for each the sum of absolute
    /// products that it is the signed sum of.
    pub(super) fn logits_and_sums(&self, z: &[f64], first: Option<&[f64]>) -> (Vec<f64>, Vec<f64>) {
        let mut values = self.values_from(z, first);
        let step = self.steps.last().expect("a network has steps");
        let absolute = |v: usize| values[v].iter().map(|x| x.abs()).collect::<Vec<f64>>();
        let takes: Vec<Vec<f64>> = step.takes.iter().map(|&v| absolute(v)).collect();
        let takes: Vec<&[f64]> = takes.iter().map(|x| &x[..]).collect();
        let sums = affine(&step.op, &takes, self.num_classes(), Part::Absolute);
        let logits = values.pop().expect("the logits");
        (logits, sums.unwrap_or_default())
    }

    /// Last step that takes each value; of the logits the last step.
    pub(super) fn last_use(&self) -> Vec<usize> {
        let mut last = vec![self.steps.len(); self.sizes.len()];
        for (i, step) in self.steps.iter().enumerate() {
            step.takes.iter().for_each(|&value| last[value] = i);
        }
        last
    }

    /// Logits at one point of the space.
    ///
    /// # Errors
    /// [`SectionError::NotFinite`] with the first layer that gives a value that is not finite.
    ///
    /// # Panics
    /// When the point has not [`SectionNetwork::num_inputs`] values.
    pub fn logits(&self, z: &[f64]) -> Result<Vec<f64>, SectionError> {
        assert_eq!(z.len(), self.num_inputs(), "a point of the space");
        let mut values = self.values(z);
        for (step, value) in self.steps.iter().zip(&values[1..]) {
            self.check_values(&step.name, value)?;
        }
        Ok(values.pop().expect("the logits"))
    }

    pub(super) fn check_values(&self, layer: &str, values: &[f64]) -> Result<(), SectionError> {
        match values.iter().all(|value| value.is_finite()) {
            true => Ok(()),
            false => Err(SectionError::NotFinite {
                layer: layer.to_owned(),
            }),
        }
    }

    /// The gradient at `z` of `sum_k weight_k f_k`, the logits' weighted sum: backwards through
    /// the piece that `z` lies on. At a bend it is the gradient of one of the pieces.
    pub(super) fn gradient(&self, z: &[f64], weights: &[f64]) -> Vec<f64> {
        let values = self.values(z);
        let mut gradients: Vec<Vec<f64>> = self.sizes.iter().map(|&size| vec![0.0; size]).collect();
        let last = self.steps.len();
        gradients[last].copy_from_slice(weights);
        for (i, step) in self.steps.iter().enumerate().rev() {
            let after = std::mem::take(&mut gradients[i + 1]);
            let from = step.takes[0];
            let x = &values[from];
            let before = &mut gradients[from];
            match &step.op {
                Op::Dense { weight, .. } => {
                    for (g, row) in before.iter_mut().zip(weight.chunks_exact(after.len())) {
                        *g += row.iter().zip(&after).map(|(w, a)| w * a).sum::<f64>();
                    }
                }
                Op::Conv {
                    windows, weight, ..
                } => {
                    let (channels, outputs) = (windows.input[2], windows.output[2]);
                    for (pixel, after) in after.chunks_exact(outputs).enumerate() {
                        let place = [pixel / windows.output[1], pixel % windows.output[1]];
                        for (tap, from) in taps(windows, place[0], place[1]) {
                            let rows = &weight[tap * channels * outputs..][..channels * outputs];
                            let before = &mut before[from * channels..][..channels];
                            for (g, row) in before.iter_mut().zip(rows.chunks_exact(outputs)) {
                                *g += row.iter().zip(after).map(|(w, a)| w * a).sum::<f64>();
                            }
                        }
                    }
                }
                Op::Average(windows) => {
                    for (unit, &a) in after.iter().enumerate() {
                        let units = window_units(Some(windows), unit);
                        let share = a / units.len() as f64;
                        units.into_iter().for_each(|u| before[u] += share);
                    }
                }
                Op::Scale { scale, .. } => {
                    for ((g, s), a) in before.iter_mut().zip(scale).zip(&after) {
                        *g += s * a;
                    }
                }
                Op::Add => {
                    for &value in &step.takes {
                        for (g, a) in gradients[value].iter_mut().zip(&after) {
                            *g += a;
                        }
                    }
                }
                Op::Largest { slope, windows } => {
                    for (unit, &a) in after.iter().enumerate().filter(|(_, a)| **a != 0.0) {
                        let units = window_units(windows.as_ref(), unit);
                        let first = units[0];
                        let winner = units
                            .into_iter()
                            .fold(first, |best, u| if x[u] > x[best] { u } else { best });
                        before[winner] += if x[winner] > 0.0 { a } else { slope * a };
                    }
                }
                Op::Smooth(smooth) => {
                    for ((g, &x), a) in before.iter_mut().zip(x).zip(&after) {
                        *g += smooth.slope(x) * a;
                    }
                }
            }
        }
        gradients.swap_remove(0)
    }
}
