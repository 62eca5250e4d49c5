//! The CPU engine: each command by its kernel's Rust twin, on rayon's threads.

use super::{Engine, EngineError, EngineInfo, EngineKind};
use crate::kernels::{BUDGET, Downloads, Recording};

/// Runs recordings on the host.
#[derive(Debug)]
pub struct CpuEngine {
    info: EngineInfo,
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

    fn run(&self, recording: &Recording) -> Result<Downloads, EngineError> {
        let mut computed: Vec<Vec<u32>> = recording.buffers().iter().map(|_| Vec::new()).collect();
        let last_readers = last_readers(recording);
        // Memory that is not needed any more: made anew, each buffer would be fetched from the
        // system a page at a time.
        let mut spare: Vec<Vec<u32>> = Vec::new();
        for (number, command) in recording.commands().iter().enumerate() {
            let words = recording.buffers()[command.output].words;
            let mut output = taken(&mut spare, words);
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
                    spare.push(std::mem::take(&mut computed[id]));
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
        Ok(Downloads::new(recording, words))
    }
}

/// Zeros in the smallest memory to spare that holds them, or in new memory; what is smaller goes.
fn taken(spare: &mut Vec<Vec<u32>>, words: usize) -> Vec<u32> {
    let fits = |buffer: &&mut Vec<u32>| buffer.capacity() >= words;
    let place = spare
        .iter_mut()
        .filter(fits)
        .min_by_key(|buffer| buffer.capacity());
    match place.map(std::mem::take) {
        Some(mut buffer) => {
            spare.retain(|buffer| buffer.capacity() > 0);
            buffer.clear();
            buffer.resize(words, 0);
            buffer
        }
        None => {
            spare.clear();
            vec![0; words]
        }
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
