//! Networks that the host runs: who asks them, and when.
//!
//! ```text
//! thread "slot 0"    prepare, morph group 0 ─ inputs ─┐
//! thread "slot 1"    prepare, morph group 1 ─ inputs ─┼─> calling thread: batches ─ network ─ softmax ─> landscapes
//! ```
//!
//! Groups are made by two threads of their own, but the network is asked by the thread that called
//! the pipeline: a function may hold what belongs to it. Neither are threads of rayon's pool, so a
//! function may use this library itself: on `rayon::join`, as slots of a network of kernels are,
//! both would wait for the function while the function waits for a thread of the pool.
//!
//! Inputs reach the network in the order of the landscapes, across landscapes, in batches of
//! exactly the size it names but for the last: the batches of a job are the same every time, and
//! so are the answers of a network whose last bits depend on its batches. A slot that is ahead
//! waits, so memory is that of a few of its batches.

use super::PipelineError;
use super::answers::{Answers, with_probabilities};
use super::places::{InputPlace, Points};
use crate::model::{AnswerKind, HostNetwork, Inputs};
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// Probabilities below it count as this one: a logarithm has no answer to 0.
const LEAST_PROBABILITY: f32 = 1e-38;

/// How far the sum of an input's probabilities may be from 1: what networks of 16-bit floats leave.
const SUM_TOLERANCE: f32 = 1e-2;

/// How often `progress` is asked whether to go on while nothing is done.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// The same on a thread of rayon's pool, which has the pool's work to do meanwhile.
const POOL_ASK_EVERY: Duration = Duration::from_millis(1);

/// The answers to one batch, checked, with their softmax; `place` says where an input stands.
///
/// # Errors
/// [`PipelineError::Network`] with the network's own error, [`PipelineError::Answer`] where an
/// answer cannot be used.
fn ask(
    network: &dyn HostNetwork,
    inputs: Inputs,
    place: &dyn Fn(usize) -> InputPlace,
) -> Result<Answers, PipelineError> {
    let (rows, classes) = (inputs.rows, network.num_classes());
    let failed = |source| PipelineError::Network {
        from: place(0),
        to: place(rows - 1),
        source,
    };
    let mut logits = network.answer(inputs).map_err(failed)?;
    if logits.len() != rows * classes {
        return Err(PipelineError::AnswerShape {
            rows,
            classes,
            found: logits.len(),
        });
    }
    for (n, row) in logits.chunks_exact_mut(classes).enumerate() {
        check(network.answer_kind(), row).map_err(|found| PipelineError::Answer {
            place: place(n),
            found,
        })?;
        let ln = |p: f32| p.max(LEAST_PROBABILITY).ln();
        for answer in row {
            *answer = match network.answer_kind() {
                AnswerKind::Logits => *answer,
                AnswerKind::Probabilities => ln(*answer),
                // The sigmoid of this is the answer again.
                AnswerKind::Separate => ln(*answer) - ln(1.0 - *answer),
            };
        }
    }
    with_probabilities(&logits, classes, network.answer_kind().link())
}

/// What is wrong with the answers to an input, if anything is.
fn check(kind: AnswerKind, row: &[f32]) -> Result<(), String> {
    if let Some((class, value)) = row.iter().enumerate().find(|(_, v)| !v.is_finite()) {
        return Err(format!(
            "{value} for class {class}; expected finite numbers"
        ));
    }
    if kind == AnswerKind::Logits {
        return Ok(());
    }
    if kind == AnswerKind::Separate {
        let inside = -SUM_TOLERANCE..=1.0 + SUM_TOLERANCE;
        return match row.iter().all(|p| inside.contains(p)) {
            true => Ok(()),
            false => Err(format!("{row:?}; expected values from 0 to 1")),
        };
    }
    let sum: f32 = row.iter().sum();
    let least = row.iter().copied().fold(f32::INFINITY, f32::min);
    match least < -SUM_TOLERANCE || (sum - 1.0).abs() > SUM_TOLERANCE {
        true => Err(format!(
            "{row:?}; expected probabilities, none negative, their sum 1; does it answer logits?"
        )),
        false => Ok(()),
    }
}

/// Classifies inputs, one after the other in batches of the network's size.
pub(super) fn classify(
    network: &dyn HostNetwork,
    inputs: &[&[f32]],
) -> Result<Answers, PipelineError> {
    let most = network.batch_size().max(1);
    let mut answers = Answers::default();
    for (batch, rows) in inputs.chunks(most).enumerate() {
        let asked = Inputs {
            rows: rows.len(),
            values: rows.concat(),
        };
        let place = |n| InputPlace::Input(batch * most + n);
        let batch = ask(network, asked, &place)?;
        answers.logits.extend(batch.logits);
        answers.probabilities.extend(batch.probabilities);
    }
    Ok(answers)
}

/// Inputs of a group that have been made, all of one width.
pub(super) struct Part {
    /// Their values, input by input.
    pub(super) values: Vec<f32>,
    /// Where each stands; landscapes are numbered within the group.
    pub(super) points: Vec<Points>,
    /// Points that failed and of which nothing is asked.
    pub(super) failed: usize,
}

/// What a slot sends of a group.
enum Message<T> {
    Part(Part),
    /// All parts have been sent.
    End(Result<Vec<T>, PipelineError>),
}

/// Hands on the parts of a group, as they are made; an error says that no more are wanted.
pub(super) type HandOn<'a> = dyn Fn(Part) -> Result<(), PipelineError> + 'a;

/// Asks `network` for the answers to all landscapes of `groups`: `make` makes the inputs of a
/// group's landscapes, `frames` each, and gives what it knows of each landscape besides. The result
/// is that and the answers, in order; NaN at points that no part names.
///
/// # Errors
/// The first [`PipelineError`], of the network, of `make`, or of `progress`, which is told the
/// number of points that have just been answered (now and then 0) and may stop the job.
pub(super) fn ask_for_groups<G: Sync, T: Send>(
    network: &dyn HostNetwork,
    frames: usize,
    groups: &[&[G]],
    make: impl Fn(&[G], &HandOn<'_>) -> Result<Vec<T>, PipelineError> + Sync,
    progress: &dyn Fn(usize) -> ControlFlow<()>,
) -> Result<Vec<(T, Answers)>, PipelineError> {
    // Of two batches of a group one is on its way while the next is made.
    let (senders, receivers): (Vec<_>, Vec<_>) = groups.iter().map(|_| sync_channel(1)).unzip();
    let work = Mutex::new(groups.iter().zip(senders));
    let stopped = AtomicBool::new(false);
    let slot = || {
        while !stopped.load(Ordering::Relaxed) {
            let next = work.lock().map(|mut work| work.next());
            let Ok(Some((group, sender))) = next else {
                return;
            };
            let sender: SyncSender<Message<T>> = sender;
            // Nobody listens any more: the job is over, and its error is known there.
            let hand_on = |part| match sender.send(Message::Part(part)) {
                Ok(()) if !stopped.load(Ordering::Relaxed) => Ok(()),
                _ => Err(PipelineError::Interrupted),
            };
            let made = make(group, &hand_on);
            // As above.
            let _ = sender.send(Message::End(made));
        }
    };
    thread::scope(|scope| {
        // However this ends, by a panic of the network's too, the slots leave off at their next
        // batch: the queues that they wait at are dropped with this closure's values.
        let _stop = SetOnDrop(&stopped);
        for name in ["slot 0", "slot 1"] {
            let thread = thread::Builder::new().name(name.into());
            let spawned = thread.spawn_scoped(scope, slot);
            spawned.map_err(|source| PipelineError::Thread { source })?;
        }
        let mut questions = Questions::new(network, frames, progress);
        let made = questions.answer_all(receivers)?;
        Ok(made.into_iter().zip(questions.landscapes).collect())
    })
}

/// Sets a flag when it goes.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Inputs that wait for their batch to be full.
struct Questions<'a> {
    network: &'a dyn HostNetwork,
    /// Points a landscape.
    frames: usize,
    progress: &'a dyn Fn(usize) -> ControlFlow<()>,
    /// Values of the inputs that wait, behind `asked` that have been asked for.
    values: Vec<f32>,
    asked: usize,
    points: VecDeque<Points>,
    landscapes: Vec<Answers>,
}

impl<'a> Questions<'a> {
    fn new(
        network: &'a dyn HostNetwork,
        frames: usize,
        progress: &'a dyn Fn(usize) -> ControlFlow<()>,
    ) -> Self {
        Self {
            network,
            frames,
            progress,
            values: Vec::new(),
            asked: 0,
            points: VecDeque::new(),
            landscapes: Vec::new(),
        }
    }

    /// Takes up the parts of all groups in the groups' order, until all inputs are answered.
    fn answer_all<T>(
        &mut self,
        groups: Vec<Receiver<Message<T>>>,
    ) -> Result<Vec<T>, PipelineError> {
        let mut made = Vec::new();
        for group in groups {
            let first = made.len();
            loop {
                match self.next(&group)? {
                    Message::Part(part) => self.take_up(part, first)?,
                    Message::End(landscapes) => {
                        made.extend(landscapes?);
                        break;
                    }
                }
            }
        }
        while !self.points.is_empty() {
            self.ask_batch()?;
        }
        self.grow(made.len());
        Ok(made)
    }

    /// The next message of a group's slot. While there is none, `progress` may stop the job; a
    /// thread of rayon's pool does the pool's work, for which the slot may be waiting.
    fn next<T>(&self, group: &Receiver<Message<T>>) -> Result<Message<T>, PipelineError> {
        let in_pool = rayon::current_thread_index().is_some();
        loop {
            let wait = if in_pool { POOL_ASK_EVERY } else { ASK_EVERY };
            match group.recv_timeout(wait) {
                Ok(message) => return Ok(message),
                // The slot has panicked; leaving the scope passes its panic on.
                Err(RecvTimeoutError::Disconnected) => return Err(PipelineError::Interrupted),
                Err(RecvTimeoutError::Timeout) => {
                    self.tell(0)?;
                    while rayon::yield_now() == Some(rayon::Yield::Executed) {}
                }
            }
        }
    }

    fn tell(&self, points: usize) -> Result<(), PipelineError> {
        match (self.progress)(points) {
            ControlFlow::Break(()) => Err(PipelineError::Interrupted),
            ControlFlow::Continue(()) => Ok(()),
        }
    }

    /// Asks for as many batches as a part fills up. `first` is the number of its group's first
    /// landscape.
    fn take_up(&mut self, part: Part, first: usize) -> Result<(), PipelineError> {
        self.values.drain(..std::mem::take(&mut self.asked));
        self.values.extend(part.values);
        self.points.extend(part.points.iter().map(|points| Points {
            landscape: first + points.landscape,
            ..*points
        }));
        self.tell(part.failed)?;
        while self.points.len() >= self.network.batch_size().max(1) {
            self.ask_batch()?;
        }
        Ok(())
    }

    /// Asks for the next batch and puts its answers where its inputs stand.
    fn ask_batch(&mut self) -> Result<(), PipelineError> {
        let rows = self.network.batch_size().max(1).min(self.points.len());
        let waiting = &self.values[self.asked..];
        let batch_values = rows * (waiting.len() / self.points.len());
        let inputs = Inputs {
            rows,
            values: waiting[..batch_values].to_vec(),
        };
        self.asked += batch_values;
        let batch: Vec<Points> = self.points.drain(..rows).collect();
        let place = |n: usize| InputPlace::Point {
            landscape: batch[n].landscape,
            point: batch[n].first,
        };
        let answers = ask(self.network, inputs, &place)?;
        let classes = self.network.num_classes();
        for (points, answer) in batch.iter().zip(answers.rows(classes)) {
            self.grow(points.landscape + 1);
            self.landscapes[points.landscape].put(*points, answer);
        }
        self.tell(batch.iter().map(|points| points.count).sum())
    }

    /// Makes room for the answers of so many landscapes.
    fn grow(&mut self, landscapes: usize) {
        let values = self.frames * self.network.num_classes();
        while self.landscapes.len() < landscapes {
            self.landscapes.push(Answers::unknown(values));
        }
    }
}
