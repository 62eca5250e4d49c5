//! Walkers on a lattice, some steps on. Shader: `shaders/lattice_walk.wgsl`.
//!
//! A step is one table entry and integer arithmetic: the probabilities of the four moves and of
//! staying are alias tables made on the host ([`acceptance_entries`], [`drift_entries`]), so that engines agree
//! to the bit. Drawing `exp(-dU/T)` in the kernel was rejected: it is slower, and the engines'
//! exponentials differ.

use super::philox::{LANES, philox_lanes};
use super::walker::{Span, Walker};
use super::{Access, Binding, Buf, Element, Kernel, KernelSpec, Recording, case, shader_struct};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "lattice_walk",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/philox.wgsl"),
        include_str!("../../shaders/shared/walker.wgsl"),
        include_str!("../../shaders/lattice_walk.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: LatticeParams::SPEC,
    compiled_for: &[],
    constants: &[&[("ABSORBED", ABSORBED as i64)]],
    bindings: &[
        Binding {
            name: "moves",
            access: Access::Load,
            element: Element::Vec4U32,
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
    /// Parameters of the lattice walk.
    struct LatticeParams {
        seed_low: u32,
        seed_high: u32,
        walkers: u32,
        first_step: u32,
        steps: u32,
        /// Points from one column to the next, 0 where all points are one.
        column_stride: i32,
        /// Points from one row to the next.
        row_stride: i32,
    }
}

/// The directions of a point's four entries, `[columns, rows]`: east, west, south, north.
pub const DIRECTIONS: [[i32; 2]; 4] = [[1, 0], [-1, 0], [0, 1], [0, -1]];

/// What an entry's last three bits say besides a direction.
const STAY: u32 = 4;
const ABSORBED: u32 = 5;

/// The entries of a point that absorbs.
pub const ABSORBING: [u32; 4] = [ABSORBED; 4];

/// The entries of a point whose moves are accepted with these probabilities, 0..1, and refused
/// else: a direction is drawn with 1/4 (Metropolis). Rounded to 2^-28.
pub fn acceptance_entries(accepted: [f64; 4]) -> [u32; 4] {
    std::array::from_fn(|direction| entry(accepted[direction], direction as u32, STAY))
}

/// The entries of a free walk with drift, -1..1: east with `(1 + drift) / 4`, west with
/// `(1 - drift) / 4`, south and north with 1/4.
pub fn drift_entries(drift: f64) -> [u32; 4] {
    let (rare, frequent) = if drift > 0.0 { (1, 0) } else { (0, 1) };
    let mut entries = acceptance_entries([1.0; 4]);
    entries[rare] = entry(1.0 - drift.abs(), rare as u32, frequent);
    entries
}

/// Keeps `direction` with a probability, else takes `alias`.
fn entry(kept: f64, direction: u32, alias: u32) -> u32 {
    const CERTAIN: u32 = 1 << 28;
    let threshold = (kept.clamp(0.0, 1.0) * f64::from(CERTAIN)).round() as u32;
    if threshold == CERTAIN {
        // The largest threshold is 2^-28 short of certain; that rest is the direction, too.
        return (CERTAIN - 1) << 4 | direction;
    }
    threshold << 4 | alias
}

impl Recording {
    /// `walkers` after the steps of `span`. `moves` are the entries of every point, the
    /// point of (x, y) is `x * strides[0] + y * strides[1]`: `[1, columns]` on a grid,
    /// `[0, 0]` where one point stands for all.
    ///
    /// No entry may lead off the grid, and every walker stands on it.
    pub fn lattice_walk(
        &mut self,
        walkers: Buf<Walker>,
        moves: Buf<[u32; 4]>,
        strides: [i32; 2],
        span: Span,
    ) -> Buf<Walker> {
        let [seed_low, seed_high] = span.key();
        let params = LatticeParams {
            seed_low,
            seed_high,
            walkers: span.checked(walkers),
            first_step: span.first_step,
            steps: span.steps,
            column_stride: strides[0],
            row_stride: strides[1],
        };
        let inputs = [self.id(moves), self.id(walkers)];
        self.command(
            Kernel::LatticeWalk,
            params,
            &inputs,
            ("lattice_walk.moved", walkers.len()),
            walkers.len().div_ceil(WORKGROUP_SIZE as usize),
        )
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = LatticeParams::of(params);
    let (moves, walkers): (&[u32], &[Walker]) = (inputs[0], bytemuck::cast_slice(inputs[1]));
    let moved: &mut [Walker] = bytemuck::cast_slice_mut(output);
    moved
        .par_chunks_mut(LANES)
        .zip(walkers.par_chunks(LANES))
        .with_min_len(16)
        .for_each(|(moved, walkers)| {
            moved.copy_from_slice(walkers);
            walk_group(&params, moves, moved);
        });
}

/// Moves up to [`LANES`] walkers.
fn walk_group(params: &LatticeParams, moves: &[u32], walkers: &mut [Walker]) {
    let (across, down) = (4 * params.column_stride, 4 * params.row_stride);
    // What a code adds to a walker's entry, x, y and steps: one addition of four words.
    let changes: [[i32; 4]; 8] = [
        [across, 1, 0, 1],
        [-across, -1, 0, 1],
        [down, 0, 1, 1],
        [-down, 0, -1, 1],
        [0, 0, 0, 1],
        [0; 4],
        [0; 4],
        [0; 4],
    ];
    let mut states = [[0; 4]; LANES];
    for (state, walker) in states.iter_mut().zip(&*walkers) {
        let (x, y) = (walker.x as i32, walker.y as i32);
        *state = [x * across + y * down, x, y, walker.steps as i32];
    }
    // Lanes without a walker draw numbers that nobody reads.
    let numbers = std::array::from_fn(|lane| walkers.get(lane).map_or(0, |walker| walker.number));
    let key = [params.seed_low, params.seed_high];
    let end = params.first_step + params.steps;
    let mut step = params.first_step;
    while step < end {
        let counter = [[step / 4; LANES], numbers, [0; LANES], [0; LANES]];
        let words = philox_lanes(counter, key);
        let block_end = end.min((step / 4 + 1) * 4);
        while step < block_end {
            for (state, &word) in states.iter_mut().zip(&words[(step % 4) as usize]) {
                let direction = word >> 30;
                let entry = moves[(state[0] as u32 + direction) as usize];
                let code = if word << 2 < entry & 0xFFFF_FFF0 {
                    direction
                } else {
                    entry & 7
                };
                let change = changes[code as usize];
                *state = std::array::from_fn(|k| state[k].wrapping_add(change[k]));
            }
            step += 1;
        }
    }
    for (walker, [_, x, y, steps]) in walkers.iter_mut().zip(states) {
        *walker = Walker {
            x: x as f32,
            y: y as f32,
            steps: steps as u32,
            ..*walker
        };
    }
}

/// A walk that begins inside a block of random words.
fn case(recording: &mut Recording) -> &'static [bool] {
    let accepted = |point: usize| {
        let (x, y) = (point % case::COLUMNS, point / case::COLUMNS);
        let is_inside = [x + 1 < case::COLUMNS, x > 0, y + 1 < case::ROWS, y > 0];
        std::array::from_fn(|direction| match is_inside[direction] {
            true => [1.0, 0.5, 0.3, 0.9][(direction + point) % 4],
            false => 0.0,
        })
    };
    let moves: Vec<[u32; 4]> = (0..case::ROWS * case::COLUMNS)
        .map(|point| match point {
            case::SINK => ABSORBING,
            _ => acceptance_entries(accepted(point)),
        })
        .collect();
    let moves = recording.upload("case.moves", &moves);
    let walkers = recording.upload("case.walkers", &case::starts(0.0));
    let strides = [1, case::COLUMNS as i32];
    // A walk that begins inside a block of random words.
    case::kept(recording, case::BITS, |r| {
        r.lattice_walk(walkers, moves, strides, case::SPAN)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The probability of each of the four directions and of staying, read back.
    fn probabilities(entries: [u32; 4]) -> [f64; 5] {
        let mut found = [0.0; 5];
        for (direction, entry) in entries.into_iter().enumerate() {
            let kept = f64::from(entry >> 4) / f64::from(1u32 << 28);
            found[direction] += kept / 4.0;
            found[(entry & 7) as usize] += (1.0 - kept) / 4.0;
        }
        found
    }

    #[test]
    fn entries_hold_the_probabilities_they_were_made_of() {
        let q = 0.25;
        for (entries, expected) in [
            (acceptance_entries([1.0; 4]), [q, q, q, q, 0.0]),
            (
                acceptance_entries([1.0, 0.0, 0.4, 0.8]),
                [q, 0.0, 0.1, 0.2, 0.45],
            ),
            (drift_entries(0.0), [q, q, q, q, 0.0]),
            (drift_entries(0.4), [0.35, 0.15, q, q, 0.0]),
            (drift_entries(-1.0), [0.0, 0.5, q, q, 0.0]),
        ] {
            for (found, expected) in probabilities(entries).into_iter().zip(expected) {
                assert!((found - expected).abs() < 4e-9, "{found} for {expected}");
            }
        }
    }
}
