// sums over the walkers at a target of 1, n and n^2, n a walker's steps; those that go on left out
// One workgroup: 4096 walkers, 64 an invocation, then a tree of sums. Sums of steps are pairs of
//   words, low before high: integers, so that engines agree to the bit.
// Rust twin: src/kernels/walk_arrivals.rs

struct ArrivalsParams {
    walkers: u32,
    columns: u32, // of points
    rows: u32, // of points
    steps_below: u32, // walkers of as many steps or more go on
}

struct Arrivals {
    walkers: u32,
    steps_low: u32,
    steps_high: u32,
    squares_low: u32,
    squares_high: u32,
}

@group(0) @binding(0) var<uniform> params: ArrivalsParams;
@group(0) @binding(1) var<storage, read> targets: array<u32>; // [rows, columns], row-major; 1 at the target
@group(0) @binding(2) var<storage, read> walkers: array<Walker>; // [walkers]
@group(0) @binding(3) var<storage, read_write> arrivals: array<Arrivals>; // [groups of 4096]

const WORKGROUP_SIZE: u32 = 64u;
const WALKERS_EACH: u32 = 64u;

var<workgroup> sums: array<Arrivals, 64>;

fn plus(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2<u32>(low, a.y + b.y + u32(low < a.x));
}

// n^2 = h^2 2^32 + 2 h l 2^16 + l^2, h and l the halves of n
fn square(n: u32) -> vec2<u32> {
    let high = n >> 16u;
    let low = n & 0xFFFFu;
    let middle = vec2<u32>((high * low) << 16u, (high * low) >> 16u);
    return plus(plus(middle, middle), vec2<u32>(low * low, high * high));
}

fn add(a: Arrivals, b: Arrivals) -> Arrivals {
    let steps = plus(vec2<u32>(a.steps_low, a.steps_high), vec2<u32>(b.steps_low, b.steps_high));
    let squares = plus(
        vec2<u32>(a.squares_low, a.squares_high),
        vec2<u32>(b.squares_low, b.squares_high),
    );
    return Arrivals(a.walkers + b.walkers, steps.x, steps.y, squares.x, squares.y);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let group = linear_workgroup(workgroup, num_workgroups);
    let first = group * WORKGROUP_SIZE * WALKERS_EACH + local;
    let last = vec2<f32>(f32(params.columns - 1u), f32(params.rows - 1u));
    var sum = Arrivals();
    for (var n = 0u; n < WALKERS_EACH; n++) {
        let index = first + n * WORKGROUP_SIZE;
        if index < params.walkers {
            let walker = walkers[index];
            let point = vec2<u32>(clamp(floor(vec2<f32>(walker.x, walker.y) + 0.5), vec2<f32>(0.0), last));
            if targets[point.y * params.columns + point.x] == 1u && walker.steps < params.steps_below {
                let squares = square(walker.steps);
                sum = add(sum, Arrivals(1u, walker.steps, 0u, squares.x, squares.y));
            }
        }
    }
    sums[local] = sum;
    for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if local < half {
            sums[local] = add(sums[local], sums[local + half]);
        }
    }
    if local == 0u && first < params.walkers {
        arrivals[group] = sums[0];
    }
}
