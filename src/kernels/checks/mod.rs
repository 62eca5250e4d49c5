//! What a device is held to when a user asks for it, or a test: every variant of every kernel, on
//! the sizes at which things go wrong.
//!
//! ```text
//! Kernel::checks ─ Check::case ─> Case ─ engine/check.rs ─> Checked
//! ```
//!
//! The small job of each kernel ([`Kernel::case`]), which runs before the kernel's first use, is one
//! of them. The others are sizes around a workgroup and a block, nothing at all, dispatches that are
//! folded into rows, each activation, and, where it is cheap, the longest buffer that can be bound
//! and more workgroups than one dimension takes. Values are the same every time and keep clear of
//! jumps, so that no result hangs on the last bit.

mod forests;
mod images;
mod layers;
mod walks;
mod windows;

use super::{Activation, Case, Kernel, Recording, case};
use case::FLOATS;

/// One case of a kernel.
pub struct Check {
    /// What is special about it: a word or two.
    pub name: String,
    /// How far a float may be from the twin's: `|found - expected| / (1 + |expected|)`.
    pub tolerance: f32,
    record: Box<Record>,
}

/// Records a case with buffers of so many bytes at most, and says what its words are.
type Record = dyn Fn(&mut Recording, u64) -> &'static [bool];

impl Check {
    /// The case on a device that binds buffers of `most_bytes`. Only a case of the longest buffer
    /// looks at that.
    pub fn case(&self, most_bytes: u64) -> Case {
        let mut recording = Recording::new();
        let is_float = (self.record)(&mut recording, most_bytes);
        Case {
            recording,
            is_float,
        }
    }
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Check of {}", self.name)
    }
}

impl Kernel {
    /// The kernel's cases, the small one first. Where it ends in an activation there is one for each
    /// kind, so that together they compile every variant.
    pub fn checks(self) -> Vec<Check> {
        let mut checks = Checks::of(self);
        match self {
            Self::Spline => images::spline(&mut checks),
            Self::Pieces(sampling) => images::pieces(&mut checks, sampling),
            Self::Warp(sampling) => images::warp(&mut checks, sampling),
            Self::Dense => layers::dense(&mut checks),
            Self::Conv => windows::conv(&mut checks),
            Self::Conv3x3 => windows::conv3x3(&mut checks),
            Self::Depthwise => windows::depthwise(&mut checks),
            Self::Matmul => layers::matmul(&mut checks),
            Self::Pool => windows::pool(&mut checks),
            Self::Elementwise => layers::elementwise(&mut checks),
            Self::Combine => layers::combine(&mut checks),
            Self::Rearrange => layers::rearrange(&mut checks),
            Self::Normalise => layers::normalise(&mut checks),
            Self::Resample => windows::resample(&mut checks),
            Self::Lrn => layers::lrn(&mut checks),
            Self::Trees => forests::trees(&mut checks),
            Self::SupportVectors => forests::support_vectors(&mut checks),
            Self::Coupling => forests::coupling(&mut checks),
            Self::Softmax => layers::softmax(&mut checks),
            Self::LatticeWalk => walks::lattice(&mut checks),
            Self::LangevinWalk => walks::langevin(&mut checks),
            Self::WalkMoments => walks::moments(&mut checks),
            Self::WalkOccupation => walks::occupation(&mut checks),
            Self::WalkArrivals => walks::arrivals(&mut checks),
        }
        checks.list
    }
}

/// Sums of 32-bit floats in another order, and the driver's own functions: some dozen units in the
/// last place. 0.045715 in the place of the GELU's 0.044715 makes 5e-4.
const ROUNDING: f32 = 1e-5;

/// Coordinates times slopes, or steps of walkers, and sines for which WGSL asks for eleven bits.
const CARRIED: f32 = 1e-4;

/// Two in one dimension, so that an odd number of workgroups is folded and one is left over.
const FOLDED_AT: usize = 2;

/// The checks of a kernel, as they are written down.
struct Checks {
    list: Vec<Check>,
    tolerance: f32,
}

impl Checks {
    /// The small job alone.
    fn of(kernel: Kernel) -> Self {
        let tolerance = match kernel {
            Kernel::Warp(_) | Kernel::LangevinWalk => CARRIED,
            _ => ROUNDING,
        };
        let list = Vec::new();
        let mut checks = Self { list, tolerance };
        checks.add("small", move |recording| (kernel.spec().case)(recording));
        checks
    }

    /// A case that fits any device.
    fn add(
        &mut self,
        name: impl Into<String>,
        record: impl Fn(&mut Recording) -> &'static [bool] + 'static,
    ) {
        self.add_sized(name, move |recording, _| record(recording));
    }

    /// A case of the longest buffer there is.
    fn add_sized(
        &mut self,
        name: impl Into<String>,
        record: impl Fn(&mut Recording, u64) -> &'static [bool] + 'static,
    ) {
        self.list.push(Check {
            name: name.into(),
            tolerance: self.tolerance,
            record: Box::new(record),
        });
    }

    /// A case whose workgroups are folded into rows.
    fn add_folded(&mut self, record: impl Fn(&mut Recording) -> &'static [bool] + 'static) {
        self.add("folded", move |recording| {
            recording.fold_at(FOLDED_AT);
            record(recording)
        });
    }

    /// A case of floats for each kind of activation. What it is applied to has to lie above 0 where
    /// [`is_of_positive`] says so.
    fn add_activations(&mut self, record: impl Fn(&mut Recording, Activation) + Copy + 'static) {
        for activation in Activation::EACH {
            self.add(activation.kind(), move |recording| {
                record(recording, activation);
                FLOATS
            });
        }
    }
}

/// Whether an activation jumps, or nearly so, at 0.
fn is_of_positive(activation: Activation) -> bool {
    activation == Activation::Log
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{KERNELS, variants};

    fn compiled(recording: &Recording) -> impl Iterator<Item = (Kernel, Vec<(&str, u32)>)> {
        (recording.commands().iter()).map(|command| (command.kernel, command.constants()))
    }

    #[test]
    fn checks_compile_every_variant_and_fold() {
        for &kernel in KERNELS {
            let cases: Vec<(String, Case)> = (kernel.checks().iter())
                .map(|check| (check.name.clone(), check.case(1 << 16)))
                .collect();
            for variant in variants().iter().filter(|v| v.kernel == kernel) {
                let wanted = (kernel, variant.constants());
                let mut recordings = cases.iter().map(|(_, case)| &case.recording);
                assert!(
                    recordings.any(|r| compiled(r).any(|found| found == wanted)),
                    "no case compiles {variant}"
                );
            }
            let folded = cases.iter().find(|(name, _)| name == "folded");
            let (_, folded) = folded.unwrap_or_else(|| panic!("{kernel}: nothing is folded"));
            let commands = folded.recording.commands().iter();
            let own = commands.filter(|command| command.kernel == kernel);
            let most = own.map(|command| command.workgroups).max().unwrap_or(0);
            assert!(
                most > FOLDED_AT && most % FOLDED_AT == 1,
                "{kernel}: {most} workgroups leave none over"
            );
            for (name, case) in &cases {
                let downloads = case.recording.downloads();
                assert!(
                    !downloads.is_empty(),
                    "{kernel}, {name}: nothing comes back"
                );
            }
        }
    }

    #[test]
    fn the_same_case_comes_every_time() {
        for &kernel in KERNELS {
            for check in kernel.checks() {
                let [a, b] = [0, 1].map(|_| check.case(1 << 16).recording);
                let words = |r: &Recording| -> Vec<Vec<u32>> {
                    let given = r.buffers().iter().filter_map(|buffer| buffer.given());
                    given.map(<[u32]>::to_vec).collect()
                };
                assert!(words(&a) == words(&b), "{kernel}, {check:?}");
            }
        }
    }
}
