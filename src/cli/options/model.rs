//! Which classifier, and what its file does not say.

use super::parse_factor;
use crate::data::read_text;
use crate::job::ModelSource;
use crate::model::{Layout, ModelOptions, activation_by_name, activation_names};
use crate::remedy::did_you_mean;
use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// Which classifier.
#[derive(Debug, Args)]
pub(in crate::cli) struct ModelArgs {
    /// A .keras, .h5, .safetensors, .onnx or model.json (TensorFlow.js) model [default: the bundled one of the data]
    ///
    /// A .keras, .h5, .safetensors, .onnx or model.json (TensorFlow.js) model [default: the bundled one of the data: for images
    /// 784-128-10, trained on Fashion-MNIST; for rows iris, hawks or seeds; --model iris-paper is
    /// the iris model that looks like the paper's]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    #[command(flatten)]
    file: ModelFileArgs,
}

/// What a model file does not say itself.
#[derive(Debug, Args)]
pub(in crate::cli) struct ModelFileArgs {
    /// The activation between the layers of a model file that does not say it: relu, tanh, gelu or
    /// another of Keras's activations
    #[arg(long, value_name = "NAME", requires = "model", value_parser = parse_activation)]
    activation: Option<String>,
    /// The order of the layers, from input to output, of a model file that does not say it
    #[arg(
        long,
        value_name = "NAME,...",
        requires = "model",
        value_delimiter = ','
    )]
    layers: Vec<String>,
    /// The config of a model file that holds only weights: what Keras's model.to_json() gives
    #[arg(long, value_name = "FILE.json", requires = "model")]
    config: Option<PathBuf>,
    /// Multiply inputs by this first, for a model file that does not scale them: a number or a
    /// fraction such as 1/255
    #[arg(long, value_name = "FACTOR", requires = "model", value_parser = parse_factor)]
    scale: Option<f64>,
    /// Subtract this after --scale: one number, or one a channel or feature
    #[arg(
        long,
        value_name = "M,...",
        requires = "model",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    mean: Vec<f64>,
    /// Divide by this after --mean: one number, or one a channel or feature
    #[arg(long, value_name = "S,...", requires = "model", value_delimiter = ',', value_parser = parse_factor)]
    std: Vec<f64>,
    /// What the model's last values are: logits, probabilities or sigmoid (each class for itself);
    /// or the name of the output to take, of a model with several [default: what its last layer
    /// says]
    #[arg(long, value_name = "KIND", requires = "model")]
    output: Option<String>,
    /// How a model that takes rows of values gets colour images: chw, channel by channel as PyTorch
    /// flattens them, or hwc, pixel by pixel as Keras does [default: by the file's kind]
    #[arg(long, value_name = "ORDER", requires = "model", value_parser = parse_layout)]
    layout: Option<String>,
    /// Names of the classes of a model file that does not name them: a text file, one a line, in
    /// the order of the outputs
    #[arg(long, value_name = "FILE", requires = "model")]
    class_names: Option<PathBuf>,
}

impl ModelFileArgs {
    /// What they say, files read.
    pub(in crate::cli) fn options(&self) -> anyhow::Result<ModelOptions> {
        Ok(ModelOptions {
            activation: self.activation.as_deref().and_then(activation_by_name),
            layers: self.layers.clone(),
            config: self.config.clone(),
            scale: self.scale,
            mean: self.mean.clone(),
            std: self.std.clone(),
            class_names: (self.class_names.as_deref())
                .map(|path| read_names("--class-names", path))
                .transpose()?,
            output: self.output.clone(),
            layout: self.layout.as_deref().and_then(layout_by_name),
            open_size: None,
        })
    }
}

/// The lines of a text file of at most 1 MiB, which is named as `said`.
fn read_names(said: &str, path: &Path) -> anyhow::Result<Vec<String>> {
    const MAX_BYTES: u64 = 1 << 20;
    let place = || {
        format!(
            "{said} {}: expected a text file with the names of the classes, one a line, in the order of the model's outputs",
            path.display()
        )
    };
    let text = read_text(path, MAX_BYTES).with_context(place)?;
    let names: Vec<String> = (text.lines())
        .map(|line| line.trim_start_matches('\u{feff}').trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    Ok(names)
}

impl ModelArgs {
    /// The model that they stand for, files of names read.
    pub(in crate::cli) fn source(&self) -> anyhow::Result<ModelSource> {
        Ok(ModelSource {
            file: self.model.clone(),
            options: self.file.options()?,
        })
    }
}

/// A model as a word names it: a file; `bundled` for the data's own; or a .json file with a model and
/// what its file does not say.
pub(in crate::cli) fn named_model(model: &str) -> anyhow::Result<ModelSource> {
    const MAX_BYTES: u64 = 1 << 20;
    if model == "bundled" {
        return Ok(ModelSource::default());
    }
    let path = Path::new(model);
    if path.extension().is_none_or(|extension| extension != "json") {
        return Ok(ModelSource::from(model));
    }
    let expected = || {
        format!(
            "{model}: expected {{\"file\":\"b.onnx\"}} and options of the model such as \"scale\", \"mean\", \"std\", \"output\""
        )
    };
    let text = read_text(path, MAX_BYTES).with_context(expected)?;
    let said: Map<String, Value> = serde_json::from_str(&text).with_context(expected)?;
    if said.contains_key(TFJS_TOPOLOGY) {
        return Ok(ModelSource::from(model));
    }
    if !said.contains_key("file") {
        bail!("{}; found no \"file\"", expected());
    }
    // As the file that names them sees them.
    let beside = |text: &str| {
        path.parent()
            .map_or(text.into(), |folder| folder.join(text))
    };
    let said = (said.into_iter())
        .map(|(key, value)| {
            let value = as_options_say_it(&key, value, beside)
                .with_context(|| format!("{model}, \"{key}\""))?;
            Ok((key, value))
        })
        .collect::<anyhow::Result<Map<_, _>>>()?;
    serde_json::from_value(said.into()).with_context(expected)
}

/// What TensorFlow.js's models have in their .json file.
const TFJS_TOPOLOGY: &str = "modelTopology";

/// A value of a model's .json file: what an option of the command line takes for it is taken here, too.
fn as_options_say_it(
    key: &str,
    value: Value,
    beside: impl Fn(&str) -> PathBuf,
) -> anyhow::Result<Value> {
    let known = serde_json::to_value(ModelSource {
        file: None,
        options: ModelOptions {
            output: Some(String::new()),
            layout: Some(Layout::ChannelsLast),
            ..ModelOptions::default()
        },
    })?;
    let known: Vec<&str> = (known.as_object().into_iter().flatten())
        .map(|(key, _)| key.as_str())
        .collect();
    if !known.contains(&key) {
        bail!(
            "expected one of {}, found \"{key}\"{}",
            known.join(", "),
            did_you_mean(key, known.iter().copied())
        );
    }
    let factor = |value: Value| match value {
        Value::String(text) => parse_factor(&text)
            .map(Value::from)
            .map_err(anyhow::Error::msg),
        value => Ok(value),
    };
    Ok(match (key, value) {
        ("file" | "config", Value::String(text)) => beside(&text).to_string_lossy().into(),
        ("class_names", Value::String(text)) => read_names("names in", &beside(&text))?.into(),
        ("scale", value) => factor(value)?,
        ("mean" | "std", Value::Array(values)) => {
            let values: anyhow::Result<Vec<Value>> = values.into_iter().map(factor).collect();
            values?.into()
        }
        (_, value) => value,
    })
}

/// An order of an image's values.
fn layout_by_name(text: &str) -> Option<Layout> {
    let named = Layout::NAMED.iter().find(|(name, _)| *name == text);
    named.map(|(_, layout)| *layout)
}

fn parse_layout(text: &str) -> Result<String, String> {
    match layout_by_name(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err(format!("expected chw or hwc, found \"{text}\"")),
    }
}

/// One of Keras's names.
fn parse_activation(text: &str) -> Result<String, String> {
    match activation_by_name(text) {
        Some(_) => Ok(text.to_owned()),
        None => {
            let names: Vec<&str> = activation_names().collect();
            Err(format!(
                "expected one of {}, found \"{text}\"",
                names.join(", ")
            ))
        }
    }
}
