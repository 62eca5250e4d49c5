//! A folder with one sub-folder a class, each of image files, however deep.
//!
//! What counts as a class is what torchvision's `ImageFolder` trains on: a sub-folder with an image
//! somewhere inside. Empty ones and those that systems leave behind are none, and said.

use super::{ImageSet, ImageSetError, ImageSetOptions, Images, Labels, Unreadable};
use crate::data::class_order::ClassOrder;
use crate::data::image::{image_file_shape, read_image_file};
use crate::data::image_set::values::{is_dark, sorted_classes};
use crate::data::{Image, ImageError, MAX_PICTURE_BYTES, read_bytes, sha256_hex};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// How the names of image files end.
const ENDS: [&str; 14] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "gif", "tif", "tiff", "pgm", "ppm", "pbm",
    "pnm",
];

/// Folders that systems and devices make beside the user's own; hidden ones are known by their dot.
const SYSTEM: [&str; 8] = [
    "__MACOSX",
    "@eaDir",
    "#recycle",
    "@Recycle",
    "$RECYCLE.BIN",
    "System Volume Information",
    "lost+found",
    "__pycache__",
];

/// What folders of parts of a data set are called, of which none is a class.
const PARTS: [&str; 9] = [
    "train",
    "training",
    "test",
    "testing",
    "val",
    "valid",
    "validation",
    "dev",
    "eval",
];

/// Sub-folders inside each other at most.
const MAX_DEPTH: usize = 16;

/// The image files of a folder, class by class.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    /// `class/file`, as items are named.
    pub(super) names: Vec<String>,
    paths: Vec<PathBuf>,
    /// What the files' headers state.
    shapes: Vec<[usize; 3]>,
    /// The level of white in the files.
    white: Option<f64>,
}

/// A file of a class.
struct File {
    /// Its path below the folder of the set.
    name: String,
    path: PathBuf,
    shape: [usize; 3],
}

/// What was left out of a folder.
#[derive(Default)]
struct LeftOut {
    /// Files whose names are not those of images, and folders that are not looked into.
    other: usize,
    unreadable: Vec<(PathBuf, ImageError)>,
    classes: Vec<String>,
}

/// Lists a folder. Files are in the order of their names, by code point; classes in the order of
/// theirs, too, or of `options.class_order`. Grey files among coloured ones count as coloured.
pub(super) fn read(folder: &Path, options: &ImageSetOptions) -> Result<ImageSet, ImageSetError> {
    let classes: Vec<PathBuf> = entries(folder)?
        .into_iter()
        .filter(|path| path.is_dir())
        .collect();
    let names: Vec<String> = classes.iter().map(|path| name_of(path)).collect();
    let is_part = |name: &String| PARTS.contains(&name.to_ascii_lowercase().as_str());
    if !names.is_empty() && names.iter().all(is_part) {
        return Err(ImageSetError::Parts {
            path: folder.to_owned(),
            found: names,
        });
    }
    let mut left_out = LeftOut::default();
    let mut files_of = Vec::with_capacity(classes.len());
    for (name, class) in names.into_iter().zip(&classes) {
        let mut listed = Vec::new();
        list(class, &name, 0, &mut listed, &mut left_out.other)?;
        let files = check(listed, options, &mut left_out.unreadable)?;
        match files.is_empty() {
            true => left_out.classes.push(name),
            false => files_of.push((name, files)),
        }
    }
    if files_of.is_empty() {
        return Err(nothing(folder, &left_out));
    }
    let order = options.class_order.unwrap_or(ClassOrder::Text);
    sort(&mut files_of, order)?;
    let mut notes = left_out.notes();
    let (mut class_names, mut labels) = (Vec::new(), Vec::new());
    let (mut names, mut paths, mut shapes) = (Vec::new(), Vec::new(), Vec::new());
    for (label, (class, files)) in files_of.into_iter().enumerate() {
        class_names.push(class);
        for file in files {
            names.push(file.name);
            paths.push(file.path);
            shapes.push(file.shape);
            labels.push(label);
        }
    }
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
    let mut files = Folder {
        names,
        paths,
        shapes,
        white: options.white,
    };
    if options.white.is_none() {
        match files.lightest_of_firsts(&labels) {
            Some(Lightest::OfBlackAndWhite) => {
                files.white = Some(1.0);
                notes.push(
                    "the first image of each class holds only levels 0 and 1; assuming 1 is white; if it is not, give `white` 255"
                        .into(),
                );
            }
            Some(Lightest::Level(largest)) if is_dark(largest) => {
                notes.push(format!(
                    "the first image of each class is dark: no level beyond {:.0} % of white; if its lightest level is white, give `white` that level, in the files' own numbers",
                    largest / 2.55
                ));
            }
            _ => {}
        }
    }
    // `.` and `..` have no name of their own.
    let absolute = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let mut set = ImageSet::assemble(
        &name_of(&absolute),
        count,
        [height, width, channels],
        Images::Folder(files),
        Labels {
            labels,
            classes: Some(class_names),
            named: true,
            order: Some(order),
        },
    )?;
    set.notes = notes;
    Ok(set)
}

/// First images of classes that are looked at to tell black and white ones.
const MAX_LOOKED_AT: usize = 32;

/// The lightest level of some files.
enum Lightest {
    /// 1, and all others are 0, as masks are saved: they would be all but black.
    OfBlackAndWhite,
    /// Of 0..255.
    Level(f32),
}

impl Folder {
    /// The lightest level in the first image of each class. Nothing where one cannot be read.
    fn lightest_of_firsts(&self, labels: &[usize]) -> Option<Lightest> {
        let firsts = (0..labels.len()).filter(|&k| k == 0 || labels[k] != labels[k - 1]);
        let (mut largest, mut binary) = (0.0f32, true);
        for k in firsts.take(MAX_LOOKED_AT) {
            let image = read_image_file(&self.paths[k], None).ok()?;
            largest = image.levels.iter().copied().fold(largest, f32::max);
            binary &= image
                .levels
                .iter()
                .all(|&level| level == 0.0 || level == 1.0);
        }
        Some(match binary && largest == 1.0 {
            true => Lightest::OfBlackAndWhite,
            false => Lightest::Level(largest),
        })
    }
}

/// The image files below `folder`, whose name below that of the set is `name`.
fn list(
    folder: &Path,
    name: &str,
    depth: usize,
    listed: &mut Vec<(String, PathBuf)>,
    others: &mut usize,
) -> Result<(), ImageSetError> {
    for path in entries(folder)? {
        let name = format!("{name}/{}", name_of(&path));
        if path.is_dir() {
            // A link may lead back to where it lies.
            match depth < MAX_DEPTH && !path.is_symlink() {
                true => list(&path, &name, depth + 1, listed, others)?,
                false => *others += 1,
            }
        } else if path.is_file() && is_picture(&path) {
            listed.push((name, path));
        } else {
            *others += 1;
        }
    }
    Ok(())
}

/// Looks into the files: at their headers, or at all of them where unreadable ones are skipped.
fn check(
    listed: Vec<(String, PathBuf)>,
    options: &ImageSetOptions,
    unreadable: &mut Vec<(PathBuf, ImageError)>,
) -> Result<Vec<File>, ImageSetError> {
    let shape = |path: &Path| match options.unreadable {
        Unreadable::Refuse => image_file_shape(path),
        Unreadable::Skip => read_image_file(path, options.white).map(|image| image.shape()),
    };
    let shapes: Vec<Result<[usize; 3], ImageError>> =
        listed.par_iter().map(|(_, path)| shape(path)).collect();
    let mut files = Vec::with_capacity(listed.len());
    for ((name, path), shape) in listed.into_iter().zip(shapes) {
        match shape {
            Ok(shape) => files.push(File { name, path, shape }),
            Err(error) if options.unreadable == Unreadable::Skip => unreadable.push((path, error)),
            Err(source) => return Err(ImageSetError::Unreadable { path, source }),
        }
    }
    Ok(files)
}

/// Sorts classes; they come in the order of text.
fn sort(files_of: &mut [(String, Vec<File>)], order: ClassOrder) -> Result<(), ImageSetError> {
    if order == ClassOrder::Appearance {
        return Err(ImageSetError::ClassOrder {
            order: order.name(),
            reason: "folders do not appear in any order; give text or number".into(),
        });
    }
    let names: Vec<String> = files_of.iter().map(|(name, _)| name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let sorted = sorted_classes(&names, order).map_err(|name| ImageSetError::ClassOrder {
        order: order.name(),
        reason: format!("expected folders whose names are numbers, found \"{name}\""),
    })?;
    files_of.sort_by_key(|(name, _)| sorted.iter().position(|class| class == name));
    Ok(())
}

/// Says why a folder is no set.
fn nothing(folder: &Path, left_out: &LeftOut) -> ImageSetError {
    let pictures = entries(folder).map_or(0, |paths| {
        let is_one = |path: &&PathBuf| path.is_file() && is_picture(path);
        paths.iter().filter(is_one).count()
    });
    let found = match (pictures, &left_out.classes[..]) {
        (1.., _) => format!(
            "{pictures} image file{} in the folder itself; give the folder above it, whose sub-folders are the classes",
            if pictures == 1 { "" } else { "s" }
        ),
        (0, []) => "neither".into(),
        (0, classes) => format!("sub-folders without an image: {}", some_of(classes)),
    };
    ImageSetError::NotASet { found }
}

/// The first few of a list.
fn some_of(names: &[String]) -> String {
    const MOST: usize = 5;
    let shown = names[..names.len().min(MOST)].join(", ");
    match names.len() > MOST {
        true => format!("{shown} and {} more", names.len() - MOST),
        false => shown,
    }
}

impl LeftOut {
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.other > 0 {
            notes.push(format!(
                "skipped {} not end in .png, .jpg, .webp, .bmp, .gif, .tif, .pgm or .ppm",
                match self.other {
                    1 => "1 file whose name does".to_owned(),
                    count => format!("{count} files whose names do"),
                }
            ));
        }
        if !self.unreadable.is_empty() {
            let files: Vec<String> = (self.unreadable.iter())
                .map(|(path, error)| format!("{} ({error})", path.display()))
                .collect();
            notes.push(format!(
                "skipped {} unreadable: {}",
                files.len(),
                some_of(&files)
            ));
        }
        if !self.classes.is_empty() {
            notes.push(format!(
                "sub-folders without an image are no classes: {}",
                some_of(&self.classes)
            ));
        }
        notes
    }
}

/// What is in a folder, by name; hidden entries and those of the system do not count.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ImageSetError> {
    let fail = |source| ImageSetError::Read {
        path: folder.to_owned(),
        source,
    };
    let mut paths = std::fs::read_dir(folder)
        .map_err(fail)?
        .map(|entry| Ok(entry.map_err(fail)?.path()))
        .filter(|path| {
            let name = path.as_deref().map(name_of);
            !name.is_ok_and(|name| name.starts_with('.') || SYSTEM.contains(&name.as_str()))
        })
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
        ENDS.iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

impl Folder {
    /// Image `index` as its file has it.
    pub(super) fn image(&self, index: usize) -> Result<Image, ImageSetError> {
        let path = &self.paths[index];
        let image = read_image_file(path, self.white).map_err(|source| ImageSetError::Image {
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
