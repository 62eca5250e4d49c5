//! Pictures of values: no engine, no file.

mod line;
mod mesh;
mod sheet;
mod style;

pub use line::{LinePlot, line_plot};
pub use mesh::mesh_picture;
pub use sheet::contact_sheet;
