//! Minima, saddles and maxima of a field, counted so that they obey Euler's relation.
//!
//! The grid is cut into triangles by one diagonal of each cell (Freudenthal's triangulation),
//! and points are compared by (value, row-major index), so plateaus need no rule of their own.
//! Comparing a point with its eight neighbours was rejected: that count obeys no relation, so
//! nothing could tell whether it is right.

use super::grid::{Rimmed, check_ordered};
use pulp::{Arch, Simd, WithSimd};

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
    critical_points_of(&Rimmed::new(field, shape))
}

/// The same of a field without NaN and with a rim.
pub(super) fn critical_points_of(field: &Rimmed) -> CriticalPoints {
    let mut rings = vec![0; field.values().len()];
    Arch::new().dispatch(LowerRings {
        field,
        rings: &mut rings,
    });
    let mut found = CriticalPoints::default();
    let points = field.rows().flatten().enumerate();
    for (point, ring) in points.map(|(point, place)| (point, rings[place] as usize)) {
        match KINDS[ring] {
            Kind::Regular => {}
            Kind::Minimum => found.minima.push(point),
            Kind::Maximum => found.maxima.push(point),
            Kind::Saddle(multiplicity) => found.saddles.push((point, multiplicity)),
        }
    }
    found
}

/// What a point is.
#[derive(Clone, Copy)]
enum Kind {
    Regular,
    Minimum,
    Maximum,
    /// With its multiplicity.
    Saddle(usize),
}

/// What a point is by which of its ring are lower, a bit each.
const KINDS: [Kind; 1 << RING.len()] = {
    let mut kinds = [Kind::Regular; 1 << RING.len()];
    let mut ring = 0;
    while ring < kinds.len() {
        let next = (ring >> 1) | (ring & 1) << (RING.len() - 1);
        let (vertices, edges) = (ring.count_ones(), (ring & next).count_ones());
        kinds[ring] = match (vertices, vertices - edges) {
            (0, _) => Kind::Minimum,
            (6, _) => Kind::Maximum,
            (_, chi) if chi >= 2 => Kind::Saddle(chi as usize - 1),
            _ => Kind::Regular,
        };
        ring += 1;
    }
    kinds
};

/// Finds which of each point's ring are lower than it.
struct LowerRings<'a> {
    field: &'a Rimmed,
    /// Of each place, a bit each.
    rings: &'a mut [u64],
}

impl WithSimd for LowerRings<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, simd: V) {
        let row_places = self.field.row_places() as isize;
        for first in self.field.first_places() {
            let rings = &mut self.rings[first..][..self.field.row_blocks()];
            let (rings, _) = V::as_mut_simd_u64s(rings);
            for (n, ring) in rings.iter_mut().enumerate() {
                let place = first + n * V::F64_LANES;
                let own = self.field.vector::<V>(place);
                let mut lower = simd.splat_u64s(0);
                for (bit, [rows, columns]) in RING.into_iter().enumerate() {
                    let step = rows * row_places + columns;
                    let other = self.field.vector::<V>(place.wrapping_add_signed(step));
                    // Of equal values the first is lower.
                    let is_lower = match step < 0 {
                        true => simd.less_than_or_equal_f64s(other, own),
                        false => simd.less_than_f64s(other, own),
                    };
                    let bit = simd.splat_u64s(1 << bit);
                    lower = simd.select_u64s(is_lower, simd.or_u64s(lower, bit), lower);
                }
                *ring = lower;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::Scalar;

    #[test]
    fn a_value_at_a_time_finds_the_same_as_vectors() {
        let values: Vec<f64> = (0..91).map(|k| f64::from(k * k * 31 % 7)).collect();
        let field = Rimmed::new(&values, [7, 13]);
        let [mut alone, mut found] = [(); 2].map(|()| vec![0; field.values().len()]);
        Scalar.vectorize(LowerRings {
            field: &field,
            rings: &mut alone,
        });
        Arch::new().dispatch(LowerRings {
            field: &field,
            rings: &mut found,
        });
        for place in field.rows().flatten() {
            assert_eq!(alone[place], found[place]);
        }
    }
}
