//! The compiled half of the Python package `morphscape`.
//!
//! ```text
//! morphscape (Python)     adapters of models, units and layouts, DataFrames, objects that show themselves
//!    └─ _morphscape       this library: plain numpy in and out
//!          └─ morphscape  the engine
//! ```
//!
//! Nothing here knows of frameworks or of a user's units: images come as grey levels 0..255
//! `[n, H, W, C]`, rows as `[n, features]`, both `float32` and contiguous, and a callable is handed
//! batches of the same. What a user meets is in `python/morphscape/`.
//!
//! - `network`: what is asked, a model of ours or a callable
//! - `watch`: work without the GIL while the caller's thread listens for Ctrl-C
//! - `grids`, `planes`, `landscape`: landscapes of arrays, and one landscape
//! - `lines`: the line between two inputs, and the lines between many
//! - `walk`, `compare`, `models`: random walks, and the comparisons of modes and of models
//! - `data`: the items of a job; `runs`: jobs that write a folder, and finished runs
//! - `atlas`: atlases of whole data sets
//! - `report`: the report of landscapes in memory
//! - `error`: errors of the library as exceptions

#![allow(
    clippy::too_many_arguments,
    reason = "keywords of Python are arguments here; the Python half gives each a name and a default"
)]

#[cfg(feature = "atlas")]
mod atlas;
mod compare;
mod data;
mod engine;
mod error;
mod grids;
mod landscape;
mod lines;
mod models;
mod network;
mod planes;
mod report;
mod runs;
mod walk;
mod watch;

use morphscape::landscape::COLUMNS;
use morphscape::plot::class_color_hex;
use pyo3::prelude::*;

/// Key, label and help of every measure, in the order of `summary.csv`.
#[pyfunction]
fn columns() -> Vec<(&'static str, &'static str, &'static str)> {
    let columns = COLUMNS.iter();
    columns
        .map(|column| (column.key, column.label, column.help))
        .collect()
}

/// The colours of so many classes as figures have them, `#rrggbb`.
#[pyfunction]
fn class_colors(classes: usize) -> Vec<String> {
    (0..classes).map(class_color_hex).collect()
}

/// The command line: the words after the program's name are `words`. Gives the exit code.
#[cfg(feature = "cli")]
#[pyfunction]
fn command_line(py: Python<'_>, words: Vec<String>) -> u8 {
    let words = std::iter::once("morphscape".to_owned()).chain(words);
    // Help and wrong usage end the process here, as they do in the program.
    let command = morphscape::cli::Cli::of_words(words);
    py.detach(|| command.run_on(morphscape::engine::gpu::open))
}

/// Says that this build has no command line.
#[cfg(not(feature = "cli"))]
#[pyfunction]
fn command_line(words: Vec<String>) -> PyResult<u8> {
    drop(words);
    Err(error::InputError::new_err(
        "this build of morphscape has no command line; it is in the wheels on the package index",
    ))
}

#[pymodule]
fn _morphscape(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    error::add_to(module)?;
    module.add_class::<network::Network>()?;
    module.add_class::<landscape::LandscapeFile>()?;
    module.add_class::<runs::RunFolder>()?;
    module.add_class::<models::ComparedModels>()?;
    module.add_function(wrap_pyfunction!(columns, module)?)?;
    module.add_function(wrap_pyfunction!(class_colors, module)?)?;
    module.add_function(wrap_pyfunction!(command_line, module)?)?;
    module.add_function(wrap_pyfunction!(engine::engine_name, module)?)?;
    module.add_function(wrap_pyfunction!(engine::engine_messages, module)?)?;
    module.add_function(wrap_pyfunction!(grids::choose, module)?)?;
    module.add_function(wrap_pyfunction!(grids::image_grids, module)?)?;
    module.add_function(wrap_pyfunction!(grids::row_grids, module)?)?;
    module.add_function(wrap_pyfunction!(planes::flat_grids, module)?)?;
    module.add_function(wrap_pyfunction!(grids::morph_frames, module)?)?;
    module.add_function(wrap_pyfunction!(landscape::landscape_from_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(lines::line_intervals, module)?)?;
    module.add_function(wrap_pyfunction!(lines::cut_pairs, module)?)?;
    module.add_function(wrap_pyfunction!(lines::draw_pairs, module)?)?;
    module.add_function(wrap_pyfunction!(lines::read_lines, module)?)?;
    module.add_function(wrap_pyfunction!(models::models, module)?)?;
    #[cfg(feature = "atlas")]
    {
        module.add_function(wrap_pyfunction!(atlas::atlas_plan, module)?)?;
        module.add_function(wrap_pyfunction!(atlas::atlas_missing, module)?)?;
        module.add_function(wrap_pyfunction!(atlas::atlas_run, module)?)?;
        module.add_function(wrap_pyfunction!(atlas::atlas_finish, module)?)?;
    }
    module.add_function(wrap_pyfunction!(data::place_has_rows, module)?)?;
    module.add_function(wrap_pyfunction!(grids::fashion_mnist, module)?)?;
    module.add_function(wrap_pyfunction!(compare::compared, module)?)?;
    module.add_function(wrap_pyfunction!(walk::walk, module)?)?;
    module.add_function(wrap_pyfunction!(report::write_report, module)?)?;
    module.add_function(wrap_pyfunction!(runs::run_sweep, module)?)
}
