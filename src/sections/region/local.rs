//! What a step of the network gives on a box, and how it goes through an affine step: the part that is
//! affine in the place by unit, and for each atom what it adds where.

use super::super::forward::{self, Part, seen_by, taps};
use super::super::network::Op;
use super::{Atom, Form, Row};

/// What a step gives on the box: the affine part by unit, and for each atom what it adds where.
pub(super) struct Local {
    pub(super) base: [Vec<f64>; 3],
    pub(super) columns: Vec<Column>,
}

pub(super) struct Column {
    pub(super) atom: u32,
    pub(super) entries: Vec<(u32, f64)>,
}

/// The columns turned round: the terms of each unit, ascending by atom.
pub(super) struct Terms {
    ends: Vec<usize>,
    terms: Vec<(u32, f64)>,
}

impl Terms {
    pub(super) fn new(local: &Local) -> Self {
        let units = local.base[0].len();
        let mut ends = vec![0; units + 1];
        let entries = || local.columns.iter().flat_map(|c| c.entries.iter());
        for &(unit, _) in entries() {
            ends[unit as usize + 1] += 1;
        }
        for u in 0..units {
            ends[u + 1] += ends[u];
        }
        let mut next = ends.clone();
        let mut terms = vec![(0, 0.0); ends[units]];
        for column in &local.columns {
            for &(unit, c) in &column.entries {
                terms[next[unit as usize]] = (column.atom, c);
                next[unit as usize] += 1;
            }
        }
        Self { ends, terms }
    }

    pub(super) fn of(&self, unit: usize) -> &[(u32, f64)] {
        &self.terms[self.ends[unit]..self.ends[unit + 1]]
    }
}

impl Local {
    pub(super) fn row(&self, terms: &Terms, unit: usize) -> Row {
        Row {
            base: [0, 1, 2].map(|k| self.base[k][unit]),
            terms: terms.of(unit).to_vec(),
        }
    }

    pub(super) fn forms(&self, atoms: &[Atom]) -> Vec<Form> {
        let units = 0..self.base[0].len();
        let mut forms: Vec<Form> = units
            .map(|u| Form {
                m: self.base[0][u],
                p: self.base[1][u],
                q: self.base[2][u],
                e: 0.0,
            })
            .collect();
        for column in &self.columns {
            let of = atoms[column.atom as usize].form;
            for &(unit, c) in &column.entries {
                let form = &mut forms[unit as usize];
                form.m += c * of.m;
                form.p += c * of.p;
                form.q += c * of.q;
                form.e += c.abs() * of.e;
            }
        }
        forms
    }
}

pub(super) fn local(base: [Vec<f64>; 3], columns: Vec<Vec<(u32, f64)>>) -> Local {
    let columns = columns.into_iter().enumerate();
    Local {
        base,
        columns: columns
            .filter(|(_, entries)| !entries.is_empty())
            .map(|(atom, entries)| Column {
                atom: atom as u32,
                entries,
            })
            .collect(),
    }
}

/// An affine step on the box.
pub(super) fn affine(op: &Op, takes: &[&Local], outputs: usize) -> Local {
    let base = [Part::Whole, Part::Linear, Part::Linear];
    let base = [0, 1, 2].map(|k| {
        let rows: Vec<&[f64]> = takes.iter().map(|local| &local.base[k][..]).collect();
        forward::affine(op, &rows, outputs, base[k]).expect("an affine step")
    });
    let from = takes[0];
    let mut dense = vec![0.0; outputs];
    let mut gathered = |column: &Column| -> Vec<(u32, f64)> {
        match op {
            Op::Dense { weight, .. } => {
                dense.fill(0.0);
                for &(unit, c) in &column.entries {
                    let row = &weight[unit as usize * outputs..][..outputs];
                    dense.iter_mut().zip(row).for_each(|(y, w)| *y += c * w);
                }
                nonzero(&dense, 0).collect()
            }
            Op::Conv {
                windows, weight, ..
            } => {
                let (channels, fan) = (windows.input[2], windows.output[2]);
                let mut pixels: Vec<usize> = Vec::new();
                for &(unit, c) in &column.entries {
                    let (pixel, channel) = (unit as usize / channels, unit as usize % channels);
                    for (tap, out) in seen_by(windows, pixel) {
                        pixels.push(out);
                        let row = &weight[(tap * channels + channel) * fan..][..fan];
                        let y = &mut dense[out * fan..][..fan];
                        y.iter_mut().zip(row).for_each(|(y, w)| *y += c * w);
                    }
                }
                pixels.sort_unstable();
                pixels.dedup();
                let mut entries = Vec::with_capacity(pixels.len() * fan);
                for pixel in pixels {
                    let y = &mut dense[pixel * fan..][..fan];
                    entries.extend(nonzero(y, pixel * fan));
                    y.fill(0.0);
                }
                entries
            }
            Op::Average(windows) => {
                let channels = windows.input[2];
                let mut touched: Vec<usize> = Vec::new();
                for &(unit, c) in &column.entries {
                    let (pixel, channel) = (unit as usize / channels, unit as usize % channels);
                    for (_, out) in seen_by(windows, pixel) {
                        let place = [out / windows.output[1], out % windows.output[1]];
                        let count = taps(windows, place[0], place[1]).count();
                        dense[out * channels + channel] += c / count as f64;
                        touched.push(out * channels + channel);
                    }
                }
                touched.sort_unstable();
                touched.dedup();
                let entry = |unit: usize| (unit as u32, std::mem::take(&mut dense[unit]));
                touched.into_iter().map(entry).collect()
            }
            Op::Scale { scale, .. } => {
                let scaled = column.entries.iter();
                scaled
                    .map(|&(unit, c)| (unit, c * scale[unit as usize]))
                    .collect()
            }
            Op::Add | Op::Largest { .. } | Op::Smooth(_) => column.entries.clone(),
        }
    };
    if !matches!(op, Op::Add) {
        let columns = from.columns.iter().map(|column| Column {
            atom: column.atom,
            entries: gathered(column),
        });
        return Local {
            base,
            columns: columns
                .filter(|column| !column.entries.is_empty())
                .collect(),
        };
    }
    // A sum: columns of one atom become one, entries of one unit one.
    let atoms = takes
        .iter()
        .flat_map(|local| &local.columns)
        .map(|c| c.atom as usize + 1);
    let mut columns: Vec<Vec<(u32, f64)>> = vec![Vec::new(); atoms.max().unwrap_or(0)];
    for column in takes.iter().flat_map(|local| &local.columns) {
        columns[column.atom as usize].extend_from_slice(&column.entries);
    }
    for entries in &mut columns {
        entries.sort_by_key(|&(unit, _)| unit);
        entries.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.1 += later.1;
            }
            same
        });
    }
    local(base, columns)
}

fn nonzero(values: &[f64], first: usize) -> impl Iterator<Item = (u32, f64)> + '_ {
    let entries = values.iter().enumerate().filter(|(_, v)| **v != 0.0);
    entries.map(move |(k, &v)| ((first + k) as u32, v))
}
