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
use super::second::of_each;
use super::subject::Subject;
use super::view::View;
use crate::landscape::FlatShape;
use crate::pipeline::MorphMode;
use crate::sections::{
    BOX_MARGIN, BoxRange, ItemPlane, PlaneOptions, SectionError, SectionNetwork, Space, exact_plane,
};
use serde_json::{Value, json};

/// More regions than this are not drawn: finding them cannot be interrupted.
const MAX_REGIONS: usize = 50_000;
/// A segment is cut into pieces of at most this share of the triangle's longest side.
const PIECE: f64 = 0.02;
/// Nearer to C than this, as a weight, all s are one point.
const NEAR_C: f64 = 1e-9;

impl Subject {
    /// Of each model the pieces of its boundary, `[down, across, down, across]` each in shares of the way
    /// from the first to the last point of the map, one after another; of a line its class intervals.
    /// Where a model has none: why.
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
        let picked = self.picked(view)?;
        let margins = view
            .flat
            .map_or(BoxRange::from([BOX_MARGIN; 2]), |flat| flat.range);
        // The map is laid as the first model scales its inputs.
        let laid = plane_of(
            &self.space(),
            &picked.each_ref().map(|item| item.input.values()),
            margins,
        )?;
        let corners = match shape {
            Some(FlatShape::Plane) => laid.corners(),
            _ => laid.anchors.to_vec(),
        };
        let corners: Vec<[f64; 3]> = corners
            .into_iter()
            .map(|corner| weights(&laid, corner))
            .collect();
        let map = Map {
            laid,
            shape,
            corners,
            margins,
        };
        let first = self.network().and_then(|network| {
            let values = picked.each_ref().map(|item| item.input.values().to_vec());
            map.boundary(network, &values)
        });
        let second = self.against.as_ref().map(|second| {
            let values = second.values(&picked);
            second
                .network()
                .and_then(|network| map.boundary(network, &values))
        });
        of_each(first, second)
    }
}

/// The plane through three items as a model scales them.
fn plane_of(
    space: &Space,
    items: &[&[f32]; 3],
    margins: BoxRange,
) -> Result<ItemPlane, ExploreError> {
    let points = items.map(|values| space.point(values));
    Ok(ItemPlane::new(
        points.each_ref().map(Vec::as_slice),
        margins,
    )?)
}

/// A map, whatever model is asked: the plane through the same three items has other lengths and angles in
/// each model's space, but weights of the items are the same everywhere.
struct Map {
    /// As the map is laid.
    laid: ItemPlane,
    shape: Option<FlatShape>,
    /// Weights of A, B and C at its corners.
    corners: Vec<[f64; 3]>,
    margins: BoxRange,
}

impl Map {
    fn boundary(
        &self,
        network: &SectionNetwork,
        values: &[Vec<f32>; 3],
    ) -> Result<Value, ExploreError> {
        let values = values.each_ref().map(Vec::as_slice);
        let plane = plane_of(network.space(), &values, self.margins)?;
        let polygon: Vec<[f64; 2]> = self
            .corners
            .iter()
            .map(|corner| place(&plane, *corner))
            .collect();
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
            let count = match self.shape {
                Some(_) => 1,
                None => (length / (PIECE * longest)).ceil().max(1.0) as usize,
            };
            let at = |n: usize| {
                let share = n as f64 / count as f64;
                let at = [x0 + share * (x1 - x0), y0 + share * (y1 - y0)];
                self.shares(weights(&plane, at))
            };
            for n in 0..count {
                if let (Some(from), Some(to)) = (at(n), at(n + 1)) {
                    pieces.extend([from, to].as_flattened().iter().map(|&x| x as f32));
                }
            }
        }
        Ok(json!({"pieces": pieces, "regions": section.regions}))
    }
    /// Shares of the map down and across of a point; nothing where they are many.
    fn shares(&self, [a, b, c]: [f64; 3]) -> Option<[f64; 2]> {
        let laid = &self.laid;
        match self.shape {
            Some(FlatShape::Plane) => {
                let at = place(laid, [a, b, c]);
                let [across, up] =
                    [0, 1].map(|axis| (at[axis] - laid.lo[axis]) / (laid.hi[axis] - laid.lo[axis]));
                Some([1.0 - up, across])
            }
            Some(FlatShape::Triangle) => Some([1.0 - c, b]),
            None if a + b > NEAR_C => Some([(b / (a + b)).clamp(0.0, 1.0), c.clamp(0.0, 1.0)]),
            None => None,
        }
    }
}

/// The weights of A, B and C at a place in their plane; 1 in all.
fn weights(plane: &ItemPlane, [x, y]: [f64; 2]) -> [f64; 3] {
    let [_, [along, _], [of_c, height]] = plane.anchors;
    let c = y / height;
    let b = (x - c * of_c) / along;
    [1.0 - b - c, b, c]
}

/// The place in the plane where A, B and C have these weights.
fn place(plane: &ItemPlane, weights: [f64; 3]) -> [f64; 2] {
    [0, 1].map(|axis| {
        let terms = plane.anchors.iter().zip(weights);
        terms.map(|(anchor, weight)| anchor[axis] * weight).sum()
    })
}
