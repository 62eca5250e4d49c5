//! What walkers walk on.

use super::{Edges, Gait, HeightOf, SurfaceSource, WalkJob};
use crate::engine::Engine;
use crate::job::{JobError, Located, Observer, class_number, find_image, find_image_for};
use crate::landscape::{About, Items, LandscapeFile, Permutation, Plane, Potential};
use crate::pipeline::{Frames, GridJob, MorphSettings, compute_landscapes};
use crate::remedy::{Setting, did_you_mean_file};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::Path;

/// What is under the walkers' feet.
pub(crate) enum Ground {
    /// An endless plane.
    Plane(Plane),
    /// A grid with edges.
    Grid(Potential),
}

/// A surface, and what is said of it.
pub(crate) struct Surface {
    pub(crate) ground: Ground,
    pub(crate) title: String,
    pub(crate) subtitle: String,
    /// Titles of x and y, and of the height.
    pub(crate) axes: [String; 3],
    /// What x and y reach over, on a grid.
    pub(crate) range: [f64; 2],
    pub(crate) default_start: &'static str,
    pub(crate) landscape: Option<LandscapeFile>,
    /// All that decides it.
    pub(crate) plan: Value,
}

impl WalkJob {
    /// Makes the surface; items are classified by `engine`.
    pub(super) fn make_surface(
        &self,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<Surface, JobError> {
        match &self.surface {
            SurfaceSource::Flat { drift } => self.flat(*drift),
            SurfaceSource::Bowl { curvature, steps } => self.bowl(*curvature, *steps),
            SurfaceSource::Fractal {
                hurst,
                height,
                steps,
            } => self.fractal(*hurst, *height, *steps),
            SurfaceSource::Landscape {
                folder,
                potential,
                steps,
            } => {
                let file = read_landscape(folder)?;
                let steps = steps.unwrap_or(file.landscape.steps);
                of_landscape(file, potential, steps)
            }
            SurfaceSource::Items {
                items,
                potential,
                steps,
            } => {
                let file = self.classify_items(items, *steps, engine, observer)?;
                of_landscape(file, potential, *steps)
            }
        }
    }

    /// The surface of a landscape in memory, in the place of the one that the job names.
    pub(super) fn surface_of(&self, file: LandscapeFile) -> Result<Surface, JobError> {
        match &self.surface {
            SurfaceSource::Landscape {
                potential, steps, ..
            } => {
                let steps = steps.unwrap_or(file.landscape.steps);
                of_landscape(file, potential, steps)
            }
            _ => Err(JobError::unfit(
                "a landscape is given, and the job names another surface",
            )),
        }
    }

    fn flat(&self, drift: f64) -> Result<Surface, JobError> {
        if self.edges == Edges::Absorbing {
            return Err(JobError::setting(
                Setting::Edges,
                "absorbing",
                JobError::unfit_but(
                    "a flat surface has no edges",
                    "for a flat square give {} bowl {} 0,0",
                    &[Setting::Surface, Setting::Bowl],
                ),
            ));
        }
        let largest = match self.walk {
            Gait::Lattice => 1.0,
            Gait::Langevin => f64::MAX,
        };
        if !(drift.is_finite() && drift.abs() <= largest) {
            return Err(JobError::setting(
                Setting::Drift,
                drift,
                JobError::unfit(
                    "expected a number from -1 to 1, the surplus of steps east over steps west",
                ),
            ));
        }
        Ok(Surface {
            ground: Ground::Plane(Plane {
                drift,
                curvature: [0.0; 2],
            }),
            title: "Walk on a flat surface".into(),
            subtitle: format!("an endless plane, drift {drift}"),
            axes: plain_axes(),
            range: [0.0; 2],
            default_start: "minimum",
            landscape: None,
            plan: json!({"kind": "flat", "drift": drift}),
        })
    }

    fn bowl(&self, [a, b]: [f64; 2], points: usize) -> Result<Surface, JobError> {
        let endless = self.walk == Gait::Langevin && self.edges == Edges::Reflecting;
        let plan =
            json!({"kind": "bowl", "curvature": [a, b], "steps": (!endless).then_some(points)});
        let value = format!("{a},{b}");
        let (ground, extent) = if endless {
            if !(a.is_finite() && b.is_finite()) {
                return Err(JobError::setting(
                    Setting::Bowl,
                    value,
                    JobError::unfit("expected finite numbers"),
                ));
            }
            let plane = Plane {
                drift: 0.0,
                curvature: [a, b],
            };
            (Ground::Plane(plane), "without edges".to_owned())
        } else {
            let potential = Potential::bowl([a, b], points).in_setting(Setting::Bowl, value)?;
            let extent = format!("x and y from -1 to 1, {points} x {points} points");
            (Ground::Grid(potential), extent)
        };
        Ok(Surface {
            ground,
            title: "Walk in a bowl".into(),
            subtitle: format!("U = {a} x^2 + {b} y^2, {extent}"),
            axes: plain_axes(),
            range: [-1.0, 1.0],
            default_start: "minimum",
            landscape: None,
            plan,
        })
    }

    fn fractal(&self, hurst: f64, height: f64, points: usize) -> Result<Surface, JobError> {
        if !(0.0..=1.0).contains(&hurst) {
            return Err(JobError::setting(
                Setting::Hurst,
                hurst,
                JobError::unfit("expected 0 to 1"),
            ));
        }
        if !(height > 0.0 && height.is_finite()) {
            return Err(JobError::setting(
                Setting::Height,
                height,
                JobError::unfit("expected a number above 0"),
            ));
        }
        let unit = Potential::fractal(hurst, points, self.seed)?;
        let values = unit.values().iter().map(|u| height * u).collect();
        let potential = Potential::new(values, unit.shape(), unit.spacing())?;
        Ok(Surface {
            ground: Ground::Grid(potential),
            title: "Walk on a fractal surface".into(),
            subtitle: format!(
                "Hurst exponent {hurst}, standard deviation {height}, {points} x {points} points, seed {}",
                self.seed
            ),
            axes: plain_axes(),
            range: [0.0, 1.0],
            default_start: "uniform",
            landscape: None,
            plan: json!({"kind": "fractal", "hurst": hurst, "height": height, "steps": points}),
        })
    }

    fn classify_items(
        &self,
        items: &[String; 3],
        steps: usize,
        engine: &dyn Engine,
        observer: &dyn Observer,
    ) -> Result<LandscapeFile, JobError> {
        let data = self.data.load()?;
        let options = &self.data.options;
        let first = find_image(&items[0], &data.images, options)?;
        let mut model = self.model.load_for_images(first.shape())?;
        model.note_assumptions(observer);
        model.warn_unscaled(observer);
        let data = data.match_classes(&model, observer)?;
        let [a, b, c] = (items.each_ref())
            .map(|item| find_image_for(&mut model, item, &data.images, options, observer));
        let images = [a?, b?, c?];
        let settings = MorphSettings {
            steps,
            ..MorphSettings::default()
        };
        let [a, b, c] = &images;
        let job = GridJob::new([a, b, c]);
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
        // An item's class is the predicted one: a file has no label.
        let corners = [0, last * landscape.steps, landscape.num_frames() - 1];
        Ok(LandscapeFile {
            about: About {
                name: items.join(", "),
                permutation: Permutation::ALL[2],
                item_names: items.clone(),
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
            },
            landscape,
        })
    }
}

fn plain_axes() -> [String; 3] {
    ["x", "y", "U"].map(str::to_owned)
}

/// The potential of a landscape, at `points` a side.
fn of_landscape(
    file: LandscapeFile,
    height_of: &HeightOf,
    points: usize,
) -> Result<Surface, JobError> {
    let landscape = &file.landscape;
    if landscape.kind.is_flat() {
        return Err(JobError::setting(
            Setting::Landscape,
            &file.about.name,
            JobError::unfit(format!(
                "expected a landscape of morphs or of mixed rows, whose edges a walk knows; found a {}",
                landscape.kind.name()
            )),
        ));
    }
    let (potential, height, class) = match height_of {
        HeightOf::Class(class) => {
            let class = match class {
                Some(text) => {
                    class_number(text, &file.about.class_names).in_setting(Setting::Class, text)?
                }
                None => file.about.item_classes[2],
            };
            let height = format!("-ln p({})", file.about.class_names[class]);
            (Potential::of_class(landscape, class), height, Some(class))
        }
        HeightOf::Margin => (Potential::of_margin(landscape), "-margin".to_owned(), None),
    };
    let mut potential = potential.at(format!("landscape {}", file.about.name))?;
    if points != landscape.steps {
        potential = potential.resampled(points)?;
    }
    let [a, b, c] = file.item_class_names();
    Ok(Surface {
        title: format!("Walk on {}   {a} to {b}, into {c}", file.about.name),
        subtitle: format!(
            "U = {height} of landscape {}, {points} x {points} points",
            file.about.name
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
            "name": file.about.name,
            "items": file.about.item_names,
            "settings": file.about.settings,
            "model_sha256": file.about.model_sha256,
            "potential": match height_of {
                HeightOf::Class(_) => "class",
                HeightOf::Margin => "margin",
            },
            "class": class,
            "steps": points,
        }),
        landscape: Some(file),
    })
}

/// The file of a landscape, in its folder.
const TENSORS: &str = "landscape.safetensors";

/// What a folder is that is not that of a landscape.
fn no_landscape(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let inside = entries.map(|entry| entry.path());
    let first = inside.filter(|path| path.join(TENSORS).is_file()).min();
    match first {
        Some(first) => format!(
            "a whole run; name a landscape in it, such as {}",
            first.display()
        ),
        None => format!("no {TENSORS} in it"),
    }
}

fn read_landscape(folder: &Path) -> Result<LandscapeFile, JobError> {
    if !folder.exists() {
        let meant = did_you_mean_file(folder, &[]);
        return Err(JobError::setting(
            Setting::Landscape,
            folder.display(),
            JobError::unfit(format!(
                "expected the folder of a landscape of a finished run, found nothing there{meant}"
            )),
        ));
    }
    let path = if folder.is_dir() {
        let path = folder.join(TENSORS);
        if !path.is_file() {
            let found = no_landscape(folder);
            return Err(JobError::setting(
                Setting::Landscape,
                folder.display(),
                JobError::unfit(format!(
                    "expected the folder of a landscape of a finished run, found {found}"
                )),
            ));
        }
        path
    } else {
        folder.to_owned()
    };
    LandscapeFile::read(&path)
        .at("expected the folder of a landscape of a finished run")
        .in_setting(Setting::Landscape, folder.display())
}
