//! What every target does: a reader of `tests/common/readers.rs`, in a folder that stays.

#[path = "../tests/common/readers.rs"]
mod readers;

use std::sync::LazyLock;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    // The fuzzer's hook ends the process at any panic, those of the ONNX library included, which a reader
    // takes for errors. One that a reader does not take ends it without the hook, too.
    std::panic::set_hook(Box::new(|_| {}));
    tempfile::tempdir().expect("a temporary folder")
});

/// Reads `content`; refused or read is all the same.
pub fn read(name: &str, content: &[u8]) {
    let _ = (readers::reader(name).read)(FOLDER.path(), content);
}
