//! The image job, as `sweep` computes it and `bench` measures it.

use super::{DataArgs, ModelArgs, MorphArgs, TripleArgs};
use crate::job::SweepJob;

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
        })
    }
}
