//! Walks to a target: which of two basins is reached, and when, exactly and by walkers.

use crate::engine::Engine;
use crate::job::walk::{Edges, Ground, Walk};
use crate::job::{JobError, Observer, Stage};
use crate::landscape::{
    Chain, LANDSCAPE_ITEMS, WalkError, committor, item_basin, mean_first_passage,
};
use crate::pipeline::{Arrived, Motion, Starts, WalkPlan, walk};
use crate::remedy::Setting;
use crate::run::RunError;

/// Steps after which walkers that have not arrived are given up.
const PATIENCE: u32 = 200_000;
/// Mean times that walkers are given to arrive: of an exponential law, e^-15 are later.
const MEAN_TIMES: f64 = 15.0;

/// A number, exactly and by walkers.
struct Comparison {
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
    compared: Vec<Comparison>,
    /// Why there is no more.
    note: Option<String>,
    /// Steps of all walkers together.
    pub(super) work: u64,
}

impl Passages {
    /// Walks to the edges where they absorb, else to the basins of a landscape; nothing where there
    /// is neither, or the walk is not that of the chain.
    pub(super) fn walk(
        walk: &Walk<'_>,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<Option<Self>, RunError> {
        let (Some(chain), Ground::Grid(potential)) = (&walk.chain, &walk.surface.ground) else {
            return Ok(None);
        };
        let (names, basins) = match (&walk.surface.landscape, walk.job.edges) {
            (_, Edges::Absorbing) => (vec!["the edge".to_owned()], vec![potential.rim()]),
            (Some(file), Edges::Reflecting) => {
                if file.landscape.steps != potential.shape()[0] {
                    return Ok(None); // basins are those of the landscape's own points
                }
                let pair = walk.job.basins;
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
        match found.compare(walk, chain, engine, observer) {
            Ok(()) => {}
            // The rest of the walk is worth having.
            Err(RunError::Job(JobError::Walk(WalkError::Overlap))) => {
                found.note = Some("the two are one region of one predicted class".into());
            }
            Err(RunError::Job(JobError::Walk(reason @ WalkError::TooLong { .. }))) => {
                found.note = Some(reason.to_string());
            }
            Err(error) => return Err(error),
        }
        Ok(Some(found))
    }

    fn compare(
        &mut self,
        walk: &Walk<'_>,
        chain: &Chain,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<(), RunError> {
        if let [first, second] = &self.basins[..] {
            let h = committor(chain, first, second).map_err(JobError::from)?;
            let either: Vec<bool> = first.iter().zip(second).map(|(a, b)| *a || *b).collect();
            let times = mean_first_passage(chain, &either).map_err(JobError::from)?;
            let starts = outside(&walk.starts, &either, chain.shape());
            if let Some(starts) = starts {
                let basins = &self.basins;
                let ends = arrive(walk, chain, engine, basins, &starts, &times, observer)?;
                let count = ends.arrived() as f64;
                let share = ends.arrivals[1].walkers as f64 / count;
                self.compared.push(Comparison {
                    what: format!("{} before {}", self.names[1], self.names[0]),
                    exact: mean_over(&starts, &h, chain.shape()[1]),
                    walkers: share,
                    error: (share * (1.0 - share) / count).sqrt(),
                    arrived: count / f64::from(ends.walkers),
                });
                self.work += ends.work();
            }
            self.committor = Some(h);
        }
        let target = &self.basins[self.basins.len() - 1..];
        let times = mean_first_passage(chain, &target[0]).map_err(JobError::from)?;
        if let Some(starts) = outside(&walk.starts, &target[0], chain.shape()) {
            let ends = arrive(walk, chain, engine, target, &starts, &times, observer)?;
            let name = self.names.last().cloned().unwrap_or_default();
            let [mean, error] = ends.arrivals[0].mean_steps();
            self.compared.push(Comparison {
                what: format!("mean steps until {name}"),
                exact: mean_over(&starts, &times, chain.shape()[1]),
                walkers: mean,
                error,
                arrived: ends.arrived() as f64 / f64::from(ends.walkers),
            });
            self.work += ends.work();
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
                let Comparison {
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

/// The end of a walk to targets.
struct Ends {
    /// Of each target.
    arrivals: Vec<Arrived>,
    walkers: u32,
    /// Steps after which walkers were given up.
    steps: u32,
}

impl Ends {
    /// Walkers that came to one of the targets.
    fn arrived(&self) -> u64 {
        self.arrivals.iter().map(|arrived| arrived.walkers).sum()
    }

    /// Steps of all walkers together.
    fn work(&self) -> u64 {
        let arrived: u64 = self.arrivals.iter().map(|arrived| arrived.steps).sum();
        arrived + (u64::from(self.walkers) - self.arrived()) * u64::from(self.steps)
    }
}

fn arrive(
    walk_plan: &Walk<'_>,
    chain: &Chain,
    engine: &dyn Engine,
    targets: &[Vec<bool>],
    starts: &Starts,
    times: &[f64],
    observer: &dyn Observer,
) -> Result<Ends, RunError> {
    let [_, columns] = chain.shape();
    let absorbing: Vec<bool> = (0..times.len())
        .map(|point| targets.iter().any(|target| target[point]))
        .collect();
    let motion = Motion::Lattice {
        entries: chain.entries(&absorbing),
        strides: [1, columns as i32],
    };
    let longest = times.iter().copied().fold(1.0, f64::max);
    let steps = (MEAN_TIMES * longest).ceil().min(f64::from(PATIENCE)) as u32;
    let job = WalkPlan {
        targets,
        shape: chain.shape(),
        ..walk_plan.walkers(&motion, starts, steps)
    };
    let total = job.walkers as usize * steps as usize;
    observer.begin(Stage {
        total,
        unit: "walker-steps to the basins",
    });
    let record = walk(engine, &job, &|work| observer.advance(work))?;
    observer.end();
    let ends = Ends {
        arrivals: record.arrived,
        walkers: job.walkers,
        steps,
    };
    if ends.arrived() == 0 {
        return Err(RunError::refused_but(
            format!("no walker arrived within {steps} steps"),
            "use a higher {} or more {}",
            &[Setting::Temperature, Setting::Walkers],
        ));
    }
    Ok(ends)
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
