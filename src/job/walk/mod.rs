//! A random walk, as plain data, and what it names, loaded.
//!
//! ```text
//! WalkJob ─ load ─> Surface (plane or grid) ─> Walk: motion, starts, the chain to solve exactly
//! ```

mod plan;
mod surface;

pub(crate) use plan::Walk;
pub(crate) use surface::Ground;

use super::error::JobError;
use super::images::ImageSource;
use super::model::ModelSource;
use super::observer::Observer;
use crate::defaults::with_defaults;
use crate::engine::Engine;
use crate::landscape::LandscapeFile;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

with_defaults! {
    /// Random walkers on a surface.
    #[derive(Debug, Clone, PartialEq)]
    pub struct WalkJob {
        /// What is under their feet.
        pub surface: SurfaceSource = SurfaceSource::Flat { drift: 0.0 },
        /// How they move.
        pub walk: Gait = Gait::Lattice,
        /// In the unit of the surface's height, above 0.
        pub temperature: f64 = 1.0,
        /// Time of a step of the Langevin walk; without one a quarter of the largest that is
        /// accepted, on planes at most 0.01.
        pub dt: Option<f64> = None,
        /// How many, at least 1.
        pub walkers: u32 = 20_000,
        /// Steps of each, 1 to 2^24.
        pub length: u32 = 1000,
        /// `minimum`, `uniform` or a place `X,Y`; without one uniform on fractals and landscapes, else
        /// minimum.
        pub start: Option<String> = None,
        /// What the edges of a grid do.
        pub edges: Edges = Edges::Reflecting,
        /// On a landscape: the items, 0 to 2 for A to C, whose basins a lattice walk is to reach.
        pub basins: [usize; 2] = [0, 1],
        /// Seed of the walk and of a fractal surface.
        pub seed: u64 = 1,
        /// The classifier of a surface between items.
        pub model: ModelSource = ModelSource::default(),
        /// The images that such items are of.
        pub data: ImageSource = ImageSource::default(),
    }
}

impl WalkJob {
    /// Makes the surface, classified by `engine` where it lies between items, and holds the rest
    /// against it.
    pub(crate) fn load(
        &self,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<Walk<'_>, JobError> {
        Walk::resolve(self, self.make_surface(engine, observer)?)
    }

    /// The same on a landscape in memory, in the place of one that the job names by its folder.
    pub(crate) fn load_on(&self, file: LandscapeFile) -> Result<Walk<'_>, JobError> {
        Walk::resolve(self, self.surface_of(file)?)
    }
}

/// How walkers move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gait {
    /// To one of the four neighbours a step, accepted as Metropolis does.
    Lattice,
    /// Downhill with jitter, in time steps.
    Langevin,
}

/// What the edges of a grid do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edges {
    /// Walkers are thrown back.
    Reflecting,
    /// Walkers that come to the outermost points stay there for good.
    Absorbing,
}

impl Edges {
    /// As plans and captions have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reflecting => "reflecting",
            Self::Absorbing => "absorbing",
        }
    }
}

/// Which height of a landscape is walked on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeightOf {
    /// `-ln p` of a class, by number or name; without one of that of C.
    Class(Option<String>),
    /// Minus the logit margin, low wherever the classifier is sure.
    Margin,
}

/// A surface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum SurfaceSource {
    /// An endless plane.
    Flat {
        /// The lattice walk goes east with `(1 + drift)/4`, west with `(1 - drift)/4`; the Langevin
        /// walk feels it as a force.
        drift: f64,
    },
    /// `a x^2 + b y^2`, of a grid over -1..1 or, for a Langevin walk with reflecting edges,
    /// endless.
    Bowl {
        /// a and b.
        curvature: [f64; 2],
        /// Points a side of a grid.
        steps: usize,
    },
    /// A fractal surface.
    Fractal {
        /// Its Hurst exponent, 0 (rough) to 1 (smooth).
        hurst: f64,
        /// Standard deviation of its height.
        height: f64,
        /// Points a side.
        steps: usize,
    },
    /// A landscape of a finished run.
    Landscape {
        /// Its folder.
        folder: PathBuf,
        /// Its height.
        potential: HeightOf,
        /// Points a side; without a number its own. It is bilinear between its points.
        steps: Option<usize>,
    },
    /// The landscape of three images, classified here.
    Items {
        /// A, B and C: files, or items such as `t10k#9`.
        items: [String; 3],
        /// Its height.
        potential: HeightOf,
        /// Points a side.
        steps: usize,
    },
}
