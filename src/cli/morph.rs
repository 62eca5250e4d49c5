//! `morphscape morph`: images of your own, into each other.

use super::Verbosity;
use super::items::find_image;
use super::options::{DataArgs, EngineArgs, MorphArgs};
use super::output::OutputFolder;
use super::progress::Progress;
use super::text::{counted, stand_in_note};
use crate::data::{Image, Picture, Tensor, TensorData, sha256_hex, write_file, write_safetensors};
use crate::engine::Engine;
use crate::mesh::{MeshCounts, PairMesh, cell_size_px};
use crate::pipeline::{MorphPlan, morph_grid, morph_pair};
use crate::plot::{contact_sheet, mesh_picture};
use anyhow::{Context, ensure};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

/// What to morph.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The image at alpha 0: a PNG or JPEG file, or an item such as t10k#1565
    left: String,
    /// The image at alpha 1
    right: String,
    /// A third image: the mixes of the first two go into it, a grid of steps x steps frames
    into: Option<String>,
    /// Blend weights of the right image, 0..1 [default: evenly over --steps]
    #[arg(long, value_name = "A,B,...", value_delimiter = ',', value_parser = parse_alpha, conflicts_with = "into")]
    alphas: Vec<f64>,
    /// Write frames.safetensors, too: f32 [n, H, W] (or [n, H, W, 3]) in grey levels 0..255,
    /// and for a grid [steps, steps, H, W(, 3)]; NaN where a frame failed
    #[arg(long)]
    save_frames: bool,
    #[command(flatten)]
    morph: MorphArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "morphscape-morph")]
    out: PathBuf,
    /// Start over, in a folder that holds another run or other files, too: what the old run wrote
    /// is removed
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

/// Frames are kept in memory until they are written: at most this much, bytes.
const MAX_FRAMES_BYTES: usize = 1 << 30;

/// Frames and what is said about them, whichever way they were made.
struct Made {
    frames: Vec<Image>,
    /// Frames side by side on the sheet, and the tensor's outer sizes.
    columns: usize,
    shape: Vec<usize>,
    /// The first pair's images with their points and triangles.
    mesh_picture: Image,
    counts: MeshCounts,
    description: Value,
}

pub(super) fn run(args: &Args, verbosity: Verbosity) -> anyhow::Result<()> {
    let started = Instant::now();
    args.morph.mode()?;
    let set = args.data.load()?.images;
    let names: Vec<&String> = [&args.left, &args.right]
        .into_iter()
        .chain(&args.into)
        .collect();
    let images = names
        .iter()
        .map(|name| find_image(name, &set))
        .collect::<anyhow::Result<Vec<_>>>()?;
    for (name, image) in names.iter().zip(&images) {
        ensure!(
            image.shape() == images[0].shape(),
            "{name}: expected an image of {} as {} is, found {}; scale or convert one of them",
            images[0].shape_text(),
            names[0],
            image.shape_text()
        );
    }
    // What does not fit is found out before anything is written.
    cell_size_px(images[0].width_px, images[0].height_px, args.morph.grid())
        .with_context(|| names[0].clone())?;
    let alphas = if args.alphas.is_empty() {
        let last = (args.morph.steps() - 1) as f64;
        (0..args.morph.steps()).map(|i| i as f64 / last).collect()
    } else {
        args.alphas.clone()
    };
    let num_frames = if images.len() == 3 {
        alphas.len().pow(2)
    } else {
        alphas.len()
    };
    let frames_bytes = num_frames * size_of_val(images[0].levels.as_slice());
    ensure!(
        frames_bytes <= MAX_FRAMES_BYTES,
        "{num_frames} frames of {} take {} MiB, expected at most {}; use fewer --steps or smaller images",
        images[0].shape_text(),
        frames_bytes >> 20,
        MAX_FRAMES_BYTES >> 20
    );
    let engine = args.engine.open(verbosity)?;
    let info = engine.info();
    let settings = json!({
        "job": "morph",
        "program": env!("CARGO_PKG_VERSION"),
        "items": names,
        "sha256": images.iter().map(|image| sha256_hex([bytemuck::cast_slice(&image.levels)])).collect::<Vec<_>>(),
        "alphas": alphas,
        "grid": args.morph.grid(),
        "mode": args.morph.mode_name(),
        "sampling": args.morph.sampling_name(),
        "save_frames": args.save_frames,
        "engine": info.engine,
        "adapter": if info.engine == "gpu" { info.adapter.as_str() } else { "" },
    });
    let mut folder = OutputFolder::prepare(&args.out, settings.clone(), args.force)?;
    let computing = Instant::now();
    let made = match &images[..] {
        [left, right] => morph_two(args, engine.as_ref(), left, right, &alphas)?,
        [a, b, c] => {
            let progress = Progress::new(num_frames, verbosity);
            let made = morph_three(args, engine.as_ref(), [a, b, c], &alphas, &progress)?;
            progress.finish();
            made
        }
        _ => unreachable!("two or three images are given"),
    };
    let compute_s = computing.elapsed().as_secs_f64();
    write_all(args, &folder, &made, settings)?;
    let failed = made.frames.iter().filter(|frame| frame.is_failed()).count();
    folder.set_engine(engine.as_ref());
    folder.set(
        "timings",
        json!({"compute_s": compute_s, "total_s": started.elapsed().as_secs_f64()}),
    );
    folder.finish()?;
    verbosity.say(
        Verbosity::Normal,
        format!(
            "{} frames written to {}",
            made.frames.len() - failed,
            args.out.display()
        ),
    );
    if failed > 0 {
        verbosity.say(
            Verbosity::Normal,
            format!(
                "{} failed: the paper's tool stops there with a singular matrix; they are left out, gaps in sheet.png, and NaN in frames.safetensors",
                counted(failed, "frame")
            ),
        );
    }
    if let Some(note) = stand_in_note(made.counts.stand_in) {
        verbosity.say(Verbosity::Normal, note);
    }
    Ok(())
}

fn morph_two(
    args: &Args,
    engine: &dyn Engine,
    left: &Image,
    right: &Image,
    alphas: &[f64],
) -> anyhow::Result<Made> {
    let mode = args.morph.mode()?;
    let mesh = mode.mesh(left, right, args.morph.grid())?;
    let plan = MorphPlan {
        left,
        right,
        mesh: &mesh,
        alphas,
        mode,
    };
    let morph = morph_pair(engine, &plan)?;
    let mut description = mesh_json(&mesh);
    description["counts"] = counts_json(morph.counts);
    Ok(Made {
        shape: vec![morph.frames.len()],
        columns: morph.frames.len().min(11),
        frames: morph.frames,
        mesh_picture: mesh_picture(left, right, &mesh),
        counts: morph.counts,
        description,
    })
}

/// The grid of DESIGN's landscapes: row i leads mix i of A and B into C.
fn morph_three(
    args: &Args,
    engine: &dyn Engine,
    images: [&Image; 3],
    alphas: &[f64],
    progress: &Progress,
) -> anyhow::Result<Made> {
    let row_done = || progress.advance(alphas.len());
    let grid = morph_grid(
        engine,
        images,
        args.morph.grid(),
        alphas,
        args.morph.mode()?,
        &row_done,
    )?;
    let mut description = mesh_json(&grid.mesh);
    description["counts"] = counts_json(grid.counts);
    description["rows"] = json!(grid.row_meshes.iter().map(mesh_json).collect::<Vec<_>>());
    Ok(Made {
        frames: grid.frames,
        columns: alphas.len(),
        shape: vec![alphas.len(); 2],
        mesh_picture: mesh_picture(images[0], images[1], &grid.mesh),
        counts: grid.counts,
        description,
    })
}

fn write_all(
    args: &Args,
    folder: &OutputFolder,
    made: &Made,
    settings: Value,
) -> anyhow::Result<()> {
    let digits = (made.frames.len() - 1).to_string().len().max(3);
    let one_row = made.shape.len() == 1;
    made.frames
        .par_iter()
        .enumerate()
        .filter(|(_, frame)| !frame.is_failed())
        .try_for_each(|(k, frame)| {
            let name = if one_row {
                format!("frame-{k:0digits$}.png")
            } else {
                format!("frame-{:03}-{:03}.png", k / made.columns, k % made.columns)
            };
            write_file(&folder.file(&name), &Picture::from(frame).to_png())
        })?;
    write_file(
        &folder.file("mesh.png"),
        &Picture::from(&made.mesh_picture).to_png(),
    )?;
    write_file(
        &folder.file("sheet.png"),
        &Picture::from(&contact_sheet(&made.frames, made.columns)).to_png(),
    )?;
    if args.save_frames {
        let first = &made.frames[0];
        let mut shape = made.shape.clone();
        shape.extend([first.height_px, first.width_px]);
        shape.extend((first.channels > 1).then_some(first.channels));
        let levels: Vec<f32> = made
            .frames
            .iter()
            .flat_map(|frame| frame.levels.iter().copied())
            .collect();
        let tensor = Tensor {
            name: "frames",
            shape,
            data: TensorData::F32(&levels),
        };
        let metadata = BTreeMap::from([("settings", settings.to_string())]);
        write_safetensors(&folder.file("frames.safetensors"), &[tensor], &metadata)?;
    }
    let mut description = settings;
    for (key, value) in made.description.as_object().into_iter().flatten() {
        description[key] = value.clone();
    }
    let mut text = serde_json::to_string_pretty(&description)?;
    text.push('\n');
    Ok(write_file(&folder.file("morph.json"), text.as_bytes())?)
}

fn mesh_json(mesh: &PairMesh) -> Value {
    json!({"points_left": mesh.points_left, "points_right": mesh.points_right, "triangles": mesh.triangles})
}

fn counts_json(counts: MeshCounts) -> Value {
    json!({
        "folded": counts.folded,
        "degenerate": counts.degenerate,
        "folded_right": counts.folded_right,
        "degenerate_right": counts.degenerate_right,
        "failed": counts.failed,
        "stand_in": counts.stand_in,
    })
}
