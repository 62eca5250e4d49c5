//! Operators that name axes anew, pick, join or repeat values, and compute nothing.

use super::constants::Numbers;
use super::node::{float, has, int, text};
use super::reader::{Read, Reader, counted};
use super::rewrite::attribute;
use super::value::{
    OPEN, Part, Source, Value, common, contiguous, merged, places, size_of, split as split_parts,
};
use super::values::small;
use crate::kernels::RearrangeLayer;
use crate::model::layer::{Arrangement, Op};
use rten_onnx::onnx::NodeProto;

impl Reader<'_> {
    pub(super) fn identity(&mut self, node: &NodeProto) -> Read<Value> {
        self.value(node, 0)
    }

    pub(super) fn dropout(&mut self, node: &NodeProto) -> Read<Value> {
        if has(node, 2) {
            let training = self.value(node, 2)?;
            match self.numbers(&training)? {
                Numbers::Whole(training) if training == [0] => {}
                _ => return Err("as in training".into()),
            }
        }
        self.value(node, 0)
    }

    /// A value by other sizes: another view of it, or of its numbers one behind the other.
    fn renamed(&mut self, node: &NodeProto, from: &Value, sizes: &[usize]) -> Read<Value> {
        if let Some(value) = from.reshaped(sizes) {
            return Ok(value);
        }
        let from = match from.is_constant() {
            true => {
                let numbers = self.numbers(from)?;
                numbers.into_value(&from.sizes())
            }
            false => self.row_by_row(node, from)?,
        };
        let found = || format!("sizes {sizes:?} of {:?}", from.sizes());
        from.reshaped(sizes).ok_or_else(found)
    }

    pub(super) fn reshape(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let mut shape = self.whole(node, 1, "shape")?.ok_or("too few inputs")?;
        let own = from.sizes();
        for (size, own) in shape.iter_mut().zip(&own) {
            if *size == 0 && int(node, "allowzero", 0) == 0 {
                *size = *own as i64;
            }
        }
        let product = |shape: &[i64]| {
            let mut known = shape.iter().filter(|&&size| size != -1);
            known.try_fold(1usize, |all, &size| {
                all.checked_mul(usize::try_from(size).ok()?)
            })
        };
        let all: usize = own.iter().product();
        let open = shape.iter().filter(|&&size| size == -1).count();
        // Traced with a batch of one, which stands in the file as a number.
        if self.batch == OPEN
            && self.is_behind_batch(&from)
            && shape.first() == Some(&1)
            && (open == 1 || product(&shape).is_some_and(|known| known * OPEN == all))
        {
            shape[0] = OPEN as i64;
        }
        let known = product(&shape).filter(|&known| known > 0 && all.is_multiple_of(known));
        let rest = known.filter(|_| open <= 1).map(|known| all / known);
        let rest = rest.ok_or_else(|| format!("the shape {shape:?} of {own:?}"))?;
        let sizes: Vec<usize> = (shape.iter())
            .map(|&size| usize::try_from(size).unwrap_or(rest))
            .collect();
        self.renamed(node, &from, &sizes)
    }

    pub(super) fn flatten(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let rank = from.rank();
        // An axis may be the one behind the last.
        let at = match int(node, "axis", 1) {
            axis if axis == rank as i64 => rank,
            axis => counted(axis, rank)?,
        };
        let sizes = from.sizes();
        let (before, behind) = sizes.split_at(at);
        let sizes = [before.iter().product(), behind.iter().product()];
        self.renamed(node, &from, &sizes)
    }

    pub(super) fn squeeze(&mut self, node: &NodeProto) -> Read<Value> {
        let mut value = self.value(node, 0)?;
        let rank = value.rank();
        let mut axes: Vec<usize> = match self.whole(node, 1, "axes")? {
            Some(axes) => axes
                .iter()
                .map(|&axis| counted(axis, rank))
                .collect::<Read<_>>()?,
            None => (0..rank)
                .filter(|&axis| size_of(&value.axes[axis]) == 1)
                .collect(),
        };
        axes.sort_unstable();
        for axis in axes.into_iter().rev() {
            value = value.without_axis(axis).ok_or("an axis that is not one")?;
        }
        Ok(value)
    }

    pub(super) fn unsqueeze(&mut self, node: &NodeProto) -> Read<Value> {
        let mut value = self.value(node, 0)?;
        let axes = self.whole(node, 1, "axes")?.ok_or("too few inputs")?;
        let rank = value.rank() + axes.len();
        let axes = axes.iter().map(|&axis| counted(axis, rank));
        let mut axes = axes.collect::<Read<Vec<usize>>>()?;
        axes.sort_unstable();
        for axis in axes {
            value = value.with_axis(axis).ok_or("too many axes")?;
        }
        Ok(value)
    }

    pub(super) fn transpose(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let order: Vec<usize> = match attribute(node, "perm") {
            Some(perm) => perm
                .ints
                .iter()
                .map(|&axis| usize::try_from(axis).unwrap_or(usize::MAX))
                .collect(),
            None => (0..from.rank()).rev().collect(),
        };
        let value = from.transposed(&order);
        value.ok_or_else(|| format!("the order {order:?}"))
    }

    pub(super) fn expand(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let shape = self.whole(node, 1, "")?.ok_or("too few inputs")?;
        let sizes: Option<Vec<usize>> = (shape.iter())
            .map(|&size| usize::try_from(size).ok().filter(|&size| size > 0))
            .collect();
        let sizes = sizes.and_then(|sizes| common(&from.sizes(), &sizes));
        let value = sizes.and_then(|sizes| from.repeated(&sizes, self.batch));
        value.ok_or_else(|| format!("the shape {shape:?} of {:?}", from.sizes()))
    }

    pub(super) fn slice(&mut self, node: &NodeProto) -> Read<Value> {
        let mut value = self.value(node, 0)?;
        let starts = self.whole(node, 1, "starts")?.ok_or("too few inputs")?;
        let ends = self.whole(node, 2, "ends")?.ok_or("too few inputs")?;
        let axes = self.whole(node, 3, "axes")?;
        let axes = axes.unwrap_or_else(|| (0..starts.len() as i64).collect());
        let steps = self.whole(node, 4, "steps")?;
        let steps = steps.unwrap_or_else(|| vec![1; starts.len()]);
        if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
            return Err("bounds for other axes".into());
        }
        for (k, &step) in steps.iter().enumerate() {
            let axis = counted(axes[k], value.rank())?;
            let size = size_of(&value.axes[axis]) as i64;
            // ONNX's own rule, which is Python's: from the end where negative, cut to what there is.
            let cut = |at: i64, least: i64, most: i64| {
                let at = if at < 0 { at.saturating_add(size) } else { at };
                at.clamp(least, most)
            };
            let (start, away) = match step {
                1.. => {
                    let start = cut(starts[k], 0, size);
                    (start, cut(ends[k], 0, size) - start)
                }
                _ => {
                    let start = cut(starts[k], 0, size - 1);
                    (start, start - cut(ends[k], -1, size - 1))
                }
            };
            // The end of a shape that has none.
            if away <= 0 && step != 0 && value.rank() == 1 && matches!(value.of, Source::Whole(_)) {
                return Ok(Value::list(Vec::new()));
            }
            if step == 0 || away <= 0 {
                return Err("parts of nothing".into());
            }
            let count = (away as u64).div_ceil(step.unsigned_abs()) as usize;
            let start = start as usize;
            let whole = (start, step, count as i64) == (0, 1, size);
            let view = usize::try_from(step)
                .ok()
                .and_then(|step| value.sliced(axis, [start, step, count]));
            value = match view {
                Some(view) => view,
                None if whole => value,
                None => {
                    self.spend(count)?;
                    let at = |k: usize| start.checked_add_signed(k as isize * step as isize);
                    let picked: Option<Vec<usize>> = (0..count).map(at).collect();
                    self.picked(node, &value, axis, &picked.ok_or("parts of nothing")?)?
                }
            };
        }
        Ok(value)
    }

    pub(super) fn split(&mut self, node: &NodeProto) -> Read<Vec<Value>> {
        let from = self.value(node, 0)?;
        let axis = counted(int(node, "axis", 0), from.rank())?;
        let size = size_of(&from.axes[axis]);
        let count = node.output.len();
        let sizes = match self.whole(node, 1, "split")? {
            Some(sizes) => sizes
                .iter()
                .map(|&size| usize::try_from(size).unwrap_or(0))
                .collect(),
            // Equal parts, of which the last may be smaller.
            None => {
                let each = size.div_ceil(count.max(1));
                let left = |k: usize| size.saturating_sub(k * each).min(each);
                (0..count).map(left).collect::<Vec<usize>>()
            }
        };
        let all = sizes.iter().try_fold(0usize, |all, &n| all.checked_add(n));
        if all != Some(size) || sizes.len() != count || sizes.contains(&0) {
            return Err(format!("into {sizes:?} of {size}"));
        }
        let mut start = 0;
        let mut parts = Vec::with_capacity(count);
        for count in sizes {
            parts.push(match from.sliced(axis, [start, 1, count]) {
                Some(part) => part,
                None => {
                    let picked: Vec<usize> = (start..start + count).collect();
                    self.picked(node, &from, axis, &picked)?
                }
            });
            start += count;
        }
        Ok(parts)
    }

    pub(super) fn gather(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let axis = counted(int(node, "axis", 0), from.rank())?;
        let size = size_of(&from.axes[axis]);
        let which = self.value(node, 1)?;
        if !which.is_constant() {
            return Err("places that are computed".into());
        }
        let Numbers::Whole(numbers) = self.numbers(&which)? else {
            return Err("places that are no whole numbers".into());
        };
        let picked = numbers.iter().map(|&at| counted(at, size));
        let picked = picked.collect::<Read<Vec<usize>>>()?;
        let first = *picked.first().ok_or("no places")?;
        let step = picked.get(1).map_or(Some(1), |at| at.checked_sub(first));
        let evenly = step.filter(|step| {
            let even = |(k, &at): (usize, &usize)| at == first + k * step;
            *step > 0 && picked.iter().enumerate().all(even)
        });
        let view = evenly.and_then(|step| from.sliced(axis, [first, step, picked.len()]));
        let mut value = match view {
            Some(view) => view,
            None => self.picked(node, &from, axis, &picked)?,
        };
        // The axes of the places come in the place of the one that they pick from.
        let axes = split_parts(&value.axes[axis], &which.sizes()).ok_or("places of other axes")?;
        value.axes.splice(axis..=axis, axes);
        Ok(value)
    }

    /// Some entries of an axis, in an order that no steps name.
    fn picked(
        &mut self,
        node: &NodeProto,
        from: &Value,
        axis: usize,
        entries: &[usize],
    ) -> Read<Value> {
        if from.axes[axis].iter().any(|part| part.step.is_none()) {
            return Err("parts of the batch".into());
        }
        let mut sizes = from.sizes();
        let before: usize = from.axes[..axis].concat().iter().map(own_size).product();
        let behind: usize = from.axes[axis + 1..]
            .concat()
            .iter()
            .map(own_size)
            .product();
        let size = std::mem::replace(&mut sizes[axis], entries.len());
        let count = before.saturating_mul(behind).saturating_mul(entries.len());
        self.spend(count)?;
        let from_row = |k: usize| {
            let (outer, rest) = (k / (entries.len() * behind), k % (entries.len() * behind));
            (outer * size + entries[rest / behind]) * behind + rest % behind
        };
        if from.is_constant() {
            let picked = (0..count).map(from_row);
            let numbers = match self.numbers(from)? {
                Numbers::Floats(all) => Numbers::Floats(picked.map(|k| all[k]).collect()),
                Numbers::Whole(all) => Numbers::Whole(picked.map(|k| all[k]).collect()),
            };
            return Ok(numbers.into_value(&sizes));
        }
        let order = from.order_of(0..from.rank());
        let (number, laid) = self.laid(node, from, &order, None)?;
        let picked = (0..count).map(|k| from_row(k) as u32).collect();
        let op = Op::Arrange(Arrangement::Places(vec![count], picked));
        let number = self.push(node, vec![number], op, vec![count])?;
        let mut value = laid;
        value.axes[axis] = merged(&[Part {
            size: entries.len(),
            step: Some(1),
        }]);
        let order = value.order_of(0..value.rank());
        Ok(value.relaid(number, &order))
    }

    /// Values one behind the other along an axis; constants among them become an offset.
    pub(super) fn concat(&mut self, node: &NodeProto) -> Read<Value> {
        let taken: Vec<Value> = (0..node.input.len())
            .map(|number| self.value(node, number))
            .collect::<Read<_>>()?;
        let first = taken.first().ok_or("too few inputs")?;
        let axis = counted(int(node, "axis", 1), first.rank())?;
        let mut sizes = first.sizes();
        for value in &taken[1..] {
            let own = value.sizes();
            let fits =
                own.len() == sizes.len() && (0..own.len()).all(|k| k == axis || own[k] == sizes[k]);
            sizes[axis] += own.get(axis).copied().unwrap_or(0);
            if !fits {
                return Err("values of other shapes".into());
            }
        }
        let computed = taken.iter().filter(|value| !value.is_constant());
        let Some(leader) = computed.max_by_key(|value| size_of(&value.axes[axis])) else {
            return self.concat_constants(&taken, axis, &sizes);
        };
        let leader = leader.clone();
        let mut taken = taken;
        for value in taken.iter_mut().filter(|value| value.is_constant()) {
            *value = self.for_each_row(value.clone())?;
        }
        if axis == 0 || !taken.iter().all(|value| self.is_behind_batch(value)) {
            return Err("the batch's axis".into());
        }
        // In the order in which the widest value lies, where its axes lie whole; an image's channels
        // are last.
        let mut order: Vec<usize> = (1..sizes.len()).collect();
        if leader.axes[1..].iter().all(|axis| merged(axis).len() == 1) {
            let step = |axis: usize| leader.axes[axis].last().and_then(|part| part.step);
            order.sort_by_key(|&axis| std::cmp::Reverse(step(axis)));
        } else if sizes.len() == 4 {
            order = vec![2, 3, 1];
        }
        let shape: Vec<usize> = order.iter().map(|&axis| sizes[axis]).collect();
        let behind = order.iter().skip_while(|&&other| other != axis);
        let inner: usize = behind.skip(1).map(|&axis| sizes[axis]).product();
        let all: usize = shape.iter().product();
        self.spend(all.saturating_mul(2))?;
        let (mut moved, mut offset) = (vec![RearrangeLayer::FILL; all], Vec::new());
        let (mut takes, mut taken_values, mut start) = (Vec::new(), 0, 0);
        for value in &taken {
            let value = match value.factor {
                1.0 => value.clone(),
                _ => self.row_by_row(node, value)?,
            };
            let width = size_of(&value.axes[axis]) * inner;
            let parts: Vec<Part> = value.parts(&value.order_of(order.iter().copied()));
            let from = places(value.start, &parts);
            let to = |k: usize| k / width * sizes[axis] * inner + start + k % width;
            match &value.of {
                Source::Layer(number) => {
                    // Where the layer's row begins among those that are taken.
                    let known = takes.iter().find(|(taken, _)| taken == number);
                    let before = known.map_or(taken_values, |&(_, before)| before);
                    if known.is_none() {
                        takes.push((*number, before));
                        taken_values += self.shapes[*number].iter().product::<usize>();
                    }
                    for (k, place) in from.into_iter().enumerate() {
                        moved[to(k)] = u32::try_from(before + place).map_err(|_| "too many")?;
                    }
                }
                Source::Floats(numbers) => {
                    offset.resize(all, 0.0);
                    for (k, place) in from.into_iter().enumerate() {
                        offset[to(k)] = f64::from(numbers[place]);
                    }
                }
                Source::Whole(_) => return Err("whole numbers beside values".into()),
            }
            start += width;
        }
        let takes = takes.into_iter().map(|(number, _)| number).collect();
        let op = Op::Arrange(Arrangement::Places(shape.clone(), moved.into()));
        let mut number = self.push(node, takes, op, shape.clone())?;
        if !offset.is_empty() {
            let scale = vec![1.0];
            number = self.push(node, vec![number], Op::Affine { scale, offset }, shape)?;
        }
        let order: Vec<usize> = order.iter().map(|axis| axis - 1).collect();
        let axes = self.behind(contiguous(&sizes[1..], &order));
        Ok(Value::of_layer(number, axes))
    }

    fn concat_constants(&mut self, taken: &[Value], axis: usize, sizes: &[usize]) -> Read<Value> {
        let inner: usize = sizes[axis + 1..].iter().product();
        let outer: usize = sizes[..axis].iter().product();
        let mut parts = Vec::new();
        for value in taken {
            parts.push((size_of(&value.axes[axis]) * inner, self.numbers(value)?));
        }
        let (mut floats, mut whole) = (Vec::new(), Vec::new());
        for row in 0..outer {
            for (width, numbers) in &parts {
                let own = row * width..(row + 1) * width;
                match numbers {
                    Numbers::Floats(numbers) => floats.extend_from_slice(&numbers[own]),
                    Numbers::Whole(numbers) => whole.extend_from_slice(&numbers[own]),
                }
            }
        }
        match (floats.is_empty(), whole.is_empty()) {
            (true, false) if sizes.len() == 1 => Ok(Value::list(whole)),
            (true, false) => Ok(Numbers::Whole(whole).into_value(sizes)),
            (false, true) => Ok(Numbers::Floats(floats).into_value(sizes)),
            _ => Err("constants of two types, or none".into()),
        }
    }

    /// A number around a value, along any axes but the batch.
    pub(super) fn pad(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        if text(node, "mode").is_some_and(|mode| mode != "constant") {
            return Err("padding with what is there".into());
        }
        let rank = from.rank();
        let pads = self.whole(node, 1, "pads")?.ok_or("too few inputs")?;
        let axes = match has(node, 3) {
            true => self
                .whole(node, 3, "axes")?
                .ok_or("axes that are computed")?,
            false => (0..rank as i64).collect(),
        };
        if pads.len() != 2 * axes.len() {
            return Err("padding of other axes".into());
        }
        let mut sides = vec![[0; 2]; rank];
        for (k, &axis) in axes.iter().enumerate() {
            let side = |n: i64| usize::try_from(n).map_err(|_| "padding below 0");
            sides[counted(axis, rank)?] = [side(pads[k])?, side(pads[axes.len() + k])?];
        }
        if sides.first() != Some(&[0; 2]) {
            return Err("padding of the batch".into());
        }
        let filling = match has(node, 2) {
            true => match self.floats(node, 2)?[..] {
                [filling] => filling,
                _ => return Err("padding with several numbers".into()),
            },
            false => float(node, "value", 0.0),
        };
        // Zeros, once the number is taken away; it comes back with the rest.
        small(&[filling])?;
        let number = |filling: f32| Value::constant(Source::Floats([filling].into()), &[]);
        let mut value = self.plus(node, &from, &number(-filling))?;
        let axes: Vec<usize> = (1..rank).filter(|&axis| sides[axis] != [0; 2]).collect();
        for pair in axes.chunks(2) {
            value = self.in_zeros(node, &value, pair, &sides)?;
        }
        self.plus(node, &value, &number(filling))
    }

    /// Zeros along one axis or two, as columns and rows of an image whose channels the others are.
    fn in_zeros(
        &mut self,
        node: &NodeProto,
        from: &Value,
        axes: &[usize],
        sides: &[[usize; 2]],
    ) -> Read<Value> {
        if !self.is_behind_batch(from) {
            return Err("padding across the batch".into());
        }
        let others = (1..from.rank()).filter(|axis| !axes.contains(axis));
        let others: Vec<usize> = others.collect();
        let image = |sizes: &[usize]| -> Vec<usize> {
            let channels = others.iter().map(|&axis| sizes[axis]).product();
            let (rows, columns) = match axes {
                &[rows, columns] => (sizes[rows], sizes[columns]),
                _ => (1, sizes[axes[0]]),
            };
            vec![rows, columns, channels]
        };
        let mut sizes = from.sizes();
        let order = [axes, &others].concat();
        let (layer, _) = self.laid(node, from, &from.order_of(order), Some(image(&sizes)))?;
        for &axis in axes {
            let [before, after] = sides[axis];
            let padded = sizes[axis].checked_add(before);
            let padded = padded.and_then(|size| size.checked_add(after));
            sizes[axis] = padded.ok_or("more padding than can be counted")?;
        }
        let (rows, columns) = match axes {
            &[rows, columns] => (sides[rows], sides[columns]),
            _ => ([0; 2], sides[axes[0]]),
        };
        let op = Op::Arrange(Arrangement::Pad { rows, columns });
        let layer = self.push(node, vec![layer], op, image(&sizes))?;
        let order: Vec<usize> = axes.iter().chain(&others).map(|axis| axis - 1).collect();
        let axes = contiguous(&sizes[1..], &order);
        Ok(Value::of_layer(layer, self.behind(axes)))
    }
}

/// Entries of a part in a row.
fn own_size(part: &Part) -> usize {
    part.step.map_or(1, |_| part.size)
}
