//! Pooling. Shader: `shaders/pool.wgsl`.
//!
//! Pooling a whole image is a window of its size; no kernel of its own.

use super::windows::WindowParams;
use super::{
    Access, Binding, Buf, Element, Kernel, KernelLayer, KernelSpec, Recording, Windows, case,
    shader_struct,
};
use pulp::Arch;
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
    compiled_for: None,
    constants: &[],
    bindings: &[
        Binding {
            name: "x",
            access: Access::Load,
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

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = PoolParams::of(params);
    let x: &[f32] = bytemuck::cast_slice(inputs[0]);
    let y: &mut [f32] = bytemuck::cast_slice_mut(output);
    let windows = params.windows;
    let row_values = windows.width as usize * windows.channels as usize;
    let arch = Arch::new();
    y.par_chunks_exact_mut(windows.y_stride as usize)
        .zip(x.par_chunks_exact(windows.x_stride as usize))
        .for_each_init(
            || vec![0.0; row_values],
            |row, (y, x)| {
                let y = &mut y[..windows.values as usize];
                if params.pooling == Pooling::Max as u32 {
                    // Not `f32::max`, whose care for NaN costs more than the rest.
                    let larger = |a: f32, b: f32| if a > b { a } else { b };
                    arch.dispatch(|| pool_image(&windows, x, y, row, larger));
                } else {
                    arch.dispatch(|| pool_image(&windows, x, y, row, |a, b| a + b));
                    divide_by_counts(&windows, y);
                }
            },
        );
}

/// Gathers each window with `both`: down into `row`, `[width, channels]`, and then across.
#[inline(always)]
fn pool_image(
    windows: &WindowParams,
    x: &[f32],
    y: &mut [f32],
    row: &mut [f32],
    both: impl Fn(f32, f32) -> f32 + Copy,
) {
    let [channels, out_width] = [windows.channels, windows.out_width].map(|n| n as usize);
    for (n, y) in y.chunks_exact_mut(out_width * channels).enumerate() {
        let inside = windows.rows(n);
        let mut rows = x[inside.first * row.len()..]
            .chunks_exact(row.len())
            .step_by(windows.dilation_y as usize)
            .take(inside.taps.len());
        row.copy_from_slice(rows.next().expect("a window has a row in the image"));
        for other in rows {
            gather(row, other, both);
        }
        for (column, y) in y.chunks_exact_mut(channels).enumerate() {
            let inside = windows.columns(column);
            let mut pixels = row[inside.first * channels..]
                .chunks_exact(channels)
                .step_by(windows.dilation_x as usize)
                .take(inside.taps.len());
            y.copy_from_slice(pixels.next().expect("a window has a column in the image"));
            for other in pixels {
                gather(y, other, both);
            }
        }
    }
}

#[inline(always)]
fn gather(values: &mut [f32], others: &[f32], both: impl Fn(f32, f32) -> f32) {
    for (value, &other) in values.iter_mut().zip(others) {
        *value = both(*value, other);
    }
}

/// Sums to means.
fn divide_by_counts(windows: &WindowParams, sums: &mut [f32]) {
    for (pixel, sums) in sums.chunks_exact_mut(windows.channels as usize).enumerate() {
        let out_width = windows.out_width as usize;
        let rows = windows.rows(pixel / out_width).taps.len();
        let columns = windows.columns(pixel % out_width).taps.len();
        let count = (rows * columns) as f32;
        sums.iter_mut().for_each(|sum| *sum /= count);
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
