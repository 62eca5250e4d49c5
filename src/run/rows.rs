//! Runs of very many landscapes, of which nothing stays but a row each.
//!
//! Landscapes are computed, measured and forgotten a few at a time, and their rows go to the
//! file as they come, so that a million landscapes take no more memory than a hundred. Until the
//! last one is there the file has another name, [`ROWS_FILE`]; a run that is started again goes on
//! behind its last whole triple.

use super::error::RunError;
use super::folder::Earlier;
use super::folder::layout::{ROWS_FILE, SUMMARY_FILE};
use super::summary::{SummaryRow, SummaryWriter, measure_files};
use super::writing::{Outcome, Writing};
use crate::data::FileError;
use crate::job::{Stage, landscapes_of};
use crate::kernels::BUDGET;
use crate::landscape::{GridKind, LandscapeFile, Triple};
use crate::pipeline::{Frames, PipelineError};
use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Instant;

impl Writing<'_> {
    /// Runs all landscapes and writes `summary.csv` and the manifest.
    pub(super) fn summarise(mut self) -> Result<Outcome, RunError> {
        let job = self.job;
        let triples = job.triples();
        let path = self.folder.file(ROWS_FILE);
        let failed = |source| FileError {
            path: path.clone(),
            source,
        };
        let heading = SummaryWriter::headed(job.kind().is_morphed()).finish();
        let kept = match self.folder.earlier() {
            Earlier::SamePlan => {
                Kept::read(&path, &heading, job.kind(), triples).unwrap_or_default()
            }
            Earlier::Nothing => Kept::default(),
        };
        let mut file = kept.open(&path, &heading).map_err(failed)?;
        let siblings = job.kind().siblings().len();
        let [landscapes, new] = [triples.len(), triples.len() - kept.triples].map(|n| siblings * n);
        self.observer.begin(Stage {
            total: new * self.frames_each(),
            unit: self.unit(),
        });
        let mut done = Done {
            triples: kept.triples,
            stand_in: 0,
        };
        let written = self.append_rows(&mut file, &mut done);
        if let Err(error) = written {
            let done = siblings * done.triples;
            let computed = done - siblings * kept.triples;
            return Err(self.stopped(error, computed, [done, landscapes]));
        }
        self.observer.end();
        drop(file);
        std::fs::rename(&path, self.folder.file(SUMMARY_FILE)).map_err(failed)?;
        self.describe();
        self.folder
            .set_timings(self.timings.json(self.started.elapsed()), [new, landscapes]);
        let outcome = Outcome {
            landscapes,
            kept: landscapes - new,
            stand_in: done.stand_in,
            ..self.outcome()
        };
        self.folder.finish()?;
        Ok(outcome)
    }

    /// Computes the landscapes behind those that are done, and appends their rows.
    fn append_rows(&mut self, file: &mut File, done: &mut Done) -> Result<(), RunError> {
        let job = self.job;
        for wave in job.triples()[done.triples..].chunks(BUDGET.triples_to_rows) {
            let ids = landscapes_of(job.kind(), wave);
            let computed = self.compute(&ids, job.steps(), Frames::Drop)?;
            self.folder.note_fallback(self.engine)?;
            let measuring = Instant::now();
            let files: Vec<LandscapeFile> = ids
                .iter()
                .zip(computed)
                .map(|(id, landscape)| job.named(id, landscape))
                .collect();
            let measures = measure_files(&files);
            self.timings.measures += measuring.elapsed();
            let writing = Instant::now();
            let mut rows = SummaryWriter::rows();
            for (file, measures) in files.iter().zip(measures) {
                let row = SummaryRow::new(file, measures);
                done.stand_in += row.counts.map_or(0, |counts| counts.stand_in);
                rows.add(&row);
            }
            file.write_all(&rows.finish()).map_err(|source| FileError {
                path: self.folder.file(ROWS_FILE),
                source,
            })?;
            done.triples += wave.len();
            self.timings.write += writing.elapsed();
            if self.is_interrupted() {
                return Err(PipelineError::Interrupted.into());
            }
        }
        Ok(())
    }
}

/// What of a run is done.
struct Done {
    /// Triples of which the file has all rows.
    triples: usize,
    /// See [`Outcome::stand_in`].
    stand_in: u64,
}

/// What an earlier start of the same run has left: rows of the first few triples.
#[derive(Default)]
struct Kept {
    triples: usize,
    /// Of the file, heading and rows.
    bytes: u64,
}

impl Kept {
    /// The whole triples in the order of the plan; a row that was cut short is not whole.
    fn read(
        path: &Path,
        heading: &[u8],
        kind: GridKind,
        triples: &[Triple],
    ) -> std::io::Result<Self> {
        if std::fs::symlink_metadata(path)?.is_symlink() {
            return Ok(Self::default());
        }
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut begins = vec![0; heading.len()];
        file.read_exact(&mut begins)?;
        if begins != heading {
            return Ok(Self::default());
        }
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(BufReader::new(file));
        let mut kept = Self {
            triples: 0,
            bytes: heading.len() as u64,
        };
        let mut row = csv::StringRecord::new();
        for triple in triples {
            let mut is_next = |name: &str| {
                reader.read_record(&mut row).is_ok_and(|is_row| is_row) && &row[0] == name
            };
            let mut ids = landscapes_of(kind, std::slice::from_ref(triple)).into_iter();
            if !ids.all(|id| is_next(&id.name)) {
                break;
            }
            let bytes = heading.len() as u64 + reader.position().byte();
            if bytes == length && !ends_in_line(path)? {
                break;
            }
            kept.triples += 1;
            kept.bytes = bytes;
        }
        Ok(kept)
    }

    /// The file, cut behind what is kept of it, or begun.
    fn open(&self, path: &Path, heading: &[u8]) -> std::io::Result<File> {
        if self.triples > 0 {
            let mut file = OpenOptions::new().write(true).open(path)?;
            file.set_len(self.bytes)?;
            file.seek(SeekFrom::End(0))?;
            return Ok(file);
        }
        // Whatever lies there, a link to somewhere else perhaps, is not written through.
        let _ = std::fs::remove_file(path);
        let mut file = File::create_new(path)?;
        file.write_all(heading)?;
        Ok(file)
    }
}

/// Whether a file's last line has its end.
fn ends_in_line(path: &Path) -> std::io::Result<bool> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
