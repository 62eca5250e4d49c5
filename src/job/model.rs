//! Which classifier a job asks, and the one that it names, loaded.

use super::error::{JobError, Located};
use super::observer::{Note, Observer};
use crate::data::PaperTable;
use crate::model::{
    Model, ModelError, ModelOptions, bundled_fashion_mnist, bundled_table_model, read_model,
    table_model_names,
};
use crate::remedy::{Remedy, Setting, did_you_mean_file};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Which classifier.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelSource {
    /// A `.keras`, `.h5`, `.safetensors` or `.onnx` file, or the name of a bundled model of rows
    /// (`iris-paper`); without one the bundled model of the data.
    pub file: Option<PathBuf>,
    /// What the file does not say itself.
    #[serde(flatten)]
    pub options: ModelOptions,
}

impl<P: Into<PathBuf>> From<P> for ModelSource {
    /// The model in a file that says all of itself.
    fn from(file: P) -> Self {
        Self {
            file: Some(file.into()),
            options: ModelOptions::default(),
        }
    }
}

/// A model and where it came from.
#[derive(Debug, Clone)]
pub struct LoadedModel {
    /// The model.
    pub model: Model,
    /// Its file, or the name of a bundled one.
    pub path: String,
}

impl ModelSource {
    /// Loads a classifier of images.
    ///
    /// # Errors
    /// [`JobError`] with the file.
    pub fn load(&self) -> Result<LoadedModel, JobError> {
        match &self.file {
            Some(path) => self.read(path),
            None => Ok(LoadedModel {
                model: bundled_fashion_mnist(),
                path: format!("{BUNDLED}fashion-mnist"),
            }),
        }
    }

    /// Loads a classifier of images of this shape, which a Keras file may leave open.
    ///
    /// # Errors
    /// [`JobError`] with the file.
    pub fn load_for_images(&self, [height, width, _]: [usize; 3]) -> Result<LoadedModel, JobError> {
        let sized = Self {
            file: self.file.clone(),
            options: ModelOptions {
                open_size: Some([height, width]),
                ..self.options.clone()
            },
        };
        sized.load()
    }

    /// Loads a classifier of the rows of a table: the one that is named, or else the table's own.
    ///
    /// # Errors
    /// [`JobError`] with the file, or where the table has no model of its own.
    pub fn load_for(&self, paper: Option<&PaperTable>) -> Result<LoadedModel, JobError> {
        let named = match (&self.file, paper) {
            (Some(path), _) => path
                .to_str()
                .filter(|name| !path.is_file() && table_model_names().any(|known| known == *name)),
            (None, Some(paper)) => Some(paper.name),
            (None, None) => {
                return Err(JobError::unfit_but(
                    "expected a model that takes these features, found none; only iris, hawks and seeds have one of their own",
                    "name its file with {}",
                    &[Setting::Model],
                ));
            }
        };
        match (
            named.and_then(|name| Some((bundled_table_model(name)?, name))),
            &self.file,
        ) {
            (Some((model, name)), _) => {
                self.refuse_options(name)?;
                Ok(LoadedModel {
                    model,
                    path: format!("{BUNDLED}{name}"),
                })
            }
            (None, Some(path)) => self.read(path),
            (None, None) => self.load(),
        }
    }

    fn read(&self, path: &Path) -> Result<LoadedModel, JobError> {
        if !path.exists() {
            let bundled: Vec<&str> = table_model_names().collect();
            if bundled.iter().any(|name| Path::new(name) == path) {
                return Err(JobError::unfit_but(
                    "expected a model of images, found the bundled one of rows of that name",
                    "give a table with {}",
                    &[Setting::Data],
                ))
                .at(path.display());
            }
            let meant = did_you_mean_file(path, &bundled);
            return Err(JobError::unfit(format!(
                "expected a .keras, .h5, .safetensors, .onnx or model.json file, found nothing there{meant}"
            )))
            .at(path.display());
        }
        Ok(LoadedModel {
            model: read_model(path, &self.options).at(path.display())?,
            path: path.display().to_string(),
        })
    }

    /// Refuses options that say what a bundled model says itself.
    fn refuse_options(&self, name: &str) -> Result<(), JobError> {
        let given = |options: &ModelOptions| {
            let options = serde_json::to_value(options).expect("options are plain data");
            options.as_object().cloned().unwrap_or_default()
        };
        let defaults = given(&ModelOptions::default());
        let given = given(&self.options);
        let Some((option, _)) = given.iter().find(|(key, value)| defaults[*key] != **value) else {
            return Ok(());
        };
        let setting = Setting::ALL.iter().find(|setting| setting.name() == option);
        Err(JobError::unfit_but(
            format!("model {name}: a bundled model says its layers, scaling and classes itself"),
            "leave {} out",
            &[*setting.expect("each option of a model is a setting")],
        ))
    }
}

/// What the path of a bundled model begins with.
const BUNDLED: &str = "bundled ";

impl LoadedModel {
    /// Whether it is a model of this crate, of which it is known how it answers.
    pub(crate) fn is_bundled(&self) -> bool {
        self.path.starts_with(BUNDLED)
    }

    /// The names to show: the model's own, else the data's, else the outputs' numbers.
    pub fn class_names(&self, data: &[String]) -> Vec<String> {
        match self.model.classes() {
            Some(names) => names.to_vec(),
            None if data.len() == self.model.num_classes() => data.to_vec(),
            None => (0..self.model.num_classes())
                .map(|class| class.to_string())
                .collect(),
        }
    }

    /// Makes the model take images of this shape, and notes how where that is a choice.
    ///
    /// # Errors
    /// [`ModelError`] where it takes others.
    pub fn fit_images(
        &mut self,
        shape: [usize; 3],
        observer: &dyn Observer,
    ) -> Result<(), ModelError> {
        if let Some(note) = self.model.fit_images(shape)? {
            observer.note(&Note::new(format!("{}: {note}", self.path)));
        }
        Ok(())
    }

    /// Notes how the file was understood where it does not say it itself.
    pub fn note_assumptions(&self, observer: &dyn Observer) {
        for note in self.model.notes() {
            observer.note(&Note::new(format!("{}: {note}", self.path)));
        }
    }

    /// Warns of grey levels that are fed to a model which never scales them: most often a mistake.
    pub fn warn_unscaled(&self, observer: &dyn Observer) {
        if !self.model.scales_grey_levels() {
            observer.note(&Note::warning(
                format!(
                    "{} does not scale its input and gets grey levels 0..255",
                    self.path
                ),
                Remedy::new(
                    "if it was trained on 0..1, give {} 1/255",
                    &[Setting::Scale],
                ),
            ));
        }
    }
}

/// Fewer labelled items say nothing of a model.
pub const FEW_LABELLED: usize = 10;

/// Fewer items of a class say nothing of how a model answers it.
const FEW_OF_A_CLASS: usize = 5;

/// What is said of a model that was asked for labelled items (the class that each is labelled as, and
/// whether the model says so), where it answers fewer than half of them as they are labelled, or none of a
/// class.
pub fn labels_warning(model: &LoadedModel, asked: &[(&str, bool)]) -> Option<Note> {
    let path = &model.path;
    let right = asked.iter().filter(|(_, is_right)| *is_right).count();
    if 2 * right < asked.len() {
        let text = format!(
            "{path} classifies {right} of {} items as they are labelled",
            asked.len()
        );
        let remedy = match model.model.scales_input() {
            true => Remedy::new(IN_ANOTHER_ORDER, &[Setting::ClassNames]),
            false => Remedy::new(
                format!("if it takes scaled inputs, give {{}} and {{}}; {IN_ANOTHER_ORDER}"),
                &[Setting::Mean, Setting::Std, Setting::ClassNames],
            ),
        };
        return Some(Note::warning(text, remedy));
    }
    let mut classes: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for &(class, is_right) in asked {
        let [right, all] = classes.entry(class).or_default();
        *right += usize::from(is_right);
        *all += 1;
    }
    let missed: Vec<String> = (classes.into_iter())
        .filter(|(_, [right, all])| *right == 0 && *all >= FEW_OF_A_CLASS)
        .map(|(class, [_, all])| format!("{class} ({all})"))
        .collect();
    (!missed.is_empty()).then(|| {
        Note::warning(
            format!(
                "{path} classifies none of the items labelled {} so",
                missed.join(", ")
            ),
            Remedy::new(IN_ANOTHER_ORDER, &[Setting::ClassNames]),
        )
    })
}

const IN_ANOTHER_ORDER: &str = "if its classes come in another order, name them with {}";
