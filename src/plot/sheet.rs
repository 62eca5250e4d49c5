//! The contact sheet: frames side by side in one picture.

use crate::data::Image;

/// Pixels between frames, and the grey level they have.
const GAP_PX: usize = 2;
const GAP_LEVEL: f32 = 255.0;

/// Frames smaller than this are enlarged by a whole factor, pixels.
const SMALLEST_PX: usize = 56;

/// The sheet's longer side is kept to about this by taking every n-th pixel, pixels.
const LARGEST_PX: usize = 8000;

/// Puts frames of one shape into rows of `columns`, each pixel enlarged to a square where the
/// frames are small, or every n-th pixel of them where they are many and large. A frame that
/// failed is a gap.
///
/// # Panics
/// When there is no frame, no column, or the shapes differ.
pub fn contact_sheet(frames: &[Image], columns: usize) -> Image {
    let first = &frames[0];
    let (shape, channels) = (first.shape(), first.channels);
    let zoom = SMALLEST_PX
        .div_ceil(first.width_px.max(first.height_px))
        .max(1);
    let rows = frames.len().div_ceil(columns);
    let longest = (columns * first.width_px).max(rows * first.height_px) * zoom;
    let skip = longest.div_ceil(LARGEST_PX);
    let (frame_width, frame_height) = (
        (first.width_px * zoom).div_ceil(skip),
        (first.height_px * zoom).div_ceil(skip),
    );
    let (cell_width, cell_height) = (frame_width + GAP_PX, frame_height + GAP_PX);
    let width_px = columns * cell_width + GAP_PX;
    let height_px = rows * cell_height + GAP_PX;
    let mut levels = vec![GAP_LEVEL; width_px * height_px * channels];
    for (k, frame) in frames.iter().enumerate() {
        assert_eq!(frame.shape(), shape, "a sheet has frames of one shape");
        if frame.is_failed() {
            continue;
        }
        let (left, top) = (
            k % columns * cell_width + GAP_PX,
            k / columns * cell_height + GAP_PX,
        );
        for y in 0..frame_height {
            for x in 0..frame_width {
                let source = (y * skip / zoom * frame.width_px + x * skip / zoom) * channels;
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
