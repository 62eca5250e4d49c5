//! What a comparison of modes says: shares with their intervals, as a sentence, CSV and a figure.

use super::summary::IN_MEMORY;
use crate::job::LoadedJob;
use crate::kernels::Sampling;
use crate::landscape::{GridKind, PathMeasures, ToolShare, Triple, tool_share};
use crate::pipeline::MorphMode;
use crate::plot::{ModesPanel, ModesPlot, modes_plot};

/// The modes that are compared, published first, with their names.
pub const COMPARED_MODES: [(MorphMode, &str); 3] = [
    (MorphMode::Published, "published"),
    (MorphMode::Clean(Sampling::Cubic), "clean"),
    (MorphMode::CrossFade, "cross_fade"),
];

/// A measure that is compared.
#[derive(Debug)]
pub struct ComparedMeasure {
    /// Its key in files.
    pub key: &'static str,
    /// In words.
    pub name: &'static str,
    /// How it is read off.
    pub value: fn(&PathMeasures) -> f64,
    /// Decimals in a table.
    pub decimals: usize,
}

const MEASURES: [ComparedMeasure; 3] = [
    ComparedMeasure {
        key: "total_variation",
        name: "total variation",
        value: |measures| measures.total_variation,
        decimals: 3,
    },
    ComparedMeasure {
        key: "curvature",
        name: "curvature",
        value: |measures| measures.mean_curvature().unwrap_or(0.0),
        decimals: 4,
    },
    ComparedMeasure {
        key: "label_changes",
        name: "label changes",
        value: |measures| measures.label_changes,
        decimals: 3,
    },
];

/// What is kept of a triple.
#[derive(Debug)]
pub struct ComparedTriple {
    /// The triple.
    pub triple: Triple,
    /// Frames that failed in published mode.
    pub failed: usize,
    /// Paths on which none failed.
    pub whole_paths: usize,
    /// Means over those paths: published, clean, cross-faded; nothing where no path is whole.
    pub measures: Option<[PathMeasures; 3]>,
}

/// A measure's shares: of clean mode, and of the cross-fade.
#[derive(Debug)]
pub struct ShareRow {
    /// The measure.
    pub measure: &'static ComparedMeasure,
    /// Its shares of clean mode, and of the cross-fade.
    pub shares: [ToolShare; 2],
}

/// The values of a measure in each mode, of the triples that have whole paths.
fn values(compared: &[ComparedTriple], measure: &ComparedMeasure) -> [Vec<f64>; 3] {
    [0, 1, 2].map(|mode| {
        let measured = compared
            .iter()
            .filter_map(|triple| triple.measures.as_ref());
        measured
            .map(|measures| (measure.value)(&measures[mode]))
            .collect()
    })
}

/// Every measure's shares; nothing where no triple has a whole path.
pub(super) fn shares(compared: &[ComparedTriple], seed: u64) -> Vec<ShareRow> {
    MEASURES
        .iter()
        .filter_map(|measure| {
            let [published, clean, cross_fade] = values(compared, measure);
            let share = |other: &[f64]| {
                let pairs: Vec<[f64; 2]> = published
                    .iter()
                    .zip(other)
                    .map(|(&published, &other)| [published, other])
                    .collect();
                tool_share(&pairs, seed)
            };
            let shares = [share(&clean)?, share(&cross_fade)?];
            Some(ShareRow { measure, shares })
        })
        .collect()
}

/// What was found, for a reader who knows none of the terms.
pub(super) fn sentence(row: &ShareRow, compared: &[ComparedTriple], steps: usize) -> String {
    let [clean, _] = &row.shares;
    let paths: usize = compared.iter().map(|triple| triple.whole_paths).sum();
    let triples = compared
        .iter()
        .filter(|triple| triple.measures.is_some())
        .count();
    let [low, high] = clean.interval.map(|end| 100.0 * end);
    format!(
        "{:.0} % of the {} of published landscapes (95 % interval {low:.0} to {high:.0} %) is the morph tool's, not the network's: {:.2} falls to {:.2} when the same {} are morphed cleanly ({paths} of {} paths, on which no frame failed).",
        100.0 * clean.share,
        row.measure.name,
        clean.published,
        clean.other,
        format_args!("{triples} triple{}", if triples == 1 { "" } else { "s" }),
        GridKind::Morph.siblings().len() * steps * compared.len(),
    )
}

/// `44 % of total variation (42 to 45 %)`.
fn share_text(row: &ShareRow) -> String {
    let [clean, _] = &row.shares;
    let [low, high] = clean.interval.map(|end| 100.0 * end);
    format!(
        "{:.0} % of {} ({low:.0} to {high:.0} %)",
        100.0 * clean.share,
        row.measure.name
    )
}

pub(super) fn shares_csv(rows: &[ShareRow]) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "measure",
        "mode",
        "published",
        "value",
        "share",
        "low_95",
        "high_95",
    ])
    .expect(IN_MEMORY);
    for ShareRow { measure, shares } in rows {
        for ((_, mode), share) in COMPARED_MODES[1..].iter().zip(shares) {
            let [low, high] = share.interval;
            let mut record = vec![measure.key.to_owned(), (*mode).to_owned()];
            let numbers = [share.published, share.other, share.share, low, high];
            record.extend(numbers.map(|number| format!("{number:.6}")));
            csv.write_record(record).expect(IN_MEMORY);
        }
    }
    csv.into_inner().expect(IN_MEMORY)
}

pub(super) fn triples_csv(job: &LoadedJob, compared: &[ComparedTriple]) -> Vec<u8> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut heading: Vec<String> = [
        "triple",
        "item_x",
        "item_y",
        "item_z",
        "class_x",
        "class_y",
        "class_z",
        "failed",
        "whole_paths",
    ]
    .map(str::to_owned)
    .to_vec();
    for measure in &MEASURES {
        heading.extend(COMPARED_MODES.map(|(_, mode)| format!("{}_{mode}", measure.key)));
    }
    csv.write_record(heading).expect(IN_MEMORY);
    for triple in compared {
        let mut record = vec![triple.triple.name.clone()];
        record.extend(triple.triple.items.map(|item| job.item_name(item)));
        record.extend(
            triple
                .triple
                .classes
                .map(|class| job.class_names()[class].clone()),
        );
        record.extend([triple.failed, triple.whole_paths].map(|count| count.to_string()));
        for measure in &MEASURES {
            record.extend([0, 1, 2].map(|mode| {
                let value = triple
                    .measures
                    .as_ref()
                    .map(|measures| (measure.value)(&measures[mode]));
                value.map_or_else(String::new, |value| format!("{value:.6}"))
            }));
        }
        csv.write_record(record).expect(IN_MEMORY);
    }
    csv.into_inner().expect(IN_MEMORY)
}

/// One panel a measure, one point a triple.
pub(super) fn figure(
    job: &LoadedJob,
    compared: &[ComparedTriple],
    rows: &[ShareRow],
    steps: usize,
) -> String {
    let subtitle = format!(
        "one point a triple; the tool's share is {}, 95 % interval\n{steps} x {steps} frames a landscape; model: {}",
        rows.iter().map(share_text).collect::<Vec<_>>().join(", "),
        job.model().path
    );
    let measured: Vec<[Vec<f64>; 3]> = MEASURES
        .iter()
        .map(|measure| values(compared, measure))
        .collect();
    let panels: Vec<ModesPanel<'_>> = MEASURES
        .iter()
        .zip(&measured)
        .map(|(measure, [published, others @ ..])| ModesPanel {
            measure: measure.name,
            published,
            others,
        })
        .collect();
    modes_plot(&ModesPlot {
        title: "Roughness of the same triples: published mode, clean mode, cross-fade",
        subtitle: &subtitle,
        series: &["clean", "cross-fade (no warp)"],
        panels: &panels,
    })
}
