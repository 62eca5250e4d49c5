//! One landscape: its values as numpy arrays, its figures, its file.

use crate::error::{InputError, exception};
use crate::network::not_contiguous;
use morphscape::landscape::{COLUMNS, GridKind, Items, Landscape, Measures};
use morphscape::plot::{
    Camera, FigureOptions, FigureSet, MapOverlay, Marks, Tiles, decision_map, grid_sheet,
    landscape_figures, landscape_line, mesh_strips, path_strips, plotly_figure, surface_plot,
};
use morphscape::run::{MapRecord, SummaryRow};
use morphscape::sections::ClassMap;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArray3, PyArrayMethods, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use serde_json::json;
use std::path::PathBuf;

/// The figures of a landscape by name.
const KINDS: [&str; 8] = [
    "map", "line", "surface", "ternary", "scatter", "paths", "sheet", "mesh",
];

/// The file of a landscape in a run.
const LANDSCAPE_FILE: &str = "landscape.safetensors";

/// A landscape with its names.
#[pyclass(frozen, module = "morphscape._morphscape")]
pub(crate) struct LandscapeFile {
    /// Everything but the inputs.
    file: morphscape::LandscapeFile,
    /// The inputs where they were kept, which are shown as they lie: `[steps * steps * values]`.
    inputs: Option<Py<PyArray1<f32>>>,
    measures: Measures,
    /// Of a plane or triangle.
    map: Option<MapRecord>,
}

impl LandscapeFile {
    /// Takes over a landscape that was computed or read.
    pub(crate) fn new(
        py: Python<'_>,
        mut file: morphscape::LandscapeFile,
        measures: Measures,
    ) -> Self {
        let inputs = file.landscape.inputs.take();
        Self {
            file,
            inputs: inputs.map(|values| values.into_pyarray(py).unbind()),
            measures,
            map: None,
        }
    }

    /// With its class map, whose lengths are in `unit`.
    pub(crate) fn with_map(self, map: &ClassMap, kind: GridKind, unit: &str) -> Self {
        let record = MapRecord::new(map, &self.file.about, kind, Some(unit));
        self.with_record(Some(record))
    }

    /// The same with what is kept of a class map.
    pub(crate) fn with_record(self, map: Option<MapRecord>) -> Self {
        Self { map, ..self }
    }

    /// What lies over its map.
    pub(crate) fn overlay(&self) -> Option<MapOverlay> {
        self.map.as_ref().map(MapRecord::overlay)
    }

    /// What was measured on it.
    pub(crate) fn measured(&self) -> &Measures {
        &self.measures
    }

    /// With the inputs in it, for figures and files.
    pub(crate) fn whole(&self, py: Python<'_>) -> PyResult<morphscape::LandscapeFile> {
        let inputs = match &self.inputs {
            Some(inputs) => Some(inputs.bind(py).to_vec()?),
            None => None,
        };
        Ok(morphscape::LandscapeFile {
            landscape: Landscape {
                inputs,
                ..self.file.landscape.clone()
            },
            about: self.file.about.clone(),
        })
    }
}

/// A row of `summary.csv`: numbers are numbers, and what could not be measured is None.
pub(crate) fn row_of<'py>(py: Python<'py>, row: &SummaryRow) -> PyResult<Bound<'py, PyDict>> {
    let entry = PyDict::new(py);
    entry.set_item("landscape", &row.name)?;
    for (what, names) in [("item", &row.items), ("class", &row.classes)] {
        for (letter, name) in ["a", "b", "c"].iter().zip(names) {
            entry.set_item(format!("{what}_{letter}"), name)?;
        }
    }
    for (column, value) in COLUMNS.iter().zip(row.values()) {
        entry.set_item(column.key, value.filter(|value| !value.is_nan()))?;
    }
    entry.set_item("intruders", row.intruders.join("; "))?;
    entry.set_item("confident_intruders", row.confident_intruders.join("; "))?;
    if let Some(counts) = row.counts {
        entry.set_item("folded", counts.folded)?;
        entry.set_item("degenerate", counts.degenerate)?;
        entry.set_item("folded_right", counts.folded_right)?;
        entry.set_item("degenerate_right", counts.degenerate_right)?;
        entry.set_item("failed", counts.failed)?;
    }
    Ok(entry)
}

/// Places of items, axes, unit.
type Flat = ([[f64; 2]; 3], [Vec<f64>; 2], String);

/// What a class map is: what is said of it, and its boundary, segments and their classes.
type MapParts<'py> = (String, Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<u16>>);

/// What pickle calls to have the object again, and its arguments.
type Pickled<'py> = (
    Bound<'py, PyAny>,
    (Bound<'py, PyBytes>, Option<MapParts<'py>>),
);

/// A landscape that was pickled.
#[pyfunction]
pub(crate) fn landscape_from_bytes(
    py: Python<'_>,
    content: &[u8],
    map: Option<(String, PyReadonlyArray2<'_, f64>, PyReadonlyArray2<'_, u16>)>,
) -> PyResult<LandscapeFile> {
    let (file, measures) = morphscape::LandscapeFile::measured_from_bytes(content)
        .map_err(|error| exception(py, &error, &[]))?;
    let record = |(facts, segments, classes): (
        String,
        PyReadonlyArray2<'_, f64>,
        PyReadonlyArray2<'_, u16>,
    )| {
        let facts = serde_json::from_str(&facts).map_err(|error| {
            InputError::new_err(format!("a pickled landscape, its class map: {error}"))
        })?;
        let segments = segments.as_slice().map_err(not_contiguous)?;
        let classes = classes.as_slice().map_err(not_contiguous)?;
        Ok::<_, PyErr>(MapRecord {
            facts,
            segments: segments.as_chunks().0.to_vec(),
            segment_classes: classes.as_chunks().0.to_vec(),
        })
    };
    let map = map.map(record).transpose()?;
    Ok(LandscapeFile::new(py, file, measures).with_record(map))
}

#[pymethods]
impl LandscapeFile {
    /// Reads a `landscape.safetensors`.
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let read = morphscape::LandscapeFile::read_measured(&path);
        let (file, measures) = read.map_err(|error| {
            let error = exception(py, &error, &[]);
            InputError::new_err(format!("{}: {}", path.display(), error.value(py)))
        })?;
        // Of a run the class map is beside it.
        let map = match (path.parent(), path.file_name()) {
            (Some(folder), Some(name)) if name == LANDSCAPE_FILE => MapRecord::read(folder),
            _ => Ok(None),
        };
        let map = map.map_err(|error| exception(py, &error, &[]))?;
        let is_its_own = |map: &MapRecord| map.facts["items"] == json!(file.about.item_names);
        let map = map.filter(is_its_own);
        Ok(Self::new(py, file, measures).with_record(map))
    }

    /// Writes a `landscape.safetensors`, with the inputs where they were kept.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let file = self.whole(py)?;
        py.detach(|| file.write(&path, &self.measures))
            .map_err(|error| exception(py, &error, &[]))
    }

    /// For pickle: the content of its file, and its class map.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        let from_bytes = py
            .import("morphscape._morphscape")?
            .getattr("landscape_from_bytes")?;
        let content = self.whole(py)?.to_bytes(&self.measures);
        Ok((
            from_bytes,
            (PyBytes::new(py, &content), self.class_map(py)?),
        ))
    }

    /// The class map of a plane or triangle: what `sections.json` says of it, in JSON, and its
    /// boundary, segments `[n, 4]` and their classes `[n, 2]`.
    fn class_map<'py>(&self, py: Python<'py>) -> PyResult<Option<MapParts<'py>>> {
        let Some(map) = &self.map else {
            return Ok(None);
        };
        let segments = PyArray1::from_slice(py, map.segments.as_flattened());
        let classes = PyArray1::from_slice(py, map.segment_classes.as_flattened());
        Ok(Some((
            map.facts.to_string(),
            segments.reshape([map.segments.len(), 4])?,
            classes.reshape([map.segment_classes.len(), 2])?,
        )))
    }

    /// The row of `maps.csv` of its class map, in JSON: names and values.
    fn map_row(&self) -> Option<String> {
        self.map.as_ref().map(|map| json!(map.row()).to_string())
    }

    fn logits<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<f32>>> {
        self.answers(py, &self.file.landscape.logits)
    }

    fn probabilities<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray3<f32>>> {
        self.answers(py, &self.file.landscape.probabilities)
    }

    /// The predicted class of every point, row by row; -1 where a frame failed.
    fn predicted<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i32>> {
        let landscape = &self.file.landscape;
        let labels = (0..landscape.num_frames()).map(|k| match landscape.label(k) {
            Some(label) => i32::try_from(label).expect("a file has at most 100,000 classes"),
            None => -1,
        });
        labels.collect::<Vec<_>>().into_pyarray(py)
    }

    /// The inputs where they were kept, one after the other: grey levels, or features.
    fn inputs(&self, py: Python<'_>) -> Option<Py<PyArray1<f32>>> {
        self.inputs.as_ref().map(|inputs| inputs.clone_ref(py))
    }

    /// Its row of `summary.csv`.
    fn row<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let LandscapeFile { file, measures, .. } = self;
        row_of(py, &SummaryRow::new(file, measures.clone()))
    }

    /// Every measure by its key, in the order of `summary.csv`.
    fn measures<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let measures = PyDict::new(py);
        for column in &COLUMNS {
            let value = (column.value)(&self.measures);
            measures.set_item(column.key, value.filter(|value| !value.is_nan()))?;
        }
        Ok(measures)
    }

    /// A figure as SVG.
    fn svg(&self, py: Python<'_>, kind: &str) -> PyResult<String> {
        let file = self.whole(py)?;
        let item = file.about.item_classes[2];
        let drawn = py.detach(|| {
            let tiles = Tiles::of(&file);
            let tiles = tiles.as_ref();
            let overlay = self.overlay();
            match kind {
                "map" => {
                    let marks = Marks::default();
                    Some(decision_map(&file, tiles, overlay.as_ref(), marks, item))
                }
                "line" => Some(landscape_line(&file, &file.predicted_classes())),
                "surface" => Some(surface_plot(
                    &file,
                    &file.surface_classes(),
                    Camera::default(),
                    Marks::default(),
                )),
                "paths" => tiles.map(|tiles| path_strips(&file, tiles)),
                "sheet" => tiles.map(|tiles| grid_sheet(&file, tiles)),
                "mesh" => tiles.and_then(|tiles| mesh_strips(&file, tiles)),
                _ => {
                    landscape_figures(&file, None, None, FigureSet::All, &FigureOptions::default())
                        .into_iter()
                        .find_map(|figure| (figure.name == kind).then_some(figure.svg))
                }
            }
        });
        drawn.ok_or_else(|| {
            InputError::new_err(match (kind, &file.about.items) {
                _ if !KINDS.contains(&kind) => {
                    format!("expected one of {}, found \"{kind}\"", KINDS.join(", "))
                }
                ("paths" | "sheet" | "mesh", Items::Images { .. }) => {
                    format!("the figure \"{kind}\" shows frames, which were not kept; compute with keep_frames=True")
                }
                _ => format!("a landscape of rows has no figure \"{kind}\" of its own"),
            })
        })
    }

    /// The surfaces as a plotly figure, in JSON.
    fn plotly(&self) -> String {
        plotly_figure(&self.file, &self.file.surface_classes()).to_string()
    }

    #[getter]
    fn name(&self) -> &str {
        &self.file.about.name
    }

    #[getter]
    fn steps(&self) -> usize {
        self.file.landscape.steps
    }

    #[getter]
    fn item_names(&self) -> [String; 3] {
        self.file.about.item_names.clone()
    }

    #[getter]
    fn item_classes(&self) -> [usize; 3] {
        self.file.about.item_classes
    }

    #[getter]
    fn class_names(&self) -> Vec<String> {
        self.file.about.class_names.clone()
    }

    #[getter]
    fn model(&self) -> &str {
        &self.file.about.model
    }

    /// What lies between its items: `morph`, `cross-fade`, `rows`, `plane` or `triangle`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.file.landscape.kind.name()
    }

    /// What it is of, in the names of its items' classes.
    #[getter]
    fn title(&self) -> String {
        let kind = self.file.landscape.kind;
        kind.title(self.file.item_class_names())
    }

    /// Of a plane or triangle, the places of A, B and C; of a plane, alpha of each row and beta of
    /// each column; and what lengths are measured in.
    #[getter]
    fn flat(&self) -> Option<Flat> {
        let flat = self.file.landscape.flat.as_ref()?;
        Some((flat.anchors, flat.axes.clone(), flat.unit.clone()))
    }

    /// `[height, width, channels]` of images.
    #[getter]
    fn image_shape(&self) -> Option<[usize; 3]> {
        match self.file.about.items {
            Items::Images { shape } => Some(shape),
            Items::Rows { .. } => None,
        }
    }

    /// Names of the features of rows.
    #[getter]
    fn features(&self) -> Option<Vec<String>> {
        match &self.file.about.items {
            Items::Images { .. } => None,
            Items::Rows { features } => Some(features.clone()),
        }
    }

    /// How its grid was made, in JSON.
    #[getter]
    fn settings(&self) -> String {
        serde_json::Value::Object(self.file.about.settings.clone()).to_string()
    }

    /// Classes outside the three that are predicted somewhere, the most frequent first.
    #[getter]
    fn intruders(&self) -> Vec<usize> {
        self.measures.intruders.clone()
    }
}

impl LandscapeFile {
    fn answers<'py>(&self, py: Python<'py>, values: &[f32]) -> PyResult<Bound<'py, PyArray3<f32>>> {
        let landscape = &self.file.landscape;
        let shape = [landscape.steps, landscape.steps, landscape.num_classes];
        PyArray1::from_slice(py, values).reshape(shape)
    }
}
