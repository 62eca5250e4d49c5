//! Which measures have settled: their values on finer and finer grids of the same items.
//!
//! With N steps, 2N-1 and 4N-3 steps hold the points of N and points between them, so that what
//! changes is what the coarser grid did not see. The finest is computed once and every second
//! point of it taken for the one between; N is the run itself. Kept in `resolution.csv`, from
//! which `plot` makes the report's part of it again.

use super::columns::SHOWN;
use super::output::OutputFolder;
use super::summary::csv_number;
use super::text::table;
use crate::data::{MAX_JSON_BYTES, read_text, write_file};
use crate::landscape::Measures;
use anyhow::{Context, ensure};
use serde_json::{Value, json};

/// Whether finer grids are wanted.
#[derive(Debug, clap::Args)]
pub(super) struct ResolutionArgs {
    /// Take the measures on grids of 2N-1 and 4N-3 steps, too, and say which have settled, in
    /// the report and in resolution.csv; about 16 times the computing
    #[arg(long)]
    resolution: bool,
}

impl ResolutionArgs {
    /// Whether they are wanted; an error where the finest is larger than a grid may be.
    pub(super) fn wanted(&self, steps: usize) -> anyhow::Result<bool> {
        let [_, fine] = finer(steps);
        ensure!(
            !self.resolution || fine <= 1001,
            "--resolution: expected a finest grid of at most 1001 steps, found {fine}, 4 N - 3 of --steps {steps}; use at most 251"
        );
        Ok(self.resolution)
    }
}

/// A measure has settled where it changes by at most this share.
const SETTLED: f64 = 0.05;

/// The file it is kept in.
pub(super) const RESOLUTION_FILE: &str = "resolution.csv";

/// What stands for all landscapes in the file.
const MEAN: &str = "mean";

/// A measure at N, 2N-1 and 4N-3 steps.
type Values = [Option<f64>; 3];

/// The measures of landscapes on three grids each.
pub(super) struct Resolution {
    steps: [usize; 3],
    /// Name, and values in the order of [`SHOWN`].
    landscapes: Vec<(String, Vec<Values>)>,
}

/// The finer grids of one with `steps` points a side.
pub(super) fn finer(steps: usize) -> [usize; 2] {
    [2 * steps - 1, 4 * steps - 3]
}

/// A landscape's measures on its two finer grids, by their names in `summary.csv`, as they are
/// kept in its file; those of a triple's order are left out.
pub(super) fn finer_json(measures: [&Measures; 2]) -> Value {
    let own = SHOWN.iter().filter(|shown| shown.column.group != "order");
    own.map(|shown| {
        let values = measures.map(|measures| (shown.value)(measures));
        (shown.column.key.to_owned(), json!(values))
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
        let values = SHOWN.iter().map(|shown| {
            // The weights that three permutations share do not lie closer on finer grids: 41 and
            // 81 steps have the same, and no change of them would say nothing.
            let finer = &finer[shown.column.key];
            [(shown.value)(own), finer[0].as_f64(), finer[1].as_f64()]
        });
        self.landscapes.push((name.to_owned(), values.collect()));
    }

    /// The mean of each measure over the landscapes that have it on all three grids.
    fn means(&self) -> Vec<Values> {
        let whole = |values: &Values| -> Option<[f64; 3]> {
            let [first, second, third] = *values;
            Some([first?, second?, third?])
        };
        (0..SHOWN.len())
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

    /// Writes `resolution.csv`: a row a landscape and measure, the mean of all first.
    pub(super) fn write(&self, folder: &OutputFolder) -> anyhow::Result<()> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let mut heading = ["landscape", "measure"].map(str::to_owned).to_vec();
        heading.extend(self.steps.map(|steps| format!("steps_{steps}")));
        heading.push("last_change".into());
        csv.write_record(heading)?;
        for (name, all) in self.rows() {
            for (shown, values) in SHOWN.iter().zip(all) {
                let mut record = vec![name.to_owned(), shown.column.key.to_owned()];
                record.extend(values.map(csv_number));
                record.push(csv_number(last_change(values)));
                csv.write_record(record)?;
            }
        }
        Ok(write_file(
            &folder.file(RESOLUTION_FILE),
            &csv.into_inner()?,
        )?)
    }

    /// Reads what [`Resolution::write`] wrote, if the run did.
    pub(super) fn read(folder: &OutputFolder) -> anyhow::Result<Option<Self>> {
        let path = folder.file(RESOLUTION_FILE);
        if !path.exists() {
            return Ok(None);
        }
        let place = path.display();
        let text = read_text(&path, MAX_JSON_BYTES).with_context(|| place.to_string())?;
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        let heading = csv.headers().with_context(|| place.to_string())?;
        let steps = heading.get(2).and_then(|name| name.strip_prefix("steps_"));
        let steps: usize = steps
            .and_then(|steps| steps.parse().ok())
            .filter(|steps| (2..=1001).contains(steps))
            .with_context(|| format!("{place} line 1: expected steps_N in column 3"))?;
        let mut found = Self::new(steps);
        for (n, record) in csv.records().enumerate() {
            let record = record.with_context(|| place.to_string())?;
            let shown = &SHOWN[n % SHOWN.len()];
            let number = |column: usize| match record.get(column) {
                None | Some("") => Some(None),
                Some(text) => text.parse().ok().map(Some),
            };
            let values = [2, 3, 4].map(number);
            ensure!(
                record.get(1) == Some(shown.column.key) && values.iter().all(Option::is_some),
                "{place} line {}: expected {} and three numbers, found \"{}\"; run the command again",
                n + 2,
                shown.column.key,
                record.iter().collect::<Vec<_>>().join(",")
            );
            if n % SHOWN.len() == 0 {
                let name = record.get(0).unwrap_or_default();
                found.landscapes.push((name.to_owned(), Vec::new()));
            }
            if let Some((_, all)) = found.landscapes.last_mut() {
                all.push(values.map(Option::flatten));
            }
        }
        found
            .landscapes
            .retain(|(name, all)| name != MEAN && all.len() == SHOWN.len());
        Ok(Some(found))
    }

    /// For the report's script.
    pub(super) fn json(&self) -> Value {
        let landscapes: serde_json::Map<String, Value> = self
            .rows()
            .map(|(name, values)| (name.to_owned(), json!(values)))
            .collect();
        json!({"steps": self.steps, "settled": SETTLED, "values": landscapes})
    }

    /// The means as a table for the terminal.
    pub(super) fn table(&self) -> String {
        let mut lines = vec![vec!["measure".to_owned()]];
        lines[0].extend(self.steps.map(|steps| format!(">{steps} steps")));
        lines[0].extend([">last change".to_owned(), String::new()]);
        let means = SHOWN.iter().zip(self.means());
        for (shown, values) in means.filter(|(_, values)| values.iter().any(Option::is_some)) {
            let mut line = vec![shown.column.key.to_owned()];
            let text = |value| format!("{value:.4}");
            line.extend(values.map(|value| value.map_or("-".into(), text)));
            let change = last_change(values);
            line.push(change.map_or("-".into(), |change| format!("{:+.1}%", 100.0 * change)));
            let settled = change.is_some_and(|change| change.abs() <= SETTLED);
            line.push(if settled { "settled" } else { "" }.into());
            lines.push(line);
        }
        table(&lines)
    }
}

/// The change from 2N-1 to 4N-3 steps as a share of the value before; 0 where both are 0, and
/// nothing where only the one before is, or one is missing.
fn last_change([_, before, last]: Values) -> Option<f64> {
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
