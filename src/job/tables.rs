//! Tables of measurements by name or file.

use super::error::{JobError, Located};
use super::model::{LoadedModel, ModelSource};
use super::observer::{Note, Observer};
use super::order::order_note;
use crate::data::is_spreadsheet;
use crate::data::{
    ClassOrder, Delimiter, Header, PaperTable, Table, TableOptions, iris, read_table_file,
    read_table_with, seeds,
};
use crate::defaults::with_defaults;
use crate::model::Model;
use crate::remedy::{Remedy, Setting, did_you_mean, did_you_mean_file, some_names};
use std::path::{Path, PathBuf};

/// How the names of tables end, each also with `.gz` behind it.
const TABLE_ENDS: [&str; 5] = [".csv", ".tsv", ".tab", ".data", ".txt"];

/// The names of the bundled tables.
const PAPERS: [&str; 3] = ["iris", "hawks", "seeds"];

/// The place of a table that comes on standard input.
const STDIN: &str = "-";

with_defaults! {
    /// Which table.
    #[derive(Debug, Clone, PartialEq)]
    pub struct TableSource {
        /// `iris`, `hawks` or `seeds`; a file whose name ends in `.csv`, `.tsv`, `.tab`, `.data` or
        /// `.txt`, each also with `.gz`; or `-` for standard input.
        pub place: String = "iris".to_owned(),
        /// A folder laid out like the project's `data/`, used instead of the bundled data.
        pub root: Option<PathBuf> = None,
        /// The column of a file that holds the class.
        pub label: Option<String> = None,
        /// The columns of a file to take, see [`TableOptions::features`]; without any those that the
        /// model names, or every one but the label.
        pub features: Vec<String> = Vec::new(),
        /// Columns of a file that are not features, see [`TableOptions::without`].
        pub without: Vec<String> = Vec::new(),
        /// What separates the cells of a file; without it that is found out.
        pub delimiter: Option<Delimiter> = None,
        /// What the first line of a file is.
        pub header: Header = Header::Names,
        /// The order of the classes of a file; without it that of scikit-learn.
        pub class_order: Option<ClassOrder> = None,
        /// What came on standard input, where that is the place; a manifest does not keep it.
        #[serde(skip)]
        pub content: Option<Vec<u8>> = None,
    }
}

impl<S: Into<String>> From<S> for TableSource {
    /// The table that a name or a path stands for.
    fn from(place: S) -> Self {
        Self {
            place: place.into(),
            ..Self::default()
        }
    }
}

/// A table and where it came from.
#[derive(Debug, Clone)]
pub struct LoadedTable {
    /// The table.
    pub table: Table,
    /// Its file, or the name of a bundled one.
    pub path: String,
    /// The paper's table that it is.
    pub paper: Option<&'static PaperTable>,
    /// What was assumed to fit it to the model.
    assumed: Vec<Note>,
}

/// Whether a data set's name stands for a table rather than for images.
pub fn is_table(place: &str) -> bool {
    let name = place.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    PaperTable::named(place).is_some()
        || place == STDIN
        || TABLE_ENDS.iter().any(|end| name.ends_with(end)) && !Path::new(place).is_dir()
}

impl TableSource {
    /// Reads the table and the model that takes its rows, which may name the columns to take.
    ///
    /// # Errors
    /// [`JobError`] with the file and what is wrong in it.
    pub fn load(&self, model: &ModelSource) -> Result<(LoadedTable, LoadedModel), JobError> {
        self.load_with(|paper| model.load_for(paper))
    }

    /// The same with a model that `model_of` gives for a table of the paper, or for another.
    pub(super) fn load_with(
        &self,
        model_of: impl FnOnce(Option<&PaperTable>) -> Result<LoadedModel, JobError>,
    ) -> Result<(LoadedTable, LoadedModel), JobError> {
        if let Some(paper) = PaperTable::named(&self.place) {
            let loaded = self.load_paper(paper)?;
            let model = model_of(Some(paper))?;
            return Ok((loaded, model));
        }
        self.load_file(model_of).map_err(|error| match error {
            named @ (JobError::In { .. } | JobError::At { .. }) => named,
            error => JobError::setting(Setting::Data, &self.place, error),
        })
    }

    fn load_file(
        &self,
        model_of: impl FnOnce(Option<&PaperTable>) -> Result<LoadedModel, JobError>,
    ) -> Result<(LoadedTable, LoadedModel), JobError> {
        if !is_table(&self.place) {
            let found = match Path::new(&self.place) {
                path if path.is_dir() => ", found a folder".to_owned(),
                path if is_spreadsheet(path) => {
                    ", found a spreadsheet; save the table as .csv".to_owned()
                }
                path if path.exists() => ", found another file".to_owned(),
                _ if self.place == "fashion-mnist" => {
                    ", found images, which `morphscape sweep` takes".to_owned()
                }
                path => format!(", found nothing there{}", did_you_mean_file(path, &PAPERS)),
            };
            return Err(JobError::unfit(format!(
                "expected iris, hawks, seeds, - for standard input or a file whose name ends in {}{found}",
                TABLE_ENDS.join(", "),
            )));
        }
        let path = Path::new(&self.place);
        if self.place != STDIN && !path.exists() {
            let meant = did_you_mean_file(path, &PAPERS);
            let missing = format!("expected a table, found nothing there{meant}");
            return Err(JobError::unfit(missing));
        }
        let Some(label) = &self.label else {
            return Err(JobError::unfit_but(
                "expected the name of the column that holds the class, found none",
                "give {} COLUMN",
                &[Setting::Label],
            ));
        };
        // The model comes first: it may name the columns to take.
        let model = model_of(None)?;
        let options = TableOptions {
            features: self.features.clone(),
            without: self.without.clone(),
            preferred: model.model.features().unwrap_or_default().to_vec(),
            delimiter: self.delimiter,
            class_order: self.class_order,
            header: self.header,
            ..TableOptions::default()
        };
        let table = match self.place.as_str() {
            STDIN => {
                let Some(content) = &self.content else {
                    return Err(JobError::unfit_but(
                        "the table came on standard input, which is gone",
                        "give it as a file with {}",
                        &[Setting::Data],
                    ));
                };
                read_table_with("stdin", content, label, &options)
            }
            place => read_table_file(Path::new(place), label, &options),
        };
        let loaded = LoadedTable {
            table: table.in_setting(Setting::Data, &self.place)?,
            path: match self.place.as_str() {
                STDIN => "standard input".to_owned(),
                place => place.to_owned(),
            },
            paper: None,
            assumed: Vec::new(),
        };
        Ok((loaded, model))
    }

    fn load_paper(&self, paper: &'static PaperTable) -> Result<LoadedTable, JobError> {
        let given = [
            (Setting::Label, self.label.is_some()),
            (Setting::Features, !self.features.is_empty()),
            (Setting::Without, !self.without.is_empty()),
            (Setting::Delimiter, self.delimiter.is_some()),
            (Setting::NoHeader, self.header != Header::Names),
            (Setting::ClassOrder, self.class_order.is_some()),
        ];
        if let Some((setting, _)) = given.into_iter().find(|(_, given)| *given) {
            return Err(JobError::setting(
                Setting::Data,
                &self.place,
                JobError::unfit_but(
                    "its label, features and classes are known",
                    "leave out {}, which belongs to a file",
                    &[setting],
                ),
            ));
        }
        let read = |path: &Path| -> Result<(Table, String), JobError> {
            let text = path.display().to_string();
            Ok((paper.read_file(path).at(&text)?, text))
        };
        let (table, path) = match (paper.name, &self.root) {
            (_, Some(root)) => read(&root.join(paper.file))?,
            ("iris", None) => (iris(), "bundled iris".to_owned()),
            ("seeds", None) => (seeds(), "bundled seeds".to_owned()),
            (_, None) => read(&find_in_checkout(paper)?)?,
        };
        Ok(LoadedTable {
            table,
            path,
            paper: Some(paper),
            assumed: Vec::new(),
        })
    }
}

/// A table that the program does not carry: in the checkout it is run in or was built in.
fn find_in_checkout(paper: &PaperTable) -> Result<PathBuf, JobError> {
    let place = Path::new("data").join(paper.file);
    let built_in = std::env::current_exe().ok();
    let mut roots = vec![PathBuf::new()];
    // target/release/morphscape stands three levels below the checkout.
    roots.extend(
        built_in
            .iter()
            .filter_map(|program| program.ancestors().nth(3))
            .map(Path::to_owned),
    );
    roots
        .into_iter()
        .map(|root| root.join(&place))
        .find(|path| path.is_file())
        .ok_or_else(|| {
            let missing = JobError::unfit_but(
                format!(
                    "expected {} in the current folder or in the checkout that the program was built in, found nothing there; its licence (GPL-3) keeps it out of the program",
                    place.display()
                ),
                "run in a checkout of the project, or give {} the checkout's data folder",
                &[Setting::DataDir],
            );
            JobError::setting(Setting::Data, paper.name, missing)
        })
}

impl LoadedTable {
    /// Rows that a host program holds; `path` is what messages call them.
    pub fn new(table: Table, path: &str) -> Self {
        Self {
            table,
            path: path.to_owned(),
            paper: None,
            assumed: Vec::new(),
        }
    }

    /// Puts columns and classes into the order of the model's, where both name them, and checks
    /// that the model takes rows of this table; gives the name of every class of the model.
    ///
    /// # Errors
    /// [`JobError`] where features or classes do not fit the model.
    pub fn fit(&mut self, model: &Model, model_path: &str) -> Result<Vec<String>, JobError> {
        let place = format!("{} with {model_path}", self.path);
        self.fit_features(model, model_path, &place)?;
        let features = self.table.features();
        let shape = model.input_shape();
        let inputs = shape.map_or(features.len(), |shape| shape.iter().product());
        if inputs != features.len() {
            let problem = format!(
                "{place}: expected {inputs} features, as the model takes, found {}: {}",
                features.len(),
                some_names(features)
            );
            return Err(match features.len() > inputs {
                true => JobError::unfit_but(
                    problem,
                    "choose them with {}, or leave others out with {}",
                    &[Setting::Features, Setting::Without],
                ),
                false => JobError::unfit_but(problem, "give a table that has them all", &[]),
            });
        }
        if model.features().is_none() && self.paper.is_none() {
            self.assumed.push(Note::new(format!(
                "{model_path} does not name its features; taking the columns in their order: {}",
                some_names(self.table.features())
            )));
        }
        let outputs = model.num_classes();
        let classes = self.table.classes();
        let names = match model.classes() {
            Some(names) => names.to_vec(),
            None if classes.len() == outputs => {
                let text = format!(
                    "{model_path} does not name its classes; assuming, in order: {}",
                    some_names(classes)
                );
                let order = self.paper.is_none().then(|| self.table.class_order());
                self.assumed.push(order_note(text, order));
                classes.to_vec()
            }
            None => {
                return Err(JobError::unfit_but(
                    format!(
                        "{place}: expected {outputs} classes, as the model has, found {}: {}",
                        classes.len(),
                        some_names(classes)
                    ),
                    format!(
                        "is \"{}\" the column of the classes? {{}} names another",
                        self.table.label_column()
                    ),
                    &[Setting::Label],
                ));
            }
        };
        self.table = self.table.clone().with_classes(&names).at(place)?;
        Ok(names)
    }

    /// Puts the columns into the order of the model's features, if they are the same; warns of
    /// others, and refuses those of which some are the same but stand elsewhere.
    fn fit_features(
        &mut self,
        model: &Model,
        model_path: &str,
        place: &str,
    ) -> Result<(), JobError> {
        let (Some(wanted), found) = (model.features(), self.table.features()) else {
            return Ok(());
        };
        if wanted == found {
            return Ok(());
        }
        if let Ok(table) = self.table.clone().with_features(wanted) {
            if table.features() != found {
                self.assumed.push(Note::new(format!(
                    "{}: putting the columns into the order of the model's features: {}",
                    self.path,
                    some_names(table.features())
                )));
            }
            self.table = table;
            return Ok(());
        }
        let missing: Vec<&String> = (wanted.iter())
            .filter(|name| !found.contains(name))
            .collect();
        if found.len() < wanted.len() && missing.len() < wanted.len() {
            let known = || found.iter().map(String::as_str);
            let hints = missing.iter().map(|name| did_you_mean(name, known()));
            return Err(JobError::unfit_but(
                format!(
                    "{place}: the model takes {} features, and the table has no column {}{}",
                    wanted.len(),
                    some_names(&missing),
                    hints
                        .into_iter()
                        .find(|hint| !hint.is_empty())
                        .unwrap_or_default()
                ),
                "give a table that has them all",
                &[],
            ));
        }
        let elsewhere = (wanted.iter().enumerate())
            .filter_map(|(at, name)| Some((at, found.iter().position(|own| own == name)?)))
            .find(|(at, own)| at != own);
        if let Some((at, own)) = elsewhere {
            return Err(JobError::unfit_but(
                format!(
                    "{place}: expected the features {}, found {}: \"{}\" is number {} of the model and number {} of the table",
                    some_names(wanted),
                    some_names(found),
                    wanted[at],
                    at + 1,
                    own + 1
                ),
                "choose columns in the model's order with {}, and rename those that are the model's by another name",
                &[Setting::Features],
            ));
        }
        self.assumed.push(Note::warning(
            format!(
                "{model_path} was trained on {}, and gets {} in this order",
                some_names(wanted),
                some_names(found)
            ),
            Remedy::new("if that is another order, give {}", &[Setting::Features]),
        ));
        Ok(())
    }

    /// Notes what was assumed, and which rows were left out.
    pub fn note_assumptions(&self, observer: &dyn Observer) {
        let table = &self.table;
        for note in table.notes() {
            observer.note(&Note::new(format!("{}: {note}", self.path)));
        }
        for note in &self.assumed {
            observer.note(note);
        }
        if table.left_out() > 0 {
            observer.note(&Note::new(format!(
                "{}: skipped {} row{} with a missing value, kept {}; skipped: {}",
                self.path,
                table.left_out(),
                if table.left_out() == 1 { "" } else { "s" },
                table.len(),
                table.left_out_text()
            )));
        }
    }
}
