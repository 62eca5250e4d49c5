//! A folder with a pair of IDX files: which two they are, and what they hold.
//!
//! ```text
//! t10k-images-idx3-ubyte, t10k-images.idx3-ubyte, ...gz, or a folder of that name with the file in it
//! ```

use super::values::{Levels, labels, levels};
use super::{ImageSet, ImageSetError, ImageSetOptions, Images, Labels};
use crate::data::idx::{Idx, idx_dims};
use crate::data::{MAX_TENSOR_BYTES, read_bytes, read_idx};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// The two files of a set.
pub(super) struct Pair {
    /// The part of their names before `images`, without the dash.
    name: String,
    images: PathBuf,
    labels: PathBuf,
}

/// The pair of a folder, if there is one: that of a part to test on, else the one to train on,
/// else the only one.
pub(super) fn find(folder: &Path) -> Result<Option<Pair>, ImageSetError> {
    let mut files: Vec<(String, PathBuf)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let stem = name.strip_suffix(".gz").unwrap_or(&name).to_owned();
            let path = entry.path();
            // Kaggle packs each file into a folder of its name.
            let inside = path.join(&name);
            let path = [path, inside].into_iter().find(|path| path.is_file())?;
            Some((stem, path))
        })
        .collect();
    // A dash before `idx` before a dot, packed after unpacked, whatever order the system lists.
    files.sort();
    let pair = |(stem, path): &(String, PathBuf)| {
        let (before, kind) = stem.split_once("images")?;
        let kind = kind.strip_prefix(['-', '.'])?;
        if !kind.starts_with("idx") {
            return None;
        }
        let partner = |(stem, _): &&(String, PathBuf)| {
            (stem.strip_prefix(before))
                .and_then(|rest| rest.strip_prefix("labels"))
                .and_then(|rest| rest.strip_prefix(['-', '.']))
                .is_some_and(|kind| kind.starts_with("idx"))
        };
        let labels = files.iter().find(partner)?;
        let name = before.trim_end_matches(['-', '_', '.']);
        Some(Pair {
            name: if name.is_empty() { "idx" } else { name }.to_owned(),
            images: path.clone(),
            labels: labels.1.clone(),
        })
    };
    let mut pairs: Vec<Pair> = files.iter().filter_map(pair).collect();
    pairs.dedup_by(|one, other| one.name == other.name);
    for wanted in ["t10k", "test", "train"] {
        let is_it = |pair: &Pair| pair.name == wanted || pair.name.ends_with(&format!("-{wanted}"));
        let mut found = pairs.iter().enumerate().filter(|(_, pair)| is_it(pair));
        if let (Some((at, _)), None) = (found.next(), found.next()) {
            return Ok(Some(pairs.swap_remove(at)));
        }
    }
    match pairs.len() {
        0 | 1 => Ok(pairs.pop()),
        _ => Err(ImageSetError::Pairs {
            found: pairs.into_iter().map(|pair| pair.name).collect(),
        }),
    }
}

/// Reads the set; the part of the files' names before `images` names it.
pub(super) fn read(pair: Pair, options: &ImageSetOptions) -> Result<ImageSet, ImageSetError> {
    let read = |path: &Path, dims: usize, or: usize| {
        let content =
            read_bytes(path, MAX_TENSOR_BYTES).map_err(|source| ImageSetError::Input {
                path: path.to_owned(),
                source,
            })?;
        let dims = match idx_dims(&content) {
            Some(found) if found == or => or,
            _ => dims,
        };
        read_idx(Cow::Owned(content), dims).map_err(|source| ImageSetError::Idx {
            path: path.to_owned(),
            source,
        })
    };
    let images = read(&pair.images, 3, 4)?;
    let labels = read(&pair.labels, 1, 2)?;
    assemble(&pair.name, images, labels, None, options)
}

/// Puts images and labels together, and names for the classes, if there are.
pub(super) fn assemble(
    name: &str,
    images: Idx,
    label_array: Idx,
    classes: Option<Vec<String>>,
    options: &ImageSetOptions,
) -> Result<ImageSet, ImageSetError> {
    let levels = match (images.bytes(), &images.shape[..]) {
        // Bytes stay where they are: the bundled ones are part of the program.
        (Some(bytes), &[count, height, width])
            if options.white.is_none_or(|white| white == 255.0)
                && (options.white.is_some() || bytes.iter().any(|&level| level >= 128)) =>
        {
            Levels {
                count,
                shape: [height, width, 1],
                images: Images::Idx(images),
                notes: Vec::new(),
            }
        }
        _ => levels("images", images.into_array(), options.white)?,
    };
    let mut labels = labels("labels", label_array.into_array(), options)?;
    if classes.is_some() {
        labels = Labels {
            named: true,
            classes,
            ..labels
        };
    }
    let mut set = ImageSet::assemble(name, levels.count, levels.shape, levels.images, labels)?;
    set.notes = levels.notes;
    Ok(set)
}
