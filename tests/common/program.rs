//! The program as a user runs it.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this module"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub struct Run {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_morphscape"));
    command.current_dir(folder).args(arguments);
    // Mesa's device-select layer writes to stderr where there is no such folder, as on a server.
    command.env("XDG_RUNTIME_DIR", folder);
    command
}

pub fn finished(output: Output) -> Run {
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

pub fn run(folder: &Path, arguments: &[&str]) -> Run {
    finished(
        command(folder, arguments)
            .output()
            .expect("the program starts"),
    )
}

pub fn succeed(folder: &Path, arguments: &[&str]) -> Run {
    let run = run(folder, arguments);
    assert_eq!(run.code, Some(0), "{arguments:?}: {}", run.stderr);
    run
}

/// Fails with `code` and one message that holds all of `words`; no panic.
pub fn fail(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let run = run(folder, arguments);
    assert_eq!(run.code, Some(code), "{arguments:?}: {}", run.stderr);
    assert!(
        !run.stderr.contains("panicked"),
        "{arguments:?}: {}",
        run.stderr
    );
    for word in words {
        assert!(
            run.stderr.contains(word),
            "{arguments:?}: expected \"{word}\" in: {}",
            run.stderr
        );
    }
    if code == 1 {
        assert_eq!(
            run.stderr.trim_end().lines().count(),
            1,
            "{arguments:?}: one message: {}",
            run.stderr
        );
    }
}

pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

pub fn json(path: PathBuf) -> serde_json::Value {
    serde_json::from_str(
        &std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
    )
    .expect("JSON")
}

/// The names of what a folder holds, sorted.
pub fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}
