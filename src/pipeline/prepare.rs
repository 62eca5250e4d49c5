//! Grids before the engine: mixes and meshes, and in other modes than clean the frames.

use super::answers::upload_rows;
use super::grid::{Grid, GridJob};
use super::{MorphMode, PipelineError};
use crate::data::Image;
use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine, EngineError};
use crate::kernels::{PairJob, Recording, Sampling, row_stride};
use crate::mesh::{FeatureFinder, MeshCounts, PairMesh, Point};
use rayon::prelude::*;
use std::collections::HashSet;

/// A landscape whose meshes are known.
pub(super) struct Prepared<'a> {
    pub(super) target: &'a Image,
    pub(super) rows: Vec<Row>,
    /// The mesh between A and B.
    pub(super) mesh: PairMesh,
    /// Counts of that mesh; the rows' own come on top.
    pub(super) counts: MeshCounts,
}

/// A row of a grid: a mix and the mesh that leads it into C.
pub(super) struct Row {
    pub(super) mix: Image,
    pub(super) mesh: PairMesh,
    pub(super) counts: MeshCounts,
    /// Its inner frames where the host makes them.
    pub(super) frames: Option<Vec<Image>>,
}

impl Row {
    /// Whether frame `j` failed; the last column is C itself.
    pub(super) fn has_failed(&self, j: usize) -> bool {
        match (j, &self.frames) {
            (0, _) => self.mix.is_failed(),
            (_, Some(frames)) => frames.get(j - 1).is_some_and(Image::is_failed),
            (_, None) => false,
        }
    }
}

/// Points of mixes, of which two may have met on their way from A to B: a mesh wants each pixel once,
/// so a mix where that happens has the points of the one before it, and the first those of A.
fn apart(mut mixes: Vec<Vec<Point>>, a: &[Point]) -> Vec<Vec<Point>> {
    let mut before = a.to_vec();
    for mix in &mut mixes {
        let distinct: HashSet<Point> = mix.iter().copied().collect();
        if distinct.len() < mix.len() {
            mix.clone_from(&before);
        }
        before.clone_from(mix);
    }
    mixes
}

impl Grid {
    /// Mixes of A and B, and the mesh of each mix with C.
    pub(super) fn prepare<'j>(
        &self,
        jobs: &[GridJob<'j>],
    ) -> Result<Vec<Prepared<'j>>, PipelineError> {
        // The meshes of A and B first: the mixes of all jobs are then made in one recording.
        let meshes = jobs
            .par_iter()
            .map_init(FeatureFinder::default, |finder, job| {
                if let Some([a, b, _]) = job.points {
                    return Ok(self.mode.mesh_of(a.to_vec(), b.to_vec()));
                }
                let [a, b] = [job.a, job.b].map(|image| self.mode.points(finder, image, self.grid));
                Ok(self.mode.mesh_of(a?, b?))
            })
            .collect::<Result<Vec<_>, PipelineError>>()?;
        let mixes = self.mix(jobs, &meshes)?;
        jobs.par_iter()
            .zip(meshes)
            .zip(mixes)
            .map(|((job, mesh), mixes)| {
                let meshes = self.row_meshes(job, &mesh, &mixes)?;
                let rows = mixes.into_par_iter().zip(meshes).map(|(mix, mesh)| {
                    // Nothing in clean mode, whose frames the engine makes.
                    let frames = self.mode.host_frames([&mix, job.c], &mesh, &self.alphas);
                    let counts = self.counts(&mesh);
                    let mut row = Row {
                        mix,
                        mesh,
                        counts,
                        frames,
                    };
                    row.counts.failed =
                        (0..self.steps).filter(|&j| row.has_failed(j)).count() as u64;
                    row
                });
                Ok(Prepared {
                    target: job.c,
                    rows: rows.collect(),
                    counts: self.counts(&mesh),
                    mesh,
                })
            })
            .collect()
    }

    /// The mesh of each mix with C. The first mix is A and the last is B, whose points `ab` has,
    /// and mixes that follow each other with the same points have the same triangles.
    fn row_meshes(
        &self,
        job: &GridJob<'_>,
        ab: &PairMesh,
        mixes: &[Image],
    ) -> Result<Vec<PairMesh>, PipelineError> {
        let (inner, points_c) = match job.points {
            // Where a user has set them, those of a mix lie between those of A and B.
            Some([a, b, c]) => {
                let mix = |&alpha: &f64| -> Vec<Point> {
                    let between = |from: i32, to: i32| {
                        ((1.0 - alpha) * f64::from(from) + alpha * f64::from(to)).round() as i32
                    };
                    let pairs = a.iter().zip(b);
                    pairs
                        .map(|(a, b)| [0, 1].map(|axis| between(a[axis], b[axis])))
                        .collect()
                };
                (apart(self.alphas.iter().map(mix).collect(), a), c.to_vec())
            }
            // The points of A and B are known from their mesh; only the mixes between are looked
            // through.
            None => {
                let inner = mixes[1..self.steps - 1]
                    .par_iter()
                    .map_init(FeatureFinder::default, |finder, mix| {
                        self.mode.points(finder, mix, self.grid)
                    })
                    .collect::<Result<Vec<_>, _>>()?;
                let finder = &mut FeatureFinder::default();
                (inner, self.mode.points(finder, job.c, self.grid)?)
            }
        };
        let points: Vec<Vec<Point>> = [ab.points_left.clone()]
            .into_iter()
            .chain(inner)
            .chain([ab.points_right.clone()])
            .collect();
        // Triangles of a mix's points, unless the mix before it has the same points.
        let own_triangles: Vec<Option<Vec<[u32; 3]>>> = points
            .par_windows(2)
            .map(|pair| (pair[0] != pair[1]).then(|| self.mode.triangles(&pair[1])))
            .collect();
        // In order, as the last triangles that were made are those of the mixes after it.
        let mut triangles = ab.triangles.clone();
        let meshes = points
            .into_iter()
            .zip([None].into_iter().chain(own_triangles));
        let meshes = meshes.map(|(points, own)| {
            if let Some(own) = own {
                triangles = own;
            }
            PairMesh::with_triangles(points, points_c.clone(), triangles.clone())
        });
        Ok(meshes.collect())
    }

    /// `steps` mixes a job, A and B at the ends.
    fn mix(
        &self,
        jobs: &[GridJob<'_>],
        meshes: &[PairMesh],
    ) -> Result<Vec<Vec<Image>>, EngineError> {
        let inner = match self.mode {
            MorphMode::Clean(sampling) => self.warp_mixes(jobs, meshes, sampling)?,
            mode => jobs
                .par_iter()
                .zip(meshes)
                .map(|(job, mesh)| {
                    mode.host_frames([job.a, job.b], mesh, &self.alphas)
                        .unwrap_or_default()
                })
                .collect(),
        };
        Ok(jobs
            .iter()
            .zip(inner)
            .map(|(job, inner)| {
                [job.a.clone()]
                    .into_iter()
                    .chain(inner)
                    .chain([job.b.clone()])
                    .collect()
            })
            .collect())
    }

    /// The clean mixes of each job without A and B.
    fn warp_mixes(
        &self,
        jobs: &[GridJob<'_>],
        meshes: &[PairMesh],
        sampling: Sampling,
    ) -> Result<Vec<Vec<Image>>, EngineError> {
        let mut recording = Recording::new();
        let ends: Vec<&[f32]> = jobs
            .iter()
            .flat_map(|job| [job.a.levels.as_slice(), &job.b.levels])
            .collect();
        let images = upload_rows(
            &mut recording,
            "mix.images",
            ends.iter().copied(),
            self.frame_values,
        );
        // The images lie pair by pair.
        let pairs: Vec<PairJob<'_>> = meshes
            .iter()
            .enumerate()
            .map(|(n, mesh)| PairJob {
                left: 2 * n,
                right: 2 * n + 1,
                mesh,
            })
            .collect();
        let frames = recording.warp(
            images,
            ends.len(),
            &self.geometry(sampling),
            &pairs,
            &self.frame_jobs(pairs.len()),
        );
        recording.download(frames);
        // On the CPU whatever the engine is: `pipeline/mod.rs` says why.
        let downloads = CpuEngine::new().run(&recording)?;
        let mut warped = downloads
            .values(frames)
            .chunks_exact(row_stride(self.frame_values));
        Ok(jobs
            .iter()
            .map(|job| {
                let inner = warped.by_ref().take(self.inner.len());
                inner
                    .map(|row| Image {
                        levels: row[..self.frame_values].to_vec(),
                        ..*job.a
                    })
                    .collect()
            })
            .collect())
    }

    fn counts(&self, mesh: &PairMesh) -> MeshCounts {
        let alphas: Vec<i32> = self.inner.iter().map(|job| job.mesh_alpha).collect();
        MeshCounts {
            stand_in: self.mode.count_stand_in(mesh),
            ..mesh.counts(&alphas, self.scale)
        }
    }
}
