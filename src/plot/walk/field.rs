//! Fields over a walk's grid, seen from above: where walkers stay, and which basin they reach.

use super::super::canvas::{Anchor, Canvas, Place, Stroke, Type};
use super::super::style::{
    HEADER, INK, LABEL_SIZE, MARGIN, MUTED, PAPER, SMALL_SIZE, blend, color, heat, opaque,
};
use super::axes::{Axis, Panel};
use crate::data::Picture;
use plotters::style::{RGBColor, TRANSPARENT};

/// Side of a map, pixels, and what stands at its left and right.
pub(super) const MAP: f64 = 380.0;
pub(super) const MAP_LEFT: f64 = 46.0;
const BAR: f64 = 92.0;
const MAP_TOP: f64 = 30.0;

/// A map of a grid: one pixel a point, and its axes.
pub(super) struct Map<'a> {
    pub(super) corner: Place,
    pub(super) heading: &'a str,
    pub(super) axes: [&'a str; 2],
    pub(super) shape: [usize; 2],
}

impl Map<'_> {
    /// Draws `shade` of every point.
    pub(super) fn draw(&self, canvas: &mut Canvas, shade: &dyn Fn(usize) -> RGBColor) {
        let [rows, columns] = self.shape;
        let levels = (0..rows * columns)
            .flat_map(|k| {
                let RGBColor(red, green, blue) = shade(k);
                [red, green, blue]
            })
            .collect();
        let picture = Picture {
            width_px: columns,
            height_px: rows,
            channels: 3,
            levels,
        };
        let [x, y] = self.corner;
        canvas.picture(self.corner, [MAP, MAP], &picture.to_png());
        let frame = Stroke {
            color: opaque(MUTED),
            width_px: 1.0,
        };
        canvas.rectangle(self.corner, [MAP, MAP], TRANSPARENT, Some(frame));
        let look = Type::new(LABEL_SIZE, INK, Anchor::Middle);
        canvas.text([x + MAP / 2.0, y - 12.0], self.heading, look);
        canvas.text([x + MAP / 2.0, y + MAP + 26.0], self.axes[0], look);
        let upright = Type {
            turn: -90.0,
            ..look
        };
        canvas.text([x - 16.0, y + MAP / 2.0], self.axes[1], upright);
    }

    /// Where grid coordinates lie, x along the columns: points are the middles of pixels.
    pub(super) fn place(&self, [x, y]: [f64; 2]) -> Place {
        let [rows, columns] = self.shape.map(|side| side as f64);
        [
            self.corner[0] + MAP * (x + 0.5) / columns,
            self.corner[1] + MAP * (y + 0.5) / rows,
        ]
    }

    /// Outlines a set of points.
    fn outline(&self, canvas: &mut Canvas, inside: &[bool], stroke: Stroke) {
        let [rows, columns] = self.shape;
        let at = |i: usize, j: usize| inside[i * columns + j];
        let corner = |x: usize, y: usize| self.place([x as f64 - 0.5, y as f64 - 0.5]);
        let mut segments = Vec::new();
        for i in 0..rows {
            for j in 0..columns {
                if j + 1 < columns && at(i, j) != at(i, j + 1) {
                    segments.push([corner(j + 1, i), corner(j + 1, i + 1)]);
                }
                if i + 1 < rows && at(i, j) != at(i + 1, j) {
                    segments.push([corner(j, i + 1), corner(j + 1, i + 1)]);
                }
            }
        }
        canvas.segments(&segments, stroke);
    }
}

/// A colour bar at the right of a map, labelled at its ends and in the middle, the last on top.
pub(super) fn color_bar(canvas: &mut Canvas, [x, y]: Place, labels: [String; 3]) {
    const STEPS: usize = 48;
    for step in 0..STEPS {
        let value = 1.0 - (step as f64 + 0.5) / STEPS as f64;
        // Each overlaps the next, so that no seam shows.
        let height = MAP / STEPS as f64 + if step + 1 < STEPS { 1.0 } else { 0.0 };
        let top = y + MAP * step as f64 / STEPS as f64;
        canvas.rectangle([x, top], [14.0, height], opaque(heat(value)), None);
    }
    for (label, share) in labels.iter().zip([0.0, 0.5, 1.0]) {
        let at = [x + 20.0, y + MAP * (1.0 - share) + 4.0];
        canvas.text(at, label, Type::new(SMALL_SIZE, MUTED, Anchor::Start));
    }
}

/// Where walkers were counted, against the law they should come to.
#[derive(Debug, Clone)]
pub struct OccupationPlot<'a> {
    /// First line above the plot.
    pub title: &'a str,
    /// Lines below it.
    pub subtitle: &'a str,
    /// Titles of x and y.
    pub axes: [&'a str; 2],
    /// Rows and columns.
    pub shape: [usize; 2],
    /// Share of the walkers at each point.
    pub occupation: &'a [f64],
    /// The stationary law at each point.
    pub law: &'a [f64],
}

/// Draws the occupation as SVG: as a map, and against the stationary law.
pub fn occupation_plot(plot: &OccupationPlot<'_>) -> String {
    let top = HEADER + MAP_TOP;
    let width = 2.0 * MARGIN + MAP_LEFT + MAP + BAR + 84.0 + MAP;
    let mut canvas = Canvas::new(width, top + MAP + 66.0, plot.title, plot.subtitle);
    let map = Map {
        corner: [MARGIN + MAP_LEFT, top],
        heading: "share of the walkers",
        axes: plot.axes,
        shape: plot.shape,
    };
    let largest = plot
        .occupation
        .iter()
        .copied()
        .fold(0.0, f64::max)
        .max(f64::MIN_POSITIVE);
    map.draw(&mut canvas, &|k| heat(plot.occupation[k] / largest));
    let bar = [map.corner[0] + MAP + 14.0, top];
    let labels = [0.0, 0.5, 1.0].map(|share| format!("{:.2e}", share * largest));
    color_bar(&mut canvas, bar, labels);
    // Below a share of 1e-7 of the largest there is nobody to count.
    let floor = 1e-7 * largest;
    let shown: Vec<[f64; 2]> = plot
        .law
        .iter()
        .zip(plot.occupation)
        .filter(|&(&law, &share)| law > floor && share > 0.0)
        .map(|(&law, &share)| [law, share])
        .collect();
    let both = || shown.iter().flatten().copied();
    let panel = Panel {
        corner: [width - MARGIN - MAP, top],
        size: [MAP, MAP],
        x: Axis::log_over(both(), "e^(-U/T), normalised"),
        y: Axis::log_over(both(), "share of the walkers"),
    };
    panel.draw(&mut canvas);
    let diagonal = panel.x.range.map(|value| panel.place([value, value]));
    let thin = Stroke {
        color: opaque(MUTED),
        width_px: 1.4,
    };
    canvas.line(&diagonal, thin);
    for &point in &shown {
        canvas.circle(panel.place(point), 2.2, opaque(color(0)), None);
    }
    canvas.finish()
}

/// Which of two basins walkers reach, and when.
#[derive(Debug, Clone)]
pub struct FieldMaps<'a> {
    /// First line above the plot.
    pub title: &'a str,
    /// Lines below it.
    pub subtitle: &'a str,
    /// Titles of x and y.
    pub axes: [&'a str; 2],
    /// Rows and columns.
    pub shape: [usize; 2],
    /// Names of the two basins.
    pub names: [&'a str; 2],
    /// The points of the two basins.
    pub basins: [&'a [bool]; 2],
    /// The probability to reach the second before the first.
    pub committor: &'a [f64],
    /// Mean number of steps until the second is reached.
    pub passage: &'a [f64],
}

/// Draws committor and mean first-passage time as SVG.
pub fn committor_maps(plot: &FieldMaps<'_>) -> String {
    let top = HEADER + MAP_TOP;
    let panel = MAP_LEFT + MAP + BAR;
    let mut canvas = Canvas::new(
        2.0 * MARGIN + 2.0 * panel,
        top + MAP + 50.0,
        plot.title,
        plot.subtitle,
    );
    let [first, second] = plot.names;
    let headings = [
        format!("probability to reach {second} before {first}"),
        format!("mean steps until {second}"),
    ];
    let longest = plot.passage.iter().copied().fold(1.0, f64::max);
    let shortest = plot
        .passage
        .iter()
        .copied()
        .filter(|time| *time > 0.0)
        .fold(longest, f64::min);
    let decades = (longest / shortest).ln().max(f64::MIN_POSITIVE);
    for (n, heading) in headings.iter().enumerate() {
        let corner = [MARGIN + MAP_LEFT + panel * n as f64, top];
        let map = Map {
            corner,
            heading,
            axes: plot.axes,
            shape: plot.shape,
        };
        let (shade, labels): (&dyn Fn(usize) -> RGBColor, _) = match n {
            0 => (
                &|k| heat(plot.committor[k]),
                ["0", "0.5", "1"].map(str::to_owned),
            ),
            _ => (
                &|k| match plot.passage[k] {
                    time if time > 0.0 => heat((time / shortest).ln() / decades),
                    _ => blend(PAPER, INK, 0.12),
                },
                [0.0, 0.5, 1.0].map(|share| format!("{:.1e}", shortest * (share * decades).exp())),
            ),
        };
        map.draw(&mut canvas, shade);
        color_bar(&mut canvas, [corner[0] + MAP + 14.0, top], labels);
        let outlined: &[_] = if n == 0 { &[0, 1] } else { &[1] };
        for &basin in outlined {
            let (under, over) = (
                Stroke {
                    color: opaque(INK),
                    width_px: 3.6,
                },
                Stroke {
                    color: opaque(PAPER),
                    width_px: 1.6,
                },
            );
            map.outline(&mut canvas, plot.basins[basin], under);
            map.outline(&mut canvas, plot.basins[basin], over);
        }
    }
    canvas.finish()
}
