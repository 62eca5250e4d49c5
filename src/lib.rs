//! Morphscape: what a trained classifier answers between its data points.
//!
//! This page is the architecture. Rooms from bottom to top; a room imports only from rooms
//! below it (`tests/it/layers.rs`):
//!
//! ```text
//! cli        arguments -> a job and how to run it; the terminal
//! explore    a local server: requests -> landscapes -> the report's page, alive
//! atlas      triples of a whole data set: planned, computed in shards, summed up
//! run        a folder of results: manifest, waves, resume, tables, redraw, verify
//! report     a run -> one page
//! plot       values -> pictures
//! job        what is asked, as plain data; loaded; who watches it
//! pipeline   items -> recordings -> landscapes, in batches; walkers, in batches
//! sections   lines and planes through inputs, cut exactly; what is measured on them
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
//! A job is plain data; loaded it computes landscapes, and a run writes them to a folder:
//!
//! ```
//! use morphscape::{EngineChoice, Existing, Job, Run, RunFolder, Sample, Silent, SweepJob, Triples};
//!
//! let engine = morphscape::engine::open(EngineChoice::Cpu)?;
//! let job = Job::Sweep(SweepJob {
//!     triples: Triples::groups(1).seed(7),
//!     ..SweepJob::default()
//! });
//! let job = job.load(&Silent)?;
//!
//! let first = job.compute(engine.as_ref(), &job.landscapes()[..1], &Silent)?.remove(0);
//! assert_eq!((first.about.name.as_str(), first.landscape.num_frames()), ("1A.1", 441));
//! println!("{} {:?}", first.about.name, first.measures());
//!
//! # let folder = tempfile::tempdir()?;
//! # let out = folder.path().join("out");
//! let outcome = Run::new(&job, engine.as_ref()).write_to(&out, Existing::Continue, &Silent)?;
//! assert_eq!(outcome.landscapes, 6);
//! assert!(RunFolder::open(&out)?.verify(Sample::Of(2), engine.as_ref(), &Silent)?.holds());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A host program's own function takes the place of a model ([`model::Function`],
//! [`Job::load_with`]); `examples/closure.rs` is one.

#[cfg(feature = "atlas")]
pub mod atlas;
#[cfg(feature = "cli")]
pub mod cli;
pub mod data;
mod defaults;
pub mod engine;
#[cfg(feature = "explore")]
pub mod explore;
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
pub mod sections;

pub use engine::{Engine, EngineChoice, EngineKind};
pub use job::{
    CompareJob, Groups, ImageSource, InterpolateJob, Job, JobError, LandscapeId, LoadedJob,
    LoadedModel, ModelSource, MorphJob, Note, Observer, Silent, SweepJob, TableSource, Triples,
};
pub use landscape::LandscapeFile;
pub use remedy::{Remedy, Setting, respelled};
pub use run::{Existing, Keep, Outcome, Run, RunError, RunFolder, Sample, remedy_of};
