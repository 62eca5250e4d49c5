//! The straight line from A to B: samples of it, and where the class changes, exactly.
//!
//! A line is no grid: it has one row of points, and C does not matter. Its samples are those of
//! `morphscape line`, and its intervals too ([`cut_inputs`]).

use super::error::ExploreError;
use super::item::Picked;
use super::second::of_each;
use super::subject::Subject;
use crate::data::{Image, Picture};
use crate::job::Observer;
use crate::landscape::GridKind;
use crate::model::Classifier;
use crate::pipeline::{PipelineError, classify};
use crate::plot::Tiles;
use crate::run::{cut_inputs, line_inputs};
use crate::sections::{SectionLabel, SectionNetwork, line_parameters};
use serde_json::{Value, json};

/// More pieces than this are not cut: cutting cannot be interrupted.
const MAX_PIECES: usize = 200_000;

/// The answers of each model on a line, `[steps, classes]`, and of rows the rows `[steps, features]`.
pub(super) struct LineAnswers {
    pub(super) probabilities: Vec<Vec<f32>>,
    pub(super) rows: Option<Vec<f32>>,
}

/// What the page's script knows of a line, as of a grid.
pub(super) fn about(steps: usize) -> Value {
    json!({
        "kind": "line",
        "axes": {"down": "", "down_short": "", "across": "from A to B"},
        "flat": false,
        "points": steps,
        "about": "A line is what the classifier answers on the straight line from item A to item B, value by value; every point holds the probability of every class (after the softmax).",
        "roles": ["the item at t = 0", "the item at t = 1", "not on the line"],
    })
}

/// The two items of a line, which must differ.
fn ends(picked: &[Picked; 3]) -> Result<[&[f32]; 2], ExploreError> {
    let ends = [picked[0].input.values(), picked[1].input.values()];
    match ends[0] == ends[1] {
        true => Err(ExploreError::refused(
            "expected two different items as A and B, found one twice",
        )),
        false => Ok(ends),
    }
}

impl Subject {
    /// Asks each model for the points of a line.
    pub(super) fn line(
        &self,
        picked: &[Picked; 3],
        steps: usize,
        observer: &dyn Observer,
    ) -> Result<LineAnswers, ExploreError> {
        let t = line_parameters(steps, [0.0, 1.0]);
        let inputs = line_inputs(ends(picked)?, &t);
        let ask = |model: &dyn Classifier, inputs: &[Vec<f32>]| {
            if observer.advance(0).is_break() {
                return Err(PipelineError::Interrupted);
            }
            let rows: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
            Ok(classify(self.engine.as_ref(), model, &rows)?.probabilities)
        };
        let mut probabilities = vec![ask(&self.job.model().model, &inputs)?];
        if let Some(second) = &self.against {
            let own = match self.has_rows() {
                true => inputs.iter().map(|row| second.row(row)).collect(),
                false => line_inputs(ends(&second.picked(picked))?, &t),
            };
            let found = ask(second.model(), &own)?;
            probabilities.push(second.probabilities(&found));
        }
        Ok(LineAnswers {
            probabilities,
            rows: self.has_rows().then(|| inputs.concat()),
        })
    }

    /// The class intervals of each model on the line.
    pub(super) fn intervals(
        &self,
        picked: &[Picked; 3],
        steps: usize,
    ) -> Result<Value, ExploreError> {
        let ends = ends(picked)?;
        let first = (self.network()).and_then(|network| intervals_of(network, ends, steps, Some));
        let second = self.against.as_ref().map(|second| {
            let [from, to, _] = second.values(picked);
            let ends = [&from[..], &to[..]];
            let class_of = |output| second.class_of(output);
            (second.network()).and_then(|network| intervals_of(network, ends, steps, class_of))
        });
        of_each(first, second)
    }
}

/// The class intervals of a model, whose outputs are classes of the first.
fn intervals_of(
    network: &SectionNetwork,
    ends: [&[f32]; 2],
    steps: usize,
    class_of: impl Fn(usize) -> Option<usize>,
) -> Result<Value, ExploreError> {
    let (label, mut intervals, sentence) = cut_inputs(network, ends, MAX_PIECES, steps)?;
    for interval in &mut intervals {
        interval.class = class_of(interval.class).ok_or_else(|| {
            ExploreError::refused("it predicts a class that the first model does not have")
        })?;
    }
    let label = match label {
        SectionLabel::Exact => "exact".to_owned(),
        SectionLabel::Certified { width, .. } => {
            format!("certified: each change lies within {width:.1e} of its place")
        }
        SectionLabel::Sampled { points } => format!("sampled at {points} points"),
    };
    Ok(json!({
        "intervals": intervals,
        "label": label,
        "sentence": sentence,
    }))
}

/// The frames of a line beside each other, tiles as the page's `run.frame` says.
pub(super) fn line_frames([a, b]: [&Image; 2], steps: usize, max_frame_px: usize) -> Picture {
    let t = line_parameters(steps, [0.0, 1.0]);
    let mut row: Option<Picture> = None;
    for (k, levels) in line_inputs([&a.levels, &b.levels], &t)
        .into_iter()
        .enumerate()
    {
        let tiles = Tiles::of_images(&[Image { levels, ..*a }], 1);
        let (tile, _, _) = tiles.padded_atlas(max_frame_px, GridKind::Morph);
        let row = row.get_or_insert_with(|| {
            Picture::filled(steps * tile.width_px, tile.height_px, tile.channels, 0)
        });
        row.put(&tile, k * tile.width_px, 0);
    }
    row.expect("a line has two points or more")
}
