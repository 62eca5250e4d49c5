//! From items to landscapes: what is recorded for an engine, in which batches.
//!
//! ```text
//! A, B ─ features, mesh ─ CPU: warp ─> mixes M_0..M_last ─ features, mesh with C ─┐   prepare (host)
//!                                                                                  │
//! mixes, C, meshes ─ spline ─ warp ─> frames ─┐                                    │
//! mixes, C ───────────────────────────────────┴─ network ─ softmax ─> answers      ┘   record, run (engine)
//! ```
//!
//! The mixes are always made by the CPU engine, 1 frame in 22: the feature points of a mix are
//! an argmax over its pixels, so the last bit of a mix can move a point and change a row of the
//! grid. With mixes from one place, meshes are the same on every engine and engines differ by
//! rounding alone; and a batch needs no round trip to the device in its middle. Two groups of
//! landscapes are at work at once: the host prepares one, or puts its answers in place, while the
//! engine has the other (`batches.rs`).
//!
//! Rows of measurements are mixed on the host, a few operations a value, and classified in the
//! same batches.
//!
//! A batch is cut for the largest value of its frames, in the network, too, and for all of them
//! together. Where one row of a grid is too much for that, its frames come back and are
//! classified in smaller batches. A batch for which the engine has no memory is halved, and tried
//! again (`batches.rs`). A network that the host runs, in a library or as a function of the program,
//! is asked for the answers by the calling thread (`host.rs`).
//!
//! That is clean mode ([`MorphMode`]). In published mode and for a cross-fade the host makes all
//! frames and the engine classifies them; why is said in `published/mod.rs`.
//!
//! Points of planes and triangles are affine in two coordinates (`flat.rs`): where the network begins
//! with a dense layer, that layer is taken to the plane once and the engine is given coordinates.
//!
//! Column 0 of a grid and its last column are images that need no warp, so they are classified
//! as they are: the ends of a grid are exact by construction.

mod again;
mod answers;
mod batches;
mod class_map;
mod classify;
mod flat;
mod frames;
mod grid;
mod grid_batch;
mod grids;
mod host;
mod mode;
mod pair;
mod places;
mod prepare;
mod profile;
mod published;
mod rows;
mod walk;

pub use answers::Answers;
pub use class_map::{MapNetwork, flat_class_map, flat_class_maps};
pub use classify::classify;
pub use flat::{FlatJob, FlatSettings, compute_flat, flat_inputs};
pub use frames::{MorphGrid, morph_grid};
pub use grid::{GridJob, MorphSettings};
pub use grids::{Frames, compute_landscapes, compute_landscapes_of};
pub use mode::MorphMode;
pub use pair::{Morph, MorphPlan, morph_pair, pair_mesh};
pub use places::InputPlace;
pub use profile::{Peak, Profile, Stage, peak, profile};
pub use rows::{RowJob, interpolate_rows};
pub use walk::{
    Arrived, MeanMoments, Motion, Starts, WalkPlan, WalkRecord, log_spaced, walk, walk_paths,
};

use crate::engine::EngineError;
use crate::mesh::FeatureError;
use crate::model::{HostError, ModelError};
use crate::remedy::Remedy;
use crate::sections::SectionError;

/// Why a job stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PipelineError {
    /// The engine could not run it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An image has no feature points.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// The model does not take the inputs.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A grid of too few points, or of more than can be counted.
    #[error("a grid of {steps} points a side: expected at least 2, and a grid that fits in memory")]
    Steps {
        /// Points a side.
        steps: usize,
    },
    /// An image of another size than the others.
    #[error("{image}: expected [height, width, channels] {expected:?}, found {found:?}")]
    ImageShape {
        /// Which image, and of which landscape.
        image: String,
        /// The first image's shape.
        expected: [usize; 3],
        /// This one's.
        found: [usize; 3],
    },
    /// An input of another number of values than the model takes, or than its shape says.
    #[error("{input}: expected {expected} values, found {found}")]
    InputSize {
        /// Which input.
        input: String,
        /// How many values it should have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// A blend weight that is none.
    #[error("expected alphas from 0 to 1, found {alpha}")]
    Alpha {
        /// The weight.
        alpha: f64,
    },
    /// A mesh whose triangles name points that are not there, or whose sides differ.
    #[error(
        "expected a mesh of as many points left as right, and triangles of these points; found {left} and {right} points"
    )]
    Mesh {
        /// Points of the left image.
        left: usize,
        /// Points of the right one.
        right: usize,
    },
    /// A part of a walk that does not fit the rest.
    #[error("a walk's {part}: expected {expected}, found {found}")]
    WalkPart {
        /// Which part.
        part: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A network that the host runs has failed, with an error of its own.
    #[error("the model failed when it was asked for {}", range(.from, .to))]
    Network {
        /// The first input of its batch.
        from: InputPlace,
        /// The last one.
        to: InputPlace,
        /// The network's error, as it gave it.
        source: HostError,
    },
    /// A network that the host runs gave too many answers or too few.
    #[error(
        "the model was asked for {rows} input(s): expected {rows} x {classes} answers, found {found}"
    )]
    AnswerShape {
        /// Inputs asked for.
        rows: usize,
        /// Its classes.
        classes: usize,
        /// Numbers it gave.
        found: usize,
    },
    /// A network that the host runs gave an answer that cannot be used.
    #[error("the model answers {place} with {found}")]
    Answer {
        /// Which input.
        place: InputPlace,
        /// Its answer, and what was expected.
        found: String,
    },
    /// The system gives no more threads.
    #[error("cannot start a thread")]
    Thread {
        /// What it says.
        source: std::io::Error,
    },
    /// Three items that span no plane.
    #[error("{items}")]
    Flat {
        /// Their names.
        items: String,
        /// Why.
        source: SectionError,
    },
    /// The network's sums left the range of 32-bit floats.
    #[error(
        "the model answers {value} somewhere; expected finite logits, are its weights or its inputs too large?"
    )]
    NotFinite {
        /// A logit.
        value: f32,
    },
    /// A walk without walkers or steps.
    #[error("a walk of {walkers} walkers and {steps} steps: expected at least one of each")]
    NoWalk {
        /// How many walkers.
        walkers: u32,
        /// How many steps.
        steps: u32,
    },
    /// The user stopped it.
    #[error("interrupted")]
    Interrupted,
}

/// Inputs `from` to `to`.
fn range(from: &InputPlace, to: &InputPlace) -> String {
    match from == to {
        true => from.to_string(),
        false => format!("{from} to {to}"),
    }
}

impl PipelineError {
    /// What to do about it, where there is something.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Engine(error) => Some(error.remedy()),
            Self::Feature(error) => error.remedy(),
            _ => None,
        }
    }
}
