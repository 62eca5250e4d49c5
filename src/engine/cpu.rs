//! The CPU engine: each command by its kernel's Rust twin, on rayon's threads.

use super::{Engine, EngineError, EngineInfo, EngineKind};
use crate::kernels::{BUDGET, Downloads, Recording};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Runs recordings on the host.
#[derive(Debug)]
pub struct CpuEngine {
    info: EngineInfo,
    spare: Spare,
}

impl CpuEngine {
    /// The engine on all of rayon's threads.
    pub fn new() -> Self {
        let threads = rayon::current_num_threads();
        let adapter = format!("{threads} thread{}", if threads == 1 { "" } else { "s" });
        Self {
            info: EngineInfo {
                engine: EngineKind::Cpu,
                adapter,
                driver: String::new(),
            },
            spare: Spare::default(),
        }
    }
}

impl Default for CpuEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine for CpuEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn batch_buffer_bytes(&self) -> usize {
        BUDGET.cpu_batch
    }

    fn release_memory(&self) {
        self.spare.lock().clear();
    }

    fn run(&self, recording: &Recording) -> Result<Downloads, EngineError> {
        // All commands on one way into rayon's threads: a way for each would take as long as a
        // small command.
        Ok(rayon::scope(|_| self.compute(recording)))
    }
}

impl CpuEngine {
    fn compute(&self, recording: &Recording) -> Downloads {
        let mut computed: Vec<Vec<u32>> = recording.buffers().iter().map(|_| Vec::new()).collect();
        let last_readers = last_readers(recording);
        for (number, command) in recording.commands().iter().enumerate() {
            let words = recording.buffers()[command.output].words;
            let mut output = self.spare.taken(words);
            if !output.is_empty() {
                let inputs: Vec<&[u32]> = command
                    .inputs
                    .iter()
                    .map(|&id| {
                        let given = recording.buffers()[id].given_to_twin();
                        given.unwrap_or(&computed[id])
                    })
                    .collect();
                (command.kernel.spec().twin)(&command.params, &inputs, &mut output);
            }
            computed[command.output] = output;
            // The memory of a long network is that of the values still needed.
            for &id in &command.inputs {
                if last_readers[id] == Some(number) {
                    self.spare.give_back(std::mem::take(&mut computed[id]));
                }
            }
        }
        let words = recording
            .downloads()
            .iter()
            .map(|&id| match recording.buffers()[id].given() {
                Some(words) => words.to_vec(),
                None => std::mem::take(&mut computed[id]),
            })
            .collect();
        let left = computed.into_iter();
        left.for_each(|buffer| self.spare.give_back(buffer));
        trim(&mut self.spare.lock(), 0);
        Downloads::new(recording, words)
    }
}

/// Memory that no recording needs at the moment, the longest there first. Made anew, each buffer would
/// be fetched from the system a page at a time, which took a quarter of a small job's time.
#[derive(Debug, Default)]
struct Spare(Mutex<Vec<Vec<u32>>>);

/// Smaller buffers the allocator keeps itself.
const LEAST_WORDS: usize = 1 << 14;

impl Spare {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u32>>> {
        // A list of memory cannot be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The smallest memory that holds so many words and no more than twice as many, or new memory. What
    /// is in it nobody knows: twins fill all of their output.
    fn taken(&self, words: usize) -> Vec<u32> {
        let mut memory = self.kept(words).unwrap_or_else(|| vec![0; words]);
        memory.resize(words, 0);
        // No number at all, so that a test fails where a twin leaves a word as it was.
        if cfg!(debug_assertions) {
            memory.fill(u32::MAX);
        }
        memory
    }

    fn kept(&self, words: usize) -> Option<Vec<u32>> {
        if words < LEAST_WORDS {
            return None;
        }
        let mut spare = self.lock();
        let fits = |buffer: &Vec<u32>| (words..=2 * words).contains(&buffer.capacity());
        let buffers = spare.iter().enumerate().filter(|(_, buffer)| fits(buffer));
        let place = buffers.min_by_key(|(_, buffer)| buffer.capacity());
        let (place, _) = place?;
        Some(spare.remove(place))
    }

    fn give_back(&self, buffer: Vec<u32>) {
        if buffer.capacity() >= LEAST_WORDS {
            let mut spare = self.lock();
            spare.push(buffer);
            // A recording of large values uses the last one again.
            trim(&mut spare, 1);
        }
    }
}

/// Lets go of the oldest beyond [`Budget::cpu_spare`](crate::kernels::Budget::cpu_spare), but for the
/// `newest`.
fn trim(spare: &mut Vec<Vec<u32>>, newest: usize) {
    let bytes = |buffer: &Vec<u32>| size_of::<u32>() * buffer.capacity();
    let mut total: usize = spare.iter().map(bytes).sum();
    while total > BUDGET.cpu_spare && spare.len() > newest {
        total -= bytes(&spare.remove(0));
    }
}

/// The command after which a buffer is not needed any more, if there is one.
fn last_readers(recording: &Recording) -> Vec<Option<usize>> {
    let mut last = vec![None; recording.buffers().len()];
    for (number, command) in recording.commands().iter().enumerate() {
        for &id in &command.inputs {
            last[id] = Some(number);
        }
    }
    for &id in recording.downloads() {
        last[id] = None;
    }
    last
}
