//! The page of an atlas: what it found, its class pairs as a heat map, items and the worst triples.

use super::page::script_safe;
use super::parts::{self, escaped};
use super::policy::{Own, policy};
use serde_json::Value;

const TEMPLATE: &str = include_str!("atlas.html");
const STYLE: &str = include_str!("atlas.css");
const SCRIPT: [&str; 2] = [include_str!("page/dom.js"), include_str!("atlas.js")];

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
    let style = parts::style(&["\n", STYLE]);
    let script = format!(
        "\n(() => {{\n'use strict';\n\n{}}})();\n",
        SCRIPT.join("\n")
    );
    let own = Own {
        scripts: &[&script],
        styles: &[&style],
        style_attributes: &[],
    };
    let atlas = script_safe(&report.atlas.to_string());
    parts::filled(
        TEMPLATE,
        &[
            (
                "<!--HEAD-->",
                &parts::head("Morphscape atlas", &style, &policy(&own)),
            ),
            ("<!--SUBTITLE-->", &escaped(report.subtitle)),
            (
                "<!--DATA-->",
                &format!("<script type=\"application/json\" id=\"atlas\">{atlas}</script>"),
            ),
            ("<!--SCRIPT-->", &format!("<script>{script}</script>")),
        ],
    )
}
