// level(x, y) = bilinear mean of the four pixels around (x, y)
// Gonzalez and Woods, Digital Image Processing, section 2.4.
// Rust twin: src/kernels/sample.rs

// Sources are pixels, [sources, C, H, W], each with its neighbours to the right, below, and below right.
fn sample(source: u32, channel: u32, at: vec2<f32>) -> f32 {
    let cell = min(vec2<i32>(at), vec2<i32>(params.width, params.height) - 2);
    let u = at - vec2<f32>(cell);
    let plane = (source * params.channels + channel) * u32(params.width * params.height);
    let pixels = load_sources(plane + u32(cell.y * params.width + cell.x));
    return lerp(lerp(pixels.x, pixels.y, u.x), lerp(pixels.z, pixels.w, u.x), u.y);
}

fn lerp(a: f32, b: f32, t: f32) -> f32 {
    return a + t * (b - a);
}
