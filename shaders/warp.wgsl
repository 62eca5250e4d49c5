// frame(p) = (1 - alpha) * left(source_left(p)) + alpha * right(source_right(p)), each side clamped to 0..255
// Powers, Shi, Liebovitch, the morph tool; Beier and Neely (1992) for the two-sided warp.
// One workgroup: one tile of one channel of one frame. Its invocations first draw the triangles,
//   one each, into an owner per pixel (the last triangle that contains the pixel's centre, its
//   edges included), then take the pixels in turn. The intermediate mesh lies on a lattice of
//   1/scale pixel, so ownership is decided in whole numbers.
// Rust twin: src/kernels/warp.rs

struct WarpParams {
    frames: u32,
    width: i32, // pixels
    height: i32,
    channels: u32,
    scale: i32, // lattice points a pixel
    triangles: u32, // triangle slots a pair
    frame_stride: u32, // words between frames
    tile_width: i32, // pixels; tile_width * tile_height <= TILE_PIXELS
    tile_height: i32,
    tiles_x: u32,
    tiles: u32, // tiles a frame
}

struct FrameJob {
    pair: u32,
    mesh_alpha: i32, // alpha * 2^15, rounded
    alpha: f32,
}

// Binding 1, load_sources(at): vec4<f32>, see sample()
// Binding 3, load_corners(at): vec4<i32>, [pairs, triangles, 3]: left x, y, right x, y, pixels
@group(0) @binding(0) var<uniform> params: WarpParams;
@group(0) @binding(2) var<storage, read> pairs: array<vec4<u32>>; // [pairs]: left source, right source, triangles, 0
@group(0) @binding(4) var<storage, read> jobs: array<FrameJob>; // [frames]
@group(0) @binding(5) var<storage, read_write> frames: array<f32>; // [frames, frame_stride], rows of [H, W, C]

const WORKGROUP_SIZE: i32 = 32;
const TILE_PIXELS: u32 = 1024u;

// Number of the owning triangle, plus one, for each pixel of the tile.
var<workgroup> owner: array<atomic<u32>, TILE_PIXELS>;

// Twice the area of (a, b, p) with sign; at most 2^30 on the lattice.
fn double_area(a: vec2<i32>, b: vec2<i32>, p: vec2<i32>) -> i32 {
    return (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
}

// Where a corner (left x, y, right x, y) lies on the lattice at this alpha, rounded to it. All
// three factors' product stays below 2^30; >> rounds down.
fn lattice(corner: vec4<i32>, mesh_alpha: i32) -> vec2<i32> {
    let way = params.scale * (corner.zw - corner.xy);
    return params.scale * corner.xy + ((way * mesh_alpha + (1 << 14u)) >> vec2<u32>(15u));
}

fn clamped_sample(source: u32, channel: u32, at: vec2<f32>) -> f32 {
    let inside = clamp(at, vec2<f32>(0.0), vec2<f32>(vec2<i32>(params.width, params.height) - 1));
    return clamp(sample(source, channel, inside), 0.0, 255.0);
}

// Enters triangle `number` as the owner of the tile's pixels it contains. `tile` is the tile's
// first pixel and the first beyond it.
fn draw(number: u32, first_corner: u32, mesh_alpha: i32, tile: vec4<i32>) {
    let a = lattice(load_corners(first_corner), mesh_alpha);
    let p = lattice(load_corners(first_corner + 1u), mesh_alpha);
    let q = lattice(load_corners(first_corner + 2u), mesh_alpha);
    let area = double_area(a, p, q);
    // A folded triangle is turned round.
    let b = select(p, q, area < 0);
    let c = select(q, p, area < 0);
    // Lattice coordinates are not negative, so division rounds down. Without area: no rows.
    let low = max((min(a, min(b, c)) + params.scale - 1) / params.scale, tile.xy);
    var high = min(max(a, max(b, c)) / params.scale, tile.zw - 1);
    high.y = select(-1, high.y, area != 0);
    // From one pixel to the next along x each doubled area changes by a constant.
    let step_ab = (a.y - b.y) * params.scale;
    let step_bc = (b.y - c.y) * params.scale;
    let step_ca = (c.y - a.y) * params.scale;
    for (var y = low.y; y <= high.y; y++) {
        let start = vec2<i32>(low.x, y) * params.scale;
        var ab = double_area(a, b, start);
        var bc = double_area(b, c, start);
        var ca = double_area(c, a, start);
        let row = (y - tile.y) * params.tile_width - tile.x;
        for (var x = low.x; x <= high.x; x++) {
            if (ab | bc | ca) >= 0 { // no sign bit set: inside or on an edge
                atomicMax(&owner[row + x], number + 1u);
            }
            ab += step_ab;
            bc += step_bc;
            ca += step_ca;
        }
    }
}

// Left x, left y, right x, right y of a pixel, by its place in a triangle of the intermediate mesh.
fn source_of(pixel: vec2<i32>, first_corner: u32, mesh_alpha: i32) -> vec4<f32> {
    let a = load_corners(first_corner);
    let b = load_corners(first_corner + 1u);
    let c = load_corners(first_corner + 2u);
    let lattice_a = lattice(a, mesh_alpha);
    let lattice_b = lattice(b, mesh_alpha);
    let lattice_c = lattice(c, mesh_alpha);
    let at = pixel * params.scale;
    let one_over_area = 1.0 / f32(double_area(lattice_a, lattice_b, lattice_c));
    let weight_a = f32(double_area(lattice_b, lattice_c, at)) * one_over_area;
    let weight_b = f32(double_area(lattice_c, lattice_a, at)) * one_over_area;
    return vec4<f32>(c) + weight_a * vec4<f32>(a - c) + weight_b * vec4<f32>(b - c);
}

@compute @workgroup_size(32)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear_workgroup(workgroup, num_workgroups);
    let tile_number = index / params.channels;
    let channel = index % params.channels;
    let in_range = tile_number < params.frames * params.tiles;
    // Workgroups past the end keep to the barrier and do nothing else.
    let frame = select(0u, tile_number / params.tiles, in_range);
    let tile_place = vec2<i32>(vec2<u32>(tile_number % params.tiles_x, tile_number % params.tiles / params.tiles_x));
    let tile_first = tile_place * vec2<i32>(params.tile_width, params.tile_height);
    let tile_size = select(vec2<i32>(0), vec2<i32>(params.tile_width, params.tile_height), in_range);
    let tile_end = min(tile_first + tile_size, vec2<i32>(params.width, params.height));
    let job = jobs[frame];
    let pair = pairs[job.pair];
    let first_corner = 3u * job.pair * params.triangles;

    for (var t = local; t < pair.z; t += u32(WORKGROUP_SIZE)) {
        draw(t, first_corner + 3u * t, job.mesh_alpha, vec4<i32>(tile_first, tile_end));
    }
    workgroupBarrier();

    // Pixels local, local + 32, ... of the tile, without a division for each.
    let jump = vec2<i32>(WORKGROUP_SIZE % params.tile_width, WORKGROUP_SIZE / params.tile_width);
    var place = vec2<i32>(i32(local) % params.tile_width, i32(local) / params.tile_width);
    let to = frame * params.frame_stride + channel;
    while place.y < tile_end.y - tile_first.y {
        let pixel = tile_first + place;
        if pixel.x < tile_end.x {
            // Closed triangles over the whole image leave no pixel without an owner.
            let triangle = atomicLoad(&owner[place.y * params.tile_width + place.x]) - 1u;
            let source = source_of(pixel, first_corner + 3u * triangle, job.mesh_alpha);
            let left = clamped_sample(pair.x, channel, source.xy);
            let right = clamped_sample(pair.y, channel, source.zw);
            frames[to + u32(pixel.y * params.width + pixel.x) * params.channels] = blend(left, right, job.alpha);
        }
        place += jump;
        let wraps = place.x >= params.tile_width;
        place = select(place, place + vec2<i32>(-params.tile_width, 1), wraps);
    }
}
