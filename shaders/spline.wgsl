// values y_i -> coefficients c_{-1..n} of the interpolating cubic B-spline with not-a-knot ends:
//   (c_{i-1} + 4 c_i + c_{i+1}) / 6 = y_i, and the third derivative does not jump at 1 and n-2
// de Boor, A Practical Guide to Splines, chapter IV; equals scipy's RectBivariateSpline, s = 0,
//   when run along x and then along y.
// One invocation: one line of one plane. With second differences m_i = c_{i-1} - 2 c_i + c_{i+1}
//   and d_i = y_{i-1} - 2 y_i + y_{i+1}: m_1 = d_1, m_{n-2} = d_{n-2}, and in between
//   m_{i-1} + 4 m_i + m_{i+1} = 6 d_i, solved by elimination and substitution.
// Rust twin: src/kernels/spline.rs

struct SplineParams {
    planes: u32, // planes in all: images * channels
    channels: u32,
    lines: u32, // lines a plane
    length: u32, // values a line, n >= 4
    image_stride: u32, // words between images of `values`
    channel_stride: u32, // words between channels of `values`
    line_stride: u32, // words between lines of `values`
    step: u32, // words between values along a line
    out_plane_stride: u32,
    out_line_stride: u32,
    out_step: u32,
}

// Binding 1, load_values(at): f32, strided as params say
// Binding 2, load_pivots(at): f32, [length], 1 / (4 - previous pivot)
@group(0) @binding(0) var<uniform> params: SplineParams;
@group(0) @binding(3) var<storage, read_write> coefficients: array<f32>; // length + 2 a line

const WORKGROUP_SIZE: u32 = 64u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let line = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    if line >= params.planes * params.lines {
        return;
    }
    let plane = line / params.lines;
    let in_plane = line % params.lines;
    let first = plane / params.channels * params.image_stride
        + plane % params.channels * params.channel_stride + in_plane * params.line_stride;
    let to = plane * params.out_plane_stride + in_plane * params.out_line_stride;
    let n = params.length;
    let step = params.step;
    let out_step = params.out_step;
    // Coefficient i lies at `knots + i * out_step`, and until it is known an eliminated m_i.
    let knots = to + out_step;

    // Elimination, i = 1 .. n-2; the ends of the system are known.
    var before = load_values(first);
    var value = load_values(first + step);
    var m = 0.0;
    for (var i = 1u; i + 1u < n; i++) {
        let after = load_values(first + (i + 1u) * step);
        let bend = before - 2.0 * value + after;
        if i == 1u || i + 2u == n {
            m = bend;
        } else {
            m = (6.0 * bend - m) * load_pivots(i);
        }
        coefficients[knots + i * out_step] = m;
        before = value;
        value = after;
    }

    // Not-a-knot: m is linear over the last three knots.
    let m_before = coefficients[knots + (n - 3u) * out_step] - load_pivots(n - 3u) * m;
    let m_last = 2.0 * m - m_before;
    var c = before - m / 6.0;
    let c_last = value - m_last / 6.0;
    coefficients[knots + (n - 2u) * out_step] = c;
    coefficients[knots + (n - 1u) * out_step] = c_last;
    coefficients[knots + n * out_step] = m_last + 2.0 * c_last - c;

    // Substitution, i = n-3 .. 1, where pivot 1 is 0; and c_i = y_i - m_i / 6.
    var m_next = m;
    for (var i = n - 3u; i >= 1u; i--) {
        m_next = m;
        m = coefficients[knots + i * out_step] - load_pivots(i) * m_next;
        c = load_values(first + i * step) - m / 6.0;
        coefficients[knots + i * out_step] = c;
    }

    // The same at the first three knots.
    let m_first = 2.0 * m - m_next;
    let c_first = load_values(first) - m_first / 6.0;
    coefficients[knots] = c_first;
    coefficients[to] = m_first + 2.0 * c_first - c;
}
