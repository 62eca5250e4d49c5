//! Convolutions whose kernels have gaps or groups, written out as plain ones: zeros stand where
//! nothing is multiplied. Only exact sections want them so; kernels pass over what is not there.

use super::layer::Window;
use std::borrow::Cow;

/// Values of a kernel with zeros in it: 256 MiB of floats.
const MAX_KERNEL: usize = 1 << 26;

/// The sides `[height, width]` and the values of a kernel `[height, width, inputs a group, outputs]`
/// as one of all inputs without gaps; nothing where it is too large.
pub(super) fn written_out<'k>(
    [height, width, inputs, outputs]: [usize; 4],
    groups: usize,
    window: &Window,
    kernel: &'k [f32],
) -> Option<([usize; 2], Cow<'k, [f32]>)> {
    let [down, across] = window.dilation;
    if groups == 1 && [down, across] == [1, 1] {
        return Some(([height, width], kernel.into()));
    }
    let wide = |size: usize, dilation: usize| (size - 1).checked_mul(dilation)?.checked_add(1);
    let (rows, columns) = (wide(height, down)?, wide(width, across)?);
    let all = inputs.checked_mul(groups)?;
    let tap = all.checked_mul(outputs)?;
    let values = rows.checked_mul(columns)?.checked_mul(tap)?;
    if values > MAX_KERNEL {
        return None;
    }
    let each = outputs / groups;
    let mut whole = vec![0.0; values];
    for (k, weights) in kernel.chunks_exact(outputs).enumerate() {
        let (tap_number, input) = (k / inputs, k % inputs);
        let (row, column) = (tap_number / width * down, tap_number % width * across);
        for (group, weights) in weights.chunks_exact(each).enumerate() {
            let at = ((row * columns + column) * all + group * inputs + input) * outputs;
            whole[at + group * each..][..each].copy_from_slice(weights);
        }
    }
    Some(([rows, columns], whole.into()))
}
