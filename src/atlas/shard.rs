//! A shard: its part of the search, from the coarsest grid to the finest.
//!
//! ```text
//! triples of the plan ─ rung=06 ─ best share and a lot of the others ─> rung=11 ─ ... ─> rung=41
//! ```
//!
//! A shard is a random part of all triples that are searched, so that its best tenth stands for the best
//! tenth of all, and needs no other shard. What one grid has found is read back from its file: a shard
//! that was stopped goes on behind the last grid that is whole.

use super::error::AtlasError;
use super::folder::{self, Missing, ShardState, is_done, shard_file};
use super::order::{Purpose, random_bits};
use super::plan::{Plan, ascending};
use super::rows::{Candidate, Chosen, Computing, Row, worst};
use super::shard_file::{columns_of, read_rows};
use super::writing::{make_folder, write_table};
use crate::engine::Engine;
use crate::job::{LoadedJob, Observer, Stage};
use crate::remedy::{Setting, error_chain};
use crate::run::RunError;
use serde_json::json;
use std::path::{Path, PathBuf};

/// An atlas that is ready to be computed: its plan, with model and data loaded.
#[derive(Debug)]
pub struct Atlas {
    folder: PathBuf,
    plan: Plan,
    job: LoadedJob,
}

impl Atlas {
    /// Opens the atlas in a folder: loads what its plan names.
    ///
    /// # Errors
    /// [`AtlasError`] where there is no plan or it was changed, or model or data are not those that it was
    /// made for.
    pub fn open(folder: &Path, observer: &dyn Observer) -> Result<Self, AtlasError> {
        let plan = Plan::read(folder)?;
        let job = plan.job.load(observer)?;
        Self::with_job(folder, plan, job)
    }

    /// The same with a job that a host program has loaded, in the place of the plan's.
    ///
    /// # Errors
    /// [`AtlasError`] where its model or data are not those that the plan was made for.
    pub fn with_job(folder: &Path, plan: Plan, job: LoadedJob) -> Result<Self, AtlasError> {
        let now = job.plan(crate::job::ListOf::Digest);
        for (name, what, planned) in [
            ("model_sha256", "the model", &plan.model_sha256),
            ("data_sha256", "the data", &plan.data_sha256),
        ] {
            let found = now[name].as_str().unwrap_or_default();
            if found != planned {
                return Err(AtlasError::refused_but(
                    format!(
                        "{}: expected {what} of SHA-256 {planned}, found {found}",
                        folder.display()
                    ),
                    "put back what the plan was made for, or plan anew in another {}",
                    &[Setting::Out],
                ));
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            plan,
            job,
        })
    }

    /// Its plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Model and data.
    pub fn job(&self) -> &LoadedJob {
        &self.job
    }

    /// What there is of a shard.
    ///
    /// # Errors
    /// [`AtlasError`] where a file of it is of another plan.
    pub fn state(&self, shard: usize) -> Result<ShardState, AtlasError> {
        folder::state(&self.folder, &self.plan, shard)
    }

    /// The shards that are not done, and those that failed twice alike and are left alone.
    ///
    /// # Errors
    /// As [`Atlas::state`].
    pub fn missing(&self) -> Result<Missing, AtlasError> {
        self.plan.missing(&self.folder)
    }

    /// Frames that some shards take, about.
    fn frames_of(&self, shards: usize) -> usize {
        let design = &self.plan.design;
        let triples = self.plan.num_candidates() as usize * shards / self.plan.shards;
        let kind = self.job.kind();
        let mut audited = 0;
        let kept = design.kept_of(triples);
        let mut frames = 0;
        for (rung, &steps) in design.rungs.iter().enumerate() {
            if rung > 0 {
                audited += design.audited_of(kept[rung - 1] - kept[rung]);
            }
            frames += (kept[rung] + audited) * kind.siblings().len() * kind.num_points(steps);
        }
        frames
    }

    /// Computes shards, one after another; those that are done are passed over. Returns the rows that
    /// were computed.
    ///
    /// # Errors
    /// [`AtlasError`] of the first shard that fails. One that does is noted in `failed/`.
    pub fn run(
        &self,
        shards: &[usize],
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<u64, AtlasError> {
        if let Some(shard) = shards.iter().find(|&&shard| shard >= self.plan.shards) {
            return Err(AtlasError::refused(format!(
                "shard {shard}: expected one of 0 to {}",
                self.plan.shards - 1
            )));
        }
        folder::sweep(&self.folder, &self.plan, false);
        observer.begin(Stage {
            total: self.frames_of(shards.len()),
            unit: "frames",
        });
        let mut rows = 0;
        for &shard in shards {
            let found = self.run_shard(shard, engine, observer);
            match &found {
                Ok(_) => folder::forget_failure(&self.folder, shard),
                // A full disk or an interruption is no fault of the shard.
                Err(error) if error.is_interrupted() || is_of_the_disk(error) => {}
                Err(error) => {
                    let text = error_chain(error);
                    folder::note_failure(&self.folder, &self.plan, shard, &text);
                }
            }
            match found {
                Ok(found) => rows += found,
                Err(AtlasError::Run(error)) if error.is_interrupted() => {
                    let all = self.plan.shards;
                    let missing = self
                        .missing()
                        .map_or(all, |(missing, failed)| missing.len() + failed.len());
                    let stopped = (*error).or_stopped(&self.folder, "shards", [all - missing, all]);
                    return Err(stopped.into());
                }
                Err(error) => return Err(error),
            }
        }
        observer.end();
        Ok(rows)
    }

    fn run_shard(
        &self,
        shard: usize,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<u64, AtlasError> {
        let (plan, design) = (&self.plan, &self.plan.design);
        let is_right = |item: u32| plan.is_right(item);
        let computing = Computing {
            job: &self.job,
            engine,
            observer,
            is_right: &is_right,
        };
        let mut candidates = plan.candidates(shard);
        let searched = candidates.len();
        let mut computed = 0;
        for (rung, &steps) in design.rungs.iter().enumerate() {
            let path = shard_file(&self.folder, plan, shard, steps);
            let rows = match is_done(&path, plan)? {
                true => read_rows(&path)?,
                false => {
                    let rows = computing.rows(&candidates, steps)?;
                    let mut about = plan.about(steps, engine);
                    about["shard"] = json!(shard);
                    make_folder(path.parent().unwrap_or(&self.folder))?;
                    write_table(&path, &columns_of(&rows), &about)?;
                    computed += rows.len() as u64;
                    rows
                }
            };
            let kept = design.kept_of(searched);
            if let Some(&most) = kept.get(rung + 1) {
                candidates = promoted(plan, &candidates, &rows, steps, most);
            }
        }
        Ok(computed)
    }
}

/// The triples that go on to the next grid: the `most` worst of those searched, those drawn by lot
/// before, and a lot of the others.
pub(super) fn promoted(
    plan: &Plan,
    candidates: &[Candidate],
    rows: &[Row],
    steps: usize,
    most: usize,
) -> Vec<Candidate> {
    let score = plan.design.score;
    let expected = plan.expected_intrusion();
    let each = rows.len() / candidates.len().max(1);
    let own = |n: usize| &rows[n * each..(n + 1) * each];
    let (mut searched, mut on) = (Vec::new(), Vec::new());
    for (n, candidate) in candidates.iter().enumerate() {
        match candidate.chosen {
            Chosen::Audit => on.push(*candidate),
            _ => searched.push(n),
        }
    }
    let mut ranked: Vec<(f64, f32, u64, usize)> = searched
        .into_iter()
        .map(|n| {
            let expected = expected(ascending(own(n)[0].classes));
            let intrusion = own(n).iter().filter_map(|row| row.measure("intrusion"));
            // Of triples that are equally bad, often not at all on a coarse grid, those with more intrusion.
            let second = intrusion.fold(0.0, f32::max);
            let bad = worst(own(n), score, expected);
            (bad, second, candidates[n].triple, n)
        })
        .collect();
    ranked.sort_by(|a, b| {
        b.0.total_cmp(&a.0)
            .then(b.1.total_cmp(&a.1))
            .then(a.2.cmp(&b.2))
    });
    let searched: Vec<usize> = ranked.into_iter().map(|(.., n)| n).collect();
    let (kept, rejected) = searched.split_at(most.min(searched.len()));
    on.extend(kept.iter().map(|&n| candidates[n]));
    let mut lots: Vec<(u64, usize)> = rejected
        .iter()
        .map(|&n| {
            let triple = candidates[n].triple;
            let lot = random_bits(plan.design.seed, Purpose::Audit, steps as u32, triple);
            (lot, n)
        })
        .collect();
    lots.sort_unstable();
    let number = plan.design.audited_of(rejected.len());
    on.extend(lots[..number].iter().map(|&(_, n)| Candidate {
        chosen: Chosen::Audit,
        probability: candidates[n].probability * number as f64 / rejected.len() as f64,
        audited_at: Some(steps as u8),
        ..candidates[n]
    }));
    on.sort_by_key(|candidate| (candidate.classes, candidate.triple));
    on
}

impl Plan {
    /// The shards that are not done in a folder, and those that failed twice alike and are left alone,
    /// with the error.
    ///
    /// # Errors
    /// [`AtlasError`] where a file is of another plan.
    pub fn missing(&self, folder: &Path) -> Result<Missing, AtlasError> {
        let (mut missing, mut failed) = (Vec::new(), Vec::new());
        for shard in 0..self.shards {
            match folder::state(folder, self, shard)? {
                ShardState::Done => {}
                ShardState::Missing => missing.push(shard),
                ShardState::Failed(error) => failed.push((shard, error)),
            }
        }
        Ok((missing, failed))
    }
}

/// Whether what failed was writing.
fn is_of_the_disk(error: &AtlasError) -> bool {
    matches!(error, AtlasError::Run(error) if matches!(**error, RunError::File(_)))
}
