// Between four neighbouring pixels an image is one polynomial of the place (u, v) in their cell.
// A sample is then one load and a few products: no weights, and no look at the image's edge.
// One invocation: a column of cells of one plane, see make_column().
// Rust twin: src/kernels/pieces.rs

struct PiecesParams {
    planes: u32, // planes in all: images * channels
    channels: u32,
    width: u32, // pixels
    height: u32,
    image_stride: u32, // words between images of `values`, if these are pixels
}

// Binding 1, load_values(at): f32, see make_column()
@group(0) @binding(0) var<uniform> params: PiecesParams;
@group(0) @binding(2) var<storage, read_write> pieces: array<vec4<f32>>; // [planes, H - 1, W - 1], so many vectors a cell

const WORKGROUP_SIZE: u32 = 64u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    let row = params.width - 1u;
    if index >= params.planes * row {
        return;
    }
    let plane = index / row;
    make_column(plane, index % row, plane * row * (params.height - 1u) + index % row);
}
