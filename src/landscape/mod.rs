//! Landscapes: a classifier's answers on the grid between three items, and what is read off
//! them.

mod data_points;
mod file;
mod measures;
mod triples;
mod walk;

pub use data_points::DataPoints;
pub use file::{Items, LandscapeFile, LandscapeFileError, triple_of};
pub use measures::{
    Bar, CONFIDENT, Connectivity, CriticalPoints, LatticeWeights, Measures, OrderAsymmetry,
    barrier, boundary_length, calibration_error, confident_intrusion, critical_points,
    laplacian_roughness, mean_entropy, mean_margin, measure, num_bars_above, num_regions,
    order_asymmetry, persistence, region_of, surface_roughness,
};
pub use triples::{Permutation, Triple, TripleError, choose_lettered_triples, choose_triples};
pub use walk::{
    Chain, Exponent, LANDSCAPE_ITEMS, Plane, Potential, WalkError, bilinear_cells, committor,
    exponent, item_basin, largest_time_step, mean_first_passage,
};

use crate::mesh::{MeshCounts, PairMesh};

/// The classifier's answers over one grid of inputs.
///
/// Row `i` mixes A and B (`s = i/(steps-1)`), column `j` goes from the mix into C
/// (`t = j/(steps-1)`); all values are `[steps, steps, ...]`, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Landscape {
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
    /// The mesh that leads the middle row's mix into C.
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

    /// Row and column of frame `k`.
    pub fn place(&self, k: usize) -> [usize; 2] {
        [k / self.steps, k % self.steps]
    }

    /// The row whose mix lies halfway between A and B (or just before).
    pub fn middle_row(&self) -> usize {
        (self.steps - 1) / 2
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

    /// Whether `class` is the predicted one of any frame.
    pub fn is_predicted(&self, class: usize) -> bool {
        (0..self.num_frames()).any(|k| self.label(k) == class)
    }

    /// The predicted class of frame `k`: the most probable, of equal ones the first.
    ///
    /// # Panics
    /// When `k` is not below [`Landscape::num_frames`].
    pub fn label(&self, k: usize) -> usize {
        argmax(self.probabilities_of(k))
    }
}

/// Position of the largest value, of equal ones the first.
pub fn argmax(values: &[f32]) -> usize {
    values.iter().enumerate().fold(
        0,
        |best, (i, value)| if *value > values[best] { i } else { best },
    )
}
