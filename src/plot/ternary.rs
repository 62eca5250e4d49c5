//! Probabilities of three classes in a triangle (Powers, Shi, Liebovitch, Fig. 8).
//!
//! A point's place is the mean of the corners weighted by its three probabilities; of more than
//! three classes the three are renormalised for it, and the opacity of the point is what they
//! sum up to, so that a point whose probability lies elsewhere fades.

use super::canvas::{Anchor, Canvas, Place, Stroke, Type};
use super::style::{
    HEADER, INK, LABEL_SIZE, MARGIN, MUTED, RULE, SMALL_SIZE, color, fitted, heat, opaque,
};
use plotters::style::{RGBAColor, RGBColor};

/// Points of one triangle.
#[derive(Debug, Clone)]
pub struct TernaryPanel<'a> {
    /// What the points are; stands above the triangle.
    pub points: &'a str,
    /// What their colours are, e.g. "by predicted class".
    pub colored_by: &'a str,
    /// Probabilities `[n, classes]`, row-major.
    pub probabilities: &'a [f32],
    /// Colour of each point, as a class: the predicted or the true one.
    pub classes: &'a [usize],
    /// The points that are items, with their letters.
    pub anchors: &'a [(usize, &'a str)],
}

/// A figure of one or more triangles with the same corners.
#[derive(Debug, Clone)]
pub struct Ternary<'a> {
    /// First line above the plot.
    pub title: &'a str,
    /// Second line above the plot.
    pub subtitle: &'a str,
    /// The classes at the corners: left, right, top.
    pub corners: [usize; 3],
    /// Name of every class of the model.
    pub class_names: &'a [String],
    /// The triangles.
    pub panels: &'a [TernaryPanel<'a>],
    /// A name for each class that appears, in the order of the legend.
    pub legend: &'a [(usize, String)],
}

const PANEL: [f64; 2] = [520.0, 510.0];
const SIDE: f64 = 380.0;
const LEGEND: f64 = 220.0;

/// More points than this are counted in cells instead of drawn one by one.
const MAX_POINTS: usize = 1500;
/// Cells a side of the triangle.
const CELLS: usize = 24;

/// Draws the triangles side by side as SVG.
///
/// # Panics
/// When a corner is not a class, or a panel's probabilities and classes differ in number.
pub fn ternary_plot(plot: &Ternary<'_>) -> String {
    let width = MARGIN + PANEL[0] * plot.panels.len() as f64 + LEGEND;
    let height = HEADER + PANEL[1];
    let mut canvas = Canvas::new(width, height, plot.title, plot.subtitle);
    for (n, panel) in plot.panels.iter().enumerate() {
        let left = MARGIN + PANEL[0] * n as f64;
        let count = panel.classes.len();
        let heading = if count > MAX_POINTS {
            format!("{}, {count} counted in cells", panel.points)
        } else {
            format!("{}, {}", panel.points, panel.colored_by)
        };
        canvas.text(
            [left + PANEL[0] / 2.0, HEADER + 16.0],
            &heading,
            Type::new(LABEL_SIZE, INK, Anchor::Middle),
        );
        let base = [left + (PANEL[0] - SIDE) / 2.0, HEADER + PANEL[1] - 76.0];
        draw_panel(&mut canvas, plot, panel, base);
    }
    draw_legend(&mut canvas, plot, [width - LEGEND + 6.0, HEADER + 30.0]);
    canvas.finish()
}

/// The place of three weights that sum to 1: left, right, top.
fn place([_, right, top]: [f64; 3], base: Place) -> Place {
    let height = SIDE * 3f64.sqrt() / 2.0;
    [base[0] + SIDE * (right + top / 2.0), base[1] - height * top]
}

/// A point's three weights that sum to 1, and what its three probabilities sum to.
fn weights(row: &[f32], corners: [usize; 3]) -> ([f64; 3], f64) {
    let three = corners.map(|class| f64::from(row[class]));
    let sum: f64 = three.iter().sum();
    if sum > 0.0 {
        (three.map(|weight| weight / sum), sum)
    } else {
        ([1.0 / 3.0; 3], 0.0)
    }
}

fn draw_panel(canvas: &mut Canvas, plot: &Ternary<'_>, panel: &TernaryPanel<'_>, base: Place) {
    let classes = plot.class_names.len();
    let points: Vec<([f64; 3], f64)> = panel
        .probabilities
        .chunks_exact(classes)
        .map(|row| weights(row, plot.corners))
        .collect();
    assert_eq!(points.len(), panel.classes.len(), "a class a point");
    let dense = points.len() > MAX_POINTS;
    if dense {
        draw_density(canvas, &points, base);
    }
    draw_frame(canvas, plot, base);
    if !dense {
        for ((weights, sum), &class) in points.iter().zip(panel.classes) {
            let RGBColor(red, green, blue) = color(class);
            let shade = RGBAColor(red, green, blue, 0.06 + 0.74 * sum);
            canvas.circle(place(*weights, base), 3.4, shade, None);
        }
    }
    for &(n, letter) in panel.anchors {
        let at = place(points[n].0, base);
        let edge = Stroke {
            color: opaque(INK),
            width_px: 1.4,
        };
        canvas.circle(at, 8.5, opaque(RGBColor(255, 255, 255)), Some(edge));
        canvas.text(
            [at[0], at[1] + 4.3],
            letter,
            Type::new(SMALL_SIZE, INK, Anchor::Middle),
        );
    }
}

/// Edges, grid lines every fifth, ticks and the names of the corners.
fn draw_frame(canvas: &mut Canvas, plot: &Ternary<'_>, base: Place) {
    let at = |weights: [f64; 3]| place(weights, base);
    let corners = [[1., 0., 0.], [0., 1., 0.], [0., 0., 1.]].map(at);
    let mut grid = Vec::new();
    for tick in 1..5 {
        let w = f64::from(tick) / 5.0;
        let rest = 1.0 - w;
        // Where each of the three weights is w.
        grid.push([at([w, rest, 0.]), at([w, 0., rest])]);
        grid.push([at([rest, w, 0.]), at([0., w, rest])]);
        grid.push([at([rest, 0., w]), at([0., rest, w])]);
        let text = format!("{w:.1}");
        let look = |anchor| Type::new(SMALL_SIZE, MUTED, anchor);
        // On the bottom edge the right weight grows to the right, on the right edge the top one
        // upward, on the left edge the left one downward.
        let [x, y] = at([rest, w, 0.]);
        canvas.text([x + 4.0, y + 17.0], &text, look(Anchor::Middle));
        let [x, y] = at([0., rest, w]);
        canvas.text([x + 8.0, y + 2.0], &text, look(Anchor::Start));
        let [x, y] = at([w, 0., rest]);
        canvas.text([x - 8.0, y + 2.0], &text, look(Anchor::End));
    }
    let thin = Stroke {
        color: opaque(RULE),
        width_px: 0.8,
    };
    canvas.segments(&grid, thin);
    let edge = Stroke {
        color: opaque(MUTED),
        width_px: 1.3,
    };
    let [left, right, top] = corners;
    canvas.line(&[left, right, top, left], edge);
    let name = |corner: usize| {
        let text = &plot.class_names[plot.corners[corner]];
        fitted(text, LABEL_SIZE, 200.0)
    };
    let look = Type::new(LABEL_SIZE, INK, Anchor::Middle);
    for (corner, at) in [
        [left[0], left[1] + 40.0],
        [right[0], right[1] + 40.0],
        [top[0], top[1] - 14.0],
    ]
    .into_iter()
    .enumerate()
    {
        canvas.text(at, &name(corner), look);
    }
    // What each edge counts.
    for (corner, middle, outward, turn) in [
        (
            1,
            [(left[0] + right[0]) / 2.0, left[1] + 36.0],
            [0.0, 0.0],
            0.0,
        ),
        (
            2,
            [(right[0] + top[0]) / 2.0, (right[1] + top[1]) / 2.0],
            [40.0, -16.0],
            60.0,
        ),
        (
            0,
            [(left[0] + top[0]) / 2.0, (left[1] + top[1]) / 2.0],
            [-40.0, -16.0],
            -60.0,
        ),
    ] {
        let look = Type {
            turn,
            ..Type::new(SMALL_SIZE, MUTED, Anchor::Middle)
        };
        let text = format!("p({})", plot.class_names[plot.corners[corner]]);
        canvas.text(
            [middle[0] + outward[0], middle[1] + outward[1]],
            &fitted(&text, SMALL_SIZE, 220.0),
            look,
        );
    }
}

/// Points counted in small triangles, each point as much as its three probabilities sum to; the
/// colour is the logarithm of the count.
fn draw_density(canvas: &mut Canvas, points: &[([f64; 3], f64)], base: Place) {
    let mut counts = std::collections::BTreeMap::new();
    for (weights, sum) in points {
        let scaled = weights.map(|weight| weight * CELLS as f64);
        let mut cell = scaled.map(|value| (value as usize).min(CELLS - 1));
        // Cells point up where the three whole parts sum to CELLS - 1, down where to CELLS - 2;
        // rounding at an edge may give another sum, which belongs to the nearest cell.
        while cell.iter().sum::<usize>() > CELLS - 1 {
            let largest = (0..3).max_by_key(|&n| cell[n]).unwrap_or(0);
            cell[largest] -= 1;
        }
        *counts.entry(cell).or_insert(0.0) += sum;
    }
    let most = counts.values().copied().fold(1.0, f64::max).ln_1p();
    for (cell, count) in counts {
        let up = cell.iter().sum::<usize>() == CELLS - 1;
        let low = cell.map(|value| value as f64);
        let corners = if up {
            [[1., 0., 0.], [0., 1., 0.], [0., 0., 1.]]
        } else {
            [[1., 1., 0.], [0., 1., 1.], [1., 0., 1.]]
        };
        let outline = corners
            .map(|add: [f64; 3]| place([0, 1, 2].map(|n| (low[n] + add[n]) / CELLS as f64), base));
        let fill = opaque(heat(count.ln_1p() / most));
        canvas.polygon(&outline, fill, None);
    }
}

fn draw_legend(canvas: &mut Canvas, plot: &Ternary<'_>, at: Place) {
    let dense = |panel: &TernaryPanel<'_>| panel.classes.len() > MAX_POINTS;
    let mut lines = Vec::new();
    let mut place = at;
    // Cells have the colours of counts.
    if !plot.panels.iter().all(dense) {
        let entries: Vec<_> = plot
            .legend
            .iter()
            .map(|(class, name)| (color(*class), name.clone()))
            .collect();
        place = canvas.legend(at, LEGEND - MARGIN, &entries);
    }
    if plot.panels.iter().any(dense) {
        lines.extend([
            "cells: yellow has most points,",
            "violet fewest (logarithmic)",
        ]);
    }
    if plot.class_names.len() > 3 {
        lines.extend([
            "place: the three probabilities,",
            "renormalised to sum to 1;",
        ]);
        if plot.panels.iter().all(dense) {
            lines.extend(["each point counts as much as", "the three sum to"]);
        } else {
            lines.extend([
                "opacity: what they sum to, so",
                "that points of other classes fade",
            ]);
        }
    }
    for (line, text) in lines.iter().enumerate() {
        canvas.text(
            [place[0], place[1] + 20.0 + 17.0 * line as f64],
            text,
            Type::new(SMALL_SIZE, MUTED, Anchor::Start),
        );
    }
}
