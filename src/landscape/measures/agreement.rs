//! Where two models answer alike, from their labels at the same points.

/// Agreement `A`: the share of the points, 0..1, at which both labels are equal. Nothing
/// without points.
///
/// # Panics
/// When there are not as many labels of the one as of the other.
pub fn agreement(one: &[usize], other: &[usize]) -> Option<f64> {
    assert_eq!(one.len(), other.len(), "two labels a point");
    let equal = one.iter().zip(other).filter(|(a, b)| a == b).count();
    (!one.is_empty()).then(|| equal as f64 / one.len() as f64)
}

/// Agreement beyond chance, `kappa = (A - A_0) / (1 - A_0)`, where `A_0` is the agreement of
/// independent labels of the same frequencies (Cohen 1960): 1 where all are equal, 0 where they
/// agree as chance would have it. Nothing without points, and where both give one and the same
/// label everywhere.
///
/// # Panics
/// When there are not as many labels of the one as of the other.
pub fn kappa(one: &[usize], other: &[usize]) -> Option<f64> {
    let found = agreement(one, other)?;
    let classes = one.iter().chain(other).max().map_or(0, |&most| most + 1);
    let mut counts = vec![[0usize; 2]; classes];
    for (&a, &b) in one.iter().zip(other) {
        counts[a][0] += 1;
        counts[b][1] += 1;
    }
    let squares = (one.len() as f64).powi(2);
    let by_chance = counts
        .iter()
        .map(|&[a, b]| a as f64 * b as f64)
        .sum::<f64>()
        / squares;
    (by_chance < 1.0).then(|| (found - by_chance) / (1.0 - by_chance))
}

/// Jaccard index of a class, `|R_1 and R_2| / |R_1 or R_2|` of the sets of points labelled
/// `class` (Jaccard 1912), 0..1. Nothing where neither labels a point so.
///
/// # Panics
/// When there are not as many labels of the one as of the other.
pub fn jaccard(one: &[usize], other: &[usize], class: usize) -> Option<f64> {
    assert_eq!(one.len(), other.len(), "two labels a point");
    let labels = || {
        one.iter()
            .zip(other)
            .map(|(&a, &b)| [a == class, b == class])
    };
    let either = labels().filter(|is_it| is_it.contains(&true)).count();
    let both = labels().filter(|is_it| *is_it == [true, true]).count();
    (either > 0).then(|| both as f64 / either as f64)
}
