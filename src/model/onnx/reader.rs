//! What a graph is read into: layers, and the values that nodes name as views of what they give.

use super::limits::MAX_IN_A_ROW;
use super::node::operator_of;
use super::value::{OPEN, Order, Part, Source, Value, contiguous, merged, places, size_of};
use crate::model::layer::{Arrangement, Layer, Op, STATED_SCALING};
use rten_onnx::onnx::{NodeProto, TensorProto};
use std::collections::BTreeMap;

/// Reads a graph of one input and one output.
pub(super) struct Reader<'g> {
    pub(super) tensors: &'g BTreeMap<&'g str, &'g TensorProto>,
    pub(super) data: &'g BTreeMap<&'g str, &'g [u8]>,
    pub(super) opset: i64,
    /// The size of the batch, [`super::value::OPEN`] where the file leaves it open.
    pub(super) batch: usize,
    pub(super) layers: Vec<Layer>,
    /// Shape of what each layer gives, the input's first.
    pub(super) shapes: Vec<Vec<usize>>,
    pub(super) values: BTreeMap<String, Value>,
    /// Numbers of constants that may still be read or folded, and of values moved.
    left: usize,
}

/// Numbers that a graph may fold and move beside its weights, four times each.
const MAX_FOLDED: usize = 1 << 26;

pub(super) type Read<T> = Result<T, String>;

/// An axis counted from the front.
pub(super) fn counted(axis: i64, rank: usize) -> Read<usize> {
    let from_front = if axis < 0 { axis + rank as i64 } else { axis };
    let axis = usize::try_from(from_front).ok().filter(|&axis| axis < rank);
    axis.ok_or_else(|| format!("an axis beyond the {rank} that are there"))
}

impl<'g> Reader<'g> {
    /// A reader of graphs with these constants, by their names, and the files that hold some of them.
    pub(super) fn new(
        tensors: &'g BTreeMap<&'g str, &'g TensorProto>,
        data: &'g BTreeMap<&'g str, &'g [u8]>,
        opset: i64,
        batch: usize,
    ) -> Self {
        let inside = tensors.values().map(|tensor| {
            let raw = tensor.raw_data.as_ref();
            raw.map_or(0, |bytes| bytes.borrow().len() / 4) + tensor.float_data.len()
        });
        let beside = data.values().map(|bytes| bytes.len() / 4);
        let weights: usize = inside.chain(beside).sum();
        Self {
            tensors,
            data,
            opset,
            batch,
            layers: Vec::new(),
            shapes: Vec::new(),
            values: BTreeMap::new(),
            left: MAX_FOLDED.saturating_add(weights.saturating_mul(4)),
        }
    }

    /// Axes behind the batch's.
    pub(super) fn behind(&self, mut axes: Vec<Vec<Part>>) -> Vec<Vec<Part>> {
        let (size, step) = (self.batch, None);
        axes.insert(0, merged(&[Part { size, step }]));
        axes
    }

    /// Whether the first axis is the batch, and no other holds it.
    pub(super) fn is_behind_batch(&self, value: &Value) -> bool {
        let is_batch = |part: &Part| part.step.is_none();
        let Some((first, others)) = value.axes.split_first() else {
            return false;
        };
        size_of(first) == self.batch
            && first.iter().all(is_batch)
            && !others.iter().flatten().any(is_batch)
    }

    /// How many numbers a value has for one row, whether they stand anywhere or are repeated.
    pub(super) fn size_in_a_row(&self, value: &Value) -> usize {
        let own = |part: &Part| match part.step {
            None => 1,
            // A multiple of the open batch.
            Some(_) if self.batch == OPEN && part.size.is_multiple_of(OPEN) => part.size / OPEN,
            Some(_) => part.size,
        };
        let parts = value.axes.iter().flatten();
        parts.map(own).fold(1, usize::saturating_mul)
    }

    /// Takes so many numbers from those that may be folded and moved.
    pub(super) fn spend(&mut self, count: usize) -> Read<()> {
        let left = self.left.checked_sub(count);
        self.left = left.ok_or("more numbers to fold and to move than its weights are worth")?;
        Ok(())
    }

    /// An input of a node.
    pub(super) fn value(&mut self, node: &NodeProto, number: usize) -> Read<Value> {
        let name = node.input.get(number).ok_or("too few inputs")?;
        self.named(name)
    }

    pub(super) fn named(&mut self, name: &str) -> Read<Value> {
        if let Some(value) = self.values.get(name) {
            return Ok(value.clone());
        }
        let tensor = self.tensors.get(name);
        let tensor = tensor.ok_or(
            "an input that is no value of the network, or a further output that is not read",
        )?;
        let value = self.decoded(tensor)?;
        self.spend(value.count())?;
        Ok(value)
    }

    /// Adds a layer that gives this shape; its number as a value.
    pub(super) fn push(
        &mut self,
        node: &NodeProto,
        takes: Vec<usize>,
        op: Op,
        shape: Vec<usize>,
    ) -> Read<usize> {
        let count = (shape.iter()).try_fold(1usize, |all, &size| all.checked_mul(size));
        if !count.is_some_and(|count| (1..=MAX_IN_A_ROW).contains(&count)) {
            return Err(format!("it gives sizes {shape:?}"));
        }
        let parameters = match &op {
            Op::Affine { scale, offset } if scale.len() > 1 => scale.len() + offset.len(),
            op => op.parameters(),
        };
        let name = node.name.clone().filter(|name| !name.is_empty());
        let class = operator_of(node).to_owned();
        debug_assert_ne!(class, STATED_SCALING);
        self.layers.push(Layer {
            name: name
                .or_else(|| node.output.first().cloned())
                .unwrap_or_default(),
            class,
            takes,
            op,
            parameters,
        });
        self.shapes.push(shape);
        Ok(self.layers.len())
    }

    /// A value with its parts in this order, one behind the other, and nothing beside them: the layer
    /// that gives it, which is a new one only where they do not lie so already. `shape` is how that
    /// layer's row is to be named, or nothing where that does not matter.
    pub(super) fn laid(
        &mut self,
        node: &NodeProto,
        value: &Value,
        order: &[(usize, usize)],
        shape: Option<Vec<usize>>,
    ) -> Read<(usize, Value)> {
        let Source::Layer(mut number) = value.of else {
            return Err("a constant in the place of a value".into());
        };
        let parts = merged(&value.parts(order));
        let count = size_of(&parts);
        let all: usize = self.shapes[number].iter().product();
        let evenly = matches!(parts[..], [] | [Part { step: Some(1), .. }]);
        if !(value.start == 0 && count == all && evenly) {
            let places = |reader: &mut Self| {
                reader.spend(count)?;
                let places = places(value.start, &parts).into_iter();
                Ok::<_, String>(places.map(|place| place as u32).collect())
            };
            let sizes: Vec<usize> = match &shape {
                Some(shape) => shape.clone(),
                None => parts.iter().map(|part| part.size).collect(),
            };
            let moved = Arrangement::Places(sizes.clone(), places(self)?);
            number = self.push(node, vec![number], Op::Arrange(moved), sizes)?;
        }
        if value.factor != 1.0 {
            let (scale, offset) = (vec![value.factor], vec![0.0]);
            let same = self.shapes[number].clone();
            number = self.push(node, vec![number], Op::Affine { scale, offset }, same)?;
        }
        if let Some(shape) = shape.filter(|shape| *shape != self.shapes[number]) {
            let reshaped = Op::Reshape(Some(shape.clone()));
            number = self.push(node, vec![number], reshaped, shape)?;
        }
        Ok((number, value.relaid(number, order)))
    }

    /// A value as its parts lie, and the order in which they do.
    pub(super) fn as_it_lies(
        &mut self,
        node: &NodeProto,
        value: &Value,
    ) -> Read<(usize, Value, Order)> {
        let order = value.order_as_it_lies(0..value.rank());
        let (number, value) = self.laid(node, value, &order, None)?;
        Ok((number, value, order))
    }

    /// A value with one axis behind the other.
    pub(super) fn row_by_row(&mut self, node: &NodeProto, value: &Value) -> Read<Value> {
        let order = value.order_of(0..value.rank());
        let (_, mut laid) = self.laid(node, value, &order, None)?;
        for axis in &mut laid.axes {
            *axis = merged(axis);
        }
        Ok(laid)
    }

    /// A value with some axes innermost, in their order, as rows of a matrix: the layer, the value,
    /// and the numbers of rows and columns.
    pub(super) fn innermost(
        &mut self,
        node: &NodeProto,
        value: &Value,
        inner: &[usize],
    ) -> Read<(usize, Value, [usize; 2])> {
        let outer = (0..value.rank()).filter(|axis| !inner.contains(axis));
        let mut order = value.order_as_it_lies(outer);
        let rows = size_of(&value.parts(&order));
        let own = inner.iter().flat_map(|&axis| &value.axes[axis]);
        if own.clone().any(|part| part.step.is_none()) {
            return Err("across the batch".into());
        }
        let columns = own.map(|part| part.size).product();
        order.extend(value.order_of(inner.iter().copied()));
        let (number, laid) = self.laid(node, value, &order, None)?;
        let shape = match self.shapes[number].last() == Some(&columns) {
            true => self.shapes[number].clone(),
            false if rows == 1 => vec![columns],
            false => vec![rows, columns],
        };
        let (number, laid) = self.laid(node, &laid, &order, Some(shape))?;
        Ok((number, laid, [rows, columns]))
    }

    /// A layer that keeps the shape of what it takes.
    pub(super) fn same(&mut self, node: &NodeProto, from: &Value, op: Op) -> Read<Value> {
        let (number, from, _) = self.as_it_lies(node, from)?;
        let shape = self.shapes[number].clone();
        let number = self.push(node, vec![number], op, shape)?;
        Ok(Value {
            of: Source::Layer(number),
            ..from
        })
    }

    /// An image's row as `[height, width, channels]`.
    pub(super) fn image(&mut self, node: &NodeProto, from: &Value) -> Read<(usize, [usize; 3])> {
        if from.rank() != 4 || !self.is_behind_batch(from) {
            return Err("what is no image".into());
        }
        let sizes = from.sizes();
        let shape = [sizes[2], sizes[3], sizes[1]];
        let order = from.order_of([2, 3, 1]);
        let (number, _) = self.laid(node, from, &order, Some(shape.to_vec()))?;
        Ok((number, shape))
    }

    /// What a layer gives as `[height, width, channels]`, as the graph sees it.
    pub(super) fn image_of(&self, number: usize, [height, width, channels]: [usize; 3]) -> Value {
        let axes = contiguous(&[channels, height, width], &[1, 2, 0]);
        Value::of_layer(number, self.behind(axes))
    }

    /// An input `[batch, values]` as a row.
    pub(super) fn row(&mut self, node: &NodeProto, number: usize) -> Read<(usize, usize)> {
        let value = self.value(node, number)?;
        if value.rank() != 2 || !self.is_behind_batch(&value) {
            return Err("what is no row".into());
        }
        let (number, _, [_, count]) = self.innermost(node, &value, &[1])?;
        Ok((number, count))
    }

    /// What a layer gives as `[batch, values]`.
    pub(super) fn row_of(&self, number: usize) -> Value {
        let count = self.shapes[number].iter().product();
        Value::of_layer(number, self.behind(contiguous(&[count], &[0])))
    }
}
