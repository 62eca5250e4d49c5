// (x, y) -> (x, y) + step(r), step by the alias tables of the point where the walker stands
// Alias tables: Walker, ACM Trans. Math. Softw. 3 (1977) 253; the moves are those of Metropolis
//   et al., J. Chem. Phys. 21 (1953) 1087, or of a free walk with drift.
// One invocation: `steps` steps of one walker. A random word's upper two bits take a direction
//   (east, west, south, north), the others decide between it and its alias. An entry is a
//   threshold of 28 bits, a bit of nothing, and three bits of alias: a direction, 4 for staying, 5
//   for standing absorbed. All in integers, so that engines agree to the bit.
// Rust twin: src/kernels/lattice_walk.rs

struct LatticeParams {
    seed_low: u32,
    seed_high: u32,
    walkers: u32,
    first_step: u32,
    steps: u32,
    column_stride: i32, // points from one column to the next, 0 where all points are one
    row_stride: i32, // points from one row to the next
}

// Binding 1, load_moves(at): vec4<u32>, [points], a word a direction
@group(0) @binding(0) var<uniform> params: LatticeParams;
@group(0) @binding(2) var<storage, read> walkers: array<Walker>; // [walkers]
@group(0) @binding(3) var<storage, read_write> moved: array<Walker>; // [walkers]

const WORKGROUP_SIZE: u32 = 64u;
const ABSORBED: u32 = 5u;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    if index >= params.walkers {
        return;
    }
    var walker = walkers[index];
    var x = i32(walker.x);
    var y = i32(walker.y);
    let key = vec2<u32>(params.seed_low, params.seed_high);
    let end = params.first_step + params.steps;
    var step = params.first_step;
    while step < end {
        let words = philox(vec4<u32>(step / 4u, walker.number, 0u, 0u), key);
        let block_end = min(end, (step / 4u + 1u) * 4u);
        for (; step < block_end; step++) {
            let word = words[step % 4u];
            let direction = word >> 30u;
            let entry = load_moves(u32(x * params.column_stride + y * params.row_stride))[direction];
            let code = select(entry & 7u, direction, (word << 2u) < (entry & 0xFFFFFFF0u));
            x += i32(code == 0u) - i32(code == 1u);
            y += i32(code == 2u) - i32(code == 3u);
            walker.steps += u32(code != ABSORBED);
        }
    }
    walker.x = f32(x);
    walker.y = f32(y);
    moved[index] = walker;
}
