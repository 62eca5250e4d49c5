//! Figures of landscapes: what is asked for, drawn and written.

use super::output::OutputFolder;
use crate::data::write_file;
use crate::landscape::{DataPoints, LandscapeFile};
use crate::plot::{
    Camera, Figure, FigureOptions, FigureSet, Tiles, group_figures, landscape_figures,
    plotly_figure, svg_to_png,
};
use crate::report::{Detail, pack_detail};
use anyhow::ensure;
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use std::sync::Arc;

/// How figures are drawn.
#[derive(Debug, Args)]
pub(super) struct FigureArgs {
    /// Files to write, any of svg, png, html (the report) [default: svg,html, or svg where only
    /// line plots are drawn]
    #[arg(long, value_enum, value_name = "KIND,...", value_delimiter = ',')]
    format: Vec<Kind>,
    /// Dots an inch of PNG figures; 96 gives as many pixels as the SVG says
    #[arg(long, value_name = "N", default_value_t = 192, value_parser = clap::value_parser!(u16).range(20..=1200))]
    dpi: u16,
    /// Draw every class in line plots and surfaces, not only the triple's and those that reach
    /// 0.5
    #[arg(long)]
    all_classes: bool,
    /// Draw the points and triangles of the meshes over frames, too
    #[arg(long)]
    mesh: bool,
    /// Where surfaces are looked at from, degrees about the vertical: 0 from C, 90 from B
    #[arg(long, value_name = "DEGREES", default_value_t = Camera::default().azimuth, allow_negative_numbers = true, value_parser = parse_degrees)]
    azimuth: f64,
    /// Degrees above the floor, 0 to 90
    #[arg(long, value_name = "DEGREES", default_value_t = Camera::default().elevation, value_parser = parse_elevation)]
    elevation: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Svg,
    Png,
    Html,
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
            },
        }))
    }
}

impl FigurePlan {
    /// Draws these classes only, whatever is asked for besides.
    pub(super) fn only_classes(&mut self, classes: Vec<usize>) {
        self.options.classes = Some(classes);
    }

    /// Whether frames are shown.
    pub(super) fn shows_frames(&self) -> bool {
        self.set != FigureSet::Line
    }

    /// Draws the figures of the triple whose landscapes `.1`, `.2`, `.3` these are, if they are
    /// of rows; `data` stand behind them.
    pub(super) fn draw_group(
        &self,
        files: [&LandscapeFile; 3],
        data: Option<&DataPoints>,
    ) -> anyhow::Result<Drawn> {
        if self.set == FigureSet::Line {
            return Ok(Drawn::default());
        }
        let figures = group_figures(files, data);
        Ok(Drawn {
            files: self.files(&figures)?,
            detail: None,
            figures,
        })
    }

    /// Figures in the formats that are wanted.
    fn files(&self, figures: &[Figure]) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        for Figure { name, svg } in figures {
            // A group's figures stand in a folder of the group.
            let name = name.trim_start_matches("group-");
            if let Some(dpi) = self.png {
                files.push((format!("{name}.png"), svg_to_png(svg, dpi)?));
            }
            if self.svg {
                files.push((format!("{name}.svg"), svg.as_bytes().to_vec()));
            }
        }
        Ok(files)
    }

    /// Draws the figures of a landscape; those of its group go into the report with them.
    pub(super) fn draw(
        &self,
        file: &LandscapeFile,
        frames: Option<&Tiles>,
        group: &[Figure],
    ) -> anyhow::Result<Drawn> {
        let mut options = self.options.clone();
        if options.classes.is_none() && self.all_classes {
            let mut classes = file.shown_classes();
            let others =
                (0..file.landscape.num_classes).filter(|class| !file.item_classes.contains(class));
            for class in others {
                if !classes.contains(&class) {
                    classes.push(class);
                }
            }
            options.classes = Some(classes);
        }
        let mut figures = landscape_figures(file, frames, self.set, &options);
        let mut files = self.files(&figures)?;
        if self.set != FigureSet::Line && (self.svg || self.png.is_some()) {
            let classes = options.classes.unwrap_or_else(|| file.shown_classes());
            let figure = serde_json::to_vec(&plotly_figure(file, &classes))?;
            files.push(("figure.plotly.json".into(), figure));
        }
        figures.extend_from_slice(group);
        let detail = self.report.then(|| pack_detail(file, frames, &figures));
        Ok(Drawn {
            files,
            detail,
            figures,
        })
    }
}

/// The figures of one landscape or group, as files, too, and its part of the report.
#[derive(Default)]
pub(super) struct Drawn {
    files: Vec<(String, Vec<u8>)>,
    pub(super) detail: Option<Detail>,
    pub(super) figures: Vec<Figure>,
}

impl Drawn {
    /// Adds a file to those that are written.
    pub(super) fn add(&mut self, name: &str, content: Vec<u8>) {
        self.files.push((name.to_owned(), content));
    }

    /// Writes the files to the folder of a landscape or group.
    pub(super) fn write(&self, folder: &OutputFolder, name: &str) -> anyhow::Result<()> {
        for (file, content) in &self.files {
            write_file(&folder.file(name).join(file), content)?;
        }
        Ok(())
    }
}

/// Draws and writes the figures of whole triples, whose landscapes `.1`, `.2`, `.3` follow each
/// other in `files`; gives each landscape the figures of its group.
pub(super) fn draw_groups(
    plan: &FigurePlan,
    files: &[LandscapeFile],
    data: Option<&DataPoints>,
    folder: &OutputFolder,
) -> anyhow::Result<Vec<Arc<[Figure]>>> {
    let groups: Vec<Arc<[Figure]>> = files
        .par_chunks(3)
        .map(|files| {
            let [first, second, third] = files else {
                anyhow::bail!("expected the three landscapes of a triple together");
            };
            let drawn = plan.draw_group([first, second, third], data)?;
            drawn.write(folder, first.triple_name())?;
            Ok(drawn.figures.into())
        })
        .collect::<anyhow::Result<_>>()?;
    Ok((0..files.len())
        .map(|n| Arc::clone(&groups[n / 3]))
        .collect())
}

/// Landscapes that a report shows in detail at most, the first of the run.
pub(super) const MAX_DETAILS: usize = 120;
