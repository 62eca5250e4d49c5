//! How high one must climb between two points of a field.

use super::basins::Basins;
use super::grid::{Connectivity, check_shape, is_lower};
use super::union_find::UnionFind;

/// Below it an exponential of 64 bits has lost places, or all.
const SMALL: f64 = 1e-290;

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
    let mut triple = vec![a, b, c];
    triple.sort_unstable();
    triple.dedup();
    let mut exponentials = vec![0.0; num_classes];
    for f in logits.chunks_exact(num_classes) {
        let top = f64::from(f.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        for (e, &f) in exponentials.iter_mut().zip(f) {
            *e = (f64::from(f) - top).exp();
        }
        let each = exponentials.iter().enumerate();
        let others = each.filter(|(class, _)| !triple.contains(class));
        let others: f64 = others.map(|(_, e)| e).sum();
        for (potential, [one, other]) in potentials.iter_mut().zip([[a, b], [a, c], [b, c]]) {
            let (mut both, mut rest) = (0.0, others);
            for &class in &triple {
                match class == one || class == other {
                    true => both += exponentials[class],
                    false => rest += exponentials[class],
                }
            }
            let above = match both > SMALL || both.is_nan() {
                true => ln_one_plus(rest / both),
                // What is left of the two is too little to divide by.
                false => {
                    let logits = [one, other].map(|class| f64::from(f[class]));
                    let (high, low) = (logits[0].max(logits[1]), logits[0].min(logits[1]));
                    let more = match one == other {
                        true => 0.0,
                        false => (low - high).exp().ln_1p(),
                    };
                    top + (both + rest).ln() - (high + more)
                }
            };
            potential.push(match above.is_nan() {
                true => f64::INFINITY,
                false => above.max(0.0),
            });
        }
    }
    potentials
}

/// `ln(1 + x)` of `x >= 0`, as exact as `ln_1p` and faster where `x` is not small.
fn ln_one_plus(x: f64) -> f64 {
    match x {
        _ if x >= 0.5 => (1.0 + x).ln(),
        // The next term is less than the last place.
        _ if x < 1e-5 => x - x * x * (0.5 - x / 3.0),
        x => x.ln_1p(),
    }
}

/// The pass between the points `from` and `to` (row-major indices): the highest point of the
/// best path between them, the path whose largest `u` is least; `u` there is the barrier, an
/// absolute level (subtract `u[from]` for the climb). Both ends count, so it may be one of
/// them. Paths step to the four neighbours that share an edge, as a walk on the grid does.
///
/// Basins are joined at the points where they meet, the lowest first (Kruskal 1956, the minimum
/// spanning tree); the point that connects the two ends' basins is the pass.
///
/// `u` is `[rows, columns]`, row-major.
///
/// # Panics
/// When `u` does not fill `shape` or holds a NaN, or an end lies outside the grid.
pub fn pass(u: &[f64], shape: [usize; 2], from: usize, to: usize) -> usize {
    for end in [from, to] {
        assert!(
            end < u.len(),
            "point {end} lies outside a grid of {} points",
            u.len()
        );
    }
    let higher = |a: usize, b: usize| if is_lower(u, a, b) { b } else { a };
    let basins = Basins::new(u, shape, Connectivity::Four);
    let mut sets = UnionFind::new(basins.minima.len());
    let mut pass = higher(from, to);
    for &(k, [one, other]) in &basins.meetings {
        if sets.root(basins.of[from]) == sets.root(basins.of[to]) {
            break;
        }
        let (one, other) = (sets.root(one), sets.root(other));
        sets.attach(one, other);
        pass = higher(pass, k);
    }
    pass
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
