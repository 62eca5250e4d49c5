//! `morphscape walk`: random walks on planes, bowls, fractal surfaces and classification landscapes.

use super::options::{DataArgs, EngineArgs, ModelArgs, existing};
use super::terminal::Terminal;
use super::text::{engine_name, written_to};
use crate::job::walk::{self, Gait, HeightOf, SurfaceSource, WalkJob};
use crate::landscape::LANDSCAPE_ITEMS;
use crate::run::{REPORT_FILE, WalkFigures, show_in_run};
use anyhow::{anyhow, bail};
use clap::ValueEnum;
use std::io::Write;
use std::path::PathBuf;

/// What walks, and on what.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    surface: SurfaceArgs,
    /// lattice: to one of the four neighbours, accepted as Metropolis does; langevin: downhill with
    /// jitter, in time steps of --dt
    #[arg(long, value_enum, default_value = "lattice")]
    walk: WalkName,
    /// Temperature, in the unit of the surface's height; at 1, walkers on -ln p end up distributed
    /// as p
    #[arg(
        long,
        value_name = "T",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    temperature: f64,
    /// Time step of the Langevin walk [default: a quarter of the largest that is accepted, on
    /// planes at most 0.01]
    #[arg(long, value_name = "DT", allow_negative_numbers = true)]
    dt: Option<f64>,
    /// How many walkers
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    walkers: u32,
    /// Steps of each walker
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=MAX_STEPS))]
    length: u32,
    /// Where walkers start: minimum, uniform (each at a grid point of its own), or a place X,Y
    /// [default: uniform on fractals and landscapes, else minimum]
    #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
    start: Option<String>,
    /// What the edges of a grid do; flat surfaces, and bowls of a Langevin walk, have none
    #[arg(long, value_enum, default_value = "reflecting")]
    edges: Edges,
    /// On a landscape: the two of the items A, B and C whose basins a lattice walk is to reach
    #[arg(long, value_name = "X,Y", default_value = "A,B")]
    basins: String,
    /// Seed of the walk and of a fractal surface
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Draw figures and the report, or none
    #[arg(long, value_enum, default_value = "all")]
    figures: FiguresName,
    /// Figure files to write, any of svg, png
    #[arg(
        long,
        value_enum,
        value_name = "KIND,...",
        value_delimiter = ',',
        default_value = "svg"
    )]
    format: Vec<Kind>,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    engine: EngineArgs,
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "morphscape-walk")]
    out: PathBuf,
    /// Start over, even in a folder that holds another run or other files; what the old run wrote
    /// is removed, and nothing else
    #[arg(long)]
    force: bool,
}

/// Coordinates of a free walker are whole numbers that a 32-bit float holds.
const MAX_STEPS: i64 = 1 << 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WalkName {
    Lattice,
    Langevin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Edges {
    /// Walkers are thrown back
    Reflecting,
    /// Walkers that come to the outermost points stay there for good
    Absorbing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FiguresName {
    None,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Svg,
    Png,
}

/// The surface.
#[derive(Debug, clap::Args)]
struct SurfaceArgs {
    /// The surface: flat, an endless plane; bowl; fractal
    #[arg(long, value_enum, default_value = "flat", conflicts_with_all = ["landscape", "items"])]
    surface: SurfaceName,
    /// A landscape of a finished run: its folder, such as morphscape-sweep/1A.3; the run's report
    /// shows the walk
    #[arg(long, value_name = "DIR", conflicts_with = "items")]
    landscape: Option<PathBuf>,
    /// The landscape of three images, A, B and C: files or items such as t10k#9, classified here
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    items: Vec<String>,
    /// On a flat surface: the lattice walk goes east with (1 + A)/4, west with (1 - A)/4; the
    /// Langevin walk feels the force A
    #[arg(
        long,
        value_name = "A",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    drift: f64,
    /// For a bowl: a and b in a x^2 + b y^2
    #[arg(long, value_name = "a,b", value_delimiter = ',', num_args = 1, default_values_t = [1.0, 1.0], allow_negative_numbers = true)]
    bowl: Vec<f64>,
    /// For a fractal: its Hurst exponent, 0 (rough) to 1 (smooth)
    #[arg(long, value_name = "H", default_value_t = 0.5)]
    hurst: f64,
    /// For a fractal: the standard deviation of its height
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    height: f64,
    /// On a landscape: class, U = -ln p of --class; margin, U = minus the logit margin, low
    /// wherever the classifier is sure
    #[arg(long, value_enum, default_value = "class")]
    potential: PotentialName,
    /// Class of --potential class, by number or name [default: that of C]
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// Points a side [default: those of the landscape; 21 with --items; else 101]. A landscape of a
    /// finished run is bilinear between its points
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..=1001))]
    steps: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SurfaceName {
    Flat,
    Bowl,
    Fractal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PotentialName {
    Class,
    Margin,
}

pub(super) fn run(args: &Args, terminal: &Terminal) -> anyhow::Result<()> {
    let started = std::time::Instant::now();
    let job = args.job()?;
    // The classifier runs on the engine, too.
    let engine = args.engine.open(terminal)?;
    let drawn = args.figures == FiguresName::All;
    let figures = WalkFigures {
        svg: drawn && args.format.contains(&Kind::Svg),
        png: drawn && args.format.contains(&Kind::Png),
    };
    let walked = crate::run::walk(
        &job,
        None,
        figures,
        engine.as_ref(),
        (&args.out, existing(args.force)),
        &super::command_words(),
        terminal,
    )?;
    if terminal.shows_results() {
        let facts = &walked.facts;
        let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let mut out = std::io::stdout().lock();
        for (name, value) in facts {
            writeln!(out, "{name:<width$}  {value}")?;
        }
    }
    let (work, walk_s) = (walked.work as f64, walked.walk.as_secs_f64());
    terminal.say(format!(
        "{work:.3e} walker-steps in {walk_s:.2} s ({:.3e} a second) on {}; {:.2} s in all; {}",
        work / walk_s,
        engine_name(engine.as_ref()),
        started.elapsed().as_secs_f64(),
        written_to(&args.out)
    ));
    // The walk's own folder is whole: that the run's report cannot show it is a note.
    match show_in_run(&job, &walked) {
        Ok(Some(folder)) => terminal.say(format!(
            "the walk is also in {} and in the run's report, {}",
            folder.display(),
            folder.with_file_name(REPORT_FILE).display()
        )),
        Ok(None) => {}
        Err(error) => terminal.say(format!(
            "note: the run's report does not show the walk: {}",
            super::text::error_text(&error.into(), super::text::option_name)
        )),
    }
    Ok(())
}

impl Args {
    /// The walk that they stand for.
    pub(super) fn job(&self) -> anyhow::Result<WalkJob> {
        Ok(WalkJob {
            surface: self.surface.source()?,
            walk: match self.walk {
                WalkName::Lattice => Gait::Lattice,
                WalkName::Langevin => Gait::Langevin,
            },
            temperature: self.temperature,
            dt: self.dt,
            walkers: self.walkers,
            length: self.length,
            start: self.start.clone(),
            edges: match self.edges {
                Edges::Reflecting => walk::Edges::Reflecting,
                Edges::Absorbing => walk::Edges::Absorbing,
            },
            basins: pair(&self.basins)?,
            seed: self.seed,
            model: self.model.source()?,
            data: self.data.source(),
        })
    }
}

impl SurfaceArgs {
    /// The surface that they stand for.
    fn source(&self) -> anyhow::Result<SurfaceSource> {
        let potential = || match (self.potential, &self.class) {
            (PotentialName::Class, class) => Ok(HeightOf::Class(class.clone())),
            (PotentialName::Margin, None) => Ok(HeightOf::Margin),
            (PotentialName::Margin, Some(_)) => Err(anyhow!(
                "--class belongs to --potential class; the margin is that of the predicted class"
            )),
        };
        if let Some(folder) = &self.landscape {
            return Ok(SurfaceSource::Landscape {
                folder: folder.clone(),
                potential: potential()?,
                steps: self.steps.map(usize::from),
            });
        }
        if !self.items.is_empty() {
            let items = <[String; 3]>::try_from(self.items.clone()).map_err(|items| {
                anyhow!("--items: expected three items A,B,C, found {}", items.len())
            })?;
            return Ok(SurfaceSource::Items {
                items,
                potential: potential()?,
                steps: usize::from(self.steps.unwrap_or(21)),
            });
        }
        let steps = usize::from(self.steps.unwrap_or(101));
        Ok(match self.surface {
            SurfaceName::Flat => SurfaceSource::Flat { drift: self.drift },
            SurfaceName::Bowl => {
                let [a, b] = self.bowl[..] else {
                    bail!(
                        "--bowl: expected two numbers a,b, found {}",
                        self.bowl.len()
                    )
                };
                SurfaceSource::Bowl {
                    curvature: [a, b],
                    steps,
                }
            }
            SurfaceName::Fractal => SurfaceSource::Fractal {
                hurst: self.hurst,
                height: self.height,
                steps,
            },
        })
    }
}

/// The two items of `--basins`, 0 to 2.
fn pair(text: &str) -> anyhow::Result<[usize; 2]> {
    let items: Vec<Option<usize>> = text
        .split(',')
        .map(|part| {
            let part = part.trim();
            LANDSCAPE_ITEMS
                .iter()
                .position(|item| item.eq_ignore_ascii_case(part))
        })
        .collect();
    match items[..] {
        [Some(first), Some(second)] if first != second => Ok([first, second]),
        _ => bail!("--basins {text}: expected two different items of A, B and C, such as A,B"),
    }
}
