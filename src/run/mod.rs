//! A folder of results: written, resumed, read, drawn again and checked.
//!
//! ```text
//! LoadedJob ─ Run (waves, resume, rows) ─> folder: manifest, tensors, figures, tables, report
//! folder ─ RunFolder ─┬─ redraw ─> figures and report anew, from the files alone
//!                     └─ verify ─> hashes, tables, landscapes computed again on another engine
//! CompareJob, MorphJob, LineJob, LinesJob, WalkJob ─> folders of their own
//! ```
//!
//! **A landscape is finished when its tensors are there**, and a run when its manifest says so.
//! Every name that a run writes stands in `folder/layout.rs`. Nothing here prints, knows of a
//! command line, or ends the process: what a user should hear goes to an
//! [`Observer`](crate::job::Observer), and what a run came to is a value.

mod check;
mod compare;
mod error;
mod figures;
mod finish;
mod folder;
mod line;
mod line_findings;
mod lines;
mod margins;
mod models;
mod morph;
mod page;
mod redraw;
mod resolution;
mod resume;
mod rows;
mod section;
mod shares;
mod start;
mod summary;
mod verify;
mod walk;
mod waves;
mod writing;

pub use check::{Difference, FileCheck, LandscapeCheck, Sample, SummaryCheck};
pub use compare::{Comparison, compare, compare_modes};
pub use error::{RunError, remedy_of};
pub use figures::FigurePlan;
pub use folder::RunFolder;
#[cfg(feature = "atlas")]
pub(crate) use folder::difference as plan_difference;
#[cfg(feature = "cli")]
pub(crate) use folder::layout::REPORT_FILE;
#[cfg(feature = "atlas")]
pub(crate) use folder::layout::check_is_folder;
pub use line::{ClassInterval, Line, cut_line, line};
#[cfg(feature = "explore")]
pub(crate) use line::{cut_inputs, line_inputs};
pub use lines::{Lines, cut_lines, line_row, lines};
pub use models::{
    Answered, Cell, Compared, DrawnModels, Gate, ModelsOptions, ModelsResult, PairSummary,
    Shortfall, Table, baseline_job, compare_models, measure_models,
};
pub use morph::{Morphed, morph};
pub use redraw::{Redraw, Redrawn};
pub use resolution::{Resolution, SETTLED, Values, last_change};
pub use section::MapRecord;
pub use shares::{COMPARED_MODES, ComparedMeasure, ComparedTriple, ShareRow};
pub use start::Run;
pub use summary::SummaryRow;
pub use verify::{Again, Moved, Verification};
pub use walk::{WalkField, WalkFigures, Walked, show_in_run, walk, walk_in_memory};
pub use writing::{Outcome, Timings};

use serde::Serialize;

/// What is kept of each landscape of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// Its answers, `landscape.safetensors`.
    Tensors,
    /// Its answers and its frames.
    TensorsAndFrames,
    /// A row of measures and nothing else; memory hardly grows with the number of landscapes.
    RowsAlone,
}

/// What becomes of a folder that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// A part of the same run is kept and the rest is computed; anything else is refused.
    Continue,
    /// Starts over: what an old run wrote is removed, other files stay.
    Replace,
}
