// p_k = exp(f_k - max f) / sum_j exp(f_j - max f)
// Row maximum subtracted (Goodfellow et al., Deep Learning, section 4.1).
// One invocation: one row of logits.
// Rust twin: src/kernels/softmax.rs

struct SoftmaxParams {
    rows: u32,
    classes: u32,
    logits_stride: u32,
}

@group(0) @binding(0) var<uniform> params: SoftmaxParams;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [rows, logits_stride], row-major
@group(0) @binding(2) var<storage, read_write> probabilities: array<f32>; // [rows, classes], row-major

const WORKGROUP_SIZE: u32 = 64u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    if row >= params.rows {
        return;
    }
    let first = row * params.logits_stride;
    let to = row * params.classes;
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
