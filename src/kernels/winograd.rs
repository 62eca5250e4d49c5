//! Convolutions of windows of 3 x 3, a pixel apart, by Winograd's minimal filtering F(2 x 2, 3 x 3):
//! 16 products for four pixels and a pair of channels, where sums over windows take 36 (Lavin and Gray
//! 2016, "Fast algorithms for convolutional neural networks", section 4.1).
//!
//! ```text
//! tile     4 x 4 pixels of x that a square of 2 x 2 of y looks at: levels Bt d B, 16 a channel
//! product  levels times weights G g Gt, one matrix product for each of the 16
//! y        At m A of the 16 sums
//! group    12 tiles: their levels and the sums of 16 output channels stay in the nearest cache
//! ```
//!
//! The factors are 1, 1/2 and 1/4, so that rounding grows little: tests hold it to the tolerance of sums
//! over windows. F(4 x 4, 3 x 3) would take 36 products for 16 pixels, but its factors go up to 5 and
//! down to 1/24, and images of 14 and 7 pixels are no multiple of four.

use super::task::{Method, Task};
use super::vectors::{bounded, bounds, finish, largest, put, registers};
use super::windows::WindowParams;
use pulp::{Arch, Simd, WithSimd};
use std::ops::Range;

/// Rows and columns of x in a tile, and of y.
const COVERED: usize = 4;
const MADE: usize = 2;
/// Levels a tile and channel, and sums.
const POSITIONS: usize = COVERED * COVERED;
/// Tiles that are computed together.
const GROUP: usize = 12;
/// Channels whose levels of a tile lie side by side, and output channels of a block of weights.
const CHANNELS: usize = 16;
/// Values between what belongs to one position and to the next, beside itself: without them all
/// positions would fall into the same lines of the nearest cache.
const APART: usize = 16;
/// Pairs of channels at most: the weights are 16 / 9 as many, and have to come from memory where there are more.
const MOST_PAIRS: usize = 256 * 256;

/// Whether this is the way for these windows: enough channels to fill vectors, and tiles that cover
/// few pixels outside y.
pub(super) fn suits(windows: &WindowParams) -> bool {
    let [channels, outputs, pixels, width] = [
        windows.channels,
        windows.outputs,
        windows.out_pixels,
        windows.out_width,
    ]
    .map(|n| n as usize);
    let tiles = width.div_ceil(MADE) * (pixels / width).div_ceil(MADE);
    [windows.size_y, windows.size_x] == [3, 3]
        && [windows.stride_y, windows.stride_x] == [1, 1]
        && [windows.dilation_y, windows.dilation_x] == [1, 1]
        && windows.groups == 1
        && channels >= CHANNELS
        && outputs >= CHANNELS
        && channels * outputs <= MOST_PAIRS
        // Two thirds as many products at most.
        && 3 * POSITIONS * tiles <= 2 * 9 * pixels
}

/// Weights `[3, 3, channels, stride]` as [`Winograd`] reads them, G g Gt: for each block of output channels
/// `[POSITIONS, channels, CHANNELS]`, zeros behind the last one.
pub(super) fn in_blocks(windows: &WindowParams, weights: &[f32], stride: usize) -> Vec<f32> {
    const G: [[f64; 3]; COVERED] = [
        [1.0, 0.0, 0.0],
        [0.5, 0.5, 0.5],
        [0.5, -0.5, 0.5],
        [0.0, 0.0, 1.0],
    ];
    let [channels, outputs] = [windows.channels, windows.outputs].map(|n| n as usize);
    let made = |[down, across]: [usize; 2], channel: usize, output: usize| -> f64 {
        let taps = (0..3).flat_map(|row| (0..3).map(move |column| [row, column]));
        taps.map(|[row, column]| {
            let tap = 3 * row + column;
            let weight = weights[(tap * channels + channel) * stride + output];
            G[down][row] * G[across][column] * f64::from(weight)
        })
        .sum()
    };
    let mut arranged = Vec::with_capacity(POSITIONS * channels * outputs);
    for block in blocks(outputs) {
        for position in 0..POSITIONS {
            let position = [position / COVERED, position % COVERED];
            for channel in 0..channels {
                arranged.extend(block.clone().map(|o| made(position, channel, o) as f32));
                arranged.resize(arranged.len().next_multiple_of(CHANNELS), 0.0);
            }
        }
    }
    arranged
}

/// Output channels of each block.
fn blocks(outputs: usize) -> impl Iterator<Item = Range<usize>> {
    (0..outputs)
        .step_by(CHANNELS)
        .map(move |first| first..outputs.min(first + CHANNELS))
}

/// Memory that a thread's tasks share.
#[derive(Default)]
pub(super) struct Winograd {
    /// The images with zeros around them, and behind each pixel's channels up to a multiple of [`CHANNELS`].
    padded: Vec<f32>,
    tiles: Vec<Tile>,
    /// `[POSITIONS, channels / CHANNELS, GROUP, CHANNELS]`, positions [`APART`].
    levels: Vec<f32>,
    /// `[POSITIONS, GROUP, CHANNELS]`, positions [`APART`].
    sums: Vec<f32>,
}

/// Where a tile begins in the padded images and in y, and how many of its rows and columns lie in y:
/// all of them where they are taken together.
#[derive(Clone, Copy)]
struct Tile {
    x: usize,
    y: usize,
    rows: usize,
    columns: usize,
}

/// Values of a row of the padded images, and of a pixel.
#[derive(Clone, Copy)]
struct Pitch {
    row: usize,
    pixel: usize,
}

impl Method for Winograd {
    const ROWS: usize = MADE;

    fn compute(&mut self, arch: Arch, task: Task<'_>) {
        let pitch = self.lay(&task);
        let level_position = GROUP * pitch.pixel + APART;
        let sum_position = GROUP * CHANNELS + APART;
        self.levels.resize(POSITIONS * level_position, 0.0);
        self.sums.resize(POSITIONS * sum_position, 0.0);
        arch.dispatch(Tiles {
            task,
            padded: &self.padded,
            tiles: &self.tiles,
            pitch,
            levels: &mut self.levels,
            level_position,
            sums: &mut self.sums,
            sum_position,
        });
    }
}

impl Winograd {
    /// Lays a task's images out so that every tile lies inside them.
    fn lay(&mut self, task: &Task<'_>) -> Pitch {
        let windows = task.windows;
        let [channels, out_width, outputs, x_stride] = [
            windows.channels,
            windows.out_width,
            windows.outputs,
            windows.x_stride,
        ]
        .map(|n| n as usize);
        let [height, width, above, left] = [
            windows.height,
            windows.width,
            windows.before_y,
            windows.before_x,
        ]
        .map(|n| n as usize);
        let side = if task.pooled { MADE } else { 1 };
        let made_width = out_width / side * side;
        let pixel = channels.next_multiple_of(CHANNELS);
        let [down, across] = [task.rows.len(), out_width].map(|n| n.div_ceil(MADE));
        let [tall, wide] = [down, across].map(|n| MADE * n + COVERED - MADE);
        let pitch = Pitch {
            row: wide * pixel,
            pixel,
        };
        let columns = width.min(wide.saturating_sub(left));
        let images = task.x.chunks_exact(x_stride);
        self.padded.clear();
        self.padded.resize(images.len() * tall * pitch.row, 0.0);
        self.tiles.clear();
        for (number, image) in images.enumerate() {
            let first = number * tall * pitch.row;
            let rows = self.padded[first..].chunks_exact_mut(pitch.row).take(tall);
            for (to, row) in rows.zip(task.rows.start..) {
                let Some(row) = row.checked_sub(above).filter(|&row| row < height) else {
                    continue;
                };
                let to = &mut to[left * pixel..][..columns * pixel];
                let from = &image[row * width * channels..][..columns * channels];
                if pixel == channels {
                    to.copy_from_slice(from);
                    continue;
                }
                let pixels = to.chunks_exact_mut(pixel);
                for (to, from) in pixels.zip(from.chunks_exact(channels)) {
                    to[..channels].copy_from_slice(from);
                }
            }
            let y = number * task.y_stride;
            for row in (0..task.rows.len()).step_by(MADE) {
                self.tiles
                    .extend((0..made_width).step_by(MADE).map(|column| Tile {
                        x: first + row * pitch.row + column * pixel,
                        y: y + (row / side * (out_width / side) + column / side) * outputs,
                        rows: (task.rows.len() - row).min(MADE),
                        columns: (out_width - column).min(MADE),
                    }));
            }
        }
        pitch
    }
}

/// A task whose tiles are laid out.
struct Tiles<'a> {
    task: Task<'a>,
    padded: &'a [f32],
    tiles: &'a [Tile],
    pitch: Pitch,
    levels: &'a mut [f32],
    /// Values between the levels of one position and of the next.
    level_position: usize,
    sums: &'a mut [f32],
    /// The same of sums.
    sum_position: usize,
}

impl WithSimd for Tiles<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            mut task,
            padded,
            tiles,
            pitch,
            levels,
            level_position,
            sums,
            sum_position,
        } = self;
        let [channels, outputs] = [task.windows.channels, task.windows.outputs].map(|n| n as usize);
        let (weights, _) = task.weights.as_chunks::<CHANNELS>();
        for tiles in tiles.chunks(GROUP) {
            for (number, tile) in tiles.iter().enumerate() {
                let levels = &mut levels[number * CHANNELS..];
                transform::<S>(simd, &padded[tile.x..], pitch, levels, level_position);
            }
            let blocks_of_weights = weights.chunks_exact(POSITIONS * channels);
            for (block, weights) in blocks(outputs).zip(blocks_of_weights) {
                for (position, weights) in weights.chunks_exact(channels).enumerate() {
                    let levels = &levels[position * level_position..][..GROUP * pitch.pixel];
                    let sums = &mut sums[position * sum_position..][..GROUP * CHANNELS];
                    let count = tiles.len();
                    // As many registers as the machine has: 32 of 16 or of 4 values, 16 of 8.
                    match S::F32_LANES {
                        16 => multiply::<S, 1, 12>(simd, levels, weights, sums, count),
                        8 => multiply::<S, 2, 6>(simd, levels, weights, sums, count),
                        4 => multiply::<S, 4, 6>(simd, levels, weights, sums, count),
                        _ => multiply::<S, CHANNELS, 1>(simd, levels, weights, sums, count),
                    }
                }
                store::<S>(simd, sums, sum_position, tiles, block, &mut task);
            }
        }
    }
}

// What follows is given slices, not `Tiles`: behind one reference, each store to levels or sums might
// be to the others' lengths for all the compiler knows.

/// Bt d B of a tile, from where it begins in the padded images; levels are `apart` from position to
/// position.
#[inline(always)]
fn transform<S: Simd>(simd: S, x: &[f32], pitch: Pitch, levels: &mut [f32], apart: usize) {
    let Pitch { row, pixel } = pitch;
    let lines: [&[f32]; COVERED] = [
        &x[..COVERED * pixel],
        &x[row..][..COVERED * pixel],
        &x[2 * row..][..COVERED * pixel],
        &x[3 * row..][..COVERED * pixel],
    ];
    let zero = simd.splat_f32s(0.0);
    let mut first = 0;
    while first < pixel {
        let mut across = [[zero; COVERED]; COVERED];
        for (k, across) in across.iter_mut().enumerate() {
            let line = lines[k];
            let [a] = registers::<S, 1>(&line[first..]);
            let [b] = registers::<S, 1>(&line[pixel + first..]);
            let [c] = registers::<S, 1>(&line[2 * pixel + first..]);
            let [d] = registers::<S, 1>(&line[3 * pixel + first..]);
            *across = transformed(simd, [a, b, c, d]);
        }
        let [a, b, c, d] = across;
        let to = first / CHANNELS * GROUP * CHANNELS + first % CHANNELS;
        for column in 0..COVERED {
            let made = transformed(simd, [a[column], b[column], c[column], d[column]]);
            for (row, made) in made.iter().enumerate() {
                let at = (COVERED * row + column) * apart + to;
                let levels: &mut [S::f32s] =
                    bytemuck::cast_slice_mut(&mut levels[at..at + S::F32_LANES]);
                levels[0] = *made;
            }
        }
        first += S::F32_LANES;
    }
}

/// The sums of a position, `[GROUP, CHANNELS]`, of the first `count` tiles and some behind them: levels
/// `[channels / CHANNELS, GROUP, CHANNELS]` times weights `[channels]`, of which `REGISTERS` hold a row.
#[inline(always)]
fn multiply<S: Simd, const REGISTERS: usize, const TILES: usize>(
    simd: S,
    levels: &[f32],
    weights: &[[f32; CHANNELS]],
    sums: &mut [f32],
    count: usize,
) {
    let (levels, _) = levels.as_chunks::<CHANNELS>();
    let (sums, _) = sums.as_chunks_mut::<CHANNELS>();
    let zero = simd.splat_f32s(0.0);
    for first in (0..count).step_by(TILES) {
        let mut made = [[zero; REGISTERS]; TILES];
        for (number, weights) in weights.chunks(CHANNELS).enumerate() {
            let levels = &levels[number * GROUP + first..][..TILES];
            for (channel, weights) in weights.iter().enumerate() {
                let weights = registers::<S, REGISTERS>(weights);
                for (tile, made) in made.iter_mut().enumerate() {
                    let level = simd.splat_f32s(levels[tile][channel]);
                    for (k, sum) in made.iter_mut().enumerate() {
                        *sum = simd.mul_add_e_f32s(weights[k], level, *sum);
                    }
                }
            }
        }
        // Loops of a fixed length, which keep the sums in registers up to here.
        let Some(sums) = sums[first..].first_chunk_mut::<TILES>() else {
            unreachable!("a group is some times as many tiles")
        };
        for (tile, sums) in sums.iter_mut().enumerate() {
            let sums: &mut [S::f32s] = bytemuck::cast_slice_mut(sums);
            for (k, made) in made[tile].iter().enumerate() {
                sums[k] = *made;
            }
        }
    }
}

/// At m A of each tile, a block's output channels, with what comes after it, in y; sums are `apart`
/// from position to position.
#[inline(always)]
fn store<S: Simd>(
    simd: S,
    sums: &[f32],
    apart: usize,
    tiles: &[Tile],
    block: Range<usize>,
    task: &mut Task<'_>,
) {
    let Task {
        windows,
        bias,
        activation,
        other,
        pooled,
        y,
        ..
    } = task;
    let outputs = windows.outputs as usize;
    let row_values = windows.out_width as usize * outputs;
    let limits = bounds(*activation);
    let [floor, ceiling] = limits.unwrap_or_default();
    let vectors = [simd.splat_f32s(floor), simd.splat_f32s(ceiling)];
    let zero = simd.splat_f32s(0.0);
    let mut padded_bias = [0.0; CHANNELS];
    padded_bias[..block.len()].copy_from_slice(&bias[block.clone()]);
    let mut first = 0;
    while first < block.len() {
        let [bias] = registers::<S, 1>(&padded_bias[first..]);
        let count = S::F32_LANES.min(block.len() - first);
        for (number, tile) in tiles.iter().enumerate() {
            let sums = &sums[number * CHANNELS + first..];
            let mut down = [[zero; COVERED]; MADE];
            for column in 0..COVERED {
                let [a] = registers::<S, 1>(&sums[column * apart..]);
                let [b] = registers::<S, 1>(&sums[(COVERED + column) * apart..]);
                let [c] = registers::<S, 1>(&sums[(2 * COVERED + column) * apart..]);
                let [d] = registers::<S, 1>(&sums[(3 * COVERED + column) * apart..]);
                [down[0][column], down[1][column]] = gathered(simd, [a, b, c, d]);
            }
            if *pooled && count == S::F32_LANES && limits.is_some() {
                let [a, b] = gathered(simd, down[0]);
                let [c, d] = gathered(simd, down[1]);
                let sum = simd.add_f32s(largest::<S>(simd, &[a, b, c, d]), bias);
                let at = tile.y + block.start + first;
                let y: &mut [S::f32s] = bytemuck::cast_slice_mut(&mut y[at..at + count]);
                // The largest of bounded sums is the largest sum, bounded.
                y[0] = bounded(simd, vectors, sum);
                continue;
            }
            for (row, down) in down.into_iter().enumerate() {
                let pair = gathered(simd, down);
                for (column, sum) in pair.into_iter().enumerate() {
                    // Not `take`: loops of a fixed length keep the sums in registers.
                    if row >= tile.rows || column >= tile.columns {
                        continue;
                    }
                    let mut value = simd.add_f32s(sum, bias);
                    let beyond = if *pooled {
                        0
                    } else {
                        row * row_values + column * outputs
                    };
                    let at = tile.y + beyond + block.start + first;
                    let at = at..at + count;
                    if count == S::F32_LANES && limits.is_some() {
                        if let Some(other) = other {
                            let [other] = registers::<S, 1>(&other[at.clone()]);
                            value = simd.add_f32s(value, other);
                        }
                        let y: &mut [S::f32s] = bytemuck::cast_slice_mut(&mut y[at]);
                        y[0] = bounded(simd, vectors, value);
                        continue;
                    }
                    let mut values = [value];
                    let values: &mut [f32] = bytemuck::cast_slice_mut(&mut values);
                    let values = &mut values[..count];
                    let other = other.map(|other| &other[at.clone()]);
                    finish(values, other, limits, *activation);
                    let joins = *pooled && row + column > 0;
                    put(joins, values, &mut y[at]);
                }
            }
        }
        first += S::F32_LANES;
    }
}

/// Bt of a line of a tile.
#[inline(always)]
fn transformed<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; COVERED]) -> [S::f32s; COVERED] {
    [
        simd.sub_f32s(a, c),
        simd.add_f32s(b, c),
        simd.sub_f32s(c, b),
        simd.sub_f32s(b, d),
    ]
}

/// At of a line of sums.
#[inline(always)]
fn gathered<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; COVERED]) -> [S::f32s; MADE] {
    [
        simd.add_f32s(simd.add_f32s(a, b), c),
        simd.sub_f32s(simd.sub_f32s(b, c), d),
    ]
}
