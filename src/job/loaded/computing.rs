//! What a loaded job computes: its landscapes, and beside them class maps, frames and margins.

use super::{LoadedItems, LoadedJob};
use crate::data::Image;
use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::job::error::{JobError, Located};
use crate::job::landscapes::{LandscapeId, landscapes_of};
use crate::job::model::{LoadedModel, labels_warning};
use crate::job::observer::Observer;
use crate::landscape::{DataPoints, Items, Landscape, LandscapeFile, argmax};
use crate::mesh::Point;
use crate::model::Classifier;
use crate::pipeline::{
    FlatJob, Frames, GridJob, MorphSettings, PipelineError, RowJob, classify, compute_flat,
    compute_landscapes, compute_landscapes_of, flat_class_map, flat_inputs, interpolate_rows,
    morph_grid,
};
use crate::remedy::Setting;
use crate::sections::{
    ClassMap, DBVIZ_DIRECTIONS, SectionNetwork, dbviz_deltas, dbviz_mean_margin, margin,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// Items whose labels are compared with what the model says at most; of more, every n-th.
const MAX_LABELLED: usize = 300;

/// Images that are read for it where the run has none yet.
const MAX_IMAGES_READ: usize = 60;

/// How a model answers labelled items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AsLabelled {
    /// So many as they are labelled,
    items: usize,
    /// of so many.
    of: usize,
    /// What was said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}
/// Rows that are classified to be shown with landscapes at most; of more, every n-th.
const MAX_DATA_POINTS: usize = 5000;

/// The inputs of some landscapes, read from where they lie.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// Images by their positions; rows are in memory anyhow.
    images: BTreeMap<usize, Image>,
    /// Their feature points, where a user has set them.
    points: BTreeMap<usize, Vec<Point>>,
}

/// The feature points of three items, with their positions.
type SetPoints = [(usize, Vec<Point>); 3];

impl Fetched {
    /// The images of landscapes that they were fetched for.
    pub(crate) fn grid_jobs(&self, landscapes: &[LandscapeId]) -> Vec<GridJob<'_>> {
        landscapes
            .iter()
            .map(|id| {
                let [a, b, c] = id.items.map(|item| &self.images[&item]);
                let points = id
                    .items
                    .map(|item| self.points.get(&item).map(Vec::as_slice));
                let points = match points {
                    [Some(a), Some(b), Some(c)] => Some([a, b, c]),
                    _ => None,
                };
                GridJob {
                    points,
                    ..GridJob::new([a, b, c])
                }
            })
            .collect()
    }
}

impl LoadedJob {
    /// The class map beside a sampled plane or triangle; nothing of other landscapes.
    pub(crate) fn class_map(&self, id: &LandscapeId) -> Result<Option<ClassMap>, JobError> {
        let (Some((settings, space)), Some(network)) = (self.flat(), &self.sections) else {
            return Ok(None);
        };
        let steps = self.steps();
        let ids = std::slice::from_ref(id);
        let fetched = self.fetch(ids)?;
        let job = &self.flat_jobs(ids, &fetched)[0];
        Ok(Some(flat_class_map(network, space, settings, steps, job)?))
    }

    /// Refuses items that span no plane before anything is written; of very many triples those that
    /// are looked at first.
    pub(super) fn check_flat(&self) -> Result<(), JobError> {
        /// Triples whose items are read to be looked at.
        const CHECKED: usize = 200;
        let Some((settings, space)) = self.flat() else {
            return Ok(());
        };
        let first = &self.triples[..self.triples.len().min(CHECKED)];
        let ids = landscapes_of(self.kind(), first);
        let fetched = self.fetch(&ids)?;
        for job in self.flat_jobs(&ids, &fetched) {
            settings.check(space, &job)?;
        }
        Ok(())
    }

    /// The items of landscapes, as inputs.
    pub(super) fn flat_jobs<'a>(
        &'a self,
        ids: &[LandscapeId],
        fetched: &'a Fetched,
    ) -> Vec<FlatJob<'a>> {
        let jobs = ids.iter().map(|id| FlatJob {
            items: id.items.map(|position| self.input_of(fetched, position)),
            name: format!(
                "{} ({})",
                id.name,
                id.items.map(|position| self.item_name(position)).join(", ")
            ),
        });
        jobs.collect()
    }

    /// Computes some landscapes.
    ///
    /// # Errors
    /// [`JobError`] when a file cannot be read any more, the engine fails, or the observer stops
    /// the job.
    pub fn compute(
        &self,
        engine: &dyn Engine,
        landscapes: &[LandscapeId],
        observer: &dyn Observer,
    ) -> Result<Vec<LandscapeFile>, JobError> {
        let fetched = self.fetch(landscapes)?;
        let computed = self.compute_fetched(
            engine,
            landscapes,
            &fetched,
            self.steps(),
            Frames::Drop,
            observer,
        )?;
        let named = landscapes.iter().zip(computed);
        Ok(named
            .map(|(id, landscape)| self.named(id, landscape))
            .collect())
    }

    /// The feature points of three items, where a user has set them.
    pub(super) fn points_of(&self, items: [usize; 3]) -> Result<Option<SetPoints>, JobError> {
        let LoadedItems::Images {
            loaded,
            points: Some(points),
            ..
        } = &self.items
        else {
            return Ok(None);
        };
        let [height, width, _] = loaded.images.image_shape();
        let names = items.map(|item| self.item_name(item));
        let lists = points.of(names.iter().map(String::as_str), [width, height]);
        let [a, b, c] =
            <[_; 3]>::try_from(lists.in_setting(Setting::Points, "")?).expect("a list an item");
        Ok(Some([(items[0], a), (items[1], b), (items[2], c)]))
    }

    /// Reads the inputs of some landscapes, each once.
    pub(crate) fn fetch(&self, landscapes: &[LandscapeId]) -> Result<Fetched, JobError> {
        let images = match &self.items {
            LoadedItems::Images { .. } => {
                let mut images = BTreeMap::new();
                for item in landscapes.iter().flat_map(|id| id.items) {
                    images.extend(self.image(item)?.map(|image| (item, image)));
                }
                images
            }
            LoadedItems::Rows { .. } => BTreeMap::new(),
        };
        let mut points = BTreeMap::new();
        for id in landscapes {
            points.extend(self.points_of(id.items)?.into_iter().flatten());
        }
        Ok(Fetched { images, points })
    }

    /// The input at a position that something was fetched for.
    ///
    /// # Panics
    /// Where the items are images, and nothing was.
    pub(crate) fn input_of<'a>(&'a self, fetched: &'a Fetched, position: usize) -> &'a [f32] {
        match &self.items {
            LoadedItems::Images { .. } => &fetched.images[&position].levels,
            LoadedItems::Rows { .. } => self.row_at(position),
        }
    }

    /// Computes landscapes from what was fetched for them, on grids of `steps` points a side.
    pub(crate) fn compute_fetched(
        &self,
        engine: &dyn Engine,
        landscapes: &[LandscapeId],
        fetched: &Fetched,
        steps: usize,
        frames: Frames,
        observer: &dyn Observer,
    ) -> Result<Vec<Landscape>, PipelineError> {
        let go_on = |done| observer.advance(done);
        if let Some((settings, space)) = self.flat() {
            let jobs = self.flat_jobs(landscapes, fetched);
            let model = &self.model.model;
            return compute_flat(
                engine,
                model,
                space,
                settings,
                (steps, &jobs),
                frames,
                &go_on,
            );
        }
        match &self.items {
            LoadedItems::Images { settings, .. } => {
                let settings = MorphSettings { steps, ..*settings };
                self.compute_images(engine, landscapes, fetched, &settings, frames, observer)
            }
            LoadedItems::Rows { .. } => {
                let rows: Vec<RowJob<'_>> = landscapes
                    .iter()
                    .map(|id| {
                        let [a, b, c] = id.items.map(|position| self.row_at(position));
                        RowJob { a, b, c }
                    })
                    .collect();
                interpolate_rows(engine, &self.model.model, steps, &rows, &go_on)
            }
        }
    }

    /// Computes landscapes of images, morphed in another way than the job says.
    ///
    /// # Panics
    /// Where the items are rows.
    pub(crate) fn compute_images(
        &self,
        engine: &dyn Engine,
        landscapes: &[LandscapeId],
        fetched: &Fetched,
        settings: &MorphSettings,
        frames: Frames,
        observer: &dyn Observer,
    ) -> Result<Vec<Landscape>, PipelineError> {
        let jobs = fetched.grid_jobs(landscapes);
        let go_on = |done| observer.advance(done);
        compute_landscapes(engine, &self.model.model, settings, &jobs, frames, &go_on)
    }

    /// How the model answers labelled items: 300 of the run's at most, and rows of the table besides; a few
    /// of the data where the run has none yet. Nothing of a bundled model or a function. Warns as
    /// [`labels_warning`] does.
    pub(crate) fn ask_for_labels(
        &self,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<Option<AsLabelled>, JobError> {
        // A function of the host program says what its classes are, and may take its time.
        let model = &self.model.model;
        let is_function = model.runs_on_host() && model.classes().is_some();
        if self.model.is_bundled() || is_function {
            return Ok(None);
        }
        let items: BTreeSet<usize> = self.triples.iter().flat_map(|t| t.items).collect();
        let every = items.len().div_ceil(MAX_LABELLED).max(1);
        let mut items: BTreeSet<usize> = items.into_iter().step_by(every).collect();
        let more = match self.items() {
            Items::Rows { .. } => MAX_LABELLED.saturating_sub(items.len()),
            Items::Images { .. } if items.is_empty() => MAX_IMAGES_READ,
            Items::Images { .. } => 0,
        };
        if more > 0 {
            let every = self.num_items().div_ceil(more).max(1);
            items.extend((0..self.num_items()).step_by(every));
        }
        let items: Vec<usize> = items.into_iter().collect();
        let inputs = self.item_inputs(&items)?;
        let rows: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let answers = classify(engine, &self.model.model, &rows)?.probabilities;
        let answers = answers.chunks_exact(self.class_names.len());
        let asked: Vec<(&str, bool)> = (items.iter().zip(answers))
            .map(|(&item, answer)| {
                let class = self.item_class(item);
                (self.class_names[class].as_str(), argmax(answer) == class)
            })
            .collect();
        let warning = labels_warning(&self.model, &asked);
        if let Some(warning) = &warning {
            observer.note(warning);
        }
        Ok(Some(AsLabelled {
            items: asked.iter().filter(|(_, is_right)| *is_right).count(),
            of: asked.len(),
            warning: warning.map(|warning| warning.text),
        }))
    }

    /// The inputs at these positions of the data.
    pub(crate) fn item_inputs(&self, positions: &[usize]) -> Result<Vec<Vec<f32>>, JobError> {
        let input = |&position: &usize| match self.image(position)? {
            Some(image) => Ok(image.levels),
            None => Ok(self.row_at(position).to_vec()),
        };
        positions.iter().map(input).collect()
    }

    /// dbViz's margin of an item: towards items of the data that a seed draws for it. Nothing for
    /// too few hits.
    pub(in crate::job) fn dbviz_margin(
        &self,
        network: &SectionNetwork,
        position: usize,
        seed: u64,
    ) -> Result<Option<f64>, JobError> {
        let all = match &self.items {
            LoadedItems::Images { loaded, .. } => loaded.images.len(),
            LoadedItems::Rows { drawn, .. } => drawn.len(),
        };
        // An item's directions are its own, whatever other items a run has.
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(position as u64);
        let towards: Vec<usize> = (0..DBVIZ_DIRECTIONS)
            .map(|_| rng.random_range(0..all))
            .filter(|&other| other != position)
            .collect();
        let point = |position: usize| -> Result<Vec<f64>, JobError> {
            let inputs = self.item_inputs(&[position])?;
            Ok(network.space().point(&inputs[0]))
        };
        let (own, reach) = (
            point(position)?,
            dbviz_deltas().last().copied().unwrap_or(0.0),
        );
        let mut margins = Vec::with_capacity(towards.len());
        for other in towards {
            let other_point = point(other)?;
            if other_point == own {
                continue;
            }
            let found = margin(network, &own, &other_point, reach).at(self.item_name(position))?;
            margins.push(found.dbviz);
        }
        Ok(dbviz_mean_margin(&margins))
    }

    /// Computes landscapes of the job's model and of `others`, which take the same inputs: a list a
    /// model. Images are morphed once.
    pub(in crate::job) fn compute_beside(
        &self,
        engine: &dyn Engine,
        landscapes: &[LandscapeId],
        others: &[&LoadedModel],
        observer: &dyn Observer,
    ) -> Result<Vec<Vec<Landscape>>, JobError> {
        let fetched = self.fetch(landscapes)?;
        let (frames, steps) = (Frames::Drop, self.steps());
        let (LoadedItems::Images { settings, .. }, [_, ..]) = (&self.items, others) else {
            let own =
                self.compute_fetched(engine, landscapes, &fetched, steps, frames, observer)?;
            return Ok(vec![own]);
        };
        let models: Vec<&dyn Classifier> = std::iter::once(&self.model)
            .chain(others.iter().copied())
            .map(|loaded| &loaded.model as &dyn Classifier)
            .collect();
        let jobs = fetched.grid_jobs(landscapes);
        let go_on = |done| observer.advance(done);
        Ok(compute_landscapes_of(
            engine, &models, settings, &jobs, frames, &go_on,
        )?)
    }

    /// The frames of a landscape of images, `steps * steps` of them, for figures; nothing for
    /// rows. They are morphed again where they are drawn, on the CPU, so that computing brings
    /// back answers alone, whatever figures are wanted.
    pub(crate) fn frames(&self, id: &LandscapeId) -> Result<Option<Vec<Image>>, JobError> {
        let LoadedItems::Images {
            loaded, settings, ..
        } = &self.items
        else {
            return Ok(None);
        };
        if let Some((flat, space)) = self.flat() {
            let ids = std::slice::from_ref(id);
            let fetched = self.fetch(ids)?;
            let job = &self.flat_jobs(ids, &fetched)[0];
            let [height_px, width_px, channels] = loaded.images.image_shape();
            let levels = flat_inputs(space, flat, settings.steps, job)?;
            let images = levels.chunks_exact(height_px * width_px * channels);
            let images = images.map(|levels| Image {
                width_px,
                height_px,
                channels,
                levels: levels.to_vec(),
            });
            return Ok(Some(images.collect()));
        }
        let fetched = self.fetch(std::slice::from_ref(id))?;
        let job = fetched.grid_jobs(std::slice::from_ref(id)).remove(0);
        let go_on = |_| ControlFlow::Continue(());
        let morphed = morph_grid(&CpuEngine::new(), job, settings, &go_on)?;
        Ok(Some(morphed.frames))
    }

    /// The rows of the data with the model's answers, to be shown with landscapes of rows.
    pub(crate) fn data_points(
        &self,
        engine: &dyn Engine,
    ) -> Result<Option<DataPoints>, PipelineError> {
        let LoadedItems::Rows { whole, .. } = &self.items else {
            return Ok(None);
        };
        let table = &whole.table;
        let every = table.len().div_ceil(MAX_DATA_POINTS);
        let positions: Vec<usize> = (0..table.len()).step_by(every).collect();
        let rows: Vec<&[f32]> = positions
            .iter()
            .map(|&position| table.row(position))
            .collect();
        let answers = classify(engine, &self.model.model, &rows)?;
        Ok(Some(DataPoints {
            features: table.features().to_vec(),
            class_names: self.class_names.clone(),
            rows: rows.concat(),
            labels: positions
                .iter()
                .map(|&position| table.label(position))
                .collect(),
            probabilities: answers.probabilities,
            every,
        }))
    }
}
