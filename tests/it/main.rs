//! The tests of the crate and of the program, in one binary: each binary of its own would link
//! wgpu, resvg, rten and the rest once more, which takes longer than most of these tests.
//!
//! Two stay apart, each with its reason: `tests/memory` has an allocator that counts, and
//! `tests/soak.rs` looks at what its whole process holds.
//!
//!     cargo test --test it                # all of them
//!     cargo test --test it engines::      # one module

#[path = "../common/browser.rs"]
mod browser;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/devtools.rs"]
mod devtools;
#[path = "../common/drivers.rs"]
mod drivers;
#[path = "../common/faulty.rs"]
mod faulty;
#[path = "../common/program.rs"]
mod program;

// The house: what imports what, and shaders beside the table of kernels.
mod layers;
mod library;
mod shader_browser;
mod shader_compilers;
mod shader_contract;

// Kernels and the two engines.
mod device_check;
mod device_trouble;
mod engines;
mod engines_layers;
mod oracle;
mod properties;
mod walk_kernels;

// Models and data.
mod convert;
mod host_models;
mod images;
mod keras;
mod model;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(feature = "onnx")]
mod onnx_nodes;
mod own_data;
mod table;
mod tfjs;

// Landscapes and what is measured of them.
mod measured;
mod measures;
mod measures_oracle;
mod planes;
mod published;
mod rows;
mod sections;
mod walks;
mod wrong_inputs;

// Figures and the report.
#[cfg(feature = "explore")]
mod explore;
#[cfg(feature = "explore")]
mod explore_gestures;
#[cfg(feature = "explore")]
mod explore_kept;
#[cfg(feature = "explore")]
mod explore_page;
mod figures;
mod report;

// The program as a user runs it.
#[cfg(feature = "atlas")]
mod atlas;
mod bench;
mod cli;
mod cli_figures;
mod cli_line;
mod cli_lines;
mod cli_planes;
mod cli_points;
mod cli_trouble;
mod cli_walk;
mod messages;
mod models;
mod pages;
mod resumed;
mod survive;
mod verify;
