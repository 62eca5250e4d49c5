//! Cutting a polygon into the cells of a network's region: layer by layer the values at all corners as one
//! matrix product, then a cut an atom.

use super::super::SectionError;
use super::super::mesh::{Cut, Mesh};
use super::super::region::{Atom, Region, Row};
use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayViewMut2, Axis};

/// Columns of the place: 1, and the two coordinates in the region's frame.
const PLACE: usize = 3;

/// Columns that cutting a region takes: the place and the atoms of earlier layers beside the functions of
/// the widest layer, or beside each logit and the largest.
pub(super) fn columns_of(region: &Region) -> usize {
    let (mut first, mut most) = (0, region.atoms.len() + region.logits.len() + 1);
    for &end in &region.layer_ends {
        let functions = region.atoms[first..end].iter();
        let functions: usize = functions.map(|atom| atom.functions.len()).sum();
        most = most.max(first + functions);
        first = end;
    }
    PLACE + most
}

/// Cuts cells layer by layer and atom by atom; gives the column of the first logit, and the faces
/// after each layer.
pub(super) fn cut_cells(
    mesh: &mut Mesh,
    region: &Region,
) -> Result<(usize, Vec<usize>), SectionError> {
    for c in 0..mesh.num_corners() {
        let xy = mesh.xy[c];
        let row = mesh.row_mut(c);
        row[0] = 1.0;
        row[1] = (xy[0] - region.centre[0]) / region.half[0];
        row[2] = (xy[1] - region.centre[1]) / region.half[1];
    }
    mesh.used = PLACE;
    let (mut first, mut cells_after) = (0, Vec::new());
    for &end in &region.layer_ends {
        let atoms = &region.atoms[first..end];
        let functions: Vec<&Row> = atoms.iter().flat_map(|atom| &atom.functions).collect();
        evaluate(mesh, &functions);
        let mut column = PLACE + first;
        for atom in atoms {
            cut_atom(mesh, column, atom.functions.len(), atom.leak)?;
            column += atom.functions.len();
        }
        keep_values(mesh, first, atoms);
        cells_after.push(mesh.num_faces());
        first = end;
    }
    let logits = mesh.used;
    let rows: Vec<&Row> = region.logits.iter().collect();
    evaluate(mesh, &rows);
    Ok((logits, cells_after))
}

/// Moves the values of a layer's atoms, each of which stands in the first column of its functions, side by
/// side after the `first` atoms of earlier layers: atom `k` is column `PLACE + k` from then on, and no
/// later cut mixes functions that nobody needs any more.
fn keep_values(mesh: &mut Mesh, first: usize, atoms: &[Atom]) {
    for c in 0..mesh.num_corners() {
        let row = mesh.row_mut(c);
        let mut from = PLACE + first;
        for (to, atom) in (PLACE + first..).zip(atoms) {
            row[to] = row[from];
            from += atom.functions.len();
        }
    }
    mesh.used = PLACE + first + atoms.len();
}

/// Adds the columns of rows over the place and the atoms at all corners.
fn evaluate(mesh: &mut Mesh, rows: &[&Row]) {
    let (used, width) = (mesh.used, mesh.width);
    let mut weights = Array2::<f64>::zeros((used, rows.len()));
    for (k, row) in rows.iter().enumerate() {
        for (at, &base) in row.base.iter().enumerate() {
            weights[[at, k]] = base;
        }
        for &(atom, c) in &row.terms {
            weights[[PLACE + atom as usize, k]] += c;
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
pub(in crate::sections) fn cut_largest(
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
