//! Sums of products over windows, for the twins of convolutions, dense layers and matrix products:
//! some pixels by some channels at a time, their sums in registers while all weights of those
//! channels pass by.
//!
//! ```text
//! task      some rows of an image, or some small images: what its windows cover, with zeros around
//! block     32 output channels, whose weights lie side by side and stay in the second-level cache
//! tile      12 pixels, of any rows and images of the task: 24 vectors of sums
//! ```
//!
//! Pixels are counted through rows and images, so that small images leave no part of a tile idle.
//! Rejected: windows copied side by side and one matrix product (im2col), less than half as fast
//! where measured; the copies and the product's own packing cost as much as the products.

use super::task::{Method, Task};
use super::vectors::{bounded, bounds, finish, largest, put, registers};
use super::windows::WindowParams;
use pulp::{Arch, Simd, WithSimd};
use std::ops::Range;

/// Output channels of a block of weights, and those of a last block that half of it holds.
const BLOCK: usize = 32;
const HALF: usize = 16;
/// Pixels whose sums are stored together: some tiles, and some squares.
const TOGETHER: usize = 12;
/// Pixels of a square that is taken together.
const SQUARE: usize = 4;

/// Weights `[taps, stride]` of which each row's first `outputs` count, as [`Products`] reads them:
/// for each group of outputs its blocks, `[taps, BLOCK]` or `[taps, HALF]`, zeros behind the last
/// channel.
pub(super) fn in_blocks(windows: &WindowParams, weights: &[f32], stride: usize) -> Vec<f32> {
    let mut arranged = Vec::new();
    for (channels, width) in blocks(windows) {
        for row in weights.chunks_exact(stride) {
            arranged.extend_from_slice(&row[channels.clone()]);
            arranged.resize(arranged.len() + width - channels.len(), 0.0);
        }
    }
    arranged
}

/// Output channels of each block and how many it has room for, group by group.
fn blocks(windows: &WindowParams) -> impl Iterator<Item = (Range<usize>, usize)> + use<> {
    let [outputs, groups] = [windows.outputs, windows.groups].map(|n| n as usize);
    let each = outputs / groups;
    (0..groups).flat_map(move |group| {
        (0..each).step_by(BLOCK).map(move |first| {
            let last = each.min(first + BLOCK);
            let width = if last - first <= HALF { HALF } else { BLOCK };
            (group * each + first..group * each + last, width)
        })
    })
}

/// Memory that a thread's tasks share.
#[derive(Default)]
pub(super) struct Products {
    padded: Vec<f32>,
    places: Vec<Place>,
    runs: Vec<usize>,
}

impl Method for Products {
    const ROWS: usize = 1;

    fn compute(&mut self, arch: Arch, task: Task<'_>) {
        let laid = self.lay(&task);
        arch.dispatch(Tiles { task, laid });
    }
}

/// Where the window of an output pixel begins, and where its channels go.
#[derive(Clone, Copy)]
struct Place {
    x: usize,
    y: usize,
}

/// A task's images laid out so that every window lies inside them.
struct Laid<'a> {
    x: &'a [f32],
    places: &'a [Place],
    /// Neighbouring values of a window begin here, from where it begins.
    runs: &'a [usize],
    /// How many neighbours there are.
    run: usize,
}

impl Products {
    /// Lays out what the windows of a task cover.
    fn lay<'a>(&'a mut self, task: &Task<'a>) -> Laid<'a> {
        let (windows, x, rows) = (task.windows, task.x, task.rows.clone());
        let [channels, out_width, outputs, group_inputs, groups] = [
            windows.channels,
            windows.out_width,
            windows.outputs,
            windows.group_inputs,
            windows.groups,
        ]
        .map(|n| n as usize);
        let [stride_y, stride_x, size_y, size_x, dilation_y, dilation_x] = [
            windows.stride_y,
            windows.stride_x,
            windows.size_y,
            windows.size_x,
            windows.dilation_y,
            windows.dilation_x,
        ]
        .map(|n| n as usize);
        let x_stride = windows.x_stride as usize;
        let covered = (rows.len() - 1) * stride_y + (size_y - 1) * dilation_y + 1;
        let width = windows.width as usize;
        let (x, x_row, x_image) = if windows.padded() {
            let x_row = ((out_width - 1) * stride_x + (size_x - 1) * dilation_x + 1) * channels;
            let images = x.len() / x_stride;
            self.padded.clear();
            self.padded.resize(images * covered * x_row, 0.0);
            let left = windows.before_x as usize * channels;
            let columns = (width * channels).min(x_row.saturating_sub(left));
            for (to, image) in (self.padded.chunks_exact_mut(covered * x_row))
                .zip(x.chunks_exact(x_stride))
                .filter(|_| columns > 0)
            {
                for (row, to) in to.chunks_exact_mut(x_row).enumerate() {
                    let row = (rows.start * stride_y + row).checked_sub(windows.before_y as usize);
                    if let Some(row) = row.filter(|&row| row < windows.height as usize) {
                        to[left..left + columns]
                            .copy_from_slice(&image[row * width * channels..][..columns]);
                    }
                }
            }
            (&self.padded[..], x_row, covered * x_row)
        } else {
            let first = rows.start * stride_y * width * channels;
            (&x[first..], width * channels, x_stride)
        };
        let images = match x_image {
            x_image if windows.padded() => x.len() / x_image,
            _ => x.len().div_ceil(x_image),
        };
        // Of a square that is taken together one pixel comes right behind the other.
        let side = if task.pooled { 2 } else { 1 };
        let across = out_width / side;
        self.places.clear();
        for image in 0..images {
            for row in 0..rows.len() / side {
                let x = image * x_image + row * side * stride_y * x_row;
                let y = image * task.y_stride + row * across * outputs;
                for column in 0..across {
                    self.places.extend((0..side * side).map(|pixel| Place {
                        x: x + pixel / side * stride_y * x_row
                            + (column * side + pixel % side) * stride_x * channels,
                        y: y + column * outputs,
                    }));
                }
            }
        }
        // A row of a window is one run where nothing lies between its pixels.
        let whole = dilation_x == 1 && groups == 1;
        let runs = if whole { 1 } else { size_x };
        self.runs.clear();
        for row in 0..size_y {
            let first = row * dilation_y * x_row;
            self.runs
                .extend((0..runs).map(|column| first + column * dilation_x * channels));
        }
        Laid {
            x,
            places: &self.places,
            runs: &self.runs,
            run: if whole {
                size_x * channels
            } else {
                group_inputs
            },
        }
    }
}

/// A task: all blocks of channels of its pixels.
struct Tiles<'a> {
    task: Task<'a>,
    laid: Laid<'a>,
}

impl WithSimd for Tiles<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let windows = self.task.windows;
        let taps = windows.taps();
        let [outputs, groups] = [windows.outputs, windows.groups].map(|n| n as usize);
        let group_outputs = outputs / groups;
        let mut weights = self.task.weights;
        for (channels, width) in blocks(windows) {
            let (block, rest) = weights.split_at(taps * width);
            weights = rest;
            // Where in a pixel of x the group's channels begin.
            let group = channels.start / group_outputs * windows.group_inputs as usize;
            // As many registers as the machine has: 32 of 16 or of 4 values, 16 of 8.
            match (S::F32_LANES, width) {
                (16, BLOCK) => self.part::<S, 2, 12, BLOCK, 0>(simd, block, channels, group),
                (16, _) => self.part::<S, 1, 12, HALF, 0>(simd, block, channels, group),
                (8, BLOCK) => {
                    self.part::<S, 2, 6, BLOCK, 0>(simd, block, channels.clone(), group);
                    self.part::<S, 2, 6, BLOCK, HALF>(simd, block, channels, group);
                }
                (8, _) => self.part::<S, 2, 6, HALF, 0>(simd, block, channels, group),
                (4, BLOCK) => {
                    self.part::<S, 4, 6, BLOCK, 0>(simd, block, channels.clone(), group);
                    self.part::<S, 4, 6, BLOCK, HALF>(simd, block, channels, group);
                }
                (4, _) => self.part::<S, 4, 6, HALF, 0>(simd, block, channels, group),
                (_, BLOCK) => {
                    self.part::<S, HALF, 1, BLOCK, 0>(simd, block, channels.clone(), group);
                    self.part::<S, HALF, 1, BLOCK, HALF>(simd, block, channels, group);
                }
                (_, _) => self.part::<S, HALF, 1, HALF, 0>(simd, block, channels, group),
            }
        }
    }
}

impl Tiles<'_> {
    /// The channels of a block of `WIDTH` from its number `OFFSET` on that `REGISTERS` hold.
    #[inline(always)]
    fn part<
        S: Simd,
        const REGISTERS: usize,
        const PIXELS: usize,
        const WIDTH: usize,
        const OFFSET: usize,
    >(
        &mut self,
        simd: S,
        block: &[f32],
        channels: Range<usize>,
        group: usize,
    ) {
        let held = REGISTERS * S::F32_LANES;
        let first = channels.start + OFFSET;
        let count = channels.end.saturating_sub(first).min(held);
        if count == 0 {
            return;
        }
        let mut padded_bias = [0.0; BLOCK];
        padded_bias[..count].copy_from_slice(&self.task.bias[first..first + count]);
        let bias = registers::<S, REGISTERS>(&padded_bias);
        let Laid {
            x,
            places,
            runs,
            run,
        } = self.laid;
        let (weights, _) = block.as_chunks::<WIDTH>();
        let limits = bounds(self.task.activation);
        let [floor, ceiling] = limits.unwrap_or_default();
        let vectors = [simd.splat_f32s(floor), simd.splat_f32s(ceiling)];
        let span = runs.last().map_or(0, |last| last + run);
        for places in places.chunks(TOGETHER) {
            // Reached by numbers that are not known when compiled, as the sums below are not, which stay
            // in registers for that.
            let mut done = [bias; TOGETHER];
            let (tiles, _) = done.as_chunks_mut::<PIXELS>();
            for (tile, done) in places.chunks(PIXELS).zip(tiles) {
                // Pixels past the end are the last one; their sums are not stored.
                let mut levels: [&[f32]; PIXELS] = [&[]; PIXELS];
                for (k, levels) in levels.iter_mut().enumerate() {
                    let start = tile[k.min(tile.len() - 1)].x + group;
                    *levels = &x[start..start + span];
                }
                let mut sums = [bias; PIXELS];
                for (weights, first) in weights.chunks_exact(run).zip(runs) {
                    for (weights, at) in weights.iter().zip(*first..) {
                        let weights = registers::<S, REGISTERS>(&weights[OFFSET..]);
                        for (pixel, sums) in sums.iter_mut().enumerate() {
                            let level = simd.splat_f32s(levels[pixel][at]);
                            for (k, sum) in sums.iter_mut().enumerate() {
                                *sum = simd.mul_add_e_f32s(weights[k], level, *sum);
                            }
                        }
                    }
                }
                *done = sums;
            }
            if count < held || limits.is_none() {
                let each = if self.task.pooled { SQUARE } else { 1 };
                let pixels = done.chunks_mut(each);
                for (sums, places) in pixels.zip(places.chunks(each)) {
                    let at = places[0].y + first..places[0].y + first + count;
                    let y = &mut self.task.y[at.clone()];
                    for (number, sums) in sums.iter_mut().enumerate() {
                        let values: &mut [f32] = bytemuck::cast_slice_mut(sums);
                        let values = &mut values[..count];
                        let other = self.task.other.map(|other| &other[at.clone()]);
                        finish(values, other, limits, self.task.activation);
                        put(number > 0, values, y);
                    }
                }
            } else if let Some(other) = self.task.other {
                for (sums, place) in done.iter().zip(places) {
                    let at = place.y + first..place.y + first + held;
                    let other = registers::<S, REGISTERS>(&other[at.clone()]);
                    let y: &mut [S::f32s] = bytemuck::cast_slice_mut(&mut self.task.y[at]);
                    for (k, sum) in sums.iter().enumerate() {
                        y[k] = bounded(simd, vectors, simd.add_f32s(*sum, other[k]));
                    }
                }
            } else if self.task.pooled {
                let (squares, _) = done.as_chunks::<SQUARE>();
                for ([a, b, c, d], places) in squares.iter().zip(places.chunks(SQUARE)) {
                    let at = places[0].y + first..places[0].y + first + held;
                    let y: &mut [S::f32s] = bytemuck::cast_slice_mut(&mut self.task.y[at]);
                    for k in 0..REGISTERS {
                        let sum = largest::<S>(simd, &[a[k], b[k], c[k], d[k]]);
                        y[k] = bounded(simd, vectors, sum);
                    }
                }
            } else {
                for (sums, place) in done.iter().zip(places) {
                    let at = place.y + first..place.y + first + held;
                    let y: &mut [S::f32s] = bytemuck::cast_slice_mut(&mut self.task.y[at]);
                    for (k, sum) in sums.iter().enumerate() {
                        y[k] = bounded(simd, vectors, *sum);
                    }
                }
            }
        }
    }
}
