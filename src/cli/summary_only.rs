//! Runs of very many landscapes, of which nothing stays but a row each: `--summary-only`.
//!
//! Landscapes are computed, measured and forgotten a few at a time, and their rows go to the
//! file as they come, so that a million landscapes take no more memory than a hundred. Nothing
//! of such a run is kept when it is stopped; started again, it begins anew.

use super::Verbosity;
use super::progress::{Progress, interrupted};
use super::run::{Compute, Run, jobs};
use super::summary::{SUMMARY_FILE, SummaryRow, SummaryWriter, measure_files};
use super::text::{counted, stand_in_note};
use crate::data::{PartFile, sha256_hex};
use crate::landscape::{Items, LandscapeFile, Triple};
use crate::pipeline::PipelineError;
use serde_json::{Value, json};
use std::time::Instant;

/// Triples that are in memory at once.
const TRIPLES_A_WAVE: usize = 24;

impl Run<'_> {
    /// Runs the landscapes of `triples` and writes `summary.csv` and the manifest.
    pub(super) fn summarise(
        mut self,
        triples: &[Triple],
        compute: Compute<'_>,
        verbosity: Verbosity,
    ) -> anyhow::Result<()> {
        let landscapes = 3 * triples.len();
        let frames = landscapes * self.steps * self.steps;
        let progress = Progress::new(frames, verbosity);
        let file = PartFile::create(&self.folder.file(SUMMARY_FILE))?;
        let morphed = matches!(self.items, Items::Images { .. });
        let mut summary = SummaryWriter::new(file, morphed)?;
        let mut stand_in = 0;
        for wave in triples.chunks(TRIPLES_A_WAVE) {
            let jobs = jobs(wave);
            let computed = compute(&jobs, self.steps, &progress, &mut self.timings)?;
            let measuring = Instant::now();
            let files: Vec<LandscapeFile> = jobs
                .iter()
                .zip(computed)
                .map(|(job, landscape)| self.named(job, landscape, None))
                .collect();
            let measures = measure_files(&files);
            self.timings.measures += measuring.elapsed();
            let writing = Instant::now();
            for (file, measures) in files.iter().zip(measures) {
                let row = SummaryRow::new(file, measures);
                stand_in += row.counts.map_or(0, |counts| counts.stand_in);
                summary.add(&row)?;
            }
            self.timings.write += writing.elapsed();
            if interrupted() {
                return Err(PipelineError::Interrupted.into());
            }
        }
        progress.finish();
        summary.finish()?.finish()?;
        self.describe();
        let timings = self.timings.json(self.started.elapsed());
        self.folder.set("timings", timings.clone());
        let speed = self.speed(frames);
        self.folder.finish()?;
        if let Some(note) = stand_in_note(stand_in) {
            verbosity.say(Verbosity::Normal, note);
        }
        verbosity.say(
            Verbosity::Normal,
            format!(
                "{}, {frames} {}s {speed}; {:.3} s in all; {} written",
                counted(landscapes, "landscape"),
                self.items.input_name(),
                self.started.elapsed().as_secs_f64(),
                self.out.join(SUMMARY_FILE).display()
            ),
        );
        verbosity.say(Verbosity::Verbose, format!("seconds: {timings}"));
        Ok(())
    }
}

/// Triples as the plan of such a run states them: listed, they would outgrow all else.
pub(super) fn triples_digest(triples: &[Triple]) -> Value {
    let mut lines = String::new();
    for triple in triples {
        let Triple {
            name,
            items,
            classes,
        } = triple;
        lines += &format!("{name} {items:?} {classes:?}\n");
    }
    let sha256 = sha256_hex([lines.as_bytes()]);
    json!({"count": triples.len(), "sha256": sha256})
}
