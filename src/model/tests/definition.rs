//! Layers one by one, from their definitions, in 64-bit floats.

use crate::kernels::{Activation, Pooling};
use crate::model::arrange::Arrangement;
use crate::model::layer::{Layer, Op, Padding, Window};

/// The layers one by one. Shapes are followed by hand: a value is its shape and its numbers.
pub(super) fn by_definition(layers: &[Layer], shape: &[usize], x: &[f32]) -> Vec<f64> {
    let input = x.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
    let mut values = vec![(shape.to_vec(), input)];
    for layer in layers {
        let (shape, x) = values[layer.takes[0]].clone();
        let channels = *shape.last().expect("a shape");
        let each = |f: &dyn Fn(usize, f64) -> f64| {
            let values = x.iter().enumerate().map(|(k, &v)| f(k, v)).collect();
            (shape.clone(), values)
        };
        values.push(match &layer.op {
            Op::Reshape(to) => (to.clone().unwrap_or_else(|| vec![x.len()]), x.clone()),
            Op::Affine { scale, offset } => {
                each(&|k, v| v * scale[k % scale.len()] + offset[k % offset.len()])
            }
            Op::Activation(Activation::Relu) => each(&|_, v| v.max(0.0)),
            Op::Activation(Activation::Silu) => each(&|_, v| v / (1.0 + (-v).exp())),
            Op::Activation(Activation::Tanh) => each(&|_, v| v.tanh()),
            Op::Activation(other) => panic!("no definition of {other:?} here"),
            Op::Softmax => (shape, x),
            Op::Add => {
                let others = layer.takes[1..].iter().map(|&other| &values[other].1);
                let others: Vec<_> = others.collect();
                each(&|k, v| v + others.iter().map(|other| other[k]).sum::<f64>())
            }
            Op::Dense {
                inputs,
                kernel,
                bias,
            } => {
                let rows = x.chunks_exact(*inputs).flat_map(|row| {
                    (0..bias.len()).map(move |o| {
                        let products = row.iter().enumerate();
                        let weight = |i: usize| f64::from(kernel[i * bias.len() + o]);
                        let sum: f64 = products.map(|(i, v)| v * weight(i)).sum();
                        sum + f64::from(bias[o])
                    })
                });
                let mut to = shape.clone();
                *to.last_mut().expect("a shape") = bias.len();
                (to, rows.collect())
            }
            Op::Conv {
                shape: [height, width, inputs, outputs],
                groups,
                kernel,
                bias,
                window,
            } => windowed(
                &shape,
                &x,
                [*height, *width],
                *window,
                *outputs,
                |pixels, o| {
                    let first = o / (outputs / groups) * inputs;
                    let taps = pixels.iter().flat_map(|&(tap, pixel)| {
                        (0..*inputs).map(move |c| (tap * inputs + c, pixel + first + c))
                    });
                    let sum: f64 = taps
                        .map(|(t, at)| x[at] * f64::from(kernel[t * outputs + o]))
                        .sum();
                    sum + f64::from(bias[o])
                },
            ),
            Op::Pool {
                pooling,
                size,
                window,
            } => windowed(&shape, &x, *size, *window, channels, |pixels, c| {
                pooled(*pooling, pixels.iter().map(|&(_, at)| x[at + c]))
            }),
            Op::Arrange(Arrangement::Pad { rows, columns }) => {
                let [height, width] = [shape[0], shape[1]];
                let to = [height + rows[0] + rows[1], width + columns[0] + columns[1]];
                let mut framed = vec![0.0; to[0] * to[1] * channels];
                for (y, row) in x.chunks_exact(width * channels).enumerate() {
                    let at = ((y + rows[0]) * to[1] + columns[0]) * channels;
                    framed[at..at + row.len()].copy_from_slice(row);
                }
                (vec![to[0], to[1], channels], framed)
            }
            Op::Axis { .. } | Op::Combine(_) | Op::Arrange(_) | Op::Kernel(_) => {
                panic!("no definition of {:?} here", layer.op)
            }
            Op::GlobalPool(pooling) => {
                let of = |c| pooled(*pooling, x[c..].iter().step_by(channels).copied());
                (vec![channels], (0..channels).map(of).collect())
            }
        });
    }
    values.pop().expect("a value").1
}

fn pooled(pooling: Pooling, values: impl Iterator<Item = f64> + Clone) -> f64 {
    match pooling {
        Pooling::Max => values.fold(f64::MIN, f64::max),
        Pooling::Average => values.clone().sum::<f64>() / values.count() as f64,
    }
}

/// A value for each window and output channel: `of` is given the window's pixels that lie in the
/// image, as their number in the window and their first value.
fn windowed(
    shape: &[usize],
    x: &[f64],
    size: [usize; 2],
    Window {
        stride,
        dilation,
        padding,
    }: Window,
    outputs: usize,
    of: impl Fn(&[(usize, usize)], usize) -> f64,
) -> (Vec<usize>, Vec<f64>) {
    let [height, width, channels] = [shape[0], shape[1], shape[2]];
    assert_eq!(x.len(), height * width * channels);
    assert_eq!(dilation, [1, 1], "no definition of gaps here");
    let along = |axis: usize| match padding {
        Padding::Valid => ((shape[axis] - size[axis]) / stride[axis] + 1, 0),
        Padding::Same => {
            let count = shape[axis].div_ceil(stride[axis]);
            let padding = ((count - 1) * stride[axis] + size[axis]).saturating_sub(shape[axis]);
            (count, padding / 2)
        }
        Padding::Stated { .. } => panic!("no definition of stated padding here"),
    };
    let ((rows, above), (columns, left)) = (along(0), along(1));
    let mut values = Vec::new();
    for k in 0..rows * columns {
        let pixels: Vec<(usize, usize)> = (0..size[0] * size[1])
            .filter_map(|tap| {
                let y = (k / columns * stride[0] + tap / size[1]).checked_sub(above)?;
                let x = (k % columns * stride[1] + tap % size[1]).checked_sub(left)?;
                (y < height && x < width).then_some((tap, (y * width + x) * channels))
            })
            .collect();
        values.extend((0..outputs).map(|o| of(&pixels, o)));
    }
    (vec![rows, columns, outputs], values)
}
