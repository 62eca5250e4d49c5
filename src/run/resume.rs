//! When a landscape is finished, and when one that an earlier start left is kept.
//!
//! Its figures are written first and its tensors last, under their name only when they are whole.
//! So **a landscape is finished when its tensors are there**; that they are those of this run, to
//! the bit, is what they say of themselves: the digest in the file, and everything else in its
//! metadata but the values, which must be what this run would write. Rejected: a journal of
//! finished landscapes, which could disagree with the files.

use super::error::{Placed, RunError};
use super::folder::layout::LANDSCAPE_FILE;
use super::folder::{Earlier, RunFolder};
use crate::job::{LandscapeId, LoadedJob, Note, Observer};
use crate::landscape::{About, Items, LandscapeFile};
use crate::remedy::error_chain;

/// What a landscape must be to be kept.
pub(super) struct Expected<'a> {
    pub(super) job: &'a LoadedJob,
    /// Whether the inputs of landscapes of images are in their files.
    pub(super) keeps_frames: bool,
    /// Whether measures on finer grids are in their files.
    pub(super) on_finer_grids: bool,
    /// Hears of files that are not what is expected.
    pub(super) observer: &'a dyn Observer,
}

impl Expected<'_> {
    /// A landscape as an earlier start of this run finished it: its tensors are there, whole, and
    /// are those of this job. What is there and is not that is noted, and computed again; so is
    /// one without the measures on finer grids that are wanted, or with those that are not.
    pub(super) fn kept(&self, folder: &RunFolder, id: &LandscapeId) -> Option<LandscapeFile> {
        if folder.earlier() == Earlier::Nothing {
            return None;
        }
        let path = folder.file(&id.name).join(LANDSCAPE_FILE);
        if !path.exists() {
            return None;
        }
        let found = LandscapeFile::read_whole(&path)
            .placed(path.display())
            .and_then(|file| {
                let wanted = About {
                    finer_measures: file.about.finer_measures.clone(),
                    ..self.job.about(id)
                };
                let keeps_inputs =
                    self.keeps_frames || matches!(self.job.items(), Items::Rows { .. });
                let is_this = file.about == wanted
                    && file.landscape.kind == self.job.kind()
                    && file.landscape.steps == self.job.steps()
                    && file.landscape.inputs.is_some() == keeps_inputs;
                match is_this {
                    true => Ok(file),
                    false => Err(RunError::refused(format!(
                        "{}: expected landscape {} of this run, found another",
                        path.display(),
                        id.name
                    ))),
                }
            });
        match found {
            Ok(file) => {
                (file.about.finer_measures.is_some() == self.on_finer_grids).then_some(file)
            }
            Err(error) => {
                let chain = error_chain(&error);
                self.observer
                    .note(&Note::new(format!("{chain}; it is computed again")));
                None
            }
        }
    }
}
