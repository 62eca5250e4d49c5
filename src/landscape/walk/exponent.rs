//! The exponent of a walk.

/// A least-squares line through `log MSD` over `log n`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exponent {
    /// The slope: 1 for free diffusion, 2 for straight motion, 0 where walkers are caught.
    pub alpha: f64,
    /// Its standard error from the scatter about the line. The points come from the same walkers,
    /// so it says how straight the line is, not how another seed would turn out.
    pub standard_error: f64,
    /// `log MSD` of the line at `n = 1`.
    pub intercept: f64,
    /// The first and the last lag of the fit, steps.
    pub lags: [u32; 2],
    /// Number of lags.
    pub points: usize,
}

/// The exponent of `MSD ~ n^alpha` by least squares in log-log over the recorded lags from 1 to
/// `max(4, length / 10)` of a walk of `length` steps. `lags` are in steps, above 0; the unit of
/// `msd` does not matter. Nothing with fewer than three lags at which anything has moved.
pub fn exponent(lags: &[u32], msd: &[f64], length: u32) -> Option<Exponent> {
    let last = (length / 10).max(4);
    let points: Vec<(u32, f64, f64)> = lags
        .iter()
        .zip(msd)
        .filter(|&(&lag, &msd)| lag > 0 && lag <= last && msd > 0.0)
        .map(|(&lag, &msd)| (lag, f64::from(lag).ln(), msd.ln()))
        .collect();
    if points.len() < 3 {
        return None;
    }
    let count = points.len() as f64;
    let mean =
        |value: &dyn Fn(&(u32, f64, f64)) -> f64| points.iter().map(value).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(&|point| point.1), mean(&|point| point.2));
    let (mut squares, mut products) = (0.0, 0.0);
    for (_, x, y) in &points {
        squares += (x - mean_x).powi(2);
        products += (x - mean_x) * (y - mean_y);
    }
    let alpha = products / squares;
    let intercept = mean_y - alpha * mean_x;
    let rest: f64 = points
        .iter()
        .map(|(_, x, y)| (y - intercept - alpha * x).powi(2))
        .sum();
    Some(Exponent {
        alpha,
        standard_error: (rest / (count - 2.0) / squares).sqrt(),
        intercept,
        lags: [points[0].0, points[points.len() - 1].0],
        points: points.len(),
    })
}
