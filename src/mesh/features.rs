//! Feature points: the corners of the image and one point a cell of a grid over it.
//!
//! In each cell the strongest Shi-Tomasi corner (Shi and Tomasi, *Good Features to Track*,
//! 1994) as OpenCV's `goodFeaturesToTrack(cell, 1, 0.1, 10)` finds it, else the cell's middle.
//! Gradients and box sums are kept in integers: OpenCV's 32-bit floats round them only where
//! two corners are equal but for the last bit, and exact ties with "the later pixel wins" give
//! OpenCV's choice on all golden images where floats here would miss two of 500.

use super::Point;

/// Why an image has no feature points.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    /// The grid is too fine for the image.
    #[error(
        "a grid of {grid} x {grid} cells does not fit an image of {height_px} x {width_px}: expected cells of at least 2 pixels; \
         use --grid {largest} or less"
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
    #[error("expected a grid of at least 1 x 1 cells, found 0; use --grid 3")]
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
    let (cell_width, cell_height) = cell_size_px(width_px, height_px, grid)?;
    let (right, bottom) = (width_px as i32 - 1, height_px as i32 - 1);
    let mut points = vec![[0, 0], [right, 0], [0, bottom], [right, bottom]];
    let mut scratch = CornerScratch::default();
    for column in 0..grid {
        for row in 0..grid {
            let (left, top) = (column * cell_width, row * cell_height);
            let cell = Cell {
                grey,
                row_px: width_px,
                left,
                top,
                width: cell_width,
                height: cell_height,
            };
            let (x, y) = scratch
                .strongest_corner(&cell)
                .unwrap_or((cell_width / 2, cell_height / 2));
            points.push([(left + x) as i32, (top + y) as i32]);
        }
    }
    Ok(points)
}

/// A rectangle of an image, looked at as if nothing lay outside it.
struct Cell<'a> {
    grey: &'a [u8],
    row_px: usize,
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

/// Buffers that are reused from cell to cell.
#[derive(Default)]
struct CornerScratch {
    /// Grey levels of the cell with a mirrored border of one pixel.
    padded: Vec<i32>,
    /// Products of the gradients `[xx, xy, yy]` with a mirrored border of one pixel.
    products: Vec<[i32; 3]>,
    /// Corner strength of each pixel: the smaller eigenvalue of the summed products, twice.
    strength: Vec<f64>,
}

impl CornerScratch {
    /// `(x, y)` inside the cell of its strongest corner, if it has one.
    fn strongest_corner(&mut self, cell: &Cell<'_>) -> Option<(usize, usize)> {
        let (width, height) = (cell.width, cell.height);
        let padded_row = width + 2;
        // Border reflect-101: the pixel beyond the edge is the one before it.
        let mirror = |i: usize, size: usize| match i {
            0 => 1,
            i if i == size + 1 => size - 2,
            i => i - 1,
        };
        self.padded.clear();
        for y in 0..height + 2 {
            let row = (cell.top + mirror(y, height)) * cell.row_px + cell.left;
            self.padded
                .extend((0..padded_row).map(|x| i32::from(cell.grey[row + mirror(x, width)])));
        }
        self.products.clear();
        self.products.resize(padded_row * (height + 2), [0; 3]);
        for y in 0..height {
            for x in 0..width {
                let at = |dx: usize, dy: usize| self.padded[(y + dy) * padded_row + x + dx];
                let gx = at(2, 0) - at(0, 0) + 2 * (at(2, 1) - at(0, 1)) + at(2, 2) - at(0, 2);
                let gy = at(0, 2) - at(0, 0) + 2 * (at(1, 2) - at(1, 0)) + at(2, 2) - at(2, 0);
                self.products[(y + 1) * padded_row + x + 1] = [gx * gx, gx * gy, gy * gy];
            }
        }
        for y in 0..height + 2 {
            for x in 0..padded_row {
                let inside = (mirror(y, height) + 1) * padded_row + mirror(x, width) + 1;
                self.products[y * padded_row + x] = self.products[inside];
            }
        }
        self.strength.clear();
        let mut strongest = 0.0f64;
        for y in 0..height {
            for x in 0..width {
                let mut sum = [0i32; 3];
                for dy in 0..3 {
                    for dx in 0..3 {
                        let product = self.products[(y + dy) * padded_row + x + dx];
                        for (total, part) in sum.iter_mut().zip(product) {
                            *total += part;
                        }
                    }
                }
                let [xx, xy, yy] = sum.map(f64::from);
                let strength = (xx + yy) - ((xx - yy) * (xx - yy) + 4.0 * xy * xy).sqrt();
                strongest = strongest.max(strength);
                self.strength.push(strength);
            }
        }
        self.best_inner_maximum(width, height, 0.1 * strongest)
    }

    /// The strongest local maximum (3 x 3) above `threshold` off the outermost ring; of equal
    /// ones the later pixel.
    fn best_inner_maximum(
        &self,
        width: usize,
        height: usize,
        threshold: f64,
    ) -> Option<(usize, usize)> {
        let mut best = None;
        let mut best_strength = 0.0;
        for y in 1..height.saturating_sub(1) {
            for x in 1..width.saturating_sub(1) {
                let strength = self.strength[y * width + x];
                if strength > threshold
                    && strength >= best_strength
                    && self.is_local_maximum(x, y, width)
                {
                    best = Some((x, y));
                    best_strength = strength;
                }
            }
        }
        best
    }

    fn is_local_maximum(&self, x: usize, y: usize, width: usize) -> bool {
        let strength = self.strength[y * width + x];
        (y - 1..=y + 1).all(|row| {
            self.strength[row * width + x - 1..=row * width + x + 1]
                .iter()
                .all(|&other| other <= strength)
        })
    }
}
