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

use super::Activation;
use super::windows::WindowParams;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

/// Output channels of a block of weights, and those of a last block that half of it holds.
const BLOCK: usize = 32;
const HALF: usize = 16;
/// Products that are worth a task of their own.
const TASK_PRODUCTS: usize = 1 << 22;
/// Pixels for which it is worth fetching all weights.
const TASK_PIXELS: usize = 96;

/// Weights `[taps, stride]` of which each row's first `outputs` count, as [`Convolution`] reads them:
/// for each group of outputs its blocks, `[taps, BLOCK]` or `[taps, HALF]`, zeros behind the last
/// channel. Done once a layer: done in every batch it cost as much as a row of small images.
pub(super) fn in_blocks(weights: &[f32], stride: usize, outputs: usize, groups: usize) -> Vec<f32> {
    let taps = weights.len() / stride;
    let mut arranged = Vec::new();
    for (channels, width) in blocks(outputs, groups) {
        for row in weights.chunks_exact(stride) {
            arranged.extend_from_slice(&row[channels.clone()]);
            arranged.resize(arranged.len() + width - channels.len(), 0.0);
        }
    }
    debug_assert!(arranged.len() >= taps * outputs);
    arranged
}

/// Output channels of each block and how many it has room for, group by group.
fn blocks(outputs: usize, groups: usize) -> impl Iterator<Item = (Range<usize>, usize)> {
    let each = outputs / groups;
    (0..groups).flat_map(move |group| {
        (0..each).step_by(BLOCK).map(move |first| {
            let last = each.min(first + BLOCK);
            let width = if last - first <= HALF { HALF } else { BLOCK };
            (group * each + first..group * each + last, width)
        })
    })
}

/// A convolution whose channels may be in groups.
pub(super) struct Convolution<'a> {
    pub(super) windows: &'a WindowParams,
    /// By [`in_blocks`].
    pub(super) weights: &'a [f32],
    /// `[outputs]` at least.
    pub(super) bias: &'a [f32],
    pub(super) activation: Activation,
}

impl Convolution<'_> {
    /// `activation(x * W + b + other)` of all images.
    pub(super) fn run(&self, x: &[f32], other: Option<&[f32]>, y: &mut [f32]) {
        let windows = self.windows;
        let [x_stride, y_stride, values, out_pixels, out_width] = [
            windows.x_stride,
            windows.y_stride,
            windows.values,
            windows.out_pixels,
            windows.out_width,
        ]
        .map(|n| n as usize);
        let total = y.len() / y_stride * out_pixels;
        let products = windows.outputs as usize * windows.taps();
        let pixels = (TASK_PRODUCTS / products)
            .max(TASK_PIXELS)
            .min(total.div_ceil(rayon::current_num_threads()));
        let arch = Arch::new();
        let run = |scratch: &mut Scratch, x: &[f32], rows, other, y: &mut [f32]| {
            let tiles = Tiles {
                layer: self,
                laid: scratch.lay(windows, x, rows),
                other,
                y,
            };
            arch.dispatch(tiles);
        };
        if pixels >= out_pixels {
            let images = pixels / out_pixels;
            y.par_chunks_mut(images * y_stride)
                .zip(x.par_chunks(images * x_stride))
                .enumerate()
                .for_each_init(Scratch::default, |scratch, (task, (y, x))| {
                    let other = other.map(|other| &other[task * images * y_stride..][..y.len()]);
                    run(scratch, x, 0..out_pixels / out_width, other, y);
                });
            return;
        }
        let rows = (pixels / out_width).max(1);
        let row_values = out_width * windows.outputs as usize;
        y.par_chunks_mut(y_stride)
            .zip(x.par_chunks(x_stride))
            .enumerate()
            .for_each(|(image, (y, x))| {
                y[..values]
                    .par_chunks_mut(rows * row_values)
                    .enumerate()
                    .for_each_init(Scratch::default, |scratch, (task, y)| {
                        let first = image * y_stride + task * rows * row_values;
                        let other = other.map(|other| &other[first..][..y.len()]);
                        let first = task * rows;
                        run(scratch, x, first..first + y.len() / row_values, other, y);
                    });
            });
    }

    /// The same by the thread that asks, of images that may lie further apart in `y` than they are
    /// wide.
    pub(super) fn run_here(&self, scratch: &mut Scratch, x: &[f32], y: &mut [f32]) {
        let rows = self.windows.out_pixels / self.windows.out_width;
        let tiles = Tiles {
            layer: self,
            laid: scratch.lay(self.windows, x, 0..rows as usize),
            other: None,
            y,
        };
        Arch::new().dispatch(tiles);
    }
}

/// Memory that a thread's tasks share.
#[derive(Default)]
pub(super) struct Scratch {
    padded: Vec<f32>,
    places: Vec<Place>,
    runs: Vec<usize>,
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

impl Scratch {
    /// Lays out what the windows of some rows of output pixels cover, of each image in `x`.
    fn lay<'a>(&'a mut self, windows: &WindowParams, x: &'a [f32], rows: Range<usize>) -> Laid<'a> {
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
        self.places.clear();
        for image in 0..images {
            for row in 0..rows.len() {
                let x = image * x_image + row * stride_y * x_row;
                let y = image * windows.y_stride as usize + row * out_width * outputs;
                self.places.extend((0..out_width).map(|column| Place {
                    x: x + column * stride_x * channels,
                    y: y + column * outputs,
                }));
            }
        }
        // A row of a window is one run where nothing lies between its pixels.
        let whole = dilation_x == 1 && groups == 1;
        let across = if whole { 1 } else { size_x };
        self.runs.clear();
        for row in 0..size_y {
            let first = row * dilation_y * x_row;
            self.runs
                .extend((0..across).map(|column| first + column * dilation_x * channels));
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
    layer: &'a Convolution<'a>,
    laid: Laid<'a>,
    other: Option<&'a [f32]>,
    y: &'a mut [f32],
}

impl WithSimd for Tiles<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let windows = self.layer.windows;
        let taps = windows.taps();
        let [outputs, groups] = [windows.outputs, windows.groups].map(|n| n as usize);
        let group_outputs = outputs / groups;
        let mut weights = self.layer.weights;
        for (channels, width) in blocks(outputs, groups) {
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
        padded_bias[..count].copy_from_slice(&self.layer.bias[first..first + count]);
        let bias = registers::<S, REGISTERS>(&padded_bias);
        let Laid {
            x,
            places,
            runs,
            run,
        } = self.laid;
        let (weights, _) = block.as_chunks::<WIDTH>();
        let bounds = bounds(self.layer.activation);
        let [floor, ceiling] = bounds.unwrap_or_default().map(|v| simd.splat_f32s(v));
        for tile in places.chunks(PIXELS) {
            // Pixels past the end are the last one; their sums are not stored.
            let starts: [usize; PIXELS] =
                std::array::from_fn(|k| tile[k.min(tile.len() - 1)].x + group);
            let mut sums = [bias; PIXELS];
            for (weights, first) in weights.chunks_exact(run).zip(runs) {
                let levels: [&[f32]; PIXELS] =
                    std::array::from_fn(|k| &x[starts[k] + first..][..run]);
                for (t, weights) in weights.iter().enumerate() {
                    let weights = registers::<S, REGISTERS>(&weights[OFFSET..]);
                    for (sums, levels) in sums.iter_mut().zip(levels) {
                        let level = simd.splat_f32s(levels[t]);
                        for (sum, weight) in sums.iter_mut().zip(weights) {
                            *sum = simd.mul_add_e_f32s(weight, level, *sum);
                        }
                    }
                }
            }
            // Held apart from what the loop above adds to: only a copy is reached by a number that is
            // not known when compiled, so that the sums themselves stay in registers.
            let done = sums;
            for (place, sums) in tile.iter().zip(&done) {
                let at = place.y + first..place.y + first + count;
                let y = &mut self.y[at.clone()];
                if count == held && (bounds.is_some() || self.layer.activation == LINEAR) {
                    let y: &mut [S::f32s] = bytemuck::cast_slice_mut(y);
                    let other: Option<&[S::f32s]> =
                        self.other.map(|other| bytemuck::cast_slice(&other[at]));
                    for (r, (y, sum)) in y.iter_mut().zip(sums).enumerate() {
                        let mut value = *sum;
                        if let Some(other) = other {
                            value = simd.add_f32s(value, other[r]);
                        }
                        if bounds.is_some() {
                            value = simd.min_f32s(simd.max_f32s(value, floor), ceiling);
                        }
                        *y = value;
                    }
                    continue;
                }
                let values: &[f32] = bytemuck::cast_slice(sums);
                y.copy_from_slice(&values[..count]);
                if let Some(other) = self.other {
                    y.iter_mut()
                        .zip(&other[at])
                        .for_each(|(y, other)| *y += other);
                }
                self.layer.activation.apply_to(y);
            }
        }
    }
}

const LINEAR: Activation = Activation::Linear;

/// An activation that is nothing but two bounds.
#[inline(always)]
pub(super) fn bounds(activation: Activation) -> Option<[f32; 2]> {
    match activation {
        Activation::Relu => Some([0.0, f32::INFINITY]),
        Activation::ReluWith {
            slope: 0.0,
            threshold: 0.0,
            ceiling,
        } => Some([0.0, ceiling]),
        _ => None,
    }
}

/// The first values as vectors.
#[inline(always)]
pub(super) fn registers<S: Simd, const REGISTERS: usize>(values: &[f32]) -> [S::f32s; REGISTERS] {
    let vectors: &[S::f32s] = bytemuck::cast_slice(&values[..REGISTERS * S::F32_LANES]);
    std::array::from_fn(|k| vectors[k])
}
