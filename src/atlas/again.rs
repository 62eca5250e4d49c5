//! The worst triples taken again: in another order, with another sampling, by another model.

use super::error::AtlasError;
use super::gather::{Gathered, worse};
use super::plan::{ascending, permutation};
use super::rows::{Candidate, Computing, Row};
use super::shard::Atlas;
use super::summary::Finalist;
use crate::engine::Engine;
use crate::job::{Job, LoadedJob, Observer, Silent, Stage};
use crate::kernels::Sampling;
use crate::pipeline::MorphMode;

impl Atlas {
    /// The triples that are taken again, from the worst.
    pub(super) fn finalists(&self, gathered: &Gathered) -> Vec<Finalist> {
        let design = &self.plan().design;
        let expected = self.plan().expected_intrusion();
        let finalists = gathered.worst.iter().map(|(_, rows)| {
            let expected = expected(ascending(rows[0].classes));
            let mut ranked: Vec<(f64, &Row)> = rows
                .iter()
                .map(|row| (row.badness(design.score, expected), row))
                .collect();
            ranked.sort_by(|a, b| worse(b.0, a.0));
            Finalist {
                row: ranked[0].1.clone(),
                own: ranked[0].0,
                other_order: ranked.get(1).map(|(bad, _)| *bad),
                other_sampling: None,
                other_model: None,
            }
        });
        finalists.collect()
    }

    /// Takes the finalists again, with another sampling and another model.
    pub(super) fn take_again(
        &self,
        finalists: &mut [Finalist],
        second: Option<&LoadedJob>,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<(), AtlasError> {
        let plan = self.plan();
        let steps = plan.design.rungs.last().copied().unwrap_or(2);
        let candidates: Vec<Candidate> = finalists
            .iter()
            .map(|finalist| self.candidate_of(&finalist.row))
            .collect();
        let resampled = resampled(&plan.job);
        let points = self.job().kind().num_points(steps);
        let times = usize::from(resampled.is_some()) + usize::from(second.is_some());
        observer.begin(Stage {
            total: times * candidates.len() * points,
            unit: "frames of the worst",
        });
        let is_right = |item: u32| plan.is_right(item);
        let expected = plan.expected_intrusion();
        let badness = |rows: &[Row]| -> Vec<f64> {
            let each = rows.iter();
            each.map(|row| row.badness(plan.design.score, expected(ascending(row.classes))))
                .collect()
        };
        if let Some(job) = resampled {
            let model = self.job().model().clone();
            let job = self.job().load_beside(&job, model, &Silent)?;
            let computing = Computing {
                job: &job,
                engine,
                observer,
                is_right: &is_right,
            };
            let found = badness(&computing.rows(&candidates, steps)?);
            for (finalist, bad) in finalists.iter_mut().zip(found) {
                finalist.other_sampling = Some(bad);
            }
        }
        if let Some(job) = second {
            let computing = Computing {
                job,
                engine,
                observer,
                is_right: &is_right,
            };
            let found = badness(&computing.rows(&candidates, steps)?);
            for (finalist, bad) in finalists.iter_mut().zip(found) {
                finalist.other_model = Some(bad);
            }
        }
        observer.end();
        Ok(())
    }

    /// One landscape as a candidate: the order that it has.
    pub(super) fn candidate_of(&self, row: &Row) -> Candidate {
        let order = permutation(row.permutation);
        let mut items: Vec<(u16, u32)> = row.classes.into_iter().zip(row.items).collect();
        items.sort_unstable();
        Candidate {
            triple: row.triple,
            items: [0, 1, 2].map(|n| items[n].1),
            classes: [0, 1, 2].map(|n| usize::from(items[n].0)),
            chosen: row.chosen,
            probability: row.probability,
            audited_at: row.audited_at,
            order,
        }
    }
}

/// The job with another sampling, where it samples.
fn resampled(job: &Job) -> Option<Job> {
    let Job::Sweep(sweep) = job else {
        return None;
    };
    let MorphMode::Clean(sampling) = sweep.morph.mode else {
        return None;
    };
    if sweep.flat.is_some() {
        return None;
    }
    let other = match sampling {
        Sampling::Linear => Sampling::Cubic,
        _ => Sampling::Linear,
    };
    let mut sweep = sweep.clone();
    sweep.morph.mode = MorphMode::Clean(other);
    sweep.triples = crate::job::Triples::Listed(Vec::new());
    Some(Job::Sweep(sweep))
}
