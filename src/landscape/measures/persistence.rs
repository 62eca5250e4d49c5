//! How deep the basins of a field are: 0-dimensional persistence of its sublevel sets.

use super::basins::Basins;
use super::grid::{Connectivity, Rimmed, check_ordered};
use super::union_find::UnionFind;

/// A basin of a field: the level where it appears and the level where it joins a deeper one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// Value of its minimum.
    pub birth: f64,
    /// Value of the pass to a basin whose minimum comes earlier; infinite for the first basin,
    /// which never ends.
    pub death: f64,
}

impl Bar {
    /// `death - birth`: how far one must climb to leave.
    pub fn length(self) -> f64 {
        self.death - self.birth
    }
}

/// 0-dimensional persistence of the sublevel sets `{field <= u}`: points enter in the order
/// (value, row-major index); where two basins meet, the one born later ends (elder rule).
/// Bars of length 0 are left out, the rest stand in order of birth, so the endless one first.
/// Source: Edelsbrunner, Letscher and Zomorodian 2002.
///
/// `field` is `[rows, columns]`, row-major; bars are in its unit. On a field without ties there
/// are as many bars as points without a lower neighbour, of the same connectivity.
///
/// # Panics
/// When `field` does not fill `shape` or holds a NaN.
pub fn persistence(field: &[f64], shape: [usize; 2], connectivity: Connectivity) -> Vec<Bar> {
    check_ordered(field, shape);
    persistence_of(&Rimmed::new(field, shape), connectivity)
}

/// The same of a field without NaN and with a rim.
pub(super) fn persistence_of(field: &Rimmed, connectivity: Connectivity) -> Vec<Bar> {
    let basins = Basins::new(field, connectivity);
    // The root of a set is its first basin, so its birth.
    let mut sets = UnionFind::new(basins.minima.len());
    let mut deaths = vec![f64::INFINITY; basins.minima.len()];
    for (higher, [one, other]) in basins.meetings {
        let (one, other) = (sets.root(one as usize), sets.root(other as usize));
        if one != other {
            let (elder, younger) = (one.min(other), one.max(other));
            sets.attach(younger, elder);
            deaths[younger] = field.value(higher.place());
        }
    }
    let bars = (basins.minima.iter().zip(deaths)).map(|(minimum, death)| Bar {
        birth: field.value(minimum.place()),
        death,
    });
    bars.filter(|bar| bar.death > bar.birth).collect()
}

/// Number of bars longer than `threshold`, in the field's unit; the endless one counts, so it
/// is the number of basins deeper than the threshold, at least 1 on a grid with points.
pub fn num_bars_above(bars: &[Bar], threshold: f64) -> usize {
    bars.iter().filter(|bar| bar.length() > threshold).count()
}
