//! The page: the report's parts, and beside them what asks for new landscapes.

use super::error::ExploreError;
use super::gallery::{pictures, png_text};
use super::item::{Input, Pick};
use super::subject::Subject;
use super::view::MAX_FRAME_PX;
use crate::data::Image;
use crate::job::{Job, JobError};
use crate::landscape::{COLUMNS, GridKind, Items, OVERVIEW, RANK_BY};
use crate::pipeline::MorphSettings;
use crate::plot::{Tiles, class_color_hex};
use crate::report::parts;
use crate::report::policy::{Own, directives};
use serde_json::{Value, json};

const TEMPLATE: &str = include_str!("page/explore.html");
const STYLE: &str = include_str!("page/explore.css");
/// The page's script; the report's parts are the same files.
const SCRIPT: &[&str] = &[
    parts::DOM,
    include_str!("page/server.js"),
    parts::RUN,
    parts::GRID,
    parts::THEME,
    parts::RANKING,
    parts::CURSOR,
    parts::MAP,
    parts::PROBE,
    parts::PATH,
    parts::SURFACE,
    include_str!("page/items.js"),
    include_str!("page/anchors.js"),
    include_str!("page/gallery.js"),
    include_str!("page/settings.js"),
    include_str!("page/plane.js"),
    include_str!("page/line.js"),
    include_str!("page/live.js"),
    include_str!("page/against.js"),
    include_str!("page/boundary.js"),
    include_str!("page/address.js"),
    include_str!("page/keep.js"),
    include_str!("page/explore.js"),
];

/// The page and its policy, for the response's head.
pub(super) fn page() -> (String, String) {
    let (style, script) = (parts::style(&[STYLE]), parts::script(SCRIPT));
    let own = Own {
        scripts: &[&script, parts::plotly_js()],
        // plotly.js makes an empty style element and adds its rules by a script's means.
        styles: &[&style, ""],
        // And it empties the style attributes of a colour bar.
        style_attributes: &[""],
    };
    let policy = format!(
        "{}; connect-src 'self'; frame-ancestors 'none'",
        directives(&own)
    );
    let html = parts::filled(
        TEMPLATE,
        &[
            (
                "<!--HEAD-->",
                &parts::head("Morphscape explore", &style, ""),
            ),
            ("<!--RANKING-->", parts::RANKING_TABLE),
            ("<!--BENCH-->", parts::BENCH),
            ("<!--SCRIPT-->", &format!("<script>{script}</script>")),
        ],
    );
    (html, policy)
}

impl Subject {
    /// What the page is built from: the object of `run` in `report/page.rs`, and what is explored.
    pub(super) fn run(&self) -> Result<Value, JobError> {
        let class_names = self.job.class_names();
        let (features, frame) = match self.job.items() {
            Items::Rows { features } => (Some(features), Value::Null),
            Items::Images { shape } => (None, frame(shape)),
        };
        let ranges = features
            .as_ref()
            .map(|features| self.ranges(features.len()));
        let morph = match self.job.job() {
            Job::Sweep(job) => job.morph,
            Job::Interpolate(job) => MorphSettings {
                steps: job.steps,
                ..MorphSettings::default()
            },
        };
        let listed = self.listed.iter().map(|row| {
            json!({
                "name": row.name,
                "title": row.name,
                "items": row.items,
                "positions": row.items.each_ref().map(|item| self.job.item_named(item).ok()),
                "classes": row.item_classes,
                "intruders": row.measures.intruders,
                "values": row.values(),
                "detail": true,
            })
        });
        let info = self.engine.info();
        Ok(json!({
            "kind": if features.is_some() { "rows" } else { "images" },
            "class_names": class_names,
            "colors": (0..class_names.len()).map(class_color_hex).collect::<Vec<_>>(),
            "num_classes": class_names.len(),
            "steps": morph.steps,
            "grid": parts::grid(self.job.kind(), morph.steps),
            "frame": frame,
            "features": features,
            "ranges": ranges,
            "columns": COLUMNS.iter().map(|column| json!({
                "key": column.key, "label": column.label, "help": column.help,
                "format": column.format.name(), "group": column.group,
            })).collect::<Vec<_>>(),
            "overview": OVERVIEW,
            "rank_by": RANK_BY,
            "resolution": null,
            "landscapes": listed.collect::<Vec<_>>(),
            "num_items": self.job.num_items(),
            "facts": [
                ["Model", self.job.model().path],
                ["Data", format!("{}, {} items", self.job.data_json()["path"].as_str().unwrap_or_default(), self.job.num_items())],
                ["Engine", format!("{}, {}", info.engine, info.adapter)],
                ["Program", concat!("morphscape ", env!("CARGO_PKG_VERSION"))],
            ],
            "models": std::iter::once(&self.job.model().path)
                .chain(self.against.as_ref().map(|second| &second.path)).collect::<Vec<_>>(),
            "morph": morph,
            "first": self.first_items(),
        }))
    }

    /// The items that are shown first: those asked for, else of the first landscape of the run,
    /// else the first three of different classes, as far as there are so many.
    fn first_items(&self) -> Vec<usize> {
        if let Some(first) = self.first {
            return first.to_vec();
        }
        let of_run = self.listed.iter().find_map(|row| {
            let found = row.items.iter().map(|item| self.job.item_named(item).ok());
            found.collect::<Option<Vec<_>>>()
        });
        of_run.unwrap_or_else(|| {
            let mut first: Vec<usize> = Vec::new();
            for item in 0..self.job.num_items() {
                let class = self.job.item_class(item);
                if first
                    .iter()
                    .all(|&other| self.job.item_class(other) != class)
                {
                    first.push(item);
                }
                if first.len() == 3 {
                    break;
                }
            }
            // Of two classes, another item of the first one.
            let others: Vec<usize> = (0..self.job.num_items())
                .filter(|item| !first.contains(item))
                .take(3 - first.len())
                .collect();
            first.extend(others);
            first.resize(3, 0);
            first
        })
    }

    /// The smallest and the largest value of each feature.
    fn ranges(&self, features: usize) -> Vec<[f32; 2]> {
        let mut ranges = vec![[f32::INFINITY, f32::NEG_INFINITY]; features];
        for item in 0..self.job.num_items() {
            for (range, &value) in ranges
                .iter_mut()
                .zip(self.job.row(item).unwrap_or_default())
            {
                *range = [range[0].min(value), range[1].max(value)];
            }
        }
        ranges
    }

    /// What the page says of an item that the user brought.
    pub(super) fn brought(&self, content: &[u8]) -> Result<Value, ExploreError> {
        let (number, note) = self.bring(content)?;
        let picked = self.pick(&Pick::Own(number))?;
        let (row, png) = match &picked.input {
            Input::Row(row) => (Some(row.clone()), None),
            Input::Image(image) => (None, Some(png_text(image))),
        };
        Ok(json!({
            "own": number,
            "name": picked.name,
            "class": picked.class,
            "note": note,
            "row": row,
            "png": png,
            "pictures": pictures(&[picked.input]),
        }))
    }
}

/// The sizes of a frame and of its tile in a picture of frames.
fn frame([height_px, width_px, channels]: [usize; 3]) -> Value {
    let blank = Image {
        width_px,
        height_px,
        channels,
        levels: vec![0.0; height_px * width_px * channels],
    };
    let (_, [width, height], [tile_width, tile_height]) =
        Tiles::of_images(&[blank], 1).padded_atlas(MAX_FRAME_PX, GridKind::Morph);
    json!({"width_px": width, "height_px": height, "tile_width_px": tile_width, "tile_height_px": tile_height})
}
