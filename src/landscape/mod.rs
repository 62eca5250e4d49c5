//! Landscapes: a classifier's answers on the grid between three items, and what is read off
//! them.

mod bootstrap;
mod data_points;
mod deviation;
mod file;
mod kind;
mod measures;
mod tool_share;
mod triples;
mod triples_file;
mod walk;

pub use bootstrap::{MeanOverTriples, RESAMPLES, mean_over_triples};
pub use data_points::DataPoints;
pub use deviation::{CLEAR_MARGIN, Deviation, Furthest};
pub use file::{About, Items, LandscapeFile, LandscapeFileError, triple_of};
pub use kind::{AxisNames, GridKind};
pub use measures::{
    Bar, Between, BoundaryDistances, COLUMNS, CONFIDENT, Column, Connectivity, CriticalPoints,
    Format, GridMeasures, LatticeWeights, Measures, OVERVIEW, OrderAsymmetry, PERSISTENT,
    PathMeasures, PointMeasures, RANK_BY, agreement, barrier, best_path, between,
    boundary_distances, boundary_length, boundary_midpoints, calibration_error,
    confident_intrusion, critical_points, jaccard, kappa, laplacian_roughness, mean_entropy,
    mean_margin, measure, measure_paths, measure_triple, num_bars_above, num_regions,
    order_asymmetry, overview, pair_potentials, pass, persistence, region_of, surface_roughness,
};
pub use tool_share::{ToolShare, tool_share};
pub use triples::{Permutation, Triple, TripleError, choose_lettered_triples, choose_triples};
pub use triples_file::{ListedItem, ListedTriple, TriplesFileError, read_triples_file};
pub use walk::{
    Chain, Exponent, LANDSCAPE_ITEMS, Plane, Potential, WalkError, bilinear_cells, committor,
    exponent, item_basin, largest_time_step, mean_first_passage,
};

use crate::mesh::{MeshCounts, PairMesh};

/// The classifier's answers over one grid of inputs.
///
/// Row `i` mixes A and B (`s = i/(steps-1)`), column `j` goes from the mix into C
/// (`t = j/(steps-1)`); all values are `[steps, steps, ...]`, row-major.
///
/// A frame that failed has no answer: its logits and probabilities are NaN, it has no label, and
/// measures and figures leave it out. Only published mode has such frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Landscape {
    /// How its inputs come from three items.
    pub kind: GridKind,
    /// Points a side.
    pub steps: usize,
    /// Classes of the classifier.
    pub num_classes: usize,
    /// Logits, `[steps, steps, num_classes]`.
    pub logits: Vec<f32>,
    /// Probabilities, `[steps, steps, num_classes]`.
    pub probabilities: Vec<f32>,
    /// The inputs themselves, if they were kept: frames `[steps, steps, H, W(, 3)]` in grey
    /// levels, or rows `[steps, steps, features]`.
    pub inputs: Option<Vec<f32>>,
    /// How its frames were morphed; nothing where the inputs are rows.
    pub morph: Option<GridMeshes>,
}

/// What is kept of the meshes of a grid of frames.
#[derive(Debug, Clone, PartialEq)]
pub struct GridMeshes {
    /// How many triangles were folded or without area.
    pub counts: MeshCounts,
    /// The mesh between A and B.
    pub a_to_b: PairMesh,
    /// The mesh that leads the middle row's mix into C; of a mix that failed, a blank image's.
    pub mix_to_c: PairMesh,
}

impl Landscape {
    /// Number of frames, `steps * steps`.
    pub fn num_frames(&self) -> usize {
        self.steps * self.steps
    }

    /// Probabilities of frame `k = i * steps + j`.
    ///
    /// # Panics
    /// When `k` is not below [`Landscape::num_frames`].
    pub fn probabilities_of(&self, k: usize) -> &[f32] {
        &self.probabilities[k * self.num_classes..(k + 1) * self.num_classes]
    }

    /// The answers of every n-th row and column, which are those of a grid of
    /// `(steps - 1) / n + 1` points a side between the same items.
    ///
    /// # Panics
    /// When `n` does not divide `steps - 1`.
    pub fn every(&self, n: usize) -> Self {
        let last = self.steps - 1;
        assert!(
            last.is_multiple_of(n),
            "{n} does not divide the {last} steps between the ends"
        );
        let steps = last / n + 1;
        let taken = |values: &[f32]| -> Vec<f32> {
            (0..steps * steps)
                .flat_map(|k| {
                    let k = n * (k / steps * self.steps + k % steps);
                    values[k * self.num_classes..(k + 1) * self.num_classes].iter()
                })
                .copied()
                .collect()
        };
        Self {
            kind: self.kind,
            steps,
            num_classes: self.num_classes,
            logits: taken(&self.logits),
            probabilities: taken(&self.probabilities),
            inputs: None,
            morph: None,
        }
    }

    /// The same answers with their classes in another order: `outputs` gives for each class the
    /// one that stands there now.
    ///
    /// # Panics
    /// When an output is not below [`Landscape::num_classes`].
    pub fn with_classes_from(self, outputs: &[usize]) -> Self {
        if outputs.iter().enumerate().all(|(n, &output)| n == output) {
            return self;
        }
        let ordered = |values: &[f32]| -> Vec<f32> {
            let points = values.chunks_exact(self.num_classes);
            points
                .flat_map(|point| outputs.iter().map(|&output| point[output]))
                .collect()
        };
        Self {
            logits: ordered(&self.logits),
            probabilities: ordered(&self.probabilities),
            ..self
        }
    }

    /// Row and column of frame `k`.
    pub fn place(&self, k: usize) -> [usize; 2] {
        [k / self.steps, k % self.steps]
    }

    /// The row whose mix lies halfway between A and B (or just before).
    pub fn middle_row(&self) -> usize {
        (self.steps - 1) / 2
    }

    /// Whether frame `k` failed and has no answer: not all its values are finite.
    ///
    /// # Panics
    /// When `k` is not below [`Landscape::num_frames`].
    pub fn is_failed(&self, k: usize) -> bool {
        let values = k * self.num_classes..(k + 1) * self.num_classes;
        let logits = &self.logits[values.clone()];
        let mut both = logits.iter().chain(&self.probabilities[values]);
        !both.all(|value| value.is_finite())
    }

    /// Whether no frame failed.
    pub fn is_whole(&self) -> bool {
        self.num_failed() == 0
    }

    /// How many frames failed.
    pub fn num_failed(&self) -> usize {
        (0..self.num_frames())
            .filter(|&k| self.is_failed(k))
            .count()
    }

    /// Largest probability that `class` reaches anywhere.
    ///
    /// # Panics
    /// When `class` is not below [`Landscape::num_classes`].
    pub fn peak(&self, class: usize) -> f32 {
        (0..self.num_frames())
            .map(|k| self.probabilities_of(k)[class])
            .fold(0.0, f32::max)
    }

    /// Probability of `class` at every point, `[steps, steps]`: the surface that figures draw.
    ///
    /// # Panics
    /// When `class` is not below [`Landscape::num_classes`].
    pub fn surface(&self, class: usize) -> Vec<f64> {
        let points = self.probabilities.chunks_exact(self.num_classes);
        points.map(|p| f64::from(p[class])).collect()
    }

    /// The frames of the items A and B, A and C, B and C. The whole last column is C; its first
    /// frame stands for it.
    pub fn item_pairs(&self) -> [[usize; 2]; 3] {
        let [a, b, c] = self.kind.corners(self.steps);
        [[a, b], [a, c], [b, c]]
    }

    /// Whether `class` is the predicted one of any frame.
    pub fn is_predicted(&self, class: usize) -> bool {
        (0..self.num_frames()).any(|k| self.label(k) == Some(class))
    }

    /// The predicted class of frame `k`: the most probable, of equal ones the first. Nothing
    /// where the frame failed.
    ///
    /// # Panics
    /// When `k` is not below [`Landscape::num_frames`].
    pub fn label(&self, k: usize) -> Option<usize> {
        (!self.is_failed(k)).then(|| argmax(self.probabilities_of(k)))
    }
}

/// Position of the largest value, of equal ones the first.
pub fn argmax(values: &[f32]) -> usize {
    values.iter().enumerate().fold(
        0,
        |best, (i, value)| if *value > values[best] { i } else { best },
    )
}
