//! What jobs on images run on: a model, a data set, and triples of its items.

use super::Verbosity;
use super::options::{DataArgs, LoadedData, LoadedModel, ModelArgs};
use super::run::{Job, triples_json};
use super::triples::{fixed_classes, group_count, read_triples};
use crate::data::{Image, ImageSetError};
use crate::engine::EngineInfo;
use crate::landscape::{ListedItem, Triple, choose_triples};
use crate::mesh::cell_size_px;
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Which triples.
#[derive(Debug, clap::Args)]
pub(super) struct TripleArgs {
    /// Groups of three classes, each with a set A and a set B of items [default: 5, or the
    /// number of --classes given]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    groups: Option<u32>,
    /// Three classes of a group, by number or name: 9,4,5. The first fixes group 1, the next
    /// group 2, and so on; the groups beyond are chosen by --seed
    #[arg(long, value_name = "X,Y,Z")]
    classes: Vec<String>,
    /// A fixed list instead of groups: {"triples":[{"name":"1A","items":[i,j,k]},...]}
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["groups", "classes", "seed"])]
    triples: Option<PathBuf>,
    /// Seed of the choice of classes and items
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl TripleArgs {
    /// The seed of whatever is drawn.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }
}

/// A model, data and triples that fit together.
pub(super) struct ImageJob {
    pub(super) model: LoadedModel,
    pub(super) data: LoadedData,
    pub(super) data_sha256: String,
    pub(super) class_names: Vec<String>,
    pub(super) triples: Vec<Triple>,
    /// The seed that chose the triples; nothing where a file lists them.
    seed: Option<u64>,
    data_options: Value,
}

impl ImageJob {
    /// Loads what the arguments name and checks that it fits together.
    pub(super) fn resolve(
        triples: &TripleArgs,
        model: &ModelArgs,
        data: &DataArgs,
        grid: usize,
        verbosity: Verbosity,
    ) -> anyhow::Result<Self> {
        let model = model.load()?;
        let data_options = data.options_json();
        let data = data.load()?.match_classes(&model, verbosity)?;
        model
            .model
            .check_image_shape(data.images.image_shape())
            .with_context(|| format!("{} with {}", data.path, model.path))?;
        ensure!(
            data.images.classes().len() <= model.model.num_classes(),
            "{} with {}: expected a model of at least {} classes, found {}; choose the model that was trained on these data",
            data.path,
            model.path,
            data.images.classes().len(),
            model.model.num_classes()
        );
        // A grid that does not fit is found out before anything is written.
        let [height, width, _] = data.images.image_shape();
        cell_size_px(width, height, grid)?;
        let class_names = model.class_names(data.images.classes());
        let chosen = match &triples.triples {
            Some(path) => read_triples(path, &|item| {
                let item = match item {
                    ListedItem::Index(index) => data.images.checked_index(*index)?,
                    ListedItem::Name(name) => data.images.index_of(name)?,
                };
                Ok((item, data.images.label(item)))
            })
            .with_context(|| format!("--triples {}", path.display()))?,
            None => {
                let fixed = fixed_classes(&triples.classes, &class_names)?;
                let groups = group_count(triples.groups, &fixed)?;
                let labels: Vec<usize> = (0..data.images.len())
                    .map(|item| data.images.label(item))
                    .collect();
                choose_triples(&labels, class_names.len(), groups, &fixed, triples.seed)?
            }
        };
        Ok(Self {
            model,
            data_sha256: data.images.sha256_hex()?,
            data,
            class_names,
            triples: chosen,
            seed: triples.triples.is_none().then_some(triples.seed),
            data_options,
        })
    }

    /// The triples as a plan lists them.
    pub(super) fn triples_json(&self) -> Value {
        triples_json(&self.triples, &|item| item)
    }

    /// What a plan says of the job and of the engine that runs it; `triples` is what it says of
    /// them.
    pub(super) fn plan(&self, info: &EngineInfo, triples: Value) -> Value {
        json!({
            "seed": self.seed,
            "triples": triples,
            "model_sha256": self.model.model.sha256(),
            "model_options": self.model.options,
            "data_sha256": self.data_sha256,
            "data_options": self.data_options,
            "engine": info.engine,
            "adapter": if info.engine == "gpu" { info.adapter.as_str() } else { "" },
        })
    }

    /// What a manifest says of the data.
    pub(super) fn data_json(&self) -> Value {
        json!({"path": self.data.path, "sha256": self.data_sha256, "items": self.data.images.len()})
    }

    /// The images of some jobs, each once.
    ///
    /// # Errors
    /// When a file of them cannot be read any more.
    pub(super) fn load_images(
        &self,
        jobs: &[Job],
    ) -> Result<BTreeMap<usize, Image>, ImageSetError> {
        jobs.iter()
            .flat_map(|job| job.items)
            .map(|item| Ok((item, self.data.images.image(item)?)))
            .collect()
    }
}
