//! Probabilities of classes from those of each pair of them, as support vector machines answer. Shader:
//! `shaders/coupling.wgsl`.
//!
//! The sum of squares has one least, but libsvm ends its way there at an error of 0.005 through the
//! number of classes, so that its answers hang on the way: it is gone here step by step.

use super::support_vectors::pair;
use super::{
    Access, Binding, Buf, Element, Kernel, KernelLayer, KernelSpec, Recording, case, row_stride,
    shader_struct,
};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;
/// Rounds at most, where there are no more classes.
const ROUNDS: usize = 100;
/// The least probability of a pair.
const LEAST: f32 = 1e-7;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "coupling",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/coupling.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: CouplingParams::SPEC,
    compiled_for: &[],
    constants: &[&[("ROUNDS", ROUNDS as i64)]],
    bindings: &[
        Binding {
            name: "r",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "p",
            access: Access::ReadWrite,
            element: Element::F32,
        },
    ],
    // Two rounds of three sums over the other classes, as most rows take.
    flop: |params| 6 * 6 * u64::from(CouplingParams::of(params).classes),
    twin,
    case,
};

shader_struct! {
    /// Parameters of the coupling kernel.
    struct CouplingParams {
        /// Number of rows.
        rows: u32,
        /// Values between rows of r.
        r_stride: u32,
        /// Values between rows of p.
        p_stride: u32,
        /// Number of classes.
        classes: u32,
    }
}

/// Probabilities of so many classes from those of each pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CouplingLayer {
    /// Classes a row, two and more.
    pub classes: usize,
}

impl CouplingLayer {
    /// Pairs a row.
    pub fn pairs(&self) -> usize {
        self.classes * (self.classes - 1) / 2
    }
}

impl KernelLayer for CouplingLayer {
    fn kernel(&self) -> Kernel {
        Kernel::Coupling
    }

    fn outputs(&self) -> usize {
        self.classes
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.coupling(takes[0], rows, *self)
    }
}

impl Recording {
    /// Probabilities `[rows, row_stride(classes)]` of those of the first of each pair of classes,
    /// `[rows, row_stride(pairs)]`.
    pub fn coupling(&mut self, r: Buf<f32>, rows: usize, layer: CouplingLayer) -> Buf<f32> {
        let [r_stride, p_stride] = [layer.pairs(), layer.classes].map(row_stride);
        assert_eq!(
            r.len(),
            rows * r_stride,
            "coupling: r is [rows, row_stride(pairs)]"
        );
        let params = CouplingParams {
            rows: rows as u32,
            r_stride: r_stride as u32,
            p_stride: p_stride as u32,
            classes: layer.classes as u32,
        };
        let inputs = [self.id(r)];
        let workgroups = params.rows.div_ceil(WORKGROUP_SIZE) as usize;
        let p = ("coupling.p", rows * p_stride);
        self.command(Kernel::Coupling, params, &inputs, p, workgroups)
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = CouplingParams::of(params);
    let classes = params.classes as usize;
    let r: &[f32] = bytemuck::cast_slice(inputs[0]);
    let p: &mut [f32] = bytemuck::cast_slice_mut(output);
    p.par_chunks_exact_mut(params.p_stride as usize)
        .zip(r.par_chunks_exact(params.r_stride as usize))
        .with_min_len(64)
        .for_each(|(p, r)| {
            let (p, padding) = p.split_at_mut(classes);
            padding.fill(0.0);
            couple(r, p);
        });
}

/// The probabilities of one row.
fn couple(r: &[f32], p: &mut [f32]) {
    let classes = p.len();
    // Entry (a, a) of the matrix Q, and entry a of Q p.
    let slope = |p: &[f32], a: usize| {
        let (mut own, mut rest) = (0.0, 0.0);
        for (b, p) in p.iter().enumerate().filter(|&(b, _)| b != a) {
            let of_first = r[pair(classes, a.min(b), a.max(b))].clamp(LEAST, 1.0 - LEAST);
            let of_b = if a < b { 1.0 - of_first } else { of_first };
            own += of_b * of_b;
            rest += of_b * (1.0 - of_b) * p;
        }
        (own, own * p[a] - rest)
    };
    p.fill(1.0 / classes as f32);
    for _ in 0..ROUNDS.max(classes) {
        let mut all: f32 = (0..classes).map(|a| p[a] * slope(p, a).1).sum();
        let errors = (0..classes).map(|a| (slope(p, a).1 - all).abs());
        if errors.fold(0.0, f32::max) < 0.005 / classes as f32 {
            break;
        }
        for a in 0..classes {
            let (own, slope) = slope(p, a);
            let step = (all - slope) / own;
            p[a] += step;
            all = (all + step * (step * own + 2.0 * slope)) / (1.0 + step) / (1.0 + step);
            p.iter_mut().for_each(|p| *p /= 1.0 + step);
        }
    }
}

/// Four classes, of any probabilities.
fn case(recording: &mut Recording) -> &'static [bool] {
    let layer = CouplingLayer { classes: 4 };
    let stride = row_stride(layer.pairs());
    let r: Vec<f32> = (case::values(1, case::COUNT * stride).iter())
        .map(|value| 0.5 + 0.49 * value)
        .collect();
    let r = recording.upload("case.r", &r);
    case::kept(recording, case::FLOATS, |recording| {
        recording.coupling(r, case::COUNT, layer)
    })
}
