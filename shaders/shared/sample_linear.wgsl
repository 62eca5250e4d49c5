// level(x, y) = the polynomial of the cell of (x, y), by Horner's rule; bilinear
// Rust twin: src/kernels/sample.rs

// Sources are pieces, [sources, C, H - 1, W - 1].
fn sample(source: u32, channel: u32, at: vec2<f32>) -> f32 {
    let sizes = vec2<i32>(params.width, params.height) - 1;
    let cell = min(vec2<i32>(at), sizes - 1);
    let place = at - vec2<f32>(cell);
    let plane = (source * params.channels + channel) * u32(sizes.x * sizes.y);
    let piece = load_sources(plane + u32(cell.y * sizes.x + cell.x));
    return (piece.x + place.x * piece.y) + place.y * (piece.z + place.x * piece.w);
}
