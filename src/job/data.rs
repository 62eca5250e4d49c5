//! The data of a job of either kind.

use super::error::JobError;
use super::images::LoadedImages;
use super::loaded::LoadedJob;
use super::model::LoadedModel;
use super::observer::Observer;
use super::spec::Job;
use super::tables::LoadedTable;

/// Data that are loaded, or that a host program holds.
#[derive(Debug, Clone)]
pub enum LoadedData {
    /// Images.
    Images(LoadedImages),
    /// Rows of a table.
    Rows(LoadedTable),
}

impl Job {
    /// As [`Job::load_with`], and of data that no file need hold, in the place of the job's.
    ///
    /// # Errors
    /// As [`Job::load`], and where the data are of the other kind.
    pub fn load_of(
        &self,
        model: LoadedModel,
        data: LoadedData,
        observer: &dyn Observer,
    ) -> Result<LoadedJob, JobError> {
        match (self, data) {
            (Self::Sweep(job), LoadedData::Images(data)) => job.load_of(model, data, observer),
            (Self::Interpolate(job), LoadedData::Rows(data)) => job.load_of(model, data, observer),
            (Self::Sweep(_), _) => Err(JobError::unfit("expected images, found rows of a table")),
            (Self::Interpolate(_), _) => {
                Err(JobError::unfit("expected rows of a table, found images"))
            }
        }
    }
}

impl LoadedJob {
    /// Loads another job on the data of this one, wherever they are from.
    ///
    /// # Errors
    /// As [`Job::load_of`].
    #[cfg(feature = "atlas")]
    pub(crate) fn load_beside(
        &self,
        job: &Job,
        model: LoadedModel,
        observer: &dyn Observer,
    ) -> Result<LoadedJob, JobError> {
        let images = self.loaded_images().cloned().map(LoadedData::Images);
        let data = images.or_else(|| self.loaded_table().cloned().map(LoadedData::Rows));
        job.load_of(model, data.expect("images or rows"), observer)
    }
}
