//! `morphscape plot`: the figures of a finished run, drawn again from its files.

use super::figures::{FigureArgs, Figures};
use super::terminal::Terminal;
use super::text::{counted, written_to};
use crate::run::{Redraw, RunFolder};
use anyhow::{Context, ensure};
use std::path::PathBuf;
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
    /// Draw these classes in line plots and surfaces, by number or name, in this order; three of
    /// them also become the corners of the ternary plot
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

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    let started = Instant::now();
    let folder = RunFolder::open(&args.run)?;
    let figures = args
        .style
        .plan(args.figures)?
        .context("--figures none: there is nothing to draw; choose line or all")?;
    let all = folder.landscapes()?.len();
    ensure!(
        args.landscape.is_empty()
            || args.landscape.len() >= all
            || figures.svg
            || figures.png.is_some(),
        "--format html with --landscape: the report shows the whole run; leave one of them out"
    );
    let redraw = Redraw {
        landscapes: args.landscape.clone(),
        classes: args.class.clone(),
        figures,
    };
    let redrawn = folder.redraw(&redraw, terminal)?;
    if redrawn.frames_missing {
        terminal.say(
            "note: there are landscapes whose frames were not kept; figures that show frames are not drawn of them. Run again with --figures all or --save-frames",
        );
    }
    terminal.say(format!(
        "figures of {}{} drawn in {:.2} s; {}",
        counted(redrawn.landscapes, "landscape"),
        if redrawn.report {
            " and the report"
        } else {
            ""
        },
        started.elapsed().as_secs_f64(),
        written_to(&args.run)
    ));
    Ok(())
}
