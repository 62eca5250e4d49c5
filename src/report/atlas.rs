//! The page of an atlas: what it found, its class pairs as a heat map, items and the worst triples.

use super::parts::{self, SmallPage, escaped};
use serde_json::Value;

const TEMPLATE: &str = include_str!("atlas.html");
const STYLE: &str = include_str!("atlas.css");
const SCRIPT: [&str; 3] = [parts::DOM, parts::THEME, include_str!("atlas.js")];

/// What the page shows.
#[derive(Debug, Clone)]
pub struct AtlasReport<'a> {
    /// What was looked at, in a line.
    pub subtitle: &'a str,
    /// Everything else, as the page's script reads it.
    pub atlas: Value,
}

/// The page's text.
pub fn atlas_report(report: &AtlasReport<'_>) -> String {
    let page = SmallPage {
        template: TEMPLATE,
        style: STYLE,
        scripts: &SCRIPT,
        style_attributes: &[],
        title: "Morphscape atlas",
        id: "atlas",
        data: &report.atlas,
        parts: &[("<!--SUBTITLE-->", &escaped(report.subtitle))],
    };
    page.text()
}
