//! File formats to checked values, and the data the program carries.
//!
//! ```text
//! IDX pair ──────┐
//! .npz, tensors ─┼─> ImageSet (images, labels, class names) ──> Image, by item name "t10k#1565"
//! PNG/JPEG ──────┘
//! bundled  ──┬─> Table (rows of numbers, class names) ──> row, by item name "iris#12"
//! CSV      ──┘
//! tensors  <──> safetensors file, written beside its place and renamed
//! ```
//!
//! Nothing above this layer reads a file format. Every size that a file states is checked
//! with checked arithmetic before anything is allocated for it, and every error names the
//! place, what was expected and what was found; the caller adds the path.

mod bundled;
mod file;
mod idx;
mod image;
mod image_set;
mod picture;
mod table;
mod tensors;

pub use bundled::{
    FASHION_MNIST_CLASSES, IRIS_CSV, PAPER_TABLES, PaperTable, SEEDS_CSV, fashion_mnist, hawks,
    iris, seeds,
};
pub use file::{FileError, is_part, sha256_file, sha256_hex, write_file};
pub use idx::{IdxError, read_idx};
pub use image::{Image, ImageError, read_image_file};
pub use image_set::{ClassMatch, ImageSet, ImageSetError, ImageSetOptions, read_image_set};
pub use picture::{Picture, PictureError, whole};
pub use table::{Table, TableError, read_table, read_table_file};
pub use tensors::{Tensor, TensorData, TensorFile, TensorFileError, write_safetensors};
