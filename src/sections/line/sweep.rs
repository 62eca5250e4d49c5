//! One line through all steps of a network: each step's values as functions of t.

use super::super::forward::{self, Part, taps};
use super::super::intervals::class_intervals;
use super::super::network::{Op, SectionNetwork};
use super::super::plane::distance;
use super::super::{SectionError, SectionLabel, TOL_T};
use super::kinks::*;
use super::window::*;
use super::{LineOptions, LineSection};
use crate::kernels::Windows;
use pulp::Arch;

/// How far the swept logits may be from a forward pass at the line's end, relative to the largest
/// logit and at least 1.
pub(super) const END_TOLERANCE: f64 = 1e-9;
/// And relative to the sum of the absolute products behind a logit: what rounding may do where large
/// products cancel.
pub(super) const ROUNDING: f64 = 1e-14;
/// Neighbouring pieces whose logits' slopes differ by less, relative to the steepest, are one piece
/// of the logits.
pub(super) const SAME_SLOPE: f64 = 1e-9;

pub(super) struct LineSweep<'n> {
    pub(super) network: &'n SectionNetwork,
    pub(super) range: [f64; 2],
    /// Times of the events, ascending; kinks name them by place.
    pub(super) times: Vec<f64>,
    pub(super) values: Vec<Value>,
}

impl<'n> LineSweep<'n> {
    pub(super) fn new(network: &'n SectionNetwork, range: [f64; 2]) -> Self {
        Self {
            network,
            range,
            times: Vec::new(),
            values: Vec::with_capacity(network.steps.len() + 1),
        }
    }

    pub(super) fn run(
        mut self,
        line: &[&[f64]; 2],
        points: [&[f64]; 2],
        firsts: Option<[&[f64]; 2]>,
        options: &LineOptions,
    ) -> Result<LineSection, SectionError> {
        let network = self.network;
        let last_use = network.last_use();
        self.values.push(self.straight(points));
        let mut pieces_after = Vec::new();
        for (i, step) in network.steps.iter().enumerate() {
            let value = match (&step.op, firsts) {
                (_, Some(firsts)) if i == 0 => self.straight(firsts),
                (Op::Largest { slope, windows }, _) => {
                    let value = self.largest(i, *slope, windows.as_ref());
                    pieces_after.push(self.pieces());
                    if self.pieces() > options.max_pieces {
                        return Err(SectionError::TooManyPieces {
                            limit: options.max_pieces,
                        });
                    }
                    value
                }
                _ => self.affine(i),
            };
            let (start, slope) = ends_of(&value);
            network.check_values(&step.name, start)?;
            network.check_values(&step.name, slope)?;
            self.values.push(value);
            for (v, value) in self.values.iter_mut().enumerate() {
                if last_use[v] <= i && v != i + 1 {
                    *value = Value::Gone;
                }
            }
        }
        let (t, logits, logit_pieces) = self.logits();
        let num_classes = network.num_classes();
        self.check_end(&logits[logits.len() - num_classes..], points[1], firsts)?;
        let (breaks, classes) = class_intervals(&t, &logits, num_classes);
        Ok(LineSection {
            label: SectionLabel::Exact,
            length: distance(line[0], line[1]),
            t,
            logits,
            num_classes,
            breaks,
            classes,
            pieces_after,
            logit_pieces,
        })
    }

    /// A value that is affine along the whole line, from its ends.
    pub(super) fn straight(&self, [from, to]: [&[f64]; 2]) -> Value {
        let width = self.range[1] - self.range[0];
        Value::Sparse(Sparse {
            start: from.to_vec(),
            slope: from.iter().zip(to).map(|(a, b)| (b - a) / width).collect(),
            kinks: Vec::new(),
        })
    }

    /// The swept logits at the end against those of a forward pass.
    pub(super) fn check_end(
        &self,
        swept: &[f64],
        point: &[f64],
        firsts: Option<[&[f64]; 2]>,
    ) -> Result<(), SectionError> {
        let (direct, summed) = self.network.logits_and_sums(point, firsts.map(|f| f[1]));
        let largest = |list: &[f64]| list.iter().fold(1.0f64, |most, f| most.max(f.abs()));
        let allowed = END_TOLERANCE * largest(&direct) + ROUNDING * largest(&summed);
        let worst = direct.iter().zip(swept).map(|(a, b)| (a - b).abs());
        let worst = worst.fold(
            0.0f64,
            |most, d| if d > most || d.is_nan() { d } else { most },
        );
        if worst <= allowed {
            return Ok(());
        }
        Err(SectionError::SelfCheck {
            what: "the logits at the end of a line, swept and computed directly, differ",
            found: worst,
            allowed,
        })
    }

    /// Number of pieces: break points closer than [`TOL_T`] are one.
    pub(super) fn pieces(&self) -> usize {
        1 + self.clusters().count()
    }

    /// The first event of each bundle of events that are one.
    pub(super) fn clusters(&self) -> impl Iterator<Item = usize> + '_ {
        let mut last = f64::NEG_INFINITY;
        let all = self.times.iter().enumerate();
        all.filter_map(move |(k, &t)| {
            let is_new = t - last > TOL_T;
            if is_new {
                last = t;
            }
            is_new.then_some(k)
        })
    }

    pub(super) fn affine(&mut self, i: usize) -> Value {
        let network = self.network;
        let step = &network.steps[i];
        for &v in &step.takes {
            self.make_sparse(v);
        }
        let sources: Vec<&Sparse> = step.takes.iter().map(|&v| self.sparse(v)).collect();
        let outputs = network.sizes[i + 1];
        let of = |pick: fn(&Sparse) -> &[f64], part| {
            let takes: Vec<&[f64]> = sources.iter().map(|s| pick(s)).collect();
            forward::affine(&step.op, &takes, outputs, part).expect("an affine step")
        };
        let start = of(|s| &s.start, Part::Whole);
        let slope = of(|s| &s.slope, Part::Linear);
        let source = sources[0];
        match &step.op {
            Op::Dense { weight, .. } => Value::Dense {
                start,
                slope,
                rows: dense_rows(&source.kinks, weight, outputs),
            },
            Op::Conv { windows, .. } => {
                let [height, width, channels] = windows.input;
                Value::Conv {
                    start,
                    slope,
                    step: i,
                    pixels: Pixels::new(&source.kinks, height * width, channels),
                }
            }
            op => {
                let kinks = match op {
                    Op::Scale { scale, .. } => {
                        let scaled = source.kinks.iter().map(|kink| Kink {
                            delta: kink.delta * scale[kink.unit as usize],
                            ..*kink
                        });
                        scaled.filter(|kink| kink.delta != 0.0).collect()
                    }
                    Op::Average(windows) => averaged(&source.kinks, windows),
                    Op::Add => {
                        let mut all: Vec<Kink> = sources
                            .iter()
                            .flat_map(|s| s.kinks.iter().copied())
                            .collect();
                        all.sort_by_key(|kink| kink.event);
                        all
                    }
                    _ => unreachable!("dense steps and convolutions are above, others not affine"),
                };
                Value::Sparse(Sparse {
                    start,
                    slope,
                    kinks,
                })
            }
        }
    }

    pub(super) fn sparse(&self, v: usize) -> &Sparse {
        match &self.values[v] {
            Value::Sparse(sparse) => sparse,
            _ => unreachable!("`make_sparse` came before"),
        }
    }

    /// Turns a value into kinks of single units, where an affine step follows an affine step.
    pub(super) fn make_sparse(&mut self, v: usize) {
        let mut kinks = Vec::new();
        let mut push = |rows: &Rows, channels: usize, first: usize| {
            for (&event, row) in rows.events.iter().zip(rows.rows.chunks_exact(channels)) {
                let changes = row.iter().enumerate().filter(|(_, d)| **d != 0.0);
                kinks.extend(changes.map(|(c, &delta)| Kink {
                    event,
                    unit: (first + c) as u32,
                    delta,
                }));
            }
        };
        let (start, slope) = match std::mem::replace(&mut self.values[v], Value::Gone) {
            Value::Dense { start, slope, rows } => {
                push(&rows, start.len(), 0);
                (start, slope)
            }
            Value::Conv {
                start,
                slope,
                step,
                pixels,
            } => {
                let conv = ConvRows::new(self.network, step, &pixels);
                let (mut rows, mut scratch) = (Rows::default(), Vec::new());
                for pixel in 0..start.len() / conv.outputs {
                    conv.gather(pixel, &mut rows, &mut scratch);
                    push(&rows, conv.outputs, pixel * conv.outputs);
                }
                (start, slope)
            }
            as_it_is => {
                self.values[v] = as_it_is;
                return;
            }
        };
        kinks.sort_by_key(|kink| kink.event);
        self.values[v] = Value::Sparse(Sparse {
            start,
            slope,
            kinks,
        });
    }

    /// Sweeps a "largest of" step: window by window, all channels side by side.
    pub(super) fn largest(&mut self, i: usize, slope: f64, windows: Option<&Windows>) -> Value {
        let network = self.network;
        let v = network.steps[i].takes[0];
        let outputs = network.sizes[i + 1];
        let fits = match (&self.values[v], windows) {
            (Value::Sparse(_), _) | (Value::Dense { .. }, None) => true,
            (Value::Conv { step, .. }, windows) => match &network.steps[*step].op {
                Op::Conv { windows: conv, .. } => {
                    windows.is_none_or(|pool| pool.input == conv.output)
                }
                _ => false,
            },
            _ => false,
        };
        if !fits {
            self.make_sparse(v);
        }
        let mut out = Swept::new(outputs, self.times.len(), self.range, slope);
        let mut sweep = Sweep::default();
        let (mut rows, mut scratch) = (Vec::new(), Vec::new());
        match &self.values[v] {
            Value::Dense {
                start,
                slope,
                rows: source,
            } => {
                sweep.begin(&[(start, slope)]);
                Arch::new().dispatch(|| sweep.run(&self.times, &[source], 0, &mut out));
            }
            Value::Conv {
                start,
                slope,
                step,
                pixels,
            } => {
                let conv = ConvRows::new(network, *step, pixels);
                self.sweep_pixels(
                    (start, slope, conv.outputs),
                    windows,
                    &mut out,
                    |pixel, rows| conv.gather(pixel, rows, &mut scratch),
                );
            }
            Value::Sparse(source) => {
                let channels = windows.map_or(1, |windows| windows.input[2]);
                if source.kinks.is_empty() && windows.is_none() {
                    // Nothing bends yet: one block, however wide.
                    sweep.begin(&[(&source.start, &source.slope)]);
                    rows.push(Rows::default());
                    Arch::new().dispatch(|| sweep.run(&self.times, &[&rows[0]], 0, &mut out));
                } else {
                    let count = source.start.len() / channels;
                    let pixels = Pixels::new(&source.kinks, count, channels);
                    self.sweep_pixels(
                        (&source.start, &source.slope, channels),
                        windows,
                        &mut out,
                        |pixel, rows| {
                            rows.events.clear();
                            rows.rows.clear();
                            for kink in pixels.of(pixel) {
                                let row = rows.row(kink.event, channels);
                                row[kink.unit as usize] += kink.delta;
                            }
                        },
                    );
                }
            }
            Value::Gone => unreachable!("values are kept until their last use"),
        }
        self.renumber(&mut out);
        Value::Sparse(Sparse {
            start: out.start,
            slope: out.slope_at_start,
            kinks: out.kinks,
        })
    }

    /// Sweeps pixel by pixel or window by window.
    pub(super) fn sweep_pixels(
        &self,
        (start, slope, channels): (&[f64], &[f64], usize),
        windows: Option<&Windows>,
        out: &mut Swept,
        mut gather: impl FnMut(usize, &mut Rows),
    ) {
        let mut sweep = Sweep::default();
        let arch = Arch::new();
        let count = out.start.len() / channels;
        let mut rows: Vec<Rows> = Vec::new();
        let mut from: Vec<usize> = Vec::new();
        for group in 0..count {
            from.clear();
            match windows {
                None => from.push(group),
                Some(w) => {
                    let place = [group / w.output[1], group % w.output[1]];
                    from.extend(taps(w, place[0], place[1]).map(|(_, pixel)| pixel));
                }
            }
            while rows.len() < from.len() {
                rows.push(Rows::default());
            }
            for (&pixel, rows) in from.iter().zip(&mut rows) {
                gather(pixel, rows);
            }
            let part = |pixel: usize| pixel * channels..(pixel + 1) * channels;
            let functions: Vec<(&[f64], &[f64])> = from
                .iter()
                .map(|&pixel| (&start[part(pixel)], &slope[part(pixel)]))
                .collect();
            sweep.begin(&functions);
            let sources: Vec<&Rows> = rows[..from.len()].iter().collect();
            arch.dispatch(|| sweep.run(&self.times, &sources, group * channels, out));
        }
    }

    /// Sorts the new events in among the old ones and renames all kinks accordingly.
    pub(super) fn renumber(&mut self, out: &mut Swept) {
        let old = self.times.len();
        let all: Vec<f64> = [&self.times[..], &out.new_times[..]].concat();
        let mut order: Vec<u32> = (0..all.len() as u32).collect();
        // Stable: of equal times the older event comes first, as kinks of one unit have it.
        order.sort_by(|&a, &b| all[a as usize].total_cmp(&all[b as usize]));
        let mut place = vec![0u32; all.len()];
        for (rank, &event) in order.iter().enumerate() {
            place[event as usize] = rank as u32;
        }
        self.times = order.iter().map(|&event| all[event as usize]).collect();
        if self.times.len() > old {
            for value in &mut self.values {
                let rename = |kinks: &mut Vec<Kink>| {
                    kinks
                        .iter_mut()
                        .for_each(|kink| kink.event = place[kink.event as usize]);
                };
                match value {
                    Value::Sparse(sparse) => rename(&mut sparse.kinks),
                    Value::Conv { pixels, .. } => rename(&mut pixels.kinks),
                    Value::Dense { rows, .. } => {
                        rows.events.iter_mut().for_each(|e| *e = place[*e as usize]);
                    }
                    Value::Gone => {}
                }
            }
        }
        // Kinks came window by window; count them into the order of events.
        let mut ends = vec![0u32; self.times.len() + 1];
        for kink in &mut out.kinks {
            kink.event = place[kink.event as usize];
            ends[kink.event as usize + 1] += 1;
        }
        for k in 0..self.times.len() {
            ends[k + 1] += ends[k];
        }
        let mut sorted = out.kinks.clone();
        for kink in &out.kinks {
            sorted[ends[kink.event as usize] as usize] = *kink;
            ends[kink.event as usize] += 1;
        }
        out.kinks = sorted;
    }

    /// Ends of the pieces, the logits there, and the number of their pieces.
    pub(super) fn logits(&mut self) -> (Vec<f64>, Vec<f64>, usize) {
        let last = self.values.len() - 1;
        if !matches!(self.values[last], Value::Dense { .. }) {
            self.make_sparse(last);
            let Value::Sparse(sparse) = std::mem::replace(&mut self.values[last], Value::Gone)
            else {
                unreachable!("`make_sparse` came before")
            };
            let mut rows = Rows::default();
            for kink in &sparse.kinks {
                rows.row(kink.event, sparse.start.len())[kink.unit as usize] += kink.delta;
            }
            self.values[last] = Value::Dense {
                start: sparse.start,
                slope: sparse.slope,
                rows,
            };
        }
        let Value::Dense { start, slope, rows } = &self.values[last] else {
            unreachable!("made above")
        };
        let classes = start.len();
        let clusters: Vec<usize> = self.clusters().collect();
        let mut t = vec![self.range[0]];
        let mut logits = start.clone();
        let (mut now, mut f, mut s) = (self.range[0], start.clone(), slope.clone());
        let (mut row, mut steepest, mut bends) = (0, 0.0f64, Vec::new());
        let mut advance = |to: f64, f: &mut [f64], s: &[f64]| {
            for (f, s) in f.iter_mut().zip(s) {
                *f += s * (to - now);
            }
            now = to;
        };
        for (n, &first) in clusters.iter().enumerate() {
            let end = clusters.get(n + 1).copied().unwrap_or(self.times.len());
            advance(self.times[first], &mut f, &s);
            t.push(self.times[first]);
            logits.extend_from_slice(&f);
            steepest = s.iter().fold(steepest, |most, s| most.max(s.abs()));
            // All events of the bundle, each at its own time.
            let before = s.clone();
            while row < rows.events.len() && (rows.events[row] as usize) < end {
                advance(self.times[rows.events[row] as usize], &mut f, &s);
                let change = &rows.rows[row * classes..][..classes];
                s.iter_mut().zip(change).for_each(|(s, d)| *s += d);
                row += 1;
            }
            let bend = s.iter().zip(&before).map(|(a, b)| (a - b).abs());
            bends.push(bend.fold(0.0, f64::max));
        }
        advance(self.range[1], &mut f, &s);
        t.push(self.range[1]);
        logits.extend_from_slice(&f);
        steepest = s.iter().fold(steepest, |most, s| most.max(s.abs()));
        let counted = bends.iter().filter(|&&bend| bend > SAME_SLOPE * steepest);
        let logit_pieces = 1 + counted.count();
        (t, logits, logit_pieces)
    }
}
