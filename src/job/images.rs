//! Which images a job takes, and the set that it names, loaded.

use super::error::{JobError, Located};
use super::model::LoadedModel;
use super::observer::{Note, Observer};
use super::tables::is_table;
use crate::data::{
    ClassMatch, Image, ImageSet, ImageSetOptions, fashion_mnist, read_image_file, read_image_set,
};
use crate::remedy::{Remedy, Setting};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The bundled set.
const FASHION_MNIST: &str = "fashion-mnist";

/// Which images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageSource {
    /// `fashion-mnist`; a folder with one sub-folder of images a class, or with an IDX pair; an
    /// `.npz` or `.safetensors` file with two arrays.
    pub place: String,
    /// A folder laid out like the project's `data/`, used instead of the bundled data.
    pub root: Option<PathBuf>,
    /// How files become images.
    #[serde(flatten)]
    pub options: ImageSetOptions,
    /// How the classes are found among the model's.
    #[serde(rename = "match")]
    pub class_match: ClassMatch,
}

impl Default for ImageSource {
    /// The bundled set.
    fn default() -> Self {
        Self {
            place: FASHION_MNIST.to_owned(),
            root: None,
            options: ImageSetOptions::default(),
            class_match: ClassMatch::Name,
        }
    }
}

impl<S: Into<String>> From<S> for ImageSource {
    /// The images that a name or a path stands for.
    fn from(place: S) -> Self {
        Self {
            place: place.into(),
            ..Self::default()
        }
    }
}

/// A data set and where it came from.
#[derive(Debug)]
pub struct LoadedImages {
    /// The images.
    pub images: ImageSet,
    /// Their file or folder, or the name of the bundled set.
    pub path: String,
    class_match: Option<ClassMatch>,
}

impl ImageSource {
    /// Loads the set; its classes are those of the data.
    ///
    /// # Errors
    /// [`JobError`] with the place and what is wrong there.
    pub fn load(&self) -> Result<LoadedImages, JobError> {
        let refuse = |problem: JobError| {
            let source = problem.into();
            Err(JobError::In {
                setting: Setting::Data,
                value: self.place.clone(),
                source,
            })
        };
        if is_table(&self.place) {
            return refuse(JobError::unfit_but(
                "expected images, found a table of rows",
                "use fashion-mnist or images of your own, or interpolate, which takes tables",
                &[],
            ));
        }
        let place = match (self.place.as_str(), &self.root) {
            (FASHION_MNIST, None) => return self.bundled(),
            (FASHION_MNIST, Some(root)) => root.join(FASHION_MNIST),
            (place, _) => PathBuf::from(place),
        };
        let path = place.display().to_string();
        if !place.exists() {
            return refuse(JobError::unfit_but(
                "expected fashion-mnist, a folder of images or an .npz or .safetensors file, found nothing there",
                "check the name",
                &[],
            ));
        }
        let images =
            read_image_set(&place, self.options.clone()).in_setting(Setting::Data, &path)?;
        // Labels that are numbers are outputs' numbers.
        let class_match = match self.class_match {
            ClassMatch::Name if images.names_classes() => ClassMatch::Name,
            _ => ClassMatch::Order,
        };
        Ok(LoadedImages {
            images,
            path,
            class_match: Some(class_match),
        })
    }

    fn bundled(&self) -> Result<LoadedImages, JobError> {
        if self.options.white.is_some() {
            return Err(JobError::unfit_but(
                "the level of white belongs to arrays of floats",
                "leave {} out",
                &[Setting::White],
            ));
        }
        let images = fashion_mnist();
        Ok(LoadedImages {
            images: match self.options.resize {
                Some(size) => images.resized(size),
                None => images,
            },
            path: "bundled fashion-mnist".into(),
            class_match: None,
        })
    }
}

impl LoadedImages {
    /// Images that a host program holds; `path` is what messages call them. Their classes are found
    /// among the model's by number.
    pub fn new(images: ImageSet, path: &str) -> Self {
        Self {
            images,
            path: path.to_owned(),
            class_match: Some(ClassMatch::Order),
        }
    }

    /// Gives the images the model's classes.
    ///
    /// # Errors
    /// [`JobError`] where a class of the data is none of the model's.
    pub fn match_classes(
        mut self,
        model: &LoadedModel,
        observer: &dyn Observer,
    ) -> Result<Self, JobError> {
        let passed_over = self.images.passed_over();
        if passed_over > 0 {
            let files = if passed_over == 1 { "file" } else { "files" };
            observer.note(&Note::new(format!(
                "{}: skipped {passed_over} {files} whose names do not end in .png, .jpg or .jpeg",
                self.path
            )));
        }
        match (model.model.classes(), self.class_match) {
            (Some(classes), Some(by)) => {
                self.images = self
                    .images
                    .with_classes(classes, by)
                    .at(format!("{} with {}", self.path, model.path))?;
            }
            (None, Some(_)) if self.images.names_classes() => {
                observer.note(&Note::new(format!(
                    "{} does not name its classes; assuming, in order: {}",
                    model.path,
                    self.images.classes().join(", ")
                )));
            }
            _ => {}
        }
        Ok(self)
    }
}

/// The image that `item` names: a file where there is one of that name, else an item of `set`.
///
/// # Errors
/// [`JobError`] where there is neither, or the file is no image.
pub fn find_image(item: &str, set: &ImageSet) -> Result<Image, JobError> {
    let path = Path::new(item);
    if path.is_file() {
        return read_image_file(path).at(item);
    }
    let index = set.index_of(item).map_err(|error| match item.contains('#') {
        true => error.into(),
        false => JobError::unfit(format!(
            "item \"{item}\": expected a PNG or JPEG file, or an item such as {}; found neither",
            set.item_name(0)
        )),
    })?;
    Ok(set.image(index)?)
}

/// What to do about images that a model does not take.
pub(super) fn other_model() -> Remedy {
    Remedy::new(
        "choose the model that was trained on these data with {}",
        &[Setting::Model],
    )
}
