//! Which measures have settled: their values on finer and finer grids of the same items.
//!
//! With N steps, 2N-1 and 4N-3 steps hold the points of N and points between them, so that what
//! changes is what the coarser grid did not see. The finest is computed once and every second
//! point of it taken for the one between; N is the run itself. Kept in `resolution.csv`, from
//! which `plot` makes the report's part of it again.

use super::error::{Placed, RunError};
use super::summary::{IN_MEMORY, csv_number};
use crate::job::JobError;
use crate::landscape::{COLUMNS, Measures};
use crate::remedy::Setting;
use serde_json::{Value, json};
use std::fmt::Display;

/// A measure has settled where it changes by at most this share.
pub const SETTLED: f64 = 0.05;

/// What stands for all landscapes in the file.
const MEAN: &str = "mean";

/// A measure at N, 2N-1 and 4N-3 steps; nothing where it could not be taken.
pub type Values = [Option<f64>; 3];

/// The measures of landscapes on three grids each, of N, 2N-1 and 4N-3 points a side.
#[derive(Debug, Clone)]
pub struct Resolution {
    steps: [usize; 3],
    /// Name, and values in the order of [`COLUMNS`].
    landscapes: Vec<(String, Vec<Values>)>,
}

/// The finer grids of one with `steps` points a side.
pub(super) fn finer(steps: usize) -> [usize; 2] {
    [2 * steps - 1, 4 * steps - 3]
}

/// Refuses finer grids of which the finest is larger than a grid may be.
pub(super) fn check_finer(steps: usize) -> Result<(), RunError> {
    let [_, fine] = finer(steps);
    if fine <= 1001 {
        return Ok(());
    }
    Err(JobError::setting(
        Setting::Resolution,
        "",
        JobError::unfit_but(
            format!(
                "expected a finest grid of at most 1001 steps, found {fine}, 4 N - 3 of {steps}"
            ),
            "use {} 251 or less",
            &[Setting::Steps],
        ),
    )
    .into())
}

/// A landscape's measures on its two finer grids, by their names in `summary.csv`, as they are
/// kept in its file; those of a triple's order are left out.
pub(super) fn finer_json(measures: [&Measures; 2]) -> Value {
    let own = COLUMNS.iter().filter(|column| column.group != "order");
    own.map(|column| {
        let values = measures.map(|measures| (column.value)(measures));
        (column.key.to_owned(), json!(values))
    })
    .collect()
}

impl Resolution {
    /// No landscape yet; the run's grids have `steps` points a side.
    pub(super) fn new(steps: usize) -> Self {
        let [middle, fine] = finer(steps);
        Self {
            steps: [steps, middle, fine],
            landscapes: Vec::new(),
        }
    }

    /// Adds a landscape by its own measures and by what [`finer_json`] made of the others.
    pub(super) fn add(&mut self, name: &str, own: &Measures, finer: &Value) {
        let values = COLUMNS.iter().map(|column| {
            // The weights that three permutations share do not lie closer on finer grids: 41 and
            // 81 steps have the same, and no change of them would say nothing.
            let finer = &finer[column.key];
            [(column.value)(own), finer[0].as_f64(), finer[1].as_f64()]
        });
        self.landscapes.push((name.to_owned(), values.collect()));
    }

    /// The mean of each measure over the landscapes that have it on all three grids.
    fn means(&self) -> Vec<Values> {
        let whole = |values: &Values| -> Option<[f64; 3]> {
            let [first, second, third] = *values;
            Some([first?, second?, third?])
        };
        (0..COLUMNS.len())
            .map(|n| {
                let values = || self.landscapes.iter().filter_map(|(_, all)| whole(&all[n]));
                let count = values().count();
                [0, 1, 2].map(|at| {
                    let sum: f64 = values().map(|values| values[at]).sum();
                    (count > 0).then(|| sum / count as f64)
                })
            })
            .collect()
    }

    /// All rows of the file, the mean first.
    fn rows(&self) -> impl Iterator<Item = (&str, Vec<Values>)> {
        let each = self.landscapes.iter();
        [(MEAN, self.means())]
            .into_iter()
            .chain(each.map(|(name, values)| (name.as_str(), values.clone())))
    }

    /// The content of `resolution.csv`: a row a landscape and measure, the mean of all first.
    pub(super) fn csv(&self) -> Vec<u8> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let mut heading = ["landscape", "measure"].map(str::to_owned).to_vec();
        heading.extend(self.steps.map(|steps| format!("steps_{steps}")));
        heading.push("last_change".into());
        csv.write_record(heading).expect(IN_MEMORY);
        for (name, all) in self.rows() {
            for (column, values) in COLUMNS.iter().zip(all) {
                let mut record = vec![name.to_owned(), column.key.to_owned()];
                record.extend(values.map(csv_number));
                record.push(csv_number(last_change(values)));
                csv.write_record(record).expect(IN_MEMORY);
            }
        }
        csv.into_inner().expect(IN_MEMORY)
    }

    /// Reads what [`Resolution::csv`] wrote; `place` is its file.
    pub(super) fn parse(text: &str, place: impl Display) -> Result<Self, RunError> {
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        let heading = csv.headers().placed(&place)?;
        let steps = heading.get(2).and_then(|name| name.strip_prefix("steps_"));
        let steps: usize = steps
            .and_then(|steps| steps.parse().ok())
            .filter(|steps| (2..=1001).contains(steps))
            .ok_or_else(|| {
                RunError::refused(format!("{place} line 1: expected steps_N in column 3"))
            })?;
        let mut found = Self::new(steps);
        for (n, record) in csv.records().enumerate() {
            let record = record.placed(&place)?;
            let column = &COLUMNS[n % COLUMNS.len()];
            let number = |column: usize| match record.get(column) {
                None | Some("") => Some(None),
                Some(text) => text.parse().ok().map(Some),
            };
            let values = [2, 3, 4].map(number);
            if record.get(1) != Some(column.key) || !values.iter().all(Option::is_some) {
                return Err(RunError::refused(format!(
                    "{place} line {}: expected {} and three numbers, found \"{}\"; run the command again",
                    n + 2,
                    column.key,
                    record.iter().collect::<Vec<_>>().join(",")
                )));
            }
            if n % COLUMNS.len() == 0 {
                let name = record.get(0).unwrap_or_default();
                found.landscapes.push((name.to_owned(), Vec::new()));
            }
            if let Some((_, all)) = found.landscapes.last_mut() {
                all.push(values.map(Option::flatten));
            }
        }
        found
            .landscapes
            .retain(|(name, all)| name != MEAN && all.len() == COLUMNS.len());
        Ok(found)
    }

    /// For the report's script.
    pub(super) fn json(&self) -> Value {
        let landscapes: serde_json::Map<String, Value> = self
            .rows()
            .map(|(name, values)| (name.to_owned(), json!(values)))
            .collect();
        json!({"steps": self.steps, "settled": SETTLED, "values": landscapes})
    }

    /// Points a side of the three grids.
    pub fn steps(&self) -> [usize; 3] {
        self.steps
    }

    /// The means of the measures that some landscape has on all three grids, with their names.
    pub fn mean_values(&self) -> Vec<(&'static str, Values)> {
        let means = COLUMNS.iter().zip(self.means());
        means
            .filter(|(_, values)| values.iter().any(Option::is_some))
            .map(|(column, values)| (column.key, values))
            .collect()
    }
}

/// The change from 2N-1 to 4N-3 steps as a share of the value before; 0 where both are 0, and
/// nothing where only the one before is, or one is missing.
pub fn last_change([_, before, last]: Values) -> Option<f64> {
    let (before, last) = (before?, last?);
    match last - before {
        0.0 => Some(0.0),
        change => (before != 0.0).then(|| change / before.abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_change_is_a_share_of_the_value_before() {
        assert_eq!(last_change([None, Some(4.0), Some(5.0)]), Some(0.25));
        assert_eq!(last_change([None, Some(4.0), Some(2.0)]), Some(-0.5));
        assert_eq!(last_change([None, Some(0.0), Some(0.0)]), Some(0.0));
        assert_eq!(last_change([None, Some(0.0), Some(1.0)]), None);
        assert_eq!(last_change([Some(1.0), None, Some(1.0)]), None);
    }
}
