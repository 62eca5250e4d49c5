//! AVX2 and AVX-512 for the warp's twin. In samples the pieces of eight pixels are turned by shuffles
//! into a vector for each power, where the compiler would turn them value by value.

use super::machine::{Cells, CubicPiece, LANES, Lanes, LinearPiece, Machine};
use pulp::x86::{V3, V4};
use std::arch::x86_64::{__m128, __m256};

/// Values of a vector.
const WIDE: usize = 8;
/// Vectors that have a value for each lane.
const PARTS: usize = LANES / WIDE;

// No closures in here: they would be compiled without these instructions, and called.
impl Machine for V3 {
    #[inline(always)]
    fn floats(self, whole: Self::u32s) -> Self::f32s {
        pulp::cast(self.avx._mm256_cvtepi32_ps(pulp::cast(whole)))
    }

    #[inline(always)]
    fn linear(self, pieces: &[LinearPiece], cells: &Cells) -> Lanes<f32> {
        let ats: [[u32; WIDE]; PARTS] = bytemuck::cast(cells.at.0);
        let [us, vs]: [[__m256; PARTS]; 2] = [pulp::cast(cells.u.0), pulp::cast(cells.v.0)];
        let mut levels = [us[0]; PARTS];
        for part in 0..PARTS {
            let (at, u, v) = (&ats[part], us[part], vs[part]);
            let found = [
                two_linear(self, pieces, at[0], at[4]),
                two_linear(self, pieces, at[1], at[5]),
                two_linear(self, pieces, at[2], at[6]),
                two_linear(self, pieces, at[3], at[7]),
            ];
            let [a, b, c, d] = transposed(self, found);
            let above = self.fma._mm256_fmadd_ps(u, b, a);
            let slope = self.fma._mm256_fmadd_ps(u, d, c);
            levels[part] = self.fma._mm256_fmadd_ps(v, slope, above);
        }
        Lanes(pulp::cast(levels))
    }

    #[inline(always)]
    fn cubic(self, pieces: &[CubicPiece], cells: &Cells) -> Lanes<f32> {
        let ats: [[u32; WIDE]; PARTS] = bytemuck::cast(cells.at.0);
        let [us, vs]: [[__m256; PARTS]; 2] = [pulp::cast(cells.u.0), pulp::cast(cells.v.0)];
        let mut levels = [us[0]; PARTS];
        for part in 0..PARTS {
            let (at, u, v) = (&ats[part], us[part], vs[part]);
            let squares: [f32; WIDE] = pulp::cast(self.avx._mm256_mul_ps(v, v));
            // v of pixel n in one half of a vector, of pixel n + 4 in the other.
            let v_0 = self.avx._mm256_permute_ps::<0b00_00_00_00>(v);
            let v_1 = self.avx._mm256_permute_ps::<0b01_01_01_01>(v);
            let v_2 = self.avx._mm256_permute_ps::<0b10_10_10_10>(v);
            let v_3 = self.avx._mm256_permute_ps::<0b11_11_11_11>(v);
            let rows = [
                two_cubic(self, pieces, [at[0], at[4]], [squares[0], squares[4]], v_0),
                two_cubic(self, pieces, [at[1], at[5]], [squares[1], squares[5]], v_1),
                two_cubic(self, pieces, [at[2], at[6]], [squares[2], squares[6]], v_2),
                two_cubic(self, pieces, [at[3], at[7]], [squares[3], squares[7]], v_3),
            ];
            let [a, b, c, d] = transposed(self, rows);
            let level = self.fma._mm256_fmadd_ps(d, u, c);
            let level = self.fma._mm256_fmadd_ps(level, u, b);
            levels[part] = self.fma._mm256_fmadd_ps(level, u, a);
        }
        Lanes(pulp::cast(levels))
    }
}

/// Draws twice as many pixels at a time. Shuffles of 512 bits gain nothing over those of 256.
impl Machine for V4 {
    #[inline(always)]
    fn floats(self, whole: Self::u32s) -> Self::f32s {
        pulp::cast(self.avx512f._mm512_cvtepi32_ps(pulp::cast(whole)))
    }

    #[inline(always)]
    fn linear(self, pieces: &[LinearPiece], cells: &Cells) -> Lanes<f32> {
        (*self).linear(pieces, cells)
    }

    #[inline(always)]
    fn cubic(self, pieces: &[CubicPiece], cells: &Cells) -> Lanes<f32> {
        (*self).cubic(pieces, cells)
    }
}

/// The pieces of two pixels, side by side.
#[inline(always)]
fn two_linear(simd: V3, pieces: &[LinearPiece], first: u32, second: u32) -> __m256 {
    let first: __m128 = pulp::cast(pieces[first as usize]);
    let second: __m128 = pulp::cast(pieces[second as usize]);
    let low = simd.avx._mm256_castps128_ps256(first);
    simd.avx._mm256_insertf128_ps::<1>(low, second)
}

/// The powers of u of two pixels side by side: their pieces, summed over the powers of v.
#[inline(always)]
fn two_cubic(
    simd: V3,
    pieces: &[CubicPiece],
    at: [u32; 2],
    squares: [f32; 2],
    v: __m256,
) -> __m256 {
    let first = even_and_odd(simd, &pieces[at[0] as usize], squares[0]);
    let second = even_and_odd(simd, &pieces[at[1] as usize], squares[1]);
    let even = simd.avx._mm256_permute2f128_ps::<0x20>(first, second);
    let odd = simd.avx._mm256_permute2f128_ps::<0x31>(first, second);
    simd.fma._mm256_fmadd_ps(odd, v, even)
}

/// A piece's even and its odd powers of v: `p_0 + v^2 p_2` and `p_1 + v^2 p_3`.
#[inline(always)]
fn even_and_odd(simd: V3, piece: &CubicPiece, square: f32) -> __m256 {
    let halves: &[[f32; WIDE]; 2] = bytemuck::cast_ref(piece);
    let [low, high]: [__m256; 2] = [pulp::cast(halves[0]), pulp::cast(halves[1])];
    simd.fma
        ._mm256_fmadd_ps(high, simd.avx._mm256_set1_ps(square), low)
}

/// Four values of each of eight pixels, those of pixels n and n + 4 in one vector, as a vector of the
/// eight pixels for each value.
#[inline(always)]
fn transposed(simd: V3, rows: [__m256; 4]) -> [__m256; 4] {
    const LOW_HALVES: i32 = 0b01_00_01_00;
    const HIGH_HALVES: i32 = 0b11_10_11_10;
    let low = simd.avx._mm256_unpacklo_ps(rows[0], rows[1]);
    let high = simd.avx._mm256_unpackhi_ps(rows[0], rows[1]);
    let next_low = simd.avx._mm256_unpacklo_ps(rows[2], rows[3]);
    let next_high = simd.avx._mm256_unpackhi_ps(rows[2], rows[3]);
    [
        simd.avx._mm256_shuffle_ps::<LOW_HALVES>(low, next_low),
        simd.avx._mm256_shuffle_ps::<HIGH_HALVES>(low, next_low),
        simd.avx._mm256_shuffle_ps::<LOW_HALVES>(high, next_high),
        simd.avx._mm256_shuffle_ps::<HIGH_HALVES>(high, next_high),
    ]
}
