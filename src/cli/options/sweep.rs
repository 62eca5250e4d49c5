//! The image job, as `sweep` computes it and `bench` measures it.

use super::{DataArgs, FlatArgs, ModelArgs, MorphArgs, TripleArgs};
use crate::job::{InterpolateJob, SweepJob};
use crate::landscape::GridKind;
use crate::pipeline::{FlatSettings, MorphMode, MorphSettings};
use anyhow::ensure;

/// Which images are morphed how, and which classifier is asked.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SweepArgs {
    #[command(flatten)]
    triples: TripleArgs,
    #[command(flatten)]
    morph: MorphArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    data: DataArgs,
}

impl SweepArgs {
    /// The job that they stand for.
    pub(in crate::cli) fn job(&self) -> anyhow::Result<SweepJob> {
        Ok(SweepJob {
            model: self.model.source()?,
            data: self.data.source(),
            triples: self.triples.triples(),
            morph: self.morph.settings()?,
            points: None,
            flat: None,
        })
    }

    /// The same with grids of a kind.
    pub(in crate::cli) fn job_of(
        &self,
        kind: GridKind,
        flat: &FlatArgs,
    ) -> anyhow::Result<SweepJob> {
        let (morph, flat) = grids(kind, flat, &self.morph)?;
        Ok(SweepJob {
            model: self.model.source()?,
            data: self.data.source(),
            triples: self.triples.triples(),
            morph,
            points: None,
            flat,
        })
    }
}

/// How images lead to grids of a kind.
pub(in crate::cli) fn grids(
    kind: GridKind,
    flat: &FlatArgs,
    morph: &MorphArgs,
) -> anyhow::Result<(MorphSettings, Option<FlatSettings>)> {
    let flat = flat.settings(kind)?;
    let steps = flat.map_or(MorphSettings::default().steps, |(_, steps)| steps);
    let morph = match kind {
        GridKind::Morph => morph.settings()?,
        _ => morph.without_warp(kind.name(), steps, MorphMode::CrossFade)?,
    };
    Ok((morph, flat.map(|(flat, _)| flat)))
}

/// How rows of `place` lead to grids of a kind: points a side, and the plane.
pub(in crate::cli) fn row_grids(
    place: &str,
    kind: GridKind,
    flat: &FlatArgs,
    morph: &MorphArgs,
) -> anyhow::Result<(usize, Option<FlatSettings>)> {
    ensure!(
        kind != GridKind::CrossFade,
        "--kind cross-fade belongs to images, and --data {place} is a table; leave it out"
    );
    let flat = flat.settings(kind)?;
    let steps = flat.map_or(InterpolateJob::default().steps, |(_, steps)| steps);
    // Rows are not warped.
    let morph = morph.without_warp("rows", steps, MorphMode::CrossFade)?;
    Ok((morph.steps, flat.map(|(flat, _)| flat)))
}
