//! Figures of landscapes: what is asked for, drawn and written.

use super::output::OutputFolder;
use super::progress::interrupted;
use super::walk::read_walk;
use crate::data::write_file;
use crate::landscape::{DataPoints, LandscapeFile};
use crate::pipeline::PipelineError;
use crate::plot::{
    Camera, Figure, FigureOptions, FigureSet, Marks, Tiles, group_figures, landscape_figures,
    plotly_figure, svg_to_png,
};
use crate::report::{Detail, pack_detail, pack_figures};
use anyhow::{bail, ensure};
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use serde_json::{Value, json};

/// How figures are drawn.
#[derive(Debug, Args)]
pub(super) struct FigureArgs {
    /// Files to write, any of svg, png, html (the report) [default: svg,html, or svg where only
    /// line plots are drawn]
    #[arg(long, value_enum, value_name = "KIND,...", value_delimiter = ',')]
    format: Vec<Kind>,
    /// Dots an inch of PNG figures; 96 gives as many pixels as the SVG says. A figure of more
    /// than 20,000 pixels a side gets fewer
    #[arg(long, value_name = "N", default_value_t = 192, value_parser = clap::value_parser!(u16).range(20..=1200))]
    dpi: u16,
    /// Draw every class in line plots and surfaces, not only the triple's and those that are
    /// predicted somewhere (as a surface: reach 0.5)
    #[arg(long)]
    all_classes: bool,
    /// Draw the points and triangles of the meshes over frames, too
    #[arg(long)]
    mesh: bool,
    /// Mark on the decision map and the surfaces: critical, the minima, saddles and maxima of
    /// one class's probability (of each surface's own; on the map of C's class, or with plot of
    /// the first --class); barriers, the best path between each two of A, B, C and its pass
    #[arg(long, value_enum, value_name = "WHAT,...", value_delimiter = ',')]
    mark: Vec<MarkName>,
    /// Where surfaces are looked at from, degrees about the vertical: 0 from C, 90 from B
    #[arg(long, value_name = "DEGREES", default_value_t = Camera::default().azimuth, allow_negative_numbers = true, value_parser = parse_degrees)]
    azimuth: f64,
    /// Degrees above the floor, 0 to 90
    #[arg(long, value_name = "DEGREES", default_value_t = Camera::default().elevation, allow_negative_numbers = true, value_parser = parse_elevation)]
    elevation: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Svg,
    Png,
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MarkName {
    Critical,
    Barriers,
}

/// How many figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Figures {
    /// No figures and no report
    None,
    /// A line plot a landscape, no report
    Line,
    /// Every figure, and the report
    All,
}

fn parse_degrees(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|degrees| degrees.is_finite() && degrees.abs() <= 3600.0)
        .ok_or_else(|| format!("expected degrees, found \"{text}\""))
}

fn parse_elevation(text: &str) -> Result<f64, String> {
    parse_degrees(text)
        .ok()
        .filter(|degrees| (0.0..=90.0).contains(degrees))
        .ok_or_else(|| format!("expected 0 to 90 degrees, found \"{text}\""))
}

/// Figures as they are wanted, checked.
pub(super) struct FigurePlan {
    set: FigureSet,
    svg: bool,
    png: Option<u16>,
    /// Whether the report is written.
    pub(super) report: bool,
    all_classes: bool,
    options: FigureOptions,
}

impl FigureArgs {
    /// What `figures` mean with these options; nothing for none.
    pub(super) fn plan(&self, figures: Figures) -> anyhow::Result<Option<FigurePlan>> {
        let formats = match (&self.format[..], figures) {
            ([], Figures::All) => &[Kind::Svg, Kind::Html][..],
            ([], _) => &[Kind::Svg],
            (given, _) => given,
        };
        let report = formats.contains(&Kind::Html);
        let set = match figures {
            Figures::None => {
                ensure!(
                    self.format.is_empty(),
                    "--format says what figures are written as, and --figures none draws none; leave one of them out"
                );
                return Ok(None);
            }
            Figures::Line => {
                ensure!(
                    !report,
                    "--format html: the report needs --figures all, found line"
                );
                FigureSet::Line
            }
            Figures::All if self.mesh => FigureSet::AllWithMesh,
            Figures::All => FigureSet::All,
        };
        Ok(Some(FigurePlan {
            set,
            svg: formats.contains(&Kind::Svg),
            png: formats.contains(&Kind::Png).then_some(self.dpi),
            report,
            all_classes: self.all_classes,
            options: FigureOptions {
                classes: None,
                camera: Camera {
                    azimuth: self.azimuth,
                    elevation: self.elevation,
                },
                marks: Marks {
                    critical_points: self.mark.contains(&MarkName::Critical),
                    barriers: self.mark.contains(&MarkName::Barriers),
                },
            },
        }))
    }
}

impl FigurePlan {
    /// How figures are drawn, as a manifest says it; whether the report shows them is not part
    /// of it.
    pub(super) fn json(&self) -> Value {
        let Marks {
            critical_points,
            barriers,
        } = self.options.marks;
        json!({
            "set": match self.set {
                FigureSet::Line => "line",
                FigureSet::All => "all",
                FigureSet::AllWithMesh => "all with meshes",
            },
            "svg": self.svg,
            "png_dpi": self.png,
            "all_classes": self.all_classes,
            "azimuth": self.options.camera.azimuth,
            "elevation": self.options.camera.elevation,
            "critical_points": critical_points,
            "barriers": barriers,
        })
    }

    /// Draws these classes only, whatever is asked for besides; each once.
    pub(super) fn only_classes(&mut self, mut classes: Vec<usize>) {
        let mut seen = std::collections::HashSet::new();
        classes.retain(|class| seen.insert(*class));
        self.options.classes = Some(classes);
    }

    /// Leaves the report as it is; an error where it is all that is asked for.
    pub(super) fn leave_report(&mut self) -> anyhow::Result<()> {
        ensure!(
            self.svg || self.png.is_some(),
            "--format html with --landscape: the report shows the whole run; leave one of them out"
        );
        self.report = false;
        Ok(())
    }

    /// Whether meshes are asked for.
    pub(super) fn shows_mesh(&self) -> bool {
        self.set == FigureSet::AllWithMesh
    }

    /// Whether frames are shown.
    pub(super) fn shows_frames(&self) -> bool {
        self.set != FigureSet::Line
    }

    /// Draws and writes the figures of a triple, whose landscapes `.1`, `.2`, `.3` these are:
    /// those of each landscape that is `wanted`, and of rows those of the three together. Gives
    /// the parts of the report of the landscapes wanted in `Detail`.
    ///
    /// `frames` gives a landscape's frames; `data` stand behind rows.
    pub(super) fn draw_triple(
        &self,
        folder: &OutputFolder,
        files: &[LandscapeFile],
        data: Option<&DataPoints>,
        wanted: &(dyn Fn(&LandscapeFile) -> Wanted + Sync),
        frames: &(dyn Fn(&LandscapeFile) -> anyhow::Result<Option<Tiles>> + Sync),
    ) -> anyhow::Result<Vec<Detail>> {
        let [first, second, third] = files else {
            bail!(
                "expected the three landscapes of a triple together, found {}",
                files.len()
            );
        };
        if files.iter().all(|file| wanted(file) == Wanted::No) {
            return Ok(Vec::new());
        }
        let group = match self.set {
            FigureSet::Line => Vec::new(),
            _ => {
                let classes = self.options.classes.clone().unwrap_or_else(|| {
                    let all = 0..first.landscape.num_classes;
                    all.filter(|_| self.all_classes).collect()
                });
                group_figures([first, second, third], data, &classes)
            }
        };
        self.write(folder, first.triple_name(), &group)?;
        let mut details: Vec<Detail> = files
            .par_iter()
            .map(|file| match wanted(file) {
                _ if interrupted() => Err(PipelineError::Interrupted.into()),
                Wanted::No => Ok(None),
                wanted => {
                    let frames = if self.shows_frames() {
                        frames(file)?
                    } else {
                        None
                    };
                    let figures = self.draw(folder, file, frames.as_ref())?;
                    let detail = self.report && wanted == Wanted::Detail;
                    if !detail {
                        return Ok(None);
                    }
                    let mut detail = pack_detail(file, frames.as_ref(), &figures);
                    if let Some(walk) = read_walk(folder, &file.name)? {
                        detail.add(&walk);
                    }
                    Ok(Some(detail))
                }
            })
            .collect::<anyhow::Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect();
        if let Some(detail) = details.first_mut()
            && !group.is_empty()
        {
            detail.add(&pack_figures(first.triple_name(), &group));
        }
        Ok(details)
    }

    /// The classes that are asked for: those named, or every one; nothing for those that a
    /// figure chooses itself.
    fn classes(&self, file: &LandscapeFile) -> Option<Vec<usize>> {
        match &self.options.classes {
            Some(classes) => Some(classes.clone()),
            None if !self.all_classes => None,
            None => {
                let mut classes = file.predicted_classes();
                for class in 0..file.landscape.num_classes {
                    if !classes.contains(&class) {
                        classes.push(class);
                    }
                }
                Some(classes)
            }
        }
    }

    /// Draws and writes the figures of a landscape.
    fn draw(
        &self,
        folder: &OutputFolder,
        file: &LandscapeFile,
        frames: Option<&Tiles>,
    ) -> anyhow::Result<Vec<Figure>> {
        let options = FigureOptions {
            classes: self.classes(file),
            ..self.options.clone()
        };
        if self.set != FigureSet::Line && (self.svg || self.png.is_some()) {
            let classes = options.classes.clone();
            let classes = classes.unwrap_or_else(|| file.surface_classes());
            let figure = serde_json::to_vec(&plotly_figure(file, &classes))?;
            write_file(
                &folder.folder(&file.name)?.join("figure.plotly.json"),
                &figure,
            )?;
        }
        let figures = landscape_figures(file, frames, self.set, &options);
        self.write(folder, &file.name, &figures)?;
        Ok(figures)
    }

    /// Writes figures in the formats that are wanted to the folder of a landscape or triple.
    fn write(&self, folder: &OutputFolder, name: &str, figures: &[Figure]) -> anyhow::Result<()> {
        if figures.is_empty() {
            return Ok(());
        }
        let folder = folder.folder(name)?;
        for figure in figures {
            // A triple's figures stand in a folder of its own.
            let file = figure.name.trim_start_matches("group-");
            if let Some(dpi) = self.png {
                let png = svg_to_png(&figure.svg, dpi);
                write_file(&folder.join(format!("{file}.png")), &png)?;
            }
            if self.svg {
                let path = folder.join(format!("{file}.svg"));
                write_file(&path, figure.svg.as_bytes())?;
            }
        }
        Ok(())
    }
}

/// What is wanted of a landscape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Nothing.
    No,
    /// Its figures.
    Figures,
    /// Its figures, and its part of the report.
    Detail,
}

/// Landscapes that a report shows in detail at most, the first of the run.
pub(super) const MAX_DETAILS: usize = 120;
