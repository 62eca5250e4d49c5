// y(p, c) = the largest or the mean x(q, c) of the pixels q of p's window that lie in the image
// Pooling (Goodfellow et al., Deep Learning, section 9.3).
// One invocation: four values of a row of y.
// Rust twin: src/kernels/pool.rs

struct PoolParams {
    windows: WindowParams,
    fours: u32, // vec4s of y
    pooling: u32, // 0 max, 1 average
}

@group(0) @binding(0) var<uniform> params: PoolParams;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [images, x_stride], rows of [H, W, C]
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>; // [images, y_stride], rows of [H, W, C]

const WORKGROUP_SIZE: u32 = 64u;
const LOWEST: f32 = -3.4028234e38;

// Not through a texture: filling one takes longer than reading each value once or twice.
fn load_x(at: u32) -> f32 {
    return x[at];
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
    let values = window_values(index);
    var windows = values.windows;
    windows.first += values.output;
    var largest = vec4<f32>(LOWEST);
    var sum = vec4<f32>(0.0);
    var count = vec4<f32>(0.0);
    for (var row = 0; row < params.windows.size_y; row++) {
        for (var column = 0; column < params.windows.size_x; column++) {
            let tap = tap_of(windows, row, column);
            let levels = load(tap, 0u);
            largest = select(largest, max(largest, levels), tap.inside);
            sum = select(sum, sum + levels, tap.inside);
            count += select(vec4<f32>(0.0), vec4<f32>(1.0), tap.inside);
        }
    }
    let pooled = select(sum / count, largest, params.pooling == 0u);
    y[index] = select(pooled, vec4<f32>(0.0), values.is_padding);
}
