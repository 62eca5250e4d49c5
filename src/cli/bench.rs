//! `morphscape bench`: how fast the image job runs here, stage by stage, beside what the
//! machine could do at best.

use super::options::SweepArgs;
use super::terminal::Terminal;
use super::text::table;
use crate::data::write_file;
use crate::engine::cpu::CpuEngine;
use crate::engine::gpu::{GpuEngine, list_adapters};
use crate::engine::{Engine, EngineInfo};
use crate::kernels::Kernel;
use crate::landscape::Items;
use crate::pipeline::{Peak, Profile, peak, profile};
use anyhow::ensure;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    job: SweepArgs,
    /// Measure only engines whose name contains this: cpu, gpu, or part of an adapter's name
    /// [default: the CPU engine and every adapter]
    #[arg(long, value_name = "NAME")]
    engine: Option<String>,
    /// How many times to measure each stage; the median counts
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// Also write the results as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What was measured on an engine.
struct Measured {
    info: EngineInfo,
    peak: Peak,
    profile: Profile,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    let asked = args.job.job()?;
    let settings = asked.morph;
    let job = asked.load(terminal)?;
    let model = job.model();
    ensure!(
        !model.model.runs_on_host(),
        "{}: a library runs this model, whose stages are not ours to measure; expected a model of layers (`morphscape model FILE` shows which it is)",
        model.path
    );
    let landscapes = job.landscapes();
    let fetched = job.fetch(&landscapes)?;
    let grids = fetched.grid_jobs(&landscapes);
    let rounds = usize::from(args.rounds);
    let mut measured = Vec::new();
    for engine in engines(args.engine.as_deref())? {
        let engine = engine.as_ref();
        let info = engine.info().clone();
        terminal.say_more(format!("measuring {}", info.adapter));
        measured.push(Measured {
            peak: peak(engine, rounds)?,
            profile: profile(engine, &model.model, &settings, &grids, rounds)?,
            info,
        });
    }
    let Items::Images {
        shape: [height, width, channels],
    } = job.items()
    else {
        unreachable!("a sweep is of images");
    };
    let what = json!({
        "program": concat!("morphscape ", env!("CARGO_PKG_VERSION")),
        "model": model.path,
        "image": [height, width, channels],
        "landscapes": landscapes.len(),
        "steps": settings.steps,
        "mode": settings.mode.name(),
        "sampling": settings.mode.sampling().name(),
        "rounds": rounds,
        "host_threads": rayon::current_num_threads(),
    });
    if let Some(path) = &args.json {
        let mut text = serde_json::to_string_pretty(&as_json(what, &measured))?;
        text.push('\n');
        write_file(path, text.as_bytes())?;
    }
    let mut stdout = std::io::stdout().lock();
    writeln!(
        stdout,
        "{} landscapes of {steps} x {steps} frames of {height} x {width} x {channels}, {} sampling, {}; medians of {rounds}",
        landscapes.len(),
        settings.mode.sampling().name(),
        model.path,
        steps = settings.steps,
    )?;
    for measured in &measured {
        write!(stdout, "\n{}", as_table(measured))?;
    }
    Ok(())
}

/// The engines there are, or those of a name.
fn engines(name: Option<&str>) -> anyhow::Result<Vec<Box<dyn Engine>>> {
    let wanted = name.unwrap_or_default().to_lowercase();
    let is_wanted = |engine: &str, adapter: &str| {
        [engine, adapter]
            .iter()
            .any(|name| name.to_lowercase().contains(&wanted))
    };
    let mut engines: Vec<Box<dyn Engine>> = Vec::new();
    if is_wanted("cpu", "") {
        engines.push(Box::new(CpuEngine::new()));
    }
    let adapters = list_adapters();
    for adapter in adapters
        .iter()
        .filter(|adapter| is_wanted("gpu", &adapter.name))
    {
        engines.push(Box::new(GpuEngine::open(Some(&adapter.name))?));
    }
    let found: Vec<&str> = adapters
        .iter()
        .map(|adapter| adapter.name.as_str())
        .collect();
    ensure!(
        !engines.is_empty(),
        "--engine {}: expected cpu, gpu or part of an adapter's name, found no engine of that name among cpu{}{}",
        name.unwrap_or_default(),
        if found.is_empty() { "" } else { ", " },
        found.join(", ")
    );
    Ok(engines)
}

/// The name of a stage: the two samplings are one kernel's.
fn stage_name(kernel: Kernel) -> &'static str {
    kernel.spec().name
}

fn as_table(measured: &Measured) -> String {
    let Measured {
        info,
        peak,
        profile,
    } = measured;
    let heading = [
        "stage",
        ">ms",
        ">frames/s",
        ">GFLOP/s",
        ">GB/s",
        ">FLOP/byte",
        ">of roofline",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let frames = profile.frames as f64;
    let timed = |name: &str, seconds: f64| {
        vec![
            name.to_owned(),
            format!("{:.2}", 1e3 * seconds),
            format!("{:.0}", frames / seconds),
        ]
    };
    for stage in &profile.stages {
        let (flop, bytes) = (stage.work.flop as f64, stage.work.bytes as f64);
        let mut row = timed(stage_name(stage.kernel), stage.seconds);
        row.extend([
            format!("{:.1}", flop / stage.seconds / 1e9),
            format!("{:.1}", bytes / stage.seconds / 1e9),
            format!("{:.1}", flop / bytes),
            format!("{:.0} %", 100.0 * stage.roofline_share(*peak)),
        ]);
        rows.push(row);
    }
    for (name, seconds) in [
        ("host", profile.host_seconds),
        ("whole job", profile.seconds),
    ] {
        let mut row = timed(name, seconds);
        row.resize(heading.len(), String::new());
        rows.push(row);
    }
    format!(
        "{}, {}{}{}; peaks {:.0} GFLOP/s (matrix product), {:.1} GB/s (copy)\n{}",
        info.engine,
        info.adapter,
        if info.driver.is_empty() { "" } else { ", " },
        info.driver,
        peak.flop_per_s / 1e9,
        peak.bytes_per_s / 1e9,
        table(&rows)
    )
}

fn as_json(mut what: Value, measured: &[Measured]) -> Value {
    let engines = measured.iter().map(
        |Measured {
             info,
             peak,
             profile,
         }| {
            let stages = profile.stages.iter().map(|stage| {
                json!({
                    "stage": stage_name(stage.kernel),
                    "seconds": stage.seconds,
                    "flop": stage.work.flop,
                    "bytes": stage.work.bytes,
                    "roofline_share": stage.roofline_share(*peak),
                })
            });
            json!({
                "engine": info.engine,
                "adapter": info.adapter,
                "driver": info.driver,
                "peak_flop_per_s": peak.flop_per_s,
                "peak_bytes_per_s": peak.bytes_per_s,
                "frames": profile.frames,
                "seconds": profile.seconds,
                "host_seconds": profile.host_seconds,
                "stages": stages.collect::<Value>(),
            })
        },
    );
    what["engines"] = engines.collect();
    what
}
