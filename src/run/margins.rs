//! What is known of the two inputs of an exact line beside its class intervals: how far the first can
//! be moved towards the second before its class changes, and whether a path that meets only their two
//! classes connects them.

use super::error::RunError;
use super::folder::RunFolder;
use super::folder::layout::MARGINS_FILE;
use super::summary::IN_MEMORY;
use crate::data::write_file;
use crate::sections::{
    Connection, DBVIZ_DIRECTIONS, DBVIZ_HITS, DBVIZ_LEAST_HITS, LineSection, Margin, PathOptions,
    SectionError, SectionNetwork, SpaceKind, connect, dbviz_mean_margin, margins,
};
use rayon::prelude::*;
use serde_json::Value;

/// What is sought between the inputs of exact lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sought {
    /// Pieces of a line at most.
    pub max_pieces: usize,
    /// Whether paths are sought.
    pub connect: bool,
}

/// What is found between the inputs of one line.
#[derive(Debug, Clone)]
pub(super) struct Between {
    /// The margin of the first towards the second.
    pub margin: Margin,
    /// A path from one to the other, where one is sought.
    pub path: Option<Connection>,
}

/// Margins and paths of pairs of points, of which `lines` are the sections.
pub(super) fn between(
    network: &SectionNetwork,
    pairs: &[[&[f64]; 2]],
    lines: &[LineSection],
    sought: Sought,
) -> Vec<Result<Between, SectionError>> {
    let options = PathOptions {
        // Levels of an image beyond black and white are none.
        clamp: (network.space().kind() == SpaceKind::Images).then_some([0.0, 1.0]),
        ..PathOptions::default()
    };
    let found = margins(network, pairs, lines, sought.max_pieces);
    let all = pairs.par_iter().zip(found);
    all.map(|(&[from, to], margin)| {
        Ok(Between {
            margin: margin?,
            path: match sought.connect {
                true => Some(connect(network, from, to, &options)?),
                false => None,
            },
        })
    })
    .collect()
}

/// An item with the margins of the lines that begin at it, in their order.
struct ItemMargins<'a> {
    name: &'a Value,
    class: &'a Value,
    margins: Vec<Margin>,
}

impl ItemMargins<'_> {
    /// dbViz's mean, and the mean of the exact margins along the same directions.
    fn means(&self) -> Option<[f64; 2]> {
        let along: Vec<Option<f64>> = self.margins.iter().map(|margin| margin.dbviz).collect();
        let dbviz = dbviz_mean_margin(&along)?;
        let hits = self.margins.iter().take(DBVIZ_DIRECTIONS);
        let hits = hits.filter(|margin| margin.dbviz.is_some());
        let exact: Vec<f64> = hits
            .take(DBVIZ_HITS)
            .filter_map(|margin| margin.exact)
            .collect();
        Some([dbviz, exact.iter().sum::<f64>() / exact.len() as f64])
    }
}

/// The items from which lines begin, in the order of their first lines.
fn by_item(all: &[Value]) -> Vec<ItemMargins<'_>> {
    let mut items: Vec<ItemMargins<'_>> = Vec::new();
    let mut place = std::collections::HashMap::new();
    for line in all {
        let Ok(margin) = serde_json::from_value(line["margin"].clone()) else {
            continue;
        };
        let at = *place.entry(&line["items"][0]).or_insert_with(|| {
            items.push(ItemMargins {
                name: &line["items"][0],
                class: &line["item_classes"][0],
                margins: Vec::new(),
            });
            items.len() - 1
        });
        items[at].margins.push(margin);
    }
    items
}

/// Writes `margins.csv`, a row an item, where so many lines begin at some item that it may have
/// dbViz's margin.
pub(super) fn write(folder: &RunFolder, all: &[Value]) -> Result<(), RunError> {
    let items = by_item(all);
    if !has_means(&items) {
        return Ok(());
    }
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "item",
        "class",
        "directions",
        "hits",
        "margin",
        "margin_dbviz",
    ])
    .expect(IN_MEMORY);
    for item in &items {
        let hits = item.margins.iter().filter(|m| m.dbviz.is_some()).count();
        let mean = |k: usize| item.means().map_or_else(String::new, |m| m[k].to_string());
        csv.write_record([
            item.name.as_str().unwrap_or_default().to_owned(),
            item.class.to_string(),
            item.margins.len().to_string(),
            hits.to_string(),
            mean(1),
            mean(0),
        ])
        .expect(IN_MEMORY);
    }
    let csv = csv.into_inner().expect(IN_MEMORY);
    Ok(write_file(&folder.file(MARGINS_FILE), &csv)?)
}

fn has_means(items: &[ItemMargins<'_>]) -> bool {
    let directions = items.iter().map(|item| item.margins.len());
    directions.max().unwrap_or(0) >= DBVIZ_LEAST_HITS
}

/// What margins and paths of all lines say.
pub(super) fn findings(all: &[Value]) -> Vec<String> {
    let mut findings = Vec::new();
    let unit = all.first().and_then(|line| line["unit"].as_str());
    let unit = unit.unwrap_or_default();
    let exact = |line: &Value| line["margin"]["exact"].as_f64();
    let mut margins: Vec<f64> = all.iter().filter_map(exact).collect();
    margins.sort_by(f64::total_cmp);
    if let Some(median) = margins.get(margins.len() / 2) {
        findings.push(format!(
            "moved towards the other input, the first keeps its class for {median:.3} ({unit}), median of {} lines",
            margins.len()
        ));
    }
    let items = by_item(all);
    if has_means(&items) {
        let means: Vec<[f64; 2]> = items.iter().filter_map(ItemMargins::means).collect();
        let mean = |k: usize| means.iter().map(|m| m[k]).sum::<f64>() / means.len() as f64;
        findings.push(match means.is_empty() {
            true => format!("no item has the {DBVIZ_LEAST_HITS} changes of class that dbViz's margin asks for"),
            false => format!(
                "margin of {} of {} items, mean of up to {DBVIZ_HITS} directions each: {:.4} ({unit}), in dbViz's table {:.4}",
                means.len(),
                items.len(),
                mean(1),
                mean(0)
            ),
        });
    }
    let paths: Vec<&Value> = (all.iter().map(|line| &line["path"]))
        .filter(|path| path.is_object())
        .collect();
    if !paths.is_empty() {
        let certified = paths.iter().filter(|path| path["connected"] == "certified");
        let straight = certified.clone().filter(|path| path["knots"] == 0).count();
        findings.push(format!(
            "{} of {} pairs are connected by a path that meets only their two classes, {straight} of them by the straight line; of the others none was found, which does not mean that there is none",
            certified.count(),
            paths.len()
        ));
    }
    findings
}
