// y(p, o) = activation(b(o) + sum_tc x(window pixel t of p, c) w(t, c, o) + other(p, o)), windows of 3 x 3, a pixel apart
// A convolutional layer padded with zeros; the largest of each square where that is asked for.
// One invocation: two squares of 2 x 2 output pixels times 8 output channels. The windows of a square
//   cover 4 x 4 pixels, each of which is read once a channel instead of up to nine times.
// Rust twin: src/kernels/conv.rs

// The pixels that a square's windows cover, four rows of them.
struct Covered {
    at: array<vec4<u32>, 4>,
    inside: array<vec4<bool>, 4>,
}

fn covered(place: Place) -> Covered {
    let windows = params.windows;
    let top = i32(place.row.x) - windows.before_y;
    let x = i32(place.column.x) - windows.before_x + vec4<i32>(0, 1, 2, 3);
    let inside_x = clamp(x, vec4<i32>(0), vec4<i32>(windows.width - 1));
    let is_inside = x == inside_x;
    let first = place.image.x * windows.x_stride;
    var all: Covered;
    for (var row = 0; row < 4; row++) {
        let y = top + row;
        let inside_y = clamp(y, 0, windows.height - 1);
        all.at[row] = first + vec4<u32>(inside_y * windows.width + inside_x) * windows.channels;
        all.inside[row] = is_inside & vec4<bool>(y == inside_y);
    }
    return all;
}

fn load_row(at: vec4<u32>, inside: vec4<bool>) -> vec4<f32> {
    return select(vec4<f32>(0.0), vec4<f32>(load_x(at.x), load_x(at.y), load_x(at.z), load_x(at.w)), inside);
}

// A channel's values of what a square's windows cover, a column a row.
fn load_square(pixels: Covered, channel: u32) -> mat4x4<f32> {
    return mat4x4<f32>(
        load_row(pixels.at[0] + channel, pixels.inside[0]),
        load_row(pixels.at[1] + channel, pixels.inside[1]),
        load_row(pixels.at[2] + channel, pixels.inside[2]),
        load_row(pixels.at[3] + channel, pixels.inside[3]),
    );
}

// Eight channels' sums of two squares.
struct Sums {
    upper_left: mat4x4<f32>,
    upper_right: mat4x4<f32>,
    lower_left: mat4x4<f32>,
    lower_right: mat4x4<f32>,
}

fn add_tap(sums: Sums, weight: u32, upper: vec4<f32>, lower: vec4<f32>) -> Sums {
    let left = load_w(weight);
    let right = load_w(weight + 1u);
    return Sums(
        add_pixels(sums.upper_left, left, upper),
        add_pixels(sums.upper_right, right, upper),
        add_pixels(sums.lower_left, left, lower),
        add_pixels(sums.lower_right, right, lower),
    );
}

// A row of windows: two neighbouring rows of what each square's windows cover.
fn add_row(sums: Sums, weight: u32, tap: u32, upper: mat2x4<f32>, lower: mat2x4<f32>) -> Sums {
    let left = add_tap(sums, weight, vec4<f32>(upper[0].xy, upper[1].xy), vec4<f32>(lower[0].xy, lower[1].xy));
    let middle = add_tap(left, weight + tap, vec4<f32>(upper[0].yz, upper[1].yz), vec4<f32>(lower[0].yz, lower[1].yz));
    return add_tap(middle, weight + 2u * tap, vec4<f32>(upper[0].zw, upper[1].zw), vec4<f32>(lower[0].zw, lower[1].zw));
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    let column_blocks = params.w_stride / 2u;
    let first = index / column_blocks * 2u;
    let column = index % column_blocks * 2u;
    if first >= params.fours {
        return;
    }
    let upper_place = square_at(first);
    let lower_place = square_at(first + 1u);
    let upper = covered(upper_place);
    let lower = covered(lower_place);
    let bias_left = bias[column];
    let bias_right = bias[column + 1u];
    let all_left = mat4x4<f32>(bias_left, bias_left, bias_left, bias_left);
    let all_right = mat4x4<f32>(bias_right, bias_right, bias_right, bias_right);
    var sums = Sums(all_left, all_right, all_left, all_right);
    let tap = params.windows.channels * params.w_stride;
    var weight = column;
    for (var channel = 0u; channel < params.windows.channels; channel++) {
        let a = load_square(upper, channel);
        let b = load_square(lower, channel);
        sums = add_row(sums, weight, tap, mat2x4<f32>(a[0], a[1]), mat2x4<f32>(b[0], b[1]));
        sums = add_row(sums, weight + 3u * tap, tap, mat2x4<f32>(a[1], a[2]), mat2x4<f32>(b[1], b[2]));
        sums = add_row(sums, weight + 6u * tap, tap, mat2x4<f32>(a[2], a[3]), mat2x4<f32>(b[2], b[3]));
        weight += params.w_stride;
    }
    store_pixels(upper_place, 4u * column, sums.upper_left);
    store_pixels(upper_place, 4u * column + 4u, sums.upper_right);
    store_pixels(lower_place, 4u * column, sums.lower_left);
    store_pixels(lower_place, 4u * column + 4u, sums.lower_right);
}
