//! What an atlas found, in sentences.

use super::design::Score;
use super::shard::Atlas;
use super::state::LISTED;
use super::statistics::Mean;
use super::summary::Summary;
use super::text::{of_classes, ranges, short};

fn with_interval(mean: &Mean) -> String {
    match mean.interval {
        Some(interval) => {
            let [low, high] = interval.map(short);
            format!("{} (95 % {low} to {high})", short(mean.mean))
        }
        None => format!(
            "{} (its triples share an item: no interval)",
            short(mean.mean)
        ),
    }
}

/// Everything that is stated.
pub(super) fn findings(summary: &Summary, atlas: &Atlas) -> Vec<String> {
    let plan = atlas.plan();
    let [all, right, part] = summary.items;
    let mut findings = Vec::new();
    let take_part = match (plan.design.any_items, all - right) {
        (true, _) => format!("{part} items take part, including wrongly classified ones"),
        (false, 0) => format!("{part} of them take part"),
        (false, wrong) => format!(
            "The other {wrong} are its test errors and are left out; of those it classifies correctly, {part} take part"
        ),
    };
    findings.push(format!(
        "The model classifies {right} of {all} items correctly. {take_part}, in {} triples of three different classes.",
        summary.triples
    ));
    for key in ["intrusion", "confident_intrusion"] {
        if let Some(Some(mean)) = summary.means.get(key) {
            findings.push(format!(
                "Mean {} over all triples: {}, from {} triples of the survey on {} x {} points; its units are {} items.",
                key.replace('_', " "),
                with_interval(mean),
                mean.triples,
                plan.design.survey_steps,
                plan.design.survey_steps,
                mean.items
            ));
        }
    }
    let of = of_classes(summary.score);
    let by_distance = summary.score == Score::Flip;
    for (means, what) in [(&summary.pairs, "pair"), (&summary.class_triples, "triple")] {
        let worst = if by_distance {
            means.last()
        } else {
            means.first()
        };
        if let Some(worst) = worst {
            findings.push(format!(
                "The class {what} with the {} mean {of} is {}: {}.",
                if by_distance { "smallest" } else { "largest" },
                worst.classes.join(", "),
                with_interval(&worst.mean)
            ));
        }
    }
    let [pairs, triples] = summary.not_listed;
    if pairs + triples > 0 {
        findings.push(format!(
            "{pairs} class pairs and {triples} class triples occur in fewer than {LISTED} triples of the survey and are not listed; a larger survey has more."
        ));
    }
    if let Some(item) = summary.nearest_items.first() {
        let [l2, linf] = item.nearest_flip.unwrap_or_default().map(short);
        findings.push(format!(
            "The item with the nearest input of another label is {}, {}: L2 {l2}, L\u{221e} {linf}.",
            item.item, item.class
        ));
    }
    findings.push(match summary.exhaustive {
        true => format!(
            "All {} triples were searched, without sampling.",
            summary.searched
        ),
        false => format!(
            "Of {} triples, {} were searched: those of the items that stood out in the survey, and others at random.",
            summary.triples, summary.searched
        ),
    });
    if summary.top > 0 {
        let recall = |recall: Option<[f64; 3]>| {
            let [about, low, high] = recall?.map(|share| format!("{:.1} %", 100.0 * share));
            Some(format!("{about} (95 % {low} to {high})"))
        };
        if let Some(found) = recall(summary.recall) {
            findings.push(format!(
                "By the audits, the list of the {} worst holds {found} of the searched triples that belong on it.",
                summary.top
            ));
        }
        if let (Some(found), false) = (recall(summary.recall_of_all), summary.exhaustive) {
            findings.push(format!(
                "It holds {found} of all triples that belong on it."
            ));
        }
        findings.push(
            "The values of the worst are the largest of many, so they are too large on average; the ranking uses the lowest of those that were computed again."
                .to_owned(),
        );
    } else {
        findings.push(format!(
            "No triple searched has any {}.",
            summary.score.label()
        ));
    }
    if !summary.missing_shards.is_empty() {
        findings.push(format!(
            "Shards {} of {} are missing; the findings of the search are of the others.",
            ranges(&summary.missing_shards),
            plan.shards
        ));
    }
    if let Some(second) = &summary.second {
        let number = |name: &str| second[name].as_f64();
        if let Some(alike) = number("rank_correlation_of_pairs") {
            findings.push(format!(
                "With {}, the ranks of the class pairs agree to {alike:.2} (Spearman), on {} triples whose items both models classify correctly.",
                second["model"].as_str().unwrap_or("the other model"),
                second["triples"]
            ));
        }
    }
    findings
}
