//! The measures as columns: what each is called, what it means, and how it is read off. The
//! order is that of `summary.csv`, of the report and of `resolution.csv`.
//!
//! One number a landscape: where a measure has a value for each class of the triple (or each
//! edge), this is their mean; the metadata of `landscape.safetensors` has each.

use crate::landscape::{GridMeasures, Measures, PathMeasures, PointMeasures};
use crate::report::{Column, Format};

/// A measure as it is shown; nothing where it could not be taken.
pub(super) struct Shown {
    pub(super) column: Column,
    pub(super) value: fn(&Measures) -> Option<f64>,
}

/// The report ranks landscapes by this column first.
pub(super) const RANK_BY: &str = "total_variation";

/// The columns that the terminal's table and the report's ranking start with.
pub(super) const OVERVIEW: [&str; 5] = [
    "total_variation",
    "curvature",
    "label_changes",
    "intrusion",
    "regions_4",
];

/// The columns of [`OVERVIEW`].
pub(super) fn overview() -> impl Iterator<Item = &'static Shown> {
    SHOWN
        .iter()
        .filter(|shown| OVERVIEW.contains(&shown.column.key))
}

fn mean(values: [f64; 3]) -> f64 {
    values.iter().sum::<f64>() / 3.0
}

fn mean_count(values: [usize; 3]) -> f64 {
    mean(values.map(|count| count as f64))
}

fn path(measures: &Measures, value: impl Fn(&PathMeasures) -> Option<f64>) -> Option<f64> {
    measures.paths.as_ref().and_then(value)
}

fn point(measures: &Measures, value: impl Fn(&PointMeasures) -> f64) -> Option<f64> {
    measures.points.as_ref().map(value)
}

fn grid(measures: &Measures, value: impl Fn(&GridMeasures) -> f64) -> Option<f64> {
    measures.grid.as_ref().map(value)
}

const fn shown(
    group: &'static str,
    [key, label, help]: [&'static str; 3],
    format: Format,
    value: fn(&Measures) -> Option<f64>,
) -> Shown {
    Shown {
        column: Column {
            key,
            label,
            help,
            format,
            group,
        },
        value,
    }
}

pub(super) const SHOWN: [Shown; 24] = [
    shown(
        "paths",
        [
            "total_variation",
            "variation",
            "total variation: half the summed change of all probabilities along a path from a mix into C, mean of the paths; 1 where two classes change over smoothly",
        ],
        Format::Hundredths,
        |m| path(m, |p| Some(p.total_variation)),
    ),
    shown(
        "paths",
        [
            "curvature",
            "curvature",
            "curvature roughness: mean second difference of the three classes' probabilities along a path; smaller on finer grids",
        ],
        Format::TenThousandths,
        |m| path(m, |p| p.curvature.map(mean)),
    ),
    shown(
        "paths",
        [
            "label_changes",
            "changes",
            "label changes: how often the predicted class changes along a path, mean of the paths",
        ],
        Format::Hundredths,
        |m| path(m, |p| Some(p.label_changes)),
    ),
    shown(
        "paths",
        [
            "calibration",
            "calibration",
            "between-class calibration: along an edge from item to item, how far the share of the first item's class, of the two, is from that item's weight; mean of the three edges; 0 where it follows the mix, 0.25 where it jumps in the middle",
        ],
        Format::Thousandths,
        |m| {
            let [ab, ac, bc] = m.calibration;
            Some(mean([ab?, ac?, bc?]))
        },
    ),
    shown(
        "points",
        [
            "intrusion",
            "intrusion",
            "intrusion: share of the grid whose predicted class is none of the three items'",
        ],
        Format::Percent,
        |m| point(m, |p| p.intrusion),
    ),
    shown(
        "points",
        [
            "confident_intrusion",
            "confident",
            "confident intrusion: share of the grid whose predicted class is none of the three items', with a probability of 0.9 or more",
        ],
        Format::Percent,
        |m| point(m, |p| p.confident_intrusion),
    ),
    shown(
        "points",
        [
            "entropy",
            "entropy",
            "mean entropy of the probabilities, in nats: 0 where every answer is certain",
        ],
        Format::Thousandths,
        |m| point(m, |p| p.entropy),
    ),
    shown(
        "points",
        [
            "margin",
            "margin",
            "mean margin: the largest probability less the next largest",
        ],
        Format::Thousandths,
        |m| point(m, |p| p.margin),
    ),
    shown(
        "regions",
        [
            "regions_4",
            "regions",
            "regions of one predicted class that grid points form through their edges (4-connected); 3 where each class has one and nothing intrudes",
        ],
        Format::Integer,
        |m| grid(m, |g| g.regions[0] as f64),
    ),
    shown(
        "regions",
        [
            "regions_8",
            "regions 8",
            "the same where a shared corner connects as well (8-connected)",
        ],
        Format::Integer,
        |m| grid(m, |g| g.regions[1] as f64),
    ),
    shown(
        "regions",
        [
            "boundary_length",
            "boundary",
            "length of all decision boundaries, in sides of the grid",
        ],
        Format::Hundredths,
        |m| grid(m, |g| g.boundary_length),
    ),
    shown(
        "surfaces",
        [
            "roughness",
            "roughness",
            "surface roughness Sq: root mean square of a class's probability less its best plane, mean of the three classes",
        ],
        Format::Thousandths,
        |m| m.grid.as_ref()?.roughness.map(mean),
    ),
    shown(
        "surfaces",
        [
            "laplacian",
            "Laplacian",
            "Laplacian roughness: mean of |sum of the four neighbours - 4 times the point| of a class's probability, mean of the three classes; smaller on finer grids",
        ],
        Format::TenThousandths,
        |m| m.grid.as_ref()?.laplacian.map(mean),
    ),
    shown(
        "surfaces",
        [
            "minima",
            "minima",
            "local minima of a class's probability, mean of the three classes, however shallow; minima - saddles + maxima = 1 on every surface",
        ],
        Format::Hundredths,
        |m| {
            grid(m, |g| {
                mean_count(g.critical_points.map(|[count, ..]| count))
            })
        },
    ),
    shown(
        "surfaces",
        [
            "saddles",
            "saddles",
            "saddles of a class's probability, each as often as its multiplicity, mean of the three classes",
        ],
        Format::Hundredths,
        |m| {
            grid(m, |g| {
                mean_count(g.critical_points.map(|[_, count, _]| count))
            })
        },
    ),
    shown(
        "surfaces",
        [
            "maxima",
            "maxima",
            "local maxima of a class's probability inside the grid, mean of the three classes",
        ],
        Format::Hundredths,
        |m| {
            grid(m, |g| {
                mean_count(g.critical_points.map(|[.., count]| count))
            })
        },
    ),
    shown(
        "surfaces",
        [
            "basins",
            "basins",
            "persistent minima: basins of a class's probability that are deeper than 0.1, mean of the three classes",
        ],
        Format::Hundredths,
        |m| grid(m, |g| mean_count(g.basins)),
    ),
    shown(
        "surfaces",
        [
            "peaks",
            "peaks",
            "persistent maxima, those of the rim too: peaks of a class's probability that rise more than 0.1 above the pass to a higher one, mean of the three classes",
        ],
        Format::Hundredths,
        |m| grid(m, |g| mean_count(g.peaks)),
    ),
    shown(
        "barriers",
        [
            "barrier_ab",
            "barrier A to B",
            "barrier between A and B: the best path over the grid leads at its worst point through -ln(p_A + p_B), in nats; near 0 where the two classes meet, large where another one lies between",
        ],
        Format::Thousandths,
        |m| grid(m, |g| g.barriers[0]),
    ),
    shown(
        "barriers",
        ["barrier_ac", "barrier A to C", "the same between A and C"],
        Format::Thousandths,
        |m| grid(m, |g| g.barriers[1]),
    ),
    shown(
        "barriers",
        ["barrier_bc", "barrier B to C", "the same between B and C"],
        Format::Thousandths,
        |m| grid(m, |g| g.barriers[2]),
    ),
    shown(
        "order",
        [
            "order_asymmetry",
            "asymmetry",
            "order asymmetry of the triple, the same for its three permutations: half the summed difference of their probabilities where they mix all three items alike, mean of the pairs of permutations",
        ],
        Format::Thousandths,
        |m| m.order.map(|order| order.asymmetry),
    ),
    shown(
        "order",
        [
            "order_agreement",
            "agreement",
            "share of the same comparisons in which the predicted class is the same",
        ],
        Format::Percent,
        |m| m.order.map(|order| order.label_agreement),
    ),
    shown(
        "order",
        [
            "order_weights",
            "weights",
            "mixes of all three items that the three permutations share, on which the two numbers rest, with three comparisons each: 3 at 21 steps, none at 11",
        ],
        Format::Integer,
        |m| m.order.map(|order| order.num_weights as f64),
    ),
];

/// The columns of the report's ranking.
pub(super) fn columns() -> Vec<Column> {
    SHOWN.iter().map(|shown| shown.column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::{CONFIDENT, PERSISTENT};

    #[test]
    fn columns_are_named_once_and_say_the_thresholds() {
        let keys: std::collections::BTreeSet<_> = columns().iter().map(|c| c.key).collect();
        assert_eq!(keys.len(), SHOWN.len());
        assert_eq!(overview().count(), OVERVIEW.len());
        let help = |key| columns().iter().find(|c| c.key == key).expect(key).help;
        assert!(help("confident_intrusion").contains(&CONFIDENT.to_string()));
        for key in ["basins", "peaks"] {
            assert!(help(key).contains(&PERSISTENT.to_string()), "{key}");
        }
    }
}
