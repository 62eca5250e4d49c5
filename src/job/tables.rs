//! Tables of measurements by name or file.

use super::error::{JobError, Located};
use crate::data::{PaperTable, Table, iris, read_table_file, seeds};
use crate::model::Model;
use crate::remedy::Setting;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Which table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableSource {
    /// `iris`, `hawks` or `seeds`, or a CSV file.
    pub place: String,
    /// A folder laid out like the project's `data/`, used instead of the bundled data.
    pub root: Option<PathBuf>,
    /// The column of a CSV file that holds the class.
    pub label: Option<String>,
    /// The columns of a CSV file to take, in the order the model takes them; without any every one
    /// but the label.
    pub features: Vec<String>,
}

impl Default for TableSource {
    fn default() -> Self {
        Self {
            place: "iris".to_owned(),
            root: None,
            label: None,
            features: Vec::new(),
        }
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
#[derive(Debug)]
pub struct LoadedTable {
    /// The table.
    pub table: Table,
    /// Its file, or the name of a bundled one.
    pub path: String,
    /// The paper's table that it is.
    pub paper: Option<&'static PaperTable>,
}

/// Whether a data set's name stands for a table rather than for images.
pub fn is_table(place: &str) -> bool {
    PaperTable::named(place).is_some()
        || Path::new(place)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

impl TableSource {
    /// Reads the table.
    ///
    /// # Errors
    /// [`JobError`] with the file and what is wrong in it.
    pub fn load(&self) -> Result<LoadedTable, JobError> {
        match PaperTable::named(&self.place) {
            Some(paper) => self.load_paper(paper),
            None => self.load_file().map_err(|error| match error {
                named @ JobError::In { .. } => named,
                error => JobError::setting(Setting::Data, &self.place, error),
            }),
        }
    }

    fn load_file(&self) -> Result<LoadedTable, JobError> {
        if !is_table(&self.place) {
            return Err(JobError::unfit(
                "expected iris, hawks, seeds or a file whose name ends in .csv",
            ));
        }
        let Some(label) = &self.label else {
            return Err(JobError::unfit_but(
                "expected the name of the column that holds the class, found none",
                "give {} COLUMN",
                &[Setting::Label],
            ));
        };
        let table = read_table_file(Path::new(&self.place), label, &self.features)
            .in_setting(Setting::Data, &self.place)?;
        Ok(LoadedTable {
            table,
            path: self.place.clone(),
            paper: None,
        })
    }

    fn load_paper(&self, paper: &'static PaperTable) -> Result<LoadedTable, JobError> {
        if self.label.is_some() || !self.features.is_empty() {
            return Err(JobError::setting(
                Setting::Data,
                &self.place,
                JobError::unfit_but(
                    "its label and features are known",
                    "leave out {} and {}, which belong to a CSV file",
                    &[Setting::Label, Setting::Features],
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
    /// Puts the classes into the order of the model's, where both name them, and checks that
    /// the model takes rows of this table; gives the name of every class of the model.
    ///
    /// # Errors
    /// [`JobError`] where features or classes do not fit the model.
    pub fn fit(&mut self, model: &Model, model_path: &str) -> Result<Vec<String>, JobError> {
        let place = format!("{} with {model_path}", self.path);
        let features = self.table.features();
        let shape = model.input_shape();
        let inputs = shape.map_or(features.len(), |shape| shape.iter().product());
        if inputs != features.len() {
            return Err(JobError::unfit_but(
                format!(
                    "{place}: expected {inputs} features, as the model takes, found {}: {}",
                    features.len(),
                    features.join(", ")
                ),
                "choose them with {}",
                &[Setting::Features],
            ));
        }
        let outputs = model.num_classes();
        let classes = self.table.classes();
        let names = match model.classes() {
            Some(names) => names.to_vec(),
            None if classes.len() == outputs => classes.to_vec(),
            None => {
                return Err(JobError::unfit(format!(
                    "{place}: expected {outputs} classes, as the model has, found {}: {}",
                    classes.len(),
                    classes.join(", ")
                )));
            }
        };
        self.table = self.table.clone().with_classes(&names).at(place)?;
        Ok(names)
    }
}
