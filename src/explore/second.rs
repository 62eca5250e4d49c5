//! A second model beside the first: it is asked the same points, and may differ in format, in scaling,
//! and in the order of its columns and classes.

use super::error::ExploreError;
use super::item::{Input, Picked, space_kind};
use crate::data::ClassMatch;
use crate::engine::Engine;
use crate::job::{LoadedJob, ModelSource, Observer, Once, outputs_for};
use crate::landscape::{Items, Landscape};
use crate::model::Model;
use crate::sections::SectionNetwork;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// A second model, loaded as the one of a job on the same data.
#[derive(Debug)]
pub(super) struct Second {
    job: LoadedJob,
    /// What the page calls it.
    pub(super) path: String,
    /// For each class of the first model the output that stands for it.
    outputs: Vec<usize>,
    /// For each of its features the position among the first's; nothing where the items are images.
    columns: Option<Vec<usize>>,
    network: OnceLock<Result<SectionNetwork, String>>,
}

impl Second {
    pub(super) fn load(
        first: &LoadedJob,
        source: &ModelSource,
        class_match: ClassMatch,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<Self, ExploreError> {
        let job = first.job().with_model(source).load(&Once::new(observer))?;
        job.ask_for_labels(engine, observer)?;
        let place = || format!("{} beside {}", job.model().path, first.model().path);
        let outputs = outputs_for(first.class_names(), job.class_names(), class_match, place)?;
        let columns = match (first.items(), job.items()) {
            (Items::Rows { features }, Items::Rows { features: own }) => {
                let position =
                    |feature: &String| features.iter().position(|known| known == feature);
                let found: Option<Vec<usize>> = own.iter().map(position).collect();
                let found = found.filter(|found| found.len() == features.len());
                Some(found.ok_or_else(|| {
                    ExploreError::refused(format!(
                        "{}: expected a model of the features {}, found one of {}",
                        place(),
                        features.join(", "),
                        own.join(", ")
                    ))
                })?)
            }
            _ => None,
        };
        let own = &job.model().path;
        let path = match *own == first.model().path {
            true => format!("{own} again"),
            false => own.clone(),
        };
        Ok(Self {
            path,
            outputs,
            columns,
            job,
            network: OnceLock::new(),
        })
    }

    pub(super) fn model(&self) -> &Model {
        &self.job.model().model
    }

    /// As exact sections take it, or why there are none of it.
    pub(super) fn network(&self) -> Result<&SectionNetwork, ExploreError> {
        let space = space_kind(&self.job.items());
        let network = (self.network).get_or_init(|| {
            SectionNetwork::new(self.model(), space).map_err(|error| error.to_string())
        });
        network.as_ref().map_err(ExploreError::refused)
    }

    /// The values of the items as it takes them.
    pub(super) fn values(&self, picked: &[Picked; 3]) -> [Vec<f32>; 3] {
        (self.picked(picked).each_ref()).map(|item| self.row(item.input.values()))
    }

    /// For each of its classes the first model's; of classes that the first does not have nothing.
    pub(super) fn class_of(&self, output: usize) -> Option<usize> {
        self.outputs.iter().position(|&known| known == output)
    }

    /// Whether its rows are those of the first model, in another order.
    pub(super) fn is_reordered(&self) -> bool {
        let columns = self.columns.iter().flatten();
        columns.enumerate().any(|(own, &first)| own != first)
    }

    /// Values of a row of the first model as this one has them.
    pub(super) fn row(&self, row: &[f32]) -> Vec<f32> {
        match &self.columns {
            Some(columns) => columns.iter().map(|&first| row[first]).collect(),
            None => row.to_vec(),
        }
    }

    /// The items as it takes them: pictures with its channels.
    pub(super) fn picked(&self, picked: &[Picked; 3]) -> [Picked; 3] {
        let Items::Images {
            shape: [_, _, channels],
        } = self.job.items()
        else {
            return picked.clone();
        };
        picked.clone().map(|item| Picked {
            input: match item.input {
                Input::Image(image) => Input::Image(image.with_channels(channels)),
                row @ Input::Row(_) => row,
            },
            ..item
        })
    }

    /// Its answers with the first model's classes.
    pub(super) fn answered(&self, landscape: Landscape) -> Landscape {
        landscape.with_classes_from(&self.outputs)
    }

    /// Its probabilities with the first model's classes.
    pub(super) fn probabilities(&self, found: &[f32]) -> Vec<f32> {
        let points = found.chunks_exact(self.outputs.len());
        points
            .flat_map(|point| self.outputs.iter().map(|&output| point[output]))
            .collect()
    }
}

/// The answers of one model or two, or why one has none; an error where neither has one.
pub(super) fn of_each(
    first: Result<Value, ExploreError>,
    second: Option<Result<Value, ExploreError>>,
) -> Result<Value, ExploreError> {
    if first.is_err() && second.as_ref().is_none_or(Result::is_err) {
        return first;
    }
    let models = [Some(first), second].into_iter().flatten();
    let models =
        models.map(|found| found.unwrap_or_else(|error| json!({"refused": error.sentence()})));
    Ok(json!({"models": models.collect::<Vec<_>>()}))
}
