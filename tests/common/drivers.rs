//! Software Vulkan drivers: Mesa's lavapipe, and SwiftShader, which comes with Chromium. They share
//! no code, so a shader that both compute alike does not hang on either.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses its part of this module"
)]

use crate::devtools::executable;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The variables that name the drivers a Vulkan loader takes; the second is for loaders before 1.3.207.
pub const DRIVER_VARIABLES: [&str; 2] = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];

/// The manifest of lavapipe: of the variables, or where systems have it.
fn lavapipe() -> Option<PathBuf> {
    let is_lavapipe = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("lvp_icd") && name.ends_with(".json")
    };
    let named = DRIVER_VARIABLES.into_iter().filter_map(std::env::var_os);
    let named = named.flat_map(|paths| std::env::split_paths(&paths).collect::<Vec<_>>());
    let folders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];
    let listed = folders
        .into_iter()
        .filter_map(|f| std::fs::read_dir(f).ok());
    let listed = listed.flat_map(|files| files.filter_map(|file| Some(file.ok()?.path())));
    named.chain(listed).find(is_lavapipe)
}

/// The manifest of the SwiftShader beside the browser, written to `folder`.
fn swiftshader(folder: &Path) -> Option<PathBuf> {
    let browser = executable()?;
    let browser = browser.canonicalize().unwrap_or(browser);
    let beside = browser.parent().map(Path::to_owned);
    // Where the browser itself is a script, its own folder is one of these.
    let others = [
        "/usr/lib/chromium",
        "/usr/lib64/chromium-browser",
        "/opt/google/chrome",
    ];
    let mut folders = beside.into_iter().chain(others.map(PathBuf::from));
    let library = folders.find_map(|folder| {
        let library = folder.join("libvk_swiftshader.so");
        library.is_file().then_some(library)
    })?;
    let manifest = folder.join("swiftshader_icd.json");
    let content = serde_json::json!({
        "file_format_version": "1.0.0",
        "ICD": {"library_path": library, "api_version": "1.1.0"},
    });
    std::fs::write(&manifest, content.to_string()).expect("written");
    Some(manifest)
}

/// Both drivers, as a value of [`DRIVER_VARIABLES`]. With `MORPHSCAPE_REQUIRE_GPU=1`, as in CI, one
/// that is not there is a failure; else it is said and nothing is given.
pub fn both(folder: &Path) -> Option<OsString> {
    let found = [
        ("lavapipe", lavapipe()),
        ("SwiftShader", swiftshader(folder)),
    ];
    let is_required = std::env::var("MORPHSCAPE_REQUIRE_GPU").as_deref() == Ok("1");
    for (name, path) in &found {
        if path.is_none() {
            assert!(
                !is_required,
                "MORPHSCAPE_REQUIRE_GPU=1, and there is no {name}"
            );
            println!("two drivers are not tested: there is no {name}");
        }
    }
    let paths: Option<Vec<PathBuf>> = found.into_iter().map(|(_, path)| path).collect();
    Some(std::env::join_paths(paths?).expect("no path has a colon"))
}
