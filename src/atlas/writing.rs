//! How a file gets to its place in an atlas's folder: written beside it, made safe on the disk, renamed.
//! Of two that write the same, the last one's stands.

use super::error::AtlasError;
use super::table::{Column, table_bytes};
use crate::data::FileError;
use crate::run::check_is_folder;
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::path::Path;

/// How the name ends that a file has until it is whole.
pub(super) const UNFINISHED: &str = ".tmp";

fn failed_to_write(path: &Path, source: std::io::Error) -> AtlasError {
    FileError {
        path: path.to_owned(),
        source,
    }
    .into()
}

/// Makes a folder and those above it.
pub(super) fn make_folder(folder: &Path) -> Result<(), AtlasError> {
    check_is_folder(folder)?;
    std::fs::create_dir_all(folder).map_err(|source| failed_to_write(folder, source))
}

/// Writes a table beside its place, makes it safe, and puts it there.
pub(super) fn write_table(
    path: &Path,
    columns: &[Column],
    about: &Value,
) -> Result<(), AtlasError> {
    let bytes = table_bytes(columns, about).map_err(|source| AtlasError::table(path, source))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(
        ".{name}.{}.{}{UNFINISHED}",
        host(),
        std::process::id()
    ));
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|source| {
        // The first error is the one to report.
        let _ = std::fs::remove_file(&beside);
        failed_to_write(path, source)
    })
}

/// The name of this machine.
pub(super) fn host() -> String {
    let said = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let name: String = said.trim().chars().filter(|&c| plain(c)).collect();
    if name.is_empty() {
        "host".to_owned()
    } else {
        name
    }
}
