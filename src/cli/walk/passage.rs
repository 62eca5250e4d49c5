//! Walks to a target: which of two basins is reached, and when, exactly and by walkers.

use super::args::Edges;
use super::plan::Walk;
use super::surface::Ground;
use crate::cli::Verbosity;
use crate::cli::progress::Progress;
use crate::engine::Engine;
use crate::kernels::Walker;
use crate::landscape::{
    Chain, LANDSCAPE_ITEMS, WalkError, committor, item_basin, mean_first_passage,
};
use crate::pipeline::{Motion, Starts, walk};
use anyhow::{bail, ensure};

/// Steps after which walkers that have not arrived are given up.
const PATIENCE: u32 = 200_000;
/// Mean times that walkers are given to arrive: of an exponential law, e^-15 are later.
const MEAN_TIMES: f64 = 15.0;

/// A number, exactly and by walkers.
pub(super) struct Compared {
    what: String,
    exact: f64,
    walkers: f64,
    error: f64,
    /// Share of the walkers that arrived.
    arrived: f64,
}

/// What came of the walks to basins or edges.
pub(super) struct Passages {
    /// Names of the two basins; one where walkers are to leave over the edges.
    pub(super) names: Vec<String>,
    /// Their points.
    pub(super) basins: Vec<Vec<bool>>,
    /// From every point: the probability to reach the second basin before the first.
    pub(super) committor: Option<Vec<f64>>,
    /// From every point: the mean number of steps until the last of the basins is reached.
    pub(super) passage: Vec<f64>,
    compared: Vec<Compared>,
    /// Why there is no more.
    note: Option<String>,
    /// Steps of all walkers together.
    pub(super) work: u64,
}

/// The two items of `--basins`, 0 to 2.
pub(super) fn pair(text: &str) -> anyhow::Result<[usize; 2]> {
    let items: Vec<Option<usize>> = text
        .split(',')
        .map(|part| {
            let part = part.trim();
            LANDSCAPE_ITEMS
                .iter()
                .position(|item| item.eq_ignore_ascii_case(part))
        })
        .collect();
    match items[..] {
        [Some(first), Some(second)] if first != second => Ok([first, second]),
        _ => bail!("--basins {text}: expected two different items of A, B and C, such as A,B"),
    }
}

impl Passages {
    /// Walks to the edges where they absorb, else to the basins of a landscape; nothing where there
    /// is neither, or the walk is not that of the chain.
    pub(super) fn walk(
        walk: &Walk<'_>,
        engine: &dyn Engine,
        pair: [usize; 2],
        verbosity: Verbosity,
    ) -> anyhow::Result<Option<Self>> {
        let (Some(chain), Ground::Grid(potential)) = (&walk.chain, &walk.surface.ground) else {
            return Ok(None);
        };
        let (names, basins) = match (&walk.surface.landscape, walk.args.edges) {
            (_, Edges::Absorbing) => (vec!["the edge".to_owned()], vec![potential.rim()]),
            (Some(file), Edges::Reflecting) => {
                if file.landscape.steps != potential.shape()[0] {
                    return Ok(None); // basins are those of the landscape's own points
                }
                let names = pair.map(|item| format!("basin {}", LANDSCAPE_ITEMS[item]));
                let basins = pair.map(|item| item_basin(&file.landscape, item));
                (names.to_vec(), basins.to_vec())
            }
            (None, Edges::Reflecting) => return Ok(None),
        };
        let mut found = Self {
            names,
            basins,
            committor: None,
            passage: Vec::new(),
            compared: Vec::new(),
            note: None,
            work: 0,
        };
        match found.compare(walk, chain, engine, verbosity) {
            Ok(()) => {}
            // The rest of the walk is worth having.
            Err(error) => match error.downcast_ref::<WalkError>() {
                Some(WalkError::Overlap) => {
                    found.note = Some("the two are one region of one predicted class".into());
                }
                Some(reason @ WalkError::TooLong { .. }) => found.note = Some(reason.to_string()),
                _ => return Err(error),
            },
        }
        Ok(Some(found))
    }

    fn compare(
        &mut self,
        walk: &Walk<'_>,
        chain: &Chain,
        engine: &dyn Engine,
        verbosity: Verbosity,
    ) -> anyhow::Result<()> {
        if let [first, second] = &self.basins[..] {
            let h = committor(chain, first, second)?;
            let either: Vec<bool> = first.iter().zip(second).map(|(a, b)| *a || *b).collect();
            let times = mean_first_passage(chain, &either)?;
            let starts = outside(&walk.starts, &either, chain.shape());
            if let Some(starts) = starts {
                let ends = arrive(walk, chain, engine, &either, &starts, &times, verbosity)?;
                let [_, columns] = chain.shape();
                let second = |end: &Walker| self.basins[1][point(end, columns)];
                let values: Vec<f64> = ends
                    .arrived
                    .iter()
                    .map(|end| if second(end) { 1.0 } else { 0.0 })
                    .collect();
                let what = format!("{} before {}", self.names[1], self.names[0]);
                let exact = mean_over(&starts, &h, columns);
                self.compared.push(ends.compared(what, exact, &values));
                self.work += ends.work;
            }
            self.committor = Some(h);
        }
        let target = self.basins.last().cloned().unwrap_or_default();
        let times = mean_first_passage(chain, &target)?;
        if let Some(starts) = outside(&walk.starts, &target, chain.shape()) {
            let ends = arrive(walk, chain, engine, &target, &starts, &times, verbosity)?;
            let values: Vec<f64> = ends
                .arrived
                .iter()
                .map(|end| f64::from(end.steps))
                .collect();
            let name = self.names.last().cloned().unwrap_or_default();
            let exact = mean_over(&starts, &times, chain.shape()[1]);
            self.compared
                .push(ends.compared(format!("mean steps until {name}"), exact, &values));
            self.work += ends.work;
        }
        self.passage = times;
        Ok(())
    }

    /// What came out, in words and numbers.
    pub(super) fn facts(&self) -> Vec<(String, String)> {
        let mut facts: Vec<(String, String)> = self
            .compared
            .iter()
            .map(|compared| {
                let Compared {
                    exact,
                    walkers,
                    error,
                    arrived,
                    ..
                } = compared;
                let text = if *arrived == 1.0 {
                    format!(
                        "{exact:.6} exactly, {walkers:.6} +- {error:.6} by walkers ({:+.1} standard errors)",
                        (walkers - exact) / error.max(f64::MIN_POSITIVE)
                    )
                } else {
                    format!(
                        "{exact:.6} exactly; {:.2} % of the walkers arrived within {PATIENCE} steps, {walkers:.6} of these",
                        100.0 * arrived
                    )
                };
                (compared.what.clone(), text)
            })
            .collect();
        for (name, basin) in self.names.iter().zip(&self.basins) {
            let points = basin.iter().filter(|inside| **inside).count();
            facts.push((name.clone(), format!("{points} of {} points", basin.len())));
        }
        facts.extend(
            self.note
                .clone()
                .map(|note| ("no passage".to_owned(), note)),
        );
        facts
    }
}

/// Walkers at the end of a walk to a target.
struct Ends {
    arrived: Vec<Walker>,
    walkers: u32,
    work: u64,
}

impl Ends {
    fn compared(&self, what: String, exact: f64, values: &[f64]) -> Compared {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>()
            / count;
        Compared {
            what,
            exact,
            walkers: mean,
            error: (variance / count).sqrt(),
            arrived: count / f64::from(self.walkers),
        }
    }
}

fn arrive(
    walk_plan: &Walk<'_>,
    chain: &Chain,
    engine: &dyn Engine,
    target: &[bool],
    starts: &Starts,
    times: &[f64],
    verbosity: Verbosity,
) -> anyhow::Result<Ends> {
    let [_, columns] = chain.shape();
    let motion = Motion::Lattice {
        entries: chain.entries(target),
        strides: [1, columns as i32],
    };
    let longest = times.iter().copied().fold(1.0, f64::max);
    let steps = (MEAN_TIMES * longest).ceil().min(f64::from(PATIENCE)) as u32;
    let job = walk_plan.job(&motion, starts, steps);
    let total = job.walkers as usize * steps as usize;
    let progress = Progress::counting(total, "walker-steps to the basins", verbosity);
    let mut ends = Ends {
        arrived: Vec::new(),
        walkers: job.walkers,
        work: 0,
    };
    let mut keep = |walkers: &[Walker]| {
        ends.work += walkers
            .iter()
            .map(|walker| u64::from(walker.steps))
            .sum::<u64>();
        let there = walkers.iter().filter(|end| target[point(end, columns)]);
        ends.arrived.extend(there);
    };
    walk(engine, &job, &|work| progress.advance(work), &mut keep)?;
    progress.finish();
    ensure!(
        !ends.arrived.is_empty(),
        "no walker arrived within {steps} steps; use a higher --temperature or more --walkers"
    );
    Ok(ends)
}

fn point(walker: &Walker, columns: usize) -> usize {
    walker.y as usize * columns + walker.x as usize
}

/// The starts that are not at the target yet; nothing where all are.
fn outside(starts: &Starts, target: &[bool], [_, columns]: [usize; 2]) -> Option<Starts> {
    let is_out = |at: &[f32; 2]| !target[at[1] as usize * columns + at[0] as usize];
    match starts {
        Starts::At(place) => is_out(place).then(|| starts.clone()),
        Starts::AnyOf(places) => {
            let places: Vec<[f32; 2]> = places.iter().copied().filter(is_out).collect();
            (!places.is_empty()).then_some(Starts::AnyOf(places))
        }
    }
}

fn mean_over(starts: &Starts, values: &[f64], columns: usize) -> f64 {
    let value = |at: &[f32; 2]| values[at[1] as usize * columns + at[0] as usize];
    match starts {
        Starts::At(place) => value(place),
        Starts::AnyOf(places) => places.iter().map(value).sum::<f64>() / places.len() as f64,
    }
}
