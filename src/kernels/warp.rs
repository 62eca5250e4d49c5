//! Pairs of images through their meshes, blended to frames. Shader: `shaders/warp.wgsl`.
//!
//! Warping and blending are one kernel: both sides of a pixel come from one owner triangle,
//! and the frame is the only thing that goes out to memory.

use super::{Access, Binding, Buf, Element, Kernel, KernelSpec, Recording, blend, row_stride, shader_struct};
use crate::mesh::PairMesh;
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 32;
/// Pixels of a tile: one owner word each in workgroup memory, 4 of the 16 KiB every device has.
const TILE_PIXELS: usize = 1024;

pub(super) const SPEC: KernelSpec = KernelSpec {
    name: "warp",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/blend.wgsl"),
        include_str!("../../shaders/shared/sample.wgsl"),
        include_str!("../../shaders/warp.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: WarpParams::SPEC,
    bindings: &[
        Binding { name: "sources", access: Access::Read, element: Element::F32 },
        Binding { name: "pairs", access: Access::Read, element: Element::Vec4U32 },
        Binding { name: "points", access: Access::Read, element: Element::Vec4I32 },
        Binding { name: "triangles", access: Access::Read, element: Element::Vec4U32 },
        Binding { name: "jobs", access: Access::Read, element: Element::Struct(FrameJob::SPEC) },
        Binding { name: "frames", access: Access::ReadWrite, element: Element::F32 },
    ],
    twin,
};

shader_struct! {
    /// Parameters of the warp kernel.
    pub struct WarpParams {
        /// Number of frames.
        frames: u32,
        /// Width, pixels.
        width: u32,
        /// Height, pixels.
        height: u32,
        /// Channels of sources and frames.
        channels: u32,
        /// Lattice points a pixel.
        scale: i32,
        /// Points a pair.
        points: u32,
        /// Triangle slots a pair.
        triangles: u32,
        /// A [`Sampling`].
        cubic: u32,
        /// Words between sources.
        source_stride: u32,
        /// Words between frames.
        frame_stride: u32,
        /// Width of a tile, pixels.
        tile_width: u32,
        /// Height of a tile, pixels.
        tile_height: u32,
        /// Tiles side by side.
        tiles_x: u32,
        /// Tiles a frame.
        tiles: u32,
    }
}

shader_struct! {
    /// One frame to make: a pair and an alpha.
    pub struct FrameJob {
        /// Which pair.
        pair: u32,
        /// Where the mesh stands: alpha in whole numbers of `1/scale`.
        lattice_alpha: i32,
        /// Blend weight of the right side, 0..1.
        alpha: f32,
    }
}

impl FrameJob {
    /// The frame of `pair` at `alpha` on a lattice of `1/scale` pixel.
    pub fn new(pair: usize, alpha: f64, scale: i32) -> Self {
        Self { pair: pair as u32, lattice_alpha: (alpha * f64::from(scale)).round() as i32, alpha: alpha as f32 }
    }
}

/// How images are sampled between their pixels. The numbers are the shader's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Sampling {
    /// Bilinear.
    Linear = 0,
    /// Interpolating bicubic spline with not-a-knot ends, as the paper's tool samples.
    Cubic = 1,
}

/// What all frames of a warp share.
#[derive(Debug, Clone, Copy)]
pub struct WarpGeometry {
    /// `[height, width, channels]` of images and frames.
    pub shape: [usize; 3],
    /// Lattice points a pixel, see [`crate::mesh::lattice_scale`].
    pub scale: i32,
    /// How images are sampled.
    pub sampling: Sampling,
}

/// Two images, by their number among the sources, and the mesh between them.
#[derive(Debug, Clone, Copy)]
pub struct PairJob<'a> {
    /// Number of the left image.
    pub left: usize,
    /// Number of the right image.
    pub right: usize,
    /// Points and triangles.
    pub mesh: &'a PairMesh,
}

impl Recording {
    /// Frames `[jobs, row_stride(H W C)]`, each a row `[H, W, C]` of grey levels 0..255, of
    /// `count` images `[count, row_stride(H W C)]`. Every side is at least 4 pixels long; all
    /// meshes have the image's corners among their points.
    ///
    /// # Panics
    /// When the pairs have different numbers of points.
    pub fn warp(&mut self, images: Buf<f32>, count: usize, geometry: &WarpGeometry, pairs: &[PairJob<'_>], jobs: &[FrameJob]) -> Buf<f32> {
        let [height, width, channels] = geometry.shape;
        let frame_stride = row_stride(height * width * channels);
        assert_eq!(images.len(), count * frame_stride, "warp: images are [count, row_stride(H W C)]");
        let num_points = pairs.first().map_or(0, |pair| pair.mesh.points_left.len());
        let slots = pairs.iter().map(|pair| pair.mesh.triangles.len()).max().unwrap_or(0);
        let (sources, source_stride) = match geometry.sampling {
            Sampling::Linear => (images, frame_stride),
            Sampling::Cubic => (self.spline(images, count, geometry.shape), channels * (height + 2) * (width + 2)),
        };
        let mut heads = Vec::with_capacity(pairs.len());
        let mut points = Vec::with_capacity(pairs.len() * num_points);
        let mut triangles = vec![[0u32; 4]; pairs.len() * slots];
        for (i, pair) in pairs.iter().enumerate() {
            let mesh = pair.mesh;
            assert_eq!(mesh.points_left.len(), num_points, "all pairs of a warp have as many points");
            heads.push([pair.left as u32, pair.right as u32, mesh.triangles.len() as u32, 0]);
            points.extend(mesh.points_left.iter().zip(&mesh.points_right).map(|(l, r)| [l[0], l[1], r[0], r[1]]));
            for (slot, &[a, b, c]) in triangles[i * slots..].iter_mut().zip(&mesh.triangles) {
                *slot = [a, b, c, 0];
            }
        }
        let tile_width = width.min(TILE_PIXELS);
        let tile_height = height.min(TILE_PIXELS / tile_width);
        let tiles_x = width.div_ceil(tile_width);
        let tiles = tiles_x * height.div_ceil(tile_height);
        let params = WarpParams {
            frames: jobs.len() as u32,
            width: width as u32,
            height: height as u32,
            channels: channels as u32,
            scale: geometry.scale,
            points: num_points as u32,
            triangles: slots as u32,
            cubic: geometry.sampling as u32,
            source_stride: source_stride as u32,
            frame_stride: frame_stride as u32,
            tile_width: tile_width as u32,
            tile_height: tile_height as u32,
            tiles_x: tiles_x as u32,
            tiles: tiles as u32,
        };
        let pairs = self.upload("warp.pairs", &heads);
        let points = self.upload("warp.points", &points);
        let triangles = self.upload("warp.triangles", &triangles);
        let num_frames = jobs.len();
        let jobs = self.upload("warp.jobs", jobs);
        let inputs = [self.id(sources), self.id(pairs), self.id(points), self.id(triangles), self.id(jobs)];
        self.command(Kernel::Warp, params, &inputs, ("warp.frames", num_frames * frame_stride), num_frames * tiles)
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params: WarpParams = *bytemuck::from_bytes(bytemuck::cast_slice(params));
    let sources: &[f32] = bytemuck::cast_slice(inputs[0]);
    let pairs: &[[u32; 4]] = bytemuck::cast_slice(inputs[1]);
    let points: &[[i32; 4]] = bytemuck::cast_slice(inputs[2]);
    let triangles: &[[u32; 4]] = bytemuck::cast_slice(inputs[3]);
    let jobs: &[FrameJob] = bytemuck::cast_slice(inputs[4]);
    let frames: &mut [f32] = bytemuck::cast_slice_mut(output);
    let [num_points, slots, source_stride] = [params.points, params.triangles, params.source_stride].map(|n| n as usize);
    let pixels = (params.width * params.height) as usize;
    let channels = params.channels as usize;
    frames.par_chunks_exact_mut(params.frame_stride as usize).zip(jobs).with_min_len(4).for_each_init(
        || SourceMap::new(params.width as usize, pixels),
        |map, (frame, job)| {
            let pair = job.pair as usize;
            let [left, right, num_triangles, _] = pairs[pair];
            let points = &points[pair * num_points..(pair + 1) * num_points];
            let triangles = &triangles[pair * slots..][..num_triangles as usize];
            map.draw(points, triangles, job.lattice_alpha, params.scale);
            let source = |number: u32| &sources[number as usize * source_stride..][..source_stride];
            let (left, right) = (source(left), source(right));
            let [width, height] = [params.width, params.height].map(|n| n as usize);
            for channel in 0..channels {
                let sampler = |source| Sampler { source, width, height, channels, channel };
                let levels = frame[..pixels * channels].iter_mut().skip(channel).step_by(channels);
                if params.cubic == Sampling::Cubic as u32 {
                    map.blend_into(levels, job.alpha, sampler(left), sampler(right), Sampler::cubic);
                } else {
                    map.blend_into(levels, job.alpha, sampler(left), sampler(right), Sampler::linear);
                }
            }
        },
    );
}

/// Where each pixel of a frame comes from: x and y in the left and in the right image.
struct SourceMap {
    width: usize,
    left: [Vec<f32>; 2],
    right: [Vec<f32>; 2],
}

impl SourceMap {
    fn new(width: usize, pixels: usize) -> Self {
        let axis = || vec![0.0; pixels];
        Self { width, left: [axis(), axis()], right: [axis(), axis()] }
    }

    /// Draws the triangles in order, so that the last one that contains a pixel owns it.
    fn draw(&mut self, points: &[[i32; 4]], triangles: &[[u32; 4]], lattice_alpha: i32, scale: i32) {
        let width = self.width;
        let height = self.left[0].len() / width;
        for &[a, b, c, _] in triangles {
            let corner = |i: u32| {
                let [left_x, left_y, right_x, right_y] = points[i as usize];
                [scale * left_x + lattice_alpha * (right_x - left_x), scale * left_y + lattice_alpha * (right_y - left_y)]
            };
            let (mut b, mut c) = (b, c);
            let lattice_a = corner(a);
            let (mut lattice_b, mut lattice_c) = (corner(b), corner(c));
            let mut area = double_area(lattice_a, lattice_b, lattice_c);
            if area == 0 {
                continue;
            }
            if area < 0 {
                // Folded: turn it round.
                (b, c, lattice_b, lattice_c, area) = (c, b, lattice_c, lattice_b, -area);
            }
            let axis_range = |axis: usize, size: usize| {
                let values = [lattice_a[axis], lattice_b[axis], lattice_c[axis]];
                let low = values.into_iter().fold(i32::MAX, i32::min);
                let high = values.into_iter().fold(i32::MIN, i32::max);
                ((low + scale - 1) / scale, (high / scale).min(size as i32 - 1))
            };
            let (low_x, high_x) = axis_range(0, width);
            let (low_y, high_y) = axis_range(1, height);
            let [from_a, from_b, from_c] = [a, b, c].map(|i| points[i as usize].map(|coordinate| coordinate as f32));
            let to_a: [f32; 4] = std::array::from_fn(|k| from_a[k] - from_c[k]);
            let to_b: [f32; 4] = std::array::from_fn(|k| from_b[k] - from_c[k]);
            let one_over_area = 1.0 / area as f32;
            for y in low_y..=high_y {
                let start = [low_x * scale, y * scale];
                let edge = |from: [i32; 2], to: [i32; 2]| Edge { at_start: double_area(from, to, start), step: -(to[1] - from[1]) * scale };
                let (ab, bc, ca) = (edge(lattice_a, lattice_b), edge(lattice_b, lattice_c), edge(lattice_c, lattice_a));
                let (mut first, mut last) = (0, high_x - low_x);
                for side in [&ab, &bc, &ca] {
                    side.clip(&mut first, &mut last);
                }
                if first > last {
                    continue;
                }
                let row = y as usize * width;
                let span = row + (low_x + first) as usize..row + (low_x + last) as usize + 1;
                let [left_x, left_y] = self.left.each_mut().map(|axis| &mut axis[span.clone()]);
                let [right_x, right_y] = self.right.each_mut().map(|axis| &mut axis[span.clone()]);
                let outputs = left_x.iter_mut().zip(left_y).zip(right_x).zip(right_y);
                for ((((left_x, left_y), right_x), right_y), k) in outputs.zip(first..) {
                    let weight_a = (bc.at_start + k * bc.step) as f32 * one_over_area;
                    let weight_b = (ca.at_start + k * ca.step) as f32 * one_over_area;
                    *left_x = from_c[0] + weight_a * to_a[0] + weight_b * to_b[0];
                    *left_y = from_c[1] + weight_a * to_a[1] + weight_b * to_b[1];
                    *right_x = from_c[2] + weight_a * to_a[2] + weight_b * to_b[2];
                    *right_y = from_c[3] + weight_a * to_a[3] + weight_b * to_b[3];
                }
            }
        }
    }

    /// Samples both sides at every pixel and blends them.
    #[inline(always)]
    fn blend_into<'a, 's>(
        &self,
        levels: impl Iterator<Item = &'a mut f32>,
        alpha: f32,
        left: Sampler<'s>,
        right: Sampler<'s>,
        sample: impl Fn(&Sampler<'s>, f32, f32) -> f32,
    ) {
        let from_left = self.left[0].iter().zip(&self.left[1]);
        let from_right = self.right[0].iter().zip(&self.right[1]);
        for ((level, (&left_x, &left_y)), (&right_x, &right_y)) in levels.zip(from_left).zip(from_right) {
            let left = sample(&left, left_x, left_y).clamp(0.0, 255.0);
            let right = sample(&right, right_x, right_y).clamp(0.0, 255.0);
            *level = blend(left, right, alpha);
        }
    }
}

/// Twice the area of (a, b, p) with sign; at most 2^30 on the lattice.
fn double_area(a: [i32; 2], b: [i32; 2], p: [i32; 2]) -> i32 {
    (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
}

/// A doubled area along a row of pixels: a value at its start and a constant step.
struct Edge {
    at_start: i32,
    step: i32,
}

impl Edge {
    /// Narrows `first..=last` to the pixels where the doubled area is not negative.
    #[inline(always)]
    fn clip(&self, first: &mut i32, last: &mut i32) {
        let Self { at_start, step } = *self;
        if step > 0 {
            if at_start < 0 {
                *first = (*first).max((-at_start + step - 1) / step);
            }
        } else if at_start < 0 {
            *last = -1;
        } else if step < 0 {
            *last = (*last).min(at_start / -step);
        }
    }
}

/// One channel of one source image, to be looked up between pixels.
struct Sampler<'a> {
    source: &'a [f32],
    width: usize,
    height: usize,
    channels: usize,
    channel: usize,
}

impl Sampler<'_> {
    /// The cell that holds (x, y), clamped to the image, and the place in it.
    #[inline(always)]
    fn cell(&self, x: f32, y: f32) -> (usize, usize, f32, f32) {
        let x = x.clamp(0.0, (self.width - 1) as f32);
        let y = y.clamp(0.0, (self.height - 1) as f32);
        let (column, row) = ((x as usize).min(self.width - 2), (y as usize).min(self.height - 2));
        (column, row, x - column as f32, y - row as f32)
    }

    #[inline(always)]
    fn linear(&self, x: f32, y: f32) -> f32 {
        let (column, row, u, v) = self.cell(x, y);
        let at = (row * self.width + column) * self.channels + self.channel;
        let lerp = |a: f32, b: f32, t: f32| a + t * (b - a);
        let across = |at: usize| lerp(self.source[at], self.source[at + self.channels], u);
        lerp(across(at), across(at + self.width * self.channels), v)
    }

    #[inline(always)]
    fn cubic(&self, x: f32, y: f32) -> f32 {
        let (column, row, u, v) = self.cell(x, y);
        let stride = self.width + 2;
        let at = (self.channel * (self.height + 2) + row) * stride + column;
        let (across, down) = (cubic_weights(u), cubic_weights(v));
        let mut sums = [0.0f32; 4];
        for (r, weight) in down.into_iter().enumerate() {
            let four = &self.source[at + r * stride..][..4];
            for (sum, coefficient) in sums.iter_mut().zip(four) {
                *sum += weight * coefficient;
            }
        }
        sums[0] * across[0] + sums[1] * across[1] + (sums[2] * across[2] + sums[3] * across[3])
    }
}

/// Uniform cubic B-spline weights of the four coefficients around `u` in 0..1.
/// Shader: `shaders/shared/sample.wgsl`.
#[inline(always)]
fn cubic_weights(u: f32) -> [f32; 4] {
    let v = 1.0 - u;
    [v * v * v, 4.0 + (3.0 * u - 6.0) * u * u, 4.0 + (3.0 * v - 6.0) * v * v, u * u * u].map(|weight| weight * (1.0 / 6.0))
}
