// y(k) = x(map(k)), or other(map(k) - inputs) where map(k) is past x, or fill where it is past both
// Concatenation, padding, cropping, transposes, repeated pixels: values that change places only.
// One invocation: four values of a row.
// Rust twin: src/kernels/rearrange.rs

struct RearrangeParams {
    fours: u32, // vec4s of y
    stride: u32, // vec4s between rows of y
    x_stride: u32, // values between rows of x
    other_stride: u32, // values between rows of other
    inputs: u32, // values a row of x; map entries from here on are other's
    both: u32, // values a row of x and other; map entries from here on are the fill
    fill: f32,
}

@group(0) @binding(0) var<uniform> params: RearrangeParams;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, x_stride]
@group(0) @binding(2) var<storage, read> other: array<f32>; // [rows, other_stride]
@group(0) @binding(3) var<storage, read> places: array<vec4<u32>>; // [stride], padding is the fill
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>; // [rows, stride]

const WORKGROUP_SIZE: u32 = 64u;

fn value_at(row: u32, place: u32) -> f32 {
    if place < params.inputs {
        return x[row * params.x_stride + place];
    }
    if place < params.both {
        return other[row * params.other_stride + place - params.inputs];
    }
    return params.fill;
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
    let row = index / params.stride;
    let place = places[index % params.stride];
    y[index] = vec4<f32>(
        value_at(row, place.x),
        value_at(row, place.y),
        value_at(row, place.z),
        value_at(row, place.w),
    );
}
