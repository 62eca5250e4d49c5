//! Minima, saddles and maxima of a field, counted so that they obey Euler's relation.
//!
//! The grid is cut into triangles by one diagonal of each cell (Freudenthal's triangulation),
//! and points are compared by (value, row-major index), so plateaus need no rule of their own.
//! Comparing a point with its eight neighbours was rejected: that count obeys no relation, so
//! nothing could tell whether it is right.

use super::grid::{Rimmed, check_ordered};

/// The six neighbours of a point in the triangulation in ring order: E, SE, S, W, NW, N. Each
/// and the next are neighbours, too.
const RING: [[isize; 2]; 6] = [[0, 1], [1, 1], [1, 0], [0, -1], [-1, -1], [-1, 0]];

/// The critical points of a field, by row-major index, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CriticalPoints {
    /// Points without a lower neighbour.
    pub minima: Vec<usize>,
    /// Saddles, each with its multiplicity: 1 where the lower neighbours fall into two groups,
    /// 2 (a monkey saddle) where into three. On the rim also where a path along it has a
    /// highest point that the interior rises above.
    pub saddles: Vec<(usize, usize)>,
    /// Points of the interior without a higher neighbour. Those of the rim are no critical
    /// points: their index is 0.
    pub maxima: Vec<usize>,
}

impl CriticalPoints {
    /// Number of saddles, each counted as often as its multiplicity says.
    pub fn num_saddles(&self) -> usize {
        self.saddles
            .iter()
            .map(|&(_, multiplicity)| multiplicity)
            .sum()
    }

    /// Leaves the points that `keep` keeps.
    pub fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        self.minima.retain(|&k| keep(k));
        self.saddles.retain(|&(k, _)| keep(k));
        self.maxima.retain(|&k| keep(k));
    }

    /// `#minima - #saddles + #maxima`, the sum of all indices: 1 on every field, as the Euler
    /// characteristic of a rectangle is. The self-check of the count.
    pub fn index_sum(&self) -> isize {
        (self.minima.len() + self.maxima.len()) as isize - self.num_saddles() as isize
    }
}

/// The critical points of `field` on Freudenthal's triangulation (Banchoff 1970): with
/// `chi = V - E` of a point's lower link, a minimum where the link is empty, a maximum where it
/// is the whole ring of six, a saddle of multiplicity `chi - 1` where `chi >= 2`.
///
/// `field` is `[rows, columns]`, row-major.
///
/// # Panics
/// When `field` does not fill `shape` or holds a NaN.
pub fn critical_points(field: &[f64], shape: [usize; 2]) -> CriticalPoints {
    check_ordered(field, shape);
    let mut found = CriticalPoints::default();
    let rimmed = Rimmed::new(field, shape);
    let ring = rimmed.steps(RING);
    rimmed.for_each(|k, place| {
        let lower: [bool; RING.len()] = std::array::from_fn(|n| {
            rimmed.is_lower(place.wrapping_add_signed(ring[n].place), place)
        });
        let vertices = lower.iter().filter(|&&is_in| is_in).count();
        let edges = (0..6).filter(|&n| lower[n] && lower[(n + 1) % 6]).count();
        match (vertices, vertices - edges) {
            (0, _) => found.minima.push(k),
            (6, _) => found.maxima.push(k),
            (_, chi) if chi >= 2 => found.saddles.push((k, chi - 1)),
            _ => {}
        }
    });
    found
}
