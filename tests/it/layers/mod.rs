//! The rooms of the house: imports point down only, no file of a room needs another in a circle,
//! wgpu stays in the GPU engine, and what belongs to a terminal or to a whole process stays in the
//! command line.
//!
//! Sources are read whole. Only a module behind `#[cfg(test)]` is left out, by its braces or as the
//! file that it names.

mod code;
mod house;

use code::code;
use house::{File, House};
use std::path::Path;

/// From bottom to top; a room imports only from storeys below its own, not from beside it.
const STOREYS: [&[&str]; 12] = [
    &["defaults", "remedy"],
    &["data", "mesh"],
    &["kernels"],
    &["landscape", "model", "engine"],
    &["sections"],
    &["pipeline"],
    &["plot", "job"],
    &["report"],
    &["run"],
    &["atlas"],
    &["explore"],
    &["cli"],
];

/// What only the command line and `main.rs` may name: a library is called from anywhere, many
/// times in a process.
const OF_A_PROCESS: [&str; 7] = [
    "anyhow",
    "args_os",
    "clap",
    "ctrlc",
    "indicatif",
    "stderr",
    "stdout",
];

/// The same of macros.
const MACROS_OF_A_PROCESS: [&str; 5] = ["dbg", "eprint", "eprintln", "print", "println"];

/// The same of names that are common words by themselves.
const OF_A_PROCESS_AS_PATHS: [[&str; 2]; 4] = [
    ["env", "args"],
    ["process", "exit"],
    ["process", "abort"],
    ["env", "set_current_dir"],
];

/// Types of statics that remember something.
const HOLDERS: [&str; 10] = [
    "Cell",
    "LazyCell",
    "LazyLock",
    "Mutex",
    "Once",
    "OnceCell",
    "OnceLock",
    "RefCell",
    "RwLock",
    "UnsafeCell",
];

/// Statics outside the command line that may remember something, and why.
const STATICS: [(&str, &str); 5] = [
    // wgpu reports a lost device on a thread of its own choice; the hook of panics is the process's.
    ("engine/gpu/lost.rs", "IS_CAUGHT"),
    ("engine/gpu/lost.rs", "HOOK"),
    // Each keeps what is always the same: the bundled fonts, read or registered once, and plotly.js.
    ("plot/raster.rs", "FONTS"),
    ("plot/style.rs", "ONCE"),
    ("report/parts.rs", "TEXT"),
];

/// Circles of files that are still there, to be taken apart: none. In `job` and `run` there may be
/// none at any time.
const CIRCLES: &[&str] = &[];

fn storey(room: &str) -> Option<usize> {
    STOREYS.iter().position(|storey| storey.contains(&room))
}

/// Where a static that remembers something is declared in a file, and its name.
fn statics(file: &File) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, token) in file.tokens.iter().enumerate() {
        if token.text != "static" {
            continue;
        }
        let rest = &file.tokens[at + 1..];
        let declaration: Vec<&str> = rest
            .iter()
            .map(|token| token.text.as_str())
            .take_while(|text| !["=", ";"].contains(text))
            .collect();
        let holds = |text: &&str| HOLDERS.contains(text) || text.starts_with("Atomic");
        if declaration.iter().any(holds) || declaration.first() == Some(&"mut") {
            let name = declaration
                .iter()
                .find(|text| !["mut", "ref"].contains(text));
            found.push((token.line, name.copied().unwrap_or_default().to_owned()));
        }
    }
    found
}

/// What stands in a file that should not, statics left out.
fn offences(house: &House, file: &File) -> Vec<String> {
    let (place, room) = (&file.place, file.room());
    let mut offences = Vec::new();
    let mut offend = |line: usize, what: String| {
        offences.push(format!("src/{place}:{line}: {what}"));
    };
    let named = file
        .uses
        .iter()
        .map(|brought| (&brought.path, brought.line));
    let named = named.chain(file.paths.iter().map(|(path, line)| (path, *line)));
    for (path, line) in named {
        if path[0] == "wgpu" && !place.starts_with("engine/gpu/") {
            offend(line, "wgpu is named outside engine/gpu".into());
        }
        if is_library(file) {
            let words = path
                .iter()
                .filter(|word| OF_A_PROCESS.contains(&word.as_str()));
            for word in words {
                offend(line, format!("{word} is named outside cli"));
            }
            for pair in path.windows(2) {
                if OF_A_PROCESS_AS_PATHS.iter().any(|of| pair == of) {
                    offend(line, format!("{} is named outside cli", pair.join("::")));
                }
            }
        }
        let (Some(own), Some(target)) = (storey(room), house.target(file, path)) else {
            continue;
        };
        match storey(target) {
            None => offend(
                line,
                format!("imports crate::{target}, which is not a room"),
            ),
            Some(other) if target != room && other >= own => {
                offend(
                    line,
                    format!("{room} imports from {target}, which is not below it"),
                );
            }
            Some(_) => {}
        }
    }
    if is_library(file) {
        for (token, next) in file.tokens.iter().zip(file.tokens.iter().skip(1)) {
            if next.text == "!" && MACROS_OF_A_PROCESS.contains(&token.text.as_str()) {
                offend(token.line, format!("{}! stands outside cli", token.text));
            }
        }
    }
    offences
}

/// Whether a file is of the library below the command line.
fn is_library(file: &File) -> bool {
    file.room() != "cli" && file.place != "main.rs"
}

fn house() -> House {
    let house = House::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(
        house.files.len() > 100,
        "only {} sources were found",
        house.files.len()
    );
    house
}

#[test]
fn imports_point_down_and_the_process_is_the_command_lines() {
    let house = house();
    let mut found = Vec::new();
    for file in &house.files {
        let room = file.room();
        assert!(
            storey(room).is_some() || ["lib.rs", "main.rs"].contains(&room),
            "src/{} stands in no room",
            file.place
        );
        found.extend(offences(&house, file));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_library_remembers_nothing() {
    let house = house();
    let mut allowed: Vec<(&str, &str)> = STATICS.to_vec();
    let mut found = Vec::new();
    for file in house.files.iter().filter(|file| is_library(file)) {
        for (line, name) in statics(file) {
            let (place, name) = (file.place.as_str(), name.as_str());
            match STATICS.contains(&(place, name)) {
                true => allowed.retain(|&other| other != (place, name)),
                false => found.push(format!("src/{place}:{line}: static {name} holds state")),
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(
        allowed.is_empty(),
        "STATICS names what is gone: {allowed:?}"
    );
}

/// Whether a circle is one that is known, or what is left of it.
fn is_within(files: &[&str], known: &str) -> bool {
    files
        .iter()
        .all(|file| known.split(' ').any(|known| known == *file))
}

#[test]
fn no_file_needs_itself_through_others() {
    let house = house();
    let found = house.circles();
    let new: Vec<String> = found
        .iter()
        .filter(|files| !CIRCLES.iter().any(|known| is_within(files, known)))
        .map(|files| files.join(" "))
        .collect();
    assert!(
        new.is_empty(),
        "files need each other in a circle:\n{}",
        new.join("\n")
    );
    for known in CIRCLES {
        assert!(
            !known
                .split(' ')
                .any(|file| file.starts_with("job/") || file.starts_with("run/")),
            "no circle is suffered in job and run: {known}"
        );
        assert!(
            found.iter().any(|files| is_within(files, known)),
            "CIRCLES names one that is gone: {known}"
        );
    }
}

/// A house of these files.
fn house_of(files: &[(&str, &str)]) -> House {
    let file = |&(place, source): &(&str, &str)| File::new(place, code(source));
    House::new(files.iter().map(file).collect())
}

#[test]
fn offences_are_seen() {
    for (place, source) in [
        ("mesh/mod.rs", "use crate::kernels::Buf;"),
        ("mesh/mod.rs", "use crate::{kernels::Buf};"),
        ("mesh/mod.rs", "use super::kernels::Buf;"),
        ("plot/line.rs", "fn f() { let x = crate::cli::run(); }"),
        ("plot/line.rs", "use crate::job::Job;"),
        ("job/mod.rs", "use crate::plot::Figure;"),
        ("job/mod.rs", "use crate::run::Run;"),
        ("run/walk/mod.rs", "use super::super::super::cli::Cli;"),
        ("engine/mod.rs", "use crate::model::Model;"),
        ("pipeline/mod.rs", "fn f(device: &wgpu::Device) {}"),
        ("data/mod.rs", "use anyhow::Context;"),
        ("run/mod.rs", "use clap::Parser;"),
        ("model/mod.rs", "use crate::utils::f;"),
        (
            "model/mod.rs",
            "#[cfg(test)]\nmod tests { fn f() {} }\nuse crate::cli::f;",
        ),
        ("run/mod.rs", "fn f() { let arguments = std::env::args(); }"),
        (
            "run/mod.rs",
            "fn f() { let arguments = std::env::args_os(); }",
        ),
        ("run/mod.rs", "use std::process::exit;"),
        ("run/mod.rs", "fn f() { std::process::exit(1); }"),
        ("run/mod.rs", "fn f() { println!(\"done\"); }"),
        ("job/mod.rs", "fn f() { eprintln!(\"done\"); }"),
        (
            "job/mod.rs",
            "fn f() { writeln!(std::io::stderr(), \"done\"); }",
        ),
        ("lib.rs", "fn f() { ctrlc::set_handler(|| {}); }"),
        ("plot/mod.rs", "fn f(bar: &indicatif::ProgressBar) {}"),
    ] {
        let house = house_of(&[(place, source)]);
        let found = offences(&house, &house.files[0]);
        assert_eq!(found.len(), 1, "{place}: {source}: {found:?}");
    }
    for (place, source) in [
        ("cli/sweep.rs", "use crate::plot::line_plot;"),
        (
            "run/mod.rs",
            "use crate::{job::Job, plot::Figure, report::Report};",
        ),
        ("kernels/warp.rs", "use crate::kernels::StructSpec;"),
        ("kernels/warp.rs", "// crate::cli::run(), println!"),
        (
            "kernels/warp.rs",
            "#[cfg(test)]\nmod tests { fn f() { println!(); } }",
        ),
        (
            "kernels/warp.rs",
            "const TEXT: &str = \"crate::cli::run println!(\";",
        ),
        (
            "cli/sweep.rs",
            "fn f() { println!(); std::process::exit(1); }",
        ),
        ("main.rs", "fn f() { eprintln!(); }"),
    ] {
        let house = house_of(&[(place, source)]);
        let found = offences(&house, &house.files[0]);
        assert!(found.is_empty(), "{place}: {source}: {found:?}");
    }
}

#[test]
fn statics_that_remember_are_seen() {
    for (source, name) in [
        ("static A: Mutex<Vec<u32>> = Mutex::new(Vec::new());", "A"),
        (
            "fn f() { static B: std::sync::OnceLock<u32> = OnceLock::new(); }",
            "B",
        ),
        (
            "thread_local! { static C: Cell<bool> = const { Cell::new(false) }; }",
            "C",
        ),
        (
            "pub(crate) static D: AtomicBool = AtomicBool::new(false);",
            "D",
        ),
        ("static mut E: u32 = 0;", "E"),
    ] {
        let house = house_of(&[("run/mod.rs", source)]);
        assert_eq!(statics(&house.files[0]), [(1, name.to_owned())], "{source}");
    }
    for source in [
        "static TEXT: &str = \"Mutex\";",
        "fn f() -> &'static Mutex<u32> { todo!() }",
        "const A: usize = 0; // static A: Mutex<u32>",
    ] {
        let house = house_of(&[("run/mod.rs", source)]);
        assert_eq!(statics(&house.files[0]), [], "{source}");
    }
}

#[test]
fn circles_are_seen_through_use_and_re_exports() {
    let circles = |files: &[(&str, &str)]| -> Vec<Vec<String>> {
        let house = house_of(files);
        let circles = house.circles();
        let owned = circles.iter();
        owned
            .map(|places| places.iter().map(|&place| place.to_owned()).collect())
            .collect()
    };
    let root = ("lib.rs", "pub mod run;");
    // A name that the module hands out is needed in the file that defines it.
    let module = (
        "run/mod.rs",
        "mod a; mod b; mod c; pub use a::A; pub(crate) use b::{B as Other};",
    );
    let a = ("run/a.rs", "use super::Other; pub struct A(Other);");
    let c = ("run/c.rs", "use crate::run::A; fn f(a: A) {}");
    let found = circles(&[root, module, a, ("run/b.rs", "pub struct B;"), c]);
    assert_eq!(found, [] as [Vec<String>; 0]);
    // By `use`, by a path in the code, by `use` of a module, and by a star.
    for b in [
        "use super::A; pub struct B(A);",
        "pub struct B(super::a::A);",
        "pub struct B(crate::run::A);",
        "use super::a; pub struct B(a::A);",
        "use super::a::*; pub struct B(A);",
        "use super::c::f; pub struct B; fn g() { f() }",
    ] {
        let c = ("run/c.rs", "use crate::run::A; pub fn f(a: A) {}");
        let found = circles(&[root, module, a, ("run/b.rs", b), c]);
        let mut expected = vec!["run/a.rs", "run/b.rs"];
        expected.extend(b.contains("::f;").then_some("run/c.rs"));
        assert_eq!(found, [expected], "{b}");
    }
    // What a module itself defines is there for its children, but not for others.
    let child = ("run/a.rs", "use super::Other; pub struct A(Other);");
    let module = "mod a; mod b; pub struct Other; fn f() -> a::A { todo!() }";
    let files = [root, ("run/mod.rs", module), child, ("run/b.rs", "")];
    assert_eq!(circles(&files), [] as [Vec<String>; 0]);
    let outer = ("run/c.rs", "use super::d::D; pub struct C;");
    let inner = ("run/d/mod.rs", "mod e; pub struct D(e::E);");
    let deep = ("run/d/e.rs", "use crate::run::c::C; pub struct E(C);");
    let files = [root, ("run/mod.rs", "mod c; mod d;"), outer, inner, deep];
    assert_eq!(
        circles(&files),
        [["run/c.rs", "run/d/e.rs", "run/d/mod.rs"]]
    );
}

/// Lines of a source that spell an option of the command line, comments left out.
fn options_in(source: &str) -> Vec<usize> {
    let is_option = |line: &str| {
        line.match_indices("--").any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + 2..].chars().next();
            before.is_none_or(|c| !c.is_alphanumeric() && c != '-')
                && after.is_some_and(|c| c.is_ascii_lowercase())
        })
    };
    let lines = source.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim_start().starts_with("//") && is_option(line))
        .map(|(number, _)| number + 1)
        .collect()
}

/// An error or note of the library names settings, which each face spells in its own way.
#[test]
fn the_library_spells_no_option() {
    assert_eq!(
        options_in("// give --white 1\nlet x = \"give --white 1\";"),
        [2]
    );
    assert!(options_in("a - -b; \"a--b\"; \"-- \"").is_empty());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    // The test of the spelling spells some.
    let respelled = |place: &str| place == "remedy.rs";
    let library = house();
    let library = library.files.iter().filter(|file| is_library(file));
    for file in library.filter(|file| !respelled(&file.place)) {
        let source = std::fs::read_to_string(root.join(&file.place)).expect("a source");
        let lines = options_in(&source).into_iter();
        found.extend(lines.map(|line| format!("src/{}:{line}", file.place)));
    }
    assert!(
        found.is_empty(),
        "options below the command line:\n{}",
        found.join("\n")
    );
}
