//! Batches: rows of grids, inputs, frames or walkers that go to the engine together; and groups of
//! landscapes, two of which are at work at once.

use super::PipelineError;
use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine, EngineError, EngineKind, Trouble};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What `work` makes of each of `groups`, in their order. Two groups are at work at once: the host
/// prepares one, or puts its answers in place, while the engine has the other, and a device goes
/// on with the next without a pause. Groups are begun in their order; after an error none is.
pub(super) fn in_slots<G: Sync, T: Send>(
    groups: &[G],
    work: impl Fn(&G) -> Result<T, PipelineError> + Sync,
) -> Result<Vec<T>, PipelineError> {
    let next = AtomicUsize::new(0);
    let slot = || {
        let mut done = Vec::new();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            let Some(group) = groups.get(n) else {
                return Ok(done);
            };
            match work(group) {
                Ok(result) => done.push((n, result)),
                Err(error) => {
                    next.store(groups.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    };
    let (one, other) = rayon::join(slot, slot);
    let mut results = one?;
    results.extend(other?);
    results.sort_unstable_by_key(|&(n, _)| n);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

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
            Err(PipelineError::NotFinite { value }) if engine.info().engine != EngineKind::Cpu => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::ThreadPoolBuilder;
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread::sleep;
    use std::time::Duration;

    /// In slots of which neither waits for the threads of another test.
    fn in_own_slots<G: Sync, T: Send>(
        groups: &[G],
        work: impl Fn(&G) -> Result<T, PipelineError> + Send + Sync,
    ) -> Result<Vec<T>, PipelineError> {
        let pool = ThreadPoolBuilder::new().num_threads(2).build();
        pool.expect("two threads")
            .install(|| in_slots(groups, work))
    }

    #[test]
    fn results_of_slots_are_in_the_order_of_the_groups() {
        let groups: Vec<u64> = (0..40).collect();
        let squared = in_own_slots(&groups, |&n| {
            sleep(Duration::from_micros(37 * (n % 5)));
            Ok(n * n)
        });
        let expected: Vec<u64> = groups.iter().map(|n| n * n).collect();
        assert_eq!(squared.expect("no error"), expected);
        assert!(in_own_slots(&[0; 0], |&n: &u64| Ok(n)).is_ok_and(|results| results.is_empty()));
    }

    /// Each of two groups waits for a word from the other.
    #[test]
    fn two_groups_are_at_work_at_once() {
        type End = (Sender<()>, Receiver<()>);
        let ((to_right, at_right), (to_left, at_left)) = (channel(), channel());
        let ends: [Mutex<End>; 2] = [(to_right, at_left), (to_left, at_right)].map(Mutex::new);
        let met = in_own_slots(&ends, |end| {
            let (to, at) = &*end.lock().expect("one thread has it");
            to.send(()).expect("the other is there");
            Ok(at.recv_timeout(Duration::from_secs(20)).is_ok())
        });
        assert_eq!(met.expect("no error"), [true, true]);
    }

    #[test]
    fn after_an_error_no_group_is_begun() {
        let begun = Mutex::new(Vec::new());
        let groups: Vec<usize> = (0..100).collect();
        let stopped = in_own_slots(&groups, |&n| {
            begun.lock().expect("no panic").push(n);
            if n == 5 {
                return Err(PipelineError::Interrupted);
            }
            sleep(Duration::from_millis(20));
            Ok(())
        });
        assert!(matches!(stopped, Err(PipelineError::Interrupted)));
        let begun = begun.into_inner().expect("no panic");
        assert!(begun.len() < groups.len() / 2, "{begun:?}");
    }
}
