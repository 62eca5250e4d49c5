//! Landscapes: a classifier's answers on the grid between three items, and what is read off
//! them.

mod bootstrap;
mod data_points;
mod deviation;
mod file;
mod flat;
mod kind;
mod measures;
mod share;
mod tool_share;
mod triples;
mod triples_file;
mod walk;

pub use bootstrap::{MeanOverTriples, RESAMPLES, mean_over_triples};
pub use data_points::DataPoints;
pub use deviation::{CLEAR_MARGIN, Deviation, Furthest};
pub use file::{About, Items, LandscapeFile, LandscapeFileError, triple_of};
pub use flat::FlatGrid;
pub use kind::{AxisNames, FlatShape, GridKind, GridPath};
pub use measures::{
    Bar, Between, BoundaryDistances, COLUMNS, CONFIDENT, Column, Connectivity, CriticalPoints,
    Format, GridMeasures, LatticeWeights, Measures, OVERVIEW, OrderAsymmetry, PERSISTENT,
    PathMeasures, PointMeasures, RANK_BY, agreement, barrier, best_path, between,
    boundary_distances, boundary_length, boundary_midpoints, calibration_error,
    confident_intrusion, critical_points, jaccard, kappa, laplacian_roughness, mean_entropy,
    mean_margin, measure, measure_paths, measure_triple, num_bars_above, num_regions,
    order_asymmetry, overview, pair_potentials, pass, persistence, region_of, surface_roughness,
};
pub use share::wilson;
pub use tool_share::{ToolShare, tool_share};
pub use triples::{Permutation, Triple, TripleError, choose_lettered_triples, choose_triples};
pub use triples_file::{
    ListedItem, ListedTriple, OwnImage, OwnRow, TriplesFileError, read_triples_file,
};
pub use walk::{
    Chain, Exponent, LANDSCAPE_ITEMS, Plane, Potential, WalkError, bilinear_cells, committor,
    exponent, item_basin, largest_time_step, mean_first_passage,
};

use crate::mesh::{MeshCounts, PairMesh};
use std::borrow::Cow;

/// The classifier's answers over one grid of inputs.
///
/// All values are `[steps, steps, ...]`, row-major. Of a morph, row `i` mixes A and B
/// (`s = i/(steps-1)`), and column `j` goes from the mix into C (`t = j/(steps-1)`); of a plane
/// `i` is along alpha and `j` along beta; of a triangle they are the shares of B and C.
///
/// A frame that failed has no answer: its logits and probabilities are NaN, it has no label, and
/// measures and figures leave it out. Only published mode has such frames. Values beyond the edge
/// of a triangle are NaN as well, but no point is missing there ([`GridKind::has_point`]).
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
    /// How its frames were morphed; nothing where the inputs are rows, or the grid is flat.
    pub morph: Option<GridMeshes>,
    /// Where its points lie, of a plane or triangle.
    pub flat: Option<FlatGrid>,
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
    /// Number of places of frames, `steps * steps`. A triangle has no frame at nearly half of them.
    pub fn num_frames(&self) -> usize {
        self.steps * self.steps
    }

    /// Number of points that the grid has.
    pub fn num_points(&self) -> usize {
        self.kind.num_points(self.steps)
    }

    /// The points that the grid has, row by row.
    pub fn points(&self) -> impl Iterator<Item = usize> + use<> {
        self.kind.points(self.steps)
    }

    /// Whether the grid has point `k`.
    pub fn has_point(&self, k: usize) -> bool {
        self.kind.has_point(k, self.steps)
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
            flat: self.flat.as_ref().map(|flat| flat.every(n)),
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

    /// Values of all places, so many each, in the order in which the grid is drawn, row by row.
    pub fn as_drawn<'a>(&self, values: &'a [f32], each: usize) -> Cow<'a, [f32]> {
        if !self.kind.is_flat() {
            return Cow::Borrowed(values);
        }
        let places = (0..self.steps).flat_map(|i| (0..self.steps).map(move |j| (i, j)));
        let drawn = places.flat_map(|(row, column)| {
            let k = self.drawn_at(row, column);
            values[k * each..(k + 1) * each].iter().copied()
        });
        Cow::Owned(drawn.collect())
    }

    /// Row and column of frame `k`, as the grid is drawn: from the top and from the left.
    pub fn drawn_place(&self, k: usize) -> [usize; 2] {
        self.kind.drawn_place(k, self.steps)
    }

    /// The frame that is drawn in a row from the top and a column from the left.
    pub fn drawn_at(&self, row: usize, column: usize) -> usize {
        self.kind.drawn_at(row, column, self.steps)
    }

    /// The row whose mix lies halfway between A and B (or just before).
    pub fn middle_row(&self) -> usize {
        (self.steps - 1) / 2
    }

    /// Whether there is no answer at `k`, because its frame failed or the grid has no such point: not
    /// all its values are finite.
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
        self.points().filter(|&k| self.is_failed(k)).count()
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

    /// The frames of the items A, B and C: of those that are C the first, and of items between
    /// points the nearest ones. Nothing of an item that the box of a plane leaves out.
    pub fn item_points(&self) -> [Option<usize>; 3] {
        let inside = |place: [f64; 2]| place.iter().all(|share| (0.0..=1.0).contains(share));
        match (self.kind.corners(self.steps), &self.flat) {
            (Some(corners), _) => corners.map(Some),
            (None, Some(flat)) => flat
                .anchors
                .map(|anchor| inside(self.drawn_share(anchor)).then(|| flat.nearest(anchor))),
            (None, None) => [None; 3],
        }
    }

    /// Where the items of a plane or triangle lie on the drawn grid, whose points are the middles of
    /// its cells: 0 to 1 from the left and from below.
    pub fn anchors(&self) -> [[f64; 2]; 3] {
        match (self.kind, &self.flat) {
            (GridKind::Plane, Some(flat)) => flat.anchors.map(|anchor| self.drawn_share(anchor)),
            _ => {
                let (low, high) = (0.5 / self.steps as f64, 1.0 - 0.5 / self.steps as f64);
                [[low, low], [high, low], [low, high]]
            }
        }
    }

    /// Where a place of a plane lies on the drawn grid, whose points are the middles of its cells: 0
    /// to 1 from the left and from below.
    pub fn drawn_share(&self, place: [f64; 2]) -> [f64; 2] {
        let last = (self.steps - 1) as f64;
        let shares = self.flat.as_ref().map_or(place, |flat| flat.shares(place));
        shares.map(|at| (at * last + 0.5) / self.steps as f64)
    }

    /// What stands at a share of the way across, and down (or up, where it is drawn so): of a plane
    /// the coordinate in the space.
    pub fn ticks(&self, share: f64) -> [String; 2] {
        let axes = self.flat.as_ref();
        match axes.map(|flat| flat.axes.each_ref().map(Vec::as_slice)) {
            Some([[a, .., b], [c, .., d]]) => {
                [[a, b], [c, d]].map(|[lo, hi]| format!("{:.1}", lo + share * (hi - lo)))
            }
            _ => [share, share].map(|share| format!("{share}")),
        }
    }

    /// The frames of the items A and B, A and C, B and C ([`Landscape::item_points`]).
    pub fn item_pairs(&self) -> [Option<[usize; 2]>; 3] {
        let [a, b, c] = self.item_points();
        [(a, b), (a, c), (b, c)].map(|(from, to)| Some([from?, to?]))
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

#[cfg(test)]
mod tests {
    use super::argmax;

    #[test]
    fn of_equal_probabilities_the_first_class_is_the_label() {
        assert_eq!(argmax(&[0.2, 0.4, 0.4]), 1);
        assert_eq!(argmax(&[0.5, 0.5]), 0);
    }
}
