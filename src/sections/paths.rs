//! Paths between two inputs that stay in their classes: the least barrier in a plane, exactly, and
//! connecting paths in the whole space, certified leg by leg by exact lines.
//!
//! `U = max over other classes of f_k - max(f_a, f_b)` is above 0 where a third class is predicted.

use super::intervals::top;
use super::line::{LineOptions, LineSection, exact_line};
use super::network::SectionNetwork;
use super::plane::{ItemPlane, line_point};
use super::section::{CutPlane, Parts, PlaneOptions, cut_largest, cut_plane};
use super::{EPS, SectionError};
use serde::Serialize;

/// The lowest of all largest values of U along paths in a polygon of a plane.
///
/// `from` and `to` are places in the polygon, usually anchors; the classes are those predicted
/// there. Nothing where the network has no third class. U is affine on the parts that all cells are
/// cut into, so the least barrier over all continuous paths is the bottleneck over corners and edges.
///
/// # Errors
/// As [`super::exact_plane`]; [`SectionError::Outside`] for a place outside the polygon.
pub fn plane_barrier(
    network: &SectionNetwork,
    plane: &ItemPlane,
    polygon: &[[f64; 2]],
    ends: [[f64; 2]; 2],
    options: &PlaneOptions,
) -> Result<Option<f64>, SectionError> {
    let cut = cut_plane(network, plane, polygon, options, barrier_columns(network))?;
    barrier_of(network, plane, &cut, ends)
}

/// Columns that [`barrier_of`] takes beside those of the cells: the own logits, their largest, the
/// others, and theirs.
pub(super) fn barrier_columns(network: &SectionNetwork) -> usize {
    network.num_classes() + 2
}

/// The same of a plane that is cut already, with [`barrier_columns`] left free.
pub(super) fn barrier_of(
    network: &SectionNetwork,
    plane: &ItemPlane,
    cut: &CutPlane,
    [from, to]: [[f64; 2]; 2],
) -> Result<Option<f64>, SectionError> {
    let logits = [from, to].map(|place| network.logits(&plane.point(place)));
    let [f, g] = logits;
    let (f, g) = (f?, g?);
    let (a, b) = (top(&f), top(&g));
    let own: Vec<usize> = if a == b { vec![a] } else { vec![a, b] };
    let others: Vec<usize> = (0..f.len()).filter(|k| !own.contains(k)).collect();
    if others.is_empty() {
        return Ok(None);
    }
    let (first, mut mesh) = (cut.logits, cut.mesh.clone());
    let mesh = &mut mesh;
    let mut largest = Vec::new();
    for group in [&own, &others] {
        let column = mesh.used;
        for c in 0..mesh.num_corners() {
            let row = mesh.row_mut(c);
            for (k, &class) in group.iter().enumerate() {
                row[column + k] = row[first + class];
            }
        }
        mesh.used = column + group.len();
        cut_largest(mesh, column, group.len())?;
        largest.push(column + group.len());
    }
    let barrier = |f: &[f64]| {
        let most = |of: &[usize]| of.iter().map(|&k| f[k]).fold(f64::NEG_INFINITY, f64::max);
        most(&others) - most(&own)
    };
    let corners = mesh.num_corners();
    let mut u: Vec<f64> = (0..corners)
        .map(|c| mesh.row(c)[largest[1]] - mesh.row(c)[largest[0]])
        .collect();
    let mut edges: Vec<[usize; 2]> = mesh.edges().map(|(ends, _)| ends).collect();
    // The two places see all corners of the faces they lie in.
    let mut faces_of = [Vec::new(), Vec::new()];
    for (k, (place, logits)) in [(from, &f), (to, &g)].into_iter().enumerate() {
        u.push(barrier(logits));
        for face in mesh.faces() {
            let ring: Vec<usize> = mesh.corners(face).collect();
            let inside = (0..ring.len()).all(|i| {
                let [p, q] = [ring[i], ring[(i + 1) % ring.len()]].map(|c| mesh.xy[c]);
                let along = [q[0] - p[0], q[1] - p[1]];
                along[0] * (place[1] - p[1]) - along[1] * (place[0] - p[0]) >= -1e-12
            });
            if inside {
                edges.extend(ring.into_iter().map(|c| [corners + k, c]));
                faces_of[k].push(face);
            }
        }
        if faces_of[k].is_empty() {
            return Err(SectionError::Outside { place });
        }
    }
    if faces_of[0].iter().any(|face| faces_of[1].contains(face)) {
        edges.push([corners, corners + 1]);
    }
    let height = |[p, q]: [usize; 2]| u[p].max(u[q]);
    edges.sort_by(|&e, &f| height(e).total_cmp(&height(f)));
    let mut parts = Parts::new(corners + 2);
    for edge in edges {
        parts.join(edge[0], edge[1]);
        if parts.root(corners) == parts.root(corners + 1) {
            return Ok(Some(height(edge)));
        }
    }
    Err(SectionError::Outside { place: to })
}

/// How a connecting path is sought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathOptions {
    /// Range that knots are clamped to, e.g. `[0, 1]` for images.
    pub clamp: Option<[f64; 2]>,
    /// How often a leg may be halved.
    pub depth: usize,
    /// By how much the own classes must lead at a knot.
    pub lead: f64,
}

impl Default for PathOptions {
    fn default() -> Self {
        Self {
            clamp: None,
            depth: 7,
            lead: 0.3,
        }
    }
}

/// Whether a path was found; that none exists is never claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Connected {
    /// Each leg's exact section shows only the two classes.
    Certified,
    /// The search found none.
    NotFound,
}

/// A path between two inputs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Connection {
    /// Whether it is certified.
    pub connected: Connected,
    /// The classes predicted at its ends.
    pub classes: [usize; 2],
    /// Points of the space between the ends, in order; empty where the straight line will do.
    #[serde(skip)]
    pub knots: Vec<Vec<f64>>,
    /// Largest U on the straight line: above 0 where a third class is met.
    pub straight_barrier: f64,
    /// Exact lines that were cut.
    pub lines: usize,
}

/// Seeks a path from `z1` to `z2` that meets only the two classes predicted there, and certifies it.
///
/// The straight line's worst point is moved along the gradient of `max(f_a, f_b)` less the largest
/// other logit until the own classes lead; then both halves are treated alike.
///
/// # Errors
/// As [`exact_line`].
pub fn connect(
    network: &SectionNetwork,
    z1: &[f64],
    z2: &[f64],
    options: &PathOptions,
) -> Result<Connection, SectionError> {
    let line = exact_line(network, z1, z2, &LineOptions::default())?;
    let classes = [line.classes[0], line.classes[line.classes.len() - 1]];
    let mut search = Search {
        network,
        classes,
        options,
        lines: 1,
        knots: Vec::new(),
    };
    let (straight_barrier, _) = search.worst(&line);
    let found = search.leg(z1, z2, line, options.depth)?;
    Ok(Connection {
        connected: if found {
            Connected::Certified
        } else {
            Connected::NotFound
        },
        classes,
        knots: if found { search.knots } else { Vec::new() },
        straight_barrier,
        lines: search.lines,
    })
}

struct Search<'a> {
    network: &'a SectionNetwork,
    classes: [usize; 2],
    options: &'a PathOptions,
    lines: usize,
    knots: Vec<Vec<f64>>,
}

impl Search<'_> {
    /// U, and the classes that lead on either side.
    fn u(&self, logits: &[f64]) -> (f64, [usize; 2]) {
        let [a, b] = self.classes;
        let own = if logits[b] > logits[a] { b } else { a };
        let others = (0..logits.len()).filter(|k| !self.classes.contains(k));
        let other = others.reduce(|best, k| if logits[k] > logits[best] { k } else { best });
        match other {
            Some(other) => (logits[other] - logits[own], [own, other]),
            None => (f64::NEG_INFINITY, [own, own]),
        }
    }

    /// Largest U on a line and where. On a piece U is convex but where f_a and f_b cross.
    fn worst(&self, line: &LineSection) -> (f64, f64) {
        let k = line.num_classes;
        let logits = |n: usize| &line.logits[n * k..(n + 1) * k];
        let mut worst = (f64::NEG_INFINITY, line.t[0]);
        let mut meet = |u: f64, t: f64| {
            if u > worst.0 {
                worst = (u, t);
            }
        };
        let [a, b] = self.classes;
        for n in 0..line.t.len() {
            meet(self.u(logits(n)).0, line.t[n]);
            if n + 1 < line.t.len() {
                let (f, g) = (logits(n), logits(n + 1));
                let (before, after) = (f[a] - f[b], g[a] - g[b]);
                if before * after < 0.0 {
                    let w = before / (before - after);
                    let at = f
                        .iter()
                        .zip(g)
                        .map(|(f, g)| f + (g - f) * w)
                        .collect::<Vec<_>>();
                    meet(self.u(&at).0, line.t[n] + (line.t[n + 1] - line.t[n]) * w);
                }
            }
        }
        worst
    }

    fn leg(
        &mut self,
        from: &[f64],
        to: &[f64],
        line: LineSection,
        depth: usize,
    ) -> Result<bool, SectionError> {
        if line
            .classes
            .iter()
            .all(|class| self.classes.contains(class))
        {
            return Ok(true);
        }
        if depth == 0 {
            return Ok(false);
        }
        let (_, t) = self.worst(&line);
        let Some(knot) = self.moved(line_point(from, to, t))? else {
            return Ok(false);
        };
        if knot == from || knot == to {
            return Ok(false);
        }
        let half = |search: &mut Self, p: &[f64], q: &[f64]| {
            search.lines += 1;
            let line = exact_line(search.network, p, q, &LineOptions::default())?;
            search.leg(p, q, line, depth - 1)
        };
        if !half(self, from, &knot)? {
            return Ok(false);
        }
        self.knots.push(knot.clone());
        half(self, &knot, to)
    }

    /// A point moved up the gradient until the own classes lead.
    fn moved(&self, mut z: Vec<f64>) -> Result<Option<Vec<f64>>, SectionError> {
        /// Newton's steps for a piecewise-linear function seldom take more than ten.
        const MAX_STEPS: usize = 100;
        for _ in 0..MAX_STEPS {
            let logits = self.network.logits(&z)?;
            let (u, [own, other]) = self.u(&logits);
            if -u >= self.options.lead {
                return Ok(Some(z));
            }
            let mut weights = vec![0.0; logits.len()];
            weights[own] += 1.0;
            weights[other] -= 1.0;
            let gradient = self.network.gradient(&z, &weights);
            let size: f64 = gradient.iter().map(|g| g * g).sum();
            if size.is_nan() || size <= EPS {
                return Ok(None);
            }
            // A little beyond, since pieces end before the step does.
            let step = 1.1 * (self.options.lead + u) / size;
            for (z, g) in z.iter_mut().zip(&gradient) {
                *z += step * g;
                if let Some([lo, hi]) = self.options.clamp {
                    *z = z.clamp(lo, hi);
                }
            }
        }
        Ok(None)
    }
}
