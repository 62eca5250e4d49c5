// For each pair of classes a < b: f(a, b) = rho(a, b) + sum over their support vectors of coefficient k(x, s),
// and r(a, b) = 1 / (1 + exp(slope f + offset)), the probability of a where it is one of the two
// Support vector machines (Cortes and Vapnik 1995), probabilities by Platt (1999), by ONNX's SVMClassifier.
// One invocation: one row.
// Rust twin: src/kernels/support_vectors.rs

struct SupportVectorsParams {
    rows: u32,
    x_stride: u32, // values between rows of x
    y_stride: u32, // values between rows of y
    features: u32,
    classes: u32,
    similarity: u32, // POLYNOMIAL, RADIAL or HYPERBOLIC
    gamma: f32,
    shift: f32,
    degree: u32,
}

@group(0) @binding(0) var<uniform> params: SupportVectorsParams;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, x_stride]
@group(0) @binding(2) var<storage, read> starts: array<u32>; // [classes + 1], where each class's vectors begin
@group(0) @binding(3) var<storage, read> vectors: array<f32>; // [vectors, features]
@group(0) @binding(4) var<storage, read> coefficients: array<f32>; // [vectors, classes - 1], one for each other class
@group(0) @binding(5) var<storage, read> pairs: array<vec4<f32>>; // [pairs], rho, slope, offset
@group(0) @binding(6) var<storage, read_write> y: array<f32>; // [rows, y_stride], pairs (0, 1), (0, 2) .. (1, 2) ..

const WORKGROUP_SIZE: u32 = 64u;
const POLYNOMIAL: u32 = 0u;
const RADIAL: u32 = 1u;
const HYPERBOLIC: u32 = 2u;

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
    let to = row * params.y_stride;
    for (var at = 0u; at < params.y_stride; at++) {
        y[to + at] = 0.0;
    }
    let others = params.classes - 1u;
    for (var class_ = 0u; class_ < params.classes; class_++) {
        for (var vector = starts[class_]; vector < starts[class_ + 1u]; vector++) {
            let value = kernel(row, vector);
            for (var k = 0u; k < others; k++) {
                let other = k + u32(k >= class_);
                let at = pair(min(class_, other), max(class_, other));
                y[to + at] += coefficients[vector * others + k] * value;
            }
        }
    }
    for (var at = 0u; at < params.classes * others / 2u; at++) {
        let sum = y[to + at] + pairs[at].x;
        // Past 17 the coupling tells nothing apart.
        let u = clamp(pairs[at].y * sum + pairs[at].z, -17.0, 17.0);
        y[to + at] = 1.0 / (1.0 + exp(u));
    }
}

// How alike the row is to a support vector.
fn kernel(row: u32, vector: u32) -> f32 {
    let first = row * params.x_stride;
    let second = vector * params.features;
    var sum = 0.0;
    if params.similarity == RADIAL {
        for (var k = 0u; k < params.features; k++) {
            let difference = x[first + k] - vectors[second + k];
            sum += difference * difference;
        }
        return exp(-params.gamma * sum);
    }
    for (var k = 0u; k < params.features; k++) {
        sum += x[first + k] * vectors[second + k];
    }
    let u = params.gamma * sum + params.shift;
    if params.similarity == HYPERBOLIC {
        // (1 - e) / (1 + e) with e = exp(-2|u|) never overflows.
        let e = exp(-2.0 * abs(u));
        return sign(u) * (1.0 - e) / (1.0 + e);
    }
    var power = 1.0;
    for (var k = 0u; k < params.degree; k++) {
        power *= u;
    }
    return power;
}

// Where a pair of classes first < second stands among all.
fn pair(first: u32, second: u32) -> u32 {
    return first * (2u * params.classes - first - 1u) / 2u + second - first - 1u;
}
