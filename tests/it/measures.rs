//! The measures over a grid against closed forms, values computed outside, and brute force.

use morphscape::landscape::{
    Bar, CONFIDENT, Connectivity, LatticeWeights, Permutation, agreement, argmax, barrier,
    boundary_length, calibration_error, confident_intrusion, critical_points, jaccard, kappa,
    laplacian_roughness, mean_entropy, mean_margin, num_bars_above, num_regions, order_asymmetry,
    persistence, surface_roughness,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// `f(row, column)` over a grid, row-major.
fn grid<T>([rows, columns]: [usize; 2], mut f: impl FnMut(usize, usize) -> T) -> Vec<T> {
    (0..rows * columns)
        .map(|k| f(k / columns, k % columns))
        .collect()
}

/// A draw from N(0, 1), by Box and Muller.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

fn assert_near(value: f64, expected: f64, tolerance: f64) {
    let difference = (value - expected).abs();
    assert!(
        difference <= tolerance,
        "expected {expected} within {tolerance}, found {value}"
    );
}

/// A random shape of up to `most` points a side, and a field of it: of every four, one of reals,
/// two with ties, one constant.
fn random_field(rng: &mut ChaCha8Rng, round: usize, most: usize) -> ([usize; 2], Vec<f64>) {
    let shape = [rng.random_range(1..=most), rng.random_range(1..=most)];
    let field = grid(shape, |_, _| match round % 4 {
        0 => normal(rng),
        1 => f64::from(rng.random_range(0..2)),
        2 => f64::from(rng.random_range(0..6)),
        _ => 0.5,
    });
    (shape, field)
}

#[test]
fn surface_roughness_is_what_a_plane_leaves() {
    let tilt = |i: usize, j: usize| 3.0 + 0.7 * i as f64 - 0.2 * j as f64;
    // One field estimates the deviation to 1.1 % (one sigma), twenty to 0.25 %.
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let shape = [64, 64];
    let mut mean = 0.0;
    for _ in 0..20 {
        let noisy = grid(shape, |i, j| tilt(i, j) + 0.1 * normal(&mut rng));
        let roughness = surface_roughness(&noisy, shape).expect("a plane");
        assert_near(roughness, 0.1, 0.005);
        mean += roughness / 20.0;
    }
    assert_near(mean, 0.1, 0.001);
    // A checker pattern of even sides is orthogonal to every plane, so all of it is left.
    let shape = [8, 6];
    let checker = |i: usize, j: usize| [0.1, -0.1][(i + j) % 2];
    let tilted = grid(shape, |i, j| tilt(i, j) + checker(i, j));
    assert_near(
        surface_roughness(&tilted, shape).expect("a plane"),
        0.1,
        1e-12,
    );
    let plane = grid(shape, tilt);
    assert_near(
        surface_roughness(&plane, shape).expect("a plane"),
        0.0,
        1e-12,
    );
    for shape in [[0, 0], [1, 1], [1, 5], [5, 1]] {
        assert_eq!(surface_roughness(&grid(shape, |_, _| 1.0), shape), None);
    }
}

#[test]
fn laplacian_roughness_of_white_noise_is_known() {
    let expected = 0.1 * 20f64.sqrt() * (2.0 / std::f64::consts::PI).sqrt();
    assert_near(expected, 0.357, 5e-4);
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let shape = [512, 512];
    let noise = grid(shape, |_, _| 0.1 * normal(&mut rng));
    let roughness = laplacian_roughness(&noise, shape).expect("an interior");
    assert_near(roughness, expected, 0.002);
    // Exact: a tilted checker pattern of +-e reads 8 e, a paraboloid i^2 + 2 j^2 reads 2 + 4.
    let shape = [5, 4];
    let tilted = grid(shape, |i, j| {
        2.0 * i as f64 - j as f64 + [0.5, -0.5][(i + j) % 2]
    });
    assert_eq!(laplacian_roughness(&tilted, shape), Some(4.0));
    let bowl = grid(shape, |i, j| (i * i + 2 * j * j) as f64);
    assert_eq!(laplacian_roughness(&bowl, shape), Some(6.0));
    for shape in [[2, 2], [2, 5], [5, 2], [1, 1]] {
        assert_eq!(laplacian_roughness(&grid(shape, |_, _| 1.0), shape), None);
    }
}

#[test]
fn regions_of_a_checkerboard_depend_on_connectivity() {
    let shape = [6, 6];
    let checker = grid(shape, |i, j| (i + j) % 2);
    assert_eq!(num_regions(&checker, shape, Connectivity::Four), 36);
    assert_eq!(num_regions(&checker, shape, Connectivity::Eight), 2);
    let one = grid(shape, |_, _| 4);
    assert_eq!(num_regions(&one, shape, Connectivity::Four), 1);
    // A ring around a point, and a horseshoe whose arms join only in its last row.
    let ring = grid([3, 3], |i, j| usize::from(i != 1 || j != 1));
    assert_eq!(num_regions(&ring, [3, 3], Connectivity::Four), 2);
    let horseshoe = grid([4, 3], |i, j| usize::from(j != 1 || i == 3));
    assert_eq!(num_regions(&horseshoe, [4, 3], Connectivity::Four), 2);
    // Neighbours do not reach around the end of a row.
    assert_eq!(
        num_regions(&[0, 1, 2, 2, 3, 4], [2, 3], Connectivity::Eight),
        6
    );
}

/// Regions by flood fill from every point that is not yet filled.
fn regions_by_flood(labels: &[usize], [rows, columns]: [usize; 2], eight: bool) -> usize {
    let mut filled = vec![false; labels.len()];
    let mut regions = 0;
    for start in 0..labels.len() {
        if filled[start] {
            continue;
        }
        regions += 1;
        filled[start] = true;
        let mut open = vec![start];
        while let Some(k) = open.pop() {
            for other in 0..rows * columns {
                let far = [
                    (k / columns).abs_diff(other / columns),
                    (k % columns).abs_diff(other % columns),
                ];
                let touches = far[0] + far[1] == 1 || eight && far == [1, 1];
                if touches && !filled[other] && labels[other] == labels[k] {
                    filled[other] = true;
                    open.push(other);
                }
            }
        }
    }
    regions
}

#[test]
fn regions_equal_those_of_a_flood_fill() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    for _ in 0..200 {
        let shape = [rng.random_range(1..9), rng.random_range(1..9)];
        let labels = grid(shape, |_, _| rng.random_range(0..3));
        for (connectivity, eight) in [(Connectivity::Four, false), (Connectivity::Eight, true)] {
            assert_eq!(
                num_regions(&labels, shape, connectivity),
                regions_by_flood(&labels, shape, eight),
                "{connectivity:?} {shape:?} {labels:?}"
            );
        }
    }
}

#[test]
fn the_boundary_of_a_disc_is_its_circumference() {
    let shape = [201, 201];
    let disc: Vec<f32> = grid(shape, |i, j| {
        let distance = (i as f32 - 100.0).hypot(j as f32 - 100.0);
        [60.0 - distance, 0.0]
    })
    .concat();
    let length = boundary_length(&disc, shape, 2, 1.0);
    assert_near(length, 376.985, 0.01);
    assert_near(length, 120.0 * std::f64::consts::PI, 0.01);
    let in_path_units = boundary_length(&disc, shape, 2, 1.0 / 200.0);
    assert_near(in_path_units, length / 200.0, 1e-12);
}

#[test]
fn boundaries_of_straight_lines_are_exact() {
    let shape = [5, 5];
    // A line between two columns, one through a column of ties, and a slanted one.
    for (slope, offset, expected) in [(0.0, 1.25, 4.0), (0.0, 2.0, 4.0), (0.5, 1.0, 20f64.sqrt())] {
        let logits = grid(shape, |i, j| [j as f32 - offset - slope * i as f32, 0.0]).concat();
        assert_near(boundary_length(&logits, shape, 2, 1.0), expected, 1e-6);
        // A class that never wins, and a shift of all logits, change nothing.
        let shifted = grid(shape, |i, j| {
            [0.0, j as f32 - offset - slope * i as f32 + 9.0, 9.0]
        });
        let length = boundary_length(&shifted.concat(), shape, 3, 1.0);
        assert_near(length, expected, 1e-5);
    }
    // Three classes that meet: stripes of width 2 have two lines.
    let stripes = grid(shape, |_, j| {
        [0, 1, 2].map(|c| -(j as f32 - 2.0 * c as f32).abs())
    });
    assert_near(
        boundary_length(&stripes.concat(), shape, 3, 0.25),
        2.0,
        1e-6,
    );
    assert_eq!(boundary_length(&[1.0; 50], shape, 2, 1.0), 0.0);
    assert_eq!(boundary_length(&[1.0, 2.0], [1, 1], 2, 1.0), 0.0);
}

#[test]
fn a_saddle_cell_follows_the_mean_of_its_corners() {
    // Corners of class 0 on the diagonal, of margins 3, 3 and -1, -1: joined, the other two are
    // cut off, each by a line from 1/4 to 1/4 of its edges.
    let checker = |own: f32, others: f32| [own, 0.0, others, 0.0, others, 0.0, own, 0.0];
    let joined = boundary_length(&checker(3.0, -1.0), [2, 2], 2, 1.0);
    assert_near(joined, 2.0 * 0.25 * 2f64.sqrt(), 1e-12);
    // Margins 1, 1 and -3, -3: apart, the corners of class 0 are cut off.
    let apart = boundary_length(&checker(1.0, -3.0), [2, 2], 2, 1.0);
    assert_near(apart, 2.0 * 0.25 * 2f64.sqrt(), 1e-12);
    // A mean of 0 is even: both answers have this length.
    let even = boundary_length(&checker(2.0, -2.0), [2, 2], 2, 1.0);
    assert_near(even, 2f64.sqrt(), 1e-12);
    // Unlike corners tell the two answers apart: cut-off corners (3/4, 3/8) or (1/4, 5/8).
    let uneven = [3.0, 0.0, -1.0, 0.0, -1.0, 0.0, 5.0 / 3.0, 0.0];
    let length = boundary_length(&uneven, [2, 2], 2, 1.0);
    assert_near(length, 2.0 * 0.25f64.hypot(0.375), 1e-6);
    // The classes exchanged, the line stays.
    let exchanged: Vec<f32> = uneven.iter().map(|f| -f).collect();
    assert_near(boundary_length(&exchanged, [2, 2], 2, 1.0), length, 1e-12);
}

#[test]
fn critical_points_of_known_fields() {
    let constant = critical_points(&[0.5; 441], [21, 21]);
    assert_eq!(constant.minima, [0]);
    assert!(constant.maxima.is_empty() && constant.saddles.is_empty());
    let shape = [61, 61];
    let waves = grid(shape, |i, j| {
        let angle =
            |k: usize, shift: f64| (4.0 * std::f64::consts::PI * k as f64 / 60.0 + shift).sin();
        angle(j, 0.1) * angle(i, 0.07)
    });
    let found = critical_points(&waves, shape);
    assert_eq!(
        (found.minima.len(), found.maxima.len(), found.num_saddles()),
        (13, 8, 20)
    );
    // A peak, a pass and a monkey saddle in the middle of a grid.
    let centre = |f: fn(f64, f64) -> f64| {
        let field = grid([7, 7], |i, j| f(i as f64 - 3.0, j as f64 - 3.0));
        critical_points(&field, [7, 7])
    };
    assert_eq!(centre(|y, x| -x * x - y * y).maxima, [24]);
    assert!(centre(|y, x| x * x - y * y).saddles.contains(&(24, 1)));
    // The real part of a cube, its three valleys along every second neighbour of the ring.
    let mut monkey = [0.0; 9];
    for (k, value) in [
        (5, -1.0),
        (8, 1.0),
        (7, -1.0),
        (3, 1.0),
        (0, -1.0),
        (1, 1.0),
    ] {
        monkey[k] = value;
    }
    assert!(critical_points(&monkey, [3, 3]).saddles.contains(&(4, 2)));
}

#[test]
fn minima_saddles_and_maxima_obey_euler() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for round in 0..1000 {
        let (shape, field) = random_field(&mut rng, round, 21);
        let found = critical_points(&field, shape);
        assert_eq!(found.index_sum(), 1, "{shape:?} {field:?}");
        // Upside down, maxima of the interior are minima, and the other way round, where no
        // ties change their order.
        if round % 4 == 0 {
            let upside_down: Vec<f64> = field.iter().map(|z| -z).collect();
            let turned = critical_points(&upside_down, shape);
            assert!(found.maxima.iter().all(|k| turned.minima.contains(k)));
        }
    }
}

#[test]
fn bars_of_a_known_field() {
    let mut field = [9.0; 16];
    for (k, value) in [(0, 0.0), (5, 1.0), (11, 2.0), (14, 3.0)] {
        field[k] = value;
    }
    let bar = |birth, death| Bar { birth, death };
    let endless = bar(0.0, f64::INFINITY);
    let four = persistence(&field, [4, 4], Connectivity::Four);
    assert_eq!(four, [endless, bar(1.0, 9.0), bar(2.0, 9.0), bar(3.0, 9.0)]);
    let eight = persistence(&field, [4, 4], Connectivity::Eight);
    assert_eq!(eight, [endless, bar(2.0, 9.0)]);
    let counts = [0.0, 6.0, 6.5, 7.5, 8.0].map(|least| num_bars_above(&four, least));
    assert_eq!(counts, [4, 3, 3, 2, 1]);
    // Three basins in a row: the elder rule ends the shallow one at its lower pass, and the
    // younger of the other two at the higher.
    let valley = [1.0, 5.0, 3.0, 4.0, 2.0];
    let bars = persistence(&valley, [1, 5], Connectivity::Four);
    let expected = [bar(1.0, f64::INFINITY), bar(2.0, 5.0), bar(3.0, 4.0)];
    assert_eq!(bars, expected);
}

/// Connected sets of one value with no lower neighbour.
fn flat_minima(field: &[f64], shape: [usize; 2], eight: bool) -> usize {
    let [_, columns] = shape;
    let mut levels = field.to_vec();
    levels.sort_by(f64::total_cmp);
    levels.dedup();
    let rank = |z: f64| {
        levels
            .iter()
            .position(|&level| level == z)
            .expect("a level")
    };
    let touching = |k: usize| {
        let near = move |other: &usize| {
            let far = [
                (k / columns).abs_diff(*other / columns),
                (k % columns).abs_diff(*other % columns),
            ];
            far[0] + far[1] == 1 || eight && far == [1, 1]
        };
        (0..field.len()).filter(near)
    };
    // Whatever touches something lower spreads over its plateau until nothing changes.
    let mut drains: Vec<bool> = (0..field.len())
        .map(|k| touching(k).any(|other| field[other] < field[k]))
        .collect();
    while let Some(k) = (0..field.len())
        .find(|&k| !drains[k] && touching(k).any(|other| drains[other] && field[other] == field[k]))
    {
        drains[k] = true;
    }
    // Plateaus that do not drain, as regions of one label each; the rest has no label.
    let labels: Vec<usize> = (0..field.len())
        .map(|k| {
            if drains[k] {
                levels.len() + k
            } else {
                rank(field[k])
            }
        })
        .collect();
    regions_by_flood(&labels, shape, eight) - drains.iter().filter(|&&drain| drain).count()
}

#[test]
fn there_are_as_many_bars_as_minima() {
    let mut rng = ChaCha8Rng::seed_from_u64(10);
    for round in 0..400 {
        let (shape, field) = random_field(&mut rng, round, 8);
        for (connectivity, eight) in [(Connectivity::Four, false), (Connectivity::Eight, true)] {
            let bars = persistence(&field, shape, connectivity);
            let minima = flat_minima(&field, shape, eight);
            assert_eq!(bars.len(), minima, "{connectivity:?} {shape:?} {field:?}");
            assert_eq!(bars[0].death, f64::INFINITY);
            assert!(bars[1..].iter().all(|bar| bar.death.is_finite()));
        }
    }
}

/// The least of the largest value met over every path between two points that visits no point
/// twice; `top` is the largest value so far.
fn barrier_by_all_paths(
    u: &[f64],
    shape: [usize; 2],
    visited: &mut [bool],
    k: usize,
    to: usize,
    top: f64,
) -> f64 {
    let [rows, columns] = shape;
    let top = top.max(u[k]);
    if k == to {
        return top;
    }
    visited[k] = true;
    let (i, j) = (k / columns, k % columns);
    let mut best = f64::INFINITY;
    let mut go = |is_inside: bool, other: usize| {
        if is_inside && !visited[other] {
            best = best.min(barrier_by_all_paths(u, shape, visited, other, to, top));
        }
    };
    go(i > 0, k.wrapping_sub(columns));
    go(i + 1 < rows, k + columns);
    go(j > 0, k.wrapping_sub(1));
    go(j + 1 < columns, k + 1);
    visited[k] = false;
    best
}

/// The same by trying every level: the least at which a flood below it joins the two points.
fn barrier_by_levels(u: &[f64], shape: [usize; 2], from: usize, to: usize) -> f64 {
    let [rows, columns] = shape;
    let joins = |level: f64| {
        let mut wet = vec![false; u.len()];
        wet[from] = u[from] <= level;
        for _ in 0..u.len() {
            for k in 0..u.len() {
                let (i, j) = (k / columns, k % columns);
                wet[k] |= u[k] <= level
                    && (i > 0 && wet[k - columns]
                        || i + 1 < rows && wet[k + columns]
                        || j > 0 && wet[k - 1]
                        || j + 1 < columns && wet[k + 1]);
            }
        }
        wet[from] && wet[to]
    };
    u.iter()
        .copied()
        .filter(|&level| joins(level))
        .fold(f64::INFINITY, f64::min)
}

#[test]
fn barriers_equal_those_of_all_paths() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for round in 0..200 {
        let (shape, u) = random_field(&mut rng, round, 6);
        let [from, to] = [0, 1].map(|_| rng.random_range(0..u.len()));
        let found = barrier(&u, shape, from, to);
        let expected = barrier_by_levels(&u, shape, from, to);
        assert_eq!(found, expected, "{shape:?} {from} {to} {u:?}");
        assert_eq!(found, barrier(&u, shape, to, from));
        // Walking every path takes too long beyond 4 x 4 points.
        if u.len() <= 16 {
            let mut visited = vec![false; u.len()];
            let walked = barrier_by_all_paths(&u, shape, &mut visited, from, to, f64::NEG_INFINITY);
            assert_eq!(found, walked, "{shape:?} {from} {to} {u:?}");
        }
    }
    // Diagonal steps are none: the path must cross the wall.
    assert_eq!(barrier(&[0.0, 7.0, 5.0, 0.0], [2, 2], 0, 3), 5.0);
    assert_eq!(barrier(&[2.0, 1.0], [1, 2], 0, 0), 2.0);
}

/// The weights of x, y and z at every point of a permutation's grid, in units of `1/n^2`.
fn weights_of(permutation: Permutation, steps: usize) -> Vec<[usize; 3]> {
    let n = steps - 1;
    let items = permutation.arrange([0, 1, 2]);
    grid([steps, steps], |i, j| {
        let mut weights = [0; 3];
        for (item, weight) in items
            .into_iter()
            .zip([(n - i) * (n - j), i * (n - j), j * n])
        {
            weights[item] = weight;
        }
        weights
    })
}

#[test]
fn a_classifier_of_the_linear_cross_fade_has_no_order() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    for steps in [2, 3, 4, 5, 11, 21] {
        let all_weights = Permutation::ALL.map(|permutation| weights_of(permutation, steps));
        // Random linear layer and softmax on rows of whole values, which mix without rounding.
        let items = [0; 3].map(|_| [0; 4].map(|_| rng.random_range(0..200) as f64));
        let layer = grid([5, 4], |_, _| normal(&mut rng) / 200.0);
        let classify = |weights: &[usize; 3]| {
            let unit = ((steps - 1) * (steps - 1)) as f64;
            let row = [0, 1, 2, 3].map(|feature| {
                let mixed = (0..3).map(|item| weights[item] as f64 * items[item][feature]);
                mixed.sum::<f64>() / unit
            });
            let powers = layer.chunks(4).map(|weights| {
                weights
                    .iter()
                    .zip(row)
                    .map(|(w, x)| w * x)
                    .sum::<f64>()
                    .exp()
            });
            let powers: Vec<f64> = powers.collect();
            let total: f64 = powers.iter().sum();
            powers.into_iter().map(move |power| (power / total) as f32)
        };
        let answers = all_weights
            .each_ref()
            .map(|weights| weights.iter().flat_map(classify).collect::<Vec<f32>>());
        let [y, x, z] = answers.each_ref().map(Vec::as_slice);
        let order = order_asymmetry([y, x, z], steps, 5, LatticeWeights::All).expect("a lattice");
        assert_eq!((order.asymmetry, order.label_agreement), (0.0, 1.0));
        // The compared weights are all that occur in the three grids.
        let mut common = all_weights[0].clone();
        common.retain(|weights| all_weights.iter().all(|all| all.contains(weights)));
        common.sort_unstable();
        common.dedup();
        assert_eq!(order.num_weights, common.len(), "{steps} steps");
        let inside = order_asymmetry([y, x, z], steps, 5, LatticeWeights::Inside);
        common.retain(|weights| !weights.contains(&0));
        assert_eq!(order.num_weights, 3 * (steps - 1) + common.len());
        assert_eq!(inside.map_or(0, |inside| inside.num_weights), common.len());
        assert_eq!(common.len(), if steps == 21 { 3 } else { 0 });
        assert_eq!(inside.map_or(0.0, |inside| inside.asymmetry), 0.0);
        // Permutations taken for each other are seen.
        let mistaken =
            order_asymmetry([x, y, z], steps, 5, LatticeWeights::All).expect("a lattice");
        assert!(mistaken.asymmetry > 1e-3, "{mistaken:?}");
    }
}

#[test]
fn order_asymmetry_of_permutations_that_differ() {
    let first = [1.0, 0.0].repeat(9);
    let second = [0.0, 1.0].repeat(9);
    let order =
        order_asymmetry([&first, &second, &first], 3, 2, LatticeWeights::All).expect("a lattice");
    assert_near(order.asymmetry, 2.0 / 3.0, 1e-12);
    assert_near(order.label_agreement, 1.0 / 3.0, 1e-12);
    // A weight at which one of the three has no answer is left out.
    let mut holed = first.clone();
    holed[2..4].fill(f32::NAN);
    let fewer =
        order_asymmetry([&holed, &second, &first], 3, 2, LatticeWeights::All).expect("a lattice");
    assert_eq!((order.num_weights, fewer.num_weights), (6, 5));
    assert_near(fewer.asymmetry, 2.0 / 3.0, 1e-12);
    // Unsure answers of one label agree in it and differ by 0.25.
    let unsure = [0.75, 0.25].repeat(9);
    let order =
        order_asymmetry([&first, &unsure, &unsure], 3, 2, LatticeWeights::All).expect("a lattice");
    assert_near(order.asymmetry, 0.5 / 3.0, 1e-12);
    assert_eq!(order.label_agreement, 1.0);
    assert_eq!(
        order_asymmetry([&[1.0], &[1.0], &[1.0]], 1, 1, LatticeWeights::All),
        None
    );
}

#[test]
fn entropy_and_margin_of_known_answers() {
    let even = [0.25; 4];
    let sure = [0.0, 1.0, 0.0, 0.0];
    assert_near(mean_entropy(&even, 4), 4f64.ln(), 1e-12);
    assert_eq!(mean_entropy(&sure, 4), 0.0);
    assert_near(mean_entropy(&[even, sure].concat(), 4), 2f64.ln(), 1e-12);
    assert_eq!(mean_margin(&even, 4), 0.0);
    assert_eq!(mean_margin(&[even, sure].concat(), 4), 0.5);
    assert_eq!(
        mean_margin(&[0.125, 0.25, 0.625, 0.5, 0.25, 0.25], 3),
        0.3125
    );
}

#[test]
fn confident_intrusion_counts_only_sure_intruders() {
    let points = [
        [0.05, 0.0, 0.05, 0.9],
        [0.1, 0.1, 0.1, 0.7],
        [0.95, 0.0, 0.0, 0.05],
        [0.0, 0.0, 0.0, 1.0],
    ];
    let intrusion = |tau| confident_intrusion(&points.concat(), 4, [0, 1, 2], tau);
    assert_eq!(intrusion(CONFIDENT), 0.5, "0.9 itself counts");
    assert_eq!(intrusion(0.0), 0.75);
    assert_eq!(intrusion(0.95), 0.25);
    assert_eq!(
        confident_intrusion(&points.concat(), 4, [3, 1, 2], 0.9),
        0.25
    );
    assert_eq!(argmax(&points[2]), 0);
}

#[test]
fn calibration_of_flat_and_steep_answers_is_a_quarter() {
    let sigmoid = |k: f64| -> Vec<[f64; 2]> {
        (0..=1000)
            .map(|step| {
                let lambda = 1.0 - step as f64 / 1000.0;
                let p_a = 1.0 / (1.0 + (-k * (2.0 * lambda - 1.0)).exp());
                [0.5 * p_a, 0.5 * (1.0 - p_a)]
            })
            .collect()
    };
    assert_near(
        calibration_error(&sigmoid(1e-9)).expect("shares"),
        0.25,
        1e-6,
    );
    // A jump is known to half a step, here 1/2000.
    assert_near(
        calibration_error(&sigmoid(1e9)).expect("shares"),
        0.25,
        6e-4,
    );
    let linear: Vec<[f64; 2]> = (0..=20).map(|t| [20.0 - t as f64, t as f64]).collect();
    assert_near(calibration_error(&linear).expect("shares"), 0.0, 1e-12);
    assert_eq!(calibration_error(&[[1.0, 0.0], [0.0, 0.0]]), None);
    assert_eq!(calibration_error(&[[1.0, 0.0]]), None);
}

/// Two half-planes of the unit square, x < 1/2 and x < 1/2 + delta.
#[test]
fn agreement_of_half_planes() {
    let steps = 100;
    for shift in [0, 10, 50] {
        let delta = shift as f64 / steps as f64;
        let half_plane = |end: usize| grid([7, steps], |_, j| usize::from(j >= end));
        let (one, other) = (half_plane(50), half_plane(50 + shift));
        assert_eq!(agreement(&one, &other), Some(1.0 - delta));
        let beyond = kappa(&one, &other).expect("two classes");
        assert_near(beyond, 1.0 - 2.0 * delta, 1e-12);
        let left = jaccard(&one, &other, 0).expect("a class of both");
        assert_near(left, 0.5 / (0.5 + delta), 1e-12);
        let right = jaccard(&one, &other, 1).expect("a class of one");
        assert_near(right, (0.5 - delta) / 0.5, 1e-12);
    }
    assert_eq!(agreement(&[], &[]), None);
    assert_eq!(kappa(&[2, 2], &[2, 2]), None, "chance agrees, too");
    assert_eq!(kappa(&[0, 1], &[1, 0]), Some(-1.0));
    assert_eq!(jaccard(&[0, 1], &[1, 0], 2), None);
}
