//! The GPU engine: WGSL compute through wgpu. The one place that names `wgpu`.
//!
//! ```text
//! adapters ─ choose ─> GpuEngine ─ run ─> uploads, one submission, one mapping per download
//! ```
//!
//! The executor alone owns the device, the queue, the compiled kernels and the buffers.
//! Kernels are compiled when first used and kept, and so are a model's weights (`constants.rs`).
//! Other buffers live as long as a run: allocation is a small part of a batch, and nothing is left
//! over that another batch could read.

mod adapters;
mod constants;
mod executor;
mod lost;
mod spare;
mod texel;

pub use adapters::{AdapterKind, AdapterSummary, list_adapters};

use super::trouble::one_line;
use super::{Engine, EngineChoice, EngineError, EngineInfo, EngineKind, Trouble};
use crate::kernels::{BUDGET, Downloads, Kernel, Loads, Recording};
use adapters::Adapter;
use constants::KeptConstants;
use executor::CompiledCell;
use lost::Lost;
use spare::Spare;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// By kernel and the constants that it is compiled for.
type CompiledKernels = HashMap<(Kernel, Vec<(&'static str, u32)>), CompiledCell>;

/// Runs recordings on an adapter.
pub struct GpuEngine {
    info: EngineInfo,
    instance: wgpu::Instance,
    device: wgpu::Device,
    queue: wgpu::Queue,
    loads: Loads,
    compiled: Mutex<CompiledKernels>,
    constants: Mutex<KeptConstants>,
    spare: Spare,
    /// See [`GpuEngine::uploaded_bytes`].
    uploaded_bytes: AtomicU64,
    lost: Lost,
    /// See [`Engine::batch_buffer_bytes`]; halved when the device is out of memory.
    batch_bytes: AtomicUsize,
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

    /// Opens the adapter of that number in [`list_adapters`], with kernels that load so, whether or
    /// not that is the faster way there.
    ///
    /// # Errors
    /// [`EngineError`] when there is none or it gives no device.
    pub fn open_listed(number: usize, loads: Loads) -> Result<Self, EngineError> {
        let adapter = adapters::enumerate().into_iter().nth(number);
        Self::loading(adapter.ok_or(EngineError::NoAdapter)?, loads)
    }

    /// How many objects of the device there are by now: buffers, textures, bindings, shaders and the like.
    pub fn live_objects(&self) -> usize {
        let Some(report) = self.instance.generate_report() else {
            return 0;
        };
        let hub = report.hub_report();
        let kinds = [
            &hub.buffers,
            &hub.textures,
            &hub.texture_views,
            &hub.bind_groups,
            &hub.bind_group_layouts,
            &hub.pipeline_layouts,
            &hub.shader_modules,
            &hub.compute_pipelines,
            &hub.command_encoders,
            &hub.command_buffers,
        ];
        kinds.iter().map(|kind| kind.num_allocated).sum()
    }

    /// Bytes that have gone to the device by now, without the commands' parameters.
    pub fn uploaded_bytes(&self) -> u64 {
        self.uploaded_bytes.load(Ordering::Relaxed)
    }

    fn on(adapter: Adapter) -> Result<Self, EngineError> {
        let loads = adapter.summary().loads();
        Self::loading(adapter, loads)
    }

    fn loading(adapter: Adapter, loads: Loads) -> Result<Self, EngineError> {
        let summary = adapter.summary();
        let (device, queue) = adapter.open_device().map_err(|error| Trouble::NoDevice {
            adapter: summary.name.clone(),
            reason: one_line(&error),
        })?;
        let lost = Lost::watch(&device);
        let driver = format!("{}, {}", summary.backend, summary.driver);
        let info = EngineInfo {
            engine: EngineKind::Gpu,
            adapter: summary.name,
            driver,
        };
        let limit = executor::buffer_limit(&device.limits(), loads);
        let batch_bytes = match loads {
            Loads::Buffers => BUDGET.device_batch,
            Loads::Textures => BUDGET.software_batch,
        };
        let batch_bytes = batch_bytes.min(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(Self {
            info,
            instance: adapter.instance,
            device,
            queue,
            loads,
            compiled: Mutex::new(HashMap::new()),
            constants: Mutex::new(HashMap::new()),
            spare: Spare::default(),
            uploaded_bytes: AtomicU64::new(0),
            lost,
            batch_bytes: AtomicUsize::new(batch_bytes),
        })
    }
}

/// The device of a choice that is not [`EngineChoice::Cpu`]: the adapter whose name contains
/// `name`; for `auto` without a name the best that is not software, and nothing where there is
/// none; for `gpu` the best there is.
pub fn open(
    choice: EngineChoice,
    name: Option<&str>,
) -> Option<Result<Box<dyn Engine>, EngineError>> {
    let opened = match (choice, name) {
        (EngineChoice::Auto, None) => {
            let adapter = adapters::enumerate()
                .into_iter()
                .find(|adapter| adapter.summary().kind != AdapterKind::Software)?;
            GpuEngine::on(adapter)
        }
        _ => GpuEngine::open(name),
    };
    Some(opened.map(|engine| Box::new(engine) as Box<dyn Engine>))
}

impl Engine for GpuEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn batch_buffer_bytes(&self) -> usize {
        self.batch_bytes.load(Ordering::Relaxed)
    }

    fn release_memory(&self) {
        self.spare.clear();
    }

    fn run(&self, recording: &Recording) -> Result<Downloads, EngineError> {
        let result = self.execute(recording);
        if result.is_err() {
            self.forget_constants();
            self.spare.clear();
        }
        if let Err(Trouble::OutOfMemory { .. }) = result {
            // What was compiled without memory is no use later; the batches to come are cut
            // smaller.
            let compiled = self.compiled.lock();
            compiled.unwrap_or_else(PoisonError::into_inner).clear();
            let halved = (self.batch_buffer_bytes() / 2).max(BUDGET.least_batch);
            self.batch_bytes.store(halved, Ordering::Relaxed);
        }
        Ok(result?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::KERNELS;

    /// A software adapter's engine; nothing where there is none, which CI does not allow.
    fn software() -> Option<GpuEngine> {
        let adapter = adapters::enumerate()
            .into_iter()
            .find(|adapter| adapter.summary().kind == AdapterKind::Software);
        let is_required = std::env::var("MORPHSCAPE_REQUIRE_GPU").as_deref() == Ok("1");
        assert!(adapter.is_some() || !is_required, "there is no adapter");
        adapter.map(|adapter| GpuEngine::on(adapter).expect("it opens"))
    }

    #[test]
    fn a_lost_device_is_an_error_each_time_and_no_panic() {
        let Some(engine) = software() else { return };
        let case = KERNELS[0].case().recording;
        engine.run(&case).expect("it runs");
        engine.device.destroy();
        for _ in 0..2 {
            let error = engine.run(&case).expect_err("the device is gone");
            let is_lost = matches!(&error, EngineError::Device(Trouble::Lost { adapter, .. })
                if *adapter == engine.info.adapter);
            assert!(is_lost, "{error}");
            assert_eq!(error.to_string().lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn a_panic_is_the_text_of_an_error() {
        let panicked = lost::without_panic(|| panic!("Error in Device::poll:\n  lost"));
        assert_eq!(
            panicked.err().as_deref(),
            Some("Error in Device::poll: lost")
        );
        assert_eq!(lost::without_panic(|| 1), Ok(1));
    }

    #[test]
    fn errors_of_the_scopes_are_told_apart() {
        let Some(engine) = software() else { return };
        // More than one buffer may have: wgpu refuses it before the driver sees it.
        let size = engine.device.limits().max_buffer_size + 4;
        let scoped = engine.scoped(|| {
            let descriptor = wgpu::BufferDescriptor {
                label: Some("huge"),
                size,
                usage: wgpu::BufferUsages::STORAGE,
                mapped_at_creation: false,
            };
            drop(engine.device.create_buffer(&descriptor));
            Ok(())
        });
        let error = scoped.expect_err("no such buffer");
        assert!(matches!(error, Trouble::Failed { .. }), "{error}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
        // A driver that is out of memory cannot be had on demand; its error can.
        let source = Box::new(std::io::Error::other("device memory"));
        let error = engine.trouble([Some(wgpu::Error::OutOfMemory { source }), None]);
        assert!(
            matches!(error, Some(Trouble::OutOfMemory { .. })),
            "{error:?}"
        );
    }
}
