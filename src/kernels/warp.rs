//! Pairs of images through their meshes, blended to frames. Shader: `shaders/warp.wgsl`.
//!
//! Warping and blending are one kernel: both sides of a pixel come from one owner triangle,
//! and the frame is the only thing that goes out to memory.

use super::sample::{Place, sample_cubic, sample_linear};
use super::{
    Access, Binding, Buf, Element, Kernel, KernelSpec, Recording, blend, row_stride, shader_struct,
};
use crate::mesh::{PairMesh, fixed_alpha, lattice_point};
use rayon::prelude::*;

const WORKGROUP_SIZE: u32 = 32;
/// Pixels of a tile: one owner word each in workgroup memory, 4 of the 16 KiB every device has.
const TILE_PIXELS: usize = 1024;

pub(super) const CUBIC: KernelSpec = KernelSpec {
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/blend.wgsl"),
        include_str!("../../shaders/shared/sample_cubic.wgsl"),
        include_str!("../../shaders/warp.wgsl"),
    ],
    twin: |params, inputs, output| twin(params, inputs, output, Sampling::Cubic),
    ..LINEAR
};

pub(super) const LINEAR: KernelSpec = KernelSpec {
    name: "warp",
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/blend.wgsl"),
        include_str!("../../shaders/shared/sample_linear.wgsl"),
        include_str!("../../shaders/warp.wgsl"),
    ],
    workgroup_size: WORKGROUP_SIZE,
    params: WarpParams::SPEC,
    compiled_for: None,
    bindings: &[
        Binding {
            name: "sources",
            access: Access::Read,
            element: Element::F32,
        },
        Binding {
            name: "pairs",
            access: Access::Read,
            element: Element::Vec4U32,
        },
        Binding {
            name: "corners",
            access: Access::Read,
            element: Element::Vec4I32,
        },
        Binding {
            name: "jobs",
            access: Access::Read,
            element: Element::Struct(FrameJob::SPEC),
        },
        Binding {
            name: "frames",
            access: Access::ReadWrite,
            element: Element::F32,
        },
    ],
    twin: |params, inputs, output| twin(params, inputs, output, Sampling::Linear),
};

shader_struct! {
    /// Parameters of the warp kernel.
    struct WarpParams {
        /// Number of frames.
        frames: u32,
        /// Width, pixels.
        width: i32,
        /// Height, pixels.
        height: i32,
        /// Channels of sources and frames.
        channels: u32,
        /// Lattice points a pixel.
        scale: i32,
        /// Triangle slots a pair.
        triangles: u32,
        /// Words between sources.
        source_stride: u32,
        /// Words between frames.
        frame_stride: u32,
        /// Width of a tile, pixels.
        tile_width: i32,
        /// Height of a tile, pixels.
        tile_height: i32,
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
        pub pair: u32,
        /// Where the mesh stands, a [`fixed_alpha`].
        pub mesh_alpha: i32,
        /// Blend weight of the right side, 0..1.
        pub alpha: f32,
    }
}

impl FrameJob {
    /// The frame of `pair` at `alpha`, 0..1.
    pub fn new(pair: usize, alpha: f64) -> Self {
        Self {
            pair: pair as u32,
            mesh_alpha: fixed_alpha(alpha),
            alpha: alpha as f32,
        }
    }
}

/// How images are sampled between their pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sampling {
    /// Bilinear.
    Linear,
    /// Interpolating bicubic spline with not-a-knot ends, as the paper's tool samples.
    Cubic,
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
    pub fn warp(
        &mut self,
        images: Buf<f32>,
        count: usize,
        geometry: &WarpGeometry,
        pairs: &[PairJob<'_>],
        jobs: &[FrameJob],
    ) -> Buf<f32> {
        let [height, width, channels] = geometry.shape;
        let frame_stride = row_stride(height * width * channels);
        assert_eq!(
            images.len(),
            count * frame_stride,
            "warp: images are [count, row_stride(H W C)]"
        );
        let slots = pairs
            .iter()
            .map(|pair| pair.mesh.triangles.len())
            .max()
            .unwrap_or(0);
        let (sources, source_stride) = match geometry.sampling {
            Sampling::Linear => (images, frame_stride),
            Sampling::Cubic => (
                self.spline(images, count, geometry.shape),
                channels * (height + 2) * (width + 2),
            ),
        };
        let mut heads = Vec::with_capacity(pairs.len());
        let mut corners = vec![[[0i32; 4]; 3]; pairs.len() * slots];
        for (i, pair) in pairs.iter().enumerate() {
            let mesh = pair.mesh;
            heads.push([
                pair.left as u32,
                pair.right as u32,
                mesh.triangles.len() as u32,
                0,
            ]);
            for (slot, triangle) in corners[i * slots..].iter_mut().zip(&mesh.triangles) {
                *slot = triangle.map(|point| {
                    let ([left_x, left_y], [right_x, right_y]) = (
                        mesh.points_left[point as usize],
                        mesh.points_right[point as usize],
                    );
                    [left_x, left_y, right_x, right_y]
                });
            }
        }
        let tile_width = width.min(TILE_PIXELS);
        let tile_height = height.min(TILE_PIXELS / tile_width);
        let tiles_x = width.div_ceil(tile_width);
        let tiles = tiles_x * height.div_ceil(tile_height);
        let params = WarpParams {
            frames: jobs.len() as u32,
            width: width as i32,
            height: height as i32,
            channels: channels as u32,
            scale: geometry.scale,
            triangles: slots as u32,
            source_stride: source_stride as u32,
            frame_stride: frame_stride as u32,
            tile_width: tile_width as i32,
            tile_height: tile_height as i32,
            tiles_x: tiles_x as u32,
            tiles: tiles as u32,
        };
        let pairs = self.upload("warp.pairs", &heads);
        let corners = self.upload("warp.corners", &corners);
        let num_frames = jobs.len();
        let jobs = self.upload("warp.jobs", jobs);
        let inputs = [
            self.id(sources),
            self.id(pairs),
            self.id(corners),
            self.id(jobs),
        ];
        let kernel = Kernel::Warp(geometry.sampling);
        self.command(
            kernel,
            params,
            &inputs,
            ("warp.frames", num_frames * frame_stride),
            num_frames * tiles * channels,
        )
    }
}

fn twin(params: &[u32], inputs: &[&[u32]], output: &mut [u32], sampling: Sampling) {
    let params: WarpParams = *bytemuck::from_bytes(bytemuck::cast_slice(params));
    let sources: &[f32] = bytemuck::cast_slice(inputs[0]);
    let pairs: &[[u32; 4]] = bytemuck::cast_slice(inputs[1]);
    let corners: &[Corners] = bytemuck::cast_slice(inputs[2]);
    let jobs: &[FrameJob] = bytemuck::cast_slice(inputs[3]);
    let frames: &mut [f32] = bytemuck::cast_slice_mut(output);
    let [slots, source_stride, channels] =
        [params.triangles, params.source_stride, params.channels].map(|n| n as usize);
    let [width, height] = [params.width, params.height].map(|n| n as usize);
    frames
        .par_chunks_exact_mut(params.frame_stride as usize)
        .zip(jobs)
        .with_min_len(4)
        .for_each_init(
            || SourceMap::new(width, height),
            |map, (frame, job)| {
                let pair = job.pair as usize;
                let [left, right, triangles, _] = pairs[pair];
                map.draw(
                    &corners[pair * slots..][..triangles as usize],
                    job.mesh_alpha,
                    params.scale,
                );
                map.locate();
                let source =
                    |number: u32| &sources[number as usize * source_stride..][..source_stride];
                let (left, right) = (source(left), source(right));
                for channel in 0..channels {
                    let levels = frame[..width * height * channels]
                        .iter_mut()
                        .skip(channel)
                        .step_by(channels);
                    match sampling {
                        Sampling::Cubic => {
                            let plane = (width + 2) * (height + 2);
                            let [left, right] =
                                [left, right].map(|source| &source[channel * plane..][..plane]);
                            map.blend_into(
                                levels,
                                job.alpha,
                                |place| sample_cubic(left, width, place),
                                |place| sample_cubic(right, width, place),
                            );
                        }
                        Sampling::Linear => {
                            let [left, right] = [left, right].map(|source| &source[channel..]);
                            map.blend_into(
                                levels,
                                job.alpha,
                                |place| sample_linear(left, width, channels, place),
                                |place| sample_linear(right, width, channels, place),
                            );
                        }
                    }
                }
            },
        );
}

/// The corners of a triangle: left x, left y, right x, right y of each, pixels.
type Corners = [[i32; 4]; 3];

/// Where each pixel of a frame comes from, in the left and in the right image.
struct SourceMap {
    width: usize,
    height: usize,
    /// Left x, left y, right x, right y of every pixel, pixels.
    coordinates: [Vec<f32>; 4],
    left: Vec<Place>,
    right: Vec<Place>,
}

impl SourceMap {
    fn new(width: usize, height: usize) -> Self {
        let pixels = width * height;
        let coordinates = std::array::from_fn(|_| vec![0.0; pixels]);
        Self {
            width,
            height,
            coordinates,
            left: vec![Place::default(); pixels],
            right: vec![Place::default(); pixels],
        }
    }

    /// Draws the triangles in order, so that the last one that contains a pixel owns it.
    fn draw(&mut self, triangles: &[Corners], mesh_alpha: i32, scale: i32) {
        let (width, height) = (self.width, self.height);
        for corners in triangles {
            let lattice = corners.map(|[left_x, left_y, right_x, right_y]| {
                lattice_point([left_x, left_y], [right_x, right_y], mesh_alpha, scale)
            });
            let area = double_area(lattice[0], lattice[1], lattice[2]);
            // A folded triangle is turned round.
            let order = match area.signum() {
                1 => [0, 1, 2],
                -1 => [0, 2, 1],
                _ => continue,
            };
            let [lattice_a, lattice_b, lattice_c] = order.map(|k| lattice[k]);
            let [from_a, from_b, from_c] =
                order.map(|k| corners[k].map(|coordinate| coordinate as f32));
            let area = area.abs();
            let axis_range = |axis: usize, size: usize| {
                let values = [lattice_a[axis], lattice_b[axis], lattice_c[axis]];
                let low = values.into_iter().fold(i32::MAX, i32::min);
                let high = values.into_iter().fold(i32::MIN, i32::max);
                (
                    (low + scale - 1) / scale,
                    (high / scale).min(size as i32 - 1),
                )
            };
            let (low_x, high_x) = axis_range(0, width);
            let (low_y, high_y) = axis_range(1, height);
            let to_a: [f32; 4] = std::array::from_fn(|k| from_a[k] - from_c[k]);
            let to_b: [f32; 4] = std::array::from_fn(|k| from_b[k] - from_c[k]);
            let one_over_area = 1.0 / area as f32;
            for y in low_y..=high_y {
                let start = [low_x * scale, y * scale];
                let edge = |from: [i32; 2], to: [i32; 2]| Edge {
                    at_start: double_area(from, to, start),
                    step: -(to[1] - from[1]) * scale,
                };
                let (ab, bc, ca) = (
                    edge(lattice_a, lattice_b),
                    edge(lattice_b, lattice_c),
                    edge(lattice_c, lattice_a),
                );
                let (mut first, mut last) = (0, high_x - low_x);
                for side in [&ab, &bc, &ca] {
                    side.clip(&mut first, &mut last);
                }
                if first > last {
                    continue;
                }
                let row = y as usize * width;
                let span = row + (low_x + first) as usize..row + (low_x + last) as usize + 1;
                let [left_x, left_y, right_x, right_y] = self
                    .coordinates
                    .each_mut()
                    .map(|axis| &mut axis[span.clone()]);
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

    /// Finds the cell of every source coordinate, clamped to the image.
    fn locate(&mut self) {
        let (last_x, last_y) = ((self.width - 1) as f32, (self.height - 1) as f32);
        let (last_column, last_row) = (self.width as i32 - 2, self.height as i32 - 2);
        let [left_x, left_y, right_x, right_y] = &self.coordinates;
        for (places, xs, ys) in [
            (&mut self.left, left_x, left_y),
            (&mut self.right, right_x, right_y),
        ] {
            for ((place, &x), &y) in places.iter_mut().zip(xs).zip(ys) {
                let (x, y) = (x.clamp(0.0, last_x), y.clamp(0.0, last_y));
                let (column, row) = ((x as i32).min(last_column), (y as i32).min(last_row));
                *place = Place {
                    column: column as u32,
                    row: row as u32,
                    u: x - column as f32,
                    v: y - row as f32,
                };
            }
        }
    }

    /// Samples both sides at every pixel and blends them.
    #[inline(always)]
    fn blend_into<'a>(
        &self,
        levels: impl Iterator<Item = &'a mut f32>,
        alpha: f32,
        left: impl Fn(Place) -> f32,
        right: impl Fn(Place) -> f32,
    ) {
        for ((level, &from_left), &from_right) in levels.zip(&self.left).zip(&self.right) {
            *level = blend(
                left(from_left).clamp(0.0, 255.0),
                right(from_right).clamp(0.0, 255.0),
                alpha,
            );
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
