//! `morphscape walk`: random walks.
//!
//! ```text
//! arguments -> Surface (plane or grid) -> Motion -> free walk -> exponent, occupation
//!                                      -> walks to the basins, exact solutions -> passages
//!                                      -> tensors, table, figures, report, manifest
//! ```

mod files;
mod passage;
mod surface;

use super::Verbosity;
use super::options::{DataArgs, EngineArgs, ModelArgs};
use super::output::OutputFolder;
use super::progress::Progress;
use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::kernels::drift_entries;
use crate::landscape::{
    Chain, Exponent, Plane, Potential, bilinear_cells, exponent, largest_time_step,
};
use crate::pipeline::{
    MeanMoments, Motion, Starts, WalkJob, WalkRecord, log_spaced, walk, walk_paths,
};
use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use files::Results;
use passage::Passages;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;
use surface::{Ground, Surface, SurfaceArgs};

/// What walks, and on what.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    surface: SurfaceArgs,
    /// lattice: one of the four neighbours a step, accepted as Metropolis does; langevin: downhill
    /// with jitter, in time steps of --dt
    #[arg(long, value_enum, default_value = "lattice")]
    walk: WalkName,
    /// Temperature, in the unit of the surface's height; at 1, walkers on -ln p come to be spread
    /// as p
    #[arg(
        long,
        value_name = "T",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    temperature: f64,
    /// Time of a step of the Langevin walk [default: a quarter of the largest that is accepted, on
    /// planes at most 0.01]
    #[arg(long, value_name = "DT", allow_negative_numbers = true)]
    dt: Option<f64>,
    /// How many walkers
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    walkers: u32,
    /// Steps of each walker
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=MAX_STEPS))]
    length: u32,
    /// Where walkers start: minimum, uniform (each at a grid point of its own), or a place X,Y
    /// [default: uniform on fractals and landscapes, else minimum]
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
    start: Option<String>,
    /// What the edges of a grid do; flat surfaces, and bowls of a Langevin walk, have none
    #[arg(long, value_enum, default_value = "reflecting")]
    edges: Edges,
    /// On a landscape: the two items, of A, B and C, whose basins a lattice walk is to reach
    #[arg(long, value_name = "X,Y", default_value = "A,B")]
    basins: String,
    /// Seed of the walk and of a fractal surface
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Draw figures and the report, or none
    #[arg(long, value_enum, default_value = "all")]
    figures: FiguresName,
    /// Figure files to write, any of svg, png
    #[arg(
        long,
        value_enum,
        value_name = "KIND,...",
        value_delimiter = ',',
        default_value = "svg"
    )]
    format: Vec<Kind>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "morphscape-walk")]
    out: PathBuf,
    /// Write into a folder that holds another run or other files
    #[arg(long)]
    force: bool,
}

/// Coordinates of a free walker are whole numbers that a 32-bit float holds.
const MAX_STEPS: i64 = 1 << 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum WalkName {
    Lattice,
    Langevin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Edges {
    /// Walkers are thrown back
    Reflecting,
    /// Walkers that come to the outermost points stay there for good
    Absorbing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FiguresName {
    None,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    Svg,
    Png,
}

/// A walk that is ready to start.
pub(super) struct Walk<'a> {
    args: &'a Args,
    surface: Surface,
    /// The lattice walk on a grid as a chain.
    chain: Option<Chain>,
    /// Time of a step; 1 for the lattice walk.
    dt: f64,
    motion: Motion,
    starts: Starts,
    /// What lengths are in, and how many of it a walker's unit is.
    unit: &'static str,
    scale: f64,
    /// Mean squared displacement of a free walker's step, in that unit.
    free_msd_a_step: f64,
}

pub(super) fn run(args: &Args, verbosity: Verbosity) -> anyhow::Result<()> {
    let started = Instant::now();
    // The classifier runs on the engine, too.
    let engine = args.engine.open(verbosity)?;
    let info = engine.info().clone();
    let surface = args.surface.resolve(args, engine.as_ref(), verbosity)?;
    let walk = Walk::resolve(args, surface)?;
    let pair = passage::pair(&args.basins)?;
    let plan = walk.plan(engine.as_ref(), pair);
    let mut folder = OutputFolder::prepare(&args.out, plan, args.force)?;
    let walking = Instant::now();
    let results = walk.execute(engine.as_ref(), pair, verbosity)?;
    let walk_s = walking.elapsed().as_secs_f64();
    let facts = walk.facts(&results);
    files::write(
        &walk,
        &folder,
        &results,
        &facts,
        args.figures == FiguresName::All,
    )?;
    let facts_json: serde_json::Map<String, Value> = facts
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    folder.set("results", Value::Object(facts_json));
    folder.set(
        "engine",
        json!({"engine": info.engine, "adapter": info.adapter, "driver": info.driver}),
    );
    let total_s = started.elapsed().as_secs_f64();
    folder.set("timings", json!({"walk_s": walk_s, "total_s": total_s}));
    folder.finish()?;
    if verbosity > Verbosity::Quiet {
        let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let mut out = std::io::stdout().lock();
        for (name, value) in &facts {
            writeln!(out, "{name:<width$}  {value}")?;
        }
    }
    let work = results.work as f64;
    verbosity.say(
        Verbosity::Normal,
        format!(
            "{work:.3e} walker-steps in {walk_s:.2} s ({:.3e} a second) on {}; {total_s:.2} s in all; written to {}",
            work / walk_s,
            if info.engine == "cpu" {
                format!("the CPU engine, {}", info.adapter)
            } else {
                info.adapter
            },
            args.out.display()
        ),
    );
    Ok(())
}

impl<'a> Walk<'a> {
    /// Checks what the arguments say against the surface.
    fn resolve(args: &'a Args, surface: Surface) -> anyhow::Result<Self> {
        let langevin = args.walk == WalkName::Langevin;
        ensure!(
            langevin || args.dt.is_none(),
            "--dt is the time step of --walk langevin; a lattice walk has none"
        );
        let temperature = args.temperature;
        let (chain, dt, motion) = match (&surface.ground, langevin) {
            (Ground::Plane(plane), false) => {
                let motion = Motion::Lattice {
                    entries: vec![drift_entries(plane.drift)],
                    strides: [0, 0],
                };
                (None, 1.0, motion)
            }
            (Ground::Plane(plane), true) => {
                let dt = args.dt.unwrap_or_else(|| default_plane_step(plane));
                let step = plane.langevin(temperature, dt).context("--walk langevin")?;
                let cells = vec![[0.0; 4]];
                (None, dt, Motion::Langevin { cells, step })
            }
            (Ground::Grid(potential), false) => {
                let chain = Chain::metropolis(potential, temperature).context("--temperature")?;
                let motion = Motion::Lattice {
                    entries: chain.entries(&absorbing_edges(potential, args.edges)),
                    strides: [1, potential.shape()[1] as i32],
                };
                (Some(chain), 1.0, motion)
            }
            (Ground::Grid(potential), true) => {
                let largest = largest_time_step(potential, temperature).context("--temperature")?;
                let dt = args.dt.unwrap_or(0.25 * largest);
                let absorbing = absorbing_edges(potential, args.edges);
                let (cells, step) = bilinear_cells(potential, temperature, dt, &absorbing)
                    .context("--walk langevin")?;
                (None, dt, Motion::Langevin { cells, step })
            }
        };
        let (unit, scale) = match (&surface.ground, langevin) {
            (_, false) => ("grid steps", 1.0),
            (Ground::Plane(_), true) => ("units of the plane", 1.0),
            (Ground::Grid(potential), true) => ("units of the axes", potential.spacing()),
        };
        let starts = starts(args, &surface)?;
        Ok(Self {
            free_msd_a_step: if langevin {
                4.0 * temperature * dt
            } else {
                1.0
            },
            args,
            surface,
            chain,
            dt,
            motion,
            starts,
            unit,
            scale,
        })
    }

    /// Everything that decides the numbers of the run, for the manifest.
    fn plan(&self, engine: &dyn Engine, pair: [usize; 2]) -> Value {
        let args = self.args;
        let info = engine.info();
        json!({
            "job": "walk",
            "program": env!("CARGO_PKG_VERSION"),
            "surface": self.surface.plan,
            "walk": name(args.walk),
            "temperature": args.temperature,
            "dt": self.dt,
            "walkers": args.walkers,
            "length": args.length,
            "start": args.start,
            "edges": name(args.edges),
            "basins": self.surface.landscape.as_ref().map(|_| pair),
            "seed": args.seed,
            "engine": info.engine,
            "adapter": if info.engine == "gpu" { info.adapter.as_str() } else { "" },
        })
    }

    fn job<'j>(&'j self, motion: &'j Motion, starts: &'j Starts, steps: u32) -> WalkJob<'j> {
        WalkJob {
            motion,
            starts,
            walkers: self.args.walkers,
            steps,
            seed: self.args.seed,
            moments_at: &[],
            occupation_at: &[],
            shape: [0, 0],
        }
    }

    fn execute(
        &self,
        engine: &dyn Engine,
        pair: [usize; 2],
        verbosity: Verbosity,
    ) -> anyhow::Result<Results> {
        let length = self.args.length;
        let lags = log_spaced(length, 8);
        let reflecting = self.args.edges == Edges::Reflecting;
        let (shape, counted) = match &self.surface.ground {
            Ground::Grid(potential) if reflecting => (potential.shape(), second_half(length)),
            _ => ([0, 0], Vec::new()),
        };
        let job = WalkJob {
            moments_at: &lags,
            occupation_at: &counted,
            shape,
            ..self.job(&self.motion, &self.starts, length)
        };
        let total = job.walkers as usize * length as usize;
        let progress = Progress::counting(total, "walker-steps", verbosity);
        let WalkRecord {
            moments,
            occupation,
        } = walk(engine, &job, &|work| progress.advance(work), &mut |_| ())?;
        progress.finish();
        let moments: Vec<MeanMoments> = moments.iter().map(|at| at.scaled(self.scale)).collect();
        let msd: Vec<f64> = moments.iter().map(|at| at.msd).collect();
        let passages = Passages::walk(self, engine, pair, verbosity)?;
        let path_steps = self.path_steps();
        let shown = WalkJob {
            steps: path_steps,
            ..job.clone()
        };
        // On the CPU whatever the engine: hundreds of tiny commands.
        let few = self.args.walkers.min(PATHS);
        let stride = path_steps.div_ceil(PATH_POINTS);
        let paths = walk_paths(&CpuEngine::new(), &shown, few, stride)?;
        Ok(Results {
            exponent: exponent(&lags, &msd, length),
            moments,
            occupation: shares(&occupation),
            work: total as u64 + passages.as_ref().map_or(0, |passages| passages.work),
            passages,
            paths,
        })
    }

    /// Steps of the paths that are drawn: on a grid no more than can be told apart.
    pub(super) fn path_steps(&self) -> u32 {
        match (&self.surface.ground, self.args.walk) {
            (Ground::Grid(potential), WalkName::Lattice) => {
                self.args.length.min(8 * potential.shape()[1] as u32)
            }
            _ => self.args.length,
        }
    }

    /// What the walk came to, in words and numbers.
    fn facts(&self, results: &Results) -> Vec<(String, String)> {
        let mut facts = vec![("surface".to_owned(), self.surface.subtitle.clone())];
        let mut fact = |name: &str, value: String| facts.push((name.to_owned(), value));
        fact("exponent", exponent_text(results.exponent));
        if let Some(end) = results.moments.last() {
            fact(
                "at the end",
                format!(
                    "MSD {:.4e} +- {:.1e}, mean distance {:.4e} ({}), after {} steps",
                    end.msd, end.msd_error, end.distance, self.unit, end.step
                ),
            );
            if self.args.edges == Edges::Absorbing {
                fact("not absorbed", format!("{:.4} of the walkers", end.moving));
            }
        }
        if let (Some(law), Some(occupation)) = (self.law(), &results.occupation) {
            let miss = law
                .iter()
                .zip(occupation)
                .map(|(p, share)| (p - share).abs());
            fact(
                "occupation",
                format!(
                    "total variation {:.4} from e^(-U/T), in the second half of the walk",
                    0.5 * miss.sum::<f64>()
                ),
            );
        }
        if let Some(passages) = &results.passages {
            facts.extend(passages.facts());
        }
        facts
    }

    /// The law that walkers at a grid's points come to, with reflecting edges.
    fn law(&self) -> Option<Vec<f64>> {
        match (&self.surface.ground, self.args.edges) {
            // Langevin walkers are counted by the nearest point, which comes to the same up to the
            // bend of e^(-U/T) within a cell, and half as much at an edge.
            (Ground::Grid(potential), Edges::Reflecting) => {
                let chain = Chain::metropolis(potential, self.args.temperature).ok()?;
                let mut law = chain.stationary();
                if self.args.walk == WalkName::Langevin {
                    halve_edges(&mut law, potential.shape());
                }
                Some(law)
            }
            _ => None,
        }
    }
}

/// Paths drawn, and points of each.
const PATHS: u32 = 4;
const PATH_POINTS: u32 = 400;

fn default_plane_step(plane: &Plane) -> f64 {
    let steepest = plane
        .curvature
        .map(|c| 2.0 * c.abs())
        .into_iter()
        .fold(0.0, f64::max);
    (0.25 / steepest).min(0.01)
}

fn absorbing_edges(potential: &Potential, edges: Edges) -> Vec<bool> {
    match edges {
        Edges::Reflecting => vec![false; potential.values().len()],
        Edges::Absorbing => potential.rim(),
    }
}

/// Half a cell lies about a point of an edge, a quarter about a corner.
fn halve_edges(law: &mut [f64], [rows, columns]: [usize; 2]) {
    for (k, p) in law.iter_mut().enumerate() {
        let (i, j) = (k / columns, k % columns);
        let halved = [i == 0 || i == rows - 1, j == 0 || j == columns - 1];
        *p *= halved
            .map(|halved| if halved { 0.5 } else { 1.0 })
            .iter()
            .product::<f64>();
    }
    let sum: f64 = law.iter().sum();
    law.iter_mut().for_each(|p| *p /= sum);
}

/// Steps at which the occupation is taken: 21 over the second half.
fn second_half(length: u32) -> Vec<u32> {
    let mut steps: Vec<u32> = (20..=40)
        .map(|n| (u64::from(length) * n / 40) as u32)
        .filter(|&step| step > 0)
        .collect();
    steps.dedup();
    steps
}

fn shares(counts: &[u64]) -> Option<Vec<f64>> {
    let total = counts.iter().sum::<u64>() as f64;
    (total > 0.0).then(|| counts.iter().map(|&count| count as f64 / total).collect())
}

fn exponent_text(fit: Option<Exponent>) -> String {
    match fit {
        Some(fit) => format!(
            "{:.4} +- {:.4} (MSD over lags {} to {}, {} of them)",
            fit.alpha, fit.standard_error, fit.lags[0], fit.lags[1], fit.points
        ),
        None => "none: fewer than three lags with motion".to_owned(),
    }
}

/// Where walkers start, from `--start`.
fn starts(args: &Args, surface: &Surface) -> anyhow::Result<Starts> {
    let asked = args.start.as_deref().unwrap_or(surface.default_start);
    let place = |text: &str| -> Option<[f64; 2]> {
        let (x, y) = text.split_once(',')?;
        let number = |part: &str| {
            part.trim()
                .parse::<f64>()
                .ok()
                .filter(|value| value.is_finite())
        };
        Some([number(x)?, number(y)?])
    };
    let potential = match &surface.ground {
        Ground::Grid(potential) => potential,
        Ground::Plane(_) => {
            return match asked {
                "minimum" => Ok(Starts::At([0.0, 0.0])),
                "uniform" => bail!(
                    "--start uniform: a plane without edges has no uniform start; use minimum or X,Y"
                ),
                text => {
                    let [x, y] = place(text).with_context(|| {
                        format!("--start {text}: expected minimum or a place X,Y")
                    })?;
                    let lattice = args.walk == WalkName::Lattice;
                    ensure!(
                        !lattice
                            || (x.fract() == 0.0 && y.fract() == 0.0 && x.abs().max(y.abs()) < 1e6),
                        "--start {text}: a lattice walk starts at whole numbers below a million"
                    );
                    Ok(Starts::At([x as f32, y as f32]))
                }
            };
        }
    };
    let [rows, columns] = potential.shape();
    let point = |k: usize| [(k % columns) as f32, (k / columns) as f32];
    match asked {
        "minimum" => Ok(Starts::At(point(potential.minimum()))),
        "uniform" => {
            let absorbing = absorbing_edges(potential, args.edges);
            let free = (0..absorbing.len())
                .filter(|&k| !absorbing[k])
                .map(point)
                .collect();
            Ok(Starts::AnyOf(free))
        }
        text => {
            let [low, high] = surface.range;
            let inside = |at: &[f64; 2]| at.iter().all(|at| (low..=high).contains(at));
            let at = place(text).filter(inside).with_context(|| {
                format!("--start {text}: expected minimum, uniform, or a place X,Y, each from {low} to {high}")
            })?;
            let nearest = |at: f64, points: usize| {
                ((at - low) / (high - low) * (points - 1) as f64).round() as f32
            };
            Ok(Starts::At([nearest(at[0], columns), nearest(at[1], rows)]))
        }
    }
}

/// An option's value as it is written.
fn name(value: impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}
