//! What can be wrong with a set of images.

use crate::data::image::{MAX_SIDE_PX, shape_text};
use crate::data::{IdxError, ImageError, InputError};
use std::path::PathBuf;

/// Why a set of images was refused, or an item of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageSetError {
    /// Nothing that a set could be read from.
    #[error(
        "{}: expected an IDX pair (t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, or train-..., each with or without .gz), \
         or one sub-folder of PNG and JPEG files a class, found neither",
        .path.display()
    )]
    NotASet {
        /// The folder looked into.
        path: PathBuf,
    },
    /// A file that cannot be read.
    #[error("{}: cannot read it", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file that cannot be read, or is too large.
    #[error("{}", .path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: InputError,
    },
    /// An IDX file that is not what it should be.
    #[error("{}", .path.display())]
    Idx {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: IdxError,
    },
    /// An image file that is not what it should be.
    #[error("{}", .path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ImageError,
    },
    /// An image file of another size than the first.
    #[error(
        "{}: expected an image of {} as {} is, found {}; scale all to one size with --resize WxH",
        .path.display(), shape_text([expected[0], expected[1], 1]), .first.display(), shape_text([found[0], found[1], 1])
    )]
    Sizes {
        /// The file.
        path: PathBuf,
        /// Its height and width, pixels.
        found: [usize; 2],
        /// The first file of the set.
        first: PathBuf,
        /// Its height and width, pixels.
        expected: [usize; 2],
    },
    /// An image file that is another one than when the folder was listed.
    #[error("{}: the file has changed since the folder was listed; start again", .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// `--white` with images of whole levels.
    #[error("its levels are bytes 0..255; leave --white out, it belongs to arrays of floats")]
    WhiteNotNeeded,
    /// A file that is neither of the two kinds.
    #[error(
        "expected an .npz or .safetensors file with images [n, H, W] or [n, H, W, C] and labels [n]"
    )]
    NotArrays(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The arrays are not there.
    #[error(
        "expected arrays \"images\" and \"labels\" (or x_test and y_test, or x and y), found {found}"
    )]
    NoArrays {
        /// Names of the arrays that are there.
        found: String,
    },
    /// An array that is not what it should be.
    #[error("array \"{array}\": expected {expected}, found {found}")]
    Array {
        /// Its name.
        array: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
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
    /// Levels in memory that are not those of so many images.
    #[error(
        "expected the levels of images [n, height, width, 1 or 3 channels], found {found} for {shape:?}"
    )]
    Memory {
        /// The shape that was said.
        shape: Vec<usize>,
        /// Levels that are there.
        found: usize,
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
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// A class that the model does not have.
    #[error(
        "class \"{class}\": expected one of the model's, {}; rename it, or match classes by their order with --match order",
        expected.join(", ")
    )]
    UnknownClass {
        /// The class of the set.
        class: String,
        /// The model's classes.
        expected: Vec<String>,
    },
    /// A class that the model names twice.
    #[error(
        "class \"{class}\": the model has it twice; match classes by their order with --match order"
    )]
    RepeatedClass {
        /// The class.
        class: String,
    },
    /// More classes than the model has.
    #[error("expected at most {expected} classes, as the model has, found {}: {}", found.len(), found.join(", "))]
    ClassCount {
        /// Classes of the set.
        found: Vec<String>,
        /// Number of the model's.
        expected: usize,
    },
    /// An item name of another set.
    #[error(
        "unknown item \"{item}\": expected a name such as {example}, or {set}#INDEX with INDEX in 0..{last}"
    )]
    UnknownItem {
        /// The name given.
        item: String,
        /// The first item's name.
        example: String,
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
