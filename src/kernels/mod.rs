//! The kernels: each a WGSL file and its Rust twin, one row a kernel in [`Kernel::spec`].
//!
//! ```text
//!  images ─ spline ─> coefficients ─ pieces ─> pieces ─ warp ─> frames ─ conv, pool, dense ... ─> logits ─ softmax ─> probabilities
//!                                        pairs, meshes ──┘
//!  walkers ─ lattice_walk or langevin_walk ─> walkers ─ ... ─> walk_moments, walk_occupation, walk_arrivals
//! ```
//!
//! A [`Recording`] is the plain data between the pipeline that writes it and the engine that
//! runs it: buffers, commands and what to bring back. A kernel's typed method on it lives in
//! the kernel's own file. The shader and the table row are held together by
//! `tests/it/shader_contract.rs`, the shader and the twin by `tests/it/engines.rs`.
//!
//! To add a kernel: `shaders/NAME.wgsl`, `src/kernels/NAME.rs` with its small job, `mod` and a row
//! in the table here, its checks in `checks/`, and a row in the test. A layer of a network that is this kernel is a
//! [`KernelLayer`]; `model/one_kernel.rs` says what it takes to read it from files.
//!
//! Buffers are 32-bit words. Rows of activations are padded to a multiple of four words
//! ([`row_stride`]) so that shaders load them four at a time. Padding holds finite values, so that
//! it may be multiplied by weights of zero: on a device a buffer that is not uploaded starts as
//! zeros, and a twin fills all of its output.

mod activation;
mod blend;
mod budget;
mod case;
mod checks;
mod combine;
mod constant;
mod conv;
mod conv3x3;
mod convolution;
mod coupling;
mod dense;
mod depthwise;
mod elementwise;
mod langevin_walk;
mod lattice_walk;
mod loads;
mod lrn;
mod machine;
#[cfg(target_arch = "x86_64")]
mod machine_x86;
mod matmul;
mod normalise;
mod philox;
mod pieces;
mod pool;
mod products;
mod rearrange;
mod recording;
mod resample;
mod sample;
mod softmax;
mod source_map;
mod spline;
mod support_vectors;
mod task;
mod trees;
mod variants;
mod vectors;
mod walk_arrivals;
mod walk_moments;
mod walk_occupation;
mod walker;
mod warp;
mod windows;
mod winograd;

use std::sync::Arc;

pub use activation::Activation;
pub use blend::blend;
pub use budget::{BUDGET, Budget};
pub use case::Case;
pub use checks::Check;
pub use combine::{CombineLayer, Combining};
pub use constant::{Constant, WeakConstant};
pub use conv::{ConvLayer, Ending};
pub use coupling::CouplingLayer;
pub use dense::DenseLayer;
pub use depthwise::DepthwiseLayer;
pub use elementwise::ElementwiseLayer;
pub use langevin_walk::{Ground, LangevinStep};
pub use lattice_walk::{ABSORBING, DIRECTIONS, acceptance_entries, drift_entries};
pub use loads::{Loads, TEXELS_A_ROW};
pub use lrn::LrnLayer;
pub use matmul::{Factor, MatmulLayer};
pub use normalise::{Divisor, Groups, NormaliseLayer};
pub use philox::philox;
pub use pool::{PoolLayer, Pooling};
pub use rearrange::RearrangeLayer;
pub use recording::{Buf, Buffer, Command, Contents, Downloads, Recording, Work};
pub use resample::{Between, ResampleLayer};
pub use sample::Sampling;
pub use softmax::SoftmaxLayer;
pub use spline::spline_coefficients;
pub use support_vectors::{PairOfClasses, Similarity, SupportVectorsLayer};
pub use trees::{TreeNode, TreesLayer};
pub use variants::{Variant, variants};
pub use walk_arrivals::Arrivals;
pub use walk_moments::{MOMENTS_GROUP, Moments};
pub use walker::{Span, Walker};
pub use warp::{FrameJob, PairJob, WarpGeometry};
pub use windows::Windows;

/// The table of kernels, in the order of a sweep: what each computes, its name and its row
/// ([`Kernel::spec`]). Pieces and warp have two rows each.
macro_rules! kernels {
    (
        $($(#[$before_doc:meta])* $before:ident => $before_spec:path,)*;
        $($(#[$doc:meta])* $name:ident => $spec:path,)*
    ) => {
        /// A kernel: [`Kernel::spec`] is the table of all of them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kernel {
            $($(#[$before_doc])* $before,)*
            /// Images as a polynomial for each cell between their pixels.
            Pieces(Sampling),
            /// Pairs of images through their meshes, blended to frames.
            Warp(Sampling),
            $($(#[$doc])* $name,)*
        }

        /// All kernels.
        pub const KERNELS: &[Kernel] = &[
            $(Kernel::$before,)*
            Kernel::Pieces(Sampling::Cubic),
            Kernel::Pieces(Sampling::Linear),
            Kernel::Warp(Sampling::Cubic),
            Kernel::Warp(Sampling::Linear),
            $(Kernel::$name,)*
        ];

        impl Kernel {
            /// The kernel's row of the table.
            pub fn spec(self) -> &'static KernelSpec {
                match self {
                    $(Self::$before => &$before_spec,)*
                    Self::Pieces(Sampling::Cubic) => &pieces::CUBIC,
                    Self::Pieces(Sampling::Linear) => &pieces::LINEAR,
                    Self::Warp(Sampling::Cubic) => &warp::CUBIC,
                    Self::Warp(Sampling::Linear) => &warp::LINEAR,
                    $(Self::$name => &$spec,)*
                }
            }
        }
    };
}

kernels! {
    /// Images to the coefficients of their interpolating spline.
    Spline => spline::SPEC,
    // Pieces and warp.
    ;
    /// A dense layer of a network.
    Dense => dense::SPEC,
    /// A convolution.
    Conv => conv::SPEC,
    /// A convolution of windows of 3 x 3, a pixel apart.
    Conv3x3 => conv3x3::SPEC,
    /// A convolution of each channel by itself.
    Depthwise => depthwise::SPEC,
    /// Products of two values of a network.
    Matmul => matmul::SPEC,
    /// The largest or the mean value of windows.
    Pool => pool::SPEC,
    /// Scaling, sums and activations, value by value.
    Elementwise => elementwise::SPEC,
    /// Products and maxima of two values.
    Combine => combine::SPEC,
    /// Values that change places.
    Rearrange => rearrange::SPEC,
    /// Groups of values by their own mean and variance.
    Normalise => normalise::SPEC,
    /// Images of another size.
    Resample => resample::SPEC,
    /// Values by those of the channels around them.
    Lrn => lrn::SPEC,
    /// Ensembles of decision trees.
    Trees => trees::SPEC,
    /// Support vector machines, pair of classes by pair.
    SupportVectors => support_vectors::SPEC,
    /// Probabilities of classes from those of each pair.
    Coupling => coupling::SPEC,
    /// Logits to probabilities.
    Softmax => softmax::SPEC,
    /// Walkers on a lattice, some steps on.
    LatticeWalk => lattice_walk::SPEC,
    /// Walkers that drift downhill and jitter, some steps on.
    LangevinWalk => langevin_walk::SPEC,
    /// How far walkers have come.
    WalkMoments => walk_moments::SPEC,
    /// How many walkers stand at each grid point.
    WalkOccupation => walk_occupation::SPEC,
    /// How many walkers have come to a target, and when.
    WalkArrivals => walk_arrivals::SPEC,
}

impl Kernel {
    /// The kernel's small job, which takes milliseconds.
    pub fn case(self) -> Case {
        let mut recording = Recording::new();
        let is_float = (self.spec().case)(&mut recording);
        Case {
            recording,
            is_float,
        }
    }
}

/// A layer of a network that is one kernel: what a model's steps are.
pub trait KernelLayer: std::fmt::Debug + Send + Sync {
    /// Its kernel.
    fn kernel(&self) -> Kernel;

    /// Values a row it gives.
    fn outputs(&self) -> usize;

    /// Appends it to a recording: what it takes and what it gives are rows of values, padded to
    /// [`row_stride`].
    fn record(&self, recording: &mut Recording, takes: &[Buf<f32>], rows: usize) -> Buf<f32>;

    /// The layer on a plane of its inputs, `origin + x p + y q`: it takes (x, y). Nothing where the
    /// kernel does not add up its inputs.
    fn on_plane(&self, _origin: &[f64], _directions: [&[f64]; 2]) -> Option<Arc<dyn KernelLayer>> {
        None
    }

    /// The same with an activation behind it; nothing where the kernel has none.
    fn activated(&self, _activation: Activation) -> Option<Arc<dyn KernelLayer>> {
        None
    }
}

/// Whether a kernel only reads a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// `var<storage, read>`
    Read,
    /// Read at scattered places with `load_NAME(at)`; the engine's [`Loads`] say from what. Not
    /// declared in the shader's own text.
    Load,
    /// `var<storage, read_write>`
    ReadWrite,
}

/// A storage binding as the shader declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Name in the shader.
    pub name: &'static str,
    /// How it is used.
    pub access: Access,
    /// The element of its runtime-sized array.
    pub element: Element,
}

/// Element of a storage array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// `f32`
    F32,
    /// `u32`
    U32,
    /// `vec4<f32>`
    Vec4F32,
    /// `vec4<i32>`
    Vec4I32,
    /// `vec4<u32>`
    Vec4U32,
    /// `atomic<u32>`
    AtomicU32,
    /// A struct shared with the host.
    Struct(StructSpec),
}

/// A struct that host and shader share, as the host lays it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StructSpec {
    /// Name on both sides.
    pub name: &'static str,
    /// Size, bytes.
    pub size: usize,
    /// Name, offset and size of each member, bytes.
    pub members: &'static [(&'static str, usize, usize)],
}

/// Everything an engine needs to know of a kernel.
#[derive(Debug)]
pub struct KernelSpec {
    /// Stem of its two files.
    pub name: &'static str,
    /// WGSL texts; the shader is their concatenation after the declarations of what is
    /// [`Access::Load`], see [`KernelSpec::wgsl`].
    pub source: &'static [&'static str],
    /// Invocations a workgroup.
    pub workgroup_size: u32,
    /// The uniform at binding 0.
    pub params: StructSpec,
    /// The shader's constants that are words of the parameters, and which words: it is written
    /// and compiled once for each combination of values met.
    pub compiled_for: &'static [(&'static str, usize)],
    /// Whole numbers that shader and host must agree on, by the names of the shader's constants;
    /// its `WORKGROUP_SIZE`, which [`Self::workgroup_size`] gives, left out.
    pub constants: &'static [&'static [(&'static str, i64)]],
    /// Storage bindings from 1 on: inputs, then the one output.
    pub bindings: &'static [Binding],
    /// Floating-point operations that each value of the output takes, by the parameters; 0 where
    /// the work is done in whole numbers, and for walks, where it is not counted.
    pub flop: fn(&[u32]) -> u64,
    /// The Rust twin: parameters, inputs, output, all in words. Constants are in the order that the
    /// twin wants ([`Constant::twin_words`]).
    pub twin: fn(&[u32], &[&[u32]], &mut [u32]),
    /// Records a small job on which a device is held against the twin ([`Kernel::case`]), and says
    /// what the words of its downloads are ([`Case::is_float`]).
    pub case: fn(&mut Recording) -> &'static [bool],
}

/// Structs inside the parameters of some kernels.
pub const SHARED_STRUCTS: [StructSpec; 2] = [
    windows::WindowParams::SPEC,
    activation::ActivationParams::SPEC,
];

/// Words from one row of activations to the next for rows of `width` values.
pub const fn row_stride(width: usize) -> usize {
    width.next_multiple_of(4)
}

/// Declares a struct shared with a shader once: its layout, and the [`StructSpec`] that the
/// contract test compares with the shader's.
macro_rules! shader_struct {
    ($(#[$meta:meta])* $vis:vis struct $name:ident { $($(#[$field_meta:meta])* $field_vis:vis $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Debug, Clone, Copy, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
        $vis struct $name { $($(#[$field_meta])* $field_vis $field: $type,)* }

        impl $name {
            /// The parameters that the words of a command hold.
            #[allow(dead_code, reason = "not every struct is a command's parameters")]
            fn of(words: &[u32]) -> Self {
                bytemuck::pod_read_unaligned(bytemuck::cast_slice(words))
            }

            /// The layout, for the contract test.
            $vis const SPEC: crate::kernels::StructSpec = crate::kernels::StructSpec {
                name: stringify!($name),
                size: size_of::<Self>(),
                members: &[$((stringify!($field), std::mem::offset_of!($name, $field), size_of::<$type>()),)*],
            };
        }
    };
}
pub(crate) use shader_struct;
