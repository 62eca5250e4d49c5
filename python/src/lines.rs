//! The line between two inputs, and the lines between many: their class intervals.

use crate::data::{Data, Items, source_of};
use crate::engine;
use crate::error::exception;
use crate::network::{Network, not_contiguous};
use crate::runs::existing;
use crate::watch::Watch;
use morphscape::job::{Exactness, LineData, LineJob, LinesJob, LoadedLine, Pairs, drawn_pairs};
use morphscape::landscape::ListedItem;
use morphscape::run::{Lines, cut_line, cut_lines, line_row, lines};
use morphscape::sections::{LineOptions, SectionLabel, SectionNetwork, SpaceKind};
use morphscape::{ImageSource, RunError, RunFolder};
use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// How far the intervals can be trusted (`exact`, `certified`, `sampled`), and the intervals: from, to,
/// class. `inputs` are two, `float32 [2, values]`.
#[pyfunction]
#[pyo3(signature = (network, inputs, *, class_names, rows, steps, exact, engine))]
pub(crate) fn line_intervals(
    py: Python<'_>,
    network: &Network,
    inputs: PyReadonlyArray2<'_, f32>,
    class_names: Vec<String>,
    rows: bool,
    steps: usize,
    exact: bool,
    engine: &str,
) -> PyResult<(&'static str, Vec<(f64, f64, usize)>)> {
    let engine = engine::named(py, engine)?;
    let width = inputs.shape()[1];
    let values = inputs.as_slice().map_err(not_contiguous)?;
    let (from, to) = values.split_at(width);
    let space = match rows {
        true => SpaceKind::Rows,
        false => SpaceKind::Images,
    };
    let names = ["a", "b"].map(str::to_owned);
    let asked = LineJob {
        // The inputs are here; nothing is looked up.
        items: names.clone().map(ListedItem::Name),
        data: LineData::Images(ImageSource::default()),
        model: network.source.clone().unwrap_or_default(),
        steps,
        exact: exactness(exact),
        max_pieces: LineOptions::default().max_pieces,
        connect: false,
    };
    let watch = Watch::new(None);
    let line = watch.run(py, network.asks_callable(), &[], || {
        let loaded = LoadedLine {
            names,
            inputs: [from.to_vec(), to.to_vec()],
            labels: [None, None],
            model: network.loaded(),
            class_names,
            data_path: String::new(),
            space,
            // A network that is no sequence of known layers has no exact section, and is sampled.
            network: exact.then(|| SectionNetwork::new(&network.model, space)),
        };
        cut_line(&asked, &loaded, Some(engine.as_ref()))
    })?;
    let label = match line.label {
        SectionLabel::Exact => "exact",
        SectionLabel::Certified { .. } => "certified",
        SectionLabel::Sampled { .. } => "sampled",
    };
    let intervals = line.intervals.iter();
    Ok((
        label,
        intervals
            .map(|each| (each.from, each.to, each.class))
            .collect(),
    ))
}

/// What many lines came to: what `sections.json` says of each and the rows of `lines.csv`, in JSON;
/// of how many the samples miss an interval; sentences; names of the classes; what was noted.
type Cut = (
    String,
    String,
    Option<usize>,
    Vec<String>,
    Vec<String>,
    Vec<String>,
);

/// Cuts the lines between `pairs` of items, or from `count` items that a seed draws. Written to `out` too,
/// where there is one.
#[pyfunction(name = "lines")]
#[pyo3(signature = (network, data, *, pairs, count, directions, seed, steps, exact, max_pieces, connect, out, force, engine, progress))]
pub(crate) fn cut_pairs(
    py: Python<'_>,
    network: &Network,
    data: Data<'_>,
    pairs: Option<Vec<[usize; 2]>>,
    count: usize,
    directions: usize,
    seed: u64,
    steps: usize,
    exact: bool,
    max_pieces: usize,
    connect: bool,
    out: Option<PathBuf>,
    force: bool,
    engine: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Cut> {
    let engine = engine::named(py, engine)?;
    let items = data.take(py)?;
    let listed = |pairs: Vec<[usize; 2]>| {
        let pairs = pairs.into_iter().map(|pair| pair.map(ListedItem::Index));
        Pairs::Listed(pairs.collect())
    };
    let drawn = Pairs::Drawn {
        count,
        directions,
        seed,
    };
    let asked = LinesJob {
        pairs: pairs.map_or(drawn, listed),
        data: items.line_data(),
        model: source_of(network),
        steps,
        exact: exactness(exact),
        max_pieces,
        connect,
    };
    let watch = Watch::new(progress);
    let (found, classes) = watch.run(py, network.asks_callable(), &[], || {
        let job = match items {
            Items::Place(_) => asked.load(&watch)?,
            Items::Held(data) => asked.load_of(network.loaded(), data, &watch)?,
        };
        // Exact lines are cut on the CPU, whatever the engine.
        let engine = job.is_sampled().then_some(engine.as_ref());
        let found = match &out {
            Some(out) => lines(&job, engine, (out, existing(force)), &[], &watch),
            None => cut_lines(&job, engine, &watch),
        }?;
        Ok::<_, RunError>((found, job.class_names))
    })?;
    Ok(cut(&found, classes, watch.notes()))
}

/// What a finished run of lines in a folder came to.
#[pyfunction]
pub(crate) fn read_lines(py: Python<'_>, path: PathBuf) -> PyResult<Cut> {
    let read = || -> Result<Cut, RunError> {
        let folder = RunFolder::open(path)?;
        let classes = folder.manifest()["model"]["classes"].clone();
        let classes = serde_json::from_value(classes).unwrap_or_default();
        Ok(cut(&folder.lines()?, classes, Vec::new()))
    };
    py.detach(read).map_err(|error| exception(py, &error, &[]))
}

fn cut(found: &Lines, classes: Vec<String>, notes: Vec<String>) -> Cut {
    let row = |line: &Value| -> Map<String, Value> {
        let row = line_row(line).into_iter();
        row.map(|(key, value)| (key.to_owned(), value)).collect()
    };
    let rows: Vec<Map<String, Value>> = found.sections.iter().map(row).collect();
    (
        json!(found.sections).to_string(),
        json!(rows).to_string(),
        found.missed,
        found.findings.clone(),
        classes,
        notes,
    )
}

/// Pairs of two different ones of at least two items, as [`cut_pairs`] draws them.
#[pyfunction]
pub(crate) fn draw_pairs(
    items: usize,
    count: usize,
    directions: usize,
    seed: u64,
) -> Vec<[usize; 2]> {
    match items {
        0 | 1 => Vec::new(),
        _ => drawn_pairs(items, count, directions, seed),
    }
}

fn exactness(exact: bool) -> Exactness {
    match exact {
        true => Exactness::Auto,
        false => Exactness::Off,
    }
}
