//! How far walkers come (the paper's first figure: distance over steps, both logarithmic).

use super::super::canvas::{Anchor, Canvas, Stroke, Type};
use super::super::style::{HEADER, INK, LABEL_SIZE, MARGIN, MUTED, SMALL_SIZE, color, opaque};
use super::axes::{Axis, Panel};
use crate::landscape::Exponent;
use crate::pipeline::MeanMoments;

const SIZE: [f64; 2] = [560.0, 400.0];
const LEFT: f64 = 74.0;
const LEGEND: f64 = 300.0;

/// Mean squared displacement and mean distance over the steps.
#[derive(Debug, Clone)]
pub struct SpreadPlot<'a> {
    /// First line above the plot.
    pub title: &'a str,
    /// Lines below it.
    pub subtitle: &'a str,
    /// Unit of lengths, such as `grid steps`.
    pub unit: &'a str,
    /// What was recorded, in that unit.
    pub moments: &'a [MeanMoments],
    /// The line that was fitted.
    pub fit: Option<Exponent>,
    /// Mean squared displacement of a free walk, a step.
    pub free_msd_a_step: f64,
}

/// Draws how far walkers come as SVG: recorded values, the fitted line over its lags, and free
/// diffusion.
pub fn spread_plot(plot: &SpreadPlot<'_>) -> String {
    let top = HEADER + 8.0;
    let width = MARGIN + LEFT + SIZE[0] + 24.0 + LEGEND;
    let mut canvas = Canvas::new(width, top + SIZE[1] + 60.0, plot.title, plot.subtitle);
    let seen: Vec<_> = plot.moments.iter().filter(|at| at.step > 0).collect();
    let values = seen.iter().flat_map(|at| [at.msd, at.distance]);
    let y_title = format!("{} (MSD: squared)", plot.unit);
    let panel = Panel {
        corner: [MARGIN + LEFT, top],
        size: SIZE,
        x: Axis::log_over(seen.iter().map(|at| f64::from(at.step)), "steps"),
        y: Axis::log_over(values, &y_title),
    };
    panel.draw(&mut canvas);
    let line = |canvas: &mut Canvas, msd: &dyn Fn(f64) -> f64, lags: [f64; 2], stroke: Stroke| {
        // A line of log-log is straight; it is cut where it leaves the frame.
        let points: Vec<_> = (0..=100)
            .map(|n| lags[0] * (lags[1] / lags[0]).powf(f64::from(n) / 100.0))
            .filter(|lag| (panel.y.range[0]..=panel.y.range[1]).contains(&msd(*lag)))
            .map(|lag| panel.place([lag, msd(lag)]))
            .collect();
        if points.len() > 1 {
            canvas.line(&points, stroke);
        }
    };
    let whole = [1.0, seen.last().map_or(10.0, |at| f64::from(at.step))];
    let free = Stroke {
        color: opaque(MUTED),
        width_px: 1.6,
    };
    line(&mut canvas, &|lag| plot.free_msd_a_step * lag, whole, free);
    for (series, radius, value) in [
        (0, 3.2, (|at| at.msd) as fn(&MeanMoments) -> f64),
        (4, 2.6, |at| at.distance),
    ] {
        for at in seen.iter().filter(|at| value(at) > 0.0) {
            let place = panel.place([f64::from(at.step), value(at)]);
            canvas.circle(place, radius, opaque(color(series)), None);
        }
    }
    if let Some(fit) = plot.fit {
        let stroke = Stroke {
            color: opaque(INK),
            width_px: 2.0,
        };
        let msd = |lag: f64| (fit.intercept + fit.alpha * lag.ln()).exp();
        line(&mut canvas, &msd, fit.lags.map(f64::from), stroke);
    }
    let x = MARGIN + LEFT + SIZE[0] + 24.0;
    let entries = [
        (color(0), "mean squared displacement".to_owned()),
        (color(4), "mean distance".to_owned()),
        (MUTED, "MSD of free diffusion".to_owned()),
        (INK, "fit of the MSD".to_owned()),
    ];
    let [_, below] = canvas.legend([x, top + 8.0], LEGEND - MARGIN, &entries);
    let (exponent, range) = match plot.fit {
        Some(fit) => (
            format!("exponent {:.3} +- {:.3}", fit.alpha, fit.standard_error),
            format!(
                "lags {} to {}, {} of them",
                fit.lags[0], fit.lags[1], fit.points
            ),
        ),
        None => (
            "no exponent".to_owned(),
            "too few lags with motion".to_owned(),
        ),
    };
    let look = Type::new(LABEL_SIZE, INK, Anchor::Start);
    canvas.text([x, below + 26.0], &exponent, look);
    let small = Type::new(SMALL_SIZE, MUTED, Anchor::Start);
    canvas.text([x, below + 46.0], &range, small);
    canvas.finish()
}
