// level(x, y) = bilinear mean of the four pixels around (x, y)
// Gonzalez and Woods, Digital Image Processing, section 2.4.
// Rust twin: src/kernels/sample.rs

// Sources are images, [sources, source_stride], rows of [H, W, C].
fn sample(source: u32, channel: u32, at: vec2<f32>) -> f32 {
    let cell = min(vec2<i32>(at), vec2<i32>(params.width, params.height) - 2);
    let u = at - vec2<f32>(cell);
    let row = u32(params.width) * params.channels;
    let top = source * params.source_stride + u32(cell.y) * row + u32(cell.x) * params.channels + channel;
    let upper = lerp(sources[top], sources[top + params.channels], u.x);
    let lower = lerp(sources[top + row], sources[top + row + params.channels], u.x);
    return lerp(upper, lower, u.y);
}

fn lerp(a: f32, b: f32, t: f32) -> f32 {
    return a + t * (b - a);
}
