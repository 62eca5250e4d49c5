//! The items of a job: arrays in memory, or a place that the library reads.

use crate::error::exception;
use crate::network::{Network, not_contiguous};
use morphscape::data::{ImageSet, Table};
use morphscape::job::{JobError, LoadedImages, LoadedTable};
use morphscape::{
    Groups, ImageSource, InterpolateJob, LoadedJob, ModelSource, Observer, SweepJob, TableSource,
    Triples,
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
pub(crate) enum Items {
    Place(String),
    Images(LoadedImages),
    Rows(LoadedTable),
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
                Ok(Items::Images(LoadedImages::new(set, IN_MEMORY)))
            }
            Self::Rows((rows, labels, classes, features)) => {
                let values = rows.as_slice().map_err(not_contiguous)?.to_vec();
                let table = Table::from_rows("items", features, values, labels, classes);
                let table = table.map_err(|error| exception(py, &error, &[]))?;
                Ok(Items::Rows(LoadedTable::new(table, IN_MEMORY)))
            }
        }
    }
}

fn shape(shape: &[usize]) -> [usize; 4] {
    shape.try_into().expect("four dimensions")
}

impl Items {
    /// The job of `sweep` on images, or the like job on rows, loaded.
    pub(crate) fn load(
        self,
        network: &Network,
        sweep: SweepJob,
        observer: &dyn Observer,
    ) -> Result<LoadedJob, JobError> {
        let model = network.loaded();
        match self {
            Self::Place(place) => {
                let data = ImageSource::from(place);
                let images = data.load()?;
                SweepJob { data, ..sweep }.load_of(model, images, observer)
            }
            Self::Images(images) => {
                let data = ImageSource::from(IN_MEMORY);
                SweepJob { data, ..sweep }.load_of(model, images, observer)
            }
            Self::Rows(rows) => {
                let job = InterpolateJob {
                    model: sweep.model,
                    data: TableSource::from(IN_MEMORY),
                    triples: sweep.triples,
                    per_class: Some(0),
                    steps: sweep.morph.steps,
                    flat: sweep.flat,
                };
                job.load_of(model, rows, observer)
            }
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
