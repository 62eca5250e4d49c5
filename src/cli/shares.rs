//! What a comparison of modes says: shares with their intervals, as a table, a sentence, CSV and a
//! figure.

use super::image_job::ImageJob;
use super::text::{counted, table};
use crate::kernels::Sampling;
use crate::landscape::{PathMeasures, ToolShare, Triple, tool_share};
use crate::pipeline::MorphMode;
use crate::plot::{ModesPanel, ModesPlot, modes_plot};

/// The modes that are compared, published first, with their names.
pub(super) const MODES: [(MorphMode, &str); 3] = [
    (MorphMode::Published, "published"),
    (MorphMode::Clean(Sampling::Cubic), "clean"),
    (MorphMode::CrossFade, "cross_fade"),
];

/// A measure: its key in files, its name in words, how it is read off, decimals in a table.
struct Shown {
    key: &'static str,
    name: &'static str,
    value: fn(&PathMeasures) -> f64,
    decimals: usize,
}

const SHOWN: [Shown; 3] = [
    Shown {
        key: "total_variation",
        name: "total variation",
        value: |measures| measures.total_variation,
        decimals: 3,
    },
    Shown {
        key: "curvature",
        name: "curvature",
        value: |measures| measures.mean_curvature().unwrap_or(0.0),
        decimals: 4,
    },
    Shown {
        key: "label_changes",
        name: "label changes",
        value: |measures| measures.label_changes,
        decimals: 3,
    },
];

/// What is kept of a triple.
pub(super) struct Compared<'a> {
    pub(super) triple: &'a Triple,
    pub(super) failed: usize,
    pub(super) whole_paths: usize,
    /// By mode; nothing where no path is whole.
    pub(super) measures: Option<[PathMeasures; 3]>,
}

/// A measure's shares: of clean mode, and of the cross-fade.
pub(super) struct Row {
    shown: &'static Shown,
    shares: [ToolShare; 2],
}

/// The values of a measure in each mode, of the triples that have whole paths.
fn values(compared: &[Compared<'_>], shown: &Shown) -> [Vec<f64>; 3] {
    [0, 1, 2].map(|mode| {
        let measured = compared
            .iter()
            .filter_map(|triple| triple.measures.as_ref());
        measured
            .map(|measures| (shown.value)(&measures[mode]))
            .collect()
    })
}

/// Every measure's shares; nothing where no triple has a whole path.
pub(super) fn shares(compared: &[Compared<'_>], seed: u64) -> Vec<Row> {
    SHOWN
        .iter()
        .filter_map(|shown| {
            let [published, clean, cross_fade] = values(compared, shown);
            let share = |other: &[f64]| {
                let pairs: Vec<[f64; 2]> = published
                    .iter()
                    .zip(other)
                    .map(|(&published, &other)| [published, other])
                    .collect();
                tool_share(&pairs, seed)
            };
            let shares = [share(&clean)?, share(&cross_fade)?];
            Some(Row { shown, shares })
        })
        .collect()
}

/// What was found, for a reader who knows none of the terms.
pub(super) fn sentence(row: &Row, compared: &[Compared<'_>], steps: usize) -> String {
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
        row.shown.name,
        clean.published,
        clean.other,
        counted(triples, "triple"),
        3 * steps * compared.len(),
    )
}

/// `44 % of total variation (42 to 45 %)`.
fn share_text(row: &Row) -> String {
    let [clean, _] = &row.shares;
    let [low, high] = clean.interval.map(|end| 100.0 * end);
    format!(
        "{:.0} % of {} ({low:.0} to {high:.0} %)",
        100.0 * clean.share,
        row.shown.name
    )
}

pub(super) fn shares_table(rows: &[Row]) -> String {
    let mut lines = vec![
        [
            "measure",
            ">published",
            ">clean",
            ">tool share",
            "95 % interval",
            ">cross-fade",
            ">share",
            "95 % interval",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for Row { shown, shares } in rows {
        let number = |value: f64| format!("{value:.*}", shown.decimals);
        let percent = |value: f64| format!("{:.1} %", 100.0 * value);
        let [clean, cross_fade] = shares;
        let mut line = vec![shown.name.to_owned(), number(clean.published)];
        for share in [clean, cross_fade] {
            let [low, high] = share.interval.map(percent);
            line.extend([
                number(share.other),
                percent(share.share),
                format!("{low} to {high}"),
            ]);
        }
        lines.push(line);
    }
    table(&lines)
}

pub(super) fn shares_csv(rows: &[Row]) -> anyhow::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "measure",
        "mode",
        "published",
        "value",
        "share",
        "low_95",
        "high_95",
    ])?;
    for Row { shown, shares } in rows {
        for ((_, mode), share) in MODES[1..].iter().zip(shares) {
            let [low, high] = share.interval;
            let mut record = vec![shown.key.to_owned(), (*mode).to_owned()];
            let numbers = [share.published, share.other, share.share, low, high];
            record.extend(numbers.map(|number| format!("{number:.6}")));
            csv.write_record(record)?;
        }
    }
    Ok(csv.into_inner()?)
}

pub(super) fn triples_csv(job: &ImageJob, compared: &[Compared<'_>]) -> anyhow::Result<Vec<u8>> {
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
    for shown in &SHOWN {
        heading.extend(MODES.map(|(_, mode)| format!("{}_{mode}", shown.key)));
    }
    csv.write_record(heading)?;
    for triple in compared {
        let mut record = vec![triple.triple.name.clone()];
        record.extend(
            triple
                .triple
                .items
                .map(|item| job.data.images.item_name(item)),
        );
        record.extend(
            triple
                .triple
                .classes
                .map(|class| job.class_names[class].clone()),
        );
        record.extend([triple.failed, triple.whole_paths].map(|count| count.to_string()));
        for shown in &SHOWN {
            record.extend([0, 1, 2].map(|mode| {
                let value = triple
                    .measures
                    .as_ref()
                    .map(|measures| (shown.value)(&measures[mode]));
                value.map_or_else(String::new, |value| format!("{value:.6}"))
            }));
        }
        csv.write_record(record)?;
    }
    Ok(csv.into_inner()?)
}

/// One panel a measure, one point a triple.
pub(super) fn figure(
    job: &ImageJob,
    compared: &[Compared<'_>],
    rows: &[Row],
    steps: usize,
) -> String {
    let subtitle = format!(
        "one point a triple; the tool's share is {}, 95 % interval\n{steps} x {steps} frames a landscape; model: {}",
        rows.iter().map(share_text).collect::<Vec<_>>().join(", "),
        job.model.path
    );
    let measured: Vec<[Vec<f64>; 3]> = SHOWN.iter().map(|shown| values(compared, shown)).collect();
    let panels: Vec<ModesPanel<'_>> = SHOWN
        .iter()
        .zip(&measured)
        .map(|(shown, [published, others @ ..])| ModesPanel {
            measure: shown.name,
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
