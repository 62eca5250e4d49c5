//! When a landscape is finished, and when one that an earlier start left is kept.
//!
//! Its figures are written first and its tensors last, under their name only when they are whole.
//! So **a landscape is finished when its tensors are there**; that they are those of this run, to
//! the bit, is what they say of themselves: the digest in the file, and everything else in its
//! metadata but the values, which must be what this run would write. Rejected: a journal of
//! finished landscapes, which could disagree with the files.

use super::Verbosity;
use super::figures::{FigurePlan, MAX_DETAILS, Wanted};
use super::output::{Drawn, Earlier, LANDSCAPE_FILE};
use super::run::{Job, Run};
use crate::data::write_file;
use crate::landscape::{Items, Landscape, LandscapeFile, Measures};
use crate::plot::Tiles;
use crate::report::Detail;
use anyhow::{Context, ensure};

/// All frames of a landscape in one picture, from which a finished run is drawn again.
pub(super) const FRAMES_FILE: &str = "frames.png";

/// The landscapes of a triple on the way to their files.
pub(super) struct TripleFiles<'a> {
    /// The place of the first in the run.
    pub(super) first: usize,
    pub(super) jobs: &'a [Job],
    pub(super) files: &'a [LandscapeFile],
    pub(super) measures: &'a [Measures],
    /// Whether their tensors are in their files already.
    pub(super) is_kept: &'a [bool],
}

impl Run<'_> {
    /// The landscape of a job as an earlier start of this run finished it: its tensors are there,
    /// whole, and are those of this job. What is there and is not that is said, and computed
    /// again; so is one without the measures on finer grids that are wanted, or with those that
    /// are not.
    pub(super) fn kept(&self, job: &Job, verbosity: Verbosity) -> Option<LandscapeFile> {
        if self.folder.earlier() == Earlier::Nothing {
            return None;
        }
        let path = self.folder.file(&job.name).join(LANDSCAPE_FILE);
        if !path.exists() {
            return None;
        }
        let found = LandscapeFile::read_whole(&path)
            .with_context(|| path.display().to_string())
            .and_then(|mut file| {
                let landscape = std::mem::replace(&mut file.landscape, Landscape::nothing());
                let wanted = self.named(job, Landscape::nothing(), file.finer_measures.clone());
                let keeps_inputs = self.save_frames || matches!(self.items, Items::Rows { .. });
                ensure!(
                    file == wanted
                        && landscape.steps == self.steps
                        && landscape.inputs.is_some() == keeps_inputs,
                    "{}: expected landscape {} of this run, found another",
                    path.display(),
                    job.name
                );
                Ok(LandscapeFile { landscape, ..file })
            });
        match found {
            Ok(file) => (file.finer_measures.is_some() == self.resolution).then_some(file),
            Err(error) => {
                verbosity.say(
                    Verbosity::Normal,
                    format!("note: {error:#}; it is computed again"),
                );
                None
            }
        }
    }

    /// Draws what is to be drawn of a triple, then writes the tensors of the landscapes that are
    /// new: from then on they are finished.
    pub(super) fn finish_triple(
        &self,
        triple: &TripleFiles<'_>,
        drawn: Drawn,
    ) -> anyhow::Result<Vec<Detail>> {
        let details = match &self.figures {
            Some(plan) => self.draw(plan, triple, drawn)?,
            None => Vec::new(),
        };
        for (n, file) in triple.files.iter().enumerate() {
            if !triple.is_kept[n] {
                let path = self.folder.folder(&file.name)?.join(LANDSCAPE_FILE);
                file.write(&path, &triple.measures[n])?;
            }
        }
        Ok(details)
    }

    /// Draws and writes the figures of a triple.
    fn draw(
        &self,
        plan: &FigurePlan,
        triple: &TripleFiles<'_>,
        drawn: Drawn,
    ) -> anyhow::Result<Vec<Detail>> {
        let TripleFiles { first, jobs, .. } = *triple;
        let place = |file: &LandscapeFile| jobs.iter().position(|job| job.name == file.name);
        let wanted = |file: &LandscapeFile| match place(file) {
            Some(n) if first + n < MAX_DETAILS && plan.report => Wanted::Detail,
            Some(n) if triple.is_kept[n] && drawn == Drawn::Alike => Wanted::No,
            _ => Wanted::Figures,
        };
        let frames = |file: &LandscapeFile| {
            let tiles = match (Tiles::of(file), self.frames, place(file)) {
                (None, Some(frames_of), Some(n)) => {
                    Some(Tiles::of_images(&frames_of(&jobs[n])?, self.steps))
                }
                (kept, _, _) => kept,
            };
            if let Some(tiles) = &tiles {
                let path = self.folder.folder(&file.name)?.join(FRAMES_FILE);
                write_file(&path, &tiles.atlas().to_png())?;
            }
            Ok(tiles)
        };
        let data = self.data_points.as_ref();
        plan.draw_triple(&self.folder, triple.files, data, &wanted, &frames)
    }
}
