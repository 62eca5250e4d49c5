//! The page of a comparison of models: tables, every model's map of a landscape side by side under
//! one probe, and the figures.

use super::parts::{self, SmallPage, escaped};
use crate::plot::PICTURE_STYLE;
use serde_json::Value;

const TEMPLATE: &str = include_str!("models.html");
const STYLE: &str = include_str!("models.css");
const SCRIPT: [&str; 3] = [parts::DOM, parts::THEME, include_str!("models.js")];

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
    let figures: String = (report.figures.iter())
        .map(|svg| format!("<figure class=\"drawing\">\n{svg}</figure>\n"))
        .collect();
    let page = SmallPage {
        template: TEMPLATE,
        style: STYLE,
        scripts: &SCRIPT,
        style_attributes: &[PICTURE_STYLE],
        title: report.title,
        id: "run",
        data: &report.run,
        parts: &[
            ("<!--HEADING-->", &escaped(report.title)),
            ("<!--SUBTITLE-->", &escaped(report.subtitle)),
            ("<!--FIGURES-->", &figures),
        ],
    };
    page.text()
}
