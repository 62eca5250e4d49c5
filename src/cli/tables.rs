//! Tables of measurements by name or file, and the models that belong to them.

use super::options::{DataPlace, LoadedModel, ModelArgs};
use crate::data::{PaperTable, Table, TableError, iris, read_table_file, seeds};
use crate::engine::Engine;
use crate::landscape::DataPoints;
use crate::model::{Model, bundled_table_model, table_model_names};
use crate::pipeline::classify;
use anyhow::{Context, bail, ensure};
use clap::Args;
use std::path::{Path, PathBuf};

/// Which table.
#[derive(Debug, Args)]
pub(super) struct TableArgs {
    /// iris, hawks or seeds, or a CSV file
    #[arg(long, value_name = "NAME|FILE.csv", default_value = "iris")]
    data: String,
    /// The column of a CSV file that holds the class
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// The columns of a CSV file to take, in the order the model takes them [default: every one
    /// but the label]
    #[arg(long, value_name = "A,B,...", value_delimiter = ',')]
    features: Vec<String>,
    /// A folder laid out like the project's data/, used instead of the bundled data
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// A table and where it came from.
pub(super) struct LoadedTable {
    pub(super) table: Table,
    pub(super) path: String,
    /// The paper's table that it is.
    pub(super) paper: Option<&'static PaperTable>,
}

/// Whether `--data` names a table rather than images.
pub(super) fn is_table(data: &str) -> bool {
    PaperTable::named(data).is_some()
        || Path::new(data)
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

impl TableArgs {
    /// What says which data they are.
    pub(in crate::cli) fn place(&mut self) -> DataPlace<'_> {
        DataPlace {
            name: &mut self.data,
            root: &mut self.data_dir,
        }
    }

    /// Reads the table.
    pub(super) fn load(&self) -> anyhow::Result<LoadedTable> {
        load_table(
            &self.data,
            self.label.as_deref(),
            &self.features,
            self.data_dir.as_deref(),
        )
    }
}

/// Reads the table that `data` names; `label` and `features` belong to a CSV file.
pub(super) fn load_table(
    data: &str,
    label: Option<&str>,
    features: &[String],
    data_dir: Option<&Path>,
) -> anyhow::Result<LoadedTable> {
    let Some(paper) = PaperTable::named(data) else {
        ensure!(
            is_table(data),
            "--data {data}: expected iris, hawks, seeds or a file whose name ends in .csv"
        );
        let label = label.with_context(|| {
            format!("--data {data}: expected --label COLUMN, the column that holds the class")
        })?;
        let table = read_table_file(Path::new(data), label, features)
            .with_context(|| format!("--data {data}"))?;
        return Ok(LoadedTable {
            table,
            path: data.to_owned(),
            paper: None,
        });
    };
    ensure!(
        label.is_none() && features.is_empty(),
        "--data {data}: its label and features are known; --label and --features belong to a CSV file"
    );
    let read = |path: &Path| {
        let text = path.display().to_string();
        let table = paper.read_file(path).with_context(|| text.clone())?;
        anyhow::Ok((table, text))
    };
    let (table, path) = match (paper.name, data_dir) {
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

/// A table that the program does not carry: in the checkout it is run in or was built in.
fn find_in_checkout(paper: &PaperTable) -> anyhow::Result<PathBuf> {
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
        .with_context(|| {
            format!(
                "--data {}: expected {} in the current folder or in the checkout that the program was built in, found nothing there; its licence (GPL-3) keeps it out of the program: run in a checkout of the project, or give --data-dir the checkout's data folder",
                paper.name,
                place.display()
            )
        })
}

impl LoadedTable {
    /// Puts the classes into the order of the model's, where both name them, and checks that
    /// the model takes rows of this table; gives the name of every class of the model.
    pub(super) fn fit(&mut self, model: &Model, model_path: &str) -> anyhow::Result<Vec<String>> {
        let place = format!("{} with {model_path}", self.path);
        let features = self.table.features();
        let shape = model.input_shape();
        let inputs = shape.map_or(features.len(), |shape| shape.iter().product());
        ensure!(
            inputs == features.len(),
            "{place}: expected {inputs} features, as the model takes, found {}: {}; choose them with --features",
            features.len(),
            features.join(", ")
        );
        let outputs = model.num_classes();
        let classes = self.table.classes();
        let names = match model.classes() {
            Some(names) => names.to_vec(),
            None if classes.len() == outputs => classes.to_vec(),
            None => bail!(
                "{place}: expected {outputs} classes, as the model has, found {}: {}",
                classes.len(),
                classes.join(", ")
            ),
        };
        self.table = self
            .table
            .clone()
            .with_classes(&names)
            .map_err(|error: TableError| anyhow::Error::from(error).context(place))?;
        Ok(names)
    }
}

/// Rows that are classified to be shown with landscapes at most; of more, every n-th.
const MAX_DATA_POINTS: usize = 5000;

/// The rows of a table with the model's answers.
pub(super) fn data_points(
    table: &Table,
    class_names: &[String],
    model: &Model,
    engine: &dyn Engine,
) -> anyhow::Result<DataPoints> {
    let every = table.len().div_ceil(MAX_DATA_POINTS);
    let positions: Vec<usize> = (0..table.len()).step_by(every).collect();
    let rows: Vec<&[f32]> = positions
        .iter()
        .map(|&position| table.row(position))
        .collect();
    let answers = classify(engine, model, &rows)?;
    Ok(DataPoints {
        features: table.features().to_vec(),
        class_names: class_names.to_vec(),
        rows: rows.concat(),
        labels: positions
            .iter()
            .map(|&position| table.label(position))
            .collect(),
        probabilities: answers.probabilities,
        every,
    })
}

/// The model that is named, or else the data set's own.
pub(super) fn table_model(args: &ModelArgs, table: &LoadedTable) -> anyhow::Result<LoadedModel> {
    let named = match (args.path(), table.paper) {
        (Some(path), _) => path
            .to_str()
            .filter(|name| !path.is_file() && table_model_names().any(|known| known == *name)),
        (None, Some(paper)) => Some(paper.name),
        (None, None) => bail!(
            "{}: expected --model FILE, a model that takes these features; only iris, hawks and seeds have one of their own",
            table.path
        ),
    };
    match named.and_then(|name| Some((bundled_table_model(name)?, name))) {
        Some((model, name)) => {
            args.refuse_options(name)?;
            Ok(LoadedModel {
                model,
                path: format!("bundled {name}"),
                options: serde_json::json!({}),
            })
        }
        None => args.load(),
    }
}
