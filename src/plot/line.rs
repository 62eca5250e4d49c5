//! The line plot of a landscape (Powers, Shi, Liebovitch, Fig. 3): probabilities over the
//! frames, row after row of the grid.

use super::style::{CAPTION_SIZE, FONT, LABEL_SIZE, color, register_fonts};
use plotters::prelude::*;

/// What a line plot shows.
#[derive(Debug, Clone)]
pub struct LinePlot<'a> {
    /// First line above the plot.
    pub title: &'a str,
    /// Second line above the plot: model, data, mode.
    pub subtitle: &'a str,
    /// Points a side of the grid: every `steps` frames a cycle into C begins.
    pub steps: usize,
    /// Probabilities `[steps * steps, num_classes]`, row-major.
    pub probabilities: &'a [f32],
    /// Number of classes.
    pub num_classes: usize,
    /// Name of every class.
    pub class_names: &'a [String],
    /// The classes to draw, in the order of the legend, each with a note such as "A" or
    /// "intruder".
    pub classes: &'a [(usize, String)],
}

const SIZE_PX: (u32, u32) = (1200, 420);

/// Draws a line plot as SVG.
///
/// # Panics
/// When there are not `steps * steps * num_classes` probabilities or a class is out of range.
pub fn line_plot(plot: &LinePlot<'_>) -> String {
    assert_eq!(
        plot.probabilities.len(),
        plot.steps * plot.steps * plot.num_classes,
        "probabilities are [steps * steps, classes]"
    );
    register_fonts();
    let mut svg = String::new();
    // plotters' errors are those of its backend, and writing to a string has none.
    draw(plot, &mut svg).expect("an SVG in memory can be drawn");
    svg
}

fn draw(plot: &LinePlot<'_>, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(svg, SIZE_PX).into_drawing_area();
    root.fill(&WHITE)?;
    let text = |size: u32, shade: u8| {
        (FONT, size)
            .with_color(RGBColor(shade, shade, shade))
            .into_text_style(&root)
    };
    root.draw(&Text::new(plot.title, (16, 12), text(CAPTION_SIZE, 20)))?;
    root.draw(&Text::new(plot.subtitle, (16, 38), text(LABEL_SIZE, 100)))?;
    let frames = plot.steps * plot.steps;
    let (_, lower) = root.split_vertically(58);
    let (area, legend) = lower.split_horizontally(SIZE_PX.0 - 210);
    let mut chart = ChartBuilder::on(&area)
        .margin(8)
        .set_label_area_size(LabelAreaPosition::Left, 58)
        .set_label_area_size(LabelAreaPosition::Bottom, 46)
        .build_cartesian_2d(0.0..(frames - 1) as f64, -0.02..1.02)?;
    // Every other cycle is shaded: a row of the grid, from a mix of A and B into C.
    let start = |cycle: usize| ((cycle * plot.steps) as f64 - 0.5).max(0.0);
    chart.draw_series((0..plot.steps).skip(1).step_by(2).map(|cycle| {
        let end = start(cycle + 1).min((frames - 1) as f64);
        Rectangle::new(
            [(start(cycle), -0.02), (end, 1.02)],
            RGBColor(243, 243, 243).filled(),
        )
    }))?;
    let cycle_ticks = if plot.steps > 12 { 11 } else { plot.steps };
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(222, 222, 222))
        .axis_style(RGBColor(120, 120, 120))
        .x_desc(format!(
            "frame, in {} cycles from a mix of A and B into C (shaded in turn)",
            plot.steps
        ))
        .y_desc("probability")
        .x_labels(cycle_ticks)
        .y_labels(6)
        .x_label_formatter(&|frame| format!("{frame:.0}"))
        .y_label_formatter(&|probability| format!("{probability:.1}"))
        .label_style(text(LABEL_SIZE, 60))
        .axis_desc_style(text(LABEL_SIZE, 60))
        .draw()?;
    // The last of the list is drawn first, so that the triple's own classes lie on top.
    for &(class, _) in plot.classes.iter().rev() {
        let points = (0..frames).map(|k| {
            (
                k as f64,
                f64::from(plot.probabilities[k * plot.num_classes + class]),
            )
        });
        chart.draw_series(LineSeries::new(points, color(class).stroke_width(2)))?;
    }
    for (line, (class, note)) in plot.classes.iter().enumerate() {
        let y = 24 + 26 * line as i32;
        legend.draw(&PathElement::new(
            [(8, y), (34, y)],
            color(*class).stroke_width(4),
        ))?;
        let name = &plot.class_names[*class];
        let label = if note.is_empty() {
            name.clone()
        } else {
            format!("{name} ({note})")
        };
        legend.draw(&Text::new(label, (42, y - 8), text(LABEL_SIZE, 40)))?;
    }
    root.present()?;
    Ok(())
}
