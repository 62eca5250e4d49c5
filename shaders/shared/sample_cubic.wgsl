// level(x, y) = the polynomial of the cell of (x, y), by Horner's rule; bicubic
// Rust twin: src/kernels/sample.rs

// Sources are pieces, [sources, C, H - 1, W - 1], the powers of v in each.
fn sample(source: u32, channel: u32, at: vec2<f32>) -> f32 {
    let sizes = vec2<i32>(params.width, params.height) - 1;
    let cell = min(vec2<i32>(at), sizes - 1);
    let u = at.x - f32(cell.x);
    let v = at.y - f32(cell.y);
    let plane = (source * params.channels + channel) * u32(sizes.x * sizes.y);
    let piece = 4u * (plane + u32(cell.y * sizes.x + cell.x));
    let row = load_sources(piece) + v * (load_sources(piece + 1u)
        + v * (load_sources(piece + 2u) + v * load_sources(piece + 3u)));
    return row.x + u * (row.y + u * (row.z + u * row.w));
}
