//! Landscapes: a classifier's answers on the grid between three items, and what is read off
//! them.

mod measures;
mod triples;

pub use measures::{Measures, measure};
pub use triples::{Permutation, Triple, TripleError, choose_triples};

use crate::mesh::MeshCounts;

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
    /// What the meshes of its frames were like.
    pub counts: MeshCounts,
    /// The frames themselves, `[steps, steps, H, W(, 3)]` in grey levels, if they were kept.
    pub frames: Option<Vec<f32>>,
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
