//! Random walks, on surfaces of their own and on landscapes in memory.

use crate::engine;
use crate::error::InputError;
use crate::landscape::LandscapeFile;
use crate::runs::existing;
use crate::watch::Watch;
use morphscape::job::walk::WalkJob;
use morphscape::pipeline::MeanMoments;
use morphscape::run::{WalkFigures, show_in_run, walk_in_memory};
use morphscape::{Note, Observer};
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

/// Walks as `job`, JSON of a [`WalkJob`], says; on `landscape` where one is given. Gives what it came
/// to: `facts`, `exponent` with its standard error, `moments` and `fields` by name, `figures` as SVG,
/// and what was `noted`. Written to `out` too, where there is one; figures and the report if `report`
/// says so.
#[pyfunction]
#[pyo3(signature = (job, landscape, *, out, force, report, engine, progress))]
pub(crate) fn walk<'py>(
    py: Python<'py>,
    job: &str,
    landscape: Option<PyRef<'py, LandscapeFile>>,
    out: Option<PathBuf>,
    force: bool,
    report: bool,
    engine: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let job: WalkJob =
        serde_json::from_str(job).map_err(|error| InputError::new_err(format!("walk: {error}")))?;
    let engine = engine::named(py, engine)?;
    let landscape = landscape.map(|landscape| landscape.whole(py)).transpose()?;
    let watch = Watch::new(progress);
    let walked = watch.run(py, false, &[], || {
        let engine = engine.as_ref();
        let Some(out) = &out else {
            return walk_in_memory(&job, landscape, engine, &watch);
        };
        let figures = WalkFigures {
            svg: report,
            png: false,
        };
        let place = (out.as_path(), existing(force));
        let walked = morphscape::run::walk(&job, landscape, figures, engine, place, &[], &watch)?;
        // The walk's own folder is whole: that the run's report cannot show it is a note.
        if let Err(error) = show_in_run(&job, &walked) {
            watch.note(&Note::new(format!(
                "the run's report does not show the walk: {error}"
            )));
        }
        Ok(walked)
    })?;
    let found = PyDict::new(py);
    found.set_item("noted", watch.notes())?;
    found.set_item("facts", walked.facts)?;
    let exponent = walked.exponent.as_ref();
    found.set_item(
        "exponent",
        exponent.map(|fit| (fit.alpha, fit.standard_error)),
    )?;
    let moments = PyDict::new(py);
    let dt = walked.dt;
    let columns: [(&str, &dyn Fn(&MeanMoments) -> f64); 8] = [
        ("step", &|at| f64::from(at.step)),
        ("time", &|at| f64::from(at.step) * dt),
        ("msd", &|at| at.msd),
        ("msd_error", &|at| at.msd_error),
        ("mean_distance", &|at| at.distance),
        ("mean_x", &|at| at.displacement[0]),
        ("mean_y", &|at| at.displacement[1]),
        ("moving", &|at| at.moving),
    ];
    for (name, column) in columns {
        let values: Vec<f64> = walked.moments.iter().map(column).collect();
        moments.set_item(name, values.into_pyarray(py))?;
    }
    found.set_item("moments", moments)?;
    let fields = PyDict::new(py);
    for field in walked.fields {
        let values = field.values.into_pyarray(py);
        fields.set_item(field.name, values.call_method1("reshape", (field.shape,))?)?;
    }
    found.set_item("fields", fields)?;
    let figures = PyDict::new(py);
    for figure in walked.figures {
        figures.set_item(figure.name, figure.svg)?;
    }
    found.set_item("figures", figures)?;
    Ok(found)
}
