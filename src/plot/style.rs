//! One place for the font, the palette, the colour map and the sizes of all figures.

use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{
    FontStyle, FontTransform, IntoFont, RGBAColor, RGBColor, TextStyle, register_font,
};
use std::sync::Once;

/// The name under which the bundled font is known to plotters and resvg; a viewer of an SVG
/// takes its own sans serif, which is what this name says there.
pub(super) const FONT: &str = "sans-serif";

/// The font of all figures, Ubuntu Light.
pub(super) const FONT_FILE: &[u8] = epaint_default_fonts::UBUNTU_LIGHT;

/// Text sizes, pixels.
pub(super) const TITLE_SIZE: f64 = 19.0;
pub(super) const LABEL_SIZE: f64 = 14.0;
pub(super) const SMALL_SIZE: f64 = 12.0;

/// Space at the edges of a figure, and what its title and two lines below it take, pixels.
pub(super) const MARGIN: f64 = 20.0;
pub(super) const HEADER: f64 = 84.0;

/// Shades of text and lines.
pub(super) const INK: RGBColor = RGBColor(30, 30, 30);
pub(super) const MUTED: RGBColor = RGBColor(95, 95, 95);
pub(super) const RULE: RGBColor = RGBColor(214, 214, 214);
pub(super) const PAPER: RGBColor = RGBColor(255, 255, 255);

/// Meshes over images: edges, those of folded triangles and of ones without area, points.
pub(super) const MESH_EDGE: RGBColor = RGBColor(102, 204, 238);
pub(super) const MESH_IRREGULAR: RGBColor = RGBColor(238, 119, 51);
pub(super) const MESH_POINT: RGBColor = RGBColor(238, 221, 68);

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

/// Viridis (van der Walt and Smith, matplotlib 2015) at ten even steps: lightness grows with
/// the value, so that it survives grey print and every kind of colour blindness.
const VIRIDIS: [(u8, u8, u8); 10] = [
    (68, 1, 84),
    (72, 40, 120),
    (62, 73, 137),
    (49, 104, 142),
    (38, 130, 142),
    (31, 158, 137),
    (53, 183, 121),
    (110, 206, 88),
    (181, 222, 43),
    (253, 231, 37),
];

/// Colour of a class, by its number; the same class has the same colour in every figure. Beyond
/// ten classes the colours come again, paler and darker in turn: told apart in pairs, not at
/// sight.
pub(super) fn color(class: usize) -> RGBColor {
    let (red, green, blue) = PALETTE[class % PALETTE.len()];
    let base = RGBColor(red, green, blue);
    match class / PALETTE.len() % 4 {
        0 => base,
        1 => blend(base, PAPER, 0.5),
        2 => blend(base, RGBColor(0, 0, 0), 0.45),
        _ => blend(base, PAPER, 0.25),
    }
}

/// Colour of a class as CSS writes it, `#4477aa`.
pub fn class_color_hex(class: usize) -> String {
    hex(color(class))
}

pub(super) fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Colour of a value 0..1 on the colour map.
pub(super) fn heat(value: f64) -> RGBColor {
    let place = value.clamp(0.0, 1.0) * (VIRIDIS.len() - 1) as f64;
    let below = (place as usize).min(VIRIDIS.len() - 2);
    let [(r0, g0, b0), (r1, g1, b1)] = [VIRIDIS[below], VIRIDIS[below + 1]];
    blend(
        RGBColor(r0, g0, b0),
        RGBColor(r1, g1, b1),
        place - below as f64,
    )
}

/// `(1 - weight) * a + weight * b`.
pub(super) fn blend(a: RGBColor, b: RGBColor, weight: f64) -> RGBColor {
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * weight).round() as u8;
    RGBColor(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// An opaque colour.
pub(super) fn opaque(RGBColor(red, green, blue): RGBColor) -> RGBAColor {
    RGBAColor(red, green, blue, 1.0)
}

/// Text of a plotters chart, `size` in units of the chart.
pub(super) fn chart_text(size: f64, shade: RGBColor) -> TextStyle<'static> {
    register_fonts();
    TextStyle {
        font: (FONT, size).into_font().transform(FontTransform::None),
        color: plotters::style::Color::to_backend_color(&shade),
        pos: Pos::new(HPos::Left, VPos::Top),
    }
}

/// Width of a line of text in the bundled font, pixels.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    register_fonts();
    let (width, _) = (FONT, size).into_font().box_size(text).unwrap_or_default();
    // plotters' size is the height of a line, 1.121 times that of the em in this font.
    f64::from(width) * 1.121
}

/// `text` itself where it fits `width` pixels, else its beginning and an ellipsis.
pub(super) fn fitted(text: &str, size: f64, width: f64) -> String {
    // No line of a figure holds as many characters; measuring a longer text would take long.
    const LONGEST: usize = 400;
    let characters: Vec<char> = text.chars().take(LONGEST + 1).collect();
    let beginning = |keep: usize| characters[..keep].iter().collect::<String>() + "...";
    if characters.len() <= LONGEST && text_width(text, size) <= width {
        return text.to_owned();
    }
    // The longest beginning that fits, by bisection: `fits` does, `too_long` does not.
    let (mut fits, mut too_long) = (0, characters.len());
    while too_long - fits > 1 {
        let middle = (fits + too_long) / 2;
        if text_width(&beginning(middle), size) <= width {
            fits = middle;
        } else {
            too_long = middle;
        }
    }
    beginning(fits)
}

/// Text that XML can hold: characters it cannot are blanks.
pub(super) fn printable(text: &str) -> String {
    text.replace(
        |character: char| character < ' ' || matches!(character, '\u{fffe}' | '\u{ffff}'),
        " ",
    )
}

/// Registers the bundled font once, so that text is measured without a system font.
pub(super) fn register_fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if register_font(FONT, FontStyle::Normal, FONT_FILE).is_err() {
            unreachable!("the bundled font is a valid font");
        }
    });
}
