//! What kernels are compiled as: a shader for each way of loading, and of kernels that end in an
//! activation one for each kind of it.

use super::activation::ACTIVATION_OVERRIDE;
use super::{Activation, KERNELS, Kernel, Loads};
use std::fmt;

/// A kernel as a device compiles it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variant {
    /// Which kernel.
    pub kernel: Kernel,
    /// How it reads at scattered places.
    pub loads: Loads,
    /// What it ends in, where it ends in one.
    pub activation: Option<Activation>,
}

/// All variants of all kernels, in the table's order.
pub fn variants() -> Vec<Variant> {
    let of = |kernel: Kernel| {
        let activations: Vec<Option<Activation>> = match kernel.spec().compiled_for {
            Some(_) => Activation::EACH.map(Some).to_vec(),
            None => vec![None],
        };
        kernel.spec().loads().iter().flat_map(move |&loads| {
            let variant = move |activation| Variant {
                kernel,
                loads,
                activation,
            };
            activations.clone().into_iter().map(variant)
        })
    };
    KERNELS.iter().copied().flat_map(of).collect()
}

impl Variant {
    /// The shader's text.
    pub fn wgsl(&self) -> String {
        self.kernel.spec().wgsl(self.loads)
    }

    /// The shader's constant that is set when it is compiled, and its value.
    pub fn overrides(&self) -> Option<(&'static str, u32)> {
        let number = self.activation?.number();
        Some((ACTIVATION_OVERRIDE, number))
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kernel)?;
        if self.kernel.spec().loads().len() > 1 {
            write!(f, ", loads from {}", self.loads.name())?;
        }
        match self.activation {
            Some(activation) => write!(f, ", {}", activation.kind()),
            None => Ok(()),
        }
    }
}

/// The stem of its files; of the warp, which has two rows in the table, its sampling as well.
impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec().name)?;
        match self {
            Self::Pieces(sampling) | Self::Warp(sampling) => write!(f, " {}", sampling.name()),
            _ => Ok(()),
        }
    }
}
