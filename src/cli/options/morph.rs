//! How large grids are, and how images are morphed.

use crate::kernels::Sampling;
use crate::pipeline::{MorphMode, MorphSettings};
use anyhow::bail;
use clap::{Args, ValueEnum};

/// How large grids are, and how many feature points an image has.
#[derive(Debug, Args)]
pub(in crate::cli) struct GridArgs {
    /// Points a side of a grid, the ends included
    #[arg(long, value_name = "N", default_value_t = 21, value_parser = clap::value_parser!(u16).range(2..=1001))]
    steps: u16,
    /// Feature cells a side
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=256))]
    grid: u16,
}

impl GridArgs {
    pub(in crate::cli) fn steps(&self) -> usize {
        usize::from(self.steps)
    }

    pub(in crate::cli) fn grid(&self) -> usize {
        usize::from(self.grid)
    }
}

/// How images are morphed.
#[derive(Debug, Args)]
pub(in crate::cli) struct MorphArgs {
    #[command(flatten)]
    size: GridArgs,
    /// clean: float frames, levels clamped, every pixel owned by one triangle; published: as the
    /// paper's tool makes them, to the pixel, with its 8-bit wrap-around and its failed frames
    #[arg(long, value_enum, default_value = "clean")]
    mode: ModeName,
    /// How images are sampled: interpolating bicubic spline, or bilinear (clean mode only)
    #[arg(long, value_enum, default_value = "cubic")]
    sampling: SamplingName,
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
    /// Points a side of a grid.
    pub(in crate::cli) fn steps(&self) -> usize {
        self.size.steps()
    }

    /// How images are morphed; published mode has one way of sampling.
    pub(in crate::cli) fn settings(&self) -> anyhow::Result<MorphSettings> {
        let mode = match (self.mode, self.sampling) {
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
}
