//! What a page is put together from: the report's, and the explorer's, which shows the same
//! landscape computed as it is asked for.
//!
//! A page's script is files of one concern each, joined in order: a file may call what stands after
//! it, but what it runs at once must stand before it. All of a page's data come through one object,
//! `source`, whose file each page has of its own (`page/source.js` says what it gives).

use super::policy::{Own, policy};
use crate::landscape::{GridKind, Landscape};
use crate::plot::MapOverlay;
use serde_json::{Value, json};

pub(crate) const DOM: &str = include_str!("page/dom.js");
pub(crate) const RUN: &str = include_str!("page/run.js");
pub(crate) const GRID: &str = include_str!("page/grid.js");
pub(crate) const THEME: &str = include_str!("page/theme.js");
pub(crate) const RANKING: &str = include_str!("page/ranking.js");
pub(crate) const CURSOR: &str = include_str!("page/cursor.js");
pub(crate) const MAP: &str = include_str!("page/map.js");
pub(crate) const PROBE: &str = include_str!("page/probe.js");
pub(crate) const PATH: &str = include_str!("page/path.js");
pub(crate) const SURFACE: &str = include_str!("page/surface.js");

/// Map, probe, surface and path: the part of a page in which a landscape is looked at.
pub(crate) const BENCH: &str = include_str!("bench.html");

/// A run's landscapes in a table, which the script fills.
pub(crate) const RANKING_TABLE: &str = include_str!("ranking.html");

/// What every page begins with, up to its body. `policy` is its content security policy as an
/// element, or empty where a server sends the policy.
pub(crate) fn head(title: &str, style: &str, policy: &str) -> String {
    filled(
        include_str!("head.html"),
        &[
            ("<!--POLICY-->", policy),
            ("<!--TITLE-->", &escaped(title)),
            ("<!--STYLE-->", &format!("<style>{style}</style>")),
        ],
    )
}

/// What a page's script knows of a kind of grid.
pub(crate) fn grid(kind: GridKind, steps: usize) -> Value {
    json!({
        "kind": kind,
        "axes": kind.axes(),
        "flat": kind.is_flat(),
        "points": kind.num_points(steps),
        "about": kind.about(),
        "roles": kind.roles(),
    })
}

/// What the page draws over the map of a plane or triangle, in shares of the map from the left and
/// from below; nothing of others.
pub(crate) fn overlay(landscape: &Landscape, map: Option<&MapOverlay>) -> Option<Value> {
    let flat = landscape.flat.as_ref()?;
    let ends = flat.axes.each_ref().map(|axis| match axis[..] {
        [lo, .., hi] => [lo, hi],
        _ => [0.0, 1.0],
    });
    let drawn = map.map(|map| map.on(landscape));
    // A hundredth of a pixel of a large map is enough.
    let round = |share: f64| (share * 1e5).round() / 1e5;
    let segments = drawn.as_ref().map(|drawn| {
        let ends = drawn.segments.iter().flatten().flatten();
        ends.map(|&share| round(share)).collect::<Vec<f64>>()
    });
    Some(json!({
        "segments": segments,
        "missed": drawn.map(|drawn| drawn.missed),
        "label": map.map(|map| &map.label),
        "sentence": map.map(|map| &map.sentence),
        "anchors": landscape.anchors(),
        "ends": ends,
        "unit": flat.unit,
        "clipped_share": flat.clipped_share,
    }))
}

/// The report's style sheet, and what a page adds to it.
pub(crate) fn style(more: &[&str]) -> String {
    format!("\n{}{}", include_str!("page.css"), more.concat())
}

/// The files of a script in a scope of their own, in which they may wait for their data.
pub(crate) fn script(files: &[&str]) -> String {
    format!(
        "\n(async () => {{\n'use strict';\n\n{}}})();\n",
        files.join("\n")
    )
}

/// A page without a run's bench: a script of its own, which has its data in an element `id`.
pub(super) struct SmallPage<'a> {
    pub(super) template: &'a str,
    pub(super) style: &'a str,
    /// Joined in order, in a scope of their own.
    pub(super) scripts: &'a [&'a str],
    /// Style attributes that its drawings have.
    pub(super) style_attributes: &'a [&'a str],
    pub(super) title: &'a str,
    pub(super) id: &'a str,
    pub(super) data: &'a Value,
    /// What else the template's marks stand for, between head and data.
    pub(super) parts: &'a [(&'a str, &'a str)],
}

impl SmallPage<'_> {
    /// The page's text.
    pub(super) fn text(&self) -> String {
        let style = style(&["\n", self.style]);
        let script = format!(
            "\n(() => {{\n'use strict';\n\n{}}})();\n",
            self.scripts.join("\n")
        );
        let policy = policy(&Own {
            scripts: &[&script],
            styles: &[&style],
            style_attributes: self.style_attributes,
        });
        let data = format!(
            "<script type=\"application/json\" id=\"{}\">{}</script>",
            self.id,
            script_safe(&self.data.to_string())
        );
        let head = head(self.title, &style, &policy);
        let script = format!("<script>{script}</script>");
        let mut parts = vec![("<!--HEAD-->", head.as_str())];
        parts.extend_from_slice(self.parts);
        parts.extend([("<!--DATA-->", data.as_str()), ("<!--SCRIPT-->", &script)]);
        filled(self.template, &parts)
    }
}

/// JSON that stays inside its script element whatever names it holds.
pub(crate) fn script_safe(json: &str) -> String {
    json.replace('<', "\\u003c")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

/// The template with its marks, which stand in it in this order, replaced. One pass over it: what
/// is put in is never searched for marks.
pub(crate) fn filled(template: &str, parts: &[(&str, &str)]) -> String {
    let content: usize = parts.iter().map(|(_, content)| content.len()).sum();
    let mut page = String::with_capacity(template.len() + content);
    let mut rest = template;
    for (mark, content) in parts {
        let (before, after) = rest
            .split_once(mark)
            .expect("the template has its marks in this order");
        page.push_str(before);
        page.push_str(content);
        rest = after;
    }
    page.push_str(rest);
    page
}

/// plotly.js as the crate hands it out: the first of its script elements.
pub(crate) fn plotly_js() -> &'static str {
    static TEXT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    TEXT.get_or_init(|| {
        let sources = plotly::Plot::offline_js_sources();
        let script = sources
            .split_once("<script type=\"text/javascript\">")
            .and_then(|(_, rest)| rest.split_once("</script>"))
            .map(|(script, _)| script)
            .expect("the crate hands out plotly.js in a script element");
        assert!(
            script.contains("plotly.js v"),
            "the first script is plotly.js"
        );
        script.to_owned()
    })
}

/// Text as an element holds it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
