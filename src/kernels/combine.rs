//! The product of two values, the larger of them or the first divided by the other, where the second may hold one value for many:
//! one a channel, one a pixel. Shader: `shaders/combine.wgsl`. Sums are the elementwise kernel's.

use super::activation::{ACTIVATION, ActivationParams};
use super::{
    Access, Activation, Binding, Buf, Element, Kernel, KernelLayer, KernelSpec, Recording, case,
    row_stride, shader_struct,
};
use rayon::prelude::*;
use std::mem::offset_of;
use std::sync::Arc;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "combine",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/activation.wgsl"),
        include_str!("../../shaders/combine.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: CombineParams::SPEC,
    compiled_for: &[(
        ACTIVATION,
        offset_of!(CombineParams, activation) / size_of::<u32>(),
    )],
    constants: &[&[
        ("LARGER", Combining::Larger as i64),
        ("QUOTIENT", Combining::Quotient as i64),
    ]],
    bindings: &[
        Binding {
            name: "x",
            access: Access::Read,
            element: Element::Vec4F32,
        },
        Binding {
            name: "other",
            access: Access::Load,
            element: Element::F32,
        },
        Binding {
            name: "y",
            access: Access::ReadWrite,
            element: Element::Vec4F32,
        },
    ],
    flop: |_| 1,
    twin,
    case,
};

shader_struct! {
    /// Parameters of the combine kernel.
    struct CombineParams {
        /// What comes last.
        activation: ActivationParams,
        /// Vec4s of y.
        fours: u32,
        /// Vec4s between rows of x and y.
        stride: u32,
        /// Values between rows of other.
        other_stride: u32,
        /// Values in a row of x that take the same value of other.
        repeat: u32,
        /// Values of other before they begin again.
        period: u32,
        /// Values a row of x, without its padding.
        values: u32,
        /// A [`Combining`].
        combining: u32,
    }
}

/// What is made of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Combining {
    /// Their product.
    Product = 0,
    /// The larger one.
    Larger = 1,
    /// The first divided by the other.
    Quotient = 2,
}

/// `activation(x * other)`, or of the larger of the two, or of `x / other`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CombineLayer {
    /// Values a row of x and of the result.
    pub values: usize,
    /// Values a row of other: value `k` of x takes value `k / repeat % others` of it.
    pub others: usize,
    /// Neighbours in x that take the same value of other.
    pub repeat: usize,
    /// What is made of the two.
    pub combining: Combining,
    /// What the result goes through.
    pub activation: Activation,
}

impl KernelLayer for CombineLayer {
    fn kernel(&self) -> Kernel {
        Kernel::Combine
    }

    fn outputs(&self) -> usize {
        self.values
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.combine(takes[0], takes[1], rows, self)
    }

    fn activated(&self, activation: Activation) -> Option<Arc<dyn KernelLayer>> {
        Some(Arc::new(Self {
            activation,
            ..*self
        }))
    }
}

impl Recording {
    /// Two values made one: `x` is `[rows, row_stride(values)]`, `other`
    /// `[rows, row_stride(others)]`.
    pub fn combine(
        &mut self,
        x: Buf<f32>,
        other: Buf<f32>,
        rows: usize,
        layer: &CombineLayer,
    ) -> Buf<f32> {
        let [stride, other_stride] = [layer.values, layer.others].map(row_stride);
        assert_eq!(
            [x.len(), other.len()],
            [rows * stride, rows * other_stride],
            "combine: x is [rows, row_stride(values)], other [rows, row_stride(others)]"
        );
        let params = CombineParams {
            fours: (rows * stride / 4) as u32,
            stride: stride as u32 / 4,
            other_stride: other_stride as u32,
            repeat: layer.repeat as u32,
            period: layer.others as u32,
            values: layer.values as u32,
            combining: layer.combining as u32,
            activation: layer.activation.params(),
        };
        let inputs = [self.id(x), self.id(other)];
        let workgroups = params.fours.div_ceil(WORKGROUP_SIZE) as usize;
        let y = ("combine.y", rows * stride);
        self.command(Kernel::Combine, params, &inputs, y, workgroups)
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = CombineParams::of(params);
    let [x, other] = [0, 1].map(|i| bytemuck::cast_slice::<u32, f32>(inputs[i]));
    let y: &mut [f32] = bytemuck::cast_slice_mut(output);
    let [stride, others] = [4 * params.stride, params.other_stride].map(|n| n as usize);
    let [repeat, period] = [params.repeat, params.period].map(|n| n as usize);
    let activation = Activation::of(params.activation);
    let combining = match params.combining {
        number if number == Combining::Larger as u32 => Combining::Larger,
        number if number == Combining::Quotient as u32 => Combining::Quotient,
        _ => Combining::Product,
    };
    y.par_chunks_exact_mut(stride)
        .zip(x.par_chunks_exact(stride))
        .zip(other.par_chunks_exact(others))
        .for_each(|((y, x), other)| {
            let values = params.values as usize;
            let other = &other[..period];
            let (own, padding) = y.split_at_mut(values);
            let x = &x[..values];
            match combining {
                Combining::Product => combine(own, x, other, repeat, |a, b| a * b),
                Combining::Larger => combine(own, x, other, repeat, f32::max),
                Combining::Quotient => combine(own, x, other, repeat, |a, b| a / b),
            }
            activation.apply_to(own);
            padding.fill(0.0);
        });
}

/// A row.
fn combine(y: &mut [f32], x: &[f32], other: &[f32], repeat: usize, both: impl Fn(f32, f32) -> f32) {
    if repeat == 1 {
        for (y, x) in y.chunks_mut(other.len()).zip(x.chunks(other.len())) {
            for ((y, x), other) in y.iter_mut().zip(x).zip(other) {
                *y = both(*x, *other);
            }
        }
    } else {
        let same = y.chunks_mut(repeat).zip(x.chunks(repeat));
        for ((y, x), other) in same.zip(other.iter().cycle()) {
            for (y, x) in y.iter_mut().zip(x) {
                *y = both(*x, *other);
            }
        }
    }
}

/// One value a channel, one a pixel, one a value.
fn case(recording: &mut Recording) -> &'static [bool] {
    let x = case::rows(recording, case::COUNT, 30, 3.0);
    let mut both = |others: usize, repeat, combining, activation| {
        let other = case::rows(recording, case::COUNT, others, 2.0);
        let layer = CombineLayer {
            values: 30,
            others,
            repeat,
            combining,
            activation,
        };
        let y = recording.combine(x, other, case::COUNT, &layer);
        recording.download(y);
    };
    // One a channel, one a pixel, one a value.
    both(5, 1, Combining::Product, Activation::Relu);
    both(6, 5, Combining::Product, Activation::Linear);
    both(30, 1, Combining::Larger, Activation::Linear);
    case::FLOATS
}
