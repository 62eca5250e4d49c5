//! Where the pixels of a frame come from, for the warp's twin: triangles are cut into spans, a
//! row of pixels each, and the spans of a row give the places of its pixels in the left and in
//! the right image.
//!
//! ```text
//! triangles ─ draw ─> spans of each row ─ locate ─> cells of a row
//! ```
//!
//! Most spans are shorter than a vector, so they are not written one by one: a span's sources
//! are computed for a whole block of pixels and taken where it covers them. An owner for every
//! pixel and runs of one owner cost twice the time, in branches nobody can predict.

#![allow(
    clippy::needless_range_loop,
    reason = "a loop over lanes is one vector, which the compiler sees less well in iterators"
)]

use crate::mesh::lattice_point;
use pulp::Simd;
use std::ops::Range;

/// Pixels computed side by side: the widest vector there is. Rows are padded to a multiple.
pub(super) const LANES: usize = 16;

/// The corners of a triangle: left x, y, right x, y of each, pixels.
pub(super) type Corners = [[i32; 4]; 3];

/// Left x, left y, right x, right y.
const AXES: usize = 4;

/// The triangles of a frame, cut into rows of pixels.
pub(super) struct SourceMap {
    width: usize,
    height: usize,
    scale: i32,
    /// Of each row of pixels the spans that triangles cover, in the order of the triangles.
    spans: Vec<Vec<Span>>,
    /// Source coordinates of a row, pixels.
    sources: Vec<[Lanes<f32>; AXES]>,
}

/// A triangle of the intermediate mesh on the lattice, turned so that its area is positive.
struct Placed {
    a: [i32; 2],
    b: [i32; 2],
    c: [i32; 2],
    one_over_area: f32,
    /// Sources of c, and the ways from c to a and to b.
    from_c: [f32; AXES],
    to_a: [f32; AXES],
    to_b: [f32; AXES],
    /// Change of the sources from one pixel to the next along x.
    step: [f32; AXES],
}

impl Placed {
    /// Nothing where the triangle has no area.
    #[inline(always)]
    fn new(corners: &Corners, mesh_alpha: i32, scale: i32) -> Option<Self> {
        let lattice = corners.map(|[left_x, left_y, right_x, right_y]| {
            lattice_point([left_x, left_y], [right_x, right_y], mesh_alpha, scale)
        });
        let area = double_area(lattice[0], lattice[1], lattice[2]);
        // A folded triangle is turned round.
        let order = match area.signum() {
            1 => [0, 1, 2],
            -1 => [0, 2, 1],
            _ => return None,
        };
        let [a, b, c] = order.map(|k| lattice[k]);
        let [from_a, from_b, from_c] = order.map(|k| corners[k].map(|place| place as f32));
        let to_a: [f32; AXES] = std::array::from_fn(|k| from_a[k] - from_c[k]);
        let to_b: [f32; AXES] = std::array::from_fn(|k| from_b[k] - from_c[k]);
        let one_over_area = 1.0 / area.abs() as f32;
        let a_step = (step_x(b, c) * scale) as f32 * one_over_area;
        let b_step = (step_x(c, a) * scale) as f32 * one_over_area;
        Some(Self {
            a,
            b,
            c,
            one_over_area,
            from_c,
            to_a,
            to_b,
            step: std::array::from_fn(|k| a_step * to_a[k] + b_step * to_b[k]),
        })
    }

    /// The pixels of an axis between its outermost corners, `within` others.
    #[inline(always)]
    fn pixels(&self, axis: usize, scale: i32, within: &Range<usize>) -> [i32; 2] {
        let [a, b, c] = [self.a[axis], self.b[axis], self.c[axis]];
        let (low, high) = (a.min(b).min(c), a.max(b).max(c));
        // Lattice coordinates are not negative.
        [
            ((low + scale - 1) / scale).max(within.start as i32),
            (high / scale).min(within.end as i32 - 1),
        ]
    }

    /// Source coordinates of a point of the lattice.
    #[inline(always)]
    fn source(&self, at: [i32; 2]) -> [f32; AXES] {
        let weight_a = double_area(self.b, self.c, at) as f32 * self.one_over_area;
        let weight_b = double_area(self.c, self.a, at) as f32 * self.one_over_area;
        std::array::from_fn(|k| self.from_c[k] + weight_a * self.to_a[k] + weight_b * self.to_b[k])
    }
}

impl SourceMap {
    pub(super) fn new(width: usize, height: usize, scale: i32) -> Self {
        Self {
            width,
            height,
            scale,
            spans: (0..height).map(|_| Vec::new()).collect(),
            sources: vec![[Lanes::default(); AXES]; width.div_ceil(LANES)],
        }
    }

    /// Forgets all triangles.
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        for spans in &mut self.spans {
            spans.clear();
        }
    }

    /// Draws triangles in order, inside a rectangle of columns and rows.
    #[inline(always)]
    pub(super) fn draw(
        &mut self,
        triangles: &[Corners],
        mesh_alpha: i32,
        rectangle: &[Range<usize>; 2],
    ) {
        for corners in triangles {
            if let Some(triangle) = Placed::new(corners, mesh_alpha, self.scale) {
                self.cut(&triangle, rectangle);
            }
        }
    }

    /// Cuts a triangle, its edges included, into spans.
    #[inline(always)]
    fn cut(&mut self, triangle: &Placed, rectangle: &[Range<usize>; 2]) {
        let scale = self.scale;
        let [low_x, high_x] = triangle.pixels(0, scale, &rectangle[0]);
        let [low_y, high_y] = triangle.pixels(1, scale, &rectangle[1]);
        let start = [low_x * scale, low_y * scale];
        let edges = [
            Edge::new(triangle.a, triangle.b, start, scale),
            Edge::new(triangle.b, triangle.c, start, scale),
            Edge::new(triangle.c, triangle.a, start, scale),
        ];
        for top in (low_y..=high_y).step_by(LANES) {
            let (mut first, mut last) = ([0; LANES], [high_x - low_x; LANES]);
            for edge in &edges {
                edge.clip(top - low_y, &mut first, &mut last);
            }
            let rows = (high_y - top + 1).min(LANES as i32);
            for k in 0..rows as usize {
                let (first, last, y) = (low_x + first[k], low_x + last[k], top + k as i32);
                if first <= last {
                    self.spans[y as usize].push(Span {
                        first: first as f32,
                        last: last as f32,
                        source: triangle.source([first * scale, y * scale]),
                        step: triangle.step,
                    });
                }
            }
        }
    }

    /// The cells of the sources of row `y` in the left and in the right image, clamped to it.
    #[inline(always)]
    pub(super) fn locate<S: Simd>(
        &mut self,
        simd: S,
        y: usize,
        row_values: usize,
        cells: &mut [Vec<Cells>; 2],
    ) {
        let mut places = Lanes::default();
        for (k, place) in places.0.iter_mut().enumerate() {
            *place = k as f32;
        }
        let zero = simd.splat_f32s(0.0);
        let spans = &self.spans[y];
        for (block, sources) in self.sources.iter_mut().enumerate() {
            for (n, &place) in places.vectors::<S>().iter().enumerate() {
                let left = (block * LANES + n * S::F32_LANES) as f32;
                let right = left + (S::F32_LANES - 1) as f32;
                // Sources stay in registers while spans pass: stores of some lanes alone are
                // slow on some processors, and the compiler makes them of selects in memory.
                let mut found = [zero; AXES];
                for span in spans {
                    if span.last < left || right < span.first {
                        continue;
                    }
                    let from_first = simd.splat_f32s((block * LANES) as f32 - span.first);
                    let place = simd.add_f32s(place, from_first);
                    let length = simd.splat_f32s(span.last - span.first);
                    let inside = simd.and_m32s(
                        simd.less_than_or_equal_f32s(zero, place),
                        simd.less_than_or_equal_f32s(place, length),
                    );
                    for axis in 0..AXES {
                        let start = simd.splat_f32s(span.source[axis]);
                        let step = simd.splat_f32s(span.step[axis]);
                        let source = simd.mul_add_e_f32s(place, step, start);
                        found[axis] = simd.select_f32s(inside, source, found[axis]);
                    }
                }
                for axis in 0..AXES {
                    let sources: &mut [S::f32s] = bytemuck::cast_slice_mut(&mut sources[axis].0);
                    sources[n] = found[axis];
                }
            }
        }
        let last = [self.width, self.height].map(|size| size as i32 - 1);
        let [left_cells, right_cells] = cells;
        let cells = left_cells.iter_mut().zip(right_cells);
        for ([left_x, left_y, right_x, right_y], (left, right)) in self.sources.iter().zip(cells) {
            left.find(left_x, left_y, last, row_values);
            right.find(right_x, right_y, last, row_values);
        }
    }
}

/// Pixels of a row inside a triangle.
struct Span {
    first: f32,
    last: f32,
    /// Sources of the first, and their change from one pixel to the next.
    source: [f32; AXES],
    step: [f32; AXES],
}

/// A value for each of some pixels, in a line of the cache of its own: vectors that lie across
/// two lines are read back slowly while they are being written.
#[repr(align(64))]
#[derive(Clone, Copy, Default)]
pub(super) struct Lanes<T>(pub(super) [T; LANES]);

impl Lanes<f32> {
    #[inline(always)]
    pub(super) fn vectors<V: Simd>(&self) -> &[V::f32s] {
        bytemuck::cast_slice(&self.0)
    }
}

/// For [`LANES`] pixels of a row the cells of four source pixels that hold their sources, and
/// the places in them.
#[derive(Clone, Default)]
pub(super) struct Cells {
    /// Where the cell's first value is in the image.
    pub(super) at: Lanes<u32>,
    /// Place along x, 0..1.
    pub(super) u: Lanes<f32>,
    /// Place along y, 0..1.
    pub(super) v: Lanes<f32>,
}

impl Cells {
    #[inline(always)]
    fn find(&mut self, xs: &Lanes<f32>, ys: &Lanes<f32>, last: [i32; 2], row_values: usize) {
        let [last_x, last_y] = last.map(|last| last as f32);
        let row_values = row_values as u32;
        for k in 0..LANES {
            let (x, y) = (xs.0[k].max(0.0).min(last_x), ys.0[k].max(0.0).min(last_y));
            let (column, row) = (x.floor().min(last_x - 1.0), y.floor().min(last_y - 1.0));
            self.at.0[k] = whole(row) * row_values + whole(column);
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

/// How [`double_area`] of (a, b, p) grows as p goes one lattice point along x.
#[inline(always)]
fn step_x(a: [i32; 2], b: [i32; 2]) -> i32 {
    a[1] - b[1]
}

/// The doubled area of an edge and a pixel, linear in the pixel's place.
struct Edge {
    at_start: i32,
    /// From one pixel to the next along x and along y.
    step: [i32; 2],
    /// 1 / |step along x|.
    one_over_step: f64,
}

impl Edge {
    #[inline(always)]
    fn new(tail: [i32; 2], head: [i32; 2], start: [i32; 2], scale: i32) -> Self {
        let step = [step_x(tail, head), head[0] - tail[0]].map(|step| step * scale);
        Self {
            at_start: double_area(tail, head, start),
            step,
            one_over_step: 1.0 / f64::from(step[0].abs()),
        }
    }

    /// Narrows `first..=last` of some rows, from `row` on, to the pixels where the doubled area
    /// is not negative.
    #[inline(always)]
    fn clip(&self, row: i32, first: &mut [i32; LANES], last: &mut [i32; LANES]) {
        let mut at = [0; LANES];
        for k in 0..LANES {
            at[k] = self
                .at_start
                .wrapping_add((row + k as i32).wrapping_mul(self.step[1]));
        }
        match self.step[0].signum() {
            1 => {
                for k in 0..LANES {
                    first[k] = first[k].max(self.quotient(at[k]).wrapping_neg());
                }
            }
            -1 => {
                for k in 0..LANES {
                    last[k] = last[k].min(self.quotient(at[k]));
                }
            }
            // Along x it is the triangle's top or bottom, and its rows keep to that.
            _ => {}
        }
    }

    /// `at / |step along x|`, rounded down.
    #[inline(always)]
    fn quotient(&self, at: i32) -> i32 {
        // Half more than `at` is nearer to no whole quotient than 64-bit floats tell apart.
        // Beside 1.5 * 2^52 they have no fraction.
        const SHIFT: f64 = 6_755_399_441_055_744.0;
        let quotient = (f64::from(at) + 0.5) * self.one_over_step;
        (quotient - 0.5 + SHIFT).to_bits() as i32
    }
}
