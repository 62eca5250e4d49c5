//! Every reader of a file that a user gives, as `tests/memory/mutations.rs` and the targets in `fuzz/`
//! call it: bytes in, read or refused, and how much memory that may take.
//!
//! Containers hide what is inside from mutations: a checksum or an offset is wrong first. So some
//! readers take a part of a file, a config, the header of tensors, the rows of a picture, and make
//! the rest around it anew.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "tests and fuzz targets use their part of this module"
)]

use morphscape::data::{
    Delimiter, Header, ImageSetOptions, Picture, TableOptions, decode_image, read_idx,
    read_image_set, read_table, read_table_with,
};
use morphscape::kernels::Activation;
use morphscape::landscape::{DataPoints, LandscapeFile, read_triples_file};
use morphscape::model::{ModelError, ModelOptions, read_model};
use std::borrow::Cow;
use std::error::Error;
use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::sync::LazyLock;
use zip::write::SimpleFileOptions;

type Outcome = Result<(), Box<dyn Error>>;

/// A reader and what it is tried with.
pub struct Reader {
    pub name: &'static str,
    /// Good and nasty files of it below `tests/`, or folders of them.
    pub files: &'static [&'static str],
    /// What is mutated of such a file; nothing where it has no such part.
    pub part: fn(&[u8]) -> Option<Vec<u8>>,
    /// Reads `content`, in a folder for its files.
    pub read: fn(folder: &Path, content: &[u8]) -> Outcome,
    /// Memory that reading a file of so many bytes takes at most, bytes.
    pub most_bytes: fn(usize) -> usize,
}

const MIB: usize = 1 << 20;

fn whole(content: &[u8]) -> Option<Vec<u8>> {
    Some(content.to_vec())
}

fn some_of(content: &[u8], keep: bool) -> Option<Vec<u8>> {
    keep.then(|| content.to_vec())
}

/// Little more than the file: what inflates, 1030 times as much, and a picture of 4096 x 4096.
const PICTURE: fn(usize) -> usize = |_| 640 * MIB;
const MODEL: fn(usize) -> usize = |len| 64 * MIB + 64 * len;

pub const READERS: &[Reader] = &[
    Reader {
        name: "idx",
        files: &["corpus/idx"],
        part: whole,
        read: |_, content| Ok(read_idx(Cow::Owned(content.to_vec()), 3).map(drop)?),
        // Inflated room grows by doubling.
        most_bytes: |len| MIB + 3 * 1032 * len,
    },
    Reader {
        name: "idx-gzipped",
        files: &["corpus/idx/good-images", "corpus/idx/bad-sizes-4GiB"],
        part: whole,
        read: |_, content| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(content)?;
            Ok(read_idx(Cow::Owned(packed.finish()?), 3).map(drop)?)
        },
        most_bytes: |len| MIB + 3 * 1032 * len,
    },
    Reader {
        name: "png",
        files: &["corpus/png"],
        part: whole,
        read: |_, content| Ok(decode_image(content).map(drop)?),
        most_bytes: PICTURE,
    },
    Reader {
        name: "png-checksums-right",
        files: &["corpus/png"],
        part: whole,
        read: |_, content| Ok(decode_image(&with_checksums(content)).map(drop)?),
        most_bytes: PICTURE,
    },
    Reader {
        name: "jpeg",
        files: &["corpus/jpeg"],
        part: whole,
        read: |_, content| Ok(decode_image(content).map(drop)?),
        most_bytes: PICTURE,
    },
    Reader {
        name: "pictures",
        files: &["corpus/pictures"],
        part: whole,
        read: |_, content| Ok(decode_image(content).map(drop)?),
        most_bytes: PICTURE,
    },
    Reader {
        name: "frames",
        files: &[
            "corpus/png/good-grey-8.png",
            "corpus/png/good-text-bomb.png",
        ],
        part: whole,
        read: |folder, content| {
            let path = file(folder, &with_checksums(content))?;
            Ok(Picture::read_png(&path, [4, 5, 1]).map(drop)?)
        },
        most_bytes: |len| 8 * MIB + 4 * len,
    },
    Reader {
        name: "csv",
        files: &["corpus/csv"],
        part: whole,
        read: |_, content| Ok(read_table("t", content, "kind", &[]).map(drop)?),
        most_bytes: |len| MIB + 64 * len,
    },
    Reader {
        name: "csv-packed",
        files: &["corpus/csv-packed"],
        part: whole,
        read: |_, content| Ok(read_table("t", content, "kind", &[]).map(drop)?),
        // What inflates is text, of which a table may be made.
        most_bytes: |len| MIB + 66 * 1032 * len,
    },
    Reader {
        name: "csv-gzipped",
        files: &["corpus/csv/good.csv", "corpus/csv/good-semicolons.csv"],
        part: whole,
        read: |_, content| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(content)?;
            Ok(read_table("t", &packed.finish()?, "kind", &[]).map(drop)?)
        },
        // What inflates is text, of which a table may be made.
        most_bytes: |len| MIB + 66 * 1032 * len,
    },
    Reader {
        name: "csv-blanks",
        files: &["corpus/csv-blanks"],
        part: whole,
        read: |_, content| {
            let options = TableOptions {
                delimiter: Some(Delimiter::Blanks),
                header: Header::Missing,
                ..TableOptions::default()
            };
            Ok(read_table_with("t", content, "1", &options).map(drop)?)
        },
        most_bytes: |len| MIB + 64 * len,
    },
    Reader {
        name: "arrays",
        files: &["corpus/arrays", "golden/images/colour.safetensors"],
        part: whole,
        read: image_set,
        // Whole numbers are kept as 64 bits, however short, in room that grows by doubling.
        most_bytes: |len| 8 * MIB + 24 * 1032 * len,
    },
    Reader {
        name: "npy",
        files: &[
            "corpus/arrays/good.npz",
            "corpus/arrays/good-version-2.npz",
            "corpus/arrays/good-halves.npz",
            "corpus/arrays/good-fortran.npz",
            "corpus/arrays/good-channels-first.npz",
        ],
        part: |content| entry(content, "images.npy"),
        read: |folder, content| {
            let labels = entry(NPZ, "labels.npy").expect("labels");
            image_set(
                folder,
                &zipped(&[("images.npy", content), ("labels.npy", &labels)]),
            )
        },
        most_bytes: |len| 8 * MIB + 64 * len,
    },
    Reader {
        name: "npy-labels",
        files: &[
            "corpus/arrays/good-text.npz",
            "corpus/arrays/good-one-hot.npz",
            "corpus/arrays/good-halves.npz",
        ],
        part: |content| entry(content, "labels.npy"),
        read: |folder, content| {
            let images = entry(NPZ, "images.npy").expect("images");
            image_set(
                folder,
                &zipped(&[("images.npy", &images), ("labels.npy", content)]),
            )
        },
        most_bytes: |len| 8 * MIB + 64 * len,
    },
    Reader {
        name: "triples",
        files: &["corpus/triples"],
        part: whole,
        read: |folder, content| Ok(read_triples_file(&file(folder, content)?).map(drop)?),
        most_bytes: |len| MIB + 40 * len,
    },
    Reader {
        name: "landscape",
        files: &["corpus/landscapes"],
        part: whole,
        read: |folder, content| Ok(LandscapeFile::read(&file(folder, content)?).map(drop)?),
        most_bytes: |len| MIB + 64 * len,
    },
    Reader {
        name: "landscape-header",
        files: &["corpus/landscapes/good-images.safetensors"],
        part: |content| Some(header_and_data(content).0.to_vec()),
        read: |folder, header| {
            let content = with_header(header, LANDSCAPE);
            Ok(LandscapeFile::read(&file(folder, &content)?).map(drop)?)
        },
        most_bytes: |len| MIB + 64 * len,
    },
    Reader {
        name: "data-points",
        files: &["corpus/points"],
        part: whole,
        read: |folder, content| Ok(DataPoints::read(&file(folder, content)?).map(drop)?),
        most_bytes: |len| MIB + 64 * len,
    },
    Reader {
        name: "keras",
        files: &["golden/keras/trained.keras", "golden/keras/deflated.keras"],
        part: whole,
        read: |folder, content| model(folder, content, &ModelOptions::default()),
        most_bytes: MODEL,
    },
    Reader {
        name: "keras-weights",
        files: &["golden/keras/trained.keras"],
        part: |content| entry(content, "model.weights.h5"),
        read: |folder, weights| {
            let content = zipped(&[("config.json", &TRAINED[0]), ("model.weights.h5", weights)]);
            model(folder, &content, &ModelOptions::default())
        },
        most_bytes: MODEL,
    },
    Reader {
        name: "keras-config",
        files: &["golden/keras/trained.keras"],
        part: |content| entry(content, "config.json"),
        read: |folder, config| {
            let content = zipped(&[("config.json", config), ("model.weights.h5", &TRAINED[1])]);
            model(folder, &content, &ModelOptions::default())
        },
        most_bytes: MODEL,
    },
    Reader {
        name: "keras-functional-config",
        files: &["golden/keras/residual.keras"],
        part: |content| entry(content, "config.json"),
        read: |folder, config| {
            let content = zipped(&[("config.json", config), ("model.weights.h5", &RESIDUAL[1])]);
            model(folder, &content, &ModelOptions::default())
        },
        most_bytes: MODEL,
    },
    Reader {
        name: "hdf5",
        files: &[
            "golden/keras/tf2.12_functional.keras",
            "golden/keras/keras3_legacy.h5",
        ],
        part: whole,
        read: |folder, content| model(folder, content, &ModelOptions::default()),
        most_bytes: MODEL,
    },
    Reader {
        name: "hdf5-weights",
        files: &["golden/keras/keras3.weights.h5"],
        part: whole,
        read: |folder, content| with_config(folder, content, CONFIG),
        most_bytes: MODEL,
    },
    Reader {
        name: "config-beside",
        files: &["golden/keras/keras3.json"],
        part: whole,
        read: |folder, config| with_config(folder, WEIGHTS, config),
        most_bytes: MODEL,
    },
    Reader {
        name: "model-safetensors",
        files: &["corpus/models", "../models/iris.safetensors"],
        part: whole,
        read: |folder, content| {
            let plain = ModelOptions {
                activation: Some(Activation::Relu),
                ..ModelOptions::default()
            };
            let path = file(folder, content)?;
            // A file with a config of its own wants no activation.
            Ok(match read_model(&path, &plain) {
                Err(ModelError::OptionsNotNeeded) => read_model(&path, &ModelOptions::default()),
                other => other,
            }
            .map(drop)?)
        },
        most_bytes: MODEL,
    },
    Reader {
        name: "onnx",
        files: &[
            "corpus/onnx",
            "golden/onnx/variant_svc_probabilities.onnx",
            "golden/onnx/variant_forest_probabilities.onnx",
        ],
        part: |content| some_of(content, content.len() < 10_000),
        read: |folder, content| model(folder, content, &ModelOptions::default()),
        // Constants may ask for 256 MiB each, and more is taken while it is computed.
        most_bytes: |len| 1024 * MIB + 64 * len,
    },
];

pub fn reader(name: &str) -> &'static Reader {
    READERS
        .iter()
        .find(|reader| reader.name == name)
        .expect(name)
}

const NPZ: &[u8] = include_bytes!("../corpus/arrays/good.npz");
const LANDSCAPE: &[u8] = include_bytes!("../corpus/landscapes/good-images.safetensors");
const CONFIG: &[u8] = include_bytes!("../golden/keras/keras3.json");
const WEIGHTS: &[u8] = include_bytes!("../golden/keras/keras3.weights.h5");
static TRAINED: LazyLock<[Vec<u8>; 2]> =
    LazyLock::new(|| parts(include_bytes!("../golden/keras/trained.keras")));
static RESIDUAL: LazyLock<[Vec<u8>; 2]> =
    LazyLock::new(|| parts(include_bytes!("../golden/keras/residual.keras")));

/// The config and the weights of a `.keras` file.
pub fn parts(keras: &[u8]) -> [Vec<u8>; 2] {
    ["config.json", "model.weights.h5"].map(|name| entry(keras, name).expect(name))
}

/// A file of `content` in the folder.
fn file(folder: &Path, content: &[u8]) -> std::io::Result<std::path::PathBuf> {
    let path = folder.join("file");
    // Some file systems flush a file that is written over.
    let _ = std::fs::remove_file(&path);
    std::fs::write(&path, content)?;
    Ok(path)
}

fn image_set(folder: &Path, content: &[u8]) -> Outcome {
    let options = ImageSetOptions::default();
    Ok(read_image_set(&file(folder, content)?, &options).map(drop)?)
}

fn model(folder: &Path, content: &[u8], options: &ModelOptions) -> Outcome {
    Ok(read_model(&file(folder, content)?, options).map(drop)?)
}

fn with_config(folder: &Path, weights: &[u8], config: &[u8]) -> Outcome {
    let path = folder.join("config");
    std::fs::write(&path, config)?;
    let options = ModelOptions {
        config: Some(path),
        ..ModelOptions::default()
    };
    model(folder, weights, &options)
}

/// An entry of a zip.
fn entry(content: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(content)).ok()?;
    let mut bytes = Vec::new();
    zip.by_name(name).ok()?.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// A zip of these files, not compressed.
pub fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        zip.start_file(*name, stored).expect("an entry");
        zip.write_all(content).expect("written");
    }
    zip.finish().expect("a zip").into_inner()
}

/// The JSON header of tensors, and what follows it.
fn header_and_data(tensors: &[u8]) -> (&[u8], &[u8]) {
    let (length, rest) = tensors.split_at(8);
    rest.split_at(u64::from_le_bytes(length.try_into().expect("8 bytes")) as usize)
}

/// The tensors of a file under another header.
fn with_header(header: &[u8], tensors: &[u8]) -> Vec<u8> {
    let length = (header.len() as u64).to_le_bytes();
    [&length, header, header_and_data(tensors).1].concat()
}

/// The checksums of a PNG's chunks, as far as there are chunks.
fn with_checksums(content: &[u8]) -> Vec<u8> {
    let mut content = content.to_vec();
    let mut at = 8;
    while let Some(&length) = content.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        let end = at + 8 + u32::from_be_bytes(length) as usize;
        let Some(bytes) = content.get(at + 4..end) else {
            break;
        };
        let mut checksum = flate2::Crc::new();
        checksum.update(bytes);
        let checksum = checksum.sum().to_be_bytes();
        let Some(stated) = content.get_mut(end..end + 4) else {
            break;
        };
        stated.copy_from_slice(&checksum);
        at = end + 4;
    }
    content
}
