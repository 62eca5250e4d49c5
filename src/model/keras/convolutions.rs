//! Layers that move a window over an image: convolutions and pooling.

use super::graph::Node;
use super::layers::{IMAGE, Reader, Value, variable};
use super::options::Options;
use crate::model::ModelError;
use crate::model::layer::{Op, Padding, Pooling, Window};
use crate::model::weights::LayerId;

impl Reader<'_> {
    pub(super) fn conv(&mut self, id: &LayerId, options: &Options<'_>) -> Result<Op, ModelError> {
        options.only("groups", "1, all channels together", |value| value == 1)?;
        let window = window(options)?;
        let [height, width] = options.pair("kernel_size")?;
        let filters = options.size("filters")?;
        let shape = [Some(height), Some(width), None, Some(filters)];
        let (shape, kernel) = self.weights.take(id, variable(&["kernel"], 0), &shape)?;
        Ok(Op::Conv {
            shape: [height, width, shape[2], filters],
            kernel,
            bias: self.bias(id, options, 1, filters)?,
            window,
        })
    }

    pub(super) fn depthwise_conv(
        &mut self,
        id: &LayerId,
        options: &Options<'_>,
    ) -> Result<Op, ModelError> {
        let window = window(options)?;
        let (shape, kernel) = self.depthwise_kernel(id, options)?;
        Ok(Op::DepthwiseConv {
            bias: self.bias(id, options, 1, shape[2].saturating_mul(shape[3]))?,
            shape,
            kernel,
            window,
        })
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
            Op::DepthwiseConv {
                shape,
                kernel,
                bias: vec![0.0; between],
                window,
            },
            Op::Conv {
                shape: [1, 1, between, filters],
                kernel: pointwise,
                bias: self.bias(id, options, 2, filters)?,
                window: Window {
                    stride: [1, 1],
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
        let size = options.pair("pool_size")?;
        let stride = match options.get("strides") {
            Some(_) => options.pair("strides")?,
            None => size,
        };
        let window = Window {
            stride,
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
        options.only("keepdims", "false", |value| value == false)?;
        let op = Op::GlobalPool(pooling(node.class));
        self.push(node, vec![from.number], op, 0);
        Ok(self.last(Some(1)))
    }
}

fn pooling(class: &str) -> Pooling {
    if class.contains("Max") {
        Pooling::Max
    } else {
        Pooling::Average
    }
}

/// Strides and padding of a convolution that is not dilated.
fn window(options: &Options<'_>) -> Result<Window, ModelError> {
    options.channels_last()?;
    if options.get("dilation_rate").is_some() && options.pair("dilation_rate")? != [1, 1] {
        return Err(options.wrong("dilation_rate", "1, the only one supported"));
    }
    let stride = match options.get("strides") {
        Some(_) => options.pair("strides")?,
        None => [1, 1],
    };
    Ok(Window {
        stride,
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
