//! Convolutions whose kernels have gaps or groups, as plain ones: zeros stand where nothing is
//! multiplied. That costs products with zeros and no kernel of its own; groups of one channel are
//! depthwise.

use super::ModelError;
use super::layer::{Op, Window};

/// Values of a kernel with zeros in it: 256 MiB of floats.
const MAX_KERNEL: usize = 1 << 26;

/// A kernel `[height, width, ..]` with zeros between its taps.
pub(super) fn dilated(
    name: &str,
    shape: [usize; 4],
    kernel: Vec<f32>,
    dilation: [usize; 2],
) -> Result<([usize; 4], Vec<f32>), ModelError> {
    if dilation == [1, 1] {
        return Ok((shape, kernel));
    }
    let [height, width, inputs, outputs] = shape;
    let wide = |size: usize, dilation: usize| (size - 1).checked_mul(dilation)?.checked_add(1);
    let sizes = wide(height, dilation[0]).zip(wide(width, dilation[1]));
    let tap = inputs.saturating_mul(outputs);
    let values = sizes.and_then(|(rows, columns)| rows.checked_mul(columns)?.checked_mul(tap));
    let (Some((rows, columns)), Some(values)) = (sizes, values.filter(|&n| n <= MAX_KERNEL)) else {
        return Err(too_wide(name, shape));
    };
    let mut wide = vec![0.0; values];
    for (k, weights) in kernel.chunks_exact(tap.max(1)).enumerate() {
        let (row, column) = (k / width * dilation[0], k % width * dilation[1]);
        wide[(row * columns + column) * tap..][..tap].copy_from_slice(weights);
    }
    Ok(([rows, columns, inputs, outputs], wide))
}

fn too_wide(name: &str, shape: [usize; 4]) -> ModelError {
    ModelError::TooLarge {
        name: name.to_owned(),
        shape: shape.to_vec(),
        limit: MAX_KERNEL,
    }
}

/// A convolution whose channels are in groups: of one channel each it is depthwise, else its
/// kernel is written out with zeros between groups.
pub(super) fn grouped(
    name: &str,
    shape: [usize; 4],
    kernel: Vec<f32>,
    bias: Vec<f32>,
    window: Window,
    groups: usize,
    dilation: [usize; 2],
) -> Result<Op, ModelError> {
    let (shape, kernel) = dilated(name, shape, kernel, dilation)?;
    let [height, width, inputs, filters] = shape;
    let each = filters / groups;
    if groups > 1 && inputs == 1 {
        return Ok(Op::DepthwiseConv {
            shape: [height, width, groups, each],
            kernel,
            bias,
            window,
        });
    }
    let all = inputs.checked_mul(groups);
    let values = all.and_then(|all| all.checked_mul(kernel.len() / inputs));
    let (Some(all), Some(values)) = (all, values.filter(|&n| n <= MAX_KERNEL)) else {
        return Err(too_wide(name, shape));
    };
    let mut whole = kernel;
    if groups > 1 {
        let grouped = std::mem::replace(&mut whole, vec![0.0; values]);
        for (k, weights) in grouped.chunks_exact(filters).enumerate() {
            let (tap, input) = (k / inputs, k % inputs);
            for (group, weights) in weights.chunks_exact(each).enumerate() {
                let row = tap * all + group * inputs + input;
                whole[row * filters + group * each..][..each].copy_from_slice(weights);
            }
        }
    }
    Ok(Op::Conv {
        shape: [height, width, all, filters],
        kernel: whole,
        bias,
        window,
    })
}
