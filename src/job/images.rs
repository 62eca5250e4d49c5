//! Which images a job takes, and the set that it names, loaded.

use super::error::{JobError, Located};
use super::model::LoadedModel;
use super::observer::{Note, Observer};
use super::order::order_note;
use super::tables::is_table;
use crate::data::{
    ClassMatch, Image, ImageSet, ImageSetOptions, fashion_mnist, read_image_file, read_image_set,
};
use crate::defaults::with_defaults;
use crate::model::Model;
use crate::remedy::{Remedy, Setting, did_you_mean_file, some_names};
use std::path::{Path, PathBuf};

/// The bundled set.
pub(super) const FASHION_MNIST: &str = "fashion-mnist";

with_defaults! {
    /// Which images.
    #[derive(Debug, Clone, PartialEq)]
    pub struct ImageSource {
        /// `fashion-mnist`; a folder with one sub-folder of images a class, or with an IDX pair; an
        /// `.npz` or `.safetensors` file with two arrays.
        pub place: String = FASHION_MNIST.to_owned(),
        /// A folder laid out like the project's `data/`, used instead of the bundled data.
        pub root: Option<PathBuf> = None,
        /// How files become images.
        #[serde(flatten)]
        pub options: ImageSetOptions = ImageSetOptions::default(),
        /// How the classes are found among the model's.
        #[serde(rename = "match")]
        pub class_match: ClassMatch = ClassMatch::Name,
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
#[derive(Debug, Clone)]
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
            let meant = did_you_mean_file(&place, &[FASHION_MNIST]);
            return refuse(JobError::unfit(format!(
                "expected fashion-mnist, a folder of images or an .npz or .safetensors file, found nothing there{meant}"
            )));
        }
        let images = read_image_set(&place, &self.options).in_setting(Setting::Data, &path)?;
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
        let given = [
            (Setting::White, self.options.white.is_some()),
            (Setting::ImagesKey, self.options.images_key.is_some()),
            (Setting::LabelsKey, self.options.labels_key.is_some()),
            (Setting::ClassOrder, self.options.class_order.is_some()),
        ];
        if let Some((setting, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(JobError::unfit_but(
                "the images and classes of the bundled set are known",
                "leave {} out",
                &[setting],
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
        let place = format!("{} with {}", self.path, model.path);
        let say = |text: String| observer.note(&Note::new(text));
        for note in self.images.notes() {
            say(format!("{}: {note}", self.path));
        }
        let order = self.images.class_order();
        let found = self.images.classes();
        let outputs = model.model.num_classes();
        match (model.model.classes(), self.class_match) {
            (Some(classes), Some(by)) => {
                if by == ClassMatch::Order && self.images.names_classes() {
                    let pairs =
                        (found.iter().zip(classes)).map(|(own, class)| format!("{own} is {class}"));
                    let text = format!(
                        "{}: classes are matched by their order: {}",
                        self.path,
                        some_names(&pairs.collect::<Vec<_>>())
                    );
                    observer.note(&order_note(text, order));
                }
                self.images = self.images.with_classes(classes, by).at(&place)?;
            }
            // Nothing is assumed of them: who needs the labels refuses such data, and who only
            // asks the model for its answers does not look at them.
            (None, Some(_)) if found.len() > outputs => {}
            (None, Some(_)) if self.images.names_classes() && found.len() == outputs => {
                let text = format!(
                    "{} does not name its classes; assuming, in order: {}",
                    model.path,
                    some_names(found)
                );
                observer.note(&order_note(text, order));
            }
            (None, Some(_)) if self.images.names_classes() => {
                let pairs = (found.iter().enumerate())
                    .map(|(output, class)| format!("{class} is {output}"));
                let text = format!(
                    "{} does not name its {outputs} classes, which are shown by their numbers; assuming, in order: {}",
                    model.path,
                    some_names(&pairs.collect::<Vec<_>>())
                );
                observer.note(&order_note(text, order));
            }
            (None, None) if found.len() == outputs => say(format!(
                "{} does not name its classes; assuming those of {}, in order: {}",
                model.path,
                self.path,
                some_names(found)
            )),
            _ => {}
        }
        let shape = self.images.image_shape();
        if let Some(channels) = fitting_channels(&model.model, shape) {
            say(format!("{}: {}", self.path, channels_text(shape[2])));
            self.images = self.images.with_channels(channels);
        }
        Ok(self)
    }
}

/// The number of channels with which images of this shape are what the model takes, if they are
/// not already.
fn fitting_channels(model: &Model, [height, width, channels]: [usize; 3]) -> Option<usize> {
    let fits = |channels| model.check_image_shape([height, width, channels]).is_ok();
    let other = if channels == 1 { 3 } else { 1 };
    (!fits(channels) && fits(other)).then_some(other)
}

/// What becomes of images whose channels are changed.
fn channels_text(channels: usize) -> &'static str {
    match channels {
        1 => "giving grey images to the model as three equal channels",
        _ => {
            "converting coloured images to grey levels for the model: 0.299 R + 0.587 G + 0.114 B, as Pillow's convert(\"L\") does"
        }
    }
}

/// The image that `item` names, as the model takes it: with other channels where it is a file whose
/// channels do not fit, which is noted.
///
/// # Errors
/// [`JobError`] as [`find_image`], or where the model takes no such image.
pub fn find_image_for(
    model: &mut LoadedModel,
    item: &str,
    set: &ImageSet,
    options: &ImageSetOptions,
    observer: &dyn Observer,
) -> Result<Image, JobError> {
    let mut image = find_image(item, set, options)?;
    let is_file = Path::new(item).is_file();
    let is_binary = |level: &f32| *level == 0.0 || *level == 1.0;
    if is_file
        && options.white.is_none()
        && image.levels.iter().all(is_binary)
        && image.levels.contains(&1.0)
    {
        observer.note(&Note::new(format!(
            "{item}: holds only levels 0 and 1; assuming 1 is white; if it is not, give `white` 255"
        )));
        image.levels.iter_mut().for_each(|level| *level *= 255.0);
    }
    fit_channels(model, item, image, observer)
}

/// An image as the model takes it: with other channels where its own do not fit, which is noted.
pub(super) fn fit_channels(
    model: &mut LoadedModel,
    item: &str,
    mut image: Image,
    observer: &dyn Observer,
) -> Result<Image, JobError> {
    if let Some(channels) = fitting_channels(&model.model, image.shape()) {
        let text = channels_text(image.channels);
        observer.note(&Note::new(format!("{item}: {text}")));
        image = image.with_channels(channels);
    }
    model
        .fit_images(image.shape(), observer)
        .at(format!("{item} with {}", model.path))?;
    Ok(image)
}

/// The image that `item` names: a file where there is one of that name, read and scaled as `options`
/// say of a set, else an item of `set`.
///
/// # Errors
/// [`JobError`] where there is neither, or the file is no image.
pub fn find_image(
    item: &str,
    set: &ImageSet,
    options: &ImageSetOptions,
) -> Result<Image, JobError> {
    let path = Path::new(item);
    if path.is_file() {
        let image = read_image_file(path, options.white).at(item)?;
        let [width_px, height_px] = options.resize.unwrap_or([image.width_px, image.height_px]);
        let channels = image.channels;
        return Ok(image.fitted([height_px, width_px, channels]));
    }
    let index = set
        .index_of(item)
        .map_err(|error| match item.contains('#') {
            true => error.into(),
            false => JobError::unfit(format!(
                "item \"{item}\": expected an image file, or an item such as {}; found neither{}",
                set.item_name(0),
                match item.parse().map(|index| set.checked_index(index)) {
                    Ok(Ok(index)) => format!("; did you mean {}?", set.item_name(index)),
                    _ => did_you_mean_file(path, &[]),
                }
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
