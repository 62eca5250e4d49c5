//! A small job for each kernel, on which a device is held against the twins before the kernel is
//! used (`engine/self_test.rs`).
//!
//! Sizes are small, no multiple of a workgroup or of four, and the same every time. No value
//! hangs on the last bit: walkers keep clear of the borders of cells, and levels vary slowly.
//! Each stands beside its kernel; here is what they share.

use super::{Buf, Recording, Span, Walker, Windows, philox, row_stride};
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
pub(super) const FLOATS: &[bool] = &[true];
/// Whole numbers, or floats that are equal to the bit.
pub(super) const BITS: &[bool] = &[false];
/// A walker that moves in floats: two coordinates, its start, its number and its steps.
pub(super) const WALKERS: &[bool] = &[true, true, true, true, false, false];

pub(super) const SPAN: Span = Span {
    seed: 0x0123_4567_89ab_cdef,
    first_step: 3,
    steps: 6,
};

/// Columns and rows of the grids that walkers stand on, and one of its points.
pub(super) const COLUMNS: usize = 7;
pub(super) const ROWS: usize = 5;
pub(super) const SINK: usize = 3 * COLUMNS + 5;

/// One more than a workgroup of walkers, and than a block of rows.
pub(super) const COUNT: usize = 65;

/// Records something and asks for what it gives.
pub(super) fn kept<T: Pod>(
    recording: &mut Recording,
    is_float: &'static [bool],
    record: impl FnOnce(&mut Recording) -> Buf<T>,
) -> &'static [bool] {
    let buf = record(recording);
    recording.download(buf);
    is_float
}

/// Numbers from -1 to 1 that look random.
pub(super) fn values(stream: u32, count: usize) -> Vec<f32> {
    (0..count as u32)
        .map(|n| {
            let [word, ..] = philox([n, stream, 0, 0], [1, 2]);
            (word >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

/// Rows of such numbers, times `scale`, padded with zeros.
pub(super) fn rows(recording: &mut Recording, count: usize, width: usize, scale: f32) -> Buf<f32> {
    let mut padded = Vec::new();
    for row in values(0, count * width).chunks_exact(width) {
        padded.extend(row.iter().map(|value| scale * value));
        padded.resize(padded.len().next_multiple_of(row_stride(width)), 0.0);
    }
    recording.upload("case.x", &padded)
}

pub(super) const SHAPE: [usize; 3] = [11, 9, 3];

/// Two images of smooth levels.
pub(super) fn images(recording: &mut Recording) -> Buf<f32> {
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

/// Windows of 3 x 3 with padding, and of 3 x 2 that leave pixels out, to so many channels.
pub(super) fn windows(channels: usize) -> [Windows; 2] {
    let padded = Windows {
        input: [7, 6, 3],
        output: [7, 6, channels],
        size: [3, 3],
        stride: [1, 1],
        before: [1, 1],
        dilation: [1, 1],
    };
    let strided = Windows {
        input: [7, 6, 3],
        output: [3, 3, channels],
        size: [3, 2],
        stride: [2, 2],
        before: [0, 0],
        dilation: [1, 1],
    };
    [padded, strided]
}

pub(super) const NUM_IMAGES: usize = 3;

/// Walkers all over the grid, with numbers from 1000 on, `aside` from its points.
pub(super) fn starts(aside: f32) -> Vec<Walker> {
    (0..COUNT)
        .map(|n| {
            let place = [n % COLUMNS, n / COLUMNS % ROWS].map(|at| at as f32 + aside);
            Walker::at(place, 1000 + n as u32)
        })
        .collect()
}

/// Walkers that have come from somewhere, some of them not so far as the others.
pub(super) fn wanderers() -> Vec<Walker> {
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
