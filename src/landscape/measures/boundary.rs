//! How long the lines between the predicted classes are.
//!
//! Contours of logits, not of `p = 1/2`: probabilities bend between two grid points, which
//! moves a line that is placed by linear interpolation (by 0.36 % of a
//! circle's length for a logistic step).

use super::blocks::{Blocks, Tops};
use super::grid::check_shape;

/// Length of the decision boundaries: marching squares at level 0 of
/// `g_k = f_k - max_{j != k} f_j` on the logits `f`, summed over the classes `k` and halved,
/// since each line is drawn by the class on either side. In the unit of `spacing`, the distance
/// between neighbouring points: `1 / (steps - 1)` for a path of length 1. Source: the
/// two-dimensional case of Lorensen and Cline 1987.
///
/// `logits` are `[rows, columns, num_classes]`, finite, or NaN where there is no point: of a cell that
/// lacks one corner the triangle of the other three counts. A point belongs to class `k` where
/// `g_k > 0`; a tied point belongs to none, and the lines run through it.
///
/// **Saddle cells**, with two opposite corners of class `k`: the corners are joined where the
/// mean of `g_k` over the four is above 0, else apart (so at a mean of exactly 0 too). The rule
/// of a fixed answer was rejected: of two classes it would join both or neither.
///
/// With fewer than two rows, columns or classes there is no line, and the length is 0.
///
/// # Panics
/// When `logits` do not fill the shape.
pub fn boundary_length(logits: &[f32], shape: [usize; 2], num_classes: usize, spacing: f64) -> f64 {
    check_shape(logits.len(), shape, num_classes);
    if num_classes < 2 {
        return 0.0;
    }
    let logits = Blocks::new(logits, num_classes);
    boundary_length_of(&logits, &logits.tops(), shape, spacing)
}

/// The same of logits in blocks, with the two largest of each point.
pub(super) fn boundary_length_of(
    logits: &Blocks,
    tops: &Tops,
    shape: [usize; 2],
    spacing: f64,
) -> f64 {
    let [rows, columns] = shape;
    if rows < 2 || columns < 2 || logits.num_classes() < 2 {
        return 0.0;
    }
    let mut length = 0.0;
    for i in 0..rows - 1 {
        for k in i * columns..(i + 1) * columns - 1 {
            // In ring order, so that corners 0, 2 and 1, 3 are opposite.
            let ring = [k, k + 1, k + columns + 1, k + columns];
            // One class wins all corners: no line; nothing that is missing wins.
            let wins =
                |corner: usize| tops.labels[corner] == tops.labels[k] && tops.margin(corner) > 0.0;
            if ring.into_iter().all(wins) {
                continue;
            }
            let is_there = ring.map(|corner| !logits.value(corner, 0).is_nan());
            let missing = is_there.iter().filter(|&&is_there| !is_there).count();
            if missing > 1 {
                continue;
            }
            let labels = ring.map(|corner| tops.labels[corner]);
            for (position, class) in labels.into_iter().enumerate() {
                // Only classes that win a corner cross the cell; each once.
                let own = (0..position).filter(|&n| is_there[n]);
                if !is_there[position] || own.map(|n| labels[n]).any(|label| label == class) {
                    continue;
                }
                let g = ring.map(|corner| {
                    let logit = || f64::from(logits.value(corner, class as usize));
                    match class == tops.labels[corner] {
                        true => tops.margin(corner),
                        false => logit() - f64::from(tops.first[corner]),
                    }
                });
                length += match is_there.iter().position(|is_there| !is_there) {
                    None => cell_length(g),
                    Some(gap) => half_cell_length([1, 2, 3].map(|n| g[(gap + n) % 4])),
                };
            }
        }
    }
    length / 2.0 * spacing
}

/// Length of the line `g = 0` in a cell of side 1, from `g` at its corners in ring order.
fn cell_length(g: [f64; 4]) -> f64 {
    let inside = g.map(|value| value > 0.0);
    // Where g = 0 lies on the edge from corner `a` to corner `b`, as a distance from `a`; they
    // lie on different sides, so the difference is not 0.
    let crossing = |a: usize, b: usize| g[a % 4] / (g[a % 4] - g[b % 4]);
    let cut_off = |a: usize| crossing(a, a + 1).hypot(crossing(a, a + 3));
    let alone = |side: bool| (0..4).find(|&a| inside[a] == side).map_or(0.0, cut_off);
    match inside.iter().filter(|&&is_in| is_in).count() {
        1 => alone(true),
        3 => alone(false),
        2 if inside[0] == inside[2] => {
            let joined = g.iter().sum::<f64>() > 0.0;
            (0..4).filter(|&a| inside[a] != joined).map(cut_off).sum()
        }
        2 => {
            // The first of the two neighbouring corners inside, in ring order.
            let a = (0..4)
                .find(|&a| inside[a] && inside[(a + 1) % 4])
                .expect("two corners that are not opposite are neighbours");
            (crossing(a, a + 3) - crossing(a + 1, a + 2)).hypot(1.0)
        }
        _ => 0.0,
    }
}

/// Length of the line `g = 0` in half a cell, from `g` at its corners: those of the right angle's
/// sides, whose corner stands in the middle.
fn half_cell_length(g: [f64; 3]) -> f64 {
    const PLACES: [[f64; 2]; 3] = [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]];
    let inside = g.map(|value| value > 0.0);
    let Some(alone) = (0..3).find(|&a| (0..3).all(|b| b == a || inside[b] != inside[a])) else {
        return 0.0;
    };
    let crossing = |b: usize| {
        let t = g[alone] / (g[alone] - g[b]);
        [0, 1].map(|axis| PLACES[alone][axis] + t * (PLACES[b][axis] - PLACES[alone][axis]))
    };
    let [p, q] = [(alone + 1) % 3, (alone + 2) % 3].map(crossing);
    (p[0] - q[0]).hypot(p[1] - q[1])
}
