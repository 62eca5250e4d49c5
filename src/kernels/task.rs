//! A part of a convolution that one thread computes, whichever way it does.

use super::Activation;
use super::windows::WindowParams;
use std::ops::Range;

/// Some rows of output pixels of each of some images.
pub(super) struct Task<'a> {
    pub(super) windows: &'a WindowParams,
    /// As the [`Method`] reads them.
    pub(super) weights: &'a [f32],
    /// `[outputs]` at least.
    pub(super) bias: &'a [f32],
    pub(super) activation: Activation,
    /// `[images, x_stride]`
    pub(super) x: &'a [f32],
    pub(super) rows: Range<usize>,
    /// What is added, where y is; nothing where squares are taken together.
    pub(super) other: Option<&'a [f32]>,
    /// Whether y holds the largest value of each square of 2 x 2 pixels; rows are even then.
    pub(super) pooled: bool,
    /// Values between images of y.
    pub(super) y_stride: usize,
    /// From the first row's first value on.
    pub(super) y: &'a mut [f32],
}

/// A way to compute tasks. Its value is memory that a thread's tasks share.
pub(super) trait Method: Default {
    /// Rows of output pixels that are computed together.
    const ROWS: usize;

    /// `activation(x * W + b + other)`, computed with the instructions of `arch`.
    fn compute(&mut self, arch: pulp::Arch, task: Task<'_>);
}
