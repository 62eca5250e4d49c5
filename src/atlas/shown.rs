//! What is left of an atlas to be looked at: tables of the worst, and their landscapes as a run.

use super::error::AtlasError;
use super::folder::{ITEMS_FILE, RANKING_FILE, TOP_FOLDER};
use super::gather::Gathered;
use super::page::Shown;
use super::shard::Atlas;
use super::summary::Finalist;
use super::table::{Column, Values};
use super::text::said;
use super::writing::{make_folder, write_table};
use crate::data::write_file;
use crate::engine::Engine;
use crate::job::{Job, LoadedJob, LoadedModel, Observer, Silent, Triples};
use crate::landscape::{COLUMNS, ListedItem, ListedTriple};
use crate::run::{Existing, FigurePlan, Run, RunError};
use serde_json::json;

/// Steps of the landscapes that are shown, where the atlas has a grid of that size.
const SHOWN_STEPS: usize = 21;

impl Atlas {
    pub(super) fn write_ranking(
        &self,
        finalists: &[Finalist],
        second: Option<&LoadedModel>,
        engine: &dyn Engine,
    ) -> Result<(), AtlasError> {
        let plan = self.plan();
        let score = plan.design.score;
        let said = |bad: f64| Some(said(score, bad));
        let value = |of: &dyn Fn(&Finalist) -> Option<f64>| {
            Values::F64(finalists.iter().map(|one| of(one).and_then(said)).collect())
        };
        let whole = |bits: u8, of: &dyn Fn(usize, &Finalist) -> Option<u32>| {
            let each = finalists.iter().enumerate();
            Values::Whole(bits, each.map(|(n, one)| of(n, one)).collect())
        };
        let text =
            |of: &dyn Fn(&Finalist) -> String| Values::Text(finalists.iter().map(of).collect());
        let mut columns: Vec<Column> = vec![
            ("rank".into(), whole(32, &|n, _| Some(n as u32 + 1))),
            (
                "triple".into(),
                Values::U64(finalists.iter().map(|one| one.row.triple).collect()),
            ),
            (
                "permutation".into(),
                whole(8, &|_, one| Some(one.row.permutation.into())),
            ),
        ];
        for (n, letter) in ["a", "b", "c"].into_iter().enumerate() {
            let name = |one: &Finalist| self.job().item_name(one.row.items[n] as usize);
            columns.push((
                format!("item_{letter}"),
                whole(32, &|_, one| Some(one.row.items[n])),
            ));
            columns.push((format!("name_{letter}"), text(&name)));
            let class = |one: &Finalist| plan.class_names[usize::from(one.row.classes[n])].clone();
            columns.push((format!("class_{letter}"), text(&class)));
        }
        columns.push(("lowest".into(), value(&|one| Some(one.lowest()))));
        columns.push(("score".into(), value(&|one| Some(one.own))));
        columns.push(("other_order".into(), value(&|one| one.other_order)));
        columns.push(("other_sampling".into(), value(&|one| one.other_sampling)));
        columns.push(("other_model".into(), value(&|one| one.other_model)));
        let intruder = |one: &Finalist| match one.row.intruder {
            Some((class, _)) => plan.class_names[usize::from(class)].clone(),
            None => String::new(),
        };
        columns.push(("intruder".into(), text(&intruder)));
        columns.push((
            "chosen".into(),
            text(&|one| one.row.chosen.name().to_owned()),
        ));
        for (n, of) in COLUMNS.iter().enumerate() {
            let values = finalists.iter().map(|one| one.row.measures[n]);
            columns.push((of.key.to_owned(), Values::F32(values.collect())));
        }
        let steps = plan.design.rungs.last().copied().unwrap_or(2);
        let mut about = plan.about(steps, engine);
        about["other_model"] = json!(second.map(|model| &model.path));
        write_table(&self.folder().join(RANKING_FILE), &columns, &about)
    }

    pub(super) fn write_items(&self, gathered: &Gathered) -> Result<(), AtlasError> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let unfailing = "a table in memory takes rows of one length";
        csv.write_record([
            "item",
            "class",
            "triples",
            "effect",
            "nearest_l2",
            "nearest_linf",
        ])
        .expect(unfailing);
        let text =
            |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.6}"));
        for item in self.item_findings(gathered) {
            let [l2, linf] = [0, 1].map(|n| text(item.nearest_flip.map(|both| both[n])));
            csv.write_record([
                item.item,
                item.class,
                item.triples.to_string(),
                text(item.effect),
                l2,
                linf,
            ])
            .expect(unfailing);
        }
        let bytes = csv.into_inner().expect(unfailing);
        Ok(write_file(&self.folder().join(ITEMS_FILE), &bytes)?)
    }

    /// The job of a finalist's landscapes, as a run has it.
    pub(super) fn shown_job(&self, finalists: &[Finalist]) -> Result<LoadedJob, AtlasError> {
        let plan = self.plan();
        let listed = finalists.iter().enumerate().map(|(n, one)| {
            let triple = self.candidate_of(&one.row);
            ListedTriple {
                name: format!("{}", n + 1),
                items: triple
                    .items
                    .map(|item| ListedItem::Name(self.job().item_name(item as usize))),
            }
        });
        let mut job = plan.job.clone();
        job.take_items(Triples::Listed(listed.collect()));
        let steps = match plan.design.rungs.contains(&SHOWN_STEPS) {
            true => SHOWN_STEPS,
            false => plan.design.rungs.last().copied().unwrap_or(SHOWN_STEPS),
        };
        match &mut job {
            Job::Sweep(job) => job.morph.steps = steps,
            Job::Interpolate(job) => job.steps = steps,
        }
        let model = self.job().model().clone();
        Ok(self.job().load_beside(&job, model, &Silent)?)
    }

    /// Draws the first finalists as a run of their own.
    pub(super) fn show(
        &self,
        job: &LoadedJob,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<(), AtlasError> {
        let folder = self.folder().join(TOP_FOLDER);
        make_folder(&folder)?;
        let run = || Run::new(job, engine).figures(FigurePlan::default());
        match run().write_to(&folder, Existing::Continue, observer) {
            Ok(_) => Ok(()),
            // The run of another list, of an earlier end.
            Err(RunError::Refused { .. }) => {
                run().write_to(&folder, Existing::Replace, observer)?;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the page shows of a finalist's worst landscape; it is the n-th triple of the run in `top/`.
    pub(super) fn shown(
        &self,
        job: &LoadedJob,
        n: usize,
        finalist: &Finalist,
        engine: &dyn Engine,
    ) -> Result<Shown, AtlasError> {
        let siblings = self.job().kind().siblings();
        let at = (siblings.iter())
            .position(|order| order.number() == usize::from(finalist.row.permutation))
            .unwrap_or(0);
        let id = job.landscapes().swap_remove(n * siblings.len() + at);
        let landscape = job.compute(engine, std::slice::from_ref(&id), &Silent)?;
        Ok(Shown {
            landscape: landscape
                .into_iter()
                .next()
                .expect("one was asked for")
                .landscape,
            frames: job.frames(&id)?,
        })
    }
}
