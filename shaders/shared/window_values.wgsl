// Values 4 i to 4 i + 3 of y, [images, y_stride]: their channels and their windows
// Needs shared/windows.wgsl. Rust twin: src/kernels/depthwise.rs, src/kernels/pool.rs

struct WindowValues {
    is_padding: vec4<bool>, // past the image's own values
    output: vec4<u32>, // channel of y
    windows: Four, // of the image's first channel
}

// Channel, column and row of the value behind one of an image of y. Values are found by steps, since a
// software adapter divides whole numbers one by one, which takes a third as long as a pool.
fn next_value(at: vec3<u32>) -> vec3<u32> {
    let ends_pixel = at.x + 1u == params.windows.outputs;
    let ends_row = ends_pixel && at.y + 1u == params.windows.out_width;
    return vec3<u32>(
        select(at.x + 1u, 0u, ends_pixel),
        select(at.y + u32(ends_pixel), 0u, ends_row),
        at.z + u32(ends_row),
    );
}

// Values past the image's own fill its row up: they look where the last one looks.
fn window_values(index: u32) -> WindowValues {
    let windows = params.windows;
    let row_fours = windows.y_stride / 4u;
    let image = index / row_fours;
    let value = 4u * (index - image * row_fours);
    let pixel = value / windows.outputs;
    let row = pixel / windows.out_width;
    let a = vec3<u32>(value - pixel * windows.outputs, pixel - row * windows.out_width, row);
    let is_padding = value + vec4<u32>(0u, 1u, 2u, 3u) >= vec4<u32>(windows.values);
    let b = select(next_value(a), a, is_padding.y);
    let c = select(next_value(b), b, is_padding.z);
    let d = select(next_value(c), c, is_padding.w);
    let four = four_windows(
        vec4<u32>(a.z, b.z, c.z, d.z),
        vec4<u32>(a.y, b.y, c.y, d.y),
        vec4<u32>(image * windows.x_stride),
    );
    return WindowValues(is_padding, vec4<u32>(a.x, b.x, c.x, d.x), four);
}
