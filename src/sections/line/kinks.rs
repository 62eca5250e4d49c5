//! Functions of the line's parameter t: value and slope at the beginning, and changes of slope at
//! events; of single units, of whole vectors, of pixels, and taken through affine steps.

use super::super::forward::{seen_by, taps};
use super::super::network::{Op, SectionNetwork};
use crate::kernels::Windows;
use pulp::Arch;

/// A change of slope of one unit at one event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kink {
    pub(super) event: u32,
    pub(super) unit: u32,
    pub(super) delta: f64,
}

/// Kinks of single units, ascending by event.
pub(super) struct Sparse {
    pub(super) start: Vec<f64>,
    pub(super) slope: Vec<f64>,
    pub(super) kinks: Vec<Kink>,
}

/// Changes of slope of whole vectors: row `k` happens at `events[k]`, ascending.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) events: Vec<u32>,
    pub(super) rows: Vec<f64>,
}

/// What a step gives, as functions of t.
pub(super) enum Value {
    Sparse(Sparse),
    /// All units of a dense step at once.
    Dense {
        start: Vec<f64>,
        slope: Vec<f64>,
        rows: Rows,
    },
    /// A convolution: kinks of what it takes, by pixel; rows are made where they are needed.
    Conv {
        start: Vec<f64>,
        slope: Vec<f64>,
        step: usize,
        pixels: Pixels,
    },
    /// No step to come takes it.
    Gone,
}

/// Kinks by pixel: those of pixel `p` are `kinks[ends[p]..ends[p + 1]]`, by event; units are
/// channels.
pub(super) struct Pixels {
    pub(super) ends: Vec<u32>,
    pub(super) kinks: Vec<Kink>,
}

impl Pixels {
    pub(super) fn new(kinks: &[Kink], count: usize, channels: usize) -> Self {
        let mut ends = vec![0u32; count + 1];
        for kink in kinks {
            ends[kink.unit as usize / channels + 1] += 1;
        }
        for p in 0..count {
            ends[p + 1] += ends[p];
        }
        let mut next = ends.clone();
        let mut sorted = vec![
            Kink {
                event: 0,
                unit: 0,
                delta: 0.0
            };
            kinks.len()
        ];
        for kink in kinks {
            let (pixel, channel) = (kink.unit as usize / channels, kink.unit as usize % channels);
            sorted[next[pixel] as usize] = Kink {
                unit: channel as u32,
                ..*kink
            };
            next[pixel] += 1;
        }
        Self {
            ends,
            kinks: sorted,
        }
    }

    pub(super) fn of(&self, pixel: usize) -> &[Kink] {
        &self.kinks[self.ends[pixel] as usize..self.ends[pixel + 1] as usize]
    }
}

pub(super) fn ends_of(value: &Value) -> (&[f64], &[f64]) {
    match value {
        Value::Sparse(Sparse { start, slope, .. })
        | Value::Dense { start, slope, .. }
        | Value::Conv { start, slope, .. } => (start, slope),
        Value::Gone => (&[], &[]),
    }
}

impl Rows {
    /// The row of an event that is not before the last one's.
    pub(super) fn row(&mut self, event: u32, channels: usize) -> &mut [f64] {
        if self.events.last() != Some(&event) {
            self.events.push(event);
            self.rows.resize(self.rows.len() + channels, 0.0);
        }
        let end = self.rows.len();
        &mut self.rows[end - channels..]
    }
}

/// Kinks taken through a dense step: those of one event make one row.
pub(super) fn dense_rows(kinks: &[Kink], weight: &[f64], outputs: usize) -> Rows {
    let mut rows = Rows::default();
    Arch::new().dispatch(|| {
        for kink in kinks {
            let weights = &weight[kink.unit as usize * outputs..][..outputs];
            let row = rows.row(kink.event, outputs);
            for (y, w) in row.iter_mut().zip(weights) {
                *y += kink.delta * w;
            }
        }
    });
    rows
}

/// Kinks taken through a mean over windows.
pub(super) fn averaged(kinks: &[Kink], windows: &Windows) -> Vec<Kink> {
    let channels = windows.input[2];
    let counts: Vec<f64> = (0..windows.output[0] * windows.output[1])
        .map(|p| taps(windows, p / windows.output[1], p % windows.output[1]).count() as f64)
        .collect();
    let through = |kink: &Kink| {
        let (pixel, channel) = (kink.unit as usize / channels, kink.unit as usize % channels);
        let kink = *kink;
        seen_by(windows, pixel)
            .map(|(_, out)| Kink {
                event: kink.event,
                unit: (out * channels + channel) as u32,
                delta: kink.delta / counts[out],
            })
            .collect::<Vec<_>>()
    };
    kinks.iter().flat_map(through).collect()
}

/// Rows of a convolution's output pixels, made of the kinks of the pixels that it sees.
pub(super) struct ConvRows<'a> {
    pub(super) windows: &'a Windows,
    pub(super) weight: &'a [f64],
    pub(super) outputs: usize,
    pub(super) pixels: &'a Pixels,
}

impl<'a> ConvRows<'a> {
    pub(super) fn new(network: &'a SectionNetwork, step: usize, pixels: &'a Pixels) -> Self {
        let Op::Conv {
            windows, weight, ..
        } = &network.steps[step].op
        else {
            unreachable!("only convolutions are kept as pixels")
        };
        Self {
            windows,
            weight,
            outputs: windows.output[2],
            pixels,
        }
    }

    /// All changes of slope of one output pixel, by event.
    pub(super) fn gather(&self, pixel: usize, rows: &mut Rows, scratch: &mut Vec<Kink>) {
        let (channels, outputs) = (self.windows.input[2], self.outputs);
        let width = self.windows.output[1];
        scratch.clear();
        for (tap, from) in taps(self.windows, pixel / width, pixel % width) {
            let kinks = self.pixels.of(from).iter();
            scratch.extend(kinks.map(|kink| Kink {
                unit: (tap * channels) as u32 + kink.unit,
                ..*kink
            }));
        }
        scratch.sort_by_key(|kink| kink.event);
        rows.events.clear();
        rows.rows.clear();
        Arch::new().dispatch(|| {
            for kink in scratch.iter() {
                let weights = &self.weight[kink.unit as usize * outputs..][..outputs];
                let row = rows.row(kink.event, outputs);
                for (y, w) in row.iter_mut().zip(weights) {
                    *y += kink.delta * w;
                }
            }
        });
    }
}
