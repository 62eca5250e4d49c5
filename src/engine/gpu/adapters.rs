//! The adapters there are, and which one to take.

use super::EngineError;
use crate::kernels::Loads;

/// What an adapter runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AdapterKind {
    /// A graphics card.
    Discrete,
    /// A GPU beside the CPU on one chip.
    Integrated,
    /// A share of a GPU in a virtual machine, or one that does not say what it is.
    Virtual,
    /// A driver that runs shaders on the CPU.
    Software,
}

/// An adapter as a user sees it.
#[derive(Debug, Clone)]
pub struct AdapterSummary {
    /// Name, as the driver gives it.
    pub name: String,
    /// What it runs on.
    pub kind: AdapterKind,
    /// `Vulkan`, `Metal` or `Dx12`.
    pub backend: String,
    /// Driver and its version.
    pub driver: String,
    /// Largest storage buffer a shader binds, bytes.
    pub max_storage_binding_bytes: u64,
    /// Most workgroups in one dimension of a dispatch.
    pub max_workgroups: u32,
}

impl AdapterSummary {
    /// How kernels load on it.
    pub fn loads(&self) -> Loads {
        match self.kind {
            AdapterKind::Software => Loads::Textures,
            AdapterKind::Discrete | AdapterKind::Integrated | AdapterKind::Virtual => {
                Loads::Buffers
            }
        }
    }
}

/// All adapters, the best first.
pub fn list_adapters() -> Vec<AdapterSummary> {
    enumerate().iter().map(Adapter::summary).collect()
}

pub(super) struct Adapter {
    adapter: wgpu::Adapter,
    pub(super) instance: wgpu::Instance,
}

impl Adapter {
    pub(super) fn summary(&self) -> AdapterSummary {
        let info = self.adapter.get_info();
        let limits = self.adapter.limits();
        let kind = match info.device_type {
            wgpu::DeviceType::DiscreteGpu => AdapterKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => AdapterKind::Integrated,
            wgpu::DeviceType::VirtualGpu | wgpu::DeviceType::Other => AdapterKind::Virtual,
            wgpu::DeviceType::Cpu => AdapterKind::Software,
        };
        AdapterSummary {
            name: info.name,
            kind,
            backend: format!("{:?}", info.backend),
            driver: format!("{} {}", info.driver, info.driver_info)
                .trim()
                .to_owned(),
            max_storage_binding_bytes: limits.max_storage_buffer_binding_size,
            max_workgroups: limits.max_compute_workgroups_per_dimension,
        }
    }

    /// No features, and the adapter's own limits.
    pub(super) fn open_device(
        &self,
    ) -> Result<(wgpu::Device, wgpu::Queue), wgpu::RequestDeviceError> {
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("morphscape"),
            required_limits: self.adapter.limits(),
            memory_hints: wgpu::MemoryHints::Performance,
            ..Default::default()
        };
        pollster::block_on(self.adapter.request_device(&descriptor))
    }
}

/// The adapters of all compiled-in backends, the best kind first, the driver's order within.
pub(super) fn enumerate() -> Vec<Adapter> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let mut adapters: Vec<_> =
        pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
            .into_iter()
            .map(|adapter| Adapter {
                adapter,
                instance: instance.clone(),
            })
            .collect();
    adapters.sort_by_key(|adapter| adapter.summary().kind);
    adapters
}

/// The best adapter, or the best whose name contains `name`.
pub(super) fn choose(name: Option<&str>) -> Result<Adapter, EngineError> {
    let adapters = enumerate();
    if adapters.is_empty() {
        return Err(EngineError::NoAdapter);
    }
    let Some(wanted) = name else {
        return adapters.into_iter().next().ok_or(EngineError::NoAdapter);
    };
    let names: Vec<String> = adapters
        .iter()
        .map(|adapter| adapter.summary().name)
        .collect();
    let fits = |found: &String| found.to_lowercase().contains(&wanted.to_lowercase());
    adapters
        .into_iter()
        .zip(&names)
        .find_map(|(adapter, found)| fits(found).then_some(adapter))
        .ok_or_else(|| EngineError::UnknownAdapter {
            wanted: wanted.to_owned(),
            found: names.join("; "),
        })
}
