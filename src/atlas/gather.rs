//! What the rows of an atlas came to, in one pass through its shards.

use super::error::AtlasError;
use super::folder::{is_done, shard_file};
use super::plan::ascending;
use super::rows::{Chosen, Row, worst};
use super::shard::Atlas;
use super::shard_file::each_row;
use super::table::Table;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// What the rows of the shards came to.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) landscapes: u64,
    pub(super) items: HashMap<u32, ItemSums>,
    /// Triples of the finest grid, those that were searched.
    pub(super) worst: Vec<(f64, Vec<Row>)>,
    /// How bad those are that were drawn by lot, by the grid that left them behind.
    pub(super) audited: BTreeMap<u8, Vec<f64>>,
    /// Triples searched that each grid has.
    pub(super) searched: Vec<u64>,
    /// Triples of the first grid that were drawn at random.
    pub(super) sampled: u64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct ItemSums {
    pub(super) class: usize,
    pub(super) triples: u64,
    pub(super) above_mean: f64,
    pub(super) nearest: Option<[f32; 2]>,
}

impl Atlas {
    /// Goes once through all rows; of each triple of the finest grid its rows, of all others sums.
    pub(super) fn gather(&self, missing: &[usize]) -> Result<Gathered, AtlasError> {
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
}

/// The order of badness; what is no number comes first.
pub(super) fn worse(a: f64, b: f64) -> Ordering {
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
