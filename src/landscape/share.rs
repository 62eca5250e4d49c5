//! How far a share that was counted can be trusted.

/// The 95 % interval of a share of `hits` in `trials`, 0..1 (Wilson 1927); 0 to 1 without trials.
pub fn wilson(hits: usize, trials: usize) -> [f64; 2] {
    /// Quantile of the normal distribution.
    const Z: f64 = 1.959_963_984_540_054;
    if trials == 0 {
        return [0.0, 1.0];
    }
    let n = trials as f64;
    let p = hits as f64 / n;
    let scale = 1.0 + Z * Z / n;
    let middle = (p + Z * Z / (2.0 * n)) / scale;
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt() / scale;
    [(middle - half).max(0.0), (middle + half).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1: `binomtest(k, n).proportion_ci(method="wilson")`.
    #[test]
    fn intervals_are_those_of_scipy() {
        let cases = [
            (0, 10, [0.0, 0.277_532_799_862_889_1]),
            (3, 200, [0.005_114_237_793_258_31, 0.043_165_728_792_690_26]),
            (200, 200, [0.981_154_673_622_733_5, 1.0]),
        ];
        for (hits, trials, expected) in cases {
            let found = wilson(hits, trials);
            for (found, expected) in found.into_iter().zip(expected) {
                let off = (found - expected).abs();
                assert!(off < 1e-14, "{hits}/{trials}: {found} {expected}");
            }
        }
        assert_eq!(wilson(0, 0), [0.0, 1.0]);
    }
}
