//! A run: landscapes computed in waves, drawn, written and summed up.
//!
//! ```text
//! LoadedJob ─ Run ─ write_to ─> Writing: wave by wave
//!     kept from an earlier start? ─┬─ no ─> fetch, compute, finer grids ─┐
//!                                  └─ yes ───────────────────────────────┴─> measures ─> figures,
//!                                                           tensors ─> rows ─> report, manifest
//! ```
//!
//! A wave bounds what a killed run loses (a few seconds) and what is held at once. Nothing here
//! depends on what the items are: images and rows differ below, in `job`.

use super::Keep;
use super::error::RunError;
use super::figures::FigurePlan;
use super::finish::{Finisher, TripleFiles};
use super::folder::layout::{LANDSCAPE_FILE, RESOLUTION_FILE, SUMMARY_FILE};
use super::page::report;
use super::resolution::{Resolution, finer, finer_json};
use super::resume::Expected;
use super::section;
use super::summary::{SummaryRow, measure_files, summary_csv};
use super::writing::{Outcome, Writing};
use crate::data::write_file;
use crate::job::{LandscapeId, Stage};
use crate::kernels::BUDGET;
use crate::landscape::{Items, Landscape, LandscapeFile, measure};
use crate::pipeline::{Frames, PipelineError};
use crate::report::Detail;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Instant;

/// A wave of landscapes is computed, then drawn and written: how long a wave is to take, which is
/// what a run loses when it is killed. How much it holds between writes, [`BUDGET`] says.
const WAVE_S: f64 = 5.0;

/// A landscape of a wave.
enum Slot {
    /// As an earlier start finished it.
    Kept(Box<LandscapeFile>),
    /// Still to be computed.
    New(LandscapeId),
}

impl Slot {
    fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }

    fn missing(&self) -> Option<LandscapeId> {
        match self {
            Self::Kept(_) => None,
            Self::New(id) => Some(id.clone()),
        }
    }
}

/// What of a run is done.
struct Done {
    /// The landscapes that are written, measured.
    rows: Vec<SummaryRow>,
    /// What the report shows of them.
    details: Vec<Detail>,
    /// What they measure on finer grids, where that is asked for.
    resolution: Option<Resolution>,
    /// How many of them an earlier start had finished.
    kept: usize,
}

impl Writing<'_> {
    /// Points of the finest of the finer grids, 0 where there are none.
    fn finer_each(&self) -> usize {
        let [_, fine] = finer(self.job.steps());
        if self.resolution {
            self.job.kind().num_points(fine)
        } else {
            0
        }
    }

    /// What a finished landscape takes until it is written, bytes.
    fn landscape_bytes(&self) -> usize {
        let inputs = match self.job.items() {
            Items::Images { .. } if !self.keeps_frames() => 0,
            _ => self.job.input_values(),
        };
        let answers = 2 * self.job.class_names().len();
        4 * (self.frames_each() * (answers + inputs) + self.finer_each() * answers)
    }

    /// What the landscapes measure on their finer grids; nothing where that is not asked for.
    fn finer_measures(&mut self, ids: &[LandscapeId]) -> Result<Vec<Option<Value>>, RunError> {
        if !self.resolution {
            return Ok(vec![None; ids.len()]);
        }
        let [_, fine] = finer(self.job.steps());
        let refining = Instant::now();
        let compute_s = self.timings.compute;
        let landscapes = self.compute(ids, fine, Frames::Drop)?;
        // Stated apart: compute_s is the run's own grid.
        self.timings.compute = compute_s;
        // The finest holds the points of the middle one, every second.
        let both = landscapes.par_iter().zip(ids).map(|(finest, id)| {
            let of = |landscape: &Landscape| measure(landscape, id.classes);
            Some(finer_json([&of(&finest.every(2)), &of(finest)]))
        });
        let measures = both.collect();
        self.timings.resolution += refining.elapsed();
        Ok(measures)
    }

    /// Runs all landscapes to the end.
    pub(super) fn execute(mut self) -> Result<Outcome, RunError> {
        let ids = self.job.landscapes();
        let mut done = Done {
            rows: Vec::with_capacity(ids.len()),
            details: Vec::new(),
            resolution: self.resolution.then(|| Resolution::new(self.job.steps())),
            kept: 0,
        };
        match self.write_waves(&ids, &mut done) {
            Ok(()) => self.finish(&ids, done),
            Err(error) => {
                let computed = done.rows.len() - done.kept;
                let written = |id: &&LandscapeId| {
                    let own = self.folder.file(&id.name);
                    own.join(LANDSCAPE_FILE).is_file()
                };
                let written = ids.iter().filter(written).count();
                Err(self.stopped(error, computed, [written, ids.len()]))
            }
        }
    }

    /// Computes, draws and writes the landscapes, wave by wave.
    fn write_waves(&mut self, ids: &[LandscapeId], done: &mut Done) -> Result<(), RunError> {
        let all_each = self.frames_each() + self.finer_each();
        self.observer.begin(Stage {
            total: ids.len() * all_each,
            unit: self.unit(),
        });
        let how = (self.figures.as_ref()).map_or_else(|| json!("none"), FigurePlan::json);
        let drawn = self.folder.begin_figures(how)?;
        let frames = match self.keep {
            Keep::TensorsAndFrames => Frames::Keep,
            _ => Frames::Drop,
        };
        let expected = Expected {
            job: self.job,
            keeps_frames: self.keeps_frames(),
            on_finer_grids: self.resolution,
            observer: self.observer,
        };
        // The landscapes of a triple stay together.
        let siblings = self.job.kind().siblings().len();
        let most_triples = (BUDGET.results / (siblings * self.landscape_bytes())).max(1);
        let first_values = siblings * self.frames_each() * self.job.input_values();
        let mut triples = (BUDGET.first_wave_values() / first_values).clamp(1, most_triples);
        let mut rest = ids;
        while !rest.is_empty() {
            let started = Instant::now();
            let wave;
            (wave, rest) = rest.split_at(rest.len().min(siblings * triples));
            let slots: Vec<Slot> = wave
                .par_iter()
                .map(|id| match expected.kept(&self.folder, id) {
                    Some(file) => Slot::Kept(Box::new(file)),
                    None => Slot::New(id.clone()),
                })
                .collect();
            let is_kept: Vec<bool> = slots.iter().map(Slot::is_kept).collect();
            let missing: Vec<LandscapeId> = slots.iter().filter_map(Slot::missing).collect();
            let kept_here = wave.len() - missing.len();
            if kept_here > 0 {
                self.observer
                    .keep(kept_here * all_each, done.kept + kept_here);
            }
            let computed = self.compute(&missing, self.job.steps(), frames)?;
            let finer = self.finer_measures(&missing)?;
            self.folder.note_fallback(self.engine)?;

            let measuring = Instant::now();
            let new = missing.iter().zip(computed).zip(finer);
            let mut new: HashMap<&str, LandscapeFile> = new
                .map(|((id, landscape), finer_measures)| {
                    let mut file = self.job.named(id, landscape);
                    file.about.finer_measures = finer_measures;
                    (id.name.as_str(), file)
                })
                .collect();
            let files: Vec<LandscapeFile> = slots
                .into_iter()
                .map(|slot| match slot {
                    Slot::Kept(file) => *file,
                    Slot::New(id) => new
                        .remove(id.name.as_str())
                        .expect("each that is missing was computed"),
                })
                .collect();
            let measures = measure_files(&files);
            self.timings.measures += measuring.elapsed();
            if let Some(resolution) = &mut done.resolution {
                for (file, measures) in files.iter().zip(&measures) {
                    let finer = file.about.finer_measures.as_ref();
                    resolution.add(&file.about.name, measures, finer.unwrap_or(&Value::Null));
                }
            }

            let writing = Instant::now();
            let first = done.rows.len();
            let finisher = Finisher {
                job: self.job,
                folder: &self.folder,
                figures: self.figures.as_ref(),
                drawn,
                data_points: self.data_points.as_ref(),
                observer: self.observer,
            };
            let triples_done = (0..wave.len() / siblings).into_par_iter().map(|n| {
                let own = siblings * n..siblings * (n + 1);
                let triple = TripleFiles {
                    first: first + siblings * n,
                    ids: &wave[own.clone()],
                    files: &files[own.clone()],
                    measures: &measures[own.clone()],
                    is_kept: &is_kept[own],
                };
                finisher.finish(&triple)
            });
            done.details.extend(
                triples_done
                    .collect::<Result<Vec<_>, RunError>>()?
                    .into_iter()
                    .flatten(),
            );
            match self.figures {
                Some(_) => self.timings.figures += writing.elapsed(),
                None => self.timings.write += writing.elapsed(),
            }
            let measured = files.iter().zip(measures);
            done.kept += kept_here;
            done.rows
                .extend(measured.map(|(file, measures)| SummaryRow::new(file, measures)));
            if self.is_interrupted() {
                return Err(PipelineError::Interrupted.into());
            }
            let estimate = triples as f64 * WAVE_S / started.elapsed().as_secs_f64();
            triples = (estimate as usize).clamp(1, most_triples);
        }
        self.observer.end();
        Ok(())
    }

    /// Writes what sums the run up.
    fn finish(
        mut self,
        ids: &[LandscapeId],
        Done {
            rows,
            details,
            resolution,
            kept,
        }: Done,
    ) -> Result<Outcome, RunError> {
        let computed = [ids.len() - kept, ids.len()];
        let writing = Instant::now();
        write_file(&self.folder.file(SUMMARY_FILE), &summary_csv(&rows))?;
        if let Some(resolution) = &resolution {
            write_file(&self.folder.file(RESOLUTION_FILE), &resolution.csv())?;
        }
        self.timings.write += writing.elapsed();
        self.describe();
        let names: Vec<&String> = ids.iter().map(|id| &id.name).collect();
        self.folder.set("landscapes", json!(names));
        let findings = section::write_table(&self.folder, &names)?;
        if !findings.is_empty() {
            self.folder.set("findings", json!(findings));
        }
        let reporting = Instant::now();
        if self.figures.as_ref().is_some_and(|plan| plan.report) {
            let timings = self.timings.json(self.started.elapsed());
            self.folder.set_timings(timings, computed);
            report(
                &self.folder,
                self.job.class_names(),
                (self.job.kind(), self.job.steps()),
                &self.job.items(),
                &rows,
                &details,
                resolution.as_ref(),
            )?;
        }
        self.timings.report = reporting.elapsed();
        self.folder
            .set_timings(self.timings.json(self.started.elapsed()), computed);
        let counts = rows.iter().filter_map(|row| row.counts);
        let outcome = Outcome {
            landscapes: ids.len(),
            kept,
            stand_in: counts.map(|counts| counts.stand_in).sum(),
            findings,
            ..self.outcome()
        };
        self.folder.finish()?;
        Ok(Outcome {
            rows,
            resolution,
            total: self.started.elapsed(),
            ..outcome
        })
    }
}
