//! Potentials over a grid: bowls, fractal surfaces, and what a classifier answered.

use super::WalkError;
use crate::landscape::{Landscape, argmax};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;

/// A potential `U` over a grid of equal cells; between points it is bilinear.
#[derive(Debug, Clone, PartialEq)]
pub struct Potential {
    shape: [usize; 2],
    spacing: f64,
    values: Vec<f64>,
}

impl Potential {
    /// A potential from its values `[rows, columns]`, row-major, `spacing` from point to point.
    ///
    /// # Errors
    /// [`WalkError::TooSmall`] and [`WalkError::NotFinite`].
    ///
    /// # Panics
    /// When `values` do not fill `shape`.
    pub fn new(values: Vec<f64>, shape: [usize; 2], spacing: f64) -> Result<Self, WalkError> {
        let [rows, columns] = shape;
        assert_eq!(values.len(), rows * columns, "values fill the shape");
        if rows < 2 || columns < 2 {
            return Err(WalkError::TooSmall { rows, columns });
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(k) => Err(WalkError::NotFinite {
                row: k / columns,
                column: k % columns,
                found: values[k],
            }),
            None => Ok(Self {
                shape,
                spacing,
                values,
            }),
        }
    }

    /// The bowl `a x^2 + b y^2` over x and y from -1 to 1, `points` a side.
    ///
    /// # Errors
    /// [`WalkError`] when a curvature is not finite or there are fewer than two points.
    pub fn bowl([a, b]: [f64; 2], points: usize) -> Result<Self, WalkError> {
        let spacing = 2.0 / (points.max(2) - 1) as f64;
        let unit = |k: usize| -1.0 + spacing * k as f64;
        let values = (0..points * points)
            .map(|k| a * unit(k % points).powi(2) + b * unit(k / points).powi(2))
            .collect();
        Self::new(values, [points; 2], spacing)
    }

    /// A fractal surface over the unit square, `points` a side, with mean 0 and standard
    /// deviation 1: white noise whose amplitude at the spatial frequency `f` is made
    /// `f^-(hurst + 1)` (spectral synthesis; Saupe in *The Science of Fractal Images*, 1988,
    /// section 2.5), on a torus of at least twice the side, of which one corner is taken, so that
    /// its edges do not meet.
    ///
    /// # Errors
    /// [`WalkError`] with fewer than two points.
    pub fn fractal(hurst: f64, points: usize, seed: u64) -> Result<Self, WalkError> {
        let side = (2 * points.max(2)).next_power_of_two();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut field: Vec<Complex64> = (0..side * side)
            .map(|_| Complex64::new(rng.random::<f64>() - 0.5, 0.0))
            .collect();
        let mut planner = FftPlanner::new();
        let (forward, backward) = (
            planner.plan_fft_forward(side),
            planner.plan_fft_inverse(side),
        );
        // Rows, then columns as the rows of the transpose; the filter is symmetric, so the way
        // back undoes the transposition.
        forward.process(&mut field);
        field = transposed(&field, side);
        forward.process(&mut field);
        let frequency = |k: usize| k.min(side - k) as f64;
        for (k, value) in field.iter_mut().enumerate() {
            let f = frequency(k / side).hypot(frequency(k % side));
            *value *= if k == 0 { 0.0 } else { f.powf(-hurst - 1.0) };
        }
        backward.process(&mut field);
        field = transposed(&field, side);
        backward.process(&mut field);
        let mut values: Vec<f64> = (0..points * points)
            .map(|k| field[k / points * side + k % points].re)
            .collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let deviation = (values.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / count).sqrt();
        for value in &mut values {
            *value = (*value - mean) / deviation;
        }
        Self::new(values, [points; 2], 1.0 / (points.max(2) - 1) as f64)
    }

    /// `U = -ln p_class` of a landscape, over paths of length 1; from the logits, so that it is
    /// finite where the probability is too small for a float.
    ///
    /// # Errors
    /// [`WalkError::NotFinite`] when a logit is none.
    ///
    /// # Panics
    /// When the class is out of range.
    pub fn of_class(landscape: &Landscape, class: usize) -> Result<Self, WalkError> {
        Self::of_logits(landscape, |logits| {
            let largest = f64::from(logits[argmax(logits)]);
            let sum: f64 = logits
                .iter()
                .map(|&logit| (f64::from(logit) - largest).exp())
                .sum();
            largest + sum.ln() - f64::from(logits[class])
        })
    }

    /// Minus the logit margin: the largest logit less the next, with a minus sign; 0 on the
    /// boundary between two predicted classes, low where the classifier is sure.
    ///
    /// # Errors
    /// [`WalkError::NotFinite`] when a logit is none, or there is one class.
    pub fn of_margin(landscape: &Landscape) -> Result<Self, WalkError> {
        Self::of_logits(landscape, |logits| {
            let best = argmax(logits);
            let others = logits.iter().enumerate().filter(|(k, _)| *k != best);
            let second = others.fold(f32::NEG_INFINITY, |second, (_, &logit)| {
                // `max` would pass over a NaN.
                if logit > second || logit.is_nan() {
                    logit
                } else {
                    second
                }
            });
            f64::from(second) - f64::from(logits[best])
        })
    }

    fn of_logits(landscape: &Landscape, u: impl Fn(&[f32]) -> f64) -> Result<Self, WalkError> {
        let steps = landscape.steps;
        let values = landscape
            .logits
            .chunks_exact(landscape.num_classes)
            .map(u)
            .collect();
        Self::new(values, [steps; 2], 1.0 / (steps.max(2) - 1) as f64)
    }

    /// The same potential at `points` a side, bilinear between the points it has.
    ///
    /// # Errors
    /// [`WalkError::TooSmall`] with fewer than two points.
    pub fn resampled(&self, points: usize) -> Result<Self, WalkError> {
        let [rows, columns] = self.shape;
        // How far along the old grid, as a point and a share of the way to the next.
        let along = |k: usize, old: usize| {
            let at = (k * (old - 1)) as f64 / (points.max(2) - 1) as f64;
            let before = (at as usize).min(old - 2);
            (before, at - before as f64)
        };
        let values = (0..points * points)
            .map(|k| {
                let ((i, v), (j, u)) = (along(k / points, rows), along(k % points, columns));
                let row = |i: usize| {
                    let [left, right] = [j, j + 1].map(|j| self.values[i * columns + j]);
                    left + u * (right - left)
                };
                row(i) + v * (row(i + 1) - row(i))
            })
            .collect();
        let spacing = self.spacing * (columns - 1) as f64 / (points.max(2) - 1) as f64;
        Self::new(values, [points; 2], spacing)
    }

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Distance from point to point.
    pub fn spacing(&self) -> f64 {
        self.spacing
    }

    /// The values `[rows, columns]`, row-major.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The lowest point, of equal ones the first.
    pub fn minimum(&self) -> usize {
        (1..self.values.len()).fold(0, |best, k| {
            if self.values[k] < self.values[best] {
                k
            } else {
                best
            }
        })
    }

    /// Whether each point lies on the grid's rim.
    pub fn rim(&self) -> Vec<bool> {
        let [rows, columns] = self.shape;
        (0..rows * columns)
            .map(|k| {
                let (i, j) = (k / columns, k % columns);
                i == 0 || j == 0 || i == rows - 1 || j == columns - 1
            })
            .collect()
    }
}

fn transposed(field: &[Complex64], side: usize) -> Vec<Complex64> {
    (0..side * side)
        .map(|k| field[k % side * side + k / side])
        .collect()
}
