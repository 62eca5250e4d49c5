//! Where the pixels of a frame come from, for the warp's twin: triangles are drawn in order, each with
//! the places of its pixels in the left and in the right image, and the places are found in the cells
//! of pixels that are sampled.
//!
//! ```text
//! triangles ─ draw ─> places of some rows ─ find ─> cells of a row
//! ```
//!
//! A triangle is drawn over its bounding box, some pixels at a time. Spans, one for each row of a
//! triangle, visit fewer pixels but are shorter than a vector, and finding their ends took longer than
//! drawing the box.

#![allow(
    clippy::needless_range_loop,
    reason = "a loop over lanes is one vector, which the compiler sees less well in iterators"
)]

use super::machine::{Cells, LANES, Lanes, Machine};
use crate::mesh::lattice_point;
use std::ops::Range;

/// The corners of a triangle: left x, y, right x, y of each, pixels.
pub(super) type Corners = [[i32; 4]; 3];

/// Left x, left y, right x, right y.
const AXES: usize = 4;

/// The sources of some rows of a frame, as its triangles give them.
pub(super) struct SourceMap {
    /// Vectors of [`LANES`] pixels a row.
    blocks: usize,
    scale: i32,
    /// Source coordinates, row by row, pixels.
    sources: Vec<[Lanes<f32>; AXES]>,
}

/// A triangle of the intermediate mesh on the lattice, turned so that its area is positive.
struct Placed {
    a: [i32; 2],
    b: [i32; 2],
    c: [i32; 2],
    /// Sources of c, and the ways from c to a and to b, over the doubled area.
    from_c: [f32; AXES],
    to_a: [f32; AXES],
    to_b: [f32; AXES],
}

impl Placed {
    /// Nothing where the triangle has no area.
    #[inline(always)]
    fn new(corners: &Corners, mesh_alpha: i32, scale: i32) -> Option<Self> {
        let mut lattice = [[0; 2]; 3];
        for (place, &[left_x, left_y, right_x, right_y]) in lattice.iter_mut().zip(corners) {
            *place = lattice_point([left_x, left_y], [right_x, right_y], mesh_alpha, scale);
        }
        let area = double_area(lattice[0], lattice[1], lattice[2]);
        // A folded triangle is turned round.
        let order = match area.signum() {
            1 => [0, 1, 2],
            -1 => [0, 2, 1],
            _ => return None,
        };
        let one_over_area = 1.0 / area.abs() as f32;
        let [a, b, c] = order;
        let mut triangle = Self {
            a: lattice[a],
            b: lattice[b],
            c: lattice[c],
            from_c: [0.0; AXES],
            to_a: [0.0; AXES],
            to_b: [0.0; AXES],
        };
        for k in 0..AXES {
            let from_c = corners[c][k] as f32;
            triangle.from_c[k] = from_c;
            triangle.to_a[k] = (corners[a][k] as f32 - from_c) * one_over_area;
            triangle.to_b[k] = (corners[b][k] as f32 - from_c) * one_over_area;
        }
        Some(triangle)
    }

    /// The pixels of an axis between its outermost corners, `within` others.
    #[inline(always)]
    fn pixels(&self, axis: usize, scale: &Divisor, within: &Range<usize>) -> Range<usize> {
        let [a, b, c] = [self.a[axis], self.b[axis], self.c[axis]];
        // Lattice coordinates are not negative.
        let (low, high) = (a.min(b).min(c) as u32, a.max(b).max(c) as u32);
        let first = scale.quotient(low + scale.divisor - 1);
        let last = scale.quotient(high);
        (first as usize).max(within.start)..(last as usize + 1).min(within.end)
    }
}

/// Divides by a product and a shift: exact where value times divisor is below 2^32, as it is for
/// lattice coordinates and the lattice's scale ([`crate::mesh::lattice_scale`]).
struct Divisor {
    divisor: u32,
    reciprocal: u64,
}

impl Divisor {
    fn new(divisor: u32) -> Self {
        Self {
            divisor,
            reciprocal: (1 << 32) / u64::from(divisor) + 1,
        }
    }

    #[inline(always)]
    fn quotient(&self, value: u32) -> u32 {
        ((u64::from(value) * self.reciprocal) >> 32) as u32
    }
}

impl SourceMap {
    /// For frames of a width, `rows` of them at a time.
    pub(super) fn new(width: usize, rows: usize, scale: i32) -> Self {
        let blocks = width.div_ceil(LANES);
        Self {
            blocks,
            scale,
            sources: vec![[Lanes::default(); AXES]; blocks * rows],
        }
    }

    /// Source coordinates of the pixels of each row, left x, left y, right x and right y.
    #[inline(always)]
    pub(super) fn rows(&self) -> impl Iterator<Item = &[[Lanes<f32>; AXES]]> {
        self.sources.chunks_exact(self.blocks)
    }

    /// Draws triangles in order, inside a rectangle of columns and rows, the first of which is the
    /// map's first. Columns begin at a multiple of [`LANES`] and end at one or at the frame's end.
    #[inline(always)]
    pub(super) fn draw<M: Machine>(
        &mut self,
        machine: M,
        triangles: &[Corners],
        mesh_alpha: i32,
        rectangle: &[Range<usize>; 2],
    ) {
        let scale = Divisor::new(self.scale as u32);
        for corners in triangles {
            let Some(triangle) = Placed::new(corners, mesh_alpha, self.scale) else {
                continue;
            };
            let columns = triangle.pixels(0, &scale, &rectangle[0]);
            let rows = triangle.pixels(1, &scale, &rectangle[1]);
            if columns.is_empty() || rows.is_empty() {
                continue;
            }
            let top = rectangle[1].start;
            let sources = &mut self.sources[(rows.start - top) * self.blocks..];
            let sources = &mut sources[..rows.len() * self.blocks];
            let wide = M::U32_LANES;
            for vector in columns.start / wide..columns.end.div_ceil(wide) {
                let first = vector * wide;
                let start = [first as i32 * self.scale, rows.start as i32 * self.scale];
                let (block, lane) = (first / LANES, first % LANES);
                let column = sources.chunks_exact_mut(self.blocks);
                triangle.draw(
                    machine,
                    start,
                    self.scale,
                    column.map(|row| &mut row[block]),
                    lane,
                );
            }
        }
    }
}

impl Placed {
    /// Draws columns, a vector of them from the lattice point `start` on, row by row, into the lanes
    /// from `lane` on.
    #[inline(always)]
    fn draw<'s, M: Machine>(
        &self,
        machine: M,
        start: [i32; 2],
        scale: i32,
        column: impl Iterator<Item = &'s mut [Lanes<f32>; AXES]>,
        lane: usize,
    ) {
        let mut ab = Edge::new(machine, self.a, self.b, start, scale);
        let mut bc = Edge::new(machine, self.b, self.c, start, scale);
        let mut ca = Edge::new(machine, self.c, self.a, start, scale);
        for sources in column {
            // A triangle has the pixels of its edges, where an area is 0.
            let outside = machine.or_u32s(machine.or_u32s(ab.at, bc.at), ca.at);
            // Sums of products with 0 and 1 are exact. Of a select and a store the compiler would make
            // a store of some lanes, which takes many cycles on some processors.
            let is_new = machine.ones_unless_negative(outside);
            let is_old = machine.sub_f32s(machine.splat_f32s(1.0), is_new);
            let (from_a, from_b) = (machine.floats(bc.at), machine.floats(ca.at));
            for axis in 0..AXES {
                let c = machine.splat_f32s(self.from_c[axis]);
                let to_a = machine.splat_f32s(self.to_a[axis]);
                let to_b = machine.splat_f32s(self.to_b[axis]);
                let source = machine.mul_add_e_f32s(from_a, to_a, c);
                let source = machine.mul_add_e_f32s(from_b, to_b, source);
                let drawn: &mut [M::f32s] =
                    bytemuck::cast_slice_mut(&mut sources[axis].0[lane..][..M::F32_LANES]);
                let old = machine.mul_f32s(drawn[0], is_old);
                drawn[0] = machine.mul_add_e_f32s(source, is_new, old);
            }
            ab.go_down(machine);
            bc.go_down(machine);
            ca.go_down(machine);
        }
    }
}

/// The doubled area of an edge and each pixel of a vector, negative outside. Beyond the image it may
/// wrap, in lanes that nobody reads.
struct Edge<M: Machine> {
    at: M::u32s,
    /// Its growth from row to row.
    down: M::u32s,
}

impl<M: Machine> Edge<M> {
    #[inline(always)]
    fn new(machine: M, tail: [i32; 2], head: [i32; 2], start: [i32; 2], scale: i32) -> Self {
        let first = machine.splat_u32s(double_area(tail, head, start) as u32);
        let along = machine.splat_u32s((tail[1] - head[1]).wrapping_mul(scale) as u32);
        let down = (head[0] - tail[0]).wrapping_mul(scale) as u32;
        let lanes: &[M::u32s] = bytemuck::cast_slice(&NUMBERS.0);
        Self {
            at: machine.add_u32s(first, machine.mul_u32s(along, lanes[0])),
            down: machine.splat_u32s(down),
        }
    }

    #[inline(always)]
    fn go_down(&mut self, machine: M) {
        self.at = machine.add_u32s(self.at, self.down);
    }
}

/// The numbers of lanes.
const NUMBERS: Lanes<u32> = Lanes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

impl Cells {
    /// The cells of sources in an image whose last pixel is `last`; sources are clamped to the image.
    #[inline(always)]
    pub(super) fn find(&mut self, xs: &Lanes<f32>, ys: &Lanes<f32>, last: [f32; 2]) {
        let [last_x, last_y] = last;
        let row_cells = last_x as u32;
        for k in 0..LANES {
            let (x, y) = (xs.0[k].max(0.0).min(last_x), ys.0[k].max(0.0).min(last_y));
            let (column, row) = (x.floor().min(last_x - 1.0), y.floor().min(last_y - 1.0));
            self.at.0[k] = whole(row) * row_cells + whole(column);
            self.u.0[k] = x - column;
            self.v.0[k] = y - row;
        }
    }
}

/// A whole number of 0..2^23 as an integer, by the bits of its sum with 2^23: a cast would look
/// at each value's range by itself.
#[inline(always)]
fn whole(value: f32) -> u32 {
    const SHIFT: f32 = 8_388_608.0;
    (value + SHIFT).to_bits() - SHIFT.to_bits()
}

/// Twice the area of (a, b, p) with sign; at most 2^30 on the lattice.
#[inline(always)]
fn double_area(a: [i32; 2], b: [i32; 2], p: [i32; 2]) -> i32 {
    (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
}
