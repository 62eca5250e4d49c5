//! Atlases: planned, computed in shards, summed up.

use crate::data::{Data, Items, source_of};
use crate::engine;
use crate::error::InputError;
use crate::grids::grid_settings;
use crate::network::Network;
use crate::watch::Watch;
use morphscape::atlas::{Atlas, AtlasError, Design, Ending, Plan};
use morphscape::job::Observer;
use morphscape::{ModelSource, SweepJob, Triples};
use pyo3::prelude::*;
use std::path::{Path, PathBuf};

/// Makes the plan of an atlas, and gives how many shards it has and what was noted.
#[pyfunction]
#[pyo3(signature = (network, data, *, design, settings, shards, out, engine, progress))]
pub(crate) fn atlas_plan(
    py: Python<'_>,
    network: &Network,
    data: Data<'_>,
    design: &str,
    settings: &str,
    shards: Option<usize>,
    out: PathBuf,
    engine: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<(usize, Vec<String>)> {
    let design: Design = serde_json::from_str(design)
        .map_err(|error| InputError::new_err(format!("design: {error}")))?;
    let (morph, flat) = grid_settings(settings)?;
    let engine = engine::named(py, engine)?;
    let items = data.take(py)?;
    let sweep = SweepJob {
        model: source_of(network),
        triples: Triples::Listed(Vec::new()),
        morph,
        flat,
        ..SweepJob::default()
    };
    let watch = Watch::new(progress);
    let plan = watch.run(py, network.asks_callable(), &[], || {
        let mut job = items.job(sweep);
        // Shards are computed from any folder.
        job.make_absolute();
        let job = match &items {
            Items::Place(_) => job.load_with(network.loaded(), &watch)?,
            Items::Held(data) => job.load_of(network.loaded(), data.clone(), &watch)?,
        };
        Plan::make(&job, &design, shards, engine.as_ref(), &out, &watch)
    })?;
    Ok((plan.shards, watch.notes()))
}

/// The atlas in a folder: of what its plan names, or of a model and items that Python holds.
fn opened(
    folder: &Path,
    network: Option<&Network>,
    items: Option<&Items>,
    observer: &dyn Observer,
) -> Result<Atlas, AtlasError> {
    let plan = Plan::read(folder)?;
    let job = match (network, items) {
        (Some(network), Some(Items::Held(data))) => {
            plan.job.load_of(network.loaded(), data.clone(), observer)?
        }
        (Some(network), _) => plan.job.load_with(network.loaded(), observer)?,
        (None, _) => plan.job.load(observer)?,
    };
    Atlas::with_job(folder, plan, job)
}

/// The shards that are not done, and those that failed twice alike, with the error.
#[pyfunction]
pub(crate) fn atlas_missing(
    py: Python<'_>,
    folder: PathBuf,
) -> PyResult<(Vec<usize>, Vec<(usize, String)>)> {
    let missing = py.detach(|| Plan::read(&folder)?.missing(&folder));
    missing.map_err(|error| crate::error::exception(py, &error, &[]))
}

/// Computes shards, and gives how many landscapes that were.
#[pyfunction]
#[pyo3(signature = (folder, shards, *, network, data, engine, progress))]
pub(crate) fn atlas_run(
    py: Python<'_>,
    folder: PathBuf,
    shards: Vec<usize>,
    network: Option<&Network>,
    data: Option<Data<'_>>,
    engine: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<u64> {
    let engine = engine::named(py, engine)?;
    let items = data.map(|data| data.take(py)).transpose()?;
    let watch = Watch::new(progress);
    let asks = network.is_some_and(Network::asks_callable);
    watch.run(py, asks, &[], || {
        let atlas = opened(&folder, network, items.as_ref(), &watch)?;
        atlas.run(&shards, engine.as_ref(), &watch)
    })
}

/// Sums an atlas up, and gives its summary in JSON and what was noted.
#[pyfunction]
#[pyo3(signature = (folder, *, network, data, second, shown, allow_missing, engine, progress))]
pub(crate) fn atlas_finish(
    py: Python<'_>,
    folder: PathBuf,
    network: Option<&Network>,
    data: Option<Data<'_>>,
    second: Option<String>,
    shown: usize,
    allow_missing: bool,
    engine: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<(String, Vec<String>)> {
    let engine = engine::named(py, engine)?;
    let items = data.map(|data| data.take(py)).transpose()?;
    let ending = Ending {
        allow_missing,
        second: second.map(ModelSource::from),
        shown,
    };
    let watch = Watch::new(progress);
    let asks = network.is_some_and(Network::asks_callable);
    let summary = watch.run(py, asks, &[], || {
        let atlas = opened(&folder, network, items.as_ref(), &watch)?;
        atlas.finish(&ending, engine.as_ref(), &watch)
    })?;
    let text = serde_json::to_string(&summary).expect("a summary is plain data");
    Ok((text, watch.notes()))
}
