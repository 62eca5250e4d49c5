//! Runs of very many landscapes, of which nothing stays but a row each: `--summary-only`.
//!
//! Landscapes are computed, measured and forgotten a few at a time, and their rows go to the
//! file as they come, so that a million landscapes take no more memory than a hundred. Until the
//! last one is there the file has another name, [`ROWS_FILE`]; a run that is started again goes on
//! behind its last whole triple.

use super::Verbosity;
use super::output::{Earlier, ROWS_FILE};
use super::progress::{Progress, interrupted};
use super::run::{Compute, Run, jobs};
use super::summary::{SUMMARY_FILE, SummaryRow, SummaryWriter, measure_files};
use super::text::{counted, stand_in_note};
use crate::data::{FileError, sha256_hex};
use crate::landscape::{Items, LandscapeFile, Triple};
use crate::pipeline::PipelineError;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
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
        let path = self.folder.file(ROWS_FILE);
        let failed = |source| FileError {
            path: path.clone(),
            source,
        };
        let heading =
            SummaryWriter::headed(matches!(self.items, Items::Images { .. }))?.finish()?;
        let kept = match self.folder.earlier() {
            Earlier::SamePlan => Kept::read(&path, &heading, triples).unwrap_or_default(),
            Earlier::Nothing => Kept::default(),
        };
        let mut file = kept.open(&path, &heading).map_err(failed)?;
        let [landscapes, new] = [triples.len(), triples.len() - kept.triples].map(|n| 3 * n);
        let frames = new * self.steps * self.steps;
        let progress = Progress::new(frames, verbosity);
        let mut stand_in = 0;
        for wave in triples[kept.triples..].chunks(TRIPLES_A_WAVE) {
            let jobs = jobs(wave);
            let computed = compute(&jobs, self.steps, &progress, &mut self.timings)?;
            self.folder.note_fallback(self.engine)?;
            let measuring = Instant::now();
            let files: Vec<LandscapeFile> = jobs
                .iter()
                .zip(computed)
                .map(|(job, landscape)| self.named(job, landscape, None))
                .collect();
            let measures = measure_files(&files);
            self.timings.measures += measuring.elapsed();
            let writing = Instant::now();
            let mut rows = SummaryWriter::rows();
            for (file, measures) in files.iter().zip(measures) {
                let row = SummaryRow::new(file, measures);
                stand_in += row.counts.map_or(0, |counts| counts.stand_in);
                rows.add(&row)?;
            }
            file.write_all(&rows.finish()?).map_err(failed)?;
            self.timings.write += writing.elapsed();
            if interrupted() {
                return Err(PipelineError::Interrupted.into());
            }
        }
        progress.finish();
        drop(file);
        std::fs::rename(&path, self.folder.file(SUMMARY_FILE)).map_err(failed)?;
        self.describe();
        let timings = self.timings.json(self.started.elapsed());
        self.folder.set("timings", timings.clone());
        let speed = self.speed(frames);
        self.folder.finish()?;
        if let Some(note) = stand_in_note(stand_in) {
            verbosity.say(Verbosity::Normal, note);
        }
        let inputs = format!("{}s", self.items.input_name());
        let what = match landscapes - new {
            0 => format!("{frames} {inputs} {speed}"),
            _ if new == 0 => "all kept from before".to_owned(),
            kept => format!("{kept} kept from before, {frames} {inputs} {speed}"),
        };
        verbosity.say(
            Verbosity::Normal,
            format!(
                "{}, {what}; {:.3} s in all; {} written",
                counted(landscapes, "landscape"),
                self.started.elapsed().as_secs_f64(),
                self.out.join(SUMMARY_FILE).display()
            ),
        );
        verbosity.say(Verbosity::Verbose, format!("seconds: {timings}"));
        Ok(())
    }
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
    fn read(path: &Path, heading: &[u8], triples: &[Triple]) -> std::io::Result<Self> {
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
            let mut names = jobs(std::slice::from_ref(triple)).into_iter();
            if !names.all(|job| is_next(&job.name)) {
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
