// y(h, i, j) = scale sum_k a(h, i, k) b(h, k, j), of each row of a and b
// The two products of attention (Vaswani et al. 2017, equation 1), one for each head h. Steps say
//   where a value lies in its row, so that heads, transposes and parts of a row need no copy.
// One invocation: 4 rows i times 4 columns j of one head, the 16 sums in registers as a 4 x 4 matrix.
// Rust twin: src/kernels/matmul.rs

struct MatmulParams {
    products: u32, // heads of all rows
    heads: u32, // heads a row
    rows: u32, // i
    columns: u32, // j
    inner: u32, // k
    a_stride: u32, // values between rows of a
    a_start: u32, // where a begins in its row
    a_head: u32, // values from a head of a to the next, and so on
    a_row: u32,
    a_inner: u32,
    b_stride: u32, // values between rows of b
    b_start: u32,
    b_head: u32,
    b_column: u32,
    b_inner: u32,
    y_stride: u32, // values between rows of y
    y_head: u32,
    y_row: u32, // columns of y are neighbours
    scale: f32,
}

// Binding 1, load_a(at): f32, [.., a_stride]; binding 2, load_b(at): f32, [.., b_stride]
@group(0) @binding(0) var<uniform> params: MatmulParams;
@group(0) @binding(3) var<storage, read_write> y: array<f32>; // [.., y_stride]

const WORKGROUP_SIZE: u32 = 64u;
const BLOCK: u32 = 4u;

// Rows and columns past the end are left out.
fn store(to: u32, row: u32, column: u32, sums: vec4<f32>) {
    if row >= params.rows {
        return;
    }
    let at = to + row * params.y_row + column;
    let left = params.columns - column;
    let values = params.scale * sums;
    y[at] = values.x;
    if left > 1u { y[at + 1u] = values.y; }
    if left > 2u { y[at + 2u] = values.z; }
    if left > 3u { y[at + 3u] = values.w; }
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    let across = (params.columns + BLOCK - 1u) / BLOCK;
    let down = (params.rows + BLOCK - 1u) / BLOCK;
    let product = index / across / down;
    if product >= params.products {
        return;
    }
    let row = index / across % down * BLOCK;
    let column = index % across * BLOCK;
    let input = product / params.heads;
    let head = product % params.heads;
    // Those past the end load the last one; their sums are not stored.
    let four = vec4<u32>(0u, 1u, 2u, 3u);
    let rows = min(row + four, vec4<u32>(params.rows - 1u));
    let columns = min(column + four, vec4<u32>(params.columns - 1u));
    var a = input * params.a_stride + params.a_start + head * params.a_head + rows * params.a_row;
    var b = input * params.b_stride + params.b_start + head * params.b_head + columns * params.b_column;
    var sums = mat4x4<f32>();
    for (var k = 0u; k < params.inner; k++) {
        let right = vec4<f32>(load_b(b.x), load_b(b.y), load_b(b.z), load_b(b.w));
        sums = mat4x4<f32>(
            fma(vec4<f32>(load_a(a.x)), right, sums[0]),
            fma(vec4<f32>(load_a(a.y)), right, sums[1]),
            fma(vec4<f32>(load_a(a.z)), right, sums[2]),
            fma(vec4<f32>(load_a(a.w)), right, sums[3]),
        );
        a += params.a_inner;
        b += params.b_inner;
    }
    let to = input * params.y_stride + head * params.y_head;
    store(to, row, column, sums[0]);
    store(to, row + 1u, column, sums[1]);
    store(to, row + 2u, column, sums[2]);
    store(to, row + 3u, column, sums[3]);
}
