//! What a model file cannot say itself and the user does.

use super::ModelError;
use super::functions::activation_name;
use super::output::Output;
use super::scaling::Scaling;
use crate::kernels::Activation;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What a model file cannot say itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelOptions {
    /// What stands between the dense layers of a file of weights; the last one ends in logits.
    #[serde(with = "activation_name")]
    pub activation: Option<Activation>,
    /// The layers of a file of weights, from input to output, where names and shapes leave it
    /// open.
    pub layers: Vec<String>,
    /// The Keras config, as JSON, of a file of weights.
    pub config: Option<PathBuf>,
    /// Inputs are multiplied by this first.
    pub scale: Option<f64>,
    /// Then this is taken away, one number or one a channel.
    pub mean: Vec<f64>,
    /// Then they are divided by this, one number or one a channel.
    pub std: Vec<f64>,
    /// Names of the classes, by output.
    pub class_names: Option<Vec<String>>,
    /// What the last values are, one of [`Output::NAMED`], or the name of an output of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// How a network that takes rows of values was given images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// `[height, width]` of the images, for a Keras file that leaves them open. No setting: a job
    /// knows them from its data, whose digest stands for them in a plan.
    #[serde(skip)]
    pub open_size: Option<[usize; 2]>,
}

/// The order of the values of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    /// `[channels, height, width]`, PyTorch's.
    #[serde(rename = "chw")]
    ChannelsFirst,
    /// `[height, width, channels]`, Keras's.
    #[serde(rename = "hwc")]
    ChannelsLast,
}

impl Layout {
    /// Both by the names that users give them.
    pub const NAMED: [(&'static str, Self); 2] =
        [("chw", Self::ChannelsFirst), ("hwc", Self::ChannelsLast)];
}

impl ModelOptions {
    /// The scaling that they ask for.
    pub(super) fn scaling(&self) -> Result<Option<Scaling>, ModelError> {
        if self.scale.is_none() && self.mean.is_empty() && self.std.is_empty() {
            return Ok(None);
        }
        Scaling::new(self.scale.unwrap_or(1.0), &self.mean, &self.std).map(Some)
    }

    /// What the last values are, where it is said. A name that is none of the three kinds must be
    /// one of `outputs`, the file's.
    pub(super) fn output(&self, outputs: &[&str]) -> Result<Option<Output>, ModelError> {
        let Some(name) = self.output.as_deref() else {
            return Ok(None);
        };
        let kind = Output::by_name(name);
        if kind.is_none() && !outputs.contains(&name) {
            let kinds = Output::NAMED.map(|(name, _)| name).join(", ");
            return Err(ModelError::Config {
                place: "`output`".into(),
                expected: match outputs {
                    [] => format!("one of {kinds}"),
                    names => format!("one of {kinds}, or an output: {}", names.join(", ")),
                },
                found: format!("\"{name}\""),
            });
        }
        Ok(kind)
    }
}
