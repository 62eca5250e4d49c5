//! Walkers over the surface: in relief and from above.

use super::super::canvas::{Anchor, Canvas, Place, Stroke, Type};
use super::super::height_field::{
    BoxLabels, Camera, PANEL, Projection, Standing, cell_nearness, draw_box, draw_surface,
};
use super::super::style::{
    HEADER, INK, LABEL_SIZE, MARGIN, PAPER, SMALL_SIZE, blend, color, heat, opaque,
};
use super::axes::{Axis, Panel};
use super::field::{MAP, MAP_LEFT, Map, color_bar};
use crate::landscape::Potential;

/// Paths of a few walkers over their surface.
#[derive(Debug, Clone)]
pub struct WalkersPlot<'a> {
    /// First line above the plot.
    pub title: &'a str,
    /// Lines below it.
    pub subtitle: &'a str,
    /// Titles of x and y, and of the potential.
    pub axes: [&'a str; 3],
    /// What x and y reach over.
    pub range: [f64; 2],
    /// The surface; on an endless plane there is none, and the relief is left out.
    pub potential: Option<&'a Potential>,
    /// Places of each walker in turn: columns and rows of the grid, or units of the plane.
    pub paths: &'a [Vec<[f32; 2]>],
    /// Where the relief is looked at from.
    pub camera: Camera,
}

/// Draws walkers over the surface as SVG.
pub fn walkers_plot(plot: &WalkersPlot<'_>) -> String {
    match plot.potential {
        Some(potential) => over_surface(plot, potential),
        None => over_plane(plot),
    }
}

fn path_color(walker: usize) -> plotters::style::RGBColor {
    // Those of the palette that stand out from the shades of a map.
    color([4, 0, 6, 3, 1, 9][walker % 6])
}

fn over_plane(plot: &WalkersPlot<'_>) -> String {
    let top = HEADER + 8.0;
    let size = [520.0, 520.0];
    let width = MARGIN + 74.0 + size[0] + MARGIN;
    let mut canvas = Canvas::new(width, top + size[1] + 60.0, plot.title, plot.subtitle);
    let places = || plot.paths.iter().flatten();
    // One scale for both axes, about the middle of what is seen.
    let along = |axis: usize| {
        let values = || places().map(|place| f64::from(place[axis]));
        [
            values().fold(f64::MAX, f64::min),
            values().fold(f64::MIN, f64::max),
        ]
    };
    let (x, y) = (along(0), along(1));
    let side = (x[1] - x[0]).max(y[1] - y[0]).max(1e-9);
    let centred = |[low, high]: [f64; 2]| [-0.5, 0.5].map(|half| (low + high) / 2.0 + half * side);
    let panel = Panel {
        corner: [MARGIN + 74.0, top],
        size,
        x: Axis::linear_over(centred(x).into_iter(), plot.axes[0]),
        y: Axis::linear_over(centred(y).into_iter(), plot.axes[1]),
    };
    panel.draw(&mut canvas);
    for (walker, path) in plot.paths.iter().enumerate() {
        let points: Vec<Place> = path
            .iter()
            .map(|place| panel.place(place.map(f64::from)))
            .collect();
        draw_path(&mut canvas, &points, walker);
    }
    canvas.finish()
}

fn draw_path(canvas: &mut Canvas, points: &[Place], walker: usize) {
    let stroke = Stroke {
        color: opaque(path_color(walker)),
        width_px: 1.3,
    };
    canvas.line(points, stroke);
    let ring = Stroke {
        color: opaque(INK),
        width_px: 1.0,
    };
    if let (Some(&start), Some(&end)) = (points.first(), points.last()) {
        canvas.circle(start, 3.4, opaque(PAPER), Some(ring));
        canvas.circle(end, 3.4, opaque(path_color(walker)), Some(ring));
    }
}

fn over_surface(plot: &WalkersPlot<'_>, potential: &Potential) -> String {
    let top = HEADER + 30.0;
    let width = MARGIN + PANEL[0] + 30.0 + MAP_LEFT + MAP + 92.0;
    let mut canvas = Canvas::new(width, top + MAP + 66.0, plot.title, plot.subtitle);
    let [rows, columns] = potential.shape();
    let values = potential.values();
    let low = values.iter().copied().fold(f64::MAX, f64::min);
    let high = values.iter().copied().fold(f64::MIN, f64::max);
    let span = (high - low).max(f64::MIN_POSITIVE);
    let level = |k: usize| (values[k] - low) / span;
    let ticks = [0.0, 0.5, 1.0].map(|share| format!("{:.1}", low + share * span));
    let floor = [0.0, 0.5, 1.0].map(|share| {
        format!(
            "{}",
            plot.range[0] + share * (plot.range[1] - plot.range[0])
        )
    });

    let middle = [MARGIN + PANEL[0] / 2.0, top + MAP / 2.0 + 8.0];
    let projection = Projection::new(plot.camera, middle);
    let labels = BoxLabels {
        x: plot.axes[0],
        y: plot.axes[1],
        z: plot.axes[2],
        floor: [floor.each_ref().map(String::as_str); 2],
        heights: ticks.each_ref().map(String::as_str),
    };
    draw_box(&mut canvas, &projection, &labels);
    let surface = Surface {
        potential,
        low,
        span,
    };
    draw_surface(
        &mut canvas,
        &projection,
        [rows, columns],
        &|i, j| level(i * columns + j),
        pieces(plot.paths, &projection, &surface),
    );
    let map = Map {
        corner: [MARGIN + PANEL[0] + 30.0 + MAP_LEFT, top],
        heading: "from above",
        axes: [plot.axes[0], plot.axes[1]],
        shape: [rows, columns],
    };
    // Paler than the bar, so that paths are seen.
    map.draw(&mut canvas, &|k| blend(heat(level(k)), PAPER, 0.45));
    color_bar(&mut canvas, [map.corner[0] + MAP + 14.0, top], ticks);
    for (walker, path) in plot.paths.iter().enumerate() {
        let points: Vec<Place> = path
            .iter()
            .map(|place| map.place(place.map(f64::from)))
            .collect();
        draw_path(&mut canvas, &points, walker);
    }
    let look = Type::new(LABEL_SIZE, INK, Anchor::Middle);
    canvas.text([middle[0], top - 12.0], "in relief", look);
    let small = Type::new(SMALL_SIZE, INK, Anchor::Start);
    let key = "ring: start; dot: end";
    canvas.text([map.corner[0], top + MAP + 48.0], key, small);
    canvas.finish()
}

/// The surface between its points.
struct Surface<'a> {
    potential: &'a Potential,
    low: f64,
    span: f64,
}

impl Surface<'_> {
    /// Height 0..1 at grid coordinates, bilinear.
    fn height(&self, x: f64, y: f64) -> f64 {
        let [rows, columns] = self.potential.shape();
        let (j, i) = (
            (x.max(0.0) as usize).min(columns - 2),
            (y.max(0.0) as usize).min(rows - 2),
        );
        let (u, v) = (x - j as f64, y - i as f64);
        let values = self.potential.values();
        let row = |i: usize| {
            let [left, right] = [j, j + 1].map(|j| values[i * columns + j]);
            left + u * (right - left)
        };
        (row(i) + v * (row(i + 1) - row(i)) - self.low) / self.span
    }
}

/// Paths cut into pieces, each standing on its own cell.
fn pieces<'a>(
    paths: &[Vec<[f32; 2]>],
    projection: &'a Projection,
    surface: &'a Surface<'_>,
) -> Vec<Standing<'a>> {
    let shape @ [rows, columns] = surface.potential.shape();
    let place = move |[x, y]: [f64; 2]| {
        let unit = [x / (columns - 1) as f64, y / (rows - 1) as f64];
        projection.place([unit[0], unit[1], surface.height(x, y) + 0.008])
    };
    let mut found = Vec::new();
    for (walker, path) in paths.iter().enumerate() {
        let stroke = Stroke {
            color: opaque(path_color(walker)),
            width_px: 1.5,
        };
        for ends in path.windows(2) {
            let [from, to] = [ends[0], ends[1]].map(|place| place.map(f64::from));
            let length = (to[0] - from[0]).hypot(to[1] - from[1]);
            let parts = (2.0 * length).ceil().max(1.0) as usize;
            let at = |part: usize| {
                let share = part as f64 / parts as f64;
                [0, 1].map(|axis| from[axis] + share * (to[axis] - from[axis]))
            };
            for part in 0..parts {
                let ends = [at(part), at(part + 1)];
                let middle = [0, 1].map(|axis| (ends[0][axis] + ends[1][axis]) / 2.0);
                found.push(Standing {
                    // After the cell itself.
                    nearness: cell_nearness(projection, shape, middle) + 1e-9,
                    draw: Box::new(move |canvas| canvas.line(&ends.map(place), stroke)),
                });
            }
        }
    }
    found
}
