//! Operators that move a window over an image, and those that leave one of many values:
//! convolutions, pools, means.

use super::node::{has, int, operator_of, text};
use super::reader::{Read, Reader, counted};
use super::rewrite::attribute;
use super::value::{Source, Value, size_of};
use crate::model::layer::{Arrangement, Op, Padding, Pooling, Window};
use rten_onnx::onnx::NodeProto;

/// A list of a node's with an entry for each of the last two axes. Values in one row, `[batch, channels,
/// values]`, are an image of one line, which such a list leaves out.
fn of_image(list: &[i64], line: bool, of_line: i64) -> Vec<i64> {
    match (line, list) {
        (true, &[only]) => vec![of_line, only],
        // Before and behind.
        (true, &[before, behind]) => vec![of_line, before, of_line, behind],
        _ => list.to_vec(),
    }
}

/// Values in one row as an image of one line, and whether they were.
pub(super) fn with_line(value: Value) -> Read<(Value, bool)> {
    match value.rank() {
        3 => Ok((value.with_axis(2).ok_or("too many axes")?, true)),
        _ => Ok((value, false)),
    }
}

/// The same back.
pub(super) fn without_line(value: Value, line: bool) -> Read<Value> {
    match line {
        true => Ok(value.without_axis(2).ok_or("more than one line")?),
        false => Ok(value),
    }
}

impl Reader<'_> {
    /// Strides, gaps and margins of windows of this size over an image; the sizes that come out.
    fn window(
        &self,
        node: &NodeProto,
        [height, width, _]: [usize; 3],
        size: [usize; 2],
        line: bool,
    ) -> Read<(Window, [usize; 2])> {
        let pair = |name: &str, default: usize| -> Read<[usize; 2]> {
            let list = attribute(node, name).map(|list| of_image(&list.ints, line, 1));
            match list.as_deref() {
                None | Some([]) => Ok([default; 2]),
                Some(&[a, b]) => match (usize::try_from(a), usize::try_from(b)) {
                    (Ok(a), Ok(b)) => Ok([a, b]),
                    _ => Err(format!("{name} below 0")),
                },
                Some(other) => Err(format!("{name} {other:?}")),
            }
        };
        let stride = pair("strides", 1)?;
        let dilation = pair("dilations", 1)?;
        if [stride, size, dilation]
            .iter()
            .any(|sizes| sizes.contains(&0))
        {
            return Err("windows, strides or dilations of 0".into());
        }
        // What a window covers, gaps included.
        let wide = |axis: usize| (size[axis] - 1).saturating_mul(dilation[axis]) + 1;
        let size = [wide(0), wide(1)];
        let pads = attribute(node, "pads")
            .map(|pads| of_image(&pads.ints, line, 0))
            .unwrap_or_else(|| vec![0; 4]);
        let sides: Option<Vec<usize>> = pads.iter().map(|&n| usize::try_from(n).ok()).collect();
        let auto = text(node, "auto_pad").unwrap_or("NOTSET");
        let (before, after) = match (auto, sides.as_deref()) {
            ("NOTSET", Some(&[above, left, below, right])) => ([above, left], [below, right]),
            ("VALID", _) => ([0; 2], [0; 2]),
            ("SAME_UPPER" | "SAME_LOWER", _) => {
                let all = |pixels: usize, axis: usize| {
                    let count = pixels.div_ceil(stride[axis]);
                    ((count - 1) * stride[axis] + size[axis]).saturating_sub(pixels)
                };
                let all = [all(height, 0), all(width, 1)];
                // The larger half comes last, or first.
                let small = all.map(|all| all / 2);
                let large = [all[0] - small[0], all[1] - small[1]];
                if auto == "SAME_UPPER" {
                    (small, large)
                } else {
                    (large, small)
                }
            }
            _ => return Err(format!("padding {auto} {pads:?}")),
        };
        let mut after = after;
        let rounds_up = int(node, "ceil_mode", 0) != 0;
        let mut out = [0; 2];
        for (axis, pixels) in [height, width].into_iter().enumerate() {
            let padded = pixels.checked_add(before[axis]);
            let padded = padded.and_then(|padded| padded.checked_add(after[axis]));
            let rest = padded.and_then(|padded| padded.checked_sub(size[axis]));
            let rest = rest.ok_or("an image smaller than its window")?;
            let (stride, left) = (stride[axis], rest % stride[axis]);
            out[axis] = rest / stride + 1;
            // One more window, which reaches over the end but begins inside the image.
            if rounds_up && left > 0 && out[axis] * stride < pixels + before[axis] {
                after[axis] += stride - left;
                out[axis] += 1;
            }
        }
        let padding = match (before, after) {
            ([0, 0], [0, 0]) => Padding::Valid,
            _ => Padding::Stated { before, after },
        };
        let window = Window {
            stride,
            dilation,
            padding,
        };
        Ok((window, out))
    }

    pub(super) fn conv(&mut self, node: &NodeProto) -> Read<Value> {
        let (from, line) = with_line(self.value(node, 0)?)?;
        let shape = self.value(node, 1)?.sizes();
        let (filters, inputs, height, width) = match (&shape[..], line) {
            (&[filters, inputs, width], true) => (filters, inputs, 1, width),
            (&[filters, inputs, height, width], false) => (filters, inputs, height, width),
            _ => return Err(format!("a kernel of shape {shape:?}")),
        };
        let stated = attribute(node, "kernel_shape").map(|size| of_image(&size.ints, line, 1));
        if stated.is_some_and(|size| size != [height as i64, width as i64]) {
            return Err("a kernel of another shape than it says".into());
        }
        let weights = self.floats(node, 1)?;
        let bias = match has(node, 2) {
            true => self.floats(node, 2)?,
            false => vec![0.0; filters],
        };
        let groups = usize::try_from(int(node, "group", 1))
            .ok()
            .filter(|&groups| groups > 0)
            .ok_or("groups below 1")?;
        let (number, image) = self.image(node, &from)?;
        let channels = image[2];
        if inputs.checked_mul(groups) != Some(channels)
            || filters % groups != 0
            || bias.len() != filters
        {
            return Err(format!(
                "a kernel of shape {shape:?} for {channels} channels"
            ));
        }
        // [filters, inputs, h, w] as [h, w, inputs, filters].
        let mut kernel = Vec::with_capacity(weights.len());
        for tap in 0..height * width {
            for input in 0..inputs {
                for filter in 0..filters {
                    kernel.push(weights[(filter * inputs + input) * height * width + tap]);
                }
            }
        }
        let (window, [down, across]) = self.window(node, image, [height, width], line)?;
        let op = Op::Conv {
            shape: [height, width, inputs, filters],
            groups,
            kernel,
            bias,
            window,
        };
        let shape = [down, across, filters];
        let number = self.push(node, vec![number], op, shape.to_vec())?;
        without_line(self.image_of(number, shape), line)
    }

    pub(super) fn pool(&mut self, node: &NodeProto) -> Read<Value> {
        let (from, line) = with_line(self.value(node, 0)?)?;
        let operator = operator_of(node);
        let size = attribute(node, "kernel_shape").map(|size| of_image(&size.ints, line, 1));
        let size = match size.as_deref() {
            Some(&[a, b]) if a > 0 && b > 0 => [a as usize, b as usize],
            _ => return Err("windows of another rank".into()),
        };
        let (mut number, image) = self.image(node, &from)?;
        let (mut window, [down, across]) = self.window(node, image, size, line)?;
        let counts_padding = int(node, "count_include_pad", 0) != 0;
        if operator == "AveragePool"
            && counts_padding
            && let Padding::Stated { before, after } = window.padding
        {
            if int(node, "ceil_mode", 0) != 0 {
                return Err("a mean that counts padding and rounds up".into());
            }
            let (rows, columns) = ([before[0], after[0]], [before[1], after[1]]);
            let pad = Op::Arrange(Arrangement::Pad { rows, columns });
            let padded = [0, 1].map(|axis| image[axis] + before[axis] + after[axis]);
            let padded = vec![padded[0], padded[1], image[2]];
            number = self.push(node, vec![number], pad, padded)?;
            window.padding = Padding::Valid;
        }
        let pooling = match operator {
            "MaxPool" => Pooling::Max,
            _ => Pooling::Average,
        };
        let op = Op::Pool {
            pooling,
            size,
            window,
        };
        let shape = [down, across, image[2]];
        let number = self.push(node, vec![number], op, shape.to_vec())?;
        without_line(self.image_of(number, shape), line)
    }

    pub(super) fn global_pool(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        if from.rank() < 3 || !self.is_behind_batch(&from) {
            return Err("what is no image".into());
        }
        let pooling = match operator_of(node) {
            "GlobalMaxPool" => Pooling::Max,
            _ => Pooling::Average,
        };
        let axes: Vec<usize> = (2..from.rank()).collect();
        self.reduced(node, &from, &axes, pooling)
    }

    /// The mean, the sum or the largest of values along some axes.
    pub(super) fn reduce(&mut self, node: &NodeProto) -> Read<Value> {
        let from = self.value(node, 0)?;
        let rank = from.rank();
        let axes = self.whole(node, 1, "axes")?.unwrap_or_default();
        if axes.is_empty() && int(node, "noop_with_empty_axes", 0) != 0 {
            return Ok(from);
        }
        let mut axes: Vec<usize> = match axes.is_empty() {
            true => (0..rank).collect(),
            false => axes
                .iter()
                .map(|&axis| counted(axis, rank))
                .collect::<Read<_>>()?,
        };
        axes.sort_unstable();
        axes.dedup();
        let pooling = match operator_of(node) {
            "ReduceMax" => Pooling::Max,
            _ => Pooling::Average,
        };
        let count: usize = axes.iter().map(|&axis| size_of(&from.axes[axis])).product();
        let mut value = self.reduced(node, &from, &axes, pooling)?;
        if operator_of(node) == "ReduceSum" {
            let (scale, offset) = (vec![count as f64], vec![0.0]);
            value = self.same(node, &value, Op::Affine { scale, offset })?;
        }
        if int(node, "keepdims", 1) == 0 {
            for axis in axes.into_iter().rev() {
                value = value.without_axis(axis).ok_or("an axis that is not one")?;
            }
        }
        Ok(value)
    }

    /// One value of those along some axes, which become one entry wide.
    fn reduced(
        &mut self,
        node: &NodeProto,
        from: &Value,
        axes: &[usize],
        pooling: Pooling,
    ) -> Read<Value> {
        let reduced = axes.iter().flat_map(|&axis| &from.axes[axis]);
        if reduced.clone().any(|part| part.step.is_none()) {
            return Err("across the batch".into());
        }
        let pixels: usize = reduced.map(|part| part.size).product();
        let kept = (0..from.rank()).filter(|axis| !axes.contains(axis));
        let kept = from.order_as_it_lies(kept);
        let channels = size_of(&from.parts(&kept));
        let mut order = from.order_as_it_lies(axes.iter().copied());
        order.extend(&kept);
        let (number, laid) = self.laid(node, from, &order, None)?;
        let shape = match self.shapes[number][..] {
            [height, width, last] if last == channels => vec![height, width, last],
            _ => vec![pixels, 1, channels],
        };
        let (number, mut value) = self.laid(node, &laid, &order, Some(shape))?;
        let number = self.push(node, vec![number], Op::GlobalPool(pooling), vec![channels])?;
        axes.iter().for_each(|&axis| value.axes[axis].clear());
        Ok(Value {
            of: Source::Layer(number),
            ..value
        })
    }
}
