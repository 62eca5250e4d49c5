//! The contact sheet: frames side by side in one picture.

use crate::data::Image;

/// Pixels between frames, and the grey level they have.
const GAP_PX: usize = 2;
const GAP_LEVEL: f32 = 255.0;

/// Frames smaller than this are enlarged by a whole factor, pixels.
const SMALLEST_PX: usize = 56;

/// Puts frames of one shape into rows of `columns`, each pixel enlarged to a square where the
/// frames are small.
///
/// # Panics
/// When there is no frame, no column, or the shapes differ.
pub fn contact_sheet(frames: &[Image], columns: usize) -> Image {
    let first = &frames[0];
    let (shape, channels) = (first.shape(), first.channels);
    let zoom = SMALLEST_PX
        .div_ceil(first.width_px.max(first.height_px))
        .max(1);
    let (cell_width, cell_height) = (
        first.width_px * zoom + GAP_PX,
        first.height_px * zoom + GAP_PX,
    );
    let width_px = columns * cell_width + GAP_PX;
    let height_px = frames.len().div_ceil(columns) * cell_height + GAP_PX;
    let mut levels = vec![GAP_LEVEL; width_px * height_px * channels];
    for (k, frame) in frames.iter().enumerate() {
        assert_eq!(frame.shape(), shape, "a sheet has frames of one shape");
        let (left, top) = (
            k % columns * cell_width + GAP_PX,
            k / columns * cell_height + GAP_PX,
        );
        for y in 0..frame.height_px * zoom {
            for x in 0..frame.width_px * zoom {
                let source = (y / zoom * frame.width_px + x / zoom) * channels;
                let target = ((top + y) * width_px + left + x) * channels;
                levels[target..target + channels]
                    .copy_from_slice(&frame.levels[source..source + channels]);
            }
        }
    }
    Image {
        width_px,
        height_px,
        channels,
        levels,
    }
}
