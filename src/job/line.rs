//! The line between two inputs, as plain data.

use super::error::JobError;
use super::images::{ImageSource, find_image, find_image_for, fit_channels};
use super::model::{LoadedModel, ModelSource};
use super::observer::{Note, Observer};
use super::own::{own_image, own_name};
use super::tables::TableSource;
use crate::data::{Image, ImageSet, ImageSetOptions, Table};
use crate::landscape::ListedItem;
use crate::remedy::Setting;
use crate::sections::{Exactness, SectionError, SectionNetwork, SpaceKind};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Where the two inputs of a line are looked up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineData {
    /// Images: files, or items of a set.
    Images(ImageSource),
    /// Rows of a table.
    Rows(TableSource),
}

/// The straight line between two inputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineJob {
    /// The inputs at t = 0 and t = 1; those of no data set stand here themselves, and their classes do
    /// not matter.
    pub items: [ListedItem; 2],
    /// Where they are looked up.
    pub data: LineData,
    /// Which classifier.
    pub model: ModelSource,
    /// Samples, both ends included: of a sampled line, and what the certificate is about.
    pub steps: usize,
    /// Whether the section is exact.
    pub exact: Exactness,
    /// More pieces than this are an error.
    pub max_pieces: usize,
    /// Whether a path that connects the inputs is sought.
    pub connect: bool,
}

/// A line that is ready to be cut.
#[derive(Debug)]
pub struct LoadedLine {
    /// What they are called.
    pub names: [String; 2],
    /// The two inputs, grey levels 0..255 or features.
    pub inputs: [Vec<f32>; 2],
    /// Their classes, where they are items of the data.
    pub labels: [Option<usize>; 2],
    /// The classifier.
    pub model: LoadedModel,
    /// Name of each class.
    pub class_names: Vec<String>,
    /// Where the inputs are from.
    pub data_path: String,
    /// What its coordinates are.
    pub space: SpaceKind,
    /// The network in 64-bit floats, or why it has no exact section; nothing where none is wanted.
    pub network: Option<Result<SectionNetwork, SectionError>>,
}

impl LineJob {
    /// Reads the model and the inputs and checks that they fit together.
    ///
    /// # Errors
    /// [`JobError`] with the item or the setting.
    pub fn load(&self, observer: &dyn Observer) -> Result<LoadedLine, JobError> {
        if !(2..=1_000_000).contains(&self.steps) {
            let range = JobError::unfit("expected 2 to 1000000");
            return Err(JobError::setting(Setting::Steps, self.steps, range));
        }
        let mut line = match &self.data {
            LineData::Images(source) => self.images(source, observer)?,
            LineData::Rows(source) => self.rows(source, observer)?,
        };
        if line.inputs[0] == line.inputs[1] {
            return Err(JobError::unfit(format!(
                "{} and {}: expected two different inputs, found one twice",
                line.names[0], line.names[1]
            )));
        }
        if self.exact == Exactness::Auto {
            line.network = Some(SectionNetwork::new(&line.model.model, line.space));
        }
        if let Some(Err(error)) = &line.network {
            let note = format!(
                "{}: {error}; sampling {} points instead",
                line.model.path, self.steps
            );
            observer.note(&Note::new(note));
        }
        if let Some(Ok(network)) = &line.network
            && network.space().is_identity()
        {
            observer.note(&Note::new(format!(
                "{} does not scale its input; lengths are in units of the features",
                line.model.path
            )));
        }
        note_unconnected(self.connect, line.network.as_ref(), observer);
        Ok(line)
    }

    fn images(
        &self,
        source: &ImageSource,
        observer: &dyn Observer,
    ) -> Result<LoadedLine, JobError> {
        let data = source.load()?;
        let first = image_of(&self.items[0], &data.images, &source.options)?;
        let mut model = self.model.load_for_images(first.shape())?;
        let data = data.match_classes(&model, observer)?;
        model.note_assumptions(observer);
        model.warn_unscaled(observer);
        let mut inputs = Vec::with_capacity(2);
        let mut names = Vec::with_capacity(2);
        let mut labels = Vec::with_capacity(2);
        for item in &self.items {
            let position = match item {
                ListedItem::Name(name) if !Path::new(name).is_file() => {
                    data.images.index_of(name).ok()
                }
                ListedItem::Index(position) => Some(*position),
                _ => None,
            };
            labels.push(position.map(|position| data.images.label(position)));
            let options = &source.options;
            let (name, image) = match item {
                ListedItem::Name(name) => {
                    let image = find_image_for(&mut model, name, &data.images, options, observer)?;
                    (name.clone(), image)
                }
                item => {
                    let image = image_of(item, &data.images, options)?;
                    let name = match item {
                        ListedItem::Index(position) => data.images.item_name(*position),
                        _ => own_name(&image.levels),
                    };
                    let image = fit_channels(&mut model, &name, image, observer)?;
                    (name, image)
                }
            };
            names.push(name);
            inputs.push(image.levels);
        }
        Ok(LoadedLine {
            names: two(names),
            inputs: two(inputs),
            labels: two(labels),
            class_names: model.class_names(data.images.classes()),
            model,
            data_path: data.path,
            space: SpaceKind::Images,
            network: None,
        })
    }

    fn rows(&self, source: &TableSource, observer: &dyn Observer) -> Result<LoadedLine, JobError> {
        let (mut data, model) = source.load(&self.model)?;
        model.note_assumptions(observer);
        let class_names = data.fit(&model.model, &model.path)?;
        data.note_assumptions(observer);
        let rows = self.items.iter().map(|item| row_of(item, &data.table));
        let rows = rows.collect::<Result<Vec<_>, JobError>>()?;
        let labels = rows.iter().map(|(name, _)| {
            let position = data.table.index_of(name).ok()?;
            Some(data.table.label(position))
        });
        let labels = labels.collect();
        let (names, inputs) = rows.into_iter().unzip();
        Ok(LoadedLine {
            names: two(names),
            inputs: two(inputs),
            labels: two(labels),
            class_names,
            model,
            data_path: data.path,
            space: SpaceKind::Rows,
            network: None,
        })
    }
}

/// Says that no path is sought where it is asked for and lines are not exact.
pub(super) fn note_unconnected(
    asked: bool,
    network: Option<&Result<SectionNetwork, SectionError>>,
    observer: &dyn Observer,
) {
    let exact = network.is_some_and(|found| {
        found
            .as_ref()
            .is_ok_and(SectionNetwork::is_piecewise_linear)
    });
    if asked && !exact {
        observer.note(&Note::new(
            "no path is sought: that takes exact lines, and these are not".to_owned(),
        ));
    }
}

fn two<T: std::fmt::Debug>(items: Vec<T>) -> [T; 2] {
    items.try_into().expect("a line has two items")
}

/// An image that a line begins or ends with, as it is found.
fn image_of(
    item: &ListedItem,
    images: &ImageSet,
    options: &ImageSetOptions,
) -> Result<Image, JobError> {
    match item {
        ListedItem::Name(name) => find_image(name, images, options),
        ListedItem::Index(position) if *position < images.len() => Ok(images.image(*position)?),
        ListedItem::Index(position) => Err(beyond(*position, images.len())),
        ListedItem::Image(own) => own_image(own),
        ListedItem::Row(_) => Err(JobError::unfit("expected an image, found a row of values")),
    }
}

/// A row that a line begins or ends with, and its name.
fn row_of(item: &ListedItem, table: &Table) -> Result<(String, Vec<f32>), JobError> {
    let of = |position| (table.item_name(position), table.row(position).to_vec());
    match item {
        ListedItem::Name(name) => Ok((name.clone(), of(table.index_of(name)?).1)),
        ListedItem::Index(position) if *position < table.len() => Ok(of(*position)),
        ListedItem::Index(position) => Err(beyond(*position, table.len())),
        ListedItem::Row(own) => {
            own.check(table.features()).map_err(JobError::unfit)?;
            Ok((own_name(&own.row), own.row.clone()))
        }
        ListedItem::Image(_) => Err(JobError::unfit("expected a row of values, found an image")),
    }
}

fn beyond(position: usize, items: usize) -> JobError {
    JobError::unfit(format!(
        "expected an item from 0 to {}, found {position}",
        items - 1
    ))
}

impl LoadedLine {
    /// What is said of the ends that are classified as other classes, `found`, than they are labelled.
    pub fn otherwise_labelled(&self, found: [usize; 2]) -> Vec<Note> {
        let name = |class: usize| self.class_names.get(class).map_or("", String::as_str);
        (0..2)
            .filter_map(|end| Some((end, self.labels[end].filter(|&label| label != found[end])?)))
            .map(|(end, label)| {
                Note::new(format!(
                    "{} is labelled {} and classified {}",
                    self.names[end],
                    name(label),
                    name(found[end])
                ))
            })
            .collect()
    }

    /// Whether an engine has to classify samples.
    pub fn is_sampled(&self) -> bool {
        !matches!(self.network, Some(Ok(_)))
    }
}
