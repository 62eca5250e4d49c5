//! How high one must climb between two points of a field.

use super::grid::{Connectivity, ascending, check_ordered, check_shape};
use super::union_find::UnionFind;

/// How far the classifier is from answering one class of a pair: `U = -ln(p_a + p_b)` for the
/// pairs (a, b), (a, c), (b, c) of `classes`, in nats, at least 0. On the way from an item of
/// class a to one of class b it stays near 0 where the two exchange directly, whatever the
/// margin between them, and rises over what lies between: a third class. `-ln` of the predicted
/// class's probability was rejected: it rises at every change of label, to a height that the
/// spacing of the points decides.
///
/// `logits` are `[points, num_classes]`; from them `U` is finite where `p` rounds to 0, and infinite
/// where they are NaN, so that no path leads through a place without a point. Of two items of one
/// class `U = -ln(p)`. A measure of our own.
///
/// # Panics
/// When values do not divide into classes or a class is out of range.
pub fn pair_potentials(logits: &[f32], num_classes: usize, classes: [usize; 3]) -> [Vec<f64>; 3] {
    check_shape(logits.len(), [logits.len() / num_classes, 1], num_classes);
    let mut potentials = [(); 3].map(|()| Vec::with_capacity(logits.len() / num_classes));
    let [a, b, c] = classes;
    for f in logits.chunks_exact(num_classes) {
        let top = f64::from(f.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let sum: f64 = f.iter().map(|&f| (f64::from(f) - top).exp()).sum();
        for (potential, pair) in potentials.iter_mut().zip([[a, b], [a, c], [b, c]]) {
            let [one, other] = pair.map(|class| f64::from(f[class]));
            let (high, low) = (one.max(other), one.min(other));
            // ln(e^one + e^other), and what all classes together have above it.
            let both = match pair[0] == pair[1] {
                true => one,
                false => high + (low - high).exp().ln_1p(),
            };
            let above = top + sum.ln() - both;
            potential.push(match above.is_nan() {
                true => f64::INFINITY,
                false => above.max(0.0),
            });
        }
    }
    potentials
}

/// The pass between the points `from` and `to` (row-major indices): the highest point of the
/// best path between them, the path whose largest `u` is least; `u` there is the barrier, an
/// absolute level (subtract `u[from]` for the climb). Both ends count, so it may be one of
/// them. Paths step to the four neighbours that share an edge, as a walk on the grid does.
///
/// Points enter in ascending order and join their neighbours (Kruskal 1956, the
/// minimum spanning tree); the one that connects the two ends is the pass.
///
/// `u` is `[rows, columns]`, row-major.
///
/// # Panics
/// When `u` does not fill `shape` or holds a NaN, or an end lies outside the grid.
pub fn pass(u: &[f64], shape: [usize; 2], from: usize, to: usize) -> usize {
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
        if entered[from] && entered[to] && sets.root(from) == sets.root(to) {
            return k;
        }
    }
    unreachable!("all points of a grid are connected")
}

/// Barrier between two points: `u` at their [`pass`], the least over all paths of the largest
/// value met; in the unit of `u`.
///
/// # Panics
/// As [`pass`].
pub fn barrier(u: &[f64], shape: [usize; 2], from: usize, to: usize) -> f64 {
    u[pass(u, shape, from, to)]
}

/// A best path between two points, `from` first: of all that stay at or below the barrier one
/// with the fewest steps.
///
/// # Panics
/// As [`pass`].
pub fn best_path(u: &[f64], shape: [usize; 2], from: usize, to: usize) -> Vec<usize> {
    let level = barrier(u, shape, from, to);
    // From the end backwards, so that each point's origin is its next step.
    let mut next = vec![None; u.len()];
    next[to] = Some(to);
    let mut reached = std::collections::VecDeque::from([to]);
    while let Some(k) = reached.pop_front() {
        for other in Connectivity::Four.neighbours(k, shape) {
            if next[other].is_none() && u[other] <= level {
                next[other] = Some(k);
                reached.push_back(other);
            }
        }
    }
    let step = |&k: &usize| next[k].filter(|&next| next != k);
    std::iter::successors(Some(from), step).collect()
}
