//! The tables of a comparison of models: a row a model, a pair, a class of a pair, a landscape.

use super::super::folder::layout::{
    CLASSES_FILE, ITEMS_FILE, LANDSCAPES_FILE, MODELS_FILE, PAIRS_FILE, SERIES_FILE,
};
use super::answers::{Compared, ModelsResult, pairs_of};
use super::table::{Cell, Table};
use crate::job::ItemAnswer;
use crate::landscape::{Between, GridKind, mean_over_triples, overview};

/// A measure of two models on a landscape: its key in files, how it is read off.
pub(super) struct PairMeasure {
    pub(super) key: &'static str,
    pub(super) value: fn(&Between) -> Option<f64>,
}

/// What is measured of two models.
pub(super) const PAIR_MEASURES: [PairMeasure; 7] = [
    PairMeasure {
        key: "agreement",
        value: |pair| pair.agreement,
    },
    PairMeasure {
        key: "kappa",
        value: |pair| pair.kappa,
    },
    PairMeasure {
        key: "jaccard",
        value: Between::mean_jaccard,
    },
    PairMeasure {
        key: "hausdorff",
        value: |pair| pair.boundaries.map(|found| found.hausdorff),
    },
    PairMeasure {
        key: "hausdorff_95",
        value: |pair| pair.boundaries.map(|found| found.hausdorff_95),
    },
    PairMeasure {
        key: "boundary_distance",
        value: |pair| pair.boundaries.map(|found| found.mean_distance),
    },
    PairMeasure {
        key: "variation_distance",
        value: |pair| pair.variation_distance,
    },
];

/// Every table of a comparison.
pub(super) fn tables(result: &ModelsResult, series: bool) -> Vec<Table> {
    let mut tables = vec![
        models(result),
        pairs(result),
        classes(result),
        landscapes(result),
        items(result),
    ];
    if series {
        tables.push(self::series(result));
    }
    tables
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// The means of the overview's measures of one model.
fn overview_means(result: &ModelsResult, model: usize) -> Vec<Option<f64>> {
    (0..overview().count())
        .map(|measure| {
            let values = result.over_triples(|one| one.answered[model].measures[measure]);
            mean_over_triples(&values, 1).map(|found| found.mean)
        })
        .collect()
}

/// Items that a model classifies correctly, and all it has an answer for.
pub(super) fn right(items: &[ItemAnswer], model: usize) -> [usize; 2] {
    let answered = items.iter().filter(|item| item.found[model].is_some());
    let right = (answered.clone()).filter(|item| item.found[model] == Some(item.class));
    [right.count(), answered.count()]
}

fn models(result: &ModelsResult) -> Table {
    let mut heading = words(&["model", "items", "right", "accuracy"]);
    heading.extend(overview().map(|column| column.key.to_owned()));
    heading.extend(words(&["dbviz_fragmentation", "dbviz_margin"]));
    let items = &result.items;
    let rows = (0..result.models()).map(|model| {
        let [right, all] = right(items, model);
        let mut row = vec![
            Cell::Text(result.names[model].clone()),
            Cell::Count(all),
            Cell::Count(right),
        ];
        row.push(Cell::Number((all > 0).then(|| right as f64 / all as f64)));
        row.extend(overview_means(result, model).into_iter().map(Cell::Number));
        let fragmentation = result.over_triples(|one| one.answered[model].fragmentation);
        let margins: Vec<f64> = items
            .iter()
            .filter_map(|item| item.margins[model])
            .collect();
        row.extend(
            [fragmentation, margins]
                .map(|values| Cell::Number(mean_over_triples(&values, 1).map(|found| found.mean))),
        );
        row
    });
    Table::new(MODELS_FILE, heading, rows)
}

/// Every item with each model's class of it, and its margin where one was taken.
fn items(result: &ModelsResult) -> Table {
    let mut heading = words(&["item", "class"]);
    heading.extend(result.names.iter().map(|name| format!("{name} predicts")));
    heading.extend(result.names.iter().map(|name| format!("{name} margin")));
    let rows = result.items.iter().map(|item| {
        let class = |class: &usize| result.class_names[*class].clone();
        let mut row = vec![item.name.clone(), class(&item.class)];
        let found = item.found.iter();
        row.extend(found.map(|found| found.as_ref().map_or_else(String::new, class)));
        let margins = item.margins.iter().copied().map(Cell::Exact);
        row.into_iter().map(Cell::Text).chain(margins).collect()
    });
    Table::new(ITEMS_FILE, heading, rows)
}

/// The items of a table that [`tables`] made, of so many models; nothing where it is none.
pub(super) fn read_items(
    content: &[u8],
    class_names: &[String],
    models: usize,
) -> Option<Vec<ItemAnswer>> {
    let class = |name: &str| class_names.iter().position(|known| known == name);
    let mut csv = csv::Reader::from_reader(content);
    csv.records()
        .map(|record| {
            let record = record.ok()?;
            let cells: Vec<&str> = record.iter().collect();
            let (found, margins) = cells.get(2..)?.split_at_checked(models)?;
            Some(ItemAnswer {
                name: cells[0].to_owned(),
                class: class(cells[1])?,
                found: found.iter().map(|name| class(name)).collect(),
                margins: margins.iter().map(|margin| margin.parse().ok()).collect(),
            })
        })
        .collect::<Option<Vec<_>>>()
        .filter(|items| items.iter().all(|item| item.margins.len() == models))
}

/// How often two models are wrong about the same item, and how often they would be if their errors
/// had nothing to do with each other.
pub(super) fn both_wrong(items: &[ItemAnswer], [a, b]: [usize; 2]) -> Option<[f64; 2]> {
    let answered: Vec<[bool; 2]> = items
        .iter()
        .filter_map(|item| Some([item.found[a]? != item.class, item.found[b]? != item.class]))
        .collect();
    let share = |is_it: &dyn Fn(&[bool; 2]) -> bool| {
        answered.iter().filter(|&wrong| is_it(wrong)).count() as f64 / answered.len() as f64
    };
    (!answered.is_empty()).then(|| {
        let by_chance = share(&|wrong| wrong[0]) * share(&|wrong| wrong[1]);
        [share(&|wrong| wrong[0] && wrong[1]), by_chance]
    })
}

fn pairs(result: &ModelsResult) -> Table {
    let mut heading = words(&["model_a", "model_b", "triples"]);
    for PairMeasure { key, .. } in &PAIR_MEASURES {
        heading.extend(["", "_low_95", "_high_95"].map(|end| format!("{key}{end}")));
    }
    heading.extend(words(&[
        "both_wrong",
        "both_wrong_by_chance",
        "dbviz_reproducibility",
        "lowest_class",
        "lowest_jaccard",
    ]));
    let items = &result.items;
    let rows = pairs_of(result.models()).enumerate().map(|(pair, [a, b])| {
        let mut row = vec![
            Cell::Text(result.names[a].clone()),
            Cell::Text(result.names[b].clone()),
            Cell::Count(result.landscapes.len() / result.siblings),
        ];
        for measure in &PAIR_MEASURES {
            let values = result.over_triples(|one| (measure.value)(&one.between[pair]));
            let found = mean_over_triples(&values, result.resample_seed);
            row.push(Cell::Number(found.map(|found| found.mean)));
            row.extend([0, 1].map(|end| Cell::Number(found.map(|found| found.interval[end]))));
        }
        let wrong = both_wrong(items, [a, b]);
        row.extend([0, 1].map(|n| Cell::Number(wrong.map(|wrong| wrong[n]))));
        let on_planes = (result.kind == GridKind::Plane)
            .then(|| agreement_of(result, a, b))
            .flatten();
        row.push(Cell::Number(on_planes));
        let jaccard = result.jaccard(pair);
        let lowest = jaccard.iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let name = |&(class, _): &(usize, f64)| result.class_names[class].clone();
        row.push(Cell::Text(lowest.map_or_else(String::new, name)));
        row.push(Cell::Number(lowest.map(|&(_, index)| index)));
        row
    });
    Table::new(PAIRS_FILE, heading, rows)
}

fn classes(result: &ModelsResult) -> Table {
    let heading = words(&["model_a", "model_b", "class", "both", "either", "jaccard"]);
    let rows = pairs_of(result.models())
        .enumerate()
        .flat_map(|(pair, [a, b])| {
            (0..result.class_names.len()).map(move |class| {
                let [both, either] = result.shared(pair, class);
                let index = (either > 0).then(|| both as f64 / either as f64);
                vec![
                    Cell::Text(result.names[a].clone()),
                    Cell::Text(result.names[b].clone()),
                    Cell::Text(result.class_names[class].clone()),
                    Cell::Count(both),
                    Cell::Count(either),
                    Cell::Number(index),
                ]
            })
        });
    Table::new(CLASSES_FILE, heading, rows)
}

fn landscapes(result: &ModelsResult) -> Table {
    let mut heading = words(&[
        "landscape",
        "item_a",
        "item_b",
        "item_c",
        "class_a",
        "class_b",
        "class_c",
        "model_a",
        "model_b",
        "points",
    ]);
    heading.extend(PAIR_MEASURES.iter().map(|measure| measure.key.to_owned()));
    let rows = result.landscapes.iter().flat_map(|one: &Compared| {
        pairs_of(result.models())
            .zip(&one.between)
            .map(move |([a, b], between)| {
                let mut row = vec![one.name.clone()];
                row.extend(one.items.iter().cloned());
                row.extend(one.classes.map(|class| result.class_names[class].clone()));
                row.extend([a, b].map(|model| result.names[model].clone()));
                let mut row: Vec<Cell> = row.into_iter().map(Cell::Text).collect();
                row.push(Cell::Count(between.points));
                let values = PAIR_MEASURES.iter();
                row.extend(values.map(|measure| Cell::Number((measure.value)(between))));
                row
            })
    });
    Table::new(LANDSCAPES_FILE, heading, rows)
}

/// Share of all points at which two models give one label.
pub(super) fn agreement_of(result: &ModelsResult, a: usize, b: usize) -> Option<f64> {
    if a == b {
        return Some(1.0);
    }
    let pair = pairs_of(result.models()).position(|pair| pair == [a.min(b), a.max(b)])?;
    let values = result.over_triples(|one| one.between[pair].agreement);
    mean_over_triples(&values, 1).map(|found| found.mean)
}

/// Share of points whose label stays the same from a model of the series to its last.
fn settled(result: &ModelsResult, model: usize) -> Option<f64> {
    let (mut points, mut settled) = (0, 0);
    for landscape in &result.landscapes {
        let from_here = &landscape.answered[model..];
        for k in 0..result.steps.pow(2) {
            let label = from_here[0].labels[k];
            points += 1;
            settled += usize::from(from_here.iter().all(|answer| answer.labels[k] == label));
        }
    }
    (points > 0).then(|| settled as f64 / points as f64)
}

fn series(result: &ModelsResult) -> Table {
    let mut heading = words(&[
        "model",
        "agreement_with_last",
        "agreement_with_previous",
        "settled",
        "accuracy",
    ]);
    heading.extend(overview().map(|column| column.key.to_owned()));
    let last = result.models() - 1;
    let items = &result.items;
    let rows = (0..=last).map(|model| {
        let [right, all] = right(items, model);
        let before = model.checked_sub(1);
        let mut row = vec![Cell::Text(result.names[model].clone())];
        row.extend(
            [
                agreement_of(result, model, last),
                before.and_then(|before| agreement_of(result, before, model)),
                settled(result, model),
                (all > 0).then(|| right as f64 / all as f64),
            ]
            .map(Cell::Number),
        );
        row.extend(overview_means(result, model).into_iter().map(Cell::Number));
        row
    });
    Table::new(SERIES_FILE, heading, rows)
}
