//! Pictures of whole levels, as picture files hold them.

use super::{Image, InputError, MAX_TENSOR_BYTES, read_bytes};
use image::{ExtendedColorType, ImageDecoder, ImageEncoder, Limits, codecs};
use std::io::Cursor;
use std::path::Path;

/// A picture of 8-bit levels, row-major, channels innermost: `[H, W, C]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width, pixels.
    pub width_px: usize,
    /// Height, pixels.
    pub height_px: usize,
    /// 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// Levels 0..255, `height_px * width_px * channels` of them.
    pub levels: Vec<u8>,
}

/// Why a picture file was refused; the caller adds the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// The file cannot be read, or is too large.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Not a PNG that can be decoded.
    #[error("expected a PNG picture")]
    Decode(#[source] image::ImageError),
    /// Another size or kind of pixel.
    #[error("expected an 8-bit picture of {expected}, found {found}")]
    Shape {
        /// Width x height x channels.
        expected: String,
        /// What was found.
        found: String,
    },
}

impl From<&Image> for Picture {
    /// Levels rounded to whole ones.
    fn from(image: &Image) -> Self {
        Self {
            width_px: image.width_px,
            height_px: image.height_px,
            channels: image.channels,
            levels: image.levels.iter().map(|&level| whole(level)).collect(),
        }
    }
}

/// The nearest whole level 0..255.
pub fn whole(level: f32) -> u8 {
    level.round().clamp(0.0, 255.0) as u8
}

impl Picture {
    /// A picture of one level.
    pub fn filled(width_px: usize, height_px: usize, channels: usize, level: u8) -> Self {
        Self {
            width_px,
            height_px,
            channels,
            levels: vec![level; width_px * height_px * channels],
        }
    }

    fn color_type(&self) -> ExtendedColorType {
        if self.channels == 1 {
            ExtendedColorType::L8
        } else {
            ExtendedColorType::Rgb8
        }
    }

    fn encode(&self, encoder: impl ImageEncoder) {
        let (width, height) = (self.width_px as u32, self.height_px as u32);
        encoder
            .write_image(&self.levels, width, height, self.color_type())
            .expect("a picture of this crate encodes into memory");
    }

    /// The bytes of a PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        let mut png = Vec::new();
        self.encode(codecs::png::PngEncoder::new(&mut png));
        png
    }

    /// The bytes of a JPEG file of `quality` 1..100.
    pub fn to_jpeg(&self, quality: u8) -> Vec<u8> {
        let mut jpeg = Vec::new();
        self.encode(codecs::jpeg::JpegEncoder::new_with_quality(
            &mut jpeg, quality,
        ));
        jpeg
    }

    /// Reads a PNG that must be of `[height, width, channels]`, levels of at most
    /// [`MAX_TENSOR_BYTES`] together; nothing is decoded otherwise. The file may be as large as
    /// the levels and a MiB.
    ///
    /// # Errors
    /// [`PictureError`].
    pub fn read_png(
        path: &Path,
        [height_px, width_px, channels]: [usize; 3],
    ) -> Result<Self, PictureError> {
        let expected = [height_px, width_px, channels];
        let bytes = (expected.iter()).try_fold(1u64, |all, &size| all.checked_mul(size as u64));
        let Some(bytes) = bytes.filter(|&bytes| bytes <= MAX_TENSOR_BYTES) else {
            return Err(PictureError::Shape {
                expected: format!("at most {MAX_TENSOR_BYTES} levels"),
                found: format!("{width_px} x {height_px} x {channels}"),
            });
        };
        let content = read_bytes(path, bytes + (1 << 20))?;
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(bytes + (1 << 20));
        let decoder = codecs::png::PngDecoder::with_limits(Cursor::new(&content), limits)
            .map_err(PictureError::Decode)?;
        let (width, height) = decoder.dimensions();
        let color = decoder.original_color_type();
        let mut picture = Self::filled(0, 0, channels, 0);
        if (width as usize, height as usize) != (width_px, height_px)
            || color != picture.color_type()
        {
            return Err(PictureError::Shape {
                expected: format!("{width_px} x {height_px}, {:?}", picture.color_type()),
                found: format!("{width} x {height}, {color:?}"),
            });
        }
        picture = Self::filled(width_px, height_px, channels, 0);
        decoder
            .read_image(&mut picture.levels)
            .map_err(PictureError::Decode)?;
        Ok(picture)
    }

    /// Copies `tile` to (`left`, `top`), a grey one into all channels of a colour picture.
    ///
    /// # Panics
    /// When the tile does not lie inside, or has colours and the picture none.
    pub fn put(&mut self, tile: &Self, left: usize, top: usize) {
        assert!(tile.channels == self.channels || tile.channels == 1);
        for y in 0..tile.height_px {
            let from =
                &tile.levels[y * tile.width_px * tile.channels..][..tile.width_px * tile.channels];
            let start = ((top + y) * self.width_px + left) * self.channels;
            let into = &mut self.levels[start..start + tile.width_px * self.channels];
            if tile.channels == self.channels {
                into.copy_from_slice(from);
            } else {
                for (pixel, &level) in into.chunks_exact_mut(self.channels).zip(from) {
                    pixel.fill(level);
                }
            }
        }
    }

    /// Paints a rectangle.
    ///
    /// # Panics
    /// When it does not lie inside the picture or `color` is not as many levels as channels.
    pub fn paint(&mut self, [left, top]: [usize; 2], [width, height]: [usize; 2], color: &[u8]) {
        assert_eq!(
            color.len(),
            self.channels,
            "a colour has the picture's channels"
        );
        for y in top..top + height {
            let start = (y * self.width_px + left) * self.channels;
            for pixel in
                self.levels[start..start + width * self.channels].chunks_exact_mut(self.channels)
            {
                pixel.copy_from_slice(color);
            }
        }
    }
}
