//! The interpolating bicubic spline in 64-bit floats, in the order of operations of FITPACK
//! (Dierckx, *Curve and Surface Fitting with Splines*, 1993), which the paper's tool calls.
//!
//! The order matters: where a morph leaves a pixel in place, the spline's value is a whole
//! level but for the last bit, and the tool truncates it. The coefficients come out as
//! `scipy.interpolate.RectBivariateSpline` has them, bit for bit. The prefilter of the kernels
//! gives the same function, and another last bit.

/// Degree of the spline plus one: basis functions that are not zero at a point.
const ORDER: usize = 4;

/// A spline through the levels of one channel.
pub(super) struct Spline {
    size: [usize; 2],
    /// `[height, width]`.
    coefficients: Vec<f64>,
}

impl Spline {
    /// The spline through `levels`, `[height, width]`, both at least 4.
    pub(super) fn new(levels: &[f64], [height, width]: [usize; 2]) -> Self {
        let (down, across) = (Fit::new(height), Fit::new(width));
        let rotated = transposed(&down.rotate(levels, width), width);
        let solved = across.substitute(across.rotate(&rotated, height), height);
        let solved = down.substitute(transposed(&solved, height), width);
        Self {
            size: [height, width],
            coefficients: solved,
        }
    }

    /// The level at `x`, `y`, clamped to the image.
    pub(super) fn sample(&self, x: f64, y: f64) -> f64 {
        let [height, width] = self.size;
        let (row, down) = basis_at(y, height);
        let (column, across) = basis_at(x, width);
        let mut level = 0.0;
        for (i, weight_down) in down.into_iter().enumerate() {
            let line = &self.coefficients[(row + i) * width + column..][..ORDER];
            for (coefficient, weight_across) in line.iter().zip(across) {
                level += coefficient * weight_down * weight_across;
            }
        }
        level
    }
}

/// Rows to columns of `[rows, columns]` values.
fn transposed(values: &[f64], columns: usize) -> Vec<f64> {
    let rows = values.len() / columns;
    (0..values.len())
        .map(|n| values[n % rows * columns + n / rows])
        .collect()
}

/// Knot `k` of a not-a-knot spline through `n` values at 0, 1, ..: the ends four times, and all
/// values between them but the second and the last but one.
fn knot(k: usize, n: usize) -> f64 {
    if k < ORDER {
        0.0
    } else if k >= n {
        (n - 1) as f64
    } else {
        (k - 2) as f64
    }
}

/// The four B-splines that are not zero at `x`, clamped to the `n` values, and the number of the
/// first (de Boor's recurrence).
fn basis_at(x: f64, n: usize) -> (usize, [f64; ORDER]) {
    let x = x.clamp(0.0, (n - 1) as f64);
    let interval = match x as usize {
        0 | 1 => ORDER - 1,
        cell => (cell + 2).min(n - 1),
    };
    let mut basis = [1.0, 0.0, 0.0, 0.0];
    for degree in 1..ORDER {
        let lower = basis;
        basis[0] = 0.0;
        for i in 0..degree {
            let (high, low) = (
                knot(interval + i + 1, n),
                knot(interval + i + 1 - degree, n),
            );
            let part = lower[i] / (high - low);
            basis[i] += part * (high - x);
            basis[i + 1] = part * (x - low);
        }
    }
    (interval + 1 - ORDER, basis)
}

/// The least-squares equations of `n` values along one axis, made triangular by Givens
/// rotations, row by row.
struct Fit {
    /// Row `i` of the triangle from its diagonal on.
    triangle: Vec<[f64; ORDER]>,
    /// For each value the first row it is rotated into, and cosine and sine of each rotation.
    rotations: Vec<(usize, [Option<[f64; 2]>; ORDER])>,
}

impl Fit {
    fn new(n: usize) -> Self {
        let mut triangle = vec![[0.0; ORDER]; n];
        let rotations = (0..n)
            .map(|value| {
                let (first, mut equation) = basis_at(value as f64, n);
                let mut turns = [None; ORDER];
                for i in 0..ORDER {
                    let pivot = equation[i];
                    if pivot == 0.0 {
                        continue;
                    }
                    let row = &mut triangle[first + i];
                    let (before, size) = (row[0], f64::abs(pivot));
                    let length = if size >= before {
                        size * (1.0 + (before / pivot) * (before / pivot)).sqrt()
                    } else {
                        before * (1.0 + (pivot / before) * (pivot / before)).sqrt()
                    };
                    let turn = [before / length, pivot / length];
                    row[0] = length;
                    for (entry, kept) in equation[i + 1..].iter_mut().zip(&mut row[1..]) {
                        rotate(turn, entry, kept);
                    }
                    turns[i] = Some(turn);
                }
                (first, turns)
            })
            .collect();
        Self {
            triangle,
            rotations,
        }
    }

    /// Rotates right-hand sides `[n, columns]` as the equations were.
    fn rotate(&self, values: &[f64], columns: usize) -> Vec<f64> {
        let mut rotated = vec![0.0; values.len()];
        for (line, (first, turns)) in values.chunks_exact(columns).zip(&self.rotations) {
            let mut right = line.to_vec();
            for (i, turn) in turns.iter().enumerate() {
                let Some(turn) = *turn else { continue };
                let kept = &mut rotated[(first + i) * columns..][..columns];
                for (entry, kept) in right.iter_mut().zip(kept) {
                    rotate(turn, entry, kept);
                }
            }
        }
        rotated
    }

    /// Solves the triangle for right-hand sides `[n, columns]`.
    fn substitute(&self, mut values: Vec<f64>, columns: usize) -> Vec<f64> {
        let n = self.triangle.len();
        for i in (0..n).rev() {
            let row = &self.triangle[i];
            for column in 0..columns {
                let mut rest = values[i * columns + column];
                for (k, entry) in row.iter().enumerate().take(n - i).skip(1) {
                    rest -= values[(i + k) * columns + column] * entry;
                }
                values[i * columns + column] = rest / row[0];
            }
        }
        values
    }
}

/// Turns the pair (kept, entry) by a cosine and a sine.
fn rotate([cosine, sine]: [f64; 2], entry: &mut f64, kept: &mut f64) {
    let (before, above) = (*entry, *kept);
    *kept = cosine * above + sine * before;
    *entry = cosine * before - sine * above;
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST_LEVELS: [f64; 20] = [
        0.0, 255.0, 17.0, 3.0, 9.0, 120.0, 200.0, 0.0, 31.0, 0.0, 0.0, 255.0, 4.0, 77.0, 250.0,
        1.0, 180.0, 2.0, 90.0, 66.0,
    ];
    /// scipy 1.17.1: `RectBivariateSpline(range(5), range(4), z, kx=3, ky=3).get_coeffs()`.
    const TEST_COEFFICIENTS: [f64; 20] = [
        -3.277407993022187e-14,
        740.5000000000003,
        -334.00000000000006,
        2.9999999999999947,
        -29.555555555555497,
        -218.97222222222243,
        1569.4444444444443,
        -344.05555555555554,
        115.99999999999991,
        403.8055555555561,
        -2094.8888888888896,
        860.1666666666669,
        -78.44444444444437,
        -351.9722222222226,
        1811.666666666667,
        -356.2777777777778,
        179.99999999999997,
        -257.00000000000006,
        272.00000000000006,
        66.0,
    ];

    #[test]
    fn coefficients_are_scipy_s_bit_for_bit() {
        let spline = Spline::new(&TEST_LEVELS, [5, 4]);
        assert_eq!(spline.coefficients, TEST_COEFFICIENTS);
    }

    #[test]
    fn it_interpolates_and_clamps() {
        let spline = Spline::new(&TEST_LEVELS, [5, 4]);
        for (k, level) in TEST_LEVELS.iter().enumerate() {
            let found = spline.sample((k % 4) as f64, (k / 4) as f64);
            assert!((found - level).abs() < 1e-10, "{k}: {found} for {level}");
        }
        assert_eq!(spline.sample(-7.0, 9.0), spline.sample(0.0, 4.0));
    }
}
