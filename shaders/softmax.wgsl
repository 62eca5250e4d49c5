// p_k = exp(f_k - max f) / sum_j exp(f_j - max f)
// Row maximum subtracted (Goodfellow et al., Deep Learning, section 4.1).
// One invocation: one group of neighbouring logits, a row's or one of several in it.
// Rust twin: src/kernels/softmax.rs

struct SoftmaxParams {
    groups: u32, // of all rows
    row_groups: u32, // groups a row
    classes: u32, // values a group
    logits_stride: u32, // values between rows of logits
    stride: u32, // values between rows of probabilities
}

@group(0) @binding(0) var<uniform> params: SoftmaxParams;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [rows, logits_stride], row-major
@group(0) @binding(2) var<storage, read_write> probabilities: array<f32>; // [rows, stride], row-major

const WORKGROUP_SIZE: u32 = 64u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    if index >= params.groups {
        return;
    }
    let row = index / params.row_groups;
    let group = index % params.row_groups * params.classes;
    let first = row * params.logits_stride + group;
    let to = row * params.stride + group;
    var largest = logits[first];
    for (var k = 1u; k < params.classes; k++) {
        largest = max(largest, logits[first + k]);
    }
    var total = 0.0;
    for (var k = 0u; k < params.classes; k++) {
        let weight = exp(logits[first + k] - largest);
        probabilities[to + k] = weight;
        total += weight;
    }
    for (var k = 0u; k < params.classes; k++) {
        probabilities[to + k] /= total;
    }
}
