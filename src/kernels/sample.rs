//! Sampling images between their pixels, some pixels at a time, from the polynomials of their cells
//! (kernel pieces). Shaders: `shaders/shared/sample_linear.wgsl` and
//! `shaders/shared/sample_cubic.wgsl`, part of the warp kernel.

use super::machine::{Cells, CubicPiece, Lanes, LinearPiece, Machine};
use bytemuck::Pod;
use serde::{Deserialize, Serialize};

/// How images are sampled between their pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampling {
    /// Bilinear.
    Linear,
    /// Interpolating bicubic spline with not-a-knot ends, as the paper's tool samples.
    Cubic,
}

impl Sampling {
    /// As plans and files have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Cubic => "cubic",
        }
    }
}

/// A way to sample a plane of an image, from the pieces of its cells.
pub(super) trait Sample {
    /// A cell's polynomial.
    type Piece: Pod + Sync;

    /// Floating-point operations a sample.
    const FLOP: u64;

    /// Levels at the places of some cells of a plane.
    fn levels<M: Machine>(machine: M, pieces: &[Self::Piece], cells: &Cells) -> Lanes<f32>;
}

/// Bilinear.
pub(super) struct Linear;

/// Of a cubic spline.
pub(super) struct Cubic;

impl Sample for Linear {
    type Piece = LinearPiece;
    const FLOP: u64 = 6;

    #[inline(always)]
    fn levels<M: Machine>(machine: M, pieces: &[LinearPiece], cells: &Cells) -> Lanes<f32> {
        machine.linear(pieces, cells)
    }
}

impl Sample for Cubic {
    type Piece = CubicPiece;
    // Three times a value plus a product: of four values, then of one.
    const FLOP: u64 = 30;

    #[inline(always)]
    fn levels<M: Machine>(machine: M, pieces: &[CubicPiece], cells: &Cells) -> Lanes<f32> {
        machine.cubic(pieces, cells)
    }
}
