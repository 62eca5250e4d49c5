//! Engines run recordings: on the CPU, always there, or on a GPU through wgpu.
//!
//! ```text
//! Recording ─ Engine::run ─> Downloads
//! ```
//!
//! An engine knows kernels and buffers, nothing of morphs or models. [`open`] chooses one; a
//! fallback is never silent: the reason comes with the engine.

pub mod cpu;
pub mod gpu;

use crate::kernels::{Downloads, Recording};

/// Why an engine cannot be had or could not run a recording.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A GPU was asked for and there is none.
    #[error(
        "expected a GPU or a software adapter, found none; install a Vulkan driver (Debian: mesa-vulkan-drivers \
         for the software one) or use --engine cpu"
    )]
    NoAdapter,
    /// No adapter has that name.
    #[error(
        "--adapter {wanted}: expected part of an adapter's name, found {found}; `morphscape devices` lists them"
    )]
    UnknownAdapter {
        /// The name given.
        wanted: String,
        /// Names of the adapters there are.
        found: String,
    },
    /// The adapter gives no device.
    #[error("adapter {adapter}: cannot open a device; use another --adapter or --engine cpu")]
    NoDevice {
        /// Name of the adapter.
        adapter: String,
        /// What the driver said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The device failed while it worked.
    #[error("adapter {adapter} failed while it worked; use --engine cpu")]
    Device {
        /// Name of the adapter.
        adapter: String,
        /// What the driver said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A buffer larger than the device binds.
    #[error(
        "{label} needs {bytes} bytes, adapter {adapter} binds at most {limit}; use smaller images, fewer --steps or --engine cpu"
    )]
    BufferTooLarge {
        /// Label of the buffer.
        label: &'static str,
        /// Its size, bytes.
        bytes: u64,
        /// The device's limit, bytes.
        limit: u64,
        /// Name of the adapter.
        adapter: String,
    },
}

/// Where an engine computes, for the manifest and the eye.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// `cpu` or `gpu`.
    pub engine: &'static str,
    /// The adapter's name, or the number of threads.
    pub adapter: String,
    /// Driver and backend; empty for the CPU engine.
    pub driver: String,
}

/// Runs recordings.
pub trait Engine: Sync {
    /// Where it computes.
    fn info(&self) -> &EngineInfo;

    /// The largest buffer a recording should have, bytes; batches are cut to fit.
    fn batch_buffer_bytes(&self) -> usize;

    /// Runs the commands in order and brings back what the recording asks for. One recording
    /// gives the same bytes every time on one engine and adapter.
    ///
    /// # Errors
    /// [`EngineError`] when the device fails or a buffer does not fit.
    fn run(&self, recording: &Recording) -> Result<Downloads, EngineError>;
}

/// Which engine a user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineChoice {
    /// A real GPU if there is one, else the CPU engine.
    Auto,
    /// Any adapter, a software one too; none is an error.
    Gpu,
    /// The CPU engine.
    Cpu,
}

/// Opens the engine of `choice`; `adapter` is part of an adapter's name (letter case does not
/// matter) and makes [`EngineChoice::Auto`] take that adapter. The text beside the engine says
/// why, when `auto` could not open the GPU it found.
///
/// # Errors
/// [`EngineError`] when a GPU is wanted and cannot be had.
pub fn open(
    choice: EngineChoice,
    adapter: Option<&str>,
) -> Result<(Box<dyn Engine>, Option<String>), EngineError> {
    match (choice, adapter) {
        (EngineChoice::Cpu, _) => Ok((Box::new(cpu::CpuEngine::new()), None)),
        (EngineChoice::Auto, None) => match gpu::open_real_gpu() {
            None => Ok((Box::new(cpu::CpuEngine::new()), None)),
            Some(Ok(engine)) => Ok((Box::new(engine), None)),
            Some(Err(error)) => {
                let source = std::error::Error::source(&error)
                    .map(|source| format!(" ({source})"))
                    .unwrap_or_default();
                Ok((
                    Box::new(cpu::CpuEngine::new()),
                    Some(format!("{error}{source}; going on with the CPU engine")),
                ))
            }
        },
        (EngineChoice::Auto | EngineChoice::Gpu, _) => {
            Ok((Box::new(gpu::GpuEngine::open(adapter)?), None))
        }
    }
}
