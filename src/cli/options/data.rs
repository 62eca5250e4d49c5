//! Which images, and how their classes are found among a model's.

use super::parse_factor;
use crate::data::{ClassMatch, ClassOrder, ImageSetOptions, Unreadable};
use crate::job::ImageSource;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Which images.
#[derive(Debug, Args)]
pub(in crate::cli) struct DataArgs {
    /// `fashion-mnist`, a folder of images, or an .npz, .safetensors or IDX file
    ///
    /// `fashion-mnist`; a folder with one sub-folder of image files for each class (PNG, JPEG,
    /// WebP, BMP, GIF, TIFF, PNM); an .npz or .safetensors file with arrays of images [n, H, W],
    /// [n, H, W, C] or [n, C, H, W] and of labels; or a folder with an IDX pair:
    /// t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte (or train-...), each gzipped or not
    #[arg(long, value_name = "NAME|PATH", default_value = "fashion-mnist")]
    data: String,
    /// A folder laid out like the project's data/, used instead of the bundled data
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Scale the images to this size in pixels, e.g. 28x28 [default: all must have one size]
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    resize: Option<[usize; 2]>,
    /// The level of white in the data, e.g. 1 for floats up to 1, or 4095 [default: 255; 65535 for
    /// 16-bit files; 1 if there are only 0 and 1]
    #[arg(long, value_name = "LEVEL", value_parser = parse_white)]
    white: Option<f64>,
    /// The array of images in an .npz or .safetensors file [default: images, x_test, test_images
    /// or another of the usual names]
    #[arg(long, value_name = "NAME")]
    images_key: Option<String>,
    /// The array of labels in an .npz or .safetensors file [default: the one that belongs to it]
    #[arg(long, value_name = "NAME")]
    labels_key: Option<String>,
    /// Leave out the files of a folder that cannot be read; each is decoded to find out
    #[arg(long)]
    skip_unreadable: bool,
    /// The order of the classes of a folder or of text labels, and so of the outputs of a model
    /// that does not name them [default: text, as ImageFolder, image_dataset_from_directory and
    /// numpy.unique sort]
    #[arg(long, value_enum, value_name = "ORDER")]
    class_order: Option<ClassOrderName>,
    /// How the classes of a folder are matched to the model's: by name, or in their order
    #[arg(long = "match", value_enum, default_value = "name")]
    class_match: ClassMatchName,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ClassMatchName {
    Name,
    Order,
}

/// How classes are put in order.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(in crate::cli) enum ClassOrderName {
    /// By name: 0, 1, 10, 11, 2
    Text,
    /// By number: 0, 1, 2, 10, 11
    Number,
    /// As they first appear in the file
    Appearance,
}

impl ClassOrderName {
    pub(in crate::cli) fn order(self) -> ClassOrder {
        match self {
            Self::Text => ClassOrder::Text,
            Self::Number => ClassOrder::Number,
            Self::Appearance => ClassOrder::Appearance,
        }
    }
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
                images_key: self.images_key.clone(),
                labels_key: self.labels_key.clone(),
                class_order: self.class_order(),
                unreadable: match self.skip_unreadable {
                    true => Unreadable::Skip,
                    false => Unreadable::Refuse,
                },
            },
            class_match: self.class_match(),
        }
    }

    /// What `--match` says.
    pub(in crate::cli) fn class_match(&self) -> ClassMatch {
        match self.class_match {
            ClassMatchName::Name => ClassMatch::Name,
            ClassMatchName::Order => ClassMatch::Order,
        }
    }

    /// What `--class-order` says.
    pub(in crate::cli) fn class_order(&self) -> Option<ClassOrder> {
        self.class_order.map(ClassOrderName::order)
    }

    /// The option given that a table of rows has no use for.
    pub(in crate::cli) fn image_option(&self) -> Option<&'static str> {
        let given = [
            ("--resize", self.resize.is_some()),
            ("--white", self.white.is_some()),
            ("--images-key", self.images_key.is_some()),
            ("--labels-key", self.labels_key.is_some()),
            ("--skip-unreadable", self.skip_unreadable),
        ];
        (given.into_iter()).find_map(|(option, given)| given.then_some(option))
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

/// A level above 0.
fn parse_white(text: &str) -> Result<f64, String> {
    parse_factor(text)
        .ok()
        .filter(|&white| white > 0.0)
        .ok_or_else(|| format!("expected a level above 0, found \"{text}\""))
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
