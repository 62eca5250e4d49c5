//! Which images, and how their classes are found among a model's.

use super::parse_factor;
use crate::data::{ClassMatch, ImageSetOptions};
use crate::job::ImageSource;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

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

impl DataArgs {
    /// The images that they stand for.
    pub(in crate::cli) fn source(&self) -> ImageSource {
        ImageSource {
            place: self.data.clone(),
            root: self.data_dir.clone(),
            options: ImageSetOptions {
                resize: self.resize,
                white: self.white,
            },
            class_match: match self.class_match {
                ClassMatchName::Name => ClassMatch::Name,
                ClassMatchName::Order => ClassMatch::Order,
            },
        }
    }

    /// What `--data` says.
    pub(in crate::cli) fn name(&self) -> &str {
        &self.data
    }

    /// What `--data-dir` says.
    pub(in crate::cli) fn root(&self) -> Option<&PathBuf> {
        self.data_dir.as_ref()
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
