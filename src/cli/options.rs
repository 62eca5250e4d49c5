//! Options that several subcommands share, and what they resolve to.

use super::Verbosity;
use super::tables::is_table;
use crate::data::{ImageSet, fashion_mnist};
use crate::engine::{self, Engine, EngineChoice};
use crate::kernels::Sampling;
use crate::model::{
    Model, ModelOptions, activation_by_name, activation_names, bundled_fashion_mnist, read_model,
};
use anyhow::{Context, bail, ensure};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Where to compute.
#[derive(Debug, Args)]
pub(super) struct EngineArgs {
    /// auto: a real GPU, else the CPU engine; gpu: any adapter, a software one too, and an error
    /// where there is none
    #[arg(long, value_enum, default_value = "auto")]
    engine: EngineName,
    /// Part of the name of the adapter to take (`morphscape devices` lists them); without it
    /// the best one listed
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum EngineName {
    Auto,
    Gpu,
    Cpu,
}

impl EngineArgs {
    /// Opens the engine; a fallback is said.
    pub(super) fn open(&self, verbosity: Verbosity) -> anyhow::Result<Box<dyn Engine>> {
        let choice = match self.engine {
            EngineName::Auto => EngineChoice::Auto,
            EngineName::Gpu => EngineChoice::Gpu,
            EngineName::Cpu => EngineChoice::Cpu,
        };
        ensure!(
            choice != EngineChoice::Cpu || self.adapter.is_none(),
            "--adapter names a GPU, and --engine cpu uses none; leave one of them out"
        );
        let opened = engine::open(choice, self.adapter.as_deref());
        let (engine, fallback) = match choice {
            EngineChoice::Gpu => opened.context("--engine gpu")?,
            _ => opened?,
        };
        if let Some(reason) = fallback {
            verbosity.say(Verbosity::Normal, format!("note: {reason}"));
        }
        let info = engine.info();
        verbosity.say(
            Verbosity::Verbose,
            format!("engine: {}, {} {}", info.engine, info.adapter, info.driver).trim_end(),
        );
        Ok(engine)
    }
}

/// Which classifier.
#[derive(Debug, Args)]
pub(super) struct ModelArgs {
    /// A .keras, .h5 or .safetensors model [default: the bundled one of the data: for images 784-128-10,
    /// trained on Fashion-MNIST; for rows iris, hawks or seeds, of which --model iris-paper is
    /// the one that looks as the paper's]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
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
    /// Multiply inputs by this first, for a model file that does not say it: a number or a
    /// fraction such as 1/255
    #[arg(long, value_name = "FACTOR", requires = "model", value_parser = parse_factor)]
    scale: Option<f64>,
}

/// A model and where it came from.
pub(super) struct LoadedModel {
    pub(super) model: Model,
    pub(super) path: String,
}

impl ModelArgs {
    /// The file that is named, if there is one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.model.as_deref()
    }

    /// What the options say of the model's layers, for a plan.
    pub(super) fn options_json(&self) -> serde_json::Value {
        let mut options = serde_json::json!({"activation": self.activation, "scale": self.scale});
        if !self.layers.is_empty() {
            options["layers"] = self.layers.join(",").into();
        }
        if let Some(config) = &self.config {
            options["config"] = config.display().to_string().into();
        }
        options
    }

    /// Refuses options that say what a bundled model says itself.
    pub(super) fn refuse_options(&self, name: &str) -> anyhow::Result<()> {
        ensure!(
            self.activation.is_none()
                && self.scale.is_none()
                && self.layers.is_empty()
                && self.config.is_none(),
            "--model {name}: a bundled model says its layers and scaling itself; leave --activation, --layers, --config and --scale out"
        );
        Ok(())
    }

    pub(super) fn load(&self) -> anyhow::Result<LoadedModel> {
        let Some(path) = &self.model else {
            return Ok(LoadedModel {
                model: bundled_fashion_mnist(),
                path: "bundled fashion-mnist".into(),
            });
        };
        let options = ModelOptions {
            activation: self.activation.as_deref().and_then(activation_by_name),
            layers: self.layers.clone(),
            config: self.config.clone(),
            scale: self.scale,
        };
        let model = read_model(path, &options).with_context(|| path.display().to_string())?;
        Ok(LoadedModel {
            model,
            path: path.display().to_string(),
        })
    }
}

impl LoadedModel {
    /// The names to show: the model's own, else the data's, else the outputs' numbers.
    pub(super) fn class_names(&self, data: &[String]) -> Vec<String> {
        match self.model.classes() {
            Some(names) => names.to_vec(),
            None if data.len() == self.model.num_classes() => data.to_vec(),
            None => (0..self.model.num_classes())
                .map(|class| class.to_string())
                .collect(),
        }
    }

    /// Says how the file was understood where it does not say it itself.
    pub(super) fn say_notes(&self, verbosity: Verbosity) {
        for note in self.model.notes() {
            verbosity.say(Verbosity::Normal, format!("note: {}: {note}", self.path));
        }
    }

    /// Grey levels fed to a model that never scales them are most often a mistake.
    pub(super) fn warn_unscaled(&self, verbosity: Verbosity) {
        if !self.model.scales_input() {
            let path = &self.path;
            verbosity.say(
                Verbosity::Normal,
                format!("warning: {path} does not scale its input and gets grey levels 0..255; if it was trained on 0..1, give --scale 1/255"),
            );
        }
    }
}

/// Which images.
#[derive(Debug, Args)]
pub(super) struct DataArgs {
    /// `fashion-mnist`, or a folder with an IDX pair: t10k-images-idx3-ubyte and
    /// t10k-labels-idx1-ubyte (or train-...), each gzipped or not
    #[arg(long, value_name = "NAME|DIR", default_value = "fashion-mnist")]
    data: String,
    /// A folder laid out like the project's data/, used instead of the bundled data
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// A data set and where it came from.
pub(super) struct LoadedData {
    pub(super) images: ImageSet,
    pub(super) path: String,
}

impl DataArgs {
    /// What `--data` says.
    pub(super) fn name(&self) -> &str {
        &self.data
    }

    /// What `--data-dir` says.
    pub(super) fn root(&self) -> Option<&Path> {
        self.data_dir.as_deref()
    }

    /// Loads the set. A folder's classes are named by `classes`, the model's, if there are any.
    pub(super) fn load(&self, classes: Option<&[String]>) -> anyhow::Result<LoadedData> {
        if is_table(&self.data) {
            bail!(
                "--data {}: expected images, found a table of rows; use fashion-mnist or a folder of images, or `morphscape interpolate`, which takes tables",
                self.data
            );
        }
        let folder = match (self.data.as_str(), &self.data_dir) {
            ("fashion-mnist", None) => {
                return Ok(LoadedData {
                    images: fashion_mnist(),
                    path: "bundled fashion-mnist".into(),
                });
            }
            ("fashion-mnist", Some(root)) => root.join("fashion-mnist"),
            (folder, _) => PathBuf::from(folder),
        };
        let classes = classes.map(<[String]>::to_vec);
        let path = folder.display().to_string();
        ensure!(
            folder.is_dir(),
            "--data {path}: expected fashion-mnist or a folder with an IDX pair, found {}; check the name",
            if folder.exists() {
                "a file"
            } else {
                "nothing there"
            }
        );
        Ok(LoadedData {
            images: ImageSet::read_folder(&folder, classes)
                .with_context(|| format!("--data {path}"))?,
            path,
        })
    }
}

/// How images are morphed.
#[derive(Debug, Args)]
pub(super) struct MorphArgs {
    /// Points a side of a grid, the ends included
    #[arg(long, value_name = "N", default_value_t = 21, value_parser = clap::value_parser!(u16).range(2..=1001))]
    steps: u16,
    /// Feature cells a side
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=256))]
    grid: u16,
    /// clean: float frames, levels clamped, every pixel owned by one triangle
    #[arg(long, value_enum, default_value = "clean")]
    mode: ModeName,
    /// How images are sampled: interpolating bicubic spline, or bilinear
    #[arg(long, value_enum, default_value = "cubic")]
    sampling: SamplingName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ModeName {
    Clean,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SamplingName {
    Cubic,
    Linear,
}

impl MorphArgs {
    pub(super) fn steps(&self) -> usize {
        usize::from(self.steps)
    }

    pub(super) fn grid(&self) -> usize {
        usize::from(self.grid)
    }

    pub(super) fn sampling(&self) -> Sampling {
        match self.sampling {
            SamplingName::Cubic => Sampling::Cubic,
            SamplingName::Linear => Sampling::Linear,
        }
    }

    pub(super) fn sampling_name(&self) -> &'static str {
        match self.sampling {
            SamplingName::Cubic => "cubic",
            SamplingName::Linear => "linear",
        }
    }

    /// How grids are made, for captions and files.
    pub(super) fn settings(&self) -> serde_json::Map<String, serde_json::Value> {
        let settings = serde_json::json!({"grid": self.grid(), "mode": self.mode_name(), "sampling": self.sampling_name()});
        settings.as_object().cloned().unwrap_or_default()
    }

    pub(super) fn mode_name(&self) -> &'static str {
        match self.mode {
            ModeName::Clean => "clean",
        }
    }
}

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
