//! How two images become the frames between them.

use super::published::tool_frames;
use crate::data::Image;
use crate::kernels::{Sampling, blend};
use crate::mesh::{
    FeatureError, FeatureFinder, PairMesh, Point, cell_size_px, triangulate, triangulate_as_qhull,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How a pair of images is morphed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", content = "sampling", rename_all = "kebab-case")]
pub enum MorphMode {
    /// Float frames, levels clamped to 0..255, every pixel owned by one triangle; no frame
    /// fails.
    Clean(Sampling),
    /// Frames as the paper's tool makes them: 8 bits a side with wrap-around, uncovered pixels,
    /// and frames that fail where the tool stops with a singular matrix.
    Published,
    /// No warp: `(1-alpha)*left + alpha*right`, pixel by pixel, in floats.
    CrossFade,
}

impl MorphMode {
    /// As plans and files have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clean(_) => "clean",
            Self::Published => "published",
            Self::CrossFade => "cross-fade",
        }
    }

    /// How images are sampled; the paper's tool has one way, and a cross-fade none to choose.
    pub fn sampling(self) -> Sampling {
        match self {
            Self::Clean(sampling) => sampling,
            Self::Published | Self::CrossFade => Sampling::Cubic,
        }
    }

    /// The points of an image that meshes of this mode are made of: feature points on a
    /// `grid x grid` division; the corners alone for a cross-fade, whose mesh stands still.
    pub(super) fn points(
        self,
        finder: &mut FeatureFinder,
        image: &Image,
        grid: usize,
    ) -> Result<Vec<Point>, FeatureError> {
        match self {
            Self::CrossFade => {
                cell_size_px(image.width_px, image.height_px, grid)?;
                let (right, bottom) = (image.width_px as i32 - 1, image.height_px as i32 - 1);
                Ok(vec![[0, 0], [right, 0], [0, bottom], [right, bottom]])
            }
            _ => finder.points(
                &image.whole_grey_levels(),
                image.width_px,
                image.height_px,
                grid,
            ),
        }
    }

    /// The mesh of a pair: the points of both images, the Delaunay triangles of the left's.
    ///
    /// # Errors
    /// [`FeatureError`] when the grid does not fit the images.
    pub fn mesh(self, left: &Image, right: &Image, grid: usize) -> Result<PairMesh, FeatureError> {
        let mut finder = FeatureFinder::default();
        let [left, right] = [left, right].map(|image| self.points(&mut finder, image, grid));
        Ok(self.mesh_of(left?, right?))
    }

    /// The mesh of matching points that a user has set, each pixel once.
    ///
    /// # Panics
    /// When the lists differ in length, or two points of the left one are equal.
    pub fn mesh_of_points(self, points_left: Vec<Point>, points_right: Vec<Point>) -> PairMesh {
        self.mesh_of(points_left, points_right)
    }

    /// The mesh of matching points.
    pub(super) fn mesh_of(self, points_left: Vec<Point>, points_right: Vec<Point>) -> PairMesh {
        let triangles = self.triangles(&points_left);
        PairMesh::with_triangles(points_left, points_right, triangles)
    }

    /// The triangles of a mesh with these left points. Published mode has those of the tool, in
    /// its order, where they are known.
    pub(super) fn triangles(self, points_left: &[Point]) -> Vec<[u32; 3]> {
        self.tool_triangles(points_left)
            .unwrap_or_else(|| triangulate(points_left))
    }

    fn tool_triangles(self, points: &[Point]) -> Option<Vec<[u32; 3]>> {
        match self {
            Self::Published => triangulate_as_qhull(points),
            Self::Clean(_) | Self::CrossFade => None,
        }
    }

    /// 1 where a mesh of published mode cannot have the tool's triangles, which are not known.
    pub(super) fn count_stand_in(self, mesh: &PairMesh) -> u64 {
        u64::from(self == Self::Published && self.tool_triangles(&mesh.points_left).is_none())
    }

    /// The frames at `alphas`, strictly between 0 and 1, of a mode that makes them on the host;
    /// nothing in clean mode, whose frames an engine makes. A frame may have failed; between an
    /// image that has failed and another all have.
    pub(super) fn host_frames(
        self,
        [left, right]: [&Image; 2],
        mesh: &PairMesh,
        alphas: &[f64],
    ) -> Option<Vec<Image>> {
        match self {
            Self::Clean(_) => None,
            _ if left.is_failed() || right.is_failed() => Some(vec![left.failed(); alphas.len()]),
            Self::Published => Some(tool_frames([left, right], mesh, alphas)),
            Self::CrossFade => Some(
                alphas
                    .par_iter()
                    .map(|&alpha| Image {
                        levels: left
                            .levels
                            .iter()
                            .zip(&right.levels)
                            .map(|(&from, &to)| blend(from, to, alpha as f32))
                            .collect(),
                        ..*left
                    })
                    .collect(),
            ),
        }
    }
}
