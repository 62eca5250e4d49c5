//! What an atlas came to.

use super::design::Score;
use super::rows::Row;
use super::statistics::{Audit, Mean};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an atlas came to: `summary.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Of the plan.
    pub plan_sha256: String,
    /// What triples were ranked by.
    pub score: Score,
    /// Items of the data, those that the model classifies correctly, and those that took part.
    pub items: [usize; 3],
    /// All triples of the items that took part.
    pub triples: u64,
    /// Those of them that were searched.
    pub searched: u64,
    /// Whether that is all of them.
    pub exhaustive: bool,
    /// Shards that were missing.
    pub missing_shards: Vec<usize>,
    /// Landscapes that were computed.
    pub landscapes: u64,
    /// Means over all triples, of each measure.
    pub means: BTreeMap<&'static str, Option<Mean>>,
    /// Means of the score's measure of each two classes.
    pub pairs: Vec<ClassMean>,
    /// The same of each three classes.
    pub class_triples: Vec<ClassMean>,
    /// Two and three classes that are not listed, since too few triples of the survey have them.
    pub not_listed: [usize; 2],
    /// The items that make their triples worst.
    pub worst_items: Vec<ItemFinding>,
    /// The items that have an input with another label nearest to them.
    pub nearest_items: Vec<ItemFinding>,
    /// How many triples the list of the worst has.
    pub top: usize,
    /// What the audits of the search say it has missed.
    pub audits: Vec<Audit>,
    /// The share of the worst among the triples searched that was found, and its 95 % interval.
    pub recall: Option<[f64; 3]>,
    /// The same among all triples.
    pub recall_of_all: Option<[f64; 3]>,
    /// How the other model compares, where there is one.
    pub second: Option<Value>,
    /// All of it, in sentences.
    pub findings: Vec<String>,
}

/// A mean of classes.
#[derive(Debug, Clone, Serialize)]
pub struct ClassMean {
    /// Their names.
    pub classes: Vec<String>,
    /// The mean over the triples of the survey that have them.
    #[serde(flatten)]
    pub mean: Mean,
}

/// What was found of an item.
#[derive(Debug, Clone, Serialize)]
pub struct ItemFinding {
    /// Its name.
    pub item: String,
    /// Its class.
    pub class: String,
    /// Triples of the first grid that it stands in.
    pub triples: u64,
    /// How much worse than the mean of their classes those are on the first grid, by the score; drawn
    /// towards 0 where there are few.
    pub effect: Option<f64>,
    /// The smallest L2 and L∞ distance from it to an input with another label, in all grids.
    pub nearest_flip: Option<[f64; 2]>,
    #[serde(skip)]
    pub(super) position: u32,
}

/// One of the worst triples.
#[derive(Debug, Clone)]
pub(super) struct Finalist {
    /// Its worst landscape.
    pub(super) row: Row,
    pub(super) own: f64,
    /// The next worst of its orders.
    pub(super) other_order: Option<f64>,
    pub(super) other_sampling: Option<f64>,
    pub(super) other_model: Option<f64>,
}

impl Finalist {
    /// The least of all values that were taken.
    pub(super) fn lowest(&self) -> f64 {
        let others = [self.other_order, self.other_sampling, self.other_model];
        others.into_iter().flatten().fold(self.own, f64::min)
    }
}
