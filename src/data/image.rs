//! One image in memory, and image files to it: PNG, JPEG, WebP, BMP, GIF, TIFF and PNM, by their
//! content, whatever they are called.

use super::input::open_limited;
use super::{InputError, MAX_PICTURE_BYTES, read_bytes};
use image::imageops::{FilterType, resize};
use image::{DynamicImage, ImageBuffer, ImageDecoder, ImageReader, Limits, Luma, Pixel, Rgb};
use pulp::{Arch, Simd, WithSimd};
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
    /// Not an image that can be decoded.
    #[error("expected a PNG, JPEG, WebP, BMP, GIF, TIFF or PNM image")]
    Decode(#[source] image::ImageError),
    /// Levels of another kind.
    #[error(
        "expected whole levels of 8 or 16 bits, found {found}; save the images as arrays in an .npz file, and say what is white with `white`"
    )]
    Levels {
        /// What they are.
        found: &'static str,
    },
    /// A level of white for a file that states its own.
    #[error("the file states its own level of white, by which it is scaled; leave `white` out")]
    StatesWhite,
    /// A level above what was said to be white.
    #[error("expected levels 0..{white}, found {found}; give `white` the largest level there is")]
    AboveWhite {
        /// The level said to be white.
        white: f64,
        /// The level found.
        found: f64,
    },
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

    /// The image with `[height, width, channels]`, scaled as it is when a set is: colours go
    /// first, as in Keras's and Pillow's loaders.
    pub fn fitted(self, [height_px, width_px, channels]: [usize; 3]) -> Self {
        match channels < self.channels {
            true => self.with_channels(channels).resized(width_px, height_px),
            false => self.resized(width_px, height_px).with_channels(channels),
        }
    }

    /// The image with so many channels, 1 or 3: a grey one as three equal channels; a coloured
    /// one as grey levels, whole ones rounded as Pillow's `convert("L")` has them (ITU-R BT.601,
    /// 16-bit fixed point).
    pub fn with_channels(self, channels: usize) -> Self {
        if channels == self.channels {
            return self;
        }
        if channels == 1 {
            let whole = self.levels.iter().all(|level| level.fract() == 0.0);
            let grey = |rgb: &[f32]| match whole {
                true => {
                    let [r, g, b] = [rgb[0], rgb[1], rgb[2]].map(|level| level as u32);
                    ((r * 19595 + g * 38470 + b * 7471 + (1 << 15)) >> 16) as f32
                }
                false => (rgb[0] * 19595.0 + rgb[1] * 38470.0 + rgb[2] * 7471.0) / 65536.0,
            };
            return Self {
                levels: self.levels.chunks_exact(3).map(grey).collect(),
                channels,
                ..self
            };
        }
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
        let mut grey = vec![0; self.levels.len() / self.channels];
        Arch::new().dispatch(WholeGrey {
            levels: &self.levels,
            channels: self.channels,
            grey: &mut grey,
        });
        grey
    }
}

/// Makes grey levels with the vector instructions the machine has.
struct WholeGrey<'a> {
    levels: &'a [f32],
    channels: usize,
    grey: &'a mut [u8],
}

impl WithSimd for WholeGrey<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(self, _: V) {
        if self.channels == 1 {
            for (grey, &level) in self.grey.iter_mut().zip(self.levels) {
                *grey = whole(level) as u8;
            }
            return;
        }
        let pixels = self.levels.chunks_exact(self.channels);
        for (grey, rgb) in self.grey.iter_mut().zip(pixels) {
            let weighted = whole(rgb[0]) * 4899 + whole(rgb[1]) * 9617 + whole(rgb[2]) * 1868;
            *grey = ((weighted + (1 << 13)) >> 14) as u8;
        }
    }
}

/// A level rounded to 0..255 as `round` does it; 0 of what is no number. Adding 2^23 rounds, and leaves
/// the whole number in the last bits; a cast would look at each value's range by itself.
#[inline(always)]
fn whole(level: f32) -> u32 {
    const SHIFT: f32 = 8_388_608.0;
    let level = if level > 0.0 { level } else { 0.0 };
    let level = if level < 255.0 { level } else { 255.0 };
    let shifted = level + SHIFT;
    // Halves went to the even number.
    let is_up = level - (shifted - SHIFT) >= 0.5;
    shifted.to_bits() - SHIFT.to_bits() + u32::from(is_up)
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

/// What an image is read from. All decoders are compiled for one such type.
trait Content: BufRead + Seek {}

impl<T: BufRead + Seek> Content for T {}

/// A decoder that has read the header, whose size is within the limits.
fn decoder(content: &mut dyn Content) -> Result<impl ImageDecoder, ImageError> {
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

/// `[height, width, channels]` as the header of an image file of at most
/// [`MAX_PICTURE_BYTES`] states them.
///
/// # Errors
/// [`ImageError`] when there is no such header, or a side is 0 or above the limit.
pub(super) fn image_file_shape(path: &Path) -> Result<[usize; 3], ImageError> {
    let (file, _) = open_limited(path, MAX_PICTURE_BYTES)?;
    let mut read = BufReader::new(file);
    let decoder = decoder(&mut read)?;
    let (width, height) = decoder.dimensions();
    let channels = if decoder.color_type().has_color() {
        3
    } else {
        1
    };
    Ok([height as usize, width as usize, channels])
}

/// Reads an image file of at most [`MAX_PICTURE_BYTES`] as [`decode_image`] does; `white` is the
/// level of white in the file's own units, instead of 255 of 8 bits and 65535 of 16.
///
/// # Errors
/// [`ImageError`]; the size is checked before the pixels are decoded.
pub fn read_image_file(path: &Path, white: Option<f64>) -> Result<Image, ImageError> {
    decode(&read_bytes(path, MAX_PICTURE_BYTES)?, white)
}

/// An image from the content of a PNG, JPEG, WebP, BMP, GIF, TIFF or PNM file, of at most 4096
/// pixels a side; of several images in a file the first. Grey files give one channel, colour files
/// three; alpha is dropped; 16-bit levels are scaled to 0..255 without rounding. It takes 512 MiB
/// at most, 1.5 times as much as the image itself.
///
/// # Errors
/// [`ImageError`]; the size is checked before the pixels are decoded.
pub fn decode_image(content: &[u8]) -> Result<Image, ImageError> {
    decode(content, None)
}

/// Whether this is a PNM file of another largest level than 255 and 65535.
fn is_scaled_pnm(content: &[u8]) -> bool {
    let is_pnm = matches!(content, [b'P', b'1'..=b'7', next, ..] if next.is_ascii_whitespace());
    // Kind, width, height and the largest level, which bitmaps leave out; comments end with a line.
    let header = &content[..content.len().min(4096)];
    let words = header
        .split(|&byte| byte == b'\n')
        .flat_map(|line| line.split(|&byte| byte == b'#').next())
        .flat_map(|line| line.split(u8::is_ascii_whitespace))
        .filter(|word| !word.is_empty());
    let largest = words.into_iter().nth(3);
    is_pnm && !largest.is_some_and(|word| word == b"255" || word == b"65535")
}

fn decode(content: &[u8], white: Option<f64>) -> Result<Image, ImageError> {
    // The library takes signed levels for unsigned ones, and clamps floats to 0..1.
    match tiff_sample_format(content) {
        Some(2) => {
            return Err(ImageError::Levels {
                found: "signed ones",
            });
        }
        Some(3) => return Err(ImageError::Levels { found: "floats" }),
        _ => {}
    }
    // The library has scaled the levels of these files by what they state.
    if white.is_some() && is_scaled_pnm(content) {
        return Err(ImageError::StatesWhite);
    }
    let mut read = Cursor::new(content);
    let decoder = decoder(&mut read)?;
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
    let levels = |levels: Vec<u8>| levels.into_iter().map(f32::from).collect::<Vec<f32>>();
    let wide_levels = |levels: Vec<u16>| levels.into_iter().map(f32::from).collect();
    let mut levels = match (channels, wide) {
        (1, true) => wide_levels(decoded.into_luma16().into_raw()),
        (1, false) => levels(decoded.into_luma8().into_raw()),
        (_, true) => wide_levels(decoded.into_rgb16().into_raw()),
        (_, false) => levels(decoded.into_rgb8().into_raw()),
    };
    if let Some(white) = white {
        for level in &mut levels {
            let found = f64::from(*level);
            *level = (found * (255.0 / white)) as f32;
            if !(0.0..=255.0).contains(level) {
                return Err(ImageError::AboveWhite { white, found });
            }
        }
    } else if wide {
        // 65535 is 257 times 255.
        for level in &mut levels {
            *level /= 257.0;
        }
    }
    Ok(Image {
        width_px,
        height_px,
        channels,
        levels,
    })
}

/// What a TIFF file says of its levels, if it is one and says it: 1 unsigned, 2 signed, 3 floats.
/// Of a file of several pictures that of the first.
fn tiff_sample_format(content: &[u8]) -> Option<u16> {
    const SAMPLE_FORMAT: u64 = 339;
    let is_little = content.starts_with(b"II");
    let number = |at: usize, bytes: usize| -> Option<u64> {
        let field = content.get(at..at.checked_add(bytes)?)?;
        let digit = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
        Some(match is_little {
            true => field.iter().rev().fold(0, digit),
            false => field.iter().fold(0, digit),
        })
    };
    if !is_little && !content.starts_with(b"MM") {
        return None;
    }
    // Offset of the first directory, bytes of its length, of an entry, and ahead of a value there.
    let (offset, length_bytes, entry_bytes, value_at) = match number(2, 2)? {
        42 => (number(4, 4)?, 2, 12, 8),
        43 => (number(8, 8)?, 8, 20, 12),
        _ => return None,
    };
    let offset = usize::try_from(offset).ok()?;
    let first = offset.checked_add(length_bytes)?;
    let entries = number(offset, length_bytes)?.min(u64::from(u16::MAX)) as usize;
    let place = |entry: usize| first.checked_add(entry * entry_bytes);
    let entry = (0..entries)
        .filter_map(place)
        .find(|&at| number(at, 2) == Some(SAMPLE_FORMAT))?;
    // One value a channel, each of two bytes; more than fit stand elsewhere.
    let values = usize::try_from(number(entry + 4, value_at - 4)?).ok()?;
    let place = match values.saturating_mul(2) > value_at - 4 {
        true => usize::try_from(number(entry + value_at, value_at - 4)?).ok()?,
        false => entry + value_at,
    };
    number(place, 2).map(|format| format as u16)
}
