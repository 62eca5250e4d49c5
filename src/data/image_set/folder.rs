//! A folder with one sub-folder a class, each of PNG and JPEG files.

use super::{ImageSet, ImageSetError, ImageSetOptions, Images, read_image_file};
use crate::data::image::image_file_shape;
use crate::data::{Image, MAX_PICTURE_BYTES, read_bytes, sha256_hex};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// The image files of a folder, class by class.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    /// `class/file`, as items are named.
    pub(super) names: Vec<String>,
    pub(super) passed_over: usize,
    paths: Vec<PathBuf>,
    /// What the files' headers state.
    shapes: Vec<[usize; 3]>,
}

/// Lists a folder. Classes and files are in the order of their names, by code point; classes
/// whose names are all whole numbers in the order of the numbers. Grey files among coloured
/// ones count as coloured.
pub(super) fn read(folder: &Path, options: ImageSetOptions) -> Result<ImageSet, ImageSetError> {
    let mut classes: Vec<PathBuf> = entries(folder)?
        .into_iter()
        .filter(|path| path.is_dir())
        .collect();
    if classes.is_empty() {
        return Err(ImageSetError::NotASet {
            path: folder.to_owned(),
        });
    }
    let number = |path: &PathBuf| name_of(path).parse::<u64>().ok();
    if classes.iter().all(|path| number(path).is_some()) {
        classes.sort_by_key(number);
    }
    let (mut names, mut paths, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    let mut passed_over = 0;
    for (label, class) in classes.iter().enumerate() {
        for path in entries(class)? {
            if path.is_file() && is_picture(&path) {
                names.push(format!("{}/{}", name_of(class), name_of(&path)));
                paths.push(path);
                labels.push(label);
            } else {
                passed_over += 1;
            }
        }
    }
    if paths.is_empty() {
        return Err(ImageSetError::NotASet {
            path: folder.to_owned(),
        });
    }
    let shapes = paths
        .par_iter()
        .map(|path| {
            image_file_shape(path).map_err(|source| ImageSetError::Image {
                path: path.clone(),
                source,
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let channels = shapes.iter().map(|shape| shape[2]).max().unwrap_or(1);
    let [height, width, _] = shapes[0];
    let odd = (shapes.iter()).position(|shape| shape[..2] != [height, width]);
    if let (Some(at), None) = (odd, options.resize) {
        return Err(ImageSetError::Sizes {
            path: paths[at].clone(),
            found: [shapes[at][0], shapes[at][1]],
            first: paths[0].clone(),
            expected: [height, width],
        });
    }
    let count = paths.len();
    let class_names = classes.iter().map(|path| name_of(path)).collect();
    let files = Folder {
        names,
        passed_over,
        paths,
        shapes,
    };
    // `.` and `..` have no name of their own.
    let absolute = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    ImageSet::assemble(
        &name_of(&absolute),
        count,
        [height, width, channels],
        Images::Folder(files),
        labels,
        Some(class_names),
    )
}

/// What is in a folder, by name; hidden entries do not count.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ImageSetError> {
    let fail = |source| ImageSetError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut paths = std::fs::read_dir(folder)
        .map_err(fail)?
        .map(|entry| Ok(entry.map_err(fail)?.path()))
        .filter(|path| !matches!(path, Ok(path) if name_of(path).starts_with('.')))
        .collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn is_picture(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["png", "jpg", "jpeg"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

impl Folder {
    /// Image `index` as its file has it.
    pub(super) fn image(&self, index: usize) -> Result<Image, ImageSetError> {
        let path = &self.paths[index];
        let image = read_image_file(path).map_err(|source| ImageSetError::Image {
            path: path.clone(),
            source,
        })?;
        if image.shape() != self.shapes[index] {
            return Err(ImageSetError::Changed { path: path.clone() });
        }
        Ok(image)
    }

    pub(super) fn sha256_hex(&self) -> Result<String, ImageSetError> {
        let digests = self
            .paths
            .par_iter()
            .zip(&self.names)
            .map(|(path, name)| {
                let content =
                    read_bytes(path, MAX_PICTURE_BYTES).map_err(|source| ImageSetError::Input {
                        path: path.clone(),
                        source,
                    })?;
                Ok(sha256_hex([name.as_bytes(), &[0], &content]))
            })
            .collect::<Result<Vec<String>, ImageSetError>>()?;
        Ok(sha256_hex(digests.iter().map(String::as_bytes)))
    }
}
