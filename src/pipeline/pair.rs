//! The morph of one pair of images, and of two images' mixes into a third.

use super::answers::upload_rows;
use super::batches::in_batches;
use super::grid::check_image;
use super::{MorphMode, PipelineError};
use crate::data::Image;
use crate::engine::Engine;
use crate::kernels::{FrameJob, PairJob, Recording, Sampling, WarpGeometry, row_stride};
use crate::mesh::{FeatureError, MeshCounts, PairMesh, fixed_alpha, lattice_scale};

/// What to morph and where.
#[derive(Debug, Clone)]
pub struct MorphPlan<'a> {
    /// The image at alpha 0.
    pub left: &'a Image,
    /// The image at alpha 1, of the same shape.
    pub right: &'a Image,
    /// The mesh between them, from [`MorphMode::mesh`] or of your own.
    pub mesh: &'a PairMesh,
    /// Blend weights of the right image, 0..1.
    pub alphas: &'a [f64],
    /// How they are morphed.
    pub mode: MorphMode,
}

impl MorphPlan<'_> {
    fn check(&self) -> Result<(), PipelineError> {
        let shape = self.left.shape();
        for (name, image) in [("left", self.left), ("right", self.right)] {
            check_image(image, shape, || format!("the {name} image"))?;
        }
        if let Some(&alpha) = self
            .alphas
            .iter()
            .find(|alpha| !(0.0..=1.0).contains(*alpha))
        {
            return Err(PipelineError::Alpha { alpha });
        }
        let [left, right] = [&self.mesh.points_left, &self.mesh.points_right].map(Vec::len);
        let mut corners = self.mesh.triangles.iter().flatten();
        match left == right && corners.all(|&corner| (corner as usize) < left) {
            true => Ok(()),
            false => Err(PipelineError::Mesh { left, right }),
        }
    }
}

/// A finished morph.
#[derive(Debug, Clone)]
pub struct Morph {
    /// One frame an alpha; at 0 and 1 the images themselves. In published mode a frame may have
    /// failed ([`Image::is_failed`]).
    pub frames: Vec<Image>,
    /// What its meshes were like, over the alphas strictly between 0 and 1.
    pub counts: MeshCounts,
}

/// The mesh of a pair in clean mode: the feature points of both images, the Delaunay triangles of
/// the left's. [`MorphMode::mesh`] has the others.
///
/// # Errors
/// [`FeatureError`] when the grid does not fit the images.
pub fn pair_mesh(left: &Image, right: &Image, grid: usize) -> Result<PairMesh, FeatureError> {
    MorphMode::Clean(Sampling::Cubic).mesh(left, right, grid)
}

/// Morphs a pair. Frames lie between the images by both shape and level.
///
/// # Errors
/// [`PipelineError`] when the images' shapes differ, the mesh is none of theirs, an alpha lies
/// outside 0..1, or the engine fails.
pub fn morph_pair(engine: &dyn Engine, plan: &MorphPlan<'_>) -> Result<Morph, PipelineError> {
    plan.check()?;
    let inner: Vec<f64> = plan
        .alphas
        .iter()
        .copied()
        .filter(|&alpha| alpha > 0.0 && alpha < 1.0)
        .collect();
    let scale = lattice_scale(plan.left.width_px, plan.left.height_px, &inner);
    let warped = match plan.mode {
        MorphMode::Clean(sampling) => warp_pair(engine, plan, &inner, scale, sampling)?,
        mode => mode
            .host_frames([plan.left, plan.right], plan.mesh, &inner)
            .expect("a mode other than clean makes its frames on the host"),
    };
    let failed = warped.iter().filter(|frame| frame.is_failed()).count() as u64;
    let mut warped = warped.into_iter();
    let frames = plan
        .alphas
        .iter()
        .map(|&alpha| {
            if alpha <= 0.0 {
                plan.left.clone()
            } else if alpha >= 1.0 {
                plan.right.clone()
            } else {
                warped
                    .next()
                    .expect("one warped frame for each inner alpha")
            }
        })
        .collect();
    let alphas: Vec<i32> = inner.iter().map(|&alpha| fixed_alpha(alpha)).collect();
    let mut counts = plan.mesh.counts(&alphas, scale);
    counts.failed = failed;
    counts.stand_in = plan.mode.count_stand_in(plan.mesh);
    Ok(Morph { frames, counts })
}

/// The clean frames at the `inner` alphas.
fn warp_pair(
    engine: &dyn Engine,
    plan: &MorphPlan<'_>,
    inner: &[f64],
    scale: i32,
    sampling: Sampling,
) -> Result<Vec<Image>, PipelineError> {
    let shape = plan.left.shape();
    let frame_values = shape.iter().product();
    let stride = row_stride(frame_values);
    let batch_frames = (engine.batch_buffer_bytes() / (4 * stride)).max(1);
    let jobs: Vec<FrameJob> = inner.iter().map(|&alpha| FrameJob::new(0, alpha)).collect();
    let mut warped = Vec::with_capacity(jobs.len());
    in_batches(engine, jobs.len(), batch_frames, |engine, batch| {
        let mut recording = Recording::new();
        let rows = [plan.left.levels.as_slice(), &plan.right.levels];
        let images = upload_rows(
            &mut recording,
            "morph.images",
            rows.into_iter(),
            frame_values,
        );
        let geometry = WarpGeometry {
            shape,
            scale,
            sampling,
        };
        let frames = recording.warp(
            images,
            2,
            &geometry,
            &[PairJob {
                left: 0,
                right: 1,
                mesh: plan.mesh,
            }],
            &jobs[batch],
        );
        recording.download(frames);
        let downloads = engine.run(&recording)?;
        warped.extend(
            downloads
                .values(frames)
                .chunks_exact(stride)
                .map(|row| Image {
                    levels: row[..frame_values].to_vec(),
                    ..*plan.left
                }),
        );
        Ok(())
    })?;
    Ok(warped)
}
