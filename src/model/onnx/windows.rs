//! Operators that move a window over an image: convolutions and pools.

use super::layers::{Read, Reader, Value, int};
use super::rewrite::attribute;
use crate::model::layer::{Arrangement, Op, Padding, Pooling, Window};
use rten_onnx::onnx::NodeProto;

impl Reader<'_> {
    /// Strides, gaps and margins of windows of this size over an image; the sizes that come out.
    fn window(
        &self,
        node: &NodeProto,
        from: &Value,
        size: [usize; 2],
    ) -> Read<(Window, [usize; 2])> {
        let pair = |name: &str, default: usize| -> Read<[usize; 2]> {
            match attribute(node, name).map(|attribute| &attribute.ints[..]) {
                None | Some([]) => Ok([default; 2]),
                Some(&[a, b]) => match (usize::try_from(a), usize::try_from(b)) {
                    (Ok(a), Ok(b)) => Ok([a, b]),
                    _ => Err(format!("{name} below 0")),
                },
                Some(other) => Err(format!("{name} {other:?}")),
            }
        };
        let stride = pair("strides", 1)?;
        let (true, &[_, height, width]) = (from.swapped, &from.sizes[..]) else {
            return Err("what is no image".into());
        };
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
            .map(|pads| pads.ints.clone())
            .unwrap_or_else(|| vec![0; 4]);
        let sides: Option<Vec<usize>> = pads.iter().map(|&n| usize::try_from(n).ok()).collect();
        let auto = attribute(node, "auto_pad")
            .and_then(|pad| pad.s.as_deref())
            .unwrap_or("NOTSET");
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
        let from = self.value(node, 0)?;
        let (shape, weights) =
            self.floats(self.constant(node, 1).ok_or("a kernel that is computed")?)?;
        let &[filters, inputs, height, width] = &shape[..] else {
            return Err(format!("a kernel of shape {shape:?}"));
        };
        let bias = match node.input.get(2).filter(|name| !name.is_empty()) {
            Some(_) => {
                self.floats(self.constant(node, 2).ok_or("a bias that is computed")?)?
                    .1
            }
            None => vec![0.0; filters],
        };
        let groups = attribute(node, "group")
            .and_then(|group| group.i)
            .unwrap_or(1);
        let groups = usize::try_from(groups)
            .ok()
            .filter(|&groups| groups > 0)
            .ok_or("groups below 1")?;
        let channels = self.channels(&from)?;
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
        let (window, out) = self.window(node, &from, [height, width])?;
        let op = Op::Conv {
            shape: [height, width, inputs, filters],
            groups,
            kernel,
            bias,
            window,
        };
        let number = self.push(node, vec![from.number], op);
        Ok(Value {
            number,
            sizes: vec![filters, out[0], out[1]],
            swapped: true,
        })
    }

    pub(super) fn pool(&mut self, node: &NodeProto, operator: &str) -> Read<Value> {
        let from = self.value(node, 0)?;
        let size = match attribute(node, "kernel_shape").map(|size| &size.ints[..]) {
            Some(&[a, b]) if a > 0 && b > 0 => [a as usize, b as usize],
            _ => return Err("windows of another rank".into()),
        };
        let (mut window, out) = self.window(node, &from, size)?;
        let mut number = from.number;
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
            number = self.push(node, vec![number], pad);
            window.padding = Padding::Valid;
        }
        let pooling = if operator == "MaxPool" {
            Pooling::Max
        } else {
            Pooling::Average
        };
        number = self.push(
            node,
            vec![number],
            Op::Pool {
                pooling,
                size,
                window,
            },
        );
        Ok(Value {
            number,
            sizes: vec![from.sizes[0], out[0], out[1]],
            swapped: true,
        })
    }

    pub(super) fn global_pool(
        &mut self,
        node: &NodeProto,
        from: &Value,
        max: bool,
        kept: bool,
    ) -> Read<Value> {
        if !from.swapped {
            return Err("what is no image".into());
        }
        let channels = self.channels(from)?;
        let pooling = if max { Pooling::Max } else { Pooling::Average };
        let mut number = self.push(node, vec![from.number], Op::GlobalPool(pooling));
        if !kept {
            return Ok(Value {
                number,
                sizes: vec![channels],
                swapped: false,
            });
        }
        for _ in 0..2 {
            number = self.push(node, vec![number], Op::Axis { at: 0, added: true });
        }
        Ok(Value {
            number,
            sizes: vec![channels, 1, 1],
            swapped: true,
        })
    }
}
