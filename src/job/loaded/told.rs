//! What the files of a run say of a loaded job.

use super::{LoadedItems, LoadedJob};
use crate::job::landscapes::{LandscapeId, triples_digest, triples_json};
use crate::job::model::LoadedModel;
use crate::landscape::{About, Landscape, LandscapeFile};
use serde_json::{Map, Value, json};

impl LoadedJob {
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

    /// How grids are made, for captions and files.
    pub(super) fn settings(&self) -> Map<String, Value> {
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
