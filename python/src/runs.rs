//! Jobs that write a folder, and finished runs.

use crate::data::{Data, groups_of, source_of};
use crate::engine;
use crate::error::exception;
use crate::grids::grid_settings;
use crate::landscape::{LandscapeFile, row_of};
use crate::network::Network;
use crate::watch::Watch;
use morphscape::landscape::{measure_triple, triple_of};
use morphscape::run::{FigurePlan, Redraw};
use morphscape::{Existing, Keep, Run, RunError, SweepJob};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

/// Runs a job into a folder, as `morphscape sweep` does with images and `morphscape interpolate` with
/// rows, and gives what it noted.
#[pyfunction]
#[pyo3(signature = (network, data, *, groups, classes, seed, settings, out, force, keep_frames, report, engine, progress))]
pub(crate) fn run_sweep(
    py: Python<'_>,
    network: &Network,
    data: Data<'_>,
    groups: Option<usize>,
    classes: Vec<String>,
    seed: u64,
    settings: &str,
    out: PathBuf,
    force: bool,
    keep_frames: bool,
    report: bool,
    engine: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<String>> {
    let (morph, flat) = grid_settings(settings)?;
    let engine = engine::named(py, engine)?;
    let items = data.take(py)?;
    let job = SweepJob {
        model: source_of(network),
        triples: groups_of(groups, classes, seed),
        morph,
        flat,
        ..SweepJob::default()
    };
    let keep = match keep_frames {
        true => Keep::TensorsAndFrames,
        false => Keep::Tensors,
    };
    let existing = existing(force);
    let watch = Watch::new(progress);
    watch.run(py, network.asks_callable(), &[], || {
        let job = items.load(network, job, &watch)?;
        let mut run = Run::new(&job, engine.as_ref()).keep(keep);
        if report {
            run = run.figures(FigurePlan::default());
        }
        run.write_to(&out, existing, &watch).map(drop)
    })?;
    Ok(watch.notes())
}

/// What becomes of a folder that is there already.
pub(crate) fn existing(force: bool) -> Existing {
    match force {
        true => Existing::Replace,
        false => Existing::Continue,
    }
}

/// A folder of results.
#[pyclass(frozen, module = "morphscape._morphscape")]
pub(crate) struct RunFolder {
    folder: morphscape::RunFolder,
}

#[pymethods]
impl RunFolder {
    /// Opens a finished run.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let folder = morphscape::RunFolder::open(path);
        let folder = folder.map_err(|error| exception(py, &error, &[]))?;
        Ok(Self { folder })
    }

    /// Names of its landscapes.
    fn names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let names = self.folder.landscapes();
        names.map_err(|error| exception(py, &error, &[]))
    }

    /// A landscape, measured together with its triple.
    fn landscape(&self, py: Python<'_>, name: &str) -> PyResult<LandscapeFile> {
        let read = || -> Result<_, RunError> {
            let file = self.folder.landscape(name)?;
            let measures = match file.landscape.kind.siblings().len() {
                1 => file.measures(),
                _ => {
                    let of_triple = |number| {
                        let triple = triple_of(name);
                        self.folder.landscape(&format!("{triple}.{number}"))
                    };
                    let files = [of_triple(1)?, of_triple(2)?, of_triple(3)?];
                    let place = file.about.permutation.number() - 1;
                    measure_triple(
                        (files.each_ref()).map(|file| (&file.landscape, file.about.item_classes)),
                    )[place]
                        .clone()
                }
            };
            Ok((file, measures, self.folder.class_map(name)?))
        };
        let (file, measures, map) = py
            .detach(read)
            .map_err(|error| exception(py, &error, &[]))?;
        Ok(LandscapeFile::new(py, file, measures).with_record(map))
    }

    /// The rows of `summary.csv`.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let rows = py.detach(|| self.folder.rows());
        let rows = rows.map_err(|error| exception(py, &error, &[]))?;
        rows.iter().map(|row| row_of(py, row)).collect()
    }

    /// Draws the report, and gives where it is.
    fn report(&self, py: Python<'_>) -> PyResult<PathBuf> {
        let redraw = Redraw {
            figures: FigurePlan {
                svg: false,
                ..FigurePlan::default()
            },
            ..Redraw::default()
        };
        let watch = Watch::new(None);
        let path = self.folder.path().to_owned();
        watch.run(py, false, &[], || {
            morphscape::RunFolder::open(&path)?
                .redraw(&redraw, &watch)
                .map(drop)
        })?;
        Ok(path.join("report.html"))
    }

    /// The manifest, in JSON.
    fn manifest(&self) -> String {
        self.folder.manifest().to_string()
    }

    /// Where it is.
    #[getter]
    fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}
