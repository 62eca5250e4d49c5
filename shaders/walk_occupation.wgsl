// occupation[k] += 1 for the grid point k nearest to each walker
// One invocation: one walker.
// Rust twin: src/kernels/walk_occupation.rs

struct OccupationParams {
    walkers: u32,
    columns: u32, // of points
    rows: u32, // of points
}

@group(0) @binding(0) var<uniform> params: OccupationParams;
@group(0) @binding(1) var<storage, read> walkers: array<Walker>; // [walkers]
@group(0) @binding(2) var<storage, read_write> occupation: array<atomic<u32>>; // [rows, columns], row-major

const WORKGROUP_SIZE: u32 = 64u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    if index >= params.walkers {
        return;
    }
    let last = vec2<f32>(f32(params.columns - 1u), f32(params.rows - 1u));
    let at = vec2<f32>(walkers[index].x, walkers[index].y);
    let point = vec2<u32>(clamp(floor(at + 0.5), vec2<f32>(0.0), last));
    atomicAdd(&occupation[point.y * params.columns + point.x], 1u);
}
