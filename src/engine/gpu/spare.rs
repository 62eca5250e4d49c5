//! Memory of the device that goes from recording to recording. Made anew, each buffer and texture would
//! be zeroed, and on a software adapter fetched from the system a page at a time.

use super::texel::Texel;
use std::sync::{Mutex, PoisonError};

/// Smaller ones are made anew.
const LEAST_BYTES: u64 = 1 << 16;

/// A texture and what it is, by which it is found again.
pub(super) struct LoadTexture {
    pub(super) texture: wgpu::Texture,
    pub(super) rows: u32,
    pub(super) texel: Texel,
}

/// What no recording uses at the moment, the longest there first.
#[derive(Default)]
pub(super) struct Spare(Mutex<Vec<Memory>>);

enum Memory {
    Buffer(wgpu::Buffer),
    Texture(LoadTexture),
}

impl Memory {
    fn bytes(&self) -> u64 {
        match self {
            Self::Buffer(buffer) => buffer.size(),
            Self::Texture(load) => {
                let size = load.texture.size();
                u64::from(load.texel.bytes) * u64::from(size.width) * u64::from(size.height)
            }
        }
    }
}

impl Spare {
    /// A buffer of just that size, with what was left in it.
    pub(super) fn buffer(&self, size: u64) -> Option<wgpu::Buffer> {
        let is_it = |memory: &Memory| match memory {
            Memory::Buffer(buffer) => buffer.size() == size,
            Memory::Texture(_) => false,
        };
        match self.taken(is_it)? {
            Memory::Buffer(buffer) => Some(buffer),
            Memory::Texture(_) => None,
        }
    }

    /// A texture of just so many rows, with what was left in it.
    pub(super) fn texture(&self, rows: u32, texel: Texel) -> Option<LoadTexture> {
        let is_it = |memory: &Memory| match memory {
            Memory::Texture(load) => load.rows == rows && load.texel.format == texel.format,
            Memory::Buffer(_) => false,
        };
        match self.taken(is_it)? {
            Memory::Texture(load) => Some(load),
            Memory::Buffer(_) => None,
        }
    }

    fn taken(&self, is_it: impl Fn(&Memory) -> bool) -> Option<Memory> {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = spare.iter().position(is_it)?;
        Some(spare.remove(place))
    }

    /// Takes back what a recording that has come to its end used, and lets go of the oldest beyond
    /// `most` bytes.
    pub(super) fn give_back(
        &self,
        buffers: impl Iterator<Item = wgpu::Buffer>,
        textures: impl Iterator<Item = LoadTexture>,
        most: u64,
    ) {
        let memory = (buffers.map(Memory::Buffer)).chain(textures.map(Memory::Texture));
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spare.extend(memory.filter(|memory| memory.bytes() >= LEAST_BYTES));
        let mut total: u64 = spare.iter().map(Memory::bytes).sum();
        spare.retain(|memory| {
            let is_too_much = total > most;
            if is_too_much {
                total -= memory.bytes();
            }
            !is_too_much
        });
    }

    pub(super) fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}
