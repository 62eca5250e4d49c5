// Output pixel (y, x) looks at size pixels, dilation apart, from (y, x) * stride - before on;
// outside is padding.
// Dumoulin and Visin 2016, A guide to convolution arithmetic for deep learning, chapter 2.
// Needs `params.windows` and the images `x`. Rust twin: src/kernels/windows.rs

struct WindowParams {
    height: i32, // of an image of x
    width: i32,
    channels: u32,
    out_pixels: u32, // of an image of y
    out_width: u32,
    outputs: u32, // channels of y
    values: u32, // out_pixels * outputs
    fan: u32, // channels of y a group
    size_y: i32,
    size_x: i32,
    stride_y: i32,
    stride_x: i32,
    before_y: i32, // padding above
    before_x: i32, // padding to the left
    x_stride: u32, // words between images of x
    y_stride: u32, // words between images of y
    dilation_y: i32,
    dilation_x: i32,
    group_inputs: u32, // channels of x a group
    groups: u32, // groups of channels that stay apart
}

// The windows of four output pixels.
struct Four {
    first: vec4<u32>, // the channel looked at, in the first pixel of its image
    top: vec4<i32>,
    left: vec4<i32>,
}

// Of output pixels in rows `y` and columns `x`.
fn four_windows(y: vec4<u32>, x: vec4<u32>, first: vec4<u32>) -> Four {
    let windows = params.windows;
    let top = vec4<i32>(y) * windows.stride_y - windows.before_y;
    let left = vec4<i32>(x) * windows.stride_x - windows.before_x;
    return Four(first, top, left);
}

// Where one pixel of each window lies in x, and whether it is none of the padding.
struct Tap {
    at: vec4<u32>,
    inside: vec4<bool>,
}

fn tap_of(four: Four, row: i32, column: i32) -> Tap {
    let windows = params.windows;
    let y = four.top + row * windows.dilation_y;
    let x = four.left + column * windows.dilation_x;
    let inside_y = clamp(y, vec4<i32>(0), vec4<i32>(windows.height - 1));
    let inside_x = clamp(x, vec4<i32>(0), vec4<i32>(windows.width - 1));
    let at = four.first + vec4<u32>(inside_y * windows.width + inside_x) * windows.channels;
    return Tap(at, (y == inside_y) & (x == inside_x));
}

// The tap's values `channel` further on, anything in place of padding.
fn load(tap: Tap, channel: u32) -> vec4<f32> {
    let at = tap.at + channel;
    return vec4<f32>(load_x(at.x), load_x(at.y), load_x(at.z), load_x(at.w));
}

// The same with zeros for padding.
fn load_padded(tap: Tap, channel: u32) -> vec4<f32> {
    return select(vec4<f32>(0.0), load(tap, channel), tap.inside);
}
