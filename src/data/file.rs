//! Writing files so that nothing half-written is ever found under a final name.

use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufWriter, Read, Write};
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
    let mut file = PartFile::create(path)?;
    let written = file.write_all(content);
    written.map_err(|source| FileError {
        path: path.to_owned(),
        source,
    })?;
    file.finish()
}

/// A file that stands beside its place until [`PartFile::finish`], and if that is not reached, goes.
#[derive(Debug)]
struct PartFile {
    file: BufWriter<File>,
    beside: PathBuf,
    path: PathBuf,
}

impl PartFile {
    /// Begins the file that is to stand at `path`.
    ///
    /// # Errors
    /// [`FileError`] with the path.
    fn create(path: &Path) -> Result<Self, FileError> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}{PART}", std::process::id()));
        let beside = PathBuf::from(beside);
        // Whatever lies there, a link to somewhere else perhaps, is not written through.
        let _ = std::fs::remove_file(&beside);
        match File::create_new(&beside) {
            Ok(file) => Ok(Self {
                file: BufWriter::new(file),
                beside,
                path: path.to_owned(),
            }),
            Err(source) => Err(FileError {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Puts the whole file in its place.
    ///
    /// # Errors
    /// [`FileError`] with the path.
    fn finish(mut self) -> Result<(), FileError> {
        let written = self.file.flush();
        written
            .and_then(|()| std::fs::rename(&self.beside, &self.path))
            .map_err(|source| FileError {
                path: self.path.clone(),
                source,
            })
    }
}

impl Write for PartFile {
    fn write(&mut self, content: &[u8]) -> std::io::Result<usize> {
        self.file.write(content)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        // Once it is in its place it is not there any more; and the first error is the one to
        // report, to which a leftover that cannot be removed adds nothing.
        let _ = std::fs::remove_file(&self.beside);
    }
}

/// How the name ends that a file has until it is whole.
const PART: &str = ".morphscape-part";

/// Whether a name is one that a file has until it is whole, as [`write_file`] writes it; of a
/// process that was killed it stays.
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
