//! Properties over random networks: every layer, random sizes, seeded.

use super::network::{Op, Step};
use super::*;
use crate::kernels::Windows;
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
        for _ in 0..kind.random_range(1..4) {
            let width = kind.random_range(1..14);
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

/// How many cases: all of the specification with `MORPHSCAPE_ALL_SECTIONS=1`, a share otherwise.
fn cases(all: u64) -> u64 {
    match std::env::var("MORPHSCAPE_ALL_SECTIONS").as_deref() {
        Ok("1") => all,
        _ => all / 10,
    }
}

#[test]
fn random_lines_hold() {
    let (mut pieces, mut intervals) = (0, 0);
    for seed in 0..cases(1000) {
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
    for seed in 0..cases(500) {
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
        let options = PlaneOptions {
            max_regions: 20_000,
        };
        let section = match exact_plane(&network, &plane, &polygon, &options) {
            Ok(section) => section,
            Err(SectionError::TooManyRegions { .. }) => {
                refused += 1;
                continue;
            }
            Err(error) => panic!("seed {seed}: {error}"),
        };
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
}
