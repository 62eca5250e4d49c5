//! SVG figures as PNG pictures.

use super::style::{FONT, FONT_FILE};
use crate::data::Picture;
use resvg::{tiny_skia, usvg};
use std::sync::{Arc, OnceLock};

/// A CSS pixel is 1/96 of an inch: at 96 dpi a figure is as many pixels as its SVG says.
const SVG_DPI: f32 = 96.0;

/// The largest side of a picture, pixels.
const MAX_SIDE_PX: f32 = 20_000.0;

/// Draws one of this crate's SVG figures as a PNG of `dpi` dots an inch, or of as many as keep
/// it within 20,000 pixels a side, in the bundled font: no font of the system is used.
pub fn svg_to_png(svg: &str, dpi: u16) -> Vec<u8> {
    svg_to_picture(svg, dpi).to_png()
}

/// Draws figures of one size one after the other as an animated PNG of 96 dots an inch, each for so
/// many milliseconds, over and over. A viewer that knows no animations shows the first.
///
/// # Panics
/// When there is no figure, or their sizes differ.
pub fn svgs_to_apng(svgs: &[String], each_ms: u16) -> Vec<u8> {
    let pictures: Vec<Picture> = svgs
        .iter()
        .map(|svg| svg_to_picture(svg, SVG_DPI as u16))
        .collect();
    let sides = |picture: &Picture| (picture.width_px, picture.height_px);
    let (width, height) = sides(&pictures[0]);
    assert!(
        pictures
            .iter()
            .all(|picture| sides(picture) == (width, height)),
        "figures of one size"
    );
    let mut bytes = Vec::new();
    let mut write = || -> Result<(), png::EncodingError> {
        let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_animated(pictures.len() as u32, 0)?;
        encoder.set_frame_delay(each_ms, 1000)?;
        let mut writer = encoder.write_header()?;
        for picture in &pictures {
            writer.write_image_data(&picture.levels)?;
        }
        writer.finish()
    };
    write().expect("memory takes every byte");
    bytes
}

fn svg_to_picture(svg: &str, dpi: u16) -> Picture {
    let options = usvg::Options {
        font_family: FONT.to_owned(),
        fontdb: fonts(),
        image_rendering: usvg::ImageRendering::OptimizeSpeed,
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(svg, &options).expect("a figure of this crate is an SVG");
    let size = tree.size();
    let largest = MAX_SIDE_PX / size.width().max(size.height());
    let scale = (f32::from(dpi) / SVG_DPI).min(largest);
    let side_px = |side: f32| (side * scale).round().max(1.0) as u32;
    let mut pixels = tiny_skia::Pixmap::new(side_px(size.width()), side_px(size.height()))
        .expect("a figure has sides");
    // The last column and row may be covered in part.
    pixels.fill(tiny_skia::Color::WHITE);
    resvg::render(
        &tree,
        tiny_skia::Transform::from_scale(scale, scale),
        &mut pixels.as_mut(),
    );
    Picture {
        width_px: pixels.width() as usize,
        height_px: pixels.height() as usize,
        channels: 3,
        levels: pixels
            .data()
            .chunks_exact(4)
            .flat_map(|rgba| [rgba[0], rgba[1], rgba[2]])
            .collect(),
    }
}

/// The bundled font under every name a figure asks for.
fn fonts() -> Arc<usvg::fontdb::Database> {
    static FONTS: OnceLock<Arc<usvg::fontdb::Database>> = OnceLock::new();
    Arc::clone(FONTS.get_or_init(|| {
        let mut fonts = usvg::fontdb::Database::new();
        fonts.load_font_data(FONT_FILE.to_vec());
        let family = fonts
            .faces()
            .next()
            .and_then(|face| face.families.first())
            .map(|(name, _)| name.clone())
            .expect("the bundled font has a name");
        fonts.set_sans_serif_family(family);
        Arc::new(fonts)
    }))
}
