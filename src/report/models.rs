//! The page of a comparison of models: tables, every model's map of a landscape side by side under
//! one probe, and the figures.

use super::page::script_safe;
use super::parts::{self, escaped};
use super::policy::{Own, policy};
use crate::plot::PICTURE_STYLE;
use serde_json::Value;

const TEMPLATE: &str = include_str!("models.html");
const STYLE: &str = include_str!("models.css");
const SCRIPT: [&str; 2] = [include_str!("page/dom.js"), include_str!("models.js")];

/// What the page shows.
#[derive(Debug, Clone)]
pub struct ModelsReport<'a> {
    /// Its heading.
    pub title: &'a str,
    /// What was compared, in a line.
    pub subtitle: &'a str,
    /// Models, pairs and landscapes, as the page's script reads them.
    pub run: Value,
    /// Drawings.
    pub figures: &'a [&'a str],
}

/// The page's text.
pub fn models_report(report: &ModelsReport<'_>) -> String {
    let style = parts::style(&["\n", STYLE]);
    let script = format!(
        "\n(() => {{\n'use strict';\n\n{}}})();\n",
        SCRIPT.join("\n")
    );
    let own = Own {
        scripts: &[&script],
        styles: &[&style],
        style_attributes: &[PICTURE_STYLE],
    };
    let figures: String = (report.figures.iter())
        .map(|svg| format!("<figure class=\"drawing\">\n{svg}</figure>\n"))
        .collect();
    let run = script_safe(&report.run.to_string());
    parts::filled(
        TEMPLATE,
        &[
            (
                "<!--HEAD-->",
                &parts::head(report.title, &style, &policy(&own)),
            ),
            ("<!--HEADING-->", &escaped(report.title)),
            ("<!--SUBTITLE-->", &escaped(report.subtitle)),
            ("<!--FIGURES-->", &figures),
            (
                "<!--DATA-->",
                &format!("<script type=\"application/json\" id=\"run\">{run}</script>"),
            ),
            ("<!--SCRIPT-->", &format!("<script>{script}</script>")),
        ],
    )
}
