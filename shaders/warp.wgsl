// frame(p) = (1 - alpha) * left(source_left(p)) + alpha * right(source_right(p)), each side clamped to 0..255
// Powers, Shi, Liebovitch, section "Morphing"; Beier and Neely (1992) for the two-sided warp.
// One workgroup: one tile of one frame. Its invocations first draw the triangles, one each, into
//   an owner per pixel (the last triangle that contains the pixel's centre, its edges included),
//   then take the pixels in turn. The intermediate mesh lies on a lattice of 1/scale pixel, so
//   ownership is decided in whole numbers.
// Rust twin: src/kernels/warp.rs

struct WarpParams {
    frames: u32,
    width: u32, // pixels
    height: u32,
    channels: u32,
    scale: i32, // lattice points a pixel
    points: u32, // points a pair
    triangles: u32, // triangle slots a pair
    cubic: u32, // 1: sources are spline coefficients [C, H + 2, W + 2]; 0: images [H, W, C]
    source_stride: u32, // words between sources
    frame_stride: u32, // words between frames
    tile_width: u32, // pixels; tile_width * tile_height <= TILE_PIXELS
    tile_height: u32,
    tiles_x: u32,
    tiles: u32, // tiles a frame
}

struct FrameJob {
    pair: u32,
    lattice_alpha: i32, // alpha * scale
    alpha: f32,
}

@group(0) @binding(0) var<uniform> params: WarpParams;
@group(0) @binding(1) var<storage, read> sources: array<f32>; // [sources, source_stride]
@group(0) @binding(2) var<storage, read> pairs: array<vec4<u32>>; // [pairs]: left source, right source, triangles, 0
@group(0) @binding(3) var<storage, read> points: array<vec4<i32>>; // [pairs, points]: left x, y, right x, y, pixels
@group(0) @binding(4) var<storage, read> triangles: array<vec4<u32>>; // [pairs, triangles]: three points, 0
@group(0) @binding(5) var<storage, read> jobs: array<FrameJob>; // [frames]
@group(0) @binding(6) var<storage, read_write> frames: array<f32>; // [frames, frame_stride], rows of [H, W, C]

const WORKGROUP_SIZE: u32 = 32u;
const TILE_PIXELS: u32 = 1024u;

// Number of the owning triangle, plus one, for each pixel of the tile.
var<workgroup> owner: array<atomic<u32>, 1024>;

// Twice the area of (a, b, p) with sign; at most 2^30 on the lattice.
fn double_area(a: vec2<i32>, b: vec2<i32>, p: vec2<i32>) -> i32 {
    return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
}

// Where a point (left x, y, right x, y) lies on the lattice at this alpha.
fn lattice(point: vec4<i32>, lattice_alpha: i32) -> vec2<i32> {
    return params.scale * point.xy + lattice_alpha * (point.zw - point.xy);
}

fn sample_linear(source: u32, channel: u32, at: vec2<f32>) -> f32 {
    let cell = min(vec2<u32>(at), vec2<u32>(params.width, params.height) - 2u);
    let u = at - vec2<f32>(cell);
    let row = params.width * params.channels;
    let base = source * params.source_stride + cell.y * row + cell.x * params.channels + channel;
    let top = lerp(sources[base], sources[base + params.channels], u.x);
    let bottom = lerp(sources[base + row], sources[base + row + params.channels], u.x);
    return lerp(top, bottom, u.y);
}

fn lerp(a: f32, b: f32, t: f32) -> f32 {
    return a + t * (b - a);
}

fn sample_cubic(source: u32, channel: u32, at: vec2<f32>) -> f32 {
    let cell = min(vec2<u32>(at), vec2<u32>(params.width, params.height) - 2u);
    let u = at - vec2<f32>(cell);
    let row = params.width + 2u;
    let base = source * params.source_stride + (channel * (params.height + 2u) + cell.y) * row + cell.x;
    let wx = cubic_weights(u.x);
    let wy = cubic_weights(u.y);
    var total = 0.0;
    for (var r = 0u; r < 4u; r++) {
        let first = base + r * row;
        let four = vec4<f32>(sources[first], sources[first + 1u], sources[first + 2u], sources[first + 3u]);
        total += wy[r] * dot(wx, four);
    }
    return total;
}

fn sample(source: u32, channel: u32, at: vec2<f32>) -> f32 {
    let inside = clamp(at, vec2<f32>(0.0), vec2<f32>(f32(params.width - 1u), f32(params.height - 1u)));
    var level: f32;
    if params.cubic == 1u {
        level = sample_cubic(source, channel, inside);
    } else {
        level = sample_linear(source, channel, inside);
    }
    return clamp(level, 0.0, 255.0);
}

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear_workgroup(workgroup, num_workgroups);
    let in_range = index < params.frames * params.tiles;
    // Workgroups past the end keep to the barrier and do nothing else.
    let frame = select(0u, index / params.tiles, in_range);
    let tile = select(0u, index % params.tiles, in_range);
    let job = jobs[frame];
    let pair = pairs[job.pair];
    let first_point = job.pair * params.points;
    let first_triangle = job.pair * params.triangles;
    let left_px = i32(tile % params.tiles_x * params.tile_width);
    let top_px = i32(tile / params.tiles_x * params.tile_height);
    let tile_end = min(
        vec2<i32>(left_px + i32(params.tile_width), top_px + i32(params.tile_height)),
        vec2<i32>(i32(params.width), i32(params.height)),
    );

    if in_range {
        for (var t = local; t < pair.z; t += WORKGROUP_SIZE) {
            let triangle = triangles[first_triangle + t];
            let a = lattice(points[first_point + triangle.x], job.lattice_alpha);
            var b = lattice(points[first_point + triangle.y], job.lattice_alpha);
            var c = lattice(points[first_point + triangle.z], job.lattice_alpha);
            let area = double_area(a, b, c);
            if area == 0 {
                continue;
            }
            if area < 0 { // folded: turn it round
                let swapped = b;
                b = c;
                c = swapped;
            }
            // Lattice coordinates are not negative, so division rounds down.
            let low = max((min(a, min(b, c)) + params.scale - 1) / params.scale, vec2<i32>(left_px, top_px));
            let high = min(max(a, max(b, c)) / params.scale, tile_end - 1);
            // From one pixel to the next along x each doubled area changes by a constant.
            let step_ab = -(b.y - a.y) * params.scale;
            let step_bc = -(c.y - b.y) * params.scale;
            let step_ca = -(a.y - c.y) * params.scale;
            for (var y = low.y; y <= high.y; y++) {
                let start = vec2<i32>(low.x, y) * params.scale;
                var ab = double_area(a, b, start);
                var bc = double_area(b, c, start);
                var ca = double_area(c, a, start);
                var slot = u32(y - top_px) * params.tile_width + u32(low.x - left_px);
                for (var x = low.x; x <= high.x; x++) {
                    if (ab | bc | ca) >= 0 { // no sign bit set: inside or on an edge
                        atomicMax(&owner[slot], t + 1u);
                    }
                    ab += step_ab;
                    bc += step_bc;
                    ca += step_ca;
                    slot += 1u;
                }
            }
        }
    }
    workgroupBarrier();

    let tile_pixels = select(0u, params.tile_width * u32(tile_end.y - top_px), in_range);
    for (var slot = local; slot < tile_pixels; slot += WORKGROUP_SIZE) {
        let pixel = vec2<i32>(left_px + i32(slot % params.tile_width), top_px + i32(slot / params.tile_width));
        if pixel.x >= tile_end.x {
            continue;
        }
        // Closed triangles over the whole image leave no pixel without an owner.
        let triangle = triangles[first_triangle + atomicLoad(&owner[slot]) - 1u];
        let a = points[first_point + triangle.x];
        let b = points[first_point + triangle.y];
        let c = points[first_point + triangle.z];
        let at = pixel * params.scale;
        let lattice_a = lattice(a, job.lattice_alpha);
        let lattice_b = lattice(b, job.lattice_alpha);
        let lattice_c = lattice(c, job.lattice_alpha);
        let one_over_area = 1.0 / f32(double_area(lattice_a, lattice_b, lattice_c));
        let weight_a = f32(double_area(lattice_b, lattice_c, at)) * one_over_area;
        let weight_b = f32(double_area(lattice_c, lattice_a, at)) * one_over_area;
        // Left and right source at once: (left x, left y, right x, right y).
        let source = vec4<f32>(c) + weight_a * vec4<f32>(a - c) + weight_b * vec4<f32>(b - c);
        let to = frame * params.frame_stride
            + (u32(pixel.y) * params.width + u32(pixel.x)) * params.channels;
        for (var channel = 0u; channel < params.channels; channel++) {
            let left = sample(pair.x, channel, source.xy);
            let right = sample(pair.y, channel, source.zw);
            frames[to + channel] = blend(left, right, job.alpha);
        }
    }
}
