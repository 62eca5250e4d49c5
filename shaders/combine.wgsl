// y(k) = activation(x(k) * other(k)), or the larger of the two, or x(k) / other(k); other may hold one value for many
// Squeeze-and-excitation (Hu et al. 2018, equation 4), Multiply, Maximum, Divide.
// One invocation: four values of a row.
// Rust twin: src/kernels/combine.rs

struct CombineParams {
    activation: ActivationParams,
    fours: u32, // vec4s of y
    stride: u32, // vec4s between rows of x and y
    other_stride: u32, // values between rows of other
    repeat: u32, // values in a row of x that take the same value of other
    period: u32, // values of other before they begin again
    values: u32, // values a row of x, without its padding
    combining: u32, // 0 the product, LARGER or QUOTIENT
}

// Binding 2, load_other(at): f32, [rows, other_stride]
@group(0) @binding(0) var<uniform> params: CombineParams;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>; // [rows, stride]
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>; // [rows, stride]

const WORKGROUP_SIZE: u32 = 64u;
const LARGER: u32 = 1u;
const QUOTIENT: u32 = 2u;

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
    let row = index / params.stride * params.other_stride;
    // Values past the row's own look where the last one looks, and are 0.
    let asked = index % params.stride * 4u + vec4<u32>(0u, 1u, 2u, 3u);
    let value = min(asked, vec4<u32>(params.values - 1u));
    let at = row + value / params.repeat % params.period;
    let other = vec4<f32>(load_other(at.x), load_other(at.y), load_other(at.z), load_other(at.w));
    let product = select(x[index] * other, x[index] / other, params.combining == QUOTIENT);
    let both = select(product, max(x[index], other), params.combining == LARGER);
    y[index] = select(activate(both), vec4<f32>(0.0), asked != value);
}
