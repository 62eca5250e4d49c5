// y = activation(x W + b), a block of 8 rows x 8 columns at a time
// A dense layer (Goodfellow et al., Deep Learning, section 6.1).
// One invocation: 8 rows of x times 8 columns of W, the 64 sums in registers as four 4 x 4
//   matrices. x and W are loaded four values at a time, each shared by 8 sums, without
//   workgroup memory. Loops over rows are written out: a shader's loops are guarded, and a
//   guarded loop is not unrolled.
// Rust twin: src/kernels/dense.rs

struct DenseParams {
    activation: ActivationParams,
    rows: u32,
    inputs: u32,
    x_stride: u32, // vec4s between rows of x
    w_stride: u32, // vec4s between rows of w, even
    y_stride: u32, // vec4s between rows of y
}

// Binding 1, load_x(at): vec4<f32>, [rows, x_stride], row-major
// Binding 2, load_w(at): vec4<f32>, [inputs, w_stride], row-major, zero-padded
@group(0) @binding(0) var<uniform> params: DenseParams;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>; // [w_stride], zero-padded
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>; // [rows, y_stride], row-major

const WORKGROUP_SIZE: u32 = 64u;
const BLOCK_ROWS: u32 = 8u;

// Four values of each of four rows of x, a column a row.
fn four_rows(at: vec4<u32>) -> mat4x4<f32> {
    return mat4x4<f32>(load_x(at.x), load_x(at.y), load_x(at.z), load_x(at.w));
}

// Four columns' weights of each of four inputs from `input` on, a column an input; inputs past
// the end have weight zero.
fn four_inputs(input: u32, column: u32) -> mat4x4<f32> {
    let at = input * params.w_stride + column;
    let step = params.w_stride;
    return mat4x4<f32>(load_w(at), load_w(at + step), load_w(at + 2u * step), load_w(at + 3u * step));
}

fn add_row(sums: vec4<f32>, weights: mat4x4<f32>, row: vec4<f32>) -> vec4<f32> {
    let first = fma(vec4<f32>(row.x), weights[0], sums);
    let second = fma(vec4<f32>(row.y), weights[1], first);
    return fma(vec4<f32>(row.w), weights[3], fma(vec4<f32>(row.z), weights[2], second));
}

// sums + weights * rows, fused.
fn add_rows(sums: mat4x4<f32>, weights: mat4x4<f32>, rows: mat4x4<f32>) -> mat4x4<f32> {
    return mat4x4<f32>(
        add_row(sums[0], weights, rows[0]),
        add_row(sums[1], weights, rows[1]),
        add_row(sums[2], weights, rows[2]),
        add_row(sums[3], weights, rows[3]),
    );
}

// Rows past the end and columns that are padding alone are left out.
fn store(row: u32, column: u32, sums: vec4<f32>) {
    if row < params.rows && column < params.y_stride {
        y[row * params.y_stride + column] = activate(sums);
    }
}

fn store_rows(first_row: u32, column: u32, sums: mat4x4<f32>) {
    store(first_row, column, sums[0]);
    store(first_row + 1u, column, sums[1]);
    store(first_row + 2u, column, sums[2]);
    store(first_row + 3u, column, sums[3]);
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
    // Rows past the end load the last row; their sums are not stored.
    let upper_rows = first_row + vec4<u32>(0u, 1u, 2u, 3u);
    let last_row = vec4<u32>(params.rows - 1u);
    let upper = min(upper_rows, last_row) * params.x_stride;
    let lower = min(upper_rows + 4u, last_row) * params.x_stride;
    let bias_left = bias[column];
    let bias_right = bias[column + 1u];
    var upper_left = mat4x4<f32>(bias_left, bias_left, bias_left, bias_left);
    var upper_right = mat4x4<f32>(bias_right, bias_right, bias_right, bias_right);
    var lower_left = upper_left;
    var lower_right = upper_right;
    for (var k = 0u; k < params.x_stride; k++) {
        let left = four_inputs(4u * k, column);
        let right = four_inputs(4u * k, column + 1u);
        let upper_x = four_rows(upper + k);
        upper_left = add_rows(upper_left, left, upper_x);
        upper_right = add_rows(upper_right, right, upper_x);
        let lower_x = four_rows(lower + k);
        lower_left = add_rows(lower_left, left, lower_x);
        lower_right = add_rows(lower_right, right, lower_x);
    }
    store_rows(first_row, column, upper_left);
    store_rows(first_row, column + 1u, upper_right);
    store_rows(first_row + 4u, column, lower_left);
    store_rows(first_row + 4u, column + 1u, lower_right);
}
