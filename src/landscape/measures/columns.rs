//! The measures as columns: what each is called, what it means, and how it is read off. The
//! order is that of `summary.csv`, of the report and of `resolution.csv`.
//!
//! One number a landscape: where a measure has a value for each class of the triple (or each
//! edge), this is their mean; the metadata of `landscape.safetensors` has each.

use super::{GridMeasures, Measures, PathMeasures, PointMeasures};

/// A measure as a column has it.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Name in `summary.csv`.
    pub key: &'static str,
    /// Name in a table's heading.
    pub label: &'static str,
    /// What it measures, in a sentence.
    pub help: &'static str,
    /// How it is written.
    pub format: Format,
    /// The measures it is shown together with.
    pub group: &'static str,
    /// One number a landscape; nothing where it could not be taken.
    pub value: fn(&Measures) -> Option<f64>,
}

/// How a measure is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `1.23`
    Hundredths,
    /// `0.123`
    Thousandths,
    /// `0.0123`
    TenThousandths,
    /// `123`
    Integer,
    /// `12.3%`, of a share 0..1
    Percent,
}

impl Format {
    /// The value as text; what failed frames leave nothing to measure for is a dash, as in the
    /// page.
    pub fn text(self, value: f64) -> String {
        match self {
            _ if value.is_nan() => "\u{2013}".to_owned(),
            Self::Hundredths => format!("{value:.2}"),
            Self::Thousandths => format!("{value:.3}"),
            Self::TenThousandths => format!("{value:.4}"),
            Self::Integer => format!("{value:.0}"),
            Self::Percent => format!("{:.1}%", 100.0 * value),
        }
    }

    /// Its name, which a page's script knows it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hundredths => "0.00",
            Self::Thousandths => "0.000",
            Self::TenThousandths => "0.0000",
            Self::Integer => "integer",
            Self::Percent => "percent",
        }
    }
}

/// The report ranks landscapes by this column first.
pub const RANK_BY: &str = "total_variation";

/// The columns that the terminal's table and the report's ranking start with.
pub const OVERVIEW: [&str; 5] = [
    "total_variation",
    "curvature",
    "label_changes",
    "intrusion",
    "regions_4",
];

/// The columns of [`OVERVIEW`].
pub fn overview() -> impl Iterator<Item = &'static Column> {
    COLUMNS
        .iter()
        .filter(|column| OVERVIEW.contains(&column.key))
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

const fn column(
    group: &'static str,
    [key, label, help]: [&'static str; 3],
    format: Format,
    value: fn(&Measures) -> Option<f64>,
) -> Column {
    Column {
        key,
        label,
        help,
        format,
        group,
        value,
    }
}

/// Every measure, in the order of `summary.csv`.
pub static COLUMNS: [Column; 24] = [
    column(
        "paths",
        [
            "total_variation",
            "variation",
            "total variation: half the summed change of all probabilities along a path, a row of the grid (in a morph from a mix into C, in a plane along beta), mean of the paths; 1 where two classes change over smoothly",
        ],
        Format::Hundredths,
        |m| path(m, |p| Some(p.total_variation)),
    ),
    column(
        "paths",
        [
            "curvature",
            "curvature",
            "curvature roughness: mean second difference of the three classes' probabilities along a path; smaller on finer grids",
        ],
        Format::TenThousandths,
        |m| path(m, |p| p.curvature.map(mean)),
    ),
    column(
        "paths",
        [
            "label_changes",
            "changes",
            "label changes: how often the predicted class changes along a path, mean of the paths",
        ],
        Format::Hundredths,
        |m| path(m, |p| Some(p.label_changes)),
    ),
    column(
        "paths",
        [
            "calibration",
            "calibration",
            "between-class calibration: along an edge from item to item, how far the first class's share of the two classes' probability is from the first item's weight; mean of the three edges; 0 where it follows the mix, 0.25 where it jumps in the middle",
        ],
        Format::Thousandths,
        |m| {
            let [ab, ac, bc] = m.calibration;
            Some(mean([ab?, ac?, bc?]))
        },
    ),
    column(
        "points",
        [
            "intrusion",
            "intrusion",
            "intrusion: share of the grid whose predicted class is none of the three items'",
        ],
        Format::Percent,
        |m| point(m, |p| p.intrusion),
    ),
    column(
        "points",
        [
            "confident_intrusion",
            "confident",
            "confident intrusion: share of the grid whose predicted class is none of the three items', with a probability of 0.9 or more",
        ],
        Format::Percent,
        |m| point(m, |p| p.confident_intrusion),
    ),
    column(
        "points",
        [
            "entropy",
            "entropy",
            "mean entropy of the probabilities, in nats: 0 where every answer is certain",
        ],
        Format::Thousandths,
        |m| point(m, |p| p.entropy),
    ),
    column(
        "points",
        [
            "margin",
            "margin",
            "mean margin: the largest probability less the next largest",
        ],
        Format::Thousandths,
        |m| point(m, |p| p.margin),
    ),
    column(
        "regions",
        [
            "regions_4",
            "regions",
            "number of regions of one predicted class, grid points connected through edges (4-connected); 3 where each class has one and nothing intrudes",
        ],
        Format::Integer,
        |m| grid(m, |g| g.regions[0] as f64),
    ),
    column(
        "regions",
        [
            "regions_8",
            "regions 8",
            "the same with grid points connected through corners as well (8-connected)",
        ],
        Format::Integer,
        |m| grid(m, |g| g.regions[1] as f64),
    ),
    column(
        "regions",
        [
            "boundary_length",
            "boundary",
            "length of all decision boundaries, in sides of the grid",
        ],
        Format::Hundredths,
        |m| grid(m, |g| g.boundary_length),
    ),
    column(
        "surfaces",
        [
            "roughness",
            "roughness",
            "surface roughness Sq: root mean square of a class's probability less its best plane, mean of the three classes",
        ],
        Format::Thousandths,
        |m| m.grid.as_ref()?.roughness.map(mean),
    ),
    column(
        "surfaces",
        [
            "laplacian",
            "Laplacian",
            "Laplacian roughness: mean of |sum of the four neighbours - 4 times the point| of a class's probability, mean of the three classes; smaller on finer grids",
        ],
        Format::TenThousandths,
        |m| m.grid.as_ref()?.laplacian.map(mean),
    ),
    column(
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
    column(
        "surfaces",
        [
            "saddles",
            "saddles",
            "saddles of a class's probability, each counted with its multiplicity, mean of the three classes",
        ],
        Format::Hundredths,
        |m| {
            grid(m, |g| {
                mean_count(g.critical_points.map(|[_, count, _]| count))
            })
        },
    ),
    column(
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
    column(
        "surfaces",
        [
            "basins",
            "basins",
            "persistent minima: basins of a class's probability that are deeper than 0.1, mean of the three classes",
        ],
        Format::Hundredths,
        |m| grid(m, |g| mean_count(g.basins)),
    ),
    column(
        "surfaces",
        [
            "peaks",
            "peaks",
            "persistent maxima, those on the rim included: peaks of a class's probability that rise more than 0.1 above the pass to a higher one, mean of the three classes",
        ],
        Format::Hundredths,
        |m| grid(m, |g| mean_count(g.peaks)),
    ),
    column(
        "barriers",
        [
            "barrier_ab",
            "barrier A to B",
            "barrier between A and B: -ln(p_A + p_B) at the worst point of the best path over the grid, in nats; near 0 where the two classes meet, large where another one lies between",
        ],
        Format::Thousandths,
        |m| m.grid.as_ref()?.barriers[0],
    ),
    column(
        "barriers",
        ["barrier_ac", "barrier A to C", "the same between A and C"],
        Format::Thousandths,
        |m| m.grid.as_ref()?.barriers[1],
    ),
    column(
        "barriers",
        ["barrier_bc", "barrier B to C", "the same between B and C"],
        Format::Thousandths,
        |m| m.grid.as_ref()?.barriers[2],
    ),
    column(
        "order",
        [
            "order_asymmetry",
            "asymmetry",
            "order asymmetry of the triple, one value for its three permutations: half the summed difference of their probabilities where they mix all three items alike, mean of the pairs of permutations",
        ],
        Format::Thousandths,
        |m| m.order.map(|order| order.asymmetry),
    ),
    column(
        "order",
        [
            "order_agreement",
            "agreement",
            "share of the same comparisons in which the predicted class is the same",
        ],
        Format::Percent,
        |m| m.order.map(|order| order.label_agreement),
    ),
    column(
        "order",
        [
            "order_weights",
            "weights",
            "number of mixes of all three items that the three permutations share; the two numbers above rest on them, with three comparisons each: 3 at 21 steps, none at 11",
        ],
        Format::Integer,
        |m| m.order.map(|order| order.num_weights as f64),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::landscape::{CONFIDENT, PERSISTENT};

    #[test]
    fn columns_are_named_once_and_say_the_thresholds() {
        let keys: std::collections::BTreeSet<_> = COLUMNS.iter().map(|c| c.key).collect();
        assert_eq!(keys.len(), COLUMNS.len());
        assert_eq!(overview().count(), OVERVIEW.len());
        let help = |key| COLUMNS.iter().find(|c| c.key == key).expect(key).help;
        assert!(help("confident_intrusion").contains(&CONFIDENT.to_string()));
        for key in ["basins", "peaks"] {
            assert!(help(key).contains(&PERSISTENT.to_string()), "{key}");
        }
    }
}
