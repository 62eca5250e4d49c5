//! Exact plane sections: a convex polygon of a plane cut into the cells on which every step of the
//! network is affine, the cells into faces of one class, and what is measured on them.
//!
//! ```text
//! network ─ region ─> atoms of the polygon's box ─ one cut an atom ─> cells ─ logits ─> faces
//! ```

mod cells;
mod faces;

pub(super) use cells::cut_largest;
pub use faces::Faces;

use super::mesh::Mesh;
use super::network::SectionNetwork;
use super::plane::ItemPlane;
use super::region::Region;
use super::{SectionError, SectionLabel};
use cells::{columns_of, cut_cells};
use serde::Serialize;
use std::collections::BTreeMap;

/// Areas of the cells must sum to the polygon's within this share.
const AREA_TOLERANCE: f64 = 1e-12;
/// Edges with one side must sum to the outline within this share.
const OUTLINE_TOLERANCE: f64 = 1e-9;

/// What a plane section may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaneOptions {
    /// More cells or faces than this are an error; memory grows with them.
    pub max_regions: usize,
}

impl Default for PlaneOptions {
    fn default() -> Self {
        Self {
            max_regions: 1_000_000,
        }
    }
}

/// A connected part of one class.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Component {
    /// The class.
    pub class: usize,
    /// Share of the polygon's area, 0..1.
    pub area_share: f64,
    /// Length of its outline, the polygon's edge included, in units of the space.
    pub outline: f64,
    /// Mean width, twice the area over the outline, in units of the space.
    pub mean_width: f64,
}

/// A convex polygon of a plane, cut.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlaneSection {
    /// [`SectionLabel::Exact`] here.
    pub label: SectionLabel,
    /// Area of the polygon, in square units of the space.
    pub area: f64,
    /// Cells of the coarsest partition on which every step is affine.
    pub regions: usize,
    /// Cells after each "largest of" step.
    pub cells_after: Vec<usize>,
    /// Area of the smallest cell, as a share.
    pub smallest_region_share: f64,
    /// Share of the area of each class that has any.
    pub area_share: BTreeMap<usize, f64>,
    /// Length of the boundary of each pair of classes, `"2-5"`, in units of the space.
    pub boundary_length: BTreeMap<String, f64>,
    /// Their sum.
    pub boundary_total: f64,
    /// The decision boundary, segment by segment, `[x, y, x, y]`.
    #[serde(skip)]
    pub segments: Vec<[f64; 4]>,
    /// The two classes of each segment, the lower one first.
    #[serde(skip)]
    pub segment_classes: Vec<[u16; 2]>,
    /// Connected parts by class, within a class the largest first.
    pub components: Vec<Component>,
    /// Convex faces of one class.
    #[serde(skip)]
    pub faces: Faces,
    /// Sum of the cells' areas over the polygon's, less 1.
    pub area_defect: f64,
    /// Length of edges with one side less the polygon's outline, in units of the space.
    pub outline_defect: f64,
}

/// The exact section of a convex polygon, `[x, y]` counter-clockwise in plane coordinates: the
/// plane's box ([`ItemPlane::corners`]), a box in it, or the anchors' triangle.
///
/// # Errors
/// [`SectionError::NotPiecewiseLinear`], [`SectionError::Polygon`], [`SectionError::Lengths`],
/// [`SectionError::NotFinite`], [`SectionError::TooManyRegions`], and [`SectionError::SelfCheck`]
/// where the result contradicts itself.
pub fn exact_plane(
    network: &SectionNetwork,
    plane: &ItemPlane,
    polygon: &[[f64; 2]],
    options: &PlaneOptions,
) -> Result<PlaneSection, SectionError> {
    cut_plane(network, plane, polygon, options, 0)?.section()
}

/// A polygon cut into cells and faces, with `more` columns left free at its corners.
pub(super) fn cut_plane(
    network: &SectionNetwork,
    plane: &ItemPlane,
    polygon: &[[f64; 2]],
    options: &PlaneOptions,
    more: usize,
) -> Result<CutPlane, SectionError> {
    check_plane(network, plane)?;
    let region = region_of(network, plane, polygon)?;
    let cut = CutPlane::with_columns(&region, polygon, options, more)?;
    cut.check_euler(&region)?;
    Ok(cut)
}

pub(super) fn check_plane(network: &SectionNetwork, plane: &ItemPlane) -> Result<(), SectionError> {
    if !network.is_piecewise_linear() {
        return Err(SectionError::NotPiecewiseLinear);
    }
    match plane.origin.len() == network.num_inputs() {
        true => Ok(()),
        false => Err(SectionError::Lengths {
            expected: network.num_inputs(),
            found: plane.origin.len(),
        }),
    }
}

/// The network on the box around a polygon.
pub(super) fn region_of(
    network: &SectionNetwork,
    plane: &ItemPlane,
    polygon: &[[f64; 2]],
) -> Result<Region, SectionError> {
    let turn = |k: usize| {
        let [a, b, c] = [0, 1, 2].map(|step| polygon[(k + step) % polygon.len()]);
        (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])
    };
    let convex = polygon.len() >= 3
        && polygon.iter().flatten().all(|x| x.is_finite())
        && (0..polygon.len()).all(|k| turn(k) > 0.0);
    if !convex {
        return Err(SectionError::Polygon);
    }
    let ends = [0, 1].map(|axis| {
        let of = || polygon.iter().map(|p| p[axis]);
        [
            of().fold(f64::INFINITY, f64::min),
            of().fold(f64::NEG_INFINITY, f64::max),
        ]
    });
    let centre = ends.map(|[lo, hi]| (lo + hi) / 2.0);
    let half = ends.map(|[lo, hi]| (hi - lo) / 2.0);
    Region::new(network, [&plane.origin, &plane.u, &plane.v], centre, half)
}

/// A polygon cut into cells and these into faces; corners hold the logits.
pub(super) struct CutPlane {
    pub(super) mesh: Mesh,
    /// Column of the first logit.
    pub(super) logits: usize,
    pub(super) num_classes: usize,
    cells_after: Vec<usize>,
    regions: usize,
    /// Areas of the polygon and of the smallest cell.
    area: f64,
    smallest: f64,
    outline: f64,
    area_sum: f64,
}

impl CutPlane {
    /// Cuts cells, layer by layer and atom by atom, then faces. Afterwards a face's tag is its cell
    /// and its winner its class.
    pub(super) fn new(
        region: &Region,
        polygon: &[[f64; 2]],
        options: &PlaneOptions,
    ) -> Result<Self, SectionError> {
        Self::with_columns(region, polygon, options, 0)
    }

    /// The same with columns left free for more values.
    pub(super) fn with_columns(
        region: &Region,
        polygon: &[[f64; 2]],
        options: &PlaneOptions,
        more: usize,
    ) -> Result<Self, SectionError> {
        let num_classes = region.logits.len();
        let mut mesh = Mesh::new(polygon, columns_of(region) + more, options.max_regions);
        let (logits, cells_after) = cut_cells(&mut mesh, region)?;
        let regions = mesh.num_faces();
        let ring = |k: usize| [polygon[k], polygon[(k + 1) % polygon.len()]];
        let outline = (0..polygon.len())
            .map(|k| {
                let [a, b] = ring(k);
                (a[0] - b[0]).hypot(a[1] - b[1])
            })
            .sum();
        let area = shoelace(polygon);
        let areas = mesh.faces().map(|f| mesh.area(f));
        let (area_sum, smallest) = areas.fold((0.0, f64::INFINITY), |(sum, least), a| {
            (sum + a, f64::min(least, a))
        });
        let mut cut = Self {
            mesh,
            logits,
            num_classes,
            cells_after,
            regions,
            area,
            smallest,
            outline,
            area_sum,
        };
        cut.check(
            "the areas of a plane's cells do not sum to its area; relative difference",
            cut.area_sum / cut.area - 1.0,
            AREA_TOLERANCE,
        )?;
        cut.cut_classes()?;
        Ok(cut)
    }

    /// Cuts a mesh that another network has cut already; the winner of each face is its class.
    pub(super) fn over(mesh: Mesh, region: &Region) -> Result<Mesh, SectionError> {
        let mut mesh = mesh.with_width(columns_of(region));
        let (logits, _) = cut_cells(&mut mesh, region)?;
        cut_largest(&mut mesh, logits, region.logits.len())?;
        mesh.dissolve();
        Ok(mesh)
    }

    fn check(&self, what: &'static str, found: f64, allowed: f64) -> Result<(), SectionError> {
        match found.abs() <= allowed {
            true => Ok(()),
            false => Err(SectionError::SelfCheck {
                what,
                found,
                allowed,
            }),
        }
    }

    /// Cuts cells where the largest logit changes. Of equal logits the first class has the face.
    fn cut_classes(&mut self) -> Result<(), SectionError> {
        let (first, classes) = (self.logits, self.num_classes);
        cut_largest(&mut self.mesh, first, classes)?;
        self.mesh.dissolve();
        Ok(())
    }

    /// Cells of a network with one layer of single units: an arrangement of lines, whose cells are
    /// 1 + lines + crossings (Euler). Crossings closer than [`TOL_XY`] are one in the mesh and may
    /// be two here, so the count is bounded from both sides.
    fn check_euler(&self, region: &Region) -> Result<(), SectionError> {
        let single = |atom: &super::region::Atom| atom.functions.len() == 1 && atom.leak < 1.0;
        if region.layer_ends.len() != 1 || !region.atoms.iter().all(single) {
            return Ok(());
        }
        let outline: Vec<[f64; 2]> = (0..self.mesh.num_corners())
            .take_while(|&c| c < self.mesh.num_outline())
            .map(|c| [self.mesh.row(c)[1], self.mesh.row(c)[2]])
            .collect();
        let lines: Vec<[f64; 3]> = region.atoms.iter().map(|a| a.functions[0].base).collect();
        let [least, most] = super::arrangement::cells(&lines, &outline, region.half);
        match (least..=most).contains(&self.regions) {
            true => Ok(()),
            false => Err(SectionError::SelfCheck {
                what: "the cells of one hidden layer are not 1 + lines + crossings (Euler)",
                found: self.regions as f64,
                allowed: most as f64,
            }),
        }
    }

    /// Reads everything off.
    pub(super) fn section(&self) -> Result<PlaneSection, SectionError> {
        let (mut faces, number) = self.faces();
        let areas: Vec<f64> = self.mesh.faces().map(|f| self.mesh.area(f)).collect();
        let mut area_share = BTreeMap::new();
        for (&class, area) in faces.class.iter().zip(&areas) {
            *area_share.entry(usize::from(class)).or_insert(0.0) += area / self.area;
        }
        let edges = self.edges(&faces, &number)?;
        let components = self.components(&mut faces, &areas, &number, edges.parts);
        Ok(PlaneSection {
            label: SectionLabel::Exact,
            area: self.area,
            regions: self.regions,
            cells_after: self.cells_after.clone(),
            smallest_region_share: self.smallest / self.area,
            area_share,
            boundary_total: edges.boundary.values().sum(),
            boundary_length: (edges.boundary.into_iter())
                .map(|([a, b], length)| (format!("{a}-{b}"), length))
                .collect(),
            segments: edges.segments,
            segment_classes: edges.segment_classes,
            components,
            faces,
            area_defect: self.area_sum / self.area - 1.0,
            outline_defect: edges.outline - self.outline,
        })
    }

    /// The faces, and the number of each of the mesh's among them, which leaves those out that were
    /// joined.
    fn faces(&self) -> (Faces, Vec<u32>) {
        let mesh = &self.mesh;
        let mut number = vec![u32::MAX; mesh.side.len()];
        let mut cell_number = vec![u32::MAX; mesh.side.len()];
        let mut cells = 0;
        let mut faces = Faces {
            ends: vec![0],
            ..Faces::default()
        };
        for f in mesh.faces() {
            number[f] = faces.class.len() as u32;
            faces.xy.extend(mesh.corners(f).map(|c| mesh.xy[c]));
            faces.ends.push(faces.xy.len() as u32);
            faces.class.push(mesh.winner[f] as u16);
            let cell = &mut cell_number[mesh.tag[f] as usize];
            if *cell == u32::MAX {
                *cell = cells;
                cells += 1;
            }
            faces.region.push(*cell);
        }
        (faces, number)
    }

    /// Which faces touch: the boundary between those of two classes, and the parts that those of one
    /// class make.
    fn edges(&self, faces: &Faces, number: &[u32]) -> Result<Edges, SectionError> {
        let mesh = &self.mesh;
        let mut found = Edges {
            parts: Parts::new(faces.len()),
            boundary: BTreeMap::new(),
            segments: Vec::new(),
            segment_classes: Vec::new(),
            outline: 0.0,
        };
        for (ends, of) in mesh.edges() {
            match sides(of, number) {
                [Some(f), Some(g)] if faces.class[f] == faces.class[g] => found.parts.join(f, g),
                [Some(f), Some(g)] => {
                    let mut pair = [faces.class[f], faces.class[g]];
                    pair.sort_unstable();
                    *found.boundary.entry(pair).or_insert(0.0) += mesh.length(ends);
                    let [a, b] = ends.map(|c| mesh.xy[c]);
                    found.segments.push([a[0], a[1], b[0], b[1]]);
                    found.segment_classes.push(pair);
                }
                _ => found.outline += mesh.length(ends),
            }
        }
        self.check(
            "the edges with one side do not sum to the outline of a plane; relative difference",
            found.outline / self.outline - 1.0,
            OUTLINE_TOLERANCE,
        )?;
        Ok(found)
    }

    /// Connected parts by class, within a class the largest first; each face is told its own.
    fn components(
        &self,
        faces: &mut Faces,
        areas: &[f64],
        number: &[u32],
        mut parts: Parts,
    ) -> Vec<Component> {
        let roots: Vec<usize> = (0..areas.len()).map(|f| parts.root(f)).collect();
        // Area and outline of each root.
        let mut of_root = vec![[0.0; 2]; areas.len()];
        for (&root, area) in roots.iter().zip(areas) {
            of_root[root][0] += area;
        }
        for (ends, of) in self.mesh.edges() {
            let [a, b] = sides(of, number).map(|f| f.map(|f| roots[f]));
            if a != b {
                for root in [a, b].into_iter().flatten() {
                    of_root[root][1] += self.mesh.length(ends);
                }
            }
        }
        let mut order: Vec<usize> = (0..areas.len()).filter(|&f| roots[f] == f).collect();
        order.sort_by(|&f, &g| {
            let classes = faces.class[f].cmp(&faces.class[g]);
            classes.then(of_root[g][0].total_cmp(&of_root[f][0]))
        });
        let mut place = vec![0; areas.len()];
        for (k, &root) in order.iter().enumerate() {
            place[root] = k as u32;
        }
        faces.component = roots.iter().map(|&root| place[root]).collect();
        let component = |root: usize| {
            let [area, outline] = of_root[root];
            Component {
                class: faces.class[root].into(),
                area_share: area / self.area,
                outline,
                mean_width: 2.0 * area / outline,
            }
        };
        order.into_iter().map(component).collect()
    }
}

/// What edges between faces say.
struct Edges {
    parts: Parts,
    boundary: BTreeMap<[u16; 2], f64>,
    segments: Vec<[f64; 4]>,
    segment_classes: Vec<[u16; 2]>,
    /// Length of the edges with one side.
    outline: f64,
}

/// The mesh's faces beside an edge by their numbers.
fn sides(of: [Option<usize>; 2], number: &[u32]) -> [Option<usize>; 2] {
    of.map(|f| f.map(|f| number[f] as usize))
}

pub(super) fn shoelace(polygon: &[[f64; 2]]) -> f64 {
    let from = |p: [f64; 2]| [p[0] - polygon[0][0], p[1] - polygon[0][1]];
    let pairs = polygon
        .windows(2)
        .map(|pair| [from(pair[0]), from(pair[1])]);
    pairs.map(|[a, b]| a[0] * b[1] - b[0] * a[1]).sum::<f64>() / 2.0
}

/// Sets that are joined (union-find, by the lowest number).
pub(super) struct Parts {
    parent: Vec<usize>,
}

impl Parts {
    pub(super) fn new(count: usize) -> Self {
        Self {
            parent: (0..count).collect(),
        }
    }

    pub(super) fn root(&mut self, mut k: usize) -> usize {
        while self.parent[k] != k {
            self.parent[k] = self.parent[self.parent[k]];
            k = self.parent[k];
        }
        k
    }

    pub(super) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }
}
