//! Points in every pair of features (Powers, Shi, Liebovitch, Fig. 6).

use super::canvas::{Anchor, Type};
use super::canvas::{CHART_SCALE, Canvas};
use super::style::{
    HEADER, INK, LABEL_SIZE, MARGIN, MUTED, PAPER, RULE, SMALL_SIZE, blend, chart_text, color,
    fitted, printable,
};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Points to scatter.
#[derive(Debug, Clone)]
pub struct ScatterPairs<'a> {
    /// First line above the plot.
    pub title: &'a str,
    /// Second line above the plot.
    pub subtitle: &'a str,
    /// Name of each feature.
    pub features: &'a [String],
    /// Points `[n, features]`, row-major.
    pub points: &'a [f32],
    /// Predicted class of each point.
    pub labels: &'a [usize],
    /// Probability of the predicted class of each point: how large and how strong it is drawn.
    pub probabilities: &'a [f32],
    /// The points that are items, with their letters.
    pub anchors: &'a [(usize, &'a str)],
    /// Data to stand behind the points as rings.
    pub behind: Option<Behind<'a>>,
    /// The range of every feature; without one each has that of its points and data.
    pub range: Option<std::ops::Range<f64>>,
    /// A name for each class that appears, in the order of the legend.
    pub legend: &'a [(usize, String)],
}

/// Data behind the points.
#[derive(Debug, Clone, Copy)]
pub struct Behind<'a> {
    /// Rows `[n, features]`.
    pub points: &'a [f32],
    /// Their own classes.
    pub classes: &'a [usize],
    /// Every how many rows of the data one is here.
    pub every: usize,
}

/// Features drawn in pairs at most: 28 pairs.
const MAX_FEATURES: usize = 8;
/// Points drawn at most; of more, every n-th.
const MAX_POINTS: usize = 12_000;
const PANEL: [u32; 2] = [330, 300];
const LEGEND: f64 = 210.0;

/// Draws every two features against each other as SVG. Of more than 8 features the first 8 are
/// drawn, and the figure says so.
///
/// # Panics
/// When the numbers of points, labels and probabilities differ.
pub fn scatter_pairs(plot: &ScatterPairs<'_>) -> String {
    let width = plot.features.len();
    assert_eq!(plot.points.len(), plot.labels.len() * width);
    assert_eq!(plot.labels.len(), plot.probabilities.len());
    let drawn = width.min(MAX_FEATURES);
    let pairs: Vec<(usize, usize)> = (0..drawn)
        .flat_map(|x| (x + 1..drawn).map(move |y| (x, y)))
        .collect();
    let columns = match pairs.len() {
        0..=3 => pairs.len().max(1),
        4 => 2,
        5..=9 => 3,
        _ => 4,
    };
    let rows = pairs.len().div_ceil(columns).max(1);
    let legend_left = MARGIN + f64::from(PANEL[0]) * columns as f64 + 14.0;
    let mut canvas = Canvas::new(
        legend_left + LEGEND,
        HEADER + f64::from(PANEL[1]) * rows as f64 + MARGIN,
        plot.title,
        plot.subtitle,
    );
    for (n, &(x, y)) in pairs.iter().enumerate() {
        let corner = [
            MARGIN / 2.0 + f64::from(PANEL[0]) * (n % columns) as f64,
            HEADER + f64::from(PANEL[1]) * (n / columns) as f64,
        ];
        canvas.chart(corner, PANEL, |area| draw_pair(area, plot, x, y));
    }
    draw_legend(&mut canvas, plot, [legend_left, HEADER + 12.0], drawn);
    canvas.finish()
}

fn draw_legend(canvas: &mut Canvas, plot: &ScatterPairs<'_>, place: [f64; 2], drawn: usize) {
    let entries: Vec<_> = plot
        .legend
        .iter()
        .map(|(class, name)| (color(*class), name.clone()))
        .collect();
    let [x, y] = canvas.legend(place, LEGEND - MARGIN, &entries);
    let mut lines = vec![
        "dots: predicted class; larger and".to_owned(),
        "stronger: more probable".to_owned(),
    ];
    let every = plot.labels.len().div_ceil(MAX_POINTS);
    if every > 1 {
        lines.push(format!("one in {every} points is drawn"));
    }
    match plot.behind.map(|behind| behind.every) {
        Some(1) => lines.push("rings: the data, own class".to_owned()),
        Some(every) => lines.push(format!("rings: data, one in {every} rows")),
        None => {}
    }
    if !plot.anchors.is_empty() {
        let letters: Vec<&str> = plot.anchors.iter().map(|&(_, letter)| letter).collect();
        lines.push(format!("{}: the items", letters.join(", ")));
    }
    if drawn < plot.features.len() {
        lines.push(format!("first {drawn} of {} features", plot.features.len()));
    }
    for (line, text) in lines.iter().enumerate() {
        canvas.text(
            [x, y + 20.0 + 17.0 * line as f64],
            text,
            Type::new(SMALL_SIZE, MUTED, Anchor::Start),
        );
    }
}

/// The range of a feature over points and data, with a little room.
fn range(plot: &ScatterPairs<'_>, feature: usize) -> std::ops::Range<f64> {
    if let Some(range) = &plot.range {
        return range.clone();
    }
    let width = plot.features.len();
    let behind = plot.behind.map_or(&[][..], |behind| behind.points);
    let values = plot
        .points
        .chunks_exact(width)
        .chain(behind.chunks_exact(width))
        .map(|row| f64::from(row[feature]));
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    if low > high {
        return 0.0..1.0;
    }
    let room = if high > low { 0.07 * (high - low) } else { 0.5 };
    low - room..high + room
}

/// Writes values of a range to the decimals that tell its ticks apart, very large and very small
/// ones with an exponent.
fn tick(range: &std::ops::Range<f64>) -> impl Fn(&f64) -> String + use<> {
    let span = range.end - range.start;
    let largest = range.start.abs().max(range.end.abs());
    let decimals = (2.0 - span.log10().floor()).max(0.0) as usize;
    move |value| {
        if decimals > 6 || largest >= 1e6 {
            return format!("{value:.1e}");
        }
        let text = format!("{value:.decimals$}");
        let text = match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.'),
            false => &text,
        };
        if text == "-0" { "0" } else { text }.to_owned()
    }
}

fn axis_name(feature: &str) -> String {
    fitted(&printable(feature), SMALL_SIZE + 1.0, 250.0)
}

fn draw_pair(
    area: &super::canvas::ChartArea<'_>,
    plot: &ScatterPairs<'_>,
    x: usize,
    y: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let width = plot.features.len();
    let unit = f64::from(CHART_SCALE);
    let (x_range, y_range) = (range(plot, x), range(plot, y));
    let (x_tick, y_tick) = (tick(&x_range), tick(&y_range));
    let mut chart = ChartBuilder::on(area)
        .margin(8 * CHART_SCALE)
        .set_label_area_size(LabelAreaPosition::Left, 54 * CHART_SCALE)
        .set_label_area_size(LabelAreaPosition::Bottom, 42 * CHART_SCALE)
        .build_cartesian_2d(x_range, y_range)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(236, 236, 236).stroke_width(CHART_SCALE))
        .axis_style(RULE.stroke_width(CHART_SCALE))
        .set_all_tick_mark_size(3 * CHART_SCALE)
        .x_desc(axis_name(&plot.features[x]))
        .y_desc(axis_name(&plot.features[y]))
        .x_labels(5)
        .y_labels(5)
        .x_label_formatter(&x_tick)
        .y_label_formatter(&y_tick)
        .label_style(chart_text(1.24 * SMALL_SIZE * unit, MUTED))
        .axis_desc_style(chart_text(1.24 * (SMALL_SIZE + 1.0) * unit, INK))
        .draw()?;
    let place = |row: &[f32]| (f64::from(row[x]), f64::from(row[y]));
    if let Some(Behind {
        points, classes, ..
    }) = plot.behind
    {
        chart.draw_series(
            points
                .chunks_exact(width)
                .zip(classes)
                .map(|(row, &class)| {
                    let ring = blend(PAPER, color(class), 0.6).stroke_width(9);
                    Circle::new(place(row), 34, ring)
                }),
        )?;
    }
    // The surest last, so that they lie on top.
    let every = plot.labels.len().div_ceil(MAX_POINTS).max(1);
    let mut order: Vec<usize> = (0..plot.labels.len()).step_by(every).collect();
    order.sort_by(|&a, &b| plot.probabilities[a].total_cmp(&plot.probabilities[b]));
    chart.draw_series(order.into_iter().map(|n| {
        let probability = f64::from(plot.probabilities[n]);
        let shade = blend(PAPER, color(plot.labels[n]), 0.25 + 0.75 * probability);
        let radius = (14.0 + 22.0 * probability) as i32;
        Circle::new(
            place(&plot.points[n * width..(n + 1) * width]),
            radius,
            shade.filled(),
        )
    }))?;
    for &(n, letter) in plot.anchors {
        let at = place(&plot.points[n * width..(n + 1) * width]);
        chart.draw_series([
            Circle::new(at, 82, WHITE.filled()),
            Circle::new(at, 82, INK.stroke_width(13)),
        ])?;
        let look = chart_text(1.24 * LABEL_SIZE * unit * 0.86, INK)
            .pos(Pos::new(HPos::Center, VPos::Center));
        chart.draw_series([Text::new(letter.to_owned(), at, look)])?;
    }
    Ok(())
}
