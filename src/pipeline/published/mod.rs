//! Frames as the paper's tool makes them (autoimagemorph, the morph tool of Powers, Shi and
//! Liebovitch), to the pixel and with its faults.
//!
//! ```text
//! triangle of both sides ─ alpha ─> target triangle ─ two matrices ─> where a pixel comes from
//! target triangles ─ crossing test ─> the last triangle over each pixel, or none
//! each side: spline ─ truncated, modulo 256 ─> 8 bits ─ blended, truncated ─> 8-bit frame
//! ```
//!
//! - A pixel that no triangle covers keeps each side's own pixel. The crossing test takes a
//!   triangle's lower edge in and leaves its upper one out, so the image's first row is never
//!   covered. Triangles that are folded over lose their left and right edges, too.
//! - A spline overshoots the levels it passes through. What is above 255 or below 0 is stored
//!   modulo 256: near-white beside near-black.
//! - A triangle without area in the right mesh, or in the target mesh where rounding does not
//!   hide it, has a singular matrix, at which the tool stops. The frame has failed; it is an
//!   image of NaN.
//!
//! **Why on the host, in 64-bit floats, and not as a kernel.** The tool truncates. Wherever a
//! pixel stays where it is, on feature points, in triangles that do not move and along the
//! image's edges, its spline passes through a whole level, and the last bit of a 64-bit float
//! decides whether 187 is stored as 187 or as 186: 928 times in the 28,224 samples of the golden
//! frames. Device floats have 32 bits. With an epsilon before the truncation, 0.8 % of the golden pixels
//! differ; with the tool's own formulas, in its order, 0.06 %. And frames from one place are the
//! same on every engine, so that engines differ by the classifier's rounding alone.
//!
//! Rejected: a WGSL kernel with owner maps from the host, for the above.

mod spline;

use crate::data::Image;
use crate::mesh::PairMesh;
use rayon::prelude::*;
use spline::Spline;

/// The tool's frames at `alphas`, strictly between 0 and 1; where it stops with a singular
/// matrix, a failed frame. Both images have whole levels (others are rounded) and sides of at
/// least 4 pixels.
pub(super) fn tool_frames(
    [left, right]: [&Image; 2],
    mesh: &PairMesh,
    alphas: &[f64],
) -> Vec<Image> {
    let [from, to] = [left, right].map(ToolImage::new);
    alphas
        .par_iter()
        .map(|&alpha| match tool_frame(&from, &to, mesh, alpha) {
            Some(levels) => Image { levels, ..*left },
            None => left.failed(),
        })
        .collect()
}

/// An image in 8-bit levels and its splines, one a channel.
struct ToolImage {
    shape: [usize; 3],
    levels: Vec<f64>,
    splines: Vec<Spline>,
}

impl ToolImage {
    fn new(image: &Image) -> Self {
        let [height, width, channels] = image.shape();
        let levels: Vec<f64> = image
            .levels
            .iter()
            .map(|level| f64::from(level.round().clamp(0.0, 255.0)))
            .collect();
        let splines = (0..channels)
            .map(|channel| {
                let plane: Vec<f64> = levels
                    .iter()
                    .skip(channel)
                    .step_by(channels)
                    .copied()
                    .collect();
                Spline::new(&plane, [height, width])
            })
            .collect();
        Self {
            shape: image.shape(),
            levels,
            splines,
        }
    }
}

/// The levels `[H, W, C]` of the frame at `alpha`, strictly between 0 and 1; nothing where the
/// tool stops with a singular matrix.
fn tool_frame(
    left: &ToolImage,
    right: &ToolImage,
    mesh: &PairMesh,
    alpha: f64,
) -> Option<Vec<f32>> {
    let [height, width, channels] = left.shape;
    let mut owners = vec![None; height * width];
    let mut maps = Vec::with_capacity(mesh.triangles.len());
    for (number, triangle) in mesh.triangles.iter().enumerate() {
        let [from_left, from_right] = [&mesh.points_left, &mesh.points_right]
            .map(|points| triangle.map(|point| points[point as usize].map(f64::from)));
        let target = [0, 1, 2].map(|k| {
            [0, 1]
                .map(|axis| from_left[k][axis] + (from_right[k][axis] - from_left[k][axis]) * alpha)
        });
        maps.push([
            source_map(from_left, target)?,
            source_map(from_right, target)?,
        ]);
        cover(target, [height, width], |pixel| {
            owners[pixel] = Some(number)
        });
    }
    let mut frame = Vec::with_capacity(left.levels.len());
    for (pixel, owner) in owners.into_iter().enumerate() {
        let at = [(pixel % width) as f64, (pixel / width) as f64];
        let sources = owner.map(|number: usize| maps[number].each_ref().map(|map| map.apply(at)));
        for channel in 0..channels {
            let stored = |image: &ToolImage, side: usize| match sources {
                Some(sources) => {
                    let [x, y] = sources[side];
                    stored_level(image.splines[channel].sample(x, y))
                }
                None => image.levels[pixel * channels + channel],
            };
            let level = (1.0 - alpha) * stored(left, 0) + alpha * stored(right, 1);
            frame.push(level.trunc() as f32);
        }
    }
    Some(frame)
}

/// A level as an 8-bit array keeps it: towards zero, modulo 256.
fn stored_level(level: f64) -> f64 {
    f64::from(level as i64 as u8)
}

/// Calls `owns` with each pixel, row-major, that the tool finds inside a triangle: those in its
/// box, whose ends are truncated, from which a ray to the right crosses the outline an odd
/// number of times (Haines, *Point in Polygon Strategies*, 1994; which edges count is the
/// tool's).
fn cover(triangle: [[f64; 2]; 3], [height, width]: [usize; 2], mut owns: impl FnMut(usize)) {
    let range = |axis: usize, size: usize| {
        let values = triangle.map(|corner| corner[axis]);
        let low = values.into_iter().fold(f64::INFINITY, f64::min);
        let high = values.into_iter().fold(f64::NEG_INFINITY, f64::max);
        low as usize..=(high as usize).min(size - 1)
    };
    for y in range(1, height) {
        for x in range(0, width) {
            let (at_x, at_y) = (x as f64, y as f64);
            let mut inside = false;
            for k in 0..3 {
                let ([x0, y0], [x1, y1]) = (triangle[k], triangle[(k + 1) % 3]);
                let ends_below = y1 >= at_y;
                if (y0 >= at_y) != ends_below {
                    let crosses = (y1 - at_y) * (x0 - x1) >= (x1 - at_x) * (y0 - y1);
                    inside ^= crosses == ends_below;
                }
            }
            if inside {
                owns(y * width + x);
            }
        }
    }
}

/// An affine map of the plane.
struct Affine([[f64; 3]; 2]);

impl Affine {
    fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        self.0.map(|[a, b, c]| a * x + b * y + c)
    }
}

/// Where the pixels of a target triangle come from: the inverse of the map of its corners, which
/// is solved for from the source, as the tool does. Nothing where either matrix is singular.
fn source_map(source: [[f64; 2]; 3], target: [[f64; 2]; 3]) -> Option<Affine> {
    let [a, b, c] = source;
    // Whole numbers: exact. Elimination may miss a zero for a third that is rounded.
    if (b[0] - a[0]) * (c[1] - a[1]) == (b[1] - a[1]) * (c[0] - a[0]) {
        return None;
    }
    let corners = source.map(|[x, y]| [x, y, 1.0]);
    let [xs, ys] = [0, 1].map(|axis| target.map(|corner| corner[axis]));
    let [target_x, target_y] = solve(corners, [xs, ys])?;
    let unit = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    let [p, q, r] = solve([target_x, target_y, [0.0, 0.0, 1.0]], unit)?;
    Some(Affine([[p[0], q[0], r[0]], [p[1], q[1], r[1]]]))
}

/// Solves `matrix * x = right` for several right-hand sides by elimination with row pivots;
/// nothing where a pivot is exactly 0.
fn solve<const N: usize>(
    mut matrix: [[f64; 3]; 3],
    mut right: [[f64; 3]; N],
) -> Option<[[f64; 3]; N]> {
    for k in 0..3 {
        // Of equal ones the first.
        let pivot = (k..3)
            .rev()
            .max_by(|&i, &j| matrix[i][k].abs().total_cmp(&matrix[j][k].abs()))?;
        if matrix[pivot][k] == 0.0 {
            return None;
        }
        matrix.swap(k, pivot);
        for side in &mut right {
            side.swap(k, pivot);
        }
        for i in k + 1..3 {
            let factor = matrix[i][k] / matrix[k][k];
            matrix[i][k] = factor;
            let pivot_row = matrix[k];
            for (entry, above) in matrix[i].iter_mut().zip(pivot_row).skip(k + 1) {
                *entry -= factor * above;
            }
            for side in &mut right {
                side[i] -= factor * side[k];
            }
        }
    }
    for side in &mut right {
        for i in (0..3).rev() {
            for k in (i + 1..3).rev() {
                side[i] -= matrix[i][k] * side[k];
            }
            side[i] /= matrix[i][i];
        }
    }
    Some(right)
}
