// y(i, j, c) = sum_ab w_a(i) w_b(j) x(row_a(i), column_b(j), c), a and b two neighbours each
// Linear interpolation along rows and columns, at places that tables give. One invocation: four values.
// Rust twin: src/kernels/resample.rs

struct ResampleParams {
    fours: u32, // vec4s of y
    x_stride: u32, // values between rows of x
    y_stride: u32, // values between rows of y
    values: u32, // values of a row of y, without its padding
    channels: u32,
    width: u32, // columns of x
    out_width: u32, // columns of y
}

// Binding 1, load_x(at): f32, [rows, x_stride], rows of [H, W, C]
@group(0) @binding(0) var<uniform> params: ResampleParams;
@group(0) @binding(2) var<storage, read> rows: array<vec4<f32>>; // two rows of x, and the weight of the second
@group(0) @binding(3) var<storage, read> columns: array<vec4<f32>>; // the same of columns
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>; // [rows, y_stride], rows of [H, W, C]

const WORKGROUP_SIZE: u32 = 64u;

// Value `value` of y for the image that begins at `image` in x, 0 for the row's padding.
fn sampled(image: u32, value: u32) -> f32 {
    if value >= params.values {
        return 0.0;
    }
    let pixel = value / params.channels;
    let channel = value % params.channels;
    let row = rows[pixel / params.out_width];
    let column = columns[pixel % params.out_width];
    let row_values = params.width * params.channels;
    let upper = image + u32(row.x) * row_values + channel;
    let lower = image + u32(row.y) * row_values + channel;
    let left = u32(column.x) * params.channels;
    let right = u32(column.y) * params.channels;
    let above = mix(load_x(upper + left), load_x(upper + right), column.z);
    let below = mix(load_x(lower + left), load_x(lower + right), column.z);
    return mix(above, below, row.z);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    if index >= params.fours {
        return;
    }
    let value = 4u * index % params.y_stride;
    let image = 4u * index / params.y_stride * params.x_stride;
    y[index] = vec4<f32>(
        sampled(image, value),
        sampled(image, value + 1u),
        sampled(image, value + 2u),
        sampled(image, value + 3u),
    );
}
