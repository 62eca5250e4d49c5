//! The arguments of a walk.

use super::surface::SurfaceArgs;
use crate::cli::options::{DataArgs, EngineArgs, ModelArgs};
use clap::ValueEnum;
use std::path::PathBuf;

/// What walks, and on what.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    pub(super) surface: SurfaceArgs,
    /// lattice: one of the four neighbours a step, accepted as Metropolis does; langevin: downhill
    /// with jitter, in time steps of --dt
    #[arg(long, value_enum, default_value = "lattice")]
    pub(super) walk: WalkName,
    /// Temperature, in the unit of the surface's height; at 1, walkers on -ln p come to be spread
    /// as p
    #[arg(
        long,
        value_name = "T",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    pub(super) temperature: f64,
    /// Time of a step of the Langevin walk [default: a quarter of the largest that is accepted, on
    /// planes at most 0.01]
    #[arg(long, value_name = "DT", allow_negative_numbers = true)]
    pub(super) dt: Option<f64>,
    /// How many walkers
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    pub(super) walkers: u32,
    /// Steps of each walker
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=MAX_STEPS))]
    pub(super) length: u32,
    /// Where walkers start: minimum, uniform (each at a grid point of its own), or a place X,Y
    /// [default: uniform on fractals and landscapes, else minimum]
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
    pub(super) start: Option<String>,
    /// What the edges of a grid do; flat surfaces, and bowls of a Langevin walk, have none
    #[arg(long, value_enum, default_value = "reflecting")]
    pub(super) edges: Edges,
    /// On a landscape: the two items, of A, B and C, whose basins a lattice walk is to reach
    #[arg(long, value_name = "X,Y", default_value = "A,B")]
    pub(super) basins: String,
    /// Seed of the walk and of a fractal surface
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Draw figures and the report, or none
    #[arg(long, value_enum, default_value = "all")]
    pub(super) figures: FiguresName,
    /// Figure files to write, any of svg, png
    #[arg(
        long,
        value_enum,
        value_name = "KIND,...",
        value_delimiter = ',',
        default_value = "svg"
    )]
    pub(super) format: Vec<Kind>,
    #[command(flatten)]
    pub(super) model: ModelArgs,
    #[command(flatten)]
    pub(super) data: DataArgs,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "morphscape-walk")]
    pub(super) out: PathBuf,
    /// Start over, in a folder that holds another run or other files, too: what the old run wrote
    /// is removed
    #[arg(long)]
    pub(super) force: bool,
}

/// Coordinates of a free walker are whole numbers that a 32-bit float holds.
const MAX_STEPS: i64 = 1 << 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum WalkName {
    Lattice,
    Langevin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Edges {
    /// Walkers are thrown back
    Reflecting,
    /// Walkers that come to the outermost points stay there for good
    Absorbing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FiguresName {
    None,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    Svg,
    Png,
}

/// An option's value as it is written.
pub(super) fn name(value: impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}
