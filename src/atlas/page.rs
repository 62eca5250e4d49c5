//! The report of an atlas, from its summary.

use super::design::Score;
use super::error::AtlasError;
use super::shard::Atlas;
use super::summary::{ClassMean, Finalist, Summary};
use super::text::{of_classes, said, short};
use crate::data::{Image, Picture, whole};
use crate::landscape::{Landscape, argmax};
use crate::plot::class_color_hex;
use crate::report::{AtlasReport, atlas_report};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Class pairs and class triples that the page lists at most, beside the heat map of few classes.
const LISTED: usize = 200;
/// Classes up to which the pairs are a heat map.
const HEAT_CLASSES: usize = 30;
/// Items of each gallery that the page shows.
const GALLERY: usize = 24;

/// One of the worst landscapes, as it is drawn.
pub(super) struct Shown {
    pub(super) landscape: Landscape,
    pub(super) frames: Option<Vec<Image>>,
}

/// The page.
pub(super) fn page(
    summary: &Summary,
    atlas: &Atlas,
    finalists: &[Finalist],
    shown: &[Shown],
) -> Result<String, AtlasError> {
    let (plan, job) = (atlas.plan(), atlas.job());
    let score = summary.score;
    let item_name = |item: u32| job.item_name(item as usize);
    let mut pictured: BTreeSet<u32> = BTreeSet::new();
    for items in [&summary.worst_items, &summary.nearest_items] {
        pictured.extend(items.iter().take(GALLERY).map(|item| item.position));
    }
    for finalist in finalists.iter().take(shown.len()) {
        pictured.extend(finalist.row.items);
    }
    let mut pictures = Map::new();
    for item in pictured {
        if let Some(image) = job.image(item as usize)? {
            pictures.insert(item_name(item), json!(png(&image)));
        }
    }
    let value = |bad: Option<f64>| bad.map(|bad| said(score, bad));
    let worst: Vec<Value> = finalists
        .iter()
        .map(|one| {
            json!({
                "items": one.row.items.map(item_name),
                "classes": one.row.classes,
                "lowest": value(Some(one.lowest())),
                "own": value(Some(one.own)),
                "other_order": value(one.other_order),
                "other_sampling": value(one.other_sampling),
                "other_model": value(one.other_model),
                "intruder": one.row.intruder.map(|(class, _)| class),
            })
        })
        .collect();
    let cards: Vec<Value> = finalists
        .iter()
        .zip(shown)
        .enumerate()
        .map(|(n, (finalist, shown))| card(n, finalist, shown, atlas))
        .collect();
    type Taken = fn(&Finalist) -> Option<f64>;
    let columns: [(&str, &str, Taken); 3] = [
        ("other_order", "another order", |one| one.other_order),
        ("other_sampling", "another sampling", |one| {
            one.other_sampling
        }),
        ("other_model", "another model", |one| one.other_model),
    ];
    let others: Vec<Value> = columns
        .into_iter()
        .filter(|(_, _, taken)| finalists.iter().any(|one| taken(one).is_some()))
        .map(|(key, name, _)| json!({"key": key, "name": name}))
        .collect();
    let is_heat = plan.class_names.len() <= HEAT_CLASSES;
    let listed = |all: &[ClassMean], most: usize| -> Vec<ClassMean> {
        match score {
            // The small ones are bad.
            Score::Flip => all.iter().rev().take(most).cloned().collect(),
            _ => all.iter().take(most).cloned().collect(),
        }
    };
    let pairs = listed(&summary.pairs, if is_heat { usize::MAX } else { LISTED });
    let class_triples = listed(&summary.class_triples, LISTED);
    let steps = plan.design.rungs.last().copied().unwrap_or(2);
    let hint = format!(
        "By {}, on {steps} x {steps} points. Ranked by the lowest of the values of a triple.",
        score.label()
    );
    let subtitle = format!(
        "{} on {}; {} triples searched, {} landscapes computed",
        job.model().path,
        job.data_json()["path"].as_str().unwrap_or_default(),
        summary.searched,
        summary.landscapes
    );
    let colors: Vec<String> = (0..plan.class_names.len()).map(class_color_hex).collect();
    Ok(atlas_report(&AtlasReport {
        subtitle: &subtitle,
        atlas: json!({
            "summary": Summary { pairs, class_triples, ..summary.clone() },
            "is_heat": is_heat,
            "num_class_means": [summary.pairs.len(), summary.class_triples.len()],
            "class_names": plan.class_names,
            "colors": colors,
            "worst": worst,
            "cards": cards,
            "pictures": pictures,
            "other_columns": others,
            "worst_hint": hint,
            "score": {"of": of_classes(score), "small_is_bad": score == Score::Flip},
        }),
    }))
}

/// What the page draws of a landscape.
fn card(n: usize, finalist: &Finalist, shown: &Shown, atlas: &Atlas) -> Value {
    let plan = atlas.plan();
    let (row, landscape) = (&finalist.row, &shown.landscape);
    let labels: Vec<i64> = (0..landscape.num_frames())
        .map(|k| match landscape.has_point(k) {
            true => landscape.label(k).map_or(-1, |label| label as i64),
            false => -1,
        })
        .collect();
    let classes = row.classes.map(usize::from);
    // The frame of which the network is surest that it is none of the three.
    let sure = |k: &usize| {
        let p = landscape.probabilities_of(*k);
        let label = argmax(p);
        if classes.contains(&label) {
            -1.0
        } else {
            p[label]
        }
    };
    let surest = landscape
        .points()
        .filter(|k| landscape.label(*k).is_some())
        .max_by(|a, b| sure(a).total_cmp(&sure(b)));
    let frame = surest.filter(|k| sure(k) >= 0.0).and_then(|k| {
        let frame = shown.frames.as_ref()?.get(k)?;
        let label = argmax(landscape.probabilities_of(k));
        Some((png(frame), label, sure(&k)))
    });
    let value = said(plan.design.score, finalist.lowest());
    let mut says = format!("{} {}", plan.design.score.label(), short(value));
    if let Some((_, label, sure)) = &frame {
        says.push_str(&format!(
            "; right: the frame that is most confidently none of the three, {} with {:.1} %",
            plan.class_names[*label],
            100.0 * sure
        ));
    }
    json!({
        "landscape": format!("{}.{}", n + 1, row.permutation),
        "steps": landscape.steps,
        "labels": labels,
        "frame": frame.as_ref().map(|(png, ..)| png),
        "frame_class": frame.as_ref().map(|(_, label, _)| &plan.class_names[*label]),
        "says": says,
        "items": row.items.map(|item| atlas.job().item_name(item as usize)),
        "classes": classes,
    })
}

/// An image as a PNG in base64.
fn png(image: &Image) -> String {
    let picture = Picture {
        width_px: image.width_px,
        height_px: image.height_px,
        channels: image.channels,
        levels: image.levels.iter().map(|&level| whole(level)).collect(),
    };
    STANDARD.encode(picture.to_png())
}
