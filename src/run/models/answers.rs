//! What is kept of landscapes once they are compared.

use crate::job::ItemAnswer;
use crate::landscape::{
    Between, COLUMNS, GridKind, LandscapeFile, MeanOverTriples, between, mean_over_triples,
    measure, overview,
};
use std::time::Duration;

/// What a comparison of models came to.
#[derive(Debug)]
pub struct ModelsResult {
    /// A short name of each model.
    pub names: Vec<String>,
    /// Name of every class, in the order of the first model.
    pub class_names: Vec<String>,
    /// Points a side of a landscape.
    pub steps: usize,
    /// How the inputs of the landscapes come from their items.
    pub kind: GridKind,
    /// Landscapes a triple.
    pub siblings: usize,
    /// Seed of the intervals' resamples.
    pub resample_seed: u64,
    /// Where the items are from.
    pub data_path: String,
    /// Every landscape.
    pub landscapes: Vec<Compared>,
    /// Every item once, with each model's answer.
    pub items: Vec<ItemAnswer>,
    /// How many of them an earlier start had finished.
    pub kept: usize,
    /// Time it took to compute and measure them.
    pub compute: Duration,
}

/// What two models have in common, as means over triples.
#[derive(Debug, Clone, PartialEq)]
pub struct PairSummary {
    /// Their names.
    pub models: [String; 2],
    /// Share of points with equal labels, with its interval.
    pub agreement: Option<MeanOverTriples>,
    /// Cohen's kappa.
    pub kappa: Option<f64>,
    /// Total-variation distance of the probabilities.
    pub variation_distance: Option<f64>,
    /// Mean distance of the boundaries, in sides of the grid.
    pub boundary_distance: Option<f64>,
    /// The class with the lowest Jaccard index over all landscapes together, and that index.
    pub lowest: Option<(String, f64)>,
}

/// A landscape of every model, measured.
#[derive(Debug)]
pub struct Compared {
    /// Its name, e.g. `1A.3`.
    pub name: String,
    /// Names of the items A, B, C.
    pub items: [String; 3],
    /// Their classes.
    pub classes: [usize; 3],
    /// What each two models have in common: the first and the second, the first and the third, and so
    /// on, then the second and the third.
    pub between: Vec<Between>,
    /// What each model answers.
    pub answered: Vec<Answered>,
}

/// A model's answers on a landscape.
#[derive(Debug)]
pub struct Answered {
    /// Its measures, those of [`overview`].
    pub measures: Vec<Option<f64>>,
    /// Regions of one class, 8-connected: dbViz's fragmentation.
    pub fragmentation: Option<f64>,
    /// Its classes of the items A, B, C; nothing where the frame failed, or where the grid has no
    /// points at its items.
    pub corners: [Option<usize>; 3],
    /// Its class at every point, row by row as the grid is drawn; nothing where the frame failed and
    /// where there is no point.
    pub labels: Vec<Option<u16>>,
    /// The probability of that class.
    pub confidence: Vec<f32>,
}

impl Compared {
    /// Compares the landscapes of all models, whose classes stand in one order.
    pub(super) fn new(files: &[LandscapeFile]) -> Self {
        let landscape = |model: usize| &files[model].landscape;
        let about = &files[0].about;
        Self {
            name: about.name.clone(),
            items: about.item_names.clone(),
            classes: about.item_classes,
            between: pairs_of(files.len())
                .map(|[a, b]| between(landscape(a), landscape(b)))
                .collect(),
            answered: files
                .iter()
                .map(|file| Answered::new(file, about.item_classes))
                .collect(),
        }
    }

    /// Lowest agreement of any two models; 1 where no point could be compared.
    pub fn lowest_agreement(&self) -> f64 {
        let agreements = self.between.iter().filter_map(|pair| pair.agreement);
        agreements.fold(1.0, f64::min)
    }
}

impl Answered {
    fn new(file: &LandscapeFile, classes: [usize; 3]) -> Self {
        let landscape = &file.landscape;
        let measures = measure(landscape, classes);
        let steps = landscape.steps;
        let drawn = (0..steps * steps).map(|n| landscape.drawn_at(n / steps, n % steps));
        Self {
            measures: overview().map(|column| (column.value)(&measures)).collect(),
            fragmentation: (COLUMNS.iter().find(|column| column.key == "regions_8"))
                .and_then(|column| (column.value)(&measures)),
            corners: (landscape.kind.corners(landscape.steps))
                .map_or([None; 3], |corners| corners.map(|k| landscape.label(k))),
            labels: drawn
                .clone()
                .map(|k| landscape.label(k).map(|class| class as u16))
                .collect(),
            confidence: drawn
                .map(|k| match landscape.label(k) {
                    Some(class) => landscape.probabilities_of(k)[class],
                    None => f32::NAN,
                })
                .collect(),
        }
    }
}

/// Each two of so many models.
pub(super) fn pairs_of(models: usize) -> impl Iterator<Item = [usize; 2]> {
    (0..models).flat_map(move |a| (a + 1..models).map(move |b| [a, b]))
}

impl ModelsResult {
    /// A result without landscapes, of models of these names on grids of one kind.
    pub(super) fn new(
        names: Vec<String>,
        class_names: &[String],
        kind: GridKind,
        steps: usize,
        resample_seed: u64,
    ) -> Self {
        Self {
            names,
            class_names: class_names.to_vec(),
            steps,
            kind,
            siblings: kind.siblings().len(),
            resample_seed,
            data_path: String::new(),
            landscapes: Vec::new(),
            items: Vec::new(),
            kept: 0,
            compute: Duration::ZERO,
        }
    }

    /// How many models there are.
    pub fn models(&self) -> usize {
        self.names.len()
    }

    /// Puts a first model's answers before the others', read off the corners of its landscapes; of an
    /// item that lies at no point its answer is not known.
    pub(super) fn first_from_corners(&mut self) {
        for item in &mut self.items {
            let corners = self.landscapes.iter().flat_map(|one| {
                let labels = one.answered[0].corners;
                one.items.iter().zip(labels)
            });
            let mut own = corners.filter(|(name, _)| **name == item.name);
            item.found
                .insert(0, own.next().and_then(|(_, label)| label));
            item.margins.insert(0, None);
        }
    }

    /// The mean of a value over the landscapes of each triple that has it.
    pub(super) fn over_triples(&self, value: impl Fn(&Compared) -> Option<f64>) -> Vec<f64> {
        self.landscapes
            .chunks(self.siblings)
            .filter_map(|triple| {
                let values: Vec<f64> = triple.iter().filter_map(&value).collect();
                (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
            })
            .collect()
    }

    /// What each two models have in common over all triples.
    pub fn pairs(&self) -> Vec<PairSummary> {
        pairs_of(self.models())
            .enumerate()
            .map(|(pair, [a, b])| {
                let mean = |value: fn(&Between) -> Option<f64>| {
                    let values = self.over_triples(|one| value(&one.between[pair]));
                    mean_over_triples(&values, self.resample_seed)
                };
                let of = |found: Option<MeanOverTriples>| found.map(|found| found.mean);
                let lowest = (self.jaccard(pair).into_iter()).min_by(|a, b| a.1.total_cmp(&b.1));
                PairSummary {
                    models: [a, b].map(|model| self.names[model].clone()),
                    agreement: mean(|pair| pair.agreement),
                    kappa: of(mean(|pair| pair.kappa)),
                    variation_distance: of(mean(|pair| pair.variation_distance)),
                    boundary_distance: of(mean(|pair| {
                        pair.boundaries.map(|found| found.mean_distance)
                    })),
                    lowest: lowest.map(|(class, index)| (self.class_names[class].clone(), index)),
                }
            })
            .collect()
    }

    /// Points of all landscapes at which a pair of models labels both `class`, and either.
    pub(super) fn shared(&self, pair: usize, class: usize) -> [usize; 2] {
        let shared = self
            .landscapes
            .iter()
            .map(|one| one.between[pair].shared[class]);
        shared.fold([0; 2], |sum, shared| [0, 1].map(|n| sum[n] + shared[n]))
    }

    /// The classes of a pair's points, with the Jaccard index over all landscapes together.
    pub(super) fn jaccard(&self, pair: usize) -> Vec<(usize, f64)> {
        (0..self.class_names.len())
            .filter_map(|class| {
                let [both, either] = self.shared(pair, class);
                (either > 0).then(|| (class, both as f64 / either as f64))
            })
            .collect()
    }
}
