//! Morphscape: what a trained classifier answers between its data points.
//!
//! This page is the architecture. Rooms from bottom to top; a room imports only from rooms
//! below it (`tests/it/layers.rs`):
//!
//! ```text
//! cli        arguments -> a job and how to run it; the terminal
//! run        a folder of results: manifest, waves, resume, tables, redraw, verify
//! report     a run -> one page
//! plot       values -> pictures
//! job        what is asked, as plain data; loaded; who watches it
//! pipeline   items -> recordings -> landscapes, in batches; walkers, in batches
//! landscape  grids, triples, permutations, and measures over them; what walkers walk on
//! engine     runs a Recording: cpu, or gpu through wgpu
//! model      checked layers from files
//! kernels    the table of kernels, each a WGSL file and its Rust twin; Recording
//! mesh       feature points, Delaunay triangles, the lattice of intermediate meshes
//! data       file formats <-> checked values; the bundled data
//! ```
//!
//! # Conventions
//!
//! - Images are row-major, y down, channels innermost: `[H, W, C]`. Pixel centres lie at whole
//!   coordinates: the centre of the top-left pixel is (0, 0), of the bottom-right one
//!   (W - 1, H - 1).
//! - Levels are grey levels 0..255 as `f32`; a model scales them itself.
//! - Grids are `[steps, steps, ...]`: row `i` mixes A and B, column `j` goes into C; frame
//!   `k = i * steps + j`.
//! - Logits are before the softmax, probabilities after it.
//!
//! # Example
//!
//! A landscape from three images of the bundled test set:
//!
//! ```
//! use morphscape::{data, engine::cpu::CpuEngine, kernels::Sampling, model, pipeline};
//! use std::ops::ControlFlow;
//!
//! let set = data::fashion_mnist();
//! let [a, b, c] = [9, 2, 1].map(|i| set.image(i).expect("held in memory"));
//! let model = model::bundled_fashion_mnist();
//! let settings = pipeline::MorphSettings { steps: 5, grid: 3, mode: pipeline::MorphMode::Clean(Sampling::Cubic) };
//! let jobs = [pipeline::GridJob { a: &a, b: &b, c: &c }];
//! let progress = |_frames: usize| ControlFlow::Continue(());
//! let landscapes = pipeline::compute_landscapes(
//!     &CpuEngine::new(), &model, &settings, &jobs, pipeline::Frames::Drop, &progress,
//! )?;
//! assert_eq!(landscapes[0].num_frames(), 25);
//! assert_eq!(landscapes[0].label(0), Some(set.label(9)));
//! # Ok::<(), pipeline::PipelineError>(())
//! ```

#[cfg(feature = "cli")]
pub mod cli;
pub mod data;
pub mod engine;
pub mod job;
pub mod kernels;
pub mod landscape;
pub mod mesh;
pub mod model;
pub mod pipeline;
pub mod plot;
mod remedy;
pub mod report;
pub mod run;

pub use engine::{Engine, EngineChoice};
pub use job::{
    Groups, ImageSource, InterpolateJob, Job, JobError, LandscapeId, LoadedJob, ModelSource, Note,
    Observer, Silent, SweepJob, TableSource, Triples,
};
pub use landscape::LandscapeFile;
pub use remedy::{Remedy, Setting};
pub use run::{Existing, Keep, Outcome, Run, RunError, RunFolder, Sample, remedy_of};
