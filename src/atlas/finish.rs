//! The end of an atlas: everything that its rows say.
//!
//! ```text
//! survey.parquet ─> means over all triples, of class pairs and class triples; items are the units
//! rung=... ───────> the worst triples, nearest flips by item; what the audits say was missed
//! the worst ──────> taken again: another order, another sampling, another model ─> ranking.parquet
//!                   the first of them as a run of their own ─> top/
//! ```

use super::error::AtlasError;
use super::folder::{REPORT_FILE, SUMMARY_FILE, sweep};
use super::gather::worse;
use super::page::page;
use super::shard::Atlas;
use super::summary::Summary;
use super::text::ranges;
use super::words::findings;
use crate::data::write_file;
use crate::engine::Engine;
use crate::job::{LoadedJob, ModelSource, Note, Observer};

/// What an atlas is summed up with.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// Whether what is missing may be missing; it is said then.
    pub allow_missing: bool,
    /// Another model that the survey and the worst triples are taken with, too.
    pub second: Option<ModelSource>,
    /// How many of the worst triples are drawn as landscapes.
    pub shown: usize,
}

impl Atlas {
    /// Sums the atlas up: `ranking.parquet`, `items.csv`, `summary.json`, `report.html`, and the worst
    /// triples as a run in `top/`.
    ///
    /// # Errors
    /// [`AtlasError`] where shards are missing and may not be, a file is of another plan, or the engine
    /// fails.
    pub fn finish(
        &self,
        ending: &Ending,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<Summary, AtlasError> {
        sweep(self.folder(), self.plan(), true);
        let missing = self.what_is_missing(ending, observer)?;
        let second = match &ending.second {
            None => None,
            Some(source) => Some(self.second(source, observer)?),
        };
        let gathered = self.gather(&missing)?;
        let survey = self.plan().survey_rows(self.folder())?;
        let means = self.survey_means(&survey);
        let mut finalists = self.finalists(&gathered);
        self.take_again(&mut finalists, second.as_ref(), engine, observer)?;
        finalists.sort_by(|a, b| worse(b.lowest(), a.lowest()).then(worse(b.own, a.own)));
        let compared = match &second {
            None => None,
            Some(second) => Some(self.compare(&survey, second, engine, observer)?),
        };
        let mut summary = self.summary(&gathered, &survey, means, &finalists, missing);
        summary.second = compared;
        summary.findings = findings(&summary, self);
        self.write_ranking(&finalists, second.as_ref().map(LoadedJob::model), engine)?;
        self.write_items(&gathered)?;
        let first = &finalists[..finalists.len().min(ending.shown)];
        let shown = match first {
            [] => Vec::new(),
            first => {
                let job = self.shown_job(first)?;
                self.show(&job, engine, observer)?;
                let each = first.iter().enumerate();
                each.map(|(n, finalist)| self.shown(&job, n, finalist, engine))
                    .collect::<Result<_, AtlasError>>()?
            }
        };
        let text = page(&summary, self, &finalists, &shown)?;
        write_file(&self.folder().join(REPORT_FILE), text.as_bytes())?;
        let mut json = serde_json::to_string_pretty(&summary).expect("a summary is plain data");
        json.push('\n');
        write_file(&self.folder().join(SUMMARY_FILE), json.as_bytes())?;
        Ok(summary)
    }

    fn what_is_missing(
        &self,
        ending: &Ending,
        observer: &dyn Observer,
    ) -> Result<Vec<usize>, AtlasError> {
        let (mut missing, failed) = self.missing()?;
        missing.extend(failed.iter().map(|(shard, _)| shard));
        missing.sort_unstable();
        if missing.is_empty() {
            return Ok(missing);
        }
        let all = self.plan().shards;
        let mut text = format!(
            "{} of {all} shards are missing: {}",
            missing.len(),
            ranges(&missing)
        );
        for (shard, error) in &failed {
            text.push_str(&format!("; shard {shard} failed: {error}"));
        }
        match ending.allow_missing && missing.len() < all {
            true => {
                observer.note(&Note::new(text));
                Ok(missing)
            }
            false => Err(AtlasError::Unfinished {
                problem: format!("{}: {text}", self.folder().display()),
            }),
        }
    }
}
