//! The design against brute force: 30 items of which every landscape is computed.

use super::design::{Design, Score};
use super::plan::{Plan, ascending, draw_items};
use super::rows::{Candidate, Chosen, Computing, Row, worst};
use super::shard::promoted;
use super::state::{recall, search_audits};
use super::statistics::{Drawn, stratified_mean};
use crate::engine::cpu::CpuEngine;
use crate::job::{Job, LoadedJob, Silent, SweepJob, Triples};
use crate::pipeline::{MorphMode, MorphSettings};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Classes of the items, and items of each.
const CLASSES: [usize; 5] = [0, 2, 5, 6, 9];
const EACH: usize = 6;
/// Grids of the search.
const RUNGS: [usize; 2] = [6, 11];

/// Rows of triples by their classes and items.
type Rows = HashMap<([usize; 3], [u32; 3]), Vec<Row>>;

/// Every landscape of 30 correctly classified items.
struct Exhaustive {
    job: LoadedJob,
    items: Vec<Vec<u32>>,
    /// On each of the grids.
    rows: [Rows; 2],
}

impl Exhaustive {
    fn new() -> Self {
        let engine = CpuEngine::new();
        let job = Job::Sweep(SweepJob {
            triples: Triples::Listed(Vec::new()),
            // Without a warp it is the same design, and six times as fast.
            morph: MorphSettings::new(21, 3, MorphMode::CrossFade),
            ..SweepJob::default()
        });
        let job = job.load(&Silent).expect("bundled");
        let mut items = vec![Vec::new(); 10];
        let positions: Vec<usize> = (0..400).collect();
        let inputs = job.item_inputs(&positions).expect("bundled");
        let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
        let model = &job.model().model;
        let answers = crate::pipeline::classify(&engine, model, &inputs).expect("answers");
        for (item, p) in answers.probabilities.chunks_exact(10).enumerate() {
            let class = job.item_class(item);
            let own: &mut Vec<u32> = &mut items[class];
            let is_right = crate::landscape::argmax(p) == class;
            if CLASSES.contains(&class) && own.len() < EACH && is_right {
                own.push(item as u32);
            }
        }
        let plan = plan_of(&job, items.clone(), Design::default());
        let computing = Computing {
            job: &job,
            engine: &engine,
            observer: &Silent,
            is_right: &|_| true,
        };
        let candidates = plan.candidates(0);
        assert_eq!(candidates.len(), 10 * EACH.pow(3));
        let rows = RUNGS.map(|steps| {
            let rows = computing.rows(&candidates, steps).expect("computed");
            let triples = candidates.iter().zip(rows.chunks_exact(3));
            triples
                .map(|(candidate, rows)| ((candidate.classes, candidate.items), rows.to_vec()))
                .collect()
        });
        Self { job, items, rows }
    }

    fn rows_of(&self, grid: usize, candidates: &[Candidate]) -> Vec<Row> {
        let rows = candidates.iter().flat_map(|candidate| {
            let rows = &self.rows[grid][&(candidate.classes, candidate.items)];
            let own = |row: &Row| Row {
                triple: candidate.triple,
                chosen: candidate.chosen,
                probability: candidate.probability,
                audited_at: candidate.audited_at,
                ..row.clone()
            };
            rows.iter().map(own).collect::<Vec<_>>()
        });
        rows.collect()
    }
}

fn plan_of(job: &LoadedJob, items: Vec<Vec<u32>>, design: Design) -> Plan {
    Plan {
        version: 1,
        program: String::new(),
        job: job.job().clone(),
        design,
        shards: 1,
        class_names: job.class_names().to_vec(),
        model_sha256: String::new(),
        data_sha256: String::new(),
        counts: Vec::new(),
        searched: items.clone(),
        items,
        wrong: Vec::new(),
        sampled: 0,
        mean_intrusion: 0.0,
        expected: Vec::new(),
        sha256: String::new(),
    }
}

#[test]
fn intervals_cover_and_recall_is_what_is_stated() {
    const SEEDS: u64 = 200;
    let all = Exhaustive::new();
    let value = |row: &Row| row.measure("intrusion").map(f64::from).expect("measured");

    // Means: four of the six items of each class, and twenty triples of each three classes.
    let every: Vec<f64> = all.rows[0].values().flatten().map(value).collect();
    let truth = every.iter().sum::<f64>() / every.len() as f64;
    let (mut covered, mut means, mut errors) = (0, Vec::new(), 0.0);
    for seed in 1..=SEEDS {
        let design = Design {
            seed,
            per_class: Some(4),
            survey: 200,
            ..Design::default()
        };
        let mut items = all.items.clone();
        draw_items(&mut items, &design);
        let plan = plan_of(&all.job, items, design);
        let space = plan.space();
        let (candidates, _) = plan.survey(&space);
        assert_eq!(candidates.len(), 200);
        let strata = plan.survey_strata();
        let place = |classes| strata.iter().position(|(of, _)| *of == Some(classes));
        let drawn: Vec<Drawn> = candidates
            .iter()
            .map(|candidate| {
                let rows = &all.rows[0][&(candidate.classes, candidate.items)];
                let order = candidate.order.expect("one order of three").number();
                let row = rows
                    .iter()
                    .find(|row| usize::from(row.permutation) == order);
                let row = row.expect("all orders");
                Drawn {
                    stratum: place(candidate.classes).expect("a stratum"),
                    items: [0, 1, 2].map(|n| (usize::from(row.classes[n]), row.items[n])),
                    value: value(row),
                }
            })
            .collect();
        let weights: Vec<f64> = strata.iter().map(|(_, triples)| *triples as f64).collect();
        let mean = stratified_mean(&drawn, &weights).expect("triples");
        let [low, high] = mean.interval.expect("many triples");
        covered += u64::from((low..=high).contains(&truth));
        errors += mean.standard_error.expect("many triples");
        means.push(mean.mean);
    }
    let middle = means.iter().sum::<f64>() / means.len() as f64;
    let spread = means
        .iter()
        .map(|mean| (mean - middle).powi(2))
        .sum::<f64>();
    let spread = (spread / (means.len() - 1) as f64).sqrt();
    let error = errors / SEEDS as f64;
    assert!(
        covered >= SEEDS * 9 / 10,
        "{covered} of {SEEDS} intervals hold the mean"
    );
    assert!(
        (middle - truth).abs() < 2.0 * spread,
        "{middle} {truth} {spread}"
    );
    // They are not safe by being wide.
    assert!(error < 2.5 * spread, "stated {error}, found {spread}");

    // The search: the worst twentieth goes on, a tenth of the others by lot; in three shards.
    let score = Score::TotalVariation;
    let bad = |rows: &[Row]| worst(rows, score, 0.0);
    let (mut right, mut shares) = (0, Vec::new());
    for seed in 1..=SEEDS {
        let design = Design {
            seed,
            score,
            rungs: RUNGS.to_vec(),
            keep: vec![0.05],
            audit: 0.1,
            ..Design::default()
        };
        let mut plan = plan_of(&all.job, all.items.clone(), design);
        plan.shards = 3;
        let (mut found, mut searched) = (Vec::new(), [0u64; 2]);
        let (mut audited, mut seen) = (BTreeMap::new(), HashSet::new());
        for shard in 0..3 {
            let candidates = plan.candidates(shard);
            seen.extend(candidates.iter().map(|candidate| candidate.triple));
            let most = plan.design.kept_of(candidates.len())[1];
            let rows = all.rows_of(0, &candidates);
            let on = promoted(&plan, &candidates, &rows, RUNGS[0], most);
            searched[0] += candidates.len() as u64;
            for (candidate, rows) in on.iter().zip(all.rows_of(1, &on).chunks_exact(3)) {
                match candidate.chosen {
                    Chosen::Audit => {
                        audited
                            .entry(RUNGS[0] as u8)
                            .or_insert_with(Vec::new)
                            .push(bad(rows));
                    }
                    _ => {
                        searched[1] += 1;
                        found.push(bad(rows));
                    }
                }
            }
        }
        // Every triple is in one shard.
        assert_eq!((seen.len(), searched[0]), (2160, 2160));
        found.sort_by(|a, b| b.total_cmp(a));
        found.truncate(60);
        let threshold = found[found.len() - 1];
        let audits = search_audits(&RUNGS, &searched, &audited, Some(threshold), 0.95);
        let [about, low, high] = recall(found.len(), &audits).expect("found");
        let belong = all.rows[1]
            .values()
            .filter(|rows| bad(rows) >= threshold)
            .count();
        let truth = found.len() as f64 / belong as f64;
        right += u64::from((low..=high).contains(&truth));
        shares.push((truth, about));
    }
    assert!(
        right >= SEEDS * 9 / 10,
        "{right} of {SEEDS} intervals hold the recall"
    );
    // Some are missed: what is stated is put to the test.
    let missed = shares.iter().filter(|(truth, _)| *truth < 1.0).count();
    assert!(missed > 20, "{missed} of {SEEDS} searches missed any");
    let classes = ascending([3, 1, 2]);
    assert_eq!(classes, [1, 2, 3]);
}
