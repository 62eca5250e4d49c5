// y = scale (x - mean) / sqrt(variance + epsilon) + offset, mean and variance of a group of x
// Layer normalisation (Ba et al. 2016), group normalisation (Wu and He 2018), and by the group's
// length alone, y = x / sqrt(sum of squares). One invocation: one group.
// Rust twin: src/kernels/normalise.rs

struct NormaliseParams {
    groups: u32, // groups of all rows
    row_groups: u32, // groups a row
    stride: u32, // values between rows
    across: u32, // groups side by side, before the pixels begin again
    channels: u32, // neighbouring values of a group
    pixels: u32, // times that a group's channels come again
    pixel_stride: u32, // values between them
    block: u32, // values between groups that are not side by side
    period: u32, // values after which scale and offset begin again
    centred: u32, // 1, or 0 where the length alone is divided by
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: NormaliseParams;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, stride]
@group(0) @binding(2) var<storage, read> scale: array<f32>; // [period]
@group(0) @binding(3) var<storage, read> offset: array<f32>; // [period]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [rows, stride]

const WORKGROUP_SIZE: u32 = 64u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    if index >= params.groups {
        return;
    }
    let group = index % params.row_groups;
    let row = index / params.row_groups * params.stride;
    let start = group / params.across * params.block + group % params.across * params.channels;
    let count = f32(params.channels * params.pixels);
    var mean = 0.0;
    if params.centred == 1u {
        for (var pixel = 0u; pixel < params.pixels; pixel++) {
            for (var channel = 0u; channel < params.channels; channel++) {
                mean += x[row + start + pixel * params.pixel_stride + channel];
            }
        }
        mean /= count;
    }
    // Squares of differences, not a difference of squares, which would cancel.
    var squares = 0.0;
    for (var pixel = 0u; pixel < params.pixels; pixel++) {
        for (var channel = 0u; channel < params.channels; channel++) {
            let away = x[row + start + pixel * params.pixel_stride + channel] - mean;
            squares += away * away;
        }
    }
    var factor = 1.0 / sqrt(squares / count + params.epsilon);
    if params.centred == 0u {
        factor = 1.0 / sqrt(max(squares, params.epsilon));
    }
    for (var pixel = 0u; pixel < params.pixels; pixel++) {
        for (var channel = 0u; channel < params.channels; channel++) {
            let at = start + pixel * params.pixel_stride + channel;
            let entry = at % params.period;
            y[row + at] = scale[entry] * ((x[row + at] - mean) * factor) + offset[entry];
        }
    }
}
