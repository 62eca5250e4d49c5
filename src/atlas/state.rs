//! What the rows of an atlas say, as it is stated.

use super::design::Score;
use super::gather::{Gathered, ItemSums};
use super::plan::ascending;
use super::rows::{Chosen, Row, column};
use super::shard::Atlas;
use super::statistics::{Audit, Drawn, Mean, SHRINKAGE, stratified_mean};
use super::summary::{ClassMean, Finalist, ItemFinding, Summary};
use crate::landscape::COLUMNS;
use std::collections::{BTreeMap, HashMap};

/// Classes are listed that so many triples of the survey have: of fewer a mean says next to nothing, and
/// the largest of many such means nothing at all.
pub(super) const LISTED: usize = 5;
/// The level of what is stated.
const LEVEL: f64 = 0.95;

impl Atlas {
    /// The survey's rows as draws of a value.
    pub(super) fn drawn(
        &self,
        survey: &[Row],
        value: impl Fn(&Row) -> Option<f64>,
    ) -> (Vec<Drawn>, Vec<f64>) {
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

    pub(super) fn survey_means(&self, survey: &[Row]) -> BTreeMap<&'static str, Option<Mean>> {
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

    /// The means of each so many classes that are listed, from the largest, and how many are not.
    pub(super) fn class_means(&self, survey: &[Row], number: usize) -> (Vec<ClassMean>, usize) {
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
        groups.retain(|_, drawn| drawn.len() >= LISTED);
        let classes = self.plan().items.iter().filter(|items| !items.is_empty());
        let classes = classes.count();
        let all = match number {
            2 => classes * (classes - 1) / 2,
            _ => classes * (classes - 1) * (classes - 2) / 6,
        };
        let few = all - groups.len();
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
        (means, few)
    }

    pub(super) fn summary(
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
        let (class_triples, few_triples) = self.class_means(survey, 3);
        let (pairs, few_pairs) = self.class_means(survey, 2);
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
            pairs,
            class_triples,
            not_listed: [few_pairs, few_triples],
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

    pub(super) fn item_findings(&self, gathered: &Gathered) -> Vec<ItemFinding> {
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
