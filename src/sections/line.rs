//! Exact line sections of piecewise-linear networks.
//!
//! Every value of the network is a piecewise-linear function of the line's parameter t: its value
//! and slope at the beginning and a sorted list of kinks, each a change of slope at an *event*. An
//! affine step takes kinks through its weights; a "largest of" step sweeps the events that reach
//! its window from left to right, follows the function that is largest, and adds an event where
//! another one takes over. No piece ever sees a full forward pass, so a convolutional network of
//! some thousand pieces costs a few forward passes in all.
//!
//! ```text
//! ends ─ first affine step ─> value, slope ─ sweep ─> kinks ─ weights ─> rows ─ sweep ─> ... logits
//! ```
//!
//! Rejected: values at all break points, layer by layer (`[pieces, units]` matrices): a thousand
//! times the work for a convolution, where a kink reaches nine pixels.

use super::forward::{self, Part, seen_by, taps};
use super::intervals::class_intervals;
use super::network::{Op, SectionNetwork};
use super::plane::{distance, line_point};
use super::{EPS, SectionError, SectionLabel, TOL_T};
use crate::kernels::Windows;
use ndarray::ArrayView2;
use pulp::Arch;
use rayon::prelude::*;
use serde::Serialize;

/// How far the swept logits may be from a forward pass at the line's end, relative to the largest
/// logit and at least 1.
const END_TOLERANCE: f64 = 1e-9;
/// And relative to the sum of the absolute products behind a logit: what rounding may do where large
/// products cancel.
const ROUNDING: f64 = 1e-14;
/// Neighbouring pieces whose logits' slopes differ by less, relative to the steepest, are one piece
/// of the logits.
const SAME_SLOPE: f64 = 1e-9;

/// What a line section may cost, and where it runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineOptions {
    /// From which t to which; `[0, 1]` is from input to input.
    pub range: [f64; 2],
    /// More pieces than this are an error.
    pub max_pieces: usize,
}

impl Default for LineOptions {
    fn default() -> Self {
        Self {
            range: [0.0, 1.0],
            max_pieces: 1_000_000,
        }
    }
}

/// A line cut into the pieces on which every step of the network is affine.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LineSection {
    /// [`SectionLabel::Exact`] here.
    pub label: SectionLabel,
    /// Distance of the two inputs, in units of the space.
    pub length: f64,
    /// Ends of the pieces in t, `[pieces + 1]`, ascending.
    pub t: Vec<f64>,
    /// Logits there, `[pieces + 1, classes]`, row-major; affine between.
    #[serde(skip)]
    pub logits: Vec<f64>,
    /// Number of classes.
    pub num_classes: usize,
    /// Ends of the class intervals in t, `[intervals + 1]`.
    pub breaks: Vec<f64>,
    /// Their classes, `[intervals]`, neighbours different.
    pub classes: Vec<usize>,
    /// Pieces after each "largest of" step.
    pub pieces_after: Vec<usize>,
    /// Pieces of the logits: neighbours of equal slope joined.
    pub logit_pieces: usize,
}

impl LineSection {
    /// Number of pieces.
    pub fn pieces(&self) -> usize {
        self.t.len() - 1
    }

    /// Width of the narrowest piece, in t.
    pub fn narrowest_piece(&self) -> f64 {
        narrowest(&self.t)
    }

    /// Width of the narrowest class interval, in t; [`LineSection::length`] times it is its length.
    pub fn narrowest_interval(&self) -> f64 {
        narrowest(&self.breaks)
    }

    /// Class changes, one less than intervals.
    pub fn changes(&self) -> usize {
        self.classes.len() - 1
    }

    /// The class at `t`; at a break that of the interval that begins there.
    pub fn class_at(&self, t: f64) -> usize {
        let begun = self.breaks.partition_point(|&b| b <= t);
        self.classes[begun.saturating_sub(1).min(self.classes.len() - 1)]
    }
}

fn narrowest(ends: &[f64]) -> f64 {
    let widths = ends.windows(2).map(|pair| pair[1] - pair[0]);
    widths.fold(f64::INFINITY, f64::min)
}

/// A change of slope of one unit at one event.
#[derive(Debug, Clone, Copy)]
struct Kink {
    event: u32,
    unit: u32,
    delta: f64,
}

/// Kinks of single units, ascending by event.
struct Sparse {
    start: Vec<f64>,
    slope: Vec<f64>,
    kinks: Vec<Kink>,
}

/// Changes of slope of whole vectors: row `k` happens at `events[k]`, ascending.
#[derive(Default)]
struct Rows {
    events: Vec<u32>,
    rows: Vec<f64>,
}

/// What a step gives, as functions of t.
enum Value {
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
struct Pixels {
    ends: Vec<u32>,
    kinks: Vec<Kink>,
}

impl Pixels {
    fn new(kinks: &[Kink], count: usize, channels: usize) -> Self {
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

    fn of(&self, pixel: usize) -> &[Kink] {
        &self.kinks[self.ends[pixel] as usize..self.ends[pixel + 1] as usize]
    }
}

/// Exact sections of many lines from point to point of the space, on all cores. Lines share the
/// network's first step as one matrix product.
///
/// # Errors
/// Of each line by itself: [`SectionError::NotPiecewiseLinear`] for a network with smooth
/// activations, [`SectionError::SamePoint`], [`SectionError::Lengths`], [`SectionError::NotFinite`],
/// [`SectionError::TooManyPieces`], and [`SectionError::SelfCheck`] where the result contradicts
/// itself.
pub fn exact_lines(
    network: &SectionNetwork,
    lines: &[[&[f64]; 2]],
    options: &LineOptions,
) -> Vec<Result<LineSection, SectionError>> {
    /// Lines whose first step is one matrix product: enough for its speed, few enough to share out.
    const CHUNK: usize = 32;
    lines
        .par_chunks(CHUNK)
        .flat_map_iter(|chunk| lines_of_chunk(network, chunk, options))
        .collect()
}

/// The exact section of one line; see [`exact_lines`].
///
/// # Errors
/// As [`exact_lines`].
pub fn exact_line(
    network: &SectionNetwork,
    z1: &[f64],
    z2: &[f64],
    options: &LineOptions,
) -> Result<LineSection, SectionError> {
    let mut found = lines_of_chunk(network, &[[z1, z2]], options);
    found.pop().expect("one line gives one section")
}

fn lines_of_chunk(
    network: &SectionNetwork,
    lines: &[[&[f64]; 2]],
    options: &LineOptions,
) -> Vec<Result<LineSection, SectionError>> {
    let checked: Vec<Result<(), SectionError>> = lines
        .iter()
        .map(|&line| check_line(network, line, options))
        .collect();
    // Ends of all lines, one after the other; those of refused lines are left out.
    let mut ends: Vec<f64> = Vec::with_capacity(2 * lines.len() * network.num_inputs());
    for (line, _) in lines.iter().zip(&checked).filter(|(_, ok)| ok.is_ok()) {
        for t in options.range {
            // The ends themselves bear no rounding.
            match t {
                0.0 => ends.extend_from_slice(line[0]),
                1.0 => ends.extend_from_slice(line[1]),
                _ => ends.extend(line_point(line[0], line[1], t)),
            }
        }
    }
    let firsts = first_step(network, &ends);
    let width = network.sizes[1];
    let mut at = 0;
    let section = |(line, ok): (&[&[f64]; 2], Result<(), SectionError>)| {
        ok?;
        let inputs = network.num_inputs();
        let points = [0, 1].map(|end| &ends[(2 * at + end) * inputs..][..inputs]);
        let firsts = firsts
            .as_ref()
            .map(|f| [0, 1].map(|end| &f[(2 * at + end) * width..][..width]));
        at += 1;
        LineSweep::new(network, options.range).run(line, points, firsts, options)
    };
    lines.iter().zip(checked).map(section).collect()
}

fn check_line(
    network: &SectionNetwork,
    line: [&[f64]; 2],
    options: &LineOptions,
) -> Result<(), SectionError> {
    if !network.is_piecewise_linear() {
        return Err(SectionError::NotPiecewiseLinear);
    }
    for point in line {
        if point.len() != network.num_inputs() {
            return Err(SectionError::Lengths {
                expected: network.num_inputs(),
                found: point.len(),
            });
        }
        network.check_values("the input", point)?;
    }
    let [t0, t1] = options.range;
    if !(t0.is_finite() && t1.is_finite() && t1 - t0 > TOL_T) {
        return Err(SectionError::Range { range: [t0, t1] });
    }
    match line[0] == line[1] {
        true => Err(SectionError::SamePoint { items: [0, 1] }),
        false => Ok(()),
    }
}

/// What the first step gives for each point, if it is affine.
fn first_step(network: &SectionNetwork, points: &[f64]) -> Option<Vec<f64>> {
    let step = network.steps.first()?;
    let (inputs, outputs) = (network.num_inputs(), network.sizes[1]);
    match &step.op {
        Op::Dense { weight, bias } => {
            let rows = points.len() / inputs;
            let x = ArrayView2::from_shape((rows, inputs), points).ok()?;
            let w = ArrayView2::from_shape((inputs, outputs), weight).ok()?;
            let mut y = x.dot(&w).into_raw_vec_and_offset().0;
            for row in y.chunks_exact_mut(outputs) {
                row.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
            }
            Some(y)
        }
        op if op.is_affine() && step.takes == [0] => {
            let rows = points.chunks_exact(inputs);
            let each = rows.map(|x| forward::affine(op, &[x], outputs, Part::Whole));
            each.collect::<Option<Vec<_>>>().map(|rows| rows.concat())
        }
        _ => None,
    }
}

struct LineSweep<'n> {
    network: &'n SectionNetwork,
    range: [f64; 2],
    /// Times of the events, ascending; kinks name them by place.
    times: Vec<f64>,
    values: Vec<Value>,
}

impl<'n> LineSweep<'n> {
    fn new(network: &'n SectionNetwork, range: [f64; 2]) -> Self {
        Self {
            network,
            range,
            times: Vec::new(),
            values: Vec::with_capacity(network.steps.len() + 1),
        }
    }

    fn run(
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
    fn straight(&self, [from, to]: [&[f64]; 2]) -> Value {
        let width = self.range[1] - self.range[0];
        Value::Sparse(Sparse {
            start: from.to_vec(),
            slope: from.iter().zip(to).map(|(a, b)| (b - a) / width).collect(),
            kinks: Vec::new(),
        })
    }

    /// The swept logits at the end against those of a forward pass.
    fn check_end(
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
    fn pieces(&self) -> usize {
        1 + self.clusters().count()
    }

    /// The first event of each bundle of events that are one.
    fn clusters(&self) -> impl Iterator<Item = usize> + '_ {
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

    fn affine(&mut self, i: usize) -> Value {
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

    fn sparse(&self, v: usize) -> &Sparse {
        match &self.values[v] {
            Value::Sparse(sparse) => sparse,
            _ => unreachable!("`make_sparse` came before"),
        }
    }

    /// Turns a value into kinks of single units, where an affine step follows an affine step.
    fn make_sparse(&mut self, v: usize) {
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
    fn largest(&mut self, i: usize, slope: f64, windows: Option<&Windows>) -> Value {
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
    fn sweep_pixels(
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
    fn renumber(&mut self, out: &mut Swept) {
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
    fn logits(&mut self) -> (Vec<f64>, Vec<f64>, usize) {
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

fn ends_of(value: &Value) -> (&[f64], &[f64]) {
    match value {
        Value::Sparse(Sparse { start, slope, .. })
        | Value::Dense { start, slope, .. }
        | Value::Conv { start, slope, .. } => (start, slope),
        Value::Gone => (&[], &[]),
    }
}

impl Rows {
    /// The row of an event that is not before the last one's.
    fn row(&mut self, event: u32, channels: usize) -> &mut [f64] {
        if self.events.last() != Some(&event) {
            self.events.push(event);
            self.rows.resize(self.rows.len() + channels, 0.0);
        }
        let end = self.rows.len();
        &mut self.rows[end - channels..]
    }
}

/// Kinks taken through a dense step: those of one event make one row.
fn dense_rows(kinks: &[Kink], weight: &[f64], outputs: usize) -> Rows {
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
fn averaged(kinks: &[Kink], windows: &Windows) -> Vec<Kink> {
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
struct ConvRows<'a> {
    windows: &'a Windows,
    weight: &'a [f64],
    outputs: usize,
    pixels: &'a Pixels,
}

impl<'a> ConvRows<'a> {
    fn new(network: &'a SectionNetwork, step: usize, pixels: &'a Pixels) -> Self {
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
    fn gather(&self, pixel: usize, rows: &mut Rows, scratch: &mut Vec<Kink>) {
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

/// What a "largest of" step gives, while it is swept.
struct Swept {
    /// Slope of an activation below 0; 1 where there is none.
    leak: f64,
    range: [f64; 2],
    old_events: usize,
    new_times: Vec<f64>,
    start: Vec<f64>,
    slope_at_start: Vec<f64>,
    kinks: Vec<Kink>,
}

impl Swept {
    fn new(outputs: usize, old_events: usize, range: [f64; 2], leak: f64) -> Self {
        Self {
            leak,
            range,
            old_events,
            new_times: Vec::new(),
            start: vec![0.0; outputs],
            slope_at_start: vec![0.0; outputs],
            kinks: Vec::new(),
        }
    }
}

/// The function that leads a channel: pixel `p` as it is (`p`), pixel `p` times the leak
/// (`pixels + p`), or 0, which is pixel 0 times a leak of 0 (`pixels`).
type Leader = u32;

/// One window: the functions of its pixels, channels side by side, and who leads.
#[derive(Default)]
struct Sweep {
    pixels: usize,
    channels: usize,
    /// `[pixels, channels]`, at the current time.
    value: Vec<f64>,
    slope: Vec<f64>,
    ahead: Vec<f64>,
    /// `[channels]`
    leader: Vec<Leader>,
    lead: Vec<f64>,
    lead_slope: Vec<f64>,
    lead_ahead: Vec<f64>,
    highest: Vec<f64>,
}

impl Sweep {
    fn begin(&mut self, functions: &[(&[f64], &[f64])]) {
        self.pixels = functions.len();
        self.channels = functions[0].0.len();
        self.value.clear();
        self.slope.clear();
        for (value, slope) in functions {
            self.value.extend_from_slice(value);
            self.slope.extend_from_slice(slope);
        }
        self.ahead.clear();
        self.ahead.resize(self.value.len(), 0.0);
        for list in [
            &mut self.lead,
            &mut self.lead_slope,
            &mut self.lead_ahead,
            &mut self.highest,
        ] {
            list.clear();
            list.resize(self.channels, 0.0);
        }
        self.leader.clear();
        self.leader.resize(self.channels, 0);
    }

    /// Functions of one channel that take part.
    fn num_functions(&self, leak: f64) -> usize {
        match leak {
            1.0 => self.pixels,
            0.0 => self.pixels + 1,
            _ => 2 * self.pixels,
        }
    }

    /// Value now and slope of function `f` in channel `c`.
    fn function(&self, f: usize, c: usize, leak: f64) -> (f64, f64) {
        if f < self.pixels {
            let at = f * self.channels + c;
            (self.value[at], self.slope[at])
        } else {
            let at = (f - self.pixels) * self.channels + c;
            match leak {
                0.0 => (0.0, 0.0),
                _ => (leak * self.value[at], leak * self.slope[at]),
            }
        }
    }

    /// Who leads each channel at the beginning: of those that are largest the steepest.
    fn lead_off(&mut self, first_unit: usize, out: &mut Swept) {
        let functions = self.num_functions(out.leak);
        for c in 0..self.channels {
            let highest = (0..functions)
                .map(|f| self.function(f, c, out.leak).0)
                .fold(f64::NEG_INFINITY, f64::max);
            let least = highest - EPS * highest.abs().max(1.0);
            let mut best: Option<(usize, f64, f64)> = None;
            for f in 0..functions {
                let (value, slope) = self.function(f, c, out.leak);
                if value >= least && best.is_none_or(|(_, _, steepest)| slope > steepest) {
                    best = Some((f, value, slope));
                }
            }
            // Values that are not finite lead nowhere; the caller reports them.
            let (f, value, slope) = best.unwrap_or((0, f64::NAN, f64::NAN));
            self.leader[c] = f as Leader;
            self.lead[c] = value;
            self.lead_slope[c] = slope;
            out.start[first_unit + c] = value;
            out.slope_at_start[first_unit + c] = slope;
        }
    }

    /// Sweeps the window over the events of its pixels.
    #[inline(always)]
    fn run(&mut self, times: &[f64], sources: &[&Rows], first_unit: usize, out: &mut Swept) {
        self.lead_off(first_unit, out);
        let mut next = [0usize; 16];
        let mut more = Vec::new();
        let next: &mut [usize] = if sources.len() <= next.len() {
            &mut next[..sources.len()]
        } else {
            more.resize(sources.len(), 0);
            &mut more
        };
        let mut now = out.range[0];
        loop {
            let waiting = sources.iter().zip(next.iter());
            let event = waiting
                .filter_map(|(source, &k)| source.events.get(k).copied())
                .min();
            let to = event.map_or(out.range[1], |event| times[event as usize]);
            if to > now {
                self.advance(now, to, first_unit, out);
                now = to;
            }
            let Some(event) = event else {
                break;
            };
            for (p, source) in sources.iter().enumerate() {
                if source.events.get(next[p]) == Some(&event) {
                    let row = &source.rows[next[p] * self.channels..][..self.channels];
                    self.bend(p, row, event, first_unit, out);
                    next[p] += 1;
                }
            }
        }
    }

    /// From one event to the next, on which every function is affine.
    #[inline(always)]
    fn advance(&mut self, now: f64, to: f64, first_unit: usize, out: &mut Swept) {
        let (channels, step, leak) = (self.channels, to - now, out.leak);
        for ((ahead, value), slope) in self.ahead.iter_mut().zip(&self.value).zip(&self.slope) {
            *ahead = value + slope * step;
        }
        let (first, others) = self.ahead.split_at(channels);
        self.highest.copy_from_slice(first);
        for other in others.chunks_exact(channels) {
            for (highest, value) in self.highest.iter_mut().zip(other) {
                *highest = if *value > *highest { *value } else { *highest };
            }
        }
        for highest in &mut self.highest {
            *highest = if *highest > 0.0 {
                *highest
            } else {
                leak * *highest
            };
        }
        let mut behind = 0u32;
        for c in 0..channels {
            let ahead = self.lead[c] + self.lead_slope[c] * step;
            self.lead_ahead[c] = ahead;
            let highest = self.highest[c];
            let band = EPS
                * if highest.abs() > 1.0 {
                    highest.abs()
                } else {
                    1.0
                };
            behind += u32::from(ahead < highest - band);
        }
        if behind > 0 {
            for c in 0..channels {
                let highest = self.highest[c];
                let band = EPS * highest.abs().max(1.0);
                if self.lead_ahead[c] < highest - band {
                    self.overtake(c, [now, to], first_unit, out);
                }
            }
        }
        std::mem::swap(&mut self.value, &mut self.ahead);
        std::mem::swap(&mut self.lead, &mut self.lead_ahead);
    }

    /// Somebody else leads channel `c` at `to`: finds who, and from when on.
    #[inline(never)]
    fn overtake(&mut self, c: usize, [now, to]: [f64; 2], first_unit: usize, out: &mut Swept) {
        let functions = self.num_functions(out.leak);
        let highest = self.highest[c];
        let least = highest - EPS * highest.abs().max(1.0);
        let mut at = now;
        // Each overtaking is by a steeper function: there are fewer than functions.
        for _ in 0..functions {
            let (lead, lead_slope) = (self.lead[c], self.lead_slope[c]);
            let mut best: Option<(f64, usize, f64, f64)> = None;
            for f in 0..functions {
                let (value, slope) = self.function(f, c, out.leak);
                if slope <= lead_slope || f == self.leader[c] as usize {
                    continue;
                }
                let x = (now + (lead - value) / (slope - lead_slope)).max(at);
                let better = best.is_none_or(|(first, _, _, steepest)| {
                    x < first || (x == first && slope > steepest)
                });
                if better {
                    best = Some((x, f, value, slope));
                }
            }
            let Some((x, f, value, slope)) = best.filter(|&(x, ..)| x < to) else {
                break;
            };
            let delta = slope - lead_slope;
            if x - out.range[0] <= TOL_T {
                // A tie at the beginning that rounding undid.
                out.slope_at_start[first_unit + c] += delta;
            } else if out.range[1] - x > TOL_T {
                out.kinks.push(Kink {
                    event: (out.old_events + out.new_times.len()) as u32,
                    unit: (first_unit + c) as u32,
                    delta,
                });
                out.new_times.push(x);
            }
            self.leader[c] = f as Leader;
            self.lead[c] = value;
            self.lead_slope[c] = slope;
            at = x;
            self.lead_ahead[c] = value + slope * (to - now);
            if self.lead_ahead[c] >= least {
                break;
            }
        }
    }

    /// Pixel `p` changes its slopes at an event.
    #[inline(always)]
    fn bend(&mut self, p: usize, row: &[f64], event: u32, first_unit: usize, out: &mut Swept) {
        let slopes = &mut self.slope[p * self.channels..][..self.channels];
        for (slope, change) in slopes.iter_mut().zip(row) {
            *slope += change;
        }
        let (as_it_is, leaking) = (p as Leader, (self.pixels + p) as Leader);
        for (c, change) in row.iter().enumerate() {
            let factor = if self.leader[c] == as_it_is {
                1.0
            } else if self.leader[c] == leaking {
                out.leak
            } else {
                continue;
            };
            let delta = factor * change;
            if delta != 0.0 {
                out.kinks.push(Kink {
                    event,
                    unit: (first_unit + c) as u32,
                    delta,
                });
                self.lead_slope[c] = factor * slopes[c];
            }
        }
    }
}
