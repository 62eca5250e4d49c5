//! The comparison of modes: how much of a landscape's roughness is the morph tool's.

use crate::data::{Data, groups_of, source_of};
use crate::engine;
use crate::network::Network;
use crate::runs::existing;
use crate::watch::Watch;
use morphscape::run::{COMPARED_MODES, Comparison, compare, compare_modes};
use morphscape::{CompareJob, LoadedJob, RunError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

/// What was found in a sentence; a row for each measure and mode, and for each triple, as
/// `shares.csv` and `triples.csv` have them; the figure; and what was noted. Written to `out` too,
/// where there is one.
#[pyfunction(name = "compare_modes")]
#[pyo3(signature = (network, data, *, groups, classes, seed, steps, grid, out, force, engine, progress))]
pub(crate) fn compared<'py>(
    py: Python<'py>,
    network: &Network,
    data: Data<'py>,
    groups: Option<usize>,
    classes: Vec<String>,
    seed: u64,
    steps: usize,
    grid: usize,
    out: Option<PathBuf>,
    force: bool,
    engine: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Compared<'py>> {
    let engine = engine::named(py, engine)?;
    let items = data.take(py)?;
    let asked = CompareJob {
        model: source_of(network),
        triples: groups_of(groups, classes, seed),
        steps,
        grid,
        resample_seed: seed,
        ..CompareJob::default()
    };
    let existing = existing(force);
    let watch = Watch::new(progress);
    let (compared, job) = watch.run(py, network.asks_callable(), &[], || {
        let job = items.load(network, asked.sweep()?, &watch)?;
        let compared = match &out {
            Some(out) => compare(&asked, &job, engine.as_ref(), (out, existing), &[], &watch),
            None => compare_modes(&asked, &job, engine.as_ref(), &watch),
        }?;
        Ok::<_, RunError>((compared, job))
    })?;
    Ok((
        compared.finding.clone(),
        shares(py, &compared)?,
        triples(py, &compared, &job)?,
        compared.figure(&asked, &job),
        watch.notes(),
    ))
}

type Rows<'py> = Vec<Bound<'py, PyDict>>;
type Compared<'py> = (String, Rows<'py>, Rows<'py>, String, Vec<String>);

fn shares<'py>(py: Python<'py>, compared: &Comparison) -> PyResult<Rows<'py>> {
    let mut rows = Vec::new();
    for row in &compared.rows {
        for ((_, mode), share) in COMPARED_MODES[1..].iter().zip(&row.shares) {
            let entry = PyDict::new(py);
            entry.set_item("measure", row.measure.key)?;
            entry.set_item("mode", mode)?;
            entry.set_item("published", share.published)?;
            entry.set_item("value", share.other)?;
            entry.set_item("share", share.share)?;
            entry.set_item("low_95", share.interval[0])?;
            entry.set_item("high_95", share.interval[1])?;
            rows.push(entry);
        }
    }
    Ok(rows)
}

fn triples<'py>(py: Python<'py>, compared: &Comparison, job: &LoadedJob) -> PyResult<Rows<'py>> {
    let rows = compared.triples.iter().map(|triple| {
        let entry = PyDict::new(py);
        entry.set_item("triple", &triple.triple.name)?;
        for (letter, item) in ["x", "y", "z"].iter().zip(triple.triple.items) {
            entry.set_item(format!("item_{letter}"), job.item_name(item))?;
        }
        for (letter, class) in ["x", "y", "z"].iter().zip(triple.triple.classes) {
            entry.set_item(format!("class_{letter}"), &job.class_names()[class])?;
        }
        entry.set_item("failed", triple.failed)?;
        entry.set_item("whole_paths", triple.whole_paths)?;
        for row in &compared.rows {
            for (n, (_, mode)) in COMPARED_MODES.iter().enumerate() {
                let measures = triple.measures.as_ref();
                let value = measures.map(|measures| (row.measure.value)(&measures[n]));
                entry.set_item(format!("{}_{mode}", row.measure.key), value)?;
            }
        }
        Ok(entry)
    });
    rows.collect()
}
