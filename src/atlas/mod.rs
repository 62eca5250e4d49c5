//! An atlas: triples of a whole data set, surveyed, searched, and summed up, on one machine or many.
//!
//! ```text
//! job, design ─ Plan::make ─> plan.json, survey.parquet
//! Atlas::open ─ run ────────> rung=06/part-00007-of-00400.parquet, ...   shards, in any order, anywhere
//!             └ finish ─────> ranking.parquet, items.csv, summary.json, report.html, top/
//! ```
//!
//! - **A row follows from the plan and its number**, so that no shard needs another, and one that is
//!   computed twice is the same twice (to the last bits of the engine that computes it).
//! - **Rightly classified items alone** take part by default: a search among all of them finds test errors.
//! - **The survey** is a random sample, each item equally often; means over all triples come from it, with
//!   items as units. **The search** goes from coarse grids to fine ones and is no sample; what it may have
//!   missed is stated from those that were left behind and looked at again by lot.

mod again;
mod design;
mod error;
mod finish;
mod folder;
mod gather;
mod order;
mod page;
mod plan;
mod rows;
mod second;
mod shard;
mod shard_file;
mod shown;
mod state;
mod statistics;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod words;
mod writing;

pub use design::{Design, Score};
pub use error::AtlasError;
pub use finish::Ending;
pub use folder::{Missing, ShardState};
pub use plan::{Expected, Plan};
pub use rows::{Chosen, Row};
pub use shard::Atlas;
pub use statistics::{Audit, Mean};
pub use summary::{ClassMean, ItemFinding, Summary};
pub use text::ranges;
