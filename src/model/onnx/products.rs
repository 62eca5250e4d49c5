//! Products of matrices: dense layers, by a constant, and those of two values, of which attention
//! is made.

use super::node::{float, has, int};
use super::reader::{Read, Reader};
use super::value::{Axis, Part, Source, Value, merged, size_of, split};
use crate::kernels::{Factor, MatmulLayer};
use crate::model::layer::Op;
use crate::model::one_kernel::Matmul;
use rten_onnx::onnx::NodeProto;
use std::sync::Arc;

impl Reader<'_> {
    /// `alpha A B + beta C`, of which B and C are constants.
    pub(super) fn gemm(&mut self, node: &NodeProto) -> Read<Value> {
        let (from, weights) = (self.value(node, 0)?, self.value(node, 1)?);
        if int(node, "transA", 0) != 0 || from.rank() != 2 {
            return Err("a matrix turned around".into());
        }
        let weights = match int(node, "transB", 0) {
            0 => Some(weights),
            _ => weights.transposed(&[1, 0]),
        };
        let weights = weights.filter(|weights| weights.is_constant() && weights.rank() == 2);
        let weights = weights.ok_or("a product of two values")?;
        let outputs = size_of(&weights.axes[1]);
        let (alpha, beta) = (float(node, "alpha", 1.0), float(node, "beta", 1.0));
        let bias = match has(node, 2) {
            true => {
                let bias = self.value(node, 2)?;
                // One for each row would be one for each of the batch.
                if bias.rank() == 2 && size_of(&bias.axes[0]) != 1 {
                    return Err(format!("a bias of shape {:?}", bias.sizes()));
                }
                self.floats(node, 2)?
            }
            false => vec![0.0],
        };
        let bias = match bias.len() {
            1 => vec![beta * bias[0]; outputs],
            count if count == outputs => bias.iter().map(|b| beta * b).collect(),
            _ => return Err("a bias of another length".into()),
        };
        self.dense(node, &from, 1, &weights, (alpha, bias))
    }

    pub(super) fn matmul(&mut self, node: &NodeProto) -> Read<Value> {
        let (a, b) = (self.value(node, 0)?, self.value(node, 1)?);
        match (a.is_constant(), b.is_constant()) {
            (true, true) => Err("a product of two constants".into()),
            // A column, which leaves no axis behind.
            (false, true) if b.rank() == 1 => {
                let weights = b.with_axis(1).ok_or_else(|| of_shape(&b))?;
                let axis = a.rank().checked_sub(1).ok_or("a single number")?;
                let value = self.dense(node, &a, axis, &weights, (1.0, vec![0.0]))?;
                Ok(value.without_axis(axis).ok_or("more than a column")?)
            }
            (false, true) => {
                let weights = matrix(&b).ok_or_else(|| of_shape(&b))?;
                let outputs = size_of(&weights.axes[1]);
                let axis = a.rank().checked_sub(1).ok_or("a single number")?;
                self.dense(node, &a, axis, &weights, (1.0, vec![0.0; outputs]))
            }
            // A B = (B' A')'
            (true, false) => {
                let weights = matrix(&a).and_then(|a| a.transposed(&[1, 0]));
                let weights = weights.ok_or_else(|| of_shape(&a))?;
                let outputs = size_of(&weights.axes[1]);
                let axis = b.rank().checked_sub(2).ok_or("a vector")?;
                self.dense(node, &b, axis, &weights, (1.0, vec![0.0; outputs]))
            }
            (false, false) => self.product(node, &a, &b),
        }
    }

    /// A value by weights `[inputs, outputs]` along one of its axes.
    pub(super) fn dense(
        &mut self,
        node: &NodeProto,
        from: &Value,
        axis: usize,
        weights: &Value,
        (alpha, bias): (f32, Vec<f32>),
    ) -> Read<Value> {
        let [inputs, outputs] = [0, 1].map(|axis| size_of(&weights.axes[axis]));
        if size_of(&from.axes[axis]) != inputs {
            let (weights, from) = (weights.sizes(), from.sizes());
            return Err(format!("weights of shape {weights:?} for values {from:?}"));
        }
        let super::constants::Numbers::Floats(mut kernel) = self.numbers(weights)? else {
            return Err("whole numbers in the place of weights".into());
        };
        if alpha != 1.0 {
            kernel.iter_mut().for_each(|weight| *weight *= alpha);
        }
        let (number, mut value, [rows, _]) = self.innermost(node, from, &[axis])?;
        let mut shape = self.shapes[number].clone();
        match shape.last_mut() {
            Some(last) => *last = outputs,
            None => return Err(format!("{rows} rows of no values")),
        }
        let op = Op::Dense {
            inputs,
            kernel,
            bias,
        };
        let number = self.push(node, vec![number], op, shape)?;
        // The others lie as they did, now so many outputs apart.
        let mut order = value.order_as_it_lies((0..value.rank()).filter(|&other| other != axis));
        value.axes[axis] = merged(&[Part {
            size: outputs,
            step: Some(1),
        }]);
        order.extend(value.order_of([axis]));
        Ok(value.relaid(number, &order))
    }

    /// The product of two values, matrix by matrix.
    fn product(&mut self, node: &NodeProto, a: &Value, b: &Value) -> Read<Value> {
        if a.rank() < 2 || b.rank() < 2 {
            return Err("a product with a vector".into());
        }
        if let Some(paired) = Paired::of(a, b) {
            return self.paired(node, &paired);
        }
        let (a, b) = (self.row_by_row(node, a)?, self.row_by_row(node, b)?);
        let paired = Paired::of(&a, &b).ok_or_else(|| {
            let (a, b) = (a.sizes(), b.sizes());
            format!("matrices of shapes {a:?} and {b:?}")
        })?;
        self.paired(node, &paired)
    }

    fn paired(&mut self, node: &NodeProto, paired: &Paired<'_>) -> Read<Value> {
        let Paired {
            a,
            b,
            heads,
            rows,
            inner,
            columns,
            ..
        } = paired;
        let (Source::Layer(first), Source::Layer(second)) = (&a.of, &b.of) else {
            return Err("a constant in the place of a value".into());
        };
        let side = |number: usize, start, head, outer, inner| Factor {
            values: self.shapes[number].iter().product(),
            start,
            head,
            outer,
            inner,
        };
        let layer = MatmulLayer {
            heads: heads.size,
            rows: rows.size,
            inner: inner.size,
            columns: columns.size,
            a: side(*first, a.start, heads.steps[0], rows.step, inner.steps[0]),
            b: side(
                *second,
                b.start,
                heads.steps[1],
                columns.step,
                inner.steps[1],
            ),
            scale: (a.factor * b.factor) as f32,
        };
        let shape = vec![layer.rows, layer.heads, layer.columns];
        let op = Op::Kernel(Arc::new(Matmul(layer)));
        let number = self.push(node, vec![*first, *second], op, shape)?;
        let mut axes = paired.leading.clone();
        let heads_at = 0..axes.len();
        let one = |size| {
            merged(&[Part {
                size,
                step: Some(1),
            }])
        };
        axes.extend([one(layer.rows), one(layer.columns)]);
        let value = Value::of_layer(number, axes);
        // [rows, heads, columns]
        let rows_at = heads_at.end;
        let mut order = value.order_of([rows_at]);
        order.extend(value.order_of(heads_at));
        order.extend(value.order_of([rows_at + 1]));
        Ok(value.relaid(number, &order))
    }
}

/// A constant as a matrix: without axes of one in front.
fn matrix(constant: &Value) -> Option<Value> {
    let mut matrix = constant.clone();
    while matrix.rank() > 2 {
        matrix = matrix.without_axis(0)?;
    }
    (matrix.rank() == 2).then_some(matrix)
}

fn of_shape(constant: &Value) -> String {
    format!("weights of shape {:?}", constant.sizes())
}

/// Entries that both sides have, and the steps of either.
struct Shared {
    size: usize,
    steps: [usize; 2],
}

/// Entries of one side.
struct Own {
    size: usize,
    step: usize,
}

/// Two values whose matrices the kernel finds by their steps.
struct Paired<'v> {
    a: &'v Value,
    b: &'v Value,
    /// The axes in front of the matrices, as both have them; steps are still those of the first.
    leading: Vec<Axis>,
    heads: Shared,
    rows: Own,
    inner: Shared,
    columns: Own,
}

impl<'v> Paired<'v> {
    /// Nothing where no steps tell heads, rows, columns apart, or the sizes do not fit.
    fn of(a: &'v Value, b: &'v Value) -> Option<Self> {
        let (front_a, [rows, inner_a]) = a.axes.split_last_chunk()?;
        let (front_b, [inner_b, columns]) = b.axes.split_last_chunk()?;
        let rank = front_a.len().max(front_b.len());
        let (mut leading, mut heads) = (Vec::new(), Vec::new());
        for k in 0..rank {
            let of = |front: &[Axis]| -> Axis {
                let at = (k + front.len()).checked_sub(rank);
                at.map(|at| front[at].clone()).unwrap_or_default()
            };
            let axis = both(&of(front_a), &of(front_b))?;
            leading.push(axis.iter().map(|&(part, _)| part).collect());
            heads.extend(axis.iter().filter_map(|&(a, b)| {
                let steps = [a.step?, b?];
                Some((a.size, steps))
            }));
        }
        let inner = both(inner_a, inner_b).filter(|_| size_of(inner_a) == size_of(inner_b))?;
        let inner = inner.iter().map(|&(a, b)| Some((a.size, [a.step?, b?])));
        Some(Self {
            a,
            b,
            leading,
            heads: evenly(heads)?,
            rows: own(rows)?,
            inner: evenly(inner.collect::<Option<_>>()?)?,
            columns: own(columns)?,
        })
    }
}

/// The parts of an axis that two sides have, the first's with the steps of the second; an axis of
/// one repeats. The batch is the batch on both sides.
fn both(a: &Axis, b: &Axis) -> Option<Vec<(Part, Option<usize>)>> {
    let repeats = |part: &Part| Part {
        step: Some(0),
        ..*part
    };
    let [mut a, mut b] = [a, b].map(|axis| merged(axis));
    match (a.is_empty(), b.is_empty()) {
        (true, false) => a = b.iter().map(repeats).collect(),
        (false, true) => b = a.iter().map(repeats).collect(),
        _ => {}
    }
    // Each in the parts of the other, so that borders fall together.
    let sizes = |axis: &Axis| axis.iter().map(|part| part.size).collect::<Vec<_>>();
    let fine = split(&b, &sizes(&a))?.concat();
    let own = split(&a, &sizes(&fine))?.concat();
    let other = split(&fine, &sizes(&own))?.concat();
    if own.len() != other.len() {
        return None;
    }
    own.iter()
        .zip(&other)
        .map(|(a, b)| {
            let alike = a.size == b.size && a.step.is_none() == b.step.is_none();
            alike.then_some((*a, b.step))
        })
        .collect()
}

/// Parts that are one with even steps on both sides.
fn evenly(parts: Vec<(usize, [usize; 2])>) -> Option<Shared> {
    let mut parts = parts.into_iter().rev();
    let Some((mut size, steps)) = parts.next() else {
        return Some(Shared {
            size: 1,
            steps: [0; 2],
        });
    };
    for (outer, [a, b]) in parts {
        if [a, b] != steps.map(|step| step * size) {
            return None;
        }
        size *= outer;
    }
    Some(Shared { size, steps })
}

/// An axis of one side that has even steps.
fn own(axis: &Axis) -> Option<Own> {
    match merged(axis)[..] {
        [] => Some(Own { size: 1, step: 0 }),
        [Part { size, step }] => Some(Own { size, step: step? }),
        _ => None,
    }
}
