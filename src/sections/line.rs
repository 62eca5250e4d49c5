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

mod kinks;
mod sweep;
mod window;

use super::forward::{self, Part};
use super::network::{Op, SectionNetwork};
use super::plane::line_point;
use super::{SectionError, SectionLabel, TOL_T};
use ndarray::ArrayView2;
use rayon::prelude::*;
use serde::Serialize;
use sweep::LineSweep;

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
