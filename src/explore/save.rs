//! A view kept: as the folder of a run, and as the commands that make it again.

use super::error::ExploreError;
use super::gallery::png_text;
use super::item::{Input, Pick};
use super::subject::{Asked, Subject};
use super::view::View;
use crate::job::{Job, LineData, LineJob, Observer, Silent, Triples};
use crate::landscape::{ListedItem, ListedTriple, OwnImage, OwnRow};
use crate::run::{Existing, FigurePlan, Run, line};
use crate::sections::Exactness;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;

/// The triple of a saved view; its third landscape is the view itself.
const TRIPLE: &str = "view";
/// As `morphscape line` has it.
const MAX_PIECES: usize = 1_000_000;

/// What to save, and where.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Save {
    pub(super) view: View,
    /// The folder, seen from where the program runs.
    folder: String,
}

impl Subject {
    /// An item as a list of triples has it; what is in no data set stands in the list itself.
    fn listed(&self, pick: &Pick) -> Result<ListedItem, ExploreError> {
        let item = self.pick(pick)?;
        Ok(match (pick, item.input) {
            (Pick::Item(_), _) => ListedItem::Name(item.name),
            (_, Input::Image(image)) => ListedItem::Image(OwnImage {
                png: png_text(&image),
                class: item.class,
            }),
            (_, Input::Row(row)) => ListedItem::Row(OwnRow {
                row,
                class: item.class,
            }),
        })
    }

    /// What computes the view.
    fn asked(&self, view: &View) -> Result<Asked, ExploreError> {
        if let Some(exact) = view.line {
            return Ok(Asked::Line(self.line_job(view, exact)?));
        }
        let [a, b, c] = &view.items;
        let triples = Triples::Listed(vec![ListedTriple {
            name: TRIPLE.to_owned(),
            items: [self.listed(a)?, self.listed(b)?, self.listed(c)?],
        }]);
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
        Ok(Asked::Landscape(job))
    }

    fn line_job(&self, view: &View, exact: Exactness) -> Result<LineJob, ExploreError> {
        let [from, to, _] = &view.items;
        let (model, data) = match self.job.job() {
            Job::Sweep(job) => (&job.model, LineData::Images(job.data.clone())),
            Job::Interpolate(job) => (&job.model, LineData::Rows(job.data.clone())),
        };
        Ok(LineJob {
            items: [self.listed(from)?, self.listed(to)?],
            data,
            model: model.clone(),
            steps: view.morph.steps,
            exact,
            connect: false,
            max_pieces: MAX_PIECES,
        })
    }

    /// Writes the run that holds the view, with figures and report: where it is, and which of its
    /// landscapes is the view; of a line its folder.
    pub(super) fn save(&self, save: &Save, observer: &dyn Observer) -> Result<Value, ExploreError> {
        save.view.check()?;
        if save.folder.trim().is_empty() {
            return Err(ExploreError::refused(
                "expected the name of a folder, found none",
            ));
        }
        let folder = Path::new(save.folder.trim());
        let place = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let place = place.display().to_string();
        let job = match self.asked(&save.view)? {
            Asked::Landscape(job) => job.load(&Silent)?,
            Asked::Line(asked) => {
                let job = asked.load(&Silent)?;
                let engine = job.is_sampled().then_some(self.engine.as_ref());
                let target = (folder, Existing::Continue);
                line(&asked, &job, engine, target, &self.command)?;
                return Ok(json!({"folder": place}));
            }
        };
        let outcome = Run::new(&job, self.engine.as_ref())
            .figures(FigurePlan::default())
            .command(self.command.clone())
            .write_to(folder, Existing::Continue, observer)?;
        Ok(json!({
            "folder": place,
            "landscapes": outcome.landscapes,
            "landscape": format!("{TRIPLE}.3"),
        }))
    }

    /// The command line that computes the view, and the lines of Python, or why there are none.
    pub(super) fn commands(&self, view: &View) -> Result<Value, ExploreError> {
        view.check()?;
        let asked = self.asked(view);
        let spelled = match &asked {
            Ok(Asked::Line(job)) if job.items.iter().any(is_own_row) => Err(
                "the command line takes the rows of a table; Save run keeps this line".to_owned(),
            ),
            Ok(asked) => Ok(self.spell.as_ref().map(|spell| spell(asked))),
            Err(error) => Err(error.sentence()),
        };
        let python = self.python(view, &self.picked(view)?);
        Ok(json!({
            "shell": spelled.as_ref().ok(),
            "shell_note": spelled.as_ref().err(),
            "python": python.as_ref().ok(),
            "python_note": python.as_ref().err(),
        }))
    }
}

fn is_own_row(item: &ListedItem) -> bool {
    matches!(item, ListedItem::Row(_))
}
