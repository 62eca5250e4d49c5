//! Jobs that write a folder, and finished runs.

use crate::engine;
use crate::error::{InputError, exception};
use crate::grids::morph_mode;
use crate::landscape::LandscapeFile;
use crate::network::{Network, not_contiguous};
use crate::watch::Watch;
use morphscape::data::ImageSet;
use morphscape::job::LoadedImages;
use morphscape::landscape::{COLUMNS, measure_triple, triple_of};
use morphscape::pipeline::MorphSettings;
use morphscape::run::{FigurePlan, Redraw};
use morphscape::{
    Existing, Groups, ImageSource, Job, Keep, ModelSource, Run, RunError, SweepJob, Triples,
};
use numpy::{PyReadonlyArray4, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

/// Arrays of images: grey levels `[n, H, W, C]`, labels, and names of the classes.
type Arrays<'py> = (Levels<'py>, Vec<usize>, Option<Vec<String>>);

/// Grey levels as they come.
#[derive(FromPyObject)]
pub(crate) enum Levels<'py> {
    Bytes(PyReadonlyArray4<'py, u8>),
    Floats(PyReadonlyArray4<'py, f32>),
}

/// Where the images of a run are.
#[derive(FromPyObject)]
pub(crate) enum Data<'py> {
    Place(String),
    Arrays(Arrays<'py>),
}

impl Levels<'_> {
    fn set(&self, labels: Vec<usize>, classes: Option<Vec<String>>) -> PyResult<ImageSet> {
        let set = match self {
            Self::Bytes(array) => ImageSet::from_bytes(
                "items",
                shape(array.shape()),
                array.as_slice().map_err(not_contiguous)?.to_vec(),
                labels,
                classes,
            ),
            Self::Floats(array) => ImageSet::from_levels(
                "items",
                shape(array.shape()),
                array.as_slice().map_err(not_contiguous)?.to_vec(),
                labels,
                classes,
            ),
        };
        set.map_err(|error| InputError::new_err(error.to_string()))
    }
}

fn shape(shape: &[usize]) -> [usize; 4] {
    shape.try_into().expect("four dimensions")
}

/// Runs the image job into a folder, as `morphscape sweep` does, and gives what it noted.
#[pyfunction]
#[pyo3(signature = (network, data, *, groups, classes, seed, steps, grid, mode, sampling, out, force, keep_frames, report, engine, progress))]
pub(crate) fn run_sweep(
    py: Python<'_>,
    network: &Network,
    data: Data<'_>,
    groups: Option<usize>,
    classes: Vec<String>,
    seed: u64,
    steps: usize,
    grid: usize,
    mode: &str,
    sampling: &str,
    out: PathBuf,
    force: bool,
    keep_frames: bool,
    report: bool,
    engine: &str,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<String>> {
    let mode = morph_mode(mode, sampling)?;
    let engine = engine::named(py, engine)?;
    let place = match &data {
        Data::Place(place) => place.clone(),
        Data::Arrays(_) => "an array in Python".to_owned(),
    };
    let arrays = match data {
        Data::Place(_) => None,
        Data::Arrays((levels, labels, names)) => {
            Some(LoadedImages::new(levels.set(labels, names)?, &place))
        }
    };
    let job = SweepJob {
        // No file of this name: whoever checks the run is told that the model is not there.
        model: network
            .source
            .clone()
            .unwrap_or_else(|| ModelSource::from(format!("callable: {}", network.path))),
        data: ImageSource::from(place),
        triples: Triples::Groups(Groups {
            count: groups,
            classes,
            seed,
        }),
        morph: MorphSettings::new(steps, grid, mode),
        flat: None,
    };
    let keep = match keep_frames {
        true => Keep::TensorsAndFrames,
        false => Keep::Tensors,
    };
    let existing = match force {
        true => Existing::Replace,
        false => Existing::Continue,
    };
    let watch = Watch::new(progress);
    watch.run(py, network.asks_callable(), &[], || {
        let model = network.loaded();
        let job = match arrays {
            Some(images) => job.load_of(model, images, &watch)?,
            None => Job::Sweep(job).load_with(model, &watch)?,
        };
        let mut run = Run::new(&job, engine.as_ref()).keep(keep);
        if report {
            run = run.figures(FigurePlan::default());
        }
        run.write_to(&out, existing, &watch).map(drop)
    })?;
    Ok(watch.notes())
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
            let files = ["1", "2", "3"]
                .iter()
                .map(|number| {
                    self.folder
                        .landscape(&format!("{}.{number}", triple_of(name)))
                })
                .collect::<Result<Vec<_>, _>>()?;
            let measures = measure_triple(
                [0, 1, 2].map(|n| (&files[n].landscape, files[n].about.item_classes)),
            );
            let mut both = files.into_iter().zip(measures);
            Ok(both.find(|(file, _)| file.about.name == name))
        };
        let found = py
            .detach(read)
            .map_err(|error| exception(py, &error, &[]))?;
        match found {
            Some((file, measures)) => Ok(LandscapeFile::new(py, file, measures)),
            None => Err(InputError::new_err(format!(
                "{}: no landscape \"{name}\"",
                self.folder.path().display()
            ))),
        }
    }

    /// The rows of `summary.csv` that are numbers, with names and classes.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let rows = py.detach(|| self.folder.rows());
        let rows = rows.map_err(|error| exception(py, &error, &[]))?;
        rows.iter()
            .map(|row| {
                let entry = PyDict::new(py);
                entry.set_item("landscape", &row.name)?;
                for (letter, (item, class)) in ["a", "b", "c"]
                    .iter()
                    .zip(row.items.iter().zip(&row.classes))
                {
                    entry.set_item(format!("item_{letter}"), item)?;
                    entry.set_item(format!("class_{letter}"), class)?;
                }
                for (column, value) in COLUMNS.iter().zip(row.values()) {
                    entry.set_item(column.key, value.filter(|value| !value.is_nan()))?;
                }
                entry.set_item("intruders", row.intruders.join("; "))?;
                Ok(entry)
            })
            .collect()
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
