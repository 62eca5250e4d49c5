//! Exact sections: lines and planes through inputs, cut into the pieces on which a
//! piecewise-linear network is affine (SyReNN, Sotoudeh and Thakur 2021; SplineCam, Humayun et al.
//! 2023; planes of dbViz, Somepalli et al. 2022), and what is read off them.
//!
//! ```text
//! Model ─ network ─> SectionNetwork ─┬─ line ──> pieces, class intervals ─> margins, paths
//!                                    ├─ region ─> a small network of one box ─ mesh ─> cells, faces
//!                                    └─ bounds ─> class certain on tiles, brackets on lines
//! points ─ plane ─> planes, triangles, lines, grids          draws: dbViz's triples by seed
//! class_map: the best that there is of a box or triangle, with its label and certificate
//! ```
//!
//! All of it runs in 64-bit floats on the CPU: in 32 bits a line of a convolutional network gains
//! up to a dozen pieces that are not there, and WGSL has no wider floats. The room stands below
//! `pipeline`, which lays its planes: it takes the layers of `model` and the regions of `landscape`,
//! which do not know of each other, and needs no engine. Functions are pure: slices in, owned values out; files, figures
//! and options are for the rooms above.
//!
//! Lengths are in units of the [`Space`]; [`Space::unit`] names it.
//!
//! # Example
//!
//! The class intervals between two images of the bundled test set:
//!
//! ```
//! use morphscape::sections::{LineOptions, SectionNetwork, SpaceKind, certify_line, exact_line};
//!
//! let set = morphscape::data::fashion_mnist();
//! let model = morphscape::model::bundled_fashion_mnist();
//! let network = SectionNetwork::new(&model, SpaceKind::Images)?;
//! let [a, b] = [3318, 5187].map(|i| set.image(i).expect("held in memory"));
//! let [a, b] = [a, b].map(|image| network.space().point(&image.levels));
//! let line = exact_line(&network, &a, &b, &LineOptions::default())?;
//! assert_eq!(line.breaks.len(), line.classes.len() + 1);
//! assert_eq!(certify_line(&line, 1001).missed, 0);
//! # Ok::<(), morphscape::sections::SectionError>(())
//! ```

mod arrangement;
mod certificate;
mod certified;
mod class_map;
mod comparison;
mod draws;
mod forward;
mod intervals;
mod line;
mod margins;
mod mesh;
mod network;
mod paths;
mod plane;
mod region;
mod sample;
mod section;
mod smooth;
#[cfg(test)]
mod tests;

pub use certificate::{LineCertificate, PlaneCertificate, certify_line, certify_plane};
pub use certified::{
    BracketOptions, CertifiedLine, CertifiedPlane, Tile, TileOptions, certified_line,
    certified_plane, estimated_regions,
};
pub use class_map::{ClassMap, MapOptions, class_map, floored_percent};
pub use comparison::{ExactComparison, compare_exactly, directed_hausdorff};
pub use draws::dbviz_triple;
pub use intervals::class_intervals;
pub use line::{LineOptions, LineSection, exact_line, exact_lines};
pub use margins::{
    DBVIZ_DIRECTIONS, DBVIZ_HITS, DBVIZ_LEAST_HITS, Margin, dbviz_deltas, dbviz_margin,
    dbviz_mean_margin, margin, margins,
};
pub use network::{SectionNetwork, Space, SpaceKind};
pub use paths::{Connected, Connection, PathOptions, connect, plane_barrier};
pub use plane::{
    BOX_MARGIN, BoxRange, ItemPlane, clip, line_parameters, line_point, mixture, triangle_anchors,
    triangle_weights,
};
pub use sample::{PushedForward, plane_logits, point_logits, push_forward};
pub use section::{Component, Faces, PlaneOptions, PlaneSection, exact_plane};

use serde::{Deserialize, Serialize};

/// Values this close, relative to the largest of their kind and at least 1, are equal.
pub(crate) const EPS: f64 = 1e-13;
/// Break points of a line closer than this, in t, are one, and so is one this close to an end.
pub const TOL_T: f64 = 1e-12;
/// Corners of a plane closer than this, in units of the space, are one.
pub const TOL_XY: f64 = 1e-10;

/// Whether a section is computed exactly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exactness {
    /// Exactly or in certified brackets where the network allows it, else sampled, with a note.
    #[default]
    Auto,
    /// Sampled.
    Off,
}

/// How far a result can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum SectionLabel {
    /// Every piece was enumerated; numbers are right to rounding.
    Exact,
    /// Bounds prove the result but for brackets of this width, or tiles of this share.
    Certified {
        /// Width of the widest bracket, in t; of a plane side of the smallest tile, as a share.
        width: f64,
        /// Share of the line or box on which the class is certain.
        share: f64,
    },
    /// Points were looked at, and nothing is known between them.
    Sampled {
        /// Points, or points a side.
        points: usize,
    },
}

/// Why there is no section.
#[derive(Debug, thiserror::Error)]
pub enum SectionError {
    /// A layer that sections do not know.
    #[error(
        "exact sections do not support {}{reason}; the section can be sampled",
        match layer.as_str() { "" => String::new(), layer => format!("layer {layer}: ") }
    )]
    Unsupported {
        /// The layer; empty where it is the model's answers.
        layer: String,
        /// Why.
        reason: String,
    },
    /// A model of which no layers are known.
    #[error(
        "exact sections need the layers of a model, which are not known: {reason}; the section can be sampled"
    )]
    NoLayers {
        /// Why.
        reason: String,
    },
    /// A smooth network where a piecewise-linear one is needed.
    #[error(
        "the network has smooth activations; expected a piecewise-linear one, or ask for certified brackets"
    )]
    NotPiecewiseLinear,
    /// A value that is not finite.
    #[error("layer {layer} gives a value that is not finite; an exact section needs finite ones")]
    NotFinite {
        /// The layer.
        layer: String,
    },
    /// Points of different length.
    #[error("expected points of {expected} values, found one of {found}")]
    Lengths {
        /// Values of the first point, or of the network's input.
        expected: usize,
        /// Values of another.
        found: usize,
    },
    /// Two inputs that are one.
    #[error("items {} and {} are one point; expected two different ones", items[0] + 1, items[1] + 1)]
    SamePoint {
        /// Their places in the arguments.
        items: [usize; 2],
    },
    /// Three inputs that span no plane.
    #[error("the three items lie on a line; expected three that span a plane")]
    OnALine,
    /// A range without width.
    #[error("expected a range of two finite numbers, the first below the second, found {} to {}", range[0], range[1])]
    Range {
        /// The range.
        range: [f64; 2],
    },
    /// Too few labels to draw three.
    #[error("expected items of 3 classes or more, found {found}")]
    TooFewLabels {
        /// Different labels.
        found: usize,
    },
    /// More pieces than allowed.
    #[error("the line has more than {limit} pieces; allow more, or sample it")]
    TooManyPieces {
        /// The limit.
        limit: usize,
    },
    /// More cells or faces than allowed.
    #[error(
        "the plane has more than {limit} regions, or their values take more than 2 GiB; allow more, take a smaller box, or ask for the certified class map"
    )]
    TooManyRegions {
        /// The limit.
        limit: usize,
    },
    /// A place outside the polygon.
    #[error("({}, {}) lies outside the polygon; expected a place in it", place[0], place[1])]
    Outside {
        /// The place.
        place: [f64; 2],
    },
    /// A polygon that is not convex and counter-clockwise.
    #[error("expected a convex polygon of at least 3 corners, counter-clockwise")]
    Polygon,
    /// A result that contradicts itself.
    #[error(
        "self-check failed: {what}: found {found:e}, expected at most {allowed:e}; please report this with the model and the items"
    )]
    SelfCheck {
        /// What was checked.
        what: &'static str,
        /// The deviation.
        found: f64,
        /// The largest that is allowed.
        allowed: f64,
    },
}
