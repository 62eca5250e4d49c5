// y(p, o) = activation(b(o) + sum_tc x(window pixel t of p, c) w(t, c, o) + other(p, o)), 8 pixels p x 8 channels o
// A convolutional layer padded with zeros, of any windows; the largest of each square where that is asked for.
// One invocation: 8 output pixels times 8 output channels, the 64 sums in registers as four 4 x 4
//   matrices, as in dense.wgsl. Pixels are counted through all images, so that no block but the
//   last is ragged.
// Rust twin: src/kernels/conv.rs

fn place_of(four: u32) -> Place {
    if ENDING == LARGEST {
        return square_at(four);
    }
    return neighbours(four);
}

fn windows_at(place: Place) -> Four {
    return four_windows(place.row, place.column, place.image * params.windows.x_stride);
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
    let upper_place = place_of(first);
    let lower_place = place_of(first + 1u);
    let upper = windows_at(upper_place);
    let lower = windows_at(lower_place);
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
    store_pixels(upper_place, 4u * column, upper_left);
    store_pixels(upper_place, 4u * column + 4u, upper_right);
    store_pixels(lower_place, 4u * column, lower_left);
    store_pixels(lower_place, 4u * column + 4u, lower_right);
}
