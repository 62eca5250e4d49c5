//! Landscapes of an atlas, each one row of numbers.

use super::design::Score;
use super::error::AtlasError;
use crate::engine::Engine;
use crate::job::{LandscapeId, LoadedJob, Observer};
use crate::kernels::BUDGET;
use crate::landscape::{COLUMNS, Items, Landscape, Measures, Permutation, measure, measure_triple};
use crate::pipeline::{Frames, PipelineError};
use rayon::prelude::*;

/// How a row came to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// Drawn for the survey.
    Survey,
    /// Searched: one of all triples, or of those that the survey made promising.
    Search,
    /// Searched: drawn at random from all triples.
    Sample,
    /// Left behind by a coarser grid and drawn by lot.
    Audit,
}

impl Chosen {
    /// All, in the order of their codes.
    pub(super) const ALL: [Self; 4] = [Self::Survey, Self::Search, Self::Sample, Self::Audit];

    /// Its name in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Survey => "survey",
            Self::Search => "search",
            Self::Sample => "sample",
            Self::Audit => "audit",
        }
    }
}

/// A triple of items, and why it is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    /// Its number among all triples of the plan's items.
    pub(super) triple: u64,
    /// Its items by their positions in the data, classes in ascending order.
    pub(super) items: [u32; 3],
    pub(super) classes: [usize; 3],
    pub(super) chosen: Chosen,
    /// With which it was chosen.
    pub(super) probability: f64,
    /// The grid that left it behind, where it was drawn by lot.
    pub(super) audited_at: Option<u8>,
    /// The order that is taken, where one of three is.
    pub(super) order: Option<Permutation>,
}

/// A landscape in numbers: a row of a shard.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Number of the triple among all triples of the plan's items.
    pub triple: u64,
    /// Which item of the triple is C, 1 to 3.
    pub permutation: u8,
    /// A, B and C by their positions in the data.
    pub items: [u32; 3],
    /// Their classes.
    pub classes: [u16; 3],
    /// How many of them are classified correctly.
    pub items_right: u8,
    /// The measures, in the order of [`COLUMNS`].
    pub measures: Vec<Option<f32>>,
    /// Of each item that is classified correctly the smallest L2 distance to an input of the grid with
    /// another label; images in grey levels of 0 to 1, rows in units of the features.
    pub margins: [Option<f32>; 3],
    /// The same as L∞ distances.
    pub margins_linf: [Option<f32>; 3],
    /// The most frequent class that is none of the items', and its share of the grid.
    pub intruder: Option<(u16, f32)>,
    /// How many such classes there are.
    pub num_intruders: u16,
    /// How it came to be taken.
    pub chosen: Chosen,
    /// The probability with which the design chose it.
    pub probability: f64,
    /// Points a side of the grid that left its triple behind, where it was drawn by lot.
    pub audited_at: Option<u8>,
}

/// The position of a measure among [`COLUMNS`].
///
/// # Panics
/// Where there is none of that name.
pub(super) fn column(key: &str) -> usize {
    let found = COLUMNS.iter().position(|column| column.key == key);
    found.unwrap_or_else(|| panic!("no measure {key}"))
}

impl Row {
    /// A measure by its name in `summary.csv`.
    pub fn measure(&self, key: &str) -> Option<f32> {
        self.measures[column(key)]
    }

    /// The smallest L2 distance from one of its items to an input with another label.
    pub fn nearest_flip(&self) -> Option<f32> {
        self.margins.into_iter().flatten().reduce(f32::min)
    }

    /// How bad it is by a score: the larger, the worse. `expected` is the mean intrusion of its three
    /// classes.
    pub(super) fn badness(&self, score: Score, expected: f64) -> f64 {
        let value = |key| self.measure(key).map(f64::from);
        let badness = match score {
            Score::ConfidentIntrusion => value("confident_intrusion"),
            Score::Flip => self.nearest_flip().map(|distance| -f64::from(distance)),
            Score::Intrusion => value("intrusion").map(|share| share - expected),
            Score::Barrier => ["barrier_ab", "barrier_ac", "barrier_bc"]
                .into_iter()
                .filter_map(value)
                .reduce(f64::max),
            Score::TotalVariation => value("total_variation"),
        };
        badness.unwrap_or(f64::NEG_INFINITY)
    }
}

/// What rows are computed with.
pub(super) struct Computing<'a> {
    pub(super) job: &'a LoadedJob,
    pub(super) engine: &'a dyn Engine,
    pub(super) observer: &'a dyn Observer,
    /// Whether the item at a position is classified correctly.
    pub(super) is_right: &'a (dyn Fn(u32) -> bool + Sync),
}

impl Computing<'_> {
    /// The rows of candidates on grids of `steps` points a side, those of a triple together.
    pub(super) fn rows(
        &self,
        candidates: &[Candidate],
        steps: usize,
    ) -> Result<Vec<Row>, AtlasError> {
        let Some(first) = candidates.first() else {
            return Ok(Vec::new());
        };
        let siblings = self.siblings(first).len();
        let values = self.job.input_values() + 2 * self.job.class_names().len();
        let each = 4 * siblings * steps * steps * values;
        let mut rows = Vec::with_capacity(siblings * candidates.len());
        for some in candidates.chunks((BUDGET.results / each.max(1)).max(1)) {
            let ids: Vec<LandscapeId> =
                (some.iter().flat_map(|candidate| self.landscapes(candidate))).collect();
            let fetched = self.job.fetch(&ids)?;
            let landscapes = self.job.compute_fetched(
                self.engine,
                &ids,
                &fetched,
                steps,
                Frames::Keep,
                self.observer,
            )?;
            let done = some.par_iter().zip(landscapes.par_chunks(siblings));
            let done = done.zip(ids.par_chunks(siblings));
            let input = |item: usize| self.job.input_of(&fetched, item);
            let done: Vec<Vec<Row>> = done
                .map(|((candidate, landscapes), ids)| {
                    self.rows_of(candidate, ids, landscapes, &input)
                })
                .collect();
            rows.extend(done.into_iter().flatten());
            if self.observer.advance(0).is_break() {
                return Err(PipelineError::Interrupted.into());
            }
        }
        Ok(rows)
    }

    fn siblings(&self, candidate: &Candidate) -> Vec<Permutation> {
        match candidate.order {
            Some(order) => vec![order],
            None => self.job.kind().siblings().to_vec(),
        }
    }

    fn landscapes(&self, candidate: &Candidate) -> Vec<LandscapeId> {
        let siblings = self.siblings(candidate).into_iter();
        siblings
            .map(|permutation| LandscapeId {
                name: format!("{}.{}", candidate.triple, permutation.number()),
                permutation,
                items: permutation.arrange(candidate.items.map(|item| item as usize)),
                classes: permutation.arrange(candidate.classes),
            })
            .collect()
    }

    /// The rows of a triple's landscapes.
    fn rows_of<'a>(
        &self,
        candidate: &Candidate,
        ids: &[LandscapeId],
        landscapes: &[Landscape],
        input: &dyn Fn(usize) -> &'a [f32],
    ) -> Vec<Row> {
        let measures: Vec<Measures> = match (landscapes, ids) {
            // What compares the orders of a triple needs all three.
            ([x, y, z], [a, b, c]) => {
                measure_triple([(x, a.classes), (y, b.classes), (z, c.classes)]).to_vec()
            }
            _ => {
                let each = landscapes.iter().zip(ids);
                each.map(|(landscape, id)| measure(landscape, id.classes))
                    .collect()
            }
        };
        let is_image = matches!(self.job.items(), Items::Images { .. });
        let unit = if is_image { 255.0 } else { 1.0 };
        let each = landscapes.iter().zip(ids).zip(measures);
        each.map(|((landscape, id), measures)| {
            let items = id.items.map(|item| item as u32);
            let right = items.map(self.is_right);
            let mut margins = [(None, None); 3];
            for n in (0..3).filter(|&n| right[n]) {
                if let Some([l2, linf]) = nearest_flip(landscape, input(id.items[n]), id.classes[n])
                {
                    margins[n] = (Some(l2 / unit), Some(linf / unit));
                }
            }
            Row {
                triple: candidate.triple,
                permutation: id.permutation.number() as u8,
                items,
                classes: id.classes.map(|class| class as u16),
                items_right: right.into_iter().filter(|&right| right).count() as u8,
                intruder: measures
                    .intruders
                    .first()
                    .map(|&class| (class as u16, share_of(landscape, class))),
                num_intruders: measures.intruders.len() as u16,
                measures: COLUMNS
                    .iter()
                    .map(|column| (column.value)(&measures).map(|value| value as f32))
                    .collect(),
                margins: margins.map(|(l2, _)| l2),
                margins_linf: margins.map(|(_, linf)| linf),
                chosen: candidate.chosen,
                probability: candidate.probability,
                audited_at: candidate.audited_at,
            }
        })
        .collect()
    }
}

/// The share of a landscape's points with an answer whose label is this class.
fn share_of(landscape: &Landscape, class: usize) -> f32 {
    let labels = landscape.points().filter_map(|k| landscape.label(k));
    let (mut hits, mut all) = (0usize, 0usize);
    for label in labels {
        hits += usize::from(label == class);
        all += 1;
    }
    hits as f32 / all.max(1) as f32
}

/// The smallest L2 and L∞ distances from an item to an input of the grid whose label is not its class;
/// nothing where there is none.
fn nearest_flip(landscape: &Landscape, item: &[f32], class: usize) -> Option<[f32; 2]> {
    let inputs = landscape.inputs.as_ref()?;
    let mut nearest: Option<[f32; 2]> = None;
    for k in landscape.points() {
        if landscape.label(k).is_none_or(|label| label == class) {
            continue;
        }
        let input = &inputs[k * item.len()..(k + 1) * item.len()];
        let [square, largest] = distances(input, item);
        nearest = Some(match nearest {
            None => [square, largest],
            Some([s, l]) => [s.min(square), l.min(largest)],
        });
    }
    nearest.map(|[square, largest]| [square.sqrt(), largest])
}

/// The squared L2 and the L∞ distance, in lanes that become vector instructions.
fn distances(a: &[f32], b: &[f32]) -> [f32; 2] {
    const LANES: usize = 16;
    let (mut squares, mut largest) = ([0f32; LANES], [0f32; LANES]);
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..LANES {
            let apart = a[lane] - b[lane];
            squares[lane] += apart * apart;
            largest[lane] = largest[lane].max(apart.abs());
        }
    }
    for (lane, (a, b)) in a_rest.iter().zip(b_rest).enumerate() {
        let apart = a - b;
        squares[lane] += apart * apart;
        largest[lane] = largest[lane].max(apart.abs());
    }
    [
        squares.iter().sum(),
        largest.into_iter().fold(0.0, f32::max),
    ]
}

/// How bad a triple is: as its worst row.
pub(super) fn worst(rows: &[Row], score: Score, expected: f64) -> f64 {
    let all = rows.iter().map(|row| row.badness(score, expected));
    all.fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_a_plain_loop() {
        for len in [1, 15, 16, 17, 784] {
            let a: Vec<f32> = (0..len).map(|n| (n as f32 * 0.37).sin() * 200.0).collect();
            let b: Vec<f32> = (0..len).map(|n| (n as f32 * 0.91).cos() * 200.0).collect();
            let apart = || a.iter().zip(&b).map(|(a, b)| f64::from(a - b));
            let [square, largest] = distances(&a, &b);
            let expected: f64 = apart().map(|d| d * d).sum();
            assert!((f64::from(square) / expected - 1.0).abs() < 1e-5, "{len}");
            assert_eq!(
                f64::from(largest),
                apart().fold(0.0, |m: f64, d| m.max(d.abs()))
            );
        }
    }
}
