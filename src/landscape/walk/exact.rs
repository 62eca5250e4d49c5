//! Committor and mean first-passage time of the chain, by a sparse direct solver.
//!
//! Both solve `(I - Q) x = r`, `Q` being the chain between the points that are not absorbed. The
//! chain is reversible, so with `w = e^(-U/T)` the matrix `sqrt(w) (I - Q) 1/sqrt(w)` is
//! symmetric and positive definite, and Cholesky's method takes it. Its diagonal is the sum of
//! the ways out, without a subtraction. The inverse of `I - Q` is positive, so its norm is the
//! longest mean time, which says how many digits are left.
//!
//! Iteration was rejected: it needs as many steps as a walker does.

use super::{Chain, WalkError};
use crate::kernels::DIRECTIONS;
use rsparse::data::Sprs;

/// The probability to reach a point of `target` before one of `source`, from every point: 1 on
/// `target`, 0 on `source`.
///
/// # Errors
/// [`WalkError`] when a set is empty, the two overlap, or times are too long for 64-bit floats.
///
/// # Panics
/// When a set does not fill the grid.
pub fn committor(chain: &Chain, source: &[bool], target: &[bool]) -> Result<Vec<f64>, WalkError> {
    if source.iter().zip(target).any(|(a, b)| *a && *b) {
        return Err(WalkError::Overlap);
    }
    if !source.contains(&true) || !target.contains(&true) {
        return Err(WalkError::NoTarget);
    }
    let absorbed: Vec<bool> = source.iter().zip(target).map(|(a, b)| *a || *b).collect();
    // Fails when the times are too long.
    mean_first_passage(chain, &absorbed)?;
    let into_target = |k: usize| {
        ways_out(chain, k)
            .filter(|&(to, _)| target[to])
            .map(|(_, probability)| probability)
            .sum()
    };
    let mut h = solve(chain, &absorbed, into_target);
    for (h, &reached) in h.iter_mut().zip(target) {
        *h = if reached { 1.0 } else { h.clamp(0.0, 1.0) };
    }
    Ok(h)
}

/// The mean number of steps until a walker comes to a point of `target`, from every point: 0 on
/// `target`.
///
/// # Errors
/// [`WalkError`] when `target` is empty, or times are too long for 64-bit floats.
///
/// # Panics
/// When `target` does not fill the grid.
pub fn mean_first_passage(chain: &Chain, target: &[bool]) -> Result<Vec<f64>, WalkError> {
    assert_eq!(target.len(), chain.len(), "a mark a point");
    if !target.contains(&true) {
        return Err(WalkError::NoTarget);
    }
    let times = solve(chain, target, |_| 1.0);
    let time = times.iter().copied().fold(0.0, f64::max);
    // Six digits of 64-bit floats are left.
    let fits = time < 1e-6 / f64::EPSILON && times.iter().all(|time| *time >= 0.0);
    if fits {
        Ok(times)
    } else {
        Err(WalkError::TooLong { time })
    }
}

/// Where a step may go from `k`, with its probability.
fn ways_out(chain: &Chain, k: usize) -> impl Iterator<Item = (usize, f64)> {
    DIRECTIONS.into_iter().filter_map(move |direction| {
        let to = chain.neighbour(k, direction)?;
        Some((to, chain.probability(k, to)))
    })
}

/// `x` of `(I - Q) x = r` at the points that are not absorbed, 0 at those that are. Without a
/// solution (a factor that breaks down) all is NaN.
fn solve(chain: &Chain, absorbed: &[bool], r: impl Fn(usize) -> f64) -> Vec<f64> {
    let free: Vec<usize> = (0..chain.len()).filter(|&k| !absorbed[k]).collect();
    let mut place = vec![usize::MAX; chain.len()];
    for (n, &k) in free.iter().enumerate() {
        place[k] = n;
    }
    // Weights against the largest of the free points, so that their roots are finite.
    let largest = free
        .iter()
        .map(|&k| chain.log_weight(k))
        .fold(f64::MIN, f64::max);
    let root = |k: usize| (0.5 * (chain.log_weight(k) - largest)).exp();
    let mut matrix = Sprs::<f64> {
        nzmax: 0,
        m: free.len(),
        n: free.len(),
        p: vec![0],
        i: Vec::new(),
        x: Vec::new(),
    };
    for &k in &free {
        let mut column: Vec<(usize, f64)> = vec![(place[k], 0.0)];
        for (to, probability) in ways_out(chain, k) {
            column[0].1 += probability;
            if !absorbed[to] {
                // The geometric mean of the two directions: 1/4 e^(-|dU|/2T).
                let step = 0.5 * (chain.log_weight(to) - chain.log_weight(k)).abs();
                column.push((place[to], -0.25 * (-step).exp()));
            }
        }
        column.sort_unstable_by_key(|(row, _)| *row);
        for (row, value) in column {
            matrix.i.push(row);
            matrix.x.push(value);
        }
        matrix.p.push(matrix.i.len() as isize);
    }
    matrix.nzmax = matrix.i.len();
    let mut z: Vec<f64> = free.iter().map(|&k| root(k) * r(k)).collect();
    let solved = free.is_empty() || rsparse::cholsol(&matrix, &mut z, 0).is_ok();
    let mut x = vec![0.0; chain.len()];
    for (&k, z) in free.iter().zip(z) {
        x[k] = if solved { z / root(k) } else { f64::NAN };
    }
    x
}
