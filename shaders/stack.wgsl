// stack(at) = (v[at], v[at + second], v[at + third], v[at + fourth]), places counted in a plane
// What one sample needs lies side by side: one load of four values in the place of four loads.
// Rust twin: src/kernels/stack.rs

struct StackParams {
    stacks: u32, // in all
    plane: u32, // values a plane
    channels: u32, // planes a source
    source_stride: u32, // words between sources of `values`
    channel_stride: u32, // words between channels of `values`
    step: u32, // words between values of a plane
    second: u32, // from a stack's first value to its second, in values of the plane
    third: u32,
    fourth: u32,
}

// Binding 1, load_values(at): f32, [sources, source_stride]
@group(0) @binding(0) var<uniform> params: StackParams;
@group(0) @binding(2) var<storage, read_write> stacks: array<vec4<f32>>; // [sources, channels, plane]

const WORKGROUP_SIZE: u32 = 64u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    if index >= params.stacks {
        return;
    }
    let plane = index / params.plane;
    let first = plane / params.channels * params.source_stride + plane % params.channels * params.channel_stride;
    // Stacks of the last rows and columns, where no cell begins, repeat the last value.
    let reach = vec4<u32>(0u, params.second, params.third, params.fourth);
    let at = first + min(index % params.plane + reach, vec4<u32>(params.plane - 1u)) * params.step;
    stacks[index] = vec4<f32>(load_values(at.x), load_values(at.y), load_values(at.z), load_values(at.w));
}
