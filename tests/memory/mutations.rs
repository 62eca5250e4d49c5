//! Broken and hostile files of every kind that is read: each is read or refused with a message,
//! none is a panic, and none takes more memory than its reader may.
//!
//! Good and nasty files, of `tests/corpus` and the golden ones, are broken by seed in one to four
//! places each. `MORPHSCAPE_MUTATIONS` says how many a reader, 2,000 where it is not set, and
//! `MORPHSCAPE_READER` names one of them. The same readers are fuzzed in `fuzz/`.

use crate::readers::{READERS, Reader};
use crate::{MEMORY, alone, chain};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Files of a reader with their names.
fn seeds(reader: &Reader) -> Vec<(String, Vec<u8>)> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut paths: Vec<PathBuf> = Vec::new();
    for file in reader.files {
        let path = tests.join(file);
        match path.is_dir() {
            true => paths.extend(
                std::fs::read_dir(&path)
                    .expect("a folder")
                    .map(|entry| entry.expect("an entry").path()),
            ),
            false => paths.push(path),
        }
    }
    paths.sort();
    paths
        .iter()
        .filter_map(|path| {
            let content = std::fs::read(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
            let name = path.file_name()?.to_string_lossy().into_owned();
            Some((name, (reader.part)(&content)?))
        })
        .collect()
}

/// What came of a file.
struct Tried {
    /// The message with its causes, where it was refused.
    refused: Option<String>,
    took: Duration,
    peak_bytes: usize,
}

/// Reads a file; gives nothing where that panics.
fn try_reading(reader: &Reader, folder: &Path, content: &[u8]) -> Option<Tried> {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let started = Instant::now();
    let read = std::panic::catch_unwind(|| {
        (reader.read)(folder, content).map_err(|error| chain(error.as_ref()))
    });
    let took = started.elapsed();
    let peak_bytes = MEMORY.peak_usage().saturating_sub(before);
    Some(Tried {
        refused: read.ok()?.err(),
        took,
        peak_bytes,
    })
}

/// What breaks parsers, in every format: sizes, ends, nesting, numbers and names.
const TOKENS: [&[u8]; 24] = [
    b"[[[[[[[[",
    b"{\"a\":{\"a\":",
    b"]",
    b"}",
    b"\"",
    b",",
    b"null",
    b"-1",
    b"0",
    b"1e999",
    b"NaN",
    b"18446744073709551616",
    b"\"\\ud800\"",
    b"\0",
    b"\r",
    b"\n",
    b"\"\n\"",
    b"\xff",
    b"\xef\xbb\xbf",
    b"PK\x03\x04",
    b"IDAT",
    b"\xff\xc0",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x1f\x8b",
];

/// Breaks a file in one to four places, where files are fragile: lengths, offsets, ends.
fn mutate(content: &mut Vec<u8>, random: &mut ChaCha8Rng) {
    for _ in 0..random.random_range(1..=4) {
        let len = content.len();
        if len == 0 {
            return;
        }
        // Headers are at the front of most formats and at the end of a zip.
        let at = match random.random_range(0..4) {
            0 => random.random_range(0..len.min(512)),
            1 => len - 1 - random.random_range(0..len.min(512)),
            _ => random.random_range(0..len),
        };
        let width = random.random_range(1..64).min(len - at);
        match random.random_range(0..11) {
            0 => content[at] ^= 1 << random.random_range(0..8),
            1 => content[at] = random.random(),
            2 => content[at] = b"\0\x01\x7f\x80\xff\"[{0-"[random.random_range(0..10)],
            3 => content.truncate(at),
            // A length or an address of 2, 4 or 8 bytes, of either order.
            4 | 5 => {
                let len = len as u64;
                let values = [
                    0,
                    1,
                    at as u64,
                    len,
                    len * 2,
                    1 << 12,
                    1 << 16,
                    1 << 31,
                    1 << 40,
                    u64::MAX,
                ];
                let value = match random.random_range(0..=values.len()) {
                    n if n < values.len() => values[n],
                    _ => random.random(),
                };
                let size = [2, 4, 8][random.random_range(0..3)].min(content.len() - at);
                let bytes = match random.random_range(0..2) {
                    0 => value.to_le_bytes()[..size].to_vec(),
                    _ => value.to_be_bytes()[8 - size..].to_vec(),
                };
                content[at..at + size].copy_from_slice(&bytes);
            }
            6 => drop(content.drain(at..at + width)),
            7 => {
                let token = TOKENS[random.random_range(0..TOKENS.len())];
                content.splice(at..at, token.iter().copied());
            }
            // A part of the file once more.
            8 => {
                let copy = content[at..at + width].to_vec();
                let times = [1, 1, 2, 40][random.random_range(0..4)];
                content.splice(at..at, copy.repeat(times));
            }
            // A part of the file in another place: structures that meet again.
            _ => {
                let source = random.random_range(0..=len - width);
                content.copy_within(source..source + width, at);
            }
        }
    }
}

#[test]
fn mutated_files_are_read_or_refused_and_never_panic_or_take_too_much() {
    let _alone = alone();
    let count = std::env::var("MORPHSCAPE_MUTATIONS");
    let count: u64 = count.map_or(2000, |count| count.parse().expect("a number of mutations"));
    let only = std::env::var("MORPHSCAPE_READER").ok();
    let folder = tempfile::tempdir().expect("a temporary folder");
    // A panic is reported with the file that made it; a library's own are caught in the reader.
    std::panic::set_hook(Box::new(|_| {}));
    let mut failures = Vec::new();
    println!("| reader | files | refused | panics | peak memory | slowest |");
    println!("| --- | ---: | ---: | ---: | ---: | --- |");
    for reader in READERS {
        if only.as_ref().is_some_and(|only| only != reader.name) {
            continue;
        }
        let seeds = seeds(reader);
        let (mut refused, mut panics, mut peak) = (0, 0, 0);
        let mut slowest = (Duration::ZERO, String::new());
        for seed in 0..count {
            let (name, content) = &seeds[seed as usize % seeds.len()];
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let mut content = content.clone();
            mutate(&mut content, &mut random);
            let what = format!("{}, mutation {seed} of {name}", reader.name);
            let Some(tried) = try_reading(reader, folder.path(), &content) else {
                panics += 1;
                failures.push(format!("{what}: it panics"));
                continue;
            };
            peak = peak.max(tried.peak_bytes);
            if tried.peak_bytes > (reader.most_bytes)(content.len()) {
                failures.push(format!("{what}: it takes {} bytes", tried.peak_bytes));
            }
            if let Some(message) = tried.refused {
                refused += 1;
                if message.len() > 5000 {
                    failures.push(format!("{what}: {message}"));
                }
            }
            if tried.took > slowest.0 {
                slowest = (tried.took, format!("{seed} of {name}"));
            }
        }
        println!(
            "| {} | {count} | {refused} | {panics} | {} KiB | {:.1?}, mutation {} |",
            reader.name,
            peak >> 10,
            slowest.0,
            slowest.1
        );
        if refused < count / 10 {
            failures.push(format!("{}: hardly anything is refused", reader.name));
        }
    }
    let _ = std::panic::take_hook();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What is expected of a file of the corpus stands in its name.
#[test]
fn the_corpus_is_read_or_refused_as_its_names_say() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut tried = 0;
    for reader in READERS {
        for (name, content) in seeds(reader) {
            let wanted = match name.split_once('-').map_or(&*name, |(start, _)| start) {
                start if start.starts_with("good") => true,
                "bad" if reader.name != "png-checksums-right" => false,
                _ => continue,
            };
            tried += 1;
            let outcome = try_reading(reader, folder.path(), &content);
            let outcome = outcome.unwrap_or_else(|| panic!("{}, {name}: it panics", reader.name));
            println!(
                "{}, {name} ({:?}, {} bytes): {}",
                reader.name,
                outcome.took,
                outcome.peak_bytes,
                outcome.refused.as_deref().unwrap_or("read")
            );
            assert_eq!(outcome.refused.is_none(), wanted, "{}, {name}", reader.name);
            assert!(
                outcome.peak_bytes <= (reader.most_bytes)(content.len()),
                "{}, {name}: it takes {} bytes",
                reader.name,
                outcome.peak_bytes
            );
        }
    }
    assert!(tried > 100, "only {tried} files are there");
}

/// Manifests are read by the command line itself; `--landscape` with no such name reads nothing else.
#[test]
fn mutated_manifests_are_read_or_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let manifest = br#"{"program":"morphscape 0.1.0","command":["morphscape"],"finished":true,
        "plan":{"job":"sweep","steps":3,"triples":[{"name":"1A","items":[1,2,3]}]},"landscapes":["1A.1","1A.2"]}"#;
    let (mut refused, mut read) = (0, 0);
    for seed in 0..100 {
        let mut content = manifest.to_vec();
        mutate(&mut content, &mut ChaCha8Rng::seed_from_u64(seed));
        std::fs::write(folder.path().join("manifest.json"), &content).expect("written");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_morphscape"))
            .args(["plot", "--landscape", "none"])
            .arg(folder.path())
            .output()
            .expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            output.status.code(),
            Some(1),
            "manifest, mutation {seed}: {said}"
        );
        match said.contains("--landscape none: expected one of the run's") {
            true => read += 1,
            false => refused += 1,
        }
        assert!(
            said.starts_with("error: ") && said.len() < 2000,
            "{seed}: {said}"
        );
    }
    assert!(refused > 30 && read > 5, "{refused} refused, {read} read");
}

/// Of formats whose end is needed: a part of a file is never taken for a whole one.
#[test]
fn a_file_cut_anywhere_is_refused() {
    let _alone = alone();
    let folder = tempfile::tempdir().expect("a temporary folder");
    for reader in READERS {
        // Lines of a table and rows of a JPEG or GIF are whole without those that follow, an IEND says
        // nothing, a message is whole after each field, and blanks end a header of tensors.
        if [
            "csv",
            "csv-gzipped",
            "csv-blanks",
            "pictures",
            "jpeg",
            "png",
            "png-checksums-right",
            "frames",
            "onnx",
            "landscape-header",
        ]
        .contains(&reader.name)
        {
            continue;
        }
        for (name, content) in seeds(reader) {
            // What is wrong with a file may lie behind the cut.
            if name.starts_with("bad") {
                continue;
            }
            // Each part of a format has another reader; a step that divides no block meets them all.
            for len in (0..content.len()).step_by(content.len() / 150 + 1) {
                let what = format!("{}, {name} cut at {len}", reader.name);
                let outcome = try_reading(reader, folder.path(), &content[..len]);
                let outcome = outcome.unwrap_or_else(|| panic!("{what}: it panics"));
                assert!(outcome.refused.is_some(), "{what}: it is read");
            }
        }
    }
}
