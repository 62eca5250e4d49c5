//! A walk that is ready to start: what the arguments say, held against the surface.

use super::args::{Args, Edges, WalkName, name};
use super::surface::{Ground, Surface};
use crate::engine::Engine;
use crate::kernels::drift_entries;
use crate::landscape::{Chain, Plane, Potential, bilinear_cells, largest_time_step};
use crate::pipeline::{Motion, Starts, WalkJob};
use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

/// A walk that is ready to start.
pub(super) struct Walk<'a> {
    pub(super) args: &'a Args,
    pub(super) surface: Surface,
    /// The lattice walk on a grid as a chain.
    pub(super) chain: Option<Chain>,
    /// Time of a step; 1 for the lattice walk.
    pub(super) dt: f64,
    pub(super) motion: Motion,
    pub(super) starts: Starts,
    /// What lengths are in, and how many of it a walker's unit is.
    pub(super) unit: &'static str,
    pub(super) scale: f64,
    /// Mean squared displacement of a free walker's step, in that unit.
    pub(super) free_msd_a_step: f64,
}

impl<'a> Walk<'a> {
    /// Checks what the arguments say against the surface.
    pub(super) fn resolve(args: &'a Args, surface: Surface) -> anyhow::Result<Self> {
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
    pub(super) fn plan(&self, engine: &dyn Engine, pair: [usize; 2]) -> Value {
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

    pub(super) fn job<'j>(
        &'j self,
        motion: &'j Motion,
        starts: &'j Starts,
        steps: u32,
    ) -> WalkJob<'j> {
        WalkJob {
            motion,
            starts,
            walkers: self.args.walkers,
            steps,
            seed: self.args.seed,
            moments_at: &[],
            occupation_at: &[],
            targets: &[],
            shape: [0, 0],
        }
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

    /// The law that walkers at a grid's points come to, with reflecting edges.
    pub(super) fn law(&self) -> Option<Vec<f64>> {
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
