//! What walkers walk on, from the arguments.

use super::args::{Args, Edges, WalkName, name};
use crate::cli::Verbosity;
use crate::cli::items::find_image;
use crate::cli::options::class_number;
use crate::engine::Engine;
use crate::kernels::Sampling;
use crate::landscape::{Items, LandscapeFile, Permutation, Plane, Potential};
use crate::pipeline::{Frames, GridJob, MorphMode, MorphSettings, compute_landscapes};
use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The surface.
#[derive(Debug, clap::Args)]
pub(super) struct SurfaceArgs {
    /// A surface of its own: flat, an endless plane; bowl; fractal
    #[arg(long, value_enum, default_value = "flat", conflicts_with_all = ["landscape", "items"])]
    surface: SurfaceName,
    /// A landscape of a finished run: its folder, such as morphscape-sweep/1A.3; the run's report
    /// shows the walk
    #[arg(long, value_name = "DIR", conflicts_with = "items")]
    landscape: Option<PathBuf>,
    /// The landscape of three images, A, B and C: files or items such as t10k#9, classified here
    #[arg(long, value_name = "A,B,C", value_delimiter = ',')]
    items: Vec<String>,
    /// Of a flat surface: the lattice walk goes east with (1 + A)/4, west with (1 - A)/4; the
    /// Langevin walk feels the force A
    #[arg(
        long,
        value_name = "A",
        default_value_t = 0.0,
        allow_negative_numbers = true
    )]
    drift: f64,
    /// Of a bowl: a and b of a x^2 + b y^2
    #[arg(long, value_name = "a,b", value_delimiter = ',', num_args = 1, default_values_t = [1.0, 1.0], allow_negative_numbers = true)]
    bowl: Vec<f64>,
    /// Of a fractal: its Hurst exponent, 0 (rough) to 1 (smooth)
    #[arg(long, value_name = "H", default_value_t = 0.5)]
    hurst: f64,
    /// Of a fractal: the standard deviation of its height
    #[arg(long, value_name = "S", default_value_t = 1.0)]
    height: f64,
    /// Of a landscape: class, U = -ln p of --class; margin, U = minus the logit margin, low
    /// wherever the classifier is sure
    #[arg(long, value_enum, default_value = "class")]
    potential: PotentialName,
    /// Class of --potential class, by number or name [default: that of C]
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// Points a side [default: those of the landscape; 21 of --items; 101 else]. A landscape of
    /// a finished run is bilinear between its points
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

/// What is under the walkers' feet.
pub(super) enum Ground {
    /// An endless plane.
    Plane(Plane),
    /// A grid with edges.
    Grid(Potential),
}

/// A surface, and what is said of it.
pub(super) struct Surface {
    pub(super) ground: Ground,
    pub(super) title: String,
    pub(super) subtitle: String,
    /// Titles of x and y, and of the height.
    pub(super) axes: [String; 3],
    /// What x and y reach over, on a grid.
    pub(super) range: [f64; 2],
    pub(super) default_start: &'static str,
    pub(super) landscape: Option<LandscapeFile>,
    /// All that decides it.
    pub(super) plan: Value,
}

impl SurfaceArgs {
    /// The landscape of a finished run that is to be walked on.
    pub(super) fn landscape(&self) -> Option<&Path> {
        self.landscape.as_deref()
    }

    /// Makes the surface; items are classified by `engine`.
    pub(super) fn resolve(
        &self,
        args: &Args,
        engine: &dyn Engine,
        verbosity: Verbosity,
    ) -> anyhow::Result<Surface> {
        if let Some(folder) = &self.landscape {
            let file = read_landscape(folder)?;
            let steps = self.steps.map_or(file.landscape.steps, usize::from);
            return self.of_landscape(file, steps);
        }
        if !self.items.is_empty() {
            let file = self.classify_items(args, engine, verbosity)?;
            let steps = file.landscape.steps;
            return self.of_landscape(file, steps);
        }
        let points = usize::from(self.steps.unwrap_or(101));
        let axes = ["x", "y", "U"].map(str::to_owned);
        match self.surface {
            SurfaceName::Flat => {
                ensure!(
                    args.edges == Edges::Reflecting,
                    "--edges absorbing: a flat surface has no edges; --surface bowl --bowl 0,0 is a flat square"
                );
                let largest = if args.walk == WalkName::Lattice {
                    1.0
                } else {
                    f64::MAX
                };
                ensure!(
                    self.drift.is_finite() && self.drift.abs() <= largest,
                    "--drift {}: expected a number from -1 to 1, the surplus of steps east over steps west",
                    self.drift
                );
                Ok(Surface {
                    ground: Ground::Plane(Plane {
                        drift: self.drift,
                        curvature: [0.0; 2],
                    }),
                    title: "Walk on a flat surface".into(),
                    subtitle: format!("an endless plane, drift {}", self.drift),
                    axes,
                    range: [0.0; 2],
                    default_start: "minimum",
                    landscape: None,
                    plan: json!({"kind": "flat", "drift": self.drift}),
                })
            }
            SurfaceName::Bowl => {
                let [a, b] = self.bowl[..] else {
                    bail!(
                        "--bowl: expected two numbers a,b, found {}",
                        self.bowl.len()
                    )
                };
                let endless = args.walk == WalkName::Langevin && args.edges == Edges::Reflecting;
                let plan = json!({"kind": "bowl", "curvature": [a, b], "steps": (!endless).then_some(points)});
                let (ground, extent) = if endless {
                    ensure!(
                        a.is_finite() && b.is_finite(),
                        "--bowl {a},{b}: expected finite numbers"
                    );
                    let plane = Plane {
                        drift: 0.0,
                        curvature: [a, b],
                    };
                    (Ground::Plane(plane), "without edges".to_owned())
                } else {
                    let potential = Potential::bowl([a, b], points).context("--bowl")?;
                    let extent = format!("x and y from -1 to 1, {points} x {points} points");
                    (Ground::Grid(potential), extent)
                };
                Ok(Surface {
                    ground,
                    title: "Walk in a bowl".into(),
                    subtitle: format!("U = {a} x^2 + {b} y^2, {extent}"),
                    axes,
                    range: [-1.0, 1.0],
                    default_start: "minimum",
                    landscape: None,
                    plan,
                })
            }
            SurfaceName::Fractal => {
                ensure!(
                    (0.0..=1.0).contains(&self.hurst),
                    "--hurst {}: expected 0 to 1",
                    self.hurst
                );
                ensure!(
                    self.height > 0.0 && self.height.is_finite(),
                    "--height {}: expected a number above 0",
                    self.height
                );
                let unit = Potential::fractal(self.hurst, points, args.seed)?;
                let values = unit.values().iter().map(|u| self.height * u).collect();
                let potential = Potential::new(values, unit.shape(), unit.spacing())?;
                Ok(Surface {
                    ground: Ground::Grid(potential),
                    title: "Walk on a fractal surface".into(),
                    subtitle: format!(
                        "Hurst exponent {}, standard deviation {}, {points} x {points} points, seed {}",
                        self.hurst, self.height, args.seed
                    ),
                    axes,
                    range: [0.0, 1.0],
                    default_start: "uniform",
                    landscape: None,
                    plan: json!({"kind": "fractal", "hurst": self.hurst, "height": self.height, "steps": points}),
                })
            }
        }
    }

    /// The potential of a landscape, at `points` a side.
    fn of_landscape(&self, file: LandscapeFile, points: usize) -> anyhow::Result<Surface> {
        let landscape = &file.landscape;
        let class = match &self.class {
            Some(text) => class_number("--class", text, &file.class_names)?,
            None => file.item_classes[2],
        };
        let (potential, height) = match self.potential {
            PotentialName::Class => (
                Potential::of_class(landscape, class),
                format!("-ln p({})", file.class_names[class]),
            ),
            PotentialName::Margin => {
                ensure!(
                    self.class.is_none(),
                    "--class belongs to --potential class; the margin is that of the predicted class"
                );
                (Potential::of_margin(landscape), "-margin".to_owned())
            }
        };
        let mut potential = potential.with_context(|| format!("landscape {}", file.name))?;
        if points != landscape.steps {
            potential = potential.resampled(points)?;
        }
        let [a, b, c] = file.item_class_names();
        Ok(Surface {
            title: format!("Walk on {}   {a} to {b}, into {c}", file.name),
            subtitle: format!(
                "U = {height} of landscape {}, {points} x {points} points",
                file.name
            ),
            axes: [
                "into C".into(),
                "mix A to B".into(),
                format!("U = {height}"),
            ],
            ground: Ground::Grid(potential),
            range: [0.0, 1.0],
            default_start: "uniform",
            plan: json!({
                "kind": "landscape",
                "name": file.name,
                "items": file.item_names,
                "settings": file.settings,
                "model_sha256": file.model_sha256,
                "potential": name(self.potential),
                "class": (self.potential == PotentialName::Class).then_some(class),
                "steps": points,
            }),
            landscape: Some(file),
        })
    }

    fn classify_items(
        &self,
        args: &Args,
        engine: &dyn Engine,
        verbosity: Verbosity,
    ) -> anyhow::Result<LandscapeFile> {
        let items: [&String; 3] = <[&String; 3]>::try_from(self.items.iter().collect::<Vec<_>>())
            .map_err(|items| {
            anyhow::anyhow!("--items: expected three items A,B,C, found {}", items.len())
        })?;
        let model = args.model.load()?;
        model.say_notes(verbosity);
        model.warn_unscaled(verbosity);
        let data = args.data.load()?.match_classes(&model, verbosity)?;
        let images = items.map(|item| find_image(item, &data.images));
        let [a, b, c] = images;
        let images = [a?, b?, c?];
        for (image, item) in images.iter().zip(items) {
            model
                .model
                .check_image_shape(image.shape())
                .with_context(|| format!("{item} with {}", model.path))?;
        }
        let settings = MorphSettings {
            steps: usize::from(self.steps.unwrap_or(21)),
            grid: 3,
            mode: MorphMode::Clean(Sampling::Cubic),
        };
        let [a, b, c] = &images;
        let job = GridJob { a, b, c };
        let go_on = |_| ControlFlow::Continue(());
        let landscape = compute_landscapes(
            engine,
            &model.model,
            &settings,
            &[job],
            Frames::Drop,
            &go_on,
        )?
        .remove(0);
        let last = landscape.steps - 1;
        // An item's class is what the classifier takes it for: a file has no label.
        let corners = [0, last * landscape.steps, landscape.num_frames() - 1];
        Ok(LandscapeFile {
            name: items.map(String::as_str).join(", "),
            permutation: Permutation::ALL[2],
            item_names: items.map(Clone::clone),
            item_classes: corners.map(|k| landscape.label(k).unwrap_or(0)),
            class_names: model.class_names(data.images.classes()),
            model: model.path,
            model_sha256: model.model.sha256().to_owned(),
            items: Items::Images {
                shape: images[0].shape(),
            },
            settings: json!({"grid": 3, "mode": "clean", "sampling": "cubic"})
                .as_object()
                .cloned()
                .unwrap_or_default(),
            finer_measures: None,
            landscape,
        })
    }
}

fn read_landscape(folder: &Path) -> anyhow::Result<LandscapeFile> {
    let path = if folder.is_dir() {
        folder.join("landscape.safetensors")
    } else {
        folder.to_owned()
    };
    LandscapeFile::read(&path).with_context(|| {
        format!(
            "--landscape {}: expected the folder of a landscape of a finished run",
            folder.display()
        )
    })
}
