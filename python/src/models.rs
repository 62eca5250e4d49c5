//! Several models on the same landscapes.

use crate::data::{Data, Items, groups_of, source_of};
use crate::engine;
use crate::error::{InputError, exception};
use crate::grids::grid_settings;
use crate::network::Network;
use crate::runs::existing;
use crate::watch::Watch;
use morphscape::data::ClassMatch;
use morphscape::job::{LoadedModel, ModelsJob};
use morphscape::run::{
    Cell, Gate, Keep, ModelsOptions, ModelsResult, baseline_job, compare_models, measure_models,
};
use morphscape::{RunError, RunFolder, SweepJob};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::{Path, PathBuf};

/// What a comparison of models came to.
#[pyclass(frozen, module = "morphscape._morphscape")]
pub(crate) struct ComparedModels {
    result: ModelsResult,
    series: bool,
}

/// Compares models on the landscapes of groups that a seed chooses, or on those of a finished run that
/// stands in for a first model. Gives what was found and what was noted. Written to `out` too, where
/// there is one: tables, with `tensors` every landscape, with `report` figures and the page.
#[pyfunction]
#[pyo3(signature = (networks, names, data, *, groups, classes, seed, settings, by_name, series, margins, baseline, out, force, tensors, report, engine, progress))]
pub(crate) fn models(
    py: Python<'_>,
    networks: Vec<PyRef<'_, Network>>,
    names: Option<Vec<String>>,
    data: Option<Data<'_>>,
    groups: Option<usize>,
    classes: Vec<String>,
    seed: u64,
    settings: &str,
    by_name: bool,
    series: bool,
    margins: bool,
    baseline: Option<PathBuf>,
    out: Option<PathBuf>,
    force: bool,
    tensors: bool,
    report: bool,
    engine: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<(ComparedModels, Vec<String>)> {
    let engine = engine::named(py, engine)?;
    let (morph, flat) = grid_settings(settings)?;
    let items = data.map(|data| data.take(py)).transpose()?;
    let asks_callables = networks.iter().all(|network| network.asks_callable());
    let loaded: Vec<LoadedModel> = networks.iter().map(|network| network.loaded()).collect();
    let sources = networks.iter().map(|network| source_of(network)).collect();
    let sweep = SweepJob {
        triples: groups_of(groups, classes, seed),
        morph,
        flat,
        ..SweepJob::default()
    };
    let options = ModelsOptions {
        keep: match tensors {
            true => Keep::Tensors,
            false => Keep::RowsAlone,
        },
        baseline: baseline.clone(),
        series,
        margins,
        figures: report,
    };
    let watch = Watch::new(progress);
    let result = watch.run(py, asks_callables, &[], || {
        let on = match &items {
            Some(items) => items.job(sweep),
            // Without either there is no run at an empty path.
            None => baseline_job(baseline.as_deref().unwrap_or(Path::new("")))?,
        };
        let asked = ModelsJob {
            on,
            models: sources,
            class_match: match by_name {
                true => ClassMatch::Name,
                false => ClassMatch::Order,
            },
            ..ModelsJob::default()
        };
        let job = match &items {
            Some(Items::Held(data)) => asked.load_of(&loaded, data, &watch)?,
            _ => asked.load(&watch)?,
        };
        let job = match names {
            Some(names) => job.with_names(names),
            None => job,
        };
        let engine = engine.as_ref();
        match &out {
            Some(out) => {
                let place = (out.as_path(), existing(force));
                compare_models(&job, &options, engine, place, &[], &watch)
            }
            None => measure_models(&job, &options, engine, &watch),
        }
    })?;
    Ok((ComparedModels { result, series }, watch.notes()))
}

#[pymethods]
impl ComparedModels {
    /// What a finished comparison in a folder came to.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let read = || -> Result<Self, RunError> {
            let folder = RunFolder::open(path)?;
            Ok(Self {
                result: folder.models()?,
                series: folder.manifest()["series"] == true,
            })
        };
        py.detach(read).map_err(|error| exception(py, &error, &[]))
    }

    /// Names of the models.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.result.names.clone()
    }

    /// Names of the classes.
    #[getter]
    fn class_names(&self) -> Vec<String> {
        self.result.class_names.clone()
    }

    /// Names of the landscapes.
    #[getter]
    fn landscapes(&self) -> Vec<String> {
        let landscapes = self.result.landscapes.iter();
        landscapes.map(|one| one.name.clone()).collect()
    }

    /// Points a side of a landscape, and what it is.
    #[getter]
    fn grid(&self) -> (usize, &'static str) {
        (self.result.steps, self.result.kind.name())
    }

    /// The predicted class of every point, `[landscapes, models, steps * steps]`, each landscape as it
    /// is drawn; -1 where there is none.
    fn predicted<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i32>> {
        let answers = self.result.landscapes.iter().flat_map(|one| &one.answered);
        let labels = answers.flat_map(|answer| &answer.labels);
        let labels = labels.map(|label| label.map_or(-1, i32::from));
        labels.collect::<Vec<_>>().into_pyarray(py)
    }

    /// Tables by name: `models`, `pairs`, `classes`, `landscapes`, `items`, and of a series `series`.
    fn tables<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let tables = PyDict::new(py);
        for table in py.detach(|| self.result.tables(self.series)) {
            let row = |cells: Vec<Cell>| {
                let row = PyDict::new(py);
                for (column, cell) in table.columns.iter().zip(cells) {
                    match cell {
                        Cell::Text(text) => row.set_item(column, text)?,
                        Cell::Count(count) => row.set_item(column, count)?,
                        Cell::Number(value) | Cell::Exact(value) => row.set_item(column, value)?,
                    }
                }
                Ok(row)
            };
            let rows: Vec<Bound<'py, PyDict>> =
                table.rows.into_iter().map(row).collect::<PyResult<_>>()?;
            tables.set_item(table.file.trim_end_matches(".csv"), rows)?;
        }
        Ok(tables)
    }

    /// What falls short of a limit: two models, the class or none, what was found.
    fn shortfalls(
        &self,
        min_agreement: f64,
        per_class: bool,
    ) -> Vec<([String; 2], Option<String>, f64)> {
        let gate = Gate {
            min_agreement,
            per_class,
        };
        let short = gate.check(&self.result).into_iter();
        short
            .map(|short| (short.models, short.class, short.found))
            .collect()
    }

    /// A figure as SVG: `maps`, `matrix` or `agreement`.
    fn svg(&self, py: Python<'_>, kind: &str) -> PyResult<String> {
        let drawn = py.detach(|| self.result.draw(self.series));
        let mut names = Vec::new();
        for (file, svg) in drawn.files {
            let name = file.trim_end_matches(".svg");
            if name == kind {
                return Ok(svg);
            }
            names.push(name);
        }
        Err(InputError::new_err(format!(
            "kind: expected one of {}, found \"{kind}\"",
            names.join(", ")
        )))
    }

    /// The report, a page.
    fn page(&self, py: Python<'_>) -> String {
        py.detach(|| self.result.draw(self.series).report)
    }
}
