// level = (p_0 + u p_1) + v (p_2 + u p_3)
// Gonzalez and Woods, Digital Image Processing, section 2.4.
// Rust twin: src/kernels/pieces.rs

// Values are pixels, [images, image_stride], rows of [H, W, C].
fn make_column(plane: u32, column: u32, first_cell: u32) {
    let step = params.channels;
    var at = plane / params.channels * params.image_stride + plane % params.channels + column * step;
    var a = load_values(at);
    var b = load_values(at + step);
    for (var y = 0u; y + 1u < params.height; y++) {
        at += params.width * step;
        let c = load_values(at);
        let d = load_values(at + step);
        pieces[first_cell + y * (params.width - 1u)] = vec4<f32>(a, b - a, c - a, (d - c) - (b - a));
        a = c;
        b = d;
    }
}
