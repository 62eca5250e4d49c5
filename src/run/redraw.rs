//! The figures of a finished run, drawn again from its files alone.

use super::error::{Placed, RunError};
use super::figures::{FigurePlan, MAX_DETAILS, Wanted};
use super::folder::RunFolder;
use super::folder::layout::{DATA_FILE, FRAMES_FILE, LANDSCAPE_FILE, RESOLUTION_FILE};
use super::models::is_of_models;
use super::page::report;
use super::resolution::Resolution;
use super::summary::{SummaryRow, measure_files};
use crate::data::{MAX_JSON_BYTES, Picture, read_text};
use crate::job::{JobError, Located, Observer, class_number};
use crate::landscape::{DataPoints, Items, LandscapeFile, triple_of};
use crate::plot::Tiles;
use crate::remedy::Setting;
use crate::report::Detail;
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// What to draw of a finished run.
#[derive(Debug, Clone, Default)]
pub struct Redraw {
    /// Names of the landscapes to draw, e.g. `1A.3`; without any all. The report is drawn with all
    /// alone, since it shows the whole run.
    pub landscapes: Vec<String>,
    /// Classes of line plots and surfaces, by number or name, in this order; without any those
    /// that the figures choose.
    pub classes: Vec<String>,
    /// How figures are drawn.
    pub figures: FigurePlan,
}

/// What was drawn.
#[derive(Debug, Clone, Copy)]
pub struct Redrawn {
    /// How many landscapes.
    pub landscapes: usize,
    /// Whether the report was.
    pub report: bool,
    /// Whether there are landscapes whose frames were not kept, so that figures which show frames
    /// are not drawn of them.
    pub frames_missing: bool,
}

impl RunFolder {
    /// Draws figures of a finished run again: other classes, formats, views.
    ///
    /// # Errors
    /// [`RunError`] where a landscape or class is not the run's, a file cannot be read or written,
    /// or another process writes to the folder.
    pub fn redraw(mut self, redraw: &Redraw, observer: &dyn Observer) -> Result<Redrawn, RunError> {
        if is_of_models(&self.manifest()["plan"]) {
            return Err(RunError::refused_but(
                format!(
                    "{}: expected a run of one model, found a comparison of several, whose figures are drawn with it",
                    self.path().display()
                ),
                "run its command again with {}",
                &[Setting::Force],
            ));
        }
        let finished = self.landscapes()?;
        for name in &redraw.landscapes {
            if !finished.contains(name) {
                // The names are so much alike that the nearest is most often not the one meant.
                let problem = match &finished[..] {
                    [first, .., last] => format!(
                        "expected one of the run's {} landscapes, {first} to {last}",
                        finished.len()
                    ),
                    only => format!("expected the run's landscape, {}", only.concat()),
                };
                let refused = JobError::unfit(problem);
                return Err(JobError::setting(Setting::Landscape, name, refused).into());
            }
        }
        let mut plan = redraw.figures.clone();
        let is_wanted =
            |name: &&String| redraw.landscapes.is_empty() || redraw.landscapes.contains(*name);
        let names: Vec<&String> = finished.iter().filter(is_wanted).collect();
        plan.report &= names.len() == finished.len();
        let first = read_landscape(&self, names[0], LANDSCAPE_FILE)?;
        if !redraw.classes.is_empty() {
            let classes = redraw
                .classes
                .iter()
                .map(|class| {
                    class_number(class, &first.about.class_names).in_setting(Setting::Class, class)
                })
                .collect::<Result<_, _>>()?;
            plan.only_classes(classes);
        }
        let data = self.read_data_points()?;
        if plan.shows_mesh() && matches!(first.about.items, Items::Rows { .. }) {
            return Err(RunError::refused_but(
                "rows of measurements have no meshes",
                "leave {} out",
                &[Setting::Mesh],
            ));
        }
        self.lock()?;
        self.begin_drawing()?;
        // Each wanted landscape with its place among them.
        let wanted: HashMap<&str, usize> = names
            .iter()
            .enumerate()
            .map(|(n, name)| (name.as_str(), n))
            .collect();
        // Triple by triple, so that memory stays small and groups of rows are drawn together.
        let triples: Vec<&[String]> = finished
            .chunk_by(|a, b| triple_of(a) == triple_of(b))
            .filter(|triple| triple.iter().any(|name| wanted.contains_key(name.as_str())))
            .collect();
        let frameless = AtomicBool::new(false);
        let folder = &self;
        let drawn: Vec<(Vec<SummaryRow>, Vec<Detail>)> = triples
            .par_iter()
            .map(|triple| {
                let files = triple
                    .iter()
                    .map(|name| read_landscape(folder, name, LANDSCAPE_FILE))
                    .collect::<Result<Vec<_>, _>>()?;
                for file in &files {
                    check_belongs(&first, file, data.as_ref())?;
                }
                let is_wanted = |file: &LandscapeFile| match wanted.get(file.about.name.as_str()) {
                    None => Wanted::No,
                    Some(&n) if n < MAX_DETAILS => Wanted::Detail,
                    Some(_) => Wanted::Figures,
                };
                let frames_of = |file: &LandscapeFile| {
                    let frames = frames(folder, file)?;
                    if frames.is_none() && matches!(file.about.items, Items::Images { .. }) {
                        frameless.store(true, Ordering::Relaxed);
                    }
                    Ok(frames)
                };
                let details = plan.draw_triple(
                    folder,
                    &files,
                    data.as_ref(),
                    &is_wanted,
                    &frames_of,
                    observer,
                )?;
                let measured = files.iter().zip(measure_files(&files));
                let rows = measured.map(|(file, measures)| SummaryRow::new(file, measures));
                Ok((rows.collect(), details))
            })
            .collect::<Result<_, RunError>>()?;
        let frames_missing = frameless.into_inner();
        if plan.report {
            let (rows, details): (Vec<_>, Vec<_>) = drawn.into_iter().unzip();
            report(
                &self,
                &first.about.class_names,
                (first.landscape.kind, first.landscape.steps),
                &first.about.items,
                &rows.concat(),
                &details.concat(),
                self.read_resolution()?.as_ref(),
            )?;
        }
        let redrawn = Redrawn {
            landscapes: names.len(),
            report: plan.report,
            frames_missing,
        };
        self.finish_drawing()?;
        Ok(redrawn)
    }

    /// A landscape of a finished run, by its name.
    ///
    /// # Errors
    /// [`RunError`] where its file cannot be read, or is another's.
    pub fn landscape(&self, name: &str) -> Result<LandscapeFile, RunError> {
        read_landscape(self, name, LANDSCAPE_FILE)
    }

    /// All landscapes of a finished run, measured from their files.
    ///
    /// # Errors
    /// [`RunError`] where a file cannot be read.
    pub fn rows(&self) -> Result<Vec<SummaryRow>, RunError> {
        let names = self.landscapes()?;
        let triples: Vec<&[String]> = names
            .chunk_by(|a, b| triple_of(a) == triple_of(b))
            .collect();
        let rows = triples
            .par_iter()
            .map(|triple| {
                let files = triple
                    .iter()
                    .map(|name| read_landscape(self, name, LANDSCAPE_FILE))
                    .collect::<Result<Vec<_>, _>>()?;
                let siblings = files[0].landscape.kind.siblings().len();
                if files.len() != siblings {
                    return Err(RunError::refused(format!(
                        "{}: expected {siblings} landscapes of the triple, found {}",
                        triple[0],
                        files.len()
                    )));
                }
                let measured = files.iter().zip(measure_files(&files));
                let rows = measured.map(|(file, measures)| SummaryRow::new(file, measures));
                Ok(rows.collect::<Vec<_>>())
            })
            .collect::<Result<Vec<_>, RunError>>()?;
        Ok(rows.concat())
    }

    /// The measures on finer grids, if the run took them.
    fn read_resolution(&self) -> Result<Option<Resolution>, RunError> {
        let path = self.file(RESOLUTION_FILE);
        if !path.exists() {
            return Ok(None);
        }
        let text = read_text(&path, MAX_JSON_BYTES).placed(path.display())?;
        Ok(Some(Resolution::parse(&text, path.display())?))
    }
}

/// A landscape of the run, which must be the one that its place says it is.
pub(super) fn read_landscape(
    folder: &RunFolder,
    name: &str,
    file: &str,
) -> Result<LandscapeFile, RunError> {
    let path = folder.file(name).join(file);
    let place = path.display();
    let file = LandscapeFile::read(&path).placed(&place)?;
    let is_its_own = file.about.name == name
        && (file.landscape.kind.siblings())
            .iter()
            .any(|p| *p == file.about.permutation && name.ends_with(&format!(".{}", p.number())));
    if !is_its_own {
        return Err(RunError::refused(format!(
            "{place}: expected landscape {name}, found {}, permutation {}; the file was put there from elsewhere",
            file.about.name,
            file.about.permutation.number()
        )));
    }
    Ok(file)
}

/// Refuses landscapes and data that are not of one run.
fn check_belongs(
    first: &LandscapeFile,
    file: &LandscapeFile,
    data: Option<&DataPoints>,
) -> Result<(), RunError> {
    let is_alike = file.about.class_names == first.about.class_names
        && file.about.items == first.about.items
        && file.landscape.kind == first.landscape.kind
        && file.landscape.steps == first.landscape.steps;
    if !is_alike {
        return Err(RunError::refused(format!(
            "{} and {}: expected landscapes of the same classes, steps and items, found others; they are not of one run",
            first.about.name, file.about.name
        )));
    }
    if let (Some(data), Items::Rows { features }) = (data, &file.about.items)
        && (data.features != *features || data.class_names != file.about.class_names)
    {
        return Err(RunError::refused(format!(
            "{DATA_FILE}: expected the features and classes of {}, found others; it is not of this run",
            file.about.name
        )));
    }
    Ok(())
}

/// The frames of a landscape, from its tensors or else from its picture of them.
fn frames(folder: &RunFolder, file: &LandscapeFile) -> Result<Option<Tiles>, RunError> {
    let Items::Images { shape } = file.about.items else {
        return Ok(None);
    };
    let path = folder.file(&file.about.name).join(FRAMES_FILE);
    if let Some(tiles) = Tiles::of(file) {
        return Ok(Some(tiles));
    }
    if !path.exists() {
        return Ok(None);
    }
    let [height, width, channels] = shape;
    let steps = file.landscape.steps;
    let atlas = Picture::read_png(&path, [steps * height, steps * width, channels])
        .placed(path.display())?;
    Ok(Some(Tiles::from_atlas(&atlas, steps, shape)))
}
