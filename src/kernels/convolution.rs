//! The twin of convolutions, of layers whose channels are in groups and of dense layers: their weights as a
//! method reads them, and their images cut into tasks.
//!
//! ```text
//! windows of 3 x 3, a pixel apart ─ winograd.rs ─┐
//! all others ───────────────────── products.rs ─┴─> y
//! ```

use super::Activation;
use super::products::{self, Products};
use super::task::{Method, Task};
use super::windows::WindowParams;
use super::winograd::{self, Winograd};
use rayon::prelude::*;

/// Products that are worth a task of their own.
const TASK_PRODUCTS: usize = 1 << 22;
/// Pixels for which it is worth fetching all weights.
const TASK_PIXELS: usize = 96;

/// A convolution whose channels may be in groups.
pub(super) struct Convolution<'a> {
    pub(super) windows: &'a WindowParams,
    /// By [`arranged`].
    pub(super) weights: &'a [f32],
    /// `[outputs]` at least.
    pub(super) bias: &'a [f32],
    pub(super) activation: Activation,
    /// Whether the largest value of each square of 2 x 2 pixels takes the place of all four; those that
    /// reach over the lower or the right edge are left out.
    pub(super) pooled: bool,
    /// Values between images of y.
    pub(super) y_stride: usize,
}

/// Weights `[taps, stride]`, of which each row's first `outputs` count, as [`Convolution`] reads them.
/// Done once a layer: done in every batch it cost as much as a row of small images.
pub(super) fn arranged(windows: &WindowParams, weights: &[f32], stride: usize) -> Vec<f32> {
    match winograd::suits(windows) {
        true => winograd::in_blocks(windows, weights, stride),
        false => products::in_blocks(windows, weights, stride),
    }
}

impl Convolution<'_> {
    /// `activation(x * W + b + other)` of all images, and zeros behind them.
    pub(super) fn run(&self, x: &[f32], other: Option<&[f32]>, y: &mut [f32]) {
        match winograd::suits(self.windows) {
            true => self.run_by::<Winograd>(x, other, y),
            false => self.run_by::<Products>(x, other, y),
        }
    }

    fn run_by<M: Method>(&self, x: &[f32], other: Option<&[f32]>, y: &mut [f32]) {
        let windows = self.windows;
        let y_stride = self.y_stride;
        let [x_stride, out_pixels, out_width, outputs] = [
            windows.x_stride,
            windows.out_pixels,
            windows.out_width,
            windows.outputs,
        ]
        .map(|n| n as usize);
        // Rows of pixels that make a row of y, and those that make one of its images.
        let side = if self.pooled { 2 } else { 1 };
        let all_rows = out_pixels / out_width / side * side;
        let row_values = out_width / side * outputs;
        let values = all_rows / side * row_values;
        if values < y_stride {
            y.chunks_exact_mut(y_stride)
                .for_each(|y| y[values..].fill(0.0));
        }
        let total = y.len() / y_stride * out_pixels;
        let products = outputs * windows.taps();
        let pixels = (TASK_PRODUCTS / products)
            .max(TASK_PIXELS)
            .min(total.div_ceil(rayon::current_num_threads()));
        let arch = pulp::Arch::new();
        // `first` is where y begins in what it is a part of, and so what is added to it.
        let compute = |method: &mut M, x, rows, first: usize, y: &mut [f32]| {
            let task = Task {
                windows,
                weights: self.weights,
                bias: self.bias,
                activation: self.activation,
                x,
                rows,
                other: other.map(|other| &other[first..][..y.len()]),
                pooled: self.pooled,
                y_stride,
                y,
            };
            method.compute(arch, task);
        };
        if pixels >= out_pixels {
            let images = pixels / out_pixels;
            y.par_chunks_mut(images * y_stride)
                .zip(x.par_chunks(images * x_stride))
                .enumerate()
                .for_each_init(M::default, |method, (task, (y, x))| {
                    compute(method, x, 0..all_rows, task * images * y_stride, y);
                });
            return;
        }
        let together = M::ROWS.max(side);
        let rows = (pixels / out_width)
            .next_multiple_of(together)
            .max(together);
        y.par_chunks_mut(y_stride)
            .zip(x.par_chunks(x_stride))
            .enumerate()
            .for_each(|(image, (y, x))| {
                y[..values]
                    .par_chunks_mut(rows / side * row_values)
                    .enumerate()
                    .for_each_init(M::default, |method, (task, y)| {
                        let first = task * rows;
                        let begin = image * y_stride + first / side * row_values;
                        let rows = first..first + y.len() / row_values * side;
                        compute(method, x, rows, begin, y);
                    });
            });
    }
}
