//! How large grids are, and how images are morphed.

use crate::kernels::Sampling;
use crate::pipeline::{MorphMode, MorphSettings};
use anyhow::bail;
use clap::{Args, ValueEnum};

/// How large grids are, and how many feature points an image has.
#[derive(Debug, Args)]
pub(in crate::cli) struct GridArgs {
    /// Points a side of a grid, the ends included [default: 21]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=1001))]
    steps: Option<u16>,
    /// Feature cells a side [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    grid: Option<u16>,
}

impl GridArgs {
    pub(in crate::cli) fn steps(&self) -> usize {
        self.steps_or(MorphSettings::default().steps)
    }

    /// Points a side, or so many where no number is given.
    pub(in crate::cli) fn steps_or(&self, default: usize) -> usize {
        self.steps.map_or(default, usize::from)
    }

    pub(in crate::cli) fn grid(&self) -> usize {
        self.grid.map_or(MorphSettings::default().grid, usize::from)
    }
}

/// How images are morphed.
#[derive(Debug, Args)]
pub(in crate::cli) struct MorphArgs {
    #[command(flatten)]
    size: GridArgs,
    /// clean, or published: as the paper's tool makes frames [default: clean]
    ///
    /// clean: float frames, levels clamped, every pixel owned by one triangle; published: as the
    /// paper's tool makes them, to the pixel, with its 8-bit wrap-around and its failed frames
    /// [default: clean]
    #[arg(long, value_enum)]
    mode: Option<ModeName>,
    /// How images are sampled: interpolating bicubic spline, or bilinear (clean mode only)
    /// [default: cubic]
    #[arg(long, value_enum)]
    sampling: Option<SamplingName>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ModeName {
    Clean,
    Published,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SamplingName {
    Cubic,
    Linear,
}

impl MorphArgs {
    /// Whether a number of points is given.
    #[cfg(feature = "atlas")]
    pub(in crate::cli) fn steps_are_given(&self) -> bool {
        self.size.steps.is_some()
    }

    /// How images are morphed; published mode has one way of sampling.
    pub(in crate::cli) fn settings(&self) -> anyhow::Result<MorphSettings> {
        let mode = match (
            self.mode.unwrap_or(ModeName::Clean),
            self.sampling.unwrap_or(SamplingName::Cubic),
        ) {
            (ModeName::Clean, SamplingName::Cubic) => MorphMode::Clean(Sampling::Cubic),
            (ModeName::Clean, SamplingName::Linear) => MorphMode::Clean(Sampling::Linear),
            (ModeName::Published, SamplingName::Cubic) => MorphMode::Published,
            (ModeName::Published, SamplingName::Linear) => bail!(
                "--mode published --sampling linear: the paper's tool samples with the cubic spline; leave --sampling out, or use --mode clean"
            ),
        };
        Ok(MorphSettings {
            steps: self.size.steps(),
            grid: self.size.grid(),
            mode,
        })
    }

    /// The same without a warp, on grids of so many points a side where no number is given.
    ///
    /// `kind` is what asks for it.
    pub(in crate::cli) fn without_warp(
        &self,
        kind: &str,
        steps: usize,
        mode: MorphMode,
    ) -> anyhow::Result<MorphSettings> {
        let given = [
            ("--mode", self.mode.is_some()),
            ("--sampling", self.sampling.is_some()),
            ("--grid", self.size.grid.is_some()),
        ];
        if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
            bail!(
                "{option} says how images are warped, and --kind {kind} warps none; leave it out"
            );
        }
        Ok(MorphSettings::new(
            self.size.steps_or(steps),
            self.size.grid(),
            mode,
        ))
    }
}
