//! `morphscape compare`: how much of a published landscape's roughness is the morph tool's.
//!
//! ```text
//! triples ─┬─ published  ─┐
//!          ├─ clean      ─┼─ the paths whole in all three ─> means a triple ─> shares, intervals
//!          └─ cross-fade ─┘
//! ```
//!
//! Landscapes are measured and dropped, wave by wave; what stays is a few numbers a triple.

use super::Verbosity;
use super::image_job::{ImageJob, TripleArgs};
use super::options::{DataArgs, EngineArgs, GridArgs, ModelArgs};
use super::output::OutputFolder;
use super::progress::Progress;
use super::run::{Job, jobs};
use super::text::{counted, table};
use crate::data::write_file;
use crate::engine::Engine;
use crate::kernels::Sampling;
use crate::landscape::{
    Landscape, PathMeasures, RESAMPLES, ToolShare, Triple, measure, tool_share,
};
use crate::pipeline::{Frames, GridJob, MorphMode, MorphSettings, compute_landscapes};
use crate::plot::{ModesPanel, ModesPlot, modes_plot};
use anyhow::ensure;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

/// What to compare.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    triples: TripleArgs,
    #[command(flatten)]
    size: GridArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "morphscape-compare")]
    out: PathBuf,
    /// Write into a folder that holds another run or other files
    #[arg(long)]
    force: bool,
}

/// The modes that are compared, published first, with their names.
const MODES: [(MorphMode, &str); 3] = [
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
        value: |measures| measures.curvature,
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
struct Compared<'a> {
    triple: &'a Triple,
    failed: usize,
    whole_paths: usize,
    /// By mode; nothing where no path is whole.
    measures: Option<[PathMeasures; 3]>,
}

/// A measure's shares: of clean mode, and of the cross-fade.
struct Row {
    shown: &'static Shown,
    shares: [ToolShare; 2],
}

/// Triples computed before they are measured.
const TRIPLES_A_WAVE: usize = 30;

pub(super) fn run(args: &Args, verbosity: Verbosity) -> anyhow::Result<()> {
    let started = Instant::now();
    let (steps, grid) = (args.size.steps(), args.size.grid());
    ensure!(
        steps >= 3,
        "--steps {steps}: expected at least 3, as a path of fewer points has no curvature"
    );
    let job = ImageJob::resolve(&args.triples, &args.model, &args.data, grid)?;
    job.model.warn_unscaled(verbosity);
    let engine = args.engine.open(verbosity)?;
    let mut plan = json!({
        "job": "compare",
        "program": env!("CARGO_PKG_VERSION"),
        "steps": steps,
        "grid": grid,
        "modes": MODES.map(|(_, name)| name),
        "bootstrap": {"resamples": RESAMPLES, "seed": args.triples.seed()},
    });
    for (key, value) in job.plan(engine.info()).as_object().into_iter().flatten() {
        plan[key] = value.clone();
    }
    let mut folder = OutputFolder::prepare(&args.out, plan, args.force)?;

    let computing = Instant::now();
    let compared = compute(&job, engine.as_ref(), [steps, grid], verbosity)?;
    let compute_s = computing.elapsed().as_secs_f64();
    let rows = shares(&compared, args.triples.seed());
    ensure!(
        !rows.is_empty(),
        "no path of {} is without a failed frame in published mode; compare more or other triples",
        counted(compared.len(), "triple")
    );
    let sentence = sentence(&rows[0], &compared, steps);

    write_file(&folder.file("triples.csv"), &triples_csv(&job, &compared)?)?;
    write_file(&folder.file("tool_share.csv"), &shares_csv(&rows)?)?;
    let subtitle = format!(
        "{sentence}\n{steps} x {steps} frames a landscape; model: {}",
        job.model.path
    );
    write_file(
        &folder.file("compare.svg"),
        figure(&compared, &subtitle).as_bytes(),
    )?;
    let info = engine.info();
    folder.set(
        "engine",
        json!({"engine": info.engine, "adapter": info.adapter, "driver": info.driver}),
    );
    let model = &job.model;
    folder.set(
        "model",
        json!({"path": model.path, "sha256": model.model.sha256(), "classes": job.class_names}),
    );
    folder.set("data", job.data_json());
    folder.set("finding", json!(sentence));
    folder.set(
        "timings",
        json!({"compute_s": compute_s, "total_s": started.elapsed().as_secs_f64()}),
    );
    folder.finish()?;
    if verbosity > Verbosity::Quiet {
        write!(
            std::io::stdout().lock(),
            "{}\n{sentence}\n",
            shares_table(&rows)
        )?;
    }
    verbosity.say(
        Verbosity::Normal,
        format!(
            "{} in 3 modes in {compute_s:.3} s; written to {}",
            counted(3 * compared.len(), "landscape"),
            args.out.display()
        ),
    );
    Ok(())
}

/// Computes and measures all landscapes in all modes.
fn compute<'a>(
    job: &'a ImageJob,
    engine: &dyn Engine,
    [steps, grid]: [usize; 2],
    verbosity: Verbosity,
) -> anyhow::Result<Vec<Compared<'a>>> {
    let jobs = jobs(&job.triples);
    let progress = Progress::new(MODES.len() * jobs.len() * steps * steps, verbosity);
    let mut compared = Vec::with_capacity(job.triples.len());
    let waves = job.triples.chunks(TRIPLES_A_WAVE);
    for (triples, jobs) in waves.zip(jobs.chunks(3 * TRIPLES_A_WAVE)) {
        let images = job.load_images(jobs);
        let grid_jobs: Vec<GridJob<'_>> = jobs
            .iter()
            .map(|job| {
                let [a, b, c] = job.items.map(|item| &images[&item]);
                GridJob { a, b, c }
            })
            .collect();
        let landscapes_in = |mode| {
            compute_landscapes(
                engine,
                &job.model.model,
                &MorphSettings { steps, grid, mode },
                &grid_jobs,
                Frames::Drop,
                &|done| progress.advance(done),
            )
        };
        let published = landscapes_in(MODES[0].0)?;
        let mut modes = vec![published];
        for (mode, _) in &MODES[1..] {
            let landscapes = landscapes_in(*mode)?.into_iter().zip(&modes[0]);
            let same_paths = landscapes.map(|(landscape, other)| landscape.with_gaps_of(other));
            let same_paths = same_paths.collect();
            modes.push(same_paths);
        }
        for (n, triple) in triples.iter().enumerate() {
            let own = 3 * n..3 * n + 3;
            let measures =
                [0, 1, 2].map(|mode| mean(&modes[mode][own.clone()], &jobs[own.clone()]));
            let published = &modes[0][own];
            compared.push(Compared {
                triple,
                failed: published.iter().map(Landscape::num_failed).sum(),
                whole_paths: published.iter().map(Landscape::num_whole_paths).sum(),
                measures: match measures {
                    [Some(published), Some(clean), Some(cross_fade)] => {
                        Some([published, clean, cross_fade])
                    }
                    _ => None,
                },
            });
        }
    }
    progress.finish();
    Ok(compared)
}

/// Means over the whole paths of a triple's landscapes.
fn mean(landscapes: &[Landscape], jobs: &[Job]) -> Option<PathMeasures> {
    let measured: Vec<(PathMeasures, usize)> = landscapes
        .iter()
        .zip(jobs)
        .map(|(landscape, job)| {
            let measures = measure(landscape, job.classes);
            ((&measures).into(), landscape.num_whole_paths())
        })
        .collect();
    PathMeasures::over_paths(&measured)
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
fn shares(compared: &[Compared<'_>], seed: u64) -> Vec<Row> {
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
fn sentence(row: &Row, compared: &[Compared<'_>], steps: usize) -> String {
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

fn shares_table(rows: &[Row]) -> String {
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

fn shares_csv(rows: &[Row]) -> anyhow::Result<Vec<u8>> {
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

fn triples_csv(job: &ImageJob, compared: &[Compared<'_>]) -> anyhow::Result<Vec<u8>> {
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

fn figure(compared: &[Compared<'_>], subtitle: &str) -> String {
    let all: Vec<(&str, Vec<f64>, Vec<Vec<f64>>)> = SHOWN
        .iter()
        .map(|shown| {
            let [published, clean, cross_fade] = values(compared, shown);
            (shown.name, published, vec![clean, cross_fade])
        })
        .collect();
    let panels: Vec<ModesPanel<'_>> = all
        .iter()
        .map(|(measure, published, others)| ModesPanel {
            measure,
            published,
            others,
        })
        .collect();
    modes_plot(&ModesPlot {
        title: "Roughness of the same triples: published mode, clean mode, cross-fade",
        subtitle,
        series: &["clean", "cross-fade (no warp)"],
        panels: &panels,
    })
}
