//! Margins along directions: how far an input can be moved towards another before its predicted
//! class changes, exactly and as dbViz steps through a table.

use super::SectionError;
use super::line::{LineOptions, LineSection, exact_line, exact_lines};
use super::network::SectionNetwork;
use super::plane::distance;
use serde::{Deserialize, Serialize};

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
    first_change(&dbviz_deltas(), class_at)
}

fn first_change(deltas: &[f64], class_at: impl Fn(f64) -> usize) -> Option<f64> {
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
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
    let one_on = one_unit_on(z, towards)?;
    let options = LineOptions {
        range: [0.0, reach],
        ..LineOptions::default()
    };
    let ray = exact_line(network, z, &one_on, &options)?;
    Ok(of_ray(&ray, &dbviz_deltas()))
}

/// The margin of the first of each pair of points in the direction of the second, up to where
/// dbViz's table ends. `lines` are the pairs' own sections, of the range `[0, 1]`; only where one of
/// them does not settle its margin a longer line is cut, of `max_pieces` at most.
///
/// # Errors
/// Of each pair by itself, as [`exact_lines`].
///
/// # Panics
/// When there are not as many lines as pairs.
pub fn margins(
    network: &SectionNetwork,
    pairs: &[[&[f64]; 2]],
    lines: &[LineSection],
    max_pieces: usize,
) -> Vec<Result<Margin, SectionError>> {
    assert_eq!(pairs.len(), lines.len(), "a section a pair");
    let deltas = dbviz_deltas();
    let mut found: Vec<Result<Margin, SectionError>> = Vec::with_capacity(pairs.len());
    let (mut open, mut ends) = (Vec::new(), Vec::new());
    for (n, ([z, towards], line)) in pairs.iter().zip(lines).enumerate() {
        found.push(match (on_line(line, &deltas), one_unit_on(z, towards)) {
            (Some(margin), _) => Ok(margin),
            (None, Err(error)) => Err(error),
            (None, Ok(one_on)) => {
                open.push(n);
                ends.push(one_on);
                Ok(Margin::default())
            }
        });
    }
    let rays: Vec<[&[f64]; 2]> = (open.iter().zip(&ends))
        .map(|(&n, one_on)| [pairs[n][0], &one_on[..]])
        .collect();
    let options = LineOptions {
        range: [0.0, deltas[deltas.len() - 1]],
        max_pieces,
    };
    for (n, ray) in open.into_iter().zip(exact_lines(network, &rays, &options)) {
        found[n] = ray.map(|ray| of_ray(&ray, &deltas));
    }
    found
}

/// The point one unit of the space from `z` on the way to another.
fn one_unit_on(z: &[f64], towards: &[f64]) -> Result<Vec<f64>, SectionError> {
    let length = distance(z, towards);
    if length.is_nan() || length <= 0.0 {
        return Err(SectionError::SamePoint { items: [0, 1] });
    }
    let pairs = z.iter().zip(towards);
    Ok(pairs.map(|(a, b)| a + (b - a) / length).collect())
}

/// The margins of a line whose parameter is the distance.
fn of_ray(ray: &LineSection, deltas: &[f64]) -> Margin {
    let covers_table =
        (ray.breaks.last().zip(deltas.last())).is_some_and(|(end, last)| end >= last);
    Margin {
        exact: (ray.changes() > 0).then(|| ray.breaks[1]),
        class: ray.classes.get(1).copied(),
        dbviz: match covers_table {
            true => first_change(deltas, |delta| ray.class_at(delta)),
            false => None,
        },
    }
}

/// The margins of a line from input to input, where it is long enough to settle both.
fn on_line(line: &LineSection, deltas: &[f64]) -> Option<Margin> {
    let within = deltas.partition_point(|delta| *delta <= line.length);
    let dbviz = first_change(&deltas[..within], |delta| {
        line.class_at(delta / line.length)
    })?;
    Some(Margin {
        exact: Some(line.breaks[1] * line.length),
        class: Some(line.classes[1]),
        dbviz: Some(dbviz),
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
