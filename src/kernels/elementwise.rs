//! What works value by value: scalings that no neighbour takes in, sums of two values,
//! activations on their own. Shader: `shaders/elementwise.wgsl`.

use super::activation::{ACTIVATION, ActivationParams};
use super::{
    Access, Activation, Binding, Buf, Constant, Element, Kernel, KernelLayer, KernelSpec,
    Recording, case, row_stride, shader_struct,
};
use rayon::prelude::*;
use std::mem::offset_of;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "elementwise",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/activation.wgsl"),
        include_str!("../../shaders/elementwise.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: ElementwiseParams::SPEC,
    compiled_for: &[(
        ACTIVATION,
        offset_of!(ElementwiseParams, activation) / size_of::<u32>(),
    )],
    constants: &[],
    bindings: &[
        Binding {
            name: "x",
            access: Access::Read,
            element: Element::Vec4F32,
        },
        Binding {
            name: "other",
            access: Access::Read,
            element: Element::Vec4F32,
        },
        Binding {
            name: "scale",
            access: Access::Read,
            element: Element::Vec4F32,
        },
        Binding {
            name: "offset",
            access: Access::Read,
            element: Element::Vec4F32,
        },
        Binding {
            name: "y",
            access: Access::ReadWrite,
            element: Element::Vec4F32,
        },
    ],
    // A product and two sums.
    flop: |_| 3,
    twin,
    case,
};

shader_struct! {
    /// Parameters of the elementwise kernel.
    struct ElementwiseParams {
        /// What comes last.
        activation: ActivationParams,
        /// Vec4s of y.
        fours: u32,
        /// Vec4s between rows.
        stride: u32,
        /// Vec4s after which scale and offset repeat.
        period: u32,
        /// 1, or 0 where there is no other value and x is bound in its place.
        other_weight: f32,
    }
}

/// `activation(scale x + offset + other)`
#[derive(Debug, Clone, PartialEq)]
pub struct ElementwiseLayer {
    values: usize,
    /// Whole vec4s, as `offset`; value `i` of a row takes entry `i % len`.
    scale: Constant,
    offset: Constant,
    activation: Activation,
}

impl ElementwiseLayer {
    /// A layer on rows of `values`. Value `i` takes entry `i % len` of scale and offset: one
    /// entry for all, one a channel, or one a value.
    ///
    /// # Panics
    /// When scale and offset are neither one entry nor equally many, or there is none.
    pub fn new(values: usize, scale: &[f32], offset: &[f32], activation: Activation) -> Self {
        let period = scale.len().max(offset.len());
        let repeats = |entries: &[f32]| entries.len() == 1 || entries.len() == period;
        assert!(
            period > 0 && repeats(scale) && repeats(offset),
            "scale and offset are one entry or equally many"
        );
        // The least common multiple of the period and four.
        let whole = match period % 4 {
            0 => period,
            2 => 2 * period,
            _ => 4 * period,
        };
        let repeated =
            |entries: &[f32]| Constant::new(entries.iter().copied().cycle().take(whole).collect());
        Self {
            values,
            scale: repeated(scale),
            offset: repeated(offset),
            activation,
        }
    }
}

impl KernelLayer for ElementwiseLayer {
    fn kernel(&self) -> Kernel {
        Kernel::Elementwise
    }

    fn outputs(&self) -> usize {
        self.values
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.elementwise(takes[0], takes.get(1).copied(), rows, self)
    }
}

impl Recording {
    /// `activation(scale x + offset + other)` of rows `[rows, row_stride(values)]`; without
    /// another value nothing is added.
    pub fn elementwise(
        &mut self,
        x: Buf<f32>,
        other: Option<Buf<f32>>,
        rows: usize,
        layer: &ElementwiseLayer,
    ) -> Buf<f32> {
        let stride = row_stride(layer.values);
        for rows_of_values in [Some(x), other].into_iter().flatten() {
            assert_eq!(
                rows_of_values.len(),
                rows * stride,
                "elementwise: x and other are [rows, row_stride(values)]"
            );
        }
        let scale = self.constant("elementwise.scale", &layer.scale);
        let offset = self.constant("elementwise.offset", &layer.offset);
        let params = ElementwiseParams {
            fours: (rows * stride / 4) as u32,
            stride: stride as u32 / 4,
            period: layer.scale.len() as u32 / 4,
            other_weight: if other.is_some() { 1.0 } else { 0.0 },
            activation: layer.activation.params(),
        };
        let inputs = [x, other.unwrap_or(x), scale, offset].map(|buf| self.id(buf));
        let workgroups = params.fours.div_ceil(WORKGROUP_SIZE) as usize;
        let y = ("elementwise.y", rows * stride);
        self.command(Kernel::Elementwise, params, &inputs, y, workgroups)
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = ElementwiseParams::of(params);
    let [x, other, scale, offset] =
        [0, 1, 2, 3].map(|i| bytemuck::cast_slice::<u32, f32>(inputs[i]));
    let y: &mut [f32] = bytemuck::cast_slice_mut(output);
    let stride = 4 * params.stride as usize;
    let activation = Activation::of(params.activation);
    y.par_chunks_exact_mut(stride)
        .zip(x.par_chunks_exact(stride))
        .zip(other.par_chunks_exact(stride))
        .for_each(|((y, x), other)| {
            let periods = y
                .chunks_mut(scale.len())
                .zip(x.chunks(scale.len()))
                .zip(other.chunks(scale.len()));
            for ((y, x), other) in periods {
                let entries = scale.iter().zip(offset);
                for (((y, x), other), (scale, offset)) in
                    y.iter_mut().zip(x).zip(other).zip(entries)
                {
                    *y = scale * x + offset + params.other_weight * other;
                }
                activation.apply_to(y);
            }
        });
}

/// A scaled sum, and a curve of it.
fn case(recording: &mut Recording) -> &'static [bool] {
    let width = 6;
    let x = case::rows(recording, case::COUNT, width, 3.0);
    let (scale, offset) = (case::values(1, 3), case::values(2, 3));
    let sum = ElementwiseLayer::new(width, &scale, &offset, Activation::Linear);
    let y = recording.elementwise(x, Some(x), case::COUNT, &sum);
    recording.download(y);
    let curve = ElementwiseLayer::new(width, &[1.0], &[0.0], Activation::Gelu);
    case::kept(recording, case::FLOATS, |r| {
        r.elementwise(y, None, case::COUNT, &curve)
    })
}
