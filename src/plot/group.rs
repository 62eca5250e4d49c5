//! Figures of a group of rows: the three landscapes of a triple together, as the paper shows
//! them (Powers, Shi, Liebovitch, Figs. 6 to 8).

use super::landscape::{answers, corners, thinned};
use super::line::{LinePlot, line_plot};
use super::ternary::{Ternary, TernaryPanel, ternary_plot};
use super::{Behind, Figure, ScatterPairs, scatter_pairs};
use crate::landscape::{DataPoints, Items, LandscapeFile};

/// The rows of a triple's three grids one after the other, in the paper's order of
/// permutations: (x, y) into z, (x, z) into y, (y, z) into x, which are `.3`, `.1`, `.2`.
struct Group<'a> {
    title: String,
    subtitle: String,
    /// The landscape that gives names: permutation `.3`, whose A, B, C are x, y, z.
    names: &'a LandscapeFile,
    features: &'a [String],
    rows: Vec<f32>,
    probabilities: Vec<f32>,
    labels: Vec<usize>,
    best: Vec<f32>,
    cycles: Vec<usize>,
    cycle_names: Vec<String>,
    /// Every class that is an item's or is predicted, with its name.
    legend: Vec<(usize, String)>,
}

/// The paper's order of permutations.
pub const PAPER_ORDER: [usize; 3] = [3, 1, 2];

/// Draws the figures of a triple from its landscapes `.1`, `.2`, `.3`: `group-line`,
/// `group-scatter` (of two features or more) and `group-ternary`; `data` stand behind the points
/// and beside the ternary plot. The line plot has the triple's classes, every predicted one, and
/// `classes`, which are the corners of the ternary plot if they are three. Nothing for images, whose landscapes have no features to scatter.
///
/// # Panics
/// When the landscapes are not the three of one triple in their order.
pub fn group_figures(
    files: [&LandscapeFile; 3],
    data: Option<&DataPoints>,
    classes: &[usize],
) -> Vec<Figure> {
    for (number, file) in (1..).zip(files) {
        assert_eq!(
            file.about.permutation.number(),
            number,
            "permutations in order"
        );
    }
    let Some(group) = Group::new(files) else {
        return Vec::new();
    };
    let mut figures = vec![Figure {
        name: "group-line",
        svg: group.line(classes),
    }];
    if group.features.len() >= 2 {
        figures.push(Figure {
            name: "group-scatter",
            svg: group.scatter(data),
        });
    }
    figures.push(Figure {
        name: "group-ternary",
        svg: group.ternary(data, corners(group.names, classes)),
    });
    figures
}

impl<'a> Group<'a> {
    fn new(files: [&'a LandscapeFile; 3]) -> Option<Self> {
        let ordered = PAPER_ORDER.map(|number| files[number - 1]);
        let names = ordered[0];
        let Items::Rows { features } = &names.about.items else {
            return None;
        };
        let steps = names.landscape.steps;
        let mut rows = Vec::new();
        for file in ordered {
            rows.extend_from_slice(file.landscape.inputs.as_ref()?);
        }
        let probabilities: Vec<f32> = ordered
            .iter()
            .flat_map(|file| &file.landscape.probabilities)
            .copied()
            .collect();
        let (labels, best) = answers(&probabilities, names.landscape.num_classes);
        let mut classes = names.about.item_classes.to_vec();
        for &label in &labels {
            if !classes.contains(&label) {
                classes.push(label);
            }
        }
        let [x, y, z] = &names.about.item_names;
        let group = names.triple_name();
        Some(Self {
            title: format!("Group {group}   {}", names.item_class_names().join(", ")),
            subtitle: format!(
                "x {x}, y {y}, z {z}; {} rows: permutations 3, 1, 2 of {steps} x {steps}, as in the paper\n{} features; model: {}",
                labels.len(),
                features.len(),
                names.about.model
            ),
            legend: classes
                .into_iter()
                .map(|class| {
                    let name = &names.about.class_names[class];
                    match names
                        .about
                        .item_classes
                        .iter()
                        .position(|&own| own == class)
                    {
                        Some(place) => (class, format!("{name} ({})", ["x", "y", "z"][place])),
                        None => (class, format!("{name} (intruder)")),
                    }
                })
                .collect(),
            cycles: (0..3).map(|n| n * steps * steps).collect(),
            cycle_names: ordered
                .iter()
                .map(|file| {
                    let [a, b, c] = file.item_class_names();
                    format!("{}: {a} to {b}, into {c}", file.about.name)
                })
                .collect(),
            features,
            names,
            rows,
            probabilities,
            labels,
            best,
        })
    }

    /// The rows that are the items: the first permutation begins at x, its last mix is y, and
    /// it ends at z.
    fn anchors(&self) -> [(usize, &'static str); 3] {
        let steps = self.names.landscape.steps;
        [
            (0, "x"),
            ((steps - 1) * steps, "y"),
            (steps * steps - 1, "z"),
        ]
    }

    /// The legend with the classes of the data, which are drawn, too.
    fn legend_with(&self, data: Option<&DataPoints>) -> Vec<(usize, String)> {
        let mut legend = self.legend.clone();
        let mut present = vec![false; self.names.about.class_names.len()];
        for &label in data.iter().flat_map(|data| &data.labels) {
            present[label] = true;
        }
        for (class, name) in self.names.about.class_names.iter().enumerate() {
            if present[class] && !legend.iter().any(|(known, _)| *known == class) {
                legend.push((class, name.clone()));
            }
        }
        legend
    }

    fn line(&self, more_classes: &[usize]) -> String {
        let mut classes = self.legend.clone();
        for &class in more_classes {
            if !classes.iter().any(|(known, _)| *known == class) {
                classes.push((class, self.names.about.class_names[class].clone()));
            }
        }
        line_plot(&LinePlot {
            title: &self.title,
            subtitle: &self.subtitle,
            axis: "row, in three cycles of a grid each",
            probabilities: &self.probabilities,
            num_classes: self.names.landscape.num_classes,
            cycles: &self.cycles,
            cycle_names: &self.cycle_names,
            classes: &classes,
        })
    }

    fn scatter(&self, data: Option<&DataPoints>) -> String {
        let behind = data.map(thinned);
        scatter_pairs(&ScatterPairs {
            title: &self.title,
            subtitle: &self.subtitle,
            features: self.features,
            points: &self.rows,
            labels: &self.labels,
            probabilities: &self.best,
            anchors: &self.anchors(),
            behind: behind.as_ref().map(|(points, classes, every)| Behind {
                points,
                classes,
                every: *every,
            }),
            range: None,
            legend: &self.legend_with(data),
        })
    }

    fn ternary(&self, data: Option<&DataPoints>, corners: [usize; 3]) -> String {
        let whole = match data.map_or(1, |data| data.every) {
            1 => "the whole data set".to_owned(),
            every => format!("one in {every} rows of the data"),
        };
        let anchors = self.anchors();
        let mut panels = vec![TernaryPanel {
            points: "the interpolated rows",
            colored_by: "by predicted class",
            probabilities: &self.probabilities,
            classes: &self.labels,
            anchors: &anchors,
        }];
        if let Some(data) = data {
            panels.push(TernaryPanel {
                points: &whole,
                colored_by: "by own class",
                probabilities: &data.probabilities,
                classes: &data.labels,
                anchors: &[],
            });
        }
        ternary_plot(&Ternary {
            title: &self.title,
            subtitle: &self.subtitle,
            corners,
            class_names: &self.names.about.class_names,
            panels: &panels,
            legend: &self.legend_with(data),
        })
    }
}
