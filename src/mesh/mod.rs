//! Pure geometry: feature points, their triangulation, and the mesh a morph moves through.
//!
//! ```text
//! grey levels ─ feature_points ─> left points ─ triangulate (or triangulate_as_qhull) ─> triangles
//! grey levels ─ feature_points ─> right points ───────────────────┴─> PairMesh
//! ```
//!
//! Everything here but [`triangulate_as_qhull`] is exact. Feature points are whole pixels found in whole grey levels; the
//! intermediate mesh of an alpha lies on a lattice of `1/scale` pixel on which its vertices
//! are whole numbers too ([`lattice_scale`]). So areas, orientation and the owner of a pixel
//! are decided in integers, the same on every machine, and a fold or a zero area is a fact,
//! not a tolerance. Rejected: floats with an epsilon, where the owner of a pixel on a folded
//! edge, and with it a whole landscape, would depend on the adapter's rounding.

mod delaunay;
mod features;
mod insertion;
mod pair;
mod qhull;

pub use delaunay::triangulate;
pub use features::{FeatureError, FeatureFinder, cell_size_px, feature_points};
pub use pair::{MeshCounts, PairMesh, fixed_alpha, lattice_point, lattice_scale};
pub use qhull::triangulate_as_qhull;

/// A feature point `(x, y)` in whole pixels, y down.
pub type Point = [i32; 2];
