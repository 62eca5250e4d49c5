//! The items of a job: arrays in memory, or a place that the library reads.

use crate::error::{InputError, exception};
use crate::network::{Network, not_contiguous};
use morphscape::data::{ImageSet, PaperTable, Table};
use morphscape::job::{JobError, LineData, LoadedData, LoadedImages, LoadedTable, is_table};
use morphscape::{
    Groups, ImageSource, InterpolateJob, Job, LoadedJob, ModelSource, Observer, SweepJob,
    TableSource, Triples,
};
use numpy::{PyReadonlyArray2, PyReadonlyArray4, PyUntypedArrayMethods};
use pyo3::prelude::*;

/// What messages and manifests call items that are in memory.
const IN_MEMORY: &str = "an array in Python";

/// The items of a job.
#[derive(FromPyObject)]
pub(crate) enum Data<'py> {
    /// Images in files, or the bundled ones.
    Place(String),
    /// Grey levels `[n, H, W, C]`, labels, and names of the classes.
    Images((Levels<'py>, Vec<usize>, Option<Vec<String>>)),
    /// Rows `[n, features]`, labels, names of the classes, and of the features.
    Rows(
        (
            PyReadonlyArray2<'py, f32>,
            Vec<usize>,
            Vec<String>,
            Vec<String>,
        ),
    ),
}

/// Grey levels as they come.
#[derive(FromPyObject)]
pub(crate) enum Levels<'py> {
    Bytes(PyReadonlyArray4<'py, u8>),
    Floats(PyReadonlyArray4<'py, f32>),
}

/// The same, no longer Python's: loaded without the GIL.
#[expect(clippy::large_enum_variant, reason = "there is one of it a call")]
pub(crate) enum Items {
    Place(String),
    Held(LoadedData),
}

impl Data<'_> {
    /// Takes the items out of Python.
    pub(crate) fn take(self, py: Python<'_>) -> PyResult<Items> {
        match self {
            Self::Place(place) => Ok(Items::Place(place)),
            Self::Images((levels, labels, classes)) => {
                let set = match &levels {
                    Levels::Bytes(array) => ImageSet::from_bytes(
                        "items",
                        shape(array.shape()),
                        array.as_slice().map_err(not_contiguous)?.to_vec(),
                        labels,
                        classes,
                    ),
                    Levels::Floats(array) => ImageSet::from_levels(
                        "items",
                        shape(array.shape()),
                        array.as_slice().map_err(not_contiguous)?.to_vec(),
                        labels,
                        classes,
                    ),
                };
                let set = set.map_err(|error| exception(py, &error, &[]))?;
                Ok(Items::Held(LoadedData::Images(LoadedImages::new(
                    set, IN_MEMORY,
                ))))
            }
            Self::Rows((rows, labels, classes, features)) => {
                let values = rows.as_slice().map_err(not_contiguous)?.to_vec();
                let table = Table::from_rows("items", features, values, labels, classes);
                let table = table.map_err(|error| exception(py, &error, &[]))?;
                Ok(Items::Held(LoadedData::Rows(LoadedTable::new(
                    table, IN_MEMORY,
                ))))
            }
        }
    }
}

fn shape(shape: &[usize]) -> [usize; 4] {
    shape.try_into().expect("four dimensions")
}

/// Whether a place stands for rows, not images.
///
/// # Errors
/// [`InputError`] for a table in a file, which would need its columns named.
#[pyfunction]
pub(crate) fn place_has_rows(place: &str) -> PyResult<bool> {
    match (is_table(place), PaperTable::named(place)) {
        (true, None) => Err(InputError::new_err(format!(
            "items: {place} is a table; read it, with pandas for instance, and give its rows and labels",
        ))),
        (is_table, _) => Ok(is_table),
    }
}

impl Items {
    /// The job on these items: of images `sweep`, of rows the like.
    pub(crate) fn job(&self, sweep: SweepJob) -> Job {
        let (place, per_class, of_rows) = match self {
            Self::Place(place) => (place.as_str(), None, is_table(place)),
            Self::Held(data) => (IN_MEMORY, Some(0), matches!(data, LoadedData::Rows(_))),
        };
        match of_rows {
            true => Job::Interpolate(InterpolateJob {
                model: sweep.model,
                data: TableSource::from(place),
                triples: sweep.triples,
                per_class,
                steps: sweep.morph.steps,
                flat: sweep.flat,
            }),
            false => Job::Sweep(SweepJob {
                data: ImageSource::from(place),
                ..sweep
            }),
        }
    }

    /// Where the inputs of lines are looked up.
    pub(crate) fn line_data(&self) -> LineData {
        match self.job(SweepJob::default()) {
            Job::Interpolate(job) => LineData::Rows(job.data),
            Job::Sweep(job) => LineData::Images(job.data),
            _ => unreachable!("a job of Items::job is one of these"),
        }
    }

    /// Its job loaded.
    pub(crate) fn load(
        self,
        network: &Network,
        sweep: SweepJob,
        observer: &dyn Observer,
    ) -> Result<LoadedJob, JobError> {
        let job = self.job(sweep);
        match self {
            Self::Place(_) => job.load(observer),
            Self::Held(data) => job.load_of(network.loaded(), data, observer),
        }
    }
}

/// The groups of a job.
pub(crate) fn groups_of(count: Option<usize>, classes: Vec<String>, seed: u64) -> Triples {
    Triples::Groups(Groups {
        count,
        classes,
        seed,
    })
}

/// What a job says of its model. A callable is no file: whoever checks the run is told that the
/// model is not there.
pub(crate) fn source_of(network: &Network) -> ModelSource {
    let callable = || ModelSource::from(format!("callable: {}", network.path));
    network.source.clone().unwrap_or_else(callable)
}
