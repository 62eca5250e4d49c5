// Values 4 i to 4 i + 3 of y, [images, y_stride]: their channels and their windows
// Where groups of channels stay apart: channel c of y looks at those of group c / fan of x.
// Needs shared/windows.wgsl. Rust twin: src/kernels/depthwise.rs, src/kernels/pool.rs

struct WindowValues {
    is_padding: vec4<bool>, // past the image's own values
    output: vec4<u32>, // channel of y
    windows: Four,
}

// Values past the image's own fill its row up: they look where the last one looks.
fn window_values(index: u32) -> WindowValues {
    let windows = params.windows;
    let row_fours = windows.y_stride / 4u;
    let value = index % row_fours * 4u + vec4<u32>(0u, 1u, 2u, 3u);
    let inside = min(value, vec4<u32>(windows.values - 1u));
    let output = inside % windows.outputs;
    let image = index / row_fours * windows.x_stride;
    let four = four_windows(inside / windows.outputs, image + output / windows.fan * windows.group_inputs);
    return WindowValues(value != inside, output, four);
}
