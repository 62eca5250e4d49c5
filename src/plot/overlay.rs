//! What lies over the sampled map of a plane or triangle: the boundary as it was cut, and rings around
//! the parts that no sample hit.

use super::canvas::{Canvas, Place, Stroke};
use super::style::{INK, PAPER, opaque};
use crate::landscape::Landscape;

/// The boundary of a class map, in plane coordinates, and what the samples miss of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MapOverlay {
    /// Segments `[x, y, x, y]`.
    pub segments: Vec<[f64; 4]>,
    /// A place in each part of a class without a sample.
    pub missed: Vec<[f64; 2]>,
    /// How far the boundary can be trusted: `exact`, `certified` or `sampled`.
    pub label: String,
    /// What the samples miss, or why there is no boundary, in one sentence.
    pub sentence: String,
}

/// The same on the drawn map: 0 to 1 from the left and from below.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnOverlay {
    /// Segments.
    pub segments: Vec<[[f64; 2]; 2]>,
    /// A place in each missed part.
    pub missed: Vec<[f64; 2]>,
}

impl MapOverlay {
    /// The overlay on the map of a landscape.
    pub fn on(&self, landscape: &Landscape) -> DrawnOverlay {
        let drawn = |place: [f64; 2]| landscape.drawn_share(place);
        let segments = self.segments.iter();
        DrawnOverlay {
            segments: segments
                .map(|&[a, b, c, d]| [drawn([a, b]), drawn([c, d])])
                .collect(),
            missed: self.missed.iter().map(|&place| drawn(place)).collect(),
        }
    }
}

/// Draws it over a map whose top left is `origin` and whose sides are `side_px`.
pub(super) fn draw_overlay(
    canvas: &mut Canvas,
    overlay: &MapOverlay,
    landscape: &Landscape,
    [x, y]: Place,
    side_px: f64,
) {
    let drawn = overlay.on(landscape);
    let place = |[right, up]: [f64; 2]| [x + side_px * right, y + side_px * (1.0 - up)];
    let segments: Vec<[Place; 2]> = drawn.segments.iter().map(|ends| ends.map(place)).collect();
    let stroke = |color, width_px| Stroke {
        color: opaque(color),
        width_px,
    };
    canvas.segments(&segments, stroke(INK, 1.3));
    for &missed in &drawn.missed {
        for (color, width_px) in [(PAPER, 4.0), (INK, 1.6)] {
            let none = plotters::style::TRANSPARENT;
            canvas.circle(place(missed), 9.0, none, Some(stroke(color, width_px)));
        }
    }
}
