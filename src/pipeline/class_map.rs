//! The class map beside a sampled plane or triangle: laid like its points, cut by the network.

use super::PipelineError;
use super::flat::{FlatJob, FlatSettings};
use crate::model::Model;
use crate::sections::{
    ClassMap, Exactness, ItemPlane, MapOptions, SectionError, SectionNetwork, Space, SpaceKind,
    class_map,
};
use rayon::prelude::*;
use std::ops::ControlFlow;

/// The network that cuts planes and triangles, or why there is none, in words.
pub type MapNetwork = Result<SectionNetwork, String>;

impl FlatSettings {
    /// The network that makes the class maps of these planes or triangles.
    pub fn map_network(&self, model: &Model, kind: SpaceKind) -> MapNetwork {
        match (self.exact, self.clipped) {
            (Exactness::Off, _) => Err("an exact map was not asked for".to_owned()),
            (Exactness::Auto, true) => Err("clipped points are not affine".to_owned()),
            (Exactness::Auto, false) => {
                SectionNetwork::new(model, kind).map_err(|error| error.to_string())
            }
        }
    }
}

/// The class map of the plane or triangle of a job, beside `steps` points a side of it.
///
/// # Errors
/// [`PipelineError::Flat`] where items span no plane, a value is not finite, or a result contradicts
/// itself.
pub fn flat_class_map(
    network: &MapNetwork,
    space: &Space,
    settings: &FlatSettings,
    steps: usize,
    job: &FlatJob<'_>,
) -> Result<ClassMap, PipelineError> {
    let network = match network {
        Ok(network) => network,
        Err(reason) => return Ok(ClassMap::sampled(steps, reason.clone())),
    };
    let items = job.items.map(|item| space.point(item));
    let items = items.each_ref().map(Vec::as_slice);
    let refused = |source| PipelineError::Flat {
        items: job.name.clone(),
        source,
    };
    let plane = match ItemPlane::new(items, settings.range) {
        Err(SectionError::OnALine) => {
            let reason = "the triangle has no area".to_owned();
            return Ok(ClassMap::sampled(steps, reason));
        }
        plane => plane.map_err(refused)?,
    };
    let options = MapOptions {
        steps,
        max_regions: settings.max_regions,
    };
    class_map(network, items, &plane, settings.shape, &options).map_err(refused)
}

/// The class maps of many jobs. `progress` may stop the work between two; it is told that nothing is
/// done, since the points of a landscape are what it counts.
///
/// # Errors
/// As [`flat_class_map`], and [`PipelineError::Interrupted`].
pub fn flat_class_maps(
    network: &MapNetwork,
    space: &Space,
    settings: &FlatSettings,
    (steps, jobs): (usize, &[FlatJob<'_>]),
    progress: &(dyn Fn(usize) -> ControlFlow<()> + Sync),
) -> Result<Vec<ClassMap>, PipelineError> {
    let map = |job| match progress(0) {
        ControlFlow::Break(()) => Err(PipelineError::Interrupted),
        ControlFlow::Continue(()) => flat_class_map(network, space, settings, steps, job),
    };
    jobs.par_iter().map(map).collect()
}
