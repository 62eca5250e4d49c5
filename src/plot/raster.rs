//! SVG figures as PNG pictures.

use super::style::{FONT, FONT_FILE};
use crate::data::Picture;
use resvg::{tiny_skia, usvg};
use std::sync::{Arc, OnceLock};

/// A CSS pixel is 1/96 of an inch: at 96 dpi a figure is as many pixels as its SVG says.
const SVG_DPI: f32 = 96.0;

/// The largest side of a picture, pixels.
const MAX_SIDE_PX: f32 = 20_000.0;

/// Why a figure cannot be a picture.
#[derive(Debug, thiserror::Error)]
#[error(
    "at {dpi} dpi the figure has {width_px:.0} x {height_px:.0} pixels; expected at most {MAX_SIDE_PX:.0} a side, choose a smaller --dpi"
)]
pub struct RasterError {
    dpi: u16,
    width_px: f32,
    height_px: f32,
}

/// Draws one of this crate's SVG figures as a PNG of `dpi` dots an inch, in the bundled font:
/// no font of the system is used.
///
/// # Errors
/// [`RasterError`] when the picture would be too large.
pub fn svg_to_png(svg: &str, dpi: u16) -> Result<Vec<u8>, RasterError> {
    let options = usvg::Options {
        font_family: FONT.to_owned(),
        fontdb: fonts(),
        image_rendering: usvg::ImageRendering::OptimizeSpeed,
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(svg, &options).expect("a figure of this crate is an SVG");
    let scale = f32::from(dpi) / SVG_DPI;
    let (width_px, height_px) = (tree.size().width() * scale, tree.size().height() * scale);
    let too_large = || RasterError {
        dpi,
        width_px,
        height_px,
    };
    if width_px.max(height_px) > MAX_SIDE_PX {
        return Err(too_large());
    }
    let mut pixels = tiny_skia::Pixmap::new(width_px.round() as u32, height_px.round() as u32)
        .ok_or_else(too_large)?;
    // The last column and row may be covered in part.
    pixels.fill(tiny_skia::Color::WHITE);
    resvg::render(
        &tree,
        tiny_skia::Transform::from_scale(scale, scale),
        &mut pixels.as_mut(),
    );
    let picture = Picture {
        width_px: pixels.width() as usize,
        height_px: pixels.height() as usize,
        channels: 3,
        levels: pixels
            .data()
            .chunks_exact(4)
            .flat_map(|rgba| [rgba[0], rgba[1], rgba[2]])
            .collect(),
    };
    Ok(picture.to_png())
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
