// sums over walkers of dx, dy, r, r^2, r^4 from where each started, and of those still moving
// One workgroup: 4096 walkers, 64 an invocation, then a tree of sums. Floats: a sum of 4096
//   keeps six digits, and the host adds the groups in 64 bits.
// Rust twin: src/kernels/walk_moments.rs

struct MomentsParams {
    walkers: u32,
    step: u32, // steps of a walker that has always moved
}

struct Moments {
    x: f32,
    y: f32,
    distance: f32,
    square: f32,
    fourth: f32,
    moving: f32,
}

@group(0) @binding(0) var<uniform> params: MomentsParams;
@group(0) @binding(1) var<storage, read> walkers: array<Walker>; // [walkers]
@group(0) @binding(2) var<storage, read_write> moments: array<Moments>; // [groups of 4096]

const WORKGROUP_SIZE: u32 = 64u;
const WALKERS_EACH: u32 = 64u;

var<workgroup> sums: array<Moments, 64>;

fn add(a: Moments, b: Moments) -> Moments {
    return Moments(
        a.x + b.x, a.y + b.y, a.distance + b.distance,
        a.square + b.square, a.fourth + b.fourth, a.moving + b.moving,
    );
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let group = linear_workgroup(workgroup, num_workgroups);
    let first = group * WORKGROUP_SIZE * WALKERS_EACH + local;
    var sum = Moments();
    for (var n = 0u; n < WALKERS_EACH; n++) {
        let index = first + n * WORKGROUP_SIZE;
        if index < params.walkers {
            let walker = walkers[index];
            let dx = walker.x - walker.x_start;
            let dy = walker.y - walker.y_start;
            let square = dx * dx + dy * dy;
            let moving = f32(walker.steps == params.step);
            sum = add(sum, Moments(dx, dy, sqrt(square), square, square * square, moving));
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
        moments[group] = sums[0];
    }
}
