//! Operators that move a window over an image: convolutions and pools.

use super::layers::{Read, Reader, Value};
use super::rewrite::attribute;
use crate::model::grouped::{dilated as dilated_kernel, grouped};
use crate::model::layer::{Op, Padding, Pooling, Window};
use rten_onnx::onnx::NodeProto;

impl Reader<'_> {
    /// Strides, and the margins of windows of this size over an image; the sizes that come out.
    pub(super) fn window(
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
        if stride.contains(&0) || size.contains(&0) {
            return Err("windows or strides of 0".into());
        }
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
        let out = |pixels: usize, axis: usize| {
            let padded = pixels.checked_add(before[axis])?.checked_add(after[axis])?;
            Some(padded.checked_sub(size[axis])? / stride[axis] + 1)
        };
        let out = out(height, 0)
            .zip(out(width, 1))
            .ok_or("an image smaller than its window")?;
        let padding = match (before, after) {
            ([0, 0], [0, 0]) => Padding::Valid,
            _ => Padding::Stated { before, after },
        };
        Ok((Window { stride, padding }, [out.0, out.1]))
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
        let dilation = match attribute(node, "dilations").map(|dilations| &dilations.ints[..]) {
            None | Some([]) => [1, 1],
            Some(&[a, b]) if a > 0 && b > 0 => [a as usize, b as usize],
            Some(other) => return Err(format!("dilations {other:?}")),
        };
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
        let wide = [
            (height - 1) * dilation[0] + 1,
            (width - 1) * dilation[1] + 1,
        ];
        let (window, out) = self.window(node, &from, wide)?;
        let name = node.name.as_deref().unwrap_or_default();
        let shape = [height, width, inputs, filters];
        let op = grouped(name, shape, kernel, bias, window, groups, dilation)
            .map_err(|error| error.to_string())?;
        let number = self.push(node, vec![from.number], op);
        Ok(Value {
            number,
            sizes: vec![filters, out[0], out[1]],
            swapped: true,
        })
    }

    pub(super) fn pool(&mut self, node: &NodeProto, operator: &str) -> Read<Value> {
        let from = self.value(node, 0)?;
        let int = |name: &str| {
            attribute(node, name)
                .and_then(|attribute| attribute.i)
                .unwrap_or(0)
        };
        let size = match attribute(node, "kernel_shape").map(|size| &size.ints[..]) {
            Some(&[a, b]) if a > 0 && b > 0 => [a as usize, b as usize],
            _ => return Err("windows of another rank".into()),
        };
        let dilated =
            attribute(node, "dilations").is_some_and(|list| list.ints.iter().any(|&n| n != 1));
        if int("ceil_mode") != 0 || (dilated && operator == "MaxPool") {
            return Err("windows that are dilated or cut".into());
        }
        // A mean of values apart is a convolution whose weights are all alike.
        if dilated {
            let dilation = match attribute(node, "dilations").map(|list| &list.ints[..]) {
                Some(&[a, b]) if a > 0 && b > 0 => [a as usize, b as usize],
                _ => return Err("dilations of another rank".into()),
            };
            let channels = self.channels(&from)?;
            let taps = size[0].checked_mul(size[1]).filter(|&taps| taps <= 1 << 16);
            let taps = taps.ok_or("windows that are too large")?;
            let kernel = vec![1.0 / taps as f32; taps * channels];
            let shape = [size[0], size[1], channels, 1];
            let name = node.name.as_deref().unwrap_or_default();
            let (shape, kernel) =
                dilated_kernel(name, shape, kernel, dilation).map_err(|error| error.to_string())?;
            let (window, out) = self.window(node, &from, [shape[0], shape[1]])?;
            if window.padding != Padding::Valid {
                return Err("a dilated mean with padding".into());
            }
            let bias = vec![0.0; channels];
            let op = Op::DepthwiseConv {
                shape,
                kernel,
                bias,
                window,
            };
            let number = self.push(node, vec![from.number], op);
            return Ok(Value {
                number,
                sizes: vec![channels, out[0], out[1]],
                swapped: true,
            });
        }
        let (window, out) = self.window(node, &from, size)?;
        let padded = window.padding != Padding::Valid;
        if operator == "AveragePool" && int("count_include_pad") != 0 && padded {
            return Err("a mean that counts padding".into());
        }
        let pooling = if operator == "MaxPool" {
            Pooling::Max
        } else {
            Pooling::Average
        };
        let number = self.push(
            node,
            vec![from.number],
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
