//! What every target does: a reader of `tests/common/readers.rs`, in a folder that stays.

#[path = "../tests/common/readers.rs"]
mod readers;

use std::sync::LazyLock;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a temporary folder"));

/// Reads `content`; refused or read is all the same.
pub fn read(name: &str, content: &[u8]) {
    let _ = (readers::reader(name).read)(FOLDER.path(), content);
}
