//! Lines between many pairs of inputs, as plain data, and loaded.

use super::data::LoadedData;
use super::error::{JobError, Located};
use super::line::{LineData, note_unconnected};
use super::model::{LoadedModel, ModelSource};
use super::observer::{Note, Observer};
use crate::data::{MAX_JSON_BYTES, read_text, sha256_hex};
use crate::landscape::ListedItem;
use crate::remedy::Setting;
use crate::sections::{Exactness, SectionError, SectionNetwork, Space, SpaceKind};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which pairs of inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pairs {
    /// From items that a seed draws towards other items that it draws; all are equally likely, and
    /// either may be drawn again.
    Drawn {
        /// How many items.
        count: usize,
        /// How many others for each.
        directions: usize,
        /// The seed.
        seed: u64,
    },
    /// A list, items by name or number.
    Listed(Vec<[ListedItem; 2]>),
    /// A list in a file: `{"pairs":[["t10k#1", 7],...]}`.
    File(PathBuf),
}

/// The straight lines between many pairs of inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LinesJob {
    /// Which pairs.
    #[serde(rename = "choice")]
    pub pairs: Pairs,
    /// Where the inputs are looked up.
    pub data: LineData,
    /// Which classifier.
    pub model: ModelSource,
    /// Samples of a line, both ends included: of a sampled one, and what certificates are about.
    pub steps: usize,
    /// Whether sections are exact.
    pub exact: Exactness,
    /// More pieces of a line than this are an error.
    pub max_pieces: usize,
    /// Whether paths that connect the inputs are sought.
    pub connect: bool,
}

/// Lines that are ready to be cut.
#[derive(Debug)]
pub struct LoadedLines {
    /// What was asked for.
    pub asked: LinesJob,
    /// The positions of the inputs of each line.
    pub pairs: Vec<[usize; 2]>,
    /// The classifier.
    pub model: LoadedModel,
    /// Name of each class.
    pub class_names: Vec<String>,
    /// The space of the inputs.
    pub space: Space,
    /// The network in 64-bit floats, or why it has no exact section; nothing where none is wanted.
    pub network: Option<Result<SectionNetwork, SectionError>>,
    /// Digest of the data.
    pub data_sha256: String,
    data: LoadedData,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PairsFile {
    pairs: Vec<[ListedItem; 2]>,
}

impl LinesJob {
    /// Reads the model and the data, and finds the pairs.
    ///
    /// # Errors
    /// [`JobError`] with the pair or the setting.
    pub fn load(&self, observer: &dyn Observer) -> Result<LoadedLines, JobError> {
        self.check()?;
        let (model, data) = match &self.data {
            LineData::Images(source) => {
                let data = source.load()?;
                let model = self.model.load_for_images(data.images.image_shape())?;
                (model, LoadedData::Images(data))
            }
            LineData::Rows(source) => {
                let (data, model) = source.load(&self.model)?;
                (model, LoadedData::Rows(data))
            }
        };
        self.load_of(model, data, observer)
    }

    /// The same of a model and data that a host program holds, in the place of those that the job
    /// names.
    ///
    /// # Errors
    /// As [`LinesJob::load`].
    pub fn load_of(
        &self,
        mut model: LoadedModel,
        data: LoadedData,
        observer: &dyn Observer,
    ) -> Result<LoadedLines, JobError> {
        self.check()?;
        let (data, class_names, kind) = match data {
            LoadedData::Images(data) => {
                let data = data.match_classes(&model, observer)?;
                model
                    .fit_images(data.images.image_shape(), observer)
                    .at(format!("{} with {}", data.path, model.path))?;
                let names = model.class_names(data.images.classes());
                model.warn_unscaled(observer);
                (LoadedData::Images(data), names, SpaceKind::Images)
            }
            LoadedData::Rows(mut data) => {
                let names = data.fit(&model.model, &model.path)?;
                data.note_assumptions(observer);
                (LoadedData::Rows(data), names, SpaceKind::Rows)
            }
        };
        model.note_assumptions(observer);
        let space = Space::new(&model.model, kind);
        let network =
            (self.exact == Exactness::Auto).then(|| SectionNetwork::new(&model.model, kind));
        if let Some(Err(error)) = &network {
            observer.note(&Note::new(format!(
                "{}: {error}; sampling {} points a line instead",
                model.path, self.steps
            )));
        }
        if space.is_identity() {
            observer.note(&Note::new(format!(
                "{} does not scale its input, as far as its file says; lengths are in units of the features",
                model.path
            )));
        }
        note_unconnected(self.connect, network.as_ref(), observer);
        let data_sha256 = match &data {
            LoadedData::Images(data) => data.images.sha256_hex()?,
            LoadedData::Rows(data) => data.table.sha256_hex().to_owned(),
        };
        let mut lines = LoadedLines {
            asked: self.clone(),
            pairs: Vec::new(),
            model,
            class_names,
            space,
            network,
            data_sha256,
            data,
        };
        lines.pairs = self.pairs.resolve(&lines)?;
        Ok(lines)
    }

    fn check(&self) -> Result<(), JobError> {
        if (2..=1_000_000).contains(&self.steps) {
            return Ok(());
        }
        let range = JobError::unfit("expected 2 to 1000000");
        Err(JobError::setting(Setting::Steps, self.steps, range))
    }
}

impl Pairs {
    fn resolve(&self, lines: &LoadedLines) -> Result<Vec<[usize; 2]>, JobError> {
        match self {
            Self::Drawn {
                count,
                directions,
                seed,
            } => {
                let items = lines.num_items();
                if items < 2 {
                    return Err(JobError::unfit(format!(
                        "expected data of at least 2 items, found {items}"
                    )));
                }
                Ok(drawn_pairs(items, *count, *directions, *seed))
            }
            Self::Listed(pairs) => found(pairs, lines),
            Self::File(path) => {
                let place = path.display();
                let read = || -> Result<Vec<[usize; 2]>, JobError> {
                    let text = read_text(path, MAX_JSON_BYTES).at(place.to_string())?;
                    let PairsFile { pairs } = serde_json::from_str(&text)
                        .at("expected {\"pairs\":[[\"t10k#1\",7],...]}")?;
                    found(&pairs, lines)
                };
                read().in_setting(Setting::Pairs, place.to_string())
            }
        }
    }
}

/// Pairs of two different ones of at least two items, drawn by a seed: so many first ones, and for each
/// so many others.
pub fn drawn_pairs(items: usize, count: usize, directions: usize, seed: u64) -> Vec<[usize; 2]> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut pairs = Vec::new();
    for _ in 0..count {
        let first = rng.random_range(0..items);
        pairs.extend((0..directions).map(|_| {
            let other = rng.random_range(0..items - 1);
            [first, other + usize::from(other >= first)]
        }));
    }
    pairs
}

/// The positions of listed pairs.
fn found(pairs: &[[ListedItem; 2]], lines: &LoadedLines) -> Result<Vec<[usize; 2]>, JobError> {
    if pairs.is_empty() {
        return Err(JobError::unfit("expected at least one pair, found none"));
    }
    let position = |[from, to]: &[ListedItem; 2]| {
        let [from, to] = [lines.position(from)?, lines.position(to)?];
        match from == to {
            false => Ok([from, to]),
            true => Err(JobError::unfit(format!(
                "expected two different items, found {} twice",
                lines.item_name(from)
            ))),
        }
    };
    let pairs = pairs.iter().enumerate();
    pairs
        .map(|(n, pair)| position(pair).at(format!("pair {}", n + 1)))
        .collect()
}

impl LoadedLines {
    fn num_items(&self) -> usize {
        match &self.data {
            LoadedData::Images(data) => data.images.len(),
            LoadedData::Rows(data) => data.table.len(),
        }
    }

    fn position(&self, item: &ListedItem) -> Result<usize, JobError> {
        Ok(match (&self.data, item) {
            (LoadedData::Images(data), ListedItem::Index(index)) => {
                data.images.checked_index(*index)?
            }
            (LoadedData::Images(data), ListedItem::Name(name)) => data.images.index_of(name)?,
            (LoadedData::Rows(data), ListedItem::Index(index)) => {
                data.table.checked_index(*index)?
            }
            (LoadedData::Rows(data), ListedItem::Name(name)) => data.table.index_of(name)?,
            (_, ListedItem::Image(_) | ListedItem::Row(_)) => {
                return Err(JobError::unfit(
                    "expected items of the data, found one that the list itself holds",
                ));
            }
        })
    }

    /// The name of the item at a position.
    pub fn item_name(&self, position: usize) -> String {
        match &self.data {
            LoadedData::Images(data) => data.images.item_name(position),
            LoadedData::Rows(data) => data.table.item_name(position),
        }
    }

    /// Its class.
    pub fn label(&self, position: usize) -> usize {
        match &self.data {
            LoadedData::Images(data) => data.images.label(position),
            LoadedData::Rows(data) => data.table.label(position),
        }
    }

    /// Its input, grey levels 0..255 or features.
    ///
    /// # Errors
    /// [`JobError`] where a file cannot be read.
    pub fn input(&self, position: usize) -> Result<Vec<f32>, JobError> {
        Ok(match &self.data {
            LoadedData::Images(data) => data.images.image(position)?.levels,
            LoadedData::Rows(data) => data.table.row(position).to_vec(),
        })
    }

    /// Where the inputs are from.
    pub fn data_path(&self) -> &str {
        match &self.data {
            LoadedData::Images(data) => &data.path,
            LoadedData::Rows(data) => &data.path,
        }
    }

    /// Whether an engine has to classify samples.
    pub fn is_sampled(&self) -> bool {
        !matches!(self.network, Some(Ok(_)))
    }

    /// A digest of all pairs.
    pub fn pairs_sha256(&self) -> String {
        let text: String = (self.pairs.iter())
            .map(|[from, to]| format!("{from} {to}\n"))
            .collect();
        sha256_hex([text.as_bytes()])
    }
}
