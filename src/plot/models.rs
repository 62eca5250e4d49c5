//! Several classifiers side by side: their maps of the same landscapes and where they disagree, the
//! agreement of each two as a matrix, and one point a triple for each two.

use super::canvas::{Anchor, CHART_SCALE, Canvas, Place, Stroke, Type};
use super::style::{
    HEADER, INK, LABEL_SIZE, MARGIN, MUTED, PAPER, RULE, SMALL_SIZE, blend, chart_text, color,
    fitted, heat, opaque,
};
use plotters::prelude::*;

/// The maps of some landscapes, a row each, a column a model and one where they disagree.
#[derive(Debug, Clone)]
pub struct ModelMaps<'a> {
    /// First line above the figure.
    pub title: &'a str,
    /// Lines below it.
    pub subtitle: &'a str,
    /// Name of each model.
    pub models: &'a [String],
    /// Name of every class.
    pub class_names: &'a [String],
    /// Points a side.
    pub steps: usize,
    /// The landscapes.
    pub rows: &'a [ModelMapsRow<'a>],
}

/// A landscape of every model.
#[derive(Debug, Clone)]
pub struct ModelMapsRow<'a> {
    /// Its name, and below it what it lies between.
    pub lines: Vec<String>,
    /// Each model's class at every point, row by row; nothing where a frame failed.
    pub labels: Vec<&'a [Option<u16>]>,
}

const SIDE: f64 = 178.0;
const GAP: f64 = 14.0;
const NAMES: f64 = 150.0;
const LEGEND: f64 = 190.0;
/// Cells a side that are drawn at most; of more, every n-th.
const MAX_CELLS: usize = 101;

/// Share of the models whose class is not the most common one at each point, of equally common ones
/// the first, 0..1. Nothing where a frame failed in any.
pub fn disagreement(labels: &[&[Option<u16>]]) -> Vec<Option<f64>> {
    let points = labels.first().map_or(0, |labels| labels.len());
    (0..points)
        .map(|k| {
            let here: Vec<u16> = labels
                .iter()
                .map(|labels| labels[k])
                .collect::<Option<_>>()?;
            let count = |class: u16| here.iter().filter(|&&label| label == class).count();
            let most = here.iter().map(|&class| count(class)).max()?;
            Some((here.len() - most) as f64 / here.len() as f64)
        })
        .collect()
}

/// Draws the maps as SVG.
pub fn model_maps(plot: &ModelMaps<'_>) -> String {
    let columns = plot.models.len() + 1;
    let left = MARGIN + NAMES;
    let width = left + (SIDE + GAP) * columns as f64 + LEGEND + MARGIN;
    let top = HEADER + 26.0;
    let height = top + (SIDE + GAP) * plot.rows.len() as f64 + MARGIN;
    let mut canvas = Canvas::new(width, height, plot.title, plot.subtitle);
    let corner = |row: usize, column: usize| {
        [
            left + (SIDE + GAP) * column as f64,
            top + (SIDE + GAP) * row as f64,
        ]
    };
    let disagree = "where they disagree".to_owned();
    for (column, name) in plot.models.iter().chain([&disagree]).enumerate() {
        let [x, y] = corner(0, column);
        canvas.text(
            [x + SIDE / 2.0, y - 9.0],
            &fitted(name, LABEL_SIZE, SIDE),
            Type::new(LABEL_SIZE, INK, Anchor::Middle),
        );
    }
    let mut seen = vec![false; plot.class_names.len()];
    for (row, landscape) in plot.rows.iter().enumerate() {
        for (line, text) in landscape.lines.iter().enumerate() {
            let shade = if line == 0 { INK } else { MUTED };
            let place = [MARGIN, corner(row, 0)[1] + 16.0 + 17.0 * line as f64];
            let text = fitted(text, SMALL_SIZE + 1.0, NAMES - GAP);
            canvas.text(
                place,
                &text,
                Type::new(SMALL_SIZE + 1.0, shade, Anchor::Start),
            );
        }
        for (column, labels) in landscape.labels.iter().enumerate() {
            for label in labels.iter().flatten() {
                seen[usize::from(*label)] = true;
            }
            let fill = |k: usize| labels[k].map(|label| color(usize::from(label)));
            draw_map(&mut canvas, corner(row, column), plot.steps, &fill);
        }
        let shares = disagreement(&landscape.labels);
        // Of two models one at most differs from the more common class; more models, the larger
        // part.
        let most = 1.0 - 1.0 / plot.models.len() as f64;
        let fill = |k: usize| shares[k].map(|share| blend(PAPER, INK, 0.85 * share / most));
        draw_map(&mut canvas, corner(row, columns - 1), plot.steps, &fill);
    }
    let entries: Vec<(RGBColor, String)> = (seen.iter().enumerate())
        .filter(|(_, seen)| **seen)
        .map(|(class, _)| (color(class), plot.class_names[class].clone()))
        .collect();
    let [x, y] = corner(0, columns);
    canvas.legend([x + 6.0, y], LEGEND - 6.0, &entries);
    canvas.finish()
}

fn draw_map(
    canvas: &mut Canvas,
    [x, y]: Place,
    steps: usize,
    fill: &dyn Fn(usize) -> Option<RGBColor>,
) {
    let indices: Vec<usize> = (0..steps).step_by(steps.div_ceil(MAX_CELLS)).collect();
    let side = SIDE / indices.len() as f64;
    for (row, &i) in indices.iter().enumerate() {
        // Neighbours of one colour are one rectangle.
        let mut column = 0;
        while column < indices.len() {
            let here = fill(i * steps + indices[column]);
            let end = (column..indices.len())
                .find(|&n| fill(i * steps + indices[n]) != here)
                .unwrap_or(indices.len());
            if let Some(shade) = here {
                let shade = opaque(shade);
                let place = [x + side * column as f64, y + side * row as f64];
                let edge = Stroke {
                    color: shade,
                    width_px: 1.0,
                };
                canvas.rectangle(
                    place,
                    [side * (end - column) as f64, side],
                    shade,
                    Some(edge),
                );
            }
            column = end;
        }
    }
    let frame = Stroke {
        color: opaque(MUTED),
        width_px: 1.0,
    };
    canvas.rectangle([x, y], [SIDE, SIDE], TRANSPARENT, Some(frame));
}

/// Draws a value 0..1 of each two of `names` as SVG; `value` is asked for both orders.
pub fn pair_matrix(
    title: &str,
    subtitle: &str,
    names: &[String],
    value: &dyn Fn(usize, usize) -> Option<f64>,
) -> String {
    const CELL: f64 = 86.0;
    const LABELS: f64 = 170.0;
    let side = CELL * names.len() as f64;
    let [left, top] = [MARGIN + LABELS, HEADER + 30.0];
    let mut canvas = Canvas::new(
        (left + side + MARGIN).max(560.0),
        top + side + MARGIN,
        title,
        subtitle,
    );
    // Lighter is more alike; what separates good models lies between the lowest value and 1.
    let values = (0..names.len()).flat_map(|a| (0..names.len()).map(move |b| (a, b)));
    let lowest = values
        .filter_map(|(a, b)| value(a, b))
        .fold(1.0f64, f64::min)
        .min(0.999);
    for (a, name) in names.iter().enumerate() {
        let y = top + CELL * a as f64;
        let label = fitted(name, LABEL_SIZE, LABELS - 14.0);
        let look = Type::new(LABEL_SIZE, INK, Anchor::End);
        canvas.text([left - 10.0, y + CELL / 2.0 + 5.0], &label, look);
        let label = fitted(name, SMALL_SIZE, CELL - 12.0);
        let look = Type::new(SMALL_SIZE, INK, Anchor::Middle);
        canvas.text([left + CELL * (a as f64 + 0.5), top - 9.0], &label, look);
        for b in 0..names.len() {
            let x = left + CELL * b as f64;
            let Some(found) = value(a, b) else {
                continue;
            };
            let share = (found - lowest) / (1.0 - lowest);
            let edge = Stroke {
                color: opaque(PAPER),
                width_px: 1.5,
            };
            canvas.rectangle([x, y], [CELL, CELL], opaque(heat(share)), Some(edge));
            let shade = if share > 0.6 { INK } else { PAPER };
            let look = Type::new(LABEL_SIZE + 1.0, shade, Anchor::Middle);
            let place = [x + CELL / 2.0, y + CELL / 2.0 + 5.0];
            canvas.text(place, &format!("{found:.3}"), look);
        }
    }
    canvas.finish()
}

/// The values of one pair of models, one a triple.
#[derive(Debug, Clone)]
pub struct PairDots {
    /// Names of both.
    pub name: String,
    /// Value of each triple.
    pub values: Vec<f64>,
    /// Their mean with its interval.
    pub mean: [f64; 3],
}

/// Draws one point a triple, a row a pair, with the mean and its interval, as SVG.
pub fn pair_dots(title: &str, subtitle: &str, measure: &str, rows: &[PairDots]) -> String {
    const ROW: u32 = 46;
    const PLOT: u32 = 560;
    const LABELS: f64 = 300.0;
    let height = ROW * rows.len().max(1) as u32 + 52;
    let mut canvas = Canvas::new(
        2.0 * MARGIN + LABELS + f64::from(PLOT),
        HEADER + f64::from(height) + MARGIN,
        title,
        subtitle,
    );
    for (n, row) in rows.iter().enumerate() {
        let y = HEADER + f64::from(ROW) * (n as f64 + 0.5) + 5.0;
        let look = Type::new(LABEL_SIZE, INK, Anchor::End);
        let name = fitted(&row.name, LABEL_SIZE, LABELS - 12.0);
        canvas.text([MARGIN + LABELS - 8.0, y], &name, look);
    }
    let values = rows.iter().flat_map(|row| &row.values);
    let lowest = values.copied().fold(1.0, f64::min);
    let start = (10.0 * lowest).floor() / 10.0;
    canvas.chart([MARGIN + LABELS, HEADER], [PLOT, height], |area| {
        let last = rows.len() as f64;
        let unit = f64::from(CHART_SCALE);
        let mut chart = ChartBuilder::on(area)
            .margin_left(18 * CHART_SCALE)
            .margin_right(18 * CHART_SCALE)
            .set_label_area_size(LabelAreaPosition::Bottom, 52 * CHART_SCALE)
            .build_cartesian_2d(start.min(0.9)..1.0, last..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(236, 236, 236).stroke_width(CHART_SCALE))
            .axis_style(RULE.stroke_width(CHART_SCALE))
            .x_desc(measure)
            .x_labels(6)
            .x_label_formatter(&|value| format!("{value:.2}"))
            .label_style(chart_text(1.24 * SMALL_SIZE * unit, MUTED))
            .axis_desc_style(chart_text(1.24 * (SMALL_SIZE + 1.0) * unit, INK))
            .draw()?;
        for (n, row) in rows.iter().enumerate() {
            let middle = n as f64 + 0.5;
            // Points are spread over the row's height in an even, fixed pattern, so that many stay
            // apart.
            let spread = |m: usize| middle + 0.5 * ((m as f64 * 0.618_034) % 1.0 - 0.5);
            let points = row.values.iter().enumerate();
            chart.draw_series(points.map(|(m, &value)| {
                Circle::new((value, spread(m)), 30, color(n).mix(0.7).filled())
            }))?;
            let [mean, low, high] = row.mean;
            let line = |from: f64, to: f64, width: u32| {
                LineSeries::new([(from, middle), (to, middle)], INK.stroke_width(width))
            };
            chart.draw_series(line(low, high, 18))?;
            chart.draw_series([Circle::new((mean, middle), 42, INK.filled())])?;
        }
        Ok(())
    });
    canvas.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disagreement_counts_those_outside_the_most_common_class() {
        let [a, b, c]: [&[Option<u16>]; 3] = [
            &[Some(1), Some(1), Some(1), Some(0)],
            &[Some(1), Some(2), Some(2), None],
            &[Some(1), Some(2), Some(3), Some(0)],
        ];
        let third = Some(1.0 / 3.0);
        assert_eq!(
            disagreement(&[a, b, c]),
            [Some(0.0), third, Some(2.0 / 3.0), None]
        );
    }
}
