//! The rooms of the house: imports point down only, wgpu stays in the GPU engine, clap and
//! anyhow in the command line.

use std::path::{Path, PathBuf};

/// From bottom to top; a room imports only from rooms before it.
const ROOMS: [&str; 10] = [
    "data",
    "mesh",
    "kernels",
    "model",
    "engine",
    "landscape",
    "pipeline",
    "plot",
    "report",
    "cli",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// What stands in a source that should not, `place` being its path below `src`.
fn offences(place: &str, text: &str) -> Vec<String> {
    let room = place.split('/').next().unwrap_or_default();
    let level = ROOMS.iter().position(|name| *name == room);
    let mut offences = Vec::new();
    let lines = text
        .lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .enumerate();
    for (number, line) in lines.filter(|(_, line)| !line.trim_start().starts_with("//")) {
        let mut offend =
            |what: String| offences.push(format!("src/{place}:{}: {what}", number + 1));
        for (at, _) in line.match_indices("crate::") {
            let target: String = line[at + 7..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            let target_level = ROOMS.iter().position(|name| *name == target);
            if let (Some(level), Some(target_level)) = (level, target_level)
                && target_level > level
            {
                offend(format!("{room} imports from {target}, which is above it"));
            }
            if level.is_some() && target_level.is_none() {
                offend(format!("imports crate::{target}, which is not a room"));
            }
        }
        if line.contains("wgpu::") && !place.starts_with("engine/gpu/") {
            offend("wgpu is named outside engine/gpu".into());
        }
        for name in ["clap", "anyhow"] {
            if line.contains(&format!("{name}::")) && room != "cli" && place != "main.rs" {
                offend(format!("{name} is named outside cli"));
            }
        }
    }
    offences
}

#[test]
fn imports_point_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 30, "only {} sources were found", files.len());
    let mut found = Vec::new();
    for file in files {
        let place = file
            .strip_prefix(&root)
            .expect("below src")
            .to_string_lossy()
            .replace('\\', "/");
        let room = place.split('/').next().unwrap_or_default();
        assert!(
            ROOMS.contains(&room) || ["lib.rs", "main.rs"].contains(&room),
            "src/{place} stands in no room"
        );
        found.extend(offences(
            &place,
            &std::fs::read_to_string(&file).expect("a source"),
        ));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn offences_are_seen() {
    for (place, line) in [
        ("mesh/mod.rs", "use crate::kernels::Buf;"),
        ("plot/line.rs", "let x = crate::cli::run();"),
        ("pipeline/mod.rs", "fn f(device: &wgpu::Device) {}"),
        ("data/mod.rs", "use anyhow::Context;"),
        ("model/mod.rs", "use crate::utils::f;"),
    ] {
        assert_eq!(offences(place, line).len(), 1, "{place}: {line}");
    }
    assert!(offences("cli/sweep.rs", "use crate::plot::line_plot;").is_empty());
    assert!(offences("kernels/warp.rs", "use crate::kernels::StructSpec;").is_empty());
}
