//! Files that a user gives, read no further than their limit.
//!
//! Each reader has a limit for the file as it lies on the disk and, where what is inside can be
//! larger than the file (compressed, or a size that is only stated), one for that; docs/limits.md has
//! them in a table. A file is measured before room is made for it, and read no further than one
//! byte past its limit, since a pipe has no size and a file may grow meanwhile. Rejected: one
//! limit for all, which would be too large for a list of names or too small for a network.

use crate::remedy::did_you_mean_file;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Tensors, models and arrays of images, as files and as the array that a file unpacks to, bytes.
pub const MAX_TENSOR_BYTES: u64 = 4 << 30;

/// The JSON header of a `.safetensors` file, bytes: 1,000 times what a large network needs. The
/// library would take 100 MB and make ten times as much of it.
pub const MAX_HEADER_BYTES: u64 = 16 << 20;

/// An image file, bytes: more than 4096 x 4096 pixels of 16-bit levels uncompressed.
pub const MAX_PICTURE_BYTES: u64 = 256 << 20;

/// A manifest, a list of triples, a walk's numbers: what is parsed whole, bytes. What JSON is
/// parsed to takes up to 40 times as much.
pub const MAX_JSON_BYTES: u64 = 16 << 20;

/// A figure or a page of this program that is read again, bytes.
pub const MAX_PAGE_BYTES: u64 = 256 << 20;

/// Why a file was not read; the caller adds the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// Nothing is there.
    #[error("found nothing there{meant}")]
    Missing {
        /// What was meant, most likely: `; did you mean "fruit.csv"?`.
        meant: String,
    },
    /// A folder is there.
    #[error("expected a file, found a folder")]
    Folder,
    /// The file cannot be opened or read.
    #[error("cannot read the file")]
    Read(#[source] std::io::Error),
    /// Larger than its reader takes.
    #[error("expected a file of at most {limit} bytes, found {}", size_text(*.found, *.limit))]
    TooLarge {
        /// The limit, bytes.
        limit: u64,
        /// Size of the file, or what was read of it, bytes.
        found: u64,
    },
    /// A text that is none.
    #[error("expected text in UTF-8, found another byte at position {position}")]
    NotUtf8 {
        /// Of the first such byte.
        position: usize,
    },
}

/// A pipe is read to one byte past the limit, and what else it would have given is not known.
fn size_text(found: u64, limit: u64) -> String {
    match found == limit + 1 {
        true => "more".into(),
        false => found.to_string(),
    }
}

/// Opens a file of at most `limit` bytes. Gives its size, too.
pub(super) fn open_limited(path: &Path, limit: u64) -> Result<(File, u64), InputError> {
    if path.is_dir() {
        return Err(InputError::Folder);
    }
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => InputError::Missing {
            meant: did_you_mean_file(path, &[]),
        },
        _ => InputError::Read(error),
    })?;
    let found = file.metadata().map_err(InputError::Read)?.len();
    if found > limit {
        return Err(InputError::TooLarge { limit, found });
    }
    Ok((file, found))
}

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// [`InputError`]; a file that is larger is not read.
pub fn read_bytes(path: &Path, limit: u64) -> Result<Vec<u8>, InputError> {
    let (file, size) = open_limited(path, limit)?;
    let mut content = Vec::new();
    let room = usize::try_from(size).unwrap_or(usize::MAX);
    content
        .try_reserve_exact(room)
        .map_err(|error| InputError::Read(error.into()))?;
    file.take(limit + 1)
        .read_to_end(&mut content)
        .map_err(InputError::Read)?;
    let found = content.len() as u64;
    if found > limit {
        return Err(InputError::TooLarge { limit, found });
    }
    Ok(content)
}

/// Reads a text of at most `limit` bytes.
///
/// # Errors
/// [`InputError`]; a file that is larger is not read.
pub fn read_text(path: &Path, limit: u64) -> Result<String, InputError> {
    String::from_utf8(read_bytes(path, limit)?).map_err(|error| InputError::NotUtf8 {
        position: error.utf8_error().valid_up_to(),
    })
}

/// Whether a file's name is that of a spreadsheet.
pub(crate) fn is_spreadsheet(path: &Path) -> bool {
    let end = path.extension().unwrap_or_default();
    ["xlsx", "xlsm", "xls", "ods"]
        .iter()
        .any(|known| end.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_their_limit_and_no_further() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("file");
        std::fs::write(&path, "ten bytes.").expect("written");
        assert_eq!(read_bytes(&path, 10).expect("as long as allowed").len(), 10);
        let error = read_text(&path, 9).expect_err("one byte more").to_string();
        assert_eq!(error, "expected a file of at most 9 bytes, found more");
        // Larger than any memory, and of no bytes on the disk.
        let file = File::create(&path).expect("a file");
        file.set_len(1 << 42).expect("a sparse file");
        let error = read_bytes(&path, 9).expect_err("too large").to_string();
        assert_eq!(
            error,
            "expected a file of at most 9 bytes, found 4398046511104"
        );
        std::fs::write(&path, b"a\xff").expect("written");
        let error = read_text(&path, 9).expect_err("no text").to_string();
        assert_eq!(
            error,
            "expected text in UTF-8, found another byte at position 1"
        );
        let error = read_bytes(folder.path(), 1 << 20).expect_err("a folder");
        assert_eq!(error.to_string(), "expected a file, found a folder");
        for (name, expected) in [
            ("flie", "found nothing there; did you mean \"file\"?"),
            ("other", "found nothing there"),
        ] {
            let error = read_bytes(&folder.path().join(name), 9).expect_err("missing");
            assert_eq!(error.to_string(), expected);
        }
    }

    /// A device has no size and no end.
    #[test]
    #[cfg(target_os = "linux")]
    fn what_has_no_size_is_read_to_one_byte_past_the_limit() {
        let error = read_bytes(Path::new("/dev/zero"), 1 << 20).expect_err("endless");
        let is_all = matches!(error, InputError::TooLarge { found, .. } if found == (1 << 20) + 1);
        assert!(is_all, "{error}");
    }
}
