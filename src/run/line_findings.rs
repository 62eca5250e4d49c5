//! What many lines say together, by their facts.

use super::line::intervals_of;
use super::margins;
use crate::job::{FEW_LABELLED, LoadedLines, Note, labels_warning};
use crate::landscape::wilson;
use serde_json::Value;
use std::collections::BTreeMap;

/// What is said of a model that classifies the lines' ends otherwise than they are labelled.
pub(super) fn as_labelled(all: &[Value], job: &LoadedLines) -> Option<Note> {
    let mut ends = BTreeMap::new();
    for line in all {
        let found = intervals_of(line);
        for (end, interval) in [found.first(), found.last()].into_iter().enumerate() {
            let item = line["items"][end].as_str()?;
            let label = line["item_classes"][end].as_u64()? as usize;
            let is_right = interval.is_some_and(|found| found.class == label);
            ends.insert(item, (job.class_names.get(label)?.as_str(), is_right));
        }
    }
    let asked: Vec<(&str, bool)> = ends.into_values().collect();
    (asked.len() >= FEW_LABELLED)
        .then(|| labels_warning(&job.model, &asked))
        .flatten()
}

/// The same as [`findings`], with what margins and paths say.
pub(super) fn all_findings(all: &[Value], steps: usize) -> (Option<usize>, Vec<String>) {
    let (missed, mut findings) = findings(all, steps);
    findings.extend(margins::findings(all));
    (missed, findings)
}

/// How many lines the samples do not see in full, and what all lines say.
fn findings(all: &[Value], steps: usize) -> (Option<usize>, Vec<String>) {
    let changes = |line: &Value| intervals_of(line).len().saturating_sub(1);
    let total: usize = all.iter().map(changes).sum();
    let mut findings = vec![format!(
        "{:.2} class changes a line, mean of {} lines",
        total as f64 / all.len().max(1) as f64,
        all.len()
    )];
    let seen = |line: &Value| line["certificate"]["missed"].as_u64();
    let exact: Vec<u64> = all.iter().filter_map(seen).collect();
    if exact.len() < all.len() || exact.is_empty() {
        let labels = all
            .iter()
            .map(|line| line["label"]["kind"].as_str().unwrap_or_default());
        let label = labels.min().unwrap_or_default();
        findings.push(format!(
            "the lines are {label}: what samples miss of them is not known"
        ));
        return (None, findings);
    }
    let missed = exact.iter().filter(|&&missed| missed > 0).count();
    let [low, high] = wilson(missed, exact.len());
    findings.push(format!(
        "{steps} points miss a class interval of {missed} of {} lines, {:.1} % (95 % interval {:.1} to {:.1} %), and {} of {} intervals",
        exact.len(),
        100.0 * missed as f64 / exact.len() as f64,
        100.0 * low,
        100.0 * high,
        exact.iter().sum::<u64>(),
        total + all.len()
    ));
    let narrowest = |line: &Value| line["narrowest"]["t"].as_f64();
    let mut widths: Vec<f64> = all.iter().filter_map(narrowest).collect();
    widths.sort_by(f64::total_cmp);
    if let Some(width) = widths.first() {
        findings.push(format!(
            "the narrowest interval of a line covers {:.3} of it, median of the lines; the narrowest of all {width:.1e}",
            widths[widths.len() / 2],
        ));
    }
    (Some(missed), findings)
}
