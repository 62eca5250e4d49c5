// y = activation(scale x + offset + other)
// Scalings that no neighbour takes in, sums of two values, activations on their own.
// One invocation: four values of a row.
// Rust twin: src/kernels/elementwise.rs

struct ElementwiseParams {
    activation: ActivationParams,
    fours: u32, // vec4s of y
    stride: u32, // vec4s between rows
    period: u32, // vec4s after which scale and offset repeat
    other_weight: f32, // 1, or 0 where there is no other value and x is bound in its place
}

@group(0) @binding(0) var<uniform> params: ElementwiseParams;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>; // [rows, stride]
@group(0) @binding(2) var<storage, read> other: array<vec4<f32>>; // [rows, stride]
@group(0) @binding(3) var<storage, read> scale: array<vec4<f32>>; // [period]
@group(0) @binding(4) var<storage, read> offset: array<vec4<f32>>; // [period]
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>; // [rows, stride]

const WORKGROUP_SIZE: u32 = 64u;

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
    let at = index % params.stride % params.period;
    let scaled = fma(scale[at], x[index], offset[at]);
    y[index] = activate(fma(vec4<f32>(params.other_weight), other[index], scaled));
}
