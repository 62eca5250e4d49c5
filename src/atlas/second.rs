//! The survey's triples with another model.

use super::error::AtlasError;
use super::rows::{Candidate, Computing, Row, column};
use super::shard::Atlas;
use super::statistics::{spearman, stratified_mean};
use super::summary::ClassMean;
use crate::engine::Engine;
use crate::job::{LoadedJob, ModelSource, Observer, Stage};
use crate::landscape::Items;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};

impl Atlas {
    /// The same job of another model.
    pub(super) fn second(
        &self,
        source: &ModelSource,
        observer: &dyn Observer,
    ) -> Result<LoadedJob, AtlasError> {
        let job = self.plan().job.with_model(source);
        let second = match self.job().items() {
            Items::Images { shape } => {
                let model = source.load_for_images(shape)?;
                self.job().load_beside(&job, model, observer)?
            }
            Items::Rows { .. } => job.load(observer)?,
        };
        let (own, other) = (self.job().class_names(), second.class_names());
        match own == other {
            true => Ok(second),
            false => Err(AtlasError::refused(format!(
                "{}: expected the classes {}, found {}",
                second.model().path,
                own.join(", "),
                other.join(", ")
            ))),
        }
    }

    /// The same triples with another model: paired differences, and whether the classes rank alike.
    pub(super) fn compare(
        &self,
        survey: &[Row],
        second: &LoadedJob,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<Value, AtlasError> {
        let plan = self.plan();
        let steps = plan.design.survey_steps;
        let positions: Vec<usize> = {
            let mut all: Vec<usize> = survey
                .iter()
                .flat_map(|row| row.items)
                .map(|item| item as usize)
                .collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        let wrong = wrong_items(second, &positions, engine)?;
        let both: Vec<&Row> = survey
            .iter()
            .filter(|row| {
                row.items
                    .iter()
                    .all(|item| wrong.binary_search(item).is_err())
            })
            .collect();
        let candidates: Vec<Candidate> = both.iter().map(|row| self.candidate_of(row)).collect();
        observer.begin(Stage {
            total: candidates.len() * second.kind().num_points(steps),
            unit: "frames of the other model",
        });
        let is_right = |_| true;
        let computing = Computing {
            job: second,
            engine,
            observer,
            is_right: &is_right,
        };
        let theirs = computing.rows(&candidates, steps)?;
        observer.end();
        let own: Vec<Row> = both.into_iter().cloned().collect();
        let mut means = Map::new();
        for key in [
            "intrusion",
            "confident_intrusion",
            "total_variation",
            "barrier_ab",
            "entropy",
        ] {
            let place = column(key);
            let value = |rows: &[Row], n: usize| rows[n].measures[place].map(f64::from);
            let numbered: HashMap<(u64, u8), usize> = own
                .iter()
                .enumerate()
                .map(|(n, row)| ((row.triple, row.permutation), n))
                .collect();
            let at = |row: &Row| numbered[&(row.triple, row.permutation)];
            let mean = |of: &dyn Fn(usize) -> Option<f64>| {
                let (drawn, weights) = self.drawn(&own, |row| of(at(row)));
                stratified_mean(&drawn, &weights)
            };
            let difference = |n: usize| Some(value(&theirs, n)? - value(&own, n)?);
            means.insert(
                key.to_owned(),
                json!({
                    "own": mean(&|n| value(&own, n)),
                    "second": mean(&|n| value(&theirs, n)),
                    "difference": mean(&difference),
                }),
            );
        }
        let by_name = |(means, _): (Vec<ClassMean>, usize)| -> BTreeMap<Vec<String>, f64> {
            means
                .into_iter()
                .map(|one| (one.classes, one.mean.mean))
                .collect()
        };
        let alike = |number: usize| {
            let ours = by_name(self.class_means(&own, number));
            let theirs = by_name(self.class_means(&theirs, number));
            let both: Vec<[f64; 2]> = ours
                .iter()
                .filter_map(|(classes, value)| Some([*value, *theirs.get(classes)?]))
                .collect();
            spearman(&both)
        };
        Ok(json!({
            "model": second.model().path,
            "model_sha256": second.model().model.sha256(),
            "triples": own.len(),
            "means": means,
            "rank_correlation_of_pairs": alike(2),
            "rank_correlation_of_class_triples": alike(3),
        }))
    }
}

/// The items that a model classifies wrongly, in ascending order.
fn wrong_items(
    job: &LoadedJob,
    positions: &[usize],
    engine: &dyn Engine,
) -> Result<Vec<u32>, AtlasError> {
    let mut wrong = Vec::new();
    for some in positions.chunks(1000) {
        let inputs = job.item_inputs(some)?;
        let rows: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let answers = crate::pipeline::classify(engine, &job.model().model, &rows)?;
        let classes = job.class_names().len();
        let labels = answers.probabilities.chunks_exact(classes);
        let labels = labels.map(crate::landscape::argmax);
        let each = some.iter().zip(labels);
        wrong.extend(
            each.filter(|(item, label)| job.item_class(**item) != *label)
                .map(|(item, _)| *item as u32),
        );
    }
    Ok(wrong)
}
