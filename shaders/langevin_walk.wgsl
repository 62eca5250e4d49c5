// x -> x + pull(x) + noise * xi, xi two independent standard normal numbers
// Overdamped Langevin motion by Euler-Maruyama steps (Kloeden and Platen, Numerical Solution of
//   Stochastic Differential Equations, section 10.2); normal numbers by Box and Muller, Ann.
//   Math. Stat. 29 (1958) 610.
// One invocation: `steps` steps of one walker, lengths in cells of the grid. The pull is
//   drift - stiffness * x, plus that of the cell: minus the gradient of the bilinear potential.
// Rust twin: src/kernels/langevin_walk.rs

struct LangevinParams {
    seed_low: u32,
    seed_high: u32,
    walkers: u32,
    first_step: u32,
    steps: u32,
    drift_x: f32, // cells a step
    drift_y: f32,
    stiffness_x: f32, // share of x that a step takes back
    stiffness_y: f32,
    noise: f32, // deviation of a step along an axis, cells
    columns: u32, // of cells
    rows: u32, // of cells
    bounded: u32, // 1: walls around the cells reflect; 0: an endless plane
}

// Binding 1, load_cells(at): vec4<f32>
@group(0) @binding(0) var<uniform> params: LangevinParams;
// [rows, columns]: pull along x, along y, and what each gains along the other axis, cells a
// step; then which corners absorb, a sum of 1, 2, 4, 8 for the upper left, upper right, lower
// left, lower right one.
@group(0) @binding(2) var<storage, read> walkers: array<Walker>; // [walkers]
@group(0) @binding(3) var<storage, read_write> moved: array<Walker>; // [walkers]

const WORKGROUP_SIZE: u32 = 64u;
const TWO_PI: f32 = 6.2831853;

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
    var at = vec2<f32>(walker.x, walker.y);
    let drift = vec2<f32>(params.drift_x, params.drift_y);
    let stiffness = vec2<f32>(params.stiffness_x, params.stiffness_y);
    let walls = vec2<f32>(f32(params.columns), f32(params.rows));
    let key = vec2<u32>(params.seed_low, params.seed_high);
    let end = params.first_step + params.steps;
    var step = params.first_step;
    while step < end {
        let words = philox(vec4<u32>(step / 2u, walker.number, 0u, 0u), key);
        let block_end = min(end, (step / 2u + 1u) * 2u);
        for (; step < block_end; step++) {
            let pair = select(words.xy, words.zw, step % 2u == 1u);
            // In 0..1 without the ends, so that the logarithm is finite.
            let uniforms = (vec2<f32>(pair >> vec2<u32>(9u)) + 0.5) * 1.1920928955078125e-7;
            let radius = params.noise * sqrt(-2.0 * log(uniforms.x));
            let angle = TWO_PI * uniforms.y;
            let cell = vec2<u32>(clamp(at, vec2<f32>(0.0), walls - 1.0));
            let pull = load_cells(cell.y * params.columns + cell.x);
            let inside = at - vec2<f32>(cell);
            let corner = u32(inside.x >= 0.5) + 2u * u32(inside.y >= 0.5);
            let moves = ((u32(pull.w) >> corner) & 1u) == 0u;
            let to = at + drift - stiffness * at + pull.xy + pull.z * inside.yx
                + radius * vec2<f32>(cos(angle), sin(angle));
            let reflected = clamp(walls - abs(walls - abs(to)), vec2<f32>(0.0), walls);
            at = select(at, select(to, reflected, params.bounded == 1u), moves);
            walker.steps += u32(moves);
        }
    }
    walker.x = at.x;
    walker.y = at.y;
    moved[index] = walker;
}
