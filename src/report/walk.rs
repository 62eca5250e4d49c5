//! The page of a walk: its results and figures, nothing to click.

use super::page::escaped;
use crate::data::{FileError, write_file};
use crate::plot::Figure;
use std::fmt::Write;
use std::path::Path;

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
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>{0}</title>\n<style>\n{STYLE}</style>\n<h1>{0}</h1>\n<p>{1}</p>\n<table>\n",
        escaped(title),
        escaped(subtitle).replace('\n', "<br>")
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
