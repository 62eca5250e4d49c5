//! Options that several subcommands share, and what they resolve to.

use super::Verbosity;
use super::tables::is_table;
use super::text::counted;
use crate::data::{ClassMatch, ImageSet, ImageSetOptions, fashion_mnist, read_image_set};
use crate::engine::{self, Engine, EngineChoice};
use crate::kernels::Sampling;
use crate::model::{
    Model, ModelOptions, activation_by_name, activation_names, bundled_fashion_mnist, read_model,
};
use crate::pipeline::MorphMode;
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
pub(super) struct ModelFileArgs {
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
    pub(super) fn options(&self) -> anyhow::Result<ModelOptions> {
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

/// The lines of a text file.
fn read_names(path: &Path) -> anyhow::Result<Vec<String>> {
    const MAX_BYTES: u64 = 1 << 20;
    let place = || format!("--class-names {}", path.display());
    let length = std::fs::metadata(path).with_context(place)?.len();
    ensure!(
        length <= MAX_BYTES,
        "{}: expected a text file of one name a line, found one of {length} bytes",
        place()
    );
    let text = std::fs::read_to_string(path).with_context(place)?;
    let names: Vec<String> = (text.lines())
        .map(|line| line.trim_start_matches('\u{feff}').trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    Ok(names)
}

/// A model and where it came from.
pub(super) struct LoadedModel {
    pub(super) model: Model,
    pub(super) path: String,
    /// What was given beside the file, for a plan.
    pub(super) options: serde_json::Value,
}

impl ModelArgs {
    /// The file that is named, if there is one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.model.as_deref()
    }

    /// Refuses options that say what a bundled model says itself.
    pub(super) fn refuse_options(&self, name: &str) -> anyhow::Result<()> {
        let given = self.file.json(&self.file.options()?);
        if let Some(option) = given.as_object().and_then(|given| given.keys().next()) {
            bail!(
                "--model {name}: a bundled model says its layers, scaling and classes itself; leave --{} out",
                option.replace('_', "-")
            );
        }
        Ok(())
    }

    pub(super) fn load(&self) -> anyhow::Result<LoadedModel> {
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
    /// `fashion-mnist`; a folder with one sub-folder of PNG and JPEG files a class; an .npz or
    /// .safetensors file with arrays images [n, H, W] or [n, H, W, C] and labels [n]; or a folder
    /// with an IDX pair: t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (or train-...), each
    /// gzipped or not
    #[arg(long, value_name = "NAME|PATH", default_value = "fashion-mnist")]
    data: String,
    /// A folder laid out like the project's data/, used instead of the bundled data
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Scale the images to this size, pixels, e.g. 28x28 [default: all must be of one size]
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    resize: Option<[usize; 2]>,
    /// The level of white in an array of floats, e.g. 1 [default: 255]
    #[arg(long, value_name = "LEVEL", value_parser = parse_factor)]
    white: Option<f64>,
    /// How the classes of a folder are found among the model's: by name, or in their order
    #[arg(long = "match", value_enum, default_value = "name")]
    class_match: ClassMatchName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ClassMatchName {
    Name,
    Order,
}

/// A data set and where it came from.
pub(super) struct LoadedData {
    pub(super) images: ImageSet,
    pub(super) path: String,
    class_match: Option<ClassMatch>,
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

    /// What the options make of the data, for a plan.
    pub(super) fn options_json(&self) -> serde_json::Value {
        serde_json::json!({
            "resize": self.resize,
            "white": self.white,
            "match": match self.class_match {
                ClassMatchName::Name => "name",
                ClassMatchName::Order => "order",
            },
        })
    }

    /// Loads the set; its classes are those of the data.
    pub(super) fn load(&self) -> anyhow::Result<LoadedData> {
        if is_table(&self.data) {
            bail!(
                "--data {}: expected images, found a table of rows; use fashion-mnist or images of your own, or `morphscape interpolate`, which takes tables",
                self.data
            );
        }
        let place = match (self.data.as_str(), &self.data_dir) {
            ("fashion-mnist", None) => {
                ensure!(
                    self.white.is_none(),
                    "--white belongs to arrays of floats; leave it out"
                );
                let images = fashion_mnist();
                return Ok(LoadedData {
                    images: match self.resize {
                        Some(size) => images.resized(size),
                        None => images,
                    },
                    path: "bundled fashion-mnist".into(),
                    class_match: None,
                });
            }
            ("fashion-mnist", Some(root)) => root.join("fashion-mnist"),
            (place, _) => PathBuf::from(place),
        };
        let path = place.display().to_string();
        ensure!(
            place.exists(),
            "--data {path}: expected fashion-mnist, a folder of images or an .npz or .safetensors file, found nothing there; check the name"
        );
        let options = ImageSetOptions {
            resize: self.resize,
            white: self.white,
        };
        let images = read_image_set(&place, options).with_context(|| format!("--data {path}"))?;
        // Labels that are numbers are outputs' numbers.
        let class_match = match self.class_match {
            ClassMatchName::Name if images.names_classes() => ClassMatch::Name,
            _ => ClassMatch::Order,
        };
        Ok(LoadedData {
            images,
            path,
            class_match: Some(class_match),
        })
    }
}

impl LoadedData {
    /// Gives the images the model's classes.
    pub(super) fn match_classes(
        mut self,
        model: &LoadedModel,
        verbosity: Verbosity,
    ) -> anyhow::Result<Self> {
        let place = format!("{} with {}", self.path, model.path);
        let passed_over = self.images.passed_over();
        if passed_over > 0 {
            verbosity.say(
                Verbosity::Normal,
                format!(
                    "note: {}: passed over {} without the name of a PNG or JPEG",
                    self.path,
                    counted(passed_over, "file")
                ),
            );
        }
        match (model.model.classes(), self.class_match) {
            (Some(classes), Some(by)) => {
                self.images = self.images.with_classes(classes, by).context(place)?;
            }
            (None, Some(_)) if self.images.names_classes() => verbosity.say(
                Verbosity::Normal,
                format!(
                    "note: {} names no classes; its outputs are taken for {}, in this order",
                    model.path,
                    self.images.classes().join(", ")
                ),
            ),
            _ => {}
        }
        Ok(self)
    }
}

/// How large grids are, and how many feature points an image has.
#[derive(Debug, Args)]
pub(super) struct GridArgs {
    /// Points a side of a grid, the ends included
    #[arg(long, value_name = "N", default_value_t = 21, value_parser = clap::value_parser!(u16).range(2..=1001))]
    steps: u16,
    /// Feature cells a side
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=256))]
    grid: u16,
}

impl GridArgs {
    pub(super) fn steps(&self) -> usize {
        usize::from(self.steps)
    }

    pub(super) fn grid(&self) -> usize {
        usize::from(self.grid)
    }
}

/// How images are morphed.
#[derive(Debug, Args)]
pub(super) struct MorphArgs {
    #[command(flatten)]
    size: GridArgs,
    /// clean: float frames, levels clamped, every pixel owned by one triangle; published: as the
    /// paper's tool makes them, to the pixel, with its 8-bit wrap-around and its failed frames
    #[arg(long, value_enum, default_value = "clean")]
    mode: ModeName,
    /// How images are sampled: interpolating bicubic spline, or bilinear (clean mode only)
    #[arg(long, value_enum, default_value = "cubic")]
    sampling: SamplingName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ModeName {
    Clean,
    Published,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SamplingName {
    Cubic,
    Linear,
}

impl MorphArgs {
    pub(super) fn steps(&self) -> usize {
        self.size.steps()
    }

    pub(super) fn grid(&self) -> usize {
        self.size.grid()
    }

    /// How images are morphed; published mode has one way of sampling.
    pub(super) fn mode(&self) -> anyhow::Result<MorphMode> {
        match (self.mode, self.sampling) {
            (ModeName::Clean, SamplingName::Cubic) => Ok(MorphMode::Clean(Sampling::Cubic)),
            (ModeName::Clean, SamplingName::Linear) => Ok(MorphMode::Clean(Sampling::Linear)),
            (ModeName::Published, SamplingName::Cubic) => Ok(MorphMode::Published),
            (ModeName::Published, SamplingName::Linear) => bail!(
                "--mode published --sampling linear: the paper's tool samples with the cubic spline; leave --sampling out, or use --mode clean"
            ),
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
            ModeName::Published => "published",
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

/// `28x28`: width and height.
fn parse_size(text: &str) -> Result<[usize; 2], String> {
    let side = |part: &str| {
        part.trim()
            .parse()
            .ok()
            .filter(|side| (1..=4096).contains(side))
    };
    text.split_once(['x', 'X'])
        .and_then(|(width, height)| Some([side(width)?, side(height)?]))
        .ok_or_else(|| {
            format!(
                "expected a width and a height of 1 to 4096 pixels such as 28x28, found \"{text}\""
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
