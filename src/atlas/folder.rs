//! The folder of an atlas: names, what is done, and how a file gets there.
//!
//! ```text
//! plan.json  survey.parquet
//! rung=06/part-00007-of-00400.parquet    rung=11/...    rung=21/...    rung=41/...
//! failed/00007.json                      of a shard that failed
//! ranking.parquet  items.csv  summary.json  report.html  top/      when it is summed up
//! ```
//!
//! **A shard is done when the files of all its grids are there, whole, and of this plan.** No second
//! file says so.

use super::error::AtlasError;
use super::plan::Plan;
use super::table::Table;
use super::writing::{UNFINISHED, host};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

pub(super) const RANKING_FILE: &str = "ranking.parquet";
pub(super) const ITEMS_FILE: &str = "items.csv";
pub(super) const SUMMARY_FILE: &str = "summary.json";
pub(super) const REPORT_FILE: &str = "report.html";
pub(super) const TOP_FOLDER: &str = "top";
const FAILED_FOLDER: &str = "failed";
/// Attempts that failed alike after which a shard is left alone.
const ATTEMPTS: u64 = 2;

/// What there is of a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShardState {
    /// All of it.
    Done,
    /// Not all of it.
    Missing,
    /// It failed as often in the same way that it is left alone.
    Failed(String),
}

/// The shards that are not done, and those that failed twice alike and are left alone, with the error.
pub type Missing = (Vec<usize>, Vec<(usize, String)>);

/// The file of a shard's grid.
pub(super) fn shard_file(folder: &Path, plan: &Plan, shard: usize, steps: usize) -> PathBuf {
    folder
        .join(format!("rung={steps:02}"))
        .join(format!("part-{shard:05}-of-{:05}.parquet", plan.shards))
}

/// Whether the file of a shard's grid is there, whole and of this plan.
///
/// # Errors
/// Where a whole file is there of another plan.
pub(super) fn is_done(path: &Path, plan: &Plan) -> Result<bool, AtlasError> {
    if !path.is_file() {
        return Ok(false);
    }
    // One that was cut off has no footer, and is computed again.
    let Ok(table) = Table::open(path) else {
        return Ok(false);
    };
    let sha256 = &table.metadata()["plan_sha256"];
    match *sha256 == json!(plan.sha256) {
        true => Ok(true),
        false => Err(AtlasError::refused_but(
            format!(
                "{}: expected a part of this plan, {}, found one of {}",
                path.display(),
                short(&plan.sha256),
                sha256.as_str().map_or("none", short)
            ),
            "move it away, or plan in a folder of its own",
            &[],
        )),
    }
}

fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

/// What there is of a shard.
///
/// # Errors
/// Where a file of it is of another plan.
pub(super) fn state(folder: &Path, plan: &Plan, shard: usize) -> Result<ShardState, AtlasError> {
    for &steps in &plan.design.rungs {
        if !is_done(&shard_file(folder, plan, shard, steps), plan)? {
            let failure = failure(folder, plan, shard);
            return Ok(match failure {
                Some((attempts, error)) if attempts >= ATTEMPTS => ShardState::Failed(error),
                _ => ShardState::Missing,
            });
        }
    }
    Ok(ShardState::Done)
}

fn failure_file(folder: &Path, shard: usize) -> PathBuf {
    folder.join(FAILED_FOLDER).join(format!("{shard:05}.json"))
}

/// How often a shard failed in the same way under this plan, and how.
fn failure(folder: &Path, plan: &Plan, shard: usize) -> Option<(u64, String)> {
    let text = std::fs::read_to_string(failure_file(folder, shard)).ok()?;
    let said: Value = serde_json::from_str(&text).ok()?;
    let error = said["error"].as_str()?.to_owned();
    (said["plan_sha256"] == json!(plan.sha256)).then_some((said["attempts"].as_u64()?, error))
}

/// Notes that a shard failed.
pub(super) fn note_failure(folder: &Path, plan: &Plan, shard: usize, error: &str) {
    let before = failure(folder, plan, shard);
    let alike = before.filter(|(_, before)| before == error);
    let attempts = alike.map_or(0, |(attempts, _)| attempts) + 1;
    let said = json!({
        "shard": shard,
        "attempts": attempts,
        "error": error,
        "plan_sha256": plan.sha256,
    });
    let path = failure_file(folder, shard);
    // The shard's own error is the one to report.
    let _ = std::fs::create_dir_all(folder.join(FAILED_FOLDER));
    let _ = crate::data::write_file(&path, said.to_string().as_bytes());
}

/// Forgets that a shard failed.
pub(super) fn forget_failure(folder: &Path, shard: usize) {
    let _ = std::fs::remove_file(failure_file(folder, shard));
    let _ = std::fs::remove_dir(folder.join(FAILED_FOLDER));
}

/// Removes what killed writers left: of this machine those that are no more, and where `old` of others
/// what has lain for a day.
pub(super) fn sweep(folder: &Path, plan: &Plan, old: bool) {
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let mine = format!(".{}.", host());
    for steps in &plan.design.rungs {
        let rung = folder.join(format!("rung={steps:02}"));
        for entry in std::fs::read_dir(rung).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(rest) = name.strip_suffix(UNFINISHED) else {
                continue;
            };
            let writer = rest.rsplit('.').next().and_then(|id| id.parse().ok());
            let is_dead = rest.contains(&mine) && writer.is_some_and(|id| !is_running(id));
            let age = entry.metadata().and_then(|about| about.modified());
            let age = age.map(|at| SystemTime::now().duration_since(at).unwrap_or_default());
            if is_dead || (old && age.is_ok_and(|age| age > DAY)) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// Whether a process of this machine runs; where that cannot be known, it is taken to.
fn is_running(id: u32) -> bool {
    let processes = Path::new("/proc/self");
    !processes.exists() || Path::new("/proc").join(id.to_string()).exists()
}
