//! One process at a time in a run's folder.
//!
//! The lock is the operating system's, on a file in the folder: it goes with the process, however
//! that ends. The file goes at the end of a run, so that a finished folder does not show whether
//! it was ever fought over; what a killed process leaves of it is a name that nobody holds.
//! Rejected: a file with the process's number, which outlives a killed process and may name
//! another one by then; locking the manifest, which is replaced each time it is written; locking
//! the folder itself, which Windows and network file systems do not do.

use super::layout::LOCK_FILE;
use crate::data::FileError;
use crate::run::RunError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// A folder that is this process's to write, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the folder, which exists, or says that another process has it.
    pub(super) fn take(folder: &Path) -> Result<Self, RunError> {
        let path = folder.join(LOCK_FILE);
        loop {
            let opened = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path);
            let file = opened.map_err(|source| FileError {
                path: path.clone(),
                source,
            })?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(RunError::refused(format!(
                        "{}: another morphscape is writing to the folder; wait for it, or use another folder",
                        folder.display()
                    )));
                }
                // A file system without locks: nothing stands in the way of the run.
                Err(TryLockError::Error(_)) => {}
            }
            // The one who had it may have taken the name away between the two calls.
            if is_at(&file, &path) {
                return Ok(Self { file, path });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The folder may be gone, and another's in its place.
        if is_at(&self.file, &self.path) {
            // A name that stays locks nothing.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Whether the open file is the one of that name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => id(open) == id(named),
        _ => false,
    }
}

/// Elsewhere files have no number to compare; that the name is there has to do.
#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}
