//! Pairs of images through their meshes, blended to frames. Shader: `shaders/warp.wgsl`.
//!
//! Warping and blending are one kernel: both sides of a pixel come from one owner triangle,
//! and the frame is the only thing that goes out to memory.

use super::machine::{Cells, LANES, Lanes, Machine};
use super::sample::{Cubic, Linear, Sample, Sampling};
use super::source_map::{Corners, SourceMap};
use super::{
    Access, Binding, Buf, Element, Kernel, KernelSpec, Recording, blend, case, row_stride,
    shader_struct,
};
use crate::mesh::{PairMesh, fixed_alpha};
use pulp::{Arch, NullaryFnOnce, Scalar, Simd};
use rayon::prelude::*;
use std::ops::Range;
use std::slice::ChunksExact;

const WORKGROUP_SIZE: u32 = 64;
/// Rows of a strip: the bits of a word.
const STRIP_ROWS: usize = 32;
/// How many triangles a cell should have where a mesh is fine. An invocation looks at all of its
/// cell, and a triangle is in every cell that it may touch.
const CELL_TRIANGLES: usize = 16;
/// Cells are a multiple of so many pixels wide: what the twin draws at a time.
const CELL_WIDTH: usize = LANES;

pub(super) const CUBIC: KernelSpec = KernelSpec {
    source: &[
        include_str!("../../shaders/shared/index.wgsl"),
        include_str!("../../shaders/shared/blend.wgsl"),
        include_str!("../../shaders/shared/sample_cubic.wgsl"),
        include_str!("../../shaders/warp.wgsl"),
    ],
    flop: |params| flop::<Cubic>(params),
    twin: twin::<Cubic>,
    case: |recording| case(recording, Sampling::Cubic),
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
    compiled_for: &[],
    constants: &[&[("STRIP_ROWS", STRIP_ROWS as i64)]],
    bindings: &[
        Binding {
            name: "sources",
            access: Access::Load,
            element: Element::Vec4F32,
        },
        Binding {
            name: "cells",
            access: Access::Read,
            element: Element::Vec4U32,
        },
        Binding {
            name: "corners",
            access: Access::Load,
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
    flop: |params| flop::<Linear>(params),
    twin: twin::<Linear>,
    case: |recording| case(recording, Sampling::Linear),
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
        /// Words between frames.
        frame_stride: u32,
        /// Strips of rows a frame.
        strips: u32,
        /// Cells a strip, side by side.
        cells: u32,
        /// Width of a cell, pixels.
        cell_width: u32,
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
        let sources = self.pieces(images, count, geometry.shape, geometry.sampling);
        // Which triangles a pixel has to look at is found out here, once a pair and not once a frame.
        let cut = CellCut::new(width, height, pairs);
        let mut cells = Vec::with_capacity(pairs.len() * cut.strips * cut.cells);
        let mut corners = Vec::new();
        for pair in pairs {
            cut.distribute(pair, &mut cells, &mut corners);
        }
        let params = WarpParams {
            frames: jobs.len() as u32,
            width: width as i32,
            height: height as i32,
            channels: channels as u32,
            scale: geometry.scale,
            frame_stride: frame_stride as u32,
            strips: cut.strips as u32,
            cells: cut.cells as u32,
            cell_width: cut.cell_width as u32,
        };
        let cells = self.upload("warp.cells", &cells);
        let corners = self.upload("warp.corners", &corners);
        let num_frames = jobs.len();
        let jobs = self.upload("warp.jobs", jobs);
        let inputs = [
            self.id(sources),
            self.id(cells),
            self.id(corners),
            self.id(jobs),
        ];
        // One invocation makes a column of a strip, so that it walks down its triangles' edges.
        let invocations = num_frames * cut.strips * width * channels;
        let kernel = Kernel::Warp(geometry.sampling);
        self.command(
            kernel,
            params,
            &inputs,
            ("warp.frames", num_frames * frame_stride),
            invocations.div_ceil(WORKGROUP_SIZE as usize),
        )
    }
}

/// How frames are cut into cells, each with its own list of triangles: strips of rows, and these
/// side by side where a mesh is fine.
struct CellCut {
    width: usize,
    height: usize,
    strips: usize,
    /// A strip.
    cells: usize,
    cell_width: usize,
}

impl CellCut {
    fn new(width: usize, height: usize, pairs: &[PairJob<'_>]) -> Self {
        let triangles = pairs.iter().map(|pair| pair.mesh.triangles.len());
        let triangles = triangles.max().unwrap_or(0);
        let strips = height.div_ceil(STRIP_ROWS);
        // A coarse mesh has none or one: then a strip is a single cell. Narrow cells would list most
        // triangles several times.
        let cells = (triangles / (CELL_TRIANGLES * strips)).min(width / CELL_WIDTH);
        let cell_width = width.div_ceil(cells.max(1)).next_multiple_of(CELL_WIDTH);
        Self {
            width,
            height,
            strips,
            // Rounding the width up may need a cell less.
            cells: width.div_ceil(cell_width),
            cell_width,
        }
    }

    /// The cells as ranges of columns and rows, strip by strip.
    fn rectangles(&self) -> impl Iterator<Item = [Range<usize>; 2]> {
        let columns = |cell: usize| {
            let first = cell * self.cell_width;
            first..self.width.min(first + self.cell_width)
        };
        (0..self.strips).flat_map(move |strip| {
            let first = strip * STRIP_ROWS;
            let rows = first..self.height.min(first + STRIP_ROWS);
            (0..self.cells).map(move |cell| [columns(cell), rows.clone()])
        })
    }

    /// Adds a pair's cells and the triangles of each: all that touch it at some alpha, in their
    /// order. A vertex stays between its places in the left and in the right image.
    fn distribute(
        &self,
        pair: &PairJob<'_>,
        cells: &mut Vec<[u32; 4]>,
        corners: &mut Vec<Corners>,
    ) {
        let PairMesh {
            points_left,
            points_right,
            triangles,
        } = pair.mesh;
        let triangles: Vec<Corners> = triangles
            .iter()
            .map(|triangle| {
                triangle.map(|point| {
                    let [left_x, left_y] = points_left[point as usize];
                    let [right_x, right_y] = points_right[point as usize];
                    [left_x, left_y, right_x, right_y]
                })
            })
            .collect();
        // Pairs share one list of corners; a cell names its part of it.
        for rectangle in self.rectangles() {
            let first = corners.len();
            corners.extend(
                triangles
                    .iter()
                    .filter(|triangle| touches(triangle, &rectangle)),
            );
            let [left, right, first, count] =
                [pair.left, pair.right, first, corners.len() - first].map(|n| n as u32);
            cells.push([left, right, first, count]);
        }
    }
}

/// Whether a triangle, on its way from left to right, may touch pixels of a rectangle.
fn touches(triangle: &Corners, rectangle: &[Range<usize>; 2]) -> bool {
    // By its bounding box over both ends of the way: too many triangles cost time, one too few a pixel.
    (0..2).all(|axis| {
        let places = || {
            triangle
                .iter()
                .flat_map(|corner| [corner[axis], corner[axis + 2]])
        };
        let [low, high] = [places().min(), places().max()].map(|place| place.unwrap_or(0) as usize);
        low < rectangle[axis].end && high >= rectangle[axis].start
    })
}

/// Of a pixel two weights and four coordinates; of each of its channels the place in two cells,
/// two samples, and the blend of three.
fn flop<S: Sample>(params: &[u32]) -> u64 {
    let channels = u64::from(WarpParams::of(params).channels);
    20 / channels + 4 + 2 * S::FLOP + 3
}

fn twin<S: Sample>(params: &[u32], inputs: &[&[u32]], output: &mut [u32]) {
    let params = WarpParams::of(params);
    let sources: &[S::Piece] = bytemuck::cast_slice(inputs[0]);
    let cells: &[[u32; 4]] = bytemuck::cast_slice(inputs[1]);
    let corners: &[Corners] = bytemuck::cast_slice(inputs[2]);
    let jobs: &[FrameJob] = bytemuck::cast_slice(inputs[3]);
    let frames: &mut [f32] = bytemuck::cast_slice_mut(output);
    let [width, height] = [params.width, params.height].map(|n| n as usize);
    let [channels, strips, cells_a_strip, cell_width] = [
        params.channels,
        params.strips,
        params.cells,
        params.cell_width,
    ]
    .map(|n| n as usize);
    // The same cut as when the command was recorded.
    let cut = CellCut {
        width,
        height,
        strips,
        cells: cells_a_strip,
        cell_width,
    };
    let rectangles: Vec<_> = cut.rectangles().collect();
    let source_pieces = channels * (width - 1) * (height - 1);
    let arch = Arch::new();
    frames
        .par_chunks_exact_mut(params.frame_stride as usize)
        .zip(jobs)
        // Fewer frames a task, and a thread's scratch is made anew too often.
        .with_min_len(4)
        .for_each_init(
            || SourceMap::new(width, height.min(STRIP_ROWS), params.scale),
            |map, (frame, job)| {
                let cells = &cells[job.pair as usize * rectangles.len()..][..rectangles.len()];
                // All cells of a pair name its images.
                let [left, right, ..] = cells[0];
                let source =
                    |number: u32| &sources[number as usize * source_pieces..][..source_pieces];
                let (levels, padding) = frame.split_at_mut(width * height * channels);
                padding.fill(0.0);
                let frame = Frame::<S> {
                    map,
                    cells: cells.chunks_exact(cells_a_strip),
                    rectangles: rectangles.chunks_exact(cells_a_strip),
                    corners,
                    job,
                    sources: [source(left), source(right)],
                    size: [width, height],
                    channels,
                    levels,
                };
                frame.make_on(arch);
            },
        );
}

/// A frame to make.
struct Frame<'a, S: Sample> {
    /// Scratch of the thread, for a strip.
    map: &'a mut SourceMap,
    /// Of the frame's pair, strip by strip.
    cells: ChunksExact<'a, [u32; 4]>,
    rectangles: ChunksExact<'a, [Range<usize>; 2]>,
    /// Of all pairs.
    corners: &'a [Corners],
    job: &'a FrameJob,
    /// Pieces of the left and of the right image, `[channels, H - 1, W - 1]`.
    sources: [&'a [S::Piece]; 2],
    /// Width and height, pixels.
    size: [usize; 2],
    channels: usize,
    /// `[H, W, channels]`
    levels: &'a mut [f32],
}

/// Calls [`Frame::make`] where the compiler may use the machine's instructions.
struct On<'a, M, S: Sample>(M, Frame<'a, S>);

impl<M: Machine, S: Sample> NullaryFnOnce for On<'_, M, S> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self(machine, frame) = self;
        frame.make(machine);
    }
}

impl<S: Sample> Frame<'_, S> {
    fn make_on(self, arch: Arch) {
        match arch {
            #[cfg(target_arch = "x86_64")]
            Arch::V4(machine) => machine.vectorize(On(machine, self)),
            #[cfg(target_arch = "x86_64")]
            Arch::V3(machine) => machine.vectorize(On(machine, self)),
            #[cfg(target_arch = "aarch64")]
            Arch::Neon(machine) => machine.vectorize(On(machine, self)),
            _ => Scalar.vectorize(On(Scalar, self)),
        }
    }

    /// Strip by strip: first where each pixel comes from, which all channels share, then the levels.
    #[inline(always)]
    fn make<M: Machine>(self, machine: M) {
        let [width, height] = self.size;
        let last = [(width - 1) as f32, (height - 1) as f32];
        let alpha = self.job.alpha;
        let plane = self.sources[0].len() / self.channels;
        let strips = self.levels.chunks_mut(STRIP_ROWS * width * self.channels);
        for ((cells, rectangles), levels) in self.cells.zip(self.rectangles).zip(strips) {
            for ([.., first, count], rectangle) in cells.iter().zip(rectangles) {
                let triangles = &self.corners[*first as usize..][..*count as usize];
                self.map
                    .draw(machine, triangles, self.job.mesh_alpha, rectangle);
            }
            for channel in 0..self.channels {
                let [left, right] = self.sources;
                let left = &left[channel * plane..][..plane];
                let right = &right[channel * plane..][..plane];
                let rows = levels.chunks_exact_mut(width * self.channels);
                for (levels, sources) in rows.zip(self.map.rows()) {
                    // The last block of a row is shorter; what its lanes hold past the row goes nowhere.
                    let blocks = levels.chunks_mut(LANES * self.channels);
                    for (levels, sources) in blocks.zip(sources) {
                        let blended = blended::<M, S>(machine, left, right, sources, last, alpha);
                        match self.channels {
                            1 => levels.copy_from_slice(&blended.0[..levels.len()]),
                            channels => {
                                let pixels = levels.chunks_exact_mut(channels);
                                for (pixel, level) in pixels.zip(blended.0) {
                                    pixel[channel] = level;
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The levels of some pixels of a channel, from its pieces in the left and in the right image.
#[inline(always)]
fn blended<M: Machine, S: Sample>(
    machine: M,
    left: &[S::Piece],
    right: &[S::Piece],
    [left_x, left_y, right_x, right_y]: &[Lanes<f32>; 4],
    last: [f32; 2],
    alpha: f32,
) -> Lanes<f32> {
    let (mut left_cells, mut right_cells) = (Cells::default(), Cells::default());
    left_cells.find(left_x, left_y, last);
    right_cells.find(right_x, right_y, last);
    let left = S::levels(machine, left, &left_cells);
    let right = S::levels(machine, right, &right_cells);
    let mut blended = Lanes::default();
    for k in 0..LANES {
        // A spline overshoots; each side is clamped, and the blend then lies within.
        let left = left.0[k].clamp(0.0, 255.0);
        let right = right.0[k].clamp(0.0, 255.0);
        blended.0[k] = blend(left, right, alpha);
    }
    blended
}

/// A pair of images at three blends.
fn case(recording: &mut Recording, sampling: Sampling) -> &'static [bool] {
    let images = case::images(recording);
    let [height, width, _] = case::SHAPE;
    let (right, bottom) = (width as i32 - 1, height as i32 - 1);
    let corners = [[0, 0], [right, 0], [0, bottom], [right, bottom]];
    let mesh = |inner: [[i32; 2]; 2]| corners.into_iter().chain(inner).collect();
    let mesh = PairMesh::new(mesh([[3, 4], [6, 7]]), mesh([[5, 3], [4, 8]]));
    let alphas = [0.25, 0.5, 0.8];
    let geometry = WarpGeometry {
        shape: case::SHAPE,
        scale: crate::mesh::lattice_scale(width, height, &alphas),
        sampling,
    };
    let pair = PairJob {
        left: 0,
        right: 1,
        mesh: &mesh,
    };
    let jobs = alphas.map(|alpha| FrameJob::new(0, alpha));
    case::kept(recording, case::FLOATS, |r| {
        r.warp(images, 2, &geometry, &[pair], &jobs)
    })
}
