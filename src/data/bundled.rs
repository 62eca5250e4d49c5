//! The data inside the program, so that it runs from any folder.
//!
//! The Fashion-MNIST files stand uncompressed in `data/`: the pages that are touched are all
//! that is read, and no start-up time goes into inflating 7.8 MB. The hawks table is not here:
//! its licence (GPL-3) differs from the program's, see `data/hawks/`.

use super::{ImageSet, read_idx};
use std::borrow::Cow;

/// Class names of Fashion-MNIST, by label 0..9 (Xiao, Rasul, Vollgraf 2017).
pub const FASHION_MNIST_CLASSES: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// Fisher's iris measurements as CSV (150 rows, 3 classes); see `data/README.md`.
pub const IRIS_CSV: &str = include_str!("../../data/iris.csv");

/// The UCI wheat seeds as CSV (210 rows, 3 classes); see `data/README.md`.
pub const SEEDS_CSV: &str = include_str!("../../data/seeds.csv");

const IMAGES: &[u8] = include_bytes!("../../data/fashion-mnist/t10k-images-idx3-ubyte");
const LABELS: &[u8] = include_bytes!("../../data/fashion-mnist/t10k-labels-idx1-ubyte");

/// The Fashion-MNIST test set: 10,000 images of 28 x 28 grey levels, named `t10k`.
pub fn fashion_mnist() -> ImageSet {
    let images =
        read_idx(Cow::Borrowed(IMAGES), 3).expect("the bundled images are a valid IDX file");
    let labels =
        read_idx(Cow::Borrowed(LABELS), 1).expect("the bundled labels are a valid IDX file");
    let classes = FASHION_MNIST_CLASSES.map(str::to_owned).to_vec();
    ImageSet::new("t10k", images, labels, Some(classes)).expect("the bundled set is consistent")
}
