//! What goes wrong with a device.
//!
//! A user reads one line of it: the driver's own words are kept as text of one line, not as a
//! chain of errors, which wgpu prints over many.

use crate::remedy::{Remedy, Setting, error_chain};

/// Trouble of a device: `--engine gpu` stops with it, `--engine auto` goes on on the CPU.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// The adapter gives no device.
    #[error("adapter {adapter} opens no device: {reason}")]
    NoDevice {
        /// Name of the adapter.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// The device has no memory left. Whoever recorded a batch may try a smaller one.
    #[error("adapter {adapter} is out of memory: {reason}")]
    OutOfMemory {
        /// Name of the adapter.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// The device is gone: unplugged, reset by its driver, or stopped for taking too long.
    #[error("adapter {adapter} was lost while it worked: {reason}")]
    Lost {
        /// Name of the adapter.
        adapter: String,
        /// What the driver said.
        reason: String,
    },
    /// Anything else that the driver or wgpu found wrong.
    #[error("adapter {adapter} failed while it worked: {reason}")]
    Failed {
        /// Name of the adapter.
        adapter: String,
        /// What was said.
        reason: String,
    },
    /// A buffer larger than the device binds.
    #[error("adapter {adapter} binds at most {limit} bytes, and {label} needs {bytes}")]
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
    /// A kernel computes something else than its twin.
    #[error(
        "adapter {adapter} computes wrongly: the self-test of kernel {kernel} expected {expected} at value {index}, \
         found {found}; its driver is {driver}"
    )]
    Wrong {
        /// Name of the adapter.
        adapter: String,
        /// Its driver.
        driver: String,
        /// Name of the kernel.
        kernel: &'static str,
        /// Which value of the kernel's test is furthest off or the first that is no number.
        index: usize,
        /// The twin's value.
        expected: String,
        /// The device's value.
        found: String,
    },
    /// The device answers what is no number where its twins answer numbers.
    #[error("adapter {adapter} answers {value} where the CPU engine answers finite logits")]
    NotFinite {
        /// Name of the adapter.
        adapter: String,
        /// What it answers.
        value: f32,
    },
}

impl Trouble {
    /// What a user may do about it who asked for this device.
    pub fn remedy(&self) -> Remedy {
        let (text, settings): (_, &[Setting]) = match self {
            Self::NoDevice { .. } => (
                "use another {} or {} cpu",
                &[Setting::Adapter, Setting::Engine],
            ),
            Self::OutOfMemory { .. } => (
                "close what else uses its memory, use smaller images or {} cpu",
                &[Setting::Engine],
            ),
            Self::Lost { .. } => (
                "run the command again, what is finished is kept, or use {} cpu",
                &[Setting::Engine],
            ),
            Self::Failed { .. } => ("use {} cpu", &[Setting::Engine]),
            Self::BufferTooLarge { .. } => (
                "use smaller images, fewer {} or {} cpu",
                &[Setting::Steps, Setting::Engine],
            ),
            Self::Wrong { .. } | Self::NotFinite { .. } => {
                ("update the driver, or use {} cpu", &[Setting::Engine])
            }
        };
        Remedy::new(text, settings)
    }
}

/// An error and its causes in one line.
pub(super) fn one_line(error: &dyn std::error::Error) -> String {
    in_one_line(&error_chain(error))
}

/// A text of many lines in one.
pub(super) fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
