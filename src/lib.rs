//! x
#![allow(missing_docs)]
pub mod data;
pub mod mesh;
pub mod kernels;
pub mod model;
pub mod engine;
pub mod landscape;
pub mod pipeline;
pub mod plot;
pub mod cli;
