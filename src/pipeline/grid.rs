//! What the grids of a job share: their size, their alphas, the images' shape.

use super::{MorphMode, PipelineError};
use crate::data::Image;
use crate::defaults::with_defaults;
use crate::kernels::{FrameJob, Sampling, WarpGeometry, row_stride};
use crate::mesh::{Point, lattice_scale};

with_defaults! {
    /// How images are morphed into grids. Its default is the paper's grids, in clean mode.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct MorphSettings {
        /// Points a side of a landscape, at least 2.
        pub steps: usize = 21,
        /// Feature cells a side.
        pub grid: usize = 3,
        /// How they are morphed.
        #[serde(flatten)]
        pub mode: MorphMode = MorphMode::Clean(Sampling::Cubic),
    }
}

impl MorphSettings {
    /// Grids of `steps` points a side, morphed in `mode` by the features of `grid` cells a side; all
    /// else as by default.
    #[allow(
        clippy::needless_update,
        reason = "a setting added later has its default here"
    )]
    pub fn new(steps: usize, grid: usize, mode: MorphMode) -> Self {
        Self {
            steps,
            grid,
            mode,
            ..Self::default()
        }
    }
}

/// The three images of a landscape, all of one shape.
#[derive(Debug, Clone, Copy)]
pub struct GridJob<'a> {
    /// A and B are mixed.
    pub a: &'a Image,
    /// A and B are mixed.
    pub b: &'a Image,
    /// The mixes go into C.
    pub c: &'a Image,
    /// Feature points of A, B and C that a user has set, point by point the same, the images'
    /// corners among them; without, they are found.
    pub points: Option<[&'a [Point]; 3]>,
}

impl<'a> GridJob<'a> {
    /// A landscape between images whose feature points are found.
    pub fn new([a, b, c]: [&'a Image; 3]) -> Self {
        Self {
            a,
            b,
            c,
            points: None,
        }
    }

    /// Its images with their names.
    pub(super) fn images(&self) -> [(char, &'a Image); 3] {
        [('A', self.a), ('B', self.b), ('C', self.c)]
    }
}

/// Checks that a grid of inputs of so many values has its two ends, and that its size is a number.
pub(super) fn check_steps(steps: usize, values: usize) -> Result<(), PipelineError> {
    let bytes = steps
        .checked_mul(steps)
        .and_then(|n| n.checked_mul(4 * values.max(1)));
    match steps >= 2 && bytes.is_some_and(|bytes| isize::try_from(bytes).is_ok()) {
        true => Ok(()),
        false => Err(PipelineError::Steps { steps }),
    }
}

/// Checks that an image has the shape of the first one of its job, and as many levels as its shape
/// says; `name` says which image it is.
pub(super) fn check_image(
    image: &Image,
    shape: [usize; 3],
    name: impl FnOnce() -> String,
) -> Result<(), PipelineError> {
    let (expected, found) = (shape.iter().product(), image.levels.len());
    if image.shape() != shape {
        return Err(PipelineError::ImageShape {
            image: name(),
            expected: shape,
            found: image.shape(),
        });
    }
    match found == expected {
        true => Ok(()),
        false => Err(PipelineError::InputSize {
            input: name(),
            expected,
            found,
        }),
    }
}

/// What all grids of a job share.
pub(super) struct Grid {
    pub(super) steps: usize,
    /// Feature cells a side.
    pub(super) grid: usize,
    pub(super) mode: MorphMode,
    pub(super) shape: [usize; 3],
    pub(super) scale: i32,
    /// Values a frame.
    pub(super) frame_values: usize,
    /// The alphas strictly inside a path.
    pub(super) alphas: Vec<f64>,
    /// The same as frame jobs of pair 0.
    pub(super) inner: Vec<FrameJob>,
}

impl Grid {
    pub(super) fn new(settings: &MorphSettings, shape: [usize; 3]) -> Result<Self, PipelineError> {
        let steps = settings.steps;
        check_steps(steps, shape.iter().product())?;
        let alphas: Vec<f64> = (1..steps - 1)
            .map(|i| i as f64 / (steps - 1) as f64)
            .collect();
        Ok(Self {
            steps,
            grid: settings.grid,
            mode: settings.mode,
            shape,
            scale: lattice_scale(shape[1], shape[0], &alphas),
            frame_values: shape.iter().product(),
            inner: alphas
                .iter()
                .map(|&alpha| FrameJob::new(0, alpha))
                .collect(),
            alphas,
        })
    }

    /// Points of a grid.
    pub(super) fn num_points(&self) -> usize {
        self.steps * self.steps
    }

    /// Bytes to count for one row of a grid: of its frames, or of its image's pieces where there are
    /// few frames to an image.
    pub(super) fn row_bytes(&self, frame_bytes: usize) -> usize {
        let frames = frame_bytes * self.inner.len().max(1);
        match self.mode {
            MorphMode::Clean(sampling) => frames.max(sampling.source_bytes(self.shape)),
            _ => frames,
        }
    }

    pub(super) fn frame_bytes(&self) -> usize {
        4 * row_stride(self.frame_values)
    }

    /// Frame jobs for pairs `0..pairs`, pair by pair.
    pub(super) fn frame_jobs(&self, pairs: usize) -> Vec<FrameJob> {
        (0..pairs as u32)
            .flat_map(|pair| self.inner.iter().map(move |job| FrameJob { pair, ..*job }))
            .collect()
    }

    pub(super) fn geometry(&self, sampling: Sampling) -> WarpGeometry {
        WarpGeometry {
            shape: self.shape,
            scale: self.scale,
            sampling,
        }
    }
}
