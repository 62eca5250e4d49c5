//! The IDX format of MNIST and its kin: a magic number, big-endian sizes, unsigned bytes.
//!
//! Layout: `00 00 08 D`, then D sizes as u32 big-endian, then the product of the sizes in
//! bytes, and nothing after them. `08` is the type code for unsigned bytes, the only one
//! image sets use. Gzipped files are recognised by their first two bytes, not by their name.

use std::borrow::Cow;
use std::io::Read;

/// The largest content accepted, bytes: far above the largest MNIST-like file (EMNIST, 550 MB of
/// training images). A gzip bomb stops here.
const MAX_BYTES: u64 = 4 << 30;

/// Why an IDX file was refused.
#[derive(Debug, thiserror::Error)]
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
    #[error("expected {expected} bytes of data for sizes {shape:?}, found {extra} more after them")]
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

/// Reads an IDX file of `dims` dimensions from its content, gzipped or not.
///
/// # Errors
/// [`IdxError`] when the magic number, the sizes or the length are not what they should be.
pub fn read_idx(content: Cow<'static, [u8]>, dims: usize) -> Result<Idx, IdxError> {
    let content = if content.starts_with(&[0x1f, 0x8b]) {
        Cow::Owned(inflate(&content)?)
    } else {
        content
    };
    let header_bytes = 4 + 4 * dims;
    if content.len() < header_bytes {
        return Err(IdxError::ShortHeader {
            expected: header_bytes,
            found: content.len(),
        });
    }
    let word = |i: usize| {
        u32::from_be_bytes([
            content[4 * i],
            content[4 * i + 1],
            content[4 * i + 2],
            content[4 * i + 3],
        ])
    };
    let expected_magic = 0x0800 | dims as u32;
    if word(0) != expected_magic {
        return Err(IdxError::Magic {
            expected: expected_magic,
            found: word(0),
            dims,
        });
    }
    let shape: Vec<usize> = (1..=dims).map(|i| word(i) as usize).collect();
    let expected = shape
        .iter()
        .try_fold(1usize, |product, &size| product.checked_mul(size))
        .filter(|&bytes| bytes as u64 <= MAX_BYTES)
        .ok_or_else(|| IdxError::TooLarge {
            shape: shape.clone(),
            limit: MAX_BYTES,
        })?;
    let found = content.len() - header_bytes;
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

fn inflate(gzipped: &[u8]) -> Result<Vec<u8>, IdxError> {
    let mut content = Vec::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(gzipped).take(MAX_BYTES + 1);
    decoder.read_to_end(&mut content).map_err(IdxError::Gzip)?;
    if content.len() as u64 > MAX_BYTES {
        return Err(IdxError::TooLarge {
            shape: Vec::new(),
            limit: MAX_BYTES,
        });
    }
    Ok(content)
}
