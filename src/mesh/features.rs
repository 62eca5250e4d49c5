//! Feature points: the corners of the image and one point a cell of a grid over it.
//!
//! In each cell the strongest Shi-Tomasi corner (Shi and Tomasi, *Good Features to Track*,
//! 1994) as OpenCV's `goodFeaturesToTrack(cell, 1, 0.1, 10)` finds it, else the cell's middle.
//! Gradients and box sums are kept in integers: OpenCV's 32-bit floats round them only where
//! two corners are equal but for the last bit, and exact ties with "the later pixel wins" give
//! OpenCV's choice on all golden images where floats here would miss two of 500.

#![allow(
    clippy::needless_range_loop,
    reason = "a loop over x is vectors of pixels, which the compiler sees less well in iterators"
)]

use super::Point;
use crate::remedy::{Remedy, Setting};
use pulp::{Arch, Simd, WithSimd};

/// Why an image has no feature points.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// The grid is too fine for the image.
    #[error(
        "a grid of {grid} x {grid} cells does not fit an image of {height_px} x {width_px}: expected cells of at least 2 pixels"
    )]
    GridTooFine {
        /// Cells a side.
        grid: usize,
        /// Image height, pixels.
        height_px: usize,
        /// Image width, pixels.
        width_px: usize,
        /// The finest grid that fits.
        largest: usize,
    },
    /// No cells at all.
    #[error("expected a grid of at least 1 x 1 cells, found 0")]
    NoCells,
    /// The image is too small for even one cell.
    #[error("expected an image of at least 4 x 4 pixels, found {height_px} x {width_px}")]
    ImageTooSmall {
        /// Image height, pixels.
        height_px: usize,
        /// Image width, pixels.
        width_px: usize,
    },
}

impl FeatureError {
    /// What to do about it, where there is something.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::GridTooFine { largest, .. } => {
                let text = format!("use {{}} {largest} or less");
                Some(Remedy::new(text, &[Setting::Grid]))
            }
            Self::NoCells => Some(Remedy::new("use {} 3", &[Setting::Grid])),
            _ => None,
        }
    }
}

/// Smallest image side that can be morphed, pixels: a cubic spline needs four samples.
const MIN_SIDE_PX: usize = 4;

/// `(width, height)` of a cell, pixels: `floor(side / grid) - 1`, as the paper's tool has it.
/// The cells leave a margin at the right and the bottom.
///
/// # Errors
/// [`FeatureError`] when the cells would be smaller than two pixels.
pub fn cell_size_px(
    width_px: usize,
    height_px: usize,
    grid: usize,
) -> Result<(usize, usize), FeatureError> {
    let shorter = width_px.min(height_px);
    if grid == 0 {
        return Err(FeatureError::NoCells);
    }
    if shorter < MIN_SIDE_PX {
        return Err(FeatureError::ImageTooSmall {
            height_px,
            width_px,
        });
    }
    if shorter / grid < 3 {
        return Err(FeatureError::GridTooFine {
            grid,
            height_px,
            width_px,
            largest: shorter / 3,
        });
    }
    Ok((width_px / grid - 1, height_px / grid - 1))
}

/// The `4 + grid * grid` feature points of an image: its corners (top left, top right, bottom
/// left, bottom right), then a point a cell, columns of cells from left to right and each from
/// top to bottom. `grey` is `[height_px, width_px]`, row-major. No two points are equal.
///
/// # Errors
/// [`FeatureError`] when the grid does not fit the image.
pub fn feature_points(
    grey: &[u8],
    width_px: usize,
    height_px: usize,
    grid: usize,
) -> Result<Vec<Point>, FeatureError> {
    FeatureFinder::default().points(grey, width_px, height_px, grid)
}

/// Finds the [`feature_points`] of many images, in the memory of the first.
#[derive(Default)]
pub struct FeatureFinder(CornerScratch);

impl FeatureFinder {
    /// See [`feature_points`].
    ///
    /// # Errors
    /// [`FeatureError`] when the grid does not fit the image.
    pub fn points(
        &mut self,
        grey: &[u8],
        width_px: usize,
        height_px: usize,
        grid: usize,
    ) -> Result<Vec<Point>, FeatureError> {
        let (cell_width, cell_height) = cell_size_px(width_px, height_px, grid)?;
        let (right, bottom) = (width_px as i32 - 1, height_px as i32 - 1);
        let mut points = Vec::with_capacity(4 + grid * grid);
        points.extend([[0, 0], [right, 0], [0, bottom], [right, bottom]]);
        points.resize(4 + grid * grid, [0, 0]);
        let cells = Cells {
            grey,
            row_px: width_px,
            grid,
            width: cell_width,
            height: cell_height,
        };
        Arch::new().dispatch(Corners(&mut self.0, &cells));
        for (cell, corner) in self.0.corners.iter().enumerate() {
            let [row, column] = [cell / grid, cell % grid];
            let [x, y] = corner.unwrap_or([cell_width / 2, cell_height / 2]);
            points[4 + column * grid + row] =
                [column * cell_width + x, row * cell_height + y].map(|place| place as i32);
        }
        Ok(points)
    }
}

/// The cells of an image, each looked at as if nothing lay outside it.
struct Cells<'a> {
    grey: &'a [u8],
    row_px: usize,
    /// Cells a side.
    grid: usize,
    /// Of a cell, pixels; 2 at least.
    width: usize,
    height: usize,
}

/// Loops go along so many pixels or a multiple of it, so that vectors leave no remainder.
const BLOCK: usize = 16;

/// Buffers that are reused from image to image. Row `y` of a buffer holds row `y` of every cell, side
/// by side, since a cell alone is often narrower than a vector; the cells of a band of the image come
/// before those of the band below. A buffer's row has a place more on both sides, so that every pixel
/// has neighbours: those in another cell are left out, and what stands in places that are no pixel's
/// is never used.
#[derive(Default)]
struct CornerScratch {
    /// All bits set in the first column of each cell, else none.
    first: Vec<i32>,
    /// The same for the last column.
    last: Vec<i32>,
    grey: Vec<i32>,
    /// A row's products of the gradients xx, xy, yy.
    products: [Vec<i32>; 3],
    /// Products summed over three columns.
    sums: [Vec<i32>; 3],
    /// Corner strength, the smaller eigenvalue of the products summed over 3 x 3 pixels, twice.
    strength: Vec<f64>,
    /// A column's largest strength.
    largest: Vec<f64>,
    /// What a corner in this column must exceed; infinite in a cell's first and last column, where none
    /// is looked for.
    threshold: Vec<f64>,
    /// The strength of a column's best corner, and its row; 0 and -1 as long as there is none.
    best: Vec<f64>,
    best_row: Vec<f64>,
    /// A place's largest strength in three rows.
    around: Vec<f64>,
    /// `[x, y]` inside each cell of its strongest corner, if it has one; band by band.
    corners: Vec<Option<[usize; 2]>>,
}

/// Finds the strongest corner of each cell, with the vector instructions the machine has.
struct Corners<'a, 'b>(&'a mut CornerScratch, &'a Cells<'b>);

impl WithSimd for Corners<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) {
        let Self(scratch, cells) = self;
        scratch.lay_out(cells);
        for y in 0..cells.height {
            scratch.multiply_gradients(y, cells);
            scratch.sum_columns(y, cells);
        }
        for y in 0..cells.height {
            scratch.find_strength(y, cells);
        }
        scratch.set_thresholds(cells);
        for y in 1..cells.height - 1 {
            scratch.find_corners(y, cells);
        }
        scratch.choose(cells);
    }
}

impl Cells<'_> {
    /// Columns of all cells, up to whole blocks.
    fn columns(&self) -> usize {
        (self.grid * self.grid * self.width).next_multiple_of(BLOCK)
    }

    /// Places of a buffer's row.
    fn row(&self) -> usize {
        self.columns() + 2
    }

    /// Rows `y - 1`, `y` and `y + 1` of a buffer. Border reflect-101: the row beyond the edge is the
    /// one before it.
    #[inline(always)]
    fn three<'b, T>(&self, buffer: &'b [T], y: usize) -> [&'b [T]; 3] {
        let above = if y == 0 { 1 } else { y - 1 };
        let below = if y + 1 == self.height { y - 1 } else { y + 1 };
        let row = self.row();
        [
            &buffer[above * row..][..row],
            &buffer[y * row..][..row],
            &buffer[below * row..][..row],
        ]
    }

    /// The pixels of row `y` of a buffer.
    #[inline(always)]
    fn own<'b, T>(&self, buffer: &'b mut [T], y: usize) -> &'b mut [T] {
        &mut buffer[y * self.row() + 1..][..self.columns()]
    }
}

/// The neighbours to the left of a row's pixels, the pixels themselves, and those to the right.
#[inline(always)]
fn sides<T>(row: &[T]) -> (&[T], &[T], &[T]) {
    let pixels = row.len() - 2;
    (&row[..pixels], &row[1..][..pixels], &row[2..])
}

/// `there` where `bits` are set, else `here`.
#[inline(always)]
fn chosen(bits: i32, there: i32, here: i32) -> i32 {
    (there & bits) | (here & !bits)
}

impl CornerScratch {
    /// Makes room, and puts the cells side by side.
    #[inline(always)]
    fn lay_out(&mut self, cells: &Cells<'_>) {
        let (columns, width) = (cells.columns(), cells.width);
        for row in &mut self.products {
            row.resize(cells.row(), 0);
        }
        for plane in self.sums.iter_mut().chain([&mut self.grey]) {
            plane.resize(cells.row() * cells.height, 0);
        }
        self.around.resize(cells.row(), 0.0);
        self.strength.resize(cells.row() * cells.height, 0.0);
        for (column, x) in [(&mut self.first, 0), (&mut self.last, width - 1)] {
            column.clear();
            column.resize(columns, 0);
            column[x..]
                .iter_mut()
                .step_by(width)
                .for_each(|is_it| *is_it = !0);
        }
        for (values, nothing) in [
            (&mut self.largest, 0.0),
            (&mut self.threshold, f64::INFINITY),
            (&mut self.best, 0.0),
            (&mut self.best_row, -1.0),
        ] {
            values.clear();
            values.resize(columns, nothing);
        }
        let band = cells.grid * width;
        for y in 0..cells.height {
            let row = cells.own(&mut self.grey, y);
            for (n, row) in row.chunks_exact_mut(band).take(cells.grid).enumerate() {
                let from = &cells.grey[(n * cells.height + y) * cells.row_px..][..band];
                for x in 0..band {
                    row[x] = i32::from(from[x]);
                }
            }
        }
    }

    /// The products of row `y`.
    #[inline(always)]
    fn multiply_gradients(&mut self, y: usize, cells: &Cells<'_>) {
        let columns = cells.columns();
        let (first, last) = (&self.first[..columns], &self.last[..columns]);
        let [above, here, below] = cells.three(&self.grey, y);
        let (left_above, mid_above, right_above) = sides(above);
        let (left, _, right) = sides(here);
        let (left_below, mid_below, right_below) = sides(below);
        let [xx, xy, yy] = &mut self.products;
        let xx = cells.own(xx, 0);
        let xy = cells.own(xy, 0);
        let yy = cells.own(yy, 0);
        for x in 0..columns {
            // Beyond a cell's edge lies the mirrored pixel, so both neighbours are the same there.
            let down_left = left_below[x] - left_above[x];
            let down_right = right_below[x] - right_above[x];
            let across = right_above[x] - left_above[x] + 2 * (right[x] - left[x]) + right_below[x]
                - left_below[x];
            let gx = across & !(first[x] | last[x]);
            let gy = chosen(first[x], down_right, down_left)
                + 2 * (mid_below[x] - mid_above[x])
                + chosen(last[x], down_left, down_right);
            xx[x] = gx * gx;
            xy[x] = gx * gy;
            yy[x] = gy * gy;
        }
    }

    /// The products of row `y`, summed over three columns.
    #[inline(always)]
    fn sum_columns(&mut self, y: usize, cells: &Cells<'_>) {
        let columns = cells.columns();
        let (first, last) = (&self.first[..columns], &self.last[..columns]);
        for (products, sums) in self.products.iter().zip(&mut self.sums) {
            let (left, mid, right) = sides(&products[..cells.row()]);
            let sums = cells.own(sums, y);
            for x in 0..columns {
                sums[x] = chosen(first[x], right[x], left[x])
                    + mid[x]
                    + chosen(last[x], left[x], right[x]);
            }
        }
    }

    /// The strengths of row `y`.
    #[inline(always)]
    fn find_strength(&mut self, y: usize, cells: &Cells<'_>) {
        let columns = cells.columns();
        let [xx, xy, yy] = &self.sums;
        let [xx_above, xx_here, xx_below] = cells.three(xx, y);
        let [xy_above, xy_here, xy_below] = cells.three(xy, y);
        let [yy_above, yy_here, yy_below] = cells.three(yy, y);
        let strength = cells.own(&mut self.strength, y);
        let largest = &mut self.largest[..columns];
        for x in 0..columns {
            let xx = f64::from(xx_above[x + 1] + xx_here[x + 1] + xx_below[x + 1]);
            let xy = f64::from(xy_above[x + 1] + xy_here[x + 1] + xy_below[x + 1]);
            let yy = f64::from(yy_above[x + 1] + yy_here[x + 1] + yy_below[x + 1]);
            let value = (xx + yy) - ((xx - yy) * (xx - yy) + 4.0 * xy * xy).sqrt();
            strength[x] = value;
            largest[x] = if value > largest[x] {
                value
            } else {
                largest[x]
            };
        }
    }

    /// A corner is stronger than a tenth of its cell's strongest pixel.
    #[inline(always)]
    fn set_thresholds(&mut self, cells: &Cells<'_>) {
        let columns = self.threshold.chunks_exact_mut(cells.width);
        let strongest = self.largest.chunks_exact(cells.width);
        for (threshold, largest) in columns.zip(strongest).take(cells.grid * cells.grid) {
            let strongest = largest.iter().fold(0.0f64, |a, &b| a.max(b));
            threshold[1..cells.width - 1].fill(0.1 * strongest);
        }
    }

    /// Goes through row `y` for local maxima of 3 x 3 pixels; of equal ones in a column the later.
    #[inline(always)]
    fn find_corners(&mut self, y: usize, cells: &Cells<'_>) {
        let [above, here, below] = cells.three(&self.strength, y);
        let around = &mut self.around[..cells.row()];
        for x in 0..cells.row() {
            let most = if below[x] > above[x] {
                below[x]
            } else {
                above[x]
            };
            around[x] = if here[x] > most { here[x] } else { most };
        }
        let columns = cells.columns();
        let (left, mid, right) = sides(around);
        let (_, strength, _) = sides(here);
        let threshold = &self.threshold[..columns];
        let best = &mut self.best[..columns];
        let best_row = &mut self.best_row[..columns];
        for x in 0..columns {
            let value = strength[x];
            let is_largest = (value >= left[x]) & (value >= mid[x]) & (value >= right[x]);
            let is_best = is_largest & (value > threshold[x]) & (value >= best[x]);
            best[x] = if is_best { value } else { best[x] };
            best_row[x] = if is_best { y as f64 } else { best_row[x] };
        }
    }

    /// The strongest corner of each cell's columns; of equal ones the later pixel, row by row.
    #[inline(always)]
    fn choose(&mut self, cells: &Cells<'_>) {
        let columns = self.best.chunks_exact(cells.width);
        let columns = columns.zip(self.best_row.chunks_exact(cells.width));
        self.corners.clear();
        for (best, rows) in columns.take(cells.grid * cells.grid) {
            let mut chosen = None;
            let mut most = (0.0, 0.0);
            for x in 0..cells.width {
                if rows[x] >= 0.0 && (best[x], rows[x]) >= most {
                    most = (best[x], rows[x]);
                    chosen = Some([x, rows[x] as usize]);
                }
            }
            self.corners.push(chosen);
        }
    }
}
