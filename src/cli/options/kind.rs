//! Which kind of grid lies between three items.

use crate::landscape::GridKind;
use crate::pipeline::FlatSettings;
use crate::sections::{BoxRange, Exactness};
use anyhow::bail;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

/// Points a side of a plane or triangle, as dbViz and SyReNN have them.
const FLAT_STEPS: usize = 51;

/// How planes and triangles are laid.
#[derive(Debug, Args)]
pub(in crate::cli) struct FlatArgs {
    /// How much wider than its three items the box of a plane is, as a share of each of its sides:
    /// one number; two, below and above; or four, two for alpha and then two for beta; numbers
    /// below 0 make it narrower [default: 0.1]
    #[arg(
        long,
        value_name = "SHARE[,SHARE...]",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    range: Vec<f64>,
    /// Clamp the levels of a plane's points to 0..255; otherwise they may leave that range, as in
    /// dbViz
    #[arg(long)]
    clipped: bool,
    /// auto: the class map of a plane or triangle is computed exactly where the network allows it,
    /// and the boundary drawn over the samples; off: samples only
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    exact: ExactName,
    /// If the exact class map would have more regions than this, certify it by bounds instead
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

/// Reads the kind of a grid of images.
pub(in crate::cli) fn image_kind() -> impl TypedValueParser<Value = GridKind> {
    kinds(|kind| kind.is_morphed() || kind.is_flat())
}

/// Reads the kind of a grid of rows.
pub(in crate::cli) fn row_kind() -> impl TypedValueParser<Value = GridKind> {
    kinds(|kind| !kind.is_morphed())
}

fn kinds(among: fn(GridKind) -> bool) -> impl TypedValueParser<Value = GridKind> {
    let kinds = GridKind::ALL.into_iter().filter(move |&kind| among(kind));
    let names = kinds.map(|kind| {
        let points = match kind.is_flat() {
            true => format!("; {FLAT_STEPS} points a side"),
            false => String::new(),
        };
        PossibleValue::new(kind.name()).help(format!("{}{points}", kind.in_few_words()))
    });
    PossibleValuesParser::new(names)
        .try_map(|name| GridKind::named(&name).ok_or("no kind of grid has this name"))
}

impl FlatArgs {
    /// What they stand for where planes or triangles are asked for, and the points a side of one
    /// where no number is given.
    pub(in crate::cli) fn settings(
        &self,
        kind: GridKind,
    ) -> anyhow::Result<Option<(FlatSettings, usize)>> {
        let shape = kind.flat_shape();
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
        if !shape.has_box() && !self.range.is_empty() {
            bail!(
                "--range: a {} has no box around it; leave it out, or use --kind plane",
                kind.name()
            );
        }
        let default = FlatSettings::default();
        let range = match self.range[..] {
            [] => default.range,
            [all] => BoxRange([[all; 2]; 2]),
            [below, above] => BoxRange([[below, above]; 2]),
            [left, right, below, above] => BoxRange([[left, right], [below, above]]),
            _ => bail!(
                "--range: expected one number, two or four, found {}",
                self.range.len()
            ),
        };
        if let Some(problem) = range.problem() {
            bail!("--range: {problem}");
        }
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
