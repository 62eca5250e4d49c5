//! A walk that is ready to start: what is asked, held against the surface.

use super::surface::{Ground, Surface};
use super::{Edges, Gait, WalkJob};
use crate::job::{JobError, Located};
use crate::kernels::drift_entries;
use crate::landscape::{Chain, Plane, Potential, bilinear_cells, largest_time_step};
use crate::pipeline::{Motion, Starts, WalkPlan};
use crate::remedy::Setting;
use serde_json::{Map, Value, json};

/// A walk that is ready to start.
pub(crate) struct Walk<'a> {
    pub(crate) job: &'a WalkJob,
    pub(crate) surface: Surface,
    /// The lattice walk on a grid as a chain.
    pub(crate) chain: Option<Chain>,
    /// Time of a step; 1 for the lattice walk.
    pub(crate) dt: f64,
    pub(crate) motion: Motion,
    pub(crate) starts: Starts,
    /// What lengths are in, and how many of it a walker's unit is.
    pub(crate) unit: &'static str,
    pub(crate) scale: f64,
    /// Mean squared displacement of a free walker's step, in that unit.
    pub(crate) free_msd_a_step: f64,
}

impl<'a> Walk<'a> {
    /// Holds what is asked against the surface.
    pub(super) fn resolve(job: &'a WalkJob, surface: Surface) -> Result<Self, JobError> {
        let langevin = job.walk == Gait::Langevin;
        if !langevin && job.dt.is_some() {
            return Err(JobError::unfit_but(
                "a lattice walk has no time step",
                "leave {} out, or give {} langevin",
                &[Setting::Dt, Setting::Walk],
            ));
        }
        let temperature = job.temperature;
        let (chain, dt, motion) = match (&surface.ground, langevin) {
            (Ground::Plane(plane), false) => {
                let motion = Motion::Lattice {
                    entries: vec![drift_entries(plane.drift)],
                    strides: [0, 0],
                };
                (None, 1.0, motion)
            }
            (Ground::Plane(plane), true) => {
                let dt = job.dt.unwrap_or_else(|| default_plane_step(plane));
                let step = plane
                    .langevin(temperature, dt)
                    .in_setting(Setting::Walk, "langevin")?;
                let cells = vec![[0.0; 4]];
                (None, dt, Motion::Langevin { cells, step })
            }
            (Ground::Grid(potential), false) => {
                let chain = Chain::metropolis(potential, temperature)
                    .in_setting(Setting::Temperature, temperature)?;
                let motion = Motion::Lattice {
                    entries: chain.entries(&absorbing_edges(potential, job.edges)),
                    strides: [1, potential.shape()[1] as i32],
                };
                (Some(chain), 1.0, motion)
            }
            (Ground::Grid(potential), true) => {
                let largest = largest_time_step(potential, temperature)
                    .in_setting(Setting::Temperature, temperature)?;
                let dt = job.dt.unwrap_or(0.25 * largest);
                let absorbing = absorbing_edges(potential, job.edges);
                let (cells, step) = bilinear_cells(potential, temperature, dt, &absorbing)
                    .in_setting(Setting::Walk, "langevin")?;
                (None, dt, Motion::Langevin { cells, step })
            }
        };
        let (unit, scale) = match (&surface.ground, langevin) {
            (_, false) => ("grid steps", 1.0),
            (Ground::Plane(_), true) => ("units of the plane", 1.0),
            (Ground::Grid(potential), true) => ("units of the axes", potential.spacing()),
        };
        let starts = starts(job, &surface).map_err(|error| {
            JobError::setting(
                Setting::Start,
                job.start.as_deref().unwrap_or_default(),
                error,
            )
        })?;
        Ok(Self {
            free_msd_a_step: if langevin {
                4.0 * temperature * dt
            } else {
                1.0
            },
            job,
            surface,
            chain,
            dt,
            motion,
            starts,
            unit,
            scale,
        })
    }

    /// Everything that decides the numbers of the run: the job, with what it came to in the place
    /// of what was left open.
    pub(crate) fn plan(&self) -> Map<String, Value> {
        let job = serde_json::to_value(self.job).expect("a job is plain data");
        let mut plan = job.as_object().cloned().unwrap_or_default();
        let basins = self.surface.landscape.as_ref().map(|_| self.job.basins);
        plan.extend([
            ("job".to_owned(), json!("walk")),
            ("surface".to_owned(), self.surface.plan.clone()),
            ("dt".to_owned(), json!(self.dt)),
            ("basins".to_owned(), json!(basins)),
        ]);
        plan
    }

    pub(crate) fn walkers<'j>(
        &'j self,
        motion: &'j Motion,
        starts: &'j Starts,
        steps: u32,
    ) -> WalkPlan<'j> {
        WalkPlan {
            motion,
            starts,
            walkers: self.job.walkers,
            steps,
            seed: self.job.seed,
            moments_at: &[],
            occupation_at: &[],
            targets: &[],
            shape: [0, 0],
        }
    }

    /// Steps of the paths that are drawn: on a grid no more than can be told apart.
    pub(crate) fn path_steps(&self) -> u32 {
        match (&self.surface.ground, self.job.walk) {
            (Ground::Grid(potential), Gait::Lattice) => {
                self.job.length.min(8 * potential.shape()[1] as u32)
            }
            _ => self.job.length,
        }
    }

    /// The law that walkers at a grid's points come to, with reflecting edges.
    pub(crate) fn law(&self) -> Option<Vec<f64>> {
        match (&self.surface.ground, self.job.edges) {
            // Langevin walkers are counted by the nearest point, which comes to the same up to the
            // bend of e^(-U/T) within a cell, and half as much at an edge.
            (Ground::Grid(potential), Edges::Reflecting) => {
                let chain = Chain::metropolis(potential, self.job.temperature).ok()?;
                let mut law = chain.stationary();
                if self.job.walk == Gait::Langevin {
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

/// Where walkers start.
fn starts(job: &WalkJob, surface: &Surface) -> Result<Starts, JobError> {
    let asked = job.start.as_deref().unwrap_or(surface.default_start);
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
                "uniform" => Err(JobError::unfit(
                    "a plane without edges has no uniform start; use minimum or X,Y",
                )),
                text => {
                    let [x, y] = place(text)
                        .ok_or_else(|| JobError::unfit("expected minimum or a place X,Y"))?;
                    let is_whole =
                        x.fract() == 0.0 && y.fract() == 0.0 && x.abs().max(y.abs()) < 1e6;
                    if job.walk == Gait::Lattice && !is_whole {
                        return Err(JobError::unfit(
                            "a lattice walk starts at whole numbers below a million",
                        ));
                    }
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
            let absorbing = absorbing_edges(potential, job.edges);
            let free = (0..absorbing.len())
                .filter(|&k| !absorbing[k])
                .map(point)
                .collect();
            Ok(Starts::AnyOf(free))
        }
        text => {
            let [low, high] = surface.range;
            let inside = |at: &[f64; 2]| at.iter().all(|at| (low..=high).contains(at));
            let at = place(text).filter(inside).ok_or_else(|| {
                JobError::unfit(format!(
                    "expected minimum, uniform, or a place X,Y, each from {low} to {high}"
                ))
            })?;
            let nearest = |at: f64, points: usize| {
                ((at - low) / (high - low) * (points - 1) as f64).round() as f32
            };
            Ok(Starts::At([nearest(at[0], columns), nearest(at[1], rows)]))
        }
    }
}
