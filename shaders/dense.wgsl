// y = activation(x W + b), a block of 8 rows x 8 columns at a time
// A dense layer (Goodfellow et al., Deep Learning, section 6.1).
// One invocation: 8 rows of x times 8 columns of W, the 64 sums in registers; x and W are
//   loaded four values at a time and shared by 8 sums each, without workgroup memory.
// Rust twin: src/kernels/dense.rs

struct DenseParams {
    rows: u32,
    inputs: u32,
    x_stride: u32, // vec4s between rows of x
    w_stride: u32, // vec4s between rows of w, even
    y_stride: u32, // vec4s between rows of y
    activation: u32, // 0 linear, 1 relu, 2 sigmoid, 3 tanh
}

@group(0) @binding(0) var<uniform> params: DenseParams;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>; // [rows, x_stride], row-major
@group(0) @binding(2) var<storage, read> w: array<vec4<f32>>; // [inputs, w_stride], row-major, zero-padded
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>; // [w_stride], zero-padded
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>; // [rows, y_stride], row-major

const WORKGROUP_SIZE: u32 = 64u;
const BLOCK_ROWS: u32 = 8u;

fn activate(value: vec4<f32>) -> vec4<f32> {
    switch params.activation {
        case 1u: { return max(value, vec4<f32>(0.0)); }
        case 2u: { return 1.0 / (1.0 + exp(-value)); }
        case 3u: {
            // (1 - e) / (1 + e) with e = exp(-2|v|) never overflows.
            let e = exp(-2.0 * abs(value));
            return sign(value) * (1.0 - e) / (1.0 + e);
        }
        default: { return value; }
    }
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    let column_blocks = params.w_stride / 2u;
    let first_row = index / column_blocks * BLOCK_ROWS;
    let column = index % column_blocks * 2u;
    if first_row >= params.rows {
        return;
    }
    let last_row = params.rows - 1u;
    // Rows past the end load the last row; their sums are not stored.
    var row_start: array<u32, 8>;
    var sum_left: array<vec4<f32>, 8>;
    var sum_right: array<vec4<f32>, 8>;
    for (var r = 0u; r < BLOCK_ROWS; r++) {
        row_start[r] = min(first_row + r, last_row) * params.x_stride;
        sum_left[r] = bias[column];
        sum_right[r] = bias[column + 1u];
    }
    let whole = params.inputs / 4u;
    for (var k = 0u; k < whole; k++) {
        let at = 4u * k * params.w_stride + column;
        let step = params.w_stride;
        let w0 = w[at]; let v0 = w[at + 1u];
        let w1 = w[at + step]; let v1 = w[at + step + 1u];
        let w2 = w[at + 2u * step]; let v2 = w[at + 2u * step + 1u];
        let w3 = w[at + 3u * step]; let v3 = w[at + 3u * step + 1u];
        for (var r = 0u; r < BLOCK_ROWS; r++) {
            let four = x[row_start[r] + k];
            sum_left[r] += four.x * w0 + four.y * w1 + four.z * w2 + four.w * w3;
            sum_right[r] += four.x * v0 + four.y * v1 + four.z * v2 + four.w * v3;
        }
    }
    for (var i = whole * 4u; i < params.inputs; i++) {
        let at = i * params.w_stride + column;
        for (var r = 0u; r < BLOCK_ROWS; r++) {
            let one = x[row_start[r] + whole][i % 4u];
            sum_left[r] += one * w[at];
            sum_right[r] += one * w[at + 1u];
        }
    }
    for (var r = 0u; r < BLOCK_ROWS; r++) {
        let row = first_row + r;
        if row <= last_row {
            let to = row * params.y_stride + column;
            if column < params.y_stride {
                y[to] = activate(sum_left[r]);
            }
            if column + 1u < params.y_stride {
                y[to + 1u] = activate(sum_right[r]);
            }
        }
    }
}
