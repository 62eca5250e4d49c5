//! How high one must climb between two points of a field.

use super::grid::{Connectivity, ascending, check_ordered};
use super::union_find::UnionFind;

/// Barrier between the points `from` and `to` (row-major indices): the least, over all grid
/// paths between them, of the largest `u` met, both ends included; in the unit of `u`, an
/// absolute level: subtract `u[from]` for the climb. Paths step to the four neighbours that
/// share an edge, as a walk on the grid does.
///
/// Points enter in ascending order and join their neighbours (Kruskal 1956, the
/// minimum spanning tree); the one that connects the two ends is the top of the best path.
///
/// `u` is `[rows, columns]`, row-major.
///
/// # Panics
/// When `u` does not fill `shape` or holds a NaN, or an end lies outside the grid.
pub fn barrier(u: &[f64], shape: [usize; 2], from: usize, to: usize) -> f64 {
    check_ordered(u, shape);
    for end in [from, to] {
        assert!(
            end < u.len(),
            "point {end} lies outside a grid of {} points",
            u.len()
        );
    }
    let mut sets = UnionFind::new(u.len());
    let mut entered = vec![false; u.len()];
    for k in ascending(u) {
        entered[k] = true;
        for other in Connectivity::Four.neighbours(k, shape) {
            if entered[other] {
                let (mine, theirs) = (sets.root(k), sets.root(other));
                sets.attach(theirs, mine);
            }
        }
        if entered[from] && sets.root(from) == sets.root(to) {
            return u[k];
        }
    }
    unreachable!("all points of a grid are connected")
}
