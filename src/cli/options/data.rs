//! Which images, and how their classes are found among a model's.

use super::{DataPlace, LoadedModel, parse_factor};
use crate::cli::Verbosity;
use crate::cli::tables::is_table;
use crate::cli::text::counted;
use crate::data::{ClassMatch, ImageSet, ImageSetOptions, fashion_mnist, read_image_set};
use anyhow::{Context, bail, ensure};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Which images.
#[derive(Debug, Args)]
pub(in crate::cli) struct DataArgs {
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
pub(in crate::cli) struct LoadedData {
    pub(in crate::cli) images: ImageSet,
    pub(in crate::cli) path: String,
    class_match: Option<ClassMatch>,
}

impl DataArgs {
    /// What says which data they are.
    pub(in crate::cli) fn place(&mut self) -> DataPlace<'_> {
        DataPlace {
            name: &mut self.data,
            root: &mut self.data_dir,
        }
    }

    /// What `--data` says.
    pub(in crate::cli) fn name(&self) -> &str {
        &self.data
    }

    /// What `--data-dir` says.
    pub(in crate::cli) fn root(&self) -> Option<&Path> {
        self.data_dir.as_deref()
    }

    /// What the options make of the data, for a plan.
    pub(in crate::cli) fn options_json(&self) -> serde_json::Value {
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
    pub(in crate::cli) fn load(&self) -> anyhow::Result<LoadedData> {
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
    pub(in crate::cli) fn match_classes(
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
