//! A view: three items and a grid between them, computed.

use super::error::ExploreError;
use super::item::{Input, Pick, Picked};
use super::line;
use super::second::Second;
use super::subject::Subject;
use crate::data::Image;
use crate::engine::cpu::CpuEngine;
use crate::job::Observer;
use crate::landscape::{COLUMNS, GridKind, Landscape, measure};
use crate::model::Classifier;
use crate::pipeline::{
    FlatJob, FlatSettings, Frames, GridJob, MorphSettings, RowJob, classify, compute_flat,
    compute_landscapes, flat_inputs, interpolate_rows, morph_grid,
};
use crate::plot::Tiles;
use crate::report::parts;
use crate::sections::Exactness;
use serde::Deserialize;
use serde_json::json;
use std::time::Instant;

/// Points a side of a grid.
const STEPS: std::ops::RangeInclusive<usize> = 2..=401;
/// Probabilities of an answer at most: 256 MiB.
const MAX_VALUES: usize = 64 << 20;
/// Pixels of a picture of frames at most, each way.
const MAX_FRAMES_PX: usize = 4096;
/// Levels of the frames that are morphed for it: 256 MiB.
const MAX_LEVELS: usize = 64 << 20;
/// Frames larger than this are reduced in the picture, pixels a side.
pub(super) const MAX_FRAME_PX: usize = 64;
const JPEG_QUALITY: u8 = 80;

/// What a page wants to see.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct View {
    /// Which page asks, a random text: its newer requests replace its older ones.
    pub(super) page: String,
    /// Its requests in their order: connections overtake each other.
    #[serde(default)]
    pub(super) turn: u64,
    pub(super) items: [Pick; 3],
    /// The grid, as a run's plan has it; of rows the steps alone matter.
    pub(super) morph: MorphSettings,
    /// The plane or triangle through the items, in the place of mixes; its steps are those of
    /// `morph`.
    #[serde(default)]
    pub(super) flat: Option<FlatSettings>,
    /// The straight line from A to B, in the place of a grid, and whether it is cut exactly where it
    /// is saved or spelled.
    #[serde(default)]
    pub(super) line: Option<Exactness>,
    /// Whether measures are wanted.
    #[serde(default)]
    pub(super) measures: bool,
}

impl View {
    pub(super) fn check(&self) -> Result<(), ExploreError> {
        if self.page.len() > 64 {
            return Err(ExploreError::refused(
                "expected a page of at most 64 letters",
            ));
        }
        if self.line.is_some() && self.flat.is_some() {
            return Err(ExploreError::refused(
                "expected a line or a plane, found both",
            ));
        }
        if let Some(problem) = self.flat.and_then(|flat| flat.range.problem()) {
            return Err(ExploreError::refused(format!(
                "the box of the plane: {problem}"
            )));
        }
        match STEPS.contains(&self.morph.steps) {
            true => Ok(()),
            false => Err(ExploreError::refused(format!(
                "expected {} to {} steps, found {}",
                STEPS.start(),
                STEPS.end(),
                self.morph.steps
            ))),
        }
    }
}

impl Subject {
    /// The three items of a view.
    pub(super) fn picked(&self, view: &View) -> Result<[Picked; 3], ExploreError> {
        let [a, b, c] = &view.items;
        Ok([self.pick(a)?, self.pick(b)?, self.pick(c)?])
    }

    /// Computes a view on all models: what is said of it, then the probabilities of each model
    /// `[steps, steps, classes]`, then of rows the rows `[steps, steps, features]`.
    pub(super) fn compute(
        &self,
        view: &View,
        observer: &dyn Observer,
    ) -> Result<Vec<u8>, ExploreError> {
        view.check()?;
        let started = Instant::now();
        let classes = self.job.class_names().len();
        let steps = view.morph.steps;
        let models = 1 + usize::from(self.against.is_some());
        if steps * steps * classes * models > MAX_VALUES {
            return Err(ExploreError::refused(format!(
                "{steps} x {steps} points of {classes} classes are too many to show; choose fewer steps"
            )));
        }
        let picked = self.picked(view)?;
        let class_names = self.job.class_names();
        let item_classes = picked.each_ref().map(|item| item.class);
        let names = picked.each_ref().map(|item| &item.name);
        let [a, b, c] = item_classes.map(|class| class_names[class].as_str());
        if view.line.is_some() {
            let answers = self.line(&picked, steps, observer)?;
            let said = json!({
                "steps": steps,
                "grid": line::about(steps),
                "overlay": null,
                "title": format!("line from {a} to {b}"),
                "classes": item_classes[..2],
                "items": names[..2],
                "values": null,
                "compute_ms": started.elapsed().as_secs_f64() * 1e3,
            });
            let arrays: Vec<Vec<f32>> = answers
                .probabilities
                .into_iter()
                .chain(answers.rows)
                .collect();
            return Ok(packed(&said.to_string(), &arrays));
        }
        let landscapes = self.landscapes(&picked, view, observer)?;
        let measures = view.measures.then(|| {
            let measures = measure(&landscapes[0], item_classes);
            let columns = COLUMNS.iter();
            columns
                .map(|column| (column.value)(&measures))
                .collect::<Vec<Option<f64>>>()
        });
        let kind = landscapes[0].kind;
        let said = json!({
            "steps": steps,
            "grid": parts::grid(kind, steps),
            "overlay": parts::overlay(&landscapes[0], None),
            "title": kind.title([a, b, c]),
            "classes": item_classes,
            "items": names,
            "values": measures,
            "compute_ms": started.elapsed().as_secs_f64() * 1e3,
        });
        let drawn = landscapes
            .iter()
            .map(|l| l.as_drawn(&l.probabilities, classes));
        let mut arrays: Vec<_> = drawn.collect();
        if let (true, Some(rows)) = (self.has_rows(), &landscapes[0].inputs) {
            arrays.push(landscapes[0].as_drawn(rows, self.job.items().len()));
        }
        Ok(packed(&said.to_string(), &arrays))
    }

    /// The answers of the first model, and of a second one if there is one.
    fn landscapes(
        &self,
        picked: &[Picked; 3],
        view: &View,
        observer: &dyn Observer,
    ) -> Result<Vec<Landscape>, ExploreError> {
        let first = self.landscape(&self.job.model().model, picked, view, observer)?;
        let Some(second) = &self.against else {
            return Ok(vec![first]);
        };
        let answered = match &first.inputs {
            Some(inputs) if second.is_reordered() => self.reordered(second, &first, inputs)?,
            _ => self.landscape(second.model(), &second.picked(picked), view, observer)?,
        };
        Ok(vec![first, second.answered(answered)])
    }

    /// The answers of a model whose columns stand in another order to the rows of the first one's.
    fn reordered(
        &self,
        second: &Second,
        first: &Landscape,
        inputs: &[f32],
    ) -> Result<Landscape, ExploreError> {
        let (width, classes) = (self.job.items().len(), second.model().num_classes());
        let points: Vec<usize> = first.points().collect();
        let row = |&k: &usize| second.row(&inputs[k * width..(k + 1) * width]);
        let rows: Vec<Vec<f32>> = points.iter().map(row).collect();
        let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
        let answers = classify(self.engine.as_ref(), second.model(), &rows)?;
        // Beyond the third edge of a triangle there are none.
        let placed = |values: &[f32]| {
            let mut all = vec![f32::NAN; first.num_frames() * classes];
            for (&k, value) in points.iter().zip(values.chunks_exact(classes)) {
                all[k * classes..(k + 1) * classes].copy_from_slice(value);
            }
            all
        };
        Ok(Landscape {
            num_classes: classes,
            logits: placed(&answers.logits),
            probabilities: placed(&answers.probabilities),
            inputs: None,
            ..first.clone()
        })
    }

    /// One model's answers, as a run computes them.
    fn landscape(
        &self,
        model: &dyn Classifier,
        picked: &[Picked; 3],
        view: &View,
        observer: &dyn Observer,
    ) -> Result<Landscape, ExploreError> {
        let go_on = |done| observer.advance(done);
        let engine = self.engine.as_ref();
        let morph = &view.morph;
        if let Some(flat) = &view.flat {
            let jobs = (morph.steps, &[flat_job(picked)][..]);
            let mut found = compute_flat(
                engine,
                model,
                &self.space(),
                flat,
                jobs,
                Frames::Drop,
                &go_on,
            )?;
            return Ok(found.pop().expect("a landscape for each job"));
        }
        let mut found = match picked.each_ref().map(|item| &item.input) {
            [Input::Image(a), Input::Image(b), Input::Image(c)] => {
                let jobs = [GridJob::new([a, b, c])];
                compute_landscapes(engine, model, morph, &jobs, Frames::Drop, &go_on)?
            }
            rows => {
                let [a, b, c] = rows.map(Input::values);
                interpolate_rows(engine, model, morph.steps, &[RowJob { a, b, c }], &go_on)?
            }
        };
        Ok(found.pop().expect("a landscape for each job"))
    }

    /// The frames of a view as one JPEG, tiles as the page's `run.frame` says.
    pub(super) fn frames(
        &self,
        view: &View,
        observer: &dyn Observer,
    ) -> Result<Vec<u8>, ExploreError> {
        view.check()?;
        let picked = self.picked(view)?;
        let [Input::Image(a), Input::Image(b), Input::Image(c)] =
            picked.each_ref().map(|item| &item.input)
        else {
            return Err(ExploreError::refused("rows have no frames"));
        };
        let steps = view.morph.steps;
        let tile = MAX_FRAME_PX.min(a.width_px.max(a.height_px));
        if view.line.is_some() && steps * tile <= MAX_FRAMES_PX {
            return Ok(line::line_frames([a, b], steps, MAX_FRAME_PX).to_jpeg(JPEG_QUALITY));
        }
        if steps * tile > MAX_FRAMES_PX || steps * steps * a.levels.len() > MAX_LEVELS {
            return Err(ExploreError::refused(format!(
                "{steps} x {steps} frames are too many to show; choose fewer steps"
            )));
        }
        let go_on = |done| observer.advance(done);
        let (frames, kind) = match &view.flat {
            Some(flat) => {
                let levels = flat_inputs(&self.space(), flat, steps, &flat_job(&picked))?;
                let images = levels.chunks_exact(a.levels.len());
                let frame = |levels: &[f32]| Image {
                    levels: levels.to_vec(),
                    ..*a
                };
                (images.map(frame).collect(), flat.kind())
            }
            None => {
                let engine = CpuEngine::new();
                let morphed = morph_grid(&engine, GridJob::new([a, b, c]), &view.morph, &go_on)?;
                (morphed.frames, GridKind::Morph)
            }
        };
        let tiles = Tiles::of_images(&frames, steps);
        Ok(tiles
            .padded_atlas(MAX_FRAME_PX, kind)
            .0
            .to_jpeg(JPEG_QUALITY))
    }
}

/// Three items as a plane or triangle takes them.
fn flat_job(picked: &[Picked; 3]) -> FlatJob<'_> {
    FlatJob {
        items: picked.each_ref().map(|item| item.input.values()),
        name: "the three items".to_owned(),
    }
}

/// A text, its length before it, filled up to four bytes; then floats, little-endian.
fn packed(text: &str, arrays: &[impl AsRef<[f32]>]) -> Vec<u8> {
    let padded = text.len().next_multiple_of(4);
    let floats: usize = arrays.iter().map(|array| array.as_ref().len()).sum();
    let mut bytes = Vec::with_capacity(4 + padded + 4 * floats);
    bytes.extend_from_slice(&(padded as u32).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(4 + padded, b' ');
    for array in arrays {
        match cfg!(target_endian = "little") {
            true => bytes.extend_from_slice(bytemuck::cast_slice(array.as_ref())),
            false => bytes.extend(array.as_ref().iter().flat_map(|value| value.to_le_bytes())),
        }
    }
    bytes
}
