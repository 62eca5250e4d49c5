//! What a check of a finished run comes to: what was held against what, and what differs.

use super::error::RunError;
use crate::job::LandscapeId;
use crate::landscape::{Deviation, Furthest, LandscapeFile};
use crate::remedy::error_chain;

/// Probabilities of two engines lie at most so far apart.
const TOLERANCE: f32 = 1e-4;

/// How many landscapes are computed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// So many, evenly spread over the run.
    Of(usize),
    /// Every one.
    All,
}

/// Something that is not as it was written or as it is computed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The file or landscape.
    pub place: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Files held against their hashes.
#[derive(Debug, Clone)]
pub struct FileCheck {
    /// How many files the manifest names.
    pub files: usize,
    /// Those that are not as they were written.
    pub differences: Vec<Difference>,
}

/// `summary.csv` held against what the landscapes measure.
#[derive(Debug, Clone)]
pub struct SummaryCheck {
    /// How many landscapes were measured; nothing where not all could be read.
    pub rows: Option<usize>,
    /// What does not hold.
    pub differences: Vec<Difference>,
}

impl SummaryCheck {
    /// Nothing could be held, as not all landscapes can be read.
    pub(super) fn unread() -> Self {
        Self {
            rows: None,
            differences: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, place: &str, problem: impl Into<String>) {
        add(&mut self.differences, place, problem);
    }
}

/// Landscapes computed again and held against their files.
#[derive(Debug, Clone)]
pub struct LandscapeCheck {
    /// How many were computed again, and how many the run has.
    pub landscapes: [usize; 2],
    /// Points that were held against each other.
    pub points: usize,
    /// Labels that differ, whatever their margin.
    pub labels: usize,
    /// The largest difference of logits and of probabilities, and where it is, in words.
    pub furthest: [Option<(f32, String)>; 2],
    /// What does not hold.
    pub differences: Vec<Difference>,
}

pub(super) fn add(differences: &mut Vec<Difference>, place: &str, problem: impl Into<String>) {
    differences.push(Difference {
        place: place.to_owned(),
        problem: problem.into(),
    });
}

impl LandscapeCheck {
    /// A check of so many landscapes of so many, in which nothing was held yet.
    pub(super) fn of(landscapes: [usize; 2]) -> Self {
        Self {
            landscapes,
            points: 0,
            labels: 0,
            furthest: [None, None],
            differences: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, place: &str, problem: impl Into<String>) {
        add(&mut self.differences, place, problem);
    }

    /// Holds one landscape, of this name, against its file.
    pub(super) fn hold(
        &mut self,
        name: &str,
        file: Result<LandscapeFile, RunError>,
        now: &LandscapeFile,
    ) {
        let file = match file {
            Ok(file) => file,
            Err(error) => {
                let chain = error_chain(&error);
                return add(
                    &mut self.differences,
                    name,
                    format!("cannot be read: {chain}"),
                );
            }
        };
        let Some(deviation) = Deviation::between(&file.landscape, &now.landscape) else {
            return add(&mut self.differences, name, "has other steps or classes");
        };
        self.points += now.landscape.num_frames();
        self.labels += deviation.labels;
        let both = [deviation.logits, deviation.probabilities];
        for (worst, furthest) in self.furthest.iter_mut().zip(both) {
            let Some(furthest) = furthest else { continue };
            if worst.as_ref().is_none_or(|(by, _)| furthest.by > *by) {
                *worst = Some((furthest.by, place(&file, &furthest)));
            }
        }
        let probabilities = deviation.probabilities;
        if let Some(furthest) = probabilities.filter(|furthest| furthest.by > TOLERANCE) {
            add(
                &mut self.differences,
                name,
                format!(
                    "probabilities {:.1e} apart, expected at most {TOLERANCE:.0e}: {}",
                    furthest.by,
                    place(&file, &furthest)
                ),
            );
        }
        let plural = |number: usize| if number == 1 { "" } else { "s" };
        let (labels, failed) = (deviation.clear_labels, deviation.failed);
        if labels > 0 {
            add(
                &mut self.differences,
                name,
                format!("{labels} label{} of clear margin differ", plural(labels)),
            );
        }
        if failed > 0 {
            add(
                &mut self.differences,
                name,
                format!(
                    "{failed} point{} failed in one and not in the other",
                    plural(failed)
                ),
            );
        }
    }
}

fn place(file: &LandscapeFile, furthest: &Furthest) -> String {
    let steps = file.landscape.steps;
    let [there, now] = furthest.values;
    format!(
        "{}, row {}, column {}, {}: {there} there and {now} now",
        file.about.name,
        furthest.frame / steps,
        furthest.frame % steps,
        file.about.class_names[furthest.class]
    )
}

/// A sample of the landscapes, evenly spread.
pub(super) fn spread(ids: &[LandscapeId], sample: Sample) -> Vec<LandscapeId> {
    let number = match sample {
        Sample::Of(number) => number.min(ids.len()),
        Sample::All => ids.len(),
    };
    (0..number)
        .map(|n| ids[n * ids.len() / number].clone())
        .collect()
}
