//! The layers of a model as its file has them: weights untouched, shapes followed, windows laid.
//!
//! What engines run has scalings folded into neighbours and rounded to 32-bit floats again. That
//! moves a decision boundary by about 1e-8, which is nothing for an image on the screen and far too
//! much for an exact section, so those start from here.

use super::grouped::written_out;
use super::layer::{Layer, Op};
use super::shapes;
use super::sizes;
use super::{Held, Link, Model, ModelError};
use crate::kernels::{Activation, Pooling, Windows};
use std::borrow::Cow;

/// One layer that computes something, with what it needs to be computed.
#[derive(Debug, Clone)]
pub struct UnfoldedLayer<'a> {
    /// Its name in the file.
    pub name: &'a str,
    /// The values it takes: 0 is the model's input, `n` the output of layer `n - 1` of this list.
    pub takes: Vec<usize>,
    /// What it computes.
    pub op: UnfoldedOp<'a>,
    /// Values that it gives, row-major, channels innermost.
    pub outputs: usize,
}

/// What a layer computes; weights are as the file has them.
#[derive(Debug, Clone)]
pub enum UnfoldedOp<'a> {
    /// The same values: a reshape, a linear activation, or the softmax or sigmoids at the end.
    Same,
    /// `x * scale + offset`; value `i` takes entry `i % len`.
    Affine {
        /// Factors.
        scale: &'a [f64],
        /// Summands.
        offset: &'a [f64],
    },
    /// `x W + b`, W `[inputs, outputs]`.
    Dense {
        /// `[inputs, outputs]`
        kernel: &'a [f32],
        /// `[outputs]`
        bias: &'a [f32],
    },
    /// Cross-correlation, kernel `[rows, columns, inputs, outputs]`.
    Conv {
        /// How the kernel moves.
        windows: Windows,
        /// `[rows, columns, inputs, outputs]`, gaps and groups written out as zeros.
        kernel: Cow<'a, [f32]>,
        /// `[outputs]`
        bias: &'a [f32],
    },
    /// The same channel by channel, kernel `[rows, columns, channels, multiplier]`.
    Depthwise {
        /// How the kernel moves.
        windows: Windows,
        /// `[rows, columns, channels, multiplier]`
        kernel: &'a [f32],
        /// `[channels * multiplier]`
        bias: &'a [f32],
    },
    /// The largest or the mean value of windows; padding takes no part.
    Pool {
        /// How the window moves.
        windows: Windows,
        /// Which of the two.
        pooling: Pooling,
    },
    /// A function of each value.
    Activation(Activation),
    /// The sum of its values.
    Add,
    /// Something that only engines compute, named for messages.
    Other(&'static str),
}

impl Model {
    /// The layers as the file has them, nothing folded, in 32-bit floats of the file; empty where
    /// the host runs the model.
    ///
    /// # Errors
    /// [`ModelError`]; a model that was read does not fail here.
    pub fn unfolded(&self) -> Result<Vec<UnfoldedLayer<'_>>, ModelError> {
        let mut shapes = vec![self.input_shape.clone().unwrap_or_default()];
        let mut unfolded = Vec::with_capacity(self.unfolded.len());
        for layer in self.unfolded.iter() {
            let from = &shapes[layer.takes[0]];
            let (op, shape) = match &layer.op {
                Op::Add if layer.takes.iter().any(|&value| shapes[value] != *from) => {
                    (UnfoldedOp::Other("a sum of different shapes"), from.clone())
                }
                _ => followed(layer, from)?,
            };
            let is_other = matches!(op, UnfoldedOp::Other(_));
            unfolded.push(UnfoldedLayer {
                name: &layer.name,
                takes: layer.takes.clone(),
                op,
                outputs: shape.iter().product(),
            });
            if is_other {
                // Nothing is known of the shapes behind it.
                return Ok(unfolded);
            }
            shapes.push(shape);
        }
        let link = match &self.held {
            Held::Steps(steps) => steps.link(),
            _ => return Ok(unfolded),
        };
        let Some(outputs) = unfolded.last().map(|layer| layer.outputs) else {
            return Ok(unfolded);
        };
        let takes = vec![unfolded.len()];
        match (link, outputs) {
            // The larger sigmoid is that of the larger logit.
            (Link::Softmax | Link::Sigmoid, outputs) if outputs == self.num_classes() => {}
            // Of one logit two, 0 and itself.
            (Link::Softmax, 1) => unfolded.push(UnfoldedLayer {
                name: "the classes",
                takes,
                op: UnfoldedOp::Dense {
                    kernel: &[0.0, 1.0],
                    bias: &[0.0, 0.0],
                },
                outputs: 2,
            }),
            _ => unfolded.push(UnfoldedLayer {
                name: "",
                takes,
                op: UnfoldedOp::Other("answers that are neither logits nor sigmoids, one a class"),
                outputs,
            }),
        }
        Ok(unfolded)
    }
}

/// A layer with its windows laid over what it takes, and the shape that it gives.
fn followed<'a>(
    layer: &'a Layer,
    from: &[usize],
) -> Result<(UnfoldedOp<'a>, Vec<usize>), ModelError> {
    let name = &layer.name;
    let laid = |size, window, channels| {
        let input = sizes::image(name, from)?;
        shapes::windows(name, input, size, window, channels)
    };
    Ok(match &layer.op {
        Op::Softmax => (UnfoldedOp::Same, from.to_vec()),
        Op::Activation(activation) => (UnfoldedOp::Activation(*activation), from.to_vec()),
        Op::Add => (UnfoldedOp::Add, from.to_vec()),
        Op::Combine(_) => (
            UnfoldedOp::Other("a product, a quotient or the larger of two values"),
            from.to_vec(),
        ),
        Op::Arrange(_) => (
            UnfoldedOp::Other("values that change places"),
            from.to_vec(),
        ),
        Op::Kernel(kernel) => (UnfoldedOp::Other(kernel.what()), from.to_vec()),
        Op::Axis { at, added } => {
            let mut shape = from.to_vec();
            match added {
                true => shape.insert(*at, 1),
                false => drop(shape.remove(*at)),
            }
            (UnfoldedOp::Same, shape)
        }
        Op::Affine { scale, offset } => (UnfoldedOp::Affine { scale, offset }, from.to_vec()),
        Op::Reshape(shape) => {
            let values: usize = from.iter().product();
            let mut shape = shape.clone().unwrap_or_else(|| vec![values]);
            if let Some(open) = shape.iter().position(|&size| size == 0) {
                let others = shape.iter().filter(|&&size| size != 0).product::<usize>();
                shape[open] = values / others.max(1);
            }
            (UnfoldedOp::Same, shape)
        }
        Op::Dense { kernel, bias, .. } => {
            let (&channels, pixels) = from.split_last().unwrap_or((&1, &[]));
            let shape = [pixels, &[bias.len()]].concat();
            // On an image a dense layer is a convolution of single pixels.
            let op = match pixels.iter().product() {
                1 => UnfoldedOp::Dense { kernel, bias },
                pixels => UnfoldedOp::Conv {
                    windows: Windows {
                        input: [pixels, 1, channels],
                        output: [pixels, 1, bias.len()],
                        size: [1, 1],
                        stride: [1, 1],
                        before: [0, 0],
                        dilation: [1, 1],
                    },
                    kernel: kernel.into(),
                    bias,
                },
            };
            (op, shape)
        }
        Op::Conv {
            shape,
            groups,
            kernel,
            bias,
            window,
        } => {
            let windows = laid([shape[0], shape[1]], *window, bias.len())?;
            let given = windows.output.to_vec();
            if *groups > 1 && shape[2] == 1 && window.dilation == [1, 1] {
                let op = UnfoldedOp::Depthwise {
                    windows,
                    kernel,
                    bias,
                };
                return Ok((op, given));
            }
            let op = match written_out(*shape, *groups, window, kernel) {
                Some((size, kernel)) => UnfoldedOp::Conv {
                    windows: Windows {
                        size,
                        dilation: [1, 1],
                        ..windows
                    },
                    kernel,
                    bias,
                },
                None => UnfoldedOp::Other("a convolution whose gaps or groups make it too large"),
            };
            (op, given)
        }
        Op::Pool {
            pooling,
            size,
            window,
        } => {
            let channels = sizes::image(name, from)?[2];
            let windows = laid(*size, *window, channels)?;
            let pooling = *pooling;
            let op = UnfoldedOp::Pool { windows, pooling };
            (op, windows.output.to_vec())
        }
        Op::GlobalPool(pooling) => {
            let [height, width, channels] = sizes::image(name, from)?;
            let windows = Windows {
                input: [height, width, channels],
                output: [1, 1, channels],
                size: [height, width],
                stride: [1, 1],
                before: [0, 0],
                dilation: [1, 1],
            };
            let pooling = *pooling;
            (UnfoldedOp::Pool { windows, pooling }, vec![channels])
        }
    })
}
