//! A device that may fail, and the CPU engine behind it.

use super::cpu::CpuEngine;
use super::{Engine, EngineError, EngineInfo, Say};
use crate::kernels::{Downloads, Recording};
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;

/// Why an engine was left, and for which one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fallback {
    /// The engine that went on.
    #[serde(flatten)]
    pub to: EngineInfo,
    /// What was wrong, in one line.
    pub reason: String,
}

/// Runs recordings on a device until that fails, and from then on, the failed recording first, on
/// the CPU.
///
/// A recording needs nothing of the one before, so what is finished stays. A device that is out
/// of memory is left only when the smallest batch there is does not fit: see [`Engine::give_up`].
pub struct WithFallback {
    device: Box<dyn Engine>,
    cpu: CpuEngine,
    left: OnceLock<Fallback>,
    say: Say,
}

impl WithFallback {
    /// `device`, with the CPU engine behind it; `say` is told in a line when it is left.
    pub fn new(device: Box<dyn Engine>, say: Say) -> Self {
        Self {
            device,
            cpu: CpuEngine::new(),
            left: OnceLock::new(),
            say,
        }
    }
}

impl Engine for WithFallback {
    /// Where it began.
    fn info(&self) -> &EngineInfo {
        self.device.info()
    }

    fn batch_buffer_bytes(&self) -> usize {
        match self.left.get() {
            None => self.device.batch_buffer_bytes(),
            Some(_) => self.cpu.batch_buffer_bytes(),
        }
    }

    fn release_memory(&self) {
        self.device.release_memory();
        self.cpu.release_memory();
    }

    fn run(&self, recording: &Recording) -> Result<Downloads, EngineError> {
        if self.left.get().is_none() {
            match self.device.run(recording) {
                Err(error) if !error.is_out_of_memory() => self.give_up(error)?,
                result => return result,
            }
        }
        self.cpu.run(recording)
    }

    fn give_up(&self, error: EngineError) -> Result<(), EngineError> {
        let EngineError::Device(trouble) = error else {
            return Err(error);
        };
        let left = Fallback {
            reason: trouble.to_string(),
            to: self.cpu.info().clone(),
        };
        if self.left.set(left).is_ok() {
            (self.say)(&format!("{trouble}; going on with the CPU engine"));
        }
        Ok(())
    }

    fn fallback(&self) -> Option<&Fallback> {
        self.left.get()
    }
}
