//! The last steps of a triple: its class map, if it is flat, its figures, then its tensors. From then on its landscapes are
//! finished, and a killed run keeps them (`resume.rs`).

use super::error::RunError;
use super::figures::{FigurePlan, MAX_DETAILS, Wanted};
use super::folder::layout::{FRAMES_FILE, LANDSCAPE_FILE};
use super::folder::{Drawn, RunFolder};
use super::section;
use crate::data::write_file;
use crate::job::{LandscapeId, LoadedJob, Observer};
use crate::landscape::{DataPoints, LandscapeFile, Measures};
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

/// Draws and writes triples.
pub(super) struct Finisher<'a> {
    pub(super) job: &'a LoadedJob,
    pub(super) folder: &'a RunFolder,
    /// Figures to draw; nothing for none.
    pub(super) figures: Option<&'a FigurePlan>,
    /// How those of an earlier start were drawn.
    pub(super) drawn: Drawn,
    /// The data to show with landscapes of rows.
    pub(super) data_points: Option<&'a DataPoints>,
    pub(super) observer: &'a dyn Observer,
}

impl Finisher<'_> {
    /// Draws what is to be drawn of a triple, then writes the tensors of the landscapes that are
    /// new: from then on they are finished.
    pub(super) fn finish(&self, triple: &TripleFiles<'_>) -> Result<Vec<Detail>, RunError> {
        for (id, is_kept) in triple.ids.iter().zip(triple.is_kept) {
            if !is_kept {
                section::write(self.folder, self.job, id)?;
            }
        }
        let details = match self.figures {
            Some(plan) => self.draw(plan, triple)?,
            None => Vec::new(),
        };
        for (n, file) in triple.files.iter().enumerate() {
            if !triple.is_kept[n] {
                let path = self.folder.folder(&file.about.name)?.join(LANDSCAPE_FILE);
                file.write(&path, &triple.measures[n])?;
            }
        }
        Ok(details)
    }

    /// Draws and writes the figures of a triple.
    fn draw(&self, plan: &FigurePlan, triple: &TripleFiles<'_>) -> Result<Vec<Detail>, RunError> {
        let TripleFiles { first, ids, .. } = *triple;
        let place = |file: &LandscapeFile| ids.iter().position(|id| id.name == file.about.name);
        let wanted = |file: &LandscapeFile| match place(file) {
            Some(n) if first + n < MAX_DETAILS && plan.report => Wanted::Detail,
            Some(n) if triple.is_kept[n] && self.drawn == Drawn::Alike => Wanted::No,
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
                let path = self.folder.folder(&file.about.name)?.join(FRAMES_FILE);
                write_file(&path, &tiles.atlas().to_png())?;
            }
            Ok(tiles)
        };
        let data = self.data_points;
        plan.draw_triple(
            self.folder,
            triple.files,
            data,
            &wanted,
            &frames,
            self.observer,
        )
    }
}
