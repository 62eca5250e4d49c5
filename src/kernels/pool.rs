//! Pooling. Shader: `shaders/pool.wgsl`.
//!
//! Pooling a whole image is a window of its size; no kernel of its own.

use super::vectors::registers;
use super::windows::WindowParams;
use super::{
    Access, Binding, Buf, Element, Kernel, KernelLayer, KernelSpec, Recording, Windows, case,
    shader_struct,
};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "pool",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/windows.wgsl"),
        include_str!("../../shaders/shared/window_values.wgsl"),
        include_str!("../../shaders/pool.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: PoolParams::SPEC,
    compiled_for: &[],
    constants: &[],
    bindings: &[
        Binding {
            name: "x",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "y",
            access: Access::ReadWrite,
            element: Element::Vec4F32,
        },
    ],
    flop: |params| PoolParams::of(params).windows.area(),
    twin,
    case,
};

shader_struct! {
    /// Parameters of the pool kernel.
    struct PoolParams {
        /// How windows move.
        windows: WindowParams,
        /// Vec4s of y.
        fours: u32,
        /// A [`Pooling`].
        pooling: u32,
    }
}

/// Which value of a window is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Pooling {
    /// The largest.
    Max = 0,
    /// The mean.
    Average = 1,
}

/// A pooling layer. Padding takes no part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolLayer {
    /// The windows; each has a pixel in the image, and channels stay.
    pub windows: Windows,
    /// What is taken of them.
    pub pooling: Pooling,
}

impl KernelLayer for PoolLayer {
    fn kernel(&self) -> Kernel {
        Kernel::Pool
    }

    fn outputs(&self) -> usize {
        self.windows.outputs()
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.pool(takes[0], rows, self)
    }
}

impl Recording {
    /// One value a window of `images`: `x` is `[images, row_stride(inputs)]`, the result
    /// `[images, row_stride(outputs)]`.
    pub fn pool(&mut self, x: Buf<f32>, images: usize, layer: &PoolLayer) -> Buf<f32> {
        let windows = &layer.windows;
        let y_len = windows.result_len("pool", x, images);
        let params = PoolParams {
            windows: windows.params(windows.input[2]),
            fours: (y_len / 4) as u32,
            pooling: layer.pooling as u32,
        };
        let inputs = [self.id(x)];
        let workgroups = params.fours.div_ceil(WORKGROUP_SIZE) as usize;
        let y = ("pool.y", y_len);
        self.command(Kernel::Pool, params, &inputs, y, workgroups)
    }
}

/// Values of windows that are worth a task of their own.
const TASK_VALUES: usize = 1 << 16;

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = PoolParams::of(params);
    let x: &[f32] = bytemuck::cast_slice(inputs[0]);
    let y: &mut [f32] = bytemuck::cast_slice_mut(output);
    let windows = params.windows;
    let row_values = (windows.out_width * windows.outputs) as usize;
    let rows_a_task = (TASK_VALUES / (row_values * windows.area() as usize)).max(1);
    let columns: Vec<[usize; 2]> = (0..windows.out_width as usize)
        .map(|column| windows.columns(column))
        .map(|inside| [inside.first, inside.taps.len()])
        .collect();
    let arch = Arch::new();
    y.par_chunks_exact_mut(windows.y_stride as usize)
        .zip(x.par_chunks_exact(windows.x_stride as usize))
        .for_each(|(y, x)| {
            let (own, padding) = y.split_at_mut(windows.values as usize);
            padding.fill(0.0);
            own.par_chunks_mut(rows_a_task * row_values)
                .enumerate()
                .for_each(|(task, y)| {
                    arch.dispatch(Rows {
                        windows: &windows,
                        x,
                        columns: &columns,
                        first: task * rows_a_task,
                        max: params.pooling == Pooling::Max as u32,
                        y,
                    });
                });
        });
}

/// Some rows of output pixels.
struct Rows<'a> {
    windows: &'a WindowParams,
    x: &'a [f32],
    /// Of each output column, the first column of x in its window and how many there are: they are the
    /// same in each row, and finding them takes longer than the rest.
    columns: &'a [[usize; 2]],
    /// The first row's number.
    first: usize,
    max: bool,
    y: &'a mut [f32],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.max {
            true => self.pool(
                simd,
                |a, b| simd.max_f32s(a, b),
                // Not `f32::max`, whose care for NaN costs more than the rest.
                |a, b| if a > b { a } else { b },
            ),
            false => self.pool(simd, |a, b| simd.add_f32s(a, b), |a, b| a + b),
        }
    }
}

impl Rows<'_> {
    /// Gathers each window with `both`, a vector of channels at a time, and with `both_rest` what
    /// no vector holds.
    #[inline(always)]
    fn pool<S: Simd>(
        self,
        simd: S,
        both: impl Fn(S::f32s, S::f32s) -> S::f32s,
        both_rest: impl Fn(f32, f32) -> f32,
    ) {
        let windows = self.windows;
        let channels = windows.channels as usize;
        let x_row = windows.width as usize * channels;
        let down = windows.dilation_y as usize * x_row;
        let across = windows.dilation_x as usize * channels;
        let zero = simd.splat_f32s(0.0);
        let rows = self
            .y
            .chunks_exact_mut(windows.out_width as usize * channels);
        for (y, row) in rows.zip(self.first..) {
            let rows = windows.rows(row);
            let pixels = y.chunks_exact_mut(channels).zip(self.columns);
            for (y, &[first_column, columns]) in pixels {
                let first = rows.first * x_row + first_column * channels;
                let rows = rows.taps.len();
                let factor = 1.0 / (rows * columns) as f32;
                let held = channels / S::F32_LANES * S::F32_LANES;
                let (vectors, rest) = y.split_at_mut(held);
                let vectors: &mut [S::f32s] = bytemuck::cast_slice_mut(vectors);
                for (n, y) in vectors.iter_mut().enumerate() {
                    let at = first + n * S::F32_LANES;
                    let [first] = registers::<S, 1>(&self.x[at..]);
                    // The largest of a value and itself is that value.
                    let mut all = if self.max { first } else { zero };
                    for row in 0..rows {
                        for column in 0..columns {
                            let at = at + row * down + column * across;
                            let [level] = registers::<S, 1>(&self.x[at..]);
                            all = both(all, level);
                        }
                    }
                    *y = match self.max {
                        true => all,
                        false => simd.mul_f32s(all, simd.splat_f32s(factor)),
                    };
                }
                for (c, y) in rest.iter_mut().enumerate() {
                    let at = first + held + c;
                    let mut all = if self.max { self.x[at] } else { 0.0 };
                    for row in 0..rows {
                        for column in 0..columns {
                            all = both_rest(all, self.x[at + row * down + column * across]);
                        }
                    }
                    *y = if self.max { all } else { all * factor };
                }
            }
        }
    }
}

/// Means of padded windows, and maxima of others.
fn case(recording: &mut Recording) -> &'static [bool] {
    let x = case::rows(recording, case::NUM_IMAGES, 7 * 6 * 3, 1.0);
    for (windows, pooling) in case::windows(3)
        .into_iter()
        .zip([Pooling::Average, Pooling::Max])
    {
        let y = recording.pool(x, case::NUM_IMAGES, &PoolLayer { windows, pooling });
        recording.download(y);
    }
    case::FLOATS
}
