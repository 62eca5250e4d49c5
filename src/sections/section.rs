//! Exact plane sections: a convex polygon of a plane cut into the cells on which every step of the
//! network is affine, the cells into faces of one class, and what is measured on them.
//!
//! ```text
//! network ─ region ─> atoms of the polygon's box ─ one cut an atom ─> cells ─ logits ─> faces
//! ```

use super::mesh::{Cut, Mesh};
use super::network::SectionNetwork;
use super::plane::ItemPlane;
use super::region::{Region, Row};
use super::{SectionError, SectionLabel, TOL_XY};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayViewMut2, Axis};
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
    check_plane(network, plane)?;
    let region = region_of(network, plane, polygon)?;
    let cut = CutPlane::new(&region, polygon, options)?;
    cut.check_euler(&region)?;
    cut.section()
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
        let mesh = &self.mesh;
        // Faces and cells by number, without those that were joined.
        let mut number = vec![u32::MAX; mesh.side.len()];
        let mut cell_number: BTreeMap<u32, u32> = BTreeMap::new();
        let mut faces = Faces {
            ends: vec![0],
            ..Faces::default()
        };
        let mut areas = Vec::with_capacity(mesh.num_faces());
        for f in mesh.faces() {
            number[f] = areas.len() as u32;
            areas.push(mesh.area(f));
            faces.xy.extend(mesh.corners(f).map(|c| mesh.xy[c]));
            faces.ends.push(faces.xy.len() as u32);
            faces.class.push(mesh.winner[f] as u16);
            let cells = cell_number.len() as u32;
            faces
                .region
                .push(*cell_number.entry(mesh.tag[f]).or_insert(cells));
        }
        let mut area_share = BTreeMap::new();
        for (&class, area) in faces.class.iter().zip(&areas) {
            *area_share.entry(usize::from(class)).or_insert(0.0) += area / self.area;
        }
        let mut parts = Parts::new(areas.len());
        let mut boundary: BTreeMap<[u16; 2], f64> = BTreeMap::new();
        let (mut segments, mut segment_classes) = (Vec::new(), Vec::new());
        let mut outline = 0.0;
        let sides = |sides: [Option<usize>; 2]| sides.map(|f| f.map(|f| number[f] as usize));
        for (ends, of) in mesh.edges() {
            match sides(of) {
                [Some(f), Some(g)] if faces.class[f] == faces.class[g] => parts.join(f, g),
                [Some(f), Some(g)] => {
                    let mut pair = [faces.class[f], faces.class[g]];
                    pair.sort_unstable();
                    *boundary.entry(pair).or_insert(0.0) += mesh.length(ends);
                    let [a, b] = ends.map(|c| mesh.xy[c]);
                    segments.push([a[0], a[1], b[0], b[1]]);
                    segment_classes.push(pair);
                }
                _ => outline += mesh.length(ends),
            }
        }
        self.check(
            "the edges with one side do not sum to the outline of a plane; relative difference",
            outline / self.outline - 1.0,
            OUTLINE_TOLERANCE,
        )?;
        let mut of_root: BTreeMap<usize, [f64; 2]> = BTreeMap::new();
        for (f, area) in areas.iter().enumerate() {
            of_root.entry(parts.root(f)).or_default()[0] += area;
        }
        for (ends, of) in mesh.edges() {
            let roots = sides(of).map(|f| f.map(|f| parts.root(f)));
            if roots[0] != roots[1] {
                for root in roots.into_iter().flatten() {
                    of_root.entry(root).or_default()[1] += mesh.length(ends);
                }
            }
        }
        let mut roots: Vec<(usize, [f64; 2])> = of_root.into_iter().collect();
        roots.sort_by(|(f, a), (g, b)| {
            let classes = faces.class[*f].cmp(&faces.class[*g]);
            classes.then(b[0].total_cmp(&a[0]))
        });
        let place: BTreeMap<usize, u32> = roots
            .iter()
            .enumerate()
            .map(|(k, (root, _))| (*root, k as u32))
            .collect();
        faces.component = (0..areas.len()).map(|f| place[&parts.root(f)]).collect();
        let components = roots
            .iter()
            .map(|&(root, [area, outline])| Component {
                class: faces.class[root].into(),
                area_share: area / self.area,
                outline,
                mean_width: 2.0 * area / outline,
            })
            .collect();
        Ok(PlaneSection {
            label: SectionLabel::Exact,
            area: self.area,
            regions: self.regions,
            cells_after: self.cells_after.clone(),
            smallest_region_share: self.smallest / self.area,
            area_share,
            boundary_total: boundary.values().sum(),
            boundary_length: boundary
                .into_iter()
                .map(|([a, b], length)| (format!("{a}-{b}"), length))
                .collect(),
            segments,
            segment_classes,
            components,
            faces,
            area_defect: self.area_sum / self.area - 1.0,
            outline_defect: outline - self.outline,
        })
    }
}

/// Columns that cutting a region takes: the place, each function, each logit and the largest.
fn columns_of(region: &Region) -> usize {
    3 + region.num_functions() + region.logits.len() + 1
}

/// Cuts cells layer by layer and atom by atom; gives the column of the first logit, and the faces
/// after each layer.
fn cut_cells(mesh: &mut Mesh, region: &Region) -> Result<(usize, Vec<usize>), SectionError> {
    for c in 0..mesh.num_corners() {
        let xy = mesh.xy[c];
        let row = mesh.row_mut(c);
        row[0] = 1.0;
        row[1] = (xy[0] - region.centre[0]) / region.half[0];
        row[2] = (xy[1] - region.centre[1]) / region.half[1];
    }
    mesh.used = 3;
    let mut columns: Vec<usize> = Vec::with_capacity(region.atoms.len());
    let (mut first, mut cells_after) = (0, Vec::new());
    for &end in &region.layer_ends {
        let atoms = &region.atoms[first..end];
        let functions: Vec<&Row> = atoms.iter().flat_map(|atom| &atom.functions).collect();
        evaluate(mesh, &functions, &columns);
        let mut column = mesh.used - functions.len();
        for atom in atoms {
            cut_atom(mesh, column, atom.functions.len(), atom.leak)?;
            columns.push(column);
            column += atom.functions.len();
        }
        cells_after.push(mesh.num_faces());
        first = end;
    }
    let logits = mesh.used;
    let rows: Vec<&Row> = region.logits.iter().collect();
    evaluate(mesh, &rows, &columns);
    Ok((logits, cells_after))
}

/// Adds the columns of rows at all corners.
fn evaluate(mesh: &mut Mesh, rows: &[&Row], columns: &[usize]) {
    let (used, width) = (mesh.used, mesh.width);
    let mut weights = Array2::<f64>::zeros((used, rows.len()));
    for (k, row) in rows.iter().enumerate() {
        for (at, &base) in row.base.iter().enumerate() {
            weights[[at, k]] = base;
        }
        for &(atom, c) in &row.terms {
            weights[[columns[atom as usize], k]] += c;
        }
    }
    let corners = mesh.num_corners();
    let values = ArrayViewMut2::from_shape((corners, width), &mut mesh.values)
        .expect("values are [corners, width]");
    let (known, rest) = values.split_at(Axis(1), used);
    let (mut new, _) = rest.split_at(Axis(1), rows.len());
    general_mat_mul(1.0, &known, &weights, 0.0, &mut new);
    mesh.used += rows.len();
}

/// Cuts along the bends of `max_i max(u_i, leak u_i)`, whose functions stand in `count` columns from
/// `column` on, and leaves its value in the first.
fn cut_atom(mesh: &mut Mesh, column: usize, count: usize, leak: f64) -> Result<(), SectionError> {
    let may_undo = count > 1;
    if may_undo {
        mesh.retag();
    }
    if leak == 0.0 {
        // 0 first: where it is largest nothing below it needs cuts among itself.
        for k in 0..count {
            let cut = match k {
                0 => Cut::Zero(column),
                _ => Cut::Difference(column + k, column),
            };
            mesh.cut(cut)?;
            if may_undo {
                award(mesh, k as u32 + 1);
            }
            for c in 0..mesh.num_corners() {
                let row = mesh.row_mut(c);
                row[column] = if k == 0 {
                    row[column].max(0.0)
                } else {
                    row[column].max(row[column + k])
                };
            }
        }
    } else {
        for k in 1..count {
            mesh.cut(Cut::Difference(column + k, column))?;
            award(mesh, k as u32);
            for c in 0..mesh.num_corners() {
                let row = mesh.row_mut(c);
                row[column] = row[column].max(row[column + k]);
            }
        }
        if leak < 1.0 {
            mesh.cut(Cut::Zero(column))?;
            if may_undo {
                // Above and below 0 are different functions of each value.
                for f in mesh.faces().collect::<Vec<_>>() {
                    mesh.winner[f] = 2 * mesh.winner[f] + u32::from(mesh.is_above(f));
                }
            }
            for c in 0..mesh.num_corners() {
                let row = mesh.row_mut(c);
                row[column] = row[column].max(leak * row[column]);
            }
        }
    }
    if may_undo {
        mesh.dissolve();
    }
    Ok(())
}

/// Faces above 0 in the last cut go to `winner`.
fn award(mesh: &mut Mesh, winner: u32) {
    for f in 0..mesh.side.len() {
        if mesh.is_face(f) && mesh.is_above(f) {
            mesh.winner[f] = winner;
        }
    }
}

/// Cuts where the largest of `count` columns changes; the winner of each face is its place among
/// them, of equal ones the first. The column after them holds the largest.
pub(super) fn cut_largest(
    mesh: &mut Mesh,
    column: usize,
    count: usize,
) -> Result<(), SectionError> {
    mesh.retag();
    let most = column + count;
    for c in 0..mesh.num_corners() {
        let row = mesh.row_mut(c);
        row[most] = row[column];
    }
    mesh.used = mesh.used.max(most + 1);
    for k in 1..count {
        mesh.cut(Cut::Difference(column + k, most))?;
        award(mesh, k as u32);
        for c in 0..mesh.num_corners() {
            let row = mesh.row_mut(c);
            row[most] = row[most].max(row[column + k]);
        }
    }
    Ok(())
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
