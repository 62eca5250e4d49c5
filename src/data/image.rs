//! One image in memory, and PNG or JPEG files to and from it.

use super::input::open_limited;
use super::{InputError, MAX_PICTURE_BYTES, read_bytes};
use image::imageops::{FilterType, resize};
use image::{DynamicImage, ImageBuffer, ImageDecoder, ImageReader, Limits, Luma, Pixel, Rgb};
use std::io::{BufRead, BufReader, Cursor, Seek};
use std::path::Path;

/// The largest side accepted, pixels: intermediate meshes then keep a lattice of at least eight
/// points a pixel (see `mesh::lattice_scale`).
pub(super) const MAX_SIDE_PX: usize = 4096;

/// An image: grey levels 0..255 as `f32`, row-major, channels innermost (`[H, W, C]`), y down,
/// pixel centres at whole coordinates (the centre of the top-left pixel is (0, 0)). A frame that
/// failed, for which its morph has no levels, is NaN throughout.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Width, pixels.
    pub width_px: usize,
    /// Height, pixels.
    pub height_px: usize,
    /// 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// Grey levels 0..255, `height_px * width_px * channels` of them.
    pub levels: Vec<f32>,
}

/// Why an image file was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// The file cannot be read, or is too large.
    #[error(transparent)]
    Input(#[from] InputError),
    /// Not a PNG or JPEG that can be decoded.
    #[error("expected a PNG or JPEG image")]
    Decode(#[source] image::ImageError),
    /// Too large.
    #[error(
        "expected at most {MAX_SIDE_PX} pixels a side, found {width_px} x {height_px}; scale the image down"
    )]
    TooLarge {
        /// Width found, pixels.
        width_px: usize,
        /// Height found, pixels.
        height_px: usize,
    },
    /// A size that the file cannot hold.
    #[error(
        "expected the pixels of {width_px} x {height_px}, found a file of {found} bytes that cannot hold them; fetch it again"
    )]
    TooFewBytes {
        /// Width stated, pixels.
        width_px: usize,
        /// Height stated, pixels.
        height_px: usize,
        /// Size of the file, bytes.
        found: usize,
    },
}

impl Image {
    /// The shape as `height x width x channels`, for messages.
    pub fn shape_text(&self) -> String {
        shape_text([self.height_px, self.width_px, self.channels])
    }

    /// This image's shape as a frame that failed: NaN throughout.
    pub fn failed(&self) -> Self {
        Self {
            levels: vec![f32::NAN; self.levels.len()],
            ..*self
        }
    }

    /// Whether this is a frame that failed.
    pub fn is_failed(&self) -> bool {
        self.levels.first().is_some_and(|level| level.is_nan())
    }

    /// `[height, width, channels]`.
    pub fn shape(&self) -> [usize; 3] {
        [self.height_px, self.width_px, self.channels]
    }

    /// The image scaled to `width_px x height_px`, through a triangle filter as wide as a pixel
    /// of the smaller image; itself where that is its size.
    pub(super) fn resized(self, width_px: usize, height_px: usize) -> Self {
        if [self.width_px, self.height_px] == [width_px, height_px] {
            return self;
        }
        let levels = if self.channels == 1 {
            resized_levels::<Luma<f32>>(&self, width_px, height_px)
        } else {
            resized_levels::<Rgb<f32>>(&self, width_px, height_px)
        };
        Self {
            width_px,
            height_px,
            levels,
            ..self
        }
    }

    /// A grey image as three equal channels, where three are asked for.
    pub(super) fn with_channels(self, channels: usize) -> Self {
        if channels == self.channels {
            return self;
        }
        assert!(
            self.channels == 1,
            "only a grey image can be given channels"
        );
        let levels = self.levels.iter().flat_map(|&level| vec![level; channels]);
        Self {
            levels: levels.collect(),
            channels,
            ..self
        }
    }

    /// The image as whole grey levels 0..255, `[H, W]`: rounded, colours weighted as OpenCV's
    /// `COLOR_RGB2GRAY` does (ITU-R BT.601, 14-bit fixed point).
    ///
    /// Feature points are found on these, on a mix as on an image, so that two corners of
    /// equal strength tie exactly.
    pub fn whole_grey_levels(&self) -> Vec<u8> {
        let whole = |level: f32| level.round().clamp(0.0, 255.0) as u32;
        match self.channels {
            1 => self
                .levels
                .iter()
                .map(|&level| whole(level) as u8)
                .collect(),
            channels => self
                .levels
                .chunks_exact(channels)
                .map(|rgb| {
                    ((whole(rgb[0]) * 4899
                        + whole(rgb[1]) * 9617
                        + whole(rgb[2]) * 1868
                        + (1 << 13))
                        >> 14) as u8
                })
                .collect(),
        }
    }
}

/// A shape as it reads in a message: `28 x 28` or `28 x 28 x 3`.
pub(crate) fn shape_text([height, width, channels]: [usize; 3]) -> String {
    if channels == 1 {
        format!("{height} x {width}")
    } else {
        format!("{height} x {width} x {channels}")
    }
}

fn resized_levels<P: Pixel<Subpixel = f32> + 'static>(
    image: &Image,
    width_px: usize,
    height_px: usize,
) -> Vec<f32> {
    // The library takes floats for 0..1 and clamps them to it.
    let unit = image.levels.iter().map(|level| level / 255.0).collect();
    let (width, height) = (image.width_px as u32, image.height_px as u32);
    let image: ImageBuffer<P, Vec<f32>> =
        ImageBuffer::from_raw(width, height, unit).expect("an image holds all its levels");
    resize(
        &image,
        width_px as u32,
        height_px as u32,
        FilterType::Triangle,
    )
    .into_raw()
    .into_iter()
    .map(|unit| unit * 255.0)
    .collect()
}

/// What the library may make room for while it decodes, bytes: more than [`MAX_SIDE_PX`] squared
/// pixels of 16-bit levels with alpha, 128 MiB.
const MAX_DECODED_BYTES: u64 = 256 << 20;

/// How much larger than its file a PNG can be: deflate packs at most 1032 bytes into one, and 1 bit
/// of a palette becomes up to 4 bytes.
const MAX_PNG_RATIO: u64 = 1032 * 32;

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE_PX as u32);
    limits.max_image_height = Some(MAX_SIDE_PX as u32);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    limits
}

/// A decoder that has read the header, whose size is within the limits.
fn decoder<'a>(content: impl BufRead + Seek + 'a) -> Result<impl ImageDecoder + 'a, ImageError> {
    let mut reader = ImageReader::new(content)
        .with_guessed_format()
        .map_err(InputError::Read)?;
    // The sides are checked here: a message of ours says how large the image is.
    let mut room = Limits::default();
    room.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(room);
    let mut decoder = reader.into_decoder().map_err(ImageError::Decode)?;
    let (width, height) = decoder.dimensions();
    let (width_px, height_px) = (width as usize, height as usize);
    if width_px > MAX_SIDE_PX || height_px > MAX_SIDE_PX {
        return Err(ImageError::TooLarge {
            width_px,
            height_px,
        });
    }
    decoder.set_limits(limits()).map_err(ImageError::Decode)?;
    Ok(decoder)
}

/// `[height, width, channels]` as the header of a PNG or JPEG file of at most
/// [`MAX_PICTURE_BYTES`] states them.
///
/// # Errors
/// [`ImageError`] when there is no such header, or a side is 0 or above the limit.
pub(super) fn image_file_shape(path: &Path) -> Result<[usize; 3], ImageError> {
    let (file, _) = open_limited(path, MAX_PICTURE_BYTES)?;
    let decoder = decoder(BufReader::new(file))?;
    let (width, height) = decoder.dimensions();
    let channels = if decoder.color_type().has_color() {
        3
    } else {
        1
    };
    Ok([height as usize, width as usize, channels])
}

/// Reads a PNG or JPEG file of at most [`MAX_PICTURE_BYTES`] as [`decode_image`] does.
///
/// # Errors
/// [`ImageError`]; the size is checked before the pixels are decoded.
pub fn read_image_file(path: &Path) -> Result<Image, ImageError> {
    decode_image(&read_bytes(path, MAX_PICTURE_BYTES)?)
}

/// An image from the content of a PNG or JPEG file, of at most 4096 pixels a side. Grey files
/// give one channel, colour files three; alpha is dropped; 16-bit levels are scaled to 0..255
/// without rounding. It takes 512 MiB at most, 1.5 times as much as the image itself.
///
/// # Errors
/// [`ImageError`]; the size is checked before the pixels are decoded.
pub fn decode_image(content: &[u8]) -> Result<Image, ImageError> {
    let decoder = decoder(Cursor::new(content))?;
    let (width, height) = decoder.dimensions();
    let (width_px, height_px) = (width as usize, height as usize);
    let is_png = content.starts_with(b"\x89PNG");
    if is_png && decoder.total_bytes() > MAX_PNG_RATIO * content.len() as u64 {
        return Err(ImageError::TooFewBytes {
            width_px,
            height_px,
            found: content.len(),
        });
    }
    let decoded = DynamicImage::from_decoder(decoder).map_err(ImageError::Decode)?;
    let channels = if decoded.color().has_color() { 3 } else { 1 };
    let wide = decoded.color().bytes_per_pixel() > decoded.color().channel_count();
    let levels = |levels: Vec<u8>| levels.into_iter().map(f32::from).collect();
    let wide_levels = |levels: Vec<u16>| {
        (levels.into_iter())
            .map(|level| f32::from(level) / 257.0)
            .collect()
    };
    let levels = match (channels, wide) {
        (1, true) => wide_levels(decoded.into_luma16().into_raw()),
        (1, false) => levels(decoded.into_luma8().into_raw()),
        (_, true) => wide_levels(decoded.into_rgb16().into_raw()),
        (_, false) => levels(decoded.into_rgb8().into_raw()),
    };
    Ok(Image {
        width_px,
        height_px,
        channels,
        levels,
    })
}
