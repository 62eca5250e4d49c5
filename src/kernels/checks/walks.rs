//! Cases of the kernels of walks.

use super::case::{BITS, COLUMNS, FLOATS, ROWS, SPAN, WALKERS, values};
use super::{Checks, Recording};
use crate::kernels::{
    ABSORBING, Buf, Ground, LangevinStep, MOMENTS_GROUP, Span, Walker, acceptance_entries,
    drift_entries,
};

/// Walkers around a workgroup and the twin's lanes.
const COUNTS: [usize; 8] = [0, 1, 15, 17, 63, 64, 65, 129];

/// Walkers in groups of moments: none, one, less than one, as many, one more, and some.
const COUNTS_IN_GROUPS: [usize; 6] = [
    0,
    1,
    MOMENTS_GROUP - 1,
    MOMENTS_GROUP,
    MOMENTS_GROUP + 1,
    3 * MOMENTS_GROUP - 1,
];

/// One walker more than four workgroups of 64 hold, and one more than four groups of moments.
const FOLDED: usize = 4 * 64 + 1;
const FOLDED_IN_GROUPS: usize = 4 * MOMENTS_GROUP + 1;

/// Walkers all over the grid, `aside` from its points, with numbers from 1000 on.
fn starts(recording: &mut Recording, count: usize, aside: f32) -> Buf<Walker> {
    let at = |n: usize| {
        let place = [n % COLUMNS, n / COLUMNS % ROWS].map(|at| at as f32 + aside);
        Walker::at(place, 1000 + n as u32)
    };
    let walkers: Vec<Walker> = (0..count).map(at).collect();
    recording.upload("case.walkers", &walkers)
}

/// A grid with walls, unequal acceptances and a point that absorbs; walkers of it and of a free walk
/// with drift, which begins inside a block of random words.
fn record_lattice(recording: &mut Recording, count: usize) {
    let accepted = |point: usize| {
        let (x, y) = (point % COLUMNS, point / COLUMNS);
        let is_inside = [x + 1 < COLUMNS, x > 0, y + 1 < ROWS, y > 0];
        std::array::from_fn(|direction| match is_inside[direction] {
            true => [1.0, 0.5, 0.3, 0.9][(direction + point) % 4],
            false => 0.0,
        })
    };
    let moves: Vec<[u32; 4]> = (0..ROWS * COLUMNS)
        .map(|point| match point {
            17 => ABSORBING,
            _ => acceptance_entries(accepted(point)),
        })
        .collect();
    let moves = recording.upload("case.moves", &moves);
    let walkers = starts(recording, count, 0.0);
    let span = Span {
        first_step: 0,
        steps: 203,
        ..SPAN
    };
    let moved = recording.lattice_walk(walkers, moves, [1, COLUMNS as i32], span);
    recording.download(moved);
    let drift = recording.upload("case.moves", &[drift_entries(-0.6)]);
    let moved = recording.lattice_walk(walkers, drift, [0, 0], SPAN);
    recording.download(moved);
}

pub(super) fn lattice(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for count in COUNTS {
            record_lattice(recording, count);
        }
        BITS
    });
    checks.add_folded(|recording| {
        record_lattice(recording, FOLDED);
        BITS
    });
}

/// Few and small steps, so that no walker comes near another cell but by a wall that reflects.
fn record_langevin(recording: &mut Recording, count: usize, ground: Ground) {
    let cells: Vec<[f32; 4]> = (values(1, 3 * ROWS * COLUMNS).chunks_exact(3).enumerate())
        .map(|(cell, pull)| {
            let absorbing = if cell == 17 { 1.0 } else { 0.0 };
            [0.01 * pull[0], 0.01 * pull[1], 0.01 * pull[2], absorbing]
        })
        .collect();
    let step = LangevinStep {
        drift: [0.002, -0.001],
        stiffness: [0.001, 0.002],
        noise: 0.008,
        shape: [ROWS, COLUMNS],
        ground,
    };
    let cells = recording.upload("case.cells", &cells);
    let walkers = starts(recording, count, 0.25);
    let moved = recording.langevin_walk(walkers, cells, &step, SPAN);
    recording.download(moved);
}

pub(super) fn langevin(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for count in COUNTS {
            record_langevin(recording, count, Ground::Walled);
            record_langevin(recording, count, Ground::Plane);
        }
        WALKERS
    });
    // Thrown back by two walls; steps are small, as sines may be good to eleven bits.
    checks.add("walls", |recording| {
        let cells = recording.upload("case.cells", &[[0.0f32; 4]]);
        let corner: Vec<Walker> = (0..65).map(|n| Walker::at([0.01, 0.99], n)).collect();
        let walkers = recording.upload("case.walkers", &corner);
        let step = LangevinStep {
            drift: [0.0, 0.0],
            stiffness: [0.0, 0.0],
            noise: 0.03,
            shape: [1, 1],
            ground: Ground::Walled,
        };
        let moved = recording.langevin_walk(walkers, cells, &step, SPAN);
        recording.download(moved);
        WALKERS
    });
    checks.add_folded(|recording| {
        record_langevin(recording, FOLDED, Ground::Walled);
        WALKERS
    });
}

/// Walkers that have come from somewhere, some of them beyond the last row and column, with steps
/// whose sums and squares carry into the high word.
fn wanderers(recording: &mut Recording, count: usize) -> Buf<Walker> {
    let at = |n: usize| Walker {
        x: (n * 37 % 101) as f32 / 15.0 + 0.01,
        y: (n * 53 % 67) as f32 / 15.0 + 0.01,
        x_start: (n % 5) as f32,
        y_start: 1.0,
        number: n as u32,
        steps: match n % 3 {
            0 => 12,
            _ => (n as u32).wrapping_mul(0x9E37_79B9) >> 7,
        },
    };
    let walkers: Vec<Walker> = (0..count).map(at).collect();
    recording.upload("case.walkers", &walkers)
}

fn record_moments(recording: &mut Recording, count: usize) {
    let walkers = wanderers(recording, count);
    let moments = recording.walk_moments(walkers, 12);
    recording.download(moments);
}

pub(super) fn moments(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for count in COUNTS_IN_GROUPS {
            record_moments(recording, count);
        }
        FLOATS
    });
    checks.add_folded(|recording| {
        record_moments(recording, FOLDED_IN_GROUPS);
        FLOATS
    });
}

fn record_occupation(recording: &mut Recording, count: usize, shape: [usize; 2]) {
    let walkers = wanderers(recording, count);
    let occupation = recording.walk_occupation(walkers, shape);
    recording.download(occupation);
}

pub(super) fn occupation(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for count in COUNTS {
            record_occupation(recording, count, [4, 6]);
            record_occupation(recording, count, [1, 1]);
        }
        BITS
    });
    checks.add_folded(|recording| {
        record_occupation(recording, FOLDED, [ROWS, COLUMNS]);
        BITS
    });
}

fn record_arrivals(recording: &mut Recording, count: usize) {
    let walkers = wanderers(recording, count);
    let target: Vec<u32> = (0..24).map(|k| u32::from(k % 3 == 1)).collect();
    let target = recording.upload("case.target", &target);
    for steps_below in [12, 1 << 24, u32::MAX] {
        let arrivals = recording.walk_arrivals(walkers, target, [4, 6], steps_below);
        recording.download(arrivals);
    }
}

pub(super) fn arrivals(checks: &mut Checks) {
    checks.add("ragged", |recording| {
        for count in COUNTS_IN_GROUPS {
            record_arrivals(recording, count);
        }
        BITS
    });
    checks.add_folded(|recording| {
        record_arrivals(recording, FOLDED_IN_GROUPS);
        BITS
    });
}
