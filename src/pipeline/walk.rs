//! Walkers, in batches: what is recorded of a walk, and what comes back of it.
//!
//! ```text
//! starts ─ upload ─> walk ─ moments ─ walk ─ occupation ─ ... ─ download ─> next recording, or the end
//! ```
//!
//! A batch of walkers goes through all its steps before the next starts, so that memory is that of
//! a batch, whatever the numbers of walkers and steps. No path is stored: at chosen steps the device
//! sums up where the walkers are, and at its end each recording those that have come to a target.
//! Only between recordings do walkers pass through the host, which leaves out the absorbed. Commands are short, so that no driver takes a device for hung,
//! and recordings last about a second, so that a job can be stopped.

use super::PipelineError;
use super::batches::in_batches;
use crate::engine::Engine;
use crate::kernels::{
    Arrivals, BUDGET, Buf, LangevinStep, MOMENTS_GROUP, Moments, Recording, Span, Walker, philox,
};
use std::ops::ControlFlow;

/// How walkers move.
#[derive(Debug, Clone, PartialEq)]
pub enum Motion {
    /// From point to point.
    Lattice {
        /// The entries of every point.
        entries: Vec<[u32; 4]>,
        /// Points from one column to the next, and from one row to the next.
        strides: [i32; 2],
    },
    /// Downhill, with jitter.
    Langevin {
        /// Pull and absorbing corners of every cell.
        cells: Vec<[f32; 4]>,
        /// What a step is.
        step: LangevinStep,
    },
}

/// Where walkers start.
#[derive(Debug, Clone, PartialEq)]
pub enum Starts {
    /// All at one place.
    At([f32; 2]),
    /// Each at one of these places, all equally likely.
    AnyOf(Vec<[f32; 2]>),
}

/// What a walk is.
#[derive(Debug, Clone)]
pub struct WalkPlan<'a> {
    /// How walkers move.
    pub motion: &'a Motion,
    /// Where they start.
    pub starts: &'a Starts,
    /// How many there are.
    pub walkers: u32,
    /// Steps each of them takes.
    pub steps: u32,
    /// Decides all random numbers, with a walker's number and the step.
    pub seed: u64,
    /// After which steps moments are taken, ascending.
    pub moments_at: &'a [u32],
    /// After which steps walkers are counted at the grid's points, ascending.
    pub occupation_at: &'a [u32],
    /// Targets `[rows, columns]` whose arrivals are counted: walkers that are absorbed at their
    /// points, and those that stand there at the end.
    pub targets: &'a [Vec<bool>],
    /// Rows and columns of the grid, for occupation and targets.
    pub shape: [usize; 2],
}

/// Means over the walkers at one time, in the walkers' unit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MeanMoments {
    /// After how many steps.
    pub step: u32,
    /// Mean displacement along x and y.
    pub displacement: [f64; 2],
    /// Mean distance from the start.
    pub distance: f64,
    /// Mean squared displacement.
    pub msd: f64,
    /// Its standard error.
    pub msd_error: f64,
    /// Share of the walkers that are not absorbed, 0..1.
    pub moving: f64,
}

/// What a walk brought back.
#[derive(Debug, Clone, PartialEq)]
pub struct WalkRecord {
    /// One entry for each of [`WalkPlan::moments_at`].
    pub moments: Vec<MeanMoments>,
    /// Walkers counted at each point `[rows, columns]`, over all of [`WalkPlan::occupation_at`].
    pub occupation: Vec<u64>,
    /// One entry for each of [`WalkPlan::targets`].
    pub arrived: Vec<Arrived>,
}

/// Walkers that came to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Arrived {
    /// How many.
    pub walkers: u64,
    /// Sum of their steps.
    pub steps: u64,
    /// Sum of the squares of their steps.
    pub squares: u128,
}

impl Arrived {
    /// Mean number of steps, and its standard error; NaN where none arrived.
    pub fn mean_steps(&self) -> [f64; 2] {
        let count = self.walkers as f64;
        let mean = self.steps as f64 / count;
        let square = self.squares as f64 / count;
        [mean, ((square - mean * mean).max(0.0) / count).sqrt()]
    }

    fn add(&mut self, group: &Arrivals) {
        self.walkers += u64::from(group.walkers);
        self.steps += group.steps();
        self.squares += u128::from(group.squares());
    }
}

/// Steps of all its walkers together that one command takes at most: milliseconds on a GPU, under
/// a second on a software adapter.
const COMMAND_WORK: usize = 1 << 25;
/// Those of a recording, and its commands.
const RECORDING_WORK: usize = 1 << 28;
const RECORDING_COMMANDS: usize = 48;

/// Walks. `progress` gets the number of walkers' steps done since it was last told, and may stop
/// the job.
///
/// The same job gives the same walkers whatever the engine's batches are; lattice walkers are the
/// same on every engine, too.
///
/// # Errors
/// [`PipelineError`] when there are no walkers or steps, parts of the job do not fit each other,
/// the engine fails, or the job is stopped.
pub fn walk(
    engine: &dyn Engine,
    job: &WalkPlan<'_>,
    progress: &dyn Fn(usize) -> ControlFlow<()>,
) -> Result<WalkRecord, PipelineError> {
    if job.walkers == 0 || job.steps == 0 {
        return Err(PipelineError::NoWalk {
            walkers: job.walkers,
            steps: job.steps,
        });
    }
    job.check()?;
    let fits = engine.batch_buffer_bytes() / size_of::<Walker>() / MOMENTS_GROUP * MOMENTS_GROUP;
    let groups_a_batch = fits.clamp(MOMENTS_GROUP, BUDGET.walkers) / MOMENTS_GROUP;
    let mut sums = Sums::new(job);
    // Work that progress was told of; a batch that is halved does some of it again.
    let mut told = 0u64;
    let groups = (job.walkers as usize).div_ceil(MOMENTS_GROUP);
    in_batches(engine, groups, groups_a_batch, |engine, groups| {
        let [first, end] = [groups.start, groups.end]
            .map(|group| (group * MOMENTS_GROUP).min(job.walkers as usize) as u32);
        let mut batch = Batch {
            job,
            step: 0,
            walkers: (first..end)
                .map(|number| Walker::at(job.starts.of(number, job.seed), number))
                .collect(),
        };
        // Kept when the whole batch has come through.
        let mut sums_after = sums.clone();
        while batch.step < job.steps && !batch.walkers.is_empty() {
            batch.go_on(engine, &mut sums_after)?;
            let done = u64::from(first) * u64::from(job.steps)
                + u64::from(end - first) * u64::from(batch.step);
            let more = done.saturating_sub(told);
            told += more;
            if progress(more as usize).is_break() {
                return Err(PipelineError::Interrupted);
            }
            batch.drop_absorbed();
        }
        sums = sums_after;
        Ok(())
    })?;
    let moments = job
        .moments_at
        .iter()
        .zip(sums.moments)
        .map(|(&step, sums)| MeanMoments::new(step, sums, f64::from(job.walkers)))
        .collect();
    Ok(WalkRecord {
        moments,
        occupation: sums.occupation,
        arrived: sums.arrived,
    })
}

/// Where the first walkers of a job are after every `stride` steps, `[walkers][points]`, the start
/// included: paths for a picture.
///
/// # Errors
/// [`PipelineError`] when parts of the job do not fit each other, or the engine fails.
pub fn walk_paths(
    engine: &dyn Engine,
    job: &WalkPlan<'_>,
    walkers: u32,
    stride: u32,
) -> Result<Vec<Vec<[f32; 2]>>, PipelineError> {
    job.check()?;
    let starts: Vec<Walker> = (0..walkers)
        .map(|number| Walker::at(job.starts.of(number, job.seed), number))
        .collect();
    let mut paths: Vec<Vec<[f32; 2]>> = starts.iter().map(|w| vec![[w.x, w.y]]).collect();
    in_batches(engine, starts.len(), starts.len(), |engine, batch| {
        let mut recording = Recording::new();
        let table = job.motion.upload(&mut recording);
        let mut walkers = recording.upload("walk.walkers", &starts[batch.clone()]);
        let mut places = Vec::new();
        let mut step = 0;
        while step < job.steps {
            let steps = stride.max(1).min(job.steps - step);
            walkers = table.record(&mut recording, walkers, job.span(step, steps));
            recording.download(walkers);
            places.push(walkers);
            step += steps;
        }
        let downloads = engine.run(&recording)?;
        for place in places {
            for (path, walker) in paths[batch.clone()].iter_mut().zip(downloads.values(place)) {
                path.push([walker.x, walker.y]);
            }
        }
        Ok(())
    })?;
    Ok(paths)
}

impl Starts {
    /// The start of a walker: by seed and number, from a stream of numbers that no step uses.
    fn of(&self, number: u32, seed: u64) -> [f32; 2] {
        match self {
            Self::At(place) => *place,
            Self::AnyOf(places) => {
                let [word, ..] = philox([0, number, 1, 0], [seed as u32, (seed >> 32) as u32]);
                let chosen = (u64::from(word) * places.len() as u64) >> 32;
                places[chosen as usize]
            }
        }
    }
}

impl WalkPlan<'_> {
    /// Checks what the kernels take for granted.
    fn check(&self) -> Result<(), PipelineError> {
        let wrong = |part, expected: String, found: String| {
            Err(PipelineError::WalkPart {
                part,
                expected,
                found,
            })
        };
        if matches!(self.starts, Starts::AnyOf(places) if places.is_empty()) {
            return wrong("starts", "at least one place".into(), "none".into());
        }
        let records = [
            ("moments", self.moments_at),
            ("occupation", self.occupation_at),
        ];
        for (part, at) in records {
            if !at.is_sorted() {
                return wrong(part, "ascending steps".into(), format!("{at:?}"));
            }
        }
        let [rows, columns] = self.shape;
        let points = rows.saturating_mul(columns);
        match self.targets.iter().find(|target| target.len() != points) {
            None => Ok(()),
            Some(target) => wrong(
                "target",
                format!("{rows} x {columns} points"),
                format!("{}", target.len()),
            ),
        }
    }

    fn span(&self, first_step: u32, steps: u32) -> Span {
        Span {
            seed: self.seed,
            first_step,
            steps,
        }
    }

    /// The next step after `step` of each kind of record.
    fn stops_after(&self, step: u32) -> impl Iterator<Item = u32> {
        [self.moments_at, self.occupation_at]
            .into_iter()
            .filter_map(move |steps| steps.iter().copied().find(|&at| at > step))
    }

    /// The next step after `step` at which something is recorded, or the end.
    fn next_stop(&self, step: u32) -> u32 {
        self.stops_after(step).fold(self.steps, u32::min)
    }
}

/// A motion's table on the device.
enum Table<'a> {
    Lattice(Buf<[u32; 4]>, [i32; 2]),
    Langevin(Buf<[f32; 4]>, &'a LangevinStep),
}

impl Motion {
    fn upload(&self, recording: &mut Recording) -> Table<'_> {
        match self {
            Self::Lattice { entries, strides } => {
                Table::Lattice(recording.upload("walk.entries", entries), *strides)
            }
            Self::Langevin { cells, step } => {
                Table::Langevin(recording.upload("walk.cells", cells), step)
            }
        }
    }
}

impl Table<'_> {
    fn record(&self, recording: &mut Recording, walkers: Buf<Walker>, span: Span) -> Buf<Walker> {
        match *self {
            Self::Lattice(entries, strides) => {
                recording.lattice_walk(walkers, entries, strides, span)
            }
            Self::Langevin(cells, step) => recording.langevin_walk(walkers, cells, step, span),
        }
    }
}

/// What is summed up over batches.
#[derive(Clone)]
struct Sums {
    moments: Vec<[f64; 6]>,
    occupation: Vec<u64>,
    arrived: Vec<Arrived>,
}

impl Sums {
    fn new(job: &WalkPlan<'_>) -> Self {
        Self {
            moments: vec![[0.0; 6]; job.moments_at.len()],
            occupation: match job.occupation_at {
                [] => Vec::new(),
                _ => vec![0; job.shape[0] * job.shape[1]],
            },
            arrived: vec![Arrived::default(); job.targets.len()],
        }
    }
}

/// Walkers on their way.
struct Batch<'a> {
    job: &'a WalkPlan<'a>,
    /// Steps done.
    step: u32,
    walkers: Vec<Walker>,
}

impl Batch<'_> {
    /// Whether moments or occupation are still to be recorded.
    fn has_stops(&self) -> bool {
        self.job.stops_after(self.step).next().is_some()
    }

    /// Leaves out the walkers that are absorbed, once nothing is left to record: they would only
    /// stand there.
    fn drop_absorbed(&mut self) {
        if !self.has_stops() {
            self.walkers.retain(|walker| walker.steps >= self.step);
        }
    }

    /// Runs one recording: as many steps as it may take, or to the end.
    fn go_on(&mut self, engine: &dyn Engine, sums: &mut Sums) -> Result<(), PipelineError> {
        let job = self.job;
        let count = self.walkers.len();
        let most_steps = |work: usize| (work / count).clamp(1, u32::MAX as usize) as u32;
        let mut recording = Recording::new();
        let table = job.motion.upload(&mut recording);
        let mut walkers = recording.upload("walk.walkers", &self.walkers);
        let end = job
            .steps
            .min(self.step.saturating_add(most_steps(RECORDING_WORK)));
        let (mut moments, mut counted) = (Vec::new(), Vec::new());
        let mut commands = 0;
        while self.step < end && commands < RECORDING_COMMANDS {
            let stop = job.next_stop(self.step).min(end);
            let steps = (stop - self.step).min(most_steps(COMMAND_WORK));
            let span = job.span(self.step, steps);
            walkers = table.record(&mut recording, walkers, span);
            self.step += steps;
            commands += 1;
            if let Ok(at) = job.moments_at.binary_search(&self.step) {
                let buf = recording.walk_moments(walkers, self.step);
                recording.download(buf);
                moments.push((at, buf));
            }
            if job.occupation_at.binary_search(&self.step).is_ok() {
                let buf = recording.walk_occupation(walkers, job.shape);
                recording.download(buf);
                counted.push(buf);
            }
        }
        let is_end = self.step == job.steps;
        // Each walker is counted once: when it is dropped, or at the end.
        let steps_below = if is_end { u32::MAX } else { self.step };
        let targets = if self.has_stops() { &[] } else { job.targets };
        let arrivals: Vec<Buf<Arrivals>> = targets
            .iter()
            .map(|target| {
                let points: Vec<u32> = target.iter().map(|&there| u32::from(there)).collect();
                let points = recording.upload("walk.target", &points);
                let buf = recording.walk_arrivals(walkers, points, job.shape, steps_below);
                recording.download(buf);
                buf
            })
            .collect();
        if !is_end {
            recording.download(walkers);
        }
        let downloads = engine.run(&recording)?;
        for (arrived, buf) in sums.arrived.iter_mut().zip(arrivals) {
            for group in downloads.values(buf) {
                arrived.add(group);
            }
        }
        for (at, buf) in moments {
            for group in downloads.values::<Moments>(buf) {
                let values = [
                    group.x,
                    group.y,
                    group.distance,
                    group.square,
                    group.fourth,
                    group.moving,
                ];
                for (sum, value) in sums.moments[at].iter_mut().zip(values) {
                    *sum += f64::from(value);
                }
            }
        }
        for buf in counted {
            for (sum, &count) in sums.occupation.iter_mut().zip(downloads.values(buf)) {
                *sum += u64::from(count);
            }
        }
        if !is_end {
            self.walkers.copy_from_slice(downloads.values(walkers));
        }
        Ok(())
    }
}

impl MeanMoments {
    fn new(step: u32, sums: [f64; 6], walkers: f64) -> Self {
        let [x, y, distance, msd, fourth, moving] = sums.map(|sum| sum / walkers);
        Self {
            step,
            displacement: [x, y],
            distance,
            msd,
            msd_error: ((fourth - msd * msd).max(0.0) / walkers).sqrt(),
            moving,
        }
    }

    /// The same in another unit, `scale` of it to one of this.
    pub fn scaled(self, scale: f64) -> Self {
        Self {
            displacement: self.displacement.map(|mean| scale * mean),
            distance: scale * self.distance,
            msd: scale * scale * self.msd,
            msd_error: scale * scale * self.msd_error,
            ..self
        }
    }
}

/// Steps from 1 to `last`, about `a_decade` of them in every decade, each once; for moments.
pub fn log_spaced(last: u32, a_decade: u32) -> Vec<u32> {
    let mut steps: Vec<u32> = (0..)
        .map(|n| 10f64.powf(f64::from(n) / f64::from(a_decade)).round())
        .take_while(|&step| step < f64::from(last))
        .map(|step| step as u32)
        .collect();
    steps.push(last);
    steps.dedup();
    steps
}
