//! File formats to checked values, and the data the program carries.
//!
//! ```text
//! IDX pair ──────┐
//! .npz, tensors ─┼─> ImageSet (images, labels, class names) ──> Image, by item name "t10k#1565"
//! image files ───┘
//! bundled  ──┬─> Table (rows of numbers, class names) ──> row, by item name "iris#12"
//! CSV      ──┘
//! tensors  <──> safetensors file, written beside its place and renamed
//! ```
//!
//! Nothing above this layer reads a file format. A file is read no further than its limit
//! ([`read_bytes`]), every size that it states is checked with checked arithmetic before anything
//! is allocated for it, and every error names the place, what was expected and what was found; the
//! caller adds the path.

mod array;
mod bundled;
mod class_order;
mod file;
mod idx;
mod image;
mod image_set;
mod input;
mod picture;
mod points;
mod table;
mod tensors;

pub use bundled::{
    FASHION_MNIST_CLASSES, IRIS_CSV, PAPER_TABLES, PaperTable, SEEDS_CSV, fashion_mnist, hawks,
    iris, seeds,
};
pub use class_order::ClassOrder;
pub use file::{FileError, is_part, sha256_file, sha256_hex, write_file};
pub use idx::{IdxError, read_idx};
pub use image::{Image, ImageError, decode_image, read_image_file};
pub use image_set::{
    ClassMatch, ImageSet, ImageSetError, ImageSetOptions, Unreadable, read_image_set,
};
pub(crate) use input::is_spreadsheet;
pub use input::{
    InputError, MAX_HEADER_BYTES, MAX_JSON_BYTES, MAX_PAGE_BYTES, MAX_PICTURE_BYTES,
    MAX_TENSOR_BYTES, read_bytes, read_text,
};
pub use picture::{Picture, PictureError, whole};
pub use points::{PointLists, PointsError, read_points_file};
pub use table::{
    Delimiter, Header, MAX_TABLE_BYTES, Numbering, Table, TableError, TableOptions, read_table,
    read_table_file, read_table_with,
};
pub(crate) use tensors::parse_safetensors;
pub use tensors::{
    Tensor, TensorData, TensorFile, TensorFileError, safetensors_bytes, write_safetensors,
};
