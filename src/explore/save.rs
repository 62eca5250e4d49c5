//! A view kept: as the folder of a run, and as the commands that make it again.

use super::error::ExploreError;
use super::subject::{Pick, Subject};
use super::view::View;
use crate::job::{Job, Observer, Silent, Triples};
use crate::kernels::Sampling;
use crate::landscape::{ListedItem, ListedTriple};
use crate::pipeline::MorphMode;
use crate::run::{Existing, FigurePlan, Run};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;

/// The triple of a saved view; its third landscape is the view itself.
const TRIPLE: &str = "view";

/// What to save, and where.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Save {
    pub(super) view: View,
    /// The folder, seen from where the program runs.
    folder: String,
}

impl Subject {
    /// Positions of the view's items; nothing of the user's own is in the data.
    fn positions(&self, view: &View) -> Result<[usize; 3], ExploreError> {
        let mut positions = [0; 3];
        for (position, pick) in positions.iter_mut().zip(&view.items) {
            let Pick::Item(item) = pick else {
                return Err(ExploreError::refused(
                    "an item of your own is in no data set, from which a run takes its items; put it into the data and choose it there",
                ));
            };
            self.item(*item)?;
            *position = *item;
        }
        Ok(positions)
    }

    fn triple(&self, view: &View) -> Result<ListedTriple, ExploreError> {
        let items = self
            .positions(view)?
            .map(|item| ListedItem::Name(self.job.item_name(item)));
        Ok(ListedTriple {
            name: TRIPLE.to_owned(),
            items,
        })
    }

    /// The job whose run holds the view.
    fn job_of(&self, view: &View) -> Result<Job, ExploreError> {
        let triples = Triples::Listed(vec![self.triple(view)?]);
        let mut job = self.job.job().clone();
        match &mut job {
            Job::Sweep(job) => {
                job.triples = triples;
                job.morph = view.morph;
                job.flat = view.flat;
            }
            Job::Interpolate(job) => {
                job.triples = triples;
                job.steps = view.morph.steps;
                job.flat = view.flat;
            }
        }
        Ok(job)
    }

    /// Writes the run that holds the view, with figures and report: where it is, and which of its
    /// landscapes is the view.
    pub(super) fn save(&self, save: &Save, observer: &dyn Observer) -> Result<Value, ExploreError> {
        save.view.check()?;
        if save.folder.trim().is_empty() {
            return Err(ExploreError::refused(
                "expected the name of a folder, found none",
            ));
        }
        let job = self.job_of(&save.view)?.load(&Silent)?;
        let folder = Path::new(save.folder.trim());
        let outcome = Run::new(&job, self.engine.as_ref())
            .figures(FigurePlan::default())
            .command(self.command.clone())
            .write_to(folder, Existing::Continue, observer)?;
        let place = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        Ok(json!({
            "folder": place.display().to_string(),
            "landscapes": outcome.landscapes,
            "landscape": format!("{TRIPLE}.3"),
        }))
    }

    /// The command line that computes the view, and the lines of Python, if there are any.
    pub(super) fn commands(&self, view: &View) -> Result<Value, ExploreError> {
        view.check()?;
        let job = self.job_of(view)?;
        Ok(json!({
            "shell": self.spell.as_ref().map(|spell| spell(&job)),
            "python": self.python(view)?,
        }))
    }

    /// Python that computes the view; nothing where the package would need more than a file's name
    /// to load what is explored.
    fn python(&self, view: &View) -> Result<Option<String>, ExploreError> {
        if view.flat.is_some() {
            return Ok(None);
        }
        let [a, b, c] = self.positions(view)?;
        let Job::Sweep(job) = self.job.job() else {
            let rows = [a, b, c].map(|item| json!(self.job.row(item)).to_string());
            let model = match &self.job.model().path {
                path if path.starts_with("bundled") => return Ok(None),
                path => json!(path).to_string(),
            };
            return Ok(Some(format!(
                "import morphscape as ms\nimport numpy as np\n\na, b, c = np.array([\n    {},\n], dtype=np.float32)\nview = ms.landscape({model}, a, b, c, steps={})\n",
                rows.join(",\n    "),
                view.morph.steps
            )));
        };
        let model = match &job.model.file {
            None => "None".to_owned(),
            Some(file) => json!(file).to_string(),
        };
        if job.data.place != "fashion-mnist" || job.data.root.is_some() {
            return Ok(None);
        }
        let mut keywords = format!("steps={}, grid={}", view.morph.steps, view.morph.grid);
        match view.morph.mode {
            MorphMode::Clean(Sampling::Cubic) => {}
            MorphMode::Clean(Sampling::Linear) => keywords.push_str(", sampling=\"linear\""),
            MorphMode::Published => keywords.push_str(", mode=\"published\""),
            MorphMode::CrossFade => keywords.push_str(", mode=\"cross-fade\""),
        }
        Ok(Some(format!(
            "import morphscape as ms\n\nimages, labels = ms.fashion_mnist()\nview = ms.landscape({model}, images[{a}], images[{b}], images[{c}], {keywords})\n"
        )))
    }
}
