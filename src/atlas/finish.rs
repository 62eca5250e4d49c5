//! The end of an atlas: everything that its rows say.
//!
//! ```text
//! survey.parquet ─> means over all triples, of class pairs and class triples; items are the units
//! rung=... ───────> the worst triples, nearest flips by item; what the audits say was missed
//! the worst ──────> taken again: another order, another sampling, another model ─> ranking.parquet
//!                   the first of them as a run of their own ─> top/
//! ```

use super::design::Score;
use super::error::AtlasError;
use super::folder::{
    ITEMS_FILE, RANKING_FILE, REPORT_FILE, SUMMARY_FILE, TOP_FOLDER, is_done, shard_file, sweep,
};
use super::page::{Shown, page};
use super::plan::{ascending, permutation};
use super::rows::{Candidate, Chosen, Computing, Row, column, worst};
use super::shard::Atlas;
use super::shard_file::each_row;
use super::statistics::{Audit, Drawn, Mean, stratified_mean};
use super::summary::{ClassMean, Finalist, ItemFinding, Summary};
use super::table::{Column, Table, Values};
use super::text::{ranges, said};
use super::words::findings;
use super::writing::{make_folder, write_table};
use crate::data::write_file;
use crate::engine::Engine;
use crate::job::{Job, LoadedJob, LoadedModel, ModelSource, Note, Observer, Silent, Stage};
use crate::kernels::Sampling;
use crate::landscape::{COLUMNS, Items, ListedItem, ListedTriple};
use crate::pipeline::MorphMode;
use crate::run::{Existing, FigurePlan, Run};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Steps of the landscapes that are shown, where the atlas has a grid of that size.
const SHOWN_STEPS: usize = 21;
/// The level of what is stated.
const LEVEL: f64 = 0.95;

/// What an atlas is summed up with.
#[derive(Debug, Clone, Default)]
pub struct Ending {
    /// Whether what is missing may be missing; it is said then.
    pub allow_missing: bool,
    /// Another model that the survey and the worst triples are taken with, too.
    pub second: Option<ModelSource>,
    /// How many of the worst triples are drawn as landscapes.
    pub shown: usize,
}

/// What the rows of the shards came to.
#[derive(Default)]
struct Gathered {
    landscapes: u64,
    items: HashMap<u32, ItemSums>,
    /// Triples of the finest grid, those that were searched.
    worst: Vec<(f64, Vec<Row>)>,
    /// How bad those are that were drawn by lot, by the grid that left them behind.
    audited: BTreeMap<u8, Vec<f64>>,
    /// Triples searched that each grid has.
    searched: Vec<u64>,
    /// Triples of the first grid that were drawn at random.
    sampled: u64,
}

#[derive(Debug, Clone, Default)]
struct ItemSums {
    class: usize,
    triples: u64,
    above_mean: f64,
    nearest: Option<[f32; 2]>,
}

impl Atlas {
    /// Sums the atlas up: `ranking.parquet`, `items.csv`, `summary.json`, `report.html`, and the worst
    /// triples as a run in `top/`.
    ///
    /// # Errors
    /// [`AtlasError`] where shards are missing and may not be, a file is of another plan, or the engine
    /// fails.
    pub fn finish(
        &self,
        ending: &Ending,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<Summary, AtlasError> {
        sweep(self.folder(), self.plan(), true);
        let missing = self.what_is_missing(ending, observer)?;
        let second = match &ending.second {
            None => None,
            Some(source) => Some(self.second(source, observer)?),
        };
        let gathered = self.gather(&missing)?;
        let survey = self.plan().survey_rows(self.folder())?;
        let means = self.survey_means(&survey);
        let mut finalists = self.finalists(&gathered);
        self.take_again(&mut finalists, second.as_ref(), engine, observer)?;
        finalists.sort_by(|a, b| worse(b.lowest(), a.lowest()).then(worse(b.own, a.own)));
        let compared = match &second {
            None => None,
            Some(second) => Some(self.compare(&survey, second, engine, observer)?),
        };
        let mut summary = self.summary(&gathered, &survey, means, &finalists, missing);
        summary.second = compared;
        summary.findings = findings(&summary, self);
        self.write_ranking(&finalists, second.as_ref().map(LoadedJob::model), engine)?;
        self.write_items(&gathered)?;
        let first = &finalists[..finalists.len().min(ending.shown)];
        let shown = match first {
            [] => Vec::new(),
            first => {
                let job = self.shown_job(first)?;
                self.show(&job, engine, observer)?;
                let each = first.iter().enumerate();
                each.map(|(n, finalist)| self.shown(&job, n, finalist, engine))
                    .collect::<Result<_, AtlasError>>()?
            }
        };
        let text = page(&summary, self, &finalists, &shown)?;
        write_file(&self.folder().join(REPORT_FILE), text.as_bytes())?;
        let mut json = serde_json::to_string_pretty(&summary).expect("a summary is plain data");
        json.push('\n');
        write_file(&self.folder().join(SUMMARY_FILE), json.as_bytes())?;
        Ok(summary)
    }

    fn what_is_missing(
        &self,
        ending: &Ending,
        observer: &dyn Observer,
    ) -> Result<Vec<usize>, AtlasError> {
        let (mut missing, failed) = self.missing()?;
        missing.extend(failed.iter().map(|(shard, _)| shard));
        missing.sort_unstable();
        if missing.is_empty() {
            return Ok(missing);
        }
        let all = self.plan().shards;
        let mut text = format!(
            "{} of {all} shards are missing: {}",
            missing.len(),
            ranges(&missing)
        );
        for (shard, error) in &failed {
            text.push_str(&format!("; shard {shard} failed: {error}"));
        }
        match ending.allow_missing && missing.len() < all {
            true => {
                observer.note(&Note::new(text));
                Ok(missing)
            }
            false => Err(AtlasError::Unfinished {
                problem: format!("{}: {text}", self.folder().display()),
            }),
        }
    }

    /// The same job of another model.
    fn second(
        &self,
        source: &ModelSource,
        observer: &dyn Observer,
    ) -> Result<LoadedJob, AtlasError> {
        let job = self.plan().job.with_model(source);
        let second = match self.job().items() {
            Items::Images { shape } => {
                let model = source.load_for_images(shape)?;
                self.job().load_beside(&job, model, observer)?
            }
            Items::Rows { .. } => job.load(observer)?,
        };
        let (own, other) = (self.job().class_names(), second.class_names());
        match own == other {
            true => Ok(second),
            false => Err(AtlasError::refused(format!(
                "{}: expected the classes {}, found {}",
                second.model().path,
                own.join(", "),
                other.join(", ")
            ))),
        }
    }

    /// Goes once through all rows; of each triple of the finest grid its rows, of all others sums.
    fn gather(&self, missing: &[usize]) -> Result<Gathered, AtlasError> {
        let (plan, design) = (self.plan(), &self.plan().design);
        let expected = plan.expected_intrusion();
        let siblings = self.job().kind().siblings().len();
        let last = design.rungs.len() - 1;
        let mut gathered = Gathered {
            searched: vec![0; design.rungs.len()],
            ..Gathered::default()
        };
        let class_means = self.first_means(missing)?;
        for shard in (0..plan.shards).filter(|shard| missing.binary_search(shard).is_err()) {
            for (rung, &steps) in design.rungs.iter().enumerate() {
                let path = shard_file(self.folder(), plan, shard, steps);
                self.each_triple(&path, siblings, |rows| {
                    gathered.landscapes += rows.len() as u64;
                    let classes = ascending(rows[0].classes);
                    let bad = worst(&rows, design.score, expected(classes));
                    let (chosen, audited_at) = (rows[0].chosen, rows[0].audited_at);
                    for row in &rows {
                        for n in 0..3 {
                            let sums = gathered.items.entry(row.items[n]).or_default();
                            sums.class = usize::from(row.classes[n]);
                            let found = row.margins[n].zip(row.margins_linf[n]);
                            sums.nearest = nearer(sums.nearest, found.map(|(a, b)| [a, b]));
                        }
                    }
                    if rung == 0 {
                        gathered.sampled += u64::from(chosen == Chosen::Sample);
                        let mean = class_means.get(&classes);
                        if let (Some(mean), true) = (mean, bad.is_finite()) {
                            for item in rows[0].items {
                                let sums = gathered.items.entry(item).or_default();
                                sums.triples += 1;
                                sums.above_mean += bad - mean;
                            }
                        }
                    }
                    match audited_at {
                        None => {
                            gathered.searched[rung] += 1;
                            if rung == last {
                                gathered.worst.push((bad, rows));
                            }
                        }
                        Some(steps) if rung == last => {
                            gathered.audited.entry(steps).or_default().push(bad);
                        }
                        Some(_) => {}
                    }
                    // What cannot come to the list any more goes, now and then.
                    if gathered.worst.len() > 4 * design.top + 1000 {
                        keep_worst(&mut gathered.worst, design.top);
                    }
                })?;
            }
        }
        keep_worst(&mut gathered.worst, design.top);
        Ok(gathered)
    }

    /// How bad the triples of each three classes are on the first grid, on the mean.
    fn first_means(&self, missing: &[usize]) -> Result<HashMap<[usize; 3], f64>, AtlasError> {
        let (plan, design) = (self.plan(), &self.plan().design);
        let expected = plan.expected_intrusion();
        let siblings = self.job().kind().siblings().len();
        let mut sums: HashMap<[usize; 3], (f64, u64)> = HashMap::new();
        for shard in (0..plan.shards).filter(|shard| missing.binary_search(shard).is_err()) {
            let path = shard_file(self.folder(), plan, shard, design.rungs[0]);
            self.each_triple(&path, siblings, |rows| {
                let classes = ascending(rows[0].classes);
                let bad = worst(&rows, design.score, expected(classes));
                if bad.is_finite() {
                    let (sum, count) = sums.entry(classes).or_default();
                    (*sum, *count) = (*sum + bad, *count + 1);
                }
            })?;
        }
        let means = sums.into_iter();
        Ok(means
            .map(|(classes, (sum, count))| (classes, sum / count as f64))
            .collect())
    }

    /// Goes through the triples of a shard's file.
    fn each_triple(
        &self,
        path: &Path,
        siblings: usize,
        mut take: impl FnMut(Vec<Row>),
    ) -> Result<(), AtlasError> {
        if !is_done(path, self.plan())? {
            return Err(AtlasError::Unfinished {
                problem: format!("{}: expected a whole part, found none", path.display()),
            });
        }
        let table = Table::open(path)?;
        let mut rows: Vec<Row> = Vec::with_capacity(siblings);
        for group in 0..table.groups() {
            each_row(&table, group, path, |row| {
                rows.push(row);
                if rows.len() == siblings {
                    take(std::mem::take(&mut rows));
                }
            })?;
        }
        match rows.is_empty() {
            true => Ok(()),
            false => Err(AtlasError::refused(format!(
                "{}: expected {siblings} rows a triple, found {} rows",
                path.display(),
                table.rows()
            ))),
        }
    }

    /// The triples that are taken again, from the worst.
    fn finalists(&self, gathered: &Gathered) -> Vec<Finalist> {
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
    fn take_again(
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
    fn candidate_of(&self, row: &Row) -> Candidate {
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

    /// The survey's rows as draws of a value.
    fn drawn(&self, survey: &[Row], value: impl Fn(&Row) -> Option<f64>) -> (Vec<Drawn>, Vec<f64>) {
        let strata = self.plan().survey_strata();
        let places: HashMap<Option<[usize; 3]>, usize> = strata
            .iter()
            .enumerate()
            .map(|(n, (classes, _))| (*classes, n))
            .collect();
        let weights = strata.iter().map(|(_, triples)| *triples as f64).collect();
        let drawn = survey.iter().filter_map(|row| {
            let classes = ascending(row.classes);
            let stratum = places.get(&Some(classes)).or_else(|| places.get(&None));
            Some(Drawn {
                stratum: *stratum?,
                items: [0, 1, 2].map(|n| (usize::from(row.classes[n]), row.items[n])),
                value: value(row)?,
            })
        });
        (drawn.collect(), weights)
    }

    fn survey_means(&self, survey: &[Row]) -> BTreeMap<&'static str, Option<Mean>> {
        let means = COLUMNS.iter().map(|of| {
            let place = column(of.key);
            let (drawn, weights) = self.drawn(survey, |row| row.measures[place].map(f64::from));
            (of.key, stratified_mean(&drawn, &weights))
        });
        means.collect()
    }

    /// What a class mean is of: the score's own measure.
    pub(super) fn shown_value(&self) -> impl Fn(&Row) -> Option<f64> + use<> {
        let score = self.plan().design.score;
        move |row| {
            let key = match score {
                // Of a score beyond the classes' mean nothing would be left.
                Score::Intrusion => return row.measure("intrusion").map(f64::from),
                Score::Flip => return row.nearest_flip().map(f64::from),
                _ => row.badness(score, 0.0),
            };
            key.is_finite().then_some(key)
        }
    }

    fn class_means(&self, survey: &[Row], number: usize) -> Vec<ClassMean> {
        let value = self.shown_value();
        let (drawn, weights) = self.drawn(survey, value);
        let mut groups: BTreeMap<Vec<usize>, Vec<Drawn>> = BTreeMap::new();
        for one in drawn {
            let mut classes = one.items.map(|(class, _)| class);
            classes.sort_unstable();
            let [a, b, c] = classes;
            match number {
                2 => {
                    for pair in [[a, b], [a, c], [b, c]] {
                        groups.entry(pair.to_vec()).or_default().push(one);
                    }
                }
                _ => groups.entry(vec![a, b, c]).or_default().push(one),
            }
        }
        let names = &self.plan().class_names;
        let mut means: Vec<ClassMean> = groups
            .into_iter()
            .filter_map(|(classes, drawn)| {
                Some(ClassMean {
                    classes: classes.iter().map(|&class| names[class].clone()).collect(),
                    mean: stratified_mean(&drawn, &weights)?,
                })
            })
            .collect();
        means.sort_by(|a, b| b.mean.mean.total_cmp(&a.mean.mean));
        means
    }

    fn summary(
        &self,
        gathered: &Gathered,
        survey: &[Row],
        means: BTreeMap<&'static str, Option<Mean>>,
        finalists: &[Finalist],
        missing: Vec<usize>,
    ) -> Summary {
        let (plan, design) = (self.plan(), &self.plan().design);
        let threshold = gathered.worst.last().map(|(bad, _)| *bad);
        let stages = design.rungs.len() - 1 + usize::from(!plan.is_exhaustive());
        // What is stated of all holds at its level together.
        let level = 1.0 - (1.0 - LEVEL) / stages.max(1) as f64;
        let mut audits = search_audits(
            &design.rungs,
            &gathered.searched,
            &gathered.audited,
            threshold,
            level,
        );
        let recall = recall(finalists.len(), &audits);
        let mut recall_of_all = recall;
        if !plan.is_exhaustive() {
            let in_sample = finalists
                .iter()
                .filter(|one| one.row.chosen == Chosen::Sample);
            let unseen = plan.num_triples() - gathered.searched[0];
            let beyond = Audit::new(
                None,
                unseen,
                gathered.sampled as usize,
                in_sample.count(),
                level,
            );
            audits.push(beyond);
            recall_of_all = self::recall(finalists.len(), &audits);
        }
        let items = self.item_findings(gathered);
        let mut worst_items: Vec<ItemFinding> =
            (items.iter().filter(|item| item.effect.is_some()).cloned()).collect();
        worst_items.sort_by(|a, b| b.effect.unwrap_or(0.0).total_cmp(&a.effect.unwrap_or(0.0)));
        worst_items.truncate(design.top);
        let distance = |item: &ItemFinding| item.nearest_flip.map_or(f64::INFINITY, |[l2, _]| l2);
        let mut nearest_items: Vec<ItemFinding> =
            (items.into_iter().filter(|item| item.nearest_flip.is_some())).collect();
        nearest_items.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest_items.truncate(design.top);
        let class_triples = match plan.expected.is_empty() {
            true => Vec::new(),
            false => self.class_means(survey, 3),
        };
        Summary {
            plan_sha256: plan.sha256.clone(),
            score: design.score,
            items: [
                plan.counts.iter().map(|[all, _]| all).sum(),
                plan.counts.iter().map(|[_, right]| right).sum(),
                plan.items.iter().map(Vec::len).sum(),
            ],
            triples: plan.num_triples(),
            searched: gathered.searched[0],
            exhaustive: plan.is_exhaustive(),
            missing_shards: missing,
            landscapes: gathered.landscapes + survey.len() as u64,
            means,
            pairs: self.class_means(survey, 2),
            class_triples,
            worst_items,
            nearest_items,
            top: finalists.len(),
            audits,
            recall,
            recall_of_all,
            second: None,
            findings: Vec::new(),
        }
    }

    fn item_findings(&self, gathered: &Gathered) -> Vec<ItemFinding> {
        /// As if so many more triples had no effect.
        const SHRINKAGE: f64 = 3.0;
        let names = &self.plan().class_names;
        let mut found: Vec<(&u32, &ItemSums)> = gathered.items.iter().collect();
        found.sort_by_key(|(item, _)| **item);
        let findings = found.into_iter().map(|(&position, sums)| ItemFinding {
            item: self.job().item_name(position as usize),
            class: names[sums.class].clone(),
            triples: sums.triples,
            effect: (sums.triples > 0).then(|| sums.above_mean / (sums.triples as f64 + SHRINKAGE)),
            nearest_flip: sums.nearest.map(|both| both.map(f64::from)),
            position,
        });
        findings.collect()
    }

    /// The same triples with another model: paired differences, and whether the classes rank alike.
    fn compare(
        &self,
        survey: &[Row],
        second: &LoadedJob,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<Value, AtlasError> {
        let plan = self.plan();
        let steps = plan.design.survey_steps;
        let positions: Vec<usize> = {
            let mut all: Vec<usize> = survey
                .iter()
                .flat_map(|row| row.items)
                .map(|item| item as usize)
                .collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        let wrong = wrong_items(second, &positions, engine)?;
        let both: Vec<&Row> = survey
            .iter()
            .filter(|row| {
                row.items
                    .iter()
                    .all(|item| wrong.binary_search(item).is_err())
            })
            .collect();
        let candidates: Vec<Candidate> = both.iter().map(|row| self.candidate_of(row)).collect();
        observer.begin(Stage {
            total: candidates.len() * second.kind().num_points(steps),
            unit: "frames of the other model",
        });
        let is_right = |_| true;
        let computing = Computing {
            job: second,
            engine,
            observer,
            is_right: &is_right,
        };
        let theirs = computing.rows(&candidates, steps)?;
        observer.end();
        let own: Vec<Row> = both.into_iter().cloned().collect();
        let mut means = Map::new();
        for key in [
            "intrusion",
            "confident_intrusion",
            "total_variation",
            "barrier_ab",
            "entropy",
        ] {
            let place = column(key);
            let value = |rows: &[Row], n: usize| rows[n].measures[place].map(f64::from);
            let numbered: HashMap<(u64, u8), usize> = own
                .iter()
                .enumerate()
                .map(|(n, row)| ((row.triple, row.permutation), n))
                .collect();
            let at = |row: &Row| numbered[&(row.triple, row.permutation)];
            let mean = |of: &dyn Fn(usize) -> Option<f64>| {
                let (drawn, weights) = self.drawn(&own, |row| of(at(row)));
                stratified_mean(&drawn, &weights)
            };
            let difference = |n: usize| Some(value(&theirs, n)? - value(&own, n)?);
            means.insert(
                key.to_owned(),
                json!({
                    "own": mean(&|n| value(&own, n)),
                    "second": mean(&|n| value(&theirs, n)),
                    "difference": mean(&difference),
                }),
            );
        }
        let by_name = |means: Vec<ClassMean>| -> BTreeMap<Vec<String>, f64> {
            means
                .into_iter()
                .map(|one| (one.classes, one.mean.mean))
                .collect()
        };
        let alike = |number: usize| {
            let ours = by_name(self.class_means(&own, number));
            let theirs = by_name(self.class_means(&theirs, number));
            let both: Vec<[f64; 2]> = ours
                .iter()
                .filter_map(|(classes, value)| Some([*value, *theirs.get(classes)?]))
                .collect();
            spearman(&both)
        };
        Ok(json!({
            "model": second.model().path,
            "model_sha256": second.model().model.sha256(),
            "triples": own.len(),
            "means": means,
            "rank_correlation_of_pairs": alike(2),
            "rank_correlation_of_class_triples": alike(3),
        }))
    }

    fn write_ranking(
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

    fn write_items(&self, gathered: &Gathered) -> Result<(), AtlasError> {
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
    fn shown_job(&self, finalists: &[Finalist]) -> Result<LoadedJob, AtlasError> {
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
        job.take_items(crate::job::Triples::Listed(listed.collect()));
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
    fn show(
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
            Err(error) if error.is_interrupted() => Err(error.into()),
            // The run of another list, of an earlier end.
            Err(_) => {
                run().write_to(&folder, Existing::Replace, observer)?;
                Ok(())
            }
        }
    }

    /// What the page shows of a finalist's worst landscape; it is the n-th triple of the run in `top/`.
    fn shown(
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

/// The items that a model classifies wrongly, in ascending order.
fn wrong_items(
    job: &LoadedJob,
    positions: &[usize],
    engine: &dyn Engine,
) -> Result<Vec<u32>, AtlasError> {
    let mut wrong = Vec::new();
    for some in positions.chunks(1000) {
        let inputs = job.item_inputs(some)?;
        let rows: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let answers = crate::pipeline::classify(engine, &job.model().model, &rows)?;
        let classes = job.class_names().len();
        let labels = answers.probabilities.chunks_exact(classes);
        let labels = labels.map(crate::landscape::argmax);
        let each = some.iter().zip(labels);
        wrong.extend(
            each.filter(|(item, label)| job.item_class(**item) != *label)
                .map(|(item, _)| *item as u32),
        );
    }
    Ok(wrong)
}

/// The order of badness; what is no number comes first.
fn worse(a: f64, b: f64) -> Ordering {
    a.total_cmp(&b)
}

/// Keeps the worst triples, from the worst.
fn keep_worst(all: &mut Vec<(f64, Vec<Row>)>, number: usize) {
    all.sort_by(|a, b| worse(b.0, a.0).then(a.1[0].triple.cmp(&b.1[0].triple)));
    all.truncate(number);
}

/// The smaller of two pairs of distances, each by itself.
fn nearer(a: Option<[f32; 2]>, b: Option<[f32; 2]>) -> Option<[f32; 2]> {
    match (a, b) {
        (Some(a), Some(b)) => Some([a[0].min(b[0]), a[1].min(b[1])]),
        (a, b) => a.or(b),
    }
}

/// What those that each grid left behind say, of which some were looked at again by lot; `threshold` is
/// how bad the last of the list of the worst is.
pub(super) fn search_audits(
    rungs: &[usize],
    searched: &[u64],
    audited: &BTreeMap<u8, Vec<f64>>,
    threshold: Option<f64>,
    level: f64,
) -> Vec<Audit> {
    let belongs = |bad: &&f64| threshold.is_some_and(|least| **bad >= least);
    let grids = rungs.iter().take(rungs.len() - 1).zip(searched.windows(2));
    let audits = grids.map(|(&steps, searched)| {
        let lots = audited.get(&(steps as u8));
        let lots = lots.map_or(&[][..], Vec::as_slice);
        let found = lots.iter().filter(belongs).count();
        Audit::new(
            Some(steps),
            searched[0] - searched[1],
            lots.len(),
            found,
            level,
        )
    });
    audits.collect()
}

/// The share of the worst that was found, and its interval, from what was missed.
pub(super) fn recall(found: usize, audits: &[Audit]) -> Option<[f64; 3]> {
    if found == 0 {
        return None;
    }
    let found = found as f64;
    let of = |missed: f64| found / (found + missed);
    let sum = |value: &dyn Fn(&Audit) -> f64| audits.iter().map(value).sum::<f64>();
    Some([
        of(sum(&|audit| audit.missed)),
        of(sum(&|audit| audit.missed_interval[1])),
        of(sum(&|audit| audit.missed_interval[0])),
    ])
}

/// Spearman's rank correlation; nothing of fewer than three or where all are equal.
fn spearman(pairs: &[[f64; 2]]) -> Option<f64> {
    let ranks = |n: usize| -> Vec<f64> {
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_by(|&a, &b| pairs[a][n].total_cmp(&pairs[b][n]));
        let mut ranks = vec![0.0; pairs.len()];
        let mut at = 0;
        while at < order.len() {
            let same = order[at..]
                .iter()
                .take_while(|&&other| pairs[other][n] == pairs[order[at]][n])
                .count();
            for &place in &order[at..at + same] {
                ranks[place] = at as f64 + (same as f64 - 1.0) / 2.0;
            }
            at += same;
        }
        ranks
    };
    let [x, y] = [ranks(0), ranks(1)];
    let middle = (pairs.len() as f64 - 1.0) / 2.0;
    let product = |a: &[f64], b: &[f64]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - middle) * (b - middle))
            .sum()
    };
    let spread = (product(&x, &x) * product(&y, &y)).sqrt();
    (pairs.len() >= 3 && spread > 0.0).then(|| product(&x, &y) / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy 1.17.1: `spearmanr([1, 2, 2, 5, 4], [3, 1, 4, 9, 9])`.
    #[test]
    fn rank_correlation_is_that_of_scipy() {
        let pairs = [[1.0, 3.0], [2.0, 1.0], [2.0, 4.0], [5.0, 9.0], [4.0, 9.0]];
        let found = spearman(&pairs).expect("five pairs");
        assert!((found - 0.789_473_684_210_526_4).abs() < 1e-9, "{found}");
        assert_eq!(spearman(&pairs[..2]), None);
    }
}
