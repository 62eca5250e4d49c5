// y(p, o) = activation(b(o) + sum_ti x(window pixel t of p, i of o's group) w(t, i, o))
// A convolution in groups (Krizhevsky et al. 2012, section 3.5), padded with zeros; of one channel
// each it is depthwise (Chollet 2017, Xception, section 2).
// One invocation: four values of a row of y.
// Rust twin: src/kernels/depthwise.rs

struct DepthwiseParams {
    windows: WindowParams,
    activation: ActivationParams,
    fours: u32, // vec4s of y
}

// Binding 1, load_x(at): f32, [images, x_stride], rows of [H, W, C]
// Binding 2, load_w(at): f32, [size_y, size_x, group_inputs, outputs]
@group(0) @binding(0) var<uniform> params: DepthwiseParams;
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [outputs]
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>; // [images, y_stride], rows of [H, W, C]

const WORKGROUP_SIZE: u32 = 64u;

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
    // Channel c of y looks at the channels of group c / fan of x.
    var windows = values.windows;
    windows.first += values.output / params.windows.fan * params.windows.group_inputs;
    var weight = values.output;
    var sums = vec4<f32>(bias[weight.x], bias[weight.y], bias[weight.z], bias[weight.w]);
    for (var row = 0; row < params.windows.size_y; row++) {
        for (var column = 0; column < params.windows.size_x; column++) {
            let tap = tap_of(windows, row, column);
            for (var input = 0u; input < params.windows.group_inputs; input++) {
                let levels = load_padded(tap, input);
                sums = fma(levels, vec4<f32>(load_w(weight.x), load_w(weight.y), load_w(weight.z), load_w(weight.w)), sums);
                weight += params.windows.outputs;
            }
        }
    }
    y[index] = select(activate(sums), vec4<f32>(0.0), values.is_padding);
}
