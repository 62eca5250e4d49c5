//! A small job for each kernel, on which a device is held against the twins before the kernel is
//! used (`engine/self_test.rs`).
//!
//! Sizes are small, no multiple of a workgroup or of four, and the same every time. No value
//! hangs on the last bit: walkers keep clear of the borders of cells, and levels vary slowly.

use super::stack::Planes;
use super::{
    ABSORBING, Activation, Buf, CombineLayer, Combining, ConvLayer, DenseLayer, DepthwiseLayer,
    Divisor, ElementwiseLayer, FrameJob, Ground, Groups, Kernel, LangevinStep, NormaliseLayer,
    PairJob, PoolLayer, Pooling, RearrangeLayer, Recording, Sampling, Span, TreeNode, TreesLayer,
    Walker, WarpGeometry, Windows, acceptance_entries, philox, row_stride,
};
use crate::mesh::{PairMesh, lattice_scale};
use bytemuck::Pod;

/// A kernel's small job.
#[derive(Debug)]
pub struct Case {
    /// Uploads, commands and downloads.
    pub recording: Recording,
    /// What the words of a value of the downloads are, in turn: a float, which may differ by
    /// rounding, or bits, which may not.
    pub is_float: &'static [bool],
}

/// A float each.
const FLOATS: &[bool] = &[true];
/// Whole numbers, or floats that are equal to the bit.
const BITS: &[bool] = &[false];
/// A walker that moves in floats: two coordinates, its start, its number and its steps.
const WALKERS: &[bool] = &[true, true, true, true, false, false];

const SPAN: Span = Span {
    seed: 0x0123_4567_89ab_cdef,
    first_step: 3,
    steps: 6,
};

/// Columns and rows of the grids that walkers stand on, and one of its points.
const COLUMNS: usize = 7;
const ROWS: usize = 5;
const SINK: usize = 3 * COLUMNS + 5;

/// One more than a workgroup of walkers, and than a block of rows.
const COUNT: usize = 65;

impl Kernel {
    /// The kernel's small job, which takes milliseconds.
    pub fn case(self) -> Case {
        let mut recording = Recording::new();
        let r = &mut recording;
        let is_float = match self {
            Self::Spline => spline(r),
            Self::Stack => stack(r),
            Self::Warp(sampling) => warp(r, sampling),
            Self::Dense => dense(r),
            Self::Conv => conv(r),
            Self::Depthwise => depthwise(r),
            Self::Pool => pool(r),
            Self::Elementwise => elementwise(r),
            Self::Combine => combine(r),
            Self::Rearrange => rearrange(r),
            Self::Normalise => normalise(r),
            Self::Trees => trees(r),
            Self::Softmax => softmax(r),
            Self::LatticeWalk => lattice_walk(r),
            Self::LangevinWalk => langevin_walk(r),
            Self::WalkMoments => {
                let walkers = r.upload("case.walkers", &wanderers());
                kept(r, FLOATS, |r| r.walk_moments(walkers, 12))
            }
            Self::WalkOccupation => {
                let walkers = r.upload("case.walkers", &wanderers());
                kept(r, BITS, |r| r.walk_occupation(walkers, [ROWS, COLUMNS]))
            }
            Self::WalkArrivals => {
                let walkers = r.upload("case.walkers", &wanderers());
                let target: Vec<u32> = (0..ROWS * COLUMNS).map(|k| u32::from(k % 3 == 1)).collect();
                let target = r.upload("case.target", &target);
                kept(r, BITS, |r| {
                    r.walk_arrivals(walkers, target, [ROWS, COLUMNS], 1 << 24)
                })
            }
        };
        Case {
            recording,
            is_float,
        }
    }
}

/// Records something and asks for what it gives.
fn kept<T: Pod>(
    recording: &mut Recording,
    is_float: &'static [bool],
    record: impl FnOnce(&mut Recording) -> Buf<T>,
) -> &'static [bool] {
    let buf = record(recording);
    recording.download(buf);
    is_float
}

/// Numbers from -1 to 1 that look random.
fn values(stream: u32, count: usize) -> Vec<f32> {
    (0..count as u32)
        .map(|n| {
            let [word, ..] = philox([n, stream, 0, 0], [1, 2]);
            (word >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// Rows of such numbers, times `scale`, padded with zeros.
fn rows(recording: &mut Recording, count: usize, width: usize, scale: f32) -> Buf<f32> {
    let mut padded = Vec::new();
    for row in values(0, count * width).chunks_exact(width) {
        padded.extend(row.iter().map(|value| scale * value));
        padded.resize(padded.len().next_multiple_of(row_stride(width)), 0.0);
    }
    recording.upload("case.x", &padded)
}

const SHAPE: [usize; 3] = [11, 9, 3];

/// Two images of smooth levels.
fn images(recording: &mut Recording) -> Buf<f32> {
    let [height, width, channels] = SHAPE;
    let stride = row_stride(height * width * channels);
    let mut levels = Vec::new();
    for image in 0..2 {
        for pixel in 0..height * width {
            let [x, y] = [pixel % width, pixel / width].map(|at| at as f32);
            let level = |c| 120.0 + 100.0 * (0.2 * x + 0.13 * y + image as f32 + c as f32).sin();
            levels.extend((0..channels).map(level));
        }
        levels.resize((image + 1) * stride, 0.0);
    }
    recording.upload("case.images", &levels)
}

fn spline(recording: &mut Recording) -> &'static [bool] {
    let images = images(recording);
    kept(recording, FLOATS, |r| r.spline(images, 2, SHAPE))
}

fn stack(recording: &mut Recording) -> &'static [bool] {
    let images = images(recording);
    let [rows, row, channels] = SHAPE;
    let pixels = Planes {
        channels,
        row,
        rows,
        source_stride: row_stride(rows * row * channels),
        channel_stride: 1,
        step: channels,
    };
    kept(recording, BITS, |r| {
        r.stack(images, 2, pixels, [1, row, row + 1])
    })
}

fn warp(recording: &mut Recording, sampling: Sampling) -> &'static [bool] {
    let images = images(recording);
    let [height, width, _] = SHAPE;
    let (right, bottom) = (width as i32 - 1, height as i32 - 1);
    let corners = [[0, 0], [right, 0], [0, bottom], [right, bottom]];
    let mesh = |inner: [[i32; 2]; 2]| corners.into_iter().chain(inner).collect();
    let mesh = PairMesh::new(mesh([[3, 4], [6, 7]]), mesh([[5, 3], [4, 8]]));
    let alphas = [0.25, 0.5, 0.8];
    let geometry = WarpGeometry {
        shape: SHAPE,
        scale: lattice_scale(width, height, &alphas),
        sampling,
    };
    let pair = PairJob {
        left: 0,
        right: 1,
        mesh: &mesh,
    };
    let jobs = alphas.map(|alpha| FrameJob::new(0, alpha));
    kept(recording, FLOATS, |r| {
        r.warp(images, 2, &geometry, &[pair], &jobs)
    })
}

fn dense(recording: &mut Recording) -> &'static [bool] {
    let (inputs, outputs) = (30, 17);
    let x = rows(recording, COUNT, inputs, 1.0);
    let layer = |inputs, outputs| {
        let kernel = values(1, inputs * outputs);
        DenseLayer::new(inputs, &kernel, &values(2, outputs), Activation::Relu)
    };
    let y = recording.dense(x, COUNT, &layer(inputs, outputs));
    recording.download(y);
    kept(recording, FLOATS, |r| r.dense(y, COUNT, &layer(outputs, 3)))
}

/// Windows of 3 x 3 with padding, and of 3 x 2 that leave pixels out, to so many channels.
fn windows(channels: usize) -> [Windows; 2] {
    let padded = Windows {
        input: [7, 6, 3],
        output: [7, 6, channels],
        size: [3, 3],
        stride: [1, 1],
        before: [1, 1],
    };
    let strided = Windows {
        input: [7, 6, 3],
        output: [3, 3, channels],
        size: [3, 2],
        stride: [2, 2],
        before: [0, 0],
    };
    [padded, strided]
}

const NUM_IMAGES: usize = 3;

fn conv(recording: &mut Recording) -> &'static [bool] {
    let channels = 5;
    let x = rows(recording, NUM_IMAGES, 7 * 6 * 3, 1.0);
    for windows in windows(channels) {
        let kernel = values(1, windows.size[0] * windows.size[1] * 3 * channels);
        let layer = ConvLayer::new(windows, &kernel, &values(2, channels), Activation::Relu);
        let y = recording.conv(x, NUM_IMAGES, &layer);
        recording.download(y);
    }
    FLOATS
}

fn depthwise(recording: &mut Recording) -> &'static [bool] {
    let channels = 6;
    let x = rows(recording, NUM_IMAGES, 7 * 6 * 3, 1.0);
    for windows in windows(channels) {
        let kernel = values(1, windows.size[0] * windows.size[1] * channels);
        let bias = values(2, channels);
        let layer = DepthwiseLayer::new(windows, &kernel, &bias, Activation::Relu);
        let y = recording.depthwise(x, NUM_IMAGES, &layer);
        recording.download(y);
    }
    FLOATS
}

fn pool(recording: &mut Recording) -> &'static [bool] {
    let x = rows(recording, NUM_IMAGES, 7 * 6 * 3, 1.0);
    for (windows, pooling) in windows(3).into_iter().zip([Pooling::Average, Pooling::Max]) {
        let y = recording.pool(x, NUM_IMAGES, &PoolLayer { windows, pooling });
        recording.download(y);
    }
    FLOATS
}

fn elementwise(recording: &mut Recording) -> &'static [bool] {
    let width = 6;
    let x = rows(recording, COUNT, width, 3.0);
    let (scale, offset) = (values(1, 3), values(2, 3));
    let sum = ElementwiseLayer::new(width, &scale, &offset, Activation::Linear);
    let y = recording.elementwise(x, Some(x), COUNT, &sum);
    recording.download(y);
    let curve = ElementwiseLayer::new(width, &[1.0], &[0.0], Activation::Gelu);
    kept(recording, FLOATS, |r| r.elementwise(y, None, COUNT, &curve))
}

fn combine(recording: &mut Recording) -> &'static [bool] {
    let x = rows(recording, COUNT, 30, 3.0);
    let mut both = |others: usize, repeat, combining, activation| {
        let other = rows(recording, COUNT, others, 2.0);
        let layer = CombineLayer {
            values: 30,
            others,
            repeat,
            combining,
            activation,
        };
        let y = recording.combine(x, other, COUNT, &layer);
        recording.download(y);
    };
    // One a channel, one a pixel, one a value.
    both(5, 1, Combining::Product, Activation::Relu);
    both(6, 5, Combining::Product, Activation::Linear);
    both(30, 1, Combining::Larger, Activation::Linear);
    FLOATS
}

fn rearrange(recording: &mut Recording) -> &'static [bool] {
    let x = rows(recording, COUNT, 7, 1.0);
    let other = rows(recording, COUNT, 5, 2.0);
    let places = (0..14).map(|k| match k {
        3 | 9 => RearrangeLayer::FILL,
        k => k * 5 % 12,
    });
    let layer = RearrangeLayer::new([7, 5], places.collect(), 0.5);
    let y = recording.rearrange(x, Some(other), COUNT, &layer);
    recording.download(y);
    let layer = RearrangeLayer::new([7, 0], vec![6, 0, 3], 0.0);
    kept(recording, BITS, |r| r.rearrange(x, None, COUNT, &layer))
}

fn normalise(recording: &mut Recording) -> &'static [bool] {
    let x = rows(recording, NUM_IMAGES, 7 * 6, 3.0);
    let (scale, offset) = (values(1, 6), values(2, 6));
    for (groups, divisor) in [
        (Groups::Pixels, Divisor::Deviation { epsilon: 1e-3 }),
        (Groups::Channels(3), Divisor::Deviation { epsilon: 1e-3 }),
        (Groups::Pixels, Divisor::Length { epsilon: 1e-12 }),
    ] {
        let layer = NormaliseLayer::new(7, groups, divisor, scale.clone(), offset.clone());
        let y = recording.normalise(x, NUM_IMAGES, &layer);
        recording.download(y);
    }
    FLOATS
}

fn trees(recording: &mut Recording) -> &'static [bool] {
    let x = rows(recording, COUNT, 5, 1.0);
    let branch = |feature, threshold, then, otherwise| TreeNode::Branch {
        feature,
        threshold,
        then,
        otherwise,
    };
    let leaf = |class, weight, next| TreeNode::Leaf {
        class,
        weight,
        next,
    };
    let nodes = [
        branch(4, 0.1, 1, 2),
        leaf(0, 0.5, None),
        branch(1, -0.3, 3, 4),
        leaf(2, 0.25, Some(4)),
        leaf(1, 0.75, None),
        leaf(2, 0.125, None),
    ];
    let layer = TreesLayer::new(5, &[0, 2, 5], &nodes, &[0.0, 0.5, -0.5]);
    kept(recording, FLOATS, |r| r.trees(x, COUNT, &layer))
}

fn softmax(recording: &mut Recording) -> &'static [bool] {
    let logits = rows(recording, COUNT, 5, 30.0);
    kept(recording, FLOATS, |r| r.softmax(logits, COUNT, 5))
}

/// Walkers all over the grid, with numbers from 1000 on, `aside` from its points.
fn starts(aside: f32) -> Vec<Walker> {
    (0..COUNT)
        .map(|n| {
            let place = [n % COLUMNS, n / COLUMNS % ROWS].map(|at| at as f32 + aside);
            Walker::at(place, 1000 + n as u32)
        })
        .collect()
}

fn lattice_walk(recording: &mut Recording) -> &'static [bool] {
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
            SINK => ABSORBING,
            _ => acceptance_entries(accepted(point)),
        })
        .collect();
    let moves = recording.upload("case.moves", &moves);
    let walkers = recording.upload("case.walkers", &starts(0.0));
    let strides = [1, COLUMNS as i32];
    // A walk that begins inside a block of random words.
    kept(recording, BITS, |r| {
        r.lattice_walk(walkers, moves, strides, SPAN)
    })
}

fn langevin_walk(recording: &mut Recording) -> &'static [bool] {
    let pulls = values(1, 3 * ROWS * COLUMNS);
    let cells: Vec<[f32; 4]> = pulls
        .chunks_exact(3)
        .enumerate()
        .map(|(cell, pull)| {
            let absorbing = if cell == SINK { 1.0 } else { 0.0 };
            [0.01 * pull[0], 0.01 * pull[1], 0.01 * pull[2], absorbing]
        })
        .collect();
    let step = LangevinStep {
        drift: [0.002, -0.001],
        stiffness: [0.001, 0.002],
        noise: 0.008,
        shape: [ROWS, COLUMNS],
        ground: Ground::Walled,
    };
    let cells = recording.upload("case.cells", &cells);
    let walkers = recording.upload("case.walkers", &starts(0.25));
    kept(recording, WALKERS, |r| {
        r.langevin_walk(walkers, cells, &step, SPAN)
    })
}

/// Walkers that have come from somewhere, some of them not so far as the others.
fn wanderers() -> Vec<Walker> {
    (0..COUNT)
        .map(|n| Walker {
            x: (n * 37 % 101) as f32 / 15.0 + 0.01,
            y: (n * 53 % 67) as f32 / 15.0 + 0.01,
            x_start: (n % 5) as f32,
            y_start: 1.0,
            number: n as u32,
            steps: if n % 3 == 0 { 12 } else { 1 << (n % 26) },
        })
        .collect()
}
