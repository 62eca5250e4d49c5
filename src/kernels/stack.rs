//! Four values that a sample needs, side by side. Shader: `shaders/stack.wgsl`.
//!
//! A stack is four times as much memory as its value, but there are few sources and many
//! samples of each.

use super::{Access, Binding, Buf, Element, Kernel, KernelSpec, Recording, case, shader_struct};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "stack",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/stack.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: StackParams::SPEC,
    compiled_for: None,
    constants: &[],
    bindings: &[
        Binding {
            name: "values",
            access: Access::Load,
            element: Element::F32,
        },
        Binding {
            name: "stacks",
            access: Access::ReadWrite,
            element: Element::Vec4F32,
        },
    ],
    flop: |_| 0,
    twin,
    case,
};

shader_struct! {
    /// Parameters of the stack kernel.
    struct StackParams {
        /// Stacks in all.
        stacks: u32,
        /// Values a plane.
        plane: u32,
        /// Planes a source.
        channels: u32,
        /// Words between sources.
        source_stride: u32,
        /// Words between channels.
        channel_stride: u32,
        /// Words between values of a plane.
        step: u32,
        /// From a stack's first value to its second, in values of the plane.
        second: u32,
        /// To its third.
        third: u32,
        /// To its fourth.
        fourth: u32,
    }
}

/// Sources of `channels` planes of `rows` times `row` values each, and where they lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planes {
    /// Planes a source.
    pub(super) channels: usize,
    /// Values a row.
    pub(super) row: usize,
    /// Rows a plane.
    pub(super) rows: usize,
    /// Words from a source to the next.
    pub(super) source_stride: usize,
    /// Words from a channel to the next.
    pub(super) channel_stride: usize,
    /// Words from a value to the next of its row.
    pub(super) step: usize,
}

impl Recording {
    /// Of each value of `count` sources a stack of four: itself and the values `reach` places
    /// further in its plane, `[count, channels, rows, row, 4]`. A stack that would reach beyond
    /// its plane has the plane's last value there.
    pub(super) fn stack(
        &mut self,
        values: Buf<f32>,
        count: usize,
        planes: Planes,
        reach: [usize; 3],
    ) -> Buf<[f32; 4]> {
        let plane = planes.row * planes.rows;
        let stacks = count * planes.channels * plane;
        let [second, third, fourth] = reach.map(|places| places as u32);
        let params = StackParams {
            stacks: stacks as u32,
            plane: plane as u32,
            channels: planes.channels as u32,
            source_stride: planes.source_stride as u32,
            channel_stride: planes.channel_stride as u32,
            step: planes.step as u32,
            second,
            third,
            fourth,
        };
        let inputs = [self.id(values)];
        let workgroups = stacks.div_ceil(WORKGROUP_SIZE as usize);
        self.command(
            Kernel::Stack,
            params,
            &inputs,
            ("stack.stacks", stacks),
            workgroups,
        )
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = StackParams::of(params);
    let values: &[f32] = bytemuck::cast_slice(inputs[0]);
    let stacks: &mut [[f32; 4]] = bytemuck::cast_slice_mut(output);
    let [channels, plane, step] = [params.channels, params.plane, params.step].map(|n| n as usize);
    let [source_stride, channel_stride] =
        [params.source_stride, params.channel_stride].map(|n| n as usize);
    let reach = [0, params.second, params.third, params.fourth].map(|n| n as usize);
    stacks
        .par_chunks_exact_mut(plane)
        .enumerate()
        .for_each(|(number, stacks)| {
            let (source, channel) = (number / channels, number % channels);
            let values = &values[source * source_stride + channel * channel_stride..];
            for (at, stack) in stacks.iter_mut().enumerate() {
                *stack = reach.map(|places| values[(at + places).min(plane - 1) * step]);
            }
        });
}

/// Four values each of two images.
fn case(recording: &mut Recording) -> &'static [bool] {
    let images = case::images(recording);
    let [rows, row, channels] = case::SHAPE;
    let pixels = Planes {
        channels,
        row,
        rows,
        source_stride: super::row_stride(rows * row * channels),
        channel_stride: 1,
        step: channels,
    };
    case::kept(recording, case::BITS, |r| {
        r.stack(images, 2, pixels, [1, row, row + 1])
    })
}
