//! How high one must climb between two points of a field.

use super::basins::Basins;
use super::blocks::Blocks;
use super::exponential::ln;
use super::grid::{Connectivity, Rimmed, check_ordered};
use super::union_find::UnionFind;
use pulp::{Arch, Simd, WithSimd};

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
    potentials_of(&Blocks::new(logits, num_classes), classes)
}

/// The same of logits in blocks.
pub(super) fn potentials_of(logits: &Blocks, classes: [usize; 3]) -> [Vec<f64>; 3] {
    let num_classes = logits.num_classes();
    let [a, b, c] = classes;
    for class in classes {
        assert!(class < num_classes, "class {class} of {num_classes}");
    }
    let mut triple = vec![a, b, c];
    triple.sort_unstable();
    triple.dedup();
    let exponentials = logits.exponentials(&triple);
    [[a, b], [a, c], [b, c]].map(|pair| {
        let mut both = vec![0.0; exponentials.others.len()];
        let mut rest = exponentials.others.clone();
        for (class, own) in triple.iter().zip(&exponentials.named) {
            let sum = match pair.contains(class) {
                true => &mut both,
                false => &mut rest,
            };
            sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += own);
        }
        let mut potential = vec![0.0; both.len()];
        Arch::new().dispatch(Potential {
            both: &both,
            rest: &rest,
            potential: &mut potential,
        });
        potential.truncate(logits.points());
        for (k, potential) in potential.iter_mut().enumerate() {
            // What is left of the two is too little to divide by.
            if both[k] <= SMALL {
                let own = pair.map(|class| f64::from(logits.value(k, class)));
                let (high, low) = (own[0].max(own[1]), own[0].min(own[1]));
                let more = match pair[0] == pair[1] {
                    true => 0.0,
                    false => (low - high).exp().ln_1p(),
                };
                let all = exponentials.largest[k] + (both[k] + rest[k]).ln();
                let found = all - (high + more);
                *potential = match found.is_nan() {
                    true => f64::INFINITY,
                    false => found.max(0.0),
                };
            }
        }
        potential
    })
}

/// Finds `ln(1 + rest / both)` of each point; infinite where that is no number.
struct Potential<'a> {
    both: &'a [f64],
    rest: &'a [f64],
    potential: &'a mut [f64],
}

impl WithSimd for Potential<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) {
        let points = self.potential.len();
        let (both, rest) = (&self.both[..points], &self.rest[..points]);
        for k in 0..points {
            let share = rest[k] / both[k];
            let sum = 1.0 + share;
            // What rounding the sum has lost of a small share.
            let found = ln(sum) + (share - (sum - 1.0)) / sum;
            let found = if found > 0.0 { found } else { 0.0 };
            let is_number = !share.is_nan();
            self.potential[k] = if is_number { found } else { f64::INFINITY };
        }
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
    check_ordered(u, shape);
    let field = Rimmed::new(u, shape);
    let [from, to] = [from, to].map(|end| field.rank(field.place(end)));
    let basins = Basins::new(&field, Connectivity::Four);
    let mut sets = UnionFind::new(basins.minima.len());
    let mut pass = from.max(to);
    let [from, to] = [from, to].map(|end| basins.of[end.place()] as usize);
    for &(higher, [one, other]) in &basins.meetings {
        if sets.root(from) == sets.root(to) {
            break;
        }
        let (one, other) = (sets.root(one as usize), sets.root(other as usize));
        sets.attach(one, other);
        pass = pass.max(higher);
    }
    field.point(pass.place())
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
