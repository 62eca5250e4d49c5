//! Products of two values of a network, matrix by matrix: what attention is made of. Shader:
//! `shaders/matmul.wgsl`.
//!
//! Each side says where its values lie ([`Factor`]), so that heads are parts of a row of queries,
//! keys and values that one dense layer gave, and nothing is copied to put them apart, to
//! transpose them or to join them again. The twin is that of a convolution (`products.rs`), whose
//! weights are the second matrix; they change with every row, so they are packed for each product.

use super::products::{Products, in_blocks};
use super::task::{Method, Task};
use super::windows::WindowParams;
use super::{
    Access, Activation, Binding, Buf, Element, Kernel, KernelLayer, KernelSpec, Recording, case,
    row_stride, shader_struct,
};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 64;
/// Rows and columns that one invocation of the shader computes.
const BLOCK: usize = 4;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "matmul",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/matmul.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: MatmulParams::SPEC,
    compiled_for: &[],
    constants: &[&[("BLOCK", BLOCK as i64)]],
    bindings: &[
        Binding {
            name: "a",
            access: Access::Load,
            element: Element::F32,
        },
        Binding {
            name: "b",
            access: Access::Load,
            element: Element::F32,
        },
        Binding {
            name: "y",
            access: Access::ReadWrite,
            element: Element::F32,
        },
    ],
    flop: |params| 2 * u64::from(MatmulParams::of(params).inner),
    twin,
    case,
};

shader_struct! {
    /// Parameters of the matmul kernel.
    struct MatmulParams {
        /// Heads of all rows.
        products: u32,
        /// Heads a row.
        heads: u32,
        /// Rows of a and y.
        rows: u32,
        /// Columns of b and y.
        columns: u32,
        /// Products of a sum.
        inner: u32,
        /// Values between rows of a.
        a_stride: u32,
        /// Where a begins in its row.
        a_start: u32,
        /// Values from a head of a to the next.
        a_head: u32,
        /// Values from a row of a to the next.
        a_row: u32,
        /// Values from one of a sum's to the next.
        a_inner: u32,
        /// Values between rows of b.
        b_stride: u32,
        /// Where b begins in its row.
        b_start: u32,
        /// Values from a head of b to the next.
        b_head: u32,
        /// Values from a column of b to the next.
        b_column: u32,
        /// Values from one of a sum's to the next.
        b_inner: u32,
        /// Values between rows of y.
        y_stride: u32,
        /// Values from a head of y to the next.
        y_head: u32,
        /// Values from a row of y to the next.
        y_row: u32,
        /// What each sum is multiplied by.
        scale: f32,
    }
}

/// One side of a product: where its values lie in a row of the network's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factor {
    /// Values of the row that it is part of.
    pub values: usize,
    /// Where it begins.
    pub start: usize,
    /// Values from one head to the next; 0 where all take the same.
    pub head: usize,
    /// Values from a row of the first side to the next, or from a column of the second.
    pub outer: usize,
    /// Values from one of a sum's to the next.
    pub inner: usize,
}

impl Factor {
    /// The last value that is looked at.
    fn last(&self, heads: usize, outer: usize, inner: usize) -> usize {
        self.start + (heads - 1) * self.head + (outer - 1) * self.outer + (inner - 1) * self.inner
    }
}

/// `scale a b` for each head: `[rows, inner]` times `[inner, columns]`. The result is
/// `[rows, heads, columns]`: heads stand side by side in it, as the layer behind attention takes
/// them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatmulLayer {
    /// Products a row.
    pub heads: usize,
    /// Rows of the first matrix.
    pub rows: usize,
    /// Products of a sum.
    pub inner: usize,
    /// Columns of the second matrix.
    pub columns: usize,
    /// The first matrix of each head.
    pub a: Factor,
    /// The second one.
    pub b: Factor,
    /// What each sum is multiplied by.
    pub scale: f32,
}

impl KernelLayer for MatmulLayer {
    fn kernel(&self) -> Kernel {
        Kernel::Matmul
    }

    fn outputs(&self) -> usize {
        self.heads * self.rows * self.columns
    }

    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32> {
        recording.matmul(takes[0], takes[1], rows, self)
    }
}

impl Recording {
    /// Products of matrices in rows of two values: `a` is `[inputs, row_stride(layer.a.values)]`,
    /// `b` `[inputs, row_stride(layer.b.values)]`, the result `[inputs, row_stride(outputs)]`. They
    /// may be one.
    ///
    /// # Panics
    /// When a side reaches beyond its row, or a size is 0.
    pub fn matmul(
        &mut self,
        a: Buf<f32>,
        b: Buf<f32>,
        inputs: usize,
        layer: &MatmulLayer,
    ) -> Buf<f32> {
        let MatmulLayer {
            heads,
            rows,
            inner,
            columns,
            scale,
            ..
        } = *layer;
        for (side, buf, outer) in [(layer.a, a, rows), (layer.b, b, columns)] {
            assert_eq!(
                buf.len(),
                inputs * row_stride(side.values),
                "matmul: a and b are [inputs, row_stride(values)]"
            );
            assert!(
                side.last(heads, outer, inner) < side.values,
                "matmul: a and b lie inside their rows"
            );
        }
        let y_stride = row_stride(layer.outputs());
        let params = MatmulParams {
            products: (inputs * heads) as u32,
            heads: heads as u32,
            rows: rows as u32,
            columns: columns as u32,
            inner: inner as u32,
            a_stride: row_stride(layer.a.values) as u32,
            a_start: layer.a.start as u32,
            a_head: layer.a.head as u32,
            a_row: layer.a.outer as u32,
            a_inner: layer.a.inner as u32,
            b_stride: row_stride(layer.b.values) as u32,
            b_start: layer.b.start as u32,
            b_head: layer.b.head as u32,
            b_column: layer.b.outer as u32,
            b_inner: layer.b.inner as u32,
            y_stride: y_stride as u32,
            y_head: columns as u32,
            y_row: (heads * columns) as u32,
            scale,
        };
        let taken = [self.id(a), self.id(b)];
        let blocks = rows.div_ceil(BLOCK) * columns.div_ceil(BLOCK);
        let workgroups = (inputs * heads * blocks).div_ceil(WORKGROUP_SIZE as usize);
        let y = ("matmul.y", inputs * y_stride);
        self.command(Kernel::Matmul, params, &taken, y, workgroups)
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = MatmulParams::of(params);
    let [a, b] = [0, 1].map(|i| bytemuck::cast_slice::<u32, f32>(inputs[i]));
    let y: &mut [f32] = bytemuck::cast_slice_mut(output);
    let [rows, columns, inner] = [params.rows, params.columns, params.inner].map(|n| n as usize);
    let [a_row, a_inner] = [params.a_row, params.a_inner].map(|n| n as usize);
    let [b_column, b_inner] = [params.b_column, params.b_inner].map(|n| n as usize);
    // Rows of a that are whole are read where they lie.
    let in_place = a_inner == 1 && a_row >= inner;
    let x_stride = if in_place { a_row } else { inner };
    let windows = WindowParams {
        outputs: params.columns,
        values: params.columns,
        fan: params.columns,
        ..WindowParams::of_rows(params.inner, x_stride as u32, params.y_row)
    };
    let bias = vec![0.0; columns];
    let arch = pulp::Arch::new();
    y.par_chunks_exact_mut(params.y_stride as usize)
        .zip(a.par_chunks_exact(params.a_stride as usize))
        .zip(b.par_chunks_exact(params.b_stride as usize))
        .for_each_init(<(Products, Vec<f32>)>::default, |scratch, ((y, a), b)| {
            let (products, packed) = scratch;
            y[params.heads as usize * rows * columns..].fill(0.0);
            for head in 0..params.heads as usize {
                let a = &a[params.a_start as usize + head * params.a_head as usize..];
                let b = &b[params.b_start as usize + head * params.b_head as usize..];
                packed.clear();
                for k in 0..inner {
                    let row = &b[k * b_inner..];
                    packed.extend((0..columns).map(|j| params.scale * row[j * b_column]));
                }
                let weights = in_blocks(&windows, packed, columns);
                packed.clear();
                let x = if in_place {
                    &a[..(rows - 1) * a_row + inner]
                } else {
                    for i in 0..rows {
                        let row = &a[i * a_row..];
                        packed.extend((0..inner).map(|k| row[k * a_inner]));
                    }
                    &packed[..]
                };
                let task = Task {
                    windows: &windows,
                    weights: &weights,
                    bias: &bias,
                    activation: Activation::Linear,
                    x,
                    rows: 0..1,
                    other: None,
                    pooled: false,
                    y_stride: params.y_row as usize,
                    y: &mut y[head * params.y_head as usize..],
                };
                products.compute(arch, task);
            }
        });
}

/// Two heads of one row of queries and keys, and a row by a transposed one.
fn case(recording: &mut Recording) -> &'static [bool] {
    let x = case::rows(recording, case::NUM_IMAGES, 5 * 12, 1.0);
    let of = |start, head, outer, inner| Factor {
        values: 5 * 12,
        start,
        head,
        outer,
        inner,
    };
    let scores = MatmulLayer {
        heads: 2,
        rows: 5,
        inner: 3,
        columns: 5,
        a: of(0, 3, 12, 1),
        b: of(6, 3, 12, 1),
        scale: 0.5,
    };
    let y = recording.matmul(x, x, case::NUM_IMAGES, &scores);
    recording.download(y);
    let turned = MatmulLayer {
        heads: 1,
        rows: 12,
        inner: 5,
        columns: 7,
        a: of(0, 0, 1, 12),
        b: of(3, 0, 1, 12),
        scale: 1.0,
    };
    case::kept(recording, case::FLOATS, |r| {
        r.matmul(x, x, case::NUM_IMAGES, &turned)
    })
}
