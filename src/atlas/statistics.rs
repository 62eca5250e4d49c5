//! What can be said of all triples from some of them.
//!
//! A triple's value is nearly the sum of its items' (three together explain a hundredth of the variation
//! of intrusion), so that triples that share an item are far from independent: on sets in which each item
//! stands in many triples, errors that take triples as independent are some ten times too small. Here
//! **items are the units**.

use serde::Serialize;
use std::collections::BTreeMap;

/// An item's effect, a mean of few triples, is drawn towards 0 as if by so many more.
pub(super) const SHRINKAGE: f64 = 3.0;

/// Standard errors on either side of a mean, for 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// A value of a triple that was drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn {
    /// The stratum that it was drawn from.
    pub(super) stratum: usize,
    /// Its items, each with its class.
    pub(super) items: [(usize, u32); 3],
    pub(super) value: f64,
}

/// A mean with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Its standard error; items are the units. Nothing where all triples share an item: how much
    /// another item would change it is not known then.
    pub standard_error: Option<f64>,
    /// The mean less and plus 1.96 standard errors, cut off at 0 where no value is below it.
    pub interval: Option<[f64; 2]>,
    /// Triples that it is taken over.
    pub triples: usize,
    /// Different items in them.
    pub items: usize,
}

/// The mean over all triples from a stratified sample: the means of the strata with the weights of the
/// strata, and a jackknife over items within their classes (Efron, Stein, *The jackknife estimate of
/// variance*, 1981): each item is left out with all its triples. Items that are alone in their class are
/// taken as one class, which makes the error too large rather than too small.
///
/// `weights` are of the strata; those without a triple are left out. Nothing without triples.
pub(super) fn stratified_mean(drawn: &[Drawn], weights: &[f64]) -> Option<Mean> {
    let mut strata = vec![(0.0, 0usize); weights.len()];
    /// Of an item's triples in a stratum: which, the sum of their values, and how many.
    type Own = (usize, f64, usize);
    let mut items: BTreeMap<(usize, u32), Vec<Own>> = BTreeMap::new();
    for one in drawn {
        strata[one.stratum].0 += one.value;
        strata[one.stratum].1 += 1;
        for item in one.items {
            let own = items.entry(item).or_default();
            match own.iter_mut().find(|(stratum, ..)| *stratum == one.stratum) {
                Some((_, sum, count)) => (*sum, *count) = (*sum + one.value, *count + 1),
                None => own.push((one.stratum, one.value, 1)),
            }
        }
    }
    // Of the weighted sum of means and the weights of strata that have one.
    let part = |stratum: usize, sum: f64, count: usize| match count {
        0 => (0.0, 0.0),
        _ => (weights[stratum] * sum / count as f64, weights[stratum]),
    };
    let (mut above, mut below) = (0.0, 0.0);
    for (stratum, &(sum, count)) in strata.iter().enumerate() {
        let (value, weight) = part(stratum, sum, count);
        (above, below) = (above + value, below + weight);
    }
    if below <= 0.0 {
        return None;
    }
    let mean = above / below;
    // In order, so that sums are the same to the last bit.
    let mut classes: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    let mut is_known = true;
    for (&(class, _), own) in &items {
        let (mut without_above, mut without_below) = (above, below);
        for &(stratum, sum, count) in own {
            let (all_sum, all_count) = strata[stratum];
            let (value, weight) = part(stratum, all_sum, all_count);
            let (less, less_weight) = part(stratum, all_sum - sum, all_count - count);
            without_above += less - value;
            without_below += less_weight - weight;
        }
        is_known &= without_below > 0.0;
        let without = without_above / without_below;
        classes.entry(class).or_default().push(without);
    }
    let (lone, mut classes): (Vec<Vec<f64>>, Vec<Vec<f64>>) =
        classes.into_values().partition(|all| all.len() == 1);
    match (
        lone.concat(),
        classes.iter_mut().min_by_key(|all| all.len()),
    ) {
        (lone, Some(fewest)) if lone.len() == 1 => fewest.extend(lone),
        (lone, _) if !lone.is_empty() => classes.push(lone),
        _ => {}
    }
    let variance: f64 = classes
        .iter()
        .map(|all| {
            let count = all.len() as f64;
            let middle = all.iter().sum::<f64>() / count;
            let squares: f64 = all.iter().map(|value| (value - middle).powi(2)).sum();
            (count - 1.0) / count * squares
        })
        .sum();
    let standard_error = is_known.then(|| variance.sqrt());
    let least = match drawn.iter().all(|one| one.value >= 0.0) {
        true => 0.0,
        false => f64::NEG_INFINITY,
    };
    Some(Mean {
        mean,
        standard_error,
        interval: standard_error.map(|error| [-Z, Z].map(|z| (mean + z * error).max(least))),
        triples: drawn.len(),
        items: items.len(),
    })
}

/// The 95 % interval of a share of `hits` in `trials` that holds its level however rare the hits are
/// (Clopper, Pearson 1934); 0 to 1 without trials.
///
/// [`wilson`](crate::landscape::wilson)'s is shorter and is right on the average; a bound for what was
/// missed must hold.
pub(super) fn clopper_pearson(hits: usize, trials: usize, level: f64) -> [f64; 2] {
    if trials == 0 {
        return [0.0, 1.0];
    }
    let tail = (1.0 - level) / 2.0;
    // At most so many hits have a probability of `tail` at the upper end.
    let upper = |hits: usize| match hits == trials {
        true => 1.0,
        false => bisected(|share| at_most(hits, trials, share) > tail),
    };
    [1.0 - upper(trials - hits), upper(hits)]
}

/// The share at which a test that holds for small ones ceases to.
fn bisected(holds: impl Fn(f64) -> bool) -> f64 {
    let [mut low, mut high] = [0.0, 1.0];
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        match holds(middle) {
            true => low = middle,
            false => high = middle,
        }
    }
    f64::midpoint(low, high)
}

/// The probability of at most so many hits in trials of a share.
fn at_most(hits: usize, trials: usize, share: f64) -> f64 {
    if share <= 0.0 {
        return 1.0;
    }
    if share >= 1.0 {
        return if hits >= trials { 1.0 } else { 0.0 };
    }
    let trials = trials as f64;
    let odds = share.ln() - (-share).ln_1p();
    let mut term = trials * (-share).ln_1p();
    let mut sum = term.exp();
    for hit in 0..hits {
        term += ((trials - hit as f64) / (hit as f64 + 1.0)).ln() + odds;
        sum += term.exp();
    }
    sum.min(1.0)
}

/// How many of `rejected` were wrongly rejected, from an audit of some of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Audit {
    /// Points a side of the grid that rejected them; nothing for triples that no grid has seen.
    pub steps: Option<usize>,
    /// Triples that were rejected.
    pub rejected: u64,
    /// Those of them that were drawn by lot and taken to the finest grid.
    pub audited: usize,
    /// Those of these that belong to the top list.
    pub found: usize,
    /// How many of the rejected belong there, about.
    pub missed: f64,
    /// The 95 % interval of that number.
    pub missed_interval: [f64; 2],
}

impl Audit {
    pub(super) fn new(
        steps: Option<usize>,
        rejected: u64,
        audited: usize,
        found: usize,
        level: f64,
    ) -> Self {
        let all = rejected as f64;
        let share = found as f64 / audited.max(1) as f64;
        Self {
            steps,
            rejected,
            audited,
            found,
            missed: share * all,
            missed_interval: match rejected {
                0 => [0.0; 2],
                _ => clopper_pearson(found, audited, level).map(|share| share * all),
            },
        }
    }
}

/// Spearman's rank correlation; nothing of fewer than three or where all are equal.
pub(super) fn spearman(pairs: &[[f64; 2]]) -> Option<f64> {
    let ranks = |n: usize| -> Vec<f64> {
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_by(|&a, &b| pairs[a][n].total_cmp(&pairs[b][n]));
        let mut ranks = vec![0.0; pairs.len()];
        let mut at = 0;
        while at < order.len() {
            let same = order[at..]
                .iter()
                .take_while(|&&other| pairs[other][n] == pairs[order[at]][n])
                .count();
            for &place in &order[at..at + same] {
                ranks[place] = at as f64 + (same as f64 - 1.0) / 2.0;
            }
            at += same;
        }
        ranks
    };
    let [x, y] = [ranks(0), ranks(1)];
    let middle = (pairs.len() as f64 - 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - middle) * (b - middle))
            .sum()
    };
    let spread = (product(&x, &x) * product(&y, &y)).sqrt();
    (pairs.len() >= 3 && spread > 0.0).then(|| product(&x, &y) / spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::wilson;

    /// scipy 1.17.1: `spearmanr([1, 2, 2, 5, 4], [3, 1, 4, 9, 9])`.
    #[test]
    fn rank_correlation_is_that_of_scipy() {
        let pairs = [[1.0, 3.0], [2.0, 1.0], [2.0, 4.0], [5.0, 9.0], [4.0, 9.0]];
        let found = spearman(&pairs).expect("five pairs");
        assert!((found - 0.789_473_684_210_526_4).abs() < 1e-9, "{found}");
        assert_eq!(spearman(&pairs[..2]), None);
    }

    /// scipy 1.17.1: `binomtest(k, n).proportion_ci(method="exact")`.
    #[test]
    fn intervals_are_those_of_scipy() {
        let cases = [
            (0, 10, [0.0, 0.308_497_107_818_762_94]),
            (
                3,
                200,
                [0.003_104_107_621_555_085, 0.043_208_281_917_709_784],
            ),
            (10, 10, [0.691_502_892_181_237_1, 1.0]),
            (0, 3000, [0.0, 0.001_228_870_803_825_501_1]),
        ];
        for (hits, trials, expected) in cases {
            let found = clopper_pearson(hits, trials, 0.95);
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((found - expected).abs() < 1e-8, "{hits}/{trials}: {found}");
            }
            let [low, high] = wilson(hits, trials);
            assert!(found[0] <= low + 1e-12 && high <= found[1] + 0.1);
        }
        assert_eq!(clopper_pearson(0, 0, 0.95), [0.0, 1.0]);
    }

    /// With one triple an item the jackknife over items is the textbook's standard error of a mean.
    #[test]
    fn triples_without_a_shared_item_are_independent() {
        // Of either item of the other classes the triples have the same mean: leaving it out changes nothing.
        let values = [0.3, 0.9, 0.1, 0.4, 1.1, 0.2];
        let drawn: Vec<Drawn> = values
            .iter()
            .enumerate()
            .map(|(n, &value)| Drawn {
                stratum: 0,
                // Items of one class alone differ.
                items: [(0, n as u32), (1, n as u32 % 2), (2, n as u32 % 2)],
                value,
            })
            .collect();
        let mean = stratified_mean(&drawn, &[5.0]).expect("triples");
        let expected = values.iter().sum::<f64>() / 6.0;
        let squares: f64 = values.iter().map(|v| (v - expected).powi(2)).sum();
        assert!((mean.mean - expected).abs() < 1e-12);
        assert!((mean.standard_error.expect("known") - (squares / 5.0 / 6.0).sqrt()).abs() < 1e-12);
        assert_eq!((mean.triples, mean.items), (6, 10));
        assert!(stratified_mean(&[], &[1.0]).is_none());
    }

    /// Of one triple, and of several that share an item, nothing says how another item would do.
    #[test]
    fn an_error_that_cannot_be_known_is_not_stated() {
        let one = |items: [(usize, u32); 3], value| Drawn {
            stratum: 0,
            items,
            value,
        };
        let first = one([(0, 0), (1, 10), (2, 20)], 0.0);
        let shares = one([(0, 0), (1, 11), (2, 21)], 2.0);
        let other = one([(3, 30), (4, 40), (5, 50)], 2.0);
        let error = |drawn: &[Drawn]| {
            let mean = stratified_mean(drawn, &[1.0]).expect("triples");
            assert_eq!(mean.interval.is_some(), mean.standard_error.is_some());
            mean.standard_error
        };
        assert_eq!(error(&[first]), None);
        assert_eq!(error(&[first, shares]), None);
        // No share is below 0; a difference may be.
        let interval = |drawn: &[Drawn]| {
            let mean = stratified_mean(drawn, &[1.0]).expect("triples");
            mean.interval.expect("known")
        };
        assert_eq!(interval(&[first, other])[0], 0.0);
        let below = one([(0, 0), (1, 10), (2, 20)], -0.5);
        assert!(interval(&[below, other])[0] < -0.5);
        // Six items, each alone in its class: leaving one out gives 2 or 0 instead of 1, three times each.
        let found = error(&[first, other]).expect("known");
        assert!((found - 5f64.sqrt()).abs() < 1e-12, "{found}");
    }

    /// An item that stands in every triple of one value is worth one observation, not many.
    #[test]
    fn strata_are_weighted() {
        let one = |stratum, item, value| Drawn {
            stratum,
            items: [(0, item), (1, item), (2, item)],
            value,
        };
        let drawn = [one(0, 1, 1.0), one(0, 2, 3.0), one(1, 3, 10.0)];
        let mean = stratified_mean(&drawn, &[3.0, 1.0]).expect("triples");
        assert!((mean.mean - (3.0 * 2.0 + 10.0) / 4.0).abs() < 1e-12);
    }
}
