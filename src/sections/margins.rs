//! Margins along directions: how far an input can be moved towards another before its predicted
//! class changes, exactly and as dbViz steps through a table.

use super::SectionError;
use super::line::{LineOptions, exact_line};
use super::network::SectionNetwork;
use super::plane::distance;
use serde::Serialize;

/// Directions that dbViz draws an item at most.
pub const DBVIZ_DIRECTIONS: usize = 20;
/// Hits after which it stops.
pub const DBVIZ_HITS: usize = 10;
/// Hits without which an item is left out.
pub const DBVIZ_LEAST_HITS: usize = 5;

/// dbViz's table of distances: 0, then 11 steps of 0.01, 9 of 0.1, 31 of 0.5, 25 of 1, 25 of 10 and
/// 98 of 20; 200 entries.
pub fn dbviz_deltas() -> Vec<f64> {
    let runs = [
        (0.01, 11),
        (0.1, 9),
        (0.5, 31),
        (1.0, 25),
        (10.0, 25),
        (20.0, 98),
    ];
    let steps = runs
        .into_iter()
        .flat_map(|(step, count)| std::iter::repeat_n(step, count));
    let mut delta = 0.0;
    let sums = steps.map(|step| {
        delta += step;
        delta
    });
    std::iter::once(0.0)
        .chain(sums.collect::<Vec<_>>())
        .collect()
}

/// dbViz's margin along one direction: the table's entry before the first whose class differs from
/// its own, the lower end; nothing where the class never changes. A class that is left and entered
/// again between two entries is not seen.
pub fn dbviz_margin(class_at: impl Fn(f64) -> usize) -> Option<f64> {
    let deltas = dbviz_deltas();
    let mut class = class_at(deltas[0]);
    for pair in deltas.windows(2) {
        let next = class_at(pair[1]);
        if next != class {
            return Some(pair[0]);
        }
        class = next;
    }
    None
}

/// dbViz's margin of an item: the mean of the first [`DBVIZ_HITS`] margins among its first
/// [`DBVIZ_DIRECTIONS`] directions; nothing for fewer than [`DBVIZ_LEAST_HITS`].
pub fn dbviz_mean_margin(margins: &[Option<f64>]) -> Option<f64> {
    let drawn = margins.iter().take(DBVIZ_DIRECTIONS);
    let hits: Vec<f64> = drawn.flatten().take(DBVIZ_HITS).copied().collect();
    (hits.len() >= DBVIZ_LEAST_HITS).then(|| hits.iter().sum::<f64>() / hits.len() as f64)
}

/// The margin along one direction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Margin {
    /// Distance at which the predicted class first changes, in units of the space; nothing within
    /// reach.
    pub exact: Option<f64>,
    /// The class there.
    pub class: Option<usize>,
    /// dbViz's value, from its table.
    pub dbviz: Option<f64>,
}

/// The margins of `z` in the direction of `towards`, up to `reach` units of the space; dbViz's table
/// ends at 2251.51. The class at the base is the predicted one, whatever the item's label.
///
/// # Errors
/// As [`exact_line`]; [`SectionError::SamePoint`] where the two are one point (dbViz divides by 0).
pub fn margin(
    network: &SectionNetwork,
    z: &[f64],
    towards: &[f64],
    reach: f64,
) -> Result<Margin, SectionError> {
    let length = distance(z, towards);
    if length.is_nan() || length <= 0.0 {
        return Err(SectionError::SamePoint { items: [0, 1] });
    }
    let one_on: Vec<f64> = z
        .iter()
        .zip(towards)
        .map(|(a, b)| a + (b - a) / length)
        .collect();
    let options = LineOptions {
        range: [0.0, reach],
        ..LineOptions::default()
    };
    let line = exact_line(network, z, &one_on, &options)?;
    let covers_table = dbviz_deltas().last().is_some_and(|&last| reach >= last);
    Ok(Margin {
        exact: (line.changes() > 0).then(|| line.breaks[1]),
        class: line.classes.get(1).copied(),
        dbviz: if covers_table {
            dbviz_margin(|delta| line.class_at(delta))
        } else {
            None
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_dbvizs() {
        let deltas = dbviz_deltas();
        assert_eq!(deltas.len(), 200);
        assert!((deltas[199] - 2251.51).abs() < 1e-9);
        // Left at 0.3, entered again at 0.35: between two entries, not seen.
        let blink = |delta: f64| usize::from((0.32..0.35).contains(&delta) || delta > 5.0);
        let found = dbviz_margin(blink).expect("it changes at last");
        assert!((found - 4.51).abs() < 1e-9, "{found}");
        assert_eq!(dbviz_margin(|_| 3), None);
    }

    #[test]
    fn four_hits_are_too_few() {
        let some = |count: usize| -> Vec<Option<f64>> {
            (0..20)
                .map(|k| (k % 2 == 0 && k / 2 < count).then_some(k as f64))
                .collect()
        };
        assert_eq!(dbviz_mean_margin(&some(4)), None);
        assert_eq!(dbviz_mean_margin(&some(5)), Some(4.0));
        let mut many: Vec<Option<f64>> = (0..30).map(|k| Some(f64::from(k))).collect();
        assert_eq!(dbviz_mean_margin(&many), Some(4.5));
        many[..20].fill(None);
        assert_eq!(dbviz_mean_margin(&many), None);
    }
}
