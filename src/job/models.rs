//! Several classifiers on the same inputs, as plain data, and loaded.
//!
//! Each classifier is loaded as the job of its own run between the same items: so it may differ
//! from the others in format, scaling and in the order of its columns and classes, and what has to
//! be assumed of it is said in the words of `sweep`. Frames are made once, for the first, and given
//! to every other that takes images of the same shape.

use super::data::LoadedData;
use super::error::JobError;
use super::landscapes::LandscapeId;
use super::loaded::{ListOf, LoadedJob};
use super::model::{LoadedModel, ModelSource};
use super::observer::{Note, Observer, Stage};
use super::spec::{Job, SweepJob};
use super::triples::Triples;
use crate::data::ClassMatch;
use crate::defaults::with_defaults;
use crate::engine::Engine;
use crate::landscape::{Items, LandscapeFile, ListedTriple, argmax};
use crate::model::{ModelError, Network};
use crate::pipeline::{PipelineError, classify};
use crate::remedy::{Setting, some_names};
use crate::sections::SectionNetwork;
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

with_defaults! {
    /// Classifiers on the landscapes of one job.
    #[derive(Debug, Clone, PartialEq)]
    pub struct ModelsJob {
        /// The data, the triples and the grids; the classifier that it names is not asked.
        pub on: Job = Job::Sweep(SweepJob::default()),
        /// The classifiers; of a series, from the first to the last.
        pub models: Vec<ModelSource> = Vec::new(),
        /// How the classes of each are found among those of the first: by name, or in their order.
        pub class_match: ClassMatch = ClassMatch::Name,
        /// Seed of the intervals' resamples.
        pub resample_seed: u64 = 1,
    }
}

/// Classifiers that fit the same landscapes.
#[derive(Debug)]
pub struct LoadedModels {
    job: ModelsJob,
    candidates: Vec<Candidate>,
}

/// One of the classifiers.
#[derive(Debug)]
struct Candidate {
    name: String,
    job: LoadedJob,
    /// For each class of the first the output that stands for it.
    outputs: Vec<usize>,
}

impl ModelsJob {
    /// Loads the classifiers, data and triples, and checks that all of them fit together.
    ///
    /// # Errors
    /// [`JobError`] where there is no classifier, one does not take the inputs, or its classes are
    /// not those of the first.
    pub fn load(&self, observer: &dyn Observer) -> Result<LoadedModels, JobError> {
        self.fit(|_, job, observer| job.load(observer), observer)
    }

    /// The same of classifiers and data that a host program holds, in the place of those that the job
    /// names; classifiers are as many as the job has.
    ///
    /// # Errors
    /// As [`ModelsJob::load`].
    pub fn load_of(
        &self,
        models: &[LoadedModel],
        data: &LoadedData,
        observer: &dyn Observer,
    ) -> Result<LoadedModels, JobError> {
        let load = |n: usize, job: &Job, observer: &dyn Observer| {
            job.load_of(models[n].clone(), data.clone(), observer)
        };
        self.fit(load, observer)
    }

    /// Holds classifiers against each other; `load` loads the job of the n-th.
    fn fit(
        &self,
        load: impl Fn(usize, &Job, &dyn Observer) -> Result<LoadedJob, JobError>,
        observer: &dyn Observer,
    ) -> Result<LoadedModels, JobError> {
        let Some((first, others)) = self.models.split_first() else {
            return Err(JobError::unfit("expected at least one model, found none"));
        };
        // What all loads have to say, once.
        let observer = &Once::new(observer);
        let lead = load(0, &self.on.with_model(first), observer)?;
        let mut candidates = Vec::with_capacity(self.models.len());
        let listed = same_triples(&lead);
        for (n, model) in others.iter().enumerate() {
            let mut job = self.on.with_model(model);
            job.take_items(listed.clone());
            let job = load(n + 1, &job, observer).map_err(|error| beside(error, &lead))?;
            let outputs = outputs_for(
                lead.class_names(),
                job.class_names(),
                self.class_match,
                || format!("{} beside {}", job.model().path, lead.model().path),
            )?;
            candidates.push((job, outputs));
        }
        let identity = (0..lead.class_names().len()).collect();
        candidates.insert(0, (lead, identity));
        let names = short_names(candidates.iter().map(|(job, _)| job.model().path.as_str()));
        let candidates = candidates.into_iter().zip(names);
        Ok(LoadedModels {
            job: self.clone(),
            candidates: candidates
                .map(|((job, outputs), name)| Candidate { name, job, outputs })
                .collect(),
        })
    }
}

/// The error of a classifier beside one that took the images: where it takes others, no size of theirs
/// fits both.
fn beside(error: JobError, lead: &LoadedJob) -> JobError {
    let mut cause: Option<&dyn Error> = Some(&error);
    let mut found = None;
    while let (Some(error), None) = (cause, &found) {
        if let Some(ModelError::Input {
            expected,
            found: given,
            ..
        }) = error.downcast_ref()
        {
            found = Some((expected.clone(), given.clone()));
        }
        cause = error.source();
    }
    match (&error, found) {
        (JobError::At { place, .. }, Some((expected, given))) => JobError::unfit(format!(
            "{place}: the model takes {expected}, {} is given {given}; models that are held against each other take the same inputs",
            lead.model().path
        )),
        _ => error,
    }
}

/// The triples of a job, by the names of their items.
fn same_triples(job: &LoadedJob) -> Triples {
    let listed = job.triples().iter().map(|triple| ListedTriple {
        name: triple.name.clone(),
        items: triple.items.map(|item| job.listed_item(item)),
    });
    Triples::Listed(listed.collect())
}

/// For each of `wanted` the position of that class among `found`.
///
/// # Errors
/// [`JobError`] where the classes are others.
pub(crate) fn outputs_for(
    wanted: &[String],
    found: &[String],
    class_match: ClassMatch,
    place: impl Fn() -> String,
) -> Result<Vec<usize>, JobError> {
    if wanted.len() != found.len() {
        return Err(JobError::unfit(format!(
            "{}: expected {} classes, {}; found {}: {}",
            place(),
            wanted.len(),
            some_names(wanted),
            found.len(),
            some_names(found)
        )));
    }
    if class_match == ClassMatch::Order {
        return Ok((0..wanted.len()).collect());
    }
    let position = |class: &String| {
        let same = |name: &String| name.to_lowercase() == class.to_lowercase();
        found.iter().position(same).ok_or_else(|| {
            JobError::unfit_but(
                format!(
                    "{}: expected the classes {}; found {}",
                    place(),
                    some_names(wanted),
                    some_names(found)
                ),
                "if they are the same classes in the same order, give {} order",
                &[Setting::Match],
            )
        })
    };
    wanted.iter().map(position).collect()
}

/// A short name for each path: the file's own, with its folder or a number where two are alike.
fn short_names<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    let paths: Vec<&str> = paths.collect();
    let stem = |path: &str| {
        let path = Path::new(path);
        let stem = path.file_stem().unwrap_or(path.as_os_str());
        stem.to_string_lossy().into_owned()
    };
    let with_folder = |path: &str| match Path::new(path).parent().and_then(Path::file_name) {
        Some(folder) => format!("{}/{}", folder.to_string_lossy(), stem(path)),
        None => stem(path),
    };
    let are_distinct = |names: &[String]| names.iter().collect::<HashSet<_>>().len() == names.len();
    let mut names: Vec<String> = paths.iter().map(|path| stem(path)).collect();
    if !are_distinct(&names) {
        names = paths.iter().map(|path| with_folder(path)).collect();
    }
    if !are_distinct(&names) {
        let numbered = names.iter().enumerate();
        names = numbered
            .map(|(n, name)| format!("{} {name}", n + 1))
            .collect();
    }
    names
}

impl LoadedModels {
    /// What was asked for.
    pub fn job(&self) -> &ModelsJob {
        &self.job
    }

    /// The job of the first classifier, whose classes are those of all landscapes.
    pub fn lead(&self) -> &LoadedJob {
        &self.candidates[0].job
    }

    /// A short name of each classifier.
    pub fn names(&self) -> Vec<String> {
        let names = self.candidates.iter();
        names.map(|candidate| candidate.name.clone()).collect()
    }

    /// Values of an input that are in memory for every point of a landscape: a row is kept, and a
    /// frame where the host runs a network, which is asked after the others.
    pub(crate) fn kept_values(&self) -> usize {
        let lead = self.lead();
        let mut models = self.candidates.iter().map(|one| &one.job.model().model);
        let by_kernels = models.all(|model| matches!(model.network(), Network::Steps(_)));
        match lead.kind().is_morphed() && by_kernels {
            true => 0,
            false => lead.input_values(),
        }
    }

    /// The same classifiers by other names, one each.
    #[must_use]
    pub fn with_names(mut self, names: Vec<String>) -> Self {
        for (candidate, name) in self.candidates.iter_mut().zip(names) {
            candidate.name = name;
        }
        self
    }

    /// Computes some landscapes of each classifier: a list a classifier, the landscapes of the first
    /// first. Frames are morphed once.
    ///
    /// # Errors
    /// As [`LoadedJob::compute`].
    pub fn compute(
        &self,
        engine: &dyn Engine,
        ids: &[LandscapeId],
        observer: &dyn Observer,
    ) -> Result<Vec<Vec<LandscapeFile>>, JobError> {
        let (lead, others) = (self.lead(), &self.candidates[1..]);
        let shares = |candidate: &Candidate| {
            lead.kind().is_morphed() && candidate.job.items() == lead.items()
        };
        let sharing = others.iter().filter(|candidate| shares(candidate));
        let sharing: Vec<&LoadedModel> = sharing.map(|candidate| candidate.job.model()).collect();
        let mut together = (lead.compute_beside(engine, ids, &sharing, observer)?).into_iter();
        let mut all = Vec::with_capacity(self.candidates.len());
        all.extend(together.next());
        for candidate in others {
            if shares(candidate) {
                all.extend(together.next());
            } else {
                // Its own items by its own positions, in the same order.
                let own = candidate.own_ids(ids);
                all.extend(candidate.job.compute_beside(engine, &own, &[], observer)?);
            }
        }
        let named = all.into_iter().zip(&self.candidates);
        Ok(named
            .map(|(landscapes, candidate)| {
                let files = ids.iter().zip(landscapes);
                files
                    .map(|(id, landscape)| LandscapeFile {
                        about: self.about(candidate, id),
                        landscape: landscape.with_classes_from(&candidate.outputs),
                    })
                    .collect()
            })
            .collect())
    }

    /// What every classifier answers to each item of some landscapes, in the order of the items in
    /// the data; with `margins` how far each lies from another class, as dbViz has it, of the first
    /// [`MARGIN_ITEMS`]. `observer` may stop it between two margins.
    ///
    /// # Errors
    /// As [`LoadedJob::compute`].
    pub fn item_answers(
        &self,
        engine: &dyn Engine,
        ids: &[LandscapeId],
        margins: bool,
        observer: &dyn Observer,
    ) -> Result<Vec<ItemAnswer>, JobError> {
        let lead = self.lead();
        let classes: BTreeMap<usize, usize> = ids
            .iter()
            .flat_map(|id| id.items.into_iter().zip(id.classes))
            .collect();
        let mut answers: Vec<ItemAnswer> = classes
            .iter()
            .map(|(&item, &class)| ItemAnswer {
                name: lead.item_name(item),
                class,
                found: Vec::new(),
                margins: Vec::new(),
            })
            .collect();
        for candidate in &self.candidates {
            let own_ids = candidate.own_ids(ids);
            let own: BTreeMap<usize, usize> = ids
                .iter()
                .zip(&own_ids)
                .flat_map(|(id, own)| id.items.into_iter().zip(own.items))
                .collect();
            let positions: Vec<usize> = classes.keys().map(|item| own[item]).collect();
            let job = &candidate.job;
            let inputs = job.item_inputs(&positions)?;
            let rows: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
            let model = &job.model().model;
            let found = classify(engine, model, &rows)?;
            let found = found.probabilities.chunks_exact(model.num_classes());
            let network = match margins {
                true => SectionNetwork::new(model, job.space_kind()).ok(),
                false => None,
            };
            let network = network.filter(SectionNetwork::is_piecewise_linear);
            let seed = self.job.resample_seed;
            let of = |item: usize| {
                let network = network.as_ref().filter(|_| item < MARGIN_ITEMS)?;
                Some(match observer.advance(0) {
                    ControlFlow::Break(()) => Err(PipelineError::Interrupted.into()),
                    ControlFlow::Continue(()) => job.dbviz_margin(network, positions[item], seed),
                })
            };
            let margins: Vec<Option<f64>> = (0..positions.len())
                .into_par_iter()
                .map(|item| of(item).transpose().map(Option::flatten))
                .collect::<Result<_, JobError>>()?;
            for ((answer, probabilities), margin) in answers.iter_mut().zip(found).zip(margins) {
                let output = argmax(probabilities);
                answer
                    .found
                    .push(candidate.outputs.iter().position(|&own| own == output));
                answer.margins.push(margin);
            }
        }
        Ok(answers)
    }

    /// What the file of a classifier's landscape says of it, but for its values.
    fn about(&self, candidate: &Candidate, id: &LandscapeId) -> crate::landscape::About {
        let model = candidate.job.model();
        crate::landscape::About {
            model: model.path.clone(),
            model_sha256: model.model.sha256().to_owned(),
            ..self.lead().about(id)
        }
    }

    /// What each classifier's file of a landscape says of it.
    pub(crate) fn abouts(&self, id: &LandscapeId) -> Vec<crate::landscape::About> {
        let candidates = self.candidates.iter();
        candidates
            .map(|candidate| self.about(candidate, id))
            .collect()
    }

    /// Asks each classifier for the labels of the items, and warns of those that answer most of them
    /// otherwise.
    pub(crate) fn ask_for_labels(
        &self,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<(), JobError> {
        for candidate in &self.candidates {
            candidate.job.ask_for_labels(engine, observer)?;
        }
        Ok(())
    }

    /// What a stage of computing counts.
    pub(crate) fn stage(&self, landscapes: usize) -> Stage {
        let lead = self.lead();
        Stage {
            total: self.candidates.len() * landscapes * lead.kind().num_points(lead.steps()),
            unit: match lead.items() {
                Items::Images { .. } => "frames",
                Items::Rows { .. } => "rows",
            },
        }
    }

    /// Everything that decides the numbers: the job, and what its names stand for.
    pub(crate) fn plan(&self) -> Map<String, Value> {
        let mut plan = self.lead().plan(ListOf::All);
        let on = plan.insert("job".to_owned(), json!("models"));
        plan.insert("on".to_owned(), on.unwrap_or_default());
        let others = self.candidates[1..].iter().zip(&self.job.models[1..]);
        let others = others.map(|(candidate, source)| {
            let mut said = json!(source);
            said["sha256"] = json!(candidate.job.model().model.sha256());
            said["outputs"] = json!(candidate.outputs);
            said
        });
        plan.insert("others".to_owned(), others.collect());
        plan.insert("class_match".to_owned(), json!(self.job.class_match));
        plan.insert("resample_seed".to_owned(), json!(self.job.resample_seed));
        plan
    }

    /// What a manifest says of the classifiers.
    pub(crate) fn models_json(&self) -> Value {
        let candidates = self.candidates.iter();
        candidates
            .map(|candidate| {
                let mut said = candidate.job.model_json();
                said["name"] = json!(candidate.name);
                said
            })
            .collect()
    }
}

impl Candidate {
    /// The ids of the same landscapes as this classifier's own job has them.
    fn own_ids(&self, ids: &[LandscapeId]) -> Vec<LandscapeId> {
        let own = self.job.landscapes();
        let own: HashMap<&str, &LandscapeId> =
            own.iter().map(|own| (own.name.as_str(), own)).collect();
        ids.iter()
            .filter_map(|id| own.get(id.name.as_str()))
            .map(|&own| own.clone())
            .collect()
    }
}

/// Items whose margins are taken, where they are asked for.
pub const MARGIN_ITEMS: usize = 100;

/// What classifiers answer to an item.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemAnswer {
    /// Its name.
    pub name: String,
    /// Its class in the data.
    pub class: usize,
    /// Each classifier's class of it; nothing where that is not known.
    pub found: Vec<Option<usize>>,
    /// How far it can be moved towards other items before each classifier's class changes, in units
    /// of the space, as dbViz has it (`sections::dbviz_mean_margin`). Nothing where that was not
    /// asked for, of an item beyond the first [`MARGIN_ITEMS`], of a classifier that has no exact
    /// lines, and for fewer hits than dbViz asks for.
    pub margins: Vec<Option<f64>>,
}

/// Passes on every note once, however many loads have it to say.
pub(crate) struct Once<'a> {
    observer: &'a dyn Observer,
    said: Mutex<HashSet<String>>,
}

impl<'a> Once<'a> {
    pub(crate) fn new(observer: &'a dyn Observer) -> Self {
        Self {
            observer,
            said: Mutex::default(),
        }
    }
}

impl Observer for Once<'_> {
    fn advance(&self, done: usize) -> ControlFlow<()> {
        self.observer.advance(done)
    }

    fn note(&self, note: &Note) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.insert(note.to_string()) {
            self.observer.note(note);
        }
    }
}
