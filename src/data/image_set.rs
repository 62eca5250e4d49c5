//! A labelled set of images of one size, and the names of its items.

use super::idx::Idx;
use super::image::MAX_SIDE_PX;
use super::{IdxError, Image, read_idx, sha256_hex};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// Why a set of images was refused, or an item of it.
#[derive(Debug, thiserror::Error)]
pub enum ImageSetError {
    /// No IDX pair in the folder.
    #[error(
        "{}: expected t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (or train-..., each with or without .gz), found neither pair; \
         give the folder that holds the two IDX files",
        .folder.display()
    )]
    NoPair {
        /// The folder looked into.
        folder: PathBuf,
    },
    /// A file that cannot be read.
    #[error("{}: cannot read the file", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file that is not what it should be.
    #[error("{}", .path.display())]
    Idx {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: IdxError,
    },
    /// Images and labels do not belong together.
    #[error("expected as many labels as images, found {images} images and {labels} labels")]
    Counts {
        /// Number of images.
        images: usize,
        /// Number of labels.
        labels: usize,
    },
    /// An image set without images or with images without pixels.
    #[error("expected images, found none: the header's sizes are {shape:?}")]
    Empty {
        /// Sizes in the header.
        shape: Vec<usize>,
    },
    /// Images too large to morph.
    #[error(
        "expected images of at most {MAX_SIDE_PX} pixels a side, found sizes {shape:?} in the header"
    )]
    TooLarge {
        /// Sizes in the header.
        shape: Vec<usize>,
    },
    /// A label without a class.
    #[error(
        "label {label} of image {index}: expected labels below {classes}, the number of classes"
    )]
    Label {
        /// Index of the image.
        index: usize,
        /// Its label.
        label: u8,
        /// Number of classes.
        classes: usize,
    },
    /// An item name of another set.
    #[error("unknown item \"{item}\": expected {set}#INDEX with INDEX in 0..{last}")]
    UnknownItem {
        /// The name given.
        item: String,
        /// Name of the set.
        set: String,
        /// Largest index.
        last: usize,
    },
    /// An index past the end.
    #[error("item {set}#{index} is out of range: the set holds {count} images, the last is {set}#{last}", last = count - 1)]
    OutOfRange {
        /// Name of the set.
        set: String,
        /// The index given.
        index: usize,
        /// Number of images.
        count: usize,
    },
}

/// Images of one size with their labels; item `i` is named `NAME#i`.
#[derive(Debug, Clone)]
pub struct ImageSet {
    name: String,
    images: Idx,
    labels: Idx,
    classes: Vec<String>,
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
        let [count, height, width] = images.shape[..] else {
            return Err(ImageSetError::Empty {
                shape: images.shape.clone(),
            });
        };
        if height > MAX_SIDE_PX || width > MAX_SIDE_PX {
            return Err(ImageSetError::TooLarge {
                shape: images.shape.clone(),
            });
        }
        if count == 0 || height == 0 || width == 0 {
            return Err(ImageSetError::Empty {
                shape: images.shape.clone(),
            });
        }
        if labels.shape[0] != count {
            return Err(ImageSetError::Counts {
                images: count,
                labels: labels.shape[0],
            });
        }
        let largest = labels.data().iter().copied().max().unwrap_or(0);
        let classes =
            classes.unwrap_or_else(|| (0..=largest).map(|label| label.to_string()).collect());
        if let Some(index) = labels
            .data()
            .iter()
            .position(|&label| usize::from(label) >= classes.len())
        {
            return Err(ImageSetError::Label {
                index,
                label: labels.data()[index],
                classes: classes.len(),
            });
        }
        Ok(Self {
            name: name.to_owned(),
            images,
            labels,
            classes,
        })
    }

    /// Reads the IDX pair of a folder: `t10k-images-idx3-ubyte` with its labels, or else
    /// `train-...`, each gzipped or not. The part before the first dash names the set.
    ///
    /// # Errors
    /// [`ImageSetError`] with the file and what is wrong in it.
    pub fn read_folder(folder: &Path, classes: Option<Vec<String>>) -> Result<Self, ImageSetError> {
        let find = |stem: &str| {
            // The dot is how some copies of the files are named.
            [stem.to_owned(), stem.replace("-idx", ".idx")]
                .into_iter()
                .flat_map(|stem| [stem.clone(), format!("{stem}.gz")])
                .map(|file| folder.join(file))
                .find(|path| path.is_file())
        };
        let (name, images_path, labels_path) = ["t10k", "train"]
            .into_iter()
            .find_map(|name| {
                Some((
                    name,
                    find(&format!("{name}-images-idx3-ubyte"))?,
                    find(&format!("{name}-labels-idx1-ubyte"))?,
                ))
            })
            .ok_or_else(|| ImageSetError::NoPair {
                folder: folder.to_owned(),
            })?;
        let read = |path: PathBuf, dims| {
            let content = std::fs::read(&path).map_err(|source| ImageSetError::Read {
                path: path.clone(),
                source,
            })?;
            read_idx(Cow::Owned(content), dims)
                .map_err(|source| ImageSetError::Idx { path, source })
        };
        Self::new(name, read(images_path, 3)?, read(labels_path, 1)?, classes)
    }

    /// Name of the set, the part of an item's name before `#`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.images.shape[0]
    }

    /// False: a set without images is refused when it is made.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Class names, by label.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// `[height, width, channels]` of every image.
    pub fn image_shape(&self) -> [usize; 3] {
        [self.images.shape[1], self.images.shape[2], 1]
    }

    /// Label of image `index`, a position in [`ImageSet::classes`].
    ///
    /// # Panics
    /// When `index` is not below [`ImageSet::len`].
    pub fn label(&self, index: usize) -> usize {
        usize::from(self.labels.data()[index])
    }

    /// Image `index` in grey levels.
    ///
    /// # Panics
    /// When `index` is not below [`ImageSet::len`].
    pub fn image(&self, index: usize) -> Image {
        let [height_px, width_px, channels] = self.image_shape();
        let pixels = height_px * width_px;
        let levels = self.images.data()[index * pixels..(index + 1) * pixels]
            .iter()
            .map(|&level| f32::from(level))
            .collect();
        Image {
            width_px,
            height_px,
            channels,
            levels,
        }
    }

    /// Name of image `index`, e.g. `t10k#1565`.
    pub fn item_name(&self, index: usize) -> String {
        format!("{}#{index}", self.name)
    }

    /// The index that an item's name means, e.g. 1565 for `t10k#1565`.
    ///
    /// # Errors
    /// When the name is not of this set or its index not in it.
    pub fn index_of(&self, item: &str) -> Result<usize, ImageSetError> {
        let unknown = || ImageSetError::UnknownItem {
            item: item.to_owned(),
            set: self.name.clone(),
            last: self.len() - 1,
        };
        let (set, index) = item.split_once('#').ok_or_else(unknown)?;
        if set != self.name || index.is_empty() || !index.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(unknown());
        }
        self.checked_index(index.parse().unwrap_or(usize::MAX))
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

    /// SHA-256 of the images' pixels and the labels, in this order and without the files'
    /// headers, so that it is the same whether the files were gzipped or not.
    pub fn sha256_hex(&self) -> String {
        sha256_hex([self.images.data(), self.labels.data()])
    }
}
