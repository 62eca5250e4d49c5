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
        let arch = Arch::new();
        for row in 0..grid {
            let top = row * cell_height;
            let band = Band {
                grey,
                row_px: width_px,
                top,
                cells: grid,
                width: cell_width,
                height: cell_height,
            };
            arch.dispatch(Strengths(&mut self.0, &band));
            for column in 0..grid {
                let left = column * cell_width;
                let (x, y) = self
                    .0
                    .strongest_corner(&band, column)
                    .unwrap_or((cell_width / 2, cell_height / 2));
                points[4 + column * grid + row] = [(left + x) as i32, (top + y) as i32];
            }
        }
        Ok(points)
    }
}

/// Cells side by side, each looked at as if nothing lay outside it. Together they make loops that are
/// worth a vector, where a cell is often narrower than one.
struct Band<'a> {
    grey: &'a [u8],
    row_px: usize,
    top: usize,
    cells: usize,
    /// Of a cell.
    width: usize,
    height: usize,
}

impl Band<'_> {
    /// Values a row with a border of one pixel on both sides of each cell.
    fn row(&self) -> usize {
        self.cells * (self.width + 2)
    }
}

/// Buffers that are reused from band to band, [`Band::row`] values a row. Loops go along whole rows of
/// single planes, which the compiler turns into vectors; what they make of borders is overwritten, or
/// nobody reads it.
#[derive(Default)]
struct CornerScratch {
    /// Grey levels of the cells with a mirrored border of one pixel.
    padded: Vec<i32>,
    /// Products of the gradients xx, xy, yy, a plane each, without a border above and below.
    products: [Vec<i32>; 3],
    /// Products summed over three rows, with a mirrored border of one pixel beside each cell.
    columns: [Vec<i32>; 3],
    /// Corner strength, the smaller eigenvalue of the summed products, twice; of a cell's pixels from
    /// the cell's first place on.
    strength: Vec<f64>,
}

/// Border reflect-101: the pixel beyond the edge is the one before it. `i` counts from the
/// border on.
fn mirror(i: usize, size: usize) -> usize {
    match i {
        0 => 1,
        i if i == size + 1 => size - 2,
        i => i - 1,
    }
}

/// A band whose corner strengths are to be computed, with the vector instructions the machine has.
struct Strengths<'a, 'b>(&'a mut CornerScratch, &'a Band<'b>);

impl WithSimd for Strengths<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) {
        let Self(scratch, band) = self;
        scratch.pad(band);
        scratch.multiply_gradients(band);
        scratch.strength.resize(band.row() * band.height, 0.0);
        for y in 0..band.height {
            scratch.row_strength(y, band);
        }
    }
}

impl CornerScratch {
    /// `(x, y)` inside a cell of its strongest corner, if it has one.
    fn strongest_corner(&self, band: &Band<'_>, cell: usize) -> Option<(usize, usize)> {
        let strength = &self.strength[cell * (band.width + 2)..];
        let rows = strength.chunks(band.row()).map(|row| &row[..band.width]);
        let strongest = rows.flatten().fold(0.0f64, |a, &b| a.max(b));
        best_inner_maximum(strength, band, 0.1 * strongest)
    }

    #[inline(always)]
    fn pad(&mut self, band: &Band<'_>) {
        let (width, row) = (band.width, band.row());
        self.padded.resize(row * (band.height + 2), 0);
        for (y, padded) in self.padded.chunks_exact_mut(row).enumerate() {
            let first = (band.top + mirror(y, band.height)) * band.row_px;
            let grey = &band.grey[first..][..band.cells * width];
            let cells = padded.chunks_exact_mut(width + 2);
            for (padded, grey) in cells.zip(grey.chunks_exact(width)) {
                for (to, &level) in padded[1..].iter_mut().zip(grey) {
                    *to = i32::from(level);
                }
                mirror_sides(padded);
            }
        }
    }

    #[inline(always)]
    fn multiply_gradients(&mut self, band: &Band<'_>) {
        let row = band.row();
        for plane in &mut self.products {
            plane.resize(row * band.height, 0);
        }
        let [xx, xy, yy] = &mut self.products;
        for y in 0..band.height {
            let [above, here, below] = [0, 1, 2].map(|dy| &self.padded[(y + dy) * row..][..row]);
            let [xx, xy, yy] =
                [&mut *xx, &mut *xy, &mut *yy].map(|plane| &mut plane[y * row + 1..][..row - 2]);
            for x in 0..row - 2 {
                let gx =
                    above[x + 2] - above[x] + 2 * (here[x + 2] - here[x]) + below[x + 2] - below[x];
                let gy = below[x] - above[x] + 2 * (below[x + 1] - above[x + 1]) + below[x + 2]
                    - above[x + 2];
                xx[x] = gx * gx;
                xy[x] = gx * gy;
                yy[x] = gy * gy;
            }
        }
    }

    /// The strengths of row `y`.
    #[inline(always)]
    fn row_strength(&mut self, y: usize, band: &Band<'_>) {
        let row = band.row();
        let rows = [0, 1, 2].map(|dy| mirror(y + dy, band.height) * row);
        for (columns, products) in self.columns.iter_mut().zip(&self.products) {
            columns.resize(row, 0);
            let columns = &mut columns[..row];
            let [above, here, below] = rows.map(|first| &products[first..][..row]);
            for x in 0..row {
                columns[x] = above[x] + here[x] + below[x];
            }
            columns
                .chunks_exact_mut(band.width + 2)
                .for_each(mirror_sides);
        }
        let [xx, xy, yy] = &self.columns;
        let [xx, xy, yy] = [&xx[..row], &xy[..row], &yy[..row]];
        let strength = &mut self.strength[y * row..][..row - 2];
        for x in 0..row - 2 {
            let xx = f64::from(xx[x] + xx[x + 1] + xx[x + 2]);
            let xy = f64::from(xy[x] + xy[x + 1] + xy[x + 2]);
            let yy = f64::from(yy[x] + yy[x + 1] + yy[x + 2]);
            strength[x] = (xx + yy) - ((xx - yy) * (xx - yy) + 4.0 * xy * xy).sqrt();
        }
    }
}

/// Border reflect-101 of a row of a cell.
#[inline(always)]
fn mirror_sides(padded: &mut [i32]) {
    let last = padded.len() - 1;
    padded[0] = padded[2];
    padded[last] = padded[last - 2];
}

/// The strongest local maximum (3 x 3) above `threshold` off the outermost ring of a cell; of equal
/// ones the later pixel. `strength` begins at the cell's first pixel, rows [`Band::row`] apart.
fn best_inner_maximum(strength: &[f64], band: &Band<'_>, threshold: f64) -> Option<(usize, usize)> {
    let row = band.row();
    let is_local_maximum = |x: usize, y: usize, of: f64| {
        (y - 1..=y + 1).all(|y| {
            let three = &strength[y * row + x - 1..=y * row + x + 1];
            three.iter().all(|&other| other <= of)
        })
    };
    let mut best = None;
    let mut best_strength = 0.0;
    for y in 1..band.height.saturating_sub(1) {
        for x in 1..band.width.saturating_sub(1) {
            let strength = strength[y * row + x];
            if strength > threshold && strength >= best_strength && is_local_maximum(x, y, strength)
            {
                best = Some((x, y));
                best_strength = strength;
            }
        }
    }
    best
}
