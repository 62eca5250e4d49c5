//! The pages that a reader meets: every command they show is run, every table that the code knows
//! is the code's, and every link leads somewhere.
//!
//! What stands here reads pages as Markdown; the tests are in the files below.

mod commands;
mod given;
mod limits;
mod links;
mod tables;

use std::path::{Path, PathBuf};

/// A page and where it stands, from the root of the project.
struct Page {
    place: String,
    text: String,
}

/// What a line of a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Prose,
    /// Indented by four spaces, or fenced.
    Code,
    /// Fenced, of a language in which nobody types commands.
    Source,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README, the pages beside it, and those of models, data and the Python package.
fn pages() -> Vec<Page> {
    let docs = std::fs::read_dir(root().join("docs")).expect("a folder");
    let mut docs: Vec<PathBuf> = docs
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .collect();
    docs.sort();
    let others = [
        "README.md",
        "models/README.md",
        "data/README.md",
        "python/README.md",
    ];
    let paths = others.map(|place| root().join(place));
    paths.into_iter().chain(docs).map(Page::read).collect()
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(&path).expect("a page");
        let place = path.strip_prefix(root()).expect("below the root");
        Self {
            place: place.to_string_lossy().replace('\\', "/"),
            text,
        }
    }

    /// One of [`pages`].
    fn at(place: &str) -> Self {
        Self::read(root().join(place))
    }

    /// The lines, each with what it is; fences are neither.
    fn lines(&self) -> impl Iterator<Item = (Kind, &str)> {
        let mut fence = None;
        self.text.lines().filter_map(move |line| {
            let trimmed = line.trim_start();
            if let Some(language) = trimmed.strip_prefix("```") {
                fence = match fence {
                    Some(_) => None,
                    None if ["python", "rust"].contains(&language) => Some(Kind::Source),
                    None => Some(Kind::Code),
                };
                return None;
            }
            let indented = line.strip_prefix("    ").map(|_| Kind::Code);
            Some((fence.or(indented).unwrap_or(Kind::Prose), line))
        })
    }

    /// Everything that is no code, in one line.
    fn prose(&self) -> String {
        let lines = self.lines().filter(|&(kind, _)| kind == Kind::Prose);
        lines.flat_map(|(_, line)| [line.trim(), " "]).collect()
    }
}
