//! Options that several subcommands share, and the plain data that they stand for.

mod data;
mod engine;
mod kind;
mod line_data;
mod model;
mod morph;
mod places;
mod sweep;
mod table;
mod triples;

pub(super) use data::{ClassOrderName, DataArgs};
pub(super) use engine::{EngineArgs, OtherEngineArgs};
pub(super) use kind::{ExactName, FlatArgs, image_kind, row_kind};
pub(super) use line_data::line_data;
pub(super) use model::{ModelArgs, ModelFileArgs, named_model};
pub(super) use morph::{GridArgs, MorphArgs};
pub(super) use places::Places;
pub(super) use sweep::{SweepArgs, grids, row_grids};
pub(super) use table::{ColumnArgs, TableArgs};
pub(super) use triples::{RowTripleArgs, TripleArgs};

use crate::run::Existing;

/// `0.0039` or `1/255`.
fn parse_factor(text: &str) -> Result<f64, String> {
    let number = |part: &str| {
        part.trim()
            .parse::<f64>()
            .map_err(|_| format!("expected a number or a fraction such as 1/255, found \"{text}\""))
    };
    let factor = match text.split_once('/') {
        Some((above, below)) => number(above)? / number(below)?,
        None => number(text)?,
    };
    if factor.is_finite() && factor != 0.0 {
        Ok(factor)
    } else {
        Err(format!(
            "expected a finite factor other than 0, found \"{text}\""
        ))
    }
}

/// What `--force` says.
pub(super) fn existing(force: bool) -> Existing {
    match force {
        true => Existing::Replace,
        false => Existing::Continue,
    }
}
