//! Figures of walks: how far walkers come, where they go, where they stay, and which basin they
//! reach.

mod axes;
mod field;
mod relief;
mod spread;
mod tracking;

pub use field::{FieldMaps, OccupationPlot, committor_maps, occupation_plot};
pub use relief::{WalkersPlot, walkers_plot};
pub use spread::{SpreadPlot, spread_plot};
pub use tracking::{TrackingPanel, TrackingPoint, tracking_plot};
