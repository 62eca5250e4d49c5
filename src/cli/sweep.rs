//! `morphscape sweep`: the image job.
//!
//! ```text
//! arguments -> Plan (data, model, triples) -> waves of landscapes -> tensors, plots, summary, manifest
//! ```

use super::Verbosity;
use super::figures::{FigureArgs, Figures};
use super::options::{DataArgs, EngineArgs, LoadedData, LoadedModel, ModelArgs, MorphArgs};
use super::output::OutputFolder;
use super::progress::Progress;
use super::run::{Job, Run, Timings, jobs, triples_json};
use super::triples::{fixed_classes, group_count, read_triples};
use crate::data::Image;
use crate::engine::EngineInfo;
use crate::engine::cpu::CpuEngine;
use crate::landscape::{Items, Triple, choose_triples};
use crate::mesh::cell_size_px;
use crate::pipeline::{Frames, GridJob, MorphSettings, compute_landscapes, morph_grid};
use anyhow::{Context, ensure};
use serde_json::json;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

/// What to sweep.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Groups of three classes, each with a set A and a set B of items [default: 5, or the
    /// number of --classes given]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    groups: Option<u32>,
    /// Three classes of a group, by number or name: 9,4,5. The first fixes group 1, the next
    /// group 2, and so on; the groups beyond are chosen by --seed
    #[arg(long, value_name = "X,Y,Z")]
    classes: Vec<String>,
    /// A fixed list instead of groups: {"triples":[{"name":"1A","items":[i,j,k]},...]}
    #[arg(long, value_name = "FILE.json", conflicts_with_all = ["groups", "classes", "seed"])]
    triples: Option<PathBuf>,
    /// Seed of the choice of classes and items
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    morph: MorphArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "morphscape-sweep")]
    out: PathBuf,
    /// Write into a folder that holds another run or other files
    #[arg(long)]
    force: bool,
    /// Keep the frames, too: f32 [steps, steps, H, W] in each landscape.safetensors
    #[arg(long)]
    save_frames: bool,
    /// Which figures to draw
    #[arg(long, value_enum, default_value = "all")]
    figures: Figures,
    #[command(flatten)]
    style: FigureArgs,
}

struct Sweep<'a> {
    args: &'a Args,
    model: LoadedModel,
    data: LoadedData,
    data_sha256: String,
    class_names: Vec<String>,
    triples: Vec<Triple>,
}

pub(super) fn run(args: &Args, verbosity: Verbosity) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut timings = Timings::default();
    let figures = args.style.plan(args.figures)?;
    let sweep = Sweep::resolve(args)?;
    sweep.model.say_notes(verbosity);
    sweep.model.warn_unscaled(verbosity);
    timings.load = started.elapsed();

    let opening = Instant::now();
    let engine = args.engine.open(verbosity)?;
    let info = engine.info().clone();
    let folder = OutputFolder::prepare(&args.out, sweep.plan(&info), args.force)?;
    timings.engine = opening.elapsed();

    let settings = MorphSettings {
        steps: args.morph.steps(),
        grid: args.morph.grid(),
        sampling: args.morph.sampling(),
    };
    let images = &sweep.data.images;
    let alphas: Vec<f64> = (0..settings.steps)
        .map(|i| i as f64 / (settings.steps - 1) as f64)
        .collect();
    let frames_of = |job: &Job| {
        let images = job.items.map(|item| images.image(item));
        let morphed = morph_grid(
            &CpuEngine::new(),
            images.each_ref(),
            settings.grid,
            &alphas,
            settings.sampling,
            &|| ControlFlow::Continue(()),
        )?;
        Ok(morphed.frames)
    };
    let run = Run {
        started,
        timings,
        folder,
        out: &args.out,
        engine: info,
        model: &sweep.model,
        class_names: &sweep.class_names,
        items: Items::Images {
            shape: images.image_shape(),
        },
        item_name: &|item| images.item_name(item),
        settings: args.morph.settings(),
        data: json!({"path": sweep.data.path, "sha256": sweep.data_sha256, "items": images.len()}),
        steps: settings.steps,
        save_frames: args.save_frames,
        figures,
        frames: Some(&frames_of),
        data_points: None,
    };
    let frames = if args.save_frames {
        Frames::Keep
    } else {
        Frames::Drop
    };
    let mut compute = |jobs: &[Job], progress: &Progress, timings: &mut Timings| {
        let loading = Instant::now();
        let images = sweep.load_images(jobs);
        let grid_jobs: Vec<GridJob<'_>> = jobs
            .iter()
            .map(|job| {
                let [a, b, c] = job.items.map(|item| &images[&item]);
                GridJob { a, b, c }
            })
            .collect();
        timings.load += loading.elapsed();
        let computing = Instant::now();
        let landscapes = compute_landscapes(
            engine.as_ref(),
            &sweep.model.model,
            &settings,
            &grid_jobs,
            frames,
            &|done| progress.advance(done),
        );
        timings.compute += computing.elapsed();
        landscapes
    };
    run.execute(&jobs(&sweep.triples), &mut compute, verbosity)
}

impl<'a> Sweep<'a> {
    /// Loads what the arguments name and checks that it fits together.
    fn resolve(args: &'a Args) -> anyhow::Result<Self> {
        let model = args.model.load()?;
        let data = args.data.load(model.model.classes())?;
        model
            .model
            .check_image_shape(data.images.image_shape())
            .with_context(|| format!("{} with {}", data.path, model.path))?;
        ensure!(
            data.images.classes().len() <= model.model.num_classes(),
            "{} with {}: expected a model of at least {} classes, found {}; choose the model that was trained on these data",
            data.path,
            model.path,
            data.images.classes().len(),
            model.model.num_classes()
        );
        // A grid that does not fit is found out before anything is written.
        let [height, width, _] = data.images.image_shape();
        cell_size_px(width, height, args.morph.grid())?;
        let class_names = model.class_names(data.images.classes());
        let triples = match &args.triples {
            Some(path) => read_triples(path, &|item| {
                let item = data.images.checked_index(item)?;
                Ok((item, data.images.label(item)))
            })
            .with_context(|| format!("--triples {}", path.display()))?,
            None => {
                let fixed = fixed_classes(&args.classes, &class_names)?;
                let groups = group_count(args.groups, &fixed)?;
                let labels: Vec<usize> = (0..data.images.len())
                    .map(|item| data.images.label(item))
                    .collect();
                choose_triples(&labels, class_names.len(), groups, &fixed, args.seed)?
            }
        };
        Ok(Self {
            args,
            model,
            data_sha256: data.images.sha256_hex(),
            data,
            class_names,
            triples,
        })
    }

    /// Everything that decides the numbers of the run, for the manifest.
    fn plan(&self, info: &EngineInfo) -> serde_json::Value {
        let morph = &self.args.morph;
        json!({
            "job": "sweep",
            "program": env!("CARGO_PKG_VERSION"),
            "steps": morph.steps(),
            "grid": morph.grid(),
            "mode": morph.mode_name(),
            "sampling": morph.sampling_name(),
            "seed": self.args.triples.is_none().then_some(self.args.seed),
            "triples": triples_json(&self.triples, &|item| item),
            "model_sha256": self.model.model.sha256(),
            "model_options": self.args.model.options_json(),
            "data_sha256": self.data_sha256,
            "engine": info.engine,
            "adapter": if info.engine == "gpu" { info.adapter.as_str() } else { "" },
            "save_frames": self.args.save_frames,
        })
    }

    fn load_images(&self, jobs: &[Job]) -> BTreeMap<usize, Image> {
        jobs.iter()
            .flat_map(|job| job.items)
            .map(|item| (item, self.data.images.image(item)))
            .collect()
    }
}
