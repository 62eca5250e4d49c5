// y(class) = base(class) + the weights of the leaves that a row falls to, one leaf a tree
// Random forests (Breiman 2001) and boosted trees (Friedman 2001), by ONNX's TreeEnsembleClassifier.
// Weights are whole numbers of a step, so that hundreds of them add up without rounding.
// One invocation: one row.
// Rust twin: src/kernels/trees.rs

struct TreesParams {
    rows: u32,
    x_stride: u32, // values between rows of x
    y_stride: u32, // values between rows of y
    trees: u32,
    step: f32,
}

@group(0) @binding(0) var<uniform> params: TreesParams;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, x_stride]
@group(0) @binding(2) var<storage, read> roots: array<u32>; // [trees]
@group(0) @binding(3) var<storage, read> nodes: array<vec4<u32>>; // feature, threshold, then, else; or LEAF, weight, class, next
@group(0) @binding(4) var<storage, read> base: array<f32>; // [y_stride]
@group(0) @binding(5) var<storage, read_write> y: array<u32>; // [rows, y_stride], whole numbers, then floats

const WORKGROUP_SIZE: u32 = 64u;
const LEAF: u32 = 268435456u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    if row >= params.rows {
        return;
    }
    let scores = row * params.y_stride;
    for (var class_ = 0u; class_ < params.y_stride; class_++) {
        y[scores + class_] = 0u;
    }
    for (var tree = 0u; tree < params.trees; tree++) {
        var at = roots[tree];
        // Numbers only grow along a branch, so every walk ends.
        while at != LEAF {
            let node = nodes[at];
            if node.x == LEAF {
                y[scores + node.z] += node.y;
                at = node.w;
            } else {
                let is_at_most = x[row * params.x_stride + node.x] <= bitcast<f32>(node.y);
                at = select(node.w, node.z, is_at_most);
            }
        }
    }
    for (var class_ = 0u; class_ < params.y_stride; class_++) {
        let sum = f32(bitcast<i32>(y[scores + class_])) * params.step;
        y[scores + class_] = bitcast<u32>(base[class_] + sum);
    }
}
