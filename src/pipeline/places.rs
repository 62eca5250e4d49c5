//! Where inputs stand: in a job, and on a grid.

/// Which input of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputPlace {
    /// The input with this number, of those that were to be classified.
    Input(usize),
    /// A point of a grid.
    Point {
        /// Number of its landscape among the jobs.
        landscape: usize,
        /// Its frame or row, `i * steps + j`.
        point: usize,
    },
}

impl std::fmt::Display for InputPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Input(number) => write!(f, "input {number}"),
            Self::Point { landscape, point } => {
                write!(f, "point {point} of landscape {landscape}")
            }
        }
    }
}

/// Points of a grid at which one input stands: `count` of them, `stride` apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Points {
    pub(super) landscape: usize,
    pub(super) first: usize,
    pub(super) stride: usize,
    pub(super) count: usize,
}

impl Points {
    /// A single point.
    pub(super) fn one(landscape: usize, point: usize) -> Self {
        Self {
            landscape,
            first: point,
            stride: 1,
            count: 1,
        }
    }

    /// Puts the values of one input at all its points of `grid`, `[points, values]`.
    pub(super) fn put(self, values: &[f32], grid: &mut [f32]) {
        for n in 0..self.count {
            let point = self.first + n * self.stride;
            grid[point * values.len()..][..values.len()].copy_from_slice(values);
        }
    }
}
