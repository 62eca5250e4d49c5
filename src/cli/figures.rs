//! How figures are drawn, from the arguments.

use crate::plot::{Camera, FigureOptions, FigureSet, Marks};
use crate::run::FigurePlan;
use anyhow::ensure;
use clap::{Args, ValueEnum};

/// How figures are drawn.
#[derive(Debug, Args)]
pub(super) struct FigureArgs {
    /// Files to write, any of svg, png, html (the report) [default: svg,html, or svg where only
    /// line plots are drawn]
    #[arg(long, value_enum, value_name = "KIND,...", value_delimiter = ',')]
    format: Vec<Kind>,
    /// Dots per inch of PNG figures; 96 gives as many pixels as the SVG says. A figure that would
    /// have more than 20,000 pixels a side gets fewer
    #[arg(long, value_name = "N", default_value_t = 192, value_parser = clap::value_parser!(u16).range(20..=1200))]
    dpi: u16,
    /// Draw every class in line plots and surfaces, not only the triple's and those that are
    /// predicted somewhere (as a surface: that reach 0.5)
    #[arg(long)]
    all_classes: bool,
    /// Also draw the points and triangles of the meshes over frames
    #[arg(long)]
    mesh: bool,
    /// Mark on the decision map and the surfaces: critical, the minima, saddles and maxima of one
    /// class's probability (on a surface its own class; on the map C's class, or with plot the
    /// first --class); barriers, the best path between each two of A, B, C and its pass
    #[arg(long, value_enum, value_name = "WHAT,...", value_delimiter = ',')]
    mark: Vec<MarkName>,
    /// The direction from which surfaces are seen, in degrees about the vertical: 0 from C, 90 from
    /// B
    #[arg(long, value_name = "DEGREES", default_value_t = Camera::default().azimuth, allow_negative_numbers = true, value_parser = parse_degrees)]
    azimuth: f64,
    /// The height from which surfaces are seen, in degrees above the floor, 0 to 90
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
    /// A line plot for each landscape, no report
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
