//! Pooling. Shader: `shaders/pool.wgsl`.
//!
//! Pooling a whole image is a window of its size; no kernel of its own.

use super::windows::WindowParams;
use super::{
    Access, Binding, Buf, Element, Kernel, KernelSpec, Recording, Windows, row_stride,
    shader_struct,
};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "pool",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/windows.wgsl"),
        include_str!("../../shaders/pool.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: PoolParams::SPEC,
    compiled_for: None,
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
    twin,
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

impl PoolLayer {
    /// Values an image it gives.
    pub fn outputs(&self) -> usize {
        self.windows.outputs()
    }
}

impl Recording {
    /// One value a window of `images`: `x` is `[images, row_stride(inputs)]`, the result
    /// `[images, row_stride(outputs)]`.
    pub fn pool(&mut self, x: Buf<f32>, images: usize, layer: &PoolLayer) -> Buf<f32> {
        let windows = &layer.windows;
        let x_stride = row_stride(windows.inputs());
        let y_stride = row_stride(windows.outputs());
        assert_eq!(
            x.len(),
            images * x_stride,
            "pool: x is [images, row_stride(inputs)]"
        );
        let params = PoolParams {
            windows: windows.params(),
            fours: (images * y_stride / 4) as u32,
            pooling: layer.pooling as u32,
        };
        let inputs = [self.id(x)];
        let workgroups = params.fours.div_ceil(WORKGROUP_SIZE) as usize;
        let y = ("pool.y", images * y_stride);
        self.command(Kernel::Pool, params, &inputs, y, workgroups)
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params: PoolParams = *bytemuck::from_bytes(bytemuck::cast_slice(params));
    let x: &[f32] = bytemuck::cast_slice(inputs[0]);
    let y: &mut [f32] = bytemuck::cast_slice_mut(output);
    let windows = params.windows;
    let channels = windows.channels as usize;
    let largest = params.pooling == Pooling::Max as u32;
    y.par_chunks_exact_mut(windows.y_stride as usize)
        .zip(x.par_chunks_exact(windows.x_stride as usize))
        .for_each(|(y, x)| {
            let values = &mut y[..windows.values as usize];
            for (pixel, pooled) in values.chunks_exact_mut(channels).enumerate() {
                let inside = windows.inside(pixel);
                let count = (inside.rows.len() * inside.columns.len()) as f32;
                pooled.fill(if largest { f32::MIN } else { 0.0 });
                for row in inside.rows.clone() {
                    for column in inside.columns.clone() {
                        let at = windows.word(&inside, row, column);
                        let levels = pooled.iter_mut().zip(&x[at..][..channels]);
                        if largest {
                            levels.for_each(|(value, &level)| *value = level.max(*value));
                        } else {
                            levels.for_each(|(value, level)| *value += level);
                        }
                    }
                }
                if !largest {
                    pooled.iter_mut().for_each(|value| *value /= count);
                }
            }
        });
}
