//! Figures of landscapes: what is wanted, drawn and written.

use super::error::RunError;
use super::folder::RunFolder;
use super::folder::layout::PLOTLY_FILE;
use super::walk::read_walk;
use crate::data::write_file;
use crate::job::Observer;
use crate::landscape::{DataPoints, LandscapeFile};
use crate::pipeline::PipelineError;
use crate::plot::{
    Figure, FigureOptions, FigureSet, MapOverlay, Marks, Tiles, group_figures, landscape_figures,
    plotly_figure, svg_to_png,
};
use crate::report::{Detail, pack_detail, pack_figures};
use rayon::prelude::*;
use serde_json::{Value, json};

/// Figures as they are wanted. How they are drawn decides no numbers of a run.
#[derive(Debug, Clone)]
pub struct FigurePlan {
    /// Which figures.
    pub set: FigureSet,
    /// Whether they are written as SVG.
    pub svg: bool,
    /// Whether they are written as PNG, and at how many dots an inch; 96 gives as many pixels as
    /// the SVG says.
    pub png: Option<u16>,
    /// Whether the report is written; it needs more than [`FigureSet::Line`].
    pub report: bool,
    /// Whether line plots and surfaces show every class, not only those of the triple and those
    /// that are predicted somewhere.
    pub all_classes: bool,
    /// View, marks, and classes to draw whatever is asked for besides.
    pub options: FigureOptions,
}

impl Default for FigurePlan {
    /// Every figure as SVG, and the report.
    fn default() -> Self {
        Self {
            set: FigureSet::All,
            svg: true,
            png: None,
            report: true,
            all_classes: false,
            options: FigureOptions::default(),
        }
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
    pub fn only_classes(&mut self, mut classes: Vec<usize>) {
        let mut seen = std::collections::HashSet::new();
        classes.retain(|class| seen.insert(*class));
        self.options.classes = Some(classes);
    }

    /// Whether meshes are asked for.
    pub fn shows_mesh(&self) -> bool {
        self.set == FigureSet::AllWithMesh
    }

    /// Whether frames are shown.
    pub(super) fn shows_frames(&self) -> bool {
        self.set != FigureSet::Line
    }

    /// Draws and writes the figures of a triple, all of whose landscapes these are:
    /// those of each landscape that is `wanted`, and of rows those of the three together. Gives
    /// the parts of the report of the landscapes wanted in `Detail`.
    ///
    /// `frames` gives a landscape's frames; `data` stand behind rows.
    pub(super) fn draw_triple(
        &self,
        folder: &RunFolder,
        files: &[LandscapeFile],
        data: Option<&DataPoints>,
        wanted: &(dyn Fn(&LandscapeFile) -> Wanted + Sync),
        frames: &(dyn Fn(&LandscapeFile) -> Result<Option<Tiles>, RunError> + Sync),
        observer: &dyn Observer,
    ) -> Result<Vec<Detail>, RunError> {
        let Some(first) = files.first() else {
            return Ok(Vec::new());
        };
        if files.iter().all(|file| wanted(file) == Wanted::No) {
            return Ok(Vec::new());
        }
        let group = match (self.set, files) {
            // What is drawn of a triple is drawn of its three permutations.
            (FigureSet::All | FigureSet::AllWithMesh, [a, b, c]) => {
                let classes = self.options.classes.clone().unwrap_or_else(|| {
                    let all = 0..first.landscape.num_classes;
                    all.filter(|_| self.all_classes).collect()
                });
                group_figures([a, b, c], data, &classes)
            }
            _ => Vec::new(),
        };
        self.write(folder, first.triple_name(), &group)?;
        let mut details: Vec<Detail> = files
            .par_iter()
            .map(|file| match wanted(file) {
                _ if observer.advance(0).is_break() => Err(PipelineError::Interrupted.into()),
                Wanted::No => Ok(None),
                wanted => {
                    let frames = if self.shows_frames() {
                        frames(file)?
                    } else {
                        None
                    };
                    let map = folder.class_map(&file.about.name)?;
                    let overlay = map.map(|map| map.overlay());
                    let overlay = overlay.as_ref();
                    let figures = self.draw(folder, file, frames.as_ref(), overlay)?;
                    let detail = self.report && wanted == Wanted::Detail;
                    if !detail {
                        return Ok(None);
                    }
                    let mut detail = pack_detail(file, frames.as_ref(), overlay, &figures);
                    if let Some(walk) = read_walk(folder, &file.about.name)? {
                        detail.add(&walk);
                    }
                    Ok(Some(detail))
                }
            })
            .collect::<Result<Vec<_>, RunError>>()?
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
        folder: &RunFolder,
        file: &LandscapeFile,
        frames: Option<&Tiles>,
        overlay: Option<&MapOverlay>,
    ) -> Result<Vec<Figure>, RunError> {
        let options = FigureOptions {
            classes: self.classes(file),
            ..self.options.clone()
        };
        if self.set != FigureSet::Line && (self.svg || self.png.is_some()) {
            let classes = options.classes.clone();
            let classes = classes.unwrap_or_else(|| file.surface_classes());
            let figure =
                serde_json::to_vec(&plotly_figure(file, &classes)).expect("a figure is plain data");
            write_file(&folder.folder(&file.about.name)?.join(PLOTLY_FILE), &figure)?;
        }
        let figures = landscape_figures(file, frames, overlay, self.set, &options);
        self.write(folder, &file.about.name, &figures)?;
        Ok(figures)
    }

    /// Writes figures in the formats that are wanted to the folder of a landscape or triple.
    fn write(&self, folder: &RunFolder, name: &str, figures: &[Figure]) -> Result<(), RunError> {
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
