//! The kernels of walks, one body a case on every engine, against references written here from
//! the formulas.

use crate::common::{Tolerance, assert_close, engines};
use morphscape::kernels::{
    ABSORBING, Arrivals, Ground, LangevinStep, MOMENTS_GROUP, Moments, Recording, Span, Walker,
    acceptance_entries, drift_entries, philox,
};

/// Sizes around a workgroup, the twin's lanes and a group of moments.
const SIZES: [usize; 9] = [0, 1, 15, 16, 17, 63, 64, 65, MOMENTS_GROUP + 1];

const SEED: u64 = 0x0123_4567_89ab_cdef;

fn span(first_step: u32, steps: u32) -> Span {
    Span {
        seed: SEED,
        first_step,
        steps,
    }
}

fn words(walker: u32, block: u32) -> [u32; 4] {
    philox([block, walker, 0, 0], [SEED as u32, (SEED >> 32) as u32])
}

/// A 5 x 7 grid with walls, unequal acceptances and an absorbing point.
const COLUMNS: usize = 7;
const ROWS: usize = 5;
const SINK: usize = 3 * COLUMNS + 5;

fn accepted(point: usize) -> [f64; 4] {
    let (x, y) = (point % COLUMNS, point / COLUMNS);
    let inside = [x + 1 < COLUMNS, x > 0, y + 1 < ROWS, y > 0];
    std::array::from_fn(|direction| {
        if inside[direction] {
            [1.0, 0.5, 0.3, 0.9][(direction + point) % 4]
        } else {
            0.0
        }
    })
}

fn grid() -> Vec<[u32; 4]> {
    (0..ROWS * COLUMNS)
        .map(|point| match point {
            SINK => ABSORBING,
            _ => acceptance_entries(accepted(point)),
        })
        .collect()
}

/// Walkers with numbers from 1000 on.
fn starts(count: usize) -> Vec<Walker> {
    (0..count)
        .map(|n| {
            let place = [(n % COLUMNS) as f32, (n / COLUMNS % ROWS) as f32];
            Walker::at(place, 1000 + n as u32)
        })
        .collect()
}

/// A lattice walk by the definition: direction by the upper two bits, accepted with its
/// probability by the other thirty.
fn reference_walk(mut walker: Walker, steps: u32) -> Walker {
    for step in 0..steps {
        let point = walker.y as usize * COLUMNS + walker.x as usize;
        if point == SINK {
            break;
        }
        walker.steps += 1;
        let word = words(walker.number, step / 4)[(step % 4) as usize];
        let direction = (word >> 30) as usize;
        let chance = f64::from(word & 0x3FFF_FFFF) / f64::from(1u32 << 30);
        if chance < accepted(point)[direction] {
            walker.x += [1.0, -1.0, 0.0, 0.0][direction];
            walker.y += [0.0, 0.0, 1.0, -1.0][direction];
        }
    }
    walker
}

#[test]
fn lattice_walks_are_those_of_the_definition_on_every_engine() {
    for engine in engines() {
        for count in SIZES {
            let mut recording = Recording::new();
            let walkers = recording.upload("walkers", &starts(count));
            let moves = recording.upload("moves", &grid());
            let moved = recording.lattice_walk(walkers, moves, [1, COLUMNS as i32], span(0, 203));
            recording.download(moved);
            let downloads = engine.run(&recording).expect("it runs");
            let expected: Vec<Walker> = starts(count)
                .into_iter()
                .map(|walker| reference_walk(walker, 203))
                .collect();
            assert!(
                downloads.values(moved) == expected,
                "{}: {count} walkers",
                engine.info().engine
            );
            let absorbed = expected.iter().filter(|walker| walker.steps < 203).count();
            assert!(
                count < 63 || (absorbed > 0 && absorbed < count),
                "both kinds are seen"
            );
        }
    }
}

#[test]
fn neither_batches_nor_cuts_of_the_steps_change_a_walk() {
    const COUNT: usize = 300;
    for engine in engines() {
        let mut recording = Recording::new();
        let moves = recording.upload("moves", &grid());
        let strides = [1, COLUMNS as i32];
        let all = recording.upload("all", &starts(COUNT));
        let whole = recording.lattice_walk(all, moves, strides, span(0, 50));
        // The same walkers, in two batches and in pieces that begin inside a block of words.
        let pieces: Vec<_> = [0..130, 130..COUNT]
            .into_iter()
            .map(|part| {
                let mut walkers = recording.upload("part", &starts(COUNT)[part.clone()]);
                for (first, steps) in [(0, 1), (1, 2), (3, 2), (5, 0), (5, 45)] {
                    let span = span(first, steps);
                    walkers = recording.lattice_walk(walkers, moves, strides, span);
                }
                walkers
            })
            .collect();
        for buf in pieces.iter().copied().chain([whole]) {
            recording.download(buf);
        }
        let downloads = engine.run(&recording).expect("it runs");
        let joined: Vec<Walker> = pieces
            .iter()
            .flat_map(|&piece| downloads.values(piece).to_vec())
            .collect();
        assert!(
            downloads.values(whole) == joined,
            "{}",
            engine.info().engine
        );
    }
}

#[test]
fn a_free_walk_knows_no_edge_and_drifts() {
    let runs: Vec<Vec<Walker>> = engines()
        .iter()
        .map(|engine| {
            let mut recording = Recording::new();
            let walkers = recording.upload(
                "walkers",
                &(0..2000)
                    .map(|n| Walker::at([0.0, 0.0], n))
                    .collect::<Vec<_>>(),
            );
            let moves = recording.upload("moves", &[drift_entries(0.6)]);
            let moved = recording.lattice_walk(walkers, moves, [0, 0], span(0, 400));
            recording.download(moved);
            engine
                .run(&recording)
                .expect("it runs")
                .values(moved)
                .to_vec()
        })
        .collect();
    for run in &runs {
        assert!(*run == runs[0], "engines agree to the bit");
    }
    let mean = |value: &dyn Fn(&Walker) -> f32| {
        runs[0]
            .iter()
            .map(|walker| f64::from(value(walker)))
            .sum::<f64>()
            / 2000.0
    };
    // A step goes 0.3 east on average, with variance 0.5 - 0.09; north and south 0.5. The
    // bounds are four standard errors of 2,000 walkers.
    let (east, south) = (mean(&|walker| walker.x), mean(&|walker| walker.y));
    assert!(
        (east - 120.0).abs() < 4.0 * (400.0 * 0.41 / 2000.0f64).sqrt(),
        "{east}"
    );
    assert!(
        south.abs() < 4.0 * (400.0 * 0.5 / 2000.0f64).sqrt(),
        "{south}"
    );
}

/// Coordinates after 40 steps of a few cells: rounding of 32-bit floats, and logarithms and
/// cosines good to some units of the last place, carried on.
const LANGEVIN: Tolerance = Tolerance {
    abs: 2e-4,
    rel: 0.0,
};

/// Pull, gain along the other axis, absorbing corners of three by two cells.
const CELLS: [[f32; 4]; 6] = [
    [0.05, -0.02, 0.03, 0.0],
    [-0.04, 0.06, -0.05, 0.0],
    [0.01, 0.02, 0.08, 8.0],
    [0.0, 0.0, 0.0, 0.0],
    [0.1, -0.1, 0.02, 1.0],
    [-0.03, -0.06, 0.0, 2.0],
];

fn reference_langevin(walker: Walker, steps: u32, step: &LangevinStep) -> [f64; 3] {
    let (mut x, mut y, mut taken) = (f64::from(walker.x), f64::from(walker.y), 0.0);
    let [rows, columns] = step.shape;
    for n in 0..steps {
        let column = x.clamp(0.0, (columns - 1) as f64).floor();
        let row = y.clamp(0.0, (rows - 1) as f64).floor();
        let cell = CELLS[row as usize * columns + column as usize].map(f64::from);
        let (u, v) = (x - column, y - row);
        let corner = 1 << (u32::from(u >= 0.5) + 2 * u32::from(v >= 0.5));
        if cell[3] as i32 & corner != 0 {
            break;
        }
        let words = words(walker.number, n / 2);
        let unit = |word: u32| (f64::from(word >> 9) + 0.5) / f64::from(1 << 23);
        let pair = 2 * (n % 2) as usize;
        let radius = f64::from(step.noise) * (-2.0 * unit(words[pair]).ln()).sqrt();
        let angle = std::f64::consts::TAU * unit(words[pair + 1]);
        let mut to = [
            x * (1.0 - f64::from(step.stiffness[0]))
                + f64::from(step.drift[0])
                + cell[0]
                + cell[2] * v
                + radius * angle.cos(),
            y * (1.0 - f64::from(step.stiffness[1]))
                + f64::from(step.drift[1])
                + cell[1]
                + cell[2] * u
                + radius * angle.sin(),
        ];
        if step.ground == Ground::Walled {
            for (at, wall) in to.iter_mut().zip([columns as f64, rows as f64]) {
                *at = at.abs();
                if *at > wall {
                    *at = 2.0 * wall - *at;
                }
            }
        }
        [x, y] = to;
        taken += 1.0;
    }
    [x, y, taken]
}

#[test]
fn langevin_walks_follow_the_formula_on_every_engine() {
    for engine in engines() {
        for ground in [Ground::Walled, Ground::Plane] {
            let step = LangevinStep {
                drift: [0.02, -0.01],
                stiffness: [0.03, 0.01],
                noise: 0.11,
                shape: [2, 3],
                ground,
            };
            for count in SIZES {
                let starts: Vec<Walker> = (0..count)
                    .map(|n| {
                        Walker::at(
                            [0.03 + (n % 29) as f32 * 0.1, 0.01 + (n % 19) as f32 * 0.1],
                            5 + n as u32,
                        )
                    })
                    .collect();
                let mut recording = Recording::new();
                let cells = recording.upload("cells", &CELLS);
                let mut walkers = recording.upload("walkers", &starts);
                for (first, steps) in [(0, 3), (3, 37)] {
                    walkers = recording.langevin_walk(walkers, cells, &step, span(first, steps));
                }
                recording.download(walkers);
                let downloads = engine.run(&recording).expect("it runs");
                let name = format!("{}: {count} walkers, {ground:?}", engine.info().engine);
                let (mut found, mut expected, mut other_fate) = (Vec::new(), Vec::new(), 0);
                for (end, start) in downloads.values(walkers).iter().zip(&starts) {
                    let [x, y, taken] = reference_langevin(*start, 40, &step);
                    // A walker at a border of two cells may fall to either side by rounding.
                    if f64::from(end.steps) == taken {
                        found.extend([end.x, end.y]);
                        expected.extend([x as f32, y as f32]);
                    } else {
                        other_fate += 1;
                    }
                }
                assert!(
                    other_fate * 1000 <= count,
                    "{name}: {other_fate} of another fate"
                );
                assert_close(&name, &found, &expected, LANGEVIN);
            }
        }
    }
}

// Sums of 4,096 numbers in 32-bit floats.
const MOMENTS: Tolerance = Tolerance {
    abs: 1e-3,
    rel: 2e-6,
};

/// Walkers of fewer steps at every third point of 4 x 6, the sum of their steps and of the squares.
fn arrivals_of(walkers: &[Walker], below: u32) -> [u64; 3] {
    let nearest = |at: f32, last: f32| (at + 0.5).floor().min(last) as usize;
    let there = |w: &&Walker| (nearest(w.y, 3.0) * 6 + nearest(w.x, 5.0)) % 3 == 1;
    let arrived = walkers.iter().filter(there).filter(|w| w.steps < below);
    arrived.fold([0; 3], |[count, sum, squares], w| {
        let steps = u64::from(w.steps);
        [count + 1, sum + steps, squares + steps * steps]
    })
}

#[test]
fn moments_occupation_and_arrivals_of_every_ragged_size() {
    for engine in engines() {
        for count in SIZES
            .into_iter()
            .chain([2 * MOMENTS_GROUP, 3 * MOMENTS_GROUP - 1])
        {
            let walkers: Vec<Walker> = (0..count)
                .map(|n| Walker {
                    x: (n * 37 % 101) as f32 / 16.0,
                    y: (n * 53 % 67) as f32 / 16.0,
                    x_start: (n % 5) as f32,
                    y_start: 1.0,
                    number: n as u32,
                    steps: if n % 3 == 0 { 11 } else { 12 },
                })
                .collect();
            let mut recording = Recording::new();
            let uploaded = recording.upload("walkers", &walkers);
            let moments = recording.walk_moments(uploaded, 12);
            let occupation = recording.walk_occupation(uploaded, [4, 6]);
            recording.download(moments);
            recording.download(occupation);
            let target: Vec<u32> = (0..24).map(|k| u32::from(k % 3 == 1)).collect();
            let target = recording.upload("target", &target);
            // Steps whose sums and squares carry into the high word.
            let far: Vec<Walker> = walkers
                .iter()
                .map(|walker| Walker {
                    steps: walker.number.wrapping_mul(0x9E37_79B9) >> 7,
                    ..*walker
                })
                .collect();
            let uploaded_far = recording.upload("far", &far);
            let cases = [(uploaded, &walkers, 12), (uploaded_far, &far, 1 << 24)];
            let arrivals =
                cases.map(|(buf, _, below)| recording.walk_arrivals(buf, target, [4, 6], below));
            for buf in arrivals {
                recording.download(buf);
            }
            let downloads = engine.run(&recording).expect("it runs");
            let mut expected = Vec::new();
            for group in walkers.chunks(MOMENTS_GROUP) {
                let mut sums = [0.0f64; 6];
                for walker in group {
                    let dx = f64::from(walker.x - walker.x_start);
                    let dy = f64::from(walker.y - walker.y_start);
                    let square = dx * dx + dy * dy;
                    sums[0] += dx;
                    sums[1] += dy;
                    sums[2] += square.sqrt();
                    sums[3] += square;
                    sums[4] += square * square;
                    sums[5] += f64::from(u8::from(walker.steps == 12));
                }
                expected.extend(sums.map(|sum| sum as f32));
            }
            let found: Vec<f32> = downloads
                .values::<Moments>(moments)
                .iter()
                .flat_map(|m| [m.x, m.y, m.distance, m.square, m.fourth, m.moving])
                .collect();
            let name = format!("{}: {count} walkers", engine.info().engine);
            assert_close(&name, &found, &expected, MOMENTS);
            let mut counts = vec![0u32; 24];
            for walker in &walkers {
                // Walkers past the last row and column are nearest to it.
                let nearest = |at: f32, last: f32| (at + 0.5).floor().min(last) as usize;
                counts[nearest(walker.y, 3.0) * 6 + nearest(walker.x, 5.0)] += 1;
            }
            assert_eq!(downloads.values(occupation), counts, "{name}");
            for (buf, (_, walkers, below)) in arrivals.into_iter().zip(cases) {
                let found: Vec<[u64; 3]> = downloads
                    .values::<Arrivals>(buf)
                    .iter()
                    .map(|sums| [u64::from(sums.walkers), sums.steps(), sums.squares()])
                    .collect();
                let expected: Vec<[u64; 3]> = walkers
                    .chunks(MOMENTS_GROUP)
                    .map(|group| arrivals_of(group, below))
                    .collect();
                assert_eq!(found, expected, "{name}, steps below {below}");
            }
        }
    }
}
