//! What the reader of a page has before the first command: models, data and runs that the page speaks
//! of, from `tests/pages` or elsewhere in the project.

use super::{Page, root};
use std::collections::BTreeSet;
use std::path::Path;

/// What a reader has: its name there, and what of `tests/pages` or of the project it is.
pub(super) const FILES: &[(&str, &str)] = &[
    ("mine.keras", "tests/pages/mine.keras"),
    ("mine.h5", "tests/pages/mine.weights.h5"),
    ("mine.json", "tests/pages/mine.json"),
    ("mine.onnx", "tests/pages/mine.onnx"),
    ("M.onnx", "tests/pages/mine.onnx"),
    ("mine.safetensors", "tests/pages/mlp.safetensors"),
    ("mlp.safetensors", "tests/pages/mlp.safetensors"),
    ("retrained.safetensors", "models/fashion-mnist.safetensors"),
    ("rows.keras", "tests/golden/keras/trained.keras"),
    ("epoch-1.keras", "tests/pages/mine.keras"),
    ("epoch-2.keras", "tests/golden/keras/fashion_mlp.keras"),
    (
        "models/fashion-mnist-cnn.safetensors",
        "models/fashion-mnist-cnn.safetensors",
    ),
    ("data/hawks/hawks.csv", "data/hawks/hawks.csv"),
    ("photos", "tests/pages/photos"),
    ("photo.png", "tests/pages/photos/Bag/18.png"),
    ("a.png", "tests/pages/photos/Bag/18.png"),
    ("b.png", "tests/pages/photos/Coat/6.png"),
    ("cat.png", "tests/pages/photos/Bag/30.png"),
    ("dog.png", "tests/pages/photos/Coat/14.png"),
    ("test.npz", "tests/golden/images/bytes.npz"),
];

/// The same on pages that mean another file by the name.
const FILES_OF_A_PAGE: &[(&str, &str, &str)] = &[
    ("docs/images.md", "mine.keras", "tests/pages/mine-64.keras"),
    (
        "docs/tables.md",
        "mlp.safetensors",
        "tests/pages/rows.safetensors",
    ),
];

/// Files that a page speaks of and its commands write.
const WRITTEN: &[(&str, &str)] = &[("docs/models.md", "mine.safetensors")];

/// The same, as text.
pub(super) const TEXTS: &[(&str, &str)] = &[
    (
        "names.txt",
        "zero\none\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\n",
    ),
    (
        "mine.onnx.json",
        r#"{"file": "mine.onnx", "scale": 0.00392}"#,
    ),
    (
        "FILE.csv",
        "a,b,c,COLUMN\n1,2,3,x\n2,3,1,y\n3,1,2,z\n1,2,4,x\n2,4,1,y\n4,1,2,z\n",
    ),
    (
        "FILE.json",
        r#"{"triples":[{"name":"1A","items":[9,2,1]}]}"#,
    ),
    (
        "triples.json",
        r#"{"triples":[{"name":"1A","items":[9,2,1]}]}"#,
    ),
    (
        "points.json",
        r#"{"points":{"a.png":[[12,8],[20.5,9]],"b.png":[[11,10],[22,9]],
            "t10k#9":[[12,8],[20,9]],"t10k#2":[[11,10],[22,9]],"t10k#1":[[9,9],[20,11]]}}"#,
    ),
    (
        "table.csv",
        "a,b,c,d,e,kind\n1,2,3,4,5,x\n2,3,1,5,4,y\n3,1,2,4,4,z\n1,2,4,2,1,x\n2,4,1,3,5,y\n4,1,2,5,1,z\n",
    ),
    ("pairs.json", r#"{"pairs":[["iris#3", 70], [32, 120]]}"#),
];

/// Finished runs that a page speaks of: what `morphscape sweep` writes, as [`FEWER`] has it.
pub(super) const RUNS: &[&str] = &["morphscape-sweep", "out"];

/// Entries of tables that a page needed, to find those that none does.
#[derive(Default)]
pub(super) struct Used(pub(super) BTreeSet<&'static str>);

/// Copies a file or a folder of the project.
fn copy(from: &Path, to: &Path) {
    let parent = to.parent().expect("below the folder");
    std::fs::create_dir_all(parent).expect("a folder");
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("a folder");
        for entry in std::fs::read_dir(from).expect("a folder") {
            let entry = entry.expect("an entry");
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        std::fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    }
}

/// How a page speaks of a file.
fn named(name: &str) -> &str {
    match name {
        "epoch-1.keras" | "epoch-2.keras" => "epoch-*.keras",
        "data/hawks/hawks.csv" => "--data hawks",
        _ => name,
    }
}

/// Puts into `folder` what the page speaks of.
pub(super) fn furnish(page: &Page, folder: &Path, runs: &Path, used: &mut Used) {
    for (name, from) in FILES {
        let own = FILES_OF_A_PAGE
            .iter()
            .find(|(place, own, _)| *place == page.place && own == name);
        let written = WRITTEN.contains(&(page.place.as_str(), name));
        if page.text.contains(named(name)) && !written {
            used.0.insert(name);
            let from = own.map_or(from, |(.., from)| from);
            copy(&root().join(from), &folder.join(name));
        }
    }
    for (name, text) in TEXTS {
        if page.text.contains(name)
            || *name == "names.txt" && page.text.contains("--class-names FILE")
        {
            used.0.insert(name);
            std::fs::write(folder.join(name), text).expect("written");
        }
    }
    for name in RUNS {
        let named = [
            format!(" {name}/"),
            format!(" {name} "),
            format!(" {name}\n"),
        ];
        if named.iter().any(|named| page.text.contains(named)) {
            used.0.insert(name);
            copy(&runs.join(name), &folder.join(name));
        }
    }
}
