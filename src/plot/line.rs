//! The line plot of a landscape (Powers, Shi, Liebovitch, Figs. 3, 4, 7): probabilities over the
//! frames, row after row of the grid.

use super::canvas::{CHART_SCALE, Canvas};
use super::caption::{class_label, subtitle, title};
use super::style::{HEADER, INK, MARGIN, MUTED, RULE, SMALL_SIZE, chart_text, color};
use crate::landscape::LandscapeFile;
use plotters::prelude::*;

const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 440.0;
const LEGEND: f64 = 210.0;

/// Draws the probabilities of `classes` as SVG, the first on top.
///
/// # Panics
/// When a class is out of range.
pub fn line_plot(file: &LandscapeFile, classes: &[usize]) -> String {
    let landscape = &file.landscape;
    let frames = landscape.num_frames();
    let steps = landscape.steps;
    let mut canvas = Canvas::new(WIDTH, HEIGHT, &title(file), &subtitle(file));
    let unit = f64::from(CHART_SCALE);
    let size = [
        (WIDTH - LEGEND - MARGIN) as u32,
        (HEIGHT - HEADER - 8.0) as u32,
    ];
    canvas.chart([MARGIN / 2.0, HEADER], size, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(8 * CHART_SCALE)
            .set_label_area_size(LabelAreaPosition::Left, 52 * CHART_SCALE)
            .set_label_area_size(LabelAreaPosition::Bottom, 44 * CHART_SCALE)
            .build_cartesian_2d(0.0..(frames - 1) as f64, -0.02..1.02)?;
        // Every other cycle is shaded: a row of the grid, from a mix of A and B into C.
        let start = |cycle: usize| ((cycle * steps) as f64 - 0.5).max(0.0);
        chart.draw_series((0..steps).skip(1).step_by(2).map(|cycle| {
            let end = start(cycle + 1).min((frames - 1) as f64);
            Rectangle::new(
                [(start(cycle), -0.02), (end, 1.02)],
                RGBColor(241, 241, 241).filled(),
            )
        }))?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RULE.stroke_width(CHART_SCALE))
            .axis_style(MUTED.stroke_width(CHART_SCALE))
            .set_all_tick_mark_size(4 * CHART_SCALE)
            .x_desc(format!(
                "frame, in {steps} cycles from a mix of A and B into C (shaded in turn)"
            ))
            .y_desc("probability")
            .x_labels(if steps > 12 { 11 } else { steps })
            .y_labels(6)
            .x_label_formatter(&|frame| format!("{frame:.0}"))
            .y_label_formatter(&|probability| format!("{probability:.1}"))
            .label_style(chart_text(1.24 * SMALL_SIZE * unit, MUTED))
            .axis_desc_style(chart_text(1.24 * (SMALL_SIZE + 1.0) * unit, INK))
            .draw()?;
        // The last of the list is drawn first, so that the triple's own classes lie on top.
        for &class in classes.iter().rev() {
            let points =
                (0..frames).map(|k| (k as f64, f64::from(landscape.probabilities_of(k)[class])));
            let line = color(class).stroke_width(18);
            chart.draw_series(LineSeries::new(points, line))?;
        }
        Ok(())
    });
    let entries: Vec<_> = classes
        .iter()
        .map(|&class| (color(class), class_label(file, class)))
        .collect();
    canvas.legend(
        [WIDTH - LEGEND + 4.0, HEADER + 10.0],
        LEGEND - MARGIN,
        &entries,
    );
    canvas.finish()
}
