//! The faces of a cut polygon, and which of them the points of a grid lie in.

use super::super::TOL_XY;
use super::PlaneSection;
use serde::Serialize;

/// Convex faces of one class, corners counter-clockwise in plane coordinates.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Faces {
    /// Corners of all faces, `[n, 2]`.
    pub xy: Vec<[f64; 2]>,
    /// Face `k` has the corners `xy[ends[k]..ends[k + 1]]`, `[faces + 1]`.
    pub ends: Vec<u32>,
    /// Class of each face.
    pub class: Vec<u16>,
    /// Number of the cell each face lies in.
    pub region: Vec<u32>,
    /// Number of the component each face belongs to, place in [`PlaneSection::components`].
    pub component: Vec<u32>,
}

impl Faces {
    /// Number of faces.
    pub fn len(&self) -> usize {
        self.class.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.class.is_empty()
    }

    /// Corners of face `k`.
    ///
    /// # Panics
    /// When `k` is not below [`Faces::len`].
    pub fn corners(&self, k: usize) -> &[[f64; 2]] {
        &self.xy[self.ends[k] as usize..self.ends[k + 1] as usize]
    }
}

impl PlaneSection {
    /// The face of each point of a grid `alpha x beta`, index `[i, j]`, of faces that touch the last
    /// one; nothing outside the polygon.
    pub fn faces_on_grid(&self, alpha: &[f64], beta: &[f64]) -> Vec<Option<u32>> {
        let mut found = vec![None; alpha.len() * beta.len()];
        let within = |axis: &[f64], [lo, hi]: [f64; 2]| {
            let from = axis.partition_point(|&x| x < lo - ON_EDGE);
            from..axis.partition_point(|&x| x < hi + ON_EDGE)
        };
        for k in 0..self.faces.len() {
            let corners = self.faces.corners(k);
            let ends = [0, 1].map(|axis| {
                let of = || corners.iter().map(|p| p[axis]);
                [
                    of().fold(f64::INFINITY, f64::min),
                    of().fold(f64::NEG_INFINITY, f64::max),
                ]
            });
            for i in within(alpha, ends[0]) {
                for j in within(beta, ends[1]) {
                    let inside = (0..corners.len()).all(|c| {
                        let [p, q] = [corners[c], corners[(c + 1) % corners.len()]];
                        let along = [q[0] - p[0], q[1] - p[1]];
                        along[0] * (beta[j] - p[1]) - along[1] * (alpha[i] - p[0]) >= -ON_EDGE
                    });
                    if inside {
                        found[i * beta.len() + j] = Some(k as u32);
                    }
                }
            }
        }
        found
    }
}

/// A point this close to an edge, in square units of the space, lies on it.
const ON_EDGE: f64 = 1e-12;

const _: () = assert!(TOL_XY > ON_EDGE, "points on an edge belong to a face");
