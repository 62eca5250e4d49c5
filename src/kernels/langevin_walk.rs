//! Walkers that drift downhill and jitter, some steps on. Shader: `shaders/langevin_walk.wgsl`.
//!
//! Logarithm, sine and cosine are the engine's own: engines agree in law, not to the bit. One
//! kernel serves planes and grids: on a plane there is one cell without pull, on a grid no
//! stiffness.

use super::philox::{LANES, philox_lanes};
use super::walker::{Span, Walker};
use super::{Access, Binding, Buf, Element, Kernel, KernelSpec, Recording, case, shader_struct};
use rayon::prelude::*;
use wide::f32x8;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "langevin_walk",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/philox.wgsl"),
        include_str!("../../shaders/shared/walker.wgsl"),
        include_str!("../../shaders/langevin_walk.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: LangevinParams::SPEC,
    compiled_for: &[],
    constants: &[],
    bindings: &[
        Binding {
            name: "cells",
            access: Access::Load,
            element: Element::Vec4F32,
        },
        Binding {
            name: "walkers",
            access: Access::Read,
            element: Element::Struct(Walker::SPEC),
        },
        Binding {
            name: "moved",
            access: Access::ReadWrite,
            element: Element::Struct(Walker::SPEC),
        },
    ],
    flop: |_| 0,
    twin,
    case,
};

shader_struct! {
    /// Parameters of the Langevin walk.
    struct LangevinParams {
        seed_low: u32,
        seed_high: u32,
        walkers: u32,
        first_step: u32,
        steps: u32,
        drift_x: f32,
        drift_y: f32,
        stiffness_x: f32,
        stiffness_y: f32,
        noise: f32,
        /// Of cells.
        columns: u32,
        /// Of cells.
        rows: u32,
        /// 1: walls around the cells reflect; 0: an endless plane.
        bounded: u32,
    }
}

/// Where Langevin walkers move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// An endless plane; the cells' pull goes on beyond them.
    Plane,
    /// The cells, with walls that reflect.
    Walled,
}

/// One step of a Langevin walk: how lengths and forces come out in cells a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LangevinStep {
    /// Constant pull, cells a step.
    pub drift: [f32; 2],
    /// Share of the coordinate that a step takes back.
    pub stiffness: [f32; 2],
    /// Standard deviation of a step along an axis, cells.
    pub noise: f32,
    /// Rows and columns of cells.
    pub shape: [usize; 2],
    /// What lies at the edges.
    pub ground: Ground,
}

impl Recording {
    /// `walkers` after the steps of `span`. A cell of `cells` `[rows, columns]` holds its pull
    /// along x and along y in cells a step, what each gains along the other axis, and which of
    /// its corners absorb: a sum of 1, 2, 4, 8 for the upper left, upper right, lower left,
    /// lower right one.
    ///
    /// # Panics
    /// When `cells` do not fill the shape.
    pub fn langevin_walk(
        &mut self,
        walkers: Buf<Walker>,
        cells: Buf<[f32; 4]>,
        step: &LangevinStep,
        span: Span,
    ) -> Buf<Walker> {
        let [rows, columns] = step.shape;
        assert_eq!(
            cells.len(),
            rows * columns,
            "langevin_walk: cells fill the shape"
        );
        let [seed_low, seed_high] = span.key();
        let params = LangevinParams {
            seed_low,
            seed_high,
            walkers: span.checked(walkers),
            first_step: span.first_step,
            steps: span.steps,
            drift_x: step.drift[0],
            drift_y: step.drift[1],
            stiffness_x: step.stiffness[0],
            stiffness_y: step.stiffness[1],
            noise: step.noise,
            columns: columns as u32,
            rows: rows as u32,
            bounded: u32::from(step.ground == Ground::Walled),
        };
        let inputs = [self.id(cells), self.id(walkers)];
        self.command(
            Kernel::LangevinWalk,
            params,
            &inputs,
            ("langevin_walk.moved", walkers.len()),
            walkers.len().div_ceil(WORKGROUP_SIZE as usize),
        )
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = LangevinParams::of(params);
    let cells: &[[f32; 4]] = bytemuck::cast_slice(inputs[0]);
    let walkers: &[Walker] = bytemuck::cast_slice(inputs[1]);
    let moved: &mut [Walker] = bytemuck::cast_slice_mut(output);
    moved
        .par_chunks_mut(LANES)
        .zip(walkers.par_chunks(LANES))
        .with_min_len(16)
        .for_each(|(moved, walkers)| {
            moved.copy_from_slice(walkers);
            walk_group(&params, cells, moved);
        });
}

/// Moves up to [`LANES`] walkers.
fn walk_group(params: &LangevinParams, cells: &[[f32; 4]], walkers: &mut [Walker]) {
    // Lanes without a walker stay at the origin.
    let (mut x, mut y, mut taken) = ([0.0; LANES], [0.0; LANES], [0; LANES]);
    for (lane, walker) in walkers.iter().enumerate() {
        (x[lane], y[lane], taken[lane]) = (walker.x, walker.y, walker.steps);
    }
    let (wall_x, wall_y) = (params.columns as f32, params.rows as f32);
    // Lanes without a walker draw numbers that nobody reads.
    let numbers = std::array::from_fn(|lane| walkers.get(lane).map_or(0, |walker| walker.number));
    let key = [params.seed_low, params.seed_high];
    let end = params.first_step + params.steps;
    let mut step = params.first_step;
    while step < end {
        let counter = [[step / 2; LANES], numbers, [0; LANES], [0; LANES]];
        let words = philox_lanes(counter, key);
        let block_end = end.min((step / 2 + 1) * 2);
        while step < block_end {
            let pair = 2 * (step % 2) as usize;
            let (jitter_x, jitter_y) = normals(&words[pair], &words[pair + 1]);
            for lane in 0..LANES {
                let (at_x, at_y) = (x[lane], y[lane]);
                let column = at_x.clamp(0.0, wall_x - 1.0) as i32;
                let row = at_y.clamp(0.0, wall_y - 1.0) as i32;
                let [pull_x, pull_y, across, corners] =
                    cells[(row * params.columns as i32 + column) as usize];
                let (u, v) = (at_x - column as f32, at_y - row as f32);
                let corner = u32::from(u >= 0.5) + 2 * u32::from(v >= 0.5);
                let moves = (corners as i32 >> corner) & 1 == 0;
                let mut to_x = at_x + params.drift_x - params.stiffness_x * at_x
                    + pull_x
                    + across * v
                    + params.noise * jitter_x[lane];
                let mut to_y = at_y + params.drift_y - params.stiffness_y * at_y
                    + pull_y
                    + across * u
                    + params.noise * jitter_y[lane];
                if params.bounded == 1 {
                    to_x = reflected(to_x, wall_x);
                    to_y = reflected(to_y, wall_y);
                }
                if moves {
                    (x[lane], y[lane]) = (to_x, to_y);
                    taken[lane] += 1;
                }
            }
            step += 1;
        }
    }
    for (lane, walker) in walkers.iter_mut().enumerate() {
        *walker = Walker {
            x: x[lane],
            y: y[lane],
            steps: taken[lane],
            ..*walker
        };
    }
}

/// A coordinate thrown back by walls at 0 and `wall`.
#[inline(always)]
fn reflected(at: f32, wall: f32) -> f32 {
    (wall - (wall - at.abs()).abs()).clamp(0.0, wall)
}

/// Two independent standard normal numbers a lane (Box and Muller 1958).
#[inline(always)]
fn normals(first: &[u32; LANES], second: &[u32; LANES]) -> ([f32; LANES], [f32; LANES]) {
    let (mut xs, mut ys) = ([0.0; LANES], [0.0; LANES]);
    for half in 0..LANES / 8 {
        // In 0..1 without the ends, so that the logarithm is finite.
        let uniform = |words: &[u32; LANES]| {
            let unit: [f32; 8] = std::array::from_fn(|lane| {
                ((words[8 * half + lane] >> 9) as i32 as f32 + 0.5) * (1.0 / (1 << 23) as f32)
            });
            f32x8::from(unit)
        };
        let radius = (uniform(first).ln() * f32x8::splat(-2.0)).sqrt();
        let angle = uniform(second) * f32x8::splat(std::f32::consts::TAU);
        let (sine, cosine) = angle.sin_cos();
        xs[8 * half..8 * half + 8].copy_from_slice(&(radius * cosine).to_array());
        ys[8 * half..8 * half + 8].copy_from_slice(&(radius * sine).to_array());
    }
    (xs, ys)
}

/// A walk on ground with a hole.
fn case(recording: &mut Recording) -> &'static [bool] {
    let pulls = case::values(1, 3 * case::ROWS * case::COLUMNS);
    let cells: Vec<[f32; 4]> = pulls
        .chunks_exact(3)
        .enumerate()
        .map(|(cell, pull)| {
            let absorbing = if cell == case::SINK { 1.0 } else { 0.0 };
            [0.01 * pull[0], 0.01 * pull[1], 0.01 * pull[2], absorbing]
        })
        .collect();
    let step = LangevinStep {
        drift: [0.002, -0.001],
        stiffness: [0.001, 0.002],
        noise: 0.008,
        shape: [case::ROWS, case::COLUMNS],
        ground: Ground::Walled,
    };
    let cells = recording.upload("case.cells", &cells);
    let walkers = recording.upload("case.walkers", &case::starts(0.25));
    case::kept(recording, case::WALKERS, |r| {
        r.langevin_walk(walkers, cells, &step, case::SPAN)
    })
}
