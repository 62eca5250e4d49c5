//! The basins of a field: its points by the minimum that each falls into, and where two basins meet.
//!
//! Whoever enters a field point by point, in ascending order, joins basins at these meetings and
//! nowhere else: every other point joins the basin of its lowest neighbour the moment it enters. There
//! are far fewer meetings than points, so that little is left to sort.

use super::grid::{Connectivity, Rank, Rimmed};
use pulp::{Arch, Simd, WithSimd};

/// A field's basins, by number. Points are named by their places in the field with its rim.
pub(super) struct Basins {
    /// Each one's minimum, ascending by value.
    pub(super) minima: Vec<Rank>,
    /// The basin of each place that is a point.
    pub(super) of: Vec<u32>,
    /// Neighbours in two basins: the higher one, and the basins; ascending by it.
    pub(super) meetings: Vec<(Rank, [u32; 2])>,
}

impl Basins {
    /// The basins of a field without NaN: from each point one steps to the lowest neighbour that is
    /// lower, in the order (value, row-major index).
    pub(super) fn new(field: &Rimmed, connectivity: Connectivity) -> Self {
        let mut lowest = vec![0u64; field.values().len()];
        Arch::new().dispatch(LowestAround {
            field,
            connectivity,
            lowest: &mut lowest,
        });
        let mut minima = Vec::new();
        for row in field.rows() {
            for at in row {
                if lowest[at] == at as u64 {
                    minima.push(field.rank(at));
                }
            }
        }
        minima.sort_unstable();
        let mut of = vec![NO_POINT; field.values().len()];
        let mut meetings = Vec::new();
        if minima.len() > 1 {
            lead_to_ends(field, &mut lowest);
            // A minimum's end is itself.
            for (basin, minimum) in minima.iter().enumerate() {
                of[minimum.place()] = basin as u32;
            }
            for row in field.rows() {
                for at in row {
                    of[at] = of[lowest[at] as usize];
                }
            }
            for (at, other) in meeting_places(field, connectivity, &of) {
                let higher = field.rank(at).max(field.rank(other));
                meetings.push((higher, [of[at], of[other]]));
            }
            meetings.sort_unstable_by_key(|&(higher, _)| higher);
        } else {
            for row in field.rows() {
                of[row].fill(0);
            }
        }
        Self {
            minima,
            of,
            meetings,
        }
    }
}

/// The basin of a place that is no point.
const NO_POINT: u32 = u32::MAX;

/// Follows the steps from each point until they end.
fn lead_to_ends(field: &Rimmed, lowest: &mut [u64]) {
    loop {
        // Each time they are at least twice as long. Following one after the other to its end would
        // take fewer steps, but a processor cannot guess how many.
        let mut moved = 0;
        for row in field.rows() {
            for at in row {
                let next = lowest[lowest[at] as usize];
                moved |= next ^ lowest[at];
                lowest[at] = next;
            }
        }
        if moved == 0 {
            return;
        }
    }
}

/// Neighbours in two basins, the later one first.
fn meeting_places(field: &Rimmed, connectivity: Connectivity, of: &[u32]) -> Vec<(usize, usize)> {
    let steps = connectivity.steps_back(field.row_places());
    let mut found = Vec::new();
    let mut differs = vec![0; field.row_blocks()];
    for first in field.first_places() {
        let own = &of[first..][..differs.len()];
        differs.fill(0);
        for step in steps.iter() {
            let others = &of[first - step..][..differs.len()];
            for k in 0..differs.len() {
                differs[k] |= own[k] ^ others[k];
            }
        }
        for (n, differs) in differs.chunks_exact(8).enumerate() {
            if differs.iter().fold(0, |all, one| all | one) == 0 {
                continue;
            }
            for k in (8 * n..8 * n + 8).filter(|k| own[*k] != NO_POINT) {
                let at = first + k;
                let others = steps.iter().map(|step| at - step);
                let others = others.filter(|&other| of[other] != own[k] && of[other] != NO_POINT);
                found.extend(others.map(|other| (at, other)));
            }
        }
    }
    found
}

/// Finds the lowest of each point and its neighbours.
struct LowestAround<'a> {
    field: &'a Rimmed,
    connectivity: Connectivity,
    /// Of each place.
    lowest: &'a mut [u64],
}

impl WithSimd for LowestAround<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, simd: V) {
        // Of equal neighbours the first counts as the lowest: earlier ones are compared nearest first
        // and win ties.
        let steps = self.connectivity.steps_back(self.field.row_places());
        let lanes: Vec<u64> = (0..V::U64_LANES as u64).collect();
        let lanes = simd.partial_load_u64s(&lanes);
        let at = |place: usize| simd.add_u64s(simd.splat_u64s(place as u64), lanes);
        for first in self.field.first_places() {
            let lowest = &mut self.lowest[first..][..self.field.row_blocks()];
            let (lowest, _) = V::as_mut_simd_u64s(lowest);
            for (n, lowest) in lowest.iter_mut().enumerate() {
                let place = first + n * V::F64_LANES;
                let (mut least, mut least_at) = (self.field.vector::<V>(place), at(place));
                for &step in &steps {
                    let other = self.field.vector::<V>(place - step);
                    let is_lower = simd.less_than_or_equal_f64s(other, least);
                    least = simd.select_f64s(is_lower, other, least);
                    least_at = simd.select_u64s(is_lower, at(place - step), least_at);
                }
                for &step in &steps {
                    let other = self.field.vector::<V>(place + step);
                    let is_lower = simd.less_than_f64s(other, least);
                    least = simd.select_f64s(is_lower, other, least);
                    least_at = simd.select_u64s(is_lower, at(place + step), least_at);
                }
                *lowest = least_at;
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
        // Many ties, and rows that end inside a vector.
        let shape = [7, 13];
        let values: Vec<f64> = (0..91).map(|k| f64::from(k * k * 31 % 7)).collect();
        let field = Rimmed::new(&values, shape);
        for connectivity in [Connectivity::Four, Connectivity::Eight] {
            let found = |alone: bool| {
                let mut lowest = vec![0; field.values().len()];
                let job = LowestAround {
                    field: &field,
                    connectivity,
                    lowest: &mut lowest,
                };
                match alone {
                    true => Scalar.vectorize(job),
                    false => Arch::new().dispatch(job),
                }
                let places = field.rows().flatten();
                places
                    .map(|at| field.point(lowest[at] as usize))
                    .collect::<Vec<usize>>()
            };
            assert_eq!(found(true), found(false));
            for (k, lowest) in found(true).into_iter().enumerate() {
                let around = connectivity.neighbours(k, shape).chain([k]);
                let expected =
                    around.min_by(|&a, &b| values[a].total_cmp(&values[b]).then(a.cmp(&b)));
                assert_eq!(Some(lowest), expected, "{connectivity:?} {k}");
            }
        }
    }
}
