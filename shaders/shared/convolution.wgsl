// What convolutions share: pixels of y four at a time, and what comes behind their sums
// Goodfellow et al., Deep Learning, equation 9.6 and section 9.3.
// Needs shared/windows.wgsl and shared/activation.wgsl. Rust twin: src/kernels/conv.rs

struct ConvParams {
    windows: WindowParams,
    activation: ActivationParams,
    pixels: u32, // of y before squares are taken together, of all images
    fours: u32, // four pixels each: of neighbours, or of squares of 2 x 2
    squares: u32, // of an image
    squares_across: u32, // in a row of them
    w_stride: u32, // vec4s between rows of w, even
    y_stride: u32, // words between images of y
    ending: u32, // the ENDING this shader is written for
}

// Binding 1, load_x(at): f32, [images, x_stride], rows of [H, W, C]
// Binding 2, load_w(at): vec4<f32>, [size_y, size_x, channels, w_stride], zero-padded
@group(0) @binding(0) var<uniform> params: ConvParams;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>; // [w_stride], zero-padded
@group(0) @binding(4) var<storage, read> other: array<f32>; // as y, or anything where nothing is added
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // [images, y_stride], rows of [H, W, C]

// The host adds ENDING: decided at run time, software adapters would read what is to be added, and store
// a pixel four times, whether or not it is asked for.
const SUMS: u32 = 0u;
const ADDED: u32 = 1u; // to another value
const LARGEST: u32 = 2u; // of each square

const WORKGROUP_SIZE: u32 = 64u;

// Four pixels before they are taken together.
struct Place {
    image: vec4<u32>,
    row: vec4<u32>,
    column: vec4<u32>,
    square: u32, // of its image, where they are one
    is_stored: vec4<bool>, // none of those past the end
}

// Those past the end look where the last ones look.
fn neighbours(four: u32) -> Place {
    let pixel = 4u * four + vec4<u32>(0u, 1u, 2u, 3u);
    let inside = min(pixel, vec4<u32>(params.pixels - 1u));
    let image = inside / params.windows.out_pixels;
    let of_image = inside - image * params.windows.out_pixels;
    let row = of_image / params.windows.out_width;
    return Place(image, row, of_image - row * params.windows.out_width, 0u, pixel == inside);
}

// Squares at the lower and right edge may reach over it, but those that are taken together do not.
fn square_at(four: u32) -> Place {
    let inside = min(four, params.fours - 1u);
    let image = inside / params.squares;
    let square = inside - image * params.squares;
    let down = square / params.squares_across;
    let row = 2u * down + vec4<u32>(0u, 0u, 1u, 1u);
    let column = 2u * (square - down * params.squares_across) + vec4<u32>(0u, 1u, 0u, 1u);
    let of_image = row * params.windows.out_width + column;
    let is_inside = (column < vec4<u32>(params.windows.out_width)) & (of_image < vec4<u32>(params.windows.out_pixels));
    return Place(vec4<u32>(image), row, column, square, is_inside & vec4<bool>(four == inside));
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

// The channels that are no padding.
fn store(to: u32, channel: u32, values: vec4<f32>) {
    let left = params.windows.outputs - channel;
    y[to] = values.x;
    if left > 1u { y[to + 1u] = values.y; }
    if left > 2u { y[to + 2u] = values.z; }
    if left > 3u { y[to + 3u] = values.w; }
}

fn store_pixel(is_stored: bool, to: u32, channel: u32, sums: vec4<f32>) {
    if !is_stored {
        return;
    }
    var added = vec4<f32>(0.0);
    if ENDING == ADDED {
        let left = params.windows.outputs - channel;
        added.x = other[to];
        if left > 1u { added.y = other[to + 1u]; }
        if left > 2u { added.z = other[to + 2u]; }
        if left > 3u { added.w = other[to + 3u]; }
    }
    store(to, channel, activate(sums + added));
}

fn store_pixels(place: Place, channel: u32, sums: mat4x4<f32>) {
    if channel >= params.windows.outputs {
        return;
    }
    if ENDING == LARGEST {
        if place.is_stored.x {
            let upper = max(activate(sums[0]), activate(sums[1]));
            let lower = max(activate(sums[2]), activate(sums[3]));
            let to = place.image.x * params.y_stride + place.square * params.windows.outputs + channel;
            store(to, channel, max(upper, lower));
        }
        return;
    }
    let pixel = place.row * params.windows.out_width + place.column;
    let to = place.image * params.y_stride + pixel * params.windows.outputs + channel;
    store_pixel(place.is_stored.x, to.x, channel, sums[0]);
    store_pixel(place.is_stored.y, to.y, channel, sums[1]);
    store_pixel(place.is_stored.z, to.z, channel, sums[2]);
    store_pixel(place.is_stored.w, to.w, channel, sums[3]);
}
