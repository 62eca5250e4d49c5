//! One body a case, run on every engine, against closed forms and 64-bit references written
//! here from the formulas.

use crate::common::{
    Tolerance, assert_close, bundled_images, engines, grid_jobs, image, images_of, paper_triples,
};
use morphscape::data::{Image, Tensor, TensorData, fashion_mnist, write_safetensors};
use morphscape::engine::cpu::CpuEngine;
use morphscape::engine::{Engine, EngineError, EngineInfo, EngineKind, Trouble};
use morphscape::kernels::{
    Activation, DenseLayer, Downloads, FrameJob, PairJob, Recording, Sampling, WarpGeometry,
    row_stride,
};
use morphscape::landscape::Landscape;
use morphscape::mesh::{PairMesh, Point, lattice_scale, triangulate};
use morphscape::model::{Model, ModelOptions, bundled_fashion_mnist, read_model};
use morphscape::pipeline::{
    Frames, GridJob, MorphGrid, MorphMode, MorphPlan, MorphSettings, classify, compute_landscapes,
    morph_pair,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn random(rng: &mut ChaCha8Rng, count: usize, scale: f32) -> Vec<f32> {
    (0..count)
        .map(|_| scale * (2.0 * rng.random::<f32>() - 1.0))
        .collect()
}

fn padded(rows: &[f32], width: usize) -> Vec<f32> {
    rows.chunks_exact(width)
        .flat_map(|row| {
            row.iter()
                .copied()
                .chain(std::iter::repeat_n(0.0, row_stride(width) - width))
        })
        .collect()
}

// Sums of up to 784 products of numbers of size 1, in another order.
const DENSE: Tolerance = Tolerance {
    abs: 2e-5,
    rel: 1e-5,
};
// exp of the driver: a few units in the last place.
const SOFTMAX: Tolerance = Tolerance {
    abs: 2e-6,
    rel: 0.0,
};
// Grey levels: coordinates in 32-bit floats, times slopes of up to 255 a pixel.
const WARP: Tolerance = Tolerance {
    abs: 0.02,
    rel: 0.0,
};

/// An activation by its definition, in 64-bit floats.
fn activated(activation: Activation, v: f64) -> f32 {
    let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
    let hard_sigmoid = |v: f64| (v / 6.0 + 0.5).clamp(0.0, 1.0);
    let softplus = |v: f64| if v > 30.0 { v } else { v.exp().ln_1p() };
    let elu = |v: f64, alpha: f64| if v > 0.0 { v } else { alpha * v.exp_m1() };
    let value = match activation {
        Activation::Linear => v,
        Activation::Relu => v.max(0.0),
        Activation::Sigmoid => sigmoid(v),
        Activation::Tanh => v.tanh(),
        Activation::ReluWith {
            slope,
            threshold,
            ceiling,
        } => match f64::from(threshold) {
            threshold if v <= threshold => f64::from(slope) * (v - threshold),
            _ => v.min(f64::from(ceiling)),
        },
        Activation::Elu { alpha } => elu(v, f64::from(alpha)),
        Activation::Selu => 1.0507009873554805 * elu(v, 1.6732632423543772),
        Activation::Gelu => v * normal_distribution(v),
        Activation::GeluTanh => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (v + 0.044715 * v.powi(3));
            0.5 * v * (1.0 + inner.tanh())
        }
        Activation::Silu => v * sigmoid(v),
        Activation::Softplus => softplus(v),
        Activation::Softsign => v / (1.0 + v.abs()),
        Activation::Exponential => v.exp(),
        Activation::HardSigmoid => hard_sigmoid(v),
        Activation::HardSilu => v * hard_sigmoid(v),
        Activation::Mish => v * softplus(v).tanh(),
        Activation::Log => v.max(f64::from(f32::MIN_POSITIVE)).ln(),
    };
    value as f32
}

/// The integral of the normal density up to `v`, by its series (Abramowitz and Stegun 26.2.11);
/// past 7 it is 0 or 1 to the last bit of a 32-bit float.
fn normal_distribution(v: f64) -> f64 {
    if v.abs() > 7.0 {
        return f64::from(u8::from(v > 0.0));
    }
    let (mut term, mut sum) = (v, v);
    for n in 1..200 {
        term *= v * v / f64::from(2 * n + 1);
        sum += term;
    }
    0.5 + sum * (-0.5 * v * v).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

#[test]
fn dense_layers_of_every_ragged_size() {
    let activations = [
        Activation::Linear,
        Activation::Relu,
        Activation::Sigmoid,
        Activation::Tanh,
    ];
    for engine in engines() {
        let mut rng = rng(7);
        for (case, &(rows, inputs, outputs)) in [
            (0, 4, 3),
            (1, 1, 2),
            (7, 3, 7),
            (8, 4, 8),
            (9, 5, 9),
            (63, 16, 3),
            (65, 784, 10),
            (33, 30, 128),
            (130, 4, 17),
        ]
        .iter()
        .enumerate()
        {
            let activation = activations[case % 4];
            let kernel = random(&mut rng, inputs * outputs, 1.0);
            let bias = random(&mut rng, outputs, 1.0);
            let x = random(&mut rng, rows * inputs, 1.0);
            let mut expected = Vec::new();
            for row in x.chunks_exact(inputs) {
                for k in 0..outputs {
                    let products = row
                        .iter()
                        .enumerate()
                        .map(|(i, &v)| f64::from(v) * f64::from(kernel[i * outputs + k]));
                    let sum = f64::from(bias[k]) + products.sum::<f64>();
                    expected.push(activated(activation, sum));
                }
            }
            let mut recording = Recording::new();
            let x = recording.upload("x", &padded(&x, inputs));
            let y = recording.dense(
                x,
                rows,
                &DenseLayer::new(inputs, &kernel, &bias, activation),
            );
            recording.download(y);
            let downloads = engine.run(&recording).expect("it runs");
            let y: Vec<f32> = downloads
                .values(y)
                .chunks_exact(row_stride(outputs))
                .flat_map(|row| row[..outputs].to_vec())
                .collect();
            assert_close(
                &format!(
                    "{}: {rows} x {inputs} -> {outputs}, {activation:?}",
                    engine.info().engine
                ),
                &y,
                &expected,
                DENSE,
            );
        }
    }
}

#[test]
fn softmax_of_every_ragged_size_and_of_huge_logits() {
    for engine in engines() {
        let mut rng = rng(8);
        for (rows, classes, scale) in [
            (0, 3, 1.0),
            (1, 2, 1.0),
            (63, 3, 30.0),
            (64, 10, 1e4),
            (65, 10, 1e30),
            (5, 5, 0.0),
        ] {
            let logits = random(&mut rng, rows * classes, scale);
            let mut expected = Vec::new();
            for row in logits.chunks_exact(classes) {
                let largest = row.iter().copied().fold(f32::MIN, f32::max);
                let weights: Vec<f64> = row
                    .iter()
                    .map(|&f| (f64::from(f) - f64::from(largest)).exp())
                    .collect();
                let total: f64 = weights.iter().sum();
                expected.extend(weights.iter().map(|weight| (weight / total) as f32));
            }
            let mut recording = Recording::new();
            let x = recording.upload("logits", &padded(&logits, classes));
            let p = recording.softmax(x, rows, classes);
            recording.download(p);
            let downloads = engine.run(&recording).expect("it runs");
            assert_close(
                &format!("{}: {rows} x {classes} of {scale}", engine.info().engine),
                downloads.values(p),
                &expected,
                SOFTMAX,
            );
        }
    }
}

#[test]
fn more_workgroups_than_one_dimension_takes() {
    // 65,535 workgroups of 64 rows and one row more.
    let rows = 65_535 * 64 + 1;
    let mut logits = vec![0.0f32; rows * 4];
    logits[(rows - 1) * 4 + 1] = 1.0;
    for engine in engines() {
        let mut recording = Recording::new();
        let x = recording.upload("logits", &logits);
        let p = recording.softmax(x, rows, 2);
        recording.download(p);
        let downloads = engine.run(&recording).expect("it runs");
        let values = downloads.values(p);
        assert!(
            values[..values.len() - 2].iter().all(|&p| p == 0.5),
            "{}",
            engine.info().engine
        );
        assert!(
            (values[values.len() - 1] - 0.731_058_6).abs() < 1e-6,
            "{}: the last row",
            engine.info().engine
        );
    }
}

#[test]
fn a_buffer_that_does_not_fit_is_an_error_that_says_so() {
    for engine in engines()
        .into_iter()
        .filter(|engine| engine.info().engine == EngineKind::Gpu)
    {
        let mut recording = Recording::new();
        let x = recording.upload("big.x", &vec![0.0f32; 4 << 20]);
        // 4M rows of one input give 4M rows of 512 outputs: 8 GiB.
        let layer = DenseLayer::new(1, &[0.0; 512], &[0.0; 512], Activation::Linear);
        let y = recording.dense(x, 1 << 20, &layer);
        recording.download(y);
        let error = engine
            .run(&recording)
            .expect_err("2 GiB are more than a software adapter binds");
        assert!(
            matches!(
                error,
                EngineError::Device(Trouble::BufferTooLarge {
                    label: "dense.y",
                    ..
                })
            ),
            "{error}"
        );
    }
}

/// The formula of the warp with bilinear sampling, in 64-bit floats, pixel by pixel.
fn reference_frame(left: &Image, right: &Image, mesh: &PairMesh, alpha: f64) -> Vec<f32> {
    let [height, width, channels] = left.shape();
    let cross = |a: [f64; 2], b: [f64; 2], p: [f64; 2]| {
        (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
    };
    let corner = |points: &[Point], i: u32| points[i as usize].map(f64::from);
    let sample = |image: &Image, at: [f64; 2], channel: usize| {
        let (x, y) = (
            at[0].clamp(0.0, (width - 1) as f64),
            at[1].clamp(0.0, (height - 1) as f64),
        );
        let (column, row) = ((x as usize).min(width - 2), (y as usize).min(height - 2));
        let (u, v) = (x - column as f64, y - row as f64);
        let level = |r: usize, c: usize| {
            f64::from(image.levels[((row + r) * width + column + c) * channels + channel])
        };
        (1.0 - v) * ((1.0 - u) * level(0, 0) + u * level(0, 1))
            + v * ((1.0 - u) * level(1, 0) + u * level(1, 1))
    };
    let mut frame = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let p = [x as f64, y as f64];
            let owner = mesh.triangles.iter().rev().find_map(|triangle| {
                let [l, r] = [&mesh.points_left, &mesh.points_right]
                    .map(|points| triangle.map(|i| corner(points, i)));
                let [a, b, c] = std::array::from_fn(|k| {
                    std::array::from_fn(|axis| (1.0 - alpha) * l[k][axis] + alpha * r[k][axis])
                });
                let area = cross(a, b, c);
                let weights = [
                    cross(b, c, p) / area,
                    cross(c, a, p) / area,
                    cross(a, b, p) / area,
                ];
                // Inside, edges included; the alphas of the case have no rounding to speak of.
                (area.abs() > 1e-9 && weights.iter().all(|&w| w >= -1e-9))
                    .then_some((l, r, weights))
            });
            let (l, r, weights) = owner.expect("every pixel has an owner");
            let mixed = |corners: [[f64; 2]; 3]| {
                [0, 1].map(|axis| (0..3).map(|k| weights[k] * corners[k][axis]).sum::<f64>())
            };
            for channel in 0..channels {
                let level = (1.0 - alpha) * sample(left, mixed(l), channel)
                    + alpha * sample(right, mixed(r), channel);
                frame.push(level as f32);
            }
        }
    }
    frame
}

fn corners(width: usize, height: usize) -> Vec<Point> {
    let (right, bottom) = (width as i32 - 1, height as i32 - 1);
    vec![[0, 0], [right, 0], [0, bottom], [right, bottom]]
}

#[test]
fn warps_of_regular_folded_and_degenerate_meshes() {
    // Non-square, three channels, more rows than one strip has, cells side by side, the last of
    // them narrower, and cells of more triangles than are numbered at once.
    for (width, height, channels, points) in [
        (28, 28, 1, 9),
        (17, 31, 3, 5),
        (70, 45, 1, 12),
        (1100, 6, 1, 6),
        (1100, 6, 1, 60),
        (43, 70, 3, 90),
        (60, 60, 1, 600),
        (4, 4, 1, 0),
    ] {
        let mut rng = rng(width as u64);
        // Levels that vary slowly, so that a pixel on an edge does not hang on the last bit.
        let waves = |phase: f32| {
            image(width, height, channels, |x, y, c| {
                120.0 + 100.0 * (0.2 * x as f32 + 0.13 * y as f32 + phase + c as f32).sin()
            })
        };
        let (left, right) = (waves(0.0), waves(1.0));
        let mut inner = |n: usize| -> Vec<Point> {
            (0..n)
                .map(|_| {
                    [
                        rng.random_range(1..width as i32 - 1),
                        rng.random_range(1..height as i32 - 1),
                    ]
                })
                .collect()
        };
        let mut points_left = corners(width, height);
        for point in inner(points) {
            if !points_left.contains(&point) {
                points_left.push(point);
            }
        }
        let mut points_right = corners(width, height);
        points_right.extend(inner(points_left.len() - 4));
        // An edge whose right ends are one point: triangles without area.
        let inner_edge = triangulate(&points_left).into_iter().find_map(|[a, b, c]| {
            [(a, b), (b, c), (a, c)]
                .into_iter()
                .find(|&(a, b)| a > 3 && b > 3)
        });
        if let Some((a, b)) = inner_edge {
            points_right[a as usize] = points_right[b as usize];
        }
        let mesh = PairMesh::new(points_left, points_right);
        let alphas = [0.25, 0.5, 0.75];
        for engine in engines() {
            let plan = MorphPlan {
                left: &left,
                right: &right,
                mesh: &mesh,
                alphas: &alphas,
                mode: MorphMode::Clean(Sampling::Linear),
            };
            let morph = morph_pair(engine.as_ref(), &plan).expect("it morphs");
            if points > 6 {
                assert!(
                    morph.counts.degenerate_right > 0 && morph.counts.folded > 0,
                    "{:?}",
                    morph.counts
                );
            }
            for (frame, alpha) in morph.frames.iter().zip(alphas) {
                let expected = reference_frame(&left, &right, &mesh, alpha);
                assert_close(
                    &format!(
                        "{}: {width} x {height} x {channels} at {alpha}",
                        engine.info().engine
                    ),
                    &frame.levels,
                    &expected,
                    WARP,
                );
            }
        }
    }
}

#[test]
fn both_samplings_reproduce_planes() {
    // A plane is its own bilinear and its own spline interpolant; the mesh is the identity.
    for (width, height, channels) in [(28, 28, 1), (40, 33, 3), (5, 9, 1)] {
        let plane = image(width, height, channels, |x, y, c| {
            20.0 + 2.0 * x as f32 + 1.5 * y as f32 + 10.0 * c as f32
        });
        let mesh = PairMesh::new(corners(width, height), corners(width, height));
        for engine in engines() {
            for sampling in [Sampling::Linear, Sampling::Cubic] {
                let plan = MorphPlan {
                    left: &plane,
                    right: &plane,
                    mesh: &mesh,
                    alphas: &[0.1, 0.5],
                    mode: MorphMode::Clean(sampling),
                };
                for frame in morph_pair(engine.as_ref(), &plan)
                    .expect("it morphs")
                    .frames
                {
                    assert_close(
                        &format!("{} {sampling:?}", engine.info().engine),
                        &frame.levels,
                        &plane.levels,
                        WARP,
                    );
                }
            }
        }
    }
}

#[test]
fn empty_recordings_and_warps_of_no_frame() {
    for engine in engines() {
        engine.run(&Recording::new()).expect("nothing to do");
        let mut recording = Recording::new();
        let images = recording.upload("images", &[0.0f32; 2 * 784]);
        let mesh = PairMesh::new(corners(28, 28), corners(28, 28));
        let geometry = WarpGeometry {
            shape: [28, 28, 1],
            scale: lattice_scale(28, 28, &[]),
            sampling: Sampling::Cubic,
        };
        let frames = recording.warp(
            images,
            2,
            &geometry,
            &[PairJob {
                left: 0,
                right: 1,
                mesh: &mesh,
            }],
            &[] as &[FrameJob],
        );
        recording.download(frames);
        assert!(
            engine
                .run(&recording)
                .expect("it runs")
                .values(frames)
                .is_empty()
        );
    }
}

fn paper_job(engine: &dyn Engine, groups: usize, steps: usize, frames: Frames) -> Vec<Landscape> {
    let images = images_of(&paper_triples(groups));
    let jobs = grid_jobs(&images);
    let settings = MorphSettings::new(steps, 3, MorphMode::Clean(Sampling::Cubic));
    let model = bundled_fashion_mnist();
    compute_landscapes(engine, &model, &settings, &jobs, frames, &|_| {
        ControlFlow::Continue(())
    })
    .expect("the job runs")
}

#[test]
fn engines_agree_on_the_whole_sweep() {
    let cpu = paper_job(&CpuEngine::new(), 5, 21, Frames::Drop);
    assert_eq!(cpu.iter().map(Landscape::num_frames).sum::<usize>(), 13_230);
    for engine in engines()
        .into_iter()
        .filter(|engine| engine.info().engine == EngineKind::Gpu)
    {
        let gpu = paper_job(engine.as_ref(), 5, 21, Frames::Drop);
        let mut worst = 0.0f32;
        let mut relabelled = Vec::new();
        for (n, (gpu, cpu)) in gpu.iter().zip(&cpu).enumerate() {
            assert_eq!(gpu.morph, cpu.morph, "meshes are decided on the host");
            for k in 0..cpu.num_frames() {
                let (p, q) = (gpu.probabilities_of(k), cpu.probabilities_of(k));
                let difference = p
                    .iter()
                    .zip(q)
                    .map(|(p, q)| (p - q).abs())
                    .fold(0.0, f32::max);
                assert!(
                    difference <= 1e-4,
                    "landscape {n}, frame {k}: probabilities differ by {difference}"
                );
                worst = worst.max(difference);
                if gpu.label(k) != cpu.label(k) {
                    let mut sorted = q.to_vec();
                    sorted.sort_by(f32::total_cmp);
                    relabelled.push(sorted[9] - sorted[8]);
                }
            }
        }
        println!("worst difference {worst:e}; labels differ at margins {relabelled:?}");
        assert!(
            relabelled.iter().all(|&margin| margin <= 1e-3),
            "{relabelled:?}"
        );
    }
}

#[test]
fn the_ends_of_a_grid_are_the_images_to_the_bit() {
    let [a, b, c] = &images_of(&paper_triples(1))[0];
    for engine in engines() {
        for steps in [2, 3, 21] {
            let landscape = &paper_job(engine.as_ref(), 1, steps, Frames::Keep)[0];
            let frames = landscape.inputs.as_ref().expect("frames were kept");
            let frame = |i: usize, j: usize| &frames[(i * steps + j) * 784..][..784];
            assert_eq!(frame(0, 0), a.levels);
            assert_eq!(frame(steps - 1, 0), b.levels);
            for i in 0..steps {
                assert_eq!(frame(i, steps - 1), c.levels, "row {i} ends in C");
                assert_eq!(
                    landscape.probabilities_of(i * steps + steps - 1),
                    landscape.probabilities_of(steps - 1)
                );
            }
        }
    }
}

/// A grid's frames, meshes and counts made pair by pair: mixes of A and B, and each into C.
fn by_pairs([a, b, c]: [&Image; 3], grid: usize, alphas: &[f64], mode: MorphMode) -> MorphGrid {
    let engine = CpuEngine::new();
    let morphed = |left: &Image, right: &Image| {
        let mesh = mode.mesh(left, right, grid).expect("a mesh");
        let plan = MorphPlan {
            left,
            right,
            mesh: &mesh,
            alphas,
            mode,
        };
        let morph = morph_pair(&engine, &plan).expect("it morphs");
        (morph, mesh)
    };
    let (mixes, mesh) = morphed(a, b);
    let mut made = MorphGrid {
        frames: Vec::new(),
        mesh,
        row_meshes: Vec::new(),
        counts: mixes.counts,
    };
    for mix in &mixes.frames {
        let (row, mesh) = morphed(mix, c);
        made.frames.extend(row.frames);
        made.row_meshes.push(mesh);
        made.counts += row.counts;
    }
    made
}

/// Where points repeat, triangles are taken over: all along a morph of an image into itself, and at
/// the ends of one between two.
#[test]
fn meshes_of_a_sweep_are_those_of_its_rows_alone() {
    let set = fashion_mnist();
    let [x, y, z] = [3, 8, 11].map(|i| set.image(i).expect("held in memory"));
    let alphas: Vec<f64> = (0..21).map(|i| f64::from(i) / 20.0).collect();
    let settings = MorphSettings::new(21, 3, MorphMode::Clean(Sampling::Linear));
    let triples = [[&x, &y, &z], [&x, &x, &z], [&x, &y, &x]];
    let jobs = triples.map(|[a, b, c]| GridJob::new([a, b, c]));
    let model = bundled_fashion_mnist();
    let landscapes = compute_landscapes(
        &CpuEngine::new(),
        &model,
        &settings,
        &jobs,
        Frames::Keep,
        &|_| ControlFlow::Continue(()),
    )
    .expect("the job runs");
    for (landscape, triple) in landscapes.iter().zip(triples) {
        let alone = by_pairs(triple, settings.grid, &alphas, settings.mode);
        let meshes = landscape.morph.as_ref().expect("meshes");
        assert_eq!(meshes.counts, alone.counts);
        assert_eq!(meshes.a_to_b, alone.mesh);
        assert_eq!(meshes.mix_to_c, alone.row_meshes[10]);
        let kept = landscape.inputs.as_ref().expect("frames were kept");
        for (k, frame) in alone.frames.iter().enumerate() {
            assert!(kept[784 * k..][..784] == frame.levels, "frame {k}");
        }
    }
}

/// The CPU engine with room for little: batches of rows and parts of landscapes.
struct Cramped(CpuEngine, usize);

impl Engine for Cramped {
    fn info(&self) -> &EngineInfo {
        self.0.info()
    }
    fn batch_buffer_bytes(&self) -> usize {
        self.1
    }
    fn run(&self, recording: &Recording) -> Result<Downloads, EngineError> {
        self.0.run(recording)
    }
}

#[test]
fn batches_of_any_size_give_the_same_bytes() {
    let roomy = paper_job(&CpuEngine::new(), 2, 7, Frames::Keep);
    let row_bytes = 5 * 784 * 4;
    for bytes in [
        1,
        row_bytes - 1,
        row_bytes,
        3 * row_bytes,
        7 * row_bytes,
        8 * row_bytes,
        15 * row_bytes + 1,
    ] {
        let cramped = paper_job(&Cramped(CpuEngine::new(), bytes), 2, 7, Frames::Keep);
        assert!(cramped == roomy, "batches of {bytes} bytes");
    }
}

/// The CPU engine, which here keeps how many bytes the largest buffer it was given had, and all
/// buffers of a recording.
struct Watched {
    engine: CpuEngine,
    largest: AtomicUsize,
    total: AtomicUsize,
}

impl Watched {
    fn new() -> Self {
        Self {
            engine: CpuEngine::new(),
            largest: AtomicUsize::new(0),
            total: AtomicUsize::new(0),
        }
    }
}

impl Engine for Watched {
    fn info(&self) -> &EngineInfo {
        self.engine.info()
    }
    fn batch_buffer_bytes(&self) -> usize {
        1 << 20
    }
    fn run(&self, recording: &Recording) -> Result<Downloads, EngineError> {
        let computed = recording
            .buffers()
            .iter()
            .filter(|buffer| buffer.given().is_none())
            .map(|buffer| 4 * buffer.words);
        let largest = computed.clone().max().unwrap_or(0);
        self.largest.fetch_max(largest, Ordering::Relaxed);
        self.total.fetch_max(computed.sum(), Ordering::Relaxed);
        self.engine.run(recording)
    }
}

/// A model of dense layers of zeros from `widths[0]` inputs on; class 1 has the largest bias.
fn model_of_zeros(widths: &[usize]) -> Model {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("zeros.safetensors");
    let layers: Vec<_> = widths
        .windows(2)
        .enumerate()
        .map(|(n, pair)| {
            let mut bias = vec![0.0; pair[1]];
            bias[1] = 1.0;
            let names = ["kernel", "bias"].map(|part| format!("dense_{n}.{part}"));
            (names, pair, vec![0.0; pair[0] * pair[1]], bias)
        })
        .collect();
    let tensors: Vec<Tensor<'_>> = layers
        .iter()
        .flat_map(|([kernel_name, bias_name], pair, kernel, bias)| {
            [
                Tensor {
                    name: kernel_name,
                    shape: pair.to_vec(),
                    data: TensorData::F32(kernel),
                },
                Tensor {
                    name: bias_name,
                    shape: vec![pair[1]],
                    data: TensorData::F32(bias),
                },
            ]
        })
        .collect();
    write_safetensors(&path, &tensors, &Default::default()).expect("written");
    let options = ModelOptions {
        activation: Some(Activation::Relu),
        scale: None,
        ..ModelOptions::default()
    };
    read_model(&path, &options).expect("a model")
}

#[test]
fn batches_are_cut_for_all_layers_of_a_deep_network() {
    let mut widths = vec![4];
    widths.extend([64; 24]);
    widths.push(3);
    let model = model_of_zeros(&widths);
    let engine = Watched::new();
    let rows = vec![[1.0; 4]; 20_000];
    let rows: Vec<&[f32]> = rows.iter().map(|row| &row[..]).collect();
    let answers = classify(&engine, &model, &rows).expect("it classifies");
    assert_eq!(answers.logits.len(), 3 * rows.len());
    assert!(
        answers
            .logits
            .chunks_exact(3)
            .all(|row| row == [0.0, 1.0, 0.0])
    );
    let total = engine.total.into_inner();
    assert!((3 << 20..=4 << 20).contains(&total), "{total} bytes");
}

#[test]
fn batches_are_cut_for_the_widest_layer_too() {
    let model = model_of_zeros(&[784, 4096, 3]);
    let images = [bundled_images([9, 2, 1])];
    let job = grid_jobs(&images)[0];
    let settings = MorphSettings::new(21, 3, MorphMode::Clean(Sampling::Linear));
    let engine = Watched::new();
    let proceed = |_| ControlFlow::Continue(());
    let landscapes = compute_landscapes(
        &engine,
        &model,
        &settings,
        &[job; 3],
        Frames::Drop,
        &proceed,
    );
    assert!((0..441).all(|k| landscapes.as_ref().expect("it runs")[2].label(k) == Some(1)));
    let largest = engine.largest.into_inner();
    assert!(largest <= 1 << 20, "{largest} bytes");
}

#[test]
fn one_engine_gives_the_same_bytes_every_time() {
    for engine in engines() {
        let first = paper_job(engine.as_ref(), 2, 11, Frames::Keep);
        assert!(
            first == paper_job(engine.as_ref(), 2, 11, Frames::Keep),
            "{}",
            engine.info().engine
        );
    }
}

#[test]
fn an_interrupted_job_stops() {
    let images = [bundled_images([0, 1, 2])];
    let job = grid_jobs(&images)[0];
    let settings = MorphSettings::new(5, 3, MorphMode::Clean(Sampling::Linear));
    let result = compute_landscapes(
        &CpuEngine::new(),
        &bundled_fashion_mnist(),
        &settings,
        &[job; 3],
        Frames::Drop,
        &|_| ControlFlow::Break(()),
    );
    assert!(matches!(
        result,
        Err(morphscape::pipeline::PipelineError::Interrupted)
    ));
}
