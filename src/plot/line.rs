//! The line plot (Powers, Shi, Liebovitch, Figs. 3, 4, 7): probabilities over the frames, row
//! after row of a grid, or over the rows of a group's three grids.

use super::canvas::{Anchor, CHART_SCALE, Canvas, Type};
use super::caption::{class_label, subtitle, title};
use super::style::{HEADER, INK, MARGIN, MUTED, RULE, SMALL_SIZE, chart_text, color, fitted};
use crate::landscape::LandscapeFile;
use plotters::prelude::*;
use std::borrow::Cow;

const WIDTH: f64 = 1200.0;
const HEIGHT: f64 = 460.0;
const LEGEND: f64 = 210.0;
/// Inputs drawn at most; of more, every n-th.
const MAX_POINTS: usize = 20_000;
/// Around the drawing area: at its left, at its top, at its right, pixels.
const AXIS: f64 = 60.0;
const EDGE: f64 = 8.0;
/// Half of the last tick's label stands to the right of the area.
const RIGHT: f64 = 16.0;

/// Probabilities along a sequence of inputs.
#[derive(Debug, Clone)]
pub struct LinePlot<'a> {
    /// First line above the plot.
    pub title: &'a str,
    /// Lines below it.
    pub subtitle: &'a str,
    /// What the horizontal axis counts.
    pub axis: &'a str,
    /// Probabilities `[n, num_classes]`, row-major; NaN where there is a gap.
    pub probabilities: &'a [f32],
    /// Number of classes.
    pub num_classes: usize,
    /// Where each cycle begins; every other one is shaded.
    pub cycles: &'a [usize],
    /// A name for each cycle, or nothing.
    pub cycle_names: &'a [String],
    /// The classes to draw, the first on top, with their names.
    pub classes: &'a [(usize, String)],
}

/// Draws the probabilities of a landscape's `classes` as SVG, the first on top.
///
/// # Panics
/// When a class is out of range.
pub fn landscape_line(file: &LandscapeFile, classes: &[usize]) -> String {
    let landscape = &file.landscape;
    let steps = landscape.steps;
    let points: Vec<usize> = landscape.points().collect();
    let cycles: Vec<usize> = (0..steps)
        .map(|i| points.partition_point(|&k| k < i * steps))
        .collect();
    let held = (points.iter()).flat_map(|&k| landscape.probabilities_of(k).iter().copied());
    let probabilities = match points.len() == landscape.num_frames() {
        true => Cow::Borrowed(&landscape.probabilities),
        false => Cow::Owned(held.collect()),
    };
    let classes: Vec<_> = classes
        .iter()
        .map(|&class| (class, class_label(file, class)))
        .collect();
    line_plot(&LinePlot {
        title: &title(file),
        subtitle: &subtitle(file),
        axis: &format!(
            "{}, in {steps} cycles {} (shaded in turn)",
            file.about.items.input_name(),
            landscape.kind.row_name()
        ),
        probabilities: &probabilities,
        num_classes: landscape.num_classes,
        cycles: &cycles,
        cycle_names: &[],
        classes: &classes,
    })
}

/// Draws probabilities along a sequence as SVG.
///
/// # Panics
/// When a class is out of range or there are fewer than two inputs.
pub fn line_plot(plot: &LinePlot<'_>) -> String {
    let inputs = plot.probabilities.len() / plot.num_classes;
    let last = (inputs - 1) as f64;
    let every = inputs.div_ceil(MAX_POINTS);
    let axis = match every {
        1 => plot.axis.to_owned(),
        every => format!("{}; one in {every} drawn", plot.axis),
    };
    let named = !plot.cycle_names.is_empty();
    let top = HEADER + if named { 18.0 } else { 0.0 };
    let mut canvas = Canvas::new(WIDTH, HEIGHT, plot.title, plot.subtitle);
    let size = [
        (WIDTH - LEGEND - MARGIN) as u32,
        (HEIGHT - top - 8.0) as u32,
    ];
    let unit = f64::from(CHART_SCALE);
    // A cycle reaches from half an input before its first to half an input after its last.
    let start = |cycle: usize| match plot.cycles.get(cycle) {
        Some(&first) => (first as f64 - 0.5).max(0.0),
        None => last,
    };
    canvas.chart([MARGIN / 2.0, top], size, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(EDGE * unit)
            .margin_right(RIGHT * unit)
            .set_label_area_size(LabelAreaPosition::Left, (AXIS - EDGE) * unit)
            .set_label_area_size(LabelAreaPosition::Bottom, 44 * CHART_SCALE)
            .build_cartesian_2d(0.0..last, -0.02..1.02)?;
        chart.draw_series((1..plot.cycles.len()).step_by(2).map(|cycle| {
            Rectangle::new(
                [(start(cycle), -0.02), (start(cycle + 1), 1.02)],
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
            .x_desc(axis.as_str())
            .y_desc("probability")
            .x_labels(if inputs > 100 { 11 } else { 7 })
            .y_labels(6)
            // Short sequences have ticks between whole numbers, which are left blank.
            .x_label_formatter(&|frame| match frame.fract() {
                0.0 => format!("{frame:.0}"),
                _ => String::new(),
            })
            .y_label_formatter(&|probability| format!("{probability:.1}"))
            .label_style(chart_text(1.24 * SMALL_SIZE * unit, MUTED))
            .axis_desc_style(chart_text(1.24 * (SMALL_SIZE + 1.0) * unit, INK))
            .draw()?;
        // The last of the list is drawn first, so that the first lies on top.
        for (class, _) in plot.classes.iter().rev() {
            let points: Vec<(f64, f64)> = plot
                .probabilities
                .chunks_exact(plot.num_classes)
                .enumerate()
                .step_by(every)
                .map(|(k, row)| (k as f64, f64::from(row[*class])))
                .collect();
            // Frames that failed are gaps; an answer alone between two is a dash of half a frame.
            for run in points.split(|(_, probability)| probability.is_nan()) {
                let run = match *run {
                    [(k, probability)] => vec![
                        ((k - 0.25).max(0.0), probability),
                        ((k + 0.25).min(last), probability),
                    ],
                    _ => run.to_vec(),
                };
                chart.draw_series(LineSeries::new(run, color(*class).stroke_width(18)))?;
            }
        }
        Ok(())
    });
    let (left, width) = (MARGIN / 2.0 + AXIS, f64::from(size[0]) - AXIS - EDGE);
    for (cycle, name) in plot.cycle_names.iter().enumerate() {
        let [from, to] = [cycle, cycle + 1].map(|n| left + width * start(n) / last);
        canvas.text(
            [(from + to) / 2.0, top + 2.0],
            &fitted(name, SMALL_SIZE, to - from - 8.0),
            Type::new(SMALL_SIZE, MUTED, Anchor::Middle),
        );
    }
    let entries: Vec<_> = plot
        .classes
        .iter()
        .map(|(class, name)| (color(*class), name.clone()))
        .collect();
    canvas.legend(
        [WIDTH - LEGEND + 4.0, top + 10.0],
        LEGEND - MARGIN,
        &entries,
    );
    canvas.finish()
}
