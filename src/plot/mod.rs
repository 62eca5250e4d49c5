//! Pictures of values: no engine, no file.

mod line;
mod sheet;
mod style;

pub use line::{LinePlot, line_plot};
pub use sheet::contact_sheet;
pub use style::class_color;
