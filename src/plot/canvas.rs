//! An SVG figure in the making: shapes in pixels and fractions of them, text, pictures, and
//! plotters charts as parts.
//!
//! plotters' own SVG has whole coordinates, no outline around a filled shape and no rotation,
//! which a surface or a ternary plot needs; a chart with axes is what plotters is good at, and
//! stands here as a nested SVG on a finer raster.

use super::style::{
    FONT, INK, LABEL_SIZE, MARGIN, MUTED, TITLE_SIZE, fitted, hex, printable, register_fonts,
};
use base64::Engine as _;
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, IntoDrawingArea, SVGBackend};
use plotters::style::{RGBAColor, RGBColor};
use std::fmt::Write;

/// A place on a figure, pixels from its top left.
pub(super) type Place = [f64; 2];

/// The style attribute of a picture in a figure, the only one there is: browsers know it, other
/// programs `image-rendering`.
pub const PICTURE_STYLE: &str = "image-rendering:pixelated";

/// Units of a nested chart a pixel: plotters' coordinates are whole numbers.
pub(super) const CHART_SCALE: u32 = 10;

/// What a nested chart is drawn on.
pub(super) type ChartArea<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The line around or along a shape.
#[derive(Clone, Copy)]
pub(super) struct Stroke {
    pub(super) color: RGBAColor,
    pub(super) width_px: f64,
}

/// Where a text stands against its place.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text looks.
#[derive(Clone, Copy)]
pub(super) struct Type {
    pub(super) size_px: f64,
    pub(super) color: RGBColor,
    pub(super) anchor: Anchor,
    /// Degrees clockwise about its place.
    pub(super) turn: f64,
}

impl Type {
    pub(super) fn new(size_px: f64, color: RGBColor, anchor: Anchor) -> Self {
        Self {
            size_px,
            color,
            anchor,
            turn: 0.0,
        }
    }
}

/// A figure in the making.
pub(super) struct Canvas {
    svg: String,
}

impl Canvas {
    /// A white figure with a title and the lines of `subtitle` below it.
    pub(super) fn new(width_px: f64, height_px: f64, title: &str, subtitle: &str) -> Self {
        let mut canvas = Self {
            svg: format!(
                "<svg width=\"{width_px}\" height=\"{height_px}\" viewBox=\"0 0 {width_px} {height_px}\" xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" font-family=\"{FONT}\">\n<title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
                escaped(title)
            ),
        };
        let room = width_px - 2.0 * MARGIN;
        let title_look = Type::new(TITLE_SIZE, INK, Anchor::Start);
        canvas.text([MARGIN, 31.0], &fitted(title, TITLE_SIZE, room), title_look);
        for (n, line) in subtitle.lines().enumerate() {
            canvas.text(
                [MARGIN, 53.0 + 18.0 * n as f64],
                &fitted(line, LABEL_SIZE, room),
                Type::new(LABEL_SIZE, MUTED, Anchor::Start),
            );
        }
        canvas
    }

    fn points(&mut self, points: &[Place]) {
        for (n, [x, y]) in points.iter().enumerate() {
            let separator = if n == 0 { "" } else { " " };
            let _ = write!(self.svg, "{separator}{},{}", number(*x), number(*y));
        }
    }

    fn stroke(&mut self, stroke: Option<Stroke>) {
        let Some(Stroke { color, width_px }) = stroke else {
            return;
        };
        let _ = write!(
            self.svg,
            " stroke=\"{}\" stroke-width=\"{}\"",
            hex(RGBColor(color.0, color.1, color.2)),
            number(width_px)
        );
        if color.3 < 1.0 {
            let _ = write!(self.svg, " stroke-opacity=\"{:.2}\"", color.3);
        }
    }

    fn fill(&mut self, color: RGBAColor) {
        if color.3 == 0.0 {
            self.svg.push_str(" fill=\"none\"");
            return;
        }
        let _ = write!(
            self.svg,
            " fill=\"{}\"",
            hex(RGBColor(color.0, color.1, color.2))
        );
        if color.3 < 1.0 {
            let _ = write!(self.svg, " fill-opacity=\"{:.2}\"", color.3);
        }
    }

    pub(super) fn polygon(&mut self, points: &[Place], fill: RGBAColor, edge: Option<Stroke>) {
        self.svg.push_str("<polygon points=\"");
        self.points(points);
        self.svg.push('"');
        self.fill(fill);
        self.stroke(edge);
        if edge.is_some() {
            self.svg.push_str(" stroke-linejoin=\"round\"");
        }
        self.svg.push_str("/>\n");
    }

    pub(super) fn line(&mut self, points: &[Place], stroke: Stroke) {
        self.svg.push_str("<polyline fill=\"none\" points=\"");
        self.points(points);
        self.svg.push('"');
        self.stroke(Some(stroke));
        self.svg.push_str("/>\n");
    }

    /// Many separate lines of one look.
    pub(super) fn segments(&mut self, segments: &[[Place; 2]], stroke: Stroke) {
        if segments.is_empty() {
            return;
        }
        self.svg.push_str("<path fill=\"none\" d=\"");
        for [[x0, y0], [x1, y1]] in segments {
            let _ = write!(
                self.svg,
                "M{} {}L{} {}",
                number(*x0),
                number(*y0),
                number(*x1),
                number(*y1)
            );
        }
        self.svg.push('"');
        self.stroke(Some(stroke));
        self.svg.push_str(" stroke-linecap=\"square\"/>\n");
    }

    pub(super) fn rectangle(
        &mut self,
        [x, y]: Place,
        [width, height]: [f64; 2],
        fill: RGBAColor,
        edge: Option<Stroke>,
    ) {
        let _ = write!(
            self.svg,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            number(x),
            number(y),
            number(width),
            number(height)
        );
        self.fill(fill);
        self.stroke(edge);
        self.svg.push_str("/>\n");
    }

    pub(super) fn circle(
        &mut self,
        [x, y]: Place,
        radius_px: f64,
        fill: RGBAColor,
        edge: Option<Stroke>,
    ) {
        let _ = write!(
            self.svg,
            "<circle cx=\"{}\" cy=\"{}\" r=\"{}\"",
            number(x),
            number(y),
            number(radius_px)
        );
        self.fill(fill);
        self.stroke(edge);
        self.svg.push_str("/>\n");
    }

    /// A line of text whose baseline passes through its place.
    pub(super) fn text(&mut self, [x, y]: Place, text: &str, look: Type) {
        let anchor = match look.anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = write!(
            self.svg,
            "<text x=\"{}\" y=\"{}\" font-size=\"{}\" fill=\"{}\" text-anchor=\"{anchor}\"",
            number(x),
            number(y),
            number(look.size_px),
            hex(look.color)
        );
        if look.turn != 0.0 {
            let _ = write!(
                self.svg,
                " transform=\"rotate({:.1} {} {})\"",
                look.turn,
                number(x),
                number(y)
            );
        }
        let _ = writeln!(self.svg, ">{}</text>", escaped(text));
    }

    /// A PNG picture, its pixels enlarged to squares.
    pub(super) fn picture(&mut self, [x, y]: Place, [width, height]: [f64; 2], png: &[u8]) {
        let _ = write!(
            self.svg,
            "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" image-rendering=\"optimizeSpeed\" style=\"{PICTURE_STYLE}\" xlink:href=\"data:image/png;base64,",
            number(x),
            number(y),
            number(width),
            number(height)
        );
        base64::engine::general_purpose::STANDARD.encode_string(png, &mut self.svg);
        self.svg.push_str("\"/>\n");
    }

    /// A plotters chart; `draw` gets an area of [`CHART_SCALE`] units a pixel.
    pub(super) fn chart(
        &mut self,
        [x, y]: Place,
        size_px: [u32; 2],
        draw: impl FnOnce(&ChartArea<'_>) -> Result<(), Box<dyn std::error::Error>>,
    ) {
        register_fonts();
        let [width, height] = size_px.map(|side| side * CHART_SCALE);
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
            // plotters' errors are those of its backend, and writing to a string has none.
            draw(&area)
                .and_then(|()| Ok(area.present()?))
                .expect("an SVG in memory can be drawn");
        }
        let header = svg.find('>').map_or(0, |end| end + 1);
        let _ = write!(
            self.svg,
            "<svg x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {width} {height}\">{}",
            number(x),
            number(y),
            size_px[0],
            size_px[1],
            &svg[header..]
        );
    }

    /// A legend, a coloured mark and a text a line, of as many entries as fit a figure; gives the
    /// place below it.
    pub(super) fn legend(
        &mut self,
        [x, y]: Place,
        width_px: f64,
        entries: &[(RGBColor, String)],
    ) -> Place {
        const MOST: usize = 13;
        let shown = if entries.len() > MOST {
            MOST - 1
        } else {
            entries.len()
        };
        for (line, (color, text)) in entries[..shown].iter().enumerate() {
            let y = y + 24.0 * line as f64;
            self.rectangle([x, y], [16.0, 16.0], super::style::opaque(*color), None);
            self.text(
                [x + 24.0, y + 13.0],
                &fitted(text, LABEL_SIZE, width_px - 24.0),
                Type::new(LABEL_SIZE, INK, Anchor::Start),
            );
        }
        let mut below = y + 24.0 * shown as f64;
        if shown < entries.len() {
            let more = format!("and {} more classes", entries.len() - shown);
            let look = Type::new(LABEL_SIZE, MUTED, Anchor::Start);
            self.text([x, below + 13.0], &more, look);
            below += 24.0;
        }
        [x, below]
    }

    /// The finished SVG.
    pub(super) fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }
}

/// A coordinate to a hundredth of a pixel, without zeros that say nothing.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// Text as XML has it.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in printable(text).chars() {
        match character {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}
