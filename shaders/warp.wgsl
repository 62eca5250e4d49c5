// frame(p) = (1 - alpha) * left(source_left(p)) + alpha * right(source_right(p)), each side clamped to 0..255
// Powers, Shi, Liebovitch, the morph tool; Beier and Neely (1992) for the two-sided warp.
// A pixel's owner is the last triangle that contains its centre, its edges included. The
//   intermediate mesh lies on a lattice of 1/scale pixel, so ownership is decided in whole numbers.
// One invocation: one column of pixels in a strip of 32 rows, of one channel of one frame. From the
//   last triangle to the first it finds the rows that each one owns, as bits of a word, and writes
//   the owners' numbers down in binary, a word a digit, a bit a row. Then it takes the rows in turn.
//   Neither workgroup memory nor atomics, which lavapipe pays for lane by lane.
// Rust twin: src/kernels/warp.rs

struct WarpParams {
    frames: u32,
    width: i32, // pixels
    height: i32,
    channels: u32,
    scale: i32, // lattice points a pixel
    frame_stride: u32, // words between frames
    strips: u32, // strips of STRIP_ROWS rows a frame
    cells: u32, // cells a strip, side by side
    cell_width: u32, // pixels
}

struct FrameJob {
    pair: u32,
    mesh_alpha: i32, // alpha * 2^15, rounded
    alpha: f32,
}

// Binding 1, load_sources(at): vec4<f32>, see sample()
// Binding 3, load_corners(at): vec4<i32>, [triangles of all cells, 3]: left x, y, right x, y, pixels
@group(0) @binding(0) var<uniform> params: WarpParams;
@group(0) @binding(2) var<storage, read> cells: array<vec4<u32>>; // [pairs, strips, cells]: left source, right source, first triangle, triangles
@group(0) @binding(4) var<storage, read> jobs: array<FrameJob>; // [frames]
@group(0) @binding(5) var<storage, read_write> frames: array<f32>; // [frames, frame_stride], rows of [H, W, C]

const WORKGROUP_SIZE: u32 = 64u;
const STRIP_ROWS: i32 = 32;
// Triangles whose numbers have eight binary digits. More of them are taken in turns.
const MOST_NUMBERS: u32 = 256u;
const LOW_DIGITS: vec4<u32> = vec4<u32>(0u, 1u, 2u, 3u);
const HIGH_DIGITS: vec4<u32> = vec4<u32>(4u, 5u, 6u, 7u);

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

// The rows from `start` on, a lattice point, that lie in a triangle: bit 0 is the first of them.
fn rows_inside(first_corner: u32, mesh_alpha: i32, start: vec2<i32>, rows: i32) -> u32 {
    let a = lattice(load_corners(first_corner), mesh_alpha);
    let p = lattice(load_corners(first_corner + 1u), mesh_alpha);
    let q = lattice(load_corners(first_corner + 2u), mesh_alpha);
    let area = double_area(a, p, q);
    // A folded triangle is turned round.
    let b = select(p, q, area < 0);
    let c = select(q, p, area < 0);
    var span = vec2<i32>(0, rows - 1);
    span = clip(span, double_area(a, b, start), (b.x - a.x) * params.scale);
    span = clip(span, double_area(b, c, start), (c.x - b.x) * params.scale);
    span = clip(span, double_area(c, a, start), (a.x - c.x) * params.scale);
    let is_empty = area == 0 || span.x > span.y;
    return select((~0u << u32(span.x)) & (~0u >> u32(STRIP_ROWS - 1 - span.y)), 0u, is_empty);
}

// Narrows the rows first..=last to those where at + step * row >= 0.
fn clip(span: vec2<i32>, at: i32, step: i32) -> vec2<i32> {
    let whole = quotient(at, max(abs(step), 1));
    let first = select(span.x, max(span.x, -whole), step > 0);
    let last = select(span.y, min(span.y, whole), step < 0);
    return vec2<i32>(first, select(last, -1, step == 0 && at < 0));
}

// at / step rounded down, or anything beyond the strip where that is. Floats err by one at most;
// the remainder tells.
fn quotient(at: i32, step: i32) -> i32 {
    const BEYOND: f32 = f32(STRIP_ROWS) + 1.0;
    let near = i32(clamp(floor(f32(at) / f32(step)), -BEYOND, BEYOND));
    let remainder = at - near * step;
    return near + i32(remainder >= step) - i32(remainder < 0);
}

// Words of ones where a number has ones, a word a digit.
fn spread(number: u32, digits: vec4<u32>) -> vec4<u32> {
    return 0u - ((vec4<u32>(number) >> digits) & vec4<u32>(1u));
}

// Four digits of the number written down at `row`.
fn read_off(written: vec4<u32>, row: u32, digits: vec4<u32>) -> u32 {
    let ones = ((written >> vec4<u32>(row)) & vec4<u32>(1u)) << digits;
    return ones.x | ones.y | ones.z | ones.w;
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

fn clamped_sample(source: u32, channel: u32, at: vec2<f32>) -> f32 {
    let inside = clamp(at, vec2<f32>(0.0), vec2<f32>(vec2<i32>(params.width, params.height) - 1));
    return clamp(sample(source, channel, inside), 0.0, 255.0);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) num_workgroups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = linear_workgroup(workgroup, num_workgroups) * WORKGROUP_SIZE + local;
    let row_values = u32(params.width) * params.channels;
    let strip = index / row_values % params.strips;
    let frame = index / row_values / params.strips;
    if frame >= params.frames {
        return;
    }
    // Neighbours store side by side.
    let x = index % row_values / params.channels;
    let channel = index % row_values % params.channels;
    let top = i32(strip) * STRIP_ROWS;
    let rows = min(params.height - top, STRIP_ROWS);
    let start = vec2<i32>(i32(x), top) * params.scale;
    let to = frame * params.frame_stride + index % row_values;
    let job = jobs[frame];
    let cell = cells[(job.pair * params.strips + strip) * params.cells + x / params.cell_width];

    // Closed triangles over the whole image leave no pixel without an owner.
    var ownerless = ~0u >> u32(STRIP_ROWS - rows);
    var end = cell.z + cell.w;
    while ownerless != 0u && end > cell.z {
        let first = end - min(end - cell.z, MOST_NUMBERS);
        var owned = 0u;
        var low = vec4<u32>(0u);
        var high = vec4<u32>(0u);
        for (var triangle = end; triangle > first; triangle--) {
            let number = triangle - 1u - first;
            let own = rows_inside(3u * (triangle - 1u), job.mesh_alpha, start, rows) & ownerless;
            ownerless &= ~own;
            owned |= own;
            low |= vec4<u32>(own) & spread(number, LOW_DIGITS);
            high |= vec4<u32>(own) & spread(number, HIGH_DIGITS);
        }
        while owned != 0u {
            let row = firstTrailingBit(owned);
            owned &= owned - 1u;
            let triangle = first + (read_off(low, row, LOW_DIGITS) | read_off(high, row, HIGH_DIGITS));
            let pixel = vec2<i32>(i32(x), top + i32(row));
            let source = source_of(pixel, 3u * triangle, job.mesh_alpha);
            let left = clamped_sample(cell.x, channel, source.xy);
            let right = clamped_sample(cell.y, channel, source.zw);
            frames[to + u32(pixel.y) * row_values] = blend(left, right, job.alpha);
        }
        end = first;
    }
}
