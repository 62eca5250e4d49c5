// y(p, o) = activation(b(o) + sum_tc x(window pixel t of p, c) w(t, c, o) + other(p, o)), 8 pixels p x 8 channels o
// A convolutional layer (Goodfellow et al., Deep Learning, equation 9.6), padded with zeros.
// One invocation: 8 output pixels times 8 output channels, the 64 sums in registers as four 4 x 4
//   matrices, as in dense.wgsl. Pixels are counted through all images, so that no block but the
//   last is ragged.
// Rust twin: src/kernels/conv.rs

struct ConvParams {
    windows: WindowParams,
    activation: ActivationParams,
    pixels: u32, // output pixels of all images
    w_stride: u32, // vec4s between rows of w, even
    is_sum: u32, // 0 where nothing is added
}

// Binding 1, load_x(at): f32, [images, x_stride], rows of [H, W, C]
// Binding 2, load_w(at): vec4<f32>, [size_y, size_x, channels, w_stride], zero-padded
@group(0) @binding(0) var<uniform> params: ConvParams;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>; // [w_stride], zero-padded
@group(0) @binding(4) var<storage, read> other: array<f32>; // as y, or anything where nothing is added
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // [images, y_stride], rows of [H, W, C]

const WORKGROUP_SIZE: u32 = 64u;
const BLOCK_PIXELS: u32 = 8u;

// The images of four output pixels, and which of their pixels they are. Those past the end look
// where the last one looks; they are not stored.
struct Place {
    image: vec4<u32>,
    pixel: vec4<u32>,
}

fn place_of(pixel: vec4<u32>) -> Place {
    let inside = min(pixel, vec4<u32>(params.pixels - 1u));
    return Place(inside / params.windows.out_pixels, inside % params.windows.out_pixels);
}

fn windows_at(place: Place) -> Four {
    let windows = params.windows;
    let first = place.image * windows.x_stride;
    return four_windows(place.pixel / windows.out_width, place.pixel % windows.out_width, first);
}

// Four channels' sums of four pixels, a column a pixel.
fn add_pixels(sums: mat4x4<f32>, weights: vec4<f32>, levels: vec4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(
        fma(vec4<f32>(levels.x), weights, sums[0]),
        fma(vec4<f32>(levels.y), weights, sums[1]),
        fma(vec4<f32>(levels.z), weights, sums[2]),
        fma(vec4<f32>(levels.w), weights, sums[3]),
    );
}

// Pixels past the end and channels that are padding are left out.
fn store(pixel: u32, to: u32, channel: u32, sums: vec4<f32>) {
    if pixel >= params.pixels || channel >= params.windows.outputs {
        return;
    }
    let left = params.windows.outputs - channel;
    var added = vec4<f32>(0.0);
    if params.is_sum == 1u {
        added.x = other[to];
        if left > 1u { added.y = other[to + 1u]; }
        if left > 2u { added.z = other[to + 2u]; }
        if left > 3u { added.w = other[to + 3u]; }
    }
    let values = activate(sums + added);
    y[to] = values.x;
    if left > 1u { y[to + 1u] = values.y; }
    if left > 2u { y[to + 2u] = values.z; }
    if left > 3u { y[to + 3u] = values.w; }
}

fn store_pixels(pixel: vec4<u32>, channel: u32, sums: mat4x4<f32>) {
    let place = place_of(pixel);
    let to = place.image * params.windows.y_stride + place.pixel * params.windows.outputs + channel;
    store(pixel.x, to.x, channel, sums[0]);
    store(pixel.y, to.y, channel, sums[1]);
    store(pixel.z, to.z, channel, sums[2]);
    store(pixel.w, to.w, channel, sums[3]);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    let column_blocks = params.w_stride / 2u;
    let first = index / column_blocks * BLOCK_PIXELS;
    let column = index % column_blocks * 2u;
    if first >= params.pixels {
        return;
    }
    let upper_pixels = first + vec4<u32>(0u, 1u, 2u, 3u);
    let lower_pixels = upper_pixels + 4u;
    let upper = windows_at(place_of(upper_pixels));
    let lower = windows_at(place_of(lower_pixels));
    let bias_left = bias[column];
    let bias_right = bias[column + 1u];
    var upper_left = mat4x4<f32>(bias_left, bias_left, bias_left, bias_left);
    var upper_right = mat4x4<f32>(bias_right, bias_right, bias_right, bias_right);
    var lower_left = upper_left;
    var lower_right = upper_right;
    var weight = column;
    for (var row = 0; row < params.windows.size_y; row++) {
        for (var across = 0; across < params.windows.size_x; across++) {
            let upper_tap = tap_of(upper, row, across);
            let lower_tap = tap_of(lower, row, across);
            for (var channel = 0u; channel < params.windows.channels; channel++) {
                let left = load_w(weight);
                let right = load_w(weight + 1u);
                let upper_x = load_padded(upper_tap, channel);
                upper_left = add_pixels(upper_left, left, upper_x);
                upper_right = add_pixels(upper_right, right, upper_x);
                let lower_x = load_padded(lower_tap, channel);
                lower_left = add_pixels(lower_left, left, lower_x);
                lower_right = add_pixels(lower_right, right, lower_x);
                weight += params.w_stride;
            }
        }
    }
    store_pixels(upper_pixels, 4u * column, upper_left);
    store_pixels(upper_pixels, 4u * column + 4u, upper_right);
    store_pixels(lower_pixels, 4u * column, lower_left);
    store_pixels(lower_pixels, 4u * column + 4u, lower_right);
}
