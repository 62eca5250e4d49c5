// Probabilities p of all classes from those of each pair: least sum over a < b of (r(b, a) p(a) - r(a, b) p(b))^2
// with sum p = 1, by the iteration and the end of it that libsvm has
// Wu, Lin and Weng, Probability estimates for multi-class classification by pairwise coupling (2004), algorithm 2.
// One invocation: one row.
// Rust twin: src/kernels/coupling.rs

struct CouplingParams {
    rows: u32,
    r_stride: u32, // values between rows of r
    p_stride: u32, // values between rows of p
    classes: u32,
}

@group(0) @binding(0) var<uniform> params: CouplingParams;
@group(0) @binding(1) var<storage, read> r: array<f32>; // [rows, r_stride], pairs (0, 1), (0, 2) .. (1, 2) ..
@group(0) @binding(2) var<storage, read_write> p: array<f32>; // [rows, p_stride]

const WORKGROUP_SIZE: u32 = 64u;
const ROUNDS: u32 = 100u;
const LEAST: f32 = 1e-7; // probability of a pair

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
    let pairs = row * params.r_stride;
    let to = row * params.p_stride;
    let count = params.classes;
    for (var k = 0u; k < params.p_stride; k++) {
        p[to + k] = select(0.0, 1.0 / f32(count), k < count);
    }
    let least = 0.005 / f32(count);
    for (var round = 0u; round < max(ROUNDS, count); round++) {
        var all = 0.0;
        for (var a = 0u; a < count; a++) {
            all += p[to + a] * slope(pairs, to, a).y;
        }
        var error = 0.0;
        for (var a = 0u; a < count; a++) {
            error = max(error, abs(slope(pairs, to, a).y - all));
        }
        if error < least {
            break;
        }
        for (var a = 0u; a < count; a++) {
            let own = slope(pairs, to, a);
            let step = (all - own.y) / own.x;
            p[to + a] += step;
            all = (all + step * (step * own.x + 2.0 * own.y)) / (1.0 + step) / (1.0 + step);
            for (var b = 0u; b < count; b++) {
                p[to + b] /= 1.0 + step;
            }
        }
    }
}

// Entry (a, a) of the matrix Q, and entry a of Q p.
fn slope(pairs: u32, to: u32, a: u32) -> vec2<f32> {
    var own = 0.0;
    var rest = 0.0;
    for (var b = 0u; b < params.classes; b++) {
        if b != a {
            let first = min(a, b);
            let second = max(a, b);
            let at = first * (2u * params.classes - first - 1u) / 2u + second - first - 1u;
            let of_first = clamp(r[pairs + at], LEAST, 1.0 - LEAST);
            let of_b = select(of_first, 1.0 - of_first, a == first);
            own += of_b * of_b;
            rest += of_b * (1.0 - of_b) * p[to + b];
        }
    }
    return vec2<f32>(own, own * p[to + a] - rest);
}
