//! Kinds of grids: what a landscape's axes mean, where its items lie, which others it has beside it.
//!
//! What differs from kind to kind is asked here: a new kind is a variant, its rows below, and the
//! file that makes its inputs.

use super::Permutation;
use serde::{Deserialize, Serialize};

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
}

/// What a grid's axes are called, for the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AxisNames {
    /// Down, row by row: `mix A to B`.
    pub down: &'static str,
    /// Down, where what is done is clear: `A to B`.
    pub down_short: &'static str,
    /// Across, column by column: `into C`.
    pub across: &'static str,
}

impl GridKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Morph, Self::CrossFade, Self::Rows];

    /// The kind of a grid of images that were morphed in a mode of this name.
    pub fn of_mode(name: &str) -> Self {
        match name {
            "cross-fade" => Self::CrossFade,
            _ => Self::Morph,
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
        }
    }

    /// The points at which A, B and C lie, of a grid of `steps` points a side. An item may lie at
    /// more: then this is its first.
    pub fn corners(self, steps: usize) -> [usize; 3] {
        let last = steps - 1;
        match self {
            // The whole last column is C.
            Self::Morph | Self::CrossFade | Self::Rows => [0, last * steps, last],
        }
    }

    /// The landscapes of a triple, in the order of their names, each by how it arranges the items
    /// as A, B and C.
    pub fn siblings(self) -> &'static [Permutation] {
        match self {
            // Which item is C matters: mixes of two are led into the third.
            Self::Morph | Self::CrossFade | Self::Rows => &Permutation::ALL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_says_all_of_itself() {
        for kind in GridKind::ALL {
            let [a, b, c] = kind.corners(5);
            assert!(a != b && b != c && a != c && [a, b, c].iter().all(|&k| k < 25));
            assert!(!kind.siblings().is_empty());
            let items = ["x", "y", "z"];
            for sibling in kind.siblings() {
                let mut arranged = sibling.arrange(items);
                arranged.sort_unstable();
                assert_eq!(arranged, items);
            }
            let axes = kind.axes();
            assert!(axes.down.ends_with(axes.down_short), "{axes:?}");
        }
        assert_eq!(GridKind::of_mode("cross-fade"), GridKind::CrossFade);
        assert_eq!(GridKind::of_mode("published"), GridKind::Morph);
    }
}
