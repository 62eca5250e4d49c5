//! One place for the font, the palette and the sizes of all figures.

use plotters::style::{FontStyle, RGBColor, register_font};
use std::sync::Once;

/// The name under which the bundled font is known to plotters; a viewer without it takes its
/// own sans serif, which is what the family list in an SVG then says.
pub(super) const FONT: &str = "sans-serif";

/// Text sizes, pixels.
pub(super) const CAPTION_SIZE: u32 = 20;
pub(super) const LABEL_SIZE: u32 = 15;

/// Ten colours that stay apart in print and for colour-blind readers, after Paul Tol's "bright",
/// "vibrant" and "muted" schemes (Tol, *Colour Schemes*, SRON/EPS/TN/09-002, 2021).
const PALETTE: [(u8, u8, u8); 10] = [
    (68, 119, 170),
    (204, 102, 119),
    (17, 119, 51),
    (170, 68, 153),
    (238, 119, 51),
    (102, 204, 238),
    (136, 34, 85),
    (68, 170, 153),
    (190, 170, 50),
    (51, 34, 136),
];

/// Colour of a class, by its number; the same class has the same colour in every figure.
pub(super) fn color(class: usize) -> RGBColor {
    let (red, green, blue) = PALETTE[class % PALETTE.len()];
    RGBColor(red, green, blue)
}

/// Registers the bundled font once, so that text is measured without a system font.
pub(super) fn register_fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT).is_err() {
            unreachable!("the bundled font is a valid font");
        }
    });
}
