//! The Metropolis walk on a grid as a Markov chain.

use super::{Potential, WalkError};
use crate::kernels::{ABSORBING, DIRECTIONS, acceptance_entries};

/// The Metropolis walk on a grid: a step proposes one of the four neighbours with 1/4 each and is
/// accepted with `min(1, e^(-dU/T))` (Metropolis et al. 1953). Proposals off the grid are
/// refused, so that its edges reflect. Its stationary law is proportional to `e^(-U/T)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    shape: [usize; 2],
    /// `-U/T` of every point.
    log_weights: Vec<f64>,
}

impl Chain {
    /// The walk on a potential at a temperature, in the unit of `U`.
    ///
    /// # Errors
    /// [`WalkError::Temperature`].
    pub fn metropolis(potential: &Potential, temperature: f64) -> Result<Self, WalkError> {
        if !(temperature > 0.0 && temperature.is_finite()) {
            return Err(WalkError::Temperature { found: temperature });
        }
        Ok(Self {
            shape: potential.shape(),
            log_weights: potential
                .values()
                .iter()
                .map(|u| -u / temperature)
                .collect(),
        })
    }

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Number of points.
    pub(super) fn len(&self) -> usize {
        self.log_weights.len()
    }

    /// The neighbour of point `k` in a direction, where the grid has one.
    pub(super) fn neighbour(&self, k: usize, [x, y]: [i32; 2]) -> Option<usize> {
        let [rows, columns] = self.shape;
        let column = (k % columns).checked_add_signed(x as isize)?;
        let row = (k / columns).checked_add_signed(y as isize)?;
        (row < rows && column < columns).then_some(row * columns + column)
    }

    /// The probability that a step goes from one point to its neighbour.
    pub(super) fn probability(&self, from: usize, to: usize) -> f64 {
        0.25 * (self.log_weights[to] - self.log_weights[from])
            .exp()
            .min(1.0)
    }

    /// `-U/T` of a point.
    pub(super) fn log_weight(&self, k: usize) -> f64 {
        self.log_weights[k]
    }

    /// The stationary law: the probability of every point, proportional to `e^(-U/T)`.
    pub fn stationary(&self) -> Vec<f64> {
        let largest = self.log_weights.iter().copied().fold(f64::MIN, f64::max);
        let weights: Vec<f64> = self
            .log_weights
            .iter()
            .map(|log_weight| (log_weight - largest).exp())
            .collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    }

    /// The table of the kernel's lattice walk; a walker that comes to a point of `absorbing` stays
    /// there for good.
    ///
    /// # Panics
    /// When `absorbing` does not fill the grid.
    pub fn entries(&self, absorbing: &[bool]) -> Vec<[u32; 4]> {
        assert_eq!(absorbing.len(), self.len(), "a mark a point");
        (0..self.len())
            .map(|k| {
                if absorbing[k] {
                    return ABSORBING;
                }
                acceptance_entries(DIRECTIONS.map(|direction| {
                    self.neighbour(k, direction)
                        .map_or(0.0, |to| 4.0 * self.probability(k, to))
                }))
            })
            .collect()
    }
}
