//! Operators that move values or name their axes anew, and compute nothing.

use super::layers::{BATCH, Read, Reader, Value, float, int};
use super::rewrite::attribute;
use crate::model::layer::{Arrangement, Op};
use rten_onnx::onnx::NodeProto;

impl Reader<'_> {
    /// All values of an input as a row.
    pub(super) fn reshape(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let shape = self
            .whole(node, 1, "shape")
            .ok_or("a shape that is computed")?;
        let values: usize = from.sizes.iter().product();
        match shape[..] {
            [0 | 1 | BATCH, -1] => self.flat(node, &from),
            [0 | 1 | -1 | BATCH, size] if usize::try_from(size) == Ok(values) => {
                self.flat(node, &from)
            }
            _ => Err(format!("the shape {shape:?}")),
        }
    }

    /// An image's channels without its sides of one.
    pub(super) fn squeeze(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let rest = from.sizes.iter().skip(1).all(|&size| size == 1);
        match rest && from.sizes.len() == 3 {
            true => self.flat(node, &from),
            false => Err("other axes than an image's sides of one".into()),
        }
    }

    /// Axes renamed, so that nothing moves.
    pub(super) fn transpose(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let order = attribute(node, "perm")
            .map(|perm| perm.ints.clone())
            .unwrap_or_default();
        // Axes are renamed, and nothing moves.
        let (sizes, swapped) = match (&order[..], &from.sizes[..]) {
            ([0, 3, 1, 2], &[h, w, c]) if !from.swapped => (vec![c, h, w], true),
            ([0, 2, 3, 1], &[c, h, w]) if from.swapped => (vec![h, w, c], false),
            _ => return Err(format!("the order {order:?}")),
        };
        Ok(Value {
            sizes,
            swapped,
            ..from
        })
    }

    /// Values one after the other along an axis.
    pub(super) fn concat(&mut self, node: &NodeProto) -> Read<Value> {
        let taken: Vec<Value> = (0..node.input.len())
            .map(|number| self.value(node, number))
            .collect::<Read<_>>()?;
        let first = taken.first().ok_or("too few inputs")?.clone();
        let rank = first.sizes.len() as i64 + 1;
        let axis = int(node, "axis", 1);
        let axis = if axis < 0 { axis + rank } else { axis };
        let at = usize::try_from(axis - 1)
            .ok()
            .filter(|&at| at < first.sizes.len())
            .ok_or("the batch's axis")?;
        let fits = |value: &Value| {
            value.swapped == first.swapped
                && value.sizes.len() == first.sizes.len()
                && (0..first.sizes.len()).all(|k| k == at || value.sizes[k] == first.sizes[k])
        };
        if !taken.iter().all(fits) {
            return Err("values of other shapes".into());
        }
        let mut sizes = first.sizes.clone();
        sizes[at] = taken.iter().map(|value| value.sizes[at]).sum();
        let axis = if first.swapped {
            [2, 0, 1][at]
        } else {
            at as i64
        };
        let numbers = taken.iter().map(|value| value.number).collect();
        let number = self.push(node, numbers, Op::Arrange(Arrangement::Concat { axis }));
        Ok(Value {
            number,
            sizes,
            swapped: first.swapped,
        })
    }

    /// Zeros around an image.
    pub(super) fn pad(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let mode = attribute(node, "mode").and_then(|mode| mode.s.as_deref());
        let pads = self
            .whole(node, 1, "pads")
            .ok_or("padding that is computed")?;
        let zero = match node.input.get(2).filter(|name| !name.is_empty()) {
            Some(_) => {
                let name = self.constant(node, 2).ok_or("a value that is computed")?;
                self.floats(name)?.1 == [0.0]
            }
            None => float(node, "value", 0.0) == 0.0,
        };
        let plain = mode.is_none_or(|mode| mode == "constant") && zero && node.input.len() <= 3;
        let sizes: Option<Vec<usize>> = pads.iter().map(|&n| usize::try_from(n).ok()).collect();
        let (true, true, Some(&[0, 0, above, left, 0, 0, below, right])) =
            (plain, from.swapped, sizes.as_deref())
        else {
            return Err("other padding than zeros around an image".into());
        };
        let (rows, columns) = ([above, below], [left, right]);
        let number = self.push(
            node,
            vec![from.number],
            Op::Arrange(Arrangement::Pad { rows, columns }),
        );
        let sizes = vec![
            from.sizes[0],
            from.sizes[1] + above + below,
            from.sizes[2] + left + right,
        ];
        Ok(Value {
            number,
            sizes,
            ..from
        })
    }
}
