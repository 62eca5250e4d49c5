//! Exponentials and logarithms without branches and calls, so that loops over them are vectors.
//!
//! The standard library's are a call for each value, four times as long; crate wide's take as long as
//! those.

/// ln 2 in two parts, of which the first times a whole number is exact.
const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];

/// `exp(x)` of `x <= 0`, to within two last places; 0 below -708, where exponentials begin to lose
/// places; NaN of NaN.
#[inline(always)]
pub(super) fn exp(x: f64) -> f64 {
    // Adding it rounds to whole numbers, which its last bits then hold.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // 1/13!, 1/12!, ..., 1/2!: |rest| is at most ln(2)/2, so the next term is below the last place.
    const TERMS: [f64; 12] = [
        1.0 / 6_227_020_800.0,
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        1.0 / 2.0,
    ];
    let halvings = x * std::f64::consts::LOG2_E + ROUND;
    let whole = halvings - ROUND;
    let rest = (x - whole * LN_2[0]) - whole * LN_2[1];
    let mut sum = TERMS[0];
    for term in &TERMS[1..] {
        sum = sum * rest + term;
    }
    let power = 1.0 + (rest + rest * rest * sum);
    let scaled = f64::from_bits(power.to_bits().wrapping_add(halvings.to_bits() << 52));
    let scaled = if x < -708.0 { 0.0 } else { scaled };
    if x.is_nan() { x } else { scaled }
}

/// `ln(x)` of a normal `x > 0`, to within two last places.
#[inline(always)]
pub(super) fn ln(x: f64) -> f64 {
    const ONE: u64 = 1.0f64.to_bits();
    const ROOT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    // 2^52: its last bits hold a whole number.
    const COUNT: f64 = 4_503_599_627_370_496.0;
    // x = 2^power * rest, with the rest from sqrt(1/2) to sqrt(2).
    let biased = x.to_bits().wrapping_add(ONE - ROOT_HALF) >> 52;
    let power = f64::from_bits(biased | COUNT.to_bits()) - (COUNT + 1023.0);
    let rest = f64::from_bits(x.to_bits().wrapping_sub(biased << 52).wrapping_add(ONE));
    // ln(rest) = 2 artanh(s) = 2 (s + s^3/3 + s^5/5 + ...), with |s| at most 0.172.
    let s = (rest - 1.0) / (rest + 1.0);
    let square = s * s;
    let mut sum = 2.0 / 21.0;
    for n in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        sum = sum * square + 2.0 / n;
    }
    power * LN_2[0] + (2.0 * s + (s * square * sum + power * LN_2[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many last places two numbers are apart.
    fn places(found: f64, expected: f64) -> u64 {
        found.to_bits().abs_diff(expected.to_bits())
    }

    #[test]
    fn exponentials_and_logarithms_are_those_of_the_standard_library() {
        for n in 0..=200_000 {
            let x = -f64::from(n) * 0.003_5;
            assert!(places(exp(x), x.exp()) <= 2, "exp({x})");
            for x in [x.exp(), 1.0 + x.exp(), 1.0 - x.exp() / 3.0] {
                if x.is_normal() {
                    let (found, expected) = (ln(x), x.ln());
                    assert!(places(found, expected) <= 2, "ln({x}): {found} {expected}");
                }
            }
        }
        assert_eq!(
            (exp(0.0), exp(-800.0), exp(f64::NEG_INFINITY)),
            (1.0, 0.0, 0.0)
        );
        assert!(exp(f64::NAN).is_nan());
        assert_eq!(ln(1.0), 0.0);
        assert_eq!(ln(f64::from(f32::from_bits(1))), (2.0f64).powi(-149).ln());
    }
}
