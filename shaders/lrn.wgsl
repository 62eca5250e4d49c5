// y(p, c) = x(p, c) / (k + alpha / size sum_i x(p, i)^2)^beta, i the size channels around c
// Local response normalisation (Krizhevsky et al. 2012, section 3.3). One invocation: four values.
// Rust twin: src/kernels/lrn.rs

struct LrnParams {
    fours: u32, // vec4s of y
    stride: u32, // values between rows
    values: u32, // values of a row, without its padding
    channels: u32, // neighbouring values of a pixel
    before: u32, // channels of a window ahead of its own
    after: u32, // and behind it
    factor: f32, // alpha / size
    beta: f32,
    bias: f32, // k
}

// Binding 1, load_x(at): f32, [rows, stride]
@group(0) @binding(0) var<uniform> params: LrnParams;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>; // [rows, stride]

const WORKGROUP_SIZE: u32 = 64u;

// Value `value` of the row that begins at `row`, 0 for the row's padding.
fn normalised(row: u32, value: u32) -> f32 {
    if value >= params.values {
        return 0.0;
    }
    let channel = value % params.channels;
    let pixel = row + value - channel;
    let first = channel - min(channel, params.before);
    let last = min(channel + params.after, params.channels - 1u);
    var squares = 0.0;
    for (var i = first; i <= last; i++) {
        let level = load_x(pixel + i);
        squares += level * level;
    }
    return load_x(row + value) * pow(params.bias + params.factor * squares, -params.beta);
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
    let value = 4u * index % params.stride;
    let row = 4u * index - value;
    y[index] = vec4<f32>(
        normalised(row, value),
        normalised(row, value + 1u),
        normalised(row, value + 2u),
        normalised(row, value + 3u),
    );
}
