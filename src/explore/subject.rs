//! What is explored: data, one model or two, an engine; and from where the page starts.

use super::error::ExploreError;
use super::item::{Input, Pick, Picked, space_kind};
use super::second::Second;
use crate::data::{ClassMatch, decode_image, whole};
use crate::engine::Engine;
use crate::job::{
    Job, JobError, LineJob, LoadedJob, ModelSource, Note, Observer, Once, Triples, own_name,
};
use crate::landscape::Items;
use crate::mesh::FeatureError;
use crate::pipeline::{MorphSettings, classify};
use crate::run::{RunFolder, SummaryRow};
use crate::sections::{SectionNetwork, Space};
use std::collections::VecDeque;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Items of the user's own that are kept; of more the oldest go.
const MAX_OWN: usize = 64;

/// What a view is as a job.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// A landscape.
    Landscape(Job),
    /// A line.
    Line(LineJob),
}

/// Gives the command line that runs what a view is.
pub type Spell = Box<dyn Fn(&Asked) -> String + Send + Sync>;

/// What to explore.
pub struct Subject {
    /// Model and data; its triples are none.
    pub(super) job: LoadedJob,
    /// A second model, of the same classes.
    pub(super) against: Option<Second>,
    pub(super) engine: Box<dyn Engine>,
    /// The landscapes of a finished run to start from.
    pub(super) listed: Vec<SummaryRow>,
    /// Positions of the three items that are shown first.
    pub(super) first: Option<[usize; 3]>,
    /// The command line that began it, for the manifests of saved runs.
    pub(super) command: Vec<String>,
    /// Says the command line that runs a job.
    pub(super) spell: Option<Spell>,
    own: Mutex<Own>,
    network: OnceLock<Result<SectionNetwork, String>>,
}

/// The user's own items, numbered as they came.
#[derive(Debug, Default)]
struct Own {
    gone: u64,
    kept: VecDeque<Input>,
}

impl Subject {
    /// Loads what `job` names; which triples it names does not matter.
    ///
    /// # Errors
    /// [`ExploreError`] where a file cannot be read or does not fit.
    pub fn load(
        mut job: Job,
        engine: Box<dyn Engine>,
        observer: &dyn Observer,
    ) -> Result<Self, ExploreError> {
        match &mut job {
            Job::Sweep(job) => {
                job.triples = Triples::Listed(Vec::new());
                job.flat = None;
            }
            Job::Interpolate(job) => {
                job.triples = Triples::Listed(Vec::new());
                job.per_class = None;
                job.flat = None;
            }
        }
        let observer = &Once::new(observer);
        let loaded = job.load(observer);
        let job = match (&mut job, loaded) {
            (_, Ok(loaded)) => loaded,
            (Job::Sweep(sweep), Err(error))
                if sweep.morph.grid == MorphSettings::default().grid =>
            {
                let Some(grid) = coarser_grid(&error) else {
                    return Err(error.into());
                };
                sweep.morph.grid = grid;
                observer.note(&Note::new(format!(
                    "the images are small: morphs have {grid} x {grid} feature cells"
                )));
                job.load(observer)?
            }
            (_, Err(error)) => return Err(error.into()),
        };
        job.ask_for_labels(engine.as_ref(), observer)?;
        Ok(Self {
            job,
            against: None,
            engine,
            listed: Vec::new(),
            first: None,
            command: Vec::new(),
            spell: None,
            own: Mutex::default(),
            network: OnceLock::new(),
        })
    }

    /// Looks at a second model beside the first; its classes are found among the first's by name, or in
    /// their order.
    ///
    /// # Errors
    /// [`ExploreError`] where it takes other inputs or has other classes.
    pub fn against(
        mut self,
        source: &ModelSource,
        class_match: ClassMatch,
        observer: &dyn Observer,
    ) -> Result<Self, ExploreError> {
        let engine = self.engine.as_ref();
        let second = Second::load(&self.job, source, class_match, engine, observer)?;
        self.against = Some(second);
        Ok(self)
    }

    /// Starts from the landscapes of a finished run, ranked as in its report.
    ///
    /// # Errors
    /// [`ExploreError`] where they cannot be read, or are of other classes.
    pub fn listing(mut self, run: &RunFolder) -> Result<Self, ExploreError> {
        self.listed = run.rows()?;
        Ok(self)
    }

    /// Starts with three items, by their positions or names.
    ///
    /// # Errors
    /// [`ExploreError`] where there is no such item.
    pub fn starting_with(mut self, items: &[String; 3]) -> Result<Self, ExploreError> {
        let mut found = [0; 3];
        for (place, item) in found.iter_mut().zip(items) {
            *place = match item.parse::<usize>() {
                Ok(position) if position < self.job.num_items() => position,
                _ => self.job.item_named(item)?,
            };
        }
        self.first = Some(found);
        Ok(self)
    }

    /// Says which command line began it, and how one is spelled that runs a job of a listed triple:
    /// only a command line knows its own options.
    pub fn spelled(mut self, command: Vec<String>, spell: Spell) -> Self {
        self.command = command;
        self.spell = Some(spell);
        self
    }

    /// Whether its items are rows.
    pub(super) fn has_rows(&self) -> bool {
        matches!(self.job.items(), Items::Rows { .. })
    }

    /// What lengths and right angles are between items: as the first model scales them.
    pub(super) fn space(&self) -> Space {
        Space::new(&self.job.model().model, space_kind(&self.job.items()))
    }

    /// The first model as exact sections take it, or why there are none of it.
    pub(super) fn network(&self) -> Result<&SectionNetwork, ExploreError> {
        let space = space_kind(&self.job.items());
        let network = self.network.get_or_init(|| {
            SectionNetwork::new(&self.job.model().model, space).map_err(|error| error.to_string())
        });
        network.as_ref().map_err(ExploreError::refused)
    }

    /// An item with its class and name.
    pub(super) fn pick(&self, pick: &Pick) -> Result<Picked, ExploreError> {
        match pick {
            Pick::Item(position) => {
                let input = self.item(*position)?;
                Ok(Picked {
                    input,
                    class: self.job.item_class(*position),
                    name: self.job.item_name(*position),
                })
            }
            Pick::Own(number) => {
                let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
                let kept = number
                    .checked_sub(own.gone)
                    .and_then(|at| own.kept.get(usize::try_from(at).ok()?))
                    .cloned();
                drop(own);
                let input = kept.ok_or_else(|| {
                    ExploreError::refused("your own item is no longer here; bring it again")
                })?;
                self.named(input)
            }
            Pick::Row(values) => {
                let input = self.checked_row(values.clone())?;
                self.named(input)
            }
        }
    }

    /// An input without a label: its class is the model's answer.
    fn named(&self, input: Input) -> Result<Picked, ExploreError> {
        let name = own_name(input.values());
        let model = &self.job.model().model;
        let answers = classify(self.engine.as_ref(), model, &[input.values()])?;
        let largest = |best: (usize, f32), (class, &p): (usize, &f32)| match p > best.1 {
            true => (class, p),
            false => best,
        };
        let of = answers.probabilities.iter().enumerate();
        let class = of.fold((0, f32::NEG_INFINITY), largest).0;
        Ok(Picked { input, class, name })
    }

    /// An item of the data.
    pub(super) fn item(&self, position: usize) -> Result<Input, ExploreError> {
        let count = self.job.num_items();
        if position >= count {
            return Err(ExploreError::refused(format!(
                "expected an item from 0 to {}, found {position}",
                count - 1
            )));
        }
        match self.job.image(position)? {
            Some(image) => Ok(Input::Image(image)),
            None => Ok(Input::Row(
                self.job.row(position).unwrap_or_default().to_vec(),
            )),
        }
    }

    fn checked_row(&self, values: Vec<f32>) -> Result<Input, ExploreError> {
        let Items::Rows { features } = self.job.items() else {
            return Err(ExploreError::refused(
                "expected an image, found a row of values; the data explored are images",
            ));
        };
        if values.len() != features.len() {
            return Err(ExploreError::refused(format!(
                "expected {} values: {}; found {}",
                features.len(),
                features.join(", "),
                values.len()
            )));
        }
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(ExploreError::refused(format!(
                "expected finite values, found {value}"
            ))),
            None => Ok(Input::Row(values)),
        }
    }

    /// Keeps an item that the user brought: the content of an image file, or a line of values. Its
    /// number, and what was done to make it fit.
    pub(super) fn bring(&self, content: &[u8]) -> Result<(u64, Option<String>), ExploreError> {
        let (input, note) = match self.job.items() {
            Items::Images { shape } => {
                let image = decode_image(content).map_err(JobError::from)?;
                let found = image.shape_text();
                let fits = image.shape() == shape;
                let [height, width, channels] = shape;
                let mut image = image.with_channels(channels).fitted(shape);
                // Whole levels, so that a picture file holds all of it.
                image.levels = whole_levels(&image.levels);
                let note = (!fits).then(|| {
                    format!("{found} was made {height} x {width} x {channels}, as the data are")
                });
                (Input::Image(image), note)
            }
            Items::Rows { .. } => {
                let text = std::str::from_utf8(content)
                    .map_err(|_| ExploreError::refused("expected a line of text, found bytes"))?;
                let mut lines = text.lines().filter(|line| !line.trim().is_empty());
                let (Some(line), None) = (lines.next(), lines.next()) else {
                    return Err(ExploreError::refused(
                        "expected one line of values, found another number of lines",
                    ));
                };
                let values = line.split([',', ';', '\t']).map(|cell| {
                    cell.trim().parse::<f32>().map_err(|_| {
                        let cell: String = cell.chars().take(40).collect();
                        ExploreError::refused(format!("expected numbers, found \"{cell}\""))
                    })
                });
                (self.checked_row(values.collect::<Result<_, _>>()?)?, None)
            }
        };
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.kept.len() == MAX_OWN {
            own.kept.pop_front();
            own.gone += 1;
        }
        own.kept.push_back(input);
        Ok((own.gone + own.kept.len() as u64 - 1, note))
    }
}

/// The nearest whole level of each.
fn whole_levels(levels: &[f32]) -> Vec<f32> {
    levels
        .iter()
        .map(|&level| f32::from(whole(level)))
        .collect()
}

/// A grid of feature cells for images that the usual one does not fit.
fn coarser_grid(error: &JobError) -> Option<usize> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        let found = match error.downcast_ref() {
            Some(JobError::Feature(found)) => Some(found),
            _ => error.downcast_ref(),
        };
        if let Some(FeatureError::GridTooFine {
            height_px,
            width_px,
            ..
        }) = found
        {
            // Cells of four pixels and more, in which points are found.
            return Some((height_px.min(width_px) / 5).max(1));
        }
        next = error.source();
    }
    None
}
