//! Layers that move a window over an image: convolutions and pooling.

use super::graph::Node;
use super::layers::{IMAGE, Reader, Value, variable};
use super::options::Options;
use crate::model::ModelError;
use crate::model::layer::{Arrangement, Op, Padding, Pooling, Window};
use crate::model::weights::LayerId;

impl Reader<'_> {
    pub(super) fn conv(&mut self, id: &LayerId, options: &Options<'_>) -> Result<Op, ModelError> {
        let groups = match options.get("groups") {
            Some(_) => options.size("groups")?,
            None => 1,
        };
        let window = window(options)?;
        let [height, width] = options.pair("kernel_size")?;
        let filters = options.size("filters")?;
        if !filters.is_multiple_of(groups) {
            return Err(options.wrong("groups", "a divisor of filters"));
        }
        let shape = [Some(height), Some(width), None, Some(filters)];
        let (shape, kernel) = self.weights.take(id, variable(&["kernel"], 0), &shape)?;
        let bias = self.bias(id, options, 1, filters)?;
        Ok(Op::Conv {
            shape: [height, width, shape[2], filters],
            groups,
            kernel,
            bias,
            window,
        })
    }

    /// A convolution over rows, as one over images of one column.
    pub(super) fn conv_1d(
        &mut self,
        id: &LayerId,
        options: &Options<'_>,
    ) -> Result<Op, ModelError> {
        options.channels_last()?;
        let one = |key: &str| match options.get(key) {
            Some(_) => options.one(key),
            None => Ok(1),
        };
        let (groups, stride, dilation) = (one("groups")?, one("strides")?, one("dilation_rate")?);
        let length = options.one("kernel_size")?;
        let filters = options.size("filters")?;
        if !filters.is_multiple_of(groups) {
            return Err(options.wrong("groups", "a divisor of filters"));
        }
        let shape = [Some(length), None, Some(filters)];
        let (shape, kernel) = self.weights.take(id, variable(&["kernel"], 0), &shape)?;
        let padding = match options.get("padding").map(|value| value.as_str()) {
            Some(Some("causal")) => Padding::Stated {
                before: [(length - 1).saturating_mul(dilation), 0],
                after: [0, 0],
            },
            _ => padding(options)?,
        };
        let window = Window {
            stride: [stride, 1],
            dilation: [dilation, 1],
            padding,
        };
        let bias = self.bias(id, options, 1, filters)?;
        Ok(Op::Conv {
            shape: [length, 1, shape[1], filters],
            groups,
            kernel,
            bias,
            window,
        })
    }

    /// A transposed convolution: zeros between pixels and around them, and then a convolution by
    /// the kernel turned around.
    pub(super) fn conv_transpose(
        &mut self,
        id: &LayerId,
        options: &Options<'_>,
    ) -> Result<(Arrangement, Arrangement, Op), ModelError> {
        options.only("output_padding", "none", |_| false)?;
        options.only("groups", "1", |value| value == 1)?;
        let window = window(options)?;
        if window.dilation != [1, 1] {
            return Err(options.wrong("dilation_rate", "1 where a convolution is transposed"));
        }
        let size = options.pair("kernel_size")?;
        let filters = options.size("filters")?;
        let shape = [Some(size[0]), Some(size[1]), Some(filters), None];
        let (shape, kernel) = self.weights.take(id, variable(&["kernel"], 0), &shape)?;
        let inputs = shape[3];
        let stride = window.stride;
        if (0..2).any(|axis| stride[axis] > size[axis]) {
            return Err(options.wrong("strides", "strides no larger than the kernel"));
        }
        let taps = size[0] * size[1];
        let mut turned = Vec::with_capacity(kernel.len());
        for tap in (0..taps).rev() {
            for input in 0..inputs {
                for filter in 0..filters {
                    turned.push(kernel[(tap * filters + filter) * inputs + input]);
                }
            }
        }
        let pad = |axis: usize| {
            // What "same" cuts off: the larger half at the end.
            let cut = match window.padding {
                Padding::Same => size[axis] - stride[axis],
                _ => 0,
            };
            [size[axis] - 1 - cut / 2, size[axis] - 1 - (cut - cut / 2)]
        };
        let pad = Arrangement::Pad {
            rows: pad(0),
            columns: pad(1),
        };
        let conv = Op::Conv {
            shape: [size[0], size[1], inputs, filters],
            kernel: turned,
            bias: self.bias(id, options, 1, filters)?,
            groups: 1,
            window: Window {
                stride: [1, 1],
                dilation: [1, 1],
                padding: Padding::Valid,
            },
        };
        Ok((Arrangement::Spread(stride), pad, conv))
    }

    pub(super) fn depthwise_conv(
        &mut self,
        id: &LayerId,
        options: &Options<'_>,
    ) -> Result<Op, ModelError> {
        let window = window(options)?;
        let (shape, kernel) = self.depthwise_kernel(id, options)?;
        let bias = self.bias(id, options, 1, shape[2].saturating_mul(shape[3]))?;
        Ok(depthwise(shape, kernel, bias, window))
    }

    fn depthwise_kernel(
        &mut self,
        id: &LayerId,
        options: &Options<'_>,
    ) -> Result<([usize; 4], Vec<f32>), ModelError> {
        let [height, width] = options.pair("kernel_size")?;
        let multiplier = match options.get("depth_multiplier") {
            Some(_) => options.size("depth_multiplier")?,
            None => 1,
        };
        let shape = [Some(height), Some(width), None, Some(multiplier)];
        // Keras 3 calls a DepthwiseConv2D's kernel just that.
        let kernel = variable(&["depthwise_kernel", "kernel"], 0);
        let (shape, kernel) = self.weights.take(id, kernel, &shape)?;
        Ok(([height, width, shape[2], multiplier], kernel))
    }

    /// A depthwise convolution without a bias and one of single pixels over all channels.
    pub(super) fn separable_conv(
        &mut self,
        id: &LayerId,
        options: &Options<'_>,
    ) -> Result<[Op; 2], ModelError> {
        let window = window(options)?;
        let filters = options.size("filters")?;
        let (shape, kernel) = self.depthwise_kernel(id, options)?;
        let between = shape[2].saturating_mul(shape[3]);
        let pointwise = [Some(1), Some(1), Some(between), Some(filters)];
        let pointwise = self.values(id, variable(&["pointwise_kernel"], 1), &pointwise)?;
        Ok([
            depthwise(shape, kernel, vec![0.0; between], window),
            Op::Conv {
                shape: [1, 1, between, filters],
                kernel: pointwise,
                bias: self.bias(id, options, 2, filters)?,
                groups: 1,
                window: Window {
                    stride: [1, 1],
                    dilation: [1, 1],
                    padding: Padding::Valid,
                },
            },
        ])
    }

    /// The largest or the mean values of windows.
    pub(super) fn pool(
        &mut self,
        node: &Node<'_>,
        options: &Options<'_>,
        from: Value,
    ) -> Result<Value, ModelError> {
        options.channels_last()?;
        // Over rows it is one of images of one column.
        let row = node.class.ends_with("1D");
        let pair = |key: &str| match row {
            true => options.one(key).map(|size| [size, 1]),
            false => options.pair(key),
        };
        let size = pair("pool_size")?;
        let stride = match options.get("strides") {
            Some(_) => pair("strides")?,
            None => size,
        };
        let window = Window {
            stride,
            dilation: [1, 1],
            padding: padding(options)?,
        };
        let op = Op::Pool {
            pooling: pooling(node.class),
            size,
            window,
        };
        self.push(node, vec![from.number], op, 0);
        Ok(self.last(IMAGE))
    }

    /// The largest or the mean values of whole channels.
    pub(super) fn global_pool(
        &mut self,
        node: &Node<'_>,
        options: &Options<'_>,
        from: Value,
    ) -> Result<Value, ModelError> {
        options.channels_last()?;
        let op = Op::GlobalPool(pooling(node.class));
        self.push(node, vec![from.number], op, 0);
        let value = self.last(Some(1));
        if !options.flag("keepdims", false)? {
            return Ok(value);
        }
        let value = self.axis(node, value, 0, true);
        Ok(self.axis(node, value, 0, true))
    }
}

/// A kernel `[height, width, channels, multiplier]`, each channel by itself.
fn depthwise(
    [height, width, channels, multiplier]: [usize; 4],
    kernel: Vec<f32>,
    bias: Vec<f32>,
    window: Window,
) -> Op {
    Op::Conv {
        shape: [height, width, 1, channels.saturating_mul(multiplier)],
        groups: channels,
        kernel,
        bias,
        window,
    }
}

fn dilation(options: &Options<'_>) -> Result<[usize; 2], ModelError> {
    match options.get("dilation_rate") {
        Some(_) => options.pair("dilation_rate"),
        None => Ok([1, 1]),
    }
}

fn pooling(class: &str) -> Pooling {
    if class.contains("Max") {
        Pooling::Max
    } else {
        Pooling::Average
    }
}

/// Strides and padding of a convolution.
fn window(options: &Options<'_>) -> Result<Window, ModelError> {
    options.channels_last()?;
    let stride = match options.get("strides") {
        Some(_) => options.pair("strides")?,
        None => [1, 1],
    };
    Ok(Window {
        stride,
        dilation: dilation(options)?,
        padding: padding(options)?,
    })
}

fn padding(options: &Options<'_>) -> Result<Padding, ModelError> {
    match options.get("padding").map(|value| value.as_str()) {
        None | Some(Some("valid")) => Ok(Padding::Valid),
        Some(Some("same")) => Ok(Padding::Same),
        _ => Err(options.wrong("padding", "valid or same")),
    }
}
