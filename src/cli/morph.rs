//! `morphscape morph`: images of your own, into each other.

use super::options::{DataArgs, EngineArgs, MorphArgs, existing};
use super::terminal::Terminal;
use super::text::{counted, stand_in_note};
use crate::job::MorphJob;
use crate::run::morph;
use std::path::PathBuf;

/// What to morph.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The image at alpha 0: an image file, or an item such as t10k#1565
    left: String,
    /// The image at alpha 1
    right: String,
    /// A third image, which the mixes of the first two are morphed into: a grid of steps x steps
    /// frames
    into: Option<String>,
    /// Blend weights of the right image, 0..1 [default: evenly over --steps]
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', value_parser = parse_alpha, conflicts_with = "into")]
    alphas: Vec<f64>,
    /// Also write frames.safetensors: f32 [n, H, W] (or [n, H, W, 3]) in grey levels 0..255, and
    /// for a grid [steps, steps, H, W(, 3)]; NaN where a frame failed
    #[arg(long)]
    save_frames: bool,
    /// Feature points of the images instead of detected ones: {"points":{"a.png":[[x,y],...],...}},
    /// the images as they are named here; point n of one is point n of every other, and the corners
    /// are always points
    #[arg(long, value_name = "FILE.json")]
    points: Option<PathBuf>,
    #[command(flatten)]
    morph: MorphArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "morphscape-morph")]
    out: PathBuf,
    /// Start over, even in a folder that holds another run or other files; what the old run wrote
    /// is removed, and nothing else
    #[arg(long)]
    force: bool,
}

fn parse_alpha(text: &str) -> Result<f64, String> {
    let alpha: f64 = text
        .trim()
        .parse()
        .map_err(|_| format!("expected a number from 0 to 1, found \"{text}\""))?;
    if (0.0..=1.0).contains(&alpha) {
        Ok(alpha)
    } else {
        Err(format!("expected a number from 0 to 1, found {text}"))
    }
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    let items = [&args.left, &args.right].into_iter().chain(&args.into);
    let asked = MorphJob {
        items: items.cloned().collect(),
        alphas: args.alphas.clone(),
        data: args.data.source(),
        morph: args.morph.settings()?,
        points: args.points.clone(),
    };
    let job = asked.load()?;
    let engine = args.engine.open(terminal)?;
    let morphed = morph(
        &asked,
        &job,
        args.save_frames,
        engine.as_ref(),
        (&args.out, existing(args.force)),
        &super::command_words(),
        terminal,
    )?;
    terminal.say(format!(
        "{} frames written to {}",
        morphed.frames,
        args.out.display()
    ));
    if morphed.failed > 0 {
        terminal.say(format!(
            "{} failed: the paper's tool stops there with a singular matrix; they are left out, gaps in sheet.png, and NaN in frames.safetensors",
            counted(morphed.failed, "frame")
        ));
    }
    if let Some(note) = stand_in_note(morphed.counts.stand_in) {
        terminal.say(note);
    }
    Ok(())
}
