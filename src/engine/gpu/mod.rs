//! The GPU engine: WGSL compute through wgpu. The one place that names `wgpu`.
//!
//! ```text
//! adapters ─ choose ─> GpuEngine ─ run ─> uploads, one submission, one mapping per download
//! ```
//!
//! The executor alone owns the device, the queue, the compiled kernels and the buffers.
//! Kernels are compiled when first used and kept. Buffers live as long as a run: allocation is
//! a small part of a batch, and nothing is left over that another batch could read.

mod adapters;
mod executor;

pub use adapters::{AdapterKind, AdapterSummary, list_adapters};

use super::{Engine, EngineError, EngineInfo};
use crate::kernels::{Downloads, Kernel, Loads, Recording};
use adapters::Adapter;
use executor::CompiledKernel;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// A batch's largest buffer, bytes. More gains nothing on the adapters measured and costs
/// memory; less leaves a large device idle between submissions.
const BATCH_BUFFER_BYTES: usize = 48 << 20;

/// By kernel and, where the kernel ends in one, activation.
type CompiledKernels = HashMap<(Kernel, Option<u32>), Arc<CompiledKernel>>;

/// Runs recordings on an adapter.
pub struct GpuEngine {
    info: EngineInfo,
    device: wgpu::Device,
    queue: wgpu::Queue,
    loads: Loads,
    compiled: Mutex<CompiledKernels>,
}

impl GpuEngine {
    /// Opens the adapter whose name contains `name`, or else the best there is: a discrete GPU,
    /// then an integrated one, a virtual one, a software adapter.
    ///
    /// # Errors
    /// [`EngineError`] when there is none or it gives no device.
    pub fn open(name: Option<&str>) -> Result<Self, EngineError> {
        Self::on(adapters::choose(name)?)
    }

    fn on(adapter: Adapter) -> Result<Self, EngineError> {
        let summary = adapter.summary();
        let (device, queue) = adapter
            .open_device()
            .map_err(|source| EngineError::NoDevice {
                adapter: summary.name.clone(),
                source: Box::new(source),
            })?;
        let driver = format!("{}, {}", summary.backend, summary.driver);
        let loads = match summary.kind {
            AdapterKind::Software => Loads::Textures,
            AdapterKind::Discrete | AdapterKind::Integrated | AdapterKind::Virtual => {
                Loads::Buffers
            }
        };
        let info = EngineInfo {
            engine: "gpu",
            adapter: summary.name,
            driver,
        };
        Ok(Self {
            info,
            device,
            queue,
            loads,
            compiled: Mutex::new(HashMap::new()),
        })
    }
}

/// The best adapter that is not software, opened; `None` where there is no such adapter.
pub(super) fn open_real_gpu() -> Option<Result<GpuEngine, EngineError>> {
    let adapter = adapters::enumerate()
        .into_iter()
        .find(|adapter| adapter.summary().kind != AdapterKind::Software)?;
    Some(GpuEngine::on(adapter))
}

impl Engine for GpuEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn batch_buffer_bytes(&self) -> usize {
        let limit = self.buffer_limit();
        BATCH_BUFFER_BYTES.min(usize::try_from(limit).unwrap_or(usize::MAX))
    }

    fn run(&self, recording: &Recording) -> Result<Downloads, EngineError> {
        self.execute(recording)
    }
}
