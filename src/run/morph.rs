//! Images of one's own, morphed into each other: frames, a contact sheet, features and mesh.

use super::Existing;
use super::error::RunError;
use super::folder::layout::{
    MORPH_FACTS_FILE, MORPH_FRAMES_FILE, MORPH_MESH_FILE, MORPH_SHEET_FILE, frame_file,
};
use super::folder::{RunFolder, engine_plan};
use crate::data::{Image, Picture, Tensor, TensorData, sha256_hex, write_file, write_safetensors};
use crate::engine::Engine;
use crate::job::{LoadedMorph, MorphJob, Observer, Stage};
use crate::mesh::{MeshCounts, PairMesh};
use crate::pipeline::{GridJob, MorphPlan, PipelineError, morph_grid, morph_pair};
use crate::plot::{contact_sheet, mesh_picture};
use rayon::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// What a morph came to.
#[derive(Debug, Clone, Copy)]
pub struct Morphed {
    /// Frames written.
    pub frames: usize,
    /// Frames that failed: the paper's tool stops there with a singular matrix.
    pub failed: usize,
    /// How many triangles were folded, without area, or not certainly the tool's.
    pub counts: MeshCounts,
}

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

/// Morphs two or three images and writes the frames to `folder`, as pictures, and with
/// `save_frames` as tensors. `job` is what `asked` loads to, `command` the command line that asks
/// for it, if one does.
///
/// # Errors
/// [`RunError`] when the folder holds something else, a file cannot be written, or the engine
/// fails.
pub fn morph(
    asked: &MorphJob,
    job: &LoadedMorph,
    save_frames: bool,
    engine: &dyn Engine,
    (folder, existing): (&Path, Existing),
    command: &[String],
    observer: &dyn Observer,
) -> Result<Morphed, RunError> {
    let started = Instant::now();
    let settings = plan(asked, job, save_frames, engine);
    let mut folder = RunFolder::prepare(folder, settings.clone(), existing, command)?;
    let computing = Instant::now();
    let made = match &job.images[..] {
        [left, right] => morph_two(job, engine, left, right)?,
        [a, b, c] => morph_three(job, engine, [a, b, c], observer)?,
        _ => unreachable!("a morph is loaded with two or three images"),
    };
    let compute_s = computing.elapsed().as_secs_f64();
    write_all(save_frames, &folder, &made, Value::Object(settings))?;
    let failed = made.frames.iter().filter(|frame| frame.is_failed()).count();
    folder.set_engine(engine);
    folder.set(
        "timings",
        json!({"compute_s": compute_s, "total_s": started.elapsed().as_secs_f64()}),
    );
    folder.finish()?;
    Ok(Morphed {
        frames: made.frames.len() - failed,
        failed,
        counts: made.counts,
    })
}

/// Everything that decides the frames.
fn plan(
    asked: &MorphJob,
    job: &LoadedMorph,
    save_frames: bool,
    engine: &dyn Engine,
) -> Map<String, Value> {
    let spec = serde_json::to_value(asked).expect("a job is plain data");
    let sha256 = |image: &Image| sha256_hex([bytemuck::cast_slice(&image.levels)]);
    let mut plan = Map::from_iter([
        ("job".to_owned(), json!("morph")),
        ("program".to_owned(), json!(env!("CARGO_PKG_VERSION"))),
    ]);
    plan.extend(spec.as_object().cloned().unwrap_or_default());
    let images: Vec<String> = job.images.iter().map(sha256).collect();
    plan.insert("sha256".to_owned(), json!(images));
    plan.insert("alphas".to_owned(), json!(job.alphas));
    if let Some(points) = &job.points_sha256 {
        plan.insert("points_sha256".to_owned(), json!(points));
    }
    plan.insert("save_frames".to_owned(), json!(save_frames));
    plan.extend(engine_plan(engine.info()));
    plan
}

fn morph_two(
    job: &LoadedMorph,
    engine: &dyn Engine,
    left: &Image,
    right: &Image,
) -> Result<Made, RunError> {
    let mode = job.morph.mode;
    let mesh = match job.points.as_deref() {
        Some([left, right]) => mode.mesh_of_points(left.clone(), right.clone()),
        _ => (mode.mesh(left, right, job.morph.grid)).map_err(PipelineError::from)?,
    };
    let plan = MorphPlan {
        left,
        right,
        mesh: &mesh,
        alphas: &job.alphas,
        mode,
    };
    let morph = morph_pair(engine, &plan)?;
    let mut description = mesh_json(&mesh);
    description["counts"] = counts_json(morph.counts);
    Ok(Made {
        shape: vec![morph.frames.len()],
        columns: morph.frames.len(),
        frames: morph.frames,
        mesh_picture: mesh_picture(left, right, &mesh),
        counts: morph.counts,
        description,
    })
}

/// A grid as a landscape's: row i leads mix i of A and B into C.
fn morph_three(
    job: &LoadedMorph,
    engine: &dyn Engine,
    images: [&Image; 3],
    observer: &dyn Observer,
) -> Result<Made, RunError> {
    let steps = job.morph.steps;
    observer.begin(Stage {
        total: steps * steps,
        unit: "frames",
    });
    let go_on = |done| observer.advance(done);
    let points = match job.points.as_deref() {
        Some([a, b, c]) => Some([&a[..], &b[..], &c[..]]),
        _ => None,
    };
    let grid_job = GridJob {
        points,
        ..GridJob::new(images)
    };
    let grid = morph_grid(engine, grid_job, &job.morph, &go_on)?;
    observer.end();
    let mut description = mesh_json(&grid.mesh);
    description["counts"] = counts_json(grid.counts);
    description["rows"] = json!(grid.row_meshes.iter().map(mesh_json).collect::<Vec<_>>());
    Ok(Made {
        frames: grid.frames,
        columns: steps,
        shape: vec![steps; 2],
        mesh_picture: mesh_picture(images[0], images[1], &grid.mesh),
        counts: grid.counts,
        description,
    })
}

/// Frames of one row that stand side by side on a sheet.
const SHEET_COLUMNS: usize = 11;

fn write_all(
    save_frames: bool,
    folder: &RunFolder,
    made: &Made,
    settings: Value,
) -> Result<(), RunError> {
    made.frames
        .par_iter()
        .enumerate()
        .filter(|(_, frame)| !frame.is_failed())
        .try_for_each(|(k, frame)| {
            let name = frame_file(k, made.columns, made.frames.len());
            write_file(&folder.file(&name), &Picture::from(frame).to_png())
        })?;
    write_file(
        &folder.file(MORPH_MESH_FILE),
        &Picture::from(&made.mesh_picture).to_png(),
    )?;
    let columns = match made.shape[..] {
        [frames] => frames.min(SHEET_COLUMNS),
        _ => made.columns,
    };
    write_file(
        &folder.file(MORPH_SHEET_FILE),
        &Picture::from(&contact_sheet(&made.frames, columns)).to_png(),
    )?;
    if save_frames {
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
        write_safetensors(&folder.file(MORPH_FRAMES_FILE), &[tensor], &metadata)?;
    }
    let mut description = settings;
    for (key, value) in made.description.as_object().into_iter().flatten() {
        description[key] = value.clone();
    }
    let mut text = serde_json::to_string_pretty(&description).expect("facts are plain data");
    text.push('\n');
    Ok(write_file(&folder.file(MORPH_FACTS_FILE), text.as_bytes())?)
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
