//! The hull as Qhull keeps it: facets with their neighbours, ridges and outside points, in order.

use super::{Limits, Simplex};

/// Number of a facet, in the order of creation.
pub(super) type FacetId = usize;

/// Number of a ridge, in the order of creation.
pub(super) type RidgeId = usize;

/// Twice Qhull's bound for the error of an angle in three dimensions.
const UPRIGHT: f64 = 2.0 * (1.01 * 3.0 * f64::EPSILON);

/// Qhull's bound for two normals of a narrow hull, which it builds in another way.
const NARROW: f64 = -0.999_999_99;

/// After more merges than these Qhull looks at all facets of a cone.
const MANY_MERGES: usize = 50;

/// Points `p` with `normal * p + offset = 0`; the normal has length 1 and faces outwards.
pub(super) struct Plane {
    pub(super) normal: [f64; 3],
    pub(super) offset: f64,
}

impl Plane {
    pub(super) fn distance(&self, [x, y, z]: [f64; 3]) -> f64 {
        self.offset + x * self.normal[0] + y * self.normal[1] + z * self.normal[2]
    }

    /// Whether it is no plane of a Delaunay triangle: it faces up, or is upright but for rounding.
    pub(super) fn faces_up(&self) -> bool {
        self.normal[2] > -UPRIGHT
    }
}

pub(super) struct Facet {
    /// Falling: the newest vertex first.
    pub(super) vertices: Vec<usize>,
    /// Of a simplicial facet the `i`-th is opposite to vertex `i`.
    pub(super) neighbors: Vec<FacetId>,
    /// Edges to facets where one of the two is not simplicial; nothing before there was one.
    pub(super) ridges: Option<Vec<RidgeId>>,
    /// Which way round the vertices go.
    pub(super) top: bool,
    /// Three vertices, and joined to no other.
    pub(super) simplicial: bool,
    /// Nothing until it is known whether the facet is joined to its horizon.
    pub(super) plane: Option<Plane>,
    /// Points that see the facet and are kept by it; the furthest comes last.
    pub(super) outside: Vec<usize>,
    /// How far off the furthest is.
    pub(super) furthest: f64,
    /// Of the cone that is being built.
    pub(super) new: bool,
    /// Off the hull.
    pub(super) gone: bool,
    /// Of a facet that is gone: one that may have its points.
    pub(super) replacement: Option<FacetId>,
}

/// An edge between two facets; which of them is the top one says which way round it goes.
pub(super) struct Ridge {
    pub(super) vertices: [usize; 2],
    pub(super) top: FacetId,
    pub(super) bottom: FacetId,
}

impl Ridge {
    pub(super) fn other(&self, facet: FacetId) -> FacetId {
        if self.top == facet {
            self.bottom
        } else {
            self.top
        }
    }
}

pub(super) struct Hull {
    /// Lifted, the one at infinity last.
    pub(super) points: Vec<[f64; 3]>,
    /// The point of each vertex.
    pub(super) vertex_points: Vec<usize>,
    /// A point inside.
    pub(super) interior: [f64; 3],
    pub(super) limits: Limits,
    pub(super) facets: Vec<Facet>,
    pub(super) ridges: Vec<Ridge>,
    /// Facets of the hull, in Qhull's order.
    pub(super) order: Vec<FacetId>,
    /// Place in `order` from which on facets may have outside points.
    pub(super) next: usize,
    /// Place in `order` of the first facet of the cone.
    pub(super) first_new: usize,
    /// How many facets were joined to another.
    pub(super) merges: usize,
}

/// Takes an item out of an unordered list: the last takes its place.
pub(super) fn remove<T: PartialEq>(list: &mut Vec<T>, item: &T) {
    if let Some(place) = list.iter().position(|other| other == item) {
        list.swap_remove(place);
    }
}

/// Puts an item in another's place.
pub(super) fn replace<T: PartialEq>(list: &mut [T], old: &T, new: T) {
    if let Some(entry) = list.iter_mut().find(|entry| *entry == old) {
        *entry = new;
    }
}

pub(super) fn determinant([a, b]: [f64; 2], [c, d]: [f64; 2]) -> f64 {
    a * d - b * c
}

impl Hull {
    /// The hull of the simplex, with all other points outside.
    pub(super) fn new(simplex: Simplex) -> Option<Self> {
        let Simplex {
            points,
            corners,
            limits,
        } = simplex;
        let mut hull = Self {
            // In Qhull's order of addition: the last bit of the centre can decide about a facet.
            interior: [0, 1, 2].map(|axis| {
                let sum: f64 = corners.iter().rev().map(|&point| points[point][axis]).sum();
                sum / 4.0
            }),
            points,
            vertex_points: corners,
            limits,
            facets: Vec::new(),
            ridges: Vec::new(),
            order: Vec::new(),
            next: 0,
            first_new: 0,
            merges: 0,
        };
        hull.first_facets()?;
        hull.first_partition()?;
        Some(hull)
    }

    /// The four facets of the simplex.
    fn first_facets(&mut self) -> Option<()> {
        // Vertices fall within a facet, and each facet's side is that of its opposite vertex's number.
        for opposite in (0..4).rev() {
            let vertices = (0..4).rev().filter(|&vertex| vertex != opposite).collect();
            let facet = self.new_facet(vertices, opposite % 2 == 1);
            self.facets[facet].neighbors = (0..4).filter(|&other| other != facet).collect();
        }
        let plane = self.plane(0)?;
        // If the first one faces inwards, all four are the wrong way round.
        if plane.distance(self.interior) > self.limits.round {
            for facet in &mut self.facets {
                facet.top = !facet.top;
            }
        }
        for facet in 0..4 {
            self.set_plane(facet)?;
        }
        // Two facets nearly back to back: a narrow hull, which Qhull builds in another way.
        let normals: Vec<[f64; 3]> = self
            .facets
            .iter()
            .filter_map(|facet| Some(facet.plane.as_ref()?.normal))
            .collect();
        for (k, a) in normals.iter().enumerate() {
            for b in &normals[..k] {
                if a[0] * b[0] + a[1] * b[1] + a[2] * b[2] < NARROW {
                    return None;
                }
            }
        }
        Some(())
    }

    /// Gives each point to the first facet that it is outside of.
    fn first_partition(&mut self) -> Option<()> {
        let mut rest: Vec<usize> = (0..self.points.len())
            .filter(|point| !self.vertex_points.contains(point))
            .collect();
        for facet in 0..4 {
            let mut inside = Vec::new();
            let mut best = None;
            for point in rest {
                let distance = self.distance(self.points[point], facet);
                if distance < self.surely_outside() {
                    inside.push(point);
                    continue;
                }
                // The furthest is kept aside and comes last; the others stay in the order in which
                // they were passed.
                match best {
                    Some((furthest, before)) if distance > before => {
                        self.facets[facet].outside.push(furthest);
                        best = Some((point, distance));
                    }
                    Some(_) => self.facets[facet].outside.push(point),
                    None => best = Some((point, distance)),
                }
            }
            rest = inside;
            if let Some((furthest, distance)) = best {
                self.facets[facet].outside.push(furthest);
                self.facets[facet].furthest = distance;
            }
            self.facets[facet].new = false;
        }
        // Lifted points are corners of the hull: one inside of the simplex is there by rounding.
        if !rest.is_empty() {
            return None;
        }
        // The facet with the furthest point of all comes first.
        let mut best = None;
        for facet in 0..4 {
            let Facet {
                outside, furthest, ..
            } = &self.facets[facet];
            if !outside.is_empty() && best.is_none_or(|(_, before)| *furthest > before) {
                best = Some((facet, *furthest));
            }
        }
        if let Some((facet, _)) = best {
            self.order.remove(facet);
            self.order.insert(0, facet);
        }
        Some(())
    }

    /// From where on a point is outside of a facet without a look at others.
    pub(super) fn surely_outside(&self) -> f64 {
        let many = if self.many_merges() { 2.0 } else { 1.0 };
        many * (2.0 * self.limits.outside)
    }

    pub(super) fn many_merges(&self) -> bool {
        self.merges > MANY_MERGES
    }

    pub(super) fn position(&self, vertex: usize) -> [f64; 3] {
        self.points[self.vertex_points[vertex]]
    }

    /// How far a position is above the plane of a facet; every facet of the hull has one.
    pub(super) fn distance(&self, position: [f64; 3], facet: FacetId) -> f64 {
        self.facets[facet]
            .plane
            .as_ref()
            .map_or(f64::NAN, |plane| plane.distance(position))
    }

    pub(super) fn new_facet(&mut self, vertices: Vec<usize>, top: bool) -> FacetId {
        let facet = self.facets.len();
        self.facets.push(Facet {
            vertices,
            neighbors: Vec::new(),
            ridges: None,
            top,
            simplicial: true,
            plane: None,
            outside: Vec::new(),
            furthest: 0.0,
            new: true,
            gone: false,
            replacement: None,
        });
        self.order.push(facet);
        facet
    }

    /// The plane through a simplicial facet; nothing where rounding decides about it.
    fn plane(&self, facet: FacetId) -> Option<Plane> {
        let Facet { vertices, top, .. } = &self.facets[facet];
        let corners = [0, 1, 2].map(|k| self.position(vertices[k]));
        let [p, q, r] = corners;
        let side = |end: [f64; 3], axis: usize| end[axis] - p[axis];
        // The cross product of two sides, its terms in Qhull's order.
        let mut normal = [
            determinant([side(r, 1), side(r, 2)], [side(q, 1), side(q, 2)]),
            determinant([side(q, 0), side(q, 2)], [side(r, 0), side(r, 2)]),
            determinant([side(r, 0), side(r, 1)], [side(q, 0), side(q, 1)]),
        ];
        let [x, y, z] = normal;
        let length = (x * x + y * y + z * z).sqrt();
        let length = if *top { length } else { -length };
        normal = normal.map(|part| part / length);
        let offset = -(p[0] * normal[0] + p[1] * normal[1] + p[2] * normal[2]);
        let plane = Plane { normal, offset };
        // The first corner is on the plane by construction; the others have to be, but for rounding.
        let error =
            |[x, y, z]: [f64; 3]| (offset + (x * normal[0] + y * normal[1] + z * normal[2])).abs();
        (error(q) <= self.limits.round && error(r) <= self.limits.round).then_some(plane)
    }

    /// Gives a new facet its plane; nothing where it does not face outwards.
    pub(super) fn set_plane(&mut self, facet: FacetId) -> Option<()> {
        let plane = self.plane(facet)?;
        if plane.distance(self.interior) >= -self.limits.round {
            return None;
        }
        self.facets[facet].plane = Some(plane);
        Some(())
    }

    /// The next point to add and a facet that it sees.
    pub(super) fn next_furthest(&mut self) -> Option<(usize, FacetId)> {
        // Facets before `next` have been through: their points have gone to newer ones.
        while let Some(&facet) = self.order.get(self.next) {
            if let Some(point) = self.facets[facet].outside.pop() {
                return Some((point, facet));
            }
            self.next += 1;
        }
        None
    }

    /// Takes a facet out of the order.
    pub(super) fn unlist(&mut self, facet: FacetId) {
        if let Some(place) = self.order.iter().position(|&other| other == facet) {
            self.order.remove(place);
            // What lies behind it moves up.
            self.next -= usize::from(place < self.next);
            self.first_new -= usize::from(place < self.first_new);
        }
    }

    /// The new facets, in order.
    pub(super) fn cone(&self) -> Vec<FacetId> {
        self.order[self.first_new..].to_vec()
    }

    /// Makes an outside point a vertex.
    pub(super) fn add(&mut self, point: usize, facet: FacetId) -> Option<()> {
        let (visible, coplanar) = self.find_visible(point, facet);
        self.first_new = self.order.len();
        self.build_cone(point, &visible, &coplanar)?;
        self.match_cone()?;
        // A facet whose horizon the point is level with is to be joined to it and gets no plane.
        for facet in self.cone() {
            let horizon = self.facets[facet].neighbors[0];
            if !coplanar.contains(&horizon) {
                self.set_plane(facet)?;
            }
        }
        if !self.is_clearly_convex() {
            for facet in self.cone() {
                if self.facets[facet].plane.is_none() {
                    self.join_horizon(facet)?;
                }
            }
            // Qhull would merge more facets now; its result is then not known here.
            if !self.is_convex() {
                return None;
            }
        }
        self.partition(&visible)?;
        for facet in self.cone() {
            self.facets[facet].new = false;
        }
        Some(())
    }

    /// The facets that face down; joined ones, last, as fans around their newest vertex.
    pub(super) fn lower_triangles(&self) -> Vec<[u32; 3]> {
        let (mut simplicial, mut fans) = (Vec::new(), Vec::new());
        for &facet in &self.order {
            let Facet {
                vertices,
                top,
                plane,
                ..
            } = &self.facets[facet];
            if plane.as_ref().is_none_or(Plane::faces_up) {
                continue;
            }
            let triangle = |corners: [usize; 3], top: bool| {
                let mut corners = corners.map(|vertex| self.vertex_points[vertex] as u32);
                if !top {
                    corners.swap(0, 1);
                }
                corners
            };
            if self.facets[facet].simplicial {
                simplicial.push(triangle([vertices[0], vertices[1], vertices[2]], *top));
                continue;
            }
            // A fan: every edge that does not end in the newest vertex makes a triangle with it.
            for &ridge in self.facets[facet].ridges.iter().flatten() {
                let Ridge {
                    vertices: [a, b],
                    top,
                    ..
                } = self.ridges[ridge];
                if a != vertices[0] {
                    fans.push(triangle([vertices[0], a, b], top == facet));
                }
            }
        }
        simplicial.append(&mut fans);
        simplicial
    }
}
