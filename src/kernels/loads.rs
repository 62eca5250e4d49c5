//! How shaders read at scattered places: from buffers or from textures.
//!
//! Lavapipe reads a buffer for one invocation after the other, each with its checks, but a
//! texture for all invocations of a vector at once. Rejected: textures for sampling, for which it
//! looks up a level of detail for every invocation (half as fast), and textures of values that are
//! read but once, which take longer to fill (pools, `docs/speed.md`). A GPU reads all of them
//! through the same cache, and buffers with fewer steps between.

use super::activation::{ACTIVATION, activate};
use super::{Access, Binding, Element, KernelSpec};
use std::fmt::Write;

/// What stands behind the bindings of [`Access::Load`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loads {
    /// Storage buffers.
    Buffers,
    /// Storage textures, [`TEXELS_A_ROW`] values of the buffer a row.
    Textures,
}

impl Loads {
    /// Both ways, textures last.
    pub const BOTH: [Self; 2] = [Self::Buffers, Self::Textures];

    /// `buffers` or `textures`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Buffers => "buffers",
            Self::Textures => "textures",
        }
    }
}

/// Width of the textures, a power of two. 16,384 rows of single values then hold 128 MiB.
pub const TEXELS_A_ROW: u32 = 2048;

impl KernelSpec {
    /// Whether the shader has this constant of its parameters.
    pub(super) fn is_compiled_for(&self, constant: &str) -> bool {
        (self.compiled_for.iter()).any(|&(name, _)| name == constant)
    }

    /// The ways of loading that give different shaders; a kernel without [`Access::Load`] has one
    /// shader, which counts as that of buffers.
    pub fn loads(&self) -> &'static [Loads] {
        let mut accesses = self.bindings.iter().map(|binding| binding.access);
        match accesses.any(|access| access == Access::Load) {
            true => &Loads::BOTH,
            false => &Loads::BOTH[..1],
        }
    }

    /// The shader, written for these constants; those that it has and that are not given are 0.
    pub fn wgsl(&self, loads: Loads, constants: &[(&str, u32)]) -> String {
        let mut wgsl = String::new();
        for &(constant, _) in self.compiled_for {
            let given = constants.iter().find(|(name, _)| *name == constant);
            let number = given.map_or(0, |&(_, number)| number);
            wgsl += &match constant {
                ACTIVATION => activate(number),
                _ => format!("const {constant}: u32 = {number}u;\n"),
            };
        }
        for (binding, number) in self.bindings.iter().zip(1..) {
            if binding.access == Access::Load {
                declare(&mut wgsl, binding, number, loads);
            }
        }
        wgsl + &self.source.concat()
    }
}

fn declare(wgsl: &mut String, binding: &Binding, number: u32, loads: Loads) {
    let name = binding.name;
    let (value, texel, part) = match binding.element {
        Element::F32 => ("f32", "r32float", ".x"),
        Element::Vec4F32 => ("vec4<f32>", "rgba32float", ""),
        Element::Vec4I32 => ("vec4<i32>", "rgba32sint", ""),
        Element::Vec4U32 => ("vec4<u32>", "rgba32uint", ""),
        Element::U32 | Element::AtomicU32 | Element::Struct(_) => {
            panic!("{name}: only floats and vectors of four are loaded")
        }
    };
    let (variable, load) = match loads {
        Loads::Buffers => (
            format!("var<storage, read> {name}: array<{value}>"),
            format!("{name}[at]"),
        ),
        Loads::Textures => (
            format!("var {name}: texture_storage_2d<{texel}, read>"),
            format!(
                "textureLoad({name}, vec2<u32>(at % {TEXELS_A_ROW}u, at / {TEXELS_A_ROW}u)){part}"
            ),
        ),
    };
    let written = writeln!(
        wgsl,
        "@group(0) @binding({number}) {variable};\n\
         fn load_{name}(at: u32) -> {value} {{ return {load}; }}"
    );
    written.expect("a string takes all that is written to it");
}
