//! The IDX format of MNIST and its kin: a magic number, big-endian sizes, big-endian values.
//!
//! Layout: `00 00 T D`, then D sizes as u32 big-endian, then as many values as their product, and
//! nothing after them. `T` is the type: `08` unsigned bytes, `09` signed ones, `0b` 16-bit and `0c`
//! 32-bit whole numbers, `0d` and `0e` floats of 32 and 64 bits. Gzipped files are recognised by their first two bytes, not by their name, and
//! inflated in two steps: the header, and then no more than it promises.

use super::MAX_TENSOR_BYTES;
use super::array::{Array, Endian, Kind};
use std::borrow::Cow;
use std::io::Read;

/// Why an IDX file was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdxError {
    /// The file ends inside its header.
    #[error("expected an IDX header of {expected} bytes, found a file of {found}; is it complete?")]
    ShortHeader {
        /// Header size for the wanted number of dimensions, bytes.
        expected: usize,
        /// Size of the file, bytes.
        found: usize,
    },
    /// Not an IDX file.
    #[error(
        "expected an IDX file, which begins with 00 00, its type and its number of dimensions, found {found:02x?}"
    )]
    NotIdx {
        /// The first four bytes.
        found: [u8; 4],
    },
    /// A type that the format does not have.
    #[error(
        "expected a type of IDX (08 unsigned bytes, 09 signed bytes, 0b 16-bit and 0c 32-bit whole numbers, 0d and 0e floats), found type {found:02x}"
    )]
    Type {
        /// The number of the type.
        found: u8,
    },
    /// Another number of dimensions.
    #[error(
        "expected {expected} dimension(s), found {found}; images have 3 dimensions and labels 1, are the two files swapped?"
    )]
    Dimensions {
        /// Number of dimensions wanted.
        expected: usize,
        /// That found.
        found: usize,
    },
    /// The sizes in the header multiply to more than can be read.
    #[error(
        "the header's sizes {shape:?} make more than the {limit} bytes accepted; is the header damaged?"
    )]
    TooLarge {
        /// Sizes in the header.
        shape: Vec<usize>,
        /// The limit, bytes.
        limit: u64,
    },
    /// Fewer bytes than the header promises.
    #[error(
        "expected {expected} bytes of data for sizes {shape:?}, found {found}: the file is truncated"
    )]
    Truncated {
        /// Sizes in the header.
        shape: Vec<usize>,
        /// Bytes promised.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// More bytes than the header promises.
    #[error(
        "expected {expected} bytes of data for sizes {shape:?}, found {extra} or more after them"
    )]
    TrailingBytes {
        /// Sizes in the header.
        shape: Vec<usize>,
        /// Bytes promised.
        expected: usize,
        /// Bytes beyond them.
        extra: usize,
    },
    /// The gzip stream is damaged.
    #[error("the gzip stream is damaged; fetch the file again")]
    Gzip(#[source] std::io::Error),
}

/// A checked IDX file.
#[derive(Debug, Clone)]
pub struct Idx {
    /// Sizes, outermost first.
    pub(crate) shape: Vec<usize>,
    kind: Kind,
    content: Cow<'static, [u8]>,
    header_bytes: usize,
}

impl Idx {
    /// The values as the file has them, row-major.
    pub(crate) fn data(&self) -> &[u8] {
        &self.content[self.header_bytes..]
    }

    /// The values, if they are unsigned bytes.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        (self.kind == Kind::U8).then(|| self.data())
    }

    /// The values, whatever they are.
    pub(super) fn into_array(self) -> Array {
        let count = self.shape.iter().product();
        let values = (self.kind.read(&mut self.data(), count, Endian::Big))
            .expect("the number of values was checked");
        Array {
            shape: self.shape,
            values,
        }
    }
}

/// How many dimensions the header of an IDX file states, gzipped or not.
pub(super) fn idx_dims(content: &[u8]) -> Option<usize> {
    let start = match content {
        [0x1f, 0x8b, ..] => inflate(content, 4).ok()?,
        _ => content.get(..4)?.to_vec(),
    };
    start.get(3).map(|&dims| dims.into())
}

/// Reads an IDX file of `dims` dimensions, of any type, from its content, gzipped or not; of at most
/// [`MAX_TENSOR_BYTES`], far above the largest MNIST-like file (EMNIST, 550 MB of images).
///
/// # Errors
/// [`IdxError`] when the magic number, the sizes or the length are not what they should be.
pub fn read_idx(content: Cow<'static, [u8]>, dims: usize) -> Result<Idx, IdxError> {
    let header_bytes = 4 + 4 * dims;
    if content.starts_with(&[0x1f, 0x8b]) {
        // Inflated as far as the header promises, and a byte to see that nothing follows.
        let header = inflate(&content, header_bytes)?;
        let header = read_header(&header, dims)?;
        let content = inflate(&content, header_bytes + header.bytes + 1)?;
        return checked(header, Cow::Owned(content), header_bytes);
    }
    let header = read_header(&content[..content.len().min(header_bytes)], dims)?;
    checked(header, content, header_bytes)
}

/// What a header states.
struct Header {
    shape: Vec<usize>,
    kind: Kind,
    /// Of the data, together.
    bytes: usize,
}

/// What a header states, checked.
fn read_header(header: &[u8], dims: usize) -> Result<Header, IdxError> {
    let expected = 4 + 4 * dims;
    if let Some(&found) = header.first_chunk::<4>() {
        let [0, 0, code, found_dims] = found else {
            return Err(IdxError::NotIdx { found });
        };
        if Kind::of_idx(code).is_none() {
            return Err(IdxError::Type { found: code });
        }
        if usize::from(found_dims) != dims {
            return Err(IdxError::Dimensions {
                expected: dims,
                found: found_dims.into(),
            });
        }
    }
    let (words, _) = header.as_chunks();
    let kind = words
        .first()
        .and_then(|word: &[u8; 4]| Kind::of_idx(word[2]));
    let Some(kind) = kind.filter(|_| header.len() >= expected) else {
        return Err(IdxError::ShortHeader {
            expected,
            found: header.len(),
        });
    };
    let word = |i: usize| u32::from_be_bytes(words[i]);
    let shape: Vec<usize> = (1..=dims).map(|i| word(i) as usize).collect();
    let count = (shape.iter()).try_fold(1usize, |product, &size| product.checked_mul(size));
    let fits = |size: usize| {
        count
            .and_then(|count| count.checked_mul(size))
            .filter(|&bytes| bytes as u64 <= MAX_TENSOR_BYTES)
    };
    // As it lies in the file, and as it is kept.
    match (fits(kind.file_bytes()), fits(kind.kept_bytes())) {
        (Some(bytes), Some(_)) => Ok(Header { shape, kind, bytes }),
        _ => Err(IdxError::TooLarge {
            shape,
            limit: MAX_TENSOR_BYTES,
        }),
    }
}

/// Compares the data with what the header promises.
fn checked(
    Header { shape, kind, bytes }: Header,
    content: Cow<'static, [u8]>,
    header_bytes: usize,
) -> Result<Idx, IdxError> {
    let expected = bytes;
    let found = content.len().saturating_sub(header_bytes);
    if found < expected {
        return Err(IdxError::Truncated {
            shape,
            expected,
            found,
        });
    }
    if found > expected {
        return Err(IdxError::TrailingBytes {
            shape,
            expected,
            extra: found - expected,
        });
    }
    Ok(Idx {
        shape,
        kind,
        content,
        header_bytes,
    })
}

/// The first `most` bytes of what is gzipped, or all where there are fewer.
fn inflate(gzipped: &[u8], most: usize) -> Result<Vec<u8>, IdxError> {
    let mut content = Vec::new();
    flate2::read::MultiGzDecoder::new(gzipped)
        .take(most as u64)
        .read_to_end(&mut content)
        .map_err(IdxError::Gzip)?;
    Ok(content)
}
