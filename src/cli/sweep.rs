//! `morphscape sweep`: the image job.
//!
//! ```text
//! arguments -> Plan (data, model, triples) -> waves of landscapes -> tensors, plots, summary, manifest
//! ```

use super::Verbosity;
use super::options::{DataArgs, EngineArgs, LoadedData, LoadedModel, ModelArgs, MorphArgs};
use super::output::OutputFolder;
use super::progress::{Progress, interrupted};
use super::summary::{MAX_LISTED, SummaryRow, summary_table, write_summary};
use super::triples::{chosen_triples, read_triples};
use crate::data::{Image, Tensor, TensorData, write_file, write_safetensors};
use crate::engine::EngineInfo;
use crate::landscape::{Landscape, Measures, Permutation, Triple, measure};
use crate::mesh::cell_size_px;
use crate::pipeline::{Frames, GridJob, MorphSettings, PipelineError, compute_landscapes};
use crate::plot::{LinePlot, line_plot};
use anyhow::{Context, ensure};
use clap::ValueEnum;
use rayon::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

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
    #[arg(long, value_enum, default_value = "line")]
    figures: Figures,
    /// Draw every class in the line plots, not only the triple's and those that reach 0.5
    #[arg(long)]
    all_classes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Figures {
    /// No figures
    None,
    /// A line plot a landscape
    Line,
}

/// Results kept between writes, bytes: a wave of landscapes is computed, then written.
const WAVE_BYTES: usize = 64 << 20;

/// One landscape to compute: a permutation of a triple, its items as [A, B, C].
struct Job {
    name: String,
    permutation: Permutation,
    items: [usize; 3],
    classes: [usize; 3],
}

/// Where the time went.
#[derive(Default)]
struct Timings {
    load: Duration,
    engine: Duration,
    compute: Duration,
    figures: Duration,
    write: Duration,
}

impl Timings {
    /// Seconds to the microsecond, for the manifest.
    fn json(&self, total: Duration) -> serde_json::Value {
        let seconds = |duration: Duration| (duration.as_secs_f64() * 1e6).round() / 1e6;
        json!({
            "load_s": seconds(self.load),
            "engine_s": seconds(self.engine),
            "compute_s": seconds(self.compute),
            "figures_s": seconds(self.figures),
            "write_s": seconds(self.write),
            "total_s": seconds(total),
        })
    }
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
    let sweep = Sweep::resolve(args)?;
    sweep.model.warn_unscaled(verbosity);
    timings.load = started.elapsed();

    let opening = Instant::now();
    let engine = args.engine.open(verbosity)?;
    let info = engine.info().clone();
    let mut folder = OutputFolder::prepare(&args.out, sweep.plan(&info), args.force)?;
    timings.engine = opening.elapsed();

    let settings = MorphSettings {
        steps: args.morph.steps(),
        grid: args.morph.grid(),
        sampling: args.morph.sampling(),
    };
    let jobs = sweep.jobs();
    let frames_each = settings.steps * settings.steps;
    let progress = Progress::new(jobs.len() * frames_each, verbosity);
    let mut rows = Vec::with_capacity(jobs.len());
    for wave in jobs.chunks((WAVE_BYTES / sweep.landscape_bytes()).max(1)) {
        let loading = Instant::now();
        let images = sweep.load_images(wave);
        timings.load += loading.elapsed();

        let computing = Instant::now();
        let grid_jobs: Vec<GridJob<'_>> = wave
            .iter()
            .map(|job| {
                let [a, b, c] = job.items.map(|item| &images[&item]);
                GridJob { a, b, c }
            })
            .collect();
        let frames = if args.save_frames {
            Frames::Keep
        } else {
            Frames::Drop
        };
        let landscapes = compute_landscapes(
            engine.as_ref(),
            &sweep.model.model,
            &settings,
            &grid_jobs,
            frames,
            &|done| progress.advance(done),
        )?;
        timings.compute += computing.elapsed();

        let drawing = Instant::now();
        let finished: Vec<Finished<'_>> = wave
            .par_iter()
            .zip(landscapes)
            .map(|(job, landscape)| {
                let plot =
                    (args.figures == Figures::Line).then(|| sweep.line_plot(job, &landscape));
                Finished {
                    job,
                    measures: measure(&landscape, job.classes),
                    landscape,
                    plot,
                }
            })
            .collect();
        timings.figures += drawing.elapsed();

        let writing = Instant::now();
        finished
            .par_iter()
            .try_for_each(|finished| sweep.write_landscape(&folder, finished))?;
        timings.write += writing.elapsed();
        rows.extend(
            finished
                .into_iter()
                .map(|finished| sweep.summary_row(&finished)),
        );
        if interrupted() {
            return Err(PipelineError::Interrupted.into());
        }
    }
    progress.finish();

    let writing = Instant::now();
    write_summary(&folder, &rows)?;
    timings.write += writing.elapsed();
    folder.set(
        "engine",
        json!({"engine": info.engine, "adapter": info.adapter, "driver": info.driver}),
    );
    folder.set("model", json!({"path": sweep.model.path, "sha256": sweep.model.model.sha256(), "classes": sweep.class_names}));
    folder.set("data", json!({"path": sweep.data.path, "sha256": sweep.data_sha256, "items": sweep.data.images.len()}));
    folder.set(
        "landscapes",
        json!(jobs.iter().map(|job| &job.name).collect::<Vec<_>>()),
    );
    folder.set("timings", timings.json(started.elapsed()));
    folder.finish()?;
    if verbosity > Verbosity::Quiet && rows.len() <= MAX_LISTED {
        write!(std::io::stdout().lock(), "{}", summary_table(&rows))?;
    }
    let frames = jobs.len() * frames_each;
    let adapter = if info.engine == "cpu" {
        format!("the CPU engine, {}", info.adapter)
    } else {
        info.adapter
    };
    verbosity.say(
        Verbosity::Normal,
        format!(
            "{} landscapes, {frames} frames in {:.3} s ({:.0} frames a second) on {adapter}; {:.3} s in all; written to {}",
            jobs.len(),
            timings.compute.as_secs_f64(),
            frames as f64 / timings.compute.as_secs_f64(),
            started.elapsed().as_secs_f64(),
            args.out.display()
        ),
    );
    verbosity.say(
        Verbosity::Verbose,
        format!("seconds: {}", timings.json(started.elapsed())),
    );
    Ok(())
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
            Some(path) => read_triples(path, &data)
                .with_context(|| format!("--triples {}", path.display()))?,
            None => chosen_triples(args.groups, &args.classes, args.seed, &data, &class_names)?,
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
            "triples": self.triples.iter().map(|triple| {
                json!({"name": triple.name, "items": triple.items, "classes": triple.classes})
            }).collect::<Vec<_>>(),
            "model_sha256": self.model.model.sha256(),
            "data_sha256": self.data_sha256,
            "engine": info.engine,
            "adapter": if info.engine == "gpu" { info.adapter.as_str() } else { "" },
            "save_frames": self.args.save_frames,
        })
    }

    /// The landscapes: three permutations a triple, in the order of their names.
    fn jobs(&self) -> Vec<Job> {
        self.triples
            .iter()
            .flat_map(|triple| {
                Permutation::ALL.map(|permutation| Job {
                    name: format!("{}.{}", triple.name, permutation.number()),
                    permutation,
                    items: permutation.arrange(triple.items),
                    classes: permutation.arrange(triple.classes),
                })
            })
            .collect()
    }

    fn load_images(&self, jobs: &[Job]) -> BTreeMap<usize, Image> {
        jobs.iter()
            .flat_map(|job| job.items)
            .map(|item| (item, self.data.images.image(item)))
            .collect()
    }

    /// What a finished landscape takes until it is written, bytes.
    fn landscape_bytes(&self) -> usize {
        let frames = self.args.morph.steps().pow(2);
        let kept = if self.args.save_frames {
            self.data.images.image_shape().iter().product()
        } else {
            0
        };
        frames * 4 * (2 * self.model.model.num_classes() + kept)
    }

    fn write_landscape(
        &self,
        folder: &OutputFolder,
        finished: &Finished<'_>,
    ) -> anyhow::Result<()> {
        let Finished { job, landscape, .. } = finished;
        let (steps, classes) = (landscape.steps, landscape.num_classes);
        let answers = vec![steps, steps, classes];
        let mut tensors = vec![
            Tensor {
                name: "logits",
                shape: answers.clone(),
                data: TensorData::F32(&landscape.logits),
            },
            Tensor {
                name: "probabilities",
                shape: answers,
                data: TensorData::F32(&landscape.probabilities),
            },
        ];
        if let Some(frames) = &landscape.frames {
            let [height, width, channels] = self.data.images.image_shape();
            let mut shape = vec![steps, steps, height, width];
            shape.extend((channels > 1).then_some(channels));
            tensors.push(Tensor {
                name: "frames",
                shape,
                data: TensorData::F32(frames),
            });
        }
        let morph = &self.args.morph;
        let counts = &landscape.counts;
        let settings = json!({"steps": steps, "grid": morph.grid(), "mode": morph.mode_name(), "sampling": morph.sampling_name()});
        let counts = json!({
            "folded": counts.folded, "degenerate": counts.degenerate,
            "folded_right": counts.folded_right, "degenerate_right": counts.degenerate_right, "failed": 0,
        });
        let metadata = BTreeMap::from([
            ("name", job.name.clone()),
            ("classes", json!(self.class_names).to_string()),
            (
                "items",
                json!(job.items.map(|item| self.data.images.item_name(item))).to_string(),
            ),
            ("item_classes", json!(job.classes).to_string()),
            ("permutation", job.permutation.number().to_string()),
            ("settings", settings.to_string()),
            ("counts", counts.to_string()),
            ("model_sha256", self.model.model.sha256().to_owned()),
            (
                "program",
                concat!("morphscape ", env!("CARGO_PKG_VERSION")).to_owned(),
            ),
        ]);
        write_safetensors(
            &folder.file(&job.name).join("landscape.safetensors"),
            &tensors,
            &metadata,
        )?;
        if let Some(plot) = &finished.plot {
            write_file(&folder.file(&job.name).join("line.svg"), plot.as_bytes())?;
        }
        Ok(())
    }

    fn line_plot(&self, job: &Job, landscape: &Landscape) -> String {
        let mut classes: Vec<(usize, String)> = job
            .classes
            .iter()
            .zip(["A", "B", "C"])
            .map(|(&class, letter)| (class, letter.to_owned()))
            .collect();
        for class in (0..landscape.num_classes).filter(|class| !job.classes.contains(class)) {
            let peak = (0..landscape.num_frames())
                .map(|k| landscape.probabilities_of(k)[class])
                .fold(0.0, f32::max);
            if peak >= 0.5 {
                classes.push((class, "intruder".into()));
            } else if self.args.all_classes {
                classes.push((class, String::new()));
            }
        }
        let [a, b, c] = job.classes.map(|class| &self.class_names[class]);
        let items = job.items.map(|item| self.data.images.item_name(item));
        let morph = &self.args.morph;
        line_plot(&LinePlot {
            title: &format!("{}   {a} to {b}, into {c}", job.name),
            subtitle: &format!(
                "A {}, B {}, C {}; {} x {} frames, {} mode, {} sampling; model: {}",
                items[0],
                items[1],
                items[2],
                landscape.steps,
                landscape.steps,
                morph.mode_name(),
                morph.sampling_name(),
                self.model.path
            ),
            steps: landscape.steps,
            probabilities: &landscape.probabilities,
            num_classes: landscape.num_classes,
            class_names: &self.class_names,
            classes: &classes,
        })
    }

    fn summary_row(&self, finished: &Finished<'_>) -> SummaryRow {
        let Finished {
            job,
            landscape,
            measures,
            ..
        } = finished;
        let names = |classes: &[usize]| {
            classes
                .iter()
                .map(|&class| self.class_names[class].clone())
                .collect::<Vec<_>>()
        };
        SummaryRow {
            name: job.name.clone(),
            items: job.items.map(|item| self.data.images.item_name(item)),
            classes: job.classes.map(|class| self.class_names[class].clone()),
            intruders: names(&measures.intruders),
            measures: measures.clone(),
            counts: landscape.counts,
        }
    }
}

/// A computed landscape on its way to the disk.
struct Finished<'a> {
    job: &'a Job,
    landscape: Landscape,
    measures: Measures,
    plot: Option<String>,
}
