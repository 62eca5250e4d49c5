//! The IDX format of MNIST and its kin: a magic number, big-endian sizes, unsigned bytes.
//!
//! Layout: `00 00 08 D`, then D sizes as u32 big-endian, then the product of the sizes in
//! bytes, and nothing after them. `08` is the type code for unsigned bytes, the only one
//! image sets use. Gzipped files are recognised by their first two bytes, not by their name, and
//! inflated in two steps: the header, and then no more than it promises.

use super::MAX_TENSOR_BYTES;
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
    /// Not an IDX file of unsigned bytes with the wanted number of dimensions.
    #[error(
        "expected the IDX magic number {expected:#010x} ({dims} dimension(s) of unsigned bytes), found {found:#010x}; \
         images have 3 dimensions and labels 1, are the two files swapped?"
    )]
    Magic {
        /// The magic number wanted.
        expected: u32,
        /// The one found.
        found: u32,
        /// Number of dimensions wanted.
        dims: usize,
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

/// A checked IDX file of unsigned bytes.
#[derive(Debug, Clone)]
pub struct Idx {
    /// Sizes, outermost first.
    pub(crate) shape: Vec<usize>,
    content: Cow<'static, [u8]>,
    header_bytes: usize,
}

impl Idx {
    /// The data: the product of `shape` bytes, row-major.
    pub(crate) fn data(&self) -> &[u8] {
        &self.content[self.header_bytes..]
    }
}

/// Reads an IDX file of `dims` dimensions from its content, gzipped or not; of at most
/// [`MAX_TENSOR_BYTES`], far above the largest MNIST-like file (EMNIST, 550 MB of images).
///
/// # Errors
/// [`IdxError`] when the magic number, the sizes or the length are not what they should be.
pub fn read_idx(content: Cow<'static, [u8]>, dims: usize) -> Result<Idx, IdxError> {
    let header_bytes = 4 + 4 * dims;
    if content.starts_with(&[0x1f, 0x8b]) {
        // Inflated as far as the header promises, and a byte to see that nothing follows.
        let header = inflate(&content, header_bytes)?;
        let (shape, expected) = read_header(&header, dims)?;
        let content = inflate(&content, header_bytes + expected + 1)?;
        return checked(shape, expected, Cow::Owned(content), header_bytes);
    }
    let (shape, expected) = read_header(&content[..content.len().min(header_bytes)], dims)?;
    checked(shape, expected, content, header_bytes)
}

/// The sizes in a header, and how many bytes of data they promise.
fn read_header(header: &[u8], dims: usize) -> Result<(Vec<usize>, usize), IdxError> {
    let expected = 4 + 4 * dims;
    if header.len() < expected {
        return Err(IdxError::ShortHeader {
            expected,
            found: header.len(),
        });
    }
    let (words, _) = header.as_chunks();
    let word = |i: usize| u32::from_be_bytes(words[i]);
    let expected_magic = 0x0800 | dims as u32;
    if word(0) != expected_magic {
        return Err(IdxError::Magic {
            expected: expected_magic,
            found: word(0),
            dims,
        });
    }
    let shape: Vec<usize> = (1..=dims).map(|i| word(i) as usize).collect();
    let bytes = shape
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size))
        .filter(|&bytes| bytes as u64 <= MAX_TENSOR_BYTES);
    match bytes {
        Some(bytes) => Ok((shape, bytes)),
        None => Err(IdxError::TooLarge {
            shape,
            limit: MAX_TENSOR_BYTES,
        }),
    }
}

/// Compares the data with what the header promises.
fn checked(
    shape: Vec<usize>,
    expected: usize,
    content: Cow<'static, [u8]>,
    header_bytes: usize,
) -> Result<Idx, IdxError> {
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
