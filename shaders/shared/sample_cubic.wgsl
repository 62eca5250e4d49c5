// level(x, y) = sum_rc B_r(v) B_c(u) c[row + r][column + c], uniform cubic B-splines B
// de Boor, A Practical Guide to Splines, chapters IX and XVII.
// Rust twin: src/kernels/sample.rs

// Sources are spline coefficients, [sources, C, H + 2, W + 2], each with the three below it.
fn sample(source: u32, channel: u32, at: vec2<f32>) -> f32 {
    let cell = min(vec2<i32>(at), vec2<i32>(params.width, params.height) - 2);
    let u = at - vec2<f32>(cell);
    let row = params.width + 2;
    let plane = (source * params.channels + channel) * u32(row * (params.height + 2));
    let left = plane + u32(cell.y * row + cell.x);
    let across = cubic_weights(u.x);
    let column = across.x * load_sources(left) + across.y * load_sources(left + 1u)
        + across.z * load_sources(left + 2u) + across.w * load_sources(left + 3u);
    return dot(cubic_weights(u.y), column);
}

// Weights of the four coefficients around u in 0..1.
fn cubic_weights(u: f32) -> vec4<f32> {
    let v = 1.0 - u;
    return vec4<f32>(v * v * v, 4.0 + (3.0 * u - 6.0) * u * u, 4.0 + (3.0 * v - 6.0) * v * v, u * u * u) * (1.0 / 6.0);
}
