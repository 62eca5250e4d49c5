//! What the warp's twin asks of a machine's vector instructions beyond what `pulp` gives on all of
//! them, with a portable way for each.

#![allow(
    clippy::needless_range_loop,
    reason = "a loop over lanes is one vector, which the compiler sees less well in iterators"
)]

use pulp::Simd;
use wide::f32x4;

/// Pixels sampled side by side: the widest vector there is.
pub(super) const LANES: usize = 16;

/// A value for each of some pixels, in a line of the cache of its own: vectors that lie across
/// two lines are read back slowly while they are being written.
#[repr(align(64))]
#[derive(Clone, Copy, Default)]
pub(super) struct Lanes<T>(pub(super) [T; LANES]);

/// For [`LANES`] pixels the cells of four source pixels that hold their sources, and the places in
/// them.
#[derive(Clone, Default)]
pub(super) struct Cells {
    /// Which cell of the image.
    pub(super) at: Lanes<u32>,
    /// Place along x, 0..1.
    pub(super) u: Lanes<f32>,
    /// Place along y, 0..1.
    pub(super) v: Lanes<f32>,
}

/// The polynomial of a cell: `(p0 + u p1) + v (p2 + u p3)`.
pub(super) type LinearPiece = [f32; 4];

/// The polynomial of a cell: four powers of u for each of four powers of v, in that order.
pub(super) type CubicPiece = [f32; 16];

/// Vector instructions.
pub(super) trait Machine: Simd {
    /// Whole numbers with sign as floats.
    #[inline(always)]
    fn floats(self, whole: Self::u32s) -> Self::f32s {
        let mut floats = self.splat_f32s(0.0);
        let to: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut floats));
        let from: &[i32] = bytemuck::cast_slice(std::slice::from_ref(&whole));
        for (to, &from) in to.iter_mut().zip(from) {
            *to = from as f32;
        }
        floats
    }

    /// 1 where the whole number has no sign, and 0 where it has.
    #[inline(always)]
    fn ones_unless_negative(self, whole: Self::u32s) -> Self::f32s {
        let is_positive = self.less_than_u32s(whole, self.splat_u32s(1 << 31));
        self.select_f32s(is_positive, self.splat_f32s(1.0), self.splat_f32s(0.0))
    }

    /// Levels at places of cells.
    #[inline(always)]
    fn linear(self, pieces: &[LinearPiece], cells: &Cells) -> Lanes<f32> {
        let mut found = [[0.0; 4]; LANES];
        for (found, &at) in found.iter_mut().zip(&cells.at.0) {
            *found = pieces[at as usize];
        }
        let mut levels = Lanes::default();
        for k in 0..LANES {
            let [a, b, c, d] = found[k];
            let (u, v) = (cells.u.0[k], cells.v.0[k]);
            levels.0[k] = (a + u * b) + v * (c + u * d);
        }
        levels
    }

    /// Levels at places of cells.
    #[inline(always)]
    fn cubic(self, pieces: &[CubicPiece], cells: &Cells) -> Lanes<f32> {
        let mut rows = [[0.0; 4]; LANES];
        for k in 0..LANES {
            let piece: &[[f32; 4]; 4] = bytemuck::cast_ref(&pieces[cells.at.0[k] as usize]);
            let [a, b, c, d] = piece.map(f32x4::new);
            let v = f32x4::splat(cells.v.0[k]);
            rows[k] = (a + v * (b + v * (c + v * d))).to_array();
        }
        let mut levels = Lanes::default();
        for k in 0..LANES {
            let ([a, b, c, d], u) = (rows[k], cells.u.0[k]);
            levels.0[k] = a + u * (b + u * (c + u * d));
        }
        levels
    }
}

/// One value at a time.
impl Machine for pulp::Scalar {}

#[cfg(target_arch = "aarch64")]
impl Machine for pulp::aarch64::Neon {}
