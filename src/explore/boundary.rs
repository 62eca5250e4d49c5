//! The exact boundary over a view's map.
//!
//! Every point of a cross-fade, of a grid of rows, of a plane and of a triangle lies in the plane
//! through A, B and C. So the exact section of the triangle, or of the plane's box (`sections`), whose
//! boundary is straight, is drawn on the map:
//!
//! ```text
//! plane      shares of the box along alpha and beta
//! triangle   weights of B and of C
//! mixes      weights (1-t)(1-s), (1-t)s, t of A, B and C, so t = c and s = b / (a + b)
//! ```
//!
//! On a map of mixes straight segments bend, so each is cut into pieces. A morph leaves the plane and
//! has no such boundary.

use super::error::ExploreError;
use super::subject::Subject;
use super::view::View;
use crate::landscape::FlatShape;
use crate::pipeline::MorphMode;
use crate::sections::{BOX_MARGIN, BoxRange, ItemPlane, PlaneOptions, SectionError, exact_plane};
use serde_json::{Value, json};

/// More regions than this are not drawn: finding them cannot be interrupted.
const MAX_REGIONS: usize = 50_000;
/// A segment is cut into pieces of at most this share of the triangle's longest side.
const PIECE: f64 = 0.02;
/// Nearer to C than this, as a weight, all s are one point.
const NEAR_C: f64 = 1e-9;

impl Subject {
    /// Pieces of the boundary, `[down, across, down, across]` each in shares of the way from the
    /// first to the last point of the map, one after another; of a line its class intervals.
    pub(super) fn boundary(&self, view: &View) -> Result<Value, ExploreError> {
        view.check()?;
        if view.line.is_some() {
            return self.intervals(&self.picked(view)?, view.morph.steps);
        }
        let shape = view.flat.map(|flat| flat.shape);
        if shape.is_none() && !self.has_rows() && view.morph.mode != MorphMode::CrossFade {
            return Err(ExploreError::refused(
                "a morph does not lie in a plane; choose cross-fade, plane or triangle to see the exact boundary",
            ));
        }
        if view.flat.is_some_and(|flat| flat.clipped) {
            return Err(ExploreError::refused(
                "clipped points do not lie in a plane; leave the clipping out to see the exact boundary",
            ));
        }
        let network = self.network()?;
        let picked = self.picked(view)?;
        let points = (picked.each_ref()).map(|item| network.space().point(item.input.values()));
        let margins = view
            .flat
            .map_or(BoxRange::from([BOX_MARGIN; 2]), |flat| flat.range);
        let plane = ItemPlane::new(points.each_ref().map(Vec::as_slice), margins)?;
        let polygon = match shape {
            Some(FlatShape::Plane) => plane.corners(),
            _ => plane.anchors.to_vec(),
        };
        let options = PlaneOptions {
            max_regions: MAX_REGIONS,
        };
        let section = exact_plane(network, &plane, &polygon, &options).map_err(|error| match error {
            SectionError::TooManyRegions { limit } => ExploreError::refused(format!(
                "this map has more than {limit} regions; zoom a plane in, or take items nearer to each other"
            )),
            error => error.into(),
        })?;
        let longest = (plane.hi[0] - plane.lo[0]).max(plane.hi[1] - plane.lo[1]);
        let mut pieces: Vec<f32> = Vec::new();
        for [x0, y0, x1, y1] in &section.segments {
            let length = (x1 - x0).hypot(y1 - y0);
            let count = match shape {
                Some(_) => 1,
                None => (length / (PIECE * longest)).ceil().max(1.0) as usize,
            };
            let place = |n: usize| {
                let share = n as f64 / count as f64;
                let place = [x0 + share * (x1 - x0), y0 + share * (y1 - y0)];
                on_map(&plane, shape, place)
            };
            for n in 0..count {
                if let (Some(from), Some(to)) = (place(n), place(n + 1)) {
                    pieces.extend([from, to].as_flattened().iter().map(|&x| x as f32));
                }
            }
        }
        Ok(json!({"pieces": pieces, "regions": section.regions}))
    }
}

/// Shares of the map down and across of a place in the plane; nothing where they are many.
fn on_map(plane: &ItemPlane, shape: Option<FlatShape>, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
    let [_, [along, _], [place, height]] = plane.anchors;
    let c = y / height;
    let b = (x - c * place) / along;
    let a = 1.0 - b - c;
    match shape {
        Some(FlatShape::Plane) => {
            let [across, up] = [(x, 0), (y, 1)]
                .map(|(x, axis)| (x - plane.lo[axis]) / (plane.hi[axis] - plane.lo[axis]));
            Some([1.0 - up, across])
        }
        Some(FlatShape::Triangle) => Some([1.0 - c, b]),
        None if a + b > NEAR_C => Some([(b / (a + b)).clamp(0.0, 1.0), c.clamp(0.0, 1.0)]),
        None => None,
    }
}
