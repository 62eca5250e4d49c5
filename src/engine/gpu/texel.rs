//! Texels of the textures that stand for buffers where an adapter loads those faster.

use crate::kernels::Element;

/// A texel of a texture that stands for a buffer.
#[derive(Clone, Copy)]
pub(super) struct Texel {
    pub(super) format: wgpu::TextureFormat,
    pub(super) bytes: u32,
}

impl Texel {
    pub(super) fn of(element: Element) -> Self {
        let (format, bytes) = match element {
            Element::F32 => (wgpu::TextureFormat::R32Float, 4),
            Element::Vec4F32 => (wgpu::TextureFormat::Rgba32Float, 16),
            Element::Vec4I32 => (wgpu::TextureFormat::Rgba32Sint, 16),
            Element::Vec4U32 => (wgpu::TextureFormat::Rgba32Uint, 16),
            Element::U32 | Element::AtomicU32 | Element::Struct(_) => {
                unreachable!("no kernel loads them")
            }
        };
        Self { format, bytes }
    }
}
