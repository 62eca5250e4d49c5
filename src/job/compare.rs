//! The comparison of modes, as plain data.

use super::error::JobError;
use super::images::ImageSource;
use super::loaded::LoadedJob;
use super::model::ModelSource;
use super::observer::Observer;
use super::spec::SweepJob;
use super::triples::Triples;
use crate::defaults::with_defaults;
use crate::kernels::Sampling;
use crate::pipeline::{MorphMode, MorphSettings};
use crate::remedy::Setting;

with_defaults! {
    /// The same triples in published mode, in clean mode, and cross-faded: how much of a landscape's
    /// roughness is the morph tool's.
    #[derive(Debug, Clone, PartialEq)]
    pub struct CompareJob {
        /// Which classifier.
        pub model: ModelSource = ModelSource::default(),
        /// Which images.
        pub data: ImageSource = ImageSource::default(),
        /// Which triples of them.
        #[serde(rename = "choice")]
        pub triples: Triples = Triples::default(),
        /// Points a side of a grid, at least 3.
        pub steps: usize = 21,
        /// Feature cells a side.
        pub grid: usize = 3,
        /// Seed of the intervals' resamples.
        pub resample_seed: u64 = 1,
    }
}

impl CompareJob {
    /// Loads the images and triples that are compared, as a sweep in clean mode.
    ///
    /// # Errors
    /// As [`super::Job::load`].
    pub fn load(&self, observer: &dyn Observer) -> Result<LoadedJob, JobError> {
        self.sweep()?.load(observer)
    }

    /// The sweep in clean mode whose images and triples are compared, for a host program that
    /// holds its model or images ([`SweepJob::load_of`]).
    ///
    /// # Errors
    /// [`JobError`] where paths have too few points.
    pub fn sweep(&self) -> Result<SweepJob, JobError> {
        if self.steps < 3 {
            return Err(JobError::setting(
                Setting::Steps,
                self.steps,
                JobError::unfit("expected at least 3, as a path of fewer points has no curvature"),
            ));
        }
        Ok(SweepJob {
            model: self.model.clone(),
            data: self.data.clone(),
            triples: self.triples.clone(),
            morph: MorphSettings::new(self.steps, self.grid, MorphMode::Clean(Sampling::Cubic)),
            points: None,
            flat: None,
        })
    }
}
