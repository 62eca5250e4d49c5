//! Where the points of a plane or triangle lie in the space of its items.

use super::GridKind;
use serde::{Deserialize, Serialize};

/// The places of a flat grid's points, (alpha, beta) in units of the space: alpha along A to B, beta
/// at right angles to it, towards C; A lies at (0, 0).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlatGrid {
    /// Places of A, B and C.
    pub anchors: [[f64; 2]; 3],
    /// Alpha of each row and beta of each column of a plane; empty for a triangle, whose points are
    /// mixtures of the anchors.
    #[serde(skip)]
    pub axes: [Vec<f64>; 2],
    /// What lengths are measured in.
    pub unit: String,
    /// Share of all values of the inputs that were clamped to the items' range; nothing where inputs
    /// may leave it.
    pub clipped_share: Option<f64>,
}

impl FlatGrid {
    /// The place of point `k` of a grid of `steps` points a side.
    pub fn place(&self, k: usize, steps: usize) -> [f64; 2] {
        let [alpha, beta] = &self.axes;
        let [i, j] = [k / steps, k % steps];
        match (alpha.get(i), beta.get(j)) {
            (Some(&alpha), Some(&beta)) => [alpha, beta],
            _ => {
                let last = (steps - 1).max(1) as f64;
                let [b, c] = [i as f64 / last, j as f64 / last];
                let weights = [1.0 - b - c, b, c];
                [0, 1].map(|axis| (0..3).map(|n| weights[n] * self.anchors[n][axis]).sum())
            }
        }
    }

    /// Alpha and beta as a file holds them: of each row and each column of a plane, of each point of
    /// a triangle.
    pub(super) fn coordinates(&self, kind: GridKind, steps: usize) -> [Vec<f64>; 2] {
        match kind.has_gaps() {
            true => {
                let places: Vec<[f64; 2]> =
                    kind.points(steps).map(|k| self.place(k, steps)).collect();
                [0, 1].map(|axis| places.iter().map(|place| place[axis]).collect())
            }
            false => self.axes.clone(),
        }
    }

    /// The point of a plane that lies nearest to a place.
    pub fn nearest(&self, place: [f64; 2]) -> usize {
        let [i, j] = [0, 1].map(|axis| {
            let distance = |&n: &usize| (self.axes[axis][n] - place[axis]).abs();
            let points = 0..self.axes[axis].len();
            let nearest = points.min_by(|a, b| distance(a).total_cmp(&distance(b)));
            nearest.unwrap_or(0)
        });
        i * self.axes[1].len() + j
    }

    /// How far a place lies along each side, 0 to 1: of the box of a plane; of a triangle the shares
    /// of B and C in it.
    pub fn shares(&self, place: [f64; 2]) -> [f64; 2] {
        if let [[left, .., right], [low, .., high]] = self.axes.each_ref().map(Vec::as_slice) {
            return [
                (place[0] - left) / (right - left),
                (place[1] - low) / (high - low),
            ];
        }
        // A lies at (0, 0) and B at (b, 0).
        let [_, [b, _], [x, height]] = self.anchors;
        let c = if height > 0.0 { place[1] / height } else { 0.0 };
        [(place[0] - c * x) / b, c]
    }

    /// The places of every n-th row and column.
    pub(super) fn every(&self, n: usize) -> Self {
        let axes = (self.axes.each_ref()).map(|axis| axis.iter().copied().step_by(n).collect());
        Self {
            axes,
            ..self.clone()
        }
    }
}
