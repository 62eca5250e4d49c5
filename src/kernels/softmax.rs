//! Logits to probabilities, at a network's end and inside it. Shader: `shaders/softmax.wgsl`.

use super::{
    Access, Binding, Buf, Element, Kernel, KernelLayer, KernelSpec, Recording, case, row_stride,
    shader_struct,
};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "softmax",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/softmax.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: SoftmaxParams::SPEC,
    compiled_for: &[],
    constants: &[],
    bindings: &[
        Binding {
            name: "logits",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "probabilities",
            access: Access::ReadWrite,
            element: Element::F32,
        },
    ],
    // Largest, difference, power, sum, quotient.
    flop: |_| 5,
    twin,
    case,
};

shader_struct! {
    /// Parameters of the softmax kernel.
    struct SoftmaxParams {
        /// Groups of all rows.
        groups: u32,
        /// Groups a row.
        row_groups: u32,
        /// Values a group.
        classes: u32,
        /// Values between rows of logits.
        logits_stride: u32,
        /// Values between rows of probabilities.
        stride: u32,
    }
}

/// A softmax of each of several groups of neighbouring values, as attention weighs its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoftmaxLayer {
    /// Groups a row.
    pub groups: usize,
    /// Values a group, which add up to 1.
    pub classes: usize,
}

impl KernelLayer for SoftmaxLayer {
    fn kernel(&self) -> Kernel {
        Kernel::Softmax
    }

    fn outputs(&self) -> usize {
        self.groups * self.classes
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.softmax_of_groups(takes[0], rows, *self)
    }
}

impl Recording {
    /// Probabilities `[rows, classes]`, packed, of logits `[rows, row_stride(classes)]`.
    pub fn softmax(&mut self, logits: Buf<f32>, rows: usize, classes: usize) -> Buf<f32> {
        let layer = SoftmaxLayer { groups: 1, classes };
        self.softmax_strided(logits, rows, layer, classes)
    }

    /// The softmax of each group of a row: `x` and the result are `[rows, row_stride(outputs)]`.
    pub fn softmax_of_groups(&mut self, x: Buf<f32>, rows: usize, layer: SoftmaxLayer) -> Buf<f32> {
        self.softmax_strided(x, rows, layer, row_stride(layer.outputs()))
    }

    fn softmax_strided(
        &mut self,
        logits: Buf<f32>,
        rows: usize,
        layer: SoftmaxLayer,
        stride: usize,
    ) -> Buf<f32> {
        let logits_stride = row_stride(layer.outputs());
        assert_eq!(
            logits.len(),
            rows * logits_stride,
            "softmax: logits are [rows, row_stride(values)]"
        );
        let groups = rows * layer.groups;
        let params = SoftmaxParams {
            groups: groups as u32,
            row_groups: layer.groups as u32,
            classes: layer.classes as u32,
            logits_stride: logits_stride as u32,
            stride: stride as u32,
        };
        let inputs = [self.id(logits)];
        let workgroups = groups.div_ceil(WORKGROUP_SIZE as usize);
        let y = ("softmax.probabilities", rows * stride);
        self.command(Kernel::Softmax, params, &inputs, y, workgroups)
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = SoftmaxParams::of(params);
    let (groups, classes) = (params.row_groups as usize, params.classes as usize);
    let logits: &[f32] = bytemuck::cast_slice(inputs[0]);
    let probabilities: &mut [f32] = bytemuck::cast_slice_mut(output);
    probabilities
        .par_chunks_exact_mut(params.stride as usize)
        .zip(logits.par_chunks_exact(params.logits_stride as usize))
        .with_min_len(256usize.div_ceil(groups))
        .for_each(|(row, logits)| {
            let (row, padding) = row.split_at_mut(groups * classes);
            padding.fill(0.0);
            row.copy_from_slice(&logits[..groups * classes]);
            row.chunks_exact_mut(classes).for_each(stable_softmax);
        });
}

/// Turns one group of logits into probabilities, in place.
fn stable_softmax(row: &mut [f32]) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut total = 0.0;
    for value in row.iter_mut() {
        *value = (*value - largest).exp();
        total += *value;
    }
    for value in row {
        *value /= total;
    }
}

/// Logits of any size, and groups of them.
fn case(recording: &mut Recording) -> &'static [bool] {
    let x = case::rows(recording, case::NUM_IMAGES, 3 * 7, 5.0);
    let layer = SoftmaxLayer {
        groups: 3,
        classes: 7,
    };
    let y = recording.softmax_of_groups(x, case::NUM_IMAGES, layer);
    recording.download(y);
    let logits = case::rows(recording, case::COUNT, 5, 30.0);
    case::kept(recording, case::FLOATS, |r| {
        r.softmax(logits, case::COUNT, 5)
    })
}
