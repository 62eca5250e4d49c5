//! Joins new facets to facets in whose plane they lie: four points or more on one circle.

use super::hull::{Facet, FacetId, Hull, Ridge, remove, replace};

impl Hull {
    /// Whether the cone is convex by its vertices; joining is not looked into then.
    pub(super) fn is_clearly_convex(&self) -> bool {
        let below = |vertex: usize, facet: FacetId| {
            self.distance(self.position(vertex), facet) < -2.0 * self.limits.round
        };
        self.cone().iter().all(|&new| {
            let Facet {
                vertices,
                neighbors,
                plane,
                ..
            } = &self.facets[new];
            let horizon = &self.facets[neighbors[0]];
            let opposite = horizon.vertices.iter().find(|v| !vertices[1..].contains(v));
            horizon.simplicial
                && plane.is_some()
                && (1..3).all(|k| below(vertices[k], neighbors[k]))
                && opposite.is_none_or(|&vertex| below(vertex, new))
        })
    }

    /// Joins a new facet to the facet at its horizon, in whose plane the apex lies. Nothing
    /// where more would have to be joined or a vertex would go.
    pub(super) fn join_horizon(&mut self, facet: FacetId) -> Option<()> {
        let horizon = self.facets[facet].neighbors[0];
        self.make_ridges(facet);
        self.make_ridges(horizon);
        let vertices = self.facets[facet].vertices.clone();
        let apex = vertices[0];
        if self.facets[horizon].vertices[0] != apex {
            self.facets[horizon].vertices.insert(0, apex);
        }
        let mut k = 0;
        while let Some(&ridge) = self.facets[facet].ridges.as_ref()?.get(k) {
            let other = self.ridges[ridge].other(facet);
            if other == horizon {
                for side in [facet, horizon] {
                    remove(self.facets[side].ridges.as_mut()?, &ridge);
                }
                remove(&mut self.facets[horizon].neighbors, &facet);
                continue;
            }
            if self.facets[horizon].neighbors.contains(&other) {
                return None;
            }
            self.facets[horizon].ridges.as_mut()?.push(ridge);
            self.facets[horizon].neighbors.push(other);
            replace(&mut self.facets[other].neighbors, &facet, horizon);
            let Ridge { top, bottom, .. } = &mut self.ridges[ridge];
            *(if *top == facet { top } else { bottom }) = horizon;
            k += 1;
        }
        for side in [horizon, facet] {
            self.unlist(side);
        }
        self.order.push(horizon);
        self.facets[horizon].new = true;
        self.facets[facet].gone = true;
        self.facets[facet].replacement = Some(horizon);
        self.merges += 1;
        // A vertex of two facets is none.
        let facets_at = |vertex: &usize| {
            let has = |facet: &&FacetId| self.facets[**facet].vertices.contains(vertex);
            self.order.iter().filter(has).count()
        };
        let joined = &self.facets[horizon];
        let covered = joined.neighbors.iter().any(|&neighbor| {
            let mut corners = self.facets[neighbor].vertices.iter();
            corners.all(|vertex| joined.vertices.contains(vertex))
        });
        let whole = joined.neighbors.len() >= 3 && vertices.iter().all(|v| facets_at(v) >= 3);
        (whole && !covered).then_some(())
    }

    /// Gives a simplicial facet that is about to be joined ridges to all its neighbours.
    fn make_ridges(&mut self, facet: FacetId) {
        if !std::mem::replace(&mut self.facets[facet].simplicial, false) {
            return;
        }
        let Facet {
            vertices,
            neighbors,
            top,
            ..
        } = &self.facets[facet];
        let (vertices, neighbors, top) = (vertices.clone(), neighbors.clone(), *top);
        let known: Vec<FacetId> = self.facets[facet]
            .ridges
            .iter()
            .flatten()
            .map(|&ridge| self.ridges[ridge].other(facet))
            .collect();
        for (skip, neighbor) in neighbors.into_iter().enumerate() {
            if known.contains(&neighbor) {
                continue;
            }
            let ridge = self.ridges.len();
            let (a, b) = [(1, 2), (0, 2), (0, 1)][skip];
            let (top, bottom) = if top == (skip % 2 == 0) {
                (facet, neighbor)
            } else {
                (neighbor, facet)
            };
            self.ridges.push(Ridge {
                vertices: [vertices[a], vertices[b]],
                top,
                bottom,
            });
            for side in [facet, neighbor] {
                self.facets[side].ridges.get_or_insert_default().push(ridge);
            }
        }
    }

    /// Whether each new facet's middle lies below its neighbours, and theirs below it; Qhull
    /// joins the two otherwise.
    pub(super) fn is_convex(&self) -> bool {
        let below = |facet: FacetId, neighbor: FacetId| {
            let vertices = &self.facets[facet].vertices;
            let center = [0, 1, 2].map(|axis| {
                let sum: f64 = vertices.iter().map(|&v| self.position(v)[axis]).sum();
                sum / vertices.len() as f64
            });
            let height = self.distance(center, facet);
            let centrum = self.facets[facet]
                .plane
                .as_ref()
                .map(|plane| [0, 1, 2].map(|axis| center[axis] - height * plane.normal[axis]));
            centrum.is_some_and(|at| self.distance(at, neighbor) < -self.limits.coplanar)
        };
        self.cone().iter().all(|&facet| {
            let mut neighbors = self.facets[facet].neighbors.iter();
            neighbors.all(|&neighbor| below(facet, neighbor) && below(neighbor, facet))
        })
    }
}
