//! Loading a job: what it names is read, and fits together.

use super::{LoadedItems, LoadedJob};
use crate::data::{PaperTable, read_points_file};
use crate::job::error::{JobError, Located};
use crate::job::images::{LoadedImages, other_model};
use crate::job::model::LoadedModel;
use crate::job::observer::{Note, Observer};
use crate::job::own::OwnItems;
use crate::job::spec::{InterpolateJob, Job, SweepJob};
use crate::job::tables::LoadedTable;
use crate::landscape::{ListedItem, choose_lettered_triples, choose_triples};
use crate::mesh::cell_size_px;
use crate::pipeline::{FlatSettings, MapNetwork, MorphMode};
use crate::remedy::{Remedy, Setting};
use crate::sections::{Exactness, Space, SpaceKind};
use std::cell::RefCell;

/// Points a side of a grid.
const STEPS: std::ops::RangeInclusive<usize> = 2..=1001;

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
        let (cell_width, cell_height) = cell_size_px(width, height, self.morph.grid)?;
        let finds_points =
            self.points.is_none() && self.flat.is_none() && self.morph.mode != MorphMode::CrossFade;
        if finds_points && cell_width.max(cell_height) < 4 {
            let text = format!(
                "feature cells of {cell_width} x {cell_height} pixels have no point but their middle, so these morphs are cross-fades"
            );
            let coarser = (width.min(height) / 5).max(1);
            observer.note(&Note {
                remedy: (coarser < self.morph.grid)
                    .then(|| Remedy::new(format!("give {{}} {coarser}"), &[Setting::Grid])),
                ..Note::new(text)
            });
        }
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
