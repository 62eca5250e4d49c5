//! Blending two samples. Shader: `shaders/shared/blend.wgsl`, part of every kernel that mixes.
//!
//! Not a pass of its own: a frame's two warped sides would then go out to memory and back,
//! three times the traffic of the frame itself.

/// `(1 - alpha) * left + alpha * right`; exactly `left` at 0 and `right` at 1.
#[inline(always)]
pub fn blend(left: f32, right: f32, alpha: f32) -> f32 {
    (1.0 - alpha) * left + alpha * right
}
