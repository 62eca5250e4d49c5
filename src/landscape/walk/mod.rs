//! What walkers walk on, and what can be said of a walk without walking it.
//!
//! ```text
//! bowl, fractal, landscape ─> Potential ─┬─> Chain ─┬─> entries of the lattice walk
//!                                        │          └─> stationary law, committor, first-passage times
//!                                        └─> cells of the Langevin walk
//! ```
//!
//! The walkers themselves are in `pipeline`. Coordinates are those of the kernels: x along the
//! columns, y along the rows, in points of the grid.
//!
//! **Basins.** The basin of an item is the region (connected by edges, of one predicted class)
//! that holds the item's grid point: A the start, B the last mix, C the end of the paths. It is
//! named by the item, not by a class: an item that is taken for another class has a basin, too.

mod chain;
mod exact;
mod exponent;
mod langevin;
mod potential;

pub use chain::Chain;
pub use exact::{committor, mean_first_passage};
pub use exponent::{Exponent, exponent};
pub use langevin::{Plane, bilinear_cells, largest_time_step};
pub use potential::Potential;

use super::{Connectivity, Landscape, region_of};
use crate::remedy::{Remedy, Setting};

/// Why a walk is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WalkError {
    /// A potential with a value that is no number.
    #[error("potential at row {row}, column {column}: expected a finite number, found {found}")]
    NotFinite {
        /// Row of the point.
        row: usize,
        /// Its column.
        column: usize,
        /// The value.
        found: f64,
    },
    /// A grid without a cell.
    #[error("expected a grid of at least 2 x 2 points, found {rows} x {columns}")]
    TooSmall {
        /// Rows found.
        rows: usize,
        /// Columns found.
        columns: usize,
    },
    /// A temperature at which nothing moves, or none.
    #[error("temperature: expected a number above 0, found {found}")]
    Temperature {
        /// The temperature.
        found: f64,
    },
    /// A time step that is none, or in which a walker jumps across the grid's cells.
    #[error(
        "time step {found}: expected above 0 and at most {largest:.3e}, so that no step jumps over a cell of the grid"
    )]
    TimeStep {
        /// The step.
        found: f64,
        /// The largest that is accepted.
        largest: f64,
    },
    /// Nothing to reach.
    #[error("expected at least one point to reach, found none")]
    NoTarget,
    /// Two basins that are one, or overlap.
    #[error("the two basins overlap; expected sets of points without one in common")]
    Overlap,
    /// Times so long that the answer would be rounding.
    #[error("mean times reach {time:.1e} steps, at which 64-bit floats keep fewer than six digits")]
    TooLong {
        /// The longest mean first-passage time, steps.
        time: f64,
    },
}

impl WalkError {
    /// What to do about it, where there is something.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::TimeStep { .. } => Some(Remedy::new(
                "use a smaller {} or fewer {}",
                &[Setting::Dt, Setting::Steps],
            )),
            Self::TooLong { .. } => Some(Remedy::new("use a higher {}", &[Setting::Temperature])),
            _ => None,
        }
    }
}

/// The letters of a landscape's items, in the order of [`item_basin`]'s numbers.
pub const LANDSCAPE_ITEMS: [&str; 3] = ["A", "B", "C"];

/// The basin of item 0, 1 or 2 (A, B, C): whether each point of the landscape's grid belongs.
///
/// # Panics
/// When `item` is not below 3.
pub fn item_basin(landscape: &Landscape, item: usize) -> Vec<bool> {
    let steps = landscape.steps;
    let corner = [0, (steps - 1) * steps, steps * steps - 1][item];
    // A frame that failed belongs to no class.
    let labels: Vec<usize> = (0..landscape.num_frames())
        .map(|k| landscape.label(k).unwrap_or(usize::MAX))
        .collect();
    region_of(corner, &labels, [steps; 2], Connectivity::Four)
}
