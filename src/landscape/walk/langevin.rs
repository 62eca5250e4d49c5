//! Overdamped Langevin motion in a potential: `dx = -grad U dt + sqrt(2 T) dW`, mobility 1.

use super::{Potential, WalkError};
use crate::kernels::{Ground, LangevinStep};

/// The largest share of a cell that the pull or the noise's deviation of a step may take.
const LARGEST_SHARE: f64 = 1.0;

/// A plane without end: `U = -drift x + a x^2 + b y^2`, its origin at (0, 0).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plane {
    /// Constant force along x.
    pub drift: f64,
    /// `a` and `b`.
    pub curvature: [f64; 2],
}

impl Plane {
    /// The step of the kernel's walk, in units of the plane; its one cell has no pull.
    ///
    /// # Errors
    /// [`WalkError`] when the temperature or the time step is refused: a step may take back at most
    /// the whole of a coordinate.
    pub fn langevin(&self, temperature: f64, dt: f64) -> Result<LangevinStep, WalkError> {
        check_temperature(temperature)?;
        let stiffness = self.curvature.map(|curvature| 2.0 * curvature);
        check_step(dt, largest_step_of_plane(stiffness))?;
        Ok(LangevinStep {
            drift: [(self.drift * dt) as f32, 0.0],
            stiffness: stiffness.map(|stiffness| (stiffness * dt) as f32),
            noise: (2.0 * temperature * dt).sqrt() as f32,
            shape: [1, 1],
            ground: Ground::Plane,
        })
    }
}

fn largest_step_of_plane(stiffness: [f64; 2]) -> f64 {
    let steepest = stiffness.map(f64::abs).into_iter().fold(0.0, f64::max);
    if steepest > 0.0 {
        1.0 / steepest
    } else {
        f64::MAX
    }
}

/// The largest time step on a grid: neither the pull nor the deviation of the noise may cross
/// more than a cell.
///
/// # Errors
/// [`WalkError::Temperature`].
pub fn largest_time_step(potential: &Potential, temperature: f64) -> Result<f64, WalkError> {
    check_temperature(temperature)?;
    let cell = LARGEST_SHARE * potential.spacing();
    let steepest = gradients(potential)
        .flat_map(|[across, down, twist]| [across, across + twist, down, down + twist])
        .map(f64::abs)
        .fold(0.0, f64::max);
    let by_noise = cell * cell / (2.0 * temperature);
    let by_pull = cell * potential.spacing() / steepest;
    // A flat potential pulls nowhere.
    Ok(if steepest > 0.0 {
        by_noise.min(by_pull)
    } else {
        by_noise
    })
}

/// The cells and the step of the kernel's walk on a grid: minus the gradient of the bilinear
/// potential; a walker whose nearest point is `absorbing` stays there for good.
///
/// # Errors
/// [`WalkError`] when the temperature or the time step is refused.
///
/// # Panics
/// When `absorbing` does not fill the grid.
pub fn bilinear_cells(
    potential: &Potential,
    temperature: f64,
    dt: f64,
    absorbing: &[bool],
) -> Result<(Vec<[f32; 4]>, LangevinStep), WalkError> {
    let [rows, columns] = potential.shape();
    assert_eq!(absorbing.len(), rows * columns, "a mark a point");
    check_step(dt, largest_time_step(potential, temperature)?)?;
    // From a slope a cell to cells a step.
    let scale = dt / potential.spacing().powi(2);
    let cells = gradients(potential)
        .enumerate()
        .map(|(cell, slopes)| {
            let upper = cell / (columns - 1) * columns + cell % (columns - 1);
            let corners = [upper, upper + 1, upper + columns, upper + columns + 1];
            let absorbs: u32 = (0..4)
                .map(|corner| u32::from(absorbing[corners[corner]]) << corner)
                .sum();
            let [across, down, twist] = slopes.map(|slope| (-slope * scale) as f32);
            [across, down, twist, absorbs as f32]
        })
        .collect();
    let step = LangevinStep {
        drift: [0.0; 2],
        stiffness: [0.0; 2],
        noise: ((2.0 * temperature * dt).sqrt() / potential.spacing()) as f32,
        shape: [rows - 1, columns - 1],
        ground: Ground::Walled,
    };
    Ok((cells, step))
}

/// Of every cell, row-major: the slopes of U along x and y at its upper left, a cell long, and
/// what each gains along the other axis.
fn gradients(potential: &Potential) -> impl Iterator<Item = [f64; 3]> + '_ {
    let [rows, columns] = potential.shape();
    let u = potential.values();
    (0..(rows - 1) * (columns - 1)).map(move |cell| {
        let k = cell / (columns - 1) * columns + cell % (columns - 1);
        let across = u[k + 1] - u[k];
        let down = u[k + columns] - u[k];
        [across, down, u[k + columns + 1] - u[k + columns] - across]
    })
}

fn check_temperature(temperature: f64) -> Result<(), WalkError> {
    if temperature > 0.0 && temperature.is_finite() {
        Ok(())
    } else {
        Err(WalkError::Temperature { found: temperature })
    }
}

fn check_step(dt: f64, largest: f64) -> Result<(), WalkError> {
    if dt > 0.0 && dt <= largest {
        Ok(())
    } else {
        Err(WalkError::TimeStep { found: dt, largest })
    }
}
