//! The one-page report of a run: `report.html`, which opens from disk with the network off.
//!
//! ```text
//! manifest, rows, columns ─> JSON ──────────────────────────────┐
//! landscape ─> probabilities as base64 floats ──┐               │
//! frames ────> one JPEG atlas                   ├─> details ────┼─> page.html + bench.html + page.css + page/*.js
//! figures ───> JSON, gzipped, base64 ───────────┤               │
//! its walk ──> the same ────────────────────────┘               │
//! plotly.js ─> gzipped, base64 (crate plotly) ──────────────────┘
//! ```
//!
//! The page's script draws the map, the probe and the 3-D view from the probabilities; the
//! figures are those that stand beside the landscape. Everything is in the page once: floats
//! as they are, frames as a picture, text compressed, which a browser inflates itself.

#[cfg(feature = "atlas")]
mod atlas;
mod models;
mod page;
pub(crate) mod parts;
pub(crate) mod policy;
mod walk;

#[cfg(feature = "atlas")]
pub use atlas::{AtlasReport, atlas_report};
pub use models::{ModelsReport, models_report};
pub use page::{Report, ReportRow, write_report};
pub use walk::{AddWalkError, add_walk, pack_walk, write_walk_report};

use crate::landscape::{Items, LandscapeFile};
use crate::plot::{Figure, MapOverlay, Tiles};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;

/// Frames larger than this are reduced in the report, pixels a side.
const MAX_FRAME_PX: usize = 64;
const JPEG_QUALITY: u8 = 75;

/// What the page shows of one landscape, ready to be put into it.
#[derive(Debug, Clone)]
pub struct Detail {
    name: String,
    html: String,
    /// Frame and tile of the atlas, `[width, height]` each.
    atlas: Option<[[usize; 2]; 2]>,
}

/// Packs a landscape for the page: its values, its frames or rows, what lies over its map, its figures.
pub fn pack_detail(
    file: &LandscapeFile,
    frames: Option<&Tiles>,
    map: Option<&MapOverlay>,
    figures: &[Figure],
) -> Detail {
    let name = &file.about.name;
    let mut html = String::new();
    let mut element = |kind: &str, content: &str| {
        let _ = writeln!(
            html,
            "<script type=\"text/plain\" id=\"{kind}-{name}\">{content}</script>"
        );
    };
    let landscape = &file.landscape;
    let values = landscape.as_drawn(&landscape.probabilities, landscape.num_classes);
    element("values", &floats(&values));
    if let Some(overlay) = parts::overlay(landscape, map) {
        element("overlay", &zipped(&overlay.to_string()));
    }
    let mut atlas = None;
    if let Some(frames) = frames {
        let (picture, frame, tile) = frames.padded_atlas(MAX_FRAME_PX, landscape.kind);
        let jpeg = STANDARD.encode(picture.to_jpeg(JPEG_QUALITY));
        element("frames", &format!("data:image/jpeg;base64,{jpeg}"));
        atlas = Some([frame, tile]);
    }
    if let (Items::Rows { .. }, Some(rows)) = (&file.about.items, &file.landscape.inputs) {
        element(
            "rows",
            &floats(&landscape.as_drawn(rows, file.about.items.len())),
        );
    }
    html.push_str(&pack_figures(name, figures));
    Detail {
        name: name.clone(),
        html,
        atlas,
    }
}

/// Packs the figures of a landscape or of a triple, which its landscapes share.
pub fn pack_figures(name: &str, figures: &[Figure]) -> String {
    let content = zipped(&figures_json(figures).to_string());
    format!("<script type=\"text/plain\" id=\"figures-{name}\">{content}</script>\n")
}

/// Figures by their names.
fn figures_json(figures: &[Figure]) -> Value {
    figures
        .iter()
        // The sheet is the map's own view of the frames.
        .filter(|figure| figure.name != "sheet")
        .map(|figure| {
            assert!(
                figure.title().is_some(),
                "{} has a row in FIGURE_TITLES",
                figure.name
            );
            (figure.name.to_owned(), json!(figure.svg))
        })
        .collect()
}

impl Detail {
    /// Adds the figures of its triple, once for the three landscapes, or its walk, packed.
    pub fn add(&mut self, packed: &str) {
        self.html.push_str(packed);
    }
}

/// Floats as base64 of their little-endian bytes.
fn floats(values: &[f32]) -> String {
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    STANDARD.encode(bytes)
}

/// Text as base64 of its gzip.
fn zipped(text: &str) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(8));
    encoder
        .write_all(text.as_bytes())
        .expect("writing to memory cannot fail");
    STANDARD.encode(encoder.finish().expect("writing to memory cannot fail"))
}
