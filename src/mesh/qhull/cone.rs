//! The cone of new facets over the horizon of a point, and who keeps the points outside.

use super::hull::{Facet, FacetId, Hull, Plane, Ridge, RidgeId, remove, replace};

impl Hull {
    /// The facets that a point sees, in the order of a breadth-first search, and those of the
    /// horizon that it is coplanar with.
    pub(super) fn find_visible(
        &mut self,
        point: usize,
        facet: FacetId,
    ) -> (Vec<FacetId>, Vec<FacetId>) {
        let mut visited = vec![false; self.facets.len()];
        let (mut visible, mut coplanar) = (vec![facet], Vec::new());
        visited[facet] = true;
        let mut k = 0;
        while let Some(&facet) = visible.get(k) {
            for &neighbor in &self.facets[facet].neighbors {
                if std::mem::replace(&mut visited[neighbor], true) {
                    continue;
                }
                let distance = self.distance(self.points[point], neighbor);
                if distance > self.limits.coplanar {
                    visible.push(neighbor);
                } else if distance >= -self.limits.coplanar {
                    coplanar.push(neighbor);
                }
            }
            k += 1;
        }
        for &facet in &visible {
            self.unlist(facet);
            self.facets[facet].gone = true;
            self.facets[facet].replacement = None;
        }
        (visible, coplanar)
    }

    /// A new facet over each edge of the horizon.
    pub(super) fn build_cone(
        &mut self,
        point: usize,
        visible: &[FacetId],
        coplanar: &[FacetId],
    ) -> Option<()> {
        let apex = self.vertex_points.len();
        self.vertex_points.push(point);
        // Declared out here as in Qhull, where a facet over a ridge replaces the visible facets
        // without ridges that come after, too.
        let (mut over_edge, mut over_ridge) = (None, None);
        for &facet in visible {
            let mut seen = Vec::new();
            if let Some(ridges) = self.facets[facet].ridges.clone() {
                over_ridge = None;
                for ridge in ridges {
                    let horizon = self.ridges[ridge].other(facet);
                    if !self.facets[horizon].gone {
                        if coplanar.contains(&horizon) && seen.contains(&horizon) {
                            return None;
                        }
                        let new = self.cone_over_ridge(apex, facet, ridge, &seen);
                        over_ridge = Some(new);
                    }
                    seen.push(horizon);
                }
            }
            if self.facets[facet].simplicial {
                over_edge = None;
                for horizon in self.facets[facet].neighbors.clone() {
                    if !self.facets[horizon].gone && !seen.contains(&horizon) {
                        over_edge = Some(self.cone_over_edge(apex, facet, horizon)?);
                    }
                }
            }
            if over_ridge.is_some() {
                over_edge = over_ridge;
            }
            self.facets[facet].replacement = over_edge;
            self.facets[facet].neighbors.clear();
        }
        Some(())
    }

    fn cone_over_ridge(
        &mut self,
        apex: usize,
        visible: FacetId,
        ridge: RidgeId,
        seen: &[FacetId],
    ) -> FacetId {
        let Ridge {
            vertices: [a, b],
            top,
            ..
        } = self.ridges[ridge];
        let horizon = self.ridges[ridge].other(visible);
        let new = self.new_facet(vec![apex, a, b], top == visible);
        self.facets[new].neighbors.push(horizon);
        let beyond = &mut self.facets[horizon];
        if seen.contains(&horizon) {
            beyond.neighbors.push(new);
        } else {
            replace(&mut beyond.neighbors, &visible, new);
        }
        if beyond.simplicial {
            if let Some(ridges) = &mut beyond.ridges {
                remove(ridges, &ridge);
            }
        } else {
            self.facets[new].ridges = Some(vec![ridge]);
            if top == visible {
                self.ridges[ridge].top = new;
            } else {
                self.ridges[ridge].bottom = new;
            }
        }
        new
    }

    fn cone_over_edge(
        &mut self,
        apex: usize,
        visible: FacetId,
        horizon: FacetId,
    ) -> Option<FacetId> {
        let beyond = &self.facets[horizon];
        let skip = beyond.neighbors.iter().position(|&n| n == visible)?;
        let mut vertices = beyond.vertices.clone();
        vertices.remove(skip);
        vertices.insert(0, apex);
        let new = self.new_facet(vertices, self.facets[horizon].top == (skip % 2 == 1));
        self.facets[new].neighbors.push(horizon);
        self.facets[horizon].neighbors[skip] = new;
        Some(new)
    }

    /// Makes new facets that share an edge at the apex neighbours; nothing where one finds none, or
    /// there are no new facets.
    pub(super) fn match_cone(&mut self) -> Option<()> {
        let mut waiting: Vec<(usize, FacetId, usize)> = Vec::new();
        for facet in self.cone() {
            self.facets[facet].neighbors.resize(3, facet);
            for skip in 1..3 {
                let shared = self.facets[facet].vertices[3 - skip];
                let Some(place) = waiting.iter().position(|entry| entry.0 == shared) else {
                    waiting.push((shared, facet, skip));
                    continue;
                };
                let (_, other, other_skip) = waiting.swap_remove(place);
                let turned = self.facets[facet].top != self.facets[other].top;
                if (skip == other_skip) != turned {
                    return None;
                }
                self.facets[facet].neighbors[skip] = other;
                self.facets[other].neighbors[other_skip] = facet;
            }
        }
        (waiting.is_empty() && self.first_new < self.order.len()).then_some(())
    }

    /// Gives the points outside of visible facets to new ones; nothing where one is not clearly
    /// outside of any.
    pub(super) fn partition(&mut self, visible: &[FacetId]) -> Option<()> {
        let new = self.cone();
        let joined = new.iter().any(|&facet| !self.facets[facet].simplicial);
        let search_all = joined || self.many_merges();
        for &facet in visible {
            let mut start = Some(facet);
            while let Some(gone) = start.filter(|&facet| self.facets[facet].gone) {
                start = self.facets[gone].replacement;
            }
            let start = start.unwrap_or(new[0]);
            for point in std::mem::take(&mut self.facets[facet].outside) {
                let (facet, distance) = if search_all {
                    self.find_in_cone(point, start, &new)?
                } else {
                    self.find_uphill(point, start)?
                };
                let Facet {
                    outside, furthest, ..
                } = &mut self.facets[facet];
                if outside.is_empty() || *furthest < distance {
                    outside.push(point);
                    *furthest = distance;
                } else {
                    outside.insert(outside.len() - 1, point);
                }
            }
        }
        Some(())
    }

    /// A new facet with a point outside, and its distance: the first on a way from facet to
    /// neighbour that rises.
    fn find_uphill(&self, point: usize, start: FacetId) -> Option<(FacetId, f64)> {
        let mut best = self.distance(self.points[point], start);
        if best >= self.limits.outside {
            return Some((start, best));
        }
        let faces_up = |facet: FacetId| {
            let plane = self.facets[facet].plane.as_ref();
            plane.is_some_and(Plane::faces_up)
        };
        let mut some_lower = !faces_up(start);
        let mut visited = vec![start];
        let mut facet = start;
        'rise: loop {
            for &neighbor in &self.facets[facet].neighbors {
                if !self.facets[neighbor].new || visited.contains(&neighbor) {
                    continue;
                }
                visited.push(neighbor);
                let distance = self.distance(self.points[point], neighbor);
                if distance <= best {
                    continue;
                }
                if distance >= self.limits.outside {
                    return Some((neighbor, distance));
                }
                if !faces_up(neighbor) || !some_lower {
                    some_lower |= !faces_up(neighbor);
                    best = distance;
                    facet = neighbor;
                    continue 'rise;
                }
            }
            return None;
        }
    }

    /// The same in the order of the facets, from one on and then from the first.
    fn find_in_cone(
        &self,
        point: usize,
        start: FacetId,
        new: &[FacetId],
    ) -> Option<(FacetId, f64)> {
        let place = new.iter().position(|&facet| facet == start)?;
        let mut best = f64::NEG_INFINITY;
        for &facet in new[place..].iter().chain(&new[..place]) {
            let distance = self.distance(self.points[point], facet);
            if distance > best {
                let plane = self.facets[facet].plane.as_ref()?;
                if !plane.faces_up() || distance >= self.limits.outside {
                    if distance >= self.surely_outside() {
                        return Some((facet, distance));
                    }
                    best = distance;
                }
            }
        }
        None
    }
}
