//! `morphscape morph`: images of your own, into each other.

use super::Verbosity;
use super::items::find_image;
use super::options::{EngineArgs, MorphArgs};
use super::output::OutputFolder;
use crate::data::{
    Image, Tensor, TensorData, fashion_mnist, write_file, write_png, write_safetensors,
};
use crate::engine::Engine;
use crate::engine::cpu::CpuEngine;
use crate::mesh::{MeshCounts, PairMesh};
use crate::pipeline::{MorphPlan, morph_pair, pair_mesh};
use crate::plot::contact_sheet;
use anyhow::{Context, ensure};
use rayon::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

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
    /// and for a grid [steps, steps, H, W(, 3)]
    #[arg(long)]
    save_frames: bool,
    #[command(flatten)]
    morph: MorphArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "morphscape-morph")]
    out: PathBuf,
    /// Write into a folder that holds another run or other files
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

/// Frames and what is said about them, whichever way they were made.
struct Made {
    frames: Vec<Image>,
    /// Frames side by side on the sheet, and the tensor's outer sizes.
    columns: usize,
    shape: Vec<usize>,
    description: Value,
}

pub(super) fn run(args: &Args, verbosity: Verbosity) -> anyhow::Result<()> {
    let set = fashion_mnist();
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
    // A grid that does not fit is found out before anything is written.
    let mesh =
        pair_mesh(&images[0], &images[1], args.morph.grid()).with_context(|| names[0].clone())?;
    let engine = args.engine.open(verbosity)?;
    let info = engine.info().clone();
    let alphas = if args.alphas.is_empty() {
        let last = (args.morph.steps() - 1) as f64;
        (0..args.morph.steps()).map(|i| i as f64 / last).collect()
    } else {
        args.alphas.clone()
    };
    let settings = json!({
        "job": "morph",
        "program": env!("CARGO_PKG_VERSION"),
        "items": names,
        "alphas": alphas,
        "grid": args.morph.grid(),
        "mode": args.morph.mode_name(),
        "sampling": args.morph.sampling_name(),
        "save_frames": args.save_frames,
        "engine": info.engine,
    });
    let mut folder = OutputFolder::prepare(&args.out, settings.clone(), args.force)?;
    let made = match images.get(2) {
        None => morph_two(args, engine.as_ref(), &images, &mesh, &alphas)?,
        Some(_) => morph_three(args, engine.as_ref(), &images, &mesh, &alphas)?,
    };
    write_all(args, &folder, &made, settings)?;
    folder.set(
        "engine",
        json!({"engine": info.engine, "adapter": info.adapter, "driver": info.driver}),
    );
    folder.finish()?;
    verbosity.say(
        Verbosity::Normal,
        format!(
            "{} frames written to {}",
            made.frames.len(),
            args.out.display()
        ),
    );
    Ok(())
}

fn morph_two(
    args: &Args,
    engine: &dyn Engine,
    images: &[Image],
    mesh: &PairMesh,
    alphas: &[f64],
) -> anyhow::Result<Made> {
    let plan = MorphPlan {
        left: &images[0],
        right: &images[1],
        mesh,
        alphas,
        sampling: args.morph.sampling(),
    };
    let morph = morph_pair(engine, &plan)?;
    let mut description = mesh_json(mesh);
    description["counts"] = counts_json(morph.counts);
    Ok(Made {
        shape: vec![morph.frames.len()],
        columns: morph.frames.len().min(11),
        frames: morph.frames,
        description,
    })
}

/// The grid of DESIGN's landscapes: row i leads mix i of A and B into C.
fn morph_three(
    args: &Args,
    engine: &dyn Engine,
    images: &[Image],
    mesh: &PairMesh,
    alphas: &[f64],
) -> anyhow::Result<Made> {
    let sampling = args.morph.sampling();
    let plan = MorphPlan {
        left: &images[0],
        right: &images[1],
        mesh,
        alphas,
        sampling,
    };
    // Mixes come from the CPU engine on every engine, as in a sweep (see the pipeline's page).
    let mixes = morph_pair(&CpuEngine::new(), &plan)?;
    let mut counts = mixes.counts;
    let mut frames = Vec::with_capacity(alphas.len() * alphas.len());
    let mut rows = Vec::with_capacity(alphas.len());
    for mix in &mixes.frames {
        let mesh = pair_mesh(mix, &images[2], args.morph.grid())?;
        let row = morph_pair(
            engine,
            &MorphPlan {
                left: mix,
                right: &images[2],
                mesh: &mesh,
                alphas,
                sampling,
            },
        )?;
        counts += row.counts;
        frames.extend(row.frames);
        rows.push(mesh_json(&mesh));
    }
    let mut description = mesh_json(mesh);
    description["counts"] = counts_json(counts);
    description["rows"] = json!(rows);
    Ok(Made {
        frames,
        columns: alphas.len(),
        shape: vec![alphas.len(); 2],
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
        .try_for_each(|(k, frame)| {
            let name = if one_row {
                format!("frame-{k:0digits$}.png")
            } else {
                format!("frame-{:03}-{:03}.png", k / made.columns, k % made.columns)
            };
            write_file(&folder.file(&name), &write_png(frame))
        })?;
    write_file(
        &folder.file("sheet.png"),
        &write_png(&contact_sheet(&made.frames, made.columns)),
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
    })
}
