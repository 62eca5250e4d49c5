// Uniform cubic B-spline weights of the four coefficients around u in [0, 1).
// de Boor, A Practical Guide to Splines, chapter IX. Rust twin: src/kernels/warp.rs
fn cubic_weights(u: f32) -> vec4<f32> {
    let v = 1.0 - u;
    return vec4<f32>(
        v * v * v,
        4.0 + (3.0 * u - 6.0) * u * u,
        4.0 + (3.0 * v - 6.0) * v * v,
        u * u * u,
    ) * (1.0 / 6.0);
}
