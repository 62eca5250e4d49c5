//! The data inside the program, so that it runs from any folder.
//!
//! The Fashion-MNIST files stand uncompressed in `data/`: the pages that are touched are all
//! that is read, and no start-up time goes into inflating 7.8 MB. The hawks table is not here:
//! its licence (GPL-3) differs from the program's, see `data/hawks/`. What the three tables are
//! is said once, in [`PAPER_TABLES`], whether their bytes are here or not.

use super::table::read_limited;
use super::{ImageSet, Numbering, Table, TableError, TableOptions, read_idx, read_table_with};
use std::borrow::Cow;
use std::path::Path;

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

/// A table of the paper: where it is and which of its columns the job takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaperTable {
    /// Name of the table, the part of an item's name before `#`.
    pub name: &'static str,
    /// The file, below `data/`.
    pub file: &'static str,
    /// The column that holds the class.
    pub label: &'static str,
    /// The columns of the features, in the paper's order.
    pub features: [&'static str; 4],
    /// Class names, by label.
    pub classes: [&'static str; 3],
}

const IRIS: PaperTable = PaperTable {
    name: "iris",
    file: "iris.csv",
    label: "species",
    features: ["sepal_length", "sepal_width", "petal_length", "petal_width"],
    classes: ["setosa", "versicolor", "virginica"],
};

const HAWKS: PaperTable = PaperTable {
    name: "hawks",
    file: "hawks/hawks.csv",
    label: "Species",
    features: ["Wing", "Tail", "Weight", "Hallux"],
    classes: ["CH", "RT", "SS"],
};

const SEEDS: PaperTable = PaperTable {
    name: "seeds",
    file: "seeds.csv",
    label: "variety",
    features: [
        "kernel_length",
        "kernel_width",
        "kernel_groove_length",
        "asymmetry_coefficient",
    ],
    // The order of UCI's codes 1, 2, 3, not that of the alphabet.
    classes: ["Kama", "Rosa", "Canadian"],
};

/// The paper's three tables.
pub const PAPER_TABLES: [PaperTable; 3] = [IRIS, HAWKS, SEEDS];

impl PaperTable {
    /// The paper's table of this name: `iris`, `hawks` or `seeds`.
    pub fn named(name: &str) -> Option<&'static Self> {
        PAPER_TABLES.iter().find(|table| table.name == name)
    }

    /// Reads the table from a file like the project's own.
    ///
    /// # Errors
    /// [`TableError`]; the caller adds the path.
    pub fn read_file(&self, path: &Path) -> Result<Table, TableError> {
        self.parse(&read_limited(path)?)
    }

    fn parse(&self, content: &[u8]) -> Result<Table, TableError> {
        let classes = self.classes.map(str::to_owned);
        let options = TableOptions {
            features: self.features.map(str::to_owned).to_vec(),
            // The paper's indices are those of the rows that it keeps.
            numbering: Numbering::Kept,
            ..TableOptions::default()
        };
        read_table_with(self.name, content, self.label, &options)?.with_classes(&classes)
    }
}

/// Fisher's iris flowers: 150 rows, named `iris#0` to `iris#149`.
pub fn iris() -> Table {
    IRIS.parse(IRIS_CSV.as_bytes())
        .expect("the bundled table is valid")
}

/// The UCI wheat seeds: 210 rows, named `seeds#0` to `seeds#209`.
pub fn seeds() -> Table {
    SEEDS
        .parse(SEEDS_CSV.as_bytes())
        .expect("the bundled table is valid")
}

/// The hawks from `data/hawks/hawks.csv` of a checkout, which is not in the program: 893 rows,
/// named `hawks#0` to `hawks#892`, and 15 left out.
///
/// # Errors
/// [`TableError`]; the caller adds the path.
pub fn hawks(path: &Path) -> Result<Table, TableError> {
    HAWKS.read_file(path)
}
