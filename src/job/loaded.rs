//! A job whose model, data and triples are loaded and fit together: ready to compute.
//!
//! ```text
//! Job ─ load ─> LoadedJob ─ landscapes() ─> LandscapeId ─ compute ─> LandscapeFile
//!                  └─ plan() ─> what a run's manifest keeps
//! ```
//!
//! Images and rows differ in how inputs are fetched and computed, and in nothing that is above
//! this file.

use super::error::{JobError, Located};
use super::images::{LoadedImages, other_model};
use super::landscapes::{LandscapeId, landscapes_of, triples_digest, triples_json};
use super::model::LoadedModel;
use super::observer::{Note, Observer};
use super::own::{OwnInput, OwnItems};
use super::spec::{InterpolateJob, Job, SweepJob};
use super::tables::LoadedTable;
use crate::data::{Image, PaperTable, PointLists, Table, read_points_file};
use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::landscape::{
    About, DataPoints, GridKind, Items, Landscape, LandscapeFile, ListedItem, Triple,
    choose_lettered_triples, choose_triples,
};
use crate::mesh::{Point, cell_size_px};
use crate::model::Classifier;
use crate::pipeline::{
    FlatJob, FlatSettings, Frames, GridJob, MapNetwork, MorphMode, MorphSettings, PipelineError,
    RowJob, classify, compute_flat, compute_landscapes, compute_landscapes_of, flat_class_map,
    flat_inputs, interpolate_rows, morph_grid,
};
use crate::remedy::Setting;
use crate::sections::{
    ClassMap, DBVIZ_DIRECTIONS, Exactness, SectionNetwork, Space, SpaceKind, dbviz_deltas,
    dbviz_mean_margin, margin,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Points a side of a grid.
const STEPS: std::ops::RangeInclusive<usize> = 2..=1001;
/// Rows that are classified to be shown with landscapes at most; of more, every n-th.
const MAX_DATA_POINTS: usize = 5000;

/// A job that is ready to compute.
#[derive(Debug)]
pub struct LoadedJob {
    job: Job,
    model: LoadedModel,
    class_names: Vec<String>,
    triples: Vec<Triple>,
    items: LoadedItems,
    /// Those of the triples that are not among the data's.
    own: OwnItems,
    /// Where items lie of which planes or triangles are wanted.
    space: Option<Space>,
    /// The network that cuts them, or why there is none.
    sections: Option<MapNetwork>,
}

/// What landscapes lie between.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of it a job")]
enum LoadedItems {
    Images {
        loaded: LoadedImages,
        sha256: String,
        settings: MorphSettings,
        /// Feature points that a user has set.
        points: Option<PointLists>,
    },
    Rows {
        /// All rows.
        whole: LoadedTable,
        /// Those that groups are drawn from.
        drawn: Table,
        steps: usize,
    },
}

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

impl Job {
    /// Loads what the job names but for its model, of which `model` takes the place: one that no
    /// file holds, such as a function of the host program ([`Model::from_host`]).
    ///
    /// # Errors
    /// As [`Job::load`].
    ///
    /// [`Model::from_host`]: crate::model::Model::from_host
    pub fn load_with(
        &self,
        model: LoadedModel,
        observer: &dyn Observer,
    ) -> Result<LoadedJob, JobError> {
        match self {
            Self::Sweep(job) => job.load_of(model, job.data.load()?, observer),
            Self::Interpolate(job) => job.fit(|_| Ok(model), observer),
        }
    }

    /// Loads what the job names and checks that it fits together. What had to be assumed is
    /// noted.
    ///
    /// # Errors
    /// [`JobError`] with the file or setting and what is wrong with it.
    pub fn load(&self, observer: &dyn Observer) -> Result<LoadedJob, JobError> {
        match self {
            Self::Sweep(job) => job.load(observer),
            Self::Interpolate(job) => job.load(observer),
        }
    }
}

fn check_steps(steps: usize) -> Result<(), JobError> {
    match STEPS.contains(&steps) {
        true => Ok(()),
        false => Err(JobError::setting(
            Setting::Steps,
            steps,
            JobError::unfit("expected 2 to 1001 points a side"),
        )),
    }
}

/// The network that cuts planes or triangles, or why they are sampled, which is noted.
fn flat_sections(
    flat: Option<&FlatSettings>,
    kind: SpaceKind,
    model: &LoadedModel,
    observer: &dyn Observer,
) -> Option<MapNetwork> {
    let flat = flat?;
    let network = flat.map_network(&model.model, kind);
    if let (Err(reason), Exactness::Auto, false) = (&network, flat.exact, flat.clipped) {
        let text = format!("{}: {reason}; class maps are only sampled", model.path);
        observer.note(&Note::new(text));
    }
    Some(network)
}

/// The space of planes or triangles, which are checked and told of.
fn flat_space(
    flat: Option<&FlatSettings>,
    kind: SpaceKind,
    model: &LoadedModel,
    observer: &dyn Observer,
) -> Result<Option<Space>, JobError> {
    let Some(flat) = flat else {
        return Ok(None);
    };
    if let Some(problem) = flat.range.problem() {
        return Err(JobError::setting(
            Setting::Range,
            flat.range,
            JobError::unfit(problem),
        ));
    }
    let refused = match kind {
        _ if !flat.clipped => None,
        _ if !flat.shape.has_box() => Some("mixtures of items never leave the items' range"),
        SpaceKind::Rows => Some("features have no range to be clamped to"),
        SpaceKind::Images => None,
    };
    if let Some(reason) = refused {
        return Err(JobError::unfit_but(
            reason,
            "leave {} out",
            &[Setting::Clipped],
        ));
    }
    let space = Space::new(&model.model, kind);
    if space.is_identity() {
        observer.note(&Note::new(format!(
            "{} does not scale its input, as far as its file says; lengths are in units of the features",
            model.path
        )));
    }
    Ok(Some(space))
}

impl SweepJob {
    /// As [`Job::load`].
    ///
    /// # Errors
    /// As [`Job::load`].
    pub fn load(&self, observer: &dyn Observer) -> Result<LoadedJob, JobError> {
        let data = self.data.load()?;
        let model = self.model.load_for_images(data.images.image_shape())?;
        self.load_of(model, data, observer)
    }

    /// As [`Job::load_with`], and of `images` that no file need hold, in the place of the job's data
    /// ([`LoadedImages::new`]). A run of images that only the host program has cannot be verified.
    ///
    /// # Errors
    /// As [`Job::load`].
    pub fn load_of(
        &self,
        mut model: LoadedModel,
        images: LoadedImages,
        observer: &dyn Observer,
    ) -> Result<LoadedJob, JobError> {
        check_steps(self.morph.steps)?;
        let loaded = images.match_classes(&model, observer)?;
        let images = &loaded.images;
        let place = format!("{} with {}", loaded.path, model.path);
        model
            .fit_images(images.image_shape(), observer)
            .at(&place)?;
        if images.classes().len() > model.model.num_classes() {
            return Err(JobError::Unfit {
                problem: format!(
                    "{place}: expected a model of at least {} classes, found {}",
                    images.classes().len(),
                    model.model.num_classes()
                ),
                remedy: Some(other_model()),
            });
        }
        let points = match (&self.points, self.flat, self.morph.mode) {
            (None, ..) => None,
            (Some(path), None, MorphMode::Clean(_) | MorphMode::Published) => {
                Some(read_points_file(path).in_setting(Setting::Points, path.display())?)
            }
            (Some(path), ..) => {
                let reason = JobError::unfit_but(
                    "only morphs have feature points, and this kind of grid warps nothing",
                    "leave {} out",
                    &[Setting::Points],
                );
                return Err(JobError::setting(Setting::Points, path.display(), reason));
            }
        };
        // A grid that does not fit is found out before anything is written.
        let [height, width, _] = images.image_shape();
        cell_size_px(width, height, self.morph.grid)?;
        let class_names = model.class_names(images.classes());
        let kind = Job::Sweep(self.clone()).kind();
        let labels = || (0..images.len()).map(|item| images.label(item)).collect();
        let own = RefCell::new(OwnItems::behind(images.len()));
        let find = |item: &ListedItem| {
            let item = match item {
                ListedItem::Index(index) => images.checked_index(*index)?,
                ListedItem::Name(name) => images.index_of(name)?,
                ListedItem::Image(image) => {
                    let (shape, classes) = (images.image_shape(), class_names.len());
                    return own.borrow_mut().add_image(image, shape, classes);
                }
                ListedItem::Row(_) => {
                    return Err(JobError::unfit(
                        "expected an image, found a row of values; the data are images",
                    ));
                }
            };
            Ok((item, images.label(item)))
        };
        let triples = self.triples.resolve(
            kind,
            &class_names,
            &find,
            &|groups, fixed, seed| {
                let labels: Vec<usize> = labels();
                let classes = class_names.len();
                choose_triples(&labels, classes, groups, fixed, seed).at(&loaded.path)
            },
            &labels,
        )?;
        model.note_assumptions(observer);
        model.warn_unscaled(observer);
        let space = flat_space(self.flat.as_ref(), SpaceKind::Images, &model, observer)?;
        let sections = flat_sections(self.flat.as_ref(), SpaceKind::Images, &model, observer);
        let job = LoadedJob {
            job: Job::Sweep(self.clone()),
            class_names,
            triples,
            own: own.into_inner(),
            items: LoadedItems::Images {
                sha256: images.sha256_hex()?,
                settings: self.morph,
                points,
                loaded,
            },
            model,
            space,
            sections,
        };
        // Lists that do not match are found out before anything is written.
        for triple in &job.triples {
            job.points_of(triple.items)?;
        }
        job.check_flat()?;
        Ok(job)
    }
}

impl InterpolateJob {
    /// As [`Job::load`].
    ///
    /// # Errors
    /// As [`Job::load`].
    pub fn load(&self, observer: &dyn Observer) -> Result<LoadedJob, JobError> {
        self.fit(|paper| self.model.load_for(paper), observer)
    }

    /// Loads data and triples, and checks that they fit the model of the table.
    fn fit(
        &self,
        model_of: impl FnOnce(Option<&PaperTable>) -> Result<LoadedModel, JobError>,
        observer: &dyn Observer,
    ) -> Result<LoadedJob, JobError> {
        check_steps(self.steps)?;
        let (whole, model) = self.data.load_with(model_of)?;
        self.load_of(model, whole, observer)
    }

    /// As [`Job::load_with`], and of rows that no file need hold, in the place of the job's data
    /// ([`LoadedTable::new`]). A run of rows that only the host program has cannot be verified.
    ///
    /// # Errors
    /// As [`Job::load`].
    pub fn load_of(
        &self,
        model: LoadedModel,
        mut whole: LoadedTable,
        observer: &dyn Observer,
    ) -> Result<LoadedJob, JobError> {
        check_steps(self.steps)?;
        let class_names = whole.fit(&model.model, &model.path)?;
        let per_class = match (self.per_class, whole.paper) {
            (Some(0), _) | (None, None) => None,
            (None, Some(_)) if self.triples.are_listed() => None,
            (Some(number), _) => Some(number),
            (None, Some(_)) => Some(50),
        };
        let seed = self.triples.chosen_by().unwrap_or(1);
        let drawn = match per_class {
            Some(number) => whole.table.draw_per_class(number, seed)?,
            None => whole.table.clone(),
        };
        let own = RefCell::new(OwnItems::behind(drawn.len()));
        let find = |item: &ListedItem| {
            let position = match item {
                ListedItem::Index(index) => drawn.checked_index(*index)?,
                ListedItem::Name(name) => drawn.index_of(name)?,
                ListedItem::Row(row) => {
                    let features = drawn.features();
                    return own.borrow_mut().add_row(row, features, class_names.len());
                }
                ListedItem::Image(_) => {
                    return Err(JobError::unfit(
                        "expected a row of values, found an image; the data are rows",
                    ));
                }
            };
            Ok((position, drawn.label(position)))
        };
        let triples = self.triples.resolve(
            Job::Interpolate(self.clone()).kind(),
            &class_names,
            &find,
            &|groups, fixed, seed| {
                choose_lettered_triples(drawn.labels(), class_names.len(), groups, fixed, seed).at(
                    format!("{}, column \"{}\"", whole.path, drawn.label_column()),
                )
            },
            &|| drawn.labels().to_vec(),
        )?;
        model.note_assumptions(observer);
        whole.note_assumptions(observer);
        let space = flat_space(self.flat.as_ref(), SpaceKind::Rows, &model, observer)?;
        let sections = flat_sections(self.flat.as_ref(), SpaceKind::Rows, &model, observer);
        let job = LoadedJob {
            job: Job::Interpolate(self.clone()),
            class_names,
            triples,
            own: own.into_inner(),
            items: LoadedItems::Rows {
                whole,
                drawn,
                steps: self.steps,
            },
            model,
            space,
            sections,
        };
        job.check_flat()?;
        Ok(job)
    }
}

impl LoadedJob {
    /// What was asked for.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// The classifier.
    pub fn model(&self) -> &LoadedModel {
        &self.model
    }

    /// The name of every class of the model.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The triples that landscapes lie between.
    pub fn triples(&self) -> &[Triple] {
        &self.triples
    }

    /// All landscapes, in the order of their names: those of a triple stay together.
    pub fn landscapes(&self) -> Vec<LandscapeId> {
        landscapes_of(self.kind(), &self.triples)
    }

    /// How the inputs of its landscapes come from their items.
    pub fn kind(&self) -> GridKind {
        self.job.kind()
    }

    /// Planes or triangles as they are laid, and the space they lie in; nothing where landscapes are
    /// others.
    pub(crate) fn flat(&self) -> Option<(&FlatSettings, &Space)> {
        self.job.flat().zip(self.space.as_ref())
    }

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
    fn check_flat(&self) -> Result<(), JobError> {
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
    fn flat_jobs<'a>(&'a self, ids: &[LandscapeId], fetched: &'a Fetched) -> Vec<FlatJob<'a>> {
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

    /// Points a side of a landscape.
    pub fn steps(&self) -> usize {
        match &self.items {
            LoadedItems::Images { settings, .. } => settings.steps,
            LoadedItems::Rows { steps, .. } => *steps,
        }
    }

    /// Its images, as they were loaded; nothing where the items are rows.
    #[cfg(feature = "atlas")]
    pub(super) fn loaded_images(&self) -> Option<&LoadedImages> {
        match &self.items {
            LoadedItems::Images { loaded, .. } => Some(loaded),
            LoadedItems::Rows { .. } => None,
        }
    }

    /// Its whole table; nothing where the items are images.
    #[cfg(feature = "atlas")]
    pub(super) fn loaded_table(&self) -> Option<&LoadedTable> {
        match &self.items {
            LoadedItems::Images { .. } => None,
            LoadedItems::Rows { whole, .. } => Some(whole),
        }
    }

    /// What the items are.
    pub fn items(&self) -> Items {
        match &self.items {
            LoadedItems::Images { loaded, .. } => Items::Images {
                shape: loaded.images.image_shape(),
            },
            LoadedItems::Rows { drawn, .. } => Items::Rows {
                features: drawn.features().to_vec(),
            },
        }
    }

    /// Values of an input of the model.
    pub(crate) fn input_values(&self) -> usize {
        self.items().len()
    }

    /// The name of the item at a position, e.g. `t10k#9`.
    pub fn item_name(&self, position: usize) -> String {
        if let Some(own) = self.own.get(position) {
            return own.name.clone();
        }
        match &self.items {
            LoadedItems::Images { loaded, .. } => loaded.images.item_name(position),
            LoadedItems::Rows { drawn, .. } => drawn.item_name(position),
        }
    }

    /// The item at a position as a list of triples has it.
    pub(crate) fn listed_item(&self, position: usize) -> ListedItem {
        match self.own.get(position) {
            Some(own) => own.listed.clone(),
            None => ListedItem::Name(self.item_name(position)),
        }
    }

    /// How many items groups are drawn from and lists may name.
    pub fn num_items(&self) -> usize {
        match &self.items {
            LoadedItems::Images { loaded, .. } => loaded.images.len(),
            LoadedItems::Rows { drawn, .. } => drawn.len(),
        }
    }

    /// The class of the item at a position.
    ///
    /// # Panics
    /// Where there is none, as in what follows.
    pub fn item_class(&self, position: usize) -> usize {
        if let Some(own) = self.own.get(position) {
            return own.class;
        }
        match &self.items {
            LoadedItems::Images { loaded, .. } => loaded.images.label(position),
            LoadedItems::Rows { drawn, .. } => drawn.label(position),
        }
    }

    /// The position of the item of this name.
    ///
    /// # Errors
    /// [`JobError`] where there is none.
    pub fn item_named(&self, name: &str) -> Result<usize, JobError> {
        Ok(match &self.items {
            LoadedItems::Images { loaded, .. } => loaded.images.index_of(name)?,
            LoadedItems::Rows { drawn, .. } => drawn.index_of(name)?,
        })
    }

    /// The image at a position; nothing where the items are rows.
    ///
    /// # Errors
    /// [`JobError`] where its file cannot be read any more.
    pub fn image(&self, position: usize) -> Result<Option<Image>, JobError> {
        match (&self.items, self.own.get(position).map(|own| &own.input)) {
            (LoadedItems::Images { .. }, Some(OwnInput::Image(image))) => Ok(Some(image.clone())),
            (LoadedItems::Images { loaded, .. }, _) => Ok(Some(loaded.images.image(position)?)),
            (LoadedItems::Rows { .. }, _) => Ok(None),
        }
    }

    /// The row at a position; nothing where the items are images.
    pub fn row(&self, position: usize) -> Option<&[f32]> {
        match &self.items {
            LoadedItems::Images { .. } => None,
            LoadedItems::Rows { .. } => Some(self.row_at(position)),
        }
    }

    /// The row at a position, of items that are rows.
    fn row_at(&self, position: usize) -> &[f32] {
        match (&self.items, self.own.get(position).map(|own| &own.input)) {
            (_, Some(OwnInput::Row(row))) => row,
            (LoadedItems::Rows { drawn, .. }, _) => drawn.row(position),
            (LoadedItems::Images { .. }, _) => unreachable!("asked of rows alone"),
        }
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
    fn points_of(&self, items: [usize; 3]) -> Result<Option<SetPoints>, JobError> {
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

    /// The inputs at these positions of the data.
    pub(crate) fn item_inputs(&self, positions: &[usize]) -> Result<Vec<Vec<f32>>, JobError> {
        let input = |&position: &usize| match self.image(position)? {
            Some(image) => Ok(image.levels),
            None => Ok(self.row_at(position).to_vec()),
        };
        positions.iter().map(input).collect()
    }

    /// The space that sections of the model are cut in.
    pub(super) fn space_kind(&self) -> SpaceKind {
        match &self.items {
            LoadedItems::Images { .. } => SpaceKind::Images,
            LoadedItems::Rows { .. } => SpaceKind::Rows,
        }
    }

    /// dbViz's margin of an item: towards items of the data that a seed draws for it. Nothing for
    /// too few hits.
    pub(super) fn dbviz_margin(
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
    pub(super) fn compute_beside(
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

    /// A landscape with everything its file says.
    pub(crate) fn named(&self, id: &LandscapeId, landscape: Landscape) -> LandscapeFile {
        let about = self.about(id);
        LandscapeFile { about, landscape }
    }

    /// What a landscape's file says of it; measures on finer grids are a run's to add.
    pub(crate) fn about(&self, id: &LandscapeId) -> About {
        About {
            name: id.name.clone(),
            permutation: id.permutation,
            item_names: id.items.map(|item| self.item_name(item)),
            item_classes: id.classes,
            class_names: self.class_names.clone(),
            model: self.model.path.clone(),
            model_sha256: self.model.model.sha256().to_owned(),
            items: self.items(),
            settings: self.settings(),
            finer_measures: None,
        }
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

    /// How grids are made, for captions and files.
    fn settings(&self) -> Map<String, Value> {
        if let Some(flat) = self.job.flat() {
            let how = serde_json::to_value(flat).expect("settings are plain data");
            return how.as_object().cloned().unwrap_or_default();
        }
        match &self.items {
            LoadedItems::Images {
                settings, points, ..
            } => {
                let mut how = json!({
                    "grid": settings.grid,
                    "mode": settings.mode.name(),
                    "sampling": settings.mode.sampling().name(),
                });
                if let Some(points) = points {
                    how["points_sha256"] = json!(points.sha256());
                }
                how.as_object().cloned().unwrap_or_default()
            }
            LoadedItems::Rows { .. } => Map::new(),
        }
    }

    /// What a manifest says of the data.
    pub(crate) fn data_json(&self) -> Value {
        match &self.items {
            LoadedItems::Images { loaded, sha256, .. } => {
                json!({"path": loaded.path, "sha256": sha256, "items": loaded.images.len()})
            }
            LoadedItems::Rows { whole, drawn, .. } => json!({
                "path": whole.path,
                "sha256": drawn.sha256_hex(),
                "items": whole.table.len(),
                "drawn": drawn.len(),
                "left_out": drawn.left_out(),
            }),
        }
    }

    /// What a manifest says of the model.
    pub(crate) fn model_json(&self) -> Value {
        let LoadedModel { model, path } = &self.model;
        json!({"path": path, "sha256": model.sha256(), "classes": self.class_names})
    }

    /// Everything that decides the numbers of a run: the job itself and what its names stand for.
    /// Triples are listed, or where nothing but rows stays of them, digested.
    pub(crate) fn plan(&self, triples: ListOf) -> Map<String, Value> {
        let job = serde_json::to_value(&self.job).expect("a job is plain data");
        let mut plan = job.as_object().cloned().unwrap_or_default();
        let listed = |index: &dyn Fn(usize) -> usize| match triples {
            ListOf::All => triples_json(&self.triples, index),
            ListOf::Digest => triples_digest(&self.triples),
        };
        let (triples, data_sha256) = match &self.items {
            LoadedItems::Images {
                sha256,
                loaded,
                points,
                ..
            } => {
                if let Some(points) = points {
                    plan.insert("points_sha256".into(), json!(points.sha256()));
                }
                if let Some(order) = loaded.images.class_order() {
                    plan.insert("class_order".into(), json!(order));
                }
                (listed(&|item| item), sha256.as_str())
            }
            LoadedItems::Rows { whole, drawn, .. } => {
                // What was found out about a file decides its numbers as what is told.
                if whole.paper.is_none() {
                    plan.insert("class_order".into(), json!(drawn.class_order()));
                    plan.insert("delimiter".into(), json!(drawn.delimiter()));
                }
                plan.insert("features".into(), json!(drawn.features()));
                plan.insert("label".into(), json!(drawn.label_column()));
                (
                    listed(&|position| match self.own.get(position) {
                        Some(_) => position,
                        None => drawn.index(position),
                    }),
                    drawn.sha256_hex(),
                )
            }
        };
        if !self.own.names().is_empty() {
            plan.insert("own".into(), json!(self.own.names()));
        }
        plan.insert("triples".into(), triples);
        plan.insert("model_sha256".into(), json!(self.model.model.sha256()));
        plan.insert("data_sha256".into(), json!(data_sha256));
        plan
    }
}

/// How a plan states triples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListOf {
    /// One by one.
    All,
    /// Their number and the SHA-256 of their list.
    Digest,
}
