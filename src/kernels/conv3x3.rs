//! A convolutional layer whose windows are 3 x 3, a pixel apart. Shader: `shaders/conv3x3.wgsl`.
//!
//! All else is the kernel of any windows' (`conv.rs`), the twin included.

use super::{KernelSpec, Recording, case, conv};

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "conv3x3",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/activation.wgsl"),
        include_str!("../../shaders/shared/windows.wgsl"),
        include_str!("../../shaders/shared/convolution.wgsl"),
        include_str!("../../shaders/conv3x3.wgsl"),
    ],
    case,
    ..conv::SPEC
};

/// Padded windows, and squares that reach over the edge.
fn case(recording: &mut Recording) -> &'static [bool] {
    let [padded, _] = case::windows(conv::CASE_CHANNELS);
    conv::case_of(recording, conv::case_layer(padded))
}
