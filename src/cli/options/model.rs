//! Which classifier, and what its file does not say.

use super::parse_factor;
use crate::cli::Verbosity;
use crate::data::read_text;
use crate::model::{
    Model, ModelOptions, activation_by_name, activation_names, bundled_fashion_mnist, read_model,
};
use anyhow::{Context, bail};
use clap::Args;
use std::path::{Path, PathBuf};

/// Which classifier.
#[derive(Debug, Args)]
pub(in crate::cli) struct ModelArgs {
    /// A .keras, .h5, .safetensors or .onnx model [default: the bundled one of the data: for
    /// images 784-128-10, trained on Fashion-MNIST; for rows iris, hawks or seeds, of which
    /// --model iris-paper is the one that looks as the paper's]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    #[command(flatten)]
    file: ModelFileArgs,
}

/// What a model file does not say itself.
#[derive(Debug, Args)]
pub(in crate::cli) struct ModelFileArgs {
    /// What stands between the layers of a model file that does not say it: relu, tanh, gelu or
    /// another of Keras's activations
    #[arg(long, value_name = "NAME", requires = "model", value_parser = parse_activation)]
    activation: Option<String>,
    /// The order of the layers of a model file that does not say it, from input to output
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
    /// Then take this away, one number or one a channel
    #[arg(
        long,
        value_name = "M,...",
        requires = "model",
        value_delimiter = ',',
        allow_negative_numbers = true
    )]
    mean: Vec<f64>,
    /// Then divide by this, one number or one a channel
    #[arg(long, value_name = "S,...", requires = "model", value_delimiter = ',', value_parser = parse_factor)]
    std: Vec<f64>,
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
            class_names: self.class_names.as_deref().map(read_names).transpose()?,
        })
    }

    /// The same for a plan: those that are given.
    fn json(&self, options: &ModelOptions) -> serde_json::Value {
        let mut given = serde_json::Map::new();
        let mut say = |key: &str, value: serde_json::Value| {
            let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                given.insert(key.to_owned(), value);
            }
        };
        say("activation", serde_json::json!(self.activation));
        say("layers", serde_json::json!(self.layers));
        say("config", serde_json::json!(self.config));
        say("scale", serde_json::json!(self.scale));
        say("mean", serde_json::json!(self.mean));
        say("std", serde_json::json!(self.std));
        say("class_names", serde_json::json!(options.class_names));
        given.into()
    }
}

/// The lines of a text file of at most 1 MiB.
fn read_names(path: &Path) -> anyhow::Result<Vec<String>> {
    const MAX_BYTES: u64 = 1 << 20;
    let place = || format!("--class-names {}", path.display());
    let text = read_text(path, MAX_BYTES).with_context(place)?;
    let names: Vec<String> = (text.lines())
        .map(|line| line.trim_start_matches('\u{feff}').trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    Ok(names)
}

/// A model and where it came from.
pub(in crate::cli) struct LoadedModel {
    pub(in crate::cli) model: Model,
    pub(in crate::cli) path: String,
    /// What was given beside the file, for a plan.
    pub(in crate::cli) options: serde_json::Value,
}

impl ModelArgs {
    /// The file that is named, if there is one.
    pub(in crate::cli) fn path(&self) -> Option<&Path> {
        self.model.as_deref()
    }

    /// Takes another file.
    pub(in crate::cli) fn take(&mut self, path: PathBuf) {
        self.model = Some(path);
    }

    /// Refuses options that say what a bundled model says itself.
    pub(in crate::cli) fn refuse_options(&self, name: &str) -> anyhow::Result<()> {
        let given = self.file.json(&self.file.options()?);
        if let Some(option) = given.as_object().and_then(|given| given.keys().next()) {
            bail!(
                "--model {name}: a bundled model says its layers, scaling and classes itself; leave --{} out",
                option.replace('_', "-")
            );
        }
        Ok(())
    }

    pub(in crate::cli) fn load(&self) -> anyhow::Result<LoadedModel> {
        let Some(path) = &self.model else {
            return Ok(LoadedModel {
                model: bundled_fashion_mnist(),
                path: "bundled fashion-mnist".into(),
                options: serde_json::json!({}),
            });
        };
        let options = self.file.options()?;
        let model = read_model(path, &options).with_context(|| path.display().to_string())?;
        Ok(LoadedModel {
            model,
            path: path.display().to_string(),
            options: self.file.json(&options),
        })
    }
}

impl LoadedModel {
    /// The names to show: the model's own, else the data's, else the outputs' numbers.
    pub(in crate::cli) fn class_names(&self, data: &[String]) -> Vec<String> {
        match self.model.classes() {
            Some(names) => names.to_vec(),
            None if data.len() == self.model.num_classes() => data.to_vec(),
            None => (0..self.model.num_classes())
                .map(|class| class.to_string())
                .collect(),
        }
    }

    /// Says how the file was understood where it does not say it itself.
    pub(in crate::cli) fn say_notes(&self, verbosity: Verbosity) {
        for note in self.model.notes() {
            verbosity.say(Verbosity::Normal, format!("note: {}: {note}", self.path));
        }
    }

    /// Grey levels fed to a model that never scales them are most often a mistake.
    pub(in crate::cli) fn warn_unscaled(&self, verbosity: Verbosity) {
        if !self.model.scales_input() {
            let path = &self.path;
            verbosity.say(
                Verbosity::Normal,
                format!("warning: {path} does not scale its input and gets grey levels 0..255; if it was trained on 0..1, give --scale 1/255"),
            );
        }
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
