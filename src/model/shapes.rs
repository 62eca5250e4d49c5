//! What shapes layers may take and give, checked before anything is made of them.

use super::ModelError;
use super::error::wrong_input;
use super::layer::{Arrangement, Layer, Op, Padding, Window};
use crate::kernels::Windows;

/// Sides and strides of a window.
const MAX_WINDOW: usize = 1 << 16;

pub(super) fn order(name: &str, reason: &'static str) -> ModelError {
    ModelError::Order {
        name: name.to_owned(),
        reason,
    }
}

/// Checks that each layer takes as many values as it does, all of them made before it, and that each
/// value but the last is taken.
pub(super) fn check_order(layers: &[Layer]) -> Result<(), ModelError> {
    let mut is_taken = vec![false; layers.len() + 1];
    for (number, layer) in layers.iter().enumerate() {
        let fits = match layer.op {
            Op::Add => layer.takes.len() >= 2,
            Op::Combine(_) => layer.takes.len() == 2,
            Op::Arrange(
                Arrangement::Concat { .. } | Arrangement::Stack { .. } | Arrangement::Places(..),
            ) => !layer.takes.is_empty(),
            Op::Kernel(ref kernel) => layer.takes.len() == kernel.takes(),
            _ => layer.takes.len() == 1,
        };
        if !fits {
            let reason =
                "it takes the wrong number of values, two or more for an Add, one otherwise";
            return Err(order(&layer.name, reason));
        }
        for &value in &layer.takes {
            if value > number {
                return Err(order(
                    &layer.name,
                    "it takes the output of a layer that comes after it",
                ));
            }
            is_taken[value] = true;
        }
    }
    match is_taken[..layers.len()].iter().position(|taken| !taken) {
        None => Ok(()),
        Some(0) => Err(order(&layers[0].name, "no layer takes the model's input")),
        Some(unused) => Err(order(
            &layers[unused - 1].name,
            "no layer takes its output; a model has one input and one output",
        )),
    }
}

/// The input's shape where the file does not say it: what the first dense layer takes.
pub(super) fn shape_from_dense(layers: &[Layer]) -> Result<Vec<usize>, ModelError> {
    let first = layers.iter().find(|layer| {
        !matches!(
            layer.op,
            Op::Affine { .. } | Op::Activation(_) | Op::Reshape(None)
        )
    });
    match first.map(|layer| &layer.op) {
        Some(Op::Dense { inputs, .. }) => Ok(vec![*inputs]),
        _ => Err(ModelError::Config {
            place: "input layer".into(),
            expected:
                "a shape without open sizes, since the model does not begin with a dense layer"
                    .into(),
            found: "none".into(),
        }),
    }
}

/// Checks a kernel `[.., inputs, _]` against its values and the channels it meets.
pub(super) fn check_kernel(
    name: &str,
    before: &[usize],
    kernel: &[f32],
    shape: &[usize],
    channels: usize,
) -> Result<(), ModelError> {
    let values = shape
        .iter()
        .try_fold(1usize, |p, &size| p.checked_mul(size));
    let inputs = shape.len() - 2;
    if shape[inputs] == channels && values == Some(kernel.len()) {
        return Ok(());
    }
    let mut expected = shape.to_vec();
    expected[inputs] = channels;
    let before = match before {
        [outputs] => format!("a layer of {outputs} outputs"),
        shape => format!("a layer of shape {shape:?}"),
    };
    Err(ModelError::Shape {
        name: format!("{name}.kernel"),
        expected: format!("{expected:?} after {before}"),
        found: shape.to_vec(),
    })
}

/// Lays windows over an image, as TensorFlow pads: of an odd number of pixels the larger half
/// comes last.
pub(super) fn windows(
    name: &str,
    input: [usize; 3],
    size: [usize; 2],
    Window {
        stride,
        dilation,
        padding,
    }: Window,
    channels: usize,
) -> Result<Windows, ModelError> {
    let fits = |sizes: [usize; 2]| sizes.iter().all(|n| (1..=MAX_WINDOW).contains(n));
    // What a window covers, gaps included.
    let wide = [0, 1].map(|k| size[k].saturating_sub(1).saturating_mul(dilation[k]) + 1);
    if ![size, stride, dilation, wide].into_iter().all(fits) {
        return Err(ModelError::Config {
            place: format!("layer \"{name}\", window and stride"),
            expected: format!("sizes of 1 to {MAX_WINDOW}"),
            found: format!("{size:?} and {stride:?}"),
        });
    }
    let (mut output, mut before) = ([0, 0, channels], [0; 2]);
    for axis in 0..2 {
        let (pixels, size, stride) = (input[axis], wide[axis], stride[axis]);
        (output[axis], before[axis]) = match padding {
            Padding::Valid if size > pixels => {
                let expected = format!("an image no smaller than its window of {size} pixels");
                return Err(wrong_input(name, expected, &input));
            }
            Padding::Valid => ((pixels - size) / stride + 1, 0),
            Padding::Same => {
                let count = pixels.div_ceil(stride);
                let padding = ((count - 1) * stride + size).saturating_sub(pixels);
                (count, padding / 2)
            }
            Padding::Stated { before, after } => {
                let padded = [before[axis], after[axis]]
                    .into_iter()
                    .try_fold(pixels, |all, pad| all.checked_add(pad))
                    .filter(|&padded| padded >= size && before[axis] < size && after[axis] < size);
                let Some(padded) = padded else {
                    let expected = format!(
                        "an image no smaller than its window of {size} pixels, and padding smaller than it"
                    );
                    return Err(wrong_input(name, expected, &input));
                };
                ((padded - size) / stride + 1, before[axis])
            }
        };
    }
    Ok(Windows {
        input,
        output,
        size,
        stride,
        before,
        dilation,
    })
}
