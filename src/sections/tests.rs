//! Properties over random networks: every layer, random sizes, seeded.

use super::network::{Op, Step};
use super::*;
use crate::kernels::Windows;
use crate::landscape::FlatShape;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A normal number by adding uniform ones; close enough for weights.
fn normal(random: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| random.random_range(0.0..1.0)).sum::<f64>() - 6.0
}

fn weights(random: &mut ChaCha8Rng, count: usize, fan: usize) -> Vec<f64> {
    let scale = (2.0 / fan as f64).sqrt();
    let mut all: Vec<f64> = (0..count).map(|_| scale * normal(random)).collect();
    // Now and then doubled, dead and equal units, and zeros.
    if random.random_range(0..4) == 0 && count > 4 {
        let (a, b) = (random.random_range(0..count), random.random_range(0..count));
        all[a] = all[b];
        all[random.random_range(0..count)] = 0.0;
    }
    all
}

struct Maker {
    network: SectionNetwork,
    random: ChaCha8Rng,
}

impl Maker {
    fn new(seed: u64, inputs: usize) -> Self {
        Self {
            network: SectionNetwork {
                space: Space::identity(),
                steps: Vec::new(),
                sizes: vec![inputs],
            },
            random: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    fn last(&self) -> usize {
        self.network.steps.len()
    }

    fn push(&mut self, takes: Vec<usize>, op: Op, outputs: usize) {
        let name = format!("step {}", self.last());
        self.network.steps.push(Step { name, takes, op });
        self.network.sizes.push(outputs);
    }

    fn dense(&mut self, outputs: usize) {
        let inputs = self.network.sizes[self.last()];
        let op = Op::Dense {
            weight: weights(&mut self.random, inputs * outputs, inputs),
            bias: (0..outputs)
                .map(|_| 0.3 * normal(&mut self.random))
                .collect(),
        };
        self.push(vec![self.last()], op, outputs);
    }

    fn largest(&mut self, slope: f64) {
        let outputs = self.network.sizes[self.last()];
        let op = Op::Largest {
            slope,
            windows: None,
        };
        self.push(vec![self.last()], op, outputs);
    }

    /// Leaky, plain, or none.
    fn slope(&mut self) -> f64 {
        [0.0, 0.0, 0.25][self.random.random_range(0..3)]
    }

    fn windows(
        &mut self,
        input: [usize; 3],
        size: usize,
        stride: usize,
        channels: usize,
    ) -> Windows {
        let before = if stride == 1 { size / 2 } else { 0 };
        let along = |n: usize| (n + 2 * before - size) / stride + 1;
        Windows {
            input,
            output: [along(input[0]), along(input[1]), channels],
            size: [size; 2],
            stride: [stride; 2],
            before: [before; 2],
            dilation: [1, 1],
        }
    }

    fn conv(&mut self, input: [usize; 3], channels: usize) -> [usize; 3] {
        let windows = self.windows(input, 3, 1, channels);
        let fan = 9 * input[2];
        let op = Op::Conv {
            windows,
            weight: weights(&mut self.random, fan * channels, fan),
            bias: (0..channels)
                .map(|_| 0.1 * normal(&mut self.random))
                .collect(),
        };
        self.push(vec![self.last()], op, windows.outputs());
        windows.output
    }

    fn pool(&mut self, input: [usize; 3], slope: Option<f64>) -> [usize; 3] {
        let windows = self.windows(input, 2, 2, input[2]);
        let op = match slope {
            Some(slope) => Op::Largest {
                slope,
                windows: Some(windows),
            },
            None => Op::Average(windows),
        };
        self.push(vec![self.last()], op, windows.outputs());
        windows.output
    }
}

/// Dense or convolutional, with every kind of step.
fn random_network(seed: u64) -> SectionNetwork {
    let mut kind = ChaCha8Rng::seed_from_u64(seed ^ 0x5eed);
    if kind.random_range(0..3) > 0 {
        let inputs = kind.random_range(2..8);
        let mut maker = Maker::new(seed, inputs);
        // One in ten is so wide that its planes may have too many regions.
        let widest = if seed % 10 == 9 { 90 } else { 14 };
        for _ in 0..kind.random_range(1..4) {
            let width = kind.random_range(1..widest);
            maker.dense(width);
            let slope = maker.slope();
            maker.largest(slope);
            if kind.random_range(0..4) == 0 {
                // A residual sum around another layer.
                let skip = maker.last();
                maker.dense(width);
                maker.push(vec![maker.last(), skip], Op::Add, width);
                maker.largest(0.0);
            }
        }
        maker.dense(kind.random_range(2..5));
        return maker.network;
    }
    let side = kind.random_range(4..7);
    let mut shape = [side, side, kind.random_range(1..3)];
    let mut maker = Maker::new(seed, shape.iter().product());
    shape = maker.conv(shape, kind.random_range(1..4));
    if kind.random_range(0..2) == 0 {
        let outputs = shape.iter().product();
        let scale = (0..outputs).map(|k| 0.5 + (k % shape[2]) as f64).collect();
        let offset = (0..outputs).map(|k| 0.1 * (k % shape[2]) as f64).collect();
        maker.push(vec![maker.last()], Op::Scale { scale, offset }, outputs);
    }
    let slope = [0.0, 0.25, 1.0][kind.random_range(0..3)];
    shape = maker.pool(shape, Some(slope));
    shape = maker.conv(shape, kind.random_range(1..4));
    maker.largest(0.0);
    if kind.random_range(0..2) == 0 {
        maker.pool(shape, None);
    }
    maker.dense(kind.random_range(2..5));
    maker.network
}

fn random_points(seed: u64, inputs: usize, count: usize) -> Vec<Vec<f64>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0xda7a);
    (0..count)
        .map(|_| {
            let rounded = random.random_range(0..4) == 0;
            let coordinate = |random: &mut ChaCha8Rng| {
                let x = 2.0 * normal(random);
                if rounded { x.round() } else { x }
            };
            (0..inputs).map(|_| coordinate(&mut random)).collect()
        })
        .collect()
}

#[test]
fn random_lines_hold() {
    let (mut pieces, mut intervals) = (0, 0);
    for seed in 0..1000 {
        let network = random_network(seed);
        let points = random_points(seed, network.num_inputs(), 11);
        // Rounded points may fall together.
        for pair in points.windows(2).filter(|pair| pair[0] != pair[1]) {
            let line = exact_line(&network, &pair[0], &pair[1], &LineOptions::default())
                .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            pieces += line.pieces();
            intervals += line.classes.len();
            assert!(
                line.t.windows(2).all(|w| w[1] - w[0] > 0.0),
                "seed {seed}: ascending"
            );
            // Inside each piece the logits lie on the chord, and the class is the interval's.
            let k = line.num_classes;
            for (n, ends) in line.t.windows(2).enumerate() {
                let t = 0.3 * ends[0] + 0.7 * ends[1];
                let direct = network
                    .logits(&line_point(&pair[0], &pair[1], t))
                    .expect("finite");
                for (c, f) in direct.iter().enumerate() {
                    let [a, b] = [line.logits[n * k + c], line.logits[(n + 1) * k + c]];
                    let chord = 0.3 * a + 0.7 * b;
                    let size = direct.iter().fold(1.0f64, |m, f| m.max(f.abs()));
                    assert!(
                        (chord - f).abs() <= 1e-9 * size,
                        "seed {seed} at {t}: {chord} and {f}"
                    );
                }
                let near_break = line.breaks.iter().any(|b| (b - t).abs() < 1e-9);
                let top = intervals::top(&direct);
                let tied = direct
                    .iter()
                    .enumerate()
                    .any(|(c, f)| c != top && direct[top] - f < 1e-9);
                assert!(
                    near_break || tied || line.class_at(t) == top,
                    "seed {seed} at {t}"
                );
            }
        }
    }
    println!("{pieces} pieces, {intervals} class intervals");
}

#[test]
fn random_planes_hold() {
    let (mut regions, mut refused) = (0, 0);
    for seed in 0..500 {
        let network = random_network(seed);
        let points = random_points(seed, network.num_inputs(), 3);
        let plane = match ItemPlane::new([&points[0], &points[1], &points[2]], [0.1; 2]) {
            Ok(plane) => plane,
            Err(SectionError::OnALine | SectionError::SamePoint { .. }) => continue,
            Err(error) => panic!("seed {seed}: {error}"),
        };
        let polygon = match seed % 3 {
            0 => plane.anchors.to_vec(),
            _ => plane.corners(),
        };
        // The widest are also held to fewer regions than some of their planes have.
        let max_regions = if seed % 10 == 9 { 500 } else { 20_000 };
        let options = PlaneOptions { max_regions };
        let section = match exact_plane(&network, &plane, &polygon, &options) {
            Ok(section) => section,
            Err(SectionError::TooManyRegions { .. }) => {
                refused += 1;
                continue;
            }
            Err(error) => panic!("seed {seed}: {error}"),
        };
        assert!(section.faces.len() <= max_regions, "seed {seed}");
        regions += section.regions;
        assert!((section.area_share.values().sum::<f64>() - 1.0).abs() < 1e-9);
        // The middle of each face has the face's class.
        for f in 0..section.faces.len() {
            let corners = section.faces.corners(f);
            let n = corners.len() as f64;
            let middle = [0, 1].map(|k| corners.iter().map(|c| c[k]).sum::<f64>() / n);
            let logits = network.logits(&plane.point(middle)).expect("finite");
            let class = usize::from(section.faces.class[f]);
            let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            assert!(
                logits[class] >= most - 1e-9 * most.abs().max(1.0),
                "seed {seed}, face {f}"
            );
        }
        // A line of the plane crosses as many pieces, whichever way it is cut.
        if seed % 3 != 0 {
            let [from, to] = [plane.lo, plane.hi];
            let ends = [plane.point(from), plane.point(to)];
            let line =
                exact_line(&network, &ends[0], &ends[1], &LineOptions::default()).expect("a line");
            assert!(line.pieces() <= section.regions, "seed {seed}");
            for class in &line.classes {
                assert!(
                    section.area_share.contains_key(class),
                    "seed {seed}: class {class}"
                );
            }
            // Tiles come to the same areas.
            if seed % 5 == 0 {
                let tiles = certified_plane(&network, &plane, &TileOptions::default())
                    .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
                for (class, share) in &section.area_share {
                    let of_tiles = tiles.area_share.get(class).copied().unwrap_or(0.0);
                    assert!(
                        (share - of_tiles).abs() < 1e-9,
                        "seed {seed}: {share}, {of_tiles}"
                    );
                }
            }
        }
    }
    println!("{regions} regions, {refused} planes beyond the limit");
    assert!(refused > 0);
}

/// From where to where, in t, the way from `p` to `q` runs inside a convex face.
fn stretch_in(corners: &[[f64; 2]], p: [f64; 2], q: [f64; 2]) -> [f64; 2] {
    let [mut from, mut to] = [0.0f64, 1.0f64];
    for k in 0..corners.len() {
        let [a, b] = [corners[k], corners[(k + 1) % corners.len()]];
        let inside = |x: [f64; 2]| (b[0] - a[0]) * (x[1] - a[1]) - (b[1] - a[1]) * (x[0] - a[0]);
        let (at_p, at_q) = (inside(p), inside(q));
        let t = at_p / (at_p - at_q);
        match (at_p >= 0.0, at_q >= 0.0) {
            (true, true) => {}
            (true, false) => to = to.min(t),
            (false, true) => from = from.max(t),
            (false, false) => return [1.0, 0.0],
        }
    }
    [from, to]
}

#[test]
fn a_line_of_a_plane_crosses_its_cells_in_their_order() {
    let mut compared = 0;
    for seed in 0..500 {
        let network = random_network(seed);
        let points = random_points(seed, network.num_inputs(), 3);
        let Ok(plane) = ItemPlane::new([&points[0], &points[1], &points[2]], [0.1; 2]) else {
            continue;
        };
        let Ok(section) = exact_plane(
            &network,
            &plane,
            &plane.corners(),
            &PlaneOptions {
                max_regions: 20_000,
            },
        ) else {
            continue;
        };
        let at = |shares: [f64; 2]| {
            [0, 1].map(|k| plane.lo[k] + shares[k] * (plane.hi[k] - plane.lo[k]))
        };
        let (p, q) = (at([0.031, 0.217]), at([0.973, 0.749]));
        let ends = [p, q].map(|place| plane.point(place));
        let line = exact_line(&network, &ends[0], &ends[1], &LineOptions::default())
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        // Stretches too short to tell from rounding are left out of both.
        const SHORT: f64 = 1e-8;
        let mut crossed: Vec<([f64; 2], usize)> = (0..section.faces.len())
            .map(|f| (stretch_in(section.faces.corners(f), p, q), f))
            .filter(|([from, to], _)| to - from > SHORT)
            .collect();
        crossed.sort_by(|a, b| a.0[0].total_cmp(&b.0[0]));
        let (mut pieces, mut breaks, mut now) = (vec![0.0], vec![0.0], 0.0);
        let mut last = None;
        for &([from, to], face) in &crossed {
            assert!(
                (from - now).abs() < 1e3 * SHORT,
                "seed {seed}: {now} to {from}"
            );
            let (cell, class) = (section.faces.region[face], section.faces.class[face]);
            if last.is_some_and(|(before, _)| before != cell) {
                pieces.push(from);
            }
            if last.is_some_and(|(_, before)| before != class) {
                breaks.push(from);
            }
            (last, now) = (Some((cell, class)), to);
        }
        pieces.push(1.0);
        breaks.push(1.0);
        let long = |ends: &[f64]| ends.windows(2).all(|pair| pair[1] - pair[0] > 10.0 * SHORT);
        if !(long(&line.t) && long(&pieces)) {
            continue;
        }
        compared += 1;
        for (of_line, of_cells) in [(&line.t, &pieces), (&line.breaks, &breaks)] {
            assert_eq!(of_line.len(), of_cells.len(), "seed {seed}");
            let off = of_line.iter().zip(of_cells).map(|(a, b)| (a - b).abs());
            let off = off.fold(0.0, f64::max);
            assert!(off < SHORT, "seed {seed}: off by {off}");
        }
    }
    println!("{compared} planes compared");
    assert!(compared > 250, "{compared}");
}

#[test]
fn a_turned_basis_keeps_areas_and_lengths() {
    for seed in 0..200 {
        let network = random_network(seed);
        let points = random_points(seed, network.num_inputs(), 3);
        let Ok(plane) = ItemPlane::new([&points[0], &points[1], &points[2]], [0.1; 2]) else {
            continue;
        };
        let options = PlaneOptions {
            max_regions: 20_000,
        };
        let Ok(section) = exact_plane(&network, &plane, &plane.corners(), &options) else {
            continue;
        };
        let (sin, cos) = 0.7f64.sin_cos();
        let turn = |[x, y]: [f64; 2]| [cos * x - sin * y, sin * x + cos * y];
        let mixed = |a: f64, b: f64| -> Vec<f64> {
            let both = plane.u.iter().zip(&plane.v);
            both.map(|(u, v)| a * u + b * v).collect()
        };
        let turned = ItemPlane {
            u: mixed(cos, -sin),
            v: mixed(sin, cos),
            anchors: plane.anchors.map(turn),
            ..plane.clone()
        };
        let corners: Vec<[f64; 2]> = plane.corners().into_iter().map(turn).collect();
        let other = exact_plane(&network, &turned, &corners, &options)
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(other.regions, section.regions, "seed {seed}");
        for (class, share) in &section.area_share {
            let off = (share - other.area_share.get(class).unwrap_or(&0.0)).abs();
            assert!(off < 1e-9, "seed {seed}: class {class} off by {off}");
        }
        let off = (other.boundary_total - section.boundary_total).abs();
        assert!(
            off < 1e-7 * section.boundary_total.max(1.0),
            "seed {seed}: {off}"
        );
    }
}

#[test]
fn the_margin_of_an_affine_network_is_its_closed_form() {
    let mut maker = Maker::new(5, 4);
    maker.dense(3);
    let network = maker.network;
    let (mut within, mut beyond, mut never) = (0, 0, 0);
    for seed in 0..50 {
        let points = random_points(seed, 4, 2);
        let (z, towards) = (&points[0][..], &points[1][..]);
        let line = exact_line(&network, z, towards, &LineOptions::default()).expect("a line");
        let found = margins(&network, &[[z, towards]], std::slice::from_ref(&line), 100);
        let found = found[0].as_ref().expect("a margin");
        let length = plane::distance(z, towards);
        let values = [z, towards].map(|x| network.logits(x).expect("finite"));
        // delta* = -(f_i - f_j) / ((w_i - w_j) d): the first of the classes that come nearer.
        let class = intervals::top(&values[0]);
        let lead = |at: usize, j: usize| values[at][class] - values[at][j];
        let expected = (0..3)
            .filter(|&j| j != class)
            .map(|j| lead(0, j) / ((lead(0, j) - lead(1, j)) / length))
            .filter(|delta| *delta > 0.0)
            .fold(f64::INFINITY, f64::min);
        match found.exact {
            Some(exact) => {
                assert!(
                    (exact - expected).abs() < 1e-9 * expected,
                    "{exact}, {expected}"
                );
                *(if exact <= length {
                    &mut within
                } else {
                    &mut beyond
                }) += 1;
                let entry = found.dbviz.expect("one change is always seen");
                let next = dbviz_deltas().into_iter().find(|delta| *delta > entry);
                assert!(entry <= exact && next.is_some_and(|next| exact <= next));
            }
            None => {
                assert!(expected > 2251.51, "{expected}");
                never += 1;
            }
        }
        // One direction alone is cut from another point, and comes to the same.
        let alone = margin(&network, z, towards, 2251.51).expect("a margin");
        assert!(
            alone
                .exact
                .zip(found.exact)
                .is_none_or(|(a, b)| (a - b).abs() < 1e-9 * b)
        );
        assert_eq!((alone.class, alone.dbviz), (found.class, found.dbviz));
    }
    assert!(
        within > 5 && beyond > 5 && never > 5,
        "{within} {beyond} {never}"
    );
}

#[test]
fn the_least_barrier_of_a_ridge_is_its_closed_form() {
    // Logits -x, x and h - k|y|: between (-2, 0) and (2, 0) the third class stands on a ridge along
    // x = 0 that gets lower away from y = 0.
    let (h, items) = (1.0, [[-2.0, 0.0], [2.0, 0.0], [0.0, 1.5]]);
    for (k, expected) in [(0.5, h - 0.5 * 1.65), (2.0, h - 2.0)] {
        let mut maker = Maker::new(1, 2);
        let dense = |weight: Vec<f64>, bias: Vec<f64>| Op::Dense { weight, bias };
        let signs = vec![1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0, -1.0];
        maker.push(vec![0], dense(signs, vec![0.0; 4]), 4);
        maker.largest(0.0);
        let ridge = vec![-1.0, 1.0, 0.0, 1.0, -1.0, 0.0, 0.0, 0.0, -k, 0.0, 0.0, -k];
        maker.push(vec![2], dense(ridge, vec![0.0, 0.0, h]), 3);
        let network = maker.network;
        let items = items.each_ref().map(|item| &item[..]);
        let plane = ItemPlane::new(items, [0.1; 2]).expect("a plane");
        let options = MapOptions {
            steps: 21,
            max_regions: 1000,
        };
        let map = class_map(&network, items, &plane, FlatShape::Plane, &options).expect("a map");
        let [ab, ac, bc] = map.barriers.map(|barrier| barrier.expect("a third class"));
        // The box reaches to y = 1.65; at the ends themselves the ridge is 2 below.
        assert!((ab - expected).abs() < 1e-12, "{ab}, {expected}");
        // Where k is small C is on the ridge itself, which leads there by h - 1.5 k, and nowhere on
        // the way from A or B does the class of the other item come nearer.
        if k < 1.0 {
            for barrier in [ac, bc] {
                assert!((barrier - (1.5 * k - h)).abs() < 1e-12, "{barrier}");
            }
        }
    }
}
