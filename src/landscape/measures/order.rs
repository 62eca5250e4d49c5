//! Whether it matters which two items of a triple are mixed first.

use super::grid::check_shape;
use crate::landscape::{Permutation, argmax};
use serde::{Deserialize, Serialize};

/// Which weights of the items [`order_asymmetry`] compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LatticeWeights {
    /// All that the three grids share; most mix two items only.
    All,
    /// Those that mix all three items, so that an order exists.
    Inside,
}

/// How far the three permutations of a triple disagree where they mix the items alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OrderAsymmetry {
    /// Mean of `1/2 |p_o - p_o'|_1`, 0..1, over the compared weights and the three pairs of
    /// permutations.
    pub asymmetry: f64,
    /// Share of the same comparisons, 0..1, in which both labels are equal.
    pub label_agreement: f64,
    /// How many weights were compared.
    pub num_weights: usize,
}

/// Order asymmetry of a triple: mean of `1/2 |p_o - p_o'|_1` over pairs of permutations `o, o'`
/// and over the weights that the grids of all three hold. 0 for whatever depends on the weights
/// alone, such as a classifier of the linear cross-fade. A measure of our own.
///
/// `probabilities` are those of the permutations in the order of [`Permutation::ALL`], each
/// `[steps, steps, num_classes]`. Nothing where the grids share no such weights, and with fewer
/// than two steps, which mix nothing. Weights where a point has no answer (a NaN) are left out.
///
/// **Which points are compared.** With `n = steps - 1`, point `(i, j)` gives A, B and C the
/// weights `(n-i)(n-j)`, `i(n-j)` and `jn`, in units of `1/n^2`. What one permutation does to C
/// another does to A or B, so weights that two grids share are multiples of `1/n` in all items:
/// `(a, b, c)/n` with `a + b + c = n`. A grid that mixes items of weights `a`, `b` and leads
/// them into one of `c` holds it where `i = bn/(n-c)` is whole, `j = c`; at `c = n`, where the
/// whole last column is item C, row 0 stands for it. Compared are exactly the weights that all
/// three grids hold; nothing is interpolated, so a difference is the classifier's or the
/// morph's.
///
/// **How little that is.** All `3n` weights on the triangle's rim, but few inside it: none at
/// 5 or 11 steps, 3 at 21 (`(1, 1, 3)/5` and its turns), 6 at 41 and at 81. On the rim only two
/// items mix, and what is compared is the direction and the stage of their mixing; the corners,
/// alike in any morph that ends at its items, count there as well. Ask for the inside alone
/// before speaking of order, and give `num_weights` beside it.
///
/// # Panics
/// When probabilities do not fill their grid.
pub fn order_asymmetry(
    probabilities: [&[f32]; 3],
    steps: usize,
    num_classes: usize,
    compared: LatticeWeights,
) -> Option<OrderAsymmetry> {
    for values in probabilities {
        check_shape(values.len(), [steps, steps], num_classes);
    }
    let n = steps.checked_sub(1).filter(|&n| n > 0)?;
    let (mut distance, mut agreements, mut num_weights) = (0.0, 0usize, 0usize);
    for a in 0..=n {
        for b in 0..=n - a {
            let weights = [a, b, n - a - b];
            if compared == LatticeWeights::Inside && weights.contains(&0) {
                continue;
            }
            let [Some(y), Some(x), Some(z)] =
                Permutation::ALL.map(|permutation| point_of(permutation.arrange(weights), n))
            else {
                continue;
            };
            let points = [y, x, z];
            let answers = [0, 1, 2]
                .map(|o| &probabilities[o][points[o] * num_classes..(points[o] + 1) * num_classes]);
            if answers.iter().any(|p| p.iter().any(|p| p.is_nan())) {
                continue;
            }
            num_weights += 1;
            for (o, other) in [(0, 1), (0, 2), (1, 2)] {
                distance += 0.5
                    * answers[o]
                        .iter()
                        .zip(answers[other])
                        .map(|(&p, &q)| (f64::from(p) - f64::from(q)).abs())
                        .sum::<f64>();
                agreements += usize::from(argmax(answers[o]) == argmax(answers[other]));
            }
        }
    }
    let comparisons = (3 * num_weights) as f64;
    (num_weights > 0).then(|| OrderAsymmetry {
        asymmetry: distance / comparisons,
        label_agreement: agreements as f64 / comparisons,
        num_weights,
    })
}

/// The frame that gives A, B and C these weights, in units of `1/n`; nothing where the grid has
/// none.
fn point_of([_, b, c]: [usize; 3], n: usize) -> Option<usize> {
    let row = match n - c {
        0 => 0,
        rest if (b * n).is_multiple_of(rest) => b * n / rest,
        _ => return None,
    };
    Some(row * (n + 1) + c)
}
