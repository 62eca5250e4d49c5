//! Which kind of grid lies between three items.

use crate::pipeline::{FlatSettings, FlatShape};
use crate::sections::Exactness;
use anyhow::bail;
use clap::{Args, ValueEnum};

/// Points a side of a plane or triangle, as dbViz and SyReNN have them.
const FLAT_STEPS: usize = 51;

/// How planes and triangles are laid.
#[derive(Debug, Args)]
pub(in crate::cli) struct FlatArgs {
    /// How much wider than its three items the box of a plane is, as a share of each of its sides:
    /// one number, or one below and one above [default: 0.1]
    #[arg(long, value_name = "SHARE[,SHARE]", value_delimiter = ',', value_parser = parse_share)]
    range: Vec<f64>,
    /// Clamp the levels of a plane's points to 0..255; points of a plane otherwise leave them, as
    /// in dbViz
    #[arg(long)]
    clipped: bool,
    /// auto: the class map of a plane or triangle is computed exactly where the network allows it,
    /// and the boundary drawn over the samples; off: samples alone
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    exact: ExactName,
    /// Where the exact class map would have more regions than this, bounds prove it instead
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    max_regions: usize,
}

/// When sections are exact.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum ExactName {
    Auto,
    Off,
}

impl ExactName {
    pub(in crate::cli) fn exactness(self) -> Exactness {
        match self {
            Self::Auto => Exactness::Auto,
            Self::Off => Exactness::Off,
        }
    }
}

/// Kinds of grids of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ImageKind {
    /// Mixes of A and B, morphed into C
    Morph,
    /// The same without a warp, pixel by pixel
    CrossFade,
    /// The plane through A, B and C, as dbViz lays it; 51 points a side
    Plane,
    /// The mixtures of A, B and C; 51 points a side
    Triangle,
}

/// Kinds of grids of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum RowKind {
    /// Mixes of A and B, led into C
    Rows,
    /// The plane through A, B and C, as dbViz lays it; 51 points a side
    Plane,
    /// The mixtures of A, B and C; 51 points a side
    Triangle,
}

impl ImageKind {
    pub(in crate::cli) fn shape(self) -> Option<FlatShape> {
        match self {
            Self::Morph | Self::CrossFade => None,
            Self::Plane => Some(FlatShape::Plane),
            Self::Triangle => Some(FlatShape::Triangle),
        }
    }
}

impl RowKind {
    pub(in crate::cli) fn shape(self) -> Option<FlatShape> {
        match self {
            Self::Rows => None,
            Self::Plane => Some(FlatShape::Plane),
            Self::Triangle => Some(FlatShape::Triangle),
        }
    }
}

impl FlatArgs {
    /// What they stand for where planes or triangles are asked for, and the points a side of one
    /// where no number is given.
    pub(in crate::cli) fn settings(
        &self,
        shape: Option<FlatShape>,
    ) -> anyhow::Result<Option<(FlatSettings, usize)>> {
        let given = [
            ("--range", !self.range.is_empty()),
            ("--clipped", self.clipped),
        ];
        if let (None, Some((option, _))) = (shape, given.iter().find(|(_, given)| *given)) {
            bail!("{option} belongs to --kind plane; leave it out");
        }
        let Some(shape) = shape else {
            return Ok(None);
        };
        if shape == FlatShape::Triangle && !self.range.is_empty() {
            bail!("--range: a triangle has no box around it; leave it out, or use --kind plane");
        }
        let default = FlatSettings::default();
        let range = match self.range[..] {
            [] => default.range,
            [both] => [both; 2],
            [below, above] => [below, above],
            _ => bail!(
                "--range: expected one number or two, found {}",
                self.range.len()
            ),
        };
        let settings = FlatSettings {
            shape,
            range,
            clipped: self.clipped,
            exact: self.exact.exactness(),
            max_regions: self.max_regions,
        };
        Ok(Some((settings, FLAT_STEPS)))
    }
}

/// A share of at least 0.
fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.trim().parse::<f64>().ok();
    share
        .filter(|share| (0.0..=100.0).contains(share))
        .ok_or_else(|| format!("expected a number from 0 to 100, found \"{text}\""))
}
