//! The frames of a landscape without a classifier, as figures and the morph of one's own images show
//! them: the same grids, prepared and recorded as those that are classified (`grids.rs`).

use super::PipelineError;
use super::batches::in_batches;
use super::grid::{Grid, GridJob, MorphSettings, check_image};
use super::grid_batch::{Batch, Wanted};
use super::mode::MorphMode;
use crate::data::Image;
use crate::engine::Engine;
use crate::mesh::{MeshCounts, PairMesh};
use std::ops::ControlFlow;

/// A grid of frames between three images and the meshes it went through.
#[derive(Debug, Clone)]
pub struct MorphGrid {
    /// `steps * steps` frames: row i leads mix i of A and B into C. One that failed is NaN.
    pub frames: Vec<Image>,
    /// The mesh from A to B.
    pub mesh: PairMesh,
    /// The mesh from each mix into C; that of a blank image where the mix has failed.
    pub row_meshes: Vec<PairMesh>,
    /// What all meshes were like.
    pub counts: MeshCounts,
}

/// Morphs the mixes of A and B into C. `progress` is told the number of frames that have just been
/// finished, and may stop the job.
///
/// # Errors
/// [`PipelineError`] when the images' shapes differ, the settings do not fit them, the engine fails,
/// or `progress` says [`ControlFlow::Break`].
pub fn morph_grid(
    engine: &dyn Engine,
    job: GridJob<'_>,
    settings: &MorphSettings,
    progress: &dyn Fn(usize) -> ControlFlow<()>,
) -> Result<MorphGrid, PipelineError> {
    let a = job.a;
    for (name, image) in job.images() {
        check_image(image, a.shape(), || format!("image {name}"))?;
    }
    let grid = Grid::new(settings, a.shape())?;
    let group = grid.prepare(&[job])?;
    let rows_a_batch = engine.batch_buffer_bytes() / grid.row_bytes(grid.frame_bytes());
    let mut levels = vec![0.0; grid.num_points() * grid.frame_values];
    in_batches(engine, grid.steps, rows_a_batch.max(1), |engine, rows| {
        let batch = Batch::new(&grid, &group, rows);
        // In other modes than clean all frames are there.
        let back = match grid.mode {
            MorphMode::Clean(_) => {
                let recorded = batch.record(Wanted::Frames);
                let downloads = engine.run(&recorded.recording)?;
                Some((recorded, downloads))
            }
            _ => None,
        };
        let back = back
            .as_ref()
            .map(|(recorded, downloads)| (recorded, downloads));
        for (input, points) in batch.inputs(back) {
            points.put(input, &mut levels);
        }
        match progress(batch.num_points()) {
            ControlFlow::Break(()) => Err(PipelineError::Interrupted),
            ControlFlow::Continue(()) => Ok(()),
        }
    })?;
    let prepared = &group[0];
    let mut counts = prepared.counts;
    for row in &prepared.rows {
        counts += row.counts;
    }
    let frames = levels.chunks_exact(grid.frame_values).map(|levels| Image {
        levels: levels.to_vec(),
        ..*a
    });
    Ok(MorphGrid {
        frames: frames.collect(),
        mesh: prepared.mesh.clone(),
        row_meshes: prepared.rows.iter().map(|row| row.mesh.clone()).collect(),
        counts,
    })
}
