//! A labelled set of images of one shape, and the names of its items.
//!
//! ```text
//! folder with an IDX pair              ─ idx_pair ─┐
//! .npz or .safetensors with two arrays ─ arrays ───┼─ values ─> ImageSet ──> Image, by position or name
//! folder with one sub-folder a class   ─ folder ───┘
//! ```
//!
//! Arrays are held as they come. Of a folder only the list is held, with the size that each
//! file's header states: an image is read when it is asked for, so a sweep over a few of 50,000
//! photographs decodes those few.

mod arrays;
mod error;
mod folder;
mod idx_pair;
mod values;

use super::class_order::ClassOrder;
use super::idx::Idx;
use super::image::MAX_SIDE_PX;
use super::{Image, sha256_hex};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

pub use error::ImageSetError;
use folder::Folder;

/// How the classes of a set are found among those of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassMatch {
    /// By their names, letter case apart.
    Name,
    /// The first class is the first output, and so on.
    Order,
}

/// How images of a file or folder become those of the set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageSetOptions {
    /// `[width, height]`, pixels, that images are scaled to, through a triangle filter as wide
    /// as a pixel of the smaller image; without it all must be of one size.
    pub resize: Option<[usize; 2]>,
    /// The level that is white, in the units of the file; without it 255, of files of 16 bits
    /// 65535, and 1 where nothing but 0 and 1 is there.
    pub white: Option<f64>,
    /// The array of images in a file of several.
    pub images_key: Option<String>,
    /// The array of labels in a file of several.
    pub labels_key: Option<String>,
    /// The order of classes that have names; without it that of text, as torchvision and Keras
    /// have folders and numpy has texts.
    pub class_order: Option<ClassOrder>,
    /// What becomes of files of a folder that cannot be read.
    pub unreadable: Unreadable,
}

/// What becomes of an image file that cannot be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unreadable {
    /// The set is refused. Whether pixels can be decoded shows when they are asked for.
    #[default]
    Refuse,
    /// It is no part of the set. Every file is decoded once to know.
    Skip,
}

/// Labels, and what is known of their classes.
struct Labels {
    labels: Vec<usize>,
    /// Without it the labels' own numbers name them.
    classes: Option<Vec<String>>,
    /// Whether these are names, not numbers of outputs.
    named: bool,
    /// What put them in order.
    order: Option<ClassOrder>,
}

impl Labels {
    fn numbers(labels: Vec<usize>) -> Self {
        Self {
            labels,
            classes: None,
            named: false,
            order: None,
        }
    }
}

/// Images of one shape with their labels.
#[derive(Debug, Clone)]
pub struct ImageSet {
    name: String,
    /// `[height, width, channels]` that images are given out in.
    shape: [usize; 3],
    /// The same as arrays hold them; the files of a folder have shapes of their own.
    held: [usize; 3],
    images: Images,
    labels: Vec<usize>,
    classes: Vec<String>,
    named: bool,
    order: Option<ClassOrder>,
    notes: Vec<String>,
}

/// Where the levels are, `[n, H, W, C]`. Copies of a set share them.
#[derive(Debug, Clone)]
enum Images {
    Bytes(Arc<Vec<u8>>),
    Idx(Idx),
    Floats(Arc<Vec<f32>>),
    Folder(Folder),
}

/// Reads the set that `path` names: a folder with an IDX pair, a folder with one sub-folder of
/// image files a class, or an `.npz` or `.safetensors` file. What was assumed, or left out,
/// [`ImageSet::notes`] says.
///
/// # Errors
/// [`ImageSetError`] with the file and what is wrong in it.
pub fn read_image_set(path: &Path, options: &ImageSetOptions) -> Result<ImageSet, ImageSetError> {
    let set = if path.is_file() {
        arrays::read(path, options)?
    } else {
        let keys = [
            ("`images_key`", &options.images_key),
            ("`labels_key`", &options.labels_key),
        ];
        for (option, key) in keys {
            if let Some(key) = key {
                return Err(ImageSetError::NoKey {
                    option,
                    key: key.clone(),
                    found: "a folder, which has none".into(),
                });
            }
        }
        match idx_pair::find(path)? {
            Some(pair) => idx_pair::read(pair, options)?,
            None => folder::read(path, options)?,
        }
    };
    Ok(match options.resize {
        Some(size) => set.resized(size),
        None => set,
    })
}

impl ImageSet {
    /// Puts images `[n, H, W]` and labels `[n]` together. Without `classes` the labels' own
    /// numbers name them.
    ///
    /// # Errors
    /// When the counts differ, nothing is there, or a label has no class.
    pub fn new(
        name: &str,
        images: Idx,
        labels: Idx,
        classes: Option<Vec<String>>,
    ) -> Result<Self, ImageSetError> {
        idx_pair::assemble(name, images, labels, classes, &ImageSetOptions::default())
    }

    /// Puts images `[n, H, W, C]` of whole grey levels and labels `[n]` together, which a host
    /// program holds. Without `classes` the labels' own numbers name them.
    ///
    /// # Errors
    /// When the counts differ, nothing is there, or a label has no class.
    pub fn from_bytes(
        name: &str,
        shape: [usize; 4],
        levels: Vec<u8>,
        labels: Vec<usize>,
        classes: Option<Vec<String>>,
    ) -> Result<Self, ImageSetError> {
        let held = levels.len();
        Self::from_memory(
            name,
            shape,
            held,
            Images::Bytes(levels.into()),
            labels,
            classes,
        )
    }

    /// The same of grey levels 0..255 that need not be whole.
    ///
    /// # Errors
    /// As [`ImageSet::from_bytes`].
    pub fn from_levels(
        name: &str,
        shape: [usize; 4],
        levels: Vec<f32>,
        labels: Vec<usize>,
        classes: Option<Vec<String>>,
    ) -> Result<Self, ImageSetError> {
        let held = levels.len();
        Self::from_memory(
            name,
            shape,
            held,
            Images::Floats(levels.into()),
            labels,
            classes,
        )
    }

    /// Checks that there are as many levels as the shape says, and of 1 or 3 channels.
    fn from_memory(
        name: &str,
        shape: [usize; 4],
        held: usize,
        images: Images,
        labels: Vec<usize>,
        classes: Option<Vec<String>>,
    ) -> Result<Self, ImageSetError> {
        let values = shape
            .iter()
            .try_fold(1usize, |n, &side| n.checked_mul(side));
        if values != Some(held) || ![1, 3].contains(&shape[3]) {
            return Err(ImageSetError::Memory {
                shape: shape.to_vec(),
                found: held,
            });
        }
        let [count, height, width, channels] = shape;
        let labels = Labels {
            labels,
            named: classes.is_some(),
            classes,
            order: None,
        };
        Self::assemble(name, count, [height, width, channels], images, labels)
    }

    /// Checks that `count` images of `shape` and their labels belong together.
    fn assemble(
        name: &str,
        count: usize,
        shape: [usize; 3],
        images: Images,
        labels: Labels,
    ) -> Result<Self, ImageSetError> {
        let Labels {
            labels,
            classes,
            named,
            order,
        } = labels;
        let [height, width, channels] = shape;
        let sizes = || vec![count, height, width, channels];
        if height > MAX_SIDE_PX || width > MAX_SIDE_PX {
            return Err(ImageSetError::TooLarge { shape: sizes() });
        }
        if count == 0 || height == 0 || width == 0 {
            return Err(ImageSetError::Empty { shape: sizes() });
        }
        if labels.len() != count {
            return Err(ImageSetError::Counts {
                images: count,
                labels: labels.len(),
            });
        }
        let classes = match classes {
            Some(classes) => classes,
            None => numbered(&labels)?,
        };
        if let Some(index) = labels.iter().position(|&label| label >= classes.len()) {
            return Err(ImageSetError::Label {
                index,
                label: labels[index],
                classes: classes.len(),
            });
        }
        let mut seen = HashMap::new();
        for class in &classes {
            if let Some(other) = seen.insert(class.trim(), class) {
                return Err(ImageSetError::SameClass {
                    one: other.clone(),
                    other: class.clone(),
                });
            }
        }
        Ok(Self {
            name: name.to_owned(),
            shape,
            held: shape,
            images,
            labels,
            classes,
            named,
            order,
            notes: Vec::new(),
        })
    }

    /// The same images scaled to `[width, height]`, pixels, as [`ImageSetOptions::resize`] says.
    pub fn resized(mut self, [width, height]: [usize; 2]) -> Self {
        self.shape = [height, width, self.shape[2]];
        self
    }

    /// The same images with so many channels, 1 or 3: grey ones as three equal channels, coloured
    /// ones as the grey levels of [`Image::with_channels`].
    pub fn with_channels(mut self, channels: usize) -> Self {
        self.shape[2] = channels;
        self
    }

    /// The same images with a model's `classes` for the classes, so that labels are positions
    /// among its outputs. A class of the list may have no image.
    ///
    /// # Errors
    /// When a class of the set is not in the list ([`ClassMatch::Name`]), the list names one
    /// twice, or it is shorter than the set's ([`ClassMatch::Order`]).
    pub fn with_classes(
        mut self,
        classes: &[String],
        by: ClassMatch,
    ) -> Result<Self, ImageSetError> {
        match by {
            ClassMatch::Order if self.classes.len() > classes.len() => {
                let index = (self.labels.iter()).position(|&label| label >= classes.len());
                return Err(match index {
                    Some(index) if !self.named => ImageSetError::Label {
                        index,
                        label: self.labels[index],
                        classes: classes.len(),
                    },
                    _ => ImageSetError::ClassCount {
                        found: self.classes,
                        expected: classes.len(),
                    },
                });
            }
            ClassMatch::Order => {}
            ClassMatch::Name => {
                let place = |class: &String| {
                    let same = |name: &String| name.trim().eq_ignore_ascii_case(class.trim());
                    let mut places = (0..classes.len()).filter(|&at| same(&classes[at]));
                    match (places.next(), places.next()) {
                        (Some(at), None) => Ok(at),
                        (None, _) => Err(ImageSetError::UnknownClass {
                            class: class.clone(),
                            expected: classes.to_vec(),
                        }),
                        (Some(_), Some(_)) => Err(ImageSetError::RepeatedClass {
                            class: class.clone(),
                        }),
                    }
                };
                let label_from_old: Vec<usize> =
                    self.classes.iter().map(place).collect::<Result<_, _>>()?;
                // `Cat` and `cat` are two classes to whoever sorted the images.
                let mut taken: HashMap<usize, &String> = HashMap::new();
                for (class, &label) in self.classes.iter().zip(&label_from_old) {
                    if let Some(other) = taken.insert(label, class) {
                        return Err(ImageSetError::BothTheSame {
                            one: other.clone(),
                            other: class.clone(),
                            class: classes[label].clone(),
                        });
                    }
                }
                for label in &mut self.labels {
                    *label = label_from_old[*label];
                }
            }
        }
        self.classes = classes.to_vec();
        Ok(self)
    }

    /// Name of the set, the part of an item's name before `#`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// False: a set without images is refused when it is made.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Class names, by label.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Whether its classes have names, not the labels' numbers alone.
    pub fn names_classes(&self) -> bool {
        self.named
    }

    /// What put its classes in order; nothing where they are the outputs' numbers, or listed in
    /// the file.
    pub fn class_order(&self) -> Option<ClassOrder> {
        self.order
    }

    /// What was assumed or left out when the set was read, a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// `[height, width, channels]` of every image.
    pub fn image_shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Label of image `index`, a position in [`ImageSet::classes`].
    ///
    /// # Panics
    /// When `index` is not below [`ImageSet::len`].
    pub fn label(&self, index: usize) -> usize {
        self.labels[index]
    }

    /// Image `index` in grey levels.
    ///
    /// # Errors
    /// When it is a file that cannot be read any more, or has changed.
    ///
    /// # Panics
    /// When `index` is not below [`ImageSet::len`].
    pub fn image(&self, index: usize) -> Result<Image, ImageSetError> {
        let [height_px, width_px, channels] = self.held;
        let values = height_px * width_px * channels;
        let range = index * values..(index + 1) * values;
        let held = |levels: Vec<f32>| Image {
            width_px,
            height_px,
            channels,
            levels,
        };
        let floats = |bytes: &[u8]| held(bytes.iter().map(|&level| f32::from(level)).collect());
        let image = match &self.images {
            Images::Bytes(bytes) => floats(&bytes[range]),
            Images::Idx(idx) => floats(&idx.data()[range]),
            Images::Floats(levels) => held(levels[range].to_vec()),
            Images::Folder(folder) => folder.image(index)?,
        };
        Ok(image.fitted(self.shape))
    }

    /// Name of image `index`, e.g. `t10k#1565` or `photos#cat/17.png`.
    pub fn item_name(&self, index: usize) -> String {
        match &self.images {
            Images::Folder(folder) => format!("{}#{}", self.name, folder.names[index]),
            _ => format!("{}#{index}", self.name),
        }
    }

    /// The position that an item's name means, e.g. 1565 for `t10k#1565`. Images of a folder
    /// have a number, too: their place in the list, class by class, files in the order of names.
    ///
    /// # Errors
    /// When the name is not of this set or its index not in it.
    pub fn index_of(&self, item: &str) -> Result<usize, ImageSetError> {
        let unknown = || ImageSetError::UnknownItem {
            item: item.to_owned(),
            example: self.item_name(0),
            set: self.name.clone(),
            last: self.len() - 1,
        };
        // A file's name may hold the sign itself, before it or behind it.
        let place = (item.strip_prefix(&self.name))
            .and_then(|rest| rest.strip_prefix('#'))
            .filter(|place| !place.is_empty())
            .ok_or_else(unknown)?;
        if let Images::Folder(folder) = &self.images
            && let Some(index) = folder.names.iter().position(|name| name == place)
        {
            return Ok(index);
        }
        if !place.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(unknown());
        }
        self.checked_index(place.parse().unwrap_or(usize::MAX))
    }

    /// `index` itself when the set has it.
    ///
    /// # Errors
    /// [`ImageSetError::OutOfRange`].
    pub fn checked_index(&self, index: usize) -> Result<usize, ImageSetError> {
        if index < self.len() {
            Ok(index)
        } else {
            Err(ImageSetError::OutOfRange {
                set: self.name.clone(),
                index,
                count: self.len(),
            })
        }
    }

    /// SHA-256 of the levels and the labels as the file has them, in this order and without
    /// headers, so that it is the same whether a file was compressed or not. Of a folder: of
    /// each file's name and bytes.
    ///
    /// # Errors
    /// When a file cannot be read any more.
    pub fn sha256_hex(&self) -> Result<String, ImageSetError> {
        let labels: Vec<u8> = match self.labels.iter().max() {
            Some(&largest) if largest > 255 => self
                .labels
                .iter()
                .flat_map(|&label| (label as u32).to_le_bytes())
                .collect(),
            _ => self.labels.iter().map(|&label| label as u8).collect(),
        };
        Ok(match &self.images {
            Images::Bytes(bytes) => sha256_hex([bytes.as_slice(), &labels]),
            Images::Idx(idx) => sha256_hex([idx.data(), &labels]),
            Images::Floats(levels) => {
                sha256_hex([bytemuck::cast_slice(levels.as_slice()), &labels])
            }
            Images::Folder(folder) => folder.sha256_hex()?,
        })
    }
}

/// Most classes that labels may number: past it they are most likely something else.
const MAX_CLASSES: usize = 10_000;

/// Names for the numbers of labels.
fn numbered(labels: &[usize]) -> Result<Vec<String>, ImageSetError> {
    let largest = labels.iter().copied().max().unwrap_or(0);
    if largest >= MAX_CLASSES {
        return Err(ImageSetError::Label {
            index: labels
                .iter()
                .position(|&label| label == largest)
                .unwrap_or(0),
            label: largest,
            classes: MAX_CLASSES,
        });
    }
    Ok((0..=largest).map(|label| label.to_string()).collect())
}
