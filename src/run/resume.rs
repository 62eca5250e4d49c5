//! When a landscape is finished, and when one that an earlier start left is kept.
//!
//! Its figures are written first and its tensors last, under their name only when they are whole.
//! So **a landscape is finished when its tensors are there**; that they are those of this run, to
//! the bit, is what they say of themselves: the digest in the file, and everything else in its
//! metadata but the values, which must be what this run would write. Rejected: a journal of
//! finished landscapes, which could disagree with the files.

use super::error::{Placed, RunError};
use super::figures::{FigurePlan, MAX_DETAILS, Wanted};
use super::folder::layout::{FRAMES_FILE, LANDSCAPE_FILE};
use super::folder::{Drawn, Earlier};
use super::waves::Writing;
use crate::data::write_file;
use crate::job::{LandscapeId, Note};
use crate::landscape::{Items, Landscape, LandscapeFile, Measures};
use crate::plot::Tiles;
use crate::report::Detail;

/// The landscapes of a triple on the way to their files.
pub(super) struct TripleFiles<'a> {
    /// The place of the first in the run.
    pub(super) first: usize,
    pub(super) ids: &'a [LandscapeId],
    pub(super) files: &'a [LandscapeFile],
    pub(super) measures: &'a [Measures],
    /// Whether their tensors are in their files already.
    pub(super) is_kept: &'a [bool],
}

impl Writing<'_> {
    /// A landscape as an earlier start of this run finished it: its tensors are there, whole, and
    /// are those of this job. What is there and is not that is noted, and computed again; so is
    /// one without the measures on finer grids that are wanted, or with those that are not.
    pub(super) fn kept(&self, id: &LandscapeId) -> Option<LandscapeFile> {
        if self.folder.earlier() == Earlier::Nothing {
            return None;
        }
        let path = self.folder.file(&id.name).join(LANDSCAPE_FILE);
        if !path.exists() {
            return None;
        }
        let found = LandscapeFile::read_whole(&path)
            .placed(path.display())
            .and_then(|mut file| {
                let landscape = std::mem::replace(&mut file.landscape, Landscape::nothing());
                let wanted = LandscapeFile {
                    finer_measures: file.finer_measures.clone(),
                    ..self.job.named(id, Landscape::nothing())
                };
                let keeps_inputs =
                    self.keeps_frames() || matches!(self.job.items(), Items::Rows { .. });
                let is_this = file == wanted
                    && landscape.steps == self.job.steps()
                    && landscape.inputs.is_some() == keeps_inputs;
                match is_this {
                    true => Ok(LandscapeFile { landscape, ..file }),
                    false => Err(RunError::refused(format!(
                        "{}: expected landscape {} of this run, found another",
                        path.display(),
                        id.name
                    ))),
                }
            });
        match found {
            Ok(file) => (file.finer_measures.is_some() == self.resolution).then_some(file),
            Err(error) => {
                let chain = error_chain(&error);
                self.observer
                    .note(&Note::new(format!("{chain}; it is computed again")));
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
    ) -> Result<Vec<Detail>, RunError> {
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
    ) -> Result<Vec<Detail>, RunError> {
        let TripleFiles { first, ids, .. } = *triple;
        let place = |file: &LandscapeFile| ids.iter().position(|id| id.name == file.name);
        let wanted = |file: &LandscapeFile| match place(file) {
            Some(n) if first + n < MAX_DETAILS && plan.report => Wanted::Detail,
            Some(n) if triple.is_kept[n] && drawn == Drawn::Alike => Wanted::No,
            _ => Wanted::Figures,
        };
        let frames = |file: &LandscapeFile| {
            let tiles = match (Tiles::of(file), place(file)) {
                (None, Some(n)) => self
                    .job
                    .frames(&ids[n])?
                    .map(|frames| Tiles::of_images(&frames, self.job.steps())),
                (kept, _) => kept,
            };
            if let Some(tiles) = &tiles {
                let path = self.folder.folder(&file.name)?.join(FRAMES_FILE);
                write_file(&path, &tiles.atlas().to_png())?;
            }
            Ok(tiles)
        };
        let data = self.data_points.as_ref();
        plan.draw_triple(
            &self.folder,
            triple.files,
            data,
            &wanted,
            &frames,
            self.observer,
        )
    }
}

/// An error and what caused it, in one line.
pub(super) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
