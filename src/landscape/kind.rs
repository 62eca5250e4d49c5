//! Kinds of grids: which points a landscape has, what its axes mean, where its items lie, how it is
//! drawn, and which others it has beside it.
//!
//! What differs from kind to kind is asked here: a new kind is a variant, its rows below, and the
//! file that makes its inputs. Every grid is held as `[steps, steps]`, so that measures and figures
//! know one shape; a triangle leaves the points beyond its third edge empty
//! ([`GridKind::has_point`]).
//!
//! ```text
//! morph, cross-fade, rows        plane                      triangle
//! A ──── into C ──── C           beta ^   . C               C
//! │ i = row, down    │                |                     │ ╲
//! │ j = column       │                A ── . B -> alpha     A ── B -> i
//! B ──────────────── C           i along alpha, j along beta; drawn right and up
//! ```

use super::Permutation;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How the inputs of a grid come from three items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GridKind {
    /// Images morphed: mixes of A and B, and these into C.
    Morph,
    /// The same without a warp, pixel by pixel.
    CrossFade,
    /// Rows of measurements, mixed value by value.
    Rows,
    /// The plane through three items, in a box around them.
    Plane,
    /// The mixtures of three items by weights that sum to 1.
    Triangle,
}

/// What is laid through three items without a morph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlatShape {
    /// Their plane, in a box around them.
    Plane,
    /// Their mixtures.
    Triangle,
}

impl FlatShape {
    /// All shapes.
    pub const ALL: [Self; 2] = [Self::Plane, Self::Triangle];

    /// Whether its points lie in a box, which may be wider than the items.
    pub fn has_box(self) -> bool {
        self == Self::Plane
    }
}

impl From<FlatShape> for GridKind {
    fn from(shape: FlatShape) -> Self {
        match shape {
            FlatShape::Plane => Self::Plane,
            FlatShape::Triangle => Self::Triangle,
        }
    }
}

/// What a grid's axes are called, for the eye, as it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AxisNames {
    /// From top to bottom or back: `mix A to B`.
    pub down: &'static str,
    /// The same where what is done is clear: `A to B`.
    pub down_short: &'static str,
    /// From left to right: `into C`.
    pub across: &'static str,
}

/// Points of a grid along a path that is shown: `count` of them, `stride` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridPath {
    /// The first point.
    pub first: usize,
    /// From one to the next.
    pub stride: isize,
    /// How many.
    pub count: usize,
}

impl GridPath {
    /// Point `n`.
    ///
    /// # Panics
    /// When it is not below the count.
    pub fn point(self, n: usize) -> usize {
        assert!(n < self.count, "a point of the path");
        self.first.wrapping_add_signed(n as isize * self.stride)
    }
}

impl GridKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::Morph,
        Self::CrossFade,
        Self::Rows,
        Self::Plane,
        Self::Triangle,
    ];

    /// The kind of a grid of images that were morphed in a mode of this name.
    pub fn of_mode(name: &str) -> Self {
        match name {
            "cross-fade" => Self::CrossFade,
            _ => Self::Morph,
        }
    }

    /// The kind of the landscapes of a run, by its plan.
    pub fn of_plan(plan: &Value) -> Self {
        let stated = serde_json::from_value(plan["flat"]["kind"].clone());
        let by_job = || match plan["job"].as_str() {
            Some("interpolate") => Self::Rows,
            _ => Self::of_mode(plan["morph"]["mode"].as_str().unwrap_or_default()),
        };
        stated.unwrap_or_else(|_| by_job())
    }

    /// Its name, as plans and files have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Morph => "morph",
            Self::CrossFade => "cross-fade",
            Self::Rows => "rows",
            Self::Plane => "plane",
            Self::Triangle => "triangle",
        }
    }

    /// The kind of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What lies between three items, for somebody who chooses.
    pub fn in_few_words(self) -> &'static str {
        match self {
            Self::Morph => "Mixes of A and B, morphed into C",
            Self::CrossFade => "The same without a warp, pixel by pixel",
            Self::Rows => "Mixes of A and B, led into C",
            Self::Plane => "The plane through A, B and C, as dbViz lays it",
            Self::Triangle => "The mixtures of A, B and C",
        }
    }

    /// What is laid through three items, where no morph is.
    pub fn flat_shape(self) -> Option<FlatShape> {
        (FlatShape::ALL.into_iter()).find(|&shape| Self::from(shape) == self)
    }

    /// Whether its inputs are images that were morphed, so that there are meshes and their counts.
    pub fn is_morphed(self) -> bool {
        matches!(self, Self::Morph | Self::CrossFade)
    }

    /// Whether its points are affine in its coordinates: no warp, and three items that are alike.
    pub fn is_flat(self) -> bool {
        self.flat_shape().is_some()
    }

    /// Whether the square of `steps x steps` has places without a point.
    pub fn has_gaps(self) -> bool {
        matches!(self, Self::Triangle)
    }

    /// Its points in words: `21 x 21`, or their number where they are no square.
    pub fn size(self, steps: usize) -> String {
        match self.has_gaps() {
            true => self.num_points(steps).to_string(),
            false => format!("{steps} x {steps}"),
        }
    }

    /// What its axes are called.
    pub fn axes(self) -> AxisNames {
        match self {
            Self::Morph | Self::CrossFade | Self::Rows => AxisNames {
                down: "mix A to B",
                down_short: "A to B",
                across: "into C",
            },
            Self::Plane => AxisNames {
                down: "beta, towards C",
                down_short: "towards C",
                across: "alpha, from A to B",
            },
            Self::Triangle => AxisNames {
                down: "share of C",
                down_short: "C",
                across: "share of B",
            },
        }
    }

    /// What its axes are called with the names of three items: across and down.
    pub fn named_axes(self, [a, b, c]: [&str; 3]) -> [String; 2] {
        let AxisNames { down, across, .. } = self.axes();
        match self {
            Self::Morph | Self::CrossFade | Self::Rows => {
                [format!("{across} ({c})"), format!("{down} ({a} to {b})")]
            }
            Self::Plane => [format!("{across} ({a} to {b})"), format!("{down} ({c})")],
            Self::Triangle => [format!("{across} ({b})"), format!("{down} ({c})")],
        }
    }

    /// What a landscape is of, in the names of three items: `x to y, into z`.
    pub fn title(self, [a, b, c]: [&str; 3]) -> String {
        match self {
            Self::Morph | Self::CrossFade | Self::Rows => format!("{a} to {b}, into {c}"),
            Self::Plane => format!("plane of {a}, {b} and {c}"),
            Self::Triangle => format!("triangle of {a}, {b} and {c}"),
        }
    }

    /// What a landscape is, for a reader of a report.
    pub fn about(self) -> &'static str {
        match self {
            Self::Morph | Self::CrossFade | Self::Rows => {
                "A landscape is what the classifier answers between three items A, B and C: down the grid the input goes from A to B, across the grid from that mix into C, and every grid point holds the probability of every class (after the softmax)."
            }
            Self::Plane => {
                "A landscape is what the classifier answers on the plane through three items A, B and C: to the right along the line from A to B (alpha), upwards at right angles to it, towards C (beta); every grid point holds the probability of every class (after the softmax)."
            }
            Self::Triangle => {
                "A landscape is what the classifier answers to mixtures of three items A, B and C: to the right the share of B grows, upwards that of C, and the rest is A; every grid point holds the probability of every class (after the softmax)."
            }
        }
    }

    /// What A, B and C are, in a few words each.
    pub fn roles(self) -> [&'static str; 3] {
        match self {
            Self::Morph | Self::CrossFade | Self::Rows => [
                "the item mixed with B",
                "the item mixed with A",
                "the item the mixes go into",
            ],
            Self::Plane => [
                "the item at (0, 0)",
                "the item that alpha leads to",
                "the item that beta leads towards",
            ],
            Self::Triangle => [
                "the item at the lower left",
                "the item at the right",
                "the item at the top",
            ],
        }
    }

    /// What the third item is called in the heading of a table.
    pub fn third_item(self) -> &'static str {
        match self {
            Self::Morph | Self::CrossFade | Self::Rows => "into C",
            Self::Plane | Self::Triangle => "C",
        }
    }

    /// What one of the runs of points is that follow each other, row by row.
    pub fn row_name(self) -> &'static str {
        match self {
            Self::Morph | Self::CrossFade | Self::Rows => "from a mix of A and B into C",
            Self::Plane => "of rising beta, one alpha after the other",
            Self::Triangle => "of a rising share of C, one share of B after the other",
        }
    }

    /// Whether the grid has point `k` of `steps x steps`.
    pub fn has_point(self, k: usize, steps: usize) -> bool {
        match self {
            Self::Triangle => k / steps + k % steps < steps,
            _ => true,
        }
    }

    /// Points of a grid.
    pub fn num_points(self, steps: usize) -> usize {
        match self {
            Self::Triangle => steps * (steps + 1) / 2,
            _ => steps * steps,
        }
    }

    /// All points of a grid, row by row.
    pub fn points(self, steps: usize) -> impl Iterator<Item = usize> {
        (0..steps * steps).filter(move |&k| self.has_point(k, steps))
    }

    /// The points at which A, B and C lie, of a grid of `steps` points a side. An item may lie at
    /// more: then this is its first. Nothing where they lie between points.
    pub fn corners(self, steps: usize) -> Option<[usize; 3]> {
        let last = steps - 1;
        match self {
            // The whole last column is C.
            Self::Morph | Self::CrossFade | Self::Rows => Some([0, last * steps, last]),
            Self::Triangle => Some([0, last * steps, last]),
            Self::Plane => None,
        }
    }

    /// The edges from A to B, A to C and B to C; nothing where the grid has no such edges.
    pub fn edges(self, steps: usize) -> Option<[GridPath; 3]> {
        let path = |first, stride: isize| GridPath {
            first,
            stride,
            count: steps,
        };
        let (side, last_row) = (steps as isize, steps.saturating_sub(1) * steps);
        match self {
            Self::Morph | Self::CrossFade | Self::Rows => {
                Some([path(0, side), path(0, 1), path(last_row, 1)])
            }
            Self::Triangle => Some([path(0, side), path(0, 1), path(last_row, 1 - side)]),
            Self::Plane => None,
        }
    }

    /// The two paths that figures show of a grid, each with its name given those of the items.
    pub fn shown_paths(self, steps: usize, [a, b, c]: [&str; 3]) -> [(GridPath, String); 2] {
        let middle = (steps - 1) / 2;
        let path = |first, stride| GridPath {
            first,
            stride,
            count: steps,
        };
        let side = steps as isize;
        match self {
            Self::Morph | Self::CrossFade | Self::Rows => {
                let share = middle as f64 / (steps - 1) as f64;
                let mix = format!(
                    "into C: the mix of {:.0} % A and {:.0} % B to {c}",
                    100.0 * (1.0 - share),
                    100.0 * share
                );
                let a_to_b = format!("A to B: {a} to {b}");
                [(path(0, side), a_to_b), (path(middle * steps, 1), mix)]
            }
            Self::Plane => [
                (
                    path(middle, side),
                    format!("alpha, along {a} to {b}, in the middle of the box"),
                ),
                (
                    path(middle * steps, 1),
                    format!("beta, towards {c}, in the middle of the box"),
                ),
            ],
            Self::Triangle => [
                (path(0, side), format!("A to B: {a} to {b}")),
                (path(0, 1), format!("A to C: {a} to {c}")),
            ],
        }
    }

    /// The landscapes of a triple, in the order of their names, each by how it arranges the items
    /// as A, B and C.
    pub fn siblings(self) -> &'static [Permutation] {
        match self {
            // Which item is C matters: mixes of two are led into the third.
            Self::Morph | Self::CrossFade | Self::Rows => &Permutation::ALL,
            // Three items span one plane, whatever their order.
            Self::Plane | Self::Triangle => &[Permutation::IntoZ],
        }
    }

    /// The point that is drawn in a row from the top and a column from the left; it may be one
    /// that the grid has not.
    pub fn drawn_at(self, row: usize, column: usize, steps: usize) -> usize {
        match self.is_flat() {
            false => row * steps + column,
            true => column * steps + steps - 1 - row,
        }
    }

    /// Row from the top and column from the left of point `k`, as it is drawn.
    pub fn drawn_place(self, k: usize, steps: usize) -> [usize; 2] {
        match self.is_flat() {
            false => [k / steps, k % steps],
            true => [steps - 1 - k % steps, k / steps],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_says_all_of_itself() {
        for kind in GridKind::ALL {
            let points: Vec<usize> = kind.points(5).collect();
            assert_eq!(points.len(), kind.num_points(5));
            if let Some([a, b, c]) = kind.corners(5) {
                assert!(a != b && b != c && a != c);
                let edges = kind.edges(5).expect("items at points have edges between");
                let ends = edges.map(|edge| [edge.point(0), edge.point(4)]);
                assert_eq!(ends[0], [a, b]);
                assert_eq!(ends[1], [a, c]);
                for edge in edges {
                    assert!((0..5).all(|n| kind.has_point(edge.point(n), 5)), "{kind:?}");
                }
            }
            for (path, _) in kind.shown_paths(5, ["x", "y", "z"]) {
                assert!((0..5).all(|n| kind.has_point(path.point(n), 5)), "{kind:?}");
            }
            assert!(!kind.siblings().is_empty());
            let items = ["x", "y", "z"];
            for sibling in kind.siblings() {
                let mut arranged = sibling.arrange(items);
                arranged.sort_unstable();
                assert_eq!(arranged, items);
            }
            let axes = kind.axes();
            assert!(axes.down.ends_with(axes.down_short), "{axes:?}");
            for k in 0..25 {
                let [row, column] = kind.drawn_place(k, 5);
                assert_eq!(kind.drawn_at(row, column, 5), k);
            }
            let text = serde_json::to_value(kind).expect("plain data");
            assert_eq!(text, kind.name());
            assert_eq!(GridKind::named(kind.name()), Some(kind));
        }
        assert_eq!(GridKind::of_mode("cross-fade"), GridKind::CrossFade);
        assert_eq!(GridKind::of_mode("published"), GridKind::Morph);
        let plan = serde_json::json!({"job": "interpolate", "flat": {"kind": "plane"}});
        assert_eq!(GridKind::of_plan(&plan), GridKind::Plane);
        let plan = serde_json::json!({"job": "interpolate"});
        assert_eq!(GridKind::of_plan(&plan), GridKind::Rows);
    }
}
