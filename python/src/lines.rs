//! The line between two inputs: its class intervals.

use crate::engine;
use crate::network::{Network, not_contiguous};
use crate::watch::Watch;
use morphscape::ImageSource;
use morphscape::job::{Exactness, LineData, LineJob, LoadedLine};
use morphscape::run::cut_line;
use morphscape::sections::{LineOptions, SectionLabel, SectionNetwork, SpaceKind};
use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;

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
    let asked = LineJob {
        items: ["a".to_owned(), "b".to_owned()],
        // The inputs are here; nothing is looked up.
        data: LineData::Images(ImageSource::default()),
        model: network.source.clone().unwrap_or_default(),
        steps,
        exact: match exact {
            true => Exactness::Auto,
            false => Exactness::Off,
        },
        max_pieces: LineOptions::default().max_pieces,
        connect: false,
    };
    let watch = Watch::new(None);
    let line = watch.run(py, network.asks_callable(), &[], || {
        let loaded = LoadedLine {
            inputs: [from.to_vec(), to.to_vec()],
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
