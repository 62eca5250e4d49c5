//! Pictures of values: no engine, no file.
//!
//! A figure is an SVG text that needs no font of the system; [`svg_to_png`] makes a picture of
//! it. [`landscape_figures`] draws all figures of a landscape and [`group_figures`] those of a
//! triple of rows; line, scatter and ternary plots take plain points, too.

mod canvas;
mod caption;
mod decision;
mod group;
mod height_field;
mod landscape;
mod line;
mod line_section;
mod marks;
mod mesh;
mod models;
mod modes;
mod overlay;
mod plotly;
mod raster;
mod scatter;
mod sheet;
mod strips;
mod style;
mod surface;
mod ternary;
mod tiles;
mod walk;

pub use canvas::PICTURE_STYLE;
pub use caption::{class_label, title};
pub use decision::decision_map;
pub use group::{PAPER_ORDER, group_figures};
pub use height_field::Camera;
pub use landscape::{FIGURE_TITLES, Figure, FigureOptions, FigureSet, landscape_figures};
pub use line::{LinePlot, landscape_line, line_plot};
pub use line_section::{LineSectionPlot, line_section_plot};
pub use marks::Marks;
pub use mesh::mesh_picture;
pub use models::{
    ModelMaps, ModelMapsRow, PairDots, disagreement, model_maps, pair_dots, pair_matrix,
};
pub use modes::{ModesPanel, ModesPlot, modes_plot};
pub use overlay::{DrawnOverlay, MapOverlay};
pub use plotly::plotly_figure;
pub use raster::{svg_to_png, svgs_to_apng};
pub use scatter::{Behind, ScatterPairs, scatter_pairs};
pub use sheet::contact_sheet;
pub use strips::{grid_sheet, mesh_strips, path_strips};
pub use style::class_color_hex;
pub use surface::surface_plot;
pub use ternary::{Ternary, TernaryPanel, ternary_plot};
pub use tiles::Tiles;
pub use walk::{
    FieldMaps, OccupationPlot, SpreadPlot, TrackingPanel, TrackingPoint, WalkersPlot,
    committor_maps, occupation_plot, spread_plot, tracking_plot, walkers_plot,
};
