//! The figures of a comparison of models, and the values of its report.

use super::super::folder::layout::{AGREEMENT_FIGURE_FILE, MAPS_FIGURE_FILE, MATRIX_FIGURE_FILE};
use super::answers::{Compared, ModelsResult, pairs_of};
use super::tables::{PAIR_MEASURES, agreement_of, both_wrong, right};
use crate::landscape::mean_over_triples;
use crate::plot::{
    ModelMaps, ModelMapsRow, PairDots, class_color_hex, model_maps, pair_dots, pair_matrix,
    svgs_to_apng,
};
use crate::report::{ModelsReport, models_report};
use serde_json::{Value, json};

/// Landscapes in the figure of maps, and models side by side in it.
const MAPS: usize = 4;
const MOST_MODELS: usize = 8;
/// Landscapes of an animation, and how long it shows each model.
const ANIMATED_MAPS: usize = 2;
const ANIMATION_MS: u16 = 700;
/// Landscapes in the report, those that the models agree on least.
const IN_REPORT: usize = 300;

/// What a comparison of models is shown by.
#[derive(Debug, Clone)]
pub struct DrawnModels {
    /// Figures as SVG, by the names of their files.
    pub files: Vec<(&'static str, String)>,
    /// The report, a page.
    pub report: String,
}

/// Draws everything.
pub(super) fn draw(result: &ModelsResult, series: bool) -> DrawnModels {
    let files = vec![
        (MAPS_FIGURE_FILE, maps(result, series)),
        (MATRIX_FIGURE_FILE, matrix(result)),
        (AGREEMENT_FIGURE_FILE, dots(result)),
    ];
    let figures: Vec<&str> = files.iter().map(|(_, svg)| svg.as_str()).collect();
    let report = models_report(&ModelsReport {
        title: "Morphscape models",
        subtitle: &subtitle(result),
        run: run(result, series),
        figures: &figures,
    });
    DrawnModels { files, report }
}

fn subtitle(result: &ModelsResult) -> String {
    format!(
        "{} triples, {} landscapes of {} x {} points; data: {}",
        result.landscapes.len() / result.siblings,
        result.landscapes.len(),
        result.steps,
        result.steps,
        result.data_path
    )
}

/// Landscapes with those that the models agree on least first.
fn by_disagreement(result: &ModelsResult) -> Vec<&Compared> {
    let mut all: Vec<&Compared> = result.landscapes.iter().collect();
    all.sort_by(|a, b| a.lowest_agreement().total_cmp(&b.lowest_agreement()));
    all
}

fn maps(result: &ModelsResult, series: bool) -> String {
    let shown: Vec<usize> = match result.models() {
        // Of a long series, evenly spread ones, the first and the last among them.
        models if models > MOST_MODELS => (0..MOST_MODELS)
            .map(|n| n * (models - 1) / (MOST_MODELS - 1))
            .collect(),
        models => (0..models).collect(),
    };
    let title = match series {
        true => "One landscape over the series, by predicted class",
        false => "The same landscapes by each model, by predicted class",
    };
    let mut subtitle = "the landscapes that the models agree on least; dark: models that differ from the most common class".to_owned();
    if shown.len() < result.models() {
        subtitle += &format!("\n{} of {} models", shown.len(), result.models());
    }
    let agreement = |one: &Compared| format!("agreement {:.3}", one.lowest_agreement());
    maps_of(result, &shown, MAPS, [title, &subtitle], &agreement)
}

/// The landscapes that all models agree on least, as some of them map them; `said` is the last line
/// beside each.
fn maps_of(
    result: &ModelsResult,
    shown: &[usize],
    landscapes: usize,
    [title, subtitle]: [&str; 2],
    said: &dyn Fn(&Compared) -> String,
) -> String {
    let names: Vec<String> = shown
        .iter()
        .map(|&model| result.names[model].clone())
        .collect();
    let rows: Vec<ModelMapsRow<'_>> = by_disagreement(result)
        .into_iter()
        .take(landscapes)
        .map(|one| {
            let classes = one.classes.map(|class| &result.class_names[class]);
            let letters = ['A', 'B', 'C'].iter().zip(classes);
            let mut lines = vec![one.name.clone()];
            lines.extend(letters.map(|(letter, class)| format!("{letter}: {class}")));
            lines.push(said(one));
            ModelMapsRow {
                lines,
                labels: shown
                    .iter()
                    .map(|&model| one.answered[model].labels.as_slice())
                    .collect(),
            }
        })
        .collect();
    model_maps(&ModelMaps {
        title,
        subtitle,
        models: &names,
        class_names: &result.class_names,
        steps: result.steps,
        rows: &rows,
    })
}

/// The models of a series one after the other, each beside the last: an animated PNG.
pub(super) fn animation(result: &ModelsResult) -> Vec<u8> {
    let last = result.models() - 1;
    let frames: Vec<String> = (0..=last)
        .map(|model| {
            let title = format!("{} beside the last of the series", result.names[model]);
            let subtitle = format!("{} of {}", model + 1, last + 1);
            let pair = pairs_of(last + 1).position(|pair| pair == [model, last]);
            let agreement = |one: &Compared| match pair.and_then(|n| one.between[n].agreement) {
                Some(share) => format!("agreement {share:.3}"),
                None => String::new(),
            };
            let said = [title.as_str(), &subtitle];
            maps_of(result, &[model, last], ANIMATED_MAPS, said, &agreement)
        })
        .collect();
    svgs_to_apng(&frames, ANIMATION_MS)
}

fn matrix(result: &ModelsResult) -> String {
    pair_matrix(
        "Agreement of each two models",
        "mean share of points with equal labels over the triples",
        &result.names,
        &|a, b| agreement_of(result, a, b),
    )
}

/// Names of a pair.
fn pair_name(result: &ModelsResult, [a, b]: [usize; 2]) -> String {
    format!("{} and {}", result.names[a], result.names[b])
}

fn dots(result: &ModelsResult) -> String {
    let rows: Vec<PairDots> = pairs_of(result.models())
        .enumerate()
        .filter_map(|(pair, models)| {
            let values = result.over_triples(|one| one.between[pair].agreement);
            let found = mean_over_triples(&values, result.resample_seed)?;
            let [low, high] = found.interval;
            Some(PairDots {
                name: pair_name(result, models),
                values,
                mean: [found.mean, low, high],
            })
        })
        .collect();
    pair_dots(
        "Agreement on each triple",
        "one point a triple; black: the mean with its 95 % interval over triples",
        "share of points with equal labels",
        &rows,
    )
}

/// What the report's script reads.
fn run(result: &ModelsResult, series: bool) -> Value {
    let items = &result.items;
    let models: Vec<Value> = (0..result.models())
        .map(|model| {
            let [right, all] = right(items, model);
            json!({"name": result.names[model], "right": right, "items": all})
        })
        .collect();
    let pairs: Vec<Value> = pairs_of(result.models())
        .enumerate()
        .map(|(pair, models)| {
            let values: Vec<Value> = PAIR_MEASURES
                .iter()
                .map(|measure| {
                    let values = result.over_triples(|one| (measure.value)(&one.between[pair]));
                    let found = mean_over_triples(&values, result.resample_seed);
                    json!(found.map(|found| (found.mean, found.interval)))
                })
                .collect();
            let lowest = (result.jaccard(pair).into_iter()).min_by(|a, b| a.1.total_cmp(&b.1));
            json!({
                "models": models,
                "values": values,
                "both_wrong": both_wrong(items, models),
                "lowest": lowest.map(|(class, index)| (&result.class_names[class], index)),
            })
        })
        .collect();
    let landscapes: Vec<Value> = by_disagreement(result)
        .into_iter()
        .take(IN_REPORT)
        .map(|one| {
            let labels = |labels: &[Option<u16>]| -> Vec<i32> {
                let label = |label: &Option<u16>| label.map_or(-1, i32::from);
                labels.iter().map(label).collect()
            };
            json!({
                "name": one.name,
                "items": one.items,
                "classes": one.classes,
                "agreement": one.between.iter().map(|pair| pair.agreement).collect::<Vec<_>>(),
                "labels": one.answered.iter().map(|answer| labels(&answer.labels)).collect::<Vec<_>>(),
                "confidence": one.answered.iter().map(|answer| {
                    let percent = |p: &f32| (!p.is_nan()).then(|| (100.0 * p).round() as u8);
                    answer.confidence.iter().map(percent).collect::<Vec<_>>()
                }).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "models": models,
        "pairs": pairs,
        "measures": PAIR_MEASURES.map(|measure| measure.key),
        "class_names": result.class_names,
        "colors": (0..result.class_names.len()).map(class_color_hex).collect::<Vec<_>>(),
        "steps": result.steps,
        "series": series,
        "all": result.landscapes.len(),
        "landscapes": landscapes,
    })
}
