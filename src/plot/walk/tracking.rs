//! One number of many walks against another, as a scatter plot.

use super::super::canvas::{Anchor, Canvas, Type};
use super::super::style::{HEADER, INK, LABEL_SIZE, MARGIN, color, opaque};
use super::axes::{Axis, Panel};

/// A walk in a scatter plot.
#[derive(Debug, Clone)]
pub struct TrackingPoint {
    /// The two numbers.
    pub at: [f64; 2],
    /// Which kind of surface, a position in the legend.
    pub kind: usize,
}

/// One number against another.
#[derive(Debug, Clone)]
pub struct TrackingPanel<'a> {
    /// Line above the panel.
    pub heading: &'a str,
    /// Titles of x and y.
    pub axes: [&'a str; 2],
    /// The walks.
    pub points: &'a [TrackingPoint],
}

const SIZE: [f64; 2] = [330.0, 300.0];
const LEFT: f64 = 74.0;
const LEGEND: f64 = 190.0;

/// Draws the panels side by side as SVG. x is logarithmic where all its values are above 0 and
/// reach over more than a decade.
pub fn tracking_plot(
    title: &str,
    subtitle: &str,
    panels: &[TrackingPanel<'_>],
    kinds: &[String],
) -> String {
    let top = HEADER + 30.0;
    let step = LEFT + SIZE[0] + 10.0;
    let width = MARGIN + step * panels.len() as f64 + LEGEND;
    let mut canvas = Canvas::new(width, top + SIZE[1] + 60.0, title, subtitle);
    for (n, shown) in panels.iter().enumerate() {
        let axis = |axis: usize| {
            let values = || shown.points.iter().map(move |point| point.at[axis]);
            let low = values().fold(f64::MAX, f64::min);
            if low > 0.0 && values().fold(f64::MIN, f64::max) > 10.0 * low {
                Axis::log_over(values(), shown.axes[axis])
            } else {
                Axis::linear_over(values(), shown.axes[axis])
            }
        };
        let panel = Panel {
            corner: [MARGIN + LEFT + step * n as f64, top],
            size: SIZE,
            x: axis(0),
            y: axis(1),
        };
        panel.draw(&mut canvas);
        let look = Type::new(LABEL_SIZE, INK, Anchor::Middle);
        canvas.text(
            [panel.corner[0] + SIZE[0] / 2.0, top - 12.0],
            shown.heading,
            look,
        );
        for point in shown.points {
            let place = panel.place(point.at);
            canvas.circle(place, 4.0, opaque(color(point.kind)), None);
        }
    }
    let entries: Vec<_> = kinds
        .iter()
        .enumerate()
        .map(|(kind, name)| (color(kind), name.clone()))
        .collect();
    canvas.legend([width - LEGEND + 8.0, top + 8.0], LEGEND - MARGIN, &entries);
    canvas.finish()
}
