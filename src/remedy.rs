//! What a user can do about an error, in the words of no face.
//!
//! The same error is met on a command line, in Python and in a browser. So an error below `cli`
//! never says `--out`: it names a [`Setting`], and says what to do about it in a [`Remedy`], from
//! which each face makes a sentence with its own spelling of the setting:
//!
//! ```
//! use morphscape::{Remedy, Setting};
//!
//! let remedy = Remedy::new("use another {}, or {} to write over it", &[Setting::Out, Setting::Force]);
//! let option = |setting: Setting| format!("--{}", setting.name().replace('_', "-"));
//! assert_eq!(remedy.words(option), "use another --out, or --force to write over it");
//! ```
//!
//! Where a message of `data` or `model` names a setting in its middle, the name stands in backquotes
//! (`` give `white` 1 ``): that is a keyword of Python as it stands, and [`respelled`] makes a
//! face's own spelling of it.
//!
//! Rejected: an enum with a variant for each thing to do. It had as many variants as there are
//! messages, each used once, and their words stood three rooms away from the error they end.

use std::path::Path;

/// Names that are at least so much alike (Jaro and Winkler, 0..1) may have been mistaken for each
/// other: `Sneeker` and `Sneaker` are 0.89 alike, `Boot` and `Coat` 0.67.
const ALIKE: f64 = 0.8;

/// Names of so many letters are alike, too, where one letter is another, is missing or is one too many, or
/// two have changed places: `Bga` and `Bag` are 0.56 alike.
const LETTERS: usize = 3;

/// An error and what caused it, in one line. A cause whose words stand in the error already, as of
/// libraries that print their causes themselves, is left out.
pub(crate) fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(&format!(": {more}"));
        }
        cause = error.source();
    }
    text
}

/// The end of a message about a name that is none of those known: `; did you mean "Coat"?`, or
/// nothing where none is like it.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let asked = name.to_lowercase();
    let likeness = |known: &str| {
        let known = known.to_lowercase();
        let alike = strsim::jaro_winkler(&asked, &known);
        let is_long = asked.chars().count().min(known.chars().count()) >= LETTERS;
        match is_long && strsim::osa_distance(&asked, &known) == 1 {
            true => alike.max(ALIKE),
            false => alike,
        }
    };
    let nearest = known
        .into_iter()
        .map(|known| (likeness(known), known))
        // What is there was not mistaken for itself, and control characters are for no terminal.
        .filter(|(_, known)| !known.contains(char::is_control))
        .filter(|&(alike, known)| alike >= ALIKE && known != name)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    meant(nearest.map(|(_, known)| known))
}

fn meant(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("; did you mean \"{name}\"?"))
}

/// Names in the middle of a message: the first ten, and how many more there are.
pub(crate) fn some_names<N: AsRef<str>>(names: &[N]) -> String {
    const MOST: usize = 10;
    let shown: Vec<&str> = names.iter().take(MOST).map(AsRef::as_ref).collect();
    let shown = shown.join(", ");
    match names.len().checked_sub(MOST) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

/// The same for a path where nothing is: among the names beside it, and those that stand for what is
/// bundled.
pub(crate) fn did_you_mean_file(path: &Path, bundled: &[&str]) -> String {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let beside: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let known = || (beside.iter().map(String::as_str)).chain(bundled.iter().copied());
    let nearest = did_you_mean(&name, known());
    if !nearest.is_empty() || name.is_empty() {
        return nearest;
    }
    // Else one that begins so, as the landscapes of a triple do.
    let begins = |known: &&str| known.starts_with(&*name) && !known.contains(char::is_control);
    meant(known().filter(begins).min())
}

/// Makes [`Setting`] and what is known of all its variants.
macro_rules! settings {
    ($($(#[$doc:meta])* $variant:ident => $name:literal,)*) => {
        /// Something that a user decides: an option of the command line, a keyword in Python.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Setting {
            $($(#[$doc])* $variant,)*
        }

        impl Setting {
            /// Every setting.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in lower case with underscores, e.g. `class_names`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

settings! {
    /// What stands between the layers of a bare file of weights.
    Activation => "activation",
    /// Part of an adapter's name.
    Adapter => "adapter",
    /// Draw every class.
    AllClasses => "all_classes",
    /// Sum an atlas up without the shards that are missing.
    AllowMissing => "allow_missing",
    /// Whether items that the model classifies wrongly take part.
    AnyItems => "any_items",
    /// Share of what a search leaves behind that is looked at all the same.
    Audit => "audit",
    /// The two items whose basins a walk is to reach.
    Basins => "basins",
    /// Coefficients of a bowl.
    Bowl => "bowl",
    /// A class by number or name.
    Class => "class",
    /// The order of the classes of the data.
    ClassOrder => "class_order",
    /// Whether the points of a plane are clamped to the items' range.
    Clipped => "clipped",
    /// Names of the classes, by output.
    ClassNames => "class_names",
    /// Whether paths that connect two inputs are sought.
    Connect => "connect",
    /// Three classes of a group.
    Classes => "classes",
    /// A Keras config.
    Config => "config",
    /// The data set.
    Data => "data",
    /// A folder laid out like the project's `data/`.
    DataDir => "data_dir",
    /// What separates the cells of a table.
    Delimiter => "delimiter",
    /// Drift of a flat surface.
    Drift => "drift",
    /// The time step of a Langevin walk.
    Dt => "dt",
    /// What the edges of a grid do.
    Edges => "edges",
    /// Where to compute.
    Engine => "engine",
    /// The columns of a table that are features.
    Features => "features",
    /// Whether sections are exact.
    Exact => "exact",
    /// Which figures to draw.
    Figures => "figures",
    /// Start over in a folder that holds something else.
    Force => "force",
    /// Which kinds of file to write.
    Format => "format",
    /// Feature cells a side.
    Grid => "grid",
    /// Groups of three classes.
    Groups => "groups",
    /// Standard deviation of a fractal surface.
    Height => "height",
    /// Hurst exponent of a fractal surface.
    Hurst => "hurst",
    /// The array of images in a file of several.
    ImagesKey => "images_key",
    /// The items of a landscape.
    Items => "items",
    /// Shares of the triples that go on to finer grids.
    Keep => "keep",
    /// The column of a table that holds the class.
    Label => "label",
    /// The array of labels in a file of several.
    LabelsKey => "labels_key",
    /// A landscape of a finished run.
    Landscape => "landscape",
    /// What lies between three items.
    Kind => "kind",
    /// The order of the layers of a bare file of weights.
    Layers => "layers",
    /// The order in which colours were flattened.
    Layout => "layout",
    /// How many steps a walker takes.
    Length => "length",
    /// How the classes of a folder are found among the model's.
    Match => "match",
    /// Whether margins are taken as well.
    Margins => "margins",
    /// What is taken away from the inputs.
    Mean => "mean",
    /// The most pieces or regions of an exact section.
    MaxRegions => "max_regions",
    /// Draw meshes over frames.
    Mesh => "mesh",
    /// How images are morphed.
    Mode => "mode",
    /// The classifier.
    Model => "model",
    /// A table whose first line is a row.
    NoHeader => "no_header",
    /// The folder that is written.
    Out => "out",
    /// What the model's last values are, or which of its outputs is taken.
    Output => "output",
    /// A list of pairs of items.
    Pairs => "pairs",
    /// Random rows a class.
    PerClass => "per_class",
    /// The feature points of items.
    Points => "points",
    /// How much wider than its items the box of a plane is.
    Range => "range",
    /// The size that images are scaled to.
    Resize => "resize",
    /// Measures on finer grids.
    Resolution => "resolution",
    /// Points a side of grids, from the coarsest.
    Rungs => "rungs",
    /// Whether frames are kept.
    SaveFrames => "save_frames",
    /// How images are sampled.
    Sampling => "sampling",
    /// What inputs are multiplied by.
    Scale => "scale",
    /// What triples are ranked by.
    Score => "score",
    /// Triples that are searched.
    Search => "search",
    /// Chooses what is drawn at random.
    Seed => "seed",
    /// Whether images that cannot be read are left out.
    SkipUnreadable => "skip_unreadable",
    /// Where walkers start.
    Start => "start",
    /// What inputs are divided by.
    Std => "std",
    /// Points a side of a grid.
    Steps => "steps",
    /// The surface that is walked on.
    Surface => "surface",
    /// Triples of a survey.
    Survey => "survey",
    /// Points a side of its grids.
    SurveySteps => "survey_steps",
    /// Temperature of a walk.
    Temperature => "temperature",
    /// Triples of a list of the worst.
    Top => "top",
    /// A list of triples.
    Triples => "triples",
    /// The kind of a walk.
    Walk => "walk",
    /// How many walkers.
    Walkers => "walkers",
    /// The level of white.
    White => "white",
    /// Columns of a table that are left out.
    Without => "without",
}

/// What to do about an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    text: String,
    settings: Vec<Setting>,
}

impl Remedy {
    /// A sentence without capital and full stop, with `{}` wherever it names one of `settings`,
    /// in their order.
    pub fn new(text: impl Into<String>, settings: &[Setting]) -> Self {
        Self {
            text: text.into(),
            settings: settings.to_vec(),
        }
    }

    /// The sentence, with settings as `name` spells them.
    pub fn words(&self, name: impl Fn(Setting) -> String) -> String {
        let mut parts = self.text.split("{}");
        let mut words = parts.next().unwrap_or_default().to_owned();
        for (part, setting) in parts.zip(&self.settings) {
            words.push_str(&name(*setting));
            words.push_str(part);
        }
        words
    }
}

/// A message with the settings that it names in backquotes as `name` spells them; anything else in
/// backquotes stays.
pub fn respelled(message: &str, name: impl Fn(Setting) -> String) -> String {
    let mut parts = message.split('`');
    let mut text = parts.next().unwrap_or_default().to_owned();
    // Every second part stands between backquotes, if they are closed.
    while let Some(quoted) = parts.next() {
        let setting = Setting::ALL.iter().find(|known| known.name() == quoted);
        match (setting, parts.next()) {
            (Some(setting), Some(rest)) => {
                text.push_str(&name(*setting));
                text.push_str(rest);
            }
            (None, Some(rest)) => text.push_str(&format!("`{quoted}`{rest}")),
            (_, None) => text.push_str(&format!("`{quoted}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(setting: Setting) -> String {
        format!("--{}", setting.name().replace('_', "-"))
    }

    #[test]
    fn names_that_are_nearly_known_are_named() {
        let classes = [
            "T-shirt/top",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ];
        for (name, expected) in [
            ("Sneeker", "Sneaker"),
            ("sandals", "Sandal"),
            ("ankle-boot", "Ankle boot"),
            ("shrit", "Shirt"),
            ("Bga", "Bag"),
        ] {
            let found = did_you_mean(name, classes);
            assert_eq!(found, format!("; did you mean \"{expected}\"?"));
        }
        // What is there is no slip of itself.
        assert_eq!(did_you_mean("Sneaker", ["Sneak\u{1b}er"]), "");
        for name in ["", "12", "Umbrella", "Boot", "Sneaker"] {
            assert_eq!(did_you_mean(name, classes), "", "{name}");
        }
    }

    #[test]
    fn settings_are_respelled_and_nothing_else() {
        for (message, expected) in [
            ("give `white` 1", "give --white 1"),
            (
                "`class_order` text; `morphscape devices` lists them",
                "--class-order text; `morphscape devices` lists them",
            ),
            ("class \"a`b\" and `data", "class \"a`b\" and `data"),
            ("`", "`"),
            ("", ""),
        ] {
            assert_eq!(respelled(message, option), expected);
        }
    }

    #[test]
    fn of_many_names_ten_are_listed() {
        let names: Vec<String> = (0..240).map(|n| n.to_string()).collect();
        assert_eq!(some_names(&names[..3]), "0, 1, 2");
        assert!(some_names(&names[..10]).ends_with(", 8, 9"));
        assert!(some_names(&names).ends_with(", 8, 9 and 230 more"));
        assert_eq!(some_names::<&str>(&[]), "");
    }

    #[test]
    fn names_are_told_apart() {
        let mut names: Vec<&str> = Setting::ALL.iter().map(|setting| setting.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Setting::ALL.len());
    }
}
