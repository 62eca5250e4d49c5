//! What can be wrong with a set of images.

use crate::data::image::{MAX_SIDE_PX, shape_text};
use crate::data::{IdxError, ImageError, InputError};
use crate::remedy::{did_you_mean, some_names};
use std::path::PathBuf;

/// Why a set of images was refused, or an item of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageSetError {
    /// Nothing that a set could be read from.
    #[error(
        "expected an IDX pair (t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, or train-..., each with or without .gz), \
         or one sub-folder of image files (.png, .jpg, .webp, .bmp, .gif, .tif, .pgm, .ppm) for each class, found {found}"
    )]
    NotASet {
        /// What is there instead, and what to do about it.
        found: String,
    },
    /// Several IDX pairs.
    #[error("expected one IDX pair, found {}; put one of them into a folder of its own", found.join(", "))]
    Pairs {
        /// The parts of their names before `images`.
        found: Vec<String>,
    },
    /// A folder of parts to train and to test on.
    #[error(
        "expected one sub-folder for each class, found the parts {}; give one of them, `data` {}",
        found.join(", "), .path.join(&found[0]).display()
    )]
    Parts {
        /// The folder.
        path: PathBuf,
        /// Its sub-folders.
        found: Vec<String>,
    },
    /// A class order that a source does not have.
    #[error("`class_order` {order}: {reason}")]
    ClassOrder {
        /// The order asked for.
        order: &'static str,
        /// What keeps the source from having it.
        reason: String,
    },
    /// Two classes of a set that are one by name.
    #[error("expected different classes, found \"{one}\" and \"{other}\"; rename one")]
    SameClass {
        /// A class.
        one: String,
        /// The other.
        other: String,
    },
    /// A file of another kind.
    #[error("expected an .npz or .safetensors file with images and labels, found {kind}; {remedy}")]
    OtherFile {
        /// What it is.
        kind: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// An array that was asked for and is not there.
    #[error("{option} {key}: expected one of the file's arrays, found {found}")]
    NoKey {
        /// The option.
        option: &'static str,
        /// Its value.
        key: String,
        /// The arrays that are there, and their shapes.
        found: String,
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
    /// An image file of a folder that is not what it should be.
    #[error("{}, which `skip_unreadable` would skip", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: ImageError,
    },
    /// A model's class that two classes of the set are.
    #[error(
        "classes \"{one}\" and \"{other}\": both are the model's \"{class}\"; rename one, or match classes by their order with `match` order"
    )]
    BothTheSame {
        /// A class of the set.
        one: String,
        /// Another one.
        other: String,
        /// The model's.
        class: String,
    },
    /// An image file of another size than the first.
    #[error(
        "{}: expected an image of {} as {} is, found {}; scale all to one size with `resize` WxH",
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
    /// A file that is neither of the two kinds.
    #[error(
        "expected an .npz or .safetensors file with images [n, H, W] or [n, H, W, C] and labels [n]"
    )]
    NotArrays(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The arrays are not there.
    #[error(
        "expected arrays \"images\" and \"labels\", or others of one length and the usual names, found {found}; name them with `images_key` and `labels_key`"
    )]
    NoArrays {
        /// The arrays that are there, and their shapes.
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
        "class \"{class}\": expected one of the model's, {}{}; give their `model`, rename the class, or match classes by their order with `match` order",
        some_names(expected), did_you_mean(class, expected.iter().map(String::as_str))
    )]
    UnknownClass {
        /// The class of the set.
        class: String,
        /// The model's classes.
        expected: Vec<String>,
    },
    /// A class that the model names twice.
    #[error(
        "class \"{class}\": the model has it twice; match classes by their order with `match` order"
    )]
    RepeatedClass {
        /// The class.
        class: String,
    },
    /// More classes than the model has.
    #[error("expected at most {expected} classes, as the model has, found {}: {}", found.len(), some_names(found))]
    ClassCount {
        /// Classes of the set.
        found: Vec<String>,
        /// Number of the model's.
        expected: usize,
    },
    /// An item name of another set.
    #[error(
        "unknown item \"{item}\": expected a name such as {example}, or {set}#INDEX with INDEX from 0 to {last}"
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
