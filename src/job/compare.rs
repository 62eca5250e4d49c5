//! The comparison of modes, as plain data.

use super::error::JobError;
use super::images::ImageSource;
use super::loaded::LoadedJob;
use super::model::ModelSource;
use super::observer::Observer;
use super::spec::SweepJob;
use super::triples::Triples;
use crate::kernels::Sampling;
use crate::pipeline::{MorphMode, MorphSettings};
use crate::remedy::Setting;
use serde::{Deserialize, Serialize};

/// The same triples in published mode, in clean mode, and cross-faded: how much of a landscape's
/// roughness is the morph tool's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CompareJob {
    /// Which classifier.
    pub model: ModelSource,
    /// Which images.
    pub data: ImageSource,
    /// Which triples of them.
    #[serde(rename = "choice")]
    pub triples: Triples,
    /// Points a side of a grid, at least 3.
    pub steps: usize,
    /// Feature cells a side.
    pub grid: usize,
    /// Seed of the intervals' resamples.
    pub resample_seed: u64,
}

impl Default for CompareJob {
    fn default() -> Self {
        Self {
            model: ModelSource::default(),
            data: ImageSource::default(),
            triples: Triples::default(),
            steps: 21,
            grid: 3,
            resample_seed: 1,
        }
    }
}

impl CompareJob {
    /// Loads the images and triples that are compared, as a sweep in clean mode.
    ///
    /// # Errors
    /// As [`super::Job::load`].
    pub fn load(&self, observer: &dyn Observer) -> Result<LoadedJob, JobError> {
        if self.steps < 3 {
            return Err(JobError::setting(
                Setting::Steps,
                self.steps,
                JobError::unfit("expected at least 3, as a path of fewer points has no curvature"),
            ));
        }
        let sweep = SweepJob {
            model: self.model.clone(),
            data: self.data.clone(),
            triples: self.triples.clone(),
            morph: MorphSettings::new(self.steps, self.grid, MorphMode::Clean(Sampling::Cubic)),
            flat: None,
        };
        sweep.load(observer)
    }
}
