//! Writing files so that nothing half-written is ever found under a final name.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// A file or folder that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}; check that the folder is writable and the disk is not full", .path.display())]
pub struct FileError {
    /// The file that was to be written.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: std::io::Error,
}

/// Writes `content` to `path`: beside its place first, then renamed, so that a reader finds
/// the old file or the whole new one. Makes the folder when it is missing.
///
/// # Errors
/// [`FileError`] with the path; what was written beside it is removed.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let fail = |source| FileError {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.part", std::process::id()));
    let beside = PathBuf::from(beside);
    std::fs::write(&beside, content)
        .and_then(|()| std::fs::rename(&beside, path))
        .map_err(|source| {
            // The first error is the one to report; a leftover that cannot be removed adds nothing to it.
            let _ = std::fs::remove_file(&beside);
            fail(source)
        })
}

/// SHA-256 of the concatenated `parts`, as 64 lower-case hexadecimal digits.
pub fn sha256_hex<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
