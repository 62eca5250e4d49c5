//! Writing files so that nothing half-written is ever found under a final name.

use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// A file or folder that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}; check that the folder is there and writable and the disk is not full", .path.display())]
pub struct FileError {
    /// The file that was to be written.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: std::io::Error,
}

/// Writes `content` to `path`: beside its place first, then renamed, so that a reader finds
/// the old file or the whole new one. The folder must be there: one that was removed in the
/// middle of a job is an error, not made anew with half of the job in it.
///
/// # Errors
/// [`FileError`] with the path; what was written beside it is removed.
pub fn write_file(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}{PART}", std::process::id()));
    let beside = PathBuf::from(beside);
    let write = || {
        // Whatever lies there, a link to somewhere else perhaps, is not written through.
        let _ = std::fs::remove_file(&beside);
        let mut file = File::create_new(&beside)?;
        file.write_all(content)?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|source| {
        // The first error is the one to report; a leftover that cannot be removed adds nothing to it.
        let _ = std::fs::remove_file(&beside);
        FileError {
            path: path.to_owned(),
            source,
        }
    })
}

/// How the name ends that a file has until it is whole.
const PART: &str = ".morphscape-part";

/// Whether a name is one that [`write_file`] gives a file until it is whole; of a process that was
/// killed it stays.
pub fn is_part(name: &str) -> bool {
    name.ends_with(PART)
}

/// SHA-256 of the concatenated `parts`, as 64 lower-case hexadecimal digits.
pub fn sha256_hex<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hex(hasher)
}

/// SHA-256 of a file's content, as [`sha256_hex`] gives it; however large, it is never in memory
/// as a whole.
///
/// # Errors
/// When the file cannot be read.
pub fn sha256_file(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(hasher)),
            length => hasher.update(&buffer[..length]),
        }
    }
}

fn hex(hasher: Sha256) -> String {
    let digits = hasher.finalize();
    digits.iter().map(|byte| format!("{byte:02x}")).collect()
}
