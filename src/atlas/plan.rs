//! The plan of an atlas: everything that fixes its rows.
//!
//! ```text
//! job, design ─ plan ─┬─> the model is asked about every item: those classified correctly
//!                     ├─> survey.parquet: triples at random, each item equally often
//!                     ├─> which items are searched in full
//!                     └─> plan.json, with the SHA-256 of all of it
//! ```

use super::design::Design;
use super::error::AtlasError;
use super::order::{Purpose, Shuffled, TripleSpace, random_bits};
use super::rows::{Candidate, Chosen, Computing, Row, worst};
use super::shard_file::{columns_of, read_rows};
use super::statistics::SHRINKAGE;
use super::writing::{make_folder, write_table};
use crate::data::{read_text, sha256_hex, write_file};
use crate::engine::Engine;
use crate::job::{Job, LoadedJob, Note, Observer, Stage};
use crate::landscape::{Permutation, argmax};
use crate::pipeline::{PipelineError, classify};
use crate::remedy::Setting;
use crate::run::{RunError, plan_difference};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

const PLAN_FILE: &str = "plan.json";
const SURVEY_FILE: &str = "survey.parquet";
/// The largest plan that is read: it lists every item.
const MAX_PLAN_BYTES: u64 = 256 << 20;
/// Items that the model is asked about at a time.
const ASKED: usize = 1000;

/// Everything that fixes the rows of an atlas, as `plan.json` has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Of this format.
    pub version: u32,
    /// The program that made it.
    pub program: String,
    /// Model, data and grids.
    pub job: Job,
    /// How triples are chosen.
    pub design: Design,
    /// Into how many parts the search is cut.
    pub shards: usize,
    /// The name of every class.
    pub class_names: Vec<String>,
    /// Of the model's file.
    pub model_sha256: String,
    /// Of the data.
    pub data_sha256: String,
    /// Items of each class in the data, and how many of them the model classifies correctly.
    pub counts: Vec<[usize; 2]>,
    /// The items that take part, a list a class, by their positions in the data.
    pub items: Vec<Vec<u32>>,
    /// Those of them that are classified wrongly.
    pub wrong: Vec<u32>,
    /// The items all of whose triples are searched, a list a class.
    pub searched: Vec<Vec<u32>>,
    /// Triples that are drawn at random from all others and searched, too.
    pub sampled: u64,
    /// The mean intrusion that the survey found.
    pub mean_intrusion: f64,
    /// The same for each three classes; of none where there are too many for the survey.
    pub expected: Vec<Expected>,
    /// Of all that stands above.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
}

/// What the survey found for three classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// The classes, in ascending order.
    pub classes: [usize; 3],
    /// Mean intrusion.
    pub intrusion: f64,
}

/// How many parts a search of so many triples is cut into where nobody says it: a part takes minutes.
fn default_shards(triples: u64) -> usize {
    /// Triples of a part at most.
    const TRIPLES: u64 = 5_000;
    triples.div_ceil(TRIPLES).clamp(1, 100_000) as usize
}

/// Triples drawn for the survey from one stratum.
#[derive(Debug)]
pub(super) struct Stratum {
    /// Its classes; nothing where all triples are one stratum.
    classes: Option<[usize; 3]>,
    triples: u64,
}

impl Plan {
    /// Makes the plan of an atlas and writes it to `folder`: `plan.json` and `survey.parquet`. The model
    /// is asked about every item of the data, and the survey is computed. `shards` is the number of parts
    /// that the search is cut into; without one, as many as take some minutes each.
    ///
    /// # Errors
    /// [`AtlasError`] where the design is none, the folder holds another plan, fewer than three classes
    /// have items that are classified correctly, or the engine fails.
    pub fn make(
        job: &LoadedJob,
        design: &Design,
        shards: Option<usize>,
        engine: &dyn Engine,
        folder: &Path,
        observer: &dyn Observer,
    ) -> Result<Self, AtlasError> {
        if let Some(problem) = design.problem() {
            return Err(AtlasError::refused(problem));
        }
        make_folder(folder)?;
        let mut plan = Self::of_items(job, design, engine, observer)?;
        let space = plan.space();
        if space.len() == 0 {
            return Err(AtlasError::refused(format!(
                "expected items of three classes or more that the model classifies correctly, found {}",
                plan.items.iter().filter(|items| !items.is_empty()).count()
            )));
        }
        let (candidates, strata) = plan.survey(&space);
        let wrong = plan.wrong.clone();
        let is_right = move |item: u32| wrong.binary_search(&item).is_err();
        let computing = Computing {
            job,
            engine,
            observer,
            is_right: &is_right,
        };
        observer.begin(Stage {
            total: candidates.len() * job.kind().num_points(design.survey_steps),
            unit: "frames of the survey",
        });
        let rows = computing.rows(&candidates, design.survey_steps)?;
        observer.end();
        (plan.mean_intrusion, plan.expected) = mean_intrusions(&rows, &strata);
        plan.choose(&space, &rows);
        let triples = plan.num_candidates();
        plan.shards = shards.unwrap_or_else(|| default_shards(triples));
        if plan.shards as u64 > triples {
            observer.note(&Note::new(format!(
                "{} shards for {triples} triples are more than there is to do; {triples} are made",
                plan.shards
            )));
            plan.shards = triples as usize;
        }
        plan.sha256 = plan.digest();
        plan.write(folder, &rows, engine)?;
        Ok(plan)
    }

    /// A plan that knows its items and nothing else.
    fn of_items(
        job: &LoadedJob,
        design: &Design,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<Self, AtlasError> {
        let positions: Vec<usize> = (0..job.num_items()).collect();
        let classes = job.class_names().len();
        let mut items = vec![Vec::new(); classes];
        let mut counts = vec![[0; 2]; classes];
        let mut wrong = Vec::new();
        observer.begin(Stage {
            total: positions.len(),
            unit: "items",
        });
        for some in positions.chunks(ASKED) {
            let inputs = job.item_inputs(some)?;
            let rows: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
            let answers = classify(engine, &job.model().model, &rows)?;
            let labels = answers.probabilities.chunks_exact(classes).map(argmax);
            for (&item, label) in some.iter().zip(labels) {
                let class = job.item_class(item);
                let is_right = label == class;
                counts[class][0] += 1;
                counts[class][1] += usize::from(is_right);
                if is_right || design.any_items {
                    items[class].push(item as u32);
                }
                if !is_right && design.any_items {
                    wrong.push(item as u32);
                }
            }
            if observer.advance(some.len()).is_break() {
                return Err(PipelineError::Interrupted.into());
            }
        }
        observer.end();
        draw_items(&mut items, design);
        let takes_part = |item: &u32| items.iter().any(|class| class.binary_search(item).is_ok());
        wrong.retain(takes_part);
        let plan = job.plan(crate::job::ListOf::Digest);
        let sha256 = |name: &str| plan[name].as_str().unwrap_or_default().to_owned();
        let right: usize = counts.iter().map(|[_, right]| right).sum();
        let part: usize = items.iter().map(Vec::len).sum();
        observer.note(&Note::new(format!(
            "the model classifies {right} of {} items correctly; {part} take part{}",
            job.num_items(),
            match design.any_items {
                true => format!(", {} of them classified wrongly", wrong.len()),
                false => String::new(),
            }
        )));
        Ok(Self {
            version: 1,
            program: concat!("morphscape ", env!("CARGO_PKG_VERSION")).to_owned(),
            job: job.job().clone(),
            design: design.clone(),
            shards: 0,
            class_names: job.class_names().to_vec(),
            model_sha256: sha256("model_sha256"),
            data_sha256: sha256("data_sha256"),
            counts,
            items,
            wrong,
            searched: Vec::new(),
            sampled: 0,
            mean_intrusion: 0.0,
            expected: Vec::new(),
            sha256: String::new(),
        })
    }

    /// All triples of the items that take part.
    pub(super) fn space(&self) -> TripleSpace {
        TripleSpace::new(self.items.clone())
    }

    /// All triples of the items that are searched in full.
    pub(super) fn searched_space(&self) -> TripleSpace {
        TripleSpace::new(self.searched.clone())
    }

    /// Whether every triple is searched.
    pub fn is_exhaustive(&self) -> bool {
        self.searched == self.items
    }

    /// Triples of the first grid.
    pub fn num_candidates(&self) -> u64 {
        self.searched_space().len() + self.sampled
    }

    /// All triples of the items that take part.
    pub fn num_triples(&self) -> u64 {
        self.space().len()
    }

    /// The mean intrusion that the survey found, by classes; of classes that it left out, of all.
    pub(super) fn expected_intrusion(&self) -> impl Fn([usize; 3]) -> f64 + use<> {
        let mean = self.mean_intrusion;
        let by_class: HashMap<[usize; 3], f64> = self
            .expected
            .iter()
            .map(|found| (found.classes, found.intrusion))
            .collect();
        move |classes| by_class.get(&classes).copied().unwrap_or(mean)
    }

    /// The triples of the survey, and the strata that they are drawn from.
    pub(super) fn survey(&self, space: &TripleSpace) -> (Vec<Candidate>, Vec<Stratum>) {
        let seed = self.design.seed;
        let strata = strata(space, self.design.survey);
        let orders = self.job.kind().siblings();
        let order = |index: u64| {
            let bits = random_bits(seed, Purpose::SurveyOrder, 0, index);
            Some(orders[(bits % orders.len() as u64) as usize])
        };
        let candidate = |triple: u64, index: u64, probability: f64| {
            let (classes, items) = space.at(triple);
            Candidate {
                triple,
                items,
                classes,
                chosen: Chosen::Survey,
                probability: probability / orders.len() as f64,
                audited_at: None,
                order: order(index),
            }
        };
        let each = (self.design.survey / strata.len().max(1)) as u64;
        let mut candidates = Vec::new();
        // How often each class has been drawn from: its items come in turn.
        let mut drawn = vec![0u64; space.items().len()];
        for stratum in &strata {
            let number = each.min(stratum.triples);
            let probability = number as f64 / stratum.triples as f64;
            for _ in 0..number {
                let index = candidates.len() as u64;
                let triple = match stratum.classes {
                    None => {
                        let order = Shuffled::new(space.len(), seed, Purpose::SurveyTriples, 0);
                        order.at(index)
                    }
                    Some(classes) => {
                        let items = classes.map(|class| {
                            let own = &space.items()[class];
                            let (round, place) = (
                                drawn[class] / own.len() as u64,
                                drawn[class] % own.len() as u64,
                            );
                            drawn[class] += 1;
                            let stream = (class as u32) << 16 | (round as u32 & 0xFFFF);
                            let order =
                                Shuffled::new(own.len() as u64, seed, Purpose::SurveyItems, stream);
                            own[order.at(place) as usize]
                        });
                        (space.number_of(classes, items)).expect("items of the space")
                    }
                };
                candidates.push(candidate(triple, index, probability));
            }
        }
        (candidates, strata)
    }

    /// Chooses what is searched: everything, or the triples of the items that stood out in the survey
    /// and as many drawn at random from all.
    fn choose(&mut self, space: &TripleSpace, survey: &[Row]) {
        let most = self.design.search;
        if space.len() <= most {
            self.searched.clone_from(&self.items);
            self.sampled = 0;
            return;
        }
        let effects = self.item_effects(survey);
        let ranked: Vec<Vec<u32>> = self
            .items
            .iter()
            .map(|items| {
                let effect = |item: &u32| effects.get(item).copied().unwrap_or(0.0);
                let mut ranked = items.clone();
                ranked.sort_by(|a, b| effect(b).total_cmp(&effect(a)));
                ranked
            })
            .collect();
        let best = |each: usize| -> Vec<Vec<u32>> {
            let first = ranked.iter().map(|items| {
                let mut first = items[..items.len().min(each)].to_vec();
                first.sort_unstable();
                first
            });
            first.collect()
        };
        let largest = ranked.iter().map(Vec::len).max().unwrap_or(0);
        let each = (0..=largest)
            .take_while(|&each| TripleSpace::new(best(each)).len() <= most / 2)
            .last()
            .unwrap_or(0);
        self.searched = best(each);
        self.sampled = most - self.searched_space().len();
    }

    /// How much worse than its classes' mean the triples of each item were in the survey.
    fn item_effects(&self, survey: &[Row]) -> HashMap<u32, f64> {
        let expected = self.expected_intrusion();
        let score = self.design.score;
        let badness = |row: &Row| {
            let classes = ascending(row.classes);
            worst(std::slice::from_ref(row), score, expected(classes))
        };
        let mut means: HashMap<[usize; 3], (f64, usize)> = HashMap::new();
        let finite = || survey.iter().filter(|row| badness(row).is_finite());
        for row in finite() {
            let (sum, count) = means.entry(ascending(row.classes)).or_default();
            (*sum, *count) = (*sum + badness(row), *count + 1);
        }
        let mut effects: HashMap<u32, (f64, f64)> = HashMap::new();
        for row in finite() {
            let (sum, count) = means[&ascending(row.classes)];
            for item in row.items {
                let (effect, rows) = effects.entry(item).or_default();
                *effect += badness(row) - sum / count as f64;
                *rows += 1.0;
            }
        }
        let shrunken = effects
            .into_iter()
            .map(|(item, (sum, rows))| (item, sum / (rows + SHRINKAGE)));
        shrunken.collect()
    }

    /// The triples of a shard, in the order of their classes: a random part of all that are searched.
    pub(super) fn candidates(&self, shard: usize) -> Vec<Candidate> {
        let seed = self.design.seed;
        let (space, searched) = (self.space(), self.searched_space());
        let part = |all: u64| {
            let at = |n: u64| (u128::from(all) * u128::from(n) / self.shards as u128) as u64;
            at(shard as u64)..at(shard as u64 + 1)
        };
        let candidate = |(classes, items), chosen, probability| Candidate {
            triple: (space.number_of(classes, items)).expect("items of the plan"),
            items,
            classes,
            chosen,
            probability,
            audited_at: None,
            order: None,
        };
        let mut candidates = Vec::new();
        let order = Shuffled::new(searched.len(), seed, Purpose::Candidates, 0);
        for n in part(searched.len()) {
            let triple = searched.at(order.at(n));
            candidates.push(candidate(triple, Chosen::Search, 1.0));
        }
        let probability = self.sampled as f64 / space.len() as f64;
        let order = Shuffled::new(space.len(), seed, Purpose::Sample, 0);
        for n in part(self.sampled) {
            let (classes, items) = space.at(order.at(n));
            // One that is searched anyhow is not computed twice.
            if searched.number_of(classes, items).is_none() {
                candidates.push(candidate((classes, items), Chosen::Sample, probability));
            }
        }
        candidates.sort_by_key(|candidate| (candidate.classes, candidate.triple));
        candidates
    }

    /// Whether the item at a position is classified correctly.
    pub(super) fn is_right(&self, item: u32) -> bool {
        self.wrong.binary_search(&item).is_err()
    }

    fn digest(&self) -> String {
        let plain = Self {
            sha256: String::new(),
            ..self.clone()
        };
        let text = serde_json::to_vec(&plain).expect("a plan is plain data");
        sha256_hex([&text[..]])
    }

    /// What a file of the atlas says of itself.
    pub(super) fn about(&self, steps: usize, engine: &dyn Engine) -> Value {
        json!({
            "version": self.version,
            "plan_sha256": self.sha256,
            "shards": self.shards,
            "steps": steps,
            "kind": self.job.kind(),
            "seed": self.design.seed,
            "score": self.design.score,
            "class_names": self.class_names,
            "model_sha256": self.model_sha256,
            "data_sha256": self.data_sha256,
            "engine": engine.info().identity(),
            "fallback": engine.fallback(),
        })
    }

    fn write(&self, folder: &Path, survey: &[Row], engine: &dyn Engine) -> Result<(), AtlasError> {
        let path = folder.join(PLAN_FILE);
        if path.exists() {
            let old = Self::read(folder)?;
            if old.sha256 != self.sha256 {
                let difference = plan_difference(&json!(old), &json!(self));
                return Err(AtlasError::refused_but(
                    format!(
                        "{}: the folder holds another atlas: {}",
                        folder.display(),
                        difference.unwrap_or_default()
                    ),
                    "use another {}, or remove the folder",
                    &[Setting::Out],
                ));
            }
        }
        let about = self.about(self.design.survey_steps, engine);
        write_table(&folder.join(SURVEY_FILE), &columns_of(survey), &about)?;
        let mut text = serde_json::to_string_pretty(self).expect("a plan is plain data");
        text.push('\n');
        Ok(write_file(&path, text.as_bytes())?)
    }

    /// The plan in a folder.
    ///
    /// # Errors
    /// [`AtlasError`] where there is none, or it was changed since it was made.
    pub fn read(folder: &Path) -> Result<Self, AtlasError> {
        let path = folder.join(PLAN_FILE);
        if !path.is_file() {
            return Err(AtlasError::refused_but(
                format!(
                    "{}: expected the plan of an atlas, found none",
                    path.display()
                ),
                "`morphscape atlas plan` makes one",
                &[],
            ));
        }
        let text = read_text(&path, MAX_PLAN_BYTES).map_err(|source| RunError::At {
            place: path.display().to_string(),
            source: source.into(),
        })?;
        let plan: Self = serde_json::from_str(&text).map_err(|error| {
            AtlasError::refused(format!(
                "{}: expected the plan of an atlas: {error}",
                path.display()
            ))
        })?;
        if plan.sha256 != plan.digest() {
            return Err(AtlasError::refused_but(
                format!(
                    "{}: expected the plan as it was made, found one that was changed since",
                    path.display()
                ),
                "`morphscape atlas plan` makes another, in a folder of its own",
                &[],
            ));
        }
        Ok(plan)
    }

    /// The rows of the survey.
    pub(super) fn survey_rows(&self, folder: &Path) -> Result<Vec<Row>, AtlasError> {
        read_rows(&folder.join(SURVEY_FILE))
    }

    /// The strata of the survey: for each three classes their triples, or one for all.
    pub(super) fn survey_strata(&self) -> Vec<(Option<[usize; 3]>, u64)> {
        let strata = strata(&self.space(), self.design.survey);
        let each = strata.into_iter();
        each.map(|stratum| (stratum.classes, stratum.triples))
            .collect()
    }
}

/// Draws as many items of each class as a design takes.
pub(super) fn draw_items(items: &mut [Vec<u32>], design: &Design) {
    let Some(most) = design.per_class else {
        return;
    };
    for (class, items) in items.iter_mut().enumerate() {
        let all = items.len() as u64;
        let order = Shuffled::new(all, design.seed, Purpose::Items, class as u32);
        let drawn = (0..items.len().min(most)).map(|n| items[order.at(n as u64) as usize]);
        let mut drawn: Vec<u32> = drawn.collect();
        drawn.sort_unstable();
        *items = drawn;
    }
}

/// Three classes in ascending order.
pub(super) fn ascending(classes: [u16; 3]) -> [usize; 3] {
    let mut classes = classes.map(usize::from);
    classes.sort_unstable();
    classes
}

/// Strata of a survey of so many triples: each three classes, where every stratum gets two or more.
fn strata(space: &TripleSpace, survey: usize) -> Vec<Stratum> {
    let counts: Vec<u64> = space.items().iter().map(|own| own.len() as u64).collect();
    let classes: Vec<usize> = (0..counts.len())
        .filter(|&class| counts[class] > 0)
        .collect();
    let number =
        classes.len() * classes.len().saturating_sub(1) * classes.len().saturating_sub(2) / 6;
    if number == 0 || number > survey / 2 {
        return vec![Stratum {
            classes: None,
            triples: space.len(),
        }];
    }
    let mut strata = Vec::with_capacity(number);
    for (n, &first) in classes.iter().enumerate() {
        for (m, &second) in classes.iter().enumerate().skip(n + 1) {
            for &third in &classes[m + 1..] {
                strata.push(Stratum {
                    classes: Some([first, second, third]),
                    triples: counts[first] * counts[second] * counts[third],
                });
            }
        }
    }
    strata
}

/// The mean intrusion of a survey, and that of each three classes where those are its strata.
fn mean_intrusions(rows: &[Row], strata: &[Stratum]) -> (f64, Vec<Expected>) {
    // In order, so that the sum is the same to the last bit.
    let mut sums: BTreeMap<[usize; 3], (f64, usize)> = BTreeMap::new();
    for row in rows {
        if let Some(intrusion) = row.measure("intrusion") {
            let (sum, count) = sums.entry(ascending(row.classes)).or_default();
            (*sum, *count) = (*sum + f64::from(intrusion), *count + 1);
        }
    }
    let (sum, count) = sums
        .values()
        .fold((0.0, 0), |(s, n), &(t, m)| (s + t, n + m));
    let mean = sum / count.max(1) as f64;
    if strata.iter().any(|stratum| stratum.classes.is_none()) {
        return (mean, Vec::new());
    }
    let mut each: Vec<Expected> = sums
        .into_iter()
        .map(|(classes, (sum, count))| Expected {
            classes,
            intrusion: sum / count as f64,
        })
        .collect();
    each.sort_by_key(|found| found.classes);
    (mean, each)
}

/// An order of a triple by its number in a file.
pub(super) fn permutation(number: u8) -> Option<Permutation> {
    Permutation::ALL
        .into_iter()
        .find(|permutation| permutation.number() == usize::from(number))
}
