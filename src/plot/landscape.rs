//! All figures of one landscape.

use super::caption::{class_label, subtitle, title};
use super::overlay::MapOverlay;
use super::ternary::{Ternary, TernaryPanel, ternary_plot};
use super::tiles::Tiles;
use super::{
    Camera, Marks, ScatterPairs, decision_map, grid_sheet, landscape_line, mesh_strips,
    path_strips, scatter_pairs, surface_plot,
};
use crate::landscape::{DataPoints, Items, LandscapeFile, argmax};

/// A drawn figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// Name, which is the file's: `line`, `surface`, `map`, `paths`, `sheet`, `mesh`, `scatter`,
    /// `ternary`, or `group-line` and its like.
    pub name: &'static str,
    /// The figure.
    pub svg: String,
}

/// What the report calls each figure that it shows, by [`Figure::name`].
pub const FIGURE_TITLES: [(&str, &str); 14] = [
    ("line", "Line plot"),
    ("surface", "3-D landscape"),
    ("map", "Decision map"),
    ("ternary", "Ternary plot"),
    ("scatter", "Scatter pairs"),
    ("paths", "Frames along two paths"),
    ("mesh", "Meshes"),
    ("group-line", "Line plot of the group"),
    ("group-scatter", "Scatter pairs of the group"),
    ("group-ternary", "Ternary plots of the group and the data"),
    ("walk-spread", "Distance over steps"),
    ("walk-walkers", "Walkers on the surface"),
    ("walk-occupation", "Occupation"),
    ("walk-committor", "Committor and first passage"),
];

impl Figure {
    /// Its title in the report; nothing for a figure that the report does not show.
    pub fn title(&self) -> Option<&'static str> {
        let mut titles = FIGURE_TITLES.into_iter();
        titles.find_map(|(name, title)| (name == self.name).then_some(title))
    }
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
    /// Classes of the line plot and the surfaces; without, those of A, B, C and the intruders, as
    /// surfaces only the ones that reach 0.5. Three classes are the corners of the ternary plot,
    /// too.
    pub classes: Option<Vec<usize>>,
    /// Where the surfaces are looked at from.
    pub camera: Camera,
    /// What is marked on the map and the surfaces. Critical points are those of a surface's own
    /// class, on the map of the first of `classes`, else of the class of C.
    pub marks: Marks,
}

/// The corners of a ternary plot: the classes that are asked for, if they are three, else those
/// of A, B, C.
pub(super) fn corners(file: &LandscapeFile, classes: &[usize]) -> [usize; 3] {
    <[usize; 3]>::try_from(classes).unwrap_or(file.about.item_classes)
}

/// Draws the figures of a landscape, on its map an `overlay`. Those that show frames need `frames`; scatter pairs and the
/// ternary plot of a landscape of rows are those of its group ([`super::group_figures`]).
///
/// # Panics
/// When a class is out of range.
pub fn landscape_figures(
    file: &LandscapeFile,
    frames: Option<&Tiles>,
    overlay: Option<&MapOverlay>,
    set: FigureSet,
    options: &FigureOptions,
) -> Vec<Figure> {
    let (lines, surfaces) = match &options.classes {
        Some(classes) => (classes.clone(), classes.clone()),
        None => (file.predicted_classes(), file.surface_classes()),
    };
    let mut figures = vec![Figure {
        name: "line",
        svg: landscape_line(file, &lines),
    }];
    if set == FigureSet::Line {
        return figures;
    }
    let mut add = |name, svg| figures.push(Figure { name, svg });
    let surface = surface_plot(file, &surfaces, options.camera, options.marks);
    add("surface", surface);
    let of_map = options.classes.as_ref().and_then(|c| c.first().copied());
    let of_map = of_map.unwrap_or(file.about.item_classes[2]);
    add(
        "map",
        decision_map(file, frames, overlay, options.marks, of_map),
    );
    if let Some(frames) = frames {
        add("paths", path_strips(file, frames));
        add("sheet", grid_sheet(file, frames));
    }
    if let (Some(frames), FigureSet::AllWithMesh) = (frames, set)
        && let Some(svg) = mesh_strips(file, frames)
    {
        add("mesh", svg);
    }
    let grouped =
        matches!(file.about.items, Items::Rows { .. }) && file.landscape.kind.siblings().len() > 1;
    if !grouped {
        let points = Points::of(file);
        let asked = options.classes.as_deref().unwrap_or_default();
        add("ternary", ternary(file, &points, corners(file, asked)));
        add("scatter", scatter(file, &points));
    }
    figures
}

/// The frames of a landscape that have an answer, as points.
struct Points {
    /// `[n, num_classes]`.
    probabilities: Vec<f32>,
    labels: Vec<usize>,
    /// Probability of the predicted class.
    best: Vec<f32>,
    /// The points that are the items: A at the start, B at the last mix, C at the end.
    anchors: Vec<(usize, &'static str)>,
}

impl Points {
    fn of(file: &LandscapeFile) -> Self {
        let landscape = &file.landscape;
        let answered: Vec<usize> = (0..landscape.num_frames())
            .filter(|&k| !landscape.is_failed(k))
            .collect();
        let probabilities: Vec<f32> = answered
            .iter()
            .flat_map(|&k| landscape.probabilities_of(k).iter().copied())
            .collect();
        let (labels, best) = answers(&probabilities, landscape.num_classes);
        // Of a plane the nearest points.
        let [a, b, c] = landscape.item_points();
        let items = [(a, "A"), (b, "B"), (c, "C")];
        let place =
            |(k, letter): (Option<usize>, _)| Some((answered.binary_search(&k?).ok()?, letter));
        Self {
            probabilities,
            labels,
            best,
            anchors: items.into_iter().filter_map(place).collect(),
        }
    }
}

/// The predicted class of each row of probabilities, and its probability.
pub(super) fn answers(probabilities: &[f32], num_classes: usize) -> (Vec<usize>, Vec<f32>) {
    probabilities
        .chunks_exact(num_classes)
        .map(|row| {
            let label = argmax(row);
            (label, row[label])
        })
        .unzip()
}

/// Every predicted class with its name.
fn legend(file: &LandscapeFile) -> Vec<(usize, String)> {
    file.predicted_classes()
        .into_iter()
        .map(|class| (class, class_label(file, class)))
        .collect()
}

fn ternary(file: &LandscapeFile, points: &Points, corners: [usize; 3]) -> String {
    ternary_plot(&Ternary {
        title: &title(file),
        subtitle: &subtitle(file),
        corners,
        class_names: &file.about.class_names,
        panels: &[TernaryPanel {
            points: match points.labels.len() == file.landscape.num_points() {
                true => "the frames",
                false => "the frames that did not fail",
            },
            colored_by: "by predicted class",
            probabilities: &points.probabilities,
            classes: &points.labels,
            anchors: &points.anchors,
        }],
        legend: &legend(file),
    })
}

/// Frames in the probabilities of the triple's classes.
fn scatter(file: &LandscapeFile, frames: &Points) -> String {
    let features = file
        .about
        .item_classes
        .map(|class| format!("p({})", file.about.class_names[class]));
    let points: Vec<f32> = frames
        .probabilities
        .chunks_exact(file.landscape.num_classes)
        .flat_map(|row| file.about.item_classes.map(|class| row[class]))
        .collect();
    scatter_pairs(&ScatterPairs {
        title: &title(file),
        subtitle: &subtitle(file),
        features: &features,
        points: &points,
        labels: &frames.labels,
        probabilities: &frames.best,
        anchors: &frames.anchors,
        behind: None,
        range: Some(-0.02..1.02),
        legend: &legend(file),
    })
}

/// Rows drawn behind scatter pairs at most; of more, every n-th.
const MAX_BEHIND: usize = 600;

/// The rows to draw behind scatter pairs, their classes, and every how many of the data they
/// are.
pub(super) fn thinned(data: &DataPoints) -> (Vec<f32>, Vec<usize>, usize) {
    let every = data.labels.len().div_ceil(MAX_BEHIND).max(1);
    let rows = data.rows.chunks_exact(data.features.len());
    (
        rows.step_by(every).flatten().copied().collect(),
        data.labels.iter().copied().step_by(every).collect(),
        every * data.every,
    )
}
