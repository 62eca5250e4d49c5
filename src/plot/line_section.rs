//! The section of a line: the logits as the polylines they are, the classes as bands, what samples see
//! of it as dots.

use super::canvas::{Anchor, Canvas, Place, Stroke, Type};
use super::style::{
    HEADER, INK, LABEL_SIZE, MARGIN, MUTED, PAPER, RULE, SMALL_SIZE, color, fitted, opaque,
};

const WIDTH: f64 = 1200.0;
const PLOT: [f64; 2] = [880.0, 360.0];
const BAND: f64 = 26.0;
const LEFT: f64 = 70.0;
/// Ends of pieces marked at most; more would be a bar.
const MAX_TICKS: usize = 1000;

/// A line and what is known of it.
#[derive(Debug, Clone)]
pub struct LineSectionPlot<'a> {
    /// First line above the plot.
    pub title: &'a str,
    /// Lines below it.
    pub subtitle: &'a str,
    /// Ends of the pieces in t, or the samples.
    pub t: &'a [f64],
    /// Logits there, `[t.len(), num_classes]`.
    pub logits: &'a [f64],
    /// Whether logits are affine between the ends, so that lines are drawn.
    pub is_exact: bool,
    /// Ends of the class intervals, one more than classes.
    pub breaks: &'a [f64],
    /// Their classes.
    pub classes: &'a [usize],
    /// Name of each class.
    pub class_names: &'a [String],
    /// Samples that are marked on it, evenly from end to end.
    pub samples: usize,
    /// What stands below it: the certificate.
    pub sentence: &'a str,
}

/// Draws it as SVG.
///
/// # Panics
/// When there are no classes or fewer than two ends.
pub fn line_section_plot(plot: &LineSectionPlot<'_>) -> String {
    let top = HEADER + 16.0;
    let height = top + PLOT[1] + BAND + 96.0;
    let mut canvas = Canvas::new(WIDTH, height, plot.title, plot.subtitle);
    let num_classes = plot.class_names.len();
    let at = |k: usize, class: usize| plot.logits[k * num_classes + class];
    // The classes that win somewhere; the others never matter on this line.
    let mut shown: Vec<usize> = plot.classes.to_vec();
    shown.sort_unstable();
    shown.dedup();
    let values = (0..plot.t.len()).flat_map(|k| shown.iter().map(move |&class| at(k, class)));
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let span = (high - low).max(f64::MIN_POSITIVE);
    let [first, last] = [plot.t[0], plot.t[plot.t.len() - 1]];
    let x = |t: f64| MARGIN + LEFT + PLOT[0] * (t - first) / (last - first);
    let y = |logit: f64| top + PLOT[1] * (1.0 - (logit - low) / span);
    let stroke = |shade, width_px| Stroke {
        color: opaque(shade),
        width_px,
    };
    draw_frame(
        &mut canvas,
        [MARGIN + LEFT, top],
        [low, high],
        [first, last],
    );
    for &b in &plot.breaks[1..plot.breaks.len() - 1] {
        let ends = [[x(b), top], [x(b), top + PLOT[1] + BAND]];
        canvas.segments(&[ends], stroke(RULE, 1.0));
    }
    if plot.is_exact && plot.t.len() <= MAX_TICKS {
        let tick = |&t: &f64| [[x(t), top + PLOT[1] - 5.0], [x(t), top + PLOT[1]]];
        let ticks: Vec<[Place; 2]> = plot.t.iter().map(tick).collect();
        canvas.segments(&ticks, stroke(MUTED, 0.6));
    }
    if plot.is_exact {
        for &class in &shown {
            let place = |k: usize| [x(plot.t[k]), y(at(k, class))];
            let places: Vec<Place> = (0..plot.t.len()).map(place).collect();
            canvas.line(&places, stroke(color(class), 2.0));
        }
    }
    for (ends, &class) in plot.breaks.windows(2).zip(plot.classes) {
        let corner = [x(ends[0]), top + PLOT[1]];
        let size = [x(ends[1]) - x(ends[0]), BAND];
        canvas.rectangle(corner, size, opaque(color(class)), None);
    }
    draw_samples(&mut canvas, plot, &at, &x, &y);
    let entries: Vec<_> = shown
        .iter()
        .map(|&class| (color(class), plot.class_names[class].clone()))
        .collect();
    canvas.legend(
        [MARGIN + LEFT + PLOT[0] + 30.0, top + 6.0],
        WIDTH - LEFT - PLOT[0] - 3.0 * MARGIN,
        &entries,
    );
    let sentence = fitted(plot.sentence, SMALL_SIZE, WIDTH - 2.0 * MARGIN);
    let look = Type::new(SMALL_SIZE, MUTED, Anchor::Start);
    canvas.text([MARGIN, top + PLOT[1] + BAND + 78.0], &sentence, look);
    canvas.finish()
}

fn draw_frame(canvas: &mut Canvas, [left, top]: Place, [low, high]: [f64; 2], ends: [f64; 2]) {
    let edge = Stroke {
        color: opaque(MUTED),
        width_px: 1.0,
    };
    let clear = plotters::style::TRANSPARENT;
    canvas.rectangle([left, top], PLOT, clear, Some(edge));
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let t = ends[0] + share * (ends[1] - ends[0]);
        let small = Type::new(SMALL_SIZE, MUTED, Anchor::Middle);
        let below = [left + PLOT[0] * share, top + PLOT[1] + BAND + 18.0];
        canvas.text(below, &format!("{t}"), small);
        let logit = low + share * (high - low);
        let beside = [left - 8.0, top + PLOT[1] * (1.0 - share) + 4.0];
        let look = Type::new(SMALL_SIZE, MUTED, Anchor::End);
        canvas.text(beside, &format!("{logit:.1}"), look);
    }
    let look = Type::new(LABEL_SIZE, INK, Anchor::Middle);
    let middle = left + PLOT[0] / 2.0;
    canvas.text(
        [middle, top + PLOT[1] + BAND + 42.0],
        "t, from the first input to the second",
        look,
    );
    let upright = Type {
        turn: -90.0,
        ..look
    };
    canvas.text([left - 52.0, top + PLOT[1] / 2.0], "logit", upright);
}

/// Dots on the largest logit where samples lie.
fn draw_samples(
    canvas: &mut Canvas,
    plot: &LineSectionPlot<'_>,
    at: &dyn Fn(usize, usize) -> f64,
    x: &dyn Fn(f64) -> f64,
    y: &dyn Fn(f64) -> f64,
) {
    let edge = Stroke {
        color: opaque(PAPER),
        width_px: 1.0,
    };
    let [first, last] = [plot.t[0], plot.t[plot.t.len() - 1]];
    for n in 0..plot.samples {
        let t = first + (last - first) * n as f64 / (plot.samples.max(2) - 1) as f64;
        let k = plot
            .t
            .partition_point(|&end| end <= t)
            .clamp(1, plot.t.len() - 1);
        let share = (t - plot.t[k - 1]) / (plot.t[k] - plot.t[k - 1]);
        let between = |class| at(k - 1, class) + share * (at(k, class) - at(k - 1, class));
        let classes = 0..plot.class_names.len();
        let best = classes.max_by(|&a, &b| between(a).total_cmp(&between(b)).then(b.cmp(&a)));
        if let Some(class) = best {
            canvas.circle(
                [x(t), y(between(class))],
                4.2,
                opaque(color(class)),
                Some(edge),
            );
        }
    }
}
