//! A device that fails as it is told, made of the CPU engine.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this module"
)]

use morphscape::engine::cpu::CpuEngine;
use morphscape::engine::{Engine, EngineError, EngineInfo, EngineKind, Trouble};
use morphscape::kernels::{Downloads, Recording};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The device is lost, and stays so.
    Lost,
    /// wgpu finds something invalid.
    Validation,
    /// There is no memory for recordings of more buffers than so many bytes.
    Memory(usize),
    /// Every value is NaN.
    NotANumber,
    /// Every value has some bits turned.
    Garbage,
}

/// A device whose runs from number `from` on fail; tests of kernels, which are not counted, fail
/// when all runs do.
pub struct Faulty {
    fault: Fault,
    from: usize,
    cpu: CpuEngine,
    info: EngineInfo,
    runs: AtomicUsize,
    /// Bytes of the recordings that ran.
    ran: Mutex<Vec<usize>>,
}

impl Faulty {
    pub fn new(fault: Fault, from: usize) -> Self {
        Self {
            fault,
            from,
            cpu: CpuEngine::new(),
            info: EngineInfo {
                engine: EngineKind::Gpu,
                adapter: "Faulty".into(),
                driver: "Test, 1.0".into(),
            },
            runs: AtomicUsize::new(0),
            ran: Mutex::default(),
        }
    }

    /// How many recordings were asked for, tests of kernels left out.
    pub fn runs(&self) -> usize {
        self.runs.load(Ordering::Relaxed)
    }

    /// Bytes of the recordings that ran.
    pub fn ran(&self) -> Vec<usize> {
        self.ran.lock().expect("no test panics in there").clone()
    }

    /// All words of a recording's downloads as this device gives them.
    fn given(&self, recording: &Recording, turn: impl Fn(u32) -> u32) -> Downloads {
        let downloads = self.cpu.run(recording).expect("the CPU engine runs");
        let mut words = downloads.words().map(turn);
        let buffers = recording.downloads().iter().map(|&id| {
            let count = recording.buffers()[id].words;
            words.by_ref().take(count).collect()
        });
        let buffers = buffers.collect();
        Downloads::new(recording, buffers)
    }
}

impl Engine for Faulty {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn batch_buffer_bytes(&self) -> usize {
        48 << 20
    }

    fn run(&self, recording: &Recording) -> Result<Downloads, EngineError> {
        let mut labels = recording.buffers().iter().map(|buffer| buffer.label);
        let is_test = labels.any(|label| label.starts_with("case."));
        let number = match is_test {
            true => 0,
            false => self.runs.fetch_add(1, Ordering::Relaxed),
        };
        let bytes = recording
            .buffers()
            .iter()
            .map(|buffer| 4 * buffer.words)
            .sum();
        let adapter = self.info.adapter.clone();
        let fault = match number >= self.from {
            true => self.fault,
            false => Fault::None,
        };
        let trouble = match fault {
            Fault::None => None,
            Fault::Lost => Some(Trouble::Lost {
                adapter,
                reason: "the driver took it for hung".into(),
            }),
            Fault::Validation => Some(Trouble::Failed {
                adapter,
                reason: "Validation Error: a buffer is too small".into(),
            }),
            Fault::Memory(limit) if bytes > limit => Some(Trouble::OutOfMemory {
                adapter,
                reason: "no room for the buffers".into(),
            }),
            Fault::Memory(_) => None,
            Fault::NotANumber => return Ok(self.given(recording, |_| f32::NAN.to_bits())),
            Fault::Garbage => return Ok(self.given(recording, |word| word ^ 0x0110_0000)),
        };
        if let Some(trouble) = trouble {
            return Err(trouble.into());
        }
        self.ran
            .lock()
            .expect("no test panics in there")
            .push(bytes);
        self.cpu.run(recording)
    }
}

/// Whether a text is that of a pattern, in which `*` stands for any text in one line.
pub fn fits(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            let line = text.split('\n').next().unwrap_or_default();
            (0..=line.len()).any(|at| text.get(at..).is_some_and(|text| fits(text, rest)))
        }),
    }
}
