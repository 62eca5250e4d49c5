//! Walks: the page of one, results and figures with nothing to click, and its part of the page of
//! the run whose landscape was walked on.

use super::page::MAX_DETAIL_BYTES;
use super::parts::escaped;
use super::policy::{Own, policy};
use super::{figures_json, zipped};
use crate::data::{FileError, InputError, MAX_PAGE_BYTES, read_text, write_file};
use crate::plot::{Figure, PICTURE_STYLE};
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const STYLE: &str = include_str!("walk.css");

/// Writes the report of a walk to `path`: names and values of `facts`, then the figures, which the
/// page holds whole.
///
/// # Errors
/// [`FileError`] with the path.
pub fn write_walk_report(
    path: &Path,
    title: &str,
    subtitle: &str,
    facts: &[(String, String)],
    figures: &[Figure],
) -> Result<(), FileError> {
    let style = format!("\n{STYLE}");
    let own = Own {
        scripts: &[],
        styles: &[&style],
        style_attributes: &[PICTURE_STYLE],
    };
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n{2}\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{0}</title>\n<style>{style}</style>\n<h1>{0}</h1>\n<p>{1}</p>\n<table>\n",
        escaped(title),
        escaped(subtitle).replace('\n', "<br>"),
        policy(&own)
    );
    // Writing to a string cannot fail.
    for (name, value) in facts {
        let (name, value) = (escaped(name), escaped(value));
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>"
        );
    }
    page.push_str("</table>\n");
    for figure in figures {
        let _ = writeln!(
            page,
            "<figure id=\"{}\">\n{}</figure>",
            figure.name, figure.svg
        );
    }
    page.push_str("</html>\n");
    write_file(path, page.as_bytes())
}

/// Packs the walk on a landscape for the page of its run: names and values of `facts`, then the
/// figures.
pub fn pack_walk(name: &str, facts: &[(String, String)], figures: &[Figure]) -> String {
    let content = json!({"facts": facts, "figures": figures_json(figures)});
    let content = zipped(&content.to_string());
    format!("{}{content}</script>\n", element("walk", name))
}

/// How the line of an element begins.
fn element(kind: &str, name: &str) -> String {
    format!("<script type=\"text/plain\" id=\"{kind}-{name}\">")
}

/// Why a run's page does not get a walk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddWalkError {
    /// No page, or none that can be read.
    #[error("cannot read {}; morphscape plot writes the report", .path.display())]
    Read {
        /// The page.
        path: PathBuf,
        /// Why.
        #[source]
        source: InputError,
    },
    /// A page without a place for walks.
    #[error("{}: the page is not of this version; morphscape plot writes it again", .path.display())]
    OtherVersion {
        /// The page.
        path: PathBuf,
    },
    /// A page that shows other landscapes only.
    #[error("{}: the page shows the first landscapes of the run only, not {name}", .path.display())]
    NotShown {
        /// The page.
        path: PathBuf,
        /// The landscape.
        name: String,
    },
    /// A page that would grow over what a browser opens.
    #[error("{}: the page is as large as it may be", .path.display())]
    Full {
        /// The page.
        path: PathBuf,
    },
    /// The page could not be written.
    #[error(transparent)]
    Write(#[from] FileError),
}

/// Puts a walk that [`pack_walk`] packed into the page of its run, in the place of the last one.
///
/// # Errors
/// [`AddWalkError`] when there is no such page, or it has no place for the walk; it stays as it is.
pub fn add_walk(path: &Path, name: &str, packed: &str) -> Result<(), AddWalkError> {
    let page = read_text(path, MAX_PAGE_BYTES).map_err(|source| AddWalkError::Read {
        path: path.to_owned(),
        source,
    })?;
    let path = path.to_owned();
    if !page.contains("<section id=\"walk-part\"") {
        return Err(AddWalkError::OtherVersion { path });
    }
    let (figures, walk) = (element("figures", name), element("walk", name));
    let mut written = String::with_capacity(page.len() + packed.len());
    let mut shown = false;
    // Every element is a line.
    for line in page.split_inclusive('\n') {
        if line.starts_with(&walk) {
            continue;
        }
        written.push_str(line);
        if line.starts_with(&figures) {
            written.push_str(packed);
            shown = true;
        }
    }
    if !shown {
        let name = name.to_owned();
        return Err(AddWalkError::NotShown { path, name });
    }
    if written.len() > MAX_DETAIL_BYTES {
        return Err(AddWalkError::Full { path });
    }
    Ok(write_file(&path, written.as_bytes())?)
}
