//! Engines run recordings: on the CPU, always there, or on a GPU through wgpu.
//!
//! ```text
//! Recording ─ Engine::run ─> Downloads
//! ```
//!
//! An engine knows kernels and buffers, nothing of morphs or models. [`open`] chooses one, and
//! puts around a device what its user may rely on:
//!
//! ```text
//! WithFallback (auto) ─> SelfTested ─> GpuEngine
//!        └─ on trouble, from then on ─> CpuEngine
//! ```
//!
//! A fallback is never silent: it is said, and [`Engine::fallback`] knows the reason.

mod check;
mod compared;
pub mod cpu;
mod fallback;
pub mod gpu;
mod info;
mod record;
mod self_test;
mod trouble;

pub use check::{Checked, OpenToCheck, Verdict, check};
pub use compared::WrongValue;
pub use fallback::{Fallback, WithFallback};
pub use info::{EngineIdentity, EngineInfo, EngineKind};
pub use record::EngineRecord;
pub use self_test::{SelfTested, cache_folder, self_test};
pub use trouble::Trouble;

use crate::kernels::{Downloads, Recording};
use crate::remedy::{Remedy, Setting};
use std::path::PathBuf;

/// What to do where there is no adapter.
pub const INSTALL_A_DRIVER: &str =
    "install a Vulkan driver (Debian: mesa-vulkan-drivers for the software one)";

/// Why an engine cannot be had or could not run a recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A GPU was asked for and there is none.
    #[error("expected a GPU or a software adapter, found none")]
    NoAdapter,
    /// No adapter has that name.
    #[error("adapter {wanted}: expected part of an adapter's name, found {found}")]
    UnknownAdapter {
        /// The name given.
        wanted: String,
        /// Names of the adapters there are.
        found: String,
    },
    /// The device is in trouble.
    #[error("{0}")]
    Device(Trouble),
}

impl From<Trouble> for EngineError {
    fn from(trouble: Trouble) -> Self {
        Self::Device(trouble)
    }
}

impl EngineError {
    /// What to do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            Self::NoAdapter => Remedy::new(
                format!("{INSTALL_A_DRIVER} or use {{}} cpu"),
                &[Setting::Engine],
            ),
            Self::UnknownAdapter { .. } => Remedy::new(
                "`morphscape devices` lists what {} may name",
                &[Setting::Adapter],
            ),
            Self::Device(trouble) => trouble.remedy(),
        }
    }

    /// Whether a smaller recording might run.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Device(Trouble::OutOfMemory { .. }))
    }
}

/// Runs recordings.
pub trait Engine: Send + Sync {
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

    /// Lets go of memory that it keeps for its next recording: up to
    /// [`Budget::cpu_spare`](crate::kernels::Budget::cpu_spare) on the CPU engine, and as much as four
    /// of a batch's largest buffers on a device.
    fn release_memory(&self) {}

    /// Gives the device up for `error`, which no smaller recording helps: an engine with another
    /// one behind it goes over to that, and the recording may be run again.
    ///
    /// # Errors
    /// The same error, where there is no other engine.
    fn give_up(&self, error: EngineError) -> Result<(), EngineError> {
        Err(error)
    }

    /// Why the engine it began on was left, if it was.
    fn fallback(&self) -> Option<&Fallback> {
        None
    }
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

/// Is told what a user should know, a line at a time.
pub type Say = Box<dyn Fn(&str) + Send + Sync>;

/// Opens the device of a choice that is not [`EngineChoice::Cpu`] and of an adapter's name, as
/// [`gpu::open`] does; nothing where `auto` finds no real GPU.
pub type OpenDevice =
    fn(EngineChoice, Option<&str>) -> Option<Result<Box<dyn Engine>, EngineError>>;

/// Opens the engine of `choice`. A fallback is heard of in [`Engine::fallback`] alone;
/// [`open_with`] tells it at once, takes an adapter's name, and remembers tested kernels.
///
/// # Errors
/// [`EngineError`] when a GPU is wanted and cannot be had.
pub fn open(choice: EngineChoice) -> Result<Box<dyn Engine>, EngineError> {
    open_with(gpu::open, None, choice, None, Box::new(|_| {}))
}

/// Opens the engine of `choice`; `adapter` is part of an adapter's name (letter case does not
/// matter) and makes [`EngineChoice::Auto`] take that adapter, and stay with it. Devices come from
/// `open_device`, which is [`gpu::open`] but in tests.
///
/// A device tests each kernel before its first use ([`SelfTested`]) and remembers in the folder
/// `tested` which it has. Where `auto` chooses the device, the CPU engine goes on when there is
/// trouble with it ([`WithFallback`]), which `say` is told; else trouble is an error.
///
/// # Errors
/// [`EngineError`] when a GPU is wanted and cannot be had.
pub fn open_with(
    open_device: OpenDevice,
    tested: Option<PathBuf>,
    choice: EngineChoice,
    adapter: Option<&str>,
    say: Say,
) -> Result<Box<dyn Engine>, EngineError> {
    let device = match choice {
        EngineChoice::Cpu => None,
        _ => open_device(choice, adapter),
    };
    let falls_back = choice == EngineChoice::Auto && adapter.is_none();
    match device {
        None => Ok(Box::new(cpu::CpuEngine::new())),
        Some(Ok(device)) => {
            let device = Box::new(SelfTested::new(device, tested));
            let engine: Box<dyn Engine> = match falls_back {
                true => Box::new(WithFallback::new(device, say)),
                false => device,
            };
            Ok(engine)
        }
        Some(Err(EngineError::Device(trouble))) if falls_back => {
            say(&format!("{trouble}; going on with the CPU engine"));
            Ok(Box::new(cpu::CpuEngine::new()))
        }
        Some(Err(error)) => Err(error),
    }
}
