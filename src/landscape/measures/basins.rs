//! The basins of a field: its points by the minimum that each falls into, and where two basins meet.
//!
//! Whoever enters a field point by point, in ascending order, joins basins at these meetings and
//! nowhere else: every other point joins the basin of its lowest neighbour the moment it enters. There
//! are far fewer meetings than points, so that little is left to sort.

use super::grid::{Connectivity, EIGHT, FOUR, Rimmed, ascending_of, check_ordered, is_lower};

/// A field's basins, by number.
pub(super) struct Basins {
    /// Row-major index of each one's minimum, ascending by value.
    pub(super) minima: Vec<usize>,
    /// The basin of each point.
    pub(super) of: Vec<usize>,
    /// Pairs of neighbours in two basins: the higher one, and the basins; ascending by it.
    pub(super) meetings: Vec<(usize, [usize; 2])>,
}

impl Basins {
    /// The basins of `field`, `[rows, columns]`, row-major: from each point one steps to the lowest
    /// neighbour that is lower, in the order (value, row-major index).
    ///
    /// # Panics
    /// When `field` does not fill `shape` or holds a NaN.
    pub(super) fn new(field: &[f64], shape: [usize; 2], connectivity: Connectivity) -> Self {
        check_ordered(field, shape);
        let rimmed = Rimmed::new(field, shape);
        let mut lowest = match connectivity {
            Connectivity::Four => lowest_around(&rimmed, field.len(), FOUR),
            Connectivity::Eight => lowest_around(&rimmed, field.len(), EIGHT),
        };
        let found: Vec<usize> = (0..field.len()).filter(|&k| lowest[k] == k).collect();
        let minima: Vec<usize> = (ascending_of(field, &found).into_iter())
            .map(|at| found[at])
            .collect();
        let mut number = vec![0; field.len()];
        for (basin, &k) in minima.iter().enumerate() {
            number[k] = basin;
        }
        let mut of = Vec::with_capacity(field.len());
        for k in 0..field.len() {
            let mut at = lowest[k];
            while lowest[at] != at {
                at = lowest[at];
            }
            lowest[k] = at;
            of.push(number[at]);
        }
        let (mut higher, mut pairs) = (Vec::new(), Vec::new());
        if minima.len() > 1 {
            connectivity.for_each_pair(shape, |k, other| {
                if of[k] != of[other] {
                    higher.push(if is_lower(field, other, k) { k } else { other });
                    pairs.push([of[k], of[other]]);
                }
            });
        }
        let meetings = (ascending_of(field, &higher).into_iter())
            .map(|at| (higher[at], pairs[at]))
            .collect();
        Self {
            minima,
            of,
            meetings,
        }
    }
}

/// The lowest of each point and its neighbours.
fn lowest_around<const N: usize>(
    rimmed: &Rimmed,
    points: usize,
    offsets: [[isize; 2]; N],
) -> Vec<usize> {
    let steps = rimmed.steps(offsets);
    let mut lowest = Vec::with_capacity(points);
    rimmed.for_each(|k, place| {
        let (mut least, mut lowest_at) = (place, k);
        for step in &steps {
            let other = place.wrapping_add_signed(step.place);
            let is_lower = rimmed.is_lower(other, least);
            // Chosen, not branched to, which would be guessed wrong at every other point.
            least = if is_lower { other } else { least };
            let index = k.wrapping_add_signed(step.index);
            lowest_at = if is_lower { index } else { lowest_at };
        }
        lowest.push(lowest_at);
    });
    lowest
}
