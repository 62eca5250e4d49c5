//! All figures of one landscape.

use super::caption::{class_label, subtitle, title};
use super::ternary::{Ternary, TernaryPanel, ternary_plot};
use super::tiles::Tiles;
use super::{
    Camera, ScatterPairs, decision_map, grid_sheet, line_plot, mesh_strips, path_strips,
    scatter_pairs, surface_plot,
};
use crate::landscape::{DataPoints, Items, LandscapeFile, argmax};

/// A drawn figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Name, which is the file's: `line`, `surface`, `map`, `paths`, `sheet`, `mesh`, `scatter`
    /// or `ternary`.
    pub name: &'static str,
    /// The figure.
    pub svg: String,
}

/// Which figures are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureSet {
    /// The line plot.
    Line,
    /// Every figure but the meshes.
    All,
    /// Every figure.
    AllWithMesh,
}

/// How figures are drawn.
#[derive(Debug, Clone, Default)]
pub struct FigureOptions {
    /// Classes of the line plot and the surfaces; without, those of A, B, C and the intruders.
    pub classes: Option<Vec<usize>>,
    /// Where the surfaces are looked at from.
    pub camera: Camera,
}

/// Draws the figures of a landscape. Those that show frames need `frames`; `data` stands behind
/// the scatter pairs and beside the ternary plot of a landscape of rows.
///
/// # Panics
/// When a class is out of range.
pub fn landscape_figures(
    file: &LandscapeFile,
    frames: Option<&Tiles<'_>>,
    data: Option<&DataPoints>,
    set: FigureSet,
    options: &FigureOptions,
) -> Vec<Figure> {
    let classes = options
        .classes
        .clone()
        .unwrap_or_else(|| file.shown_classes());
    let mut figures = vec![Figure {
        name: "line",
        svg: line_plot(file, &classes),
    }];
    if set == FigureSet::Line {
        return figures;
    }
    let mut add = |name, svg| figures.push(Figure { name, svg });
    add("surface", surface_plot(file, &classes, options.camera));
    add("map", decision_map(file, frames));
    if let Some(frames) = frames {
        add("paths", path_strips(file, frames));
        add("sheet", grid_sheet(file, frames));
    }
    if let (Some(frames), FigureSet::AllWithMesh) = (frames, set)
        && let Some(svg) = mesh_strips(file, frames)
    {
        add("mesh", svg);
    }
    add("ternary", ternary(file, data));
    add("scatter", scatter(file, data));
    figures
}

/// The grid points that are the items: A at the start, B at the last mix, C at the end.
fn anchors(file: &LandscapeFile) -> [(usize, &'static str); 3] {
    let steps = file.landscape.steps;
    [
        (0, "A"),
        ((steps - 1) * steps, "B"),
        (steps * steps - 1, "C"),
    ]
}

fn labels(file: &LandscapeFile) -> Vec<usize> {
    (0..file.landscape.num_frames())
        .map(|k| file.landscape.label(k))
        .collect()
}

/// Every predicted class with its name.
fn legend(file: &LandscapeFile) -> Vec<(usize, String)> {
    file.predicted_classes()
        .into_iter()
        .map(|class| (class, class_label(file, class)))
        .collect()
}

fn ternary(file: &LandscapeFile, data: Option<&DataPoints>) -> String {
    let labels = labels(file);
    let anchors = anchors(file);
    let heading = match file.items {
        Items::Images { .. } => "the frames, by predicted class",
        Items::Rows { .. } => "the interpolated rows, by predicted class",
    };
    let mut panels = vec![TernaryPanel {
        heading,
        probabilities: &file.landscape.probabilities,
        classes: &labels,
        anchors: &anchors,
    }];
    if let Some(data) = data {
        panels.push(TernaryPanel {
            heading: "the whole data set, by its own class",
            probabilities: &data.probabilities,
            classes: &data.labels,
            anchors: &[],
        });
    }
    ternary_plot(&Ternary {
        title: &title(file),
        subtitle: &subtitle(file),
        corners: file.item_classes,
        class_names: &file.class_names,
        panels: &panels,
        legend: &legend(file),
    })
}

/// A landscape of rows in its features; one of images in the probabilities of its classes.
fn scatter(file: &LandscapeFile, data: Option<&DataPoints>) -> String {
    let landscape = &file.landscape;
    let labels = labels(file);
    let best: Vec<f32> = (0..landscape.num_frames())
        .map(|k| {
            let probabilities = landscape.probabilities_of(k);
            probabilities[argmax(probabilities)]
        })
        .collect();
    let (features, points): (Vec<String>, Vec<f32>) = match (&file.items, &landscape.inputs) {
        (Items::Rows { features }, Some(rows)) => (features.clone(), rows.clone()),
        _ => (
            file.item_classes
                .map(|class| format!("p({})", file.class_names[class]))
                .to_vec(),
            (0..landscape.num_frames())
                .flat_map(|k| {
                    file.item_classes
                        .map(|class| landscape.probabilities_of(k)[class])
                })
                .collect(),
        ),
    };
    scatter_pairs(&ScatterPairs {
        title: &title(file),
        subtitle: &subtitle(file),
        features: &features,
        points: &points,
        labels: &labels,
        probabilities: &best,
        anchors: &anchors(file),
        behind: data.map(|data| (data.rows.as_slice(), data.labels.as_slice())),
        legend: &legend(file),
    })
}
