//! Batches: rows of grids, inputs, frames or walkers that go to the engine together.

use super::PipelineError;
use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine, EngineError, Trouble};
use std::ops::Range;

/// Runs `0..total` in order, in batches of at most `most`. `run` is given an engine and a batch,
/// and keeps nothing of one that fails: the batch comes again.
///
/// A batch for which the engine has no memory is halved, and the ones after it are no larger. The
/// smallest batch there is is the end of that: then the engine is given up, and one with another
/// behind it goes on with that. A device that answers what is no number is given up, too, unless
/// the CPU engine answers the same, as a model can whose sums are too large.
pub(super) fn in_batches(
    engine: &dyn Engine,
    total: usize,
    most: usize,
    mut run: impl FnMut(&dyn Engine, Range<usize>) -> Result<(), PipelineError>,
) -> Result<(), PipelineError> {
    let (mut start, mut fits) = (0, most);
    while start < total {
        let batch = start..total.min(start + fits);
        match run(engine, batch.clone()) {
            Err(PipelineError::Engine(error)) if error.is_out_of_memory() => {
                if batch.len() > 1 {
                    fits = batch.len() / 2;
                } else {
                    engine.give_up(error)?;
                    fits = most;
                }
            }
            Err(PipelineError::NotFinite { value }) if engine.info().engine != "cpu" => {
                run(&CpuEngine::new(), batch.clone())?;
                let adapter = engine.info().adapter.clone();
                engine.give_up(EngineError::from(Trouble::NotFinite { adapter, value }))?;
                start = batch.end;
            }
            result => {
                result?;
                start = batch.end;
            }
        }
    }
    Ok(())
}

/// Rows `rows` of landscape `landscape` of a group.
pub(super) struct Segment {
    pub(super) landscape: usize,
    pub(super) rows: Range<usize>,
}

/// The parts of a group's landscapes, of `steps` rows each, that `rows` of them all are.
pub(super) fn segments(rows: Range<usize>, steps: usize) -> Vec<Segment> {
    (rows.start / steps..=(rows.end - 1) / steps)
        .map(|landscape| {
            let offset = landscape * steps;
            Segment {
                landscape,
                rows: rows.start.max(offset) - offset..rows.end.min(offset + steps) - offset,
            }
        })
        .collect()
}
