//! Roughness in published mode against that of the same triples in other modes, one panel a
//! measure, one point a triple.

use super::canvas::{CHART_SCALE, Canvas};
use super::style::{HEADER, INK, MARGIN, MUTED, RULE, SMALL_SIZE, chart_text, color};
use plotters::prelude::*;

/// A measure of every triple.
#[derive(Debug, Clone)]
pub struct ModesPanel<'a> {
    /// What is measured.
    pub measure: &'a str,
    /// The values in published mode.
    pub published: &'a [f64],
    /// For each series the values of the same triples.
    pub others: &'a [Vec<f64>],
}

/// A figure of one or more measures.
#[derive(Debug, Clone)]
pub struct ModesPlot<'a> {
    /// First line above the plot.
    pub title: &'a str,
    /// Lines below it.
    pub subtitle: &'a str,
    /// Name of each series, e.g. a mode.
    pub series: &'a [&'a str],
    /// The measures.
    pub panels: &'a [ModesPanel<'a>],
}

const PANEL: [u32; 2] = [390, 390];
const LEGEND: f64 = 44.0;

/// Draws the panels side by side as SVG; both axes of a panel have one range, and points below
/// its diagonal are smoother than in published mode.
///
/// # Panics
/// When a panel's series differ in length.
pub fn modes_plot(plot: &ModesPlot<'_>) -> String {
    let width = 2.0 * MARGIN + f64::from(PANEL[0]) * plot.panels.len() as f64;
    let height = HEADER + f64::from(PANEL[1]) + LEGEND;
    let mut canvas = Canvas::new(width, height, plot.title, plot.subtitle);
    for (n, panel) in plot.panels.iter().enumerate() {
        let corner = [MARGIN + f64::from(PANEL[0]) * n as f64, HEADER];
        canvas.chart(corner, PANEL, |area| draw_panel(area, panel));
    }
    let top = HEADER + f64::from(PANEL[1]) + 12.0;
    for (n, name) in plot.series.iter().enumerate() {
        let left = MARGIN + 64.0 + 200.0 * n as f64;
        canvas.legend([left, top], 190.0, &[(color(n), (*name).to_owned())]);
    }
    canvas.finish()
}

fn draw_panel(
    area: &super::canvas::ChartArea<'_>,
    panel: &ModesPanel<'_>,
) -> Result<(), Box<dyn std::error::Error>> {
    let values = panel.published.iter().chain(panel.others.iter().flatten());
    let largest = values.copied().fold(0.0, f64::max);
    let end = if largest > 0.0 { 1.05 * largest } else { 1.0 };
    let unit = f64::from(CHART_SCALE);
    let tick = |value: &f64| {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let mut chart = ChartBuilder::on(area)
        .margin(8 * CHART_SCALE)
        .set_label_area_size(LabelAreaPosition::Left, 54 * CHART_SCALE)
        .set_label_area_size(LabelAreaPosition::Bottom, 42 * CHART_SCALE)
        .build_cartesian_2d(0.0..end, 0.0..end)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(236, 236, 236).stroke_width(CHART_SCALE))
        .axis_style(RULE.stroke_width(CHART_SCALE))
        .set_all_tick_mark_size(3 * CHART_SCALE)
        .x_desc(format!("{} in published mode", panel.measure))
        .y_desc("of the same triple in the other mode")
        .x_labels(5)
        .y_labels(5)
        .x_label_formatter(&tick)
        .y_label_formatter(&tick)
        .label_style(chart_text(1.24 * SMALL_SIZE * unit, MUTED))
        .axis_desc_style(chart_text(1.24 * (SMALL_SIZE + 1.0) * unit, INK))
        .draw()?;
    let diagonal = [(0.0, 0.0), (end, end)];
    chart.draw_series(LineSeries::new(diagonal, MUTED.stroke_width(11)))?;
    // The first series lies on top.
    for (n, values) in panel.others.iter().enumerate().rev() {
        assert_eq!(values.len(), panel.published.len(), "a value a triple");
        let points = panel.published.iter().zip(values);
        chart.draw_series(points.map(|(&published, &value)| {
            Circle::new((published, value), 28, color(n).mix(0.6).filled())
        }))?;
    }
    Ok(())
}
