//! Logits to probabilities. Shader: `shaders/softmax.wgsl`.

use super::{
    Access, Binding, Buf, Element, Kernel, KernelSpec, Recording, case, row_stride, shader_struct,
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
    compiled_for: None,
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
        /// Number of rows.
        rows: u32,
        /// Values a row.
        classes: u32,
        /// Words between rows of logits.
        logits_stride: u32,
    }
}

impl Recording {
    /// Probabilities `[rows, classes]`, packed, of logits `[rows, row_stride(classes)]`.
    pub fn softmax(&mut self, logits: Buf<f32>, rows: usize, classes: usize) -> Buf<f32> {
        let logits_stride = row_stride(classes);
        assert_eq!(
            logits.len(),
            rows * logits_stride,
            "softmax: logits are [rows, row_stride(classes)]"
        );
        let params = SoftmaxParams {
            rows: rows as u32,
            classes: classes as u32,
            logits_stride: logits_stride as u32,
        };
        let inputs = [self.id(logits)];
        let workgroups = rows.div_ceil(WORKGROUP_SIZE as usize);
        self.command(
            Kernel::Softmax,
            params,
            &inputs,
            ("softmax.probabilities", rows * classes),
            workgroups,
        )
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = SoftmaxParams::of(params);
    let (classes, stride) = (params.classes as usize, params.logits_stride as usize);
    let logits: &[f32] = bytemuck::cast_slice(inputs[0]);
    let probabilities: &mut [f32] = bytemuck::cast_slice_mut(output);
    probabilities
        .par_chunks_exact_mut(classes)
        .zip(logits.par_chunks_exact(stride))
        .with_min_len(256)
        .for_each(|(row, logits)| {
            row.copy_from_slice(&logits[..classes]);
            stable_softmax(row);
        });
}

/// Turns one row of logits into probabilities, in place.
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

/// Logits of any size.
fn case(recording: &mut Recording) -> &'static [bool] {
    let logits = case::rows(recording, case::COUNT, 5, 30.0);
    case::kept(recording, case::FLOATS, |r| {
        r.softmax(logits, case::COUNT, 5)
    })
}
