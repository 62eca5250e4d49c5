//! Constants on the device: written once, kept between recordings for as long as anybody holds
//! their values, which is as long as the model is there.
//!
//! What is kept is looked through before each run, so the device's memory of a model that is gone
//! comes back with the next run of another. After any trouble all is given back.

use super::texel::Texel;
use super::{GpuEngine, Trouble, one_line};
use crate::kernels::{Constant, TEXELS_A_ROW, WeakConstant};
use std::collections::HashMap;
use std::sync::PoisonError;

/// By the constant's address and the texture that it is read through, if any.
pub(super) type KeptConstants = HashMap<(usize, Option<wgpu::TextureFormat>), Kept>;

/// A constant on the device. While it is here, no other constant can have its address.
pub(super) struct Kept {
    constant: WeakConstant,
    resource: Resource,
}

/// What a binding of a constant is bound to.
#[derive(Clone)]
pub(super) enum Resource {
    /// A storage buffer.
    Buffer(wgpu::Buffer),
    /// A storage texture.
    Texture(wgpu::TextureView),
}

impl Resource {
    pub(super) fn binding(&self) -> wgpu::BindingResource<'_> {
        match self {
            Self::Buffer(buffer) => buffer.as_entire_binding(),
            Self::Texture(view) => wgpu::BindingResource::TextureView(view),
        }
    }
}

impl GpuEngine {
    /// Lets go of constants that nobody holds any more.
    pub(super) fn drop_constants(&self) {
        let mut kept = self
            .constants
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, kept| kept.constant.is_held());
    }

    /// Lets go of all constants.
    pub(super) fn forget_constants(&self) {
        let mut kept = self
            .constants
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        kept.clear();
    }

    /// The constant on the device, which is written there unless it is there already. Writes go
    /// ahead of whatever is submitted next, by this run or another.
    pub(super) fn constant(
        &self,
        label: &str,
        constant: &Constant,
        texel: Option<Texel>,
    ) -> Result<Resource, Trouble> {
        // Two runs at once write it once: the other one waits here.
        let mut kept = self
            .constants
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let key = (constant.address(), texel.map(|texel| texel.format));
        if let Some(kept) = kept.get(&key) {
            return Ok(kept.resource.clone());
        }
        // What was made without memory is kept from nobody else.
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let resource = match texel {
            None => Resource::Buffer(self.constant_buffer(label, constant)),
            Some(texel) => Resource::Texture(self.constant_texture(label, constant, texel)),
        };
        if let Some(error) = pollster::block_on(scope.pop()) {
            return Err(Trouble::OutOfMemory {
                adapter: self.info.adapter.clone(),
                reason: one_line(&error),
            });
        }
        kept.insert(
            key,
            Kept {
                constant: constant.downgrade(),
                resource: resource.clone(),
            },
        );
        Ok(resource)
    }

    fn constant_buffer(&self, label: &str, constant: &Constant) -> wgpu::Buffer {
        let bytes: &[u8] = bytemuck::cast_slice(constant.words());
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: (bytes.len() as u64).max(16),
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        self.write(&buffer, bytes);
        buffer
    }

    fn constant_texture(
        &self,
        label: &str,
        constant: &Constant,
        texel: Texel,
    ) -> wgpu::TextureView {
        let row_bytes = (texel.bytes * TEXELS_A_ROW) as usize;
        let mut bytes = bytemuck::cast_slice(constant.words()).to_vec();
        bytes.resize(bytes.len().max(1).next_multiple_of(row_bytes), 0u8);
        let (texture, size) = self.load_texture(label, (bytes.len() / row_bytes) as u32, texel);
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(row_bytes as u32),
            rows_per_image: None,
        };
        self.count_upload(bytes.len());
        self.queue
            .write_texture(texture.as_image_copy(), &bytes, layout, size);
        texture.create_view(&wgpu::TextureViewDescriptor::default())
    }
}
