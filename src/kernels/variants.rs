//! What kernels are compiled as: a shader for each way of loading, of kernels that end in an activation
//! one for each kind of it, and of convolutions one for each [`Ending`].

use super::activation::ACTIVATION;
use super::conv::ENDING;
use super::{Activation, Ending, KERNELS, Kernel, Loads};
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
    /// What becomes of its sums, where it is a convolution.
    pub ending: Option<Ending>,
}

/// All variants of all kernels, in the table's order: each activation and each ending, but not each
/// activation with each ending.
pub fn variants() -> Vec<Variant> {
    let of = |kernel: Kernel| {
        let spec = kernel.spec();
        let activations: Vec<Option<Activation>> = match spec.is_compiled_for(ACTIVATION) {
            true => Activation::EACH.map(Some).to_vec(),
            false => vec![None],
        };
        let ends: Vec<(Option<Activation>, Option<Ending>)> = match spec.is_compiled_for(ENDING) {
            true => (Ending::EACH.into_iter())
                .flat_map(|ending| {
                    let mut activations = activations.clone();
                    if ending != Ending::Sums {
                        activations.retain(|&activation| activation == Some(Activation::Relu));
                    }
                    let both = move |activation| (activation, Some(ending));
                    activations.into_iter().map(both)
                })
                .collect(),
            false => activations
                .into_iter()
                .map(|activation| (activation, None))
                .collect(),
        };
        spec.loads().iter().flat_map(move |&loads| {
            let variant = move |(activation, ending)| Variant {
                kernel,
                loads,
                activation,
                ending,
            };
            ends.clone().into_iter().map(variant)
        })
    };
    KERNELS.iter().copied().flat_map(of).collect()
}

impl Variant {
    /// The shader's text.
    pub fn wgsl(&self) -> String {
        self.kernel.spec().wgsl(self.loads, &self.constants())
    }

    /// The constants that the shader is written for, and their values: those of a command's
    /// [`Command::constants`](super::Command::constants).
    pub fn constants(&self) -> Vec<(&'static str, u32)> {
        let activation = (self.activation).map(|activation| (ACTIVATION, activation.number()));
        let ending = self.ending.map(|ending| (ENDING, ending as u32));
        activation.into_iter().chain(ending).collect()
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kernel)?;
        if self.kernel.spec().loads().len() > 1 {
            write!(f, ", loads from {}", self.loads.name())?;
        }
        if let Some(activation) = self.activation {
            write!(f, ", {}", activation.kind())?;
        }
        match self.ending {
            Some(Ending::Added) => f.write_str(", added"),
            Some(Ending::Largest) => f.write_str(", largest of squares"),
            Some(Ending::Sums) | None => Ok(()),
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
