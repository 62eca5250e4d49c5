//! Options that several subcommands share, and what they resolve to.

mod data;
mod engine;
mod model;
mod morph;
mod places;

pub(super) use data::{DataArgs, LoadedData};
pub(super) use engine::{EngineArgs, OtherEngineArgs, set_devices};
pub(super) use model::{LoadedModel, ModelArgs, ModelFileArgs};
pub(super) use morph::{GridArgs, MorphArgs};
pub(super) use places::{DataPlace, Places};

use anyhow::Context;

/// A class by number or name, whatever the case of its letters.
pub(super) fn class_number(
    option: &str,
    text: &str,
    class_names: &[String],
) -> anyhow::Result<usize> {
    let text = text.trim();
    let by_name = class_names
        .iter()
        .position(|name| name.eq_ignore_ascii_case(text));
    by_name
        .or_else(|| text.parse().ok().filter(|&class| class < class_names.len()))
        .with_context(|| {
            format!(
                "{option}: unknown class \"{text}\"; expected a number below {} or one of {}",
                class_names.len(),
                class_names.join(", ")
            )
        })
}

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
