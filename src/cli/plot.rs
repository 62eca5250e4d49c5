//! `morphscape plot`: the figures of a finished run, drawn again from its files.

use super::Verbosity;
use super::figures::{FigureArgs, FigurePlan, Figures, MAX_DETAILS, Wanted};
use super::finished::FRAMES_FILE;
use super::options::class_number;
use super::output::{DATA_FILE, OutputFolder};
use super::resolution::Resolution;
use super::run::report;
use super::summary::{SummaryRow, measure_files};
use super::text::counted;
use crate::data::Picture;
use crate::landscape::{DataPoints, Items, LandscapeFile, Permutation, triple_of};
use crate::plot::Tiles;
use crate::report::Detail;
use anyhow::{Context, bail, ensure};
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// What to draw.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder of a finished run
    #[arg(value_name = "DIR")]
    run: PathBuf,
    /// Draw these landscapes only, such as 1A.3, and leave the report as it is [default: all]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    landscape: Vec<String>,
    /// Draw these classes in line plots and surfaces, by number or name, in this order; three
    /// are the corners of the ternary plot, too
    #[arg(
        long,
        value_name = "CLASS,...",
        value_delimiter = ',',
        conflicts_with = "all_classes"
    )]
    class: Vec<String>,
    /// Which figures to draw
    #[arg(long, value_enum, default_value = "all")]
    figures: Figures,
    #[command(flatten)]
    style: FigureArgs,
}

pub(super) fn run(args: &Args, verbosity: Verbosity) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut folder = OutputFolder::open_finished(&args.run)?;
    let finished = folder.landscapes()?;
    for name in &args.landscape {
        ensure!(
            finished.contains(name),
            "--landscape {name}: expected one of the run's, such as {}, found no such landscape",
            finished.first().map_or("1A.1", String::as_str)
        );
    }
    let mut plan = args
        .style
        .plan(args.figures)?
        .context("--figures none: there is nothing to draw; choose line or all")?;
    let names: Vec<&String> = finished
        .iter()
        .filter(|name| args.landscape.is_empty() || args.landscape.contains(name))
        .collect();
    if names.len() < finished.len() {
        // The report shows the whole run.
        plan.leave_report()?;
    }
    let first = read_landscape(&folder, names[0])?;
    if !args.class.is_empty() {
        let classes = args
            .class
            .iter()
            .map(|class| class_number("--class", class, &first.class_names))
            .collect::<anyhow::Result<_>>()?;
        plan.only_classes(classes);
    }
    let data = folder.read_data_points()?;
    if plan.shows_mesh() && matches!(first.items, Items::Rows { .. }) {
        bail!("--mesh: rows of measurements have no meshes; leave it out");
    }
    folder.lock()?;
    folder.begin_drawing()?;
    // Each wanted landscape with its place among them.
    let wanted: HashMap<&str, usize> = names
        .iter()
        .enumerate()
        .map(|(n, name)| (name.as_str(), n))
        .collect();
    // Triple by triple, so that memory stays small and groups of rows are drawn together.
    let triples: Vec<&[String]> = finished
        .chunk_by(|a, b| triple_of(a) == triple_of(b))
        .filter(|triple| triple.iter().any(|name| wanted.contains_key(name.as_str())))
        .collect();
    let frameless = AtomicBool::new(false);
    let drawn: Vec<(Vec<SummaryRow>, Vec<Detail>)> = triples
        .par_iter()
        .map(|triple| {
            let files = triple
                .iter()
                .map(|name| read_landscape(&folder, name))
                .collect::<anyhow::Result<Vec<_>>>()?;
            for file in &files {
                check_belongs(&first, file, data.as_ref())?;
            }
            let is_wanted = |file: &LandscapeFile| match wanted.get(file.name.as_str()) {
                None => Wanted::No,
                Some(&n) if n < MAX_DETAILS => Wanted::Detail,
                Some(_) => Wanted::Figures,
            };
            let frames_of = |file: &LandscapeFile| {
                let frames = frames(&folder, file)?;
                if frames.is_none() && matches!(file.items, Items::Images { .. }) {
                    frameless.store(true, Ordering::Relaxed);
                }
                Ok(frames)
            };
            let details =
                plan.draw_triple(&folder, &files, data.as_ref(), &is_wanted, &frames_of)?;
            let measured = files.iter().zip(measure_files(&files));
            let rows = measured.map(|(file, measures)| SummaryRow::new(file, measures));
            Ok((rows.collect(), details))
        })
        .collect::<anyhow::Result<_>>()?;
    if frameless.into_inner() {
        verbosity.say(
            Verbosity::Normal,
            "note: there are landscapes whose frames were not kept; figures that show frames are not drawn of them. Run again with --figures all or --save-frames",
        );
    }
    if plan.report {
        let (rows, details): (Vec<_>, Vec<_>) = drawn.into_iter().unzip();
        let (rows, details) = (rows.concat(), details.concat());
        let steps = first.landscape.steps;
        report(
            &folder,
            &first.class_names,
            steps,
            &first.items,
            &rows,
            &details,
            Resolution::read(&folder)?.as_ref(),
        )?;
    }
    folder.finish_drawing()?;
    say_done(args, &plan, names.len(), started, verbosity);
    Ok(())
}

fn say_done(
    args: &Args,
    plan: &FigurePlan,
    landscapes: usize,
    started: Instant,
    verbosity: Verbosity,
) {
    verbosity.say(
        Verbosity::Normal,
        format!(
            "figures of {}{} drawn in {:.2} s; written to {}",
            counted(landscapes, "landscape"),
            if plan.report { " and the report" } else { "" },
            started.elapsed().as_secs_f64(),
            args.run.display()
        ),
    );
}

/// A landscape of the run, which must be the one that its place says it is.
pub(super) fn read_landscape(folder: &OutputFolder, name: &str) -> anyhow::Result<LandscapeFile> {
    let path = folder.file(name).join("landscape.safetensors");
    let place = path.display().to_string();
    let file = LandscapeFile::read(&path).with_context(|| place.clone())?;
    let is_its_own = file.name == name
        && Permutation::ALL
            .iter()
            .any(|p| *p == file.permutation && name.ends_with(&format!(".{}", p.number())));
    ensure!(
        is_its_own,
        "{place}: expected landscape {name}, found {}, permutation {}; the file was put there from elsewhere",
        file.name,
        file.permutation.number()
    );
    Ok(file)
}

/// Refuses landscapes and data that are not of one run.
fn check_belongs(
    first: &LandscapeFile,
    file: &LandscapeFile,
    data: Option<&DataPoints>,
) -> anyhow::Result<()> {
    ensure!(
        file.class_names == first.class_names
            && file.items == first.items
            && file.landscape.steps == first.landscape.steps,
        "{} and {}: expected landscapes of the same classes, steps and items, found others; they are not of one run",
        first.name,
        file.name
    );
    if let (Some(data), Items::Rows { features }) = (data, &file.items) {
        ensure!(
            data.features == *features && data.class_names == file.class_names,
            "{DATA_FILE}: expected the features and classes of {}, found others; it is not of this run",
            file.name
        );
    }
    Ok(())
}

/// The frames of a landscape, from its tensors or else from its picture of them.
fn frames(folder: &OutputFolder, file: &LandscapeFile) -> anyhow::Result<Option<Tiles>> {
    let Items::Images { shape } = file.items else {
        return Ok(None);
    };
    let path = folder.file(&file.name).join(FRAMES_FILE);
    if let Some(tiles) = Tiles::of(file) {
        return Ok(Some(tiles));
    }
    if !path.exists() {
        return Ok(None);
    }
    let [height, width, channels] = shape;
    let steps = file.landscape.steps;
    let atlas = Picture::read_png(&path, [steps * height, steps * width, channels])
        .with_context(|| path.display().to_string())?;
    Ok(Some(Tiles::from_atlas(&atlas, steps, shape)))
}
