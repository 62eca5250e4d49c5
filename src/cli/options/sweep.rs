//! The image job, as `sweep` computes it and `bench` measures it.

use super::{DataArgs, FlatArgs, ImageKind, ModelArgs, MorphArgs, TripleArgs};
use crate::job::SweepJob;
use crate::pipeline::{FlatSettings, MorphMode, MorphSettings};

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
        kind: ImageKind,
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
    kind: ImageKind,
    flat: &FlatArgs,
    morph: &MorphArgs,
) -> anyhow::Result<(MorphSettings, Option<FlatSettings>)> {
    let flat = flat.settings(kind.shape())?;
    let fade = MorphMode::CrossFade;
    let steps = MorphSettings::default().steps;
    let morph = match (kind, &flat) {
        (ImageKind::Morph, _) => morph.settings()?,
        (ImageKind::Triangle, Some((_, steps))) => morph.without_warp("triangle", *steps, fade)?,
        (_, Some((_, steps))) => morph.without_warp("plane", *steps, fade)?,
        (_, None) => morph.without_warp("cross-fade", steps, fade)?,
    };
    Ok((morph, flat.map(|(flat, _)| flat)))
}
